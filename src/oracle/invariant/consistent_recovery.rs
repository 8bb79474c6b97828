//! `consistent-recovery`: a copy resumes from exactly a state the guest was in: pages, CPU and devices of one commit point.
//!
//! Why: a page of one checkpoint beside a register of another is a machine that never was. Checked where a restored copy begins to
//! execute: its whole memory against the hash that was taken when that state was saved, and the state against the one claimed.

use super::{Check, Fact, Invariant, SimTime, World};
use crate::protocol::Stored;
use crate::vocabulary::Host;
use crate::world::PauseCause;

#[derive(Default)]
pub(super) struct ConsistentRecovery {
    /// Who restores, and what it claimed.
    restoring: Option<(Host, Option<Stored>)>,
}

impl Check for ConsistentRecovery {
    fn invariant(&self) -> Invariant {
        Invariant::ConsistentRecovery
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, world: &World) -> Option<String> {
        match fact {
            Fact::Claimed { host, stored, .. } => self.restoring = Some((*host, *stored)),
            Fact::Resumed(resumption) if resumption.cause == PauseCause::Switchover => {
                let (host, stored) = self.restoring.take()?;
                if host != resumption.host {
                    self.restoring = Some((host, stored));
                    return None;
                }
                if !resumption.exact {
                    return Some(format!("the memory restored on {host} is not what it was when its state was saved"));
                }
                let saved = stored.map(|stored| world.vm().state(stored.state).at);
                if saved.is_some_and(|saved| saved != resumption.guest) {
                    return Some(format!("{host} runs from another state than that of the version it restored"));
                }
            }
            _ => {}
        }
        None
    }
}
