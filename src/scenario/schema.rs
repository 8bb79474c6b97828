//! A scenario exactly as a user types it: the file's shape, nothing of its meaning.
//!
//! Why a second set of types: what may be *left out* or *named* here is complete and numeric in
//! [`super::Scenario`]; `scenario::resolve` leads from one to the other, `scenario::print` back. The doc comments
//! below are the descriptions in the JSON Schema and in `docs/scenario.md`; a trailing "Default: …" sentence fills
//! the column of defaults there.
//!
//! Shape rules, each for the sake of exact error paths: unknown keys refused, enums externally tagged
//! (`{"crash": "destination"}`), nothing untagged, nothing flattened. What it does not do: check values against
//! each other, read files, know defaults.

pub mod checkpoint;
pub mod fault;
pub mod figure;
pub mod model;
pub mod policy;
pub mod quantity;
mod rate_trace;
pub mod reference;
pub mod sweep;
pub mod verdict;
mod workload;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Bytes, EventRate, Span};
use fault::Fault;
use model::{ModelRef, Network, Platform, Workload};
use policy::Policy;
use quantity::{FidelityText, SchemaVersion, Text, Word};
use verdict::{Capsule, Expect, Late, Waiver};

use crate::vocabulary::{Defect, FaultClass, Invariant};

/// An object without keys, as in `{"none": {}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Empty {}

/// One experiment: how a VM is moved, on what, what goes wrong, and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Scenario")]
pub struct ScenarioFile {
    /// Where editors find the JSON Schema; not read. Default: none.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema_location: Option<String>,
    /// Version of this format.
    pub schema: SchemaVersion,
    /// What the scenario shows, in a sentence.
    pub why: String,
    /// How the VM is moved, protected and handed over, and how trouble is noticed: a name under `models/policies`, or the
    /// values themselves.
    pub policy: ModelRef<Policy>,
    /// The VMs that are moved; exactly one for now.
    pub vms: Vec<Vm>,
    /// Links and protocols between hosts: a name under `models/networks`, or the values themselves. Default: `"gige"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<ModelRef<Network>>,
    /// Costs of hypervisor and host: a name under `models/platforms`, or the values themselves. Default: `"generic"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<ModelRef<Platform>>,
    /// Who asks for the migration, and when. Default: migrates at 1 s, never cancels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
    /// Agents of your own, by the names under which your program hands them in. Default: those that are shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<Agents>,
    /// How fast each host's clock runs against true time. Default: all keep true time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_drift_ppm: Option<ClockDrift>,
    /// What goes wrong, in any order. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Claim: a single fault of one of these classes, starting in the guarantee window, does no harm.
    /// Default: what the policy's file says, and else no claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerates: Option<Vec<Word<FaultClass>>>,
    /// Invariants that tolerated faults may break after all. Default: what the policy's file says, without what must be
    /// violated, and else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waives: Option<Vec<Waiver>>,
    /// The invariant that this run must break, for a negative control. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_violate: Option<Word<Invariant>>,
    /// A defect planted in one agent, for a negative control; only beside `must_violate`. `midflight list defects` says what
    /// each does. Default: `"none"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<Word<Defect>>,
    /// What the run must give. Default: not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// Latest end of the run, in simulated time. Default: 20 × (memory / link rate) + 60 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Text<Span>>,
    /// Seed of all randomness when the command line gives none. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// One message that comes later than it would, as `check` holds it up. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// What `check` saw of it, for `replay`. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capsule: Option<Capsule>,
    /// How memory is modelled: `exact` keeps every page and its version, `auto` chooses. Default: `"auto"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<Word<FidelityText>>,
}

/// A virtual machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vm {
    /// Its name in records. Default: `"vm"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Guest memory; a multiple of the platform's page size.
    pub memory: Text<Bytes>,
    /// Virtual CPUs, 1 to 1024; an access to a page that is not there blocks one of them. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcpus: Option<u64>,
    /// What its processes do to memory: a name under `models/workloads`, or the values themselves.
    pub workload: ModelRef<Workload>,
    /// Packets that it sends to its client. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
    /// Writes to a disk that source and destination share. Default: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
}

/// Writes to the disk that source and destination share: a Poisson process in guest time, each to a block drawn uniformly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Writes; above zero.
    pub rate: Text<EventRate>,
    /// Bytes of one write, which is one block; above zero, at most 16 MiB.
    pub size: Text<Bytes>,
    /// Blocks that writes go to; above zero. Default: 1024.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<u64>,
}

/// Packets that the guest sends to its client: a Poisson process in guest time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Packets that the guest's program produces.
    pub rate: Text<EventRate>,
    /// Bytes of one packet.
    pub size: Text<Bytes>,
    /// Whether the client's acknowledgements hold it back. Default: `{"open": {}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
}

/// How output is paced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// As UDP: sent as produced.
    Open(Empty),
    /// As TCP: a bounded number of packets unacknowledged, the rest waits in the guest.
    Closed(ClosedFlow),
}

/// Output as TCP sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosedFlow {
    /// Packets that may be unacknowledged; at least 1. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// First retransmission time-out, in guest time; it doubles. Default: `"200 ms"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Text<Span>>,
}

/// Who asks for the migration, and what it does then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// When it sends `migrate`, since the start of the run. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrate_at: Option<Text<Span>>,
    /// When it sends `cancel`, counted from `migrate`, unless it has heard the end. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_after: Option<Text<Span>>,
    /// When it tells both nodes to pause a post-copy, counted from `migrate`, unless it has heard the end. Default:
    /// never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_after: Option<Text<Span>>,
    /// Has a paused post-copy recovered. Default: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover: Option<Recover>,
    /// Asks for another attempt when it hears from the source that one has failed. Default: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}

/// How the operator asks for further attempts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// From hearing that an attempt has failed to the next. Default: `"5 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Text<Span>>,
    /// At most so many; at least 1, at most 16. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

/// How the operator has a paused post-copy recovered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recover {
    /// From hearing that a node has paused to the command. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Text<Span>>,
    /// From one command to the next, until it hears the end; above zero. Default: `"5 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Text<Span>>,
}

/// Which agents are not those that are shipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    /// The source's. Default: the shipped one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The destination's. Default: the shipped one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
}

/// Parts per million by which a host's clock runs fast (or slow, if negative); at most 100000 either way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockDrift {
    /// Of the source. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<i32>,
    /// Of the destination. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<i32>,
    /// Of the operator's host. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management: Option<i32>,
    /// Of the host that keeps checkpoints. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staging: Option<i32>,
}
