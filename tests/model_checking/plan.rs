//! What of a run of the model is chosen before it, and what has happened in it.

use midflight::vocabulary::{Defect, Host};

use crate::host::Seat;

/// What may fail, once in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A host dies: the source's or the destination's, with all that is on it.
    Crash(Host),
    /// Source and destination are cut off from each other for good.
    Cut,
}

/// What of a run is chosen before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Plan {
    pub fault: Option<Fault>,
    /// Heartbeats may be lost: either node may suspect a peer that lives.
    pub lost_heartbeats: bool,
    /// Steps in a life of the guest.
    pub guest_steps: u8,
    /// Checkpoints that may begin.
    pub rounds: u8,
    /// Where the store is.
    pub store: Host,
    /// Who has a planted defect, and which.
    pub defect: Option<(Seat, Defect)>,
}

/// What has happened once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or not by themselves")]
pub struct Milestones {
    /// "Complete" has been said.
    pub complete: bool,
    /// R.
    pub relinquished: bool,
    /// C.
    pub concluded: bool,
    /// Who restores or has restored the VM.
    pub restored: Option<Host>,
    /// What is restored is a version, and not the base.
    pub from_version: bool,
    /// What had happened of "complete", R and C when the fault struck, in that order.
    pub struck: Option<[bool; 3]>,
}

/// Which invariants have been broken, of those that a single state does not show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "one for each invariant")]
pub struct Broken {
    pub output_commit: bool,
    pub single_history: bool,
    pub consistent_recovery: bool,
    pub freshest: bool,
    pub no_stale_page: bool,
    /// A page came twice.
    pub accounting: bool,
}
