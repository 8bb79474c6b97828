//! Checkpoints of the copy on this node, round after round: copy, stand, copy the rest, run, send, commit, release.
//!
//! The rounds of `PostCopyFT` (Fernando et al., INFOCOM 2019, §III-B to §III-D, §IV-B): stage I copies dirty pages while the VM
//! runs; stage II stops it, copies what was dirtied meanwhile, and saves CPU and devices; only when it runs again are the
//! pages sent. Rounds do not overlap. With [`Stages::One`] there is no stage I, as in Remus (Cully et al., NSDI 2008, §3.2).
//!
//! A VM that is saved to a file goes another way, see `save`, unless that is a snapshot, which is a version of one stage.
//!
//! It knows what the store has said and nothing else. What it does not do: restore (see `recovery`).

mod commit;
mod save;

use super::lease::{Change, Lease};
use super::{Action, Actions, Attempt, Channel, Epoch, Input, Message, Settings, StateId, Timer, Version};
use crate::scenario::policy::{Checkpoint, Fencing, OnStoreLoss, Period, Stages, Trigger};
use crate::units::{LocalTime, PageCount, Span};
use crate::vocabulary::Phase;
use save::Saver;

/// The rounds of one copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Checkpointer {
    policy: Checkpoint,
    chunk: PageCount,
    attempt: Attempt,
    epoch: Epoch,
    round: Round,
    /// The version under way, or the next.
    version: Version,
    /// The newest that the store has said to be whole, on which the next builds; `None`: that has all pages.
    acknowledged: Option<Version>,
    /// When its round began.
    began: LocalTime,
    /// Pages of it, and those among them that are not sent.
    pages: PageCount,
    left: PageCount,
    /// Whether output is held.
    holding: bool,
    /// Output waits that no version covers.
    output_waits: bool,
    /// Complete at the store and not released yet: the lease had run out.
    unreleased: Option<Version>,
    lease: Option<Lease>,
    /// The vCPUs stand because the lease has run out.
    frozen: bool,
    /// The frozen image of a copy that never runs here is being sent, and no more: its CPU and devices.
    image: Option<StateId>,
    /// What saves the VM to a file while it stands, or live.
    saver: Option<Saver>,
}

/// Where a round is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Round {
    /// No checkpoints are made.
    Off,
    /// The next is not due.
    Waiting,
    /// Dirty pages are being copied while the VM runs.
    StageOne,
    Suspending,
    StageTwo(StateId),
    /// Pages are read and written to a file.
    Saving,
    /// Everything is copied, and the lease does not let the VM run.
    Unleased(StateId),
    Resuming(StateId),
    Sending(StateId),
    Committing,
    /// The store is lost.
    Lost,
}

/// What its node has to do about checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// The store refuses this side: another has claimed the VM.
    Superseded,
    /// The store is lost, and the policy wants the protection given up.
    Degrade,
    /// The store is lost, and the policy wants the copy given up.
    Abort,
    /// The last word is written: nobody will restore.
    Final,
    /// The right to run is held again.
    LeaseGained,
}

