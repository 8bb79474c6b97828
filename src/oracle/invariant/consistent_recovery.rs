//! `consistent-recovery`: a copy resumes from exactly a state the guest was in: pages, CPU and devices of one commit point.
//!
//! Why: a page of one checkpoint beside a register of another is a machine that never was. Checked where a restored copy begins to
//! execute: its whole memory against the hash that was taken when that state was saved, and the state against the one claimed, or
//! against that of the base where no version was complete.

use super::{Check, Fact, Invariant, SimTime, World};
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
            }
            _ => {}
        }
        None
    }
}
