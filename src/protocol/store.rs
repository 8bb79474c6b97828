//! A store of checkpoints: takes versions whole or not at all, and decides whose.
//!
//! It knows an *epoch*. A claim raises it, and whoever writes under an older one is refused from then on. A version is
//! *complete* when all its pages and its mark are here and so is every version before it. It is an agent like any other: it
//! sees its messages and its own medium, and no node's state.
//!
//! What it has called complete is a promise: output was let go in its name. A medium can lose it, and a process that starts again
//! with an empty memory has forgotten it. Whoever is to restore is then told so, instead of being offered an older state.

use std::collections::BTreeMap;

use super::{
    Action, Actions, Agent, Attempt, Awaited, Base, Batch, Channel, Envelope, Epoch, FetchId, Input, Message, Settings,
    Standing, StateId, Stored, Version,
};
use crate::scenario::policy::Checkpoint;
use crate::units::{Bytes, LocalTime, PageCount};
use crate::vocabulary::Host;

/// The store's agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Store {
    policy: Checkpoint,
    page_size: Bytes,
    chunk: PageCount,
    attempt: Attempt,
    epoch: Epoch,
    /// Who holds the claim of this epoch.
    claimant: Option<Host>,
    /// The protected side has finished: nothing is to be restored.
    finished: bool,
    /// Versions of which something is here and that are not complete.
    arriving: BTreeMap<Version, Arriving>,
    newest: Option<Stored>,
    /// The newest version that it has ever called complete.
    promised: Option<Version>,
    /// Whoever has the base has opened this attempt here: if nothing was promised since, nothing is forgotten.
    opened: bool,
    /// Pages kept, those of the same page in several versions counted for each.
    kept: PageCount,
    /// For whom the newest complete version is being read.
    reading: Option<Reading>,
    /// For which try the claimed version is being sent.
    recalling: Option<FetchId>,
}

/// Somebody wants to know what is to be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Reading {
    to: Host,
    /// It has the base.
    base: Base,
    /// Whose claim of which epoch this one has replaced.
    replaced: (Epoch, Option<Host>),
}

/// A version that is not complete.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Arriving {
    from: Host,
    kept: PageCount,
    /// CPU and devices, and what it builds upon, once its sender has said that it is all here.
    mark: Option<(StateId, Option<Version>)>,
    sealed: bool,
}

impl Arriving {
    /// Nothing is here yet.
    fn begin(from: Host) -> Self {
        Self { from, kept: PageCount::ZERO, mark: None, sealed: false }
    }
}

/// What a sender says of a version that it has sent.
#[derive(Debug, Clone, Copy)]
struct Mark {
    version: Version,
    after: Option<Version>,
    state: StateId,
    pages: PageCount,
}

impl Store {
    /// Empty; `None` where the policy has no checkpoints.
    pub fn new(settings: &Settings) -> Option<Self> {
        let policy = settings.policy.checkpoint.clone()?;
        Some(Self {
            policy,
            page_size: settings.page_size,
            chunk: settings.chunk,
            attempt: Attempt::default(),
            epoch: Epoch::default(),
            claimant: None,
            finished: false,
            arriving: BTreeMap::new(),
            newest: None,
            promised: None,
            opened: false,
            kept: PageCount::ZERO,
            reading: None,
            recalling: None,
        })
    }

    /// What its disk has of it: complete versions, the epoch, what was opened, and that the protected side has finished.
    #[must_use]
    pub fn as_on_disk(mut self) -> Self {
        self.arriving.clear();
        self.reading = None;
        self.recalling = None;
        self
    }

    /// Up to which version all is complete. Where the base is not in the store, it is complete from the beginning.
    fn complete(&self) -> Option<Version> {
        let base = if self.policy.forward() { None } else { Some(Version(0)) };
        self.newest.map(|newest| newest.version).or(base)
    }

    /// Whether a version is complete, or whole and waiting for one before it.
    fn has(&self, version: Version) -> bool {
        self.complete() >= Some(version) || self.arriving.get(&version).is_some_and(|arriving| arriving.sealed)
    }

    fn say(&self, to: Host, channel: Channel, message: Message, out: &mut Actions) {
        out.send_in(to, channel, self.attempt, self.epoch, message);
    }

    /// A new attempt begins with an empty store.
    fn begin(&mut self, attempt: Attempt, out: &mut Actions) {
        out.push(Action::Clear);
        self.attempt = attempt;
        self.epoch = Epoch::default();
        self.claimant = None;
        self.finished = false;
        self.arriving.clear();
        self.newest = None;
        self.promised = None;
        self.opened = false;
        self.kept = PageCount::ZERO;
        self.recalling = None;
    }

