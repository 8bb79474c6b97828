//! `waives` and `expect` as typed. Which columns exist, and in which unit, is not known here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::Word;
use crate::vocabulary::{End, Invariant, Outcome};

/// An invariant that need not hold under tolerated faults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The invariant.
    pub invariant: Word<Invariant>,
    /// Why it need not hold, in a sentence.
    pub why: String,
}

/// What the run must give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Outcomes that are right for this run. Default: not judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcome: Vec<Word<Outcome>>,
    /// What must be there of the VM on its hosts when the run ends. Default: not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// Bounds by column of the record, as `{"downtime_s": {"max": "300 ms"}}`. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Bound>,
}

/// What must be there of the VM on each host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    /// On the source. Default: not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Word<End>>,
    /// On the destination. Default: not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Word<End>>,
}

/// A message that is held up on its way, and what follows it on its connection with it, while everything else overtakes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// The event of the run, from 1, with which it would arrive. Where that is anything else, nothing is held.
    pub event: u64,
    /// How many other events come before it.
    pub past: u64,
}

/// What a run of the scenario showed when it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// What fell short: `claim`, `liveness` or `invariant:<name>`.
    pub shows: String,
    /// What became of the VM.
    pub outcome: Word<Outcome>,
    /// The invariants that were broken, waived or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violates: Vec<Word<Invariant>>,
    /// The record's `fingerprint`.
    pub fingerprint: String,
    /// The program that found it.
    pub version: String,
}

/// Values that a column may take, always as text: a time (`"300 ms"`), a size (`"1 MiB"`), pages (`"64 pages"`), a
/// ratio (`"10 %"`) or a count (`"3"`), as the column demands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// Least good value. Default: no lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// Greatest good value. Default: no upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
}
