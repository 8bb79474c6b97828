//! `manifest.json`: what a result folder is of, and how all of it, or one run, is made again.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::args::{SweepOf, VERSION};
use crate::cli::commands::run::{bound_columns, quoted, read_with};
use crate::scenario::print_json;
use crate::sweep::{PANICKED, Plan, Table};
use crate::vocabulary::Outcome;

/// By what two manifests are of the same sweep.
pub(super) const IDENTITY: [&str; 2] = ["midflight", "hash"];

/// The manifest of a sweep that is not finished.
pub(super) fn manifest(plan: &Plan, arguments: &SweepOf) -> String {
    let (file, how) = (&arguments.file, &arguments.files);
    let sweep = &plan.sweep;
    let command =
        format!("{} sweep {} --seed {}", quoted(&how.program), quoted(&file.display().to_string()), sweep.seed);
    let models = read_with(&[], how);
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("it has been read before");
    let manifest = json!({
        "schema": 1,
        "midflight": VERSION,
        "toolchain": env!("MIDFLIGHT_TOOLCHAIN"),
        "name": sweep.name,
        "why": sweep.why,
        "hash": hash(plan),
        "seed": sweep.seed,
        "cells": plan.cells.len(),
        "again": {
            "all": format!("{command}{models} --out DIR"),
            "one": format!("{command}{models} --repeat CELL,REPLICATION"),
        },
        "sweep": read(sweep.text()),
        "base": { "name": sweep.base_name(), "scenario": read(sweep.base_text()) },
    });
    format!("{manifest:#}\n")
}

/// With what came of it.
pub(super) fn finished(manifest: &str, plan: &Plan, table: &Table) -> String {
    let mut manifest: Value = serde_json::from_str(manifest).expect("it was made above");
    let outcomes = Outcome::ALL.iter().map(|outcome| (outcome.to_string(), Value::from(table.with_outcome(*outcome))));
    let outcomes =
        outcomes.chain([(PANICKED.to_owned(), Value::from(table.panicked()))]).filter(|(_, count)| *count != 0);
    manifest["runs"] = json!({
        "all": table.rows(),
        "by_cell": (0..plan.cells.len()).map(|cell| table.runs_of(cell)).collect::<Vec<u64>>(),
        "outcomes": outcomes.collect::<serde_json::Map<String, Value>>(),
    });
    format!("{manifest:#}\n")
}

/// Of the sweep and of every scenario as it is understood, so that a model that was changed shows.
fn hash(plan: &Plan) -> String {
    let columns = bound_columns();
    let mut hash = Sha256::new();
    hash.update(plan.sweep.text());
    hash.update(plan.sweep.seed.to_le_bytes());
    for scenario in &plan.scenarios {
        hash.update(print_json(scenario, &columns));
    }
    let mut text = String::from("sha256:");
    for byte in hash.finalize() {
        write!(text, "{byte:02x}").expect("a string takes it");
    }
    text
}
