//! `policy` as typed, in a scenario or a file of its own. It does not know defaults; see `scenario::resolve`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Empty;
use super::checkpoint::{Checkpoint, Fencing};
use super::model::{Header, Model, ModelKind, model};
use super::quantity::{SchemaVersion, Text, Word};
use super::verdict::Waiver;
use crate::scenario::policy::{AnsweredBy, AtMax, CapEnding, Ending, OnSilence, TransportError};
use crate::units::{ByteRate, Bytes, Ratio, Span};
use crate::vocabulary::FaultClass;

model! {
    /// How the VM is moved, protected and handed over, and how trouble is noticed.
    Policy,
    /// A file in `models/policies`.
    PolicyFile,
    {
        /// How memory moves. Must be given here or by a base.
        migration: Migration,
        /// Who starts the VM at the destination, and what each node does when the other falls silent just then. Default:
        /// `{"autostart": {}}`.
        handover: Handover,
        /// How a node comes to suspect the other. Default: heartbeat every second, three misses; errors at the next write.
        detector: Detector,
        /// What protects the VM meanwhile. Default: nothing.
        checkpoint: Checkpoint,
        /// How the protection ends when the last page has arrived: the destination releases its output at once
        /// (`unilateral`), goes on until it hears that the source will never restore (`handshake`), or writes that it is
        /// final to a store on a third host (`arbiter`). Default: `"handshake"`.
        ending: Word<Ending>,
        /// What must be known before a node restores. Default: `{"none": {}}`.
        fencing: Fencing,
    },
    file {
        /// What scenarios that name it claim, as their own `tolerates` does, if they give none. Default: no claim.
        tolerates: Vec<Word<FaultClass>>,
        /// What scenarios that name it waive, as their own `waives` does, if they give none. Default: nothing.
        waives: Vec<Waiver>,
    }
}

/// How memory moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "one of them in a text")]
pub enum Migration {
    /// Not at all.
    None(Empty),
    /// The VM is stopped first.
    StopAndCopy(Empty),
    /// In rounds, while the VM runs at the source.
    PreCopy(PreCopy),
    /// After the VM has been moved, while it runs at the destination.
    PostCopy(PostCopy),
    /// Some rounds of pre-copy, then post-copy.
    Hybrid(Hybrid),
}

/// Post-copy: how pages follow the VM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostCopy {
    /// In which order pages are pushed that nobody has asked for. Default: `{"from-fault": {}}`, as QEMU's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<Push>,
    /// Whether pages that a vCPU waits for have a connection of their own (QEMU's `postcopy-preempt`). Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preempt: Option<bool>,
    /// Limit on the push, a budget per window of the platform (QEMU's `max-postcopy-bandwidth`). Pages that were asked for ignore
    /// it with `preempt`; without, they too wait for the next window. Default: the link limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bandwidth: Option<Text<ByteRate>>,
    /// As soon as what is left would take less than this at the rate measured in the last window, it goes without the limit
    /// (QEMU's `downtime-limit`, which ends a post-copy too). Default: the limit holds to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<Text<Span>>,
}

/// In which order the source pushes pages that nobody has asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Push {
    /// In guest-physical order, whatever is asked for.
    Ascending(Empty),
    /// On from the page that was last asked for (QEMU).
    FromFault(Empty),
    /// Outwards from the last few pages that were asked for, by turns (Hines and Gopalan, VEE 2009).
    Bubbling(Bubbling),
}

/// Bubbling: pushes outwards from pivots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bubbling {
    /// How many of the pages that were last asked for are pivots; 1 to 64. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pivots: Option<u64>,
}

/// Rounds of pre-copy, then post-copy. If the rounds converge first, it ends as a pre-copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hybrid {
    /// When to leave the rounds for post-copy. Default: `{"rounds": 1}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<Switch>,
    /// The rounds. Default: as `pre-copy` without fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_copy: Option<PreCopy>,
    /// What follows. Default: as `post-copy` without fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_copy: Option<PostCopy>,
}

/// When a hybrid leaves its rounds for post-copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// After so many rounds; at least 1.
    Rounds(u64),
    /// So long after the first page: at the sender's next decision, and with a limit at the next window.
    Time(Text<Span>),
}

/// Pre-copy: rounds, and when to leave them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreCopy {
    /// When the remaining pages are few enough to stop the VM. Default: `{"qemu": {}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_rule: Option<StopRule>,
    /// When to leave the rounds in any case. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caps: Option<Caps>,
    /// Slows the guest down until it converges. Default: off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_converge: Option<AutoConverge>,
    /// Delta compression: a page that was sent before goes as the difference to that. Default: off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xbzrle: Option<Xbzrle>,
    /// Stream compression: pages go compressed, as far as their classes' `compressed` lets them. Needs the platform's
    /// `compress_page` and `decompress_page`; not together with `xbzrle`. Default: off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Empty>,
    /// Connections for pages, from 1 to 255. With 1, everything goes on the connection of the migration; with more, pages go
    /// on so many beside it, each read, sent and placed by itself. More than 1 only with the stop rule `qemu` and without
    /// `xbzrle`. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u64>,
}

/// Delta compression, as QEMU's XBZRLE. Needs the platform's `xbzrle_page`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Xbzrle {
    /// Size of the cache of sent pages; a power of two of pages. Default: `"64 MiB"`, as QEMU's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Text<Bytes>>,
}

