//! Faults: when they strike, what they do, when they end; and the phases that they are addressed by.

use crate::model::network::Effect;
use crate::scenario::policy::Migration;
use crate::scenario::{FaultKind, Trigger};
use crate::units::{PageCount, SimTime};
use crate::vocabulary::{Host, Phase};

use super::trouble::Name;
use super::{Checkpoints, Event, Fact, Milestones, World, host_id};

/// What has become of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultState {
    /// Its moment has not come.
    Pending,
    /// What it waits for has come; it strikes after its delay.
    Armed,
    /// It struck.
    Fired {
        /// When.
        at: SimTime,
        /// In which phase.
        phase: Phase,
        /// When it ended, if it did.
        ended: Option<SimTime>,
    },
    /// Its moment came and there was nothing to strike.
    Void(NotFired),
}

/// Why a fault did not fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotFired {
    /// The host or process was dead already.
    AlreadyDead,
    /// There was no connection.
    NoConnection,
    /// No version was complete.
    NoVersion,
}

impl World {
    pub(super) fn plan_faults(&mut self) {
        for (index, fault) in self.scenario.clone().faults.iter().enumerate() {
            match &fault.when {
                Trigger::At(at) => self.schedule(SimTime::ZERO + *at, Event::Strike(index)),
                Trigger::Law { law, from, within } => self.draw(index, law, *from, *within),
                Trigger::Phase { .. } | Trigger::Message { .. } | Trigger::Outputs { .. } | Trigger::Event { .. } => {}
            }
        }
    }

    /// Arms the faults whose phase and progress are reached.
    pub(super) fn check_triggers(&mut self) {
        for (index, fault) in self.scenario.clone().faults.iter().enumerate() {
            let Trigger::Phase { name, round, progress, after } = fault.when else { continue };
            let here = name == self.progress.phase() && round.is_none_or(|round| round == self.progress.round());
            let reached = here && self.progress.share() >= progress || self.checkpoint_reaches(name, round, progress);
            if reached && self.faults[index] == FaultState::Pending {
                self.faults[index] = FaultState::Armed;
                self.schedule(self.now + after, Event::Strike(index));
            }
        }
    }

    pub(super) fn strike(&mut self, index: usize) {
        if !matches!(self.faults[index], FaultState::Pending | FaultState::Armed) {
            return;
        }
        let scenario = self.scenario.clone();
        let fault = &scenario.faults[index];
        let phase = self.progress.phase();
        let before = self.facts.0.len();
        let parts = fault.what.parts().iter().enumerate();
        let struck: Vec<_> = parts.map(|(part, what)| self.break_it((index, part), what)).collect();
        // A group has struck if any of it has.
        if let Some(&Err(why)) = struck.iter().find(|struck| struck.is_err())
            && struck.iter().all(Result::is_err)
        {
            self.faults[index] = FaultState::Void(why);
            return;
        }
        // The cause is said before what it did.
        self.facts.0.insert(before, Fact::Struck(index));
        self.faults[index] = FaultState::Fired { at: self.now, phase, ended: None };
        if let Some(lasts) = fault.lasts {
            self.schedule(self.now + lasts, Event::Heal(index));
        }
        if let Some(after) = fault.restarts_after {
            self.schedule(self.now + after, Event::Restart(index));
        }
    }

    fn break_it(&mut self, name: Name, what: &FaultKind) -> Result<(), NotFired> {
        match *what {
            FaultKind::Crash(host) => self.crash_host(host),
            FaultKind::CrashVmm(host) => self.crash_vmm(host),
            FaultKind::CrashAgent(host) => self.crash_agent(host),
            FaultKind::CrashStore => self.crash_store(),
            FaultKind::LoseVersion | FaultKind::TearVersion => self.lose_version(),
            FaultKind::Reset => {
                let (source, destination) = (host_id(Host::Source), host_id(Host::Destination));
                let before = self.effects.len();
                self.network.reset_between(self.now, source, destination, None, &mut self.effects);
                if !self.effects[before..].iter().any(|effect| matches!(effect, Effect::Ended { .. })) {
                    return Err(NotFired::NoConnection);
                }
                Ok(())
            }
            _ => self.begin_trouble(name, what),
        }
    }

    pub(super) fn node_is_up(&self, host: Host) -> bool {
        self.nodes.get(&host).is_none_or(|node| node.up)
    }

    /// What follows for the migration when a node is gone.
    pub(super) fn bury(&mut self, host: Host) {
        self.lose_orphans();
        if host == Host::Source && self.milestones.accepted.is_some() {
            // The dead never resume: R has passed, though nobody is told.
            self.milestones.relinquished.get_or_insert(self.now);
        }
    }

    pub(super) fn heal(&mut self, index: usize) {
        let scenario = self.scenario.clone();
        for (part, what) in scenario.faults[index].what.parts().iter().enumerate() {
            self.end_trouble((index, part), what);
        }
        self.check_ended(index);
    }

    /// The source has opened a connection to the destination: a migration begins, or one that was paused is taken up.
    pub(super) fn connected(&mut self) {
        let again = self.milestones.gave_up.is_some();
        if self.milestones.accepted.is_none() || again {
            self.milestones = Milestones { accepted: Some(self.now), ..Milestones::default() };
            self.checkpoints = Checkpoints::default();
            if !again {
                self.release_drawn();
            }
            if self.scenario.policy.migration != Migration::None {
                self.enter(Phase::Setup);
            }
        } else if self.progress.phase() == Phase::Paused {
            self.enter(Phase::Recovery);
        }
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        if self.progress.phase() != phase {
            self.progress.enter(phase, 0, PageCount::ZERO);
            self.say(Fact::Phase { phase, round: 0, due: PageCount::ZERO });
            self.check_triggers();
        }
    }

    pub(super) fn enter_round(&mut self, round: u64, due: PageCount) {
        self.progress.enter(Phase::Copy, round, due);
        self.say(Fact::Phase { phase: Phase::Copy, round, due });
        self.check_triggers();
    }

    /// L: the VM stands, all that was due has arrived, nothing is on its way or lost.
    pub(super) fn check_last_page(&mut self) {
        let here = self.vm.copy(Host::Destination).is_some_and(|copy| copy.memory.is_complete());
        let quiet = self.travelling(false) == PageCount::ZERO && self.counted.lost == PageCount::ZERO;
        let followed = matches!(self.progress.phase(), Phase::PostCopy | Phase::Paused | Phase::Recovery);
        if here && (followed || self.progress.all_arrived() && quiet) {
            self.milestones.last_page = Some(self.now);
            self.say(Fact::LastPage);
            self.enter(Phase::Handover);
        }
    }

    pub(super) fn relinquish(&mut self) {
        if self.milestones.relinquished.is_some() {
            return;
        }
        self.milestones.relinquished = Some(self.now);
        self.say(Fact::Relinquished);
        self.enter(Phase::Ending);
    }
}
