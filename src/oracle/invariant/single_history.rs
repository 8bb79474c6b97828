//! `single-history`: no branch but the newest releases an output beyond the fork, from the fork on.
//!
//! Why: executing twice may be harmless as long as the outside sees one history; releasing twice is not.

use super::history::{belongs_until, newest};
use super::{Check, Fact, Invariant, SimTime, World};
use crate::world::OutputStage;

pub(super) struct SingleHistory;

impl Check for SingleHistory {
    fn invariant(&self) -> Invariant {
        Invariant::SingleHistory
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, world: &World) -> Option<String> {
        let Fact::Output { host, number, branch, guest, stage: OutputStage::Released } = fact else { return None };
        let until = belongs_until(world, *branch, newest(world));
        until
            .is_none_or(|until| *guest > until)
            .then(|| format!("{host} released packet {number} of an execution that a later resume had abandoned"))
    }
}
