//! `liveness`: within a bound B after the last fault ended, the VM is lost, or a complete copy advances and releases its output.
//!
//! Why: a protocol that keeps every promise by never running the VM again keeps too few, and so does one that runs it and lets nothing
//! out. B is the longest chain of timers, retries, transfers and starts that the scenario allows. A scenario that expects
//! `stalled` is not judged by it.

mod bound;

use super::{Check, Fact, Invariant, SimTime, World};
use crate::engine::{Finished, Stop};
use crate::scenario::Scenario;
use crate::scenario::policy::Checkpoint;
use crate::units::Span;
use crate::vocabulary::{Host, Outcome};
use crate::world::{FaultState, VmCopy};

pub(super) struct Liveness {
    /// B, once it has been needed.
    bound: Option<Span>,
    /// Whether the scenario expects that it stalls.
    may_stall: bool,
    /// Whether output is ever held.
    holds: bool,
    /// Since when the VM does not advance, if it does not.
    stands_since: Option<SimTime>,
    /// The first time past the bound in which no copy advanced: from when, how long.
    late: Option<(SimTime, Span)>,
}

impl Liveness {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let may_stall = scenario.verdict.outcome.contains(&Outcome::Stalled);
        let holds = scenario.policy.checkpoint.as_ref().is_some_and(Checkpoint::holds);
        Self { bound: None, may_stall, holds, stands_since: None, late: None }
    }

    fn bound(&mut self, world: &World) -> Span {
        *self.bound.get_or_insert_with(|| bound::bound(world))
    }

    fn runs_again(&mut self, at: SimTime, world: &World) {
        if let Some(since) = self.stands_since.take() {
            let from = since.max(last_change(world));
            let stood = at.saturating_since(from);
            if stood > self.bound(world) && self.late.is_none() {
                self.late = Some((from, stood));
            }
        }
    }

    /// Every copy that executes holds output for longer than the bound, or, where nothing is left to happen, for ever. One whose output
    /// flows is enough: the other is doomed. So is one whose missing pages cannot come.
    fn output_waits(&mut self, at: SimTime, settled: bool, world: &World) -> Option<String> {
        let hopeful = |copy: &VmCopy| copy.is_complete() || world.pages_can_follow();
        let executing = world.vm().copies().filter(|(_, copy)| copy.executes() && hopeful(copy));
        let oldest: Option<Vec<_>> =
            executing.map(|(host, copy)| Some((copy.held.as_ref()?.oldest()?, host))).collect();
        let (since, host) = oldest?.into_iter().max()?;
        let waited = at.saturating_since(since.max(last_change(world)));
        if !settled && waited <= self.bound(world) {
            return None;
        }
        Some(if settled {
            format!("output sent at {since} on {host} is held, and nothing is left that would release it")
        } else {
            let bound = self.bound(world);
            format!(
                "output sent at {since} on {host} has been held for {} s; the bound is {} s",
                waited.seconds(),
                bound.seconds()
            )
        })
    }
}

/// Whether a copy's vCPUs run and not all of them wait for pages.
fn advances(world: &World) -> bool {
    let advances = |copy: &VmCopy| copy.guest.as_ref().is_some_and(|guest| guest.is_running() && !guest.is_blocked());
    world.vm().copies().any(|(_, copy)| advances(copy))
}

impl Check for Liveness {
    fn invariant(&self) -> Invariant {
        Invariant::Liveness
    }

    fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) -> Option<String> {
        match fact {
            Fact::Resumed(_)
            | Fact::Thawed { .. }
            | Fact::Unblocked { all: true, .. }
            | Fact::Blocked { all: true, .. }
            | Fact::Paused { .. }
            | Fact::CopyGone { executed: true, .. } => {
                if advances(world) {
                    self.runs_again(at, world);
                } else {
                    self.stands_since = self.stands_since.or(Some(at));
                }
            }
            _ => {}
        }
        None
    }

    fn event(&mut self, at: SimTime, world: &World) -> Option<String> {
        if self.holds && !self.may_stall { self.output_waits(at, false, world) } else { None }
    }

    fn end(&mut self, finished: Finished, world: &World) -> Option<String> {
        if self.may_stall {
            return None;
        }
        if world.is_split() {
            if !world.pages_can_follow() {
                let hosts = [Host::Source, Host::Destination].map(|host| standing(host, world));
                return Some(format!("pages are missing where the VM runs and cannot come: {}", hosts.join("; ")));
            }
            self.runs_again(finished.at, world);
            let (from, stood) = self.late?;
            let (stood, bound) = (stood.seconds(), self.bound(world).seconds());
            return Some(format!("every vCPU waited for {stood} s from {from} on; the bound is {bound} s"));
        }
        let complete: Vec<_> = world.vm().copies().filter(|(_, copy)| copy.is_complete()).collect();
        if complete.is_empty() {
            return None;
        }
        let executing: Vec<_> = complete.iter().filter(|(_, copy)| copy.executes()).collect();
        if executing.is_empty() {
            let since = self.stands_since.unwrap_or(SimTime::ZERO);
            let stood = finished.at.saturating_since(since.max(last_change(world)));
            if finished.stop == Stop::Horizon && stood <= self.bound(world) {
                return None;
            }
            let hosts: Vec<_> = complete.iter().map(|(host, _)| standing(*host, world)).collect();
            return Some(format!("no copy executes since {since}, though one is complete: {}", hosts.join("; ")));
        }
        if !executing.iter().any(|(host, _)| world.can_release(*host)) {
            return Some("the VM executes where none of its output can leave".into());
        }
        if let Some(waits) = self.output_waits(finished.at, finished.stop == Stop::Settled, world) {
            return Some(waits);
        }
        self.runs_again(finished.at, world);
        let (from, stood) = self.late?;
        let (stood, bound) = (stood.seconds(), self.bound(world).seconds());
        Some(format!("no copy executed for {stood} s from {from} on; the bound is {bound} s"))
    }
}

fn standing(host: Host, world: &World) -> String {
    match world.standing(host) {
        Some(standing) => format!("{host} is {standing}"),
        None if world.vmm_alive(host) => format!("the agent at {host} is dead"),
        None => format!("{host} is dead"),
    }
}

/// The end of the last fault, or the last change of the link's rate if that is later.
fn last_change(world: &World) -> SimTime {
    let end = |state: &FaultState| match state {
        FaultState::Fired { at, ended, .. } => Some(ended.unwrap_or(*at)),
        FaultState::Pending | FaultState::Armed | FaultState::Void(_) => None,
    };
    let rates = world.scenario().network.rate_trace.iter().map(|step| SimTime::ZERO + step.from);
    let rates = rates.filter(|at| *at <= world.now());
    world.faults().iter().filter_map(end).chain(rates).max().unwrap_or(SimTime::ZERO)
}
