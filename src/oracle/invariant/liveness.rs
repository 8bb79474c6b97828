//! `liveness`: within a bound B after the last fault ended, the VM is lost, or a complete copy advances and can release its output.
//!
//! Why: a protocol that keeps every promise by never running the VM again keeps too few. B is the longest chain
//! of timers, retries, transfers and starts that the scenario allows. A scenario that expects `stalled` is not judged by it.

use super::{Check, Fact, Invariant, SimTime, World};
use crate::engine::{Finished, Stop};
use crate::scenario::policy::{Encoding, Heartbeat, Rule, StopRule};
use crate::scenario::{FaultKind, Scenario};
use crate::units::{Ratio, Span};
use crate::vocabulary::{Host, Outcome};
use crate::world::FaultState;

/// When the VM last stopped executing, if it does not execute.
#[derive(Default)]
pub(super) struct Liveness {
    stands_since: Option<SimTime>,
    /// The first time past the bound in which no copy executed: from when, how long.
    late: Option<(SimTime, Span)>,
}

impl Liveness {
    fn runs_again(&mut self, at: SimTime, world: &World) {
        if let Some(since) = self.stands_since.take() {
            let from = since.max(last_change(world));
            let stood = at.saturating_since(from);
            if stood > bound(world) && self.late.is_none() {
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
            Fact::Resumed(_) | Fact::Unblocked { all: true, .. } => self.runs_again(at, world),
            Fact::Blocked { all: true, .. } => self.stands_since = self.stands_since.or(Some(at)),
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
        if world.is_split() {
            if !world.pages_can_follow() {
                let hosts = [Host::Source, Host::Destination].map(|host| standing(host, world));
                return Some(format!("pages are missing where the VM runs and cannot come: {}", hosts.join("; ")));
            }
            self.runs_again(finished.at, world);
            let (from, stood) = self.late?;
            return Some(format!("every vCPU waited for {stood} from {from} on; the bound is {}", bound(world)));
        }
        let complete: Vec<_> = world.vm().copies().filter(|(_, copy)| copy.is_complete()).collect();
        if complete.is_empty() {
            return None;
        }
        let executing: Vec<_> = complete.iter().filter(|(_, copy)| copy.executes()).collect();
        if executing.is_empty() {
            let since = self.stands_since.unwrap_or(SimTime::ZERO);
            let stood = finished.at.saturating_since(since.max(last_change(world)));
            if finished.stop == Stop::Horizon && stood <= bound(world) {
                return None;
            }
            let hosts: Vec<_> = complete.iter().map(|(host, _)| standing(*host, world)).collect();
            return Some(format!("no copy executes since {since}, though one is complete: {}", hosts.join("; ")));
        }
        if !executing.iter().any(|(host, _)| world.can_release(*host)) {
            return Some("the VM executes where none of its output can leave".into());
        }
        self.runs_again(finished.at, world);
        let (from, stood) = self.late?;
        let bound = bound(world);
        Some(format!("no copy executed for {stood} from {from} on; the bound is {bound}"))
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

/// B: detection, one longest retransmission and two questions, all memory twice at the slowest rate, and the starts.
fn bound(world: &World) -> Span {
    let scenario = world.scenario();
    let network = &scenario.network;
    let detection = match &scenario.policy.detector.heartbeat {
        Some(heartbeat) => silence(heartbeat),
        None => network.give_up,
    };
    let migration = &scenario.policy.migration;
    let clark = migration.pre_copy().and_then(|pre_copy| match pre_copy.stop_rule {
        StopRule::Clark { max_rate, .. } => Some(max_rate),
        StopRule::Qemu { .. } => None,
    });
    let push = migration.post_copy().and_then(|post_copy| post_copy.max_bandwidth);
    let own = clark.into_iter().chain(push);
    let rates = network.rate_trace.iter().map(|step| step.rate).chain(world.network().stream_bound()).chain(own);
    let slowest = rates.filter(|rate| rate.get() > 0).fold(network.rate, Ord::min);
    let transfer = slowest.time_for(scenario.vms[0].memory * 2).unwrap_or(Span::ZERO);
    let platform = &scenario.platform;
    let pages = scenario.vms[0].memory.pages(platform.page_size).get();
    let placing = platform.place_page.saturating_add(platform.first_touch).max(platform.place_zero);
    let handling =
        platform.read_page.saturating_add(placing).saturating_add(encoding_cost(scenario)).saturating_mul(pages);
    let starts = platform.stop.saturating_add(platform.load).saturating_add(platform.resume);
    // A command that was lost is repeated once.
    let recovery = match scenario.operator.recover {
        Some(recover) => recover.after.saturating_add(recover.retry.saturating_mul(2)),
        None => Span::ZERO,
    };
    let (links, work) = lasting(world);
    let transfer = stretched(transfer, &links);
    let [handling, starts] = [handling, starts].map(|span| stretched(span, &work));
    [network.rto_max, scenario.policy.handover.ask_period.saturating_mul(2), transfer, handling, starts, recovery]
        .into_iter()
        .fold(detection, Span::saturating_add)
}

/// The silence after which a node suspects its peer. After phi it depends on what was seen; intervals beyond three periods would have
/// been suspicious themselves.
fn silence(heartbeat: &Heartbeat) -> Span {
    match heartbeat.rule {
        Rule::Misses { timeout, misses } => heartbeat.period.saturating_mul(misses).saturating_add(timeout),
        Rule::Phi(phi) => {
            let deviation = phi.min_deviation.max(heartbeat.period);
            heartbeat.period.saturating_mul(3).saturating_add(deviation.saturating_mul(MAX_DEVIATIONS))
        }
    }
}

/// No quantile of the phi detector is further from its mean.
const MAX_DEVIATIONS: u64 = 9;

/// How many times as long transfers and work take for good, by faults that have fired and do not end.
fn lasting(world: &World) -> (Vec<Ratio>, Vec<Ratio>) {
    let faults = world.scenario().faults.iter().zip(world.faults());
    let stays = |state: &FaultState| matches!(state, FaultState::Fired { ended: None, .. });
    let parts = faults.filter(|(_, state)| stays(state)).flat_map(|(fault, _)| fault.what.parts());
    let (mut links, mut work) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            FaultKind::Degrade { rate, .. } | FaultKind::DegradeCard { rate, .. } => {
                links.push(Ratio::new(rate.den(), rate.num()));
            }
            FaultKind::Slow { factor, .. } => work.push(*factor),
            _ => {}
        }
    }
    (links, work)
}

fn stretched(span: Span, factors: &[Ratio]) -> Span {
    factors.iter().fold(span, |span, factor| span.scale_saturating(*factor))
}

/// What the encoding of one page costs at both ends.
fn encoding_cost(scenario: &Scenario) -> Span {
    let platform = &scenario.platform;
    let known = |cost: Option<Span>| cost.unwrap_or(Span::ZERO);
    match scenario.policy.migration.pre_copy().map(|pre_copy| pre_copy.encoding) {
        Some(Encoding::Xbzrle { .. }) => known(platform.xbzrle_page),
        Some(Encoding::Compressed) => known(platform.compress_page).saturating_add(known(platform.decompress_page)),
        Some(Encoding::Plain) | None => Span::ZERO,
    }
}
