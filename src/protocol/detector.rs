//! Heartbeats: pings at a period. So many unanswered in a row make a suspicion, or a silence that is no longer plausible.
//!
//! An answer names the life of whoever gives it, as a boot's or a process's number does: a peer that was dead for less than a timeout
//! is not silent, but another.
//!
//! It knows only its own pings and their answers. Whether a miss means a dead host, a full queue or a cut link it cannot
//! tell, and neither can any other node.

use super::phi::Intervals;
use super::{Action, Actions, Input, Timer};
use crate::scenario::policy::{Heartbeat, Rule};
use crate::units::LocalTime;

/// One node's view of its peer's heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Detector {
    heartbeat: Option<Heartbeat>,
    running: bool,
    /// Number of the next ping.
    next: u64,
    /// Highest number answered, plus one.
    answered: u64,
    misses: u64,
    /// Which life of the peer has answered since this began.
    life: Option<u64>,
    /// Where plausibility is the rule.
    intervals: Option<Intervals>,
}

impl Detector {
    pub(super) fn new(heartbeat: Option<Heartbeat>) -> Self {
        let intervals = heartbeat.as_ref().and_then(|heartbeat| match heartbeat.rule {
            Rule::Phi(phi) => Some(Intervals::new(phi, heartbeat.period)),
            Rule::Misses { .. } => None,
        });
        Self { heartbeat, running: false, next: 0, answered: 0, misses: 0, life: None, intervals }
    }

    /// Begins to ping.
    pub(super) fn start(&mut self, out: &mut Actions) {
        if self.heartbeat.is_some() && !self.running {
            self.running = true;
            self.misses = 0;
            self.life = None;
            if let Some(intervals) = &mut self.intervals {
                intervals.start();
                out.set(Timer::Silence, intervals.threshold());
            }
            self.ping(out);
        }
    }

    /// Stops pinging; pending deadlines are forgotten.
    pub(super) fn stop(&mut self, out: &mut Actions) {
        if self.running {
            self.running = false;
            out.cancel(Timer::Ping);
            match self.intervals {
                Some(_) => out.cancel(Timer::Silence),
                None => (self.answered..self.next).for_each(|number| out.cancel(Timer::Pong(number))),
            }
            self.answered = self.next;
        }
    }

    /// Takes what concerns it; true when the peer has become suspect.
    pub(super) fn step(&mut self, input: &Input, now: LocalTime, out: &mut Actions) -> bool {
        let Some(heartbeat) = self.heartbeat.clone().filter(|_| self.running) else { return false };
        match *input {
            Input::Timer(Timer::Ping) => self.ping(out),
            Input::Ponged { number, life } if number >= self.answered => {
                self.ponged(number, now, out);
                // It died and is back before anyone could miss it: it answers, and knows nothing.
                return *self.life.get_or_insert(life) != life;
            }
            Input::Timer(Timer::Pong(number)) if number >= self.answered => {
                self.misses += 1;
                return matches!(heartbeat.rule, Rule::Misses { misses, .. } if self.misses >= misses);
            }
            Input::Timer(Timer::Silence) => return true,
            _ => {}
        }
        false
    }

    fn ponged(&mut self, number: u64, now: LocalTime, out: &mut Actions) {
        match &mut self.intervals {
            Some(intervals) => {
                intervals.answered(now);
                out.set(Timer::Silence, intervals.threshold());
            }
            None => (self.answered..=number).for_each(|overtaken| out.cancel(Timer::Pong(overtaken))),
        }
        self.answered = number + 1;
        self.misses = 0;
    }

    fn ping(&mut self, out: &mut Actions) {
        let Some(heartbeat) = &self.heartbeat else { return };
        out.push(Action::Ping { number: self.next });
        if let Rule::Misses { timeout, .. } = heartbeat.rule {
            out.set(Timer::Pong(self.next), timeout);
        }
        out.set(Timer::Ping, heartbeat.period);
        self.next += 1;
    }
}