/// When the remaining pages are few enough to stop the VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopRule {
    /// Pending bytes ≤ measured bandwidth × downtime limit.
    Qemu(QemuRule),
    /// Adaptive rate: last round's dirty rate plus an increment, until that exceeds the maximum or little remains.
    Clark(ClarkRule),
}

/// QEMU's rule (`migration.c`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QemuRule {
    /// The downtime that is aimed at. Default: `"300 ms"`, as QEMU's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_limit: Option<Text<Span>>,
    /// The sender's own limit, a budget per window of the platform; off in the stop phase. Default: the link limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bandwidth: Option<Text<ByteRate>>,
}

/// The rule of Clark et al., NSDI 2005, §5.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClarkRule {
    /// Rate of the first round, and the least of any.
    pub min_rate: Text<ByteRate>,
    /// Added to the dirty rate of the last round.
    pub increment: Text<ByteRate>,
    /// Highest rate, and that of the last copy; not below `min_rate`.
    pub max_rate: Text<ByteRate>,
    /// Bytes that are few enough to stop the VM.
    pub min_remaining: Text<Bytes>,
    /// What happens when the next round would need more than `max_rate`: the VM stops (`stop`), or rounds go on at
    /// `max_rate` until one sends more than the one before (`while-shrinking`). Default: `"stop"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_max: Option<Word<AtMax>>,
}

/// Limits on the rounds; each works by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// Rounds begun, a positive number. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Cap<u64>>,
    /// Bytes sent. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Cap<Text<Bytes>>>,
    /// Time since the first page. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Cap<Text<Span>>>,
}

/// A limit and what happens at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cap_of_{M}")]
pub struct Cap<M> {
    /// The limit; above zero.
    pub max: M,
    /// At the limit, stop the VM and send the rest however long it takes, or abort: the VM goes on at the source.
    /// Default: `"stop"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Word<CapEnding>>,
}

/// CPU throttling at the source, as QEMU's auto-converge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoConverge {
    /// Bytes dirtied / bytes sent in a period above which, at the second time, the throttle rises. Default: `"50 %"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Text<Ratio>>,
    /// First throttle: share of CPU time taken away. Default: `"20 %"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<Text<Ratio>>,
    /// Added each time. Default: `"10 %"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increment: Option<Text<Ratio>>,
    /// Highest throttle; below 100 %. Default: `"99 %"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Text<Ratio>>,
}

/// Who starts the VM at the destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Handover {
    /// The destination, as soon as it has everything.
    Autostart(Autostart),
    /// The destination says that it is ready, the source says "go" (libvirt-like).
    ThreePhase(ThreePhase),
}

/// The destination starts the VM by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Autostart {
    /// What the source does when the destination falls silent before the source has given up its right to resume: run
    /// its own copy, stay as it is for ever, or ask on a new connection. In post-copy this holds until the source has heard that
    /// the VM runs. Default: `"resume"`; with post-copy or hybrid `"wait"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_silence: Option<Word<OnSilence>>,
    /// Time between two questions of `ask`. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_period: Option<Text<Span>>,
}

/// The destination waits for the source's word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThreePhase {
    /// What the source does when the destination falls silent before the source has given up its right to resume.
    /// Default: `"resume"`; with post-copy or hybrid `"wait"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_silence: Option<Word<OnSilence>>,
    /// What the destination does when the source falls silent while the destination holds everything and waits.
    /// Default: `"wait"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_on_silence: Option<Word<OnSilence>>,
    /// Time between two questions of `ask`. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_period: Option<Text<Span>>,
}

/// How a node comes to suspect the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detector {
    /// Pings between the two hosts. Default: `{"pings": {}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// When an error of the migration connection becomes a suspicion: never, at the next write (a sender that does not
    /// read), or at once (a reader). Default: `"at-next-write"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_error: Option<Word<TransportError>>,
}

/// Whether the hosts ping each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Heartbeat {
    /// They do not.
    Off(Empty),
    /// Datagrams on the migration card, both ways; so many unanswered in a row make a suspicion.
    Pings(Pings),
    /// The same datagrams; a silence that is implausible after the intervals between the answers so far makes a suspicion.
    Phi(PhiPings),
}

/// Pings and when they count as missed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pings {
    /// Time between pings. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Text<Span>>,
    /// A ping unanswered for so long is a miss. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Text<Span>>,
    /// Misses in a row that make a suspicion; at least 1. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misses: Option<u64>,
    /// Who answers, and so what an answer proves. Default: `"agent"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<Word<AnsweredBy>>,
}

/// Phi-accrual: the peer is suspect when −log10 of the probability of an answer later than now reaches the threshold; intervals are
/// taken as normally distributed (Hayashibara et al., SRDS 2004).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhiPings {
    /// Time between pings. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Text<Span>>,
    /// Phi at which the peer is suspect, from 1 to 16. Default: 8, as in Akka.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u64>,
    /// How many intervals between answers are remembered, from 2 to 10000. Default: 200, as in Akka.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// Least standard deviation that is assumed. Default: a tenth of the period, as in Akka.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_deviation: Option<Text<Span>>,
    /// Who answers, and so what an answer proves. Default: `"agent"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<Word<AnsweredBy>>,
}
