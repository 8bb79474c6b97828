//! The part of a scenario that agents may read: how to migrate, hand over and detect trouble, and what the operator does.

mod checkpoint;

pub use checkpoint::{
    Buffer, Checkpoint, Ending, FenceAnswer, Fencing, Lease, Medium, OnStoreLoss, Period, Protects, Save, SaveRule,
    Stages, Stonith, Store, Trigger,
};

use crate::units::{ByteRate, Bytes, Ratio, Span};

/// How the VM is moved and how trouble is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// How memory moves.
    pub migration: Migration,
    /// Who may run the VM next, and who decides.
    pub handover: Handover,
    /// How a node comes to suspect the other.
    pub detector: Detector,
    /// What protects the VM meanwhile; `None`: nothing.
    pub checkpoint: Option<Checkpoint>,
    /// How that protection ends.
    pub ending: Ending,
    /// What must be known before a node restores.
    pub fencing: Fencing,
}

/// How memory moves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Migration {
    /// Not at all.
    None,
    /// The VM is stopped first.
    StopAndCopy,
    /// In rounds, while the VM runs at the source.
    PreCopy(PreCopy),
    /// After the VM has been moved, while it runs at the destination.
    PostCopy(PostCopy),
    /// Some rounds of pre-copy, then post-copy.
    Hybrid(Hybrid),
}

impl Migration {
    /// The rounds that it begins with, if it does.
    pub fn pre_copy(&self) -> Option<&PreCopy> {
        match self {
            Self::PreCopy(pre_copy) | Self::Hybrid(Hybrid { pre_copy, .. }) => Some(pre_copy),
            Self::None | Self::StopAndCopy | Self::PostCopy(_) => None,
        }
    }

    /// The post-copy that it ends with, if it does.
    pub fn post_copy(&self) -> Option<&PostCopy> {
        match self {
            Self::PostCopy(post_copy) | Self::Hybrid(Hybrid { post_copy, .. }) => Some(post_copy),
            Self::None | Self::StopAndCopy | Self::PreCopy(_) => None,
        }
    }
}

/// Post-copy: how pages follow the VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PostCopy {
    /// In which order pages are pushed that nobody has asked for.
    pub push: Push,
    /// Whether pages that a vCPU waits for have a connection of their own (QEMU's `postcopy-preempt`).
    pub preempt: bool,
    /// Limit on the push, a budget per window (QEMU's `max-postcopy-bandwidth`). Pages that were asked for ignore it on a connection
    /// of their own; on the one connection they wait for the next window, too.
    pub max_bandwidth: Option<ByteRate>,
    /// What would take less than this at the rate last measured goes without the limit: QEMU completes a post-copy as it does a
    /// pre-copy, by its `downtime-limit`.
    pub finish: Option<Span>,
}

/// In which order the source pushes pages that nobody has asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Push {
    /// In guest-physical order, whatever is asked for.
    Ascending,
    /// On from the page that was last asked for (QEMU).
    FromFault,
    /// Outwards from the last few pages that were asked for, by turns (Hines and Gopalan, VEE 2009, §3.2 and Fig. 2).
    Bubbling {
        /// How many of them.
        pivots: u64,
    },
}

/// Rounds of pre-copy, then post-copy. If the rounds converge first, it ends as a pre-copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hybrid {
    /// The rounds.
    pub pre_copy: PreCopy,
    /// When to leave them for post-copy.
    pub switch: Switch,
    /// What follows.
    pub post_copy: PostCopy,
}

/// When a hybrid leaves its rounds for post-copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Switch {
    /// After so many rounds.
    Rounds(u64),
    /// So long after the first page: at the sender's next decision, and with a limit at the next window.
    Time(Span),
}

/// Pre-copy: rounds, and when to leave them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PreCopy {
    /// When the remaining pages are few enough.
    pub stop_rule: StopRule,
    /// When to leave the rounds in any case.
    pub caps: Caps,
    /// Slowing the guest down until it converges.
    pub auto_converge: Option<AutoConverge>,
    /// What becomes of a page before it is sent.
    pub encoding: Encoding,
    /// Connections for pages; 1: they share that of the migration.
    pub channels: u8,
}

/// What becomes of a page before it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// It goes as it is.
    #[default]
    Plain,
    /// A page that was sent before goes as the difference to that (QEMU's XBZRLE), if it is still in the cache.
    Xbzrle {
        /// Size of the cache: a power of two of pages.
        cache: Bytes,
    },
    /// It goes compressed, if that makes it smaller.
    Compressed,
}

/// When the remaining pages are few enough to stop the VM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StopRule {
    /// Pending bytes ≤ measured bandwidth × downtime limit (QEMU `migration.c`).
    Qemu {
        /// The downtime that is aimed at.
        downtime_limit: Span,
        /// The sender's own limit, a budget per window; `None`: the link limits. Off in the stop phase.
        max_bandwidth: Option<ByteRate>,
    },
    /// Adaptive rate (Clark et al., NSDI 2005, §5.2): the next round's rate is the last round's dirty rate plus
    /// the increment; stop when that exceeds the maximum (or as `at_max` says) or when little remains.
    Clark {
        /// Rate of the first round, and the least of any.
        min_rate: ByteRate,
        /// Added to the dirty rate of the last round.
        increment: ByteRate,
        /// Highest rate; also that of the last copy.
        max_rate: ByteRate,
        /// Bytes that are few enough.
        min_remaining: Bytes,
        /// What happens when the next round would need more than the maximum.
        at_max: AtMax,
    },
}

