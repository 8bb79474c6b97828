//! *Measures* and *Rounds*: what is there, with units that fit.

use super::page::{DIM, PLAIN, Page, widths};
use super::story::{Shown, shorten};
use super::units;
use crate::metric::{COLUMNS, Record, Round, Rounds, Unit, Value};
use crate::units::ByteRate;

/// Columns about data; all other times are under *time*, and the rest belongs to the run, not to its measures.
const DATA: &[&str] = &[
    "precopy_rounds",
    "checkpoints_committed",
    "pages_forward",
    "pages_whole",
    "pages_reverse",
    "bytes_forward",
    "xbzrle_hit_rate",
    "bytes_reverse",
    "file_bytes",
    "network_faults",
];

/// Columns about the guest and its output.
const GUEST: &[&str] = &[
    "guest_slowdown",
    "max_cpu_throttle",
    "lost_work_s",
    "all_blocked_s",
    "doomed_s",
    "client_gap_s",
    "client_gap_before_s",
    "output_delay_mean_s",
    "output_delay_p99_s",
    "outputs_released",
    "outputs_discarded",
    "disk_writes_released",
    "disk_writes_discarded",
];

/// Where a column is shown; `None`: elsewhere in the report.
fn group(name: &str, unit: Unit) -> Option<&'static str> {
    if DATA.contains(&name) {
        Some("data")
    } else if GUEST.contains(&name) {
        Some("guest and output")
    } else {
        (unit == Unit::Time && !matches!(name, "fault_time_s" | "end_s")).then_some("time")
    }
}

pub(super) fn write(page: &mut Page, record: &Record) {
    page.title("Measures");
    let values = record.values();
    for title in ["time", "data", "guest and output"] {
        let rows: Vec<(String, String)> = COLUMNS
            .iter()
            .zip(&values)
            .filter(|(column, _)| group(column.name, column.unit) == Some(title))
            .filter_map(|(column, value)| Some((plain_name(column.name), shown(column.name, value.as_ref()?, record))))
            .collect();
        if rows.is_empty() {
            continue;
        }
        page.line("  ", title, DIM);
        for (name, value) in rows {
            page.line(&format!("    {name:<24}"), &value, PLAIN);
        }
    }
}

fn plain_name(column: &str) -> String {
    column.strip_suffix("_s").unwrap_or(column).replace('_', " ")
}

fn shown(name: &str, value: &Value, record: &Record) -> String {
    let text = units::value(value);
    if name == "precopy_rounds" && !record.rounds_end.is_empty() {
        return format!("{text}, then {}", record.rounds_end);
    }
    text
}

const HEADS: [&str; 9] = ["round", "start", "duration", "due", "sent", "zero", "bytes", "rate", "dirtied"];

pub(super) fn write_rounds(page: &mut Page, rounds: &Rounds) {
    let rounds = rounds.rounds();
    if rounds.is_empty() {
        return;
    }
    page.title("Rounds");
    let rows: Vec<[String; 9]> = rounds.iter().map(row).collect();
    let heads = HEADS.map(String::from);
    let widths = widths([&heads[..]].into_iter().chain(rows.iter().map(|row| &row[..])));
    let line = |cells: &[String; 9]| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        padded.join("  ")
    };
    page.line("  ", &line(&heads), DIM);
    let is_last = |row: &[String; 9]| row[0] == LAST;
    for shown in shorten(&rows, is_last) {
        match shown {
            Shown::Item(row) => page.line("  ", &line(row), PLAIN),
            Shown::LeftOut(n) => page.line("  ", &format!("{:>5}  {n} more rounds", "…"), DIM),
        }
    }
}

const LAST: &str = "last";
/// What followed the VM.
const FOLLOWED: &str = "post-copy";

fn row(round: &Round) -> [String; 9] {
    let duration = round.to - round.from;
    [
        match round.number {
            Some(number) => number.to_string(),
            None if round.post_copy => FOLLOWED.into(),
            None => LAST.into(),
        },
        units::instant(round.from),
        units::span(duration),
        round.due.get().to_string(),
        round.pages.get().to_string(),
        round.zero.get().to_string(),
        units::bytes(round.bytes),
        ByteRate::measured(round.bytes, duration).map_or(String::new(), units::rate),
        round.dirtied.map_or(String::new(), |pages| pages.get().to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_shown_or_belongs_to_the_run() {
        let of_the_run = ["seed", "replication", "fault_time_s", "faults_planned", "faults_fired", "end_s", "events"];
        for column in COLUMNS.iter().filter(|column| column.unit != Unit::Text) {
            let elsewhere = of_the_run.contains(&column.name);
            assert_eq!(group(column.name, column.unit).is_none(), elsewhere, "{}", column.name);
        }
        for name in DATA.iter().chain(GUEST) {
            assert!(COLUMNS.iter().any(|column| column.name == *name), "{name}");
        }
    }
}
