//! Who asks for the migration: libvirt, an orchestrator, a person. It hears reports over the network and may be cut
//! off; its commands can be lost.

use std::collections::BTreeSet;

use super::{Actions, Agent, Attempt, Channel, Envelope, Input, Message, Report, Standing, Timer};
use crate::scenario::policy::{Operator as Plan, Recover};
use crate::units::{LocalTime, Span};
use crate::vocabulary::Host;

/// The operator's agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operator {
    migrate_after: Option<Span>,
    cancel_after: Option<Span>,
    pause_after: Option<Span>,
    recover: Option<Recover>,
    attempt: Attempt,
    heard: Option<Report>,
    /// Who has said since the last command to recover that it has paused.
    paused: BTreeSet<Host>,
    /// The source has said how it ended: nothing is left to recover.
    source_ended: bool,
    /// Further attempts that it may ask for.
    retries: u64,
    retry_after: Span,
    /// The next command begins an attempt.
    again: bool,
}

impl Operator {
    /// Follows `plan`; `migrate` says whether it asks for a migration at all.
    pub fn new(plan: &Plan, migrate: bool) -> Self {
        Self {
            migrate_after: migrate.then_some(plan.migrate_at),
            cancel_after: plan.cancel_after,
            pause_after: plan.pause_after,
            recover: plan.recover,
            attempt: Attempt::default(),
            heard: None,
            paused: BTreeSet::new(),
            source_ended: false,
            retries: plan.retry.map_or(0, |retry| retry.times),
            retry_after: plan.retry.map_or(Span::ZERO, |retry| retry.after),
            again: true,
        }
    }

    fn say(&self, to: Host, message: Message, out: &mut Actions) {
        out.send(to, Channel::Management, self.attempt, message);
    }

    fn command(&mut self, out: &mut Actions) {
        if std::mem::take(&mut self.again) {
            self.attempt = Attempt(self.attempt.0 + 1);
            self.heard = None;
            self.source_ended = false;
            self.paused.clear();
            self.say(Host::Source, Message::Migrate, out);
            if let Some(after) = self.cancel_after {
                out.set(Timer::Command, after);
            }
            if let Some(after) = self.pause_after {
                out.set(Timer::Pause, after);
            }
        } else if self.heard.is_none() {
            self.say(Host::Source, Message::Cancel, out);
        }
    }

    /// A node has paused, whatever the other said before: the source is told to recover, again and again until it says how it
    /// ended.
    fn paused(&mut self, by: Host, out: &mut Actions) {
        if let Some(recover) = self.recover.filter(|_| !self.source_ended) {
            let other = if by == Host::Source { Host::Destination } else { Host::Source };
            self.paused.insert(by);
            if !self.paused.contains(&other) {
                // It may not have noticed.
                self.say(other, Message::Pause, out);
            }
            out.set(Timer::Recover, recover.after);
        }
    }

    fn hears(&mut self, from: Host, message: &Message, out: &mut Actions) {
        match message {
            Message::Paused => self.paused(from, out),
            Message::Recovered => out.cancel(Timer::Recover),
            Message::Report(report) => {
                self.heard = Some(*report);
                if !self.again {
                    out.cancel(Timer::Command);
                }
                out.cancel(Timer::Pause);
                if from == Host::Source {
                    self.source_ended = true;
                    out.cancel(Timer::Recover);
                    if *report == Report::Failure && self.retries > 0 {
                        self.retries -= 1;
                        self.again = true;
                        out.set(Timer::Command, self.retry_after);
                    }
                }
                out.push(super::Action::Report(*report));
            }
            _ => {}
        }
    }

    /// It has its plan and the number of the attempt. What it has commanded already it does not command again; what it has heard it
    /// does not know.
    fn restarted(&mut self, attempt: Attempt, now: LocalTime, out: &mut Actions) {
        self.attempt = attempt;
        if let Some(after) = self.migrate_after.filter(|_| attempt == Attempt::default()) {
            out.set(Timer::Command, after.saturating_sub(now.since(LocalTime::default())));
        }
    }

    fn recover(&mut self, out: &mut Actions) {
        if let Some(recover) = self.recover {
            self.paused.clear();
            self.say(Host::Source, Message::Recover, out);
            out.set(Timer::Recover, recover.retry);
        }
    }
}

impl Agent for Operator {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        match input {
            Input::Start => {
                if let Some(after) = self.migrate_after {
                    out.set(Timer::Command, after);
                }
            }
            Input::Restarted { disk, .. } => self.restarted(disk.attempt, now, out),
            Input::Timer(Timer::Command) => self.command(out),
            Input::Timer(Timer::Pause) if self.heard.is_none() => {
                self.say(Host::Source, Message::Pause, out);
                self.say(Host::Destination, Message::Pause, out);
            }
            Input::Timer(Timer::Recover) => self.recover(out),
            Input::Message { from, envelope: Envelope { attempt, message, .. }, .. } if attempt == self.attempt => {
                self.hears(from, &message, out);
            }
            _ => {}
        }
    }

    fn attempt(&self) -> Option<Attempt> {
        Some(self.attempt)
    }

    fn standing(&self) -> Standing {
        match (self.attempt, self.heard) {
            (Attempt(0), _) => Standing::Idle,
            (_, None) => Standing::Working("awaiting reports"),
            (_, Some(report)) => Standing::Ended(report),
        }
    }
}
