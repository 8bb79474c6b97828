//! What an agent does about what reaches it.

use super::input::Timer;
use super::message::{
    Attempt, Batch, Channel, Envelope, Epoch, FaultId, FetchId, Message, PageList, Report, StateId, Stored, Version,
};
use crate::scenario::policy::Push;
use crate::units::{PageCount, Ratio, Span};
use crate::vocabulary::{Host, Phase, RoundsEnd};

/// All that an agent writes to its disk: what it must not forget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The attempt it takes part in; the zeroth: none.
    pub attempt: Attempt,
    /// It has given up for good the right to resume the copy here, and may have said so.
    pub relinquished: bool,
}

/// What the hypervisor of a host says of the VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocalVm {
    /// It knows of none.
    Absent,
    /// It has memory, and not all that a VM needs to run.
    Incomplete,
    /// It has all of a VM, whose vCPUs stand.
    Standing,
    /// The VM executes.
    Running,
    /// The VM executes, and pages of it are missing.
    Fetching,
    /// Its copy serves pages to another and never executes.
    Serving,
}

/// What an agent does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Opens a new connection; an older one of the same name is dropped.
    Connect {
        /// To whom.
        peer: Host,
        /// Its name.
        channel: Channel,
    },
    /// Aborts a connection: what is still in the send buffer is discarded, and the peer is told by RST.
    Disconnect {
        /// Its name.
        channel: Channel,
    },
    /// Sends a message. On a page channel this is work, answered by [`Input::Sent`].
    Send {
        /// To whom.
        to: Host,
        /// On which connection.
        channel: Channel,
        /// The message.
        envelope: Envelope,
    },
    /// Sends ping `number` to the peer as a datagram.
    Ping {
        /// Its number.
        number: u64,
    },
    /// Answers ping `number`.
    Pong {
        /// Its number.
        number: u64,
    },
    /// Asks for [`Input::Timer`] after a time on the node's own clock.
    SetTimer(Timer, Span),
    /// Forgets a timer.
    CancelTimer(Timer),
    /// Drops all work, begun or waiting, and holds no channel any more; no answer follows.
    DropWork,
    /// Reads no further message of a page channel for now.
    Hold(Channel),
    /// Reads on there.
    ReadOn(Channel),
    /// Starts the dirty log: every page is to be sent.
    StartLog,
    /// Stops the dirty log.
    StopLog,
    /// Work: reads and clears the dirty log; answered by [`Input::Synced`].
    SyncLog,
    /// Work: reads pages to be sent; answered by [`Input::Taken`].
    Take {
        /// On which channel they are to go.
        channel: Channel,
        /// At most so many.
        budget: PageCount,
        /// In which order.
        push: Push,
    },
    /// Work: reads the page of a fault; answered by [`Input::Taken`], without pages if it has been read before.
    Fetch {
        /// On which channel it is to go.
        channel: Channel,
        /// The fault.
        fault: FaultId,
        /// How it moves the order of what follows.
        push: Push,
    },
    /// Work: lists pages, at the source those still to be sent, at the destination those that are here; answered by
    /// [`Input::Surveyed`].
    Survey,
    /// Work: all pages but these are to be sent; answered by [`Input::Synced`].
    Reconcile(PageList),
    /// Drops pages that are out of date; from now on accesses to pages that are not here are faults.
    TakeFaults {
        /// They.
        stale: Option<PageList>,
    },
    /// From now on pages go whole and as they are: the receiver may have dropped what they would be compared with.
    SendWhole,
    /// From now on the copy here serves pages and never executes.
    Serve,
    /// Gives the connection up and waits to be told to recover.
    Pause,
    /// Work: stops the vCPUs and saves CPU and devices; answered by [`Input::Stopped`].
    Stop,
    /// Slows the guest down.
    Throttle(Ratio),
    /// Work: writes received pages to memory; answered by [`Input::Placed`].
    Place {
        /// On which channel they came.
        channel: Channel,
        /// They.
        batch: Batch,
    },
    /// Work: loads CPU and devices; answered by [`Input::Loaded`].
    Load(StateId),
    /// Work: starts the vCPUs; answered by [`Input::Resumed`].
    Resume,
    /// Gives up for good the right to resume the copy here (R).
    Relinquish,
    /// Learns that the source has done so (C).
    Conclude,
    /// Frees the copy here.
    Discard,
    /// Suspects the peer.
    Suspect(Suspicion),
    /// Begins to log what is dirtied for checkpoints, with every page dirty if `all`.
    LogCheckpoints {
        /// Whether every page is.
        all: bool,
    },
    /// Ends it.
    EndCheckpoints,
    /// Work: reads and clears that log and copies the pages; answered by [`Input::Staged`].
    Stage,
    /// All of a version is sent: where the platform has it so, pages that only arrived since no longer count as dirty.
    ForgetArrivals,
    /// What was copied counts as dirty again; `all`: and whatever ever was.
    Restage {
        /// Whether whatever ever was.
        all: bool,
    },
    /// Work: stops the vCPUs for a checkpoint; answered by [`Input::Suspended`].
    Suspend,
    /// Work: starts them again; answered by [`Input::Unsuspended`].
    Unsuspend,
    /// Stops the vCPUs at once.
    Freeze,
    /// Lets them go on.
    Thaw,
    /// Work: takes copied pages to be sent; answered by [`Input::Unstaged`].
    Unstage {
        /// At most so many.
        budget: PageCount,
    },
    /// Work: reads and clears the dirty log of a VM that is saved to a file; answered by [`Input::Synced`].
    SyncSave,
    /// Work: reads pages of it as they are now; answered by [`Input::Unstaged`].
    TakeSave {
        /// At most so many, not counting those of zeros.
        budget: PageCount,
    },
    /// From now on what the guest sends is held.
    HoldOutput,
    /// What is held is covered by this version.
    SealOutput(Version),
    /// Lets go what versions up to this one cover.
    Release(Version),
    /// Lets go everything that is held, and holds nothing any more.
    ReleaseAll,
    /// Goes on without protection from now on.
    Unprotect,
    /// A version is under way: where it stands.
    Round {
        /// Which.
        version: Version,
        /// Where.
        phase: Phase,
    },
    /// Work of a store: keeps pages; answered by [`Input::Kept`] or [`Input::NoRoom`].
    Keep {
        /// Whose they are.
        version: Version,
        /// They.
        batch: Batch,
    },
    /// Work of a store: puts down that a version is whole; answered by [`Input::SealedHere`] or [`Input::NoRoom`].
    Seal {
        /// Which.
        version: Version,
    },
    /// A store's version, and all before it, are complete.
    Commit {
        /// Which.
        stored: Stored,
        /// What it builds upon; `None`: it has all pages.
        after: Option<Version>,
    },
    /// A store throws away what it has of a version that is not complete.
    Forget(Version),
    /// A store throws everything away.
    Clear,
    /// A store reads its newest complete version, merged, as it is now; answered by [`super::Input::Pinned`].
    Pin,
    /// Work of a store: reads what was claimed; answered by [`Input::Recalled`]. `afresh`: from its beginning.
    Recall {
        /// For which try.
        fetch: FetchId,
        /// From its beginning.
        afresh: bool,
        /// At most so many pages.
        budget: PageCount,
    },
    /// A restore begins.
    Restore,
    /// A claim was granted: this is to be restored; `None`: the base.
    Claimed(Option<Stored>),
    /// Nothing stands in the way of the restore any more.
    Entitle,
    /// Work: starts the VMM that a file is loaded into; answered by [`Input::Launched`].
    Launch,
    /// Drops the copy here and makes ready to receive another.
    Clean,
    /// Work: brings the claimed version from the store on this host over the copy here; answered by [`Input::Merged`]
    /// or [`Input::NotMerged`].
    Merge,
    /// Powers a host off, if it really does, and knows it.
    PowerOff(Host),
    /// Leaves the pre-copy rounds.
    EndRounds(RoundsEnd),
    /// Has written its last byte of memory and state.
    EndSending,
    /// Gives the attempt up.
    GiveUp,
    /// Says how the migration ended, as this node believes.
    Report(Report),
}

