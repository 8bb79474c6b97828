//! The destination and checkpoints: it makes those of the copy that runs here, until nobody will restore it any more; or it
//! stands by to restore a VM that runs at the source.

use super::{Action, Actions, Channel, Destination, Host, Input, LocalTime, Message, Report, Settings, State};
use crate::protocol::checkpoint::{Checkpointer, News};
use crate::protocol::recovery::{Ended, Recovery};
use crate::scenario::policy::{Checkpoint, Ending};

/// What makes checkpoints at the destination, where the policy has it do so.
pub(super) fn checkpointer(settings: &Settings) -> Option<Checkpointer> {
    if settings.policy.checkpoint.as_ref().is_some_and(Checkpoint::reverse) {
        Checkpointer::new(settings)
    } else {
        None
    }
}

impl Destination {
    /// Whether the right to run, if one is needed, is held.
    pub(super) fn may_run(&self, now: LocalTime) -> bool {
        self.checkpointer.as_ref().is_none_or(|checkpointer| checkpointer.may_run(now))
    }

    /// Whether this node restores the VM when the source is lost.
    pub(super) fn may_restore(&self) -> bool {
        self.settings.policy.checkpoint.as_ref().is_some_and(Checkpoint::forward)
    }

    /// Nobody will restore the VM: what is held goes, and no more checkpoints are made.
    pub(super) fn unprotect(&mut self, out: &mut Actions) {
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.end(out);
        }
    }

    /// The source has given up restoring: the VM goes on without protection.
    pub(super) fn degrade(&mut self, out: &mut Actions) {
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.degrade(out);
        }
    }

    /// Every page is here: the protection ends as the policy says. Answers whether the source is to be told now.
    pub(super) fn ends_protection(&mut self, out: &mut Actions) -> bool {
        let ending = self.settings.policy.ending;
        let Some(checkpointer) = &mut self.checkpointer else { return true };
        match ending {
            Ending::Unilateral => checkpointer.end(out),
            Ending::Handshake => {}
            Ending::Arbiter => checkpointer.write_final(out),
        }
        ending != Ending::Arbiter
    }

    /// The VM runs at the source: watch it.
    pub(super) fn stand_by(&mut self, out: &mut Actions) {
        self.state = State::Standby;
        self.detector.start(out);
    }

    /// The source goes on without protection.
    pub(super) fn stand_down(&mut self, channel: Channel, out: &mut Actions) {
        self.detector.stop(out);
        self.send(channel, Message::Degraded, out);
        self.state = State::Ended(Report::Success);
    }

    /// Restores the VM here.
    pub(super) fn restore(&mut self, out: &mut Actions) {
        out.push(Action::DropWork);
        self.detector.stop(out);
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.stop(out);
        }
        for channel in self.connections() {
            out.push(Action::Disconnect { channel });
        }
        if let Some(recovery) = Recovery::begin(&self.settings, self.attempt, Host::Destination, None, out) {
            self.state = State::Restoring(recovery);
        }
    }

    /// Another attempt begins: what the last one left here, a doomed copy perhaps, is dropped.
    pub(super) fn forget_attempt(&mut self, out: &mut Actions) {
        self.detector.stop(out);
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.stop(out);
        }
        out.push(Action::DropWork);
        out.push(Action::Discard);
        *self = Self::new(self.settings.clone());
    }

    /// Takes what concerns checkpoints and restores. Answers whether that was all.
    pub(super) fn step_protection(&mut self, now: LocalTime, input: &Input, out: &mut Actions) -> bool {
        if let State::Restoring(recovery) = &mut self.state {
            let report = match recovery.step(input, out) {
                None => return true,
                Some(Ended::Runs) => Report::Success,
                Some(Ended::Needless | Ended::Superseded) => Report::Failure,
            };
            if report == Report::Failure {
                Recovery::give_up(out);
                out.push(Action::Discard);
            }
            out.report(self.attempt, report);
            self.state = State::Ended(report);
            return true;
        }
        let Some(checkpointer) = &mut self.checkpointer else { return false };
        let concerned = matches!(input, Input::Sent { channel: Channel::Checkpoint });
        match checkpointer.step(now, input, out) {
            Some(News::Superseded) => {
                checkpointer.stop(out);
                self.abandon(out);
            }
            Some(News::Degrade) => {
                // On a connection of its own: the migration's may be over.
                out.push(Action::Connect { peer: Host::Source, channel: Channel::Question });
                self.send(Channel::Question, Message::Degrade, out);
            }
            Some(News::Abort) => {
                checkpointer.stop(out);
                out.push(Action::Connect { peer: Host::Source, channel: Channel::Question });
                self.send(Channel::Question, Message::Abandon, out);
                self.drop_copy(out);
            }
            Some(News::Final) => {
                out.push(Action::Conclude);
                checkpointer.end(out);
                self.send(Channel::Migration, Message::Complete, out);
            }
            Some(News::LeaseGained) if self.state == State::Unleased => {
                for channel in [Channel::Migration, Channel::Preempt] {
                    out.push(Action::ReadOn(channel));
                }
                self.run(out);
            }
            Some(News::LeaseGained) | None => {}
        }
        concerned
    }
}
