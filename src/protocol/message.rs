//! What nodes say to each other, and on which connections.

use std::fmt;

use crate::units::{Bytes, PageCount};
use crate::vocabulary::Host;

/// Which try at the migration a message belongs to; messages of another are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Attempt(pub u32);

/// Who may write to a store: each restore begins by raising it, and whoever still has an older one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The one after it.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A checkpoint's number, from 0 in each attempt. 0 is the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u64);

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
    /// Checkpoints, between a copy's host and the store, and back.
    Checkpoint,
    /// Claims, leases and the last word, between a node and the store.
    Store,
    /// Between a node and the power switch.
    Fence,
}

impl Channel {
    /// Whether pages travel on it. Each such channel has a lane of work of its own at either end.
    pub fn carries_pages(self) -> bool {
        self.is_migration() || self == Self::Checkpoint
    }

    /// Whether it belongs to the migration's connection: its end is the end of all of them.
    pub fn is_migration(self) -> bool {
        match self {
            Self::Migration | Self::Preempt | Self::Parallel(_) => true,
            Self::Question | Self::Management | Self::Checkpoint | Self::Store | Self::Fence => false,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// Names one try at fetching what was claimed. What answers it carries it: the rest of an answer to an earlier try may come on
/// the connection of a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId {
    /// Who fetches.
    pub by: Host,
    /// Its tries so far.
    pub number: u32,
}

/// A complete version as its store knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stored {
    /// Its number.
    pub version: Version,
    /// CPU and devices.
    pub state: StateId,
}

/// What a node that asks a store what to restore has itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Base {
    /// Nothing.
    Absent,
    /// The base.
    Here,
    /// The base, and the store's word that it knows of the attempt.
    Known,
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
    /// Source → destination: be ready to restore the VM from its checkpoints.
    Protect,
    /// Protected side → store: pages of a version.
    Chunk {
        /// Whose.
        version: Version,
        /// They.
        batch: Batch,
    },
    /// Protected side → store, behind its pages: that is all of this version.
    Mark {
        /// Which.
        version: Version,
        /// What it builds upon: the newest that is known to be whole there; `None`: it has all pages.
        after: Option<Version>,
        /// CPU and devices.
        state: StateId,
        /// How many pages it has.
        pages: PageCount,
    },
    /// Store → protected side: the version is whole here, and so are not yet all before it.
    Sealed(Version),
    /// Store → protected side: the version and all before it are complete.
    Committed(Version),
    /// Store → protected side: the version came incomplete and is thrown away.
    Torn(Version),
    /// Store → protected side: there is no room for it.
    Full(Version),
    /// Store → protected side: it does not follow on what is here.
    Gap(Version),
    /// Store → any: whoever asks so late is refused; the epoch here is this. It goes under the epoch of what it answers.
    Refused(Epoch),
    /// Restoring side → store: here begins an attempt whose base is with me. A store that has forgotten this may have forgotten
    /// more.
    Open,
    /// Store → restoring side: it knows of the attempt.
    Opened,
    /// Restoring side → store: refuse the other side from now on, and say what the newest complete version is. Without a base
    /// of its own a node can claim only what there is.
    Claim {
        /// The base is at the node that claims.
        base: Base,
    },
    /// Restoring side → store: say what the newest complete version is, and change nothing.
    Read {
        /// The base is at the node that asks.
        base: Base,
    },
    /// Store → restoring side: nothing older is accepted any more; this is the newest complete version.
    Claimed(Option<Stored>),
    /// Store → restoring side: more was promised than can be read here; there is nothing that may be restored.
    Unreadable,
    /// Restoring side → store: send this version, which was claimed.
    Fetch {
        /// It.
        version: Version,
        /// Which try this is.
        fetch: FetchId,
    },
    /// Store → restoring side: pages of the claimed version.
    Restored {
        /// What they answer.
        fetch: FetchId,
        /// They.
        batch: Batch,
    },
    /// Store → restoring side: that is all.
    AllRestored(FetchId),
    /// Protected side → store: it needs no restore any more.
    WriteFinal,
    /// Store → protected side: so it is; later claims are refused.
    FinalWritten,
    /// Store → restoring side: the other side has finished; there is nothing to restore.
    Final,
    /// Protected side → store: grant the right to run, again.
    LeaseRequest(u64),
    /// Store → protected side: granted, from when that request was sent.
    LeaseGranted(u64),
    /// Protected side → restoring side: the store is lost; give up restoring, so that I may go on without.
    Degrade,
    /// Restoring side → protected side: I have.
    Degraded,
    /// Protected side → restoring side: I give my copy up; restore from what the store has.
    Abandon,
    /// Restoring side → power switch: power this host off.
    Fence(Host),
    /// Power switch → restoring side: what came of it.
    Fenced(Fenced),
    /// The answer.
    Answer(Answer),
}

