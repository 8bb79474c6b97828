//! The words in which the world and the network talk: names of things, pending events, effects.

use crate::units::SimTime;

/// A host: a small index from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u8);

/// What a host's network card is for. With shared cards both mean the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nic {
    /// Memory and protocol of the migration.
    Migration,
    /// The guest's output, heartbeats, management.
    Application,
}

/// One way between two hosts on one card. From [`Network::path`](super::Network::path).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId {
    /// Who sends.
    pub from: HostId,
    /// Who receives.
    pub to: HostId,
    /// Number of the card, the same at both ends: 0 carries the migration.
    pub(super) card: u8,
}

/// One TCP connection: one incarnation, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// A message, numbered by the caller, who keeps what it says. Unique among messages in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// Identity of a pending event. At most one is pending per value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetEvent {
    /// The migration cards take the rate of this step of the trace.
    RateStep(u32),
    /// The head of this path's queue has left.
    PathDone(PathId),
    /// The oldest bytes on the wire in this direction of a stream arrive.
    Arrival {
        /// The stream.
        stream: StreamId,
        /// Who sent.
        from: HostId,
    },
    /// A datagram arrives.
    Datagram {
        /// Where it travels.
        path: PathId,
        /// What it is.
        message: MessageId,
        /// 0, or 1 for the second copy of a duplicated one.
        copy: u8,
    },
    /// A reset (RST) arrives.
    Reset {
        /// The stream.
        stream: StreamId,
        /// Who sent it.
        from: HostId,
    },
    /// The retransmission timer of a stalled direction fires.
    Retry {
        /// The stream.
        stream: StreamId,
        /// Who sends.
        from: HostId,
    },
}

/// How the owner of an end closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Close {
    /// What is buffered still flows, then a FIN.
    Fin,
    /// What is buffered is thrown away, an RST goes out at once.
    Reset,
}

/// How an end of a stream has learnt that it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The other end's FIN arrived, after all its data.
    Fin,
    /// An RST arrived, or a fault reset the stream.
    Reset,
    /// Unsent bytes found no way for too long.
    GiveUp,
}

/// What follows from what happened, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Hand this event back at this instant; replaces an equal pending one.
    Schedule(SimTime, NetEvent),
    /// Forget this pending event.
    Cancel(NetEvent),
    /// A write has ended: its last byte is in the send buffer or in the path's queue. Once per message.
    Written {
        /// The stream.
        stream: StreamId,
        /// Who wrote.
        from: HostId,
        /// What.
        message: MessageId,
    },
    /// The message has left its host for the first time: an output is then released. At most once per message.
    Left {
        /// Which.
        message: MessageId,
    },
    /// The message is there.
    Deliver {
        /// Where.
        to: HostId,
        /// Which.
        message: MessageId,
        /// Whether a second copy is still on its way (it comes to nothing without a sign if the host goes down).
        more: bool,
    },
    /// The message has not been delivered and never will be. Once per message.
    Lost {
        /// Which.
        message: MessageId,
    },
    /// One end has learnt that the stream is over; an end that its owner closed learns nothing.
    Ended {
        /// The stream.
        stream: StreamId,
        /// Which end.
        at: HostId,
        /// How.
        how: End,
    },
}
