//! What reaches an agent, and what it does about it.

use super::message::{Attempt, Batch, Channel, Envelope, Message, Report, StateId};
use crate::units::{PageCount, Ratio, Span};
use crate::vocabulary::{Host, RoundsEnd};

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
}

/// What reaches an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// The node starts.
    Start,
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
    },
    /// A timer fired.
    Timer(Timer),
    /// The kernel reports that a connection is over.
    Broken {
        /// Which.
        channel: Channel,
    },
    /// A write to the migration channel has ended.
    Sent,
    /// The log is synced; so many pages are to be sent.
    Synced {
        /// Pages to be sent.
        pending: PageCount,
    },
    /// Pages are read.
    Taken {
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
    Placed,
    /// The state is loaded.
    Loaded,
    /// The vCPUs run.
    Resumed,
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
    /// Sends a message. On the migration channel this is work, answered by [`Input::Sent`].
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
    /// Drops all work, begun or waiting; no answer follows.
    DropWork,
    /// Starts the dirty log: every page is to be sent.
    StartLog,
    /// Stops the dirty log.
    StopLog,
    /// Work: reads and clears the dirty log; answered by [`Input::Synced`].
    SyncLog,
    /// Work: reads pages to be sent; answered by [`Input::Taken`].
    Take {
        /// At most so many.
        budget: PageCount,
    },
    /// Work: stops the vCPUs and saves CPU and devices; answered by [`Input::Stopped`].
    Stop,
    /// Slows the guest down.
    Throttle(Ratio),
    /// Work: writes received pages to memory; answered by [`Input::Placed`].
    Place(Batch),
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
        self.push(Action::Send { to, channel, envelope: Envelope { attempt, message } });
    }
    /// Says how it ended, here and to the operator.
    pub(super) fn report(&mut self, attempt: Attempt, report: Report) {
        self.push(Action::Report(report));
        self.send(Host::Management, Channel::Management, attempt, Message::Report(report));
    }
}

impl Action {
    /// Whether it takes time on the node and is answered by an input.
    pub fn is_work(&self) -> bool {
        match self {
            Self::SyncLog
            | Self::Take { .. }
            | Self::Stop
            | Self::Place(_)
            | Self::Load(_)
            | Self::Resume
            | Self::Send { channel: Channel::Migration, .. } => true,
            Self::Send { channel: Channel::Question | Channel::Management, .. }
            | Self::Connect { .. }
            | Self::Disconnect { .. }
            | Self::Ping { .. }
            | Self::Pong { .. }
            | Self::SetTimer(..)
            | Self::CancelTimer(_)
            | Self::DropWork
            | Self::StartLog
            | Self::StopLog
            | Self::Throttle(_)
            | Self::Relinquish
            | Self::Conclude
            | Self::Discard
            | Self::Suspect(_)
            | Self::EndRounds(_)
            | Self::EndSending
            | Self::GiveUp
            | Self::Report(_) => false,
        }
    }
}
