//! `manifest.json`: what a result folder is of, and how all of it, or one run, is made again.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::args::{Reading, VERSION};
use crate::cli::commands::run::{bound_columns, quoted, read_with};
use crate::scenario::print_json;
use crate::sweep::{PANICKED, Plan, Table};
use crate::vocabulary::Outcome;

/// By what two manifests are of the same sweep.
pub(super) const IDENTITY: [&str; 2] = ["midflight", "hash"];

/// The manifest of a sweep that is not finished.
pub(super) fn manifest(plan: &Plan, how: &Reading) -> Value {
    let sweep = &plan.sweep;
    let quick = if sweep.is_quick { " --quick" } else { "" };
    let (program, path) = (quoted(&how.program), quoted(plan.sweep.file()));
    let command = format!("{program} sweep {path} --seed {}{quick}", sweep.seed);
    let models = read_with(&[], how);
    json!({
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
        "sweep": value(sweep.text()),
        "base": { "name": sweep.base_name(), "scenario": value(sweep.base_text()) },
    })
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("it has been read before")
}

/// With what came of it.
pub(super) fn finished(mut manifest: Value, plan: &Plan, table: &Table) -> String {
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
pub(super) fn hash(plan: &Plan) -> String {
    let columns = bound_columns();
    let mut hash = Sha256::new();
    // Blanks and line ends make no other sweep.
    hash.update(value(plan.sweep.text()).to_string());
    hash.update(plan.sweep.seed.to_le_bytes());
    if plan.sweep.is_quick {
        hash.update("quick");
    }
    for scenario in plan.scenarios() {
        hash.update(print_json(scenario, &columns));
    }
    named(hash)
}

/// What a sweep as it is, made by this version, is called: its name and eight digits that another would not have.
pub(in crate::cli::commands) fn key(plan: &Plan) -> String {
    let mut all = Sha256::new();
    all.update(VERSION);
    all.update(hash(plan));
    format!("{}-{}", plan.sweep.name, &hexadecimal(all)[..8])
}

/// A hash as it stands in files.
pub(super) fn named(hash: Sha256) -> String {
    format!("sha256:{}", hexadecimal(hash))
}

fn hexadecimal(hash: Sha256) -> String {
    let mut text = String::new();
    for byte in hash.finalize() {
        write!(text, "{byte:02x}").expect("a string takes it");
    }
    text
}
