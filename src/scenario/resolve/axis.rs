//! One axis of a sweep: its values, however they were given.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::amount::{amount, ends, unit_of};
use super::context::{Context, Place};
use crate::scenario::family::Change;
use crate::scenario::parse::parse_json;
use crate::scenario::path::{JsonPath, Step};
use crate::scenario::published::{Parameter, ParameterKind};
use crate::scenario::schema::sweep as text;
use crate::scenario::set::Setting;
use crate::scenario::sweep::{Axis, AxisValue, Typed, geometric};
use crate::scenario::texts::Texts;

/// Values of one axis.
const VALUES_MAX: u64 = 100_000;
/// What a model file has beside the model, or claims.
const HEADER: [&str; 6] = ["$schema", "schema", "about", "source", "tolerates", "waives"];

/// `None`, with a problem noted, if it has no values.
pub(super) fn axis(
    context: &mut Context<'_>,
    typed: &text::Axis,
    number: usize,
    files: &Texts,
    at: &Place,
) -> Option<Axis> {
    let path = match JsonPath::parse(&typed.path) {
        Ok(path) => path.indexed(),
        Err(reason) => {
            context.problem(&at.key("path"), reason, None);
            return None;
        }
    };
    if path.to_string() == "seed" {
        let hint = "runs differ by `replications`; the sweep has a `seed` of its own";
        context.problem(&at.key("path"), "a sweep has one seed, so that its cells can be compared", Some(hint));
    }
    let name = typed.name.clone().unwrap_or_else(|| last_key(&path));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        let hint = "letters, digits, `_`, `-` and `.` make a name";
        context.problem(&at.key("as"), format!("`{name}` is no name of a column"), Some(hint));
    }
    let given = [typed.values.is_some(), typed.range.is_some(), typed.log.is_some(), typed.files.is_some()];
    if given.iter().filter(|given| **given).count() != 1 {
        context.problem(at, "one of `values`, `range`, `log` and `files` is needed, and only one", None);
        return None;
    }
    let make = Make { path: &path, number };
    let mut values: Vec<AxisValue> = if let Some(values) = &typed.values {
        values.iter().enumerate().map(|(i, value)| make.value("values", Some(i), shown(value), value.clone())).collect()
    } else if let Some(range) = &typed.range {
        make.quantities("range", &self::range(context, range, &at.key("range"))?)
    } else if let Some(log) = &typed.log {
        make.quantities("log", &self::log(context, log, &at.key("log"))?)
    } else {
        let named = typed.files.as_deref().unwrap_or_default();
        let at = at.key("files");
        named.iter().enumerate().filter_map(|(i, file)| make.file(context, file, i, files, &at.index(i))).collect()
    };
    label(context, &mut values, typed, at);
    unlike(context, &values, typed, at);
    (!values.is_empty()).then_some(Axis { name, path, values })
}

fn label(context: &mut Context<'_>, values: &mut [AxisValue], typed: &text::Axis, at: &Place) {
    let Some(labels) = &typed.labels else { return };
    let count = typed.values.as_ref().map(Vec::len).or(typed.files.as_ref().map(Vec::len));
    match count {
        Some(count) if count == labels.len() => {}
        Some(count) => context.problem(&at.key("labels"), format!("are {} for {count} values", labels.len()), None),
        None => {
            context.problem(&at.key("labels"), "go with `values` or `files`; a range says what its values are", None);
        }
    }
    values.iter_mut().zip(labels).for_each(|(value, label)| value.text.clone_from(label));
}

fn unlike(context: &mut Context<'_>, values: &[AxisValue], typed: &text::Axis, at: &Place) {
    let key = match typed {
        text::Axis { labels: Some(_), .. } => "labels",
        text::Axis { files: Some(_), .. } => "files",
        _ => "values",
    };
    if values.is_empty() && (typed.values.is_some() || typed.files.as_ref().is_some_and(Vec::is_empty)) {
        context.problem(&at.key(key), "is empty: an axis has at least one value", None);
    }
    // Those of a range are unlike by themselves.
    if typed.values.is_none() && typed.files.is_none() {
        return;
    }
    let mut met = BTreeSet::new();
    for (i, value) in values.iter().enumerate() {
        let at = at.key(key).index(i);
        if !met.insert(&value.text) {
            context.problem(&at, format!("`{}` is here twice", value.text), None);
        }
        if value.text.chars().any(char::is_control) {
            context.problem(&at, "has characters that break lines of results", Some("call it something with `labels`"));
        }
    }
}

/// As it stands in results.
pub(super) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

fn last_key(path: &JsonPath) -> String {
    let key = path.steps().iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.clone()),
        Step::Index(_) => None,
    });
    key.unwrap_or_default()
}

