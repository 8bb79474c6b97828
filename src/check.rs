//! The checker: `run` shows one fate of a scenario, this shows that there is no other.
//!
//! It starts every fault that a scenario claims to tolerate before, within and after every event of the run in which nothing fails,
//! for as long as matters; second faults at the events of the first one's own run; one message late past others. Each run is judged
//! by the same oracle as any. What breaks a claim is made as small as it can be and handed over as a *capsule*, a scenario that
//! shows it at once.
//!
//! Runs are made on as many threads as there are; they do not know of each other, and results are kept in the order in which they
//! were planned, so the number of threads changes nothing.

mod campaign;
mod coverage;
mod family;
mod pairs;
mod probe;
mod reference;
mod replay;
mod shrink;
mod swarm;
mod twin;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::scenario::Scenario;
use crate::units::Span;
use crate::vocabulary::{FaultClass, Invariant};

pub use coverage::{Cell, Coverage};
pub use family::Kind;
pub use probe::{Broken, Probe, Seen, Trial};
pub use replay::{Replayed, replay};
pub use shrink::{Shows, shrink};

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Events that may be simulated for one scenario; it bounds the work whatever the scenario's size.
    pub events: u64,
    /// How many events one message is held past, at most.
    pub late_past: u64,
    /// The first of the seeds.
    pub seed: Option<u64>,
    /// Random trials beside the enumeration.
    pub swarm: u64,
    /// Whether the guest is as large as it is written. Else it is as small as shows the same.
    pub full_size: bool,
}

/// Seeds that every scenario is tried with.
pub const SEEDS: u64 = 3;

impl Plan {
    /// A look while editing: a few hundred runs of a small scenario.
    pub const QUICK: Self = Self { events: 300_000, late_past: 1, seed: None, swarm: 0, full_size: false };
    /// For every commit.
    pub const CI: Self = Self { events: 1_500_000, late_past: 2, seed: None, swarm: 0, full_size: false };
    /// Everything, for scenarios of up to a few thousand events.
    pub const NIGHT: Self = Self { events: 2_000_000_000, late_past: 8, seed: None, swarm: 0, full_size: false };
}

/// Whether a fault has an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lasting {
    /// None.
    ForGood,
    /// It ends.
    Ends,
    /// What it killed starts again.
    Restarts,
}

/// Whoever waits for a check.
pub trait Watch: Sync {
    /// So many more runs are to be made.
    fn planned(&self, runs: u64);
    /// One has been made.
    fn done(&self);
    /// Whether to make no more: what has been seen is kept.
    fn stops(&self) -> bool;
}

/// What a check has shown of a scenario.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The scenario.
    pub written: Arc<Scenario>,
    /// What was run but for the scenario as it is written: with a smaller guest, if that will do.
    pub scenario: Arc<Scenario>,
    /// Which faults struck in which phases, and what came of it.
    pub coverage: Coverage,
    /// For each class that is claimed to be tolerated: runs in the guarantee window, and those that broke the claim.
    pub claims: Vec<(FaultClass, u64, u64)>,
    /// Every kind of shortfall, with its first example and how often it was seen.
    pub findings: Vec<Finding>,
    /// What the scenario says must be violated, and the first run that does.
    pub must_violate: Option<(Invariant, Option<Probe>)>,
    /// What was seen broken where nothing was claimed, and how often.
    pub told: Vec<(Invariant, u64)>,
    /// Faults that never struck.
    pub never_fired: Vec<String>,
    /// What the scenario does not show, so that its check proves little.
    pub weak: BTreeSet<&'static str>,
    /// Whether single faults were started at every place that there is.
    pub every_place: bool,
    /// Places at which a fault may strike, in the run of the first seed.
    pub places: usize,
    /// From R to C in the run in which nothing fails.
    pub ending_window: Option<Span>,
    /// Runs that were made, and that were planned.
    pub runs: (u64, u64),
}

/// A kind of shortfall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What fell short.
    pub broken: Broken,
    /// The first run that showed it.
    pub probe: Probe,
    /// In how many runs it was seen.
    pub times: u64,
}

impl Checked {
    /// Whether every claim was kept, what must be caught was, and every fault struck somewhere.
    pub fn is_good(&self) -> bool {
        let caught = self.must_violate.as_ref().is_none_or(|(_, probe)| probe.is_some());
        self.findings.is_empty() && caught && self.never_fired.is_empty()
    }

    /// Whether everything that was planned was done.
    pub fn is_whole(&self) -> bool {
        self.runs.0 == self.runs.1
    }
}

/// More threads than any machine has processors are a mistake.
const THREADS_MAX: usize = 1024;

/// Makes so many runs side by side from now on, in this process.
///
/// # Errors
/// The system gives no more threads, or runs have been made already.
pub fn use_threads(number: usize) -> Result<(), String> {
    if number > THREADS_MAX {
        return Err(format!("{THREADS_MAX} is the most"));
    }
    rayon::ThreadPoolBuilder::new().num_threads(number).build_global().map_err(|error| error.to_string())
}

/// Checks a scenario.
pub fn check(scenario: &Arc<Scenario>, plan: &Plan, watch: &dyn Watch) -> Checked {
    campaign::Campaign::new(scenario, plan, watch).run()
}

/// How many runs a check takes, about; it makes one run for each seed to know.
pub fn predicted(scenario: &Arc<Scenario>, plan: &Plan) -> u64 {
    campaign::Campaign::new(scenario, plan, &()).predicted() as u64
}

/// Nobody waits.
impl Watch for () {
    fn planned(&self, _: u64) {}
    fn done(&self) {}
    fn stops(&self) -> bool {
        false
    }
}
