//! Shards: a sweep cut into pieces that can be made anywhere, in any order, and give the same rows.
//!
//! Where it is cut depends on the sweep and on the number of shards alone.

use std::ops::Range;

use super::order::Place;
use super::plan::Plan;
use crate::scenario::sweep::Replications;

/// Shards of a sweep, if nobody says how many: enough for a thousand processors, or to lose little when one is interrupted.
const USUAL: u64 = 1000;

/// Runs that are made together: those from one place on, up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub number: u64,
    /// The first run.
    pub first: Place,
    /// The first run that is not in it.
    pub end: Place,
}

impl Shard {
    /// The cells in which it has runs.
    pub(super) fn cells(&self) -> Range<usize> {
        self.first.cell..self.end.cell + usize::from(self.end.replication > 0)
    }
}

impl Plan {
    /// Into how many pieces it can be cut: a cell that ends by itself stays whole.
    pub fn most_shards(&self) -> u64 {
        if self.ends_by_itself() { self.cells.len() as u64 } else { self.runs() }
    }

    /// How many shards it has if nobody says.
    pub fn usual_shards(&self) -> u64 {
        self.most_shards().min(USUAL)
    }

    /// The shard of this number, of so many.
    pub fn shard(&self, number: u64, of: u64) -> Shard {
        let at = |number: u64| {
            let pieces = u128::from(self.most_shards()) * u128::from(number) / u128::from(of);
            let piece = u64::try_from(pieces).expect("no more than there are");
            let (cell, replication) = match &self.sweep.replications {
                Replications::Fixed(each) => (piece / each, piece % each),
                Replications::Until(_) => (piece, 0),
            };
            Place { cell: usize::try_from(cell).expect("cells are in memory"), replication }
        };
        Shard { number, first: at(number), end: at(number + 1) }
    }

    /// All shards, where there are so many.
    pub fn shards(&self, of: u64) -> Vec<Shard> {
        (0..of).map(|number| self.shard(number, of)).collect()
    }
}
