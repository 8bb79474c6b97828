//! What nodes say to each other, and on which connections.

use std::fmt;

use crate::units::{Bytes, PageCount};

/// Which try at the migration a message belongs to; messages of another are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Attempt(pub u32);

/// A connection between two nodes, as they name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Pages, state and handover, source to destination and back.
    Migration,
    /// Pages that a vCPU waits for, where they have a connection of their own.
    Preempt,
    /// A fresh connection for asking a silent peer.
    Question,
    /// Between operator and nodes.
    Management,
    /// One of several connections for pages beside [`Channel::Migration`], which then carries everything else.
    Parallel(u8),
}

impl Channel {
    /// Whether pages travel on it. Each such channel has a lane of work of its own at either end.
    pub fn carries_pages(self) -> bool {
        match self {
            Self::Migration | Self::Preempt | Self::Parallel(_) => true,
            Self::Question | Self::Management => false,
        }
    }
}

/// Some pages, seen from outside: what they are stays in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Batch {
    /// Name of the contents.
    pub id: u64,
    /// Pages in it.
    pub pages: PageCount,
    /// Bytes it takes on the wire.
    pub bytes: Bytes,
}

/// A saved state of CPU and devices: what it is stays in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateId(pub u32);

/// Names an access to a page that is not there, and so that page: which it is stays in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub u64);

/// A list of pages: which they are stays in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageList {
    /// Its name.
    pub id: u64,
    /// Bytes it takes on the wire.
    pub bytes: Bytes,
}

/// What nodes say to each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Message {
    /// Operator → source: migrate the VM.
    Migrate,
    /// Operator → source: give the migration up.
    Cancel,
    /// Node → operator: how it ended.
    Report(Report),
    /// Source → destination: pages.
    Pages(Batch),
    /// Source → destination, on every page channel and the migration connection: what follows on any of them comes after what
    /// went before it on all.
    Flush,
    /// Source → destination: CPU and devices; nothing follows but the handover.
    State(StateId),
    /// Destination → source: everything is loaded, waiting for [`Message::Go`].
    Ready,
    /// Source → destination: run it, I never shall.
    Go,
    /// Destination → source: it runs.
    Started,
    /// Source → destination: I have given the VM up for good.
    Released,
    /// Source → destination: CPU and devices; run it, its memory follows.
    Switch {
        /// CPU and devices.
        state: StateId,
        /// Pages sent earlier that are out of date.
        stale: Option<PageList>,
    },
    /// Destination → source: a vCPU waits for this page.
    Request(FaultId),
    /// Destination → source: every page is here.
    Complete,
    /// Operator → node: give the connection up and wait.
    Pause,
    /// Node → operator: it has given the connection up and waits.
    Paused,
    /// Operator → source: connect again and go on.
    Recover,
    /// Source → operator: pages flow again.
    Recovered,
    /// Source → destination on a new connection: which pages have you got?
    Resync,
    /// Destination → source: these.
    Have(PageList),
    /// Either → the other on [`Channel::Question`]: where do you stand?
    Ask,
    /// The answer.
    Answer(Answer),
}

/// Answer to [`Message::Ask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The destination runs the VM.
    Running,
    /// The destination holds everything and waits for "go".
    Holding,
    /// The source says "go".
    Go,
    /// This node does not, and never will, run this attempt's copy.
    Abandoned,
}

/// How a node says that the migration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// The VM runs at the destination.
    Success,
    /// It does not.
    Failure,
}

/// A message with the attempt it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// The attempt.
    pub attempt: Attempt,
    /// The message.
    pub message: Message,
}

impl Envelope {
    /// The pages it carries, by name.
    pub fn batch(&self) -> Option<u64> {
        match &self.message {
            Message::Pages(batch) => Some(batch.id),
            _ => None,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Migration => f.write_str("migration"),
            Self::Preempt => f.write_str("preempt"),
            Self::Question => f.write_str("question"),
            Self::Management => f.write_str("management"),
            Self::Parallel(number) => write!(f, "parallel {number}"),
        }
    }
}
