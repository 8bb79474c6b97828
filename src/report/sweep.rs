//! A finished sweep: its summary as rows and as JSON.

use serde_json::{Map, Value, json};

use super::csv::csv_rows;
use crate::sweep::{Line, Plan, SUMMARY_COLUMNS};

/// Columns of a summary that hold words.
const WORDS: [&str; 4] = ["quantity", "kind", "with", "method"];

/// The columns of a summary: `cell`, the axes, then those of a line.
fn columns(plan: &Plan) -> Vec<String> {
    let axes = plan.sweep.axes.iter().map(|axis| axis.name.clone());
    ["cell".to_owned()].into_iter().chain(axes).chain(SUMMARY_COLUMNS.map(String::from)).collect()
}

fn fields(plan: &Plan, line: &Line) -> Vec<String> {
    [line.cell.to_string()].into_iter().chain(plan.values(line.cell).map(String::from)).chain(line.fields()).collect()
}

/// `summary.csv`.
pub fn summary_csv(plan: &Plan, lines: &[Line]) -> String {
    csv_rows([columns(plan)].into_iter().chain(lines.iter().map(|line| fields(plan, line))))
}

/// The same as an array of objects; what is absent is left out.
pub fn json_sweep(plan: &Plan, lines: &[Line]) -> String {
    let columns = columns(plan);
    let axes = 1..=plan.sweep.axes.len();
    let object = |line: &Line| {
        let fields = columns.iter().zip(fields(plan, line)).enumerate();
        let typed = fields.filter_map(|(number, (column, field))| {
            // Axes, and what they are compared with, are as they were typed.
            let is_text = axes.contains(&number) || WORDS.contains(&column.as_str());
            let value = if is_text { Value::String(field) } else { serde_json::from_str(&field).ok()? };
            Some((column.clone(), value))
        });
        Value::Object(typed.filter(|(column, value)| column != "with" || value != "").collect::<Map<String, Value>>())
    };
    let lines: Vec<Value> = lines.iter().map(object).collect();
    format!("{:#}\n", Value::Array(lines))
}

/// What would be run, of which `there` is already; `seconds` is about how long the rest takes.
pub fn json_sweep_plan(plan: &Plan, there: u64, seconds: Option<u64>) -> String {
    let mut about = json!({ "cells": plan.cells.len(), "runs": plan.runs(), "there": there });
    if let Some(seconds) = seconds {
        about["estimate_s"] = seconds.into();
    }
    format!("{about:#}\n")
}
