//! Other parameters than those of the file: `--fit path=from..to`, for `calibrate`.
//!
//! Only what a model file can hold may be fitted, as that is what comes of it: something of the platform, of the network or of
//! the workload.

use std::sync::Arc;

use crate::scenario::error::ScenarioError;
use crate::scenario::path::{JsonPath, Step};
use crate::scenario::schema::model::ModelKind;
use crate::scenario::source::Source;

use super::Reference;
use super::load::try_all;
use super::parameter::{Parameter, ParameterKind};

/// What may be fitted, for readers.
const WITHIN: &str = "only what is within `platform`, `network` or `vms[0].workload` can be fitted";

impl Reference {
    /// The same reference with the parameters `fits` in place of its own, fitted to `rows`. The ends of their ranges are tried
    /// on every row.
    ///
    /// # Errors
    /// A text that is no parameter, or values that the scenario does not take.
    pub fn refit(&self, fits: &[String], rows: &[usize]) -> Result<Self, ScenarioError> {
        let mut refitted = self.clone();
        (refitted.parameters, refitted.paths, refitted.typed) = Default::default();
        for text in fits {
            let wrong = |reason: String| ScenarioError::Fit { fit: text.clone(), reason };
            let (path, parameter) = read(text, rows).map_err(wrong)?;
            if refitted.paths.iter().any(|other| other.touches(&path)) {
                return Err(wrong("is fitted already".into()));
            }
            refitted.typed.push(Arc::new(Source::new("--fit", text.as_str())?));
            refitted.paths.push(path);
            refitted.parameters.push(parameter);
        }
        try_all(&refitted)?;
        Ok(refitted)
    }

    /// Whether two rows are measured in the same setting: they change the scenario alike.
    pub fn same_setting(&self, row: usize, other: usize) -> bool {
        self.sets(row).eq(self.sets(other))
    }

    /// The rows that a fit of parameters may be judged by: scored ones with a value that errors can be relative to.
    pub fn scored_rows(&self) -> impl Iterator<Item = usize> {
        let counts = |row: &usize| self.rows[*row].is_scored() && self.rows[*row].value > 0;
        (0..self.rows.len()).filter(counts)
    }
}

impl Parameter {
    /// The kind of model that holds it.
    ///
    /// # Errors
    /// Says that none does.
    pub fn model(&self) -> Result<ModelKind, String> {
        model(&self.place()?)
    }

    /// The way to it, read.
    pub(super) fn place(&self) -> Result<JsonPath, String> {
        JsonPath::parse(&self.path).map(|path| path.indexed())
    }
}

/// `path=from..to`.
fn read(text: &str, rows: &[usize]) -> Result<(JsonPath, Parameter), String> {
    let shape = || "write --fit 'platform.place_page=500 ns..8 us'".to_string();
    let (path, range) = text.split_once('=').ok_or_else(|| format!("has no `=`; {}", shape()))?;
    let path = JsonPath::parse(path.trim())?.indexed();
    model(&path)?;
    let (from, to) = range.split_once("..").ok_or_else(|| format!("has no range; {}", shape()))?;
    let (from, to) = (from.trim(), to.trim());
    let ((kind, least), (other, greatest)) = (end(from)?, end(to)?);
    if kind != other {
        return Err(format!("`{from}` and `{to}` are not of the same kind"));
    }
    if least >= greatest {
        return Err(format!("`{to}` is not above `{from}`"));
    }
    let unit = ParameterKind::unit_of(from).into();
    Ok((path.clone(), Parameter { path: path.to_string(), rows: rows.to_vec(), kind, from: least, to: greatest, unit }))
}

fn end(text: &str) -> Result<(ParameterKind, u64), String> {
    if let Ok(whole) = text.parse() {
        return Ok((ParameterKind::Count, whole));
    }
    ParameterKind::read(text).ok_or_else(|| {
        format!("`{text}` is no quantity with its unit, as \"3 ms\" or \"800 Mbit/s\", and no whole number")
    })
}

fn model(path: &JsonPath) -> Result<ModelKind, String> {
    let kind = match path.steps() {
        [Step::Key(top), _, ..] if top == "platform" => Some(ModelKind::Platform),
        [Step::Key(top), _, ..] if top == "network" => Some(ModelKind::Network),
        [Step::Key(top), Step::Index(_), Step::Key(of), _, ..] if top == "vms" && of == "workload" => {
            Some(ModelKind::Workload)
        }
        _ => None,
    };
    kind.ok_or_else(|| format!("`{path}`: {WITHIN}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_place_and_a_range() {
        let (path, parameter) = read("vms.0.workload.classes.1.write = 500 /s..2500 /s", &[3]).expect("a parameter");
        assert_eq!(path.to_string(), "vms[0].workload.classes[1].write");
        assert_eq!((parameter.rows.as_slice(), parameter.unit.as_str()), ([3].as_slice(), "/s"));
        assert_eq!(model(&path), Ok(ModelKind::Workload));
        for (text, part) in [
            ("platform.setup", "no `=`"),
            ("platform.setup=3 ms", "no range"),
            ("platform.setup=3..4 ms", "same kind"),
            ("platform.setup=4 ms..3 ms", "not above"),
            ("platform.setup=4 ms..4 ms", "not above"),
            ("platform.setup=x..4 ms", "no quantity"),
            ("platform=1..2", "only what is within"),
            ("policy.migration=1..2", "only what is within"),
            ("vms[0].memory=1 MiB..2 MiB", "only what is within"),
            ("=1..2", "empty step"),
        ] {
            let error = read(text, &[]).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
