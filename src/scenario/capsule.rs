//! What `check` adds to a scenario, so that the scenario alone repeats what was found.

use crate::vocabulary::{Invariant, Outcome};

/// A message that is held up on its way: what would arrive with the n-th event of the run arrives only when so many other events
/// have happened. What follows it on its connection waits with it, since a stream keeps its order; everything else overtakes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Late {
    /// The event that would be its arrival, from 1; where that is anything else, nothing is held.
    pub event: u64,
    /// How many others come before it.
    pub past: u64,
}

/// What a run showed when it was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Capsule {
    /// What fell short: `claim`, `liveness` or `invariant:<name>`.
    pub shows: String,
    /// What became of the VM.
    pub outcome: Outcome,
    /// The invariants that were broken, waived or not.
    pub violates: Vec<Invariant>,
    /// The record's fingerprint.
    pub fingerprint: String,
    /// The program that found it.
    pub version: String,
}
