//! Restoring the VM from its checkpoints: claim, fence, fetch or merge, load, run. It may be cut anywhere and repeated.
//!
//! The published restore (Fernando et al., INFOCOM 2019, §III-D, §IV-C) reads what is in the store and runs. Claims and fencing are
//! what it leaves open: a claim makes sure that nothing that was not read is acknowledged afterwards, and fencing that the other
//! side does not run any more. The node knows what the store and the power switch have told it.

use super::lease::Lease;
use super::{
    Action, Actions, Attempt, Awaited, Base, Batch, Channel, Envelope, Epoch, Fenced, FetchId, Input, Message,
    Settings, Standing, StateId, Stored, Timer,
};
use crate::scenario::policy::{Checkpoint, Fencing};
use crate::vocabulary::Host;

/// One restore, with all its tries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Recovery {
    policy: Checkpoint,
    fencing: Fencing,
    attempt: Attempt,
    epoch: Epoch,
    /// The host on which this is.
    here: Host,
    /// CPU and devices of the base that is here, if it is.
    base: Option<StateId>,
    /// The store has said that it knows of the attempt: one that does not any more has forgotten what else it knew.
    known: bool,
    step: Step,
    /// What was claimed.
    claimed: Option<Stored>,
    /// Something has come since the last try.
    progress: bool,
    /// Tries at fetching what was claimed.
    fetches: u32,
}

/// Where a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Claiming,
    Fencing,
    /// Pages come from a store on another host.
    Fetching,
    /// All are on their way or here; this is loaded when they are.
    Merging,
    Loading,
    Starting,
}

/// What has come of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// What there is was claimed: nobody else makes checkpoints or restores any more.
    Claimed,
    /// There is nothing to restore.
    Nothing,
    /// More was promised than the store can read, and nothing was restored yet.
    Unreadable,
    /// The same, when part of a version that could be read before is over the copy here already.
    Failed,
    /// The VM runs here.
    Runs,
    /// The other side has finished: there is nothing to restore.
    Needless,
    /// Another has claimed the VM.
    Superseded,
}

impl Recovery {
    /// Begins. `base`: CPU and devices of the base here; `known`: a store on another host has said that it knows of the attempt.
    pub(super) fn begin(
        settings: &Settings,
        attempt: Attempt,
        here: Host,
        (base, known): (Option<StateId>, bool),
        out: &mut Actions,
    ) -> Option<Self> {
        let policy = settings.policy.checkpoint.clone()?;
        let fencing = settings.policy.fencing;
        let epoch = Epoch::default().next();
        let recovery = Self {
            policy,
            fencing,
            attempt,
            epoch,
            here,
            base,
            known,
            step: Step::Claiming,
            claimed: None,
            progress: false,
            fetches: 0,
        };
        out.push(Action::Restore);
        recovery.claim(out);
        Some(recovery)
    }

    fn is_local(&self) -> bool {
        self.policy.store.host == self.here
    }

    fn victim(&self) -> Host {
        if self.here == Host::Source { Host::Destination } else { Host::Source }
    }

    fn say(&self, channel: Channel, message: Message, out: &mut Actions) {
        out.send_in(self.policy.store.host, channel, self.attempt, self.epoch, message);
    }

    /// Asks for the newest complete version, and that no newer one be accepted: always where the store is here, unless the policy
    /// follows the published protocol; elsewhere if the fencing says so.
    fn claim(&self, out: &mut Actions) {
        if !self.is_local() {
            for channel in [Channel::Checkpoint, Channel::Store] {
                out.push(Action::Connect { peer: self.policy.store.host, channel });
            }
        }
        let base = match (self.base, self.known) {
            (None, _) => Base::Absent,
            (Some(_), false) => Base::Here,
            (Some(_), true) => Base::Known,
        };
        let claims = if self.is_local() { self.policy.local_claim } else { self.fencing != Fencing::None };
        let question = if claims { Message::Claim { base } } else { Message::Read { base } };
        self.say(Channel::Store, question, out);
        out.set(Timer::RestoreRetry, self.policy.restore_retry);
    }

    /// Takes what concerns the restore. Answers what has come of it, if anything has.
    pub(super) fn step(&mut self, input: &Input, out: &mut Actions) -> Option<Came> {
        match input {
            Input::Message { envelope, .. } if envelope.attempt == self.attempt => {
                return self.message(envelope, out);
            }
            Input::Timer(Timer::LeaseOut) if self.step == Step::Fencing => self.entitled(out),
            Input::Timer(Timer::FenceRetry) if self.step == Step::Fencing => self.fence(out),
            Input::Timer(Timer::RestoreRetry) => self.retry(out),
            Input::Merged if self.step == Step::Merging => self.load(out),
            Input::NotMerged if self.step == Step::Merging => self.not_merged(out),
            Input::Placed { channel: Channel::Checkpoint, .. } => self.progress = true,
            Input::Loaded if self.step == Step::Loading => {
                self.step = Step::Starting;
                out.push(Action::Resume);
            }
            Input::Resumed if self.step == Step::Starting => {
                out.cancel(Timer::RestoreRetry);
                return Some(Came::Runs);
            }
            _ => {}
        }
        None
    }