    fn chunk(&mut self, from: Host, version: Version, batch: Batch, out: &mut Actions) {
        let capacity = self.policy.store.capacity;
        let full = |kept: PageCount| capacity.is_some_and(|room| kept.bytes(self.page_size) > room);
        if self.complete() >= Some(version) {
            // Of a version that is complete: an echo.
            return;
        }
        if full(self.kept + batch.pages) {
            self.forget(version, out);
            return self.say(from, Channel::Checkpoint, Message::Full(version), out);
        }
        let arriving = self.arriving.entry(version).or_insert_with(|| Arriving::begin(from));
        arriving.from = from;
        arriving.kept += batch.pages;
        self.kept += batch.pages;
        out.push(Action::Keep { version, batch });
    }

    /// Its sender says that a version is all here; what it says is compared with what came.
    fn mark(&mut self, from: Host, mark: Mark, out: &mut Actions) {
        let Mark { version, after, state, pages } = mark;
        if self.complete() >= Some(version) {
            return;
        }
        // The base may come later, from another host.
        if after.is_some_and(|after| after > Version(0) && !self.has(after)) {
            self.forget(version, out);
            return self.say(from, Channel::Checkpoint, Message::Gap(version), out);
        }
        let arriving = self.arriving.entry(version).or_insert_with(|| Arriving::begin(from));
        if arriving.kept != pages {
            self.forget(version, out);
            return self.say(from, Channel::Checkpoint, Message::Torn(version), out);
        }
        arriving.mark = Some((state, after));
        out.push(Action::Seal { version });
    }

    fn forget(&mut self, version: Version, out: &mut Actions) {
        if let Some(arriving) = self.arriving.remove(&version) {
            self.kept = self.kept.saturating_sub(arriving.kept);
        }
        out.push(Action::Forget(version));
    }

    /// A version is whole. It is complete if what it builds upon is, and so are then those that waited for it.
    fn sealed(&mut self, version: Version, out: &mut Actions) {
        let Some(arriving) = self.arriving.get_mut(&version) else { return };
        arriving.sealed = true;
        let from = arriving.from;
        let mut told = BTreeMap::new();
        while let Some((stored, after, from)) = self.next() {
            let superseded: Vec<Version> = self.arriving.range(..stored.version).map(|(version, _)| *version).collect();
            for version in superseded {
                self.forget(version, out);
            }
            self.arriving.remove(&stored.version);
            self.newest = Some(stored);
            self.promised = Some(stored.version);
            out.push(Action::Commit { stored, after });
            told.insert(from, stored.version);
        }
        if self.complete() < Some(version) {
            self.say(from, Channel::Checkpoint, Message::Sealed(version), out);
        }
        for (from, version) in told {
            self.say(from, Channel::Checkpoint, Message::Committed(version), out);
        }
    }

    /// The first version that is whole and builds on what is complete, what that is, and whose it is.
    fn next(&self) -> Option<(Stored, Option<Version>, Host)> {
        self.arriving.iter().find_map(|(&version, arriving)| {
            let (state, after) = arriving.mark.filter(|_| arriving.sealed)?;
            (after <= self.complete()).then_some((Stored { version, state }, after, arriving.from))
        })
    }

    /// Who claims is answered with what it may restore; the same claim again is answered again.
    fn claim(&mut self, from: Host, epoch: Epoch, base: Base, out: &mut Actions) {
        if self.finished {
            return self.say(from, Channel::Store, Message::Final, out);
        }
        if epoch < self.epoch || (epoch == self.epoch && self.claimant != Some(from)) {
            return self.refuse(from, Channel::Store, epoch, out);
        }
        if self.newest.is_none() && base == Base::Absent {
            // There is nothing to restore, and whoever is suspected may be all that is left of the VM: it is not shut out.
            return self.read(from, base, out);
        }
        let replaced = (self.epoch, self.claimant);
        self.epoch = epoch;
        self.claimant = Some(from);
        for version in std::mem::take(&mut self.arriving).into_keys() {
            out.push(Action::Forget(version));
        }
        self.reading = Some(Reading { to: from, base, replaced });
        out.push(Action::Pin);
    }

    /// Reads the newest complete version for whoever is to restore it.
    fn read(&mut self, from: Host, base: Base, out: &mut Actions) {
        self.reading = Some(Reading { to: from, base, replaced: (self.epoch, self.claimant) });
        out.push(Action::Pin);
    }

