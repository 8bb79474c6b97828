//! Connections of the model: each direction a queue that is read in order; what is on different ones arrives in any order.

use midflight::protocol::{Channel, Envelope, Message};
use midflight::vocabulary::Host;

use crate::host::Seat;

/// One direction of a connection. `number` tells it from earlier ones of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    pub from: Seat,
    pub to: Seat,
    pub channel: Channel,
    pub number: u8,
}

impl Line {
    pub fn back(self) -> Self {
        Self { from: self.to, to: self.from, ..self }
    }

    /// Whether what arrives waits for the receiver's work on this connection to end, as in the socket's buffer of a reader that is
    /// busy.
    pub fn waits_for_work(self, item: &Item) -> bool {
        let checkpoint = matches!(item, Item::Says(envelope) if matches!(
            envelope.message,
            Message::Chunk { .. } | Message::Mark { .. } | Message::Restored { .. } | Message::AllRestored(_)
        ));
        checkpoint || self.to == Seat::Destination && self.channel.is_migration()
    }

    /// Whether it goes between the two hosts that a cut separates.
    pub fn is_cut_by(self, store: Host) -> bool {
        let ends = [self.from.host(store), self.to.host(store)];
        ends.contains(&Host::Source) && ends.contains(&Host::Destination)
    }
}

/// What is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Item {
    Says(Envelope),
    /// The end of the connection.
    End,
}