/// What happens when the next round would need more than the maximum rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AtMax {
    /// The VM stops (Clark et al., NSDI 2005, §5.2).
    Stop,
    /// Rounds go on at the maximum until one sends more than the one before (Xen's tools of 2005, `xc_linux_save.c`).
    WhileShrinking,
}

/// Limits on the rounds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Caps {
    /// Rounds begun.
    pub rounds: Option<Cap<u64>>,
    /// Bytes sent.
    pub bytes: Option<Cap<Bytes>>,
    /// Time since the first page.
    pub time: Option<Cap<Span>>,
}

/// A limit and what happens at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cap<T> {
    /// The limit.
    pub max: T,
    /// What then.
    pub then: CapEnding,
}

/// What a cap does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CapEnding {
    /// Stop the VM and send the rest, however long it takes.
    Stop,
    /// Give the migration up; the VM goes on at the source.
    Abort,
}

/// CPU throttling at the source (QEMU `migration/ram.c`): at a sync, if the bytes dirtied in the period exceed
/// `trigger` × the bytes sent in it, twice, throttle by `initial`, then by `increment` more, up to `max`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AutoConverge {
    /// Bytes dirtied / bytes sent.
    pub trigger: Ratio,
    /// First throttle.
    pub initial: Ratio,
    /// Added each time.
    pub increment: Ratio,
    /// Highest throttle.
    pub max: Ratio,
}

/// The protocol at the end of a pre-copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Handover {
    /// Who starts the VM at the destination.
    pub kind: HandoverKind,
    /// What the source does when the destination falls silent before it has given up its right to resume.
    pub on_silence: OnSilence,
    /// What the destination does when the source falls silent while it holds everything and waits.
    pub destination_on_silence: OnSilence,
    /// How long `ask` waits between questions.
    pub ask_period: Span,
}

/// Who starts the VM at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandoverKind {
    /// The destination, as soon as it has everything.
    Autostart,
    /// The destination says that it is ready, the source says "go" (libvirt-like).
    ThreePhase,
}

/// What a node does when the other falls silent in the middle of the handover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnSilence {
    /// Run its own copy.
    Resume,
    /// Stay as it is, for ever if need be.
    Wait,
    /// Ask the other on a new connection, again and again, and act on the answer.
    Ask,
}

/// How a node comes to suspect the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Detector {
    /// Pings between the two hosts.
    pub heartbeat: Option<Heartbeat>,
    /// Errors of the migration connection.
    pub transport_error: TransportError,
}

/// Pings as datagrams on the migration card, both ways.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Heartbeat {
    /// Between pings.
    pub period: Span,
    /// Who answers.
    pub answered_by: AnsweredBy,
    /// Which silence makes a suspicion.
    pub rule: Rule,
}

/// Which silence makes a suspicion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// So many pings in a row that have waited too long.
    Misses {
        /// A ping unanswered for so long is a miss.
        timeout: Span,
        /// Misses in a row that make a suspicion.
        misses: u64,
    },
    /// One that is implausible after the intervals between the answers so far.
    Phi(Phi),
}

/// The phi-accrual detector (Hayashibara et al., SRDS 2004).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Phi {
    /// −log₁₀ of the probability that a living peer is silent for so long; 1 to 16.
    pub threshold: u64,
    /// Intervals that are remembered.
    pub window: u64,
    /// The least standard deviation that is assumed.
    pub min_deviation: Span,
}

/// Who answers a ping, and so what its answer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnsweredBy {
    /// The host's kernel: alive although the VMM may be dead.
    Kernel,
    /// The VMM process.
    Vmm,
    /// The migration agent, between two pieces of work.
    Agent,
}

/// When an error of the connection becomes a suspicion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportError {
    /// Never.
    Ignored,
    /// At the next write, as for a sender that does not read (QEMU without return path).
    AtNextWrite,
    /// At once, as for a reader.
    AtOnce,
}

/// Who asks for the migration, and what it does then.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operator {
    /// When it sends `migrate`.
    pub migrate_at: Span,
    /// When it sends `cancel`, counted from `migrate`, unless it has heard the end.
    pub cancel_after: Option<Span>,
    /// When it tells both nodes to pause a post-copy, counted from `migrate`, unless it has heard the end.
    pub pause_after: Option<Span>,
    /// Whether it has a paused post-copy recovered.
    pub recover: Option<Recover>,
    /// Whether it asks for another attempt when one has failed.
    pub retry: Option<Retry>,
}

/// How an operator asks for further attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Retry {
    /// From hearing that an attempt has failed to the next.
    pub after: Span,
    /// At most so many.
    pub times: u64,
}

/// How an operator has a paused post-copy recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Recover {
    /// From hearing that a node has paused to the command.
    pub after: Span,
    /// From one command to the next, until it hears the end.
    pub retry: Span,
}
