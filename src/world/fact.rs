//! What happened, as the world knows it. Facts are the log, and all that oracle and metrics get beside the world.

use crate::model::disk::DiskWrite;
use crate::model::memory::BranchId;
use crate::protocol::{Channel, Report, Standing, Stored, Suspicion, Version};
use crate::scenario::Part;
use crate::units::{Bytes, PageCount, Ratio, Span};
use crate::vocabulary::{Host, Phase, RoundsEnd};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A phase began; `round` counts in `copy`, `due` are the pages it has to move.
    Phase {
        /// The phase.
        phase: Phase,
        /// The round, in `copy`; else 0.
        round: u64,
        /// Pages due in it.
        due: PageCount,
    },
    /// Fault number n struck.
    Struck(usize),
    /// Fault number n ended.
    Healed(usize),
    /// What had died starts again, knowing nothing.
    Restarted {
        /// Where.
        host: Host,
        /// What of it.
        part: Part,
    },
    /// The store's medium has lost a complete version, or what is there of it is damaged.
    VersionLost {
        /// Which.
        lost: Version,
        /// The newest that can be read; `None`: none.
        newest: Option<Stored>,
    },
    /// The store at this host starts again, with what its medium has kept.
    StoreRestarted(Host),
    /// The copy on this host began to execute.
    Resumed(Resumption),
    /// The copy on this host stopped executing.
    Paused {
        /// Where.
        host: Host,
        /// Guest time.
        guest: Span,
        /// What for.
        cause: PauseCause,
    },
    /// The right to run is held again where the copy stood for want of it.
    Thawed {
        /// Where.
        host: Host,
    },
    /// The copy on this host is gone.
    CopyGone {
        /// Where.
        host: Host,
        /// Whether it executed.
        executed: bool,
        /// Guest time, if it had any.
        guest: Option<Span>,
    },
    /// The guest runs slower by this from now on.
    Throttled(Ratio),
    /// The dirty log was read: so many pages are to be sent.
    Synced {
        /// Pages.
        pending: PageCount,
    },
    /// The source read pages and sends them.
    PagesSent {
        /// Pages.
        pages: PageCount,
        /// Those among them that hold only zeros.
        zero: PageCount,
        /// Those among them that the cache of `xbzrle` knew.
        known: PageCount,
        /// Bytes on the wire.
        bytes: Bytes,
    },
    /// The destination placed pages.
    PagesArrived {
        /// Pages.
        pages: PageCount,
    },
    /// Pages are lost on their way.
    PagesLost {
        /// Pages.
        pages: PageCount,
    },
    /// A vCPU waits for a page that is not there.
    Blocked {
        /// Where.
        host: Host,
        /// Whether all its vCPUs wait now.
        all: bool,
    },
    /// A vCPU has got the page it waited for.
    Unblocked {
        /// Where.
        host: Host,
        /// How long it waited.
        waited: Span,
        /// Whether all its vCPUs had waited until now.
        all: bool,
    },
    /// A node gave the connection up while pages were missing, and waits.
    MigrationPaused {
        /// Which.
        host: Host,
    },
    /// The last page has arrived (L).
    LastPage,
    /// The source's last write of memory and state has ended: its bytes are in the send buffer or beyond. QEMU's
    /// `total-time` ends here.
    LastSent,
    /// The source has given up its right to resume (R).
    Relinquished,
    /// The destination has learnt of R (C).
    Concluded,
    /// The source has given the attempt up.
    GaveUp,
    /// The pre-copy rounds are left.
    RoundsEnded(RoundsEnd),
    /// A node suspects its peer.
    Suspected {
        /// Who suspects.
        by: Host,
        /// What made it.
        why: Suspicion,
    },
    /// A node stands elsewhere.
    Standing {
        /// Who.
        host: Host,
        /// Where.
        standing: Standing,
    },
    /// A node says how the migration ended.
    Reported {
        /// Who.
        host: Host,
        /// How.
        report: Report,
    },
    /// A protocol message was written (`delivered: false`) or arrived.
    Said {
        /// Who sent it.
        from: Host,
        /// To whom.
        to: Host,
        /// Its number, the same when written and when it arrives.
        number: u64,
        /// Which, for a reader.
        what: &'static str,
        /// Whether it arrived.
        delivered: bool,
    },
    /// A connection ended at this host.
    StreamEnded {
        /// Where it was learnt.
        at: Host,
        /// Which.
        channel: Channel,
        /// How.
        how: &'static str,
    },
    /// A checkpoint of the copy on this host has come so far.
    Round {
        /// Where.
        host: Host,
        /// Which.
        version: Version,
        /// How far.
        phase: Phase,
    },
    /// Pages of a checkpoint were sent to the store.
    CheckpointSent {
        /// Pages.
        pages: PageCount,
        /// Bytes on the wire.
        bytes: Bytes,
    },
    /// A version, and all before it, are complete in the store.
    Complete(Stored),
    /// A node begins to restore the VM.
    Restoring {
        /// Which.
        host: Host,
    },
    /// A store was asked what is to be restored.
    Asked {
        /// By whom.
        by: Host,
        /// What its newest complete version was then.
        newest: Option<Stored>,
    },
    /// A claim was granted.
    Claimed {
        /// To whom.
        host: Host,
        /// What it is to restore; `None`: the base.
        stored: Option<Stored>,
    },
    /// Nothing stands in the way of the restore on this host any more.
    Entitled {
        /// Where.
        host: Host,
    },
    /// A VMM has been started on this host to load a file.
    Launched {
        /// Where.
        host: Host,
    },
    /// A host was powered off by the power switch.
    PoweredOff {
        /// Which.
        host: Host,
    },
    /// A packet of the guest moved on.
    Output {
        /// From which host.
        host: Host,
        /// Its number.
        number: u64,
        /// Which execution sent it.
        branch: BranchId,
        /// At which guest time.
        guest: Span,
        /// How far it is.
        stage: OutputStage,
    },
    /// A disk write of the guest moved on.
    DiskWrite {
        /// From which host.
        host: Host,
        /// It.
        write: DiskWrite,
        /// How far it is.
        stage: DiskStage,
    },
}

/// What a copy stops for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseCause {
    /// To be moved.
    Switchover,
    /// A checkpoint.
    Checkpoint,
    /// The right to run has run out.
    Lease,
    /// Its VMM or host hangs.
    Hang,
}

/// How far a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStage {
    /// The guest has sent it.
    Emitted,
    /// It has left the host's queues: nothing there can recall it.
    Released,
    /// The client has it.
    Delivered,
    /// It never will.
    Lost,
}

/// How far a disk write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskStage {
    /// The guest has done it, and it is acknowledged.
    Issued,
    /// It is on the disk.
    Written {
        /// What had been in the block.
        over: Option<DiskWrite>,
    },
    /// A restore has done it, perhaps once more.
    Again,
    /// It was held, and whoever held it is gone.
    Lost,
}

/// A copy begins to execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumption {
    /// Where.
    pub host: Host,
    /// On which branch.
    pub branch: BranchId,
    /// Guest time.
    pub guest: Span,
    /// Whether this opened the branch: another copy had continued from the same state.
    pub forked: bool,
    /// Whether its memory is exactly what it was when the state was saved.
    pub exact: bool,
    /// What it had stopped for.
    pub cause: PauseCause,
}
