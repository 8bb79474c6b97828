//! What each defect drops or alters, and what it has to remember for that.

use std::collections::BTreeMap;

use super::slip::Slip;
use crate::protocol::{
    Action, Actions, Attempt, Channel, Envelope, Epoch, Fenced, Input, Message, PageList, StateId, Stored, Timer,
    Version,
};
use crate::units::{PageCount, Span};
use crate::vocabulary::{Defect, Host, Phase};

/// A defect and its memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Flaw {
    None,
    ReleaseEarly,
    /// A round has stage I, and how many pages that has copied once it has.
    SkipStageTwo {
        two: bool,
        copied: Option<PageCount>,
    },
    ForgetTimer,
    MixedState,
    RestoreUnfenced,
    FreeEarly,
    /// The VM stands, and how many pages are known to be left.
    LoseDirty {
        stopped: bool,
        left: PageCount,
    },
    StaleList(FirstList),
    /// Whether any version is complete, and what was read before the newest was.
    StaleClaim {
        any: bool,
        before: Option<Stored>,
    },
    /// What was read last.
    OfferOlder(Option<Stored>),
    /// Pages lost, by version.
    CommitTorn(BTreeMap<Version, PageCount>),
    AckEarly,
    MixBranches,
    /// The newest epoch heard of.
    AcceptLate(Epoch),
    Slip(Slip),
}

/// The list of pages made when the VM began to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FirstList {
    NotYet,
    Asked,
    Made(PageList),
    Used,
}

impl Flaw {
    pub(super) fn new(defect: Defect) -> Self {
        match defect {
            Defect::None => Self::None,
            Defect::ReleaseEarly => Self::ReleaseEarly,
            Defect::SkipStageTwo => Self::SkipStageTwo { two: false, copied: None },
            Defect::ForgetTimer => Self::ForgetTimer,
            Defect::MixedState => Self::MixedState,
            Defect::RestoreUnfenced => Self::RestoreUnfenced,
            Defect::FreeEarly => Self::FreeEarly,
            Defect::LoseDirty => Self::LoseDirty { stopped: false, left: PageCount::ZERO },
            Defect::StaleList => Self::StaleList(FirstList::NotYet),
            Defect::StaleClaim => Self::StaleClaim { any: false, before: None },
            Defect::OfferOlder => Self::OfferOlder(None),
            Defect::CommitTorn => Self::CommitTorn(BTreeMap::new()),
            Defect::AckEarly => Self::AckEarly,
            Defect::MixBranches => Self::MixBranches,
            Defect::AcceptLate => Self::AcceptLate(Epoch::default()),
            Defect::LeaseFromReceipt
            | Defect::LeaseTimerOnly
            | Defect::RestoreFirst
            | Defect::SwapVersions
            | Defect::ClearAfterSend
            | Defect::DmaDuringPause
            | Defect::DropWrite => Self::Slip(Slip::new(defect)),
        }
    }

    /// What of an input reaches the agent.
    pub(super) fn hears(&mut self, input: Input, out: &mut Actions) -> Option<Input> {
        match (self, input) {
            (Self::SkipStageTwo { two: true, copied }, Input::Staged { pages }) => {
                *copied = Some(pages);
                Some(Input::Staged { pages })
            }
            (Self::LoseDirty { stopped, left }, input) => {
                match &input {
                    Input::Stopped { .. } => *stopped = true,
                    Input::Synced { pending } | Input::Taken { pending, .. } => *left = *pending,
                    _ => {}
                }
                Some(input)
            }
            (Self::StaleList(first @ FirstList::NotYet), Input::Resumed) => {
                *first = FirstList::Asked;
                out.push(Action::Survey);
                Some(Input::Resumed)
            }
            (Self::StaleList(first @ FirstList::Asked), Input::Surveyed(list)) => {
                *first = FirstList::Made(list);
                None
            }
            (Self::StaleClaim { any: true, before }, Input::Pinned { newest }) => {
                *before = newest;
                None
            }
            (Self::OfferOlder(found), Input::Pinned { newest }) => {
                *found = newest;
                Some(Input::Pinned { newest })
            }
            (
                Self::CommitTorn(lost),
                Input::Message { envelope: Envelope { message: Message::Chunk { version, batch }, .. }, .. },
            ) if !lost.contains_key(&version) => {
                lost.insert(version, batch.pages);
                None
            }
            (Self::CommitTorn(lost), Input::Message { from, channel, mut envelope }) => {
                if let Message::Mark { version, pages, .. } = &mut envelope.message {
                    *pages = pages.saturating_sub(lost.remove(version).unwrap_or_default());
                }
                Some(Input::Message { from, channel, envelope })
            }
            (Self::AckEarly, Input::Message { from, channel, envelope }) => {
                if let Message::Chunk { version, .. } = envelope.message {
                    out.send_in(from, channel, envelope.attempt, envelope.epoch, Message::Committed(version));
                }
                Some(Input::Message { from, channel, envelope })
            }
            (Self::AcceptLate(epoch), Input::Message { from, channel, mut envelope }) => {
                *epoch = envelope.epoch.max(*epoch);
                if !matches!(envelope.message, Message::Claim { .. } | Message::Read { .. } | Message::Fetch { .. }) {
                    envelope.epoch = *epoch;
                }
                Some(Input::Message { from, channel, envelope })
            }
            (Self::Slip(slip), input) => slip.hears(input, out),
            (_, input) => Some(input),
        }
    }

