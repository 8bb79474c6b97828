//! What a guest does to its memory, as typed.

use schemars::JsonSchema;

use super::Empty;
use super::quantity::{Text, Word};
use crate::scenario::Layout;
use crate::units::{Bytes, EventRate, PageCount, Ratio, Span};

/// Pages that behave alike.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Its name in reports; each only once.
    pub name: String,
    /// Its part of the memory, a multiple of the page size. At most one class may leave it out. Default: all the memory
    /// that the other classes leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Text<Bytes>>,
    /// Writes of the whole class, a Poisson process in guest time. This or `trace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<Text<EventRate>>,
    /// The recorded writes of a real program in place of `write` and `zero`; its `pattern` is that of the reads alone, and its size
    /// is the trace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Reads of the whole class, another Poisson process in guest time; they matter only where pages are missing. Default:
    /// `"0 /s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Text<EventRate>>,
    /// Pages at its beginning that the guest touches, one after the other, whenever it is started with pages missing.
    /// Default: `"0 pages"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake: Option<Text<PageCount>>,
    /// Which page an access hits. Default: `{"uniform": {}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// Share of its pages that hold only zeros until they are written. Default: `"0 %"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero: Option<Text<Ratio>>,
    /// Bytes of its page that one write changes, each write in a place of its own; above zero, at most a page. Default: the
    /// whole page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Text<Bytes>>,
    /// Compressed size / size of its pages, as `"1/3"`; above zero, at most 100 %. Default: `"100 %"`, they do not shrink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compressed: Option<Text<Ratio>>,
    /// One block in the order of the classes; or such a block together with the `mixed` classes beside it, scattered in it; or scattered
    /// over what all others leave. Default: `"contiguous"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Word<Layout>>,
}

/// Writes as they were recorded. In each interval every page that was written in it is written once; these writes are evenly spread
/// over the interval, in an order that is drawn anew each time. Pages not written before `from` hold zeros. After the last interval
/// comes that of `from` again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The stem of a file `models/traces/NAME.runs`.
    pub runs: String,
    /// How long an interval is, in guest time. Default: `"100 ms"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Text<Span>>,
    /// Where in the recording guest time 0 is, in whole intervals. Default: `"0 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Text<Span>>,
}

/// Which page of its class an access hits.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Any, with equal probability.
    Uniform(Empty),
    /// One after the other, round and round.
    Sequential(Empty),
    /// Rank r with probability proportional to 1 / r^exponent.
    Zipf(Zipf),
}

/// A Zipf distribution over the pages of a class.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zipf {
    /// The exponent, as `"99/100"`; above zero, at most 10.
    pub exponent: Text<Ratio>,
}

/// From a guest time on, all rates are multiplied.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadPhase {
    /// Guest time from which it holds.
    pub from: Text<Span>,
    /// Factor on every class's rates; `"0 %"` is idle.
    pub factor: Text<Ratio>,
}

/// What becomes of work that the guest is kept from, by a missing page or a throttle.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// It is done later, and all that comes after it: a guest that works as fast as it can.
    Own(Empty),
    /// The guest falls behind a schedule of the world outside, as a program does that is driven by requests at fixed times, and makes up
    /// for it.
    Schedule(Schedule),
}

/// A schedule of the world outside.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Writes that the guest is able to do, of all its classes together, when it does nothing else.
    pub able: Text<EventRate>,
    /// How far behind it can be; what is more is given up.
    pub backlog: Text<Span>,
}
