//! The format's description for editors and for readers, made from the very structs that are parsed.
//!
//! [`json_schema`] and [`model_schema`] are committed under `docs/schema`, [`reference_markdown`] as
//! `docs/scenario.md`; tests hold the files to what this module makes. It adds nothing of its own but an introduction.

mod figure;
mod sweep;

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::schema::ScenarioFile;
use super::schema::model::{ModelKind, NetworkFile, PlatformFile, WorkloadFile};
use super::schema::policy::PolicyFile;
use super::schema::reference::ReferenceFile;
use crate::units::{ByteRate, Bytes, EventRate, PageCount, Quantity, QuantityError, Ratio, Span};
use crate::vocabulary::Mark;

#[cfg(test)]
pub(super) use figure::EXAMPLE as FIGURE_EXAMPLE;
pub use figure::{figure_schema, figures_markdown};
#[cfg(test)]
pub(super) use sweep::EXAMPLE as SWEEP_EXAMPLE;
pub use sweep::{sweep_schema, sweeps_markdown};

pub(super) const EXAMPLE: &str = r#"{
  "$schema": "../docs/schema/scenario.schema.json",
  "schema": 1,
  "why": "The destination dies in the second round; the VM must go on at the source as if nothing had happened.",
  "policy": {
    "migration": {
      "pre-copy": {
        "stop_rule": { "qemu": { "downtime_limit": "300 ms", "max_bandwidth": "500 Mbit/s" } },
        "caps": { "rounds": { "max": 30, "then": "abort" } }
      }
    },
    "handover": { "three-phase": { "on_silence": "resume", "destination_on_silence": "wait" } },
    "detector": { "heartbeat": { "pings": { "period": "100 ms", "timeout": "100 ms", "misses": 3 } } }
  },
  "vms": [
    {
      "memory": "1 GiB",
      "workload": "write-uniform",
      "output": { "rate": "200 /s", "size": "1000 B", "flow": { "closed": { "window": 10 } } }
    }
  ],
  "network": { "base": "gige", "latency": "200 us" },
  "faults": [
    { "what": { "crash": "destination" }, "when": { "phase": { "name": "copy", "round": 2, "progress": "1/2" } } }
  ],
  "tolerates": ["destination-crash"],
  "expect": { "outcome": ["rolled_back"], "metrics": { "downtime_s": { "max": "1 ms" } } }
}
"#;

const INTRODUCTION: &str = "\
<!-- generated; do not edit: midflight schema --markdown > docs/scenario.md -->

# Scenario files

A scenario is one experiment in one JSON file: how a VM is moved, over what, what goes wrong, and what must come of it.
JSON as the standard has it, without comments; `why` takes one. Unknown keys, keys given twice, `null` and bare numbers
where a unit belongs are errors, each shown at its line and column with the nearest valid spelling.

A choice between forms is an object with one key: `{\"none\": {}}`, `{\"crash\": \"destination\"}`.
";

const MODELS: &str = "\
## Models

`policy`, `network`, `platform` and a VM's `workload` take a name or the values in place. A name is a file in
`models/policies`, `models/networks`, `models/platforms` or `models/workloads`, without its ending, looked up in the folder
given by `--models`, else in the nearest `models/` at or above the scenario, then among those inside the program (`midflight
list models`). Values in place may name a `base`; what they leave out comes from there, field by field (`checkpoint` of a
policy is one field), and a base may have a base.

A model file has the fields of its kind and four more: `schema` (1), `about` (what it is, in one sentence), `source`
(where each number comes from), and, if wanted, `$schema`. A rate trace is a file `models/traces/NAME.csv` with the
header `from_s,rate_bit_s`, the sample of an empirical law a file `models/laws/NAME.csv` with the header `time_s`; times are seconds,
read exactly as typed.

A page trace, the recorded writes of a real program, is a file `models/traces/NAME.runs`. Each line is an interval: the pages that were
written in it, as runs of consecutive numbers. `gap` is a page and `gapxlength` several, the gap counted from the end of the run before: `3
0x2 7` is pages 3, 4, 5 and 13. An empty line is an interval in which nothing was written.

A policy's file may have `tolerates` and `waives`, too: the claims of every scenario that names it, in place or as a base, and
gives none of its own (`\"tolerates\": []` claims nothing). A waiver of what a scenario must violate is left out.
";

const SETTING: &str = "\
## Changing one value

