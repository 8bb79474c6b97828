//! `faults` as typed. It does not check whether a fault can fire; see `scenario::resolve`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Empty;
use super::quantity::{Text, Word};
use crate::scenario::Direction;
use crate::units::{Ratio, Span};
use crate::vocabulary::{Host, Phase};

/// One fault and when it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What breaks.
    pub what: What,
    /// When it breaks.
    pub when: When,
    /// How long a `cut` or `silence` lasts; not for the others. Default: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Text<Span>>,
}

/// What can break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The host falls silent; nobody is told.
    Crash(Word<Host>),
    /// The VMM and its agent on this host die; the kernel closes their connections and still answers pings.
    CrashVmm(Word<Host>),
    /// No packet passes between two hosts on any card.
    Cut(Cut),
    /// Both ends of every stream between source and destination are told that it is reset.
    Reset(Empty),
    /// Packets of the streams between source and destination vanish without a sign; datagrams pass.
    Silence(Empty),
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

/// When a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// At a time since the start of the run.
    At(Text<Span>),
    /// In a phase of the migration.
    Phase(PhaseTrigger),
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
