//! Many runs of many variants of a scenario: which there are, in which order they are run, and what is known of them in the end.
//!
//! A [`Plan`] lists the cells of a sweep and has tried each scenario. [`run()`] makes the runs that a [`Table`] of rows lacks, on all
//! threads, and hands each row on in the order of runs. [`summary`] says what is known of each cell.
//!
//! A row is a list of texts, and a table is made of such texts alone: so a sweep that was interrupted and read back knows exactly what one
//! that ran through does. What it does not do: files.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is summarised are floats, and places in a design"
)]

mod cells;
mod course;
mod design;
mod order;
mod plan;
mod run;
mod shard;
mod summary;
mod table;

pub use course::courses;
pub use order::Place;
pub use plan::{Plan, PlanError};
pub use run::{PANICKED, Simulate, Take, each, probe, run, run_with, threads};
pub use shard::Shard;
pub use summary::{COLUMNS as SUMMARY_COLUMNS, Line, line, shown, summary};
pub use table::{Table, header, outcome};
