//! The loop: take the next event, hand it to the world, show what happened to whoever observes.
//!
//! The engine owns time and order; it knows neither hosts nor protocols, and never names the oracle: what
//! watches a run is passed in as an [`Observer`].

pub mod fingerprint;
pub mod log;

use crate::units::{SimTime, Span};
use crate::world::{Event, EventKey, Fact, World};

/// Sees everything, influences nothing.
pub trait Observer {
    /// Something happened.
    fn fact(&mut self, at: SimTime, fact: &Fact, world: &World);
    /// An event has been applied, and its facts shown.
    fn event(&mut self, at: SimTime, event: Event, world: &World);
}

/// Which of several events of equal time and class comes first. Any order must keep the invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TieRule {
    /// In the order in which they were scheduled.
    #[default]
    FirstScheduled,
    /// In the opposite order.
    LastScheduled,
}

/// Chooses among what is pending: by the tie rule, but for the message that the scenario holds up.
struct Chooser {
    tie: TieRule,
    /// What is held up, and past how many events yet.
    held: Option<(Event, u64)>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Nothing but the guest's own life was left.
    Settled,
    /// The horizon was reached.
    Horizon,
    /// More events than [`EVENTS_MAX`].
    EventLimit,
}

/// Events after which a run is given up: a thousand times what the largest shipped scenario needs.
pub const EVENTS_MAX: u64 = 2_000_000_000;

/// How long a run goes on after all is settled, so that output, or its absence, shows.
pub const LINGER: Span = Span::from_s(1);

/// A finished run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub stop: Stop,
    /// When.
    pub at: SimTime,
    /// Events applied.
    pub events: u64,
}

/// Runs `world` to its end.
pub fn run(world: &mut World, tie: TieRule, observers: &mut [&mut dyn Observer]) -> Finished {
    let horizon = SimTime::ZERO + world.scenario().horizon;
    let mut events = 0;
    let mut settled_at = None;
    let mut chooser = Chooser { tie, held: None };
    show_facts(world, observers);
    loop {
        let next = chooser.next(world);
        let end = settled_at.map_or(horizon, |at: SimTime| horizon.min(at + LINGER));
        let Some(key) = next.filter(|key| key.at <= end) else {
            let stop = if settled_at.is_some() || next.is_none() { Stop::Settled } else { Stop::Horizon };
            return Finished { stop, at: end.max(world.now()), events };
        };
        if events == EVENTS_MAX {
            return Finished { stop: Stop::EventLimit, at: world.now(), events };
        }
        let event = world.apply(key).expect("it was pending");
        events += 1;
        show_facts(world, observers);
        for observer in observers.iter_mut() {
            observer.event(world.now(), event, world);
        }
        settled_at = if world.is_settled() { settled_at.or(Some(world.now())) } else { None };
    }
}

fn show_facts(world: &mut World, observers: &mut [&mut dyn Observer]) {
    for fact in world.facts() {
        for observer in observers.iter_mut() {
            observer.fact(world.now(), &fact, world);
        }
    }
}

impl Chooser {
    fn next(&mut self, world: &World) -> Option<EventKey> {
        let (first, event) = world.enabled().next()?;
        if let Some(late) = world.scenario().late {
            if world.steps().0 + 1 == late.event && event.is_arrival() && self.held.is_none() {
                self.held = Some((event, late.past));
            }
            if let Some(other) = self.past_what_is_held(world) {
                return Some(other);
            }
        }
        match self.tie {
            TieRule::FirstScheduled => Some(first),
            TieRule::LastScheduled => {
                let same = |key: &EventKey| key.at == first.at && key.class == first.class;
                world.enabled().map(|(key, _)| key).take_while(same).last()
            }
        }
    }

    /// The first event that is not held; when it has been held for long enough, what was.
    fn past_what_is_held(&mut self, world: &World) -> Option<EventKey> {
        let (held, left) = self.held.as_mut()?;
        if *left > 0
            && let Some((other, _)) = world.enabled().find(|(_, event)| event != held)
        {
            *left -= 1;
            return Some(other);
        }
        let held = *held;
        self.held = None;
        world.enabled().find(|(_, event)| *event == held).map(|(key, _)| key)
    }
}
