//! What became of the VM, and whether the nodes know it. Decided from the world alone.

use crate::protocol::{Awaited, Report, Standing};
use crate::vocabulary::{Belief, End, Host, Invariant, Outcome};
use crate::world::{VmCopy, World};

use super::Oracle;

/// The first outcome that holds at the end of a run.
pub fn outcome(world: &World, oracle: &Oracle) -> Outcome {
    if oracle.broke(Invariant::SingleHistory) {
        return Outcome::SplitBrain;
    }
    if world.is_split() {
        // Its pages are on both hosts, and both live.
        let goes_on = world.pages_can_follow() && world.can_release(Host::Destination);
        return if goes_on { Outcome::Unfinished } else { Outcome::Stalled };
    }
    let complete: Vec<Host> = world.vm().copies().filter(|(_, c)| c.is_complete()).map(|(host, _)| host).collect();
    if complete.is_empty() {
        return if world.can_rebuild() { Outcome::Stalled } else { Outcome::Lost };
    }
    let runs = |host: Host| world.vm().copy(host).is_some_and(|copy| copy.goes_on() && copy.is_complete());
    let hosts: Vec<Host> = complete.into_iter().filter(|&host| runs(host) && world.can_release(host)).collect();
    let Some(host) = hosts.into_iter().max_by_key(|&host| world.vm().copy(host).map(|copy| copy.branch)) else {
        return Outcome::Stalled;
    };
    let forked = world.vm().branches().len() > 1;
    let followed = world.vm().copy(host).is_some_and(|copy| copy.memory.takes_faults());
    match host {
        Host::Source if forked => Outcome::Recovered,
        Host::Destination if world.restored_at() == Some(Host::Destination) => Outcome::Recovered,
        Host::Source if world.milestones().gave_up.is_some() => Outcome::RolledBack,
        Host::Destination if followed && world.milestones().paused.is_some() => Outcome::Resumed,
        // After a post-copy, the copy with all its pages needs nobody, whatever the source still has to learn.
        Host::Destination if followed || world.milestones().relinquished.is_some() => Outcome::Completed,
        _ => Outcome::Unfinished,
    }
}

/// What is there of the VM on a host.
pub fn end_of(world: &World, host: Host) -> End {
    // A receiver that has given up is of no use to anybody and exits.
    let gave_up = host == Host::Destination && world.standing(host) == Some(Standing::Ended(Report::Failure));
    if !world.vmm_alive(host) || gave_up {
        return End::Gone;
    }
    if world.vm().copy(host).is_some_and(VmCopy::goes_on) { End::Runs } else { End::Stands }
}

/// What the surviving nodes say, against the outcome.
pub fn belief(world: &World, outcome: Outcome) -> Belief {
    let says = |report| {
        let hosts = [Host::Source, Host::Destination, Host::Management];
        hosts.into_iter().any(|host| world.standing(host).and_then(claim) == Some(report))
    };
    let restored_there = outcome == Outcome::Recovered && world.restored_at() == Some(Host::Destination);
    let succeeded = matches!(outcome, Outcome::Completed | Outcome::Resumed) || restored_there;
    match (says(Report::Success), says(Report::Failure)) {
        (true, true) => Belief::NodesDisagree,
        (true, false) if !succeeded && outcome != Outcome::Unfinished => Belief::ClaimsSuccess,
        (false, true) if succeeded => Belief::ClaimsFailure,
        _ => Belief::Agrees,
    }
}

fn claim(standing: Standing) -> Option<Report> {
    match standing {
        Standing::Ended(report) => Some(report),
        // It runs the VM and has said so.
        Standing::Waiting(Awaited::Released) | Standing::BlockedOn(Awaited::Released) => Some(Report::Success),
        _ => None,
    }
}
