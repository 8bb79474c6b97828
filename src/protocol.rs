//! Behaviour: what each node does with what reaches it, as state machines without I/O.
//!
//! An agent sees inputs and answers actions. It reads no clock but its own node's, draws no random number, and knows
//! of other nodes only what their messages say: a fault reaches it as silence, a broken connection or a
//! timer. The same agents run under simulated time, under fault injection and under a model checker.
//!
//! # How actions run
//! *Work* ([`Action::lane`]) takes time on the node: reading, writing and placing pages, syncing the log, stopping,
//! loading, resuming, and writing to a page channel (which ends when the last byte is in the send buffer). Each page
//! channel has a lane of work; in a lane, work runs in order, one piece at a time, and each piece is answered by one input.
//! Until then, what arrives at the destination on that channel waits; timers and the other channels do not, and the source
//! reads with a thread of its own. All other actions happen at once.

mod action;
mod checkpoint;
mod defect;
mod destination;
mod detector;
mod fencer;
mod input;
mod lease;
mod message;
mod operator;
mod own;
mod pacing;
mod phi;
mod precopy;
mod recovery;
mod source;
mod store;

pub use action::{Action, Actions, Disk, LocalVm, Suspicion};
pub use defect::Defective;
pub use destination::Destination;
pub use fencer::Fencer;
pub use input::{Input, Timer};
pub use message::{
    Answer, Attempt, Base, Batch, Channel, Envelope, Epoch, FaultId, Fenced, FetchId, Message, PageList, Report,
    StateId, Stored, Version,
};
pub use operator::Operator;
pub use own::{Own, own_agent};
pub use source::Source;
pub use store::Store;

use std::fmt;

use crate::scenario::Policy;
use crate::units::{Bytes, LocalTime, PageCount, Span};

/// A node's behaviour.
pub trait Agent {
    /// Takes one input at `now` on the node's own clock and appends what the node does about it.
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions);
    /// Where it stands, for the log and for telling waiting from working.
    fn standing(&self) -> Standing;
    /// The attempt that it works on, if it is one that writes it down: a crash of its process does not lose that.
    fn attempt(&self) -> Option<Attempt> {
        None
    }
}

/// What an agent knows from the start.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Settings {
    /// The scenario's policy.
    pub policy: Policy,
    /// Bytes of one guest page.
    pub page_size: Bytes,
    /// Pages read and sent at a time.
    pub chunk: PageCount,
    /// Pages that each of several channels sends before they count for the limit.
    pub packet: PageCount,
    /// Command accepted → first page read.
    pub setup: Span,
    /// Length of a bandwidth window.
    pub window: Span,
    /// How long it sends on between two looks at what is left.
    pub iteration: Span,
}

impl Settings {
    /// The connections on which pages travel: that of the migration, or several beside it.
    pub fn page_channels(&self) -> Vec<Channel> {
        match self.policy.migration.pre_copy().map_or(1, |pre_copy| pre_copy.channels) {
            0 | 1 => vec![Channel::Migration],
            several => (0..several).map(Channel::Parallel).collect(),
        }
    }
}

/// What a node is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Awaited {
    /// The source has sent everything and waits to hear that the destination is ready.
    Ready,
    /// The source waits to hear that the VM runs.
    Started,
    /// The destination holds everything and waits for "go".
    Go,
    /// The destination runs the VM and waits to hear that the source has given it up.
    Released,
    /// The source has sent every page and waits to hear that they are there.
    Complete,
    /// The connection was given up while pages were missing; waits to be told to recover.
    Recovery,
    /// A restoring node waits for the store.
    Store,
    /// A restoring node waits until the other side cannot run any more.
    Fence,
}

/// Where an agent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nothing asked of it yet.
    Idle,
    /// Busy with the named step; a timer, work or a message will move it on.
    Working(&'static str),
    /// Waiting for a message, with the peer believed alive.
    Waiting(Awaited),
    /// Waiting for a message without a timer, with the peer suspected.
    BlockedOn(Awaited),
    /// Asking again and again.
    Asking(Awaited),
    /// It has done its part.
    Ended(Report),
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Started => "started",
            Self::Go => "go",
            Self::Released => "released",
            Self::Complete => "complete",
            Self::Recovery => "recover",
            Self::Store => "store",
            Self::Fence => "fence",
        })
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("idle"),
            Self::Working(step) => f.write_str(step),
            Self::Waiting(what) => write!(f, "waiting for \"{what}\""),
            Self::BlockedOn(what) => write!(f, "blocked-on(\"{what}\")"),
            Self::Asking(what) => write!(f, "asking for \"{what}\""),
            Self::Ended(Report::Success) => f.write_str("ended: success"),
            Self::Ended(Report::Failure) => f.write_str("ended: failure"),
        }
    }
}
