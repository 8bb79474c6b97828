//! Data made by the simulator itself, with values that are known and other random draws than the fit has: they must be found again.

use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::metric::{COLUMNS, Column};
use crate::run::simulate;
use crate::scenario::{LoadOptions, Reference, load_reference_text, load_text};

const SCENARIO: &str = r#"{
    "schema": 1, "why": "A small VM.",
    "policy": { "migration": { "pre-copy": { "stop_rule": { "qemu": { "downtime_limit": "30 ms" } } } } },
    "vms": [{ "memory": "16 MiB", "workload": { "classes": [{ "name": "all", "write": "1000 /s" }] } }],
    "platform": "generic"
  }"#;

/// What is measured of each setting.
const SEEN: [&str; 2] = ["total_migration_time_s", "downtime_s"];

/// What the settings differ in: the rate of the network [Gbit/s] and the memory [MiB]. Fast networks show what a page costs.
const SETTINGS: [(u64, u64); 9] = [(1, 8), (1, 16), (8, 16), (8, 32), (10, 8), (10, 16), (20, 8), (20, 16), (20, 32)];

/// Migrations of each setting, measured and simulated.
const TIMES: u64 = 3;

/// A reference of what is simulated of all settings with `secrets`, by another seed than the fit's.
fn reference(id: &str, secrets: &[&str]) -> Reference {
    let mut rows = String::new();
    for (number, (rate, memory)) in (0..).zip(SETTINGS) {
        let setting = [format!("network.rate={rate} Gbit/s"), format!("vms[0].memory={memory} MiB")];
        let sets: Vec<String> = secrets.iter().map(ToString::to_string).chain(setting).collect();
        let options = LoadOptions { sets: &sets, ..LoadOptions::default() };
        let scenario = Arc::new(load_text("t.json", SCENARIO, &options).unwrap_or_else(|error| panic!("{error}")));
        let runs: Vec<_> = (0..TIMES).map(|time| simulate(&scenario, 102, number * TIMES + time).record).collect();
        for column in SEEN {
            let values = runs.iter().map(|record| format!("\"{} ns\"", record.integer(column).expect("a value")));
            let values = values.collect::<Vec<_>>().join(", ");
            write!(
                rows,
                r#"{}{{ "id": "{number}-{column}", "metric": "{column}", "repetitions": [{values}], "replications": {TIMES},
                    "set": {{ "network.rate": "{rate} Gbit/s", "vms[0].memory": "{memory} MiB" }},
                    "within": {{ "fraction": "5 %" }} }}"#,
                if rows.is_empty() { "" } else { "," }
            )
            .expect("a string takes it");
        }
    }
    let text = format!(
        r#"{{ "schema": 1, "id": "{id}", "source": "A test.", "why": "A test.", "scenario": {SCENARIO}, "rows": [{rows}] }}"#
    );
    let columns: Vec<_> = COLUMNS.iter().filter_map(Column::bound).collect();
    let options = LoadOptions { columns: &columns, ..LoadOptions::default() };
    load_reference_text(&format!("{id}.json"), &text, &options).unwrap_or_else(|error| panic!("{error}"))
}

fn task(references: &[Reference], fits: &[&str], hold_out: Option<usize>) -> Task {
    let fits: Vec<String> = fits.iter().map(ToString::to_string).collect();
    let rows = rows_to_fit(references, hold_out);
    let refit = references.iter().zip(&rows).map(|(reference, rows)| reference.refit(&fits, rows).expect("parameters"));
    Task::new(refit.collect()).expect("a task")
}

const OPTIONS: Options = Options { draws: 400, seed: Some(1) };

fn kinds(calibration: &Calibration) -> Vec<(Kind, Vec<usize>)> {
    calibration.findings.iter().map(|finding| (finding.kind, finding.parameters.clone())).collect()
}

