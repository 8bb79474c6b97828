//! The destination and checkpoints: it makes those of the copy that runs here, until nobody will restore it any more; or it
//! stands by to restore a VM that runs at the source.

use super::{
    Action, Actions, Channel, Destination, Fetching, Host, Input, LocalTime, Message, Report, Settings, State, Timer,
};
use crate::protocol::checkpoint::{Checkpointer, News};
use crate::protocol::recovery::{Came, Recovery};
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
        self.leased(out);
    }

    /// A copy that has only been waiting for the right to run begins.
    fn leased(&mut self, out: &mut Actions) {
        if self.state == State::Unleased {
            for channel in [Channel::Migration, Channel::Preempt] {
                out.push(Action::ReadOn(channel));
            }
            self.run(out);
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
        self.detector.stop(out);
        for channel in self.connections() {
            out.push(Action::Disconnect { channel });
        }
        if let Some(recovery) = Recovery::begin(&self.settings, self.attempt, Host::Destination, (None, false), out) {
            let fetching = match &mut self.state {
                State::Fetching(fetching) => Some(std::mem::take(fetching)),
                _ => None,
            };
            self.state = State::Restoring(recovery, fetching);
        }
    }

    /// Another attempt begins: what the last one left here, a doomed copy perhaps, is dropped.
    pub(super) fn forget_attempt(&mut self, out: &mut Actions) {
        self.detector.stop(out);
        self.unwind(out);
        out.push(Action::DropWork);
        out.push(Action::Discard);
        *self = Self::new(self.settings.clone());
    }

    /// Takes what concerns checkpoints and restores. Answers whether that was all.
    pub(super) fn step_protection(&mut self, now: LocalTime, input: &Input, out: &mut Actions) -> bool {
        let restores = self.step_restore(input, out);
        let Some(checkpointer) = &mut self.checkpointer else { return restores };
        let concerned = matches!(input, Input::Sent { channel: Channel::Checkpoint });
        if let Some(news) = checkpointer.step(now, input, out) {
            self.news(news, out);
        }
        // What happens to the copy that is still here concerns its other part.
        let of_copy = matches!(
            input,
            Input::Fault(_)
                | Input::Satisfied(_)
                | Input::Placed { channel: Channel::Migration | Channel::Preempt, .. }
        );
        restores && !of_copy && !matches!(input, Input::Pinged { .. }) || concerned
    }

    /// Takes what concerns a restore. Answers whether one is under way.
    fn step_restore(&mut self, input: &Input, out: &mut Actions) -> bool {
        let State::Restoring(recovery, fetching) = &mut self.state else { return false };
        match recovery.step(input, out) {
            None => {}
            Some(Came::Claimed) => {
                // The copy here is superseded by what is to be restored.
                self.unwind(out);
            }
            // It stood by for this, and it cannot be done: an older state would take back what clients have seen.
            Some(Came::Unreadable) if fetching.is_none() && !self.post_copy => {
                Recovery::give_up(out);
                out.report(self.attempt, Report::Failure);
                self.state = State::Ended(Report::Failure);
            }
            Some(Came::Nothing | Came::Unreadable) => {
                let fetching = fetching.take();
                self.goes_on(fetching, out);
            }
            Some(Came::Runs) => {
                out.report(self.attempt, Report::Success);
                self.state = State::Ended(Report::Success);
            }
            Some(Came::Needless | Came::Superseded | Came::Failed) => {
                Recovery::give_up(out);
                self.drop_copy(out);
            }
        }
        true
    }

    /// There is nothing to restore: the copy here, if there is one, waits for a source that may live after all.
    fn goes_on(&mut self, fetching: Option<Fetching>, out: &mut Actions) {
        out.cancel(Timer::RestoreRetry);
        match (fetching, self.post_copy) {
            (Some(fetching), _) => {
                self.state = State::Fetching(fetching);
                self.pause(out);
            }
            (None, true) => {
                self.state = State::Running { source_suspect: true };
                out.report(self.attempt, Report::Success);
            }
            // The base had not come through: it stands by again, for a source that may live after all.
            (None, false) => self.stand_by(out),
        }
    }

    /// Does what news of the checkpoints ask for.
    fn news(&mut self, news: News, out: &mut Actions) {
        match news {
            // By this side's own claim, perhaps: whether by another's is for the restore to hear.
            News::Superseded if matches!(self.state, State::Restoring(..)) => {}
            News::Superseded => {
                self.unwind(out);
                self.abandon(out);
            }
            News::Degrade => {
                // On a connection of its own: the migration's may be over.
                out.push(Action::Connect { peer: Host::Source, channel: Channel::Question });
                self.send(Channel::Question, Message::Degrade, out);
            }
            News::Abort => {
                self.unwind(out);
                out.push(Action::Connect { peer: Host::Source, channel: Channel::Question });
                self.send(Channel::Question, Message::Abandon, out);
                self.drop_copy(out);
            }
            News::Final => {
                out.push(Action::Conclude);
                self.unprotect(out);
                self.send(Channel::Migration, Message::Complete, out);
            }
            News::LeaseGained => self.leased(out),
        }
    }

    /// No more checkpoints are made.
    fn unwind(&mut self, out: &mut Actions) {
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.stop(out);
        }
    }
}
