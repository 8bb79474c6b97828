//! `durability`: a VM is lost only under faults that the scenario does not claim to tolerate.
//!
//! Why: it is the claim itself. A run in which several faults struck is not judged by it: a claim is about single faults.

use super::{Check, Fact, Invariant, SimTime, World};
use crate::engine::Finished;
use crate::oracle::verdict::{class_of_fault, in_window};
use crate::world::FaultState;

pub(super) struct Durability;

impl Check for Durability {
    fn invariant(&self) -> Invariant {
        Invariant::Durability
    }

    fn fact(&mut self, _: SimTime, _: &Fact, _: &World) -> Option<String> {
        None
    }

    fn end(&mut self, _: Finished, world: &World) -> Option<String> {
        let survives =
            world.vm().copies().any(|(_, copy)| copy.is_complete()) || world.can_rebuild() || world.is_split();
        if survives {
            return None;
        }
        let scenario = world.scenario();
        let fired = scenario.faults.iter().zip(world.faults());
        let fired: Vec<_> = fired.filter(|(_, state)| matches!(state, FaultState::Fired { .. })).collect();
        match fired.as_slice() {
            [] => Some("the VM is lost, and nothing had failed".into()),
            [(fault, state)] => {
                let class = class_of_fault(fault)?;
                let claimed = scenario.verdict.tolerates.contains(&class) && in_window(world, class, **state);
                claimed.then(|| format!("the VM is lost under {class}, which is claimed to be tolerated"))
            }
            _ => None,
        }
    }
}
