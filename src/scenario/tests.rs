//! Tests of the text layer as a whole.

mod documents;
mod faults;
mod policies;
mod refusals;
mod round_trip;
mod settings;

use super::{Column, ColumnUnit, LoadOptions, Scenario, ScenarioError, load_text};

const COLUMNS: &[Column] = &[
    Column { name: "downtime_s", unit: ColumnUnit::Time },
    Column { name: "bytes_forward", unit: ColumnUnit::Bytes },
    Column { name: "pages_forward", unit: ColumnUnit::Pages },
    Column { name: "max_cpu_throttle", unit: ColumnUnit::Ratio },
    Column { name: "precopy_rounds", unit: ColumnUnit::Count },
];

/// A small good scenario.
const GOOD: &str = r#"{
  "schema": 1,
  "why": "A test.",
  "policy": { "migration": { "pre-copy": {} } },
  "vms": [
    { "memory": "1 GiB", "workload": "write-uniform" }
  ],
  "network": "gige"
}
"#;

fn read(text: &str) -> Result<Scenario, ScenarioError> {
    load_text("t.json", text, &LoadOptions { columns: COLUMNS, ..LoadOptions::default() })
}

fn read_with(text: &str, sets: &[&str]) -> Result<Scenario, ScenarioError> {
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    load_text("t.json", text, &LoadOptions { sets: &sets, columns: COLUMNS, ..LoadOptions::default() })
}
