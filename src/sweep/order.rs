//! In which order a sweep is run: cell by cell, and in a cell replication by replication, as long as the cell is not done.

use super::plan::Plan;
use super::table::{CellRows, Table, scale};
use crate::rng::float;
use crate::scenario::sweep::{HalfWidth, Replications, Target, Until};
use crate::stats::{Proportion, Sample, Stopping, Width};

/// Where in a sweep a run is; ordered as runs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of the cell.
    pub cell: usize,
    /// The number of the run in it.
    pub replication: u64,
}

/// Most runs that are handed out at a time.
const BLOCK: u64 = 4096;

impl Plan {
    /// The run after those in the table; `None`: there is none.
    pub fn next(&self, table: &Table) -> Option<Place> {
        let first = table.first();
        let last = table.cells().len().checked_sub(1);
        let place = last.map_or(first, |last| {
            let (cell, before) = (first.cell + last, if last == 0 { first.replication } else { 0 });
            let rows = &table.cells()[last];
            match before + rows.runs() {
                made if self.is_done(table, cell, rows, made) => Place { cell: cell + 1, replication: 0 },
                made => Place { cell, replication: made },
            }
        });
        (place.cell < self.cells.len()).then_some(place)
    }

    /// Runs from `place` on, and before `end`, that will be made whatever comes of them.
    pub(super) fn block(&self, place: Place, end: Place) -> Vec<Place> {
        let mut block = self.block_from(place);
        block.retain(|place| *place < end);
        block
    }

    fn block_from(&self, place: Place) -> Vec<Place> {
        match &self.sweep.replications {
            Replications::Fixed(each) => {
                let first = (place.cell as u64).saturating_mul(*each).saturating_add(place.replication);
                let last = first.saturating_add(BLOCK).min(self.runs());
                let at = |run: u64| Place {
                    cell: usize::try_from(run / each).expect("cells are in memory"),
                    replication: run % each,
                };
                (first..last).map(at).collect()
            }
            Replications::Until(until) => {
                let looks = self.stopping(until, 1.0).looks();
                let look = looks.into_iter().find(|look| *look > place.replication).unwrap_or(until.max);
                (place.replication..look).map(|replication| Place { cell: place.cell, replication }).collect()
            }
        }
    }

    /// Whether a cell of which `made` runs are made, of which the table has these rows, needs no more.
    fn is_done(&self, table: &Table, cell: usize, rows: &CellRows, made: u64) -> bool {
        let until = match &self.sweep.replications {
            Replications::Fixed(each) => return made >= *each,
            Replications::Until(until) => until,
        };
        let rule = self.stopping(until, self.weight(cell));
        if !rule.looks().any(|look| look == made) {
            return false;
        }
        let enough = match until.target {
            Target::Outcome(outcome) => {
                rule.enough_of(Proportion { hits: rows.with_outcome(outcome), n: rows.known() })
            }
            Target::Mean(column) => {
                // Runs that lack the quantity count as runs, so that a cell without any value comes to an end.
                rule.enough(&Sample::new(rows.numbers(table, column.name)))
            }
        };
        enough.is_some() || made >= until.max
    }

    /// The rule by which cells end, where faults were drawn under a condition of this probability.
    fn stopping(&self, until: &Until, weight: f64) -> Stopping {
        let width = match (until.half_width, until.target) {
            (HalfWidth::Share(share), _) => Width::Relative(float(share)),
            (HalfWidth::Absolute(units), Target::Mean(column)) => Width::Absolute(units as f64 * scale(column.unit)),
            (HalfWidth::Absolute(millionths), Target::Outcome(_)) => Width::Absolute(millionths as f64 * 1e-6 / weight),
        };
        Stopping { width, level: float(self.sweep.level), max: until.max }
    }

    /// The quantity of which enough is to be known, as lines of a summary call it.
    pub fn target(&self) -> Option<String> {
        let Replications::Until(until) = &self.sweep.replications else { return None };
        Some(match until.target {
            Target::Mean(column) => column.name.into(),
            Target::Outcome(outcome) => format!("outcome={outcome}"),
        })
    }

    /// The level of the interval of a quantity: that of a single look where looks at it have decided how many runs there are.
    pub(super) fn level(&self, quantity: &str) -> f64 {
        match &self.sweep.replications {
            Replications::Until(until) if self.target().as_deref() == Some(quantity) => {
                self.stopping(until, 1.0).look_level()
            }
            _ => float(self.sweep.level),
        }
    }
}
