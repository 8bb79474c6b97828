//! A text under a name: read with limits, checked for depth, and asked where a value stands in it.
//!
//! Why: neither parser may see a text that could exhaust memory or the stack, and an error must be drawn in the
//! very text it was found in: scenario, spliced scenario, or a model file.

use std::fs::{self, File};
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::error::ScenarioError;
use super::path::{JsonPath, Step};

/// Longest text that is read.
pub const MAX_BYTES: u64 = 16 << 20;

/// Deepest nesting that is parsed; `serde_json` itself goes no deeper.
pub const MAX_NESTING: usize = 127;

/// A text and the name under which errors show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// A folder, an unreadable, too long, empty or non-UTF-8 file.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let name = path.display().to_string();
        let unreadable = |reason| ScenarioError::Unreadable { path: path.display().to_string(), reason };
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            return Err(ScenarioError::Folder { path: name });
        }
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        Self::new(name, bytes)
    }

    /// Takes bytes for a text.
    ///
    /// # Errors
    /// Too long, empty or not UTF-8.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Result<Self, ScenarioError> {
        let (name, bytes) = (name.into(), bytes.into());
        if u64::try_from(bytes.len()).is_ok_and(|len| len > MAX_BYTES) {
            return Err(ScenarioError::TooLarge { path: name });
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
                let (line, column) = line_column(&before, before.len());
                return Err(ScenarioError::NotUtf8 { path: name, line, column });
            }
        };
        if text.trim().is_empty() {
            return Err(ScenarioError::Empty { path: name });
        }
        Ok(Self { name, text })
    }

    /// The name under which errors show it.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// Line and column, both from 1, in characters, of a byte.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        line_column(&self.text, offset)
    }

    /// The bracket that opens a level deeper than [`MAX_NESTING`], found without recursion.
    pub(super) fn too_deep(&self) -> Option<usize> {
        let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
        for (offset, byte) in self.text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'[' | b'{' => {
                    depth += 1;
                    if depth > MAX_NESTING {
                        return Some(offset);
                    }
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }

    /// The same text with all but a part of it blanked, so that what is wrong in that part keeps its line and column.
    pub(super) fn only(&self, part: &Range<usize>) -> Self {
        let blank = |text: &str| -> String {
            text.chars().map(|character| if character == '\n' { '\n' } else { ' ' }).collect()
        };
        let (before, after) = (blank(&self.text[..part.start]), blank(&self.text[part.end..]));
        Self { name: self.name.clone(), text: format!("{before}{}{after}", &self.text[part.clone()]) }
    }

    /// Where every value stands. Only for texts that are not [too deep](Self::too_deep).
    pub(super) fn spans(&self) -> Spans<'_> {
        Spans {
            text: &self.text,
            root: parse_to_ast(&self.text, &COLLECT, &STRICT).ok().and_then(|parsed| parsed.value),
        }
    }
}

const COLLECT: CollectOptions =
    CollectOptions { comments: jsonc_parser::CommentCollectionStrategy::Off, tokens: false };

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let offset = text.floor_char_boundary(offset);
    let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    (text[..offset].matches('\n').count() + 1, text[start..offset].chars().count() + 1)
}

/// Something that may stand in JSON but not in a scenario.
pub(super) enum Oddity {
    /// A key that its object has already.
    Duplicate(String),
    /// `null`.
    Null,
    /// An array where the format has none; serde would take it for an object without its keys.
    Array,
}

/// Whether an array may stand at a path.
pub(super) type MayBeArray<'a> = &'a dyn Fn(&JsonPath) -> bool;

/// Where the values of a text stand.
pub(super) struct Spans<'a> {
    text: &'a str,
    root: Option<Value<'a>>,
}

