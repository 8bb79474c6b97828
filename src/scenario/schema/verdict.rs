//! `waives` and `expect` as typed. Which columns exist, and in which unit, is not known here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::Word;
use crate::vocabulary::{Invariant, Outcome};

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
    /// Bounds by column of the record, as `{"downtime_s": {"max": "300 ms"}}`. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Bound>,
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
