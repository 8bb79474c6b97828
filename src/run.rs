//! One run: a pure function of (scenario, seed, replication).

use std::sync::Arc;

use crate::engine::fingerprint::Fingerprint;
use crate::engine::log::Log;
use crate::engine::{self, Finished, Observer, Stop, TieRule};
use crate::metric::{Record, Recorder, Rounds};
use crate::oracle::{self, Judgement, Oracle, Violation};
use crate::rng::RunSeed;
use crate::rng::within::CERTAIN;
use crate::scenario::Scenario;
use crate::vocabulary::{Belief, Host, Outcome};
use crate::world::{FaultState, Milestones, World};

pub use crate::world::weight;

/// All that a run yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunResult {
    /// The flat row.
    pub record: Record,
    /// The table of rounds.
    pub rounds: Rounds,
    /// What happened.
    pub log: Log,
    /// What became of each fault.
    pub faults: Vec<FaultState>,
    /// The instants that order the migration's end.
    pub milestones: Milestones,
    /// What became of the VM.
    pub outcome: Outcome,
    /// What the nodes say of it.
    pub belief: Belief,
    /// Invariants that broke.
    pub violations: Vec<Violation>,
    /// Whether it is as its scenario claims.
    pub judgement: Judgement,
    /// How it ended.
    pub finished: Finished,
}

/// Simulates one run.
pub fn simulate(scenario: &Arc<Scenario>, seed: u64, replication: u64) -> RunResult {
    simulate_with(scenario, RunSeed { seed, replication }, TieRule::default(), &mut [])
}

/// Simulates one run under a tie rule, with further observers.
pub fn simulate_with(
    scenario: &Arc<Scenario>,
    seed: RunSeed,
    tie: TieRule,
    further: &mut [&mut dyn Observer],
) -> RunResult {
    let mut world = World::new(scenario.clone(), seed);
    let (mut oracle, mut recorder, mut rounds) = (Oracle::new(scenario), Recorder::default(), Rounds::default());
    let (mut log, mut fingerprint) = (Log::default(), Fingerprint::default());
    let mut observers: Vec<&mut dyn Observer> =
        vec![&mut oracle, &mut recorder, &mut rounds, &mut log, &mut fingerprint];
    for observer in further {
        observers.push(*observer);
    }
    let finished = engine::run(&mut world, tie, &mut observers);
    world.catch_up();
    oracle.finish(finished, &world);
    let outcome = oracle::outcome(&world, &oracle);
    let belief = oracle::belief(&world, outcome);
    fingerprint.finish(&world, outcome.as_str());
    let mut record = recorder.finish(&world, finished.at);
    record.seed = Some(seed.seed);
    record.replication = Some(seed.replication);
    record.outcome = outcome.to_string();
    record.belief = belief.to_string();
    record.source_end = oracle::end_of(&world, Host::Source).to_string();
    record.destination_end = oracle::end_of(&world, Host::Destination).to_string();
    record.precopy_rounds = world.milestones().accepted.map(|_| rounds.precopy());
    record.violations = joined(oracle.violations().iter().map(|violation| violation.invariant.as_str()));
    record.invariants_checked = joined(oracle.checked().into_iter().map(crate::vocabulary::Invariant::as_str));
    record.weight = weight(scenario).map_or_else(String::new, decimal);
    record.events = Some(finished.events);
    record.fingerprint = fingerprint.to_string();
    let violations = oracle.violations().to_vec();
    let judgement = oracle::judge(&world, finished.at, &record, &violations, outcome);
    RunResult {
        record,
        rounds,
        log,
        faults: world.faults().to_vec(),
        milestones: world.milestones(),
        outcome,
        belief,
        violations,
        judgement,
        finished,
    }
}

/// A probability as a decimal fraction.
fn decimal(probability: u64) -> String {
    if probability >= CERTAIN {
        return "1".into();
    }
    let digits = format!("{probability:018}");
    format!("0.{}", digits.trim_end_matches('0')).trim_end_matches('.').into()
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

impl RunResult {
    /// Whether a limit of the simulator, not the scenario, ended the run.
    pub fn hit_limit(&self) -> bool {
        self.finished.stop == Stop::EventLimit
    }
}
