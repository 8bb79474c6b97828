//! `liveness`: within a bound B after the last fault ended, the VM is lost, or a complete copy advances and can release its output.
//!
//! Why: a protocol that keeps every promise by never running the VM again keeps too few. B is the longest chain
//! of timers, retries, transfers and starts that the scenario allows. A scenario that expects `stalled` is not judged by it.

use super::{Check, Fact, Invariant, SimTime, World};
use crate::engine::Finished;
use crate::scenario::Scenario;
use crate::units::Span;
use crate::vocabulary::{Host, Outcome};
use crate::world::FaultState;

/// When the VM last stopped executing, if it does not execute.
#[derive(Default)]
pub(super) struct Liveness {
    stands_since: Option<SimTime>,
    /// The longest time, after faults, in which no copy executed.
    late: Option<(SimTime, Span)>,
}

impl Liveness {
    fn runs_again(&mut self, at: SimTime, world: &World) {
        if let Some(since) = self.stands_since.take() {
            let from = since.max(last_fault_end(world));
            let stood = at.saturating_since(from);
            if stood > bound(world.scenario()) && self.late.is_none() {
                self.late = Some((from, stood));
            }
        }
    }
}

impl Check for Liveness {
    fn invariant(&self) -> Invariant {
        Invariant::Liveness
    }

    fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) -> Option<String> {
        match fact {
            Fact::Resumed(_) => self.runs_again(at, world),
            Fact::Paused { .. } | Fact::CopyGone { executed: true, .. }
                if !world.vm().copies().any(|(_, copy)| copy.executes()) =>
            {
                self.stands_since = Some(at);
            }
            _ => {}
        }
        None
    }

    fn end(&mut self, finished: Finished, world: &World) -> Option<String> {
        if world.scenario().verdict.outcome.contains(&Outcome::Stalled) {
            return None;
        }
        let complete: Vec<_> = world.vm().copies().filter(|(_, copy)| copy.is_complete()).collect();
        if complete.is_empty() {
            return None;
        }
        let executing: Vec<_> = complete.iter().filter(|(_, copy)| copy.executes()).collect();
        if executing.is_empty() {
            let hosts: Vec<_> = complete.iter().map(|(host, _)| standing(*host, world)).collect();
            let since = self.stands_since.map_or(String::new(), |since| format!(" since {since}"));
            return Some(format!("no copy executes{since}, though one is complete: {}", hosts.join("; ")));
        }
        if !executing.iter().any(|(host, copy)| world.reaches_client(*host) || !emits(copy)) {
            return Some("the VM executes where none of its output can leave".into());
        }
        self.runs_again(finished.at, world);
        let (from, stood) = self.late?;
        let bound = bound(world.scenario());
        Some(format!("no copy executed for {stood} from {from} on; the bound is {bound}"))
    }
}

fn emits(copy: &crate::world::VmCopy) -> bool {
    copy.guest.as_ref().is_some_and(crate::model::guest::Guest::emits)
}

fn standing(host: Host, world: &World) -> String {
    match world.standing(host) {
        Some(standing) => format!("{host} is {standing}"),
        None => format!("{host} is dead"),
    }
}

fn last_fault_end(world: &World) -> SimTime {
    let end = |state: &FaultState| match state {
        FaultState::Fired { at, ended, .. } => Some(ended.unwrap_or(*at)),
        FaultState::Pending | FaultState::Armed | FaultState::Void(_) => None,
    };
    world.faults().iter().filter_map(end).max().unwrap_or(SimTime::ZERO)
}

/// B: detection, one longest retransmission and two questions, all memory over the link, and the starts.
fn bound(scenario: &Scenario) -> Span {
    let network = &scenario.network;
    let detection = match &scenario.policy.detector.heartbeat {
        Some(heartbeat) => heartbeat.period.saturating_mul(heartbeat.misses).saturating_add(heartbeat.timeout),
        None => network.give_up,
    };
    let slowest =
        network.rate_trace.iter().map(|step| step.rate).filter(|rate| rate.get() > 0).fold(network.rate, Ord::min);
    let transfer = slowest.time_for(scenario.vms[0].memory * 2).unwrap_or(Span::ZERO);
    let platform = &scenario.platform;
    let starts = platform.stop.saturating_add(platform.load).saturating_add(platform.resume);
    [network.rto_max, scenario.policy.handover.ask_period.saturating_mul(2), transfer, starts]
        .into_iter()
        .fold(detection, Span::saturating_add)
}
