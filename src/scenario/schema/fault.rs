//! `faults` as typed. It does not check whether a fault can fire; see `scenario::resolve`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Empty;
use super::quantity::{Text, Word};
use crate::scenario::{Direction, EventMoment, Moment, Origin, Stage};
use crate::units::{Ratio, Span};
use crate::vocabulary::{Host, MessageKind, Phase};

/// One fault and when it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What breaks.
    pub what: What,
    /// When it breaks.
    pub when: When,
    /// How long it lasts, for what can end: not for crashes, resets, and versions that are lost. Default: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Text<Span>>,
    /// For crashes: how long after it the host, VMM, agent or store starts again, with its memory lost. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts_after: Option<Text<Span>>,
}

/// What can break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The host falls silent; nobody is told.
    Crash(Word<Host>),
    /// The VMM and its agent on this host die; the kernel closes their connections and still answers pings.
    CrashVmm(Word<Host>),
    /// The agent on this host alone dies: the kernel closes its connections, and the VM executes on.
    CrashAgent(Word<Host>),
    /// The store of checkpoints alone dies, and its connections with it; what is complete on a disk outlives it.
    CrashStore(Empty),
    /// The store's process alone stands still.
    HangStore(Empty),
    /// Work of the store alone (keeping, sealing and reading pages) takes longer.
    SlowStore(SlowStore),
    /// The store's medium has no more room, by what another program writes there: nothing can be kept while it lasts.
    FillStore(Empty),
    /// The store's medium loses the newest complete version; nobody is told.
    LoseVersion(Empty),
    /// The newest complete version is damaged on the store's medium: its checksum tells whoever reads it, and nobody before.
    TearVersion(Empty),
    /// Nothing of it runs; on waking it finds what has happened meanwhile.
    Hang(Hang),
    /// Work of a host (reading, placing, loading pages …) takes longer; its vCPUs do not.
    Slow(Slow),
    /// No packet passes between two hosts on any card.
    Cut(Cut),
    /// A cut that comes and goes.
    Flap(Flap),
    /// The migration cards carry less between two hosts, later, or with losses.
    Degrade(Degrade),
    /// A host's migration card is slower, both ways.
    DegradeCard(DegradeCard),
    /// Both ends of every stream between source and destination are told that it is reset.
    Reset(Empty),
    /// Packets of the streams between source and destination vanish without a sign; datagrams pass.
    Silence(Empty),
    /// Heartbeats and their answers between source and destination vanish; everything else passes.
    LoseHeartbeats(LoseHeartbeats),
    /// All of these at the same instant, as one fault; at least two. It has fired if one of them has.
    Group(Vec<What>),
}

/// What stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hang {
    /// All of a host, kernel and network included.
    Host(Word<Host>),
    /// Its VMM: vCPUs, output and agent; the kernel answers pings and takes bytes.
    Vmm(Word<Host>),
    /// Its agent alone; the VM executes on.
    Agent(Word<Host>),
}

/// A slow host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// Which.
    pub of: Word<Host>,
    /// How many times as long its work takes; above 100 %.
    pub factor: Text<Ratio>,
}

/// A slow store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowStore {
    /// How many times as long its work takes; above 100 %.
    pub factor: Text<Ratio>,
}

/// Two hosts that are cut off from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// One end. Default: `"source"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Word<Host>>,
    /// The other end. Default: `"destination"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Word<Host>>,
    /// Both ways, or only from `from` to `to`. Default: `"both"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Word<Direction>>,
}

/// A cut that comes and goes, `times` times or as long as the fault `lasts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flap {
    /// One end. Default: `"source"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Word<Host>>,
    /// The other end. Default: `"destination"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Word<Host>>,
    /// Both ways, or only from `from` to `to`. Default: `"both"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Word<Direction>>,
    /// How long it is cut each time; it begins with a cut.
    pub down: Text<Span>,
    /// How long it works in between.
    pub up: Text<Span>,
    /// How often it is cut. Default: as often as fits into `lasts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

/// A link between two hosts, on the migration card, that is worse than it should be; at least one field says how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Degrade {
    /// One end. Default: `"source"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Word<Host>>,
    /// The other end. Default: `"destination"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Word<Host>>,
    /// Both ways, or only from `from` to `to`. Default: `"both"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Word<Direction>>,
    /// What is left of the rate; above 0. Default: `"100 %"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Text<Ratio>>,
    /// Added to the one-way delay. Default: `"0 ns"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Text<Span>>,
    /// Added to the probability that a packet is lost. Default: `"0 %"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Text<Ratio>>,
}

