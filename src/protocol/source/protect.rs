//! The source and checkpoints: it restores the VM from those of the destination, sends the base of those that outlive it, or
//! makes its own of a VM that stays.

use super::{
    Action, Actions, Channel, Host, Input, LocalTime, Message, Migration, Report, Settings, Source, State, StateId,
    Timer,
};
use crate::protocol::checkpoint::{Checkpointer, News};
use crate::protocol::recovery::{Came, Recovery};
use crate::scenario::policy::{Checkpoint, OnSilence};

/// What makes checkpoints at the source, where the policy has it do so.
pub(super) fn checkpointer(settings: &Settings) -> Option<Checkpointer> {
    let forward = settings.policy.checkpoint.as_ref().is_some_and(Checkpoint::forward);
    if forward { Checkpointer::new(settings) } else { None }
}

/// What others know of this node's restoring the VM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Restorer {
    /// The destination: that it never will.
    never: bool,
    /// The store: that an attempt has begun whose base is here.
    known: bool,
}

impl Source {
    /// Whether this node restores the VM when the destination is lost, as far as it has not said that it never will.
    pub(super) fn may_restore(&self) -> bool {
        let policy = self.settings.policy.checkpoint.as_ref();
        policy.is_some_and(Checkpoint::reverse) && !self.restorer.never
    }

    /// Says to the store that an attempt begins whose base is here: a store that does not know of it later has forgotten what else
    /// it knew. Said once, since a store that hears it again would not know what it had forgotten.
    pub(super) fn open_session(&self, out: &mut Actions) {
        let reverse = self.settings.policy.checkpoint.as_ref().filter(|checkpoint| checkpoint.reverse());
        let Some(store) = reverse.map(|checkpoint| checkpoint.store.host) else { return };
        if store != Host::Source {
            out.push(Action::Connect { peer: store, channel: Channel::Store });
        }
        out.send(store, Channel::Store, self.attempt, Message::Open);
    }

    /// The VM stays here, and whoever is to restore it is told to watch.
    pub(super) fn protect(&mut self, now: LocalTime, out: &mut Actions) {
        let Some(checkpointer) = &mut self.checkpointer else { return };
        self.state = State::Protecting;
        out.push(Action::Connect { peer: Host::Destination, channel: Channel::Migration });
        out.send(Host::Destination, Channel::Migration, self.attempt, Message::Protect);
        checkpointer.protect(self.attempt, now, out);
    }

    /// The frozen image is the base of checkpoints that are to outlive this host.
    pub(super) fn send_image(&mut self, state: StateId, now: LocalTime, out: &mut Actions) {
        let follows = self.settings.policy.migration != Migration::None;
        if let Some(checkpointer) = self.checkpointer.as_mut().filter(|_| follows) {
            checkpointer.send_image(self.attempt, state, now, out);
        }
    }

    /// The page server stops, and the restore begins.
    pub(super) fn restore(&mut self, out: &mut Actions) {
        let heard = self.has_heard();
        out.push(Action::DropWork);
        for timer in [Timer::Window, Timer::Ask] {
            out.cancel(timer);
        }
        self.disconnect(out);
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.stop(out);
        }
        let from = (self.base, self.restorer.known);
        if let Some(recovery) = Recovery::begin(&self.settings, self.attempt, Host::Source, from, out) {
            self.state = State::Restoring(recovery, heard);
        }
    }

    /// The store cannot read all that it promised, and an older state would take back what clients have seen: nothing may be
    /// restored. The copy here waits for a destination that may live after all.
    fn cannot_restore(&mut self, heard: bool, out: &mut Actions) {
        Recovery::give_up(out);
        self.wait_paused(heard, out);
        if !heard && self.settings.policy.handover.on_silence == OnSilence::Ask {
            self.state = State::Paused { heard, asking: true };
            self.ask(out);
        }
    }

    /// Takes what concerns checkpoints and restores.
    pub(super) fn step_protection(&mut self, now: LocalTime, input: &Input, out: &mut Actions) {
        if let Input::Message { envelope, .. } = input
            && envelope.message == Message::Opened
            && envelope.attempt == self.attempt
        {
            self.restorer.known = true;
        }
        if let State::Restoring(recovery, heard) = &mut self.state {
            let heard = *heard;
            match recovery.step(input, out) {
                // The base is here: there is always something.
                None | Some(Came::Claimed | Came::Nothing) => {}
                Some(Came::Runs) => {
                    out.push(Action::GiveUp);
                    out.report(self.attempt, Report::Failure);
                    self.state = State::Ended(Report::Failure);
                }
                Some(Came::Needless) => {
                    Recovery::give_up(out);
                    out.push(Action::Discard);
                    out.report(self.attempt, Report::Success);
                    self.state = State::Ended(Report::Success);
                }
                Some(Came::Superseded) => {
                    Recovery::give_up(out);
                    self.state = State::Ended(Report::Failure);
                }
                Some(Came::Unreadable) => self.cannot_restore(heard, out),
                Some(Came::Failed) => {
                    Recovery::give_up(out);
                    out.report(self.attempt, Report::Failure);
                    self.state = State::Ended(Report::Failure);
                }
            }
            return;
        }
        let Some(checkpointer) = &mut self.checkpointer else { return };
        let news = checkpointer.step(now, input, out);
        if let Input::Message { envelope, .. } = input
            && envelope.message == Message::Degraded
            && envelope.attempt == self.attempt
        {
            checkpointer.degrade(out);
        }
        if self.state == State::Protecting {
            self.protecting(news, out);
        } else if news == Some(News::Superseded) {
            // Only the destination can have claimed the VM: it restores it there.
            self.surrender(Report::Success, out);
        }
    }

    /// News of the checkpoints of a VM that stays here.
    fn protecting(&mut self, news: Option<News>, out: &mut Actions) {
        match news {
            Some(News::Superseded) => self.surrender(Report::Failure, out),
            Some(News::Degrade) => self.send(Channel::Migration, Message::Degrade, out),
            Some(News::Abort) => {
                self.send(Channel::Migration, Message::Abandon, out);
                self.surrender(Report::Failure, out);
            }
            Some(News::Final | News::LeaseGained) | None => {}
        }
    }

    /// The copy here is given up: another runs, or is to be restored.
    fn surrender(&mut self, report: Report, out: &mut Actions) {
        self.detector.stop(out);
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.stop(out);
        }
        out.push(Action::DropWork);
        out.push(Action::Discard);
        out.report(self.attempt, report);
        self.state = State::Ended(report);
    }

    /// The destination has lost its store and asks that the VM be never restored, so that it may go on without.
    pub(super) fn give_up_restoring(&mut self, channel: Channel, out: &mut Actions) {
        let runs = matches!(self.state, State::Pushing(_) | State::Paused { .. } | State::Resyncing { .. });
        if runs {
            self.restorer.never = true;
            self.runs_there(out);
        }
        if runs || self.state == State::Ended(Report::Success) {
            self.send(channel, Message::Degraded, out);
        }
    }

    /// The destination has given its copy up: what the store has is all there is.
    pub(super) fn abandoned_there(&mut self, out: &mut Actions) {
        let follows = matches!(self.state, State::Pushing(_) | State::Paused { .. } | State::Resyncing { .. });
        if follows && self.may_restore() {
            self.detector.stop(out);
            self.restore(out);
        }
    }
}
