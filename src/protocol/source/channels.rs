//! The page channels of a source: which of them are at work, what they have sent, and when all have written their pages.
//!
//! With one channel, the migration connection, nothing here waits for anything. With several, each reads and writes by itself;
//! a sync or a stop waits for the last of them, and before it a *flush* goes on every connection: the receiver
//! places nothing that follows one before all that preceded it on any of them. Else a page could be overtaken by its older
//! version on another channel.

use std::collections::BTreeMap;

use super::{Action, Actions, Channel, Host, LocalTime, Message, Settings, Source, Step};
use crate::protocol::Batch;
use crate::scenario::policy::Push;
use crate::units::{Bytes, PageCount};

/// What each channel does, and what all of them wait for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PageChannels {
    all: Vec<Channel>,
    chunk: PageCount,
    /// Pages that each of several channels sends before they count.
    packet: PageCount,
    at_work: BTreeMap<Channel, Piece>,
    /// A packet was made up while all channels were at work: the next that is free sends it, whatever the limit says by then.
    made_up: bool,
    /// Least number of pages left that a read since the last sync has told of: reads may end in another order than they began.
    left: Option<PageCount>,
    /// To be done when the last channel has written its pages.
    deferred: Option<Step>,
    /// Pages have been sent since the last flush.
    unflushed: bool,
}

/// A chunk, or the chunks of a packet, on the way from memory to the send buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Piece {
    began: LocalTime,
    pages: PageCount,
    bytes: Bytes,
}

/// Pages that are in the send buffer: since when, and how many bytes.
pub(super) type Sent = (LocalTime, Bytes);

/// What a read has brought.
pub(super) enum Read {
    /// Something to write.
    Pages,
    /// Nothing, as others have taken the rest; what the channel has sent before.
    Nothing(Option<Sent>),
}

impl Piece {
    fn at(began: LocalTime) -> Self {
        Self { began, pages: PageCount::ZERO, bytes: Bytes::ZERO }
    }
}

impl PageChannels {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            all: settings.page_channels(),
            chunk: settings.chunk,
            packet: settings.packet,
            at_work: BTreeMap::new(),
            made_up: false,
            left: None,
            deferred: None,
            unflushed: false,
        }
    }

    /// Connections beside that of the migration.
    pub(super) fn parallel(&self) -> impl Iterator<Item = Channel> + '_ {
        self.all.iter().copied().filter(|channel| *channel != Channel::Migration)
    }

    pub(super) fn all_idle(&self) -> bool {
        self.at_work.is_empty()
    }

    fn are_several(&self) -> bool {
        self.all.len() > 1
    }

    /// Puts all that are idle to work. Another packet is made up meanwhile, if there are several.
    fn begin(&mut self, now: LocalTime) -> Vec<Channel> {
        let idle: Vec<Channel> = self.all.iter().copied().filter(|c| !self.at_work.contains_key(c)).collect();
        self.at_work.extend(idle.iter().map(|channel| (*channel, Piece::at(now))));
        self.made_up = self.are_several();
        idle
    }

    /// The limit is reached: the channel that sends what was made up before it was.
    fn begin_made_up(&mut self, now: LocalTime) -> Option<Channel> {
        let any_left = self.left.is_some_and(|left| left > PageCount::ZERO);
        if !std::mem::take(&mut self.made_up) || !any_left || self.deferred.is_some() {
            return None;
        }
        let idle = self.all.iter().copied().find(|channel| !self.at_work.contains_key(channel))?;
        self.at_work.insert(idle, Piece::at(now));
        Some(idle)
    }

    /// `channel` has read a batch, and `pending` pages were left then. Answers how many are left, and what the read has brought.
    pub(super) fn read(&mut self, channel: Channel, batch: &Batch, pending: PageCount) -> (PageCount, Read) {
        let left = self.left.map_or(pending, |left| left.min(pending));
        self.left = Some(left);
        if batch.pages == PageCount::ZERO {
            let sent = self.at_work.remove(&channel).filter(|piece| piece.pages > PageCount::ZERO);
            return (left, Read::Nothing(sent.map(|piece| (piece.began, piece.bytes))));
        }
        if let Some(piece) = self.at_work.get_mut(&channel) {
            piece.pages += batch.pages;
            piece.bytes += batch.bytes;
        }
        self.unflushed = true;
        (left, Read::Pages)
    }

    /// A write on `channel` has ended. Answers what the channel has sent if it is free; else a packet goes on with its next
    /// chunk, or the write was not one of pages.
    pub(super) fn written(&mut self, channel: Channel, out: &mut Actions) -> Option<Sent> {
        let piece = *self.at_work.get(&channel).filter(|piece| piece.pages > PageCount::ZERO)?;
        if self.are_several() && piece.pages < self.packet && self.left != Some(PageCount::ZERO) {
            self.take(channel, out);
            return None;
        }
        self.at_work.remove(&channel);
        Some((piece.began, piece.bytes))
    }

    fn take(&self, channel: Channel, out: &mut Actions) {
        out.push(Action::Take { channel, budget: self.chunk, push: Push::Ascending });
    }

    /// The log was synced.
    pub(super) fn synced(&mut self) {
        self.left = None;
        self.made_up = false;
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
            self.channels.take(channel, out);
        }
    }

    /// What was made up before the limit was reached goes all the same.
    pub(super) fn take_made_up(&mut self, now: LocalTime, out: &mut Actions) {
        if let Some(channel) = self.channels.begin_made_up(now) {
            self.channels.take(channel, out);
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
