//! Behaviour: what each node does with what reaches it, as state machines without I/O.
//!
//! An agent sees inputs and answers actions. It reads no clock but its own node's, draws no random number, and knows
//! of other nodes only what their messages say: a fault reaches it as silence, a broken connection or a
//! timer. The same agents run under simulated time, under fault injection and under a model checker.
//!
//! # How actions run
//! *Work* ([`Action::is_work`]) takes time on the node: reading, writing and placing pages, syncing the log, stopping,
//! loading, resuming, and writing to the migration channel (which ends when the last byte is in the send buffer).
//! Work runs in order, one piece at a time, and each piece is answered by one input. Until then, messages of the
//! migration channel wait; timers, datagrams and the other channels do not. All other actions happen at once.

mod destination;
mod detector;
mod operator;
mod pacing;
mod precopy;
mod source;

pub use destination::Destination;
pub use operator::Operator;
pub use source::Source;

use std::fmt;

use crate::scenario::Policy;
use crate::units::{Bytes, LocalTime, PageCount, Ratio, Span};
use crate::vocabulary::{Host, RoundsEnd};

/// A node's behaviour.
pub trait Agent {
    /// Takes one input at `now` on the node's own clock and appends what the node does about it.
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions);
    /// Where it stands, for the log and for telling waiting from working.
    fn standing(&self) -> Standing;
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
    /// Command accepted → first page read.
    pub setup: Span,
    /// Length of a bandwidth window.
    pub window: Span,
}

/// Which try at the migration a message belongs to; messages of another are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Attempt(pub u32);

/// A connection between two nodes, as they name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Pages, state and handover, source to destination and back.
    Migration,
    /// A fresh connection for asking a silent peer.
    Question,
    /// Between operator and nodes.
    Management,
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
    /// Closes a connection.
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
    fn set(&mut self, timer: Timer, after: Span) {
        self.push(Action::SetTimer(timer, after));
    }
    fn cancel(&mut self, timer: Timer) {
        self.push(Action::CancelTimer(timer));
    }
    fn send(&mut self, to: Host, channel: Channel, attempt: Attempt, message: Message) {
        self.push(Action::Send { to, channel, envelope: Envelope { attempt, message } });
    }
    /// Says how it ended, here and to the operator.
    fn report(&mut self, attempt: Attempt, report: Report) {
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
            | Self::GiveUp
            | Self::Report(_) => false,
        }
    }
}
