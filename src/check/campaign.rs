//! What a check tries, in which order, and what it keeps of it.
//!
//! 1. The scenario as it is written.
//! 2. For each of the seeds: every fault for good, at chosen places of the run in which nothing fails.
//! 3. The faults that end, at the same places: just below and above each timer, until after the suspicion and until after the
//!    restore that the same fault for good led to.
//! 4. Second faults ([`super::pairs`]), late messages, random trials ([`super::swarm`]).
//!
//! What each stage may cost is a share of the plan's events; places are chosen so that every phase has its first and last.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::rng::RunSeed;
use crate::scenario::{Fault, Late, Scenario};
use crate::units::Span;
use crate::vocabulary::{FaultClass, Invariant};

use super::family::{Kind, about_timers, family};
use super::probe::{Probe, Seen, Trial};
use super::reference::{Point, Reference, choose, spread};
use super::twin::twin;
use super::{Checked, Coverage, Finding, Lasting, Plan, SEEDS, Watch, pairs, swarm};

/// Shares of the plan's events, of a hundred: single faults for good, faults that end, second faults, late messages.
const SHARES: [u64; 4] = [50, 25, 15, 10];

/// The same fault with and without an end.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub for_good: Kind,
    /// Whether that is in the scenario's family.
    pub is_asked: bool,
    pub ending: Vec<Kind>,
}

/// One check.
pub(super) struct Campaign<'a> {
    /// The scenario as it is written.
    written: &'a Arc<Scenario>,
    /// With as small a guest as will do.
    pub scenario: Arc<Scenario>,
    pub plan: &'a Plan,
    watch: &'a dyn Watch,
    pub groups: Vec<Group>,
    /// The run in which nothing fails, for each seed.
    pub references: Vec<Reference>,
    pub coverage: Coverage,
    findings: BTreeMap<String, Finding>,
    claims: BTreeMap<FaultClass, (u64, u64)>,
    told: BTreeMap<Invariant, u64>,
    caught: Option<Probe>,
    every_place: bool,
    runs: (u64, u64),
}

/// A single fault that has been tried: which, where, and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Single {
    pub group: usize,
    pub point: Point,
    pub probe: Probe,
    pub seen: Seen,
}

impl<'a> Campaign<'a> {
    pub fn new(scenario: &'a Arc<Scenario>, plan: &'a Plan, watch: &'a dyn Watch) -> Self {
        let written = scenario;
        let scenario = if plan.full_size { written.clone() } else { twin(written) };
        Self {
            written,
            plan,
            watch,
            groups: groups(&scenario),
            references: references(&scenario, plan),
            coverage: Coverage::default(),
            findings: BTreeMap::new(),
            claims: scenario.verdict.tolerates.iter().map(|class| (*class, (0, 0))).collect(),
            told: BTreeMap::new(),
            caught: None,
            every_place: true,
            runs: (0, 0),
            scenario,
        }
    }

    pub fn run(mut self) -> Checked {
        self.as_written();
        let asked: Vec<String> = self.groups.iter().flat_map(Group::asked).map(|kind| kind.name.clone()).collect();
        for name in &asked {
            self.coverage.name(name);
        }
        let singles = self.singles();
        self.ending(&singles);
        let second = pairs::plan(&self, &singles);
        self.judge_all(&second);
        let late = self.late();
        self.judge_all(&late);
        let random = swarm::plan(&self);
        self.judge_all(&random);
        self.checked()
    }

    /// So many runs fit into this share of the plan.
    pub fn affordable(&self, stage: usize) -> usize {
        let one = self.references.iter().map(|reference| reference.events).max().unwrap_or(1).max(1);
        usize::try_from(self.plan.events / 100 * SHARES[stage] / one).unwrap_or(usize::MAX)
    }

    /// How many runs it takes, about.
    pub fn predicted(&self) -> usize {
        let about = about_timers(&self.scenario.policy).len();
        let seeds = self.references.len();
        let each = (self.affordable(0) / (self.groups.len() * seeds).max(1)).max(PLACES_MIN);
        let (mut singles, mut ending, mut late) = (0, 0, 0);
        for Reference { steps, .. } in &self.references {
            let points = steps.points();
            let between = points.iter().filter(|point| !point.is_within()).count();
            for group in &self.groups {
                let all = if group.for_good.interrupts() { points.len() } else { between };
                singles += all.min(each);
                ending += all.min(each) * group.ending.len();
            }
            let all = steps.arrivals().len() * usize::try_from(self.plan.late_past).unwrap_or(usize::MAX);
            late += all.min((self.affordable(3) / seeds).max(PLACES_MIN));
        }
        // About so many durations; about half of the single faults are first ones.
        let ending = (ending * (about + 2)).min(self.affordable(1).max(ending));
        let second = (singles / 2 * pairs::SECONDS).min(self.affordable(2));
        let random = usize::try_from(self.plan.swarm).unwrap_or(usize::MAX);
        1 + singles + ending + second + late + random
    }

