//! Checkpoints: what protects the VM while it is moved, who may restore it, and who must be stopped first.
//!
//! Orthogonal to how memory moves. The published protocol is that of `PostCopyFT` (Fernando et al., INFOCOM 2019, §III);
//! endings, claims and fencing are what it leaves open.

use crate::units::{ByteRate, Bytes, Span};
use crate::vocabulary::Host;

/// How checkpoints are made, where they are kept, and what is held back until they are there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Which copy they protect.
    pub direction: Protects,
    /// Where they are kept.
    pub store: Store,
    /// When the next one is due.
    pub trigger: Trigger,
    /// Whether dirty pages are copied once while the VM runs before it stands for the rest.
    pub stages: Stages,
    /// How the VM is saved, if the store is a file.
    pub save: Option<Save>,
    /// What of the guest's output is held until its checkpoint is complete.
    pub buffer: Buffer,
    /// What the protected side does when the store is lost.
    pub on_store_loss: OnStoreLoss,
    /// A version that is not acknowledged for so long shows that the store is lost.
    pub store_timeout: Span,
    /// Where the VM is restored.
    pub restore_at: Host,
    /// Whether a store on the restoring node is claimed before it is read. Without, as published, versions that
    /// complete during the restore are still acknowledged.
    pub local_claim: bool,
    /// From one try at a restore to the next.
    pub restore_retry: Span,
}

/// Which copy checkpoints protect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protects {
    /// That at the destination, while pages are missing there: the base is the source's frozen image.
    Reverse,
    /// That at the source, against the source's loss: the base is a full copy in the store.
    Forward,
    /// Both: the full copy is in the store, and so are the changes made at the destination.
    Both,
}

/// Where checkpoints are kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Store {
    /// On which host.
    pub host: Host,
    /// In what.
    pub medium: Medium,
    /// How much page data it takes; `None`: there is always room.
    pub capacity: Option<Bytes>,
}

/// What a store keeps its versions in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Medium {
    /// Memory: gone with its process.
    Memory,
    /// A disk.
    Disk,
    /// A file, which is written as a stream and read by a VMM that is started for it.
    File,
}

/// When the next checkpoint is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// After a time.
    Periodic {
        /// The interval.
        interval: Span,
        /// From when it counts.
        period: Period,
    },
    /// As soon as output waits that no checkpoint covers.
    Output,
    /// Never: one is made.
    Once,
}

/// From when the interval counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// From the end of a round (`PostCopyFT`).
    Gap,
    /// From its beginning: the period is the longer of interval and round.
    Max,
}

/// How the pages of a checkpoint are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stages {
    /// All while the VM stands (Remus).
    One,
    /// Most while it runs, and what is dirtied meanwhile while it stands (`PostCopyFT`, §III-B).
    Two,
}

/// How a VM is saved to a file: all of its memory each time, in QEMU's ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Save {
    /// It stands until everything is written.
    Stopped(SaveRule),
    /// It runs on while its pages are written in rounds, and stands for the rest.
    Live(SaveRule),
    /// It stands only while CPU and devices are saved; what it writes then is copied first (background snapshot).
    Background,
}

/// When pages go and when the rest is few enough, as in QEMU's pre-copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SaveRule {
    /// The downtime that is aimed at.
    pub downtime_limit: Span,
    /// The writer's own limit, off for the rest.
    pub max_bandwidth: Option<ByteRate>,
}

/// What of the guest's output waits for its checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Buffer {
    /// Nothing.
    None,
    /// Packets.
    Network,
    /// Packets and disk writes.
    NetworkAndDisk,
}

/// What the protected side does when the store is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnStoreLoss {
    /// Holds output until it is back.
    Hold,
    /// Goes on without protection, once the restoring side has said that it will never restore.
    Degrade,
    /// Gives the protected copy up and has the VM restored from what the store has.
    Abort,
}

/// How the protection ends when the last page has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The destination releases its output at once and makes no more checkpoints.
    Unilateral,
    /// It goes on until it has heard that the source will never restore.
    Handshake,
    /// It writes that it is final to a store on a third host; later claims are refused.
    Arbiter,
}

/// What must be known before a node restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fencing {
    /// Nothing.
    None,
    /// The store refuses the other side's versions from now on.
    StoreClaim,
    /// The other side's right to run has run out.
    Lease(Lease),
    /// The other side has been powered off.
    Stonith(Stonith),
}

/// The right to run, for a time, granted by the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// How long it holds, on the holder's clock, from when it was asked for.
    pub term: Span,
    /// How much longer than the term the restoring side waits on its own clock, beside the drift.
    pub margin: Span,
    /// By how much any clock may be wrong [ppm].
    pub drift_ppm: u32,
}

/// A switch on the management host that powers the other side off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stonith {
    /// What it says.
    pub answer: FenceAnswer,
    /// How long it takes.
    pub takes: Span,
    /// From one request that was not confirmed to the next.
    pub retry: Span,
}

/// What a power switch does and says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FenceAnswer {
    /// The host is off, and it says so.
    Success,
    /// It is not, and it says so.
    Failure,
    /// It does not know; the host is off.
    Unknown,
    /// The host is not off, and it says that it is.
    FalseSuccess,
}

impl Checkpoint {
    /// Whether checkpoints are made of the copy at the destination.
    pub fn reverse(&self) -> bool {
        matches!(self.direction, Protects::Reverse | Protects::Both)
    }
    /// Whether checkpoints are made of the copy at the source, or of its frozen image.
    pub fn forward(&self) -> bool {
        matches!(self.direction, Protects::Forward | Protects::Both)
    }
    /// Whether the store is a file.
    pub fn to_file(&self) -> bool {
        self.store.medium == Medium::File
    }
    /// Whether output waits.
    pub fn holds(&self) -> bool {
        self.buffer != Buffer::None
    }
    /// Whether disk writes wait.
    pub fn holds_disk(&self) -> bool {
        self.buffer == Buffer::NetworkAndDisk
    }
}
