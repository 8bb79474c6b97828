//! `midflight list`: what can be named, and what comes out.

use serde_json::{Value, json};

use crate::cli::args::{List, ListFormat, Listed};
use crate::cli::{Status, complain, print};
use crate::metric::{COLUMNS, reference_markdown};
use crate::oracle;
use crate::scenario::schema::model::ModelKind;
use crate::scenario::{json_schema, list_models};
use crate::vocabulary::Defect;

/// One listed thing: name, kind or unit, meaning.
struct Item {
    name: String,
    kind: String,
    about: String,
}

pub(in crate::cli) fn list(arguments: &List) -> Status {
    let items = match arguments.what {
        Listed::Models => models(arguments),
        Listed::Policies => policies(arguments),
        Listed::Invariants => invariants(),
        Listed::Defects => defects(),
        Listed::Metrics => metrics(),
    };
    match (arguments.format, arguments.what) {
        (ListFormat::Human, _) => print(&aligned(&items)),
        (ListFormat::Json, _) => {
            let items: Vec<Value> =
                items.iter().map(|i| json!({"name": i.name, "kind": i.kind, "about": i.about})).collect();
            print(&format!("{:#}\n", Value::Array(items)))
        }
        (ListFormat::Markdown, Listed::Metrics) => print(&reference_markdown()),
        (ListFormat::Markdown, _) => {
            complain("error: only `list metrics` has a page; use `--format human` or `--format json`");
            Status::BadInput
        }
    }
}

fn aligned(items: &[Item]) -> String {
    let width = |of: fn(&Item) -> &String| items.iter().map(|item| of(item).chars().count()).max().unwrap_or(0);
    let (name, kind) = (width(|i| &i.name), width(|i| &i.kind));
    let lines: Vec<String> = items.iter().map(|i| format!("{:name$}  {:kind$}  {}", i.name, i.kind, i.about)).collect();
    lines.join("\n") + "\n"
}

fn models(arguments: &List) -> Vec<Item> {
    let entries = list_models(arguments.models.as_deref()).into_iter();
    entries.map(|e| Item { name: e.name, kind: e.kind.as_str().into(), about: e.about }).collect()
}

/// Policies that can be named; then the variants of the policy's enums, and the words that its fields take, with the texts of
/// the schema.
fn policies(arguments: &List) -> Vec<Item> {
    let schema = json_schema();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let mut items = models(arguments);
    items.retain(|item| item.kind == ModelKind::Policy.as_str());
    let kinds = [
        "Migration",
        "StopRule",
        "Switch",
        "Push",
        "Handover",
        "Heartbeat",
        "Trigger",
        "Fencing",
        "What",
        "When",
        "Law",
    ];
    for kind in kinds {
        for variant in schema["$defs"][kind]["oneOf"].as_array().into_iter().flatten() {
            let name = variant["properties"].as_object().and_then(|p| p.keys().next().cloned()).unwrap_or_default();
            items.push(Item { name, kind: kind.into(), about: text(&variant["description"]) });
        }
    }
    for (name, field) in schema["$defs"]["PreCopy"]["properties"].as_object().into_iter().flatten() {
        items.push(Item { name: name.clone(), kind: "PreCopy".into(), about: text(&field["description"]) });
    }
    let fields = [
        ("Cap_of_uint64", "then"),
        ("ThreePhase", "on_silence"),
        ("ThreePhase", "destination_on_silence"),
        ("Pings", "answered_by"),
        ("Detector", "transport_error"),
        ("Checkpoint", "direction"),
        ("Checkpoint", "on_store_loss"),
        ("Policy", "ending"),
    ];
    for (definition, field) in fields {
        let of = &schema["$defs"][definition]["properties"][field];
        for word in of["enum"].as_array().into_iter().flatten() {
            items.push(Item { name: text(word), kind: field.into(), about: text(&of["description"]) });
        }
    }
    items
}

fn invariants() -> Vec<Item> {
    let item = |i: crate::vocabulary::Invariant| Item {
        name: i.to_string(),
        kind: oracle::when_checked(i).into(),
        about: i.doc().into(),
    };
    crate::vocabulary::Invariant::ALL.iter().copied().map(item).collect()
}

/// Each names first the agent that has it.
fn defects() -> Vec<Item> {
    let item = |defect: Defect| {
        let (bearer, about) = defect.doc().split_once(": ").unwrap_or(("", defect.doc()));
        Item { name: defect.to_string(), kind: bearer.to_lowercase(), about: about.into() }
    };
    Defect::ALL.iter().copied().filter(|defect| *defect != Defect::None).map(item).collect()
}

fn metrics() -> Vec<Item> {
    let item = |c: &crate::metric::Column| Item {
        name: c.name.into(),
        kind: c.unit.as_str().into(),
        about: c.doc.trim().into(),
    };
    COLUMNS.iter().map(item).collect()
}
