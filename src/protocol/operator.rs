//! Who asks for the migration: libvirt, an orchestrator, a person. It hears reports over the network and may be cut
//! off; its commands can be lost.

use super::{Actions, Agent, Attempt, Channel, Envelope, Input, Message, Report, Standing, Timer};
use crate::units::{LocalTime, Span};
use crate::vocabulary::Host;

/// The operator's agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operator {
    migrate_after: Option<Span>,
    cancel_after: Option<Span>,
    attempt: Attempt,
    heard: Option<Report>,
}

impl Operator {
    /// Sends `migrate` after a time (`None`: never), and `cancel` so long after that unless it has heard the end.
    pub fn new(migrate_after: Option<Span>, cancel_after: Option<Span>) -> Self {
        Self { migrate_after, cancel_after, attempt: Attempt::default(), heard: None }
    }

    fn command(&mut self, out: &mut Actions) {
        if self.attempt == Attempt(0) {
            self.attempt = Attempt(1);
            out.send(Host::Source, Channel::Management, self.attempt, Message::Migrate);
            if let Some(after) = self.cancel_after {
                out.set(Timer::Command, after);
            }
        } else if self.heard.is_none() {
            out.send(Host::Source, Channel::Management, self.attempt, Message::Cancel);
        }
    }
}

impl Agent for Operator {
    fn step(&mut self, _now: LocalTime, input: Input, out: &mut Actions) {
        match input {
            Input::Start => {
                if let Some(after) = self.migrate_after {
                    out.set(Timer::Command, after);
                }
            }
            Input::Timer(Timer::Command) => self.command(out),
            Input::Message { envelope: Envelope { attempt, message: Message::Report(report) }, .. }
                if attempt == self.attempt =>
            {
                self.heard = Some(report);
                out.cancel(Timer::Command);
                out.push(super::Action::Report(report));
            }
            _ => {}
        }
    }

    fn standing(&self) -> Standing {
        match (self.attempt, self.heard) {
            (Attempt(0), _) => Standing::Idle,
            (_, None) => Standing::Working("awaiting reports"),
            (_, Some(report)) => Standing::Ended(report),
        }
    }
}
