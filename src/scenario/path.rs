//! The way from a JSON file's root to a value: `vms[0].memory`.
//!
//! One type for serde's paths, for problems found by resolving and for `--set`, so that all three are drawn alike.

use std::fmt;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into an object.
    Key(String),
    /// Into an array.
    Index(usize),
}

/// A way from the root to a value; empty for the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonPath(Vec<Step>);

impl JsonPath {
    /// The root itself.
    pub const ROOT: Self = Self(Vec::new());

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
    /// The value under a key.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.into()))
    }
    /// An element.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }
    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
    /// Whether the last step is one of these keys.
    pub(super) fn ends_in(&self, keys: &[&str]) -> bool {
        matches!(self.0.last(), Some(Step::Key(key)) if keys.contains(&key.as_str()))
    }
    /// Whether the step of this number, from 0, is this key.
    pub(super) fn has(&self, step: usize, key: &str) -> bool {
        matches!(self.0.get(step), Some(Step::Key(found)) if found == key)
    }
    /// Whether one of the two lies on the way to the other.
    pub fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }

    /// The same with numbers as indices however they are spelt, so that one place has one path.
    #[must_use]
    pub(super) fn indexed(&self) -> Self {
        let step = |step: &Step| match step {
            Step::Key(key) => key.parse().map_or_else(|_| step.clone(), Step::Index),
            Step::Index(_) => step.clone(),
        };
        self.0.iter().map(step).collect()
    }

    /// Reads `vms[0].memory` or `vms.0.memory`. A number after a dot is an index only where an array is met, so here it
    /// stays a key; see `scenario::set`.
    ///
    /// # Errors
    /// Says what is wrong with the spelling.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (key, mut brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
            if key.is_empty() {
                return Err(format!("the path `{text}` has an empty step"));
            }
            steps.push(Step::Key(key.into()));
            while !brackets.is_empty() {
                let inside = brackets.strip_prefix('[').and_then(|rest| rest.split_once(']'));
                let Some((number, rest)) = inside else {
                    return Err(format!("the path `{text}` has an unbalanced bracket; write `vms[0].memory`"));
                };
                let index = number.parse().map_err(|_| format!("`{number}` is not an index, in the path `{text}`"))?;
                steps.push(Step::Index(index));
                brackets = rest;
            }
        }
        Ok(Self(steps))
    }
}

impl FromIterator<Step> for JsonPath {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("(the whole file)");
        }
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => write!(f, "{}", key.escape_debug())?,
                Step::Key(key) => write!(f, ".{}", key.escape_debug())?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings_and_refuses_nonsense() {
        for text in ["seed", "vms[0].memory", "a.b[1][2].c", "vms.0.memory"] {
            assert_eq!(JsonPath::parse(text).expect(text).to_string(), text);
        }
        for (text, part) in [
            ("", "empty step"),
            ("a..b", "empty step"),
            ("a[", "unbalanced"),
            ("a[0", "unbalanced"),
            ("a[0]b", "unbalanced"),
            ("a[x]", "not an index"),
            ("a[-1]", "not an index"),
        ] {
            let error = JsonPath::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