    /// This is what can be read here. It is offered unless more was promised, or may have been: whoever is suspected may then be all
    /// that is left of the VM, and is not shut out.
    fn found(&mut self, newest: Option<Stored>, out: &mut Actions) {
        self.newest = newest;
        let Some(Reading { to, base, replaced }) = self.reading.take() else { return };
        let lost = self.promised > newest.map(|newest| newest.version);
        let forgotten = newest.is_none() && base == Base::Known && !self.opened;
        if self.policy.holds() && (lost || forgotten) {
            (self.epoch, self.claimant) = replaced;
            self.say(to, Channel::Store, Message::Unreadable, out);
        } else {
            self.say(to, Channel::Store, Message::Claimed(newest), out);
        }
    }

    /// There is no room for more of a version.
    fn no_room(&mut self, version: Version, out: &mut Actions) {
        if let Some(from) = self.arriving.get(&version).map(|arriving| arriving.from) {
            self.forget(version, out);
            self.say(from, Channel::Checkpoint, Message::Full(version), out);
        }
    }

    fn recall(&mut self, fetch: FetchId, afresh: bool, out: &mut Actions) {
        self.recalling = Some(fetch);
        out.push(Action::Recall { fetch, afresh, budget: self.chunk });
    }

    fn recalled(&mut self, fetch: FetchId, batch: Batch, left: PageCount, out: &mut Actions) {
        if self.recalling != Some(fetch) {
            // It was asked for anew while this was being read.
            return;
        }
        if batch.pages > PageCount::ZERO {
            self.say(fetch.by, Channel::Checkpoint, Message::Restored { fetch, batch }, out);
        }
        if left == PageCount::ZERO {
            self.say(fetch.by, Channel::Checkpoint, Message::AllRestored(fetch), out);
            self.recalling = None;
        }
    }

    /// Refuses what was said under this epoch; the answer goes under it, too.
    fn refuse(&self, to: Host, channel: Channel, epoch: Epoch, out: &mut Actions) {
        out.send_in(to, channel, self.attempt, epoch, Message::Refused(self.epoch));
    }

    /// Whether this comes from someone who may not write any more, and is answered so.
    fn refuses(&self, from: Host, channel: Channel, epoch: Epoch, out: &mut Actions) -> bool {
        let late = epoch < self.epoch;
        if late {
            self.refuse(from, channel, epoch, out);
        }
        late
    }

    fn message(&mut self, from: Host, channel: Channel, envelope: &Envelope, out: &mut Actions) {
        if envelope.attempt > self.attempt {
            self.begin(envelope.attempt, out);
        }
        if envelope.attempt < self.attempt {
            return;
        }
        let epoch = envelope.epoch;
        match envelope.message {
            Message::Open => {
                self.opened = true;
                self.say(from, Channel::Store, Message::Opened, out);
            }
            Message::Claim { base } => self.claim(from, epoch, base, out),
            Message::Read { base } => self.read(from, base, out),
            // Only of what was read last: an older answer may have come late.
            Message::Fetch { version, fetch } if self.newest.map(|newest| newest.version) == Some(version) => {
                self.recall(fetch, true, out);
            }
            _ if self.refuses(from, channel, epoch, out) => {}
            Message::Chunk { version, batch } => self.chunk(from, version, batch, out),
            Message::Mark { version, after, state, pages } => {
                self.mark(from, Mark { version, after, state, pages }, out);
            }
            Message::LeaseRequest(number) if !self.finished => {
                self.say(from, Channel::Store, Message::LeaseGranted(number), out);
            }
            Message::WriteFinal => {
                if !std::mem::replace(&mut self.finished, true) {
                    out.push(Action::Relinquish);
                }
                self.say(from, Channel::Store, Message::FinalWritten, out);
            }
            _ => {}
        }
    }
}

impl Agent for Store {
    fn step(&mut self, _now: LocalTime, input: Input, out: &mut Actions) {
        match input {
            Input::Message { from, channel, envelope } => self.message(from, channel, &envelope, out),
            Input::Pinned { newest } => self.found(newest, out),
            Input::NoRoom { version } => self.no_room(version, out),
            Input::SealedHere { version } => self.sealed(version, out),
            Input::Recalled { fetch, batch, left } => self.recalled(fetch, batch, left, out),
            Input::Sent { .. } => {
                if let Some(fetch) = self.recalling {
                    self.recall(fetch, false, out);
                }
            }
            _ => {}
        }
    }

    fn standing(&self) -> Standing {
        match (self.recalling, self.claimant) {
            (Some(_), _) => Standing::Working("sending a version"),
            (None, Some(_)) => Standing::Waiting(Awaited::Store),
            (None, None) => Standing::Working("storing"),
        }
    }
}
