//! Second faults: started at the events of the first fault's own run, always from the suspicion until the VM is restored. What two
//! faults do to the VM is not claimed; that nobody sees two histories, and no restore is of what never was, is.

use rayon::prelude::*;

use crate::units::Span;

use super::campaign::{Campaign, Group, Single};
use super::family::Kind;
use super::probe::{Probe, Trial};
use super::reference::{Point, Steps, choose, spread};

/// Second faults started after one first fault.
pub(super) const SECONDS: usize = 6;

/// The pairs that a check tries.
pub(super) fn plan(campaign: &Campaign<'_>, singles: &[Single]) -> Vec<Probe> {
    let kinds: Vec<&Kind> = campaign.groups.iter().flat_map(Group::asked).filter(|kind| kind.claimed).collect();
    if kinds.is_empty() || campaign.scenario.verdict.must_violate.is_some() {
        return Vec::new();
    }
    let firsts: Vec<&Single> = singles.iter().filter(|single| is_first(campaign, single)).collect();
    let affordable = campaign.affordable(2) / (SECONDS + 1);
    let count = affordable.max(1).min(firsts.len());
    let chosen: Vec<(usize, &Single)> =
        spread(count, firsts.len()).enumerate().map(|(turn, first)| (turn, firsts[first])).collect();
    let pairs = chosen.into_par_iter().map(|(turn, first)| seconds(campaign, first, &kinds, turn * SECONDS));
    pairs.collect::<Vec<Vec<Probe>>>().into_iter().flatten().collect()
}

/// One first fault with some second ones, beginning with the `turn`-th kind.
fn seconds(campaign: &Campaign<'_>, first: &Single, kinds: &[&Kind], turn: usize) -> Vec<Probe> {
    let duration = first.seen.suspected.zip(first.seen.struck).map_or(Span::from_s(1), |(to, from)| to - from);
    let chosen = choose(&after(campaign, first), SECONDS).into_iter().enumerate();
    let with_kind = chosen.map(|(n, point)| (point, kinds[(turn + n) % kinds.len()]));
    let possible = with_kind.filter(|(point, kind)| !point.is_within() || kind.interrupts());
    let one = |(point, kind): (Point, &Kind)| {
        let mut faults = first.probe.faults.clone();
        faults.push(kind.fault(point.trigger(), Some(duration)));
        Probe {
            kind: format!("{} then {}", first.probe.kind, kind.name),
            trial: Trial::Pair,
            faults,
            late: None,
            varied: None,
            seed: first.probe.seed,
        }
    };
    possible.map(one).collect()
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
