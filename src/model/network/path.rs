//! One way between two hosts: a FIFO byte queue whose head drains at the path's share, and the datagrams on the wire.
//!
//! Work is kept in byte-nanoseconds per second (bytes · 10⁹): progress in dt is rate · dt, exactly, so looking
//! in between changes nothing. The head has left at ⌈work / rate⌉.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use super::count::{Counters, Tally};
use super::event::{Effect, MessageId, NetEvent, PathId, StreamId};
use crate::rng::Stream as Random;
use crate::units::{ByteRate, Bytes, SimTime, Span};

/// Work of one byte.
const WORK_PER_BYTE: u128 = 1_000_000_000;

/// Bytes that travel as one: a message, or the FIN of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Parcel {
    /// `None`: a FIN.
    pub(super) message: Option<MessageId>,
    pub(super) bytes: Bytes,
    /// Whether it has left its host before.
    pub(super) left: bool,
}

/// A parcel in a path's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Queued {
    /// `None`: a datagram.
    pub(super) stream: Option<StreamId>,
    pub(super) parcel: Parcel,
}

/// One copy of a datagram on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct InAir {
    pub(super) bytes: Bytes,
    pub(super) at: SimTime,
    /// Whether another copy answers for the message.
    pub(super) spare: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Path {
    pub(super) id: PathId,
    pub(super) random: Random,
    queue: VecDeque<Queued>,
    queued: Bytes,
    /// Work left of the head at `settled`.
    work: u128,
    settled: SimTime,
    rate: u64,
    /// When the pending [`NetEvent::PathDone`] is due.
    due: Option<SimTime>,
    /// Streams that have something for this queue and may send.
    pub(super) waiting: BTreeSet<StreamId>,
    pub(super) served: Option<StreamId>,
    pub(super) air: BTreeMap<(MessageId, u8), InAir>,
    pub(super) counters: Counters,
}

impl Path {
    pub(super) fn new(id: PathId, random: Random) -> Self {
        Self {
            id,
            random,
            queue: VecDeque::new(),
            queued: Bytes::ZERO,
            work: 0,
            settled: SimTime::ZERO,
            rate: 0,
            due: None,
            waiting: BTreeSet::new(),
            served: None,
            air: BTreeMap::new(),
            counters: Counters::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
    pub(super) fn queued(&self) -> Bytes {
        self.queued
    }
    pub(super) fn rate(&self) -> ByteRate {
        ByteRate::new(self.rate)
    }
    pub(super) fn items(&self) -> impl Iterator<Item = &Queued> {
        self.queue.iter()
    }

    /// Whether so many bytes fit beside what is queued.
    pub(super) fn fits(&self, bytes: Bytes, limit: Bytes) -> bool {
        self.queued.get().saturating_add(bytes.get()) <= limit.get()
    }

    /// The next stream in turn, by number after the one served last.
    pub(super) fn next_in_turn(&self) -> Option<StreamId> {
        let after = |served| self.waiting.range((Bound::Excluded(served), Bound::Unbounded)).next();
        self.served.and_then(after).or_else(|| self.waiting.first()).copied()
    }

    pub(super) fn push(&mut self, now: SimTime, item: Queued) {
        self.queue.push_back(item);
        self.queued += item.parcel.bytes;
        if self.queue.len() == 1 {
            self.begin_head(now);
        }
    }

    /// The head, if it has left by `now` and its event is the one that was due.
    pub(super) fn pop_done(&mut self, now: SimTime) -> Option<Queued> {
        if self.due.is_none_or(|due| due > now) {
            return None;
        }
        self.due = None;
        self.settle(now);
        if self.work > 0 {
            return None;
        }
        let item = self.queue.pop_front()?;
        self.queued -= item.parcel.bytes;
        self.begin_head(now);
        Some(item)
    }

    /// Takes what `chosen` picks out of the queue, in order. If the head goes, its progress is void.
    pub(super) fn remove(&mut self, now: SimTime, chosen: impl Fn(&Queued) -> bool) -> Vec<Queued> {
        self.settle(now);
        let head_goes = self.queue.front().is_some_and(&chosen);
        let (gone, kept): (Vec<Queued>, Vec<Queued>) = self.queue.drain(..).partition(chosen);
        self.queue = kept.into();
        self.queued = self.queue.iter().map(|item| item.parcel.bytes).sum();
        if head_goes {
            self.begin_head(now);
        }
        gone
    }

    fn begin_head(&mut self, now: SimTime) {
        self.settled = now;
        self.work = self.queue.front().map_or(0, |head| u128::from(head.parcel.bytes.get()) * WORK_PER_BYTE);
    }

    /// Brings the head's progress up to `now`.
    pub(super) fn settle(&mut self, now: SimTime) {
        let done = u128::from(self.rate) * u128::from(now.saturating_since(self.settled).ns());
        self.work = self.work.saturating_sub(done);
        self.settled = self.settled.max(now);
    }

    pub(super) fn set_rate(&mut self, now: SimTime, rate: u64) {
        if self.rate != rate {
            self.settle(now);
            self.rate = rate;
        }
    }

    /// Makes the pending event agree with queue and rate.
    pub(super) fn reschedule(&mut self, out: &mut Vec<Effect>) {
        let due = (!self.queue.is_empty() && self.rate > 0).then(|| {
            let ns = self.work.div_ceil(u128::from(self.rate));
            self.settled.saturating_add(Span::from_ns(u64::try_from(ns).unwrap_or(u64::MAX)))
        });
        if due == self.due {
            return;
        }
        self.due = due;
        let event = NetEvent::PathDone(self.id);
        out.push(due.map_or(Effect::Cancel(event), |at| Effect::Schedule(at, event)));
    }

    /// Ends the message's life undelivered.
    pub(super) fn lose(&mut self, message: MessageId, bytes: Bytes, out: &mut Vec<Effect>) {
        self.counters.lost += Tally::one(bytes);
        out.push(Effect::Lost { message });
    }

    /// Takes one copy off the wire at its instant. The last copy answers for the message: an earlier one that gets
    /// through takes over from it, an earlier one that does not leaves it the task.
    pub(super) fn land(&mut self, now: SimTime, message: MessageId, copy: u8, up: bool, out: &mut Vec<Effect>) {
        if self.air.get(&(message, copy)).is_none_or(|copy| copy.at > now) {
            return;
        }
        let Some(InAir { bytes, mut spare, .. }) = self.air.remove(&(message, copy)) else { return };
        let other = self.air.get_mut(&(message, 1 - copy));
        let more = other.is_some();
        if let Some(other) = other {
            // Whichever comes first is the message, if it is received; else the other still may be.
            spare = !up;
            other.spare = up;
        }
        let one = Tally::one(bytes);
        match (up, spare) {
            (true, false) => self.counters.delivered += one,
            (true, true) => self.counters.copies_delivered += one,
            (false, true) => self.counters.copies_lost += one,
            (false, false) => self.lose(message, bytes, out),
        }
        if up {
            out.push(Effect::Deliver { to: self.id.to, message, more });
        }
    }
}
