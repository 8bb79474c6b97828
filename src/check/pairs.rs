//! Second faults: started at the events of the first fault's own run, always from the suspicion until the VM is restored. What two
//! faults do to the VM is not claimed; that nobody sees two histories, and no restore is of what never was, is.

use crate::units::Span;

use super::campaign::{Campaign, Single};
use super::family::Kind;
use super::probe::{Probe, Trial};
use super::reference::{Point, Steps, choose};

/// Second faults started after one first fault.
const SECONDS: usize = 6;

/// The pairs that a check tries.
pub(super) fn plan(campaign: &Campaign<'_>, singles: &[Single]) -> Vec<Probe> {
    let kinds: Vec<&Kind> =
        campaign.groups.iter().flat_map(super::campaign::Group::asked).filter(|k| k.claimed).collect();
    if kinds.is_empty() || campaign.scenario.verdict.must_violate.is_some() {
        return Vec::new();
    }
    let firsts: Vec<&Single> = singles.iter().filter(|single| is_first(campaign, single)).collect();
    let affordable = campaign.affordable(2) / (SECONDS + 1);
    let count = affordable.max(1).min(firsts.len());
    let mut probes = Vec::new();
    for i in 0..count {
        let first = firsts[(2 * i + 1) * firsts.len() / (2 * count)];
        let points = after(campaign, first);
        for (turn, point) in choose(&points, SECONDS).into_iter().enumerate() {
            let kind = kinds[(i * SECONDS + turn) % kinds.len()];
            if point.is_within() && !kind.interrupts() {
                continue;
            }
            let duration = first.seen.suspected.zip(first.seen.struck).map_or(Span::from_s(1), |(to, from)| to - from);
            let mut faults = first.probe.faults.clone();
            faults.push(kind.fault(point.trigger(), Some(duration)));
            probes.push(Probe {
                kind: format!("{} then {}", first.probe.kind, kind.name),
                trial: Trial::Pair,
                faults,
                late: None,
                varied: None,
                seed: first.probe.seed,
            });
        }
    }
    probes
}

/// Whether it struck, in the guarantee window of its claim.
fn is_first(campaign: &Campaign<'_>, single: &Single) -> bool {
    let kind = &campaign.groups[single.group].for_good;
    kind.claimed && single.seen.fired && single.seen.in_window
}

/// Where a second fault may strike: from the suspicion until the VM is restored; without one, from the first fault on.
fn after(campaign: &Campaign<'_>, first: &Single) -> Vec<Point> {
    let mut steps = Steps::default();
    first.probe.run_with(&campaign.scenario, &mut [&mut steps]);
    let from = first.seen.suspected.or(first.seen.struck);
    let mut points = steps.points();
    points.retain(|point| Some(point.at) >= from && first.seen.restored.is_none_or(|to| point.at <= to));
    points
}
