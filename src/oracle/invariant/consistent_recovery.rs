//! `consistent-recovery`: a copy resumes from exactly a state the guest was in: pages, CPU, devices and disk of one commit point.
//!
//! Why: a page of one checkpoint beside a register of another is a machine that never was. Checked where a restored copy begins to
//! execute: its whole memory against the hash that was taken when that state was saved, the state against the one claimed, or that
//! of the base where no version was complete, and the disk against all that the guest had written by then, in a life lived again. A
//! disk that is ahead of memory shows a guest what it has not written yet.

use super::{Check, Fact, Invariant, SimTime, World};
use crate::model::guest::Guest;
use crate::protocol::Stored;
use crate::units::Span;
use crate::vocabulary::Host;
use crate::world::PauseCause;

#[derive(Default)]
pub(super) struct ConsistentRecovery {
    /// Who restores, and what it claimed.
    restoring: Option<(Host, Option<Stored>)>,
    /// Guest time at which the source's copy stopped to be moved: that of the base there.
    base: Option<Span>,
}

impl Check for ConsistentRecovery {
    fn invariant(&self) -> Invariant {
        Invariant::ConsistentRecovery
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, world: &World) -> Option<String> {
        match fact {
            Fact::Paused { host: Host::Source, guest, cause: PauseCause::Switchover } => self.base = Some(*guest),
            Fact::Claimed { host, stored } => self.restoring = Some((*host, *stored)),
            Fact::Resumed(resumption) if resumption.cause == PauseCause::Switchover => {
                let (host, stored) = self.restoring.take()?;
                if host != resumption.host {
                    self.restoring = Some((host, stored));
                    return None;
                }
                if !resumption.exact {
                    return Some(format!("the memory restored on {host} is not what it was when its state was saved"));
                }
                let saved = stored.map(|stored| world.vm().state(stored.state).at).or(self.base);
                if saved.is_some_and(|saved| saved != resumption.guest) {
                    return Some(format!("{host} runs from another state than that of what it restored"));
                }
                let copy = world.vm().copy(host).filter(|copy| copy.guest.as_ref().is_some_and(Guest::writes_disk))?;
                let difference = world.disk_difference(copy)?;
                return Some(format!("the VM restored on {host} is not at one point with its disk: {difference}"));
            }
            _ => {}
        }
        None
    }
}