/// Makes the values of one axis.
struct Make<'a> {
    path: &'a JsonPath,
    number: usize,
}

impl Make<'_> {
    fn value(&self, key: &str, index: Option<usize>, text: String, value: Value) -> AxisValue {
        let place = JsonPath::ROOT.key("axes").index(self.number).key(key);
        let place = index.map_or(place.clone(), |index| place.index(index));
        let as_typed = Typed::of(&value);
        let setting = Setting::new(format!("{}={text}", self.path), self.path.clone(), value);
        AxisValue { text, change: Change { setting, place, typed: None }, as_typed }
    }

    fn quantities(&self, key: &str, (kind, unit, numbers): &(ParameterKind, String, Vec<u64>)) -> Vec<AxisValue> {
        let ends = (numbers.first().copied().unwrap_or_default(), numbers.last().copied().unwrap_or_default());
        let (path, unit) = (self.path.to_string(), unit.clone());
        let parameter = Parameter { path, rows: Vec::new(), kind: *kind, from: ends.0, to: ends.1, unit };
        numbers.iter().map(|number| self.value(key, None, parameter.text(*number), parameter.json(*number))).collect()
    }

    /// A model by its name, or what stands in a file.
    fn file(&self, context: &mut Context<'_>, file: &str, i: usize, files: &Texts, at: &Place) -> Option<AxisValue> {
        let named = Path::new(file);
        if named.extension().is_none_or(|ending| ending != "json") {
            return Some(self.value("files", Some(i), file.into(), Value::from(file)));
        }
        let parsed = files.read(file).and_then(|source| parse_json(&source).map_err(|problem| (*problem).into()));
        match parsed {
            Ok(Value::Object(mut model)) => {
                for key in HEADER {
                    model.shift_remove(key);
                }
                let stem = named.file_stem().map_or_else(|| file.into(), |stem| stem.to_string_lossy().into_owned());
                Some(self.value("files", Some(i), stem, Value::Object(model)))
            }
            Ok(_) => {
                context.problem(at, "is no model: it holds no object", None);
                None
            }
            Err(error) => {
                context.problem(at, error.to_string(), None);
                None
            }
        }
    }
}

type Numbers = (ParameterKind, String, Vec<u64>);

fn range(context: &mut Context<'_>, typed: &text::Range, at: &Place) -> Option<Numbers> {
    let ends = ends(context, &typed.from, &typed.to, at);
    let (other, step) = amount(context, &typed.step, &at.key("step"))?;
    let (kind, from, to) = ends?;
    if other != kind {
        context.problem(&at.key("step"), "is not of the same kind as `from`", None);
        return None;
    }
    if step == 0 {
        context.positive(false, &at.key("step"));
        return None;
    }
    let steps = (to - from) / step;
    if steps >= VALUES_MAX {
        context.problem(at, format!("has {} values, and {VALUES_MAX} is the most", u128::from(steps) + 1), None);
        return None;
    }
    Some((kind, unit_of(&typed.from), (0..=steps).map(|i| from + i * step).collect()))
}

fn log(context: &mut Context<'_>, typed: &text::Log, at: &Place) -> Option<Numbers> {
    let (kind, from, to) = ends(context, &typed.from, &typed.to, at)?;
    if from == 0 {
        context.positive(false, &at.key("from"));
        return None;
    }
    if !(2..=VALUES_MAX).contains(&typed.n) {
        context.problem(&at.key("n"), format!("{} is not from 2 to {VALUES_MAX}", typed.n), None);
        return None;
    }
    let unit = unit_of(&typed.from);
    // A size is a whole number of the unit in which it was typed, as a memory must be one of pages.
    let grain = match kind {
        ParameterKind::Size => ParameterKind::read(&format!("1 {unit}")).map_or(1, |(_, size)| size),
        _ => 1,
    };
    let between = |i: u64| match i {
        0 => from,
        i if i + 1 == typed.n => to,
        i => rounded(geometric(from, to, i, typed.n), grain).clamp(from, to),
    };
    let mut numbers: Vec<u64> = (0..typed.n).map(between).collect();
    numbers.dedup();
    Some((kind, unit, numbers))
}

/// To four digits, or to a multiple of `grain`.
fn rounded(number: u64, grain: u64) -> u64 {
    let digits = number.checked_ilog10().unwrap_or_default().saturating_sub(3);
    let step = if grain > 1 { grain } else { 10u64.pow(digits) };
    number.saturating_add(step / 2) / step * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_four_digits_or_to_whole_units() {
        assert_eq!((rounded(3_162_277, 1), rounded(99_996, 1), rounded(17, 1)), (3_162_000, 100_000, 17));
        assert_eq!(rounded(3 << 19, 1 << 20), 2 << 20);
    }
}