    fn message(&mut self, envelope: &Envelope, out: &mut Actions) -> Option<Came> {
        match envelope.message {
            Message::Claimed(stored) if self.step == Step::Claiming => return Some(self.claimed(stored, out)),
            Message::Unreadable if self.step == Step::Claiming => {
                return Some(if self.claimed.is_some() { Came::Failed } else { Came::Unreadable });
            }
            Message::Final => return Some(Came::Needless),
            // What this side had said before it claimed is refused, too, by its own claim.
            Message::Refused(_) if envelope.epoch >= self.epoch => return Some(Came::Superseded),
            Message::Fenced(answer) if self.step == Step::Fencing => match answer {
                Fenced::Off => self.entitled(out),
                Fenced::Failed | Fenced::Unknown => {
                    if let Fencing::Stonith(stonith) = self.fencing {
                        out.set(Timer::FenceRetry, stonith.retry);
                    }
                }
            },
            Message::Restored { fetch, batch } if fetch == self.fetch() => self.place(batch, out),
            Message::AllRestored(fetch) if self.step == Step::Fetching && fetch == self.fetch() => {
                // What this try asked for came before it and is placed: the connection is read in order.
                self.load(out);
            }
            _ => {}
        }
        None
    }

    fn claimed(&mut self, stored: Option<Stored>, out: &mut Actions) -> Came {
        if stored.is_none() && self.base.is_none() {
            return Came::Nothing;
        }
        self.claimed = stored;
        out.push(Action::Claimed(stored));
        self.step = Step::Fencing;
        match self.fencing {
            Fencing::None | Fencing::StoreClaim => self.entitled(out),
            Fencing::Lease(terms) => out.set(Timer::LeaseOut, Lease::wait(terms)),
            Fencing::Stonith(_) => {
                out.push(Action::Connect { peer: Host::Management, channel: Channel::Fence });
                self.fence(out);
            }
        }
        Came::Claimed
    }

    fn fence(&self, out: &mut Actions) {
        out.send_in(Host::Management, Channel::Fence, self.attempt, self.epoch, Message::Fence(self.victim()));
    }

    fn entitled(&mut self, out: &mut Actions) {
        out.push(Action::Entitle);
        if self.base.is_none() {
            out.push(Action::DropWork);
            out.push(Action::Clean);
        }
        match self.claimed {
            Some(stored) if !self.is_local() => {
                self.step = Step::Fetching;
                self.fetches += 1;
                let fetch = self.fetch();
                self.say(Channel::Checkpoint, Message::Fetch { version: stored.version, fetch }, out);
            }
            _ => {
                self.step = Step::Merging;
                if self.policy.to_file() {
                    out.push(Action::Launch);
                }
                out.push(Action::Merge);
            }
        }
    }

    /// The try under way.
    fn fetch(&self) -> FetchId {
        FetchId { by: self.here, number: self.fetches }
    }

    fn place(&mut self, batch: Batch, out: &mut Actions) {
        if self.step == Step::Fetching {
            self.progress = true;
            out.push(Action::Place { channel: Channel::Checkpoint, batch });
        }
    }

    fn load(&mut self, out: &mut Actions) {
        let Some(state) = self.claimed.map(|stored| stored.state).or(self.base) else { return };
        self.step = Step::Loading;
        out.push(Action::Load(state));
    }

    /// The store here is gone with what was to be merged. The base needs nothing of it.
    fn not_merged(&mut self, out: &mut Actions) {
        if self.claimed.is_none() {
            return self.load(out);
        }
        self.step = Step::Claiming;
        self.claim(out);
    }

    /// Nothing has come for a time: asks again, on new connections, under the same claim.
    fn retry(&mut self, out: &mut Actions) {
        match self.step {
            Step::Claiming => self.claim(out),
            Step::Fetching if !std::mem::take(&mut self.progress) => {
                out.push(Action::DropWork);
                self.step = Step::Claiming;
                self.claim(out);
            }
            Step::Fencing | Step::Fetching => out.set(Timer::RestoreRetry, self.policy.restore_retry),
            Step::Merging | Step::Loading | Step::Starting => {}
        }
    }

    /// Ends it before it has come to anything.
    pub(super) fn give_up(out: &mut Actions) {
        out.push(Action::DropWork);
        for timer in [Timer::RestoreRetry, Timer::LeaseOut, Timer::FenceRetry] {
            out.cancel(timer);
        }
    }

    /// For the log.
    pub(super) fn standing(&self) -> Standing {
        match self.step {
            Step::Claiming => Standing::BlockedOn(Awaited::Store),
            Step::Fencing => Standing::Waiting(Awaited::Fence),
            Step::Fetching | Step::Merging => Standing::Working("restoring"),
            Step::Loading => Standing::Working("loading"),
            Step::Starting => Standing::Working("starting"),
        }
    }
}
