//! The end of a round: what the store answers, and what is done when it does not.

use super::{
    Action, Actions, Checkpointer, Lease, LocalTime, Message, News, OnStoreLoss, Round, Timer, Trigger, Version,
};

impl Checkpointer {
    pub(super) fn message(&mut self, message: &Message, now: LocalTime, out: &mut Actions) -> Option<News> {
        let awaited = |version| version == self.version && self.round == Round::Committing;
        match *message {
            Message::Committed(version) => self.committed(version, now, out),
            Message::Sealed(version) if awaited(version) => self.end_round(now, out),
            Message::Torn(version) if awaited(version) => self.repeat(false, now, out),
            Message::Gap(version) if awaited(version) => self.repeat(true, now, out),
            Message::Full(version) if version == self.version => return self.lose_store(out),
            Message::Refused(_) if self.round != Round::Off => return Some(News::Superseded),
            Message::FinalWritten => return Some(News::Final),
            _ => {}
        }
        None
    }

    /// This version and all before it are complete: what they cover may go, while the right to run is held.
    fn committed(&mut self, version: Version, now: LocalTime, out: &mut Actions) {
        if self.holding {
            if self.may_run(now) {
                out.push(Action::Release(version));
            } else {
                self.unreleased = Some(version);
            }
        }
        if version == self.version && self.round == Round::Committing {
            self.end_round(now, out);
        }
    }

    fn end_round(&mut self, now: LocalTime, out: &mut Actions) {
        out.cancel(Timer::StoreOverdue);
        self.end_save(out);
        self.acknowledged = Some(self.version);
        if self.image.is_some() {
            self.stop(out);
            return;
        }
        self.version = Version(self.version.0 + 1);
        self.await_next(now, out);
    }

    /// The version came to nothing: its pages go with the next try, and whatever went before if the store has lost that.
    fn repeat(&mut self, all: bool, now: LocalTime, out: &mut Actions) {
        out.cancel(Timer::StoreOverdue);
        self.end_save(out);
        out.push(Action::Restage { all });
        if all {
            // Only a copy that stays, or an image, has all pages; what follows a switchover builds upon the base.
            let has_all = self.image.is_some() || !self.policy.reverse();
            self.acknowledged = if has_all { None } else { Some(Version(0)) };
        }
        self.again();
        self.begin(now, out);
    }

    /// What is sent anew is another version: the store may have the last one after all, without this side's having heard.
    fn again(&mut self) {
        if self.image.is_none() {
            self.version = Version(self.version.0 + 1);
        }
    }

    /// The store does not answer, or has no room.
    pub(super) fn lose_store(&mut self, out: &mut Actions) -> Option<News> {
        if self.round == Round::Off && self.lease.as_ref().is_some_and(Lease::is_asked_for) {
            out.set(Timer::StoreOverdue, self.policy.store_timeout);
            return self.on_loss();
        }
        if matches!(self.round, Round::Off | Round::Lost) {
            return None;
        }
        out.cancel(Timer::StoreOverdue);
        out.cancel(Timer::Checkpoint);
        if matches!(self.round, Round::Suspending | Round::StageTwo(_) | Round::Unleased(_)) && self.image.is_none() {
            out.push(Action::Unsuspend);
        }
        self.give_file_up(out);
        self.round = Round::Lost;
        self.again();
        out.push(Action::Restage { all: false });
        if self.policy.trigger != Trigger::Once {
            out.set(Timer::StoreRetry, self.policy.restore_retry);
        }
        self.on_loss()
    }

    /// What the policy wants when the store is lost.
    fn on_loss(&self) -> Option<News> {
        match self.policy.on_store_loss {
            OnStoreLoss::Hold => None,
            OnStoreLoss::Degrade => Some(News::Degrade),
            OnStoreLoss::Abort => Some(News::Abort),
        }
    }
}