/// What made a node suspect the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suspicion {
    /// Pings unanswered.
    Heartbeat,
    /// The connection ended.
    TransportError,
}

/// The actions of one step, in order.
#[derive(Debug, Default)]
pub struct Actions(Vec<Action>);

impl Actions {
    /// Appends one.
    pub fn push(&mut self, action: Action) {
        self.0.push(action);
    }
    /// Takes all, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Action> + '_ {
        self.0.drain(..)
    }
    pub(super) fn set(&mut self, timer: Timer, after: Span) {
        self.push(Action::SetTimer(timer, after));
    }
    pub(super) fn cancel(&mut self, timer: Timer) {
        self.push(Action::CancelTimer(timer));
    }
    pub(super) fn send(&mut self, to: Host, channel: Channel, attempt: Attempt, message: Message) {
        self.send_in(to, channel, attempt, Epoch::default(), message);
    }
    /// Sends under an epoch.
    pub(super) fn send_in(&mut self, to: Host, channel: Channel, attempt: Attempt, epoch: Epoch, message: Message) {
        self.push(Action::Send { to, channel, envelope: Envelope { attempt, epoch, message } });
    }
    pub(super) fn tell_operator(&mut self, attempt: Attempt, message: Message) {
        self.send(Host::Management, Channel::Management, attempt, message);
    }
    /// Says how it ended, here and to the operator.
    pub(super) fn report(&mut self, attempt: Attempt, report: Report) {
        self.push(Action::Report(report));
        self.tell_operator(attempt, Message::Report(report));
    }
}

