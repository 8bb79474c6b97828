//! The power switch on the management host (STONITH): asked to power a host off, it does, or not, and says so, or not.
//!
//! What it does and what it answers are the policy's: real switches fail, time out, and lie (see `FenceAnswer`).

use super::{Action, Actions, Agent, Attempt, Channel, Epoch, Fenced, Input, Message, Standing, Timer};
use crate::scenario::Policy;
use crate::scenario::policy::{FenceAnswer, Fencing, Stonith};
use crate::units::LocalTime;
use crate::vocabulary::Host;

/// The switch's agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fencer {
    stonith: Stonith,
    /// Who asked for which host, under which attempt and epoch.
    asked: Option<(Host, Host, Attempt, Epoch)>,
}

impl Fencer {
    /// `None` where the policy has no power switch.
    pub fn new(policy: &Policy) -> Option<Self> {
        let Fencing::Stonith(stonith) = policy.fencing else { return None };
        Some(Self { stonith, asked: None })
    }

    fn act(&mut self, out: &mut Actions) {
        let Some((from, host, attempt, epoch)) = self.asked.take() else { return };
        let (does, says) = match self.stonith.answer {
            FenceAnswer::Success => (true, Fenced::Off),
            FenceAnswer::Failure => (false, Fenced::Failed),
            FenceAnswer::Unknown => (true, Fenced::Unknown),
            FenceAnswer::FalseSuccess => (false, Fenced::Off),
        };
        if does {
            out.push(Action::PowerOff(host));
        }
        out.send_in(from, Channel::Fence, attempt, epoch, Message::Fenced(says));
    }
}

impl Agent for Fencer {
    fn step(&mut self, _now: LocalTime, input: Input, out: &mut Actions) {
        match input {
            Input::Message { from, envelope, .. } => {
                if let Message::Fence(host) = envelope.message {
                    self.asked = Some((from, host, envelope.attempt, envelope.epoch));
                    out.set(Timer::Fenced, self.stonith.takes);
                }
            }
            Input::Timer(Timer::Fenced) => self.act(out),
            _ => {}
        }
    }

    fn standing(&self) -> Standing {
        if self.asked.is_some() { Standing::Working("powering off") } else { Standing::Idle }
    }
}
