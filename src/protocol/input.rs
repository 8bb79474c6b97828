//! What reaches an agent: messages, timers, and what its own hypervisor and kernel tell it.

use super::action::{Disk, LocalVm};
use super::message::{Batch, Channel, Envelope, FaultId, FetchId, PageList, StateId, Stored, Version};
use crate::units::PageCount;
use crate::vocabulary::Host;

/// Names a timer of one agent. Setting it again moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The operator's next command is due.
    Command,
    /// Setting up is done.
    Setup,
    /// A bandwidth window ends.
    Window,
    /// The pacer lets the next chunk go.
    Pace,
    /// The cap on time is reached.
    TimeCap,
    /// The next ping is due.
    Ping,
    /// The answer to ping number n is overdue.
    Pong(u64),
    /// The next question is due.
    Ask,
    /// It is time for post-copy.
    Switch,
    /// The operator's command to pause is due.
    Pause,
    /// The operator's command to recover is due.
    Recover,
    /// The peer has been silent for longer than is plausible.
    Silence,
    /// The next checkpoint is due.
    Checkpoint,
    /// A version is overdue at the store.
    StoreOverdue,
    /// It is time to try a lost store again.
    StoreRetry,
    /// It is time to try a restore again.
    RestoreRetry,
    /// The next lease is to be asked for.
    LeaseRequest,
    /// The lease held ends.
    LeaseEnd,
    /// The other side's lease has run out.
    LeaseOut,
    /// The host is to be fenced again.
    FenceRetry,
    /// The power switch is done.
    Fenced,
}

/// What reaches an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// The node starts.
    Start,
    /// The agent starts again after its death, or its host's, and remembers nothing.
    Restarted {
        /// What it had written down.
        disk: Disk,
        /// What the hypervisor here says of the VM.
        vm: LocalVm,
    },
    /// A message arrived.
    Message {
        /// Who sent it.
        from: Host,
        /// On which connection.
        channel: Channel,
        /// The message.
        envelope: Envelope,
    },
    /// A ping of the peer arrived (only where agents answer pings).
    Pinged {
        /// Its number.
        number: u64,
    },
    /// The peer answered ping `number`.
    Ponged {
        /// Its number.
        number: u64,
        /// Which life of what answers it is: another than before has forgotten all that was said.
        life: u64,
    },
    /// A timer fired.
    Timer(Timer),
    /// The kernel reports that a connection is over.
    Broken {
        /// Which.
        channel: Channel,
    },
    /// A write to a page channel has ended.
    Sent {
        /// Which.
        channel: Channel,
    },
    /// The log is synced; so many pages are to be sent.
    Synced {
        /// Pages to be sent.
        pending: PageCount,
    },
    /// Pages are read.
    Taken {
        /// On which channel they are to go.
        channel: Channel,
        /// They.
        batch: Batch,
        /// Pages still to be sent, as of the last sync.
        pending: PageCount,
    },
    /// The vCPUs stand and the state is saved.
    Stopped {
        /// The state.
        state: StateId,
    },
    /// Pages are placed.
    Placed {
        /// On which channel they came.
        channel: Channel,
        /// Pages of guest memory that are not here.
        missing: PageCount,
    },
    /// A vCPU waits for a page that is not here.
    Fault(FaultId),
    /// It no longer does.
    Satisfied(FaultId),
    /// Pages are listed.
    Surveyed(PageList),
    /// The state is loaded.
    Loaded,
    /// The vCPUs run.
    Resumed,
    /// Dirty pages are copied; so many wait to be sent to the store.
    Staged {
        /// They.
        pages: PageCount,
    },
    /// The vCPUs stand for a checkpoint.
    Suspended {
        /// CPU and devices.
        state: StateId,
    },
    /// They run again.
    Unsuspended,
    /// Copied pages are ready to be sent to the store.
    Unstaged {
        /// They.
        batch: Batch,
        /// How many are left.
        left: PageCount,
    },
    /// The guest has sent something that is held and that no checkpoint covers.
    OutputWaits,
    /// A store's pages are kept.
    Kept {
        /// Whose they are.
        version: Version,
    },
    /// There is no room for what a store was to keep of a version: it is not kept.
    NoRoom {
        /// Which.
        version: Version,
    },
    /// A store has put down that a version is whole.
    SealedHere {
        /// Which.
        version: Version,
    },
    /// A store has read what its newest complete version is.
    Pinned {
        /// It.
        newest: Option<Stored>,
    },
    /// A store has read pages of the version claimed.
    Recalled {
        /// For which try.
        fetch: FetchId,
        /// They.
        batch: Batch,
        /// How many are left.
        left: PageCount,
    },
    /// A VMM has been started.
    Launched,
    /// The version claimed is in memory.
    Merged,
    /// It is not: the store on this host died with what it had read.
    NotMerged,
}
