//! `recoverable`: at every event, for each tolerated fault, the surviving nodes hold a base, versions and CPU state that rebuild a
//! state covering all released output.
//!
//! Why: a protection that is there only when it is not needed is none. It catches what frees too early, or lets go too early, in runs
//! in which nothing fails.

use super::history::belongs_until;
use super::{Check, Fact, Invariant, SimTime, World};
use crate::scenario::Scenario;
use crate::units::Span;
use crate::vocabulary::{FaultClass, Host};
use crate::world::{OutputStage, PauseCause};

#[derive(Default)]
pub(super) struct Recoverable {
    /// The protection has begun: the VM has been stopped to be moved, or the base is complete.
    begun: bool,
}

impl Check for Recoverable {
    fn invariant(&self) -> Invariant {
        Invariant::Recoverable
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, world: &World) -> Option<String> {
        match fact {
            Fact::Paused { cause: PauseCause::Switchover, .. } => self.begun |= reverse(world),
            Fact::Complete(stored) => self.begun |= stored.version.0 == 0,
            Fact::Output { host, number, branch, guest, stage: OutputStage::Released } if self.holds(world) => {
                // Output of a copy that another has superseded is single-history's matter.
                let newest = world.vm().copies().find(|(_, copy)| copy.executes()).map(|(_, copy)| copy.branch)?;
                let until = belongs_until(world, *branch, newest)?;
                let covered = covered(world)?;
                return (*guest <= until && *guest > covered).then(|| {
                    format!(
                        "{host} released packet {number} of guest time {} s when what is stored ends at {} s",
                        guest.seconds(),
                        covered.seconds()
                    )
                });
            }
            Fact::CopyGone { host: Host::Source, executed: false, .. } if self.holds(world) && reverse(world) => {
                // What frees the base must have given up restoring before.
                return faultless(world).then(|| "the source frees the base while it is still needed".into());
            }
            _ => {}
        }
        None
    }
}

impl Recoverable {
    /// Whether the protection is claimed now: no fault has struck, and nobody has given up restoring.
    fn holds(&self, world: &World) -> bool {
        let relinquished = world.milestones().relinquished.is_some();
        self.begun && !relinquished && !world.is_unprotected() && faultless(world)
    }
}

fn reverse(world: &World) -> bool {
    world.scenario().policy.checkpoint.as_ref().is_some_and(crate::scenario::policy::Checkpoint::reverse)
}

fn faultless(world: &World) -> bool {
    !world.faults().iter().any(|state| matches!(state, crate::world::FaultState::Fired { .. }))
}

/// Up to which guest time the state that could be rebuilt reaches: that of the newest complete version, or of the switchover.
fn covered(world: &World) -> Option<Span> {
    let stored = world.newest_version().map(|stored| world.vm().state(stored.state).at);
    stored.or_else(|| {
        let state = world.vm().copy(Host::Source)?.at_state?;
        Some(world.vm().state(state).at)
    })
}

/// Whether a scenario claims that the VM survives the loss of the host that it runs on.
pub(super) fn is_claimed(scenario: &Scenario) -> bool {
    let claims = |class| scenario.verdict.tolerates.contains(&class);
    scenario.policy.checkpoint.as_ref().is_some_and(crate::scenario::policy::Checkpoint::holds)
        && (claims(FaultClass::DestinationCrash) || claims(FaultClass::SourceCrash))
}
