//! When the marks of a run were reached: an observer.

use crate::engine::Observer;
use crate::units::SimTime;
use crate::vocabulary::{Host, Mark, Phase};
use crate::world::{Event, Fact, OutputStage, World};

/// The instants of the marks of one run.
#[derive(Debug, Default)]
pub(super) struct Marks {
    at: [Option<SimTime>; Mark::ALL.len()],
}

impl Marks {
    /// When a mark was reached, if ever.
    pub fn get(&self, mark: Mark) -> Option<SimTime> {
        self.at[mark as usize]
    }

    fn reached(&mut self, mark: Mark, at: SimTime) {
        self.at[mark as usize].get_or_insert(at);
    }
}

impl Observer for Marks {
    fn fact(&mut self, at: SimTime, fact: &Fact, _: &World) {
        let stopped = self.get(Mark::Stopped).is_some();
        match fact {
            // Of a VM that stays its first checkpoint begins then.
            Fact::Phase { phase: Phase::Setup, .. } | Fact::Round { .. } => self.reached(Mark::Accepted, at),
            Fact::Phase { phase: Phase::Copy, .. } => self.reached(Mark::Copying, at),
            Fact::Paused { host: Host::Source, .. } if self.get(Mark::Accepted).is_some() => {
                self.reached(Mark::Stopped, at);
            }
            Fact::Resumed(resumption) if resumption.host == Host::Destination => self.reached(Mark::Resumed, at),
            Fact::Resumed(resumption) if resumption.host == Host::Source && stopped => {
                self.reached(Mark::ResumedAtSource, at);
            }
            Fact::LastSent => self.at[Mark::LastSent as usize] = Some(at),
            Fact::MigrationPaused { .. } => self.reached(Mark::Paused, at),
            Fact::LastPage => self.reached(Mark::LastPage, at),
            Fact::Relinquished => self.reached(Mark::Relinquished, at),
            Fact::Concluded => self.reached(Mark::Concluded, at),
            Fact::Output { host: Host::Destination, stage: OutputStage::Released, .. } => {
                self.reached(Mark::FirstOutput, at);
            }
            Fact::Output { host: Host::Destination, stage: OutputStage::Delivered, .. } => {
                self.reached(Mark::FirstDelivery, at);
            }
            Fact::Struck(_) => self.reached(Mark::Fault, at),
            Fact::Suspected { .. } => self.reached(Mark::Suspected, at),
            Fact::Complete(_) => self.reached(Mark::Committed, at),
            Fact::Launched { .. } => self.reached(Mark::Launched, at),
            Fact::GaveUp => self.reached(Mark::GaveUp, at),
            _ => {}
        }
    }

    fn event(&mut self, _: SimTime, _: Event, _: &World) {}
}
