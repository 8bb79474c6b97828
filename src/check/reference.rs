//! The run in which nothing fails: the events at which a fault may strike, and what the run shows of the policy.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::{Observer, TieRule};
use crate::rng::RunSeed;
use crate::run::simulate_with;
use crate::scenario::policy::Checkpoint;
use crate::scenario::{EventPlace, Scenario, Trigger};
use crate::units::{SimTime, Span};
use crate::vocabulary::Phase;
use crate::world::{Event, Fact, OutputStage, World};

use super::probe::bare;

/// A place where a fault may strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub event: u64,
    pub place: EventPlace,
    pub at: SimTime,
    /// Where the migration is then.
    pub phase: Phase,
}

impl Point {
    pub fn trigger(self) -> Trigger {
        Trigger::Event { n: self.event, place: self.place }
    }

    /// Whether it is in the midst of what a node does about an event.
    pub fn is_within(self) -> bool {
        matches!(self.place, EventPlace::Within(_))
    }
}

/// One event of a run.
#[derive(Debug, Clone, Copy)]
struct Step {
    event: u64,
    actions: u64,
    at: SimTime,
    phase: Phase,
    arrival: bool,
    /// Whether something is still to come.
    open: bool,
}

/// A run, as far as it is needed to choose where faults strike.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// From the event before the migrate command is accepted on.
    all: Vec<Step>,
    /// Half of the horizon.
    latest: SimTime,
    shown: Shown,
}

/// What a run has shown.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    versions: u64,
    held: bool,
    blocked: bool,
    copied_twice: bool,
}

impl Observer for Steps {
    fn fact(&mut self, _: SimTime, fact: &Fact, world: &World) {
        match fact {
            Fact::Complete(_) => self.shown.versions += 1,
            Fact::Blocked { .. } => self.shown.blocked = true,
            Fact::Output { host, stage: OutputStage::Emitted, .. } => {
                let held = world.vm().copy(*host).and_then(|copy| copy.held.as_ref()?.oldest());
                self.shown.held |= held.is_some();
            }
            _ => {}
        }
    }

    fn event(&mut self, at: SimTime, event: Event, world: &World) {
        let (number, actions) = world.steps();
        let open = !world.is_settled();
        self.shown.copied_twice |= world.has_copied_twice();
        let step =
            Step { event: number, actions, at, phase: world.progress().phase(), arrival: event.is_arrival(), open };
        if world.milestones().accepted.is_none() {
            self.all.clear();
            self.latest = SimTime::from_ns(world.scenario().horizon.ns() / 2);
        }
        self.all.push(step);
    }
}

/// The run of a scenario in which nothing fails.
#[derive(Debug)]
pub(super) struct Reference {
    pub seed: RunSeed,
    pub steps: Steps,
    /// How many events it has.
    pub events: u64,
    /// From R to C.
    pub ending_window: Option<Span>,
}

impl Reference {
    pub fn of(scenario: &Arc<Scenario>, seed: RunSeed) -> Self {
        let quiet = Arc::new(bare(scenario, Vec::new()));
        let mut steps = Steps::default();
        let result = simulate_with(&quiet, seed, TieRule::default(), &mut [&mut steps]);
        Self { seed, steps, events: result.finished.events, ending_window: result.record.ending_window_s }
    }
}

impl Steps {
    /// All places from the migrate command until nothing is left to happen: before and after every event, half-way between two, and
    /// after each thing that a node does about one.
    pub fn points(&self) -> Vec<Point> {
        let last = self.all.iter().rposition(|step| step.open).map_or(0, |last| last + 1);
        let steps = &self.all[..self.all.len().min(last + 1)];
        // What strikes shortly before the horizon leaves no time to recover from it.
        let steps = &steps[..steps.partition_point(|step| step.at <= self.latest)];
        let mut points = Vec::new();
        for (here, next) in steps.iter().zip(steps.iter().skip(1).map(Some).chain([None])) {
            let (at, phase) = (here.at, here.phase);
            let mut add = |event, place, at| points.push(Point { event, place, at, phase });
            for action in 1..here.actions {
                add(here.event, EventPlace::Within(action), at);
            }
            add(here.event, EventPlace::After(Span::ZERO), at);
            let Some(next) = next else { break };
            let gap = next.at.saturating_since(at);
            if gap.ns() > 1 {
                let half = Span::from_ns(gap.ns() / 2);
                add(here.event, EventPlace::After(half), at.saturating_add(half));
            }
            if gap > Span::ZERO {
                add(next.event, EventPlace::Before, next.at);
            }
        }
        points
    }

    /// The events with which bytes of a connection arrive.
    pub fn arrivals(&self) -> Vec<u64> {
        self.all.iter().filter(|step| step.arrival).map(|step| step.event).collect()
    }

    /// What the run does not show, though the policy is about it: what holds in such a run proves little.
    pub fn shows_no(&self, scenario: &Scenario) -> BTreeSet<&'static str> {
        let Some(checkpoint) = &scenario.policy.checkpoint else { return BTreeSet::new() };
        let follows = scenario.policy.migration.post_copy().is_some();
        let two = checkpoint.stages == crate::scenario::policy::Stages::Two;
        let emits = scenario.vms.iter().any(|vm| vm.output.is_some());
        let all = [
            (self.shown.versions < 3, "fewer than three versions are complete"),
            (two && !self.shown.copied_twice, "no page is copied in both stages of a version"),
            (follows && !self.shown.blocked, "no vCPU waits for a page"),
            (Checkpoint::holds(checkpoint) && !(emits && self.shown.held), "no output is ever held"),
        ];
        all.into_iter().filter(|(lacks, _)| *lacks).map(|(_, what)| what).collect()
    }
}

/// So many of them: the first and the last of every phase, and others at equal distances. All, if there are no more.
pub(super) fn choose(points: &[Point], count: usize) -> Vec<Point> {
    if points.len() <= count {
        return points.to_vec();
    }
    let mut chosen = BTreeSet::new();
    let mut from = 0;
    for leg in points.chunk_by(|a, b| a.phase == b.phase) {
        chosen.extend([from, from + leg.len() - 1]);
        from += leg.len();
    }
    chosen.extend(spread(count.saturating_sub(chosen.len()), points.len()));
    chosen.into_iter().map(|index| points[index]).collect()
}

/// So many indices below a length, at equal distances.
pub(super) fn spread(count: usize, length: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |i| (2 * i + 1) * length / (2 * count))
}
