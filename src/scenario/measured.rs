//! Measurements of real migrations as reference files: what was set up becomes a scenario, what was seen becomes rows.
//!
//! A measurement is one JSON object in a line. Its fields are those of the measured QEMU campaign (`docs/calibration.md`), and
//! `src_final` is what QEMU's `query-migrate` answers after the end, so that a line with little more than that will do. Lines with
//! the same set-up are repetitions of one setting. Where a line lacks what a row needs there is no row.

mod experiment;
mod record;
mod rows;

use serde_json::{Value, json};
use thiserror::Error;

use experiment::Experiment;
use record::{Record, settings};

/// What is wrong with a file of measurements.
#[derive(Debug, Error)]
pub enum MeasurementError {
    /// A line that is no measurement.
    #[error("{file}:{line}: {reason}")]
    Line {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// No measurement at all.
    #[error("{file}: there is no measurement in it that can be simulated\n  {}", .reasons.join("\n  "))]
    Nothing {
        /// The file.
        file: String,
        /// Why each setting was left out.
        reasons: Vec<String>,
    },
}

/// A file of measurements as a reference file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The reference file.
    pub text: String,
    /// Settings in it.
    pub settings: usize,
    /// Settings that are not, each with the reason.
    pub left_out: Vec<String>,
}

/// Makes a reference file, named `id`, of the measurements in `text`; `file` stands in errors.
///
/// # Errors
/// A line that is no measurement, or nothing that can be simulated.
pub fn measured(id: &str, file: &str, text: &str) -> Result<Measured, MeasurementError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut records = Vec::new();
    for (index, line) in lines {
        let record = Record::parse(line);
        records.push(record.map_err(|reason| MeasurementError::Line { file: file.into(), line: index + 1, reason })?);
    }
    let (mut base, mut rows, mut left_out, mut number) = (None, Vec::new(), Vec::new(), 0);
    for setting in settings(&records) {
        let experiment = match Experiment::of(&setting) {
            Ok(experiment) => experiment,
            Err(reason) => {
                left_out.push(format!("{}: {reason}", setting.id));
                continue;
            }
        };
        let made = rows::rows(&setting, &experiment.set(base.get_or_insert_with(|| experiment.clone())));
        if made.is_empty() {
            left_out.push(format!("{}: nothing was measured that could be compared", setting.id));
            continue;
        }
        number += 1;
        rows.extend(made);
    }
    let Some(base) = base.filter(|_| number > 0) else {
        return Err(MeasurementError::Nothing { file: file.into(), reasons: left_out });
    };
    let text = file_text(id, file, &base, &rows, &left_out);
    Ok(Measured { text, settings: number, left_out })
}

fn file_text(id: &str, file: &str, base: &Experiment, rows: &[Value], left_out: &[String]) -> String {
    let out = match left_out {
        [] => String::new(),
        some => format!(" Not imported: {}.", some.join("; ")),
    };
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let reference = json!({
        "$schema": "../../docs/schema/reference.schema.json",
        "schema": 1,
        "id": id,
        "source": format!("Measurements in {name}, one JSON object in each line, imported by `midflight import qemu`."),
        "why": format!("Whether what was measured is what comes out of the same set-up. Nothing is fitted to these rows.{out}"),
        "scenario": base.scenario(),
        "fit": [],
        "rows": rows,
    });
    let mut text = serde_json::to_string_pretty(&reference).expect("plain JSON");
    text.push('\n');
    text
}
