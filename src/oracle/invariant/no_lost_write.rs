//! `no-lost-write`: every disk write completed on the surviving history is on the disk.
//!
//! Why: the disk outlives every copy, and it takes what it is given, from whomever. A write is complete when it is on the disk, or
//! acknowledged from the buffer that holds it for its checkpoint. Checked at each write that reaches the disk: it is not one of an
//! execution that a later resume has abandoned, and replaces no later one of the surviving history. And at the end: the disk, with
//! what is held laid over it, is all that the guest wrote in its life, lived again, and nothing else.
//!
//! Broken by two running copies, and by a superseded one that lets go late what a version had covered.

use super::history::{belongs_until, newest};
use super::{Check, Fact, Invariant, SimTime, World};
use crate::engine::Finished;
use crate::model::disk::DiskWrite;
use crate::world::DiskStage;

pub(super) struct NoLostWrite;

impl Check for NoLostWrite {
    fn invariant(&self) -> Invariant {
        Invariant::NoLostWrite
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, world: &World) -> Option<String> {
        let Fact::DiskWrite { host, write, stage: DiskStage::Written { over } } = fact else { return None };
        if !survives(*write, world) {
            return Some(format!(
                "{write}, of an execution that a later resume had abandoned, reached the disk from {host}"
            ));
        }
        let later = over.filter(|over| over.number > write.number && survives(*over, world))?;
        Some(format!("on block {}, {write} from {host} replaced {later}", write.block))
    }

    fn end(&mut self, _: Finished, world: &World) -> Option<String> {
        let executing = world.vm().copies().filter(|(_, copy)| copy.executes());
        let (host, copy) = executing.max_by_key(|(_, copy)| copy.branch)?;
        let difference = world.disk_difference(copy)?;
        Some(format!("at the end, for the VM on {host}, {difference}"))
    }
}

/// Whether the newest history did this write.
fn survives(write: DiskWrite, world: &World) -> bool {
    belongs_until(world, write.branch, newest(world)).is_some_and(|until| write.guest <= until)
}
