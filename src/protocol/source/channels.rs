//! The page channels of a source: which of them are at work, what they have sent, and when all have written their pages.
//!
//! With one channel, the migration connection, nothing here waits for anything. With several, each reads and writes by itself;
//! a sync or a stop waits for the last of them, and before it a *flush* goes on every connection: the receiver
//! places nothing that follows one before all that preceded it on any of them. Else a page could be overtaken by its older
//! version on another channel.

use std::collections::BTreeMap;

use super::{Action, Actions, Channel, Host, LocalTime, Message, Source, Step};
use crate::protocol::Batch;
use crate::scenario::policy::Push;
use crate::units::{Bytes, PageCount};

/// What each channel does, and what all of them wait for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PageChannels {
    all: Vec<Channel>,
    at_work: BTreeMap<Channel, Piece>,
    /// Least number of pages left that a read since the last sync has told of: reads may end in another order than they began.
    left: Option<PageCount>,
    /// To be done when the last channel has written its pages.
    deferred: Option<Step>,
    /// Pages have been sent since the last flush.
    unflushed: bool,
}

/// A chunk on its way from memory to the send buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Piece {
    began: LocalTime,
    /// Known once it is read.
    bytes: Option<Bytes>,
}

impl PageChannels {
    pub(super) fn new(all: Vec<Channel>) -> Self {
        Self { all, at_work: BTreeMap::new(), left: None, deferred: None, unflushed: false }
    }

    /// Connections beside that of the migration.
    pub(super) fn parallel(&self) -> impl Iterator<Item = Channel> + '_ {
        self.all.iter().copied().filter(|channel| *channel != Channel::Migration)
    }

    pub(super) fn all_idle(&self) -> bool {
        self.at_work.is_empty()
    }

    /// Puts all that are idle to work.
    fn begin(&mut self, now: LocalTime) -> Vec<Channel> {
        let idle: Vec<Channel> = self.all.iter().copied().filter(|c| !self.at_work.contains_key(c)).collect();
        self.at_work.extend(idle.iter().map(|channel| (*channel, Piece { began: now, bytes: None })));
        idle
    }

    /// `channel` has read a batch, and `pending` pages were left then. Answers how many are left, and whether there is
    /// anything to write; else the channel is idle: others have taken the rest.
    pub(super) fn read(&mut self, channel: Channel, batch: &Batch, pending: PageCount) -> (PageCount, bool) {
        let left = self.left.map_or(pending, |left| left.min(pending));
        self.left = Some(left);
        if batch.pages == PageCount::ZERO {
            self.at_work.remove(&channel);
            return (left, false);
        }
        if let Some(piece) = self.at_work.get_mut(&channel) {
            piece.bytes = Some(batch.bytes);
        }
        self.unflushed = true;
        (left, true)
    }

    /// A write on `channel` has ended. Answers when its chunk was begun, and its bytes; `None`: it was not a chunk's.
    pub(super) fn written(&mut self, channel: Channel) -> Option<(LocalTime, Bytes)> {
        let piece = self.at_work.get(&channel)?;
        let chunk = (piece.began, piece.bytes?);
        self.at_work.remove(&channel);
        Some(chunk)
    }

    /// The log was synced.
    pub(super) fn synced(&mut self) {
        self.left = None;
    }

    /// What is to be done now, if `step` is what one channel finds: a sync or a stop waits for all.
    pub(super) fn agree(&mut self, step: Step) -> Option<Step> {
        let step = match (self.deferred, step) {
            (Some(deferred), step) if !matches!(step, Step::Abort(_)) => deferred,
            _ => step,
        };
        let waits = matches!(step, Step::Sync | Step::Stop(_) | Step::Switch) && !self.all_idle();
        self.deferred = waits.then_some(step);
        (!waits).then_some(step)
    }
}

impl Source {
    /// Every idle channel reads its next chunk.
    pub(super) fn take(&mut self, now: LocalTime, out: &mut Actions) {
        for channel in self.channels.begin(now) {
            out.push(Action::Take { channel, budget: self.settings.chunk, push: Push::Ascending });
        }
    }

    /// Tells the receiver on every connection that what follows comes after what went before on any; true unless that shows
    /// that one is broken.
    pub(super) fn flush(&mut self, out: &mut Actions) -> bool {
        if !std::mem::take(&mut self.channels.unflushed) {
            return true;
        }
        let parallel: Vec<Channel> = self.channels.parallel().collect();
        if parallel.is_empty() {
            return true;
        }
        parallel.into_iter().chain([Channel::Migration]).all(|channel| self.write(channel, Message::Flush, out))
    }

    /// Reads and clears the log, behind a flush.
    pub(super) fn sync(&mut self, out: &mut Actions) {
        if self.flush(out) {
            out.push(Action::SyncLog);
        }
    }

    /// Opens the connections of an attempt.
    pub(super) fn connect(&mut self, out: &mut Actions) {
        self.broken = false;
        for channel in self.connections() {
            out.push(Action::Connect { peer: Host::Destination, channel });
        }
    }

    pub(super) fn disconnect(&self, out: &mut Actions) {
        for channel in self.connections() {
            out.push(Action::Disconnect { channel });
        }
    }

    fn connections(&self) -> Vec<Channel> {
        let post_copy = self.settings.policy.migration.post_copy();
        let preempt = post_copy.filter(|post_copy| post_copy.preempt).map(|_| Channel::Preempt);
        [Channel::Migration].into_iter().chain(self.channels.parallel()).chain(preempt).collect()
    }
}
