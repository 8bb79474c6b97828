//! JSON as a tree whose numbers are texts, so that they are printed exactly.
//!
//! `serde_json` would carry decimals as doubles; nine decimals of a long run do not always survive that. This only writes;
//! strings are escaped by `serde_json`.

use crate::units::{SimTime, Span};

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    /// Absent.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number as it is to be printed.
    Number(String),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object, in order.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// A string.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An integer.
    pub(crate) fn whole(n: u64) -> Self {
        Self::Number(n.to_string())
    }

    /// Seconds.
    pub(crate) fn seconds(span: Span) -> Self {
        Self::Number(span.seconds())
    }

    /// An instant in seconds, or nothing.
    pub(crate) fn instant(at: Option<SimTime>) -> Self {
        at.map_or(Self::Null, |at| Self::seconds(at.since_start()))
    }

    /// The text, with line breaks in containers less than `broken` levels deep.
    pub(crate) fn print(&self, broken: usize) -> String {
        let mut out = String::new();
        self.write(&mut out, 0, broken);
        out.push('\n');
        out
    }

    fn write(&self, out: &mut String, depth: usize, broken: usize) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
            Self::Number(number) => out.push_str(number),
            Self::Text(text) => quote(text, out),
            Self::List(items) => {
                let items = items.iter().map(|item| (None, item));
                container(out, ['[', ']'], items, depth, broken);
            }
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| (Some(*name), value));
                container(out, ['{', '}'], fields, depth, broken);
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
}

fn container<'a>(
    out: &mut String,
    brackets: [char; 2],
    items: impl Iterator<Item = (Option<&'static str>, &'a Json)>,
    depth: usize,
    broken: usize,
) {
    out.push(brackets[0]);
    let mut empty = true;
    for (name, value) in items {
        if !empty {
            out.push(',');
        }
        if depth < broken {
            new_line(out, depth + 1);
        } else if !empty {
            out.push(' ');
        }
        empty = false;
        if let Some(name) = name {
            quote(name, out);
            out.push_str(": ");
        }
        value.write(out, depth + 1, broken);
    }
    if depth < broken && !empty {
        new_line(out, depth);
    }
    out.push(brackets[1]);
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// `n` / 10^`places`, trailing zeros cut.
pub(crate) fn decimal(n: u64, places: usize) -> String {
    let digits = format!("{n:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    match fraction.trim_end_matches('0') {
        "" => whole.to_string(),
        rest => format!("{whole}.{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_serde_reads_and_numbers_as_they_are() {
        let number = "12345678901.123456789";
        let fields = vec![("a\"b", Json::Number(number.into())), ("c", Json::List(vec![Json::Null, Json::Bool(true)]))];
        let tree = Json::Object(vec![("x", Json::Object(fields)), ("empty", Json::List(Vec::new()))]);
        let text = tree.print(1);
        assert_eq!(text, "{\n  \"x\": {\"a\\\"b\": 12345678901.123456789, \"c\": [null, true]},\n  \"empty\": []\n}\n");
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["x"]["c"][1], true);
        assert_eq!(tree.print(9).lines().count(), 10);
    }

    #[test]
    fn decimals_are_exact() {
        for (n, places, text) in [(0, 6, "0"), (1, 6, "0.000001"), (117_647_059, 6, "117.647059"), (1500, 2, "15")] {
            assert_eq!(decimal(n, places), text);
        }
    }
}
