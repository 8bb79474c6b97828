//! The smallest counterexample: fewer faults, for good instead of for a time, less memory, the earliest place; then an address that
//! outlives a change of the program, a time instead of an event's number.
//!
//! Each step keeps what still shows the same shortfall, and searches in a fixed order, so that shrinking what is shrunk changes
//! nothing.

use std::sync::Arc;

use rayon::prelude::*;

use crate::metric::fault_name;
use crate::oracle::class_of_fault;
use crate::run::simulate;
use crate::scenario::{Capsule as Note, EventPlace, Fault, Late, Scenario, Trigger};
use crate::units::Span;
use crate::vocabulary::Invariant;
use crate::world::FaultState;

use super::probe::{Probe, Seen, Trial, bare};
use super::reference::{Point, Reference, Steps, choose};
use super::twin::halved;

/// Places at which a smaller scenario is tried.
const PLACES: usize = 600;

/// How far one message is held past others.
const LATE_PAST: u64 = 8;

/// Places that are tried side by side before it is asked whether one of them will do.
const AT_ONCE: usize = 64;

/// What a counterexample must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shows {
    /// A shortfall of this class.
    Broken(String),
    /// This invariant, whether it is claimed or not.
    Violates(Invariant),
}

impl Shows {
    fn seen(&self, seen: &Seen) -> bool {
        match self {
            Self::Broken(class) => seen.broken.iter().any(|broken| broken.class == *class),
            Self::Violates(invariant) => seen.violations.contains(invariant),
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Broken(class) => class.clone(),
            Self::Violates(invariant) => format!("invariant:{invariant}"),
        }
    }
}

/// What is being made smaller.
#[derive(Debug, Clone)]
struct Case {
    scenario: Arc<Scenario>,
    probe: Probe,
}

/// The smallest scenario that shows what a run has shown; `None` if that run does not.
pub fn shrink(scenario: &Arc<Scenario>, probe: &Probe, shows: &Shows) -> Option<Scenario> {
    let scenario = probe.varied.clone().unwrap_or_else(|| scenario.clone());
    let trial = if probe.trial == Trial::Written { Trial::Told } else { probe.trial };
    let probe = Probe { varied: None, trial, ..probe.clone() };
    let mut case = Case { scenario, probe };
    let first = case.probe.run(&case.scenario);
    if !shows.seen(&first) {
        return None;
    }
    case = fewer(case, shows);
    case = for_good(case, shows);
    while let Some(smaller) = halved(&case.scenario).and_then(|smaller| found(&Arc::new(smaller), &case, shows)) {
        case = smaller;
    }
    case = found(&case.scenario.clone(), &case, shows).unwrap_or(case);
    case = by_time(case, shows);
    Some(capsule(&case, shows))
}

fn holds(case: Case, shows: &Shows) -> Option<Case> {
    shows.seen(&case.probe.run(&case.scenario)).then_some(case)
}

/// Without the faults that it does not need.
fn fewer(mut case: Case, shows: &Shows) -> Case {
    let mut index = 0;
    while index < case.probe.faults.len() && case.probe.faults.len() > 1 {
        let mut less = case.clone();
        less.probe.faults.remove(index);
        less.probe.trial = trial(&less);
        match holds(less, shows) {
            Some(less) => case = less,
            None => index += 1,
        }
    }
    case
}

/// What is claimed of a case with the faults that it has now.
fn trial(case: &Case) -> Trial {
    let claimed = |fault: &Fault| {
        let class = class_of_fault(fault)?;
        case.scenario.verdict.tolerates.contains(&class).then_some(class)
    };
    match (case.probe.trial, case.probe.faults.as_slice()) {
        (Trial::Told, _) => Trial::Told,
        (_, [fault]) => claimed(fault).map_or(Trial::Told, Trial::Claimed),
        (other, _) => other,
    }
}

/// Faults that need not end.
fn for_good(mut case: Case, shows: &Shows) -> Case {
    for index in 0..case.probe.faults.len() {
        let mut simpler = case.clone();
        let fault = &mut simpler.probe.faults[index];
        if std::mem::take(&mut fault.lasts).is_none() && std::mem::take(&mut fault.restarts_after).is_none() {
            continue;
        }
        simpler.probe.trial = trial(&simpler);
        case = holds(simpler, shows).unwrap_or(case);
    }
    case
}