impl Checkpointer {
    /// Not begun; `None` where the policy has no checkpoints.
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let policy = settings.policy.checkpoint.clone()?;
        let lease = match settings.policy.fencing {
            Fencing::Lease(terms) => Some(Lease::new(terms, policy.store.host)),
            _ => None,
        };
        Some(Self {
            chunk: settings.chunk,
            attempt: Attempt::default(),
            epoch: Epoch::default(),
            round: Round::Off,
            version: Version(1),
            acknowledged: Some(Version(0)),
            began: LocalTime::from_ns(0),
            pages: PageCount::ZERO,
            left: PageCount::ZERO,
            holding: false,
            output_waits: false,
            unreleased: None,
            lease,
            frozen: false,
            image: None,
            saver: Saver::new(settings, policy.save),
            policy,
        })
    }

    /// The copy here is about to run for the first time: what it sends is held from its first instruction on.
    pub(super) fn prepare(&mut self, attempt: Attempt, now: LocalTime, out: &mut Actions) {
        self.attempt = attempt;
        out.push(Action::LogCheckpoints { all: false });
        self.hold(out);
        self.open(now, out);
    }

    /// The copy here, which runs already, is protected from the first version on, which has all its pages.
    pub(super) fn protect(&mut self, attempt: Attempt, now: LocalTime, out: &mut Actions) {
        self.attempt = attempt;
        (self.version, self.acknowledged) = (Version(0), None);
        out.push(Action::LogCheckpoints { all: true });
        self.open(now, out);
        self.begin(now, out);
    }

    /// The frozen image of the copy here, whose CPU and devices are `state`, is the base in the store.
    pub(super) fn send_image(&mut self, attempt: Attempt, state: StateId, now: LocalTime, out: &mut Actions) {
        self.attempt = attempt;
        (self.version, self.acknowledged) = (Version(0), None);
        self.image = Some(state);
        out.push(Action::LogCheckpoints { all: true });
        self.connect(out);
        self.begin(now, out);
    }

    /// The copy here runs: rounds begin.
    pub(super) fn start(&mut self, now: LocalTime, out: &mut Actions) {
        if self.round == Round::Off {
            self.began = now;
            self.await_next(now, out);
        }
    }

    /// Whether the right to run, if one is needed, is held.
    pub(super) fn may_run(&self, now: LocalTime) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.holds(now))
    }

    /// Nobody will restore: everything is let go, and no more checkpoints are made.
    pub(super) fn end(&mut self, out: &mut Actions) {
        if self.holding {
            self.holding = false;
            out.push(Action::ReleaseAll);
        }
        self.stop(out);
        if self.frozen {
            self.frozen = false;
            out.push(Action::Thaw);
        }
    }

    /// The restoring side has given up restoring: it goes on without protection.
    pub(super) fn degrade(&mut self, out: &mut Actions) {
        out.push(Action::Unprotect);
        self.end(out);
    }

    /// Makes no more checkpoints; what is held stays held. A VM that stands for one goes on.
    pub(super) fn stop(&mut self, out: &mut Actions) {
        if matches!(self.round, Round::Suspending | Round::StageTwo(_) | Round::Unleased(_)) && self.image.is_none() {
            out.push(Action::Unsuspend);
        }
        self.end_save(out);
        self.round = Round::Off;
        for timer in [Timer::Checkpoint, Timer::StoreOverdue, Timer::StoreRetry] {
            out.cancel(timer);
        }
        out.push(Action::EndCheckpoints);
        if let Some(lease) = &mut self.lease {
            lease.stop(out);
        }
    }

    /// Says to the store that the protected side has finished.
    pub(super) fn write_final(&self, out: &mut Actions) {
        self.say(Channel::Store, Message::WriteFinal, out);
    }

    fn hold(&mut self, out: &mut Actions) {
        if self.policy.holds() && !std::mem::replace(&mut self.holding, true) {
            out.push(Action::HoldOutput);
        }
    }

    /// Connects to the store, and asks it for the right to run, if one is needed.
    fn open(&mut self, now: LocalTime, out: &mut Actions) {
        self.connect(out);
        if let Some(lease) = &mut self.lease {
            lease.start(now, self.attempt, self.epoch, out);
            // A store that does not even grant the right to run is lost before the first round.
            out.set(Timer::StoreOverdue, self.policy.store_timeout);
        }
    }

    fn connect(&self, out: &mut Actions) {
        for channel in [Channel::Checkpoint, Channel::Store] {
            out.push(Action::Connect { peer: self.policy.store.host, channel });
        }
    }

    fn say(&self, channel: Channel, message: Message, out: &mut Actions) {
        out.send_in(self.policy.store.host, channel, self.attempt, self.epoch, message);
    }

    fn enter(&mut self, round: Round, phase: Phase, out: &mut Actions) {
        self.round = round;
        out.push(Action::Round { version: self.version, phase });
    }

    fn begin(&mut self, now: LocalTime, out: &mut Actions) {
        self.began = now;
        self.output_waits = false;
        if let Some(state) = self.image {
            self.round = Round::StageTwo(state);
            return out.push(Action::Stage);
        }
        if self.saver.is_some() {
            return self.begin_save(now, out);
        }
        match self.policy.stages {
            Stages::Two => {
                self.enter(Round::StageOne, Phase::Stage1, out);
                out.push(Action::Stage);
            }
            Stages::One => self.suspend(out),
        }
    }

    fn suspend(&mut self, out: &mut Actions) {
        self.enter(Round::Suspending, Phase::Stage2, out);
        out.push(Action::Suspend);
    }

    /// A round is over, or none has been: the next is due after the interval, or when output waits.
    fn await_next(&mut self, now: LocalTime, out: &mut Actions) {
        self.round = Round::Waiting;
        match self.policy.trigger {
            Trigger::Periodic { interval, period } => {
                let past = if period == Period::Gap { Span::ZERO } else { now.since(self.began) };
                out.set(Timer::Checkpoint, interval.saturating_sub(past));
            }
            Trigger::Output if self.output_waits => self.begin(now, out),
            Trigger::Output | Trigger::Once => {}
        }
    }

    /// Takes what concerns checkpoints. Answers what its node has to do about it.
    pub(super) fn step(&mut self, now: LocalTime, input: &Input, out: &mut Actions) -> Option<News> {
        if let Some(news) = self.step_lease(now, input, out) {
            return Some(news);
        }
        if self.step_save(now, input, out) {
            return None;
        }
        match input {
            Input::Timer(Timer::Checkpoint) if self.round == Round::Waiting => self.begin(now, out),
            Input::OutputWaits => {
                self.output_waits = true;
                if self.round == Round::Waiting && self.policy.trigger == Trigger::Output {
                    self.begin(now, out);
                }
            }
            Input::Staged { pages } => self.staged(*pages, now, out),
            Input::Suspended { state } if self.round == Round::Suspending => {
                self.hold(out);
                self.round = Round::StageTwo(*state);
                out.push(Action::Stage);
            }
            Input::Unsuspended => {
                if let Round::Resuming(state) = self.round {
                    self.send(state, out);
                }
            }
            Input::Unstaged { batch, left } if matches!(self.round, Round::Sending(_)) => {
                self.left = *left;
                let version = self.version;
                self.say(Channel::Checkpoint, Message::Chunk { version, batch: *batch }, out);
            }
            Input::Sent { channel: Channel::Checkpoint } => self.send_next(out),
            Input::Message { channel: Channel::Checkpoint | Channel::Store, envelope, .. }
                if envelope.attempt == self.attempt =>
            {
                return self.message(&envelope.message, now, out);
            }
            Input::Timer(Timer::StoreOverdue) | Input::Broken { channel: Channel::Checkpoint } => {
                return self.lose_store(out);
            }
            Input::Timer(Timer::StoreRetry) if self.round == Round::Lost => {
                self.connect(out);
                self.begin(now, out);
            }
            _ => {}
        }
        None
    }

    fn step_lease(&mut self, now: LocalTime, input: &Input, out: &mut Actions) -> Option<News> {
        let lease = self.lease.as_mut()?;
        match lease.step(now, input, self.attempt, self.epoch, out)? {
            Change::Lost => {
                if !std::mem::replace(&mut self.frozen, true) {
                    out.push(Action::Freeze);
                }
                None
            }
            Change::Gained => {
                if !matches!(self.round, Round::Sending(_) | Round::Committing) {
                    out.cancel(Timer::StoreOverdue);
                }
                if std::mem::take(&mut self.frozen) {
                    out.push(Action::Thaw);
                }
                if let Round::Unleased(state) = self.round {
                    self.round = Round::Resuming(state);
                    out.push(Action::Unsuspend);
                }
                if let Some(version) = self.unreleased.take() {
                    out.push(Action::Release(version));
                }
                Some(News::LeaseGained)
            }
        }
    }

    fn staged(&mut self, pages: PageCount, now: LocalTime, out: &mut Actions) {
        match self.round {
            Round::StageOne => self.suspend(out),
            Round::StageTwo(state) => {
                self.pages = pages;
                if self.image.is_some() {
                    return self.send(state, out);
                }
                out.push(Action::SealOutput(self.version));
                self.output_waits = false;
                if self.may_run(now) {
                    self.round = Round::Resuming(state);
                    out.push(Action::Unsuspend);
                } else {
                    self.round = Round::Unleased(state);
                }
            }
            _ => {}
        }
    }

    fn send(&mut self, state: StateId, out: &mut Actions) {
        self.enter(Round::Sending(state), Phase::Transfer, out);
        self.left = self.pages;
        self.send_next(out);
    }

    /// The next pages; behind the last, on the connection that carries them, the mark.
    fn send_next(&mut self, out: &mut Actions) {
        let Round::Sending(state) = self.round else { return };
        out.set(Timer::StoreOverdue, self.policy.store_timeout);
        if self.left > PageCount::ZERO {
            out.push(Action::Unstage { budget: self.chunk });
        } else {
            let Self { version, pages, .. } = *self;
            // A file has everything.
            let after = self.acknowledged.filter(|_| !self.policy.to_file());
            self.enter(Round::Committing, Phase::Commit, out);
            self.say(Channel::Checkpoint, Message::Mark { version, after, state, pages }, out);
            out.push(Action::ForgetArrivals);
        }
    }
}
