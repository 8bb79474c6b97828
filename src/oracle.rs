//! The judge: sees the whole world, influences nothing.
//!
//! Invariants are one file each; each watches facts and says what broke, when, and why. Nothing computed here flows back to an
//! agent or to the world: both are only borrowed.

mod invariant;
mod outcome;
#[cfg(test)]
mod tests;
mod verdict;

pub use outcome::{belief, end_of, outcome};
pub use verdict::{Judgement, Shortfall, class_of_fault, judge, why_not_fired};

use crate::engine::{Finished, Observer};
use crate::scenario::Scenario;
use crate::units::SimTime;
use crate::vocabulary::Invariant;
use crate::world::{Event, Fact, World};

use invariant::Check;

/// An invariant was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When it showed.
    pub at: SimTime,
    /// What happened, for a reader.
    pub what: String,
}

/// All invariants of one run.
pub struct Oracle {
    checks: Vec<Box<dyn Check>>,
    violations: Vec<Violation>,
}

impl Oracle {
    /// Watches a run of this scenario.
    pub fn new(scenario: &Scenario) -> Self {
        Self { checks: invariant::all(scenario), violations: Vec::new() }
    }

    /// What was checked in this run; anything else is not known to hold.
    pub fn checked(&self) -> Vec<Invariant> {
        self.checks.iter().map(|check| check.invariant()).collect()
    }

    /// What broke, in order. The first of each invariant is kept.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Checks what can be checked only at the end.
    pub fn finish(&mut self, finished: Finished, world: &World) {
        for check in &mut self.checks {
            let broken = check.end(finished, world);
            note(&mut self.violations, check.invariant(), finished.at, broken);
        }
    }

    /// Whether an invariant was broken.
    pub fn broke(&self, invariant: Invariant) -> bool {
        self.violations.iter().any(|violation| violation.invariant == invariant)
    }
}

/// In which runs an invariant is checked.
pub fn when_checked(invariant: Invariant) -> &'static str {
    match invariant {
        Invariant::ConsistentRecovery | Invariant::Freshest => "checked with checkpoints",
        Invariant::NoLostWrite => "checked where the VM has a disk",
        Invariant::Recoverable => "checked where a tolerated crash is covered by checkpoints",
        _ => "checked",
    }
}

fn note(violations: &mut Vec<Violation>, invariant: Invariant, at: SimTime, broken: Option<String>) {
    if let Some(what) = broken
        && !violations.iter().any(|violation| violation.invariant == invariant)
    {
        violations.push(Violation { invariant, at, what });
    }
}

impl Observer for Oracle {
    fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) {
        for check in &mut self.checks {
            let broken = check.fact(at, fact, world);
            note(&mut self.violations, check.invariant(), at, broken);
        }
    }

    fn event(&mut self, at: SimTime, _: Event, world: &World) {
        for check in &mut self.checks {
            let broken = check.event(at, world);
            note(&mut self.violations, check.invariant(), at, broken);
        }
    }
}