/// The earliest place at which the faults of `case` show the same in this scenario.
fn found(scenario: &Arc<Scenario>, case: &Case, shows: &Shows) -> Option<Case> {
    let Reference { steps, .. } = Reference::of(scenario, case.probe.seed);
    let tries: Vec<Probe> = match case.probe.faults.as_slice() {
        [] => late(&steps, &case.probe),
        faults => {
            let apart = apart(case);
            choose(&steps.points(), PLACES).into_iter().map(|point| at(&case.probe, faults, point, apart)).collect()
        }
    };
    tries.chunks(AT_ONCE).find_map(|some| {
        let seen: Vec<bool> = some.par_iter().map(|probe| shows.seen(&probe.run(scenario))).collect();
        let index = seen.iter().position(|seen| *seen)?;
        Some(Case { scenario: scenario.clone(), probe: some[index].clone() })
    })
}

fn late(steps: &Steps, probe: &Probe) -> Vec<Probe> {
    let arrivals = steps.arrivals().into_iter();
    let all = arrivals.flat_map(|event| (1..=LATE_PAST).map(move |past| Late { event, past }));
    all.map(|late| Probe { late: Some(late), ..probe.clone() }).collect()
}

/// How long after the first fault each of the others struck.
fn apart(case: &Case) -> Option<Span> {
    let result = simulate(&Arc::new(case.probe.scenario(&case.scenario)), case.probe.seed.seed, 0);
    let mut struck = result.faults.iter().filter_map(|state| match state {
        FaultState::Fired { at, .. } => Some(*at),
        _ => None,
    });
    let first = struck.next()?;
    Some(struck.next()?.saturating_since(first))
}

/// The first fault at this place, the others as long after it as they were.
fn at(probe: &Probe, faults: &[Fault], point: Point, apart: Option<Span>) -> Probe {
    let mut moved = faults.to_vec();
    for (index, fault) in moved.iter_mut().enumerate() {
        fault.when = match (index, apart) {
            (0, _) | (_, None) => point.trigger(),
            (_, Some(apart)) => Trigger::At(point.at.since_start().saturating_add(apart)),
        };
    }
    Probe { faults: moved, ..probe.clone() }
}

/// The same instants as times, or a nanosecond after them, where that shows the same.
fn by_time(case: Case, shows: &Shows) -> Case {
    let result = simulate(&Arc::new(case.probe.scenario(&case.scenario)), case.probe.seed.seed, 0);
    let later = |after: Span| {
        let mut timed = case.clone();
        for (fault, state) in timed.probe.faults.iter_mut().zip(&result.faults) {
            if let FaultState::Fired { at, .. } = state
                && !matches!(fault.when, Trigger::Event { place: EventPlace::Within(_), .. })
            {
                fault.when = Trigger::At(at.since_start().saturating_add(after));
            }
        }
        holds(timed, shows)
    };
    later(Span::ZERO).or_else(|| later(Span::from_ns(1))).unwrap_or(case)
}

/// The scenario that repeats it, with what it shows.
fn capsule(case: &Case, shows: &Shows) -> Scenario {
    let probe = &case.probe;
    let mut scenario =
        Scenario { late: probe.late, seed: probe.seed.seed, ..bare(&case.scenario, probe.faults.clone()) };
    scenario.verdict.must_violate = case.scenario.verdict.must_violate;
    let result = simulate(&Arc::new(scenario.clone()), scenario.seed, 0);
    let what = match shows {
        Shows::Broken(class) => {
            let shortfalls = &result.judgement.shortfalls;
            shortfalls.iter().find(|shortfall| shortfall.class == *class).map(|shortfall| shortfall.what.clone())
        }
        Shows::Violates(invariant) => {
            result.violations.iter().find(|v| v.invariant == *invariant).map(|violation| violation.what.clone())
        }
    };
    let kinds: Vec<String> = probe.faults.iter().map(fault_name).collect();
    let kind = if kinds.is_empty() { "a late message".to_owned() } else { kinds.join(" then ") };
    scenario.why =
        format!("Found by `check` in {}, {kind}: {}.", case.scenario.name, what.unwrap_or_else(|| shows.word()));
    scenario.capsule = Some(Note {
        shows: shows.word(),
        outcome: result.outcome,
        violates: result.violations.iter().map(|violation| violation.invariant).collect(),
        fingerprint: result.record.fingerprint,
        version: env!("CARGO_PKG_VERSION").into(),
    });
    scenario
}
