//! Strict text → typed shape: the first thing that is wrong, at its exact place, in a user's words.
//!
//! Four gates in a row: nesting (so that no parser can overflow the stack), JSON syntax, duplicate keys, `null` and
//! misplaced arrays, then the shape by serde. serde's own messages are translated; only the path is taken
//! from it, and the place comes from the path. What it does not do: look at values' meaning.

use std::ops::Range;
use std::sync::Arc;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Segment;

use super::error::Diagnostic;
use super::path::{JsonPath, Step};
use super::schema::quantity::WITH_UNIT;
use super::source::{MAX_NESTING, MayBeArray, Oddity, Source, Spans};
use super::spelling;

/// The keys that hold arrays. serde would read an array for any object, field by field; only these may have one.
pub(super) const ARRAYS: [&str; 11] =
    ["classes", "faults", "group", "outcome", "phases", "steps", "tolerates", "values", "violates", "vms", "waives"];

/// Reads a text into a shape.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn parse<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T, Box<Diagnostic>> {
    read(source, &ARRAYS, Some(&|path| path.ends_in(&ARRAYS)))
}

/// The keys of a reference file that hold arrays, beside those within what it hands on to the reader of scenarios.
const REFERENCE_ARRAYS: [&str; 3] = ["fit", "repetitions", "rows"];

/// Reads a reference file into its shape. What stands in `scenario` and in a row's `set` is for the reader of scenarios.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn parse_reference<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T, Box<Diagnostic>> {
    let handed_on = |path: &JsonPath| path.has(0, "scenario") || (path.has(0, "rows") && path.has(2, "set"));
    read(source, &REFERENCE_ARRAYS, Some(&|path| path.ends_in(&REFERENCE_ARRAYS) || handed_on(path)))
}

/// The keys of a sweep that hold arrays, beside those within what it hands on.
const SWEEP_ARRAYS: [&str; 7] = ["axes", "files", "labels", "metrics", "values", "where", "zip"];

/// Reads a sweep into its shape. What stands in `base`, and values, are for the reader of scenarios.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn parse_sweep<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T, Box<Diagnostic>> {
    let handed_on = |path: &JsonPath| {
        path.has(0, "base")
            || path.has(0, "zip")
            || (path.has(0, "axes") && path.has(2, "values"))
            || (path.has(0, "where") && path.has(2, "value"))
            || (path.has(0, "compare") && path.has(1, "with"))
    };
    read(source, &SWEEP_ARRAYS, Some(&|path| path.ends_in(&SWEEP_ARRAYS) || handed_on(path)))
}

/// The keys of a figure that hold arrays.
const FIGURE_ARRAYS: [&str; 5] = ["claims", "numbers", "panels", "points", "published"];

/// Reads a figure into its shape.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn parse_figure<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T, Box<Diagnostic>> {
    read(source, &FIGURE_ARRAYS, Some(&|path| path.ends_in(&FIGURE_ARRAYS)))
}

/// Reads a text into JSON of any shape, without duplicate keys and `null`.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn parse_json(source: &Arc<Source>) -> Result<serde_json::Value, Box<Diagnostic>> {
    read(source, &[], None)
}

/// `may_be` says where an array may stand, `None`: anywhere; `keys` are those that hold one.
fn read<T: DeserializeOwned>(
    source: &Arc<Source>,
    keys: &[&str],
    may_be: Option<MayBeArray<'_>>,
) -> Result<T, Box<Diagnostic>> {
    well_formed(source)?;
    let spans = source.spans();
    if let Some((oddity, path, span)) = spans.oddity(may_be) {
        let (message, hint) = match oddity {
            Oddity::Duplicate(key) => (format!("the key `{}` is here twice", spelling::clipped(&key)), None),
            Oddity::Null => ("`null` is not a value here".into(), Some("leave the key out".into())),
            Oddity::Array => {
                let key = path.steps().last().and_then(|step| match step {
                    Step::Key(key) => spelling::nearest(key, keys.iter().copied()),
                    Step::Index(_) => None,
                });
                ("an array has no place here".into(), key.map(|key| format!("did you mean `{key}`?")))
            }
        };
        return Err(Box::new(diagnostic(source, span, Some(path), message, hint)));
    }
    let mut json = serde_json::Deserializer::from_str(source.text());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().iter().map_while(step).collect();
        Box::new(shape_error(source, &spans, path, &error.inner().to_string()))
    })
}

fn diagnostic(
    source: &Arc<Source>,
    span: Range<usize>,
    path: Option<JsonPath>,
    message: String,
    hint: Option<String>,
) -> Diagnostic {
    Diagnostic { source: Arc::clone(source), span, path, message, hint, note: None }
}

