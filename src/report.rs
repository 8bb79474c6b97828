//! What a run says to the outside: a text for people, JSON for machines, rows for tables.
//!
//! Plain functions from a finished [`RunResult`](crate::run::RunResult) to text. They exist apart from the run so that a run
//! never depends on how it is shown. They print integers exactly, by integer division, so that the same run gives
//! the same bytes everywhere; they judge nothing, read no file and write none.

mod calibration;
mod check;
mod classes;
mod csv;
mod describe;
mod human;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
mod sweep;
mod timeline;
pub(crate) mod tree;
mod validation;

#[cfg(test)]
pub(crate) mod fixture;

pub use self::calibration::{json_calibration, provenance};
pub use self::check::{Checks, json_checks, junit_checks};
pub use self::classes::{json_classes, provenance_of_classes};
pub use self::csv::{csv, csv_rows};
pub use self::describe::describe;
pub use self::human::{
    explain, human, human_calibration, human_checked, human_checks, human_classes, human_plan, human_replayed,
    human_sweep, human_sweep_plan, human_task, human_validation,
};
pub use self::json::json;
#[cfg(feature = "parquet")]
pub use self::parquet::parquet;
pub use self::sweep::{json_sweep, json_sweep_plan, summary_csv};
pub use self::timeline::{Kind, Line, deliveries, timeline};
pub use self::validation::{csv_validation, json_validation};
