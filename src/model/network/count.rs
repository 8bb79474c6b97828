//! Book-keeping: what has been accepted, what became of it, and a recount of what is still under way.

use std::ops::AddAssign;

use super::Network;
use super::event::{HostId, Nic, PathId, StreamId};
use super::path::Parcel;
use crate::units::{ByteRate, Bytes};

/// Messages and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tally {
    /// How many.
    pub messages: u64,
    /// Their payload.
    pub bytes: Bytes,
}

impl Tally {
    /// One message.
    pub fn one(bytes: Bytes) -> Self {
        Self { messages: 1, bytes }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

/// What became of messages so far. `accepted = delivered + lost + in flight`, and
/// `copies = copies_delivered + copies_lost + copies in flight`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Counters {
    /// Written to a stream or sent as a datagram.
    pub accepted: Tally,
    /// Delivered once.
    pub delivered: Tally,
    /// Never to be delivered.
    pub lost: Tally,
    /// Second copies of duplicated datagrams.
    pub copies: Tally,
    /// Second deliveries.
    pub copies_delivered: Tally,
    /// Second copies that came to nothing.
    pub copies_lost: Tally,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.copies += other.copies;
        self.copies_delivered += other.copies_delivered;
        self.copies_lost += other.copies_lost;
    }
}

/// What is under way, recounted from the queues themselves. FIN and RST do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct InFlight {
    /// In send buffers, or writes that wait for room there.
    pub unsent: Tally,
    /// In path queues.
    pub queued: Tally,
    /// On the wire.
    pub air: Tally,
    /// Second copies of datagrams on the wire.
    pub copies: Tally,
}

impl InFlight {
    /// All messages, each once.
    pub fn messages(&self) -> Tally {
        let mut sum = self.unsent;
        sum += self.queued;
        sum += self.air;
        sum
    }
}

impl AddAssign for InFlight {
    fn add_assign(&mut self, other: Self) {
        self.unsent += other.unsent;
        self.queued += other.queued;
        self.air += other.air;
        self.copies += other.copies;
    }
}

fn tally<'a>(parcels: impl Iterator<Item = &'a Parcel>) -> Tally {
    let mut sum = Tally::default();
    for parcel in parcels.filter(|parcel| parcel.message.is_some()) {
        sum += Tally::one(parcel.bytes);
    }
    sum
}

impl Network {
    /// What became of the messages of one path.
    pub fn counters(&self, path: PathId) -> Counters {
        self.paths[self.index(path)].counters
    }

    /// What became of all messages.
    pub fn total(&self) -> Counters {
        let mut sum = Counters::default();
        for path in &self.paths {
            sum += path.counters;
        }
        sum
    }

    /// What is under way on one path: counted now, in time proportional to it and to the number of streams.
    pub fn in_flight(&self, path: PathId) -> InFlight {
        let own = &self.paths[self.index(path)];
        let mut sum = InFlight { queued: tally(own.items().map(|item| &item.parcel)), ..InFlight::default() };
        for copy in own.air.values() {
            *(if copy.spare { &mut sum.copies } else { &mut sum.air }) += Tally::one(copy.bytes);
        }
        for way in self.ways_on(path) {
            let outgoing = &self.connections[way.connection].out[way.side];
            sum.unsent += tally(outgoing.unsent.iter());
            sum.air += tally(outgoing.air.iter().map(|flying| &flying.parcel));
        }
        sum
    }

    /// What is under way on all paths.
    pub fn all_in_flight(&self) -> InFlight {
        let mut sum = InFlight::default();
        for path in &self.paths {
            sum += self.in_flight(path.id);
        }
        sum
    }

    /// Falsifies the books, so that a test can see them checked.
    #[cfg(test)]
    pub(crate) fn miscount(&mut self) {
        self.paths[1].counters.accepted += Tally::one(Bytes::new(1));
    }

    /// Whether no message is under way between two hosts, either way, on any card.
    pub fn idle_between(&self, a: HostId, b: HostId) -> bool {
        [Nic::Migration, Nic::Application].into_iter().all(|nic| {
            [self.path(a, b, nic), self.path(b, a, nic)].into_iter().all(|path| {
                let under_way = self.in_flight(path);
                under_way.messages().messages + under_way.copies.messages == 0
            })
        })
    }

    /// The lowest bound that TCP sets now on the streams of the migration's card, if any: the window's and the loss's.
    pub fn stream_bound(&self) -> Option<ByteRate> {
        self.all_links().filter_map(|links| links.cap).min().map(ByteRate::new)
    }

    /// The rate that a path gets now [B/s]; 0 if it has nothing to send.
    pub fn path_rate(&self, path: PathId) -> ByteRate {
        self.paths[self.index(path)].rate()
    }

    /// Bytes in a path's queue, the head in whole.
    pub fn queued(&self, path: PathId) -> Bytes {
        self.paths[self.index(path)].queued()
    }

    /// Bytes that one direction of a stream has not brought into the path's queue.
    pub fn unsent(&self, stream: StreamId, from: HostId) -> Bytes {
        let way = self.way(stream, from);
        self.connections[way.connection].out[way.side].unsent.iter().map(|parcel| parcel.bytes).sum()
    }
}
