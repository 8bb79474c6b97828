//! What a run is measured by: one flat record, and a table of rounds.
//!
//! Definitions are part of the product: each column's doc is its definition, and `docs/metrics.md` is generated from it.
//! Absent is absent: never 0, never NaN. Inside, values are integers (ns, pages, bytes, counts, millionths).

mod blocking;
mod columns;
mod course;
mod disk;
mod protection;
mod recorder;
mod rounds;
mod stands;

pub use columns::{COLUMNS, Column, Record, Unit, Value, reference_markdown};
pub use course::{Course, CourseStep};
pub use recorder::{Recorder, fault_name};
pub use rounds::{Round, Rounds};