impl Message {
    /// In words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Migrate => "migrate",
            Self::Cancel => "cancel",
            Self::Report(Report::Success) => "report: success",
            Self::Report(Report::Failure) => "report: failure",
            Self::Pages(_) => "pages",
            Self::Flush => "flush",
            Self::State(_) => "state",
            Self::Ready => "ready",
            Self::Go => "go",
            Self::Started => "started",
            Self::Switch { .. } => "switch",
            Self::Request(_) => "request",
            Self::Complete => "complete",
            Self::Pause => "pause",
            Self::Paused => "paused",
            Self::Recover => "recover",
            Self::Recovered => "recovered",
            Self::Resync => "resync",
            Self::Have(_) => "have",
            Self::Released => "released",
            Self::Ask => "ask",
            Self::Answer(Answer::Running) => "answer: running",
            Self::Answer(Answer::Holding) => "answer: holding",
            Self::Answer(Answer::Go) => "answer: go",
            Self::Answer(Answer::Abandoned) => "answer: abandoned",
            Self::Protect => "protect",
            Self::Chunk { .. } => "chunk",
            Self::Mark { .. } => "mark",
            Self::Sealed(_) => "sealed",
            Self::Committed(_) => "committed",
            Self::Torn(_) => "torn",
            Self::Full(_) => "full",
            Self::Gap(_) => "gap",
            Self::Refused(_) => "refused",
            Self::Open => "open",
            Self::Opened => "opened",
            Self::Claim { .. } => "claim",
            Self::Read { .. } => "read",
            Self::Claimed(_) => "claimed",
            Self::Unreadable => "unreadable",
            Self::Fetch { .. } => "fetch",
            Self::Restored { .. } => "restored",
            Self::AllRestored(_) => "all-restored",
            Self::WriteFinal => "write-final",
            Self::FinalWritten => "final-written",
            Self::Final => "final",
            Self::LeaseRequest(_) => "lease-request",
            Self::LeaseGranted(_) => "lease-granted",
            Self::Degrade => "degrade",
            Self::Degraded => "degraded",
            Self::Abandon => "abandon",
            Self::Fence(_) => "fence",
            Self::Fenced(Fenced::Off) => "fenced: off",
            Self::Fenced(Fenced::Failed) => "fenced: failed",
            Self::Fenced(Fenced::Unknown) => "fenced: unknown",
        }
    }
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

/// What a power switch says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fenced {
    /// The host is off.
    Off,
    /// It is not.
    Failed,
    /// The switch cannot tell.
    Unknown,
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
    /// What its sender knows of who may write to the store.
    pub epoch: Epoch,
    /// The message.
    pub message: Message,
}

impl Envelope {
    /// The pages it carries, by name.
    pub fn batch(&self) -> Option<u64> {
        match &self.message {
            Message::Pages(batch) | Message::Chunk { batch, .. } | Message::Restored { batch, .. } => Some(batch.id),
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
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Store => f.write_str("store"),
            Self::Fence => f.write_str("fence"),
        }
    }
}
