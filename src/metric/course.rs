//! What a guest gets done, and what clients get of it, in equal steps of time: an observer beside the record, for figures.

use crate::engine::Observer;
use crate::units::{SimTime, Span};
use crate::vocabulary::Host;
use crate::world::{Event, Fact, OutputStage, World};

/// Gathered while a run goes on.
#[derive(Debug)]
pub struct Course {
    step: Span,
    all: Vec<CourseStep>,
    seen: SimTime,
    /// The copy that executed when it was last looked at, its guest time, and whether all its vCPUs waited.
    runs: Option<(Host, Span, bool)>,
}

/// What happened in one step of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CourseStep {
    /// Guest time that passed: the work that was done.
    pub worked: Span,
    /// Time in which a copy executed, with a vCPU that did not wait.
    pub ran: Span,
    /// Packets that reached a client.
    pub delivered: u64,
}

impl Course {
    /// So many steps from the start of the run.
    pub fn new(step: Span, steps: usize) -> Self {
        assert!(step > Span::ZERO, "a step of time takes some");
        Self { step, all: vec![CourseStep::default(); steps], seen: SimTime::ZERO, runs: None }
    }

    /// The steps that were over at the last event of the run: what came after it is not known.
    pub fn finish(mut self) -> Vec<CourseStep> {
        self.all.truncate(self.step_of(self.seen));
        self.all
    }

    fn step_of(&self, at: SimTime) -> usize {
        usize::try_from(at.since_start().ns() / self.step.ns()).expect("steps are in memory")
    }

    /// Work that was done evenly since it was last looked at goes to each step by its part of the time.
    fn passed(&mut self, now: SimTime, worked: Span, waited: bool) {
        let whole = now - self.seen;
        for number in self.step_of(self.seen)..=self.step_of(now) {
            let Some(step) = self.all.get_mut(number) else { return };
            let begin = SimTime::ZERO + Span::from_ns(self.step.ns() * number as u64);
            let part = now.min(begin + self.step).saturating_since(self.seen.max(begin));
            let share = u128::from(worked.ns()) * u128::from(part.ns()) / u128::from(whole.ns().max(1));
            step.worked += Span::from_ns(u64::try_from(share).expect("no more than the whole"));
            if !waited {
                step.ran += part;
            }
        }
    }
}

impl Observer for Course {
    fn fact(&mut self, at: SimTime, fact: &Fact, _: &World) {
        let number = self.step_of(at);
        match fact {
            Fact::Output { stage: OutputStage::Delivered, .. } => {
                if let Some(step) = self.all.get_mut(number) {
                    step.delivered += 1;
                }
            }
            // It may run long before the first event.
            Fact::Resumed(resumption) if self.runs.is_none() => {
                (self.seen, self.runs) = (at, Some((resumption.host, resumption.guest, false)));
            }
            _ => {}
        }
    }

    fn event(&mut self, now: SimTime, _: Event, world: &World) {
        let time = |host: Host| world.vm().copy(host).and_then(|copy| copy.guest.as_ref()).map(|guest| guest.time(now));
        if let Some((host, before, waited)) = self.runs
            && let Some(after) = time(host)
        {
            self.passed(now, after.saturating_sub(before), waited);
        }
        self.seen = now;
        let running = world.vm().copies().filter(|(_, copy)| copy.executes()).last();
        self.runs = running.and_then(|(host, copy)| {
            let waits = copy.guest.as_ref().is_some_and(crate::model::guest::Guest::is_blocked);
            Some((host, time(host)?, waits))
        });
    }
}
