//! Where the migration is, seen from outside: phase, round and progress, set from what happened and never from what a
//! node believes.

use crate::units::{PageCount, Ratio};
use crate::vocabulary::Phase;

/// Phase, round and progress.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Progress {
    phase: Phase,
    round: u64,
    due: PageCount,
    arrived: PageCount,
    /// Counts phases and rounds: pages count for the one in which they were read.
    leg: u32,
    /// In `copy`: the log has been synced, so the next pages read begin a round. In `stop`: the pages due are known.
    synced: bool,
}

impl Progress {
    /// Nothing asked.
    pub fn new() -> Self {
        Self { phase: Phase::Idle, round: 0, due: PageCount::ZERO, arrived: PageCount::ZERO, leg: 0, synced: true }
    }

    /// The phase.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The round, in `copy`; else 0.
    pub fn round(&self) -> u64 {
        self.round
    }

    /// Pages due in this phase or round.
    pub fn due(&self) -> PageCount {
        self.due
    }

    /// Which phase or round this is, counted from the start.
    pub fn leg(&self) -> u32 {
        self.leg
    }

    /// Pages arrived / pages due in this phase or round; 0 where none are due.
    pub fn share(&self) -> Ratio {
        match self.due.get() {
            0 => Ratio::ZERO,
            due => Ratio::new(self.arrived.get().min(due), due),
        }
    }

    pub(super) fn enter(&mut self, phase: Phase, round: u64, due: PageCount) {
        *self = Self { phase, round, due, arrived: PageCount::ZERO, leg: self.leg + 1, synced: phase == Phase::Setup };
    }

    /// The log was synced. In `stop`, the pages due are known from then on.
    pub(super) fn synced(&mut self, pending: PageCount) {
        self.synced = true;
        if self.phase == Phase::Stop {
            self.due = pending;
        }
    }

    /// Whether the next pages read begin a round.
    pub(super) fn begins_round(&self) -> bool {
        self.synced && matches!(self.phase, Phase::Setup | Phase::Copy)
    }

    /// In `stop`: whether all that was due has arrived.
    pub(super) fn all_arrived(&self) -> bool {
        self.phase == Phase::Stop && self.synced && self.arrived >= self.due
    }

    pub(super) fn arrived(&mut self, pages: PageCount, leg: u32) {
        if leg == self.leg {
            self.arrived += pages;
        }
    }

    /// In `post-copy`: so many of the pages due are missing.
    pub(super) fn missing(&mut self, missing: PageCount) {
        if self.phase == Phase::PostCopy {
            self.arrived = self.due.saturating_sub(missing);
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