impl Spans<'_> {
    /// The bytes of a value, or of its nearest ancestor that is there.
    pub(super) fn value(&self, path: &JsonPath) -> Range<usize> {
        self.find(path).0
    }

    /// The bytes of a key, or of the nearest ancestor that is there.
    pub(super) fn key(&self, path: &JsonPath) -> Range<usize> {
        let (value, key) = self.find(path);
        key.unwrap_or(value)
    }

    /// The value as typed.
    pub(super) fn typed(&self, path: &JsonPath) -> &str {
        self.text.get(self.value(path)).unwrap_or_default()
    }

    fn find(&self, path: &JsonPath) -> (Range<usize>, Option<Range<usize>>) {
        let Some(mut value) = self.root.as_ref() else { return (0..0, None) };
        let mut key = None;
        for step in path.steps() {
            let next = match (value, step) {
                (Value::Object(object), Step::Key(name)) => property(object, name).map(|(k, v)| (Some(k), v)),
                (Value::Array(array), Step::Index(index)) => array.elements.get(*index).map(|v| (None, v)),
                _ => None,
            };
            let Some((found, inner)) = next else { return (bytes(value), None) };
            (key, value) = (found, inner);
        }
        (bytes(value), key)
    }

    /// As much of a path as is there.
    pub(super) fn existing(&self, path: &JsonPath) -> JsonPath {
        let Some(root) = self.root.as_ref() else { return JsonPath::ROOT };
        let mut value = Some(root);
        let there = path.steps().iter().take_while(|step| {
            value = value.and_then(|value| match (value, step) {
                (Value::Object(object), Step::Key(name)) => property(object, name).map(|(_, inner)| inner),
                (Value::Array(array), Step::Index(index)) => array.elements.get(*index),
                _ => None,
            });
            value.is_some()
        });
        there.cloned().collect()
    }

    /// The first duplicate key, `null` or, unless `arrays` is `None`, array where none may be, with its path and place.
    pub(super) fn oddity(&self, arrays: Option<MayBeArray<'_>>) -> Option<(Oddity, JsonPath, Range<usize>)> {
        self.root.as_ref().and_then(|root| oddity(root, &JsonPath::ROOT, arrays))
    }
}

fn property<'a, 'b>(object: &'b Object<'a>, name: &str) -> Option<(Range<usize>, &'b Value<'a>)> {
    let property = object.properties.iter().find(|property| property.name.as_str() == name)?;
    let range = property.name.range();
    Some((range.start..range.end, &property.value))
}

fn bytes(value: &Value<'_>) -> Range<usize> {
    let range = value.range();
    range.start..range.end
}

/// Recursion is bounded by [`MAX_NESTING`].
fn oddity(
    value: &Value<'_>,
    path: &JsonPath,
    arrays: Option<MayBeArray<'_>>,
) -> Option<(Oddity, JsonPath, Range<usize>)> {
    match value {
        Value::NullKeyword(_) => Some((Oddity::Null, path.clone(), bytes(value))),
        Value::Array(_) if arrays.is_some_and(|may_be| !may_be(path)) => {
            Some((Oddity::Array, path.clone(), bytes(value)))
        }
        Value::Array(array) => {
            array.elements.iter().enumerate().find_map(|(i, item)| oddity(item, &path.index(i), arrays))
        }
        Value::Object(object) => {
            let mut seen = std::collections::BTreeSet::new();
            object.properties.iter().find_map(|property| {
                let name = property.name.as_str();
                if !seen.insert(name) {
                    let range = property.name.range();
                    return Some((Oddity::Duplicate(name.into()), path.key(name), range.start..range.end));
                }
                oddity(&property.value, &path.key(name), arrays)
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("t.json", text).expect("a plain text")
    }

    #[test]
    fn finds_keys_and_values() {
        let source = source("{ \"a\": [1, {\"b\": \"xy\"}] }");
        let spans = source.spans();
        let path = JsonPath::parse("a[1].b").expect("a path");
        assert_eq!(&source.text()[spans.value(&path)], "\"xy\"");
        assert_eq!(&source.text()[spans.key(&path)], "\"b\"");
        assert_eq!(&source.text()[spans.value(&path.key("missing"))], "\"xy\"");
    }

    #[test]
    fn brackets_in_strings_are_no_nesting() {
        assert_eq!(source(&format!("\"{}\"", "[\\\"".repeat(1000))).too_deep(), None);
        assert_eq!(source(&"[".repeat(200_000)).too_deep(), Some(MAX_NESTING));
        assert_eq!(source(&"[]".repeat(200_000)).too_deep(), None);
    }

    #[test]
    fn counts_columns_in_characters() {
        let source = source("{\n\"ä\": 1}");
        assert_eq!(source.line_column(0), (1, 1));
        assert_eq!(source.line_column(source.text().find('1').expect("there is a 1")), (2, 6));
        assert_eq!(source.line_column(1000), (2, 8));
    }

    #[test]
    fn refuses_what_is_no_text() {
        let errors = [
            (Source::new("x", Vec::new()), "empty"),
            (Source::new("x", " \n\t"), "empty"),
            (Source::new("x", b"{\n \xff}".to_vec()), "x:2:2: not UTF-8"),
            (Source::new("x", vec![b' '; (16 << 20) + 1]), "16 MiB"),
            (Source::read(Path::new("src")), "folder"),
            (Source::read(Path::new("no-such-file.json")), "no-such-file.json"),
        ];
        for (result, part) in errors {
            let error = result.expect_err(part).to_string();
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
