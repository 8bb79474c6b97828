//! Saving the VM to a file, while it stands or live: the rounds and the last copy of QEMU's pre-copy, whose receiver is a file.
//!
//! QEMU does not know that it writes to a file, and goes by the same rule: pages go in rounds until so few are left that the rest
//! would take no longer than the limit, then the VM is stopped, if it runs, and the rest goes without a limit. When the file is
//! complete the VM goes on here.

use super::{Action, Actions, Channel, Checkpointer, Input, LocalTime, Message, Round, Settings, StateId, Timer};
use crate::protocol::pacing::Spans;
use crate::protocol::precopy::{Rounds, Step};
use crate::scenario::policy::{Caps, Encoding, PreCopy, Save, StopRule};
use crate::units::{Bytes, PageCount};
use crate::vocabulary::Phase;

/// A save, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Saver {
    rule: PreCopy,
    /// The VM stands all the time.
    stopped: bool,
    page_size: Bytes,
    spans: Spans,
    /// The rounds, until the log has been read for the last time.
    rounds: Option<Rounds>,
    /// CPU and devices, once the VM stands.
    state: Option<StateId>,
    /// When the write under way began, and how much it is.
    writing: (LocalTime, Bytes),
}

impl Saver {
    /// Not begun; `None` where nothing is saved in rounds.
    pub(super) fn new(settings: &Settings, save: Option<Save>) -> Option<Self> {
        let (limits, stopped) = match save? {
            Save::Stopped(limits) => (limits, true),
            Save::Live(limits) => (limits, false),
            Save::Background => return None,
        };
        let stop_rule = StopRule::Qemu { downtime_limit: limits.downtime_limit, max_bandwidth: limits.max_bandwidth };
        let rule =
            PreCopy { stop_rule, caps: Caps::default(), auto_converge: None, encoding: Encoding::Plain, channels: 1 };
        Some(Self {
            rule,
            stopped,
            page_size: settings.page_size,
            spans: Spans { window: settings.window, iteration: settings.iteration },
            rounds: None,
            state: None,
            writing: (LocalTime::from_ns(0), Bytes::ZERO),
        })
    }
}

impl Checkpointer {
    /// A file is begun.
    pub(super) fn begin_save(&mut self, now: LocalTime, out: &mut Actions) {
        if self.saver.as_ref().is_some_and(|saver| saver.stopped) {
            self.suspend(out);
        } else {
            self.write_rounds(now, out);
        }
    }

    fn write_rounds(&mut self, now: LocalTime, out: &mut Actions) {
        let Some(saver) = &mut self.saver else { return };
        saver.rounds = Some(Rounds::new(saver.rule.clone(), None, saver.page_size, saver.spans, now));
        self.pages = PageCount::ZERO;
        out.push(Action::StartLog);
        self.enter(Round::Saving, Phase::Transfer, out);
        self.take_save(out);
    }

    fn take_save(&mut self, out: &mut Actions) {
        out.push(Action::TakeSave { budget: self.chunk });
    }

    /// Takes what concerns a save in rounds. Answers whether that was all.
    pub(super) fn step_save(&mut self, now: LocalTime, input: &Input, out: &mut Actions) -> bool {
        let Some(saver) = &mut self.saver else { return false };
        let step = match (self.round, input) {
            (Round::Suspending, Input::Suspended { state }) => {
                saver.state = Some(*state);
                match saver.rounds {
                    Some(_) => self.sync_last(out),
                    None => self.write_rounds(now, out),
                }
                return true;
            }
            (Round::Saving, Input::Unstaged { batch, left }) => {
                self.left = *left;
                if let Some(rounds) = &mut saver.rounds {
                    rounds.taken(*left);
                }
                if batch.pages > PageCount::ZERO {
                    saver.writing = (now, batch.bytes);
                    self.pages += batch.pages;
                    let version = self.version;
                    out.set(Timer::StoreOverdue, self.policy.store_timeout);
                    self.say(Channel::Checkpoint, Message::Chunk { version, batch: *batch }, out);
                    return true;
                }
                saver.rounds.as_mut().map(|rounds| rounds.go_on(now))
            }
            (Round::Saving, Input::Sent { channel: Channel::Checkpoint }) => {
                let (began, bytes) = saver.writing;
                saver.rounds.as_mut().map(|rounds| rounds.sent(bytes, began, now))
            }
            (Round::Saving, Input::Synced { pending }) => {
                self.left = *pending;
                saver.rounds.as_mut().map(|rounds| rounds.synced(*pending, now))
            }
            (Round::Saving, Input::Timer(Timer::Window)) => saver.rounds.as_mut().map(|rounds| rounds.window(now)),
            _ => return false,
        };
        match step {
            Some(step) => self.follow_save(step, out),
            None => self.write_rest(out),
        }
        true
    }

    fn follow_save(&mut self, step: Step, out: &mut Actions) {
        match step {
            Step::Take => self.take_save(out),
            Step::Sync => out.push(Action::SyncSave),
            Step::AwaitWindow(wait) | Step::Pace(wait) => out.set(Timer::Window, wait),
            Step::Stop(_) | Step::Switch | Step::Abort(_) if self.stands_for_save() => self.sync_last(out),
            Step::Stop(_) | Step::Switch | Step::Abort(_) => self.suspend(out),
        }
    }

    fn stands_for_save(&self) -> bool {
        self.saver.as_ref().is_some_and(|saver| saver.state.is_some())
    }

    /// The VM stands: what the log has now is the rest.
    fn sync_last(&mut self, out: &mut Actions) {
        if let Some(saver) = &mut self.saver {
            saver.rounds = None;
        }
        self.enter(Round::Saving, Phase::Transfer, out);
        out.push(Action::SyncSave);
    }

    /// The next of the rest; behind the last, the mark, with CPU and devices.
    fn write_rest(&mut self, out: &mut Actions) {
        if self.left > PageCount::ZERO {
            return self.take_save(out);
        }
        let Some(state) = self.saver.as_ref().and_then(|saver| saver.state) else { return };
        let Self { version, pages, .. } = *self;
        out.push(Action::StopLog);
        out.set(Timer::StoreOverdue, self.policy.store_timeout);
        self.enter(Round::Committing, Phase::Commit, out);
        self.say(Channel::Checkpoint, Message::Mark { version, after: None, state, pages }, out);
    }

    /// The file is lost: a write that is blocked is broken off, since a VM may stand until it ends.
    pub(super) fn give_file_up(&mut self, out: &mut Actions) {
        if self.saver.is_some() {
            out.push(Action::Disconnect { channel: Channel::Checkpoint });
        }
        self.end_save(out);
    }

    /// The file is complete, or given up: a VM that stands for it goes on.
    pub(super) fn end_save(&mut self, out: &mut Actions) {
        let Some(saver) = &mut self.saver else { return };
        saver.rounds = None;
        out.cancel(Timer::Window);
        out.push(Action::StopLog);
        if saver.state.take().is_some() {
            out.push(Action::Unsuspend);
        }
    }
}
