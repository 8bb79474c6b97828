//! The invariants, one file each: name, why, and what breaks it.

mod accounting;
mod consistent_recovery;
mod durability;
mod freshest;
mod history;
mod liveness;
mod no_lost_write;
mod no_stale_page;
mod output_commit;
mod recoverable;
mod single_execution;
mod single_history;

use crate::engine::Finished;
use crate::scenario::Scenario;
use crate::units::SimTime;
use crate::vocabulary::Invariant;
use crate::world::{Fact, World};

/// One invariant under watch. Each method answers what broke, if anything did.
pub(super) trait Check {
    /// Which.
    fn invariant(&self) -> Invariant;
    /// Something happened.
    fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) -> Option<String>;
    /// An event has been applied.
    fn event(&mut self, _at: SimTime, _world: &World) -> Option<String> {
        None
    }
    /// The run is over.
    fn end(&mut self, _finished: Finished, _world: &World) -> Option<String> {
        None
    }
}

/// All that can be broken in a run of this scenario.
pub(super) fn all(scenario: &Scenario) -> Vec<Box<dyn Check>> {
    let mut checks: Vec<Box<dyn Check>> = vec![
        Box::new(single_execution::SingleExecution),
        Box::new(single_history::SingleHistory),
        Box::new(output_commit::OutputCommit::default()),
        Box::new(no_stale_page::NoStalePage),
        Box::new(liveness::Liveness::new(scenario)),
        Box::new(accounting::Accounting::default()),
        Box::new(durability::Durability),
    ];
    if scenario.policy.checkpoint.is_some() {
        checks.push(Box::new(consistent_recovery::ConsistentRecovery::default()));
        checks.push(Box::new(freshest::Freshest::default()));
    }
    if scenario.vms[0].disk.is_some() {
        checks.push(Box::new(no_lost_write::NoLostWrite));
    }
    if let Some(check) = recoverable::Recoverable::claimed(scenario) {
        checks.push(Box::new(check));
    }
    checks
}