fn well_formed(source: &Arc<Source>) -> Result<(), Box<Diagnostic>> {
    if let Some(offset) = source.too_deep() {
        let message = format!("brackets are nested more than {MAX_NESTING} deep");
        return Err(Box::new(diagnostic(source, offset..offset + 1, None, message, None)));
    }
    let Err(error) = serde_json::from_str::<IgnoredAny>(source.text()) else { return Ok(()) };
    let text = source.text();
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let start = text.floor_char_boundary((line_start + error.column().saturating_sub(1)).min(text.len()));
    let next = text[start..].chars().next();
    let end = next.map_or(start, |character| start + character.len_utf8());
    let before = text[..start].trim_end();
    if before.ends_with(',') && matches!(next, Some('}' | ']')) {
        let comma = before.len() - 1..before.len();
        let hint = Some("remove the comma before the closing bracket".into());
        return Err(Box::new(diagnostic(source, comma, None, "not JSON: trailing comma".into(), hint)));
    }
    let message = without_position(&error.to_string()).to_string();
    let hint = match next {
        Some('/' | '#') => Some("JSON has no comments; `why` takes one".into()),
        Some('\'') => Some("JSON has double quotes only".into()),
        _ if message.contains("key must be a string") => Some("write keys in double quotes".into()),
        _ => None,
    };
    Err(Box::new(diagnostic(source, start..end, None, format!("not JSON: {message}"), hint)))
}

/// `serde_json` ends its messages with " at line 3 column 7"; ours say it better.
fn without_position(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |end| &message[..end])
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { variant } => Some(Step::Key(variant.clone())),
        Segment::Unknown => None,
    }
}

fn shape_error(source: &Arc<Source>, spans: &Spans<'_>, path: JsonPath, raw: &str) -> Diagnostic {
    let message = without_position(raw);
    for (prefix, noun) in [("unknown field `", "key"), ("unknown variant `", "word")] {
        let Some(rest) = message.strip_prefix(prefix) else { continue };
        let end = rest.rfind("`, expected ").or_else(|| rest.rfind("`, there are no "));
        let (word, known) = end.map_or((rest, ""), |end| (&rest[..end], &rest[end + 3..]));
        return unknown(source, spans, path, noun, word, known);
    }
    let path = spans.existing(&path);
    let typed = spelling::clipped(spans.typed(&path));
    let is_number = message.starts_with("invalid type: integer") || message.starts_with("invalid type: floating");
    let (message, hint) = if let Some(key) = message.strip_prefix("missing field `") {
        (format!("the key `{}` is missing", key.trim_end_matches('`')), None)
    } else if let Some((_, example)) = message.split_once(WITH_UNIT).filter(|_| is_number) {
        (bare_number(&typed, example), None)
    } else if message == "expected value" || message.contains("expected newtype variant") {
        let hint = "write an object with one key, as in {\"none\": {}} or {\"crash\": \"source\"}";
        ("exactly one key with its value is expected here".into(), Some(hint.into()))
    } else if let Some((_, expected)) = message.strip_prefix("invalid type: ").and_then(|m| m.split_once(", expected "))
    {
        (format!("`{}` is not {}", one_line(&typed), plain_kind(expected)), None)
    } else if message.starts_with("invalid value: integer") && typed.starts_with('-') {
        (format!("`{typed}` is negative; a count from 0 on is expected"), None)
    } else {
        (message.to_string(), None)
    };
    diagnostic(source, spans.value(&path), Some(path), message, hint)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// serde's names of Rust types in a user's words.
fn plain_kind(expected: &str) -> String {
    match expected {
        "a string" => "a text in double quotes".into(),
        "a sequence" => "an array in square brackets".into(),
        "a map" => "an object in braces".into(),
        "u64" => "a whole number from 0 on".into(),
        "i32" => "a whole number".into(),
        _ if expected.starts_with("struct ") => "an object in braces".into(),
        _ if expected.starts_with("enum ") => "an object with one key".into(),
        other => other.into(),
    }
}

fn bare_number(typed: &str, example: &str) -> String {
    let unit = example.trim_matches('"').split_once(' ').map_or("", |(_, unit)| unit);
    if typed.starts_with('-') {
        format!("bare number: `{typed}` is negative and has no unit; write {example}")
    } else if example.contains(" or ") || typed.contains(['e', 'E']) {
        format!("bare number: `{typed}` has no unit; write {example}")
    } else {
        format!("bare number: `{typed}` has no unit; write \"{typed} {unit}\"")
    }
}

fn unknown(source: &Arc<Source>, spans: &Spans<'_>, path: JsonPath, noun: &str, word: &str, known: &str) -> Diagnostic {
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let inner = path.key(word);
    let ends_there = path.steps().last() == Some(&Step::Key(word.into()));
    let path = if ends_there || spans.key(&inner) == spans.value(&path) { path } else { inner };
    let is_key = path.steps().last() == Some(&Step::Key(word.into()));
    let span = if is_key { spans.key(&path) } else { spans.value(&path) };
    let message = format!("unknown {noun} `{}`", spelling::clipped(word));
    diagnostic(source, span, Some(path), message, spelling::hint(word, &known))
}