#[test]
fn known_values_are_within_their_intervals() {
    let data = reference("t", &["platform.place_page=7500 ns", "platform.load=2600 us"]);
    let fits = ["platform.place_page=500 ns..12 us", "platform.load=0 ms..20 ms"];
    let task = task(&[data], &fits, Some(3));
    assert_eq!(task.size(), (12, 6));
    let found = calibrate(&task, OPTIONS);
    assert!(found.is_good() && found.findings.is_empty(), "{found:#?}");
    for (estimate, (known, near)) in found.estimates.iter().zip([(7_500, 100), (2_600_000, 100_000)]) {
        assert!((estimate.low..=estimate.high).contains(&known), "{known}: {estimate:?}");
        assert!(estimate.value.abs_diff(known) < near, "{known}: {estimate:?}");
        assert!(estimate.high - estimate.low < known, "an interval that tells nothing: {estimate:?}");
    }
    let (fitted, predicted) = (found.fitted.expect("rows"), found.predicted.expect("rows"));
    assert_eq!((fitted.rows, predicted.rows), (12, 6));
    assert!(predicted.median < 20_000, "within 2 %: {predicted:?}");
}

#[test]
fn what_the_rows_cannot_tell_is_said() {
    // Loading and resuming only add up; nothing is stored.
    let data = reference("t", &["platform.load=4 ms", "platform.resume=3 ms"]);
    let fits = ["platform.load=0 ms..20 ms", "platform.resume=0 ms..20 ms", "platform.store_page=1 us..9 us"];
    let task = task(&[data], &fits, None);
    let found = calibrate(&task, OPTIONS);
    assert!(!found.is_good());
    assert_eq!(kinds(&found), [(Kind::NoEffect, vec![2]), (Kind::Alike, vec![0, 1])], "{:#?}", found.findings);
    assert_eq!(found.findings[0].text, "no row depends on `platform.store_page`");
    let alike = &found.findings[1].text;
    assert!(
        alike.starts_with("`platform.load` and `platform.resume` change the rows alike (correlation 1.000)"),
        "{alike}"
    );
    let whole = |estimate: &Estimate, from, to| (estimate.low, estimate.high) == (from, to) && !estimate.identified;
    assert!(whole(&found.estimates[0], 0, 20_000_000) && whole(&found.estimates[2], 1_000, 9_000));
    let sum = found.estimates[0].value + found.estimates[1].value;
    assert!(sum.abs_diff(7_000_000) < 150_000, "their sum is known: {sum}");
}

#[test]
fn one_parameter_of_two_references_and_an_end() {
    let secrets = ["platform.load=4 ms"];
    let both = [reference("a", &secrets), reference("b", &secrets)];
    let found = calibrate(&task(&both, &["platform.load=0 ms..3 ms"], None), OPTIONS);
    assert_eq!(found.estimates.len(), 1);
    assert_eq!(found.estimates[0].value, 3_000_000);
    assert_eq!(kinds(&found), [(Kind::AtEnd, vec![0])], "{:#?}", found.findings);
    assert!(found.is_good(), "an end may be the truth: it is said, and no failure");
}

#[test]
fn what_is_no_task_is_refused() {
    let data = reference("t", &[]);
    let refused = |references: Vec<Reference>| Task::new(references).expect_err("refused").to_string();
    assert!(refused(vec![data.clone()]).contains("has no `fit`"));
    let fits = |text: &str, rows: &[usize]| data.refit(&[text.into()], rows).expect("a parameter");
    let stop = fits("platform.stop=0 ms..20 ms", &[0, 1]);
    assert!(refused(vec![stop.clone(), stop.clone()]).contains("there twice"));
    assert!(refused(vec![fits("platform.stop=0 ms..20 ms", &[])]).contains("0 rows cannot tell 1 parameter"));
    let mut other = fits("platform.stop=0 ms..21 ms", &[0]);
    other.id = "u".into();
    assert!(refused(vec![stop, other]).contains("has the range 0 ms … 21 ms, and 0 ms … 20 ms in another"));
}

#[test]
fn every_nth_setting_is_held_out_whole() {
    let both = [reference("a", &[]), reference("b", &[])];
    assert_eq!(rows_to_fit(&both, None)[0].len(), 18);
    // Settings count on from one reference to the next: of eighteen, the seventh and the fourteenth.
    let missing = |of: usize| (0..18).filter(|row| !rows_to_fit(&both, Some(7))[of].contains(row)).collect::<Vec<_>>();
    assert_eq!([missing(0), missing(1)], [[12, 13], [8, 9]]);
}