    fn as_written(&mut self) {
        let seed = RunSeed { seed: self.plan.seed.unwrap_or(self.scenario.seed), replication: 0 };
        let faults = self.scenario.faults.clone();
        let kind = "as written".to_owned();
        self.judge_all(&[Probe { kind, trial: Trial::Written, faults, late: None, varied: None, seed }]);
    }

    /// Every fault for good.
    fn singles(&mut self) -> Vec<Single> {
        let (mut plan, mut probes) = (Vec::new(), Vec::new());
        let each = self.affordable(0) / (self.groups.len() * self.references.len()).max(1);
        for Reference { seed, steps, .. } in &self.references {
            let points = steps.points();
            self.coverage.enter(points.iter().map(|point| point.phase));
            let between: Vec<Point> = points.iter().copied().filter(|point| !point.is_within()).collect();
            for (index, group) in self.groups.iter().enumerate() {
                let points = if group.for_good.interrupts() { &points } else { &between };
                self.every_place &= points.len() <= each.max(PLACES_MIN);
                for point in choose(points, each.max(PLACES_MIN)) {
                    plan.push((index, point));
                    probes.push(self.probe(&group.for_good, vec![group.for_good.fault(point.trigger(), None)], *seed));
                }
            }
        }
        let seen = self.run_all(&probes);
        let all = plan.into_iter().zip(probes).zip(seen);
        let singles: Vec<Single> = all
            .filter_map(|(((group, point), probe), seen)| Some(Single { group, point, probe, seen: seen? }))
            .collect();
        for single in &singles {
            if self.groups[single.group].is_asked {
                self.judge(&single.probe, &single.seen);
                self.coverage.count(&single.probe.kind, single.point.phase, &single.seen);
            }
        }
        singles
    }

    /// The same faults with an end.
    fn ending(&mut self, singles: &[Single]) {
        let about = about_timers(&self.scenario.policy);
        let ending = self.groups.iter().map(|group| group.ending.len()).sum::<usize>();
        if ending == 0 || singles.is_empty() {
            return;
        }
        let of_ending: Vec<&Single> = singles.iter().filter(|s| !self.groups[s.group].ending.is_empty()).collect();
        let affordable = self.affordable(1).max(ending * PLACES_MIN);
        // Of each place so many durations, or of every n-th place one.
        let each = affordable / of_ending.len().max(1);
        let every = (of_ending.len() / affordable.max(1)).max(1);
        let (mut phases, mut probes) = (Vec::new(), Vec::new());
        for (number, single) in of_ending.iter().enumerate().step_by(every) {
            let group = &self.groups[single.group];
            for kind in &group.ending {
                let durations = durations(&about, kind.own, &single.seen);
                let some = each.clamp(1, durations.len());
                for turn in 0..some {
                    // Neighbouring places take different ones.
                    let duration = durations[(number / every * some + turn) % durations.len()];
                    phases.push(single.point.phase);
                    let fault = kind.fault(single.point.trigger(), Some(duration));
                    probes.push(self.probe(kind, vec![fault], single.probe.seed));
                }
            }
        }
        let seen = self.run_all(&probes);
        for ((phase, probe), seen) in phases.into_iter().zip(&probes).zip(&seen) {
            if let Some(seen) = seen {
                self.judge(probe, seen);
                self.coverage.count(&probe.kind, phase, seen);
            }
        }
    }

    /// Messages that come late.
    fn late(&self) -> Vec<Probe> {
        if self.scenario.verdict.must_violate.is_some() {
            return Vec::new();
        }
        let mut probes = Vec::new();
        let each = self.affordable(3) / self.references.len().max(1);
        for Reference { seed, steps, .. } in &self.references {
            let arrivals = steps.arrivals();
            let all =
                arrivals.iter().flat_map(|&event| (1..=self.plan.late_past).map(move |past| Late { event, past }));
            let all: Vec<Late> = all.collect();
            let count = each.max(PLACES_MIN).min(all.len());
            probes.extend(spread(count, all.len()).map(|index| Probe {
                kind: "a late message".into(),
                trial: Trial::Late,
                faults: Vec::new(),
                late: Some(all[index]),
                varied: None,
                seed: *seed,
            }));
        }
        probes
    }

    /// One of a kind, judged as the scenario claims.
    pub fn probe(&self, kind: &Kind, faults: Vec<Fault>, seed: RunSeed) -> Probe {
        let judged = self.scenario.verdict.must_violate.is_none() && kind.claimed;
        let trial = kind.class.filter(|_| judged).map_or(Trial::Told, Trial::Claimed);
        Probe { kind: kind.name.clone(), trial, faults, late: None, varied: None, seed }
    }

