//! Fitted values as a model file: the model that the scenario names as its base, and over it what was fitted.
//!
//! The values are set in the base as `--set` would set them, so that a list of which one element is fitted is the base's list with
//! that element changed.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::scenario::library::Library;
use crate::scenario::parse::parse_json;
use crate::scenario::path::{JsonPath, Step};
use crate::scenario::resolve::{DEFAULT_NETWORK, DEFAULT_PLATFORM};
use crate::scenario::schema::model::{ModelKind, model_text};
use crate::scenario::set::{Setting, splice};
use crate::scenario::source::Source;

use super::{Parameter, Reference};

/// A model file, but for the values in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelText {
    /// What it describes.
    pub kind: ModelKind,
    /// The model that fills what is not fitted.
    pub base: String,
    /// What it is, in one sentence.
    pub about: String,
    /// Where its numbers come from.
    pub source: String,
}

impl Reference {
    /// The name of the model that the scenario of this reference has, also for `rows`, and that can be found from the folder
    /// `to` or in the program.
    ///
    /// # Errors
    /// Says why there is no such name.
    pub fn base_of(&self, kind: ModelKind, rows: &[usize], to: &Path) -> Result<String, String> {
        let word = kind.as_str();
        let place = place(kind);
        for &row in rows {
            let above = |path: &JsonPath| path.touches(&place) && path.steps().len() <= place.steps().len();
            if self.changes[row].iter().any(|change| above(&change.setting.path)) {
                return Err(format!("{}: row `{}` has a {word} of its own", self.id, self.rows[row].id));
            }
        }
        let scenario = parse_json(&self.family.base).map_err(|problem| problem.to_string())?;
        let base = match value_at(&scenario, &place) {
            Some(Value::String(name)) => name.clone(),
            None if kind == ModelKind::Platform => DEFAULT_PLATFORM.into(),
            None if kind == ModelKind::Network => DEFAULT_NETWORK.into(),
            _ => {
                return Err(format!("{}: the scenario has the {word} in place; give it a file and name that", self.id));
            }
        };
        let found = Library::new(Some(to), None).find(kind, &base).map_err(|error| error.to_string())?;
        let missing = || format!("the {word} `{base}` is not in {}, where models are looked up with it", to.display());
        found.map(|_| base.clone()).ok_or_else(missing)
    }

    /// The model file with parameters of that model in it, each with its value.
    ///
    /// # Errors
    /// A base that can no longer be read.
    pub fn model_file(&self, model: &ModelText, fitted: &[(&Parameter, u64)]) -> Result<String, String> {
        let place = place(model.kind);
        let scenario = match model.kind {
            ModelKind::Workload => json!({ "vms": [{ "workload": model.base }] }),
            kind => json!({ kind.as_str(): model.base }),
        };
        let setting = |(parameter, value): &(&Parameter, u64)| Ok(parameter.setting(&parameter.place()?, *value));
        let settings = fitted.iter().map(setting).collect::<Result<Vec<Setting>, String>>()?;
        let text = Source::new("model", scenario.to_string()).map_err(|error| error.to_string())?;
        let set = splice(&Arc::new(text), &settings, &self.family.library).map_err(|error| error.to_string())?;
        let set = parse_json(&set).map_err(|problem| problem.to_string())?;
        Ok(model_text(&model.about, &model.source, value_at(&set, &place).unwrap_or(&Value::Null)))
    }
}

/// Where a scenario has a model.
fn place(kind: ModelKind) -> JsonPath {
    match kind {
        ModelKind::Workload => JsonPath::ROOT.key("vms").index(0).key("workload"),
        kind => JsonPath::ROOT.key(kind.as_str()),
    }
}

fn value_at<'a>(root: &'a Value, path: &JsonPath) -> Option<&'a Value> {
    path.steps().iter().try_fold(root, |here, step| match step {
        Step::Key(key) => here.get(key),
        Step::Index(index) => here.get(index),
    })
}