/// A migration card that is slower than it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DegradeCard {
    /// Whose.
    pub of: Word<Host>,
    /// What is left of its rate; above 0, below 100 %.
    pub rate: Text<Ratio>,
}

/// Heartbeats that are lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoseHeartbeats {
    /// Only what this host sends, pings and answers; `source` or `destination`. Default: both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<Word<Host>>,
}

/// When a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// At a time since the start of the run.
    At(Text<Span>),
    /// In a phase of the migration.
    Phase(PhaseTrigger),
    /// At a message between nodes.
    Message(MessageTrigger),
    /// After so many packets of the guest.
    Outputs(OutputTrigger),
    /// At an event of the run, as the record's `events` counts them: how `check` says where it struck. The number holds for this
    /// version of the program and this scenario only.
    Event(EventTrigger),
    /// After a time that is drawn for each run. A fault that does not fire under a law is data, not an error, and keeps no run
    /// waiting.
    Law(LawTrigger),
}

/// A point in a phase of the migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseTrigger {
    /// The phase; not `idle` or `done`.
    pub name: Word<Phase>,
    /// For `copy`: the round, from 1; for the phases of a checkpoint: the version. Default: the first that fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u64>,
    /// Share of the phase's due pages that must have arrived; strikes when it is first reached. Default: `"0 %"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Text<Ratio>>,
    /// Delay after that. Default: `"0 ns"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Text<Span>>,
}

/// A message between nodes, by its kind and number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageTrigger {
    /// Its kind.
    pub kind: Word<MessageKind>,
    /// The how manieth of its kind in the run, from 1. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// When it has just been written, when it is about to arrive at the other host, or when it has. Default: `"before-delivery"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<Word<Moment>>,
}

/// A packet of the guest, by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputTrigger {
    /// The how manieth in the run, from 1.
    pub n: u64,
    /// Sent by the guest, gone from its host, or with the client. Default: `"released"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Word<Stage>>,
}

/// An event of the run, by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventTrigger {
    /// The how manieth in the run, from 1.
    pub n: u64,
    /// When it is about to happen, within it, or when it has happened. Default: `"after"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<Word<EventMoment>>,
    /// With `"within"`: after so many things that nodes do about it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<u64>,
    /// With `"after"`: delay after it. Default: `"0 ns"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Text<Span>>,
}

/// A time drawn from a law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LawTrigger {
    /// The law.
    pub time: Law,
    /// Counted from the start of the run, or from the source's accepting the command to migrate. Default: `"start"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Word<Origin>>,
    /// Only times below this are drawn, as if it were known that the fault strikes so early: for rare failures. The record has the
    /// probability of that as its `weight`. Default: any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Text<Span>>,
}

/// A law of times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    /// Failures without memory.
    Exponential(Exponential),
    /// Failures that become rarer (shape below 1) or more frequent (above 1) with age.
    Weibull(Weibull),
    /// The logarithm is normally distributed.
    LogNormal(LogNormal),
    /// For a whole shape, the sum of so many exponential times.
    Gamma(Gamma),
    /// Each time between two alike.
    Uniform(Uniform),
    /// One of a sample, each alike.
    Empirical(Empirical),
}

/// An exponential law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// Its mean.
    pub mean: Text<Span>,
}

/// A Weibull law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weibull {
    /// The time that 63.2 % do not reach.
    pub scale: Text<Span>,
    /// The shape.
    pub shape: Text<Ratio>,
}

/// A log-normal law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// Its median.
    pub median: Text<Span>,
    /// Standard deviation of the logarithm.
    pub sigma: Text<Ratio>,
}

/// A gamma law, by its mean or its scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gamma {
    /// Its mean, scale × shape; or give `scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Text<Span>>,
    /// Its scale; or give `mean`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Text<Span>>,
    /// The shape.
    pub shape: Text<Ratio>,
}

/// A uniform law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// The earliest.
    pub from: Text<Span>,
    /// The latest.
    pub to: Text<Span>,
}

/// A sample of times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Empirical {
    /// In place.
    Values(Vec<Text<Span>>),
    /// A file `models/laws/NAME.csv`: the header `time_s`, and a number of seconds in each line.
    Csv(String),
}
