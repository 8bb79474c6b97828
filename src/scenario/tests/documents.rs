//! Committed documents are what the program makes, and committed data obeys the committed schemas.
//!
//! Refresh all of them: `MIDFLIGHT_WRITE_DOCS=1 cargo test --lib scenario::tests::documents`; or one by one with the
//! command that a failing test names, such as `midflight schema --markdown > docs/scenario.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::scenario::parse::{ARRAYS, parse_sweep};
use crate::scenario::schema::model::ModelKind;
use crate::scenario::schema::sweep::SweepFile;
use crate::scenario::source::Source;
use crate::scenario::{
    figure_schema, figures_markdown, json_schema, model_schema, reference_markdown, references_markdown, sweep_schema,
    sweeps_markdown,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[expect(clippy::disallowed_methods, reason = "how a person asks for the documents to be written anew")]
fn check(path: &str, made: &str, refresh: &str) {
    let file = root().join(path);
    if std::env::var_os("MIDFLIGHT_WRITE_DOCS").is_some() {
        // Other tests read these files meanwhile: they see the old one or the new one, never half of it.
        let draft = file.with_extension("new");
        fs::write(&draft, made).expect("docs can be written");
        fs::rename(&draft, &file).expect("docs can be replaced");
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(there == made, "{path} is stale; refresh it: {refresh} > {path}");
}

#[test]
fn the_reference_is_fresh() {
    check("docs/scenario.md", &reference_markdown(), "midflight schema --markdown");
    check("docs/sweep.md", &sweeps_markdown(), "midflight schema sweep --markdown");
    check("docs/figure.md", &figures_markdown(), "midflight schema figure --markdown");
    check("docs/references.md", &references_markdown(), "midflight schema reference --markdown");
}

#[test]
fn the_example_is_good() {
    super::read(crate::scenario::reference::EXAMPLE).unwrap_or_else(|error| panic!("{error}"));
    let example = serde_json::from_str(crate::scenario::reference::EXAMPLE).expect("the example is JSON");
    assert!(jsonschema::is_valid(&json_schema(), &example));
    let sweep = crate::scenario::reference::SWEEP_EXAMPLE;
    assert!(jsonschema::is_valid(&sweep_schema(), &serde_json::from_str(sweep).expect("it is JSON")));
    let source = std::sync::Arc::new(Source::new("example", sweep).expect("a text"));
    parse_sweep::<SweepFile>(&source).unwrap_or_else(|problem| panic!("{problem}"));
    let figure = crate::scenario::reference::FIGURE_EXAMPLE;
    assert!(jsonschema::is_valid(&figure_schema(), &serde_json::from_str(figure).expect("it is JSON")));
}

#[test]
fn the_schemas_are_fresh() {
    check("docs/schema/scenario.schema.json", &format!("{:#}\n", json_schema()), "midflight schema");
    check("docs/schema/figure.schema.json", &format!("{:#}\n", figure_schema()), "midflight schema figure");
    check("docs/schema/sweep.schema.json", &format!("{:#}\n", sweep_schema()), "midflight schema sweep");
    for kind in ModelKind::ALL.into_iter().filter(|kind| kind.extension() == "json") {
        let schema = model_schema(kind).expect("all but traces have a schema");
        let name = kind.as_str();
        check(
            &format!("docs/schema/{name}.schema.json"),
            &format!("{schema:#}\n"),
            &format!("midflight schema {name}"),
        );
    }
}

fn json_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "json") {
            found.push(path);
        }
    }
}

#[test]
fn every_shipped_file_obeys_the_schema_that_it_names() {
    let mut files = Vec::new();
    for folder in ["models", "scenarios", "sweeps", "figures", "paper"] {
        json_files(&root().join(folder), &mut files);
    }
    assert!(files.len() >= 9, "{files:?}");
    for file in files {
        let read = |path: &Path| -> Value {
            let text = fs::read_to_string(path).expect("a shipped file can be read");
            serde_json::from_str(&text).expect("a shipped file is JSON")
        };
        let value = read(&file);
        let named = value["$schema"].as_str().unwrap_or_else(|| panic!("{} has no $schema", file.display()));
        let schema = read(&file.parent().expect("a file is in a folder").join(named));
        let validator = jsonschema::validator_for(&schema).expect("our schema is a schema");
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
    }
}

/// Names of all properties that are arrays.
fn arrays(schema: &Value, found: &mut BTreeSet<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        found.extend(properties.iter().filter(|(_, value)| value["type"] == "array").map(|(name, _)| name.clone()));
    }
    match schema {
        Value::Object(map) => map.values().for_each(|value| arrays(value, found)),
        Value::Array(items) => items.iter().for_each(|value| arrays(value, found)),
        _ => {}
    }
}

#[test]
fn the_reader_knows_which_keys_hold_arrays() {
    let mut found = BTreeSet::new();
    arrays(&json_schema(), &mut found);
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ARRAYS);
}
