//! `recoverable`: at every event, for each tolerated fault, the surviving nodes hold a base, versions and CPU state that rebuild a
//! state covering all released output.
//!
//! Why: a protection that is there only when it is not needed is none. It catches what frees too early, or lets go too early, in runs
//! in which nothing fails. Checked after every event while the protection is claimed: from the stop, or from when the base is in
//! the store, until the restoring side gives up its right, or restores; and until something fails, since a claim is about one fault.

use std::collections::BTreeMap;

use super::history::{belongs_until, newest};
use super::{Check, Fact, Invariant, SimTime, World};
use crate::model::memory::BranchId;
use crate::scenario::Scenario;
use crate::scenario::policy::Checkpoint;
use crate::units::Span;
use crate::vocabulary::{FaultClass, Host};
use crate::world::{FaultState, OutputStage, PauseCause};

pub(super) struct Recoverable {
    /// Where the VM would be restored after a tolerated fault, and whether that is claimed already.
    at: Vec<(Host, bool)>,
    /// Latest guest time released, by branch.
    released: BTreeMap<BranchId, Span>,
}

impl Check for Recoverable {
    fn invariant(&self) -> Invariant {
        Invariant::Recoverable
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, _: &World) -> Option<String> {
        match fact {
            Fact::Paused { host: Host::Source, cause: PauseCause::Switchover, .. } => self.begin(Host::Source),
            Fact::Complete(stored) if stored.version.0 == 0 => self.begin(Host::Destination),
            Fact::Output { branch, guest, stage: OutputStage::Released, .. } => {
                let latest = self.released.entry(*branch).or_default();
                *latest = (*latest).max(*guest);
            }
            _ => {}
        }
        None
    }

    fn event(&mut self, _: SimTime, world: &World) -> Option<String> {
        if !is_held(world) {
            return None;
        }
        self.at.iter().filter(|(_, begun)| *begun).find_map(|(host, _)| self.falls_short(*host, world))
    }
}

impl Recoverable {
    /// The check for a scenario that claims that the VM survives the loss of the host that it runs on.
    pub(super) fn claimed(scenario: &Scenario) -> Option<Self> {
        let checkpoint = scenario.policy.checkpoint.as_ref().filter(|checkpoint| checkpoint.holds())?;
        let claims = |class| scenario.verdict.tolerates.contains(&class);
        let at_source = Checkpoint::reverse(checkpoint) && claims(FaultClass::DestinationCrash);
        let at_destination = Checkpoint::forward(checkpoint) && claims(FaultClass::SourceCrash);
        let hosts = [(Host::Source, at_source), (Host::Destination, at_destination)];
        let at: Vec<_> = hosts.into_iter().filter(|(_, claimed)| *claimed).map(|(host, _)| (host, false)).collect();
        (!at.is_empty()).then_some(Self { at, released: BTreeMap::new() })
    }

    fn begin(&mut self, at: Host) {
        self.at.iter_mut().filter(|(host, _)| *host == at).for_each(|(_, begun)| *begun = true);
    }

    fn falls_short(&self, host: Host, world: &World) -> Option<String> {
        if !world.can_rebuild_at(host) {
            return Some(format!(
                "{host} could not restore the VM now: base or newest version is gone while it is needed"
            ));
        }
        let covered = covered(world)?;
        // Output of a copy that another has superseded is single-history's matter.
        let beyond = self.released.iter().find(|&(&branch, &latest)| {
            let until = belongs_until(world, branch, newest(world));
            until.is_some_and(|until| latest <= until) && latest > covered
        });
        beyond.map(|(_, latest)| {
            format!(
                "output of guest time {} s was released, and what {host} would restore ends at {} s",
                latest.seconds(),
                covered.seconds()
            )
        })
    }
}

/// Whether the protection is still claimed: no fault has struck, and nobody has given up restoring, or restores.
fn is_held(world: &World) -> bool {
    let milestones = world.milestones();
    let over = milestones.relinquished.is_some() || milestones.gave_up.is_some();
    let struck = |state: &FaultState| matches!(state, FaultState::Fired { .. });
    !over && !world.is_unprotected() && world.restored_at().is_none() && !world.faults().iter().any(struck)
}

/// Up to which guest time the state that could be rebuilt reaches: that of the newest complete version, or of the switchover.
fn covered(world: &World) -> Option<Span> {
    let stored = world.newest_version().map(|stored| world.vm().state(stored.state).at);
    stored.or_else(|| {
        let state = world.vm().copy(Host::Source)?.at_state?;
        Some(world.vm().state(state).at)
    })
}
