//! `single-execution`: at no time do two copies of a VM execute.
//!
//! Why: two running copies write to the same disk and answer the same clients. Broken by a stale source that resumes
//! while the destination runs.

use super::{Check, Fact, Invariant, SimTime, World};

pub(super) struct SingleExecution;

impl Check for SingleExecution {
    fn invariant(&self) -> Invariant {
        Invariant::SingleExecution
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, world: &World) -> Option<String> {
        let Fact::Resumed(_) = fact else { return None };
        let hosts: Vec<_> = world.vm().copies().filter(|(_, c)| c.executes()).map(|(host, _)| host.as_str()).collect();
        (hosts.len() > 1).then(|| format!("copies execute on {}", hosts.join(" and ")))
    }
}