`--set path=value`, as often as wanted, replaces one value before the scenario is read: `--set vms[0].memory=8GiB` (or
`vms.0.memory`), `--set network.latency='1 ms'`. The value is JSON if it can be read as JSON, and text otherwise.
Objects that are missing on the way are made. A path may go through the name of a model: the name becomes the `base`, and of
a policy the field that the path goes through is the base's, changed in one place: `--set policy.fencing.lease.term='2 s'`.
";

/// The JSON Schema (2020-12) of a scenario.
pub fn json_schema() -> Value {
    schema_of::<ScenarioFile>("Midflight scenario")
}

/// The JSON Schema of a model file; traces and samples, being no JSON, have none.
pub fn model_schema(kind: ModelKind) -> Option<Value> {
    match kind {
        ModelKind::Network => Some(schema_of::<NetworkFile>("Midflight network model")),
        ModelKind::Platform => Some(schema_of::<PlatformFile>("Midflight platform model")),
        ModelKind::Workload => Some(schema_of::<WorkloadFile>("Midflight workload model")),
        ModelKind::Policy => Some(schema_of::<PolicyFile>("Midflight policy")),
        ModelKind::Reference => Some(schema_of::<ReferenceFile>("Midflight reference")),
        ModelKind::Trace | ModelKind::PageTrace | ModelKind::Law => None,
    }
}

fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    schema["title"] = title.into();
    schema
}

/// Takes `null` out (a key that is not wanted is left out) and makes one line of each description.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(map) => {
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    map.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(words)) = map.get_mut("enum") {
                words.retain(|word| !word.is_null());
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            without_null_choice(map);
            map.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

fn without_null_choice(map: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = map.get_mut("anyOf") else { return };
    choices.retain(|choice| *choice != json!({ "type": "null" }));
    if let [Value::Object(only)] = &choices[..] {
        let only = only.clone();
        map.remove("anyOf");
        map.extend(only);
    }
}

/// The contents of `docs/scenario.md`.
pub fn reference_markdown() -> String {
    let schema = json_schema();
    let mut page = String::from(INTRODUCTION);
    let example = EXAMPLE.trim_end();
    let _ = write!(page, "\n## A complete example\n\n```json\n{example}\n```\n\n{}\n## Fields\n", quantities());
    section(&mut page, "Scenario", &schema);
    for name in definitions(&schema) {
        section(&mut page, &name, &schema["$defs"][&name]);
    }
    let _ = write!(page, "\n{MODELS}\n{SETTING}");
    page
}

const REFERENCES: &str = "\
<!-- generated; do not edit: midflight schema reference --markdown > docs/references.md -->

# Reference files

A reference file holds published results and says how the simulator is compared with them: one JSON file in
`models/references`, as strict as a scenario. `midflight validate FILE…` simulates each row, prints what came of it beside what
was published, and says how many of the rows that count are near enough. `midflight validate NAME` takes a shipped reference
by its name, `--all` takes all of them.

A row's verdict is one of these:

| verdict | when |
|---|---|
| `pass` | the predicted value is near enough: within any one of the tolerances given, or equal |
| `FAIL` | it is not, or there is none, or a run was not as its scenario claims (`expect`, invariants, faults that must fire) |
| `fitted` | a parameter was fitted to this row; it never counts |
| `reported` | the row says in `why` that it does not count, or its published repetitions spread by more than 5 % of their median |

*Predicted* is the median of the row's replications, shown with the least and the greatest. The error is predicted over published
less one. Where a reference has four or more rows of one metric, the
median and the 95th percentile (nearest rank) of their errors' sizes follow, of all rows and of those that count. `--to DIR` keeps a table
and a figure.

Exit status: 0 if every row that counts passes and every parameter could be fitted, 1 if not, 2 if a file is wrong.

## How parameters are fitted

Each parameter is moved over a grid of round values between `from` and `to` until the sum of the squared relative errors of its own
rows is least, the other parameters being as they are; then the next; and round again until none moves. One parameter on one row
simply hits it. All is deterministic: same file, same seed, same values. A parameter could not be fitted, and the
reference falls short, if a row has no value where it must be measured, if the best value is an end of the range and does not hit, if
a fitted row lies outside its own `within`, or if the parameters have not come to rest after as many runs as are allowed.

A fitted value holds for every row of the file that does not set the same path itself: those rows are the test.

";

/// The contents of `docs/references.md`.
pub fn references_markdown() -> String {
    let schema = schema_of::<ReferenceFile>("Midflight reference");
    let mut page = String::from(REFERENCES) + "## Fields\n";
    section(&mut page, "Reference", &schema);
    for name in ["Fit", "Row", "Measure", "Within"] {
        section(&mut page, name, &schema["$defs"][name]);
    }
    page.push_str("\n## Marks\n\nInstants between which a measure takes the time; the first of its kind, unless it says otherwise.\n\n");
    page.push_str("| mark | when |\n|---|---|\n");
    for mark in Mark::ALL {
        let _ = writeln!(page, "| `{mark}` | {} |", mark.doc());
    }
    page
}

fn quantities() -> String {
    fn row<T: Quantity>() -> String {
        let units = match T::parse("1 ?") {
            Err(QuantityError::UnknownUnit { known, .. }) => format!("`{}`", known.replace(", ", "`, `")),
            _ => "`%`, or a fraction of whole numbers".into(),
        };
        let example = T::EXAMPLE.replace("\" or \"", "\"` or `\"");
        format!("| {} | `{example}` | {units} |\n", T::KIND)
    }
    let rows =
        [row::<Span>(), row::<Bytes>(), row::<PageCount>(), row::<ByteRate>(), row::<EventRate>(), row::<Ratio>()];
    format!(
        "## Quantities\n\nText: a decimal number and its unit, read exactly; what does not fit exactly is refused.\n\n\
         | quantity | example | units |\n|---|---|---|\n{}",
        rows.concat()
    )
}

/// Names of the definitions in the order in which a reader meets them.
fn definitions(schema: &Value) -> Vec<String> {
    let mut met = Vec::new();
    let mut root = schema.clone();
    if let Some(map) = root.as_object_mut() {
        map.remove("$defs");
    }
    collect(&root, schema, &mut met);
    met
}

fn collect(part: &Value, schema: &Value, met: &mut Vec<String>) {
    match part {
        Value::Array(items) => items.iter().for_each(|item| collect(item, schema, met)),
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
            if let Some(name) = name
                && !met.iter().any(|other| other == name)
            {
                met.push(name.into());
                collect(&schema["$defs"][name], schema, met);
            }
            map.values().for_each(|value| collect(value, schema, met));
        }
        _ => {}
    }
}

