//! One run of a check: which faults, in which order of events; what came of it, and whether that is less than was claimed.

use std::sync::Arc;

use crate::engine::{Observer, TieRule};
use crate::rng::RunSeed;
use crate::run::{RunResult, simulate_with};
use crate::scenario::{Fault, Late, Scenario};
use crate::units::SimTime;
use crate::vocabulary::{FaultClass, Invariant, Outcome};
use crate::world::{Event, Fact, FaultState, PauseCause, World};

/// What is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// For readers and the table: what kind of fault.
    pub kind: String,
    /// What kind of trial.
    pub trial: Trial,
    /// The faults, none for a late message.
    pub faults: Vec<Fault>,
    /// The message that comes late.
    pub late: Option<Late>,
    /// What else is not as in the scenario that is checked, if anything is.
    pub varied: Option<Arc<Scenario>>,
    /// Of all random draws.
    pub seed: RunSeed,
}

/// What kind of trial it is, and so what is claimed of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trial {
    /// The scenario as it is written.
    Written,
    /// One fault of a class that is claimed to be tolerated.
    Claimed(FaultClass),
    /// One fault of the scenario that is not: what comes of it is told, not judged.
    Told,
    /// Two faults, each of a tolerated class: safety holds, survival is not claimed.
    Pair,
    /// No fault, and one message that comes late: safety holds.
    Late,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What became of the VM.
    pub outcome: Outcome,
    /// Whether all faults struck.
    pub fired: bool,
    /// Whether the one fault struck in the guarantee window.
    pub in_window: bool,
    /// What the oracle saw broken, waived or not.
    pub violations: Vec<Invariant>,
    /// What is less than was claimed.
    pub broken: Vec<Broken>,
    /// When the first fault struck.
    pub struck: Option<SimTime>,
    /// When a node first suspected its peer after that.
    pub suspected: Option<SimTime>,
    /// When the VM first ran again after that, restored.
    pub restored: Option<SimTime>,
}

/// A claim that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// `claim`, `invariant:<name>` or `liveness`.
    pub class: String,
    /// What happened, for a reader.
    pub what: String,
}

/// The scenario with other faults, and without what it expects of its own.
pub(super) fn bare(scenario: &Scenario, faults: Vec<Fault>) -> Scenario {
    let mut bare = Scenario { faults, ..scenario.clone() };
    bare.verdict.outcome.clear();
    bare.verdict.metrics.clear();
    // It need not be violated in every run of the family.
    bare.verdict.must_violate = None;
    bare
}

/// Looks for the instants that durations follow.
#[derive(Debug, Default)]
struct Marks {
    struck: Option<SimTime>,
    suspected: Option<SimTime>,
    restored: Option<SimTime>,
}

impl Observer for Marks {
    fn fact(&mut self, at: SimTime, fact: &Fact, _: &World) {
        match fact {
            Fact::Struck(_) => self.struck = self.struck.or(Some(at)),
            Fact::Suspected { .. } if self.struck.is_some() => self.suspected = self.suspected.or(Some(at)),
            Fact::Resumed(resumption) if resumption.cause == PauseCause::Switchover && self.suspected.is_some() => {
                self.restored = self.restored.or(Some(at));
            }
            _ => {}
        }
    }

    fn event(&mut self, _: SimTime, _: Event, _: &World) {}
}

impl Probe {
    /// Runs it on the scenario that is checked.
    pub(super) fn run(&self, scenario: &Scenario) -> Seen {
        self.run_with(scenario, &mut [])
    }

    /// The same, with further observers.
    pub(super) fn run_with(&self, scenario: &Scenario, further: &mut [&mut dyn Observer]) -> Seen {
        let run = Arc::new(self.scenario(scenario));
        let mut marks = Marks::default();
        let mut observers: Vec<&mut dyn Observer> = vec![&mut marks];
        for observer in further {
            observers.push(*observer);
        }
        let result = simulate_with(&run, self.seed, TieRule::default(), &mut observers);
        self.seen(&result, &marks)
    }

    /// The scenario that it runs.
    pub(super) fn scenario(&self, scenario: &Scenario) -> Scenario {
        let scenario = self.varied.as_deref().unwrap_or(scenario);
        if self.trial == Trial::Written {
            return scenario.clone();
        }
        Scenario { late: self.late, ..bare(scenario, self.faults.clone()) }
    }

    fn seen(&self, result: &RunResult, marks: &Marks) -> Seen {
        Seen {
            outcome: result.outcome,
            fired: result.faults.iter().all(|state| matches!(state, FaultState::Fired { .. })),
            in_window: result.judgement.in_window == Some(true),
            violations: result.violations.iter().map(|violation| violation.invariant).collect(),
            broken: self.broken(result),
            struck: marks.struck,
            suspected: marks.suspected,
            restored: marks.restored,
        }
    }

    /// What of the run's shortfalls falls short of what is claimed of such a trial.
    fn broken(&self, result: &RunResult) -> Vec<Broken> {
        if result.hit_limit() {
            let what = format!("the run was given up after {} events", result.finished.events);
            return vec![Broken { class: "internal".into(), what }];
        }
        let in_window = result.judgement.in_window == Some(true);
        let counts = |class: &str| {
            let safety = class.starts_with("invariant:");
            match self.trial {
                Trial::Written => true,
                Trial::Claimed(_) => safety || in_window && class != "not-fired",
                Trial::Told => false,
                // A message that is late for long is a silence, and may be suspected.
                Trial::Pair | Trial::Late => safety,
            }
        };
        let shortfalls = result.judgement.shortfalls.iter().filter(|shortfall| counts(&shortfall.class));
        shortfalls.map(|shortfall| Broken { class: shortfall.class.clone(), what: shortfall.what.clone() }).collect()
    }
}
