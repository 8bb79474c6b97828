//! Defects in when something is done and under which number: each right in itself, and at the wrong moment or in the wrong place.

use crate::protocol::{Action, Actions, Channel, Envelope, Input, Message, Timer, Version};
use crate::units::Span;
use crate::vocabulary::{Defect, Host, Phase};

/// How late a node that only ticks notices that its lease is over. Far less than the default margin, which hides it unless the node
/// has hung.
const TICK: Span = Span::from_ns(20_000_000);

/// A defect and its memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Slip {
    /// From whom a grant has just come, on which connection.
    LeaseFromReceipt(Option<(Host, Channel)>),
    /// The term is over, and the next tick will show it.
    LeaseTimerOnly(bool),
    RestoreFirst,
    SwapVersions,
    ClearAfterSend,
    DmaDuringPause(Pause),
    DropWrite,
}

/// A pause in which the VM does not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pause {
    Not,
    /// The VM is about to stand.
    Due,
    /// It runs, and pages are copied for the first time.
    Copying,
    /// They are copied again.
    Again,
}

impl Slip {
    pub(super) fn new(defect: Defect) -> Self {
        match defect {
            Defect::LeaseFromReceipt => Self::LeaseFromReceipt(None),
            Defect::LeaseTimerOnly => Self::LeaseTimerOnly(false),
            Defect::RestoreFirst => Self::RestoreFirst,
            Defect::SwapVersions => Self::SwapVersions,
            Defect::ClearAfterSend => Self::ClearAfterSend,
            Defect::DmaDuringPause => Self::DmaDuringPause(Pause::Not),
            Defect::DropWrite => Self::DropWrite,
            other => unreachable!("{other} is of another kind"),
        }
    }

    /// What of an input reaches the agent.
    pub(super) fn hears(&mut self, input: Input, out: &mut Actions) -> Option<Input> {
        match (self, input) {
            (
                Self::LeaseFromReceipt(granted),
                Input::Message { from, channel, envelope: Envelope { message: Message::LeaseGranted(_), .. } },
            ) => {
                // It asks again, in its mind, and takes this for the answer.
                *granted = Some((from, channel));
                Some(Input::Timer(Timer::LeaseRequest))
            }
            (Self::LeaseTimerOnly(seen @ false), Input::Timer(Timer::LeaseEnd)) => {
                *seen = true;
                out.push(Action::SetTimer(Timer::LeaseEnd, TICK));
                None
            }
            (Self::RestoreFirst, Input::Message { from, channel, mut envelope }) => {
                if matches!(envelope.message, Message::Claimed(Some(_))) {
                    envelope.message = Message::Claimed(None);
                }
                Some(Input::Message { from, channel, envelope })
            }
            (Self::ClearAfterSend, Input::Staged { pages }) => {
                out.push(Action::LogCheckpoints { all: false });
                Some(Input::Staged { pages })
            }
            (Self::DmaDuringPause(Pause::Copying | Pause::Again), Input::Unsuspended) => None,
            (Self::DmaDuringPause(pause @ Pause::Copying), Input::Staged { .. }) => {
                *pause = Pause::Again;
                None
            }
            (_, input) => Some(input),
        }
    }

    /// What of an action is done, and what the agent hears at once in its stead.
    pub(super) fn does(&mut self, action: Action, out: &mut Actions) -> Option<Input> {
        match (self, action) {
            (
                Self::LeaseFromReceipt(Some((from, channel))),
                Action::Send { envelope: Envelope { attempt, epoch, message: Message::LeaseRequest(number) }, .. },
            ) => {
                let envelope = Envelope { attempt, epoch, message: Message::LeaseGranted(number) };
                return Some(Input::Message { from: *from, channel: *channel, envelope });
            }
            // When it really asks next is not altered.
            (Self::LeaseFromReceipt(granted @ Some(_)), Action::SetTimer(Timer::LeaseRequest, _)) => *granted = None,
            (Self::LeaseTimerOnly(seen), Action::SetTimer(Timer::LeaseEnd, span)) => {
                *seen = false;
                out.push(Action::SetTimer(Timer::LeaseEnd, span));
            }
            // What the store has read for the answer stays there.
            (Self::RestoreFirst, Action::Merge) => return Some(Input::Merged),
            (Self::SwapVersions, Action::Keep { version: Version(number @ 1..), batch }) => {
                out.push(Action::Keep { version: Version(((number - 1) ^ 1) + 1), batch });
            }
            (Self::DmaDuringPause(pause), Action::Suspend) => {
                *pause = Pause::Due;
                out.push(Action::Suspend);
            }
            (Self::DmaDuringPause(pause @ Pause::Due), Action::Stage) => {
                *pause = Pause::Copying;
                out.push(Action::Unsuspend);
                out.push(Action::Stage);
                out.push(Action::Stage);
            }
            (Self::DmaDuringPause(pause @ (Pause::Copying | Pause::Again)), Action::Unsuspend) => {
                *pause = Pause::Not;
                return Some(Input::Unsuspended);
            }
            (Self::DropWrite, Action::Round { version, phase }) => {
                out.push(Action::Round { version, phase });
                // What is sealed while the VM runs belongs to no saved state.
                if phase == Phase::Stage2 {
                    out.push(Action::SealOutput(version));
                }
            }
            (Self::DropWrite, Action::SealOutput(_)) => {}
            (_, action) => out.push(action),
        }
        None
    }
}