fn section(page: &mut String, name: &str, schema: &Value) {
    let _ = write!(page, "\n### {name}\n\n{}\n\n", text(schema, "description"));
    if let Some(properties) = schema["properties"].as_object() {
        page.push_str("| field | value | default | meaning |\n|---|---|---|---|\n");
        let required = schema["required"].as_array();
        for (field, property) in properties {
            let (meaning, default) = split_default(text(property, "description"));
            let is_required = required.is_some_and(|names| names.iter().any(|name| name == field));
            let default = if is_required { "**required**" } else { default };
            let _ = writeln!(
                page,
                "| `{field}` | {} | {} | {} |",
                cell(&value_text(property)),
                cell(default),
                cell(meaning)
            );
        }
    } else if let Some(choices) = schema["oneOf"].as_array() {
        page.push_str("One of:\n\n| key | its value | meaning |\n|---|---|---|\n");
        for choice in choices {
            let Some((key, value)) = choice["properties"].as_object().and_then(|map| map.iter().next()) else {
                continue;
            };
            let meaning = text(choice, "description");
            let _ = writeln!(page, "| `{key}` | {} | {} |", cell(&value_text(value)), cell(meaning));
        }
    }
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema[key].as_str().unwrap_or_default()
}

fn split_default(description: &str) -> (&str, &str) {
    match description.split_once("Default: ") {
        Some((meaning, default)) => (meaning.trim_end(), default.strip_suffix('.').unwrap_or(default)),
        None => (description, ""),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// What may stand there, in words.
fn value_text(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
        let page = if name == "Scenario" { "scenario.md" } else { "" };
        return format!("[{name}]({page}#{})", name.to_lowercase());
    }
    if let Some(constant) = schema.get("const") {
        return format!("`{constant}`");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(value_text).collect::<Vec<_>>().join(" or ");
    }
    match text(schema, "type") {
        "string" if schema.get("title").is_some() => text(schema, "title").into(),
        "string" => "text".into(),
        "integer" => "whole number".into(),
        "boolean" => "`true` or `false`".into(),
        "array" => format!("array of {}", value_text(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", value_text(&schema["additionalProperties"]))
        }
        "object" if schema["additionalProperties"] == true => "object".into(),
        "object" => "`{}`".into(),
        other => other.into(),
    }
}
