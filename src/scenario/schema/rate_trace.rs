//! A rate that changes over time, as typed.

use schemars::JsonSchema;

use super::quantity::Text;
use crate::units::{ByteRate, Span};

/// Changes of a rate over time, in place or in a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RateTrace {
    /// The steps, by rising time.
    Steps(Vec<RateStep>),
    /// The stem of a file in `models/traces` with the header `from_s,rate_bit_s`.
    Csv(String),
}

/// From a time on, the migration cards have this rate.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateStep {
    /// Time since the start of the run.
    pub from: Text<Span>,
    /// The rate; `"0 B/s"` stops everything.
    pub rate: Text<ByteRate>,
}
