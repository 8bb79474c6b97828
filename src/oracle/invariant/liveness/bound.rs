//! B: how long the longest chain of timers, retries, transfers and starts takes that a scenario allows.

use crate::scenario::policy::{Encoding, Fencing, Heartbeat, Rule, Save, StopRule, Trigger};
use crate::scenario::{FaultKind, Scenario};
use crate::units::{ByteRate, Ratio, Span};
use crate::world::{FaultState, World};

const BYTES_PER_GIB: u64 = 1 << 30;

/// Detection, one longest retransmission and two questions, all memory twice at the slowest rate, the starts, and what checkpoints
/// and restores add.
pub(super) fn bound(world: &World) -> Span {
    let scenario = world.scenario();
    let network = &scenario.network;
    let detection = match &scenario.policy.detector.heartbeat {
        Some(heartbeat) => silence(heartbeat),
        None => network.give_up,
    };
    let slowest = slowest_rate(world);
    let transfer = slowest.time_for(scenario.vms[0].memory * 2).unwrap_or(Span::ZERO);
    let platform = &scenario.platform;
    let placing =
        platform.place_page.saturating_add(platform.first_touch).max(platform.place_missing).max(platform.place_zero);
    let handling = platform
        .read_page
        .saturating_add(placing)
        .saturating_add(encoding_cost(scenario))
        .saturating_mul(pages(scenario));
    let starts = platform.stop.saturating_add(platform.load).saturating_add(platform.resume);
    // A dead VMM's connections end when its memory has been taken back; a GiB more than there is covers the rest of one.
    let gib = scenario.vms[0].memory.get() / BYTES_PER_GIB + 1;
    let starts = starts.saturating_add(platform.exit_per_gib.saturating_mul(gib));
    // A command that was lost is repeated once.
    let recovery = match scenario.operator.recover {
        Some(recover) => recover.after.saturating_add(recover.retry.saturating_mul(2)),
        None => Span::ZERO,
    };
    let (links, work) = lasting(world);
    let transfer = stretched(transfer, &links);
    let [handling, starts] = [handling, starts].map(|span| stretched(span, &work));
    let protection = stretched(stretched(protection(scenario, slowest), &links), &work);
    let asking = scenario.policy.handover.ask_period.saturating_mul(2);
    let parts = [network.rto_max, asking, transfer, handling, starts, recovery, protection];
    parts.into_iter().fold(detection, Span::saturating_add)
}

fn pages(scenario: &Scenario) -> u64 {
    scenario.vms[0].memory.pages(scenario.platform.page_size).get()
}

/// The slowest rate above zero that the network or a limit of the policy ever has.
fn slowest_rate(world: &World) -> ByteRate {
    let scenario = world.scenario();
    let migration = &scenario.policy.migration;
    let clark = migration.pre_copy().and_then(|pre_copy| match pre_copy.stop_rule {
        StopRule::Clark { max_rate, .. } => Some(max_rate),
        StopRule::Qemu { .. } => None,
    });
    let push = migration.post_copy().and_then(|post_copy| post_copy.max_bandwidth);
    let saved = match scenario.policy.checkpoint.as_ref().and_then(|checkpoint| checkpoint.save) {
        Some(Save::Stopped(rule) | Save::Live(rule)) => rule.max_bandwidth,
        Some(Save::Background) | None => None,
    };
    let own = clark.into_iter().chain(push).chain(saved);
    let traced = scenario.network.rate_trace.iter().map(|step| step.rate);
    let rates = traced.chain(world.network().stream_bound()).chain(own);
    rates.filter(|rate| rate.get() > 0).fold(scenario.network.rate, Ord::min)
}

/// What checkpoints add: a store is found lost and tried again; a round, and a restore, of as many pages as there are; fencing.
fn protection(scenario: &Scenario, slowest: ByteRate) -> Span {
    let Some(checkpoint) = &scenario.policy.checkpoint else { return Span::ZERO };
    let costs = &scenario.platform.checkpoint;
    let interval = match checkpoint.trigger {
        Trigger::Periodic { interval, .. } => interval,
        Trigger::Output | Trigger::Once => Span::ZERO,
    };
    let fencing = match scenario.policy.fencing {
        Fencing::None | Fencing::StoreClaim => Span::ZERO,
        // The drift is at most ten per cent, on both sides.
        Fencing::Lease(lease) => lease.term.saturating_mul(2).saturating_add(lease.margin),
        Fencing::Stonith(stonith) => stonith.takes.saturating_add(stonith.retry),
    };
    let disk = costs.disk_page.unwrap_or(Span::ZERO).saturating_mul(2);
    let file = [costs.file_page, costs.snapshot_page].into_iter().flatten();
    let page = [costs.stage_page, costs.store_page, costs.restore_page, disk]
        .into_iter()
        .chain(file)
        .fold(Span::ZERO, Span::saturating_add);
    // To the store, and from it.
    let transfer = slowest.time_for(scenario.vms[0].memory * 2).unwrap_or(Span::ZERO);
    let parts = [
        interval,
        costs.stage.saturating_mul(2),
        costs.suspend,
        costs.unsuspend,
        costs.commit,
        costs.launch,
        costs.restore,
        page.saturating_mul(pages(scenario)),
        transfer,
        checkpoint.store_timeout,
        checkpoint.restore_retry.saturating_mul(2),
    ];
    parts.into_iter().fold(fencing, Span::saturating_add)
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
            FaultKind::Slow { factor, .. } | FaultKind::SlowStore(factor) => work.push(*factor),
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
