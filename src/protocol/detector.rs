//! Heartbeats: pings at a period, each with a deadline; so many misses in a row make a suspicion.
//!
//! It knows only its own pings and their answers. Whether a miss means a dead host, a full queue or a cut link it cannot
//! tell, and neither can any other node.

use super::{Action, Actions, Input, Timer};
use crate::scenario::policy::Heartbeat;

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
}

impl Detector {
    pub(super) fn new(heartbeat: Option<Heartbeat>) -> Self {
        Self { heartbeat, running: false, next: 0, answered: 0, misses: 0 }
    }

    /// Begins to ping.
    pub(super) fn start(&mut self, out: &mut Actions) {
        if self.heartbeat.is_some() && !self.running {
            self.running = true;
            self.misses = 0;
            self.ping(out);
        }
    }

    /// Stops pinging; pending deadlines are forgotten.
    pub(super) fn stop(&mut self, out: &mut Actions) {
        if self.running {
            self.running = false;
            out.cancel(Timer::Ping);
            for number in self.answered..self.next {
                out.cancel(Timer::Pong(number));
            }
            self.answered = self.next;
        }
    }

    /// Takes what concerns it; true when the peer has become suspect.
    pub(super) fn step(&mut self, input: &Input, out: &mut Actions) -> bool {
        let Some(heartbeat) = self.heartbeat.clone().filter(|_| self.running) else { return false };
        match *input {
            Input::Timer(Timer::Ping) => self.ping(out),
            Input::Ponged { number } if number >= self.answered => {
                for overtaken in self.answered..=number {
                    out.cancel(Timer::Pong(overtaken));
                }
                self.answered = number + 1;
                self.misses = 0;
            }
            Input::Timer(Timer::Pong(number)) if number >= self.answered => {
                self.misses += 1;
                return self.misses >= heartbeat.misses;
            }
            _ => {}
        }
        false
    }

    fn ping(&mut self, out: &mut Actions) {
        let Some(heartbeat) = &self.heartbeat else { return };
        out.push(Action::Ping { number: self.next });
        out.set(Timer::Pong(self.next), heartbeat.timeout);
        out.set(Timer::Ping, heartbeat.period);
        self.next += 1;
    }
}