impl Action {
    /// The lane of work it waits in, if it takes time on the node and is answered by an input.
    pub fn lane(&self) -> Option<Channel> {
        match self {
            Self::SyncLog | Self::Stop | Self::Load(_) | Self::Resume | Self::Survey | Self::Reconcile(_) => {
                Some(Channel::Migration)
            }
            Self::Merge | Self::Launch => Some(Channel::Migration),
            Self::Stage
            | Self::Suspend
            | Self::Unsuspend
            | Self::Unstage { .. }
            | Self::SyncSave
            | Self::TakeSave { .. }
            | Self::Keep { .. }
            | Self::Seal { .. }
            | Self::Recall { .. } => Some(Channel::Checkpoint),
            Self::Take { channel, .. } | Self::Fetch { channel, .. } | Self::Place { channel, .. } => Some(*channel),
            // A request is a few bytes from a thread of its own: it waits for nothing.
            Self::Send { channel, envelope, .. } => {
                let asks = matches!(envelope.message, Message::Request(_));
                (channel.carries_pages() && !asks).then_some(*channel)
            }
            Self::Connect { .. }
            | Self::Disconnect { .. }
            | Self::Ping { .. }
            | Self::Pong { .. }
            | Self::SetTimer(..)
            | Self::CancelTimer(_)
            | Self::DropWork
            | Self::Hold(_)
            | Self::ReadOn(_)
            | Self::StartLog
            | Self::StopLog
            | Self::Throttle(_)
            | Self::TakeFaults { .. }
            | Self::SendWhole
            | Self::Serve
            | Self::Pause
            | Self::Relinquish
            | Self::Conclude
            | Self::Discard
            | Self::Suspect(_)
            | Self::EndRounds(_)
            | Self::EndSending
            | Self::GiveUp
            | Self::LogCheckpoints { .. }
            | Self::EndCheckpoints
            | Self::Restage { .. }
            | Self::ForgetArrivals
            | Self::Freeze
            | Self::Thaw
            | Self::HoldOutput
            | Self::SealOutput(_)
            | Self::Release(_)
            | Self::ReleaseAll
            | Self::Unprotect
            | Self::Round { .. }
            | Self::Commit { .. }
            | Self::Forget(_)
            | Self::Clear
            | Self::Pin
            | Self::Restore
            | Self::Claimed(_)
            | Self::Entitle
            | Self::Clean
            | Self::PowerOff(_)
            | Self::Report(_) => None,
        }
    }
}