    /// What of an action is done, and what the agent hears at once in its stead.
    pub(super) fn does(&mut self, action: Action, out: &mut Actions) -> Option<Input> {
        match (self, action) {
            (Self::ReleaseEarly, Action::SealOutput(version)) => {
                out.push(Action::SealOutput(version));
                out.push(Action::Release(version));
            }
            (Self::SkipStageTwo { two, copied }, Action::Round { version, phase }) => {
                (*two, *copied) = if phase == Phase::Stage1 { (true, None) } else { (*two, *copied) };
                out.push(Action::Round { version, phase });
            }
            (Self::SkipStageTwo { two, copied: copied @ Some(_) }, Action::Stage) => {
                *two = false;
                return copied.take().map(|pages| Input::Staged { pages });
            }
            (Self::ForgetTimer, Action::SetTimer(Timer::Checkpoint, _)) | (Self::MixBranches, Action::Clear) => {}
            (Self::MixedState, Action::Load(StateId(state))) => {
                out.push(Action::Load(StateId(state.saturating_sub(1))));
            }
            (Self::Slip(slip), action) => return slip.does(action, out),
            (Self::RestoreUnfenced, action) => return restore_unfenced(action, out),
            (Self::LoseDirty { stopped: true, left }, Action::SyncLog) => {
                return Some(Input::Synced { pending: *left });
            }
            (Self::FreeEarly, Action::EndSending) => {
                out.push(Action::EndSending);
                out.push(Action::Discard);
            }
            (Self::StaleList(first @ FirstList::Made(_)), Action::Survey) => {
                if let FirstList::Made(list) = std::mem::replace(first, FirstList::Used) {
                    return Some(Input::Surveyed(list));
                }
            }
            (Self::StaleClaim { any, .. }, Action::Commit { stored, after }) => {
                *any = true;
                out.push(Action::Pin);
                out.push(Action::Commit { stored, after });
            }
            (Self::StaleClaim { any: true, before }, Action::Pin) => return Some(Input::Pinned { newest: *before }),
            // The agent inside notices, and is not heard.
            (
                Self::OfferOlder(older) | Self::StaleClaim { before: older, .. },
                Action::Send { to, channel, envelope: Envelope { attempt, epoch, message: Message::Unreadable } },
            ) => out.send_in(to, channel, attempt, epoch, Message::Claimed(*older)),
            (_, action) => out.push(action),
        }
        None
    }
}

/// What would make sure that the other side does not run is taken for done.
fn restore_unfenced(action: Action, out: &mut Actions) -> Option<Input> {
    match action {
        Action::SetTimer(Timer::LeaseOut, _) => out.push(Action::SetTimer(Timer::LeaseOut, Span::ZERO)),
        Action::Send { channel, envelope: Envelope { attempt, epoch, message: Message::Fence(_) }, .. } => {
            return Some(off(channel, attempt, epoch));
        }
        Action::Send { to, channel, envelope: Envelope { attempt, epoch, message: Message::Claim { base } } } => {
            out.send_in(to, channel, attempt, epoch, Message::Read { base });
        }
        action => out.push(action),
    }
    None
}

fn off(channel: Channel, attempt: Attempt, epoch: Epoch) -> Input {
    let envelope = Envelope { attempt, epoch, message: Message::Fenced(Fenced::Off) };
    Input::Message { from: Host::Management, channel, envelope }
}
