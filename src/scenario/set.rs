//! `--set path=value`: one value of a scenario replaced before it is read.
//!
//! Spliced into the JSON after the file itself has passed the strict reader, then printed and read again just as
//! strictly; errors are drawn in that new text. It knows one thing of meaning: where a model's name stands, the name
//! becomes that model's `base`, and a list of which one element is set is the base's. So is a field of a policy of which one
//! value is set.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::ScenarioError;
use super::library::Library;
use super::parse::parse_json;
use super::path::{JsonPath, Step};
use super::schema::model::ModelKind;
use super::source::Source;

/// A `--set`, read.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// As typed.
    pub text: String,
    /// Where.
    pub path: JsonPath,
    pub(super) value: Value,
}

impl Setting {
    /// One that was typed elsewhere; `text` names it in errors.
    pub(super) fn new(text: String, path: JsonPath, value: Value) -> Self {
        Self { text, path, value }
    }

    pub(super) fn parse(text: &str) -> Result<Self, ScenarioError> {
        let wrong = |reason: String| ScenarioError::Set { set: text.into(), reason };
        let (path, value) =
            text.split_once('=').ok_or_else(|| wrong("has no `=`; write --set vms[0].memory=8GiB".into()))?;
        let path = JsonPath::parse(path.trim()).map_err(wrong)?;
        Ok(Self { text: text.into(), path, value: value_of(text, value)? })
    }
}

/// JSON if it can be read as JSON, as strictly as a file; text otherwise.
fn value_of(setting: &str, value: &str) -> Result<Value, ScenarioError> {
    let text = Value::String(value.trim().into());
    let Ok(source) = Source::new(format!("--set {setting}"), value) else { return Ok(text) };
    match parse_json(&Arc::new(source)) {
        Ok(value) => Ok(value),
        Err(problem) if problem.path.is_some() => Err(ScenarioError::from(*problem)),
        Err(_) => Ok(text),
    }
}

/// The scenario with all settings made, as a text of its own.
pub(super) fn splice(
    source: &Arc<Source>,
    settings: &[Setting],
    library: &Library,
) -> Result<Arc<Source>, ScenarioError> {
    let wrong = |setting: &Setting, reason| ScenarioError::Set { set: setting.text.clone(), reason };
    let mut root: Value = parse_json(source).map_err(|problem| *problem)?;
    for setting in settings {
        put(&mut root, setting, library).map_err(|reason| wrong(setting, reason))?;
    }
    let text = format!("{root:#}\n");
    Source::new(format!("{} with --set", source.name()), text).map(Arc::new)
}

fn put(root: &mut Value, setting: &Setting, library: &Library) -> Result<(), String> {
    let (mut here, mut at) = (root, JsonPath::ROOT);
    let steps = setting.path.steps();
    for (step, next) in steps.iter().zip(steps.iter().skip(1).map(Some).chain([None])) {
        if let Some(kind) = model_at(&at) {
            if let Value::String(name) = here {
                let base = Value::String(std::mem::take(name));
                *here = Value::Object(Map::from_iter([("base".to_string(), base)]));
            }
            if let (Value::Object(model), Step::Key(key), Some(next)) = (&mut *here, step, next)
                && (number(next).is_some() || kind == ModelKind::Policy)
                && !model.contains_key(key)
                && let Some(list) = inherited(library, kind, model, key)
            {
                model.insert(key.clone(), list);
            }
        }
        (here, at) = down(here, step, &at)?;
    }
    *here = setting.value.clone();
    Ok(())
}

/// What a model's bases say of `key`. Where they cannot be had, resolving says so.
fn inherited(library: &Library, kind: ModelKind, model: &Map<String, Value>, key: &str) -> Option<Value> {
    let mut base = model.get("base")?.as_str()?.to_string();
    let mut seen = Vec::new();
    while !seen.contains(&base) {
        let source = library.find(kind, &base).ok()??;
        let model = parse_json(&source).ok()?;
        if let Some(value) = model.get(key) {
            return Some(value.clone());
        }
        seen.push(std::mem::replace(&mut base, model.get("base")?.as_str()?.to_string()));
    }
    None
}

fn number(step: &Step) -> Option<usize> {
    match step {
        Step::Index(index) => Some(*index),
        Step::Key(key) => key.parse().ok(),
    }
}

fn down<'a>(here: &'a mut Value, step: &Step, at: &JsonPath) -> Result<(&'a mut Value, JsonPath), String> {
    match (here, number(step), step) {
        (Value::Array(items), Some(index), _) => {
            let count = items.len();
            let item = items.get_mut(index).ok_or_else(|| match count {
                0 => format!("`{at}` is empty, so it has no [{index}]"),
                1 => format!("`{at}` has one element, [0], so it has no [{index}]"),
                _ => format!("`{at}` has the elements [0] to [{}], so it has no [{index}]", count - 1),
            })?;
            Ok((item, at.index(index)))
        }
        (Value::Array(_), None, _) => Err(format!("`{at}` is an array; write `{at}[0]`")),
        (Value::Object(map), _, Step::Key(key)) => {
            // An object that is missing on the way is made; at the end of the way it is overwritten.
            let inner = map.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
            Ok((inner, at.key(key)))
        }
        (Value::Object(_), _, Step::Index(index)) => {
            Err(format!("`{at}` is an object or missing, not an array, so it has no [{index}]"))
        }
        (scalar, ..) => Err(format!("`{at}` is {scalar}, and there is nothing below it")),
    }
}

/// The model whose name may stand here. A network that is not there is the default one.
fn model_at(at: &JsonPath) -> Option<ModelKind> {
    match at.steps() {
        [Step::Key(key)] if key == "policy" => Some(ModelKind::Policy),
        [Step::Key(key)] if key == "network" => Some(ModelKind::Network),
        [Step::Key(key)] if key == "platform" => Some(ModelKind::Platform),
        [Step::Key(vms), Step::Index(_), Step::Key(key)] if vms == "vms" && key == "workload" => {
            Some(ModelKind::Workload)
        }
        _ => None,
    }
}
