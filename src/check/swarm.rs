//! Random trials beside the enumeration: any fault of the family at any instant, for any time, one or two of them, under other
//! seeds, detectors, intervals and rates. It must find no kind of violation that the enumeration lacks.

use std::sync::Arc;

use crate::rng::{Purpose, RunSeed, Stream};
use crate::scenario::policy::{Rule, Trigger as Due};
use crate::scenario::{Fault, Scenario, Trigger};
use crate::units::{Ratio, Span};

use super::campaign::{Campaign, Group};
use super::family::Kind;
use super::probe::{Probe, Trial};

/// As many random trials as the plan asks for.
pub(super) fn plan(campaign: &Campaign<'_>) -> Vec<Probe> {
    let kinds: Vec<&Kind> = campaign.groups.iter().flat_map(Group::asked).collect();
    if kinds.is_empty() {
        return Vec::new();
    }
    let reference = &campaign.references[0];
    let points = reference.steps.points();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let window = (first.at.since_start(), last.at.since_start());
    (0..campaign.plan.swarm).map(|number| trial(campaign, &kinds, reference.seed, window, number)).collect()
}

fn trial(campaign: &Campaign<'_>, kinds: &[&Kind], seed: RunSeed, window: (Span, Span), number: u64) -> Probe {
    let entity = u32::try_from(number).unwrap_or(u32::MAX);
    let mut draw = seed.stream(Purpose::Trials, entity);
    let one = |draw: &mut Stream| {
        let kind = kinds[usize::try_from(draw.below(kinds.len() as u64)).expect("an index")];
        let at = draw.uniform_time(window.0, window.1);
        (kind, kind.fault(Trigger::At(at), Some(duration(draw))))
    };
    let (first, fault) = one(&mut draw);
    let mut faults: Vec<Fault> = vec![fault];
    let mut probe = campaign.probe(first, Vec::new(), RunSeed { seed: draw.bits() >> 32, replication: 0 });
    if draw.chance(Ratio::new(1, 3)) {
        let (second, fault) = one(&mut draw);
        faults.push(fault);
        probe.kind = format!("{} and {}", first.name, second.name);
        probe.trial =
            if first.claimed && second.claimed && probe.trial != Trial::Told { Trial::Pair } else { Trial::Told };
    }
    probe.kind = format!("at random: {}", probe.kind);
    probe.faults = faults;
    probe.varied = Some(Arc::new(varied(&campaign.scenario, &mut draw)));
    probe
}

/// Between a microsecond and ten seconds, each order of magnitude alike.
fn duration(draw: &mut Stream) -> Span {
    let magnitude = 10u64.pow(u32::try_from(3 + draw.below(7)).expect("small"));
    Span::from_ns(magnitude * (1 + draw.below(9)) + draw.below(magnitude))
}

/// The scenario with a detector, an interval and rates that are up to twice as fast or half as fast.
fn varied(scenario: &Scenario, draw: &mut Stream) -> Scenario {
    let mut varied = scenario.clone();
    let mut factor = || Ratio::new(50 + draw.below(151), 100);
    let scaled = |span: Span, factor: Ratio| span.scale_saturating(factor).max(Span::from_us(1));
    if let Some(heartbeat) = &mut varied.policy.detector.heartbeat {
        let factor = factor();
        heartbeat.period = scaled(heartbeat.period, factor);
        if let Rule::Misses { timeout, .. } = &mut heartbeat.rule {
            *timeout = scaled(*timeout, factor);
        }
    }
    if let Some(checkpoint) = &mut varied.policy.checkpoint
        && let Due::Periodic { interval, .. } = &mut checkpoint.trigger
    {
        *interval = scaled(*interval, factor());
    }
    let migrate_at = scaled(varied.operator.migrate_at, factor());
    varied.operator.migrate_at = migrate_at.min(scenario.operator.migrate_at.saturating_add(Span::from_ms(300)));
    varied
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Plan;
    use crate::scenario::{LoadOptions, load_text};

    #[test]
    fn trials_are_spread_over_the_whole_run() {
        let text = include_str!("../../scenarios/proofs/postcopyft-source.json");
        let scenario = Arc::new(load_text("proof", text, &LoadOptions::default()).expect("it is good"));
        let asked = Plan { swarm: 200, ..Plan::QUICK };
        let campaign = Campaign::new(&scenario, &asked, &());
        let places: Vec<Span> =
            campaign.references[0].steps.points().iter().map(|place| place.at.since_start()).collect();
        let (first, last) = (places[0].ns(), places[places.len() - 1].ns());
        let mut tenths = [0; 10];
        for probe in plan(&campaign) {
            for fault in &probe.faults {
                let Trigger::At(at) = fault.when else { panic!("{fault:?} strikes at no instant") };
                tenths[usize::try_from((at.ns() - first) * 10 / (last - first + 1)).expect("small")] += 1;
            }
        }
        // About 27 are expected in each: that one has none has a chance of one in 10^11.
        assert!(tenths.iter().all(|struck| *struck > 0), "{tenths:?}");
    }
}
