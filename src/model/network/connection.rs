//! A stream's own state: its two ends and, for each direction, what has not arrived yet.

use std::collections::VecDeque;

use super::event::{Effect, HostId, StreamId};
use super::path::Parcel;
use crate::units::{Bytes, SimTime, Span};

/// Bytes on the wire of a FIN: headers of one small packet. It counts for the queue, not for the tallies.
pub(super) const FIN_BYTES: Bytes = Bytes::new(64);

/// Whether an end takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Open,
    /// Closed by its owner; what was buffered, and the FIN, still flow.
    Closing,
    Over,
}

/// A parcel on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Flying {
    pub(super) parcel: Parcel,
    pub(super) at: SimTime,
}

/// A direction that has noticed that nothing gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Stall {
    /// When it tries again.
    pub(super) next: SimTime,
    /// The time-out that ends then.
    pub(super) rto: Span,
    /// When it gives up.
    pub(super) deadline: SimTime,
}

impl Stall {
    /// When the timer fires.
    pub(super) fn wake(&self) -> SimTime {
        self.next.min(self.deadline)
    }
}

/// One direction, at its sender and on the wire; what is in the path's queue is there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Outgoing {
    pub(super) unsent: VecDeque<Parcel>,
    /// How many of `unsent` have been written, from the front.
    written: usize,
    written_bytes: Bytes,
    /// In order of arrival.
    pub(super) air: VecDeque<Flying>,
    pub(super) stall: Option<Stall>,
}

impl Outgoing {
    /// Ends the writes whose last byte is in a buffer of so many bytes.
    pub(super) fn end_writes(&mut self, buffer: Bytes, stream: StreamId, from: HostId, out: &mut Vec<Effect>) {
        while let Some(parcel) = self.unsent.get(self.written) {
            let bytes = self.written_bytes.get().saturating_add(parcel.bytes.get());
            if bytes > buffer.get() {
                return;
            }
            self.written += 1;
            self.written_bytes = Bytes::new(bytes);
            if let Some(message) = parcel.message {
                out.push(Effect::Written { stream, from, message });
            }
        }
    }

    /// Takes the first unsent parcel, and whether its write ends only by that.
    pub(super) fn take(&mut self) -> Option<(Parcel, bool)> {
        let parcel = self.unsent.pop_front()?;
        let ends = self.written == 0;
        if !ends {
            self.written -= 1;
            self.written_bytes -= parcel.bytes;
        }
        Some((parcel, ends))
    }

    /// Puts back what was cut off, before the rest. All of it had been written.
    pub(super) fn put_back(&mut self, parcels: impl DoubleEndedIterator<Item = Parcel>) {
        for parcel in parcels.rev() {
            self.unsent.push_front(parcel);
            self.written += 1;
            self.written_bytes += parcel.bytes;
        }
    }

    /// Throws away what is unsent.
    pub(super) fn discard(&mut self) -> VecDeque<Parcel> {
        self.written = 0;
        self.written_bytes = Bytes::ZERO;
        std::mem::take(&mut self.unsent)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Connection {
    pub(super) ends: [HostId; 2],
    pub(super) card: u8,
    pub(super) sides: [Side; 2],
    pub(super) out: [Outgoing; 2],
    /// When the RST of each end arrives, if one is on the wire.
    pub(super) reset: [Option<SimTime>; 2],
}