    /// Runs them side by side; `None`: it was told to stop before.
    pub fn run_all(&mut self, probes: &[Probe]) -> Vec<Option<Seen>> {
        self.watch.planned(probes.len() as u64);
        self.runs.1 += probes.len() as u64;
        let (written, scenario, watch) = (self.written, &self.scenario, self.watch);
        let one = |probe: &Probe| {
            if watch.stops() {
                return None;
            }
            let seen = probe.run(if probe.trial == Trial::Written { written } else { scenario });
            watch.done();
            Some(seen)
        };
        let seen: Vec<Option<Seen>> = probes.par_iter().map(one).collect();
        self.runs.0 += seen.iter().flatten().count() as u64;
        seen
    }

    fn judge_all(&mut self, probes: &[Probe]) {
        let seen = self.run_all(probes);
        for (probe, seen) in probes.iter().zip(&seen) {
            if let Some(seen) = seen {
                self.judge(probe, seen);
            }
        }
    }

    fn judge(&mut self, probe: &Probe, seen: &Seen) {
        if let Trial::Claimed(class) = probe.trial
            && seen.in_window
        {
            let (runs, broken) = self.claims.entry(class).or_default();
            *runs += 1;
            *broken += u64::from(!seen.broken.is_empty());
        }
        if self.scenario.verdict.must_violate.is_some_and(|must| seen.violations.contains(&must)) {
            self.caught.get_or_insert_with(|| probe.clone());
        }
        if probe.trial == Trial::Told {
            for invariant in &seen.violations {
                *self.told.entry(*invariant).or_default() += 1;
            }
        }
        for broken in &seen.broken {
            let key = format!("{:?} {}", probe.trial, broken.class);
            let new = || Finding { broken: broken.clone(), probe: probe.clone(), times: 0 };
            self.findings.entry(key).or_insert_with(new).times += 1;
        }
    }

    fn checked(self) -> Checked {
        let Reference { steps, ending_window, .. } = &self.references[0];
        let whole = self.runs.0 == self.runs.1;
        Checked {
            never_fired: if whole { self.coverage.never_fired() } else { Vec::new() },
            coverage: self.coverage,
            claims: self.claims.into_iter().map(|(class, (runs, broken))| (class, runs, broken)).collect(),
            findings: self.findings.into_values().collect(),
            must_violate: self.scenario.verdict.must_violate.map(|must| (must, self.caught)),
            told: self.told.into_iter().collect(),
            weak: steps.shows_no(&self.scenario),
            every_place: self.every_place && whole,
            places: steps.points().len(),
            ending_window: *ending_window,
            runs: self.runs,
            written: self.written.clone(),
            scenario: self.scenario,
        }
    }
}

/// Places that every fault is tried at, whatever the plan.
const PLACES_MIN: usize = 4;

impl Group {
    /// What of it is in the scenario's family.
    pub fn asked(&self) -> impl Iterator<Item = &Kind> {
        Some(&self.for_good).filter(|_| self.is_asked).into_iter().chain(&self.ending)
    }
}

fn groups(scenario: &Scenario) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for kind in family(scenario) {
        let place = groups.iter().position(|group| group.for_good.what == kind.what);
        let index = place.unwrap_or_else(|| {
            groups.push(Group { for_good: kind.for_good(), is_asked: false, ending: Vec::new() });
            groups.len() - 1
        });
        let group = &mut groups[index];
        if kind.lasting == Lasting::ForGood {
            (group.for_good, group.is_asked) = (kind, true);
        } else {
            group.ending.push(kind);
        }
    }
    groups
}

fn references(scenario: &Arc<Scenario>, plan: &Plan) -> Vec<Reference> {
    let first = plan.seed.unwrap_or(scenario.seed);
    let seeds = (0..SEEDS).map(|n| RunSeed { seed: first.wrapping_add(n), replication: 0 });
    seeds.map(|seed| Reference::of(scenario, seed)).collect()
}

/// For how long a fault lasts that had these consequences when it lasted for good.
fn durations(about: &[Span], own: Option<Span>, seen: &Seen) -> Vec<Span> {
    let just = Span::from_us(1);
    let since = |mark: Option<crate::units::SimTime>| Some((mark? - seen.struck?).saturating_add(just));
    let mut all: Vec<Span> = about.to_vec();
    all.extend([own, since(seen.suspected), since(seen.restored)].into_iter().flatten());
    all.sort_unstable();
    all.dedup();
    if all.is_empty() { vec![Span::from_s(1)] } else { all }
}
