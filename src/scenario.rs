//! A scenario as it is meant: complete, typed, plain data. What was *typed* is [`schema`]; the way from one to the
//! other is [`load()`], and back is [`print_json`].
//!
//! The types here read no file and cannot fail; the submodules are the fallible border. Everything the simulator
//! needs is here; a run is a function of this, a seed and a replication.

mod capsule;
pub mod defect;
pub mod error;
mod family;
mod fault;
pub mod figure;
pub mod library;
mod load;
mod measured;
mod moment;
mod own;
mod page_trace;
mod parse;
pub mod path;
mod platform;
pub mod policy;
mod print;
pub mod published;
mod recorded;
pub mod reference;
mod resolve;
pub mod schema;
mod set;
pub mod source;
mod spelling;
pub mod sweep;
#[cfg(test)]
mod tests;
mod texts;

use std::sync::Arc;

use crate::units::{ByteRate, Bytes, EventRate, PageCount, Ratio, Span};
use crate::vocabulary::{Defect, End, FaultClass, Host, Invariant, Outcome};

pub use capsule::{Capsule, Late};
pub use error::{Diagnostic, Problems, ScenarioError};
pub use fault::{Direction, Fault, FaultKind, Law, Moment, Origin, Part, Stage, Trigger};
pub use figure::{Figure, load_figure};
pub use library::{ModelEntry, list_models};
pub use load::{LoadOptions, load, load_text};
pub use measured::{Measured, MeasurementError, measured};
pub use moment::{EventMoment, EventPlace};
pub use own::OwnAgent;
pub use page_trace::PageTrace;
pub use platform::{ArrivedPages, CheckpointCosts, DirtyLog, MonitorInStop, Platform};
pub use policy::{Operator, Policy, Recover, Retry};
pub use print::{print, print_json};
pub use published::{Reference, load_reference, load_reference_text};
pub use recorded::{ClassOf, RecordedWorkload, load_recorded};
pub use reference::{
    figure_schema, figures_markdown, json_schema, model_schema, reference_markdown, references_markdown, sweep_schema,
    sweeps_markdown,
};
pub use resolve::{Column, ColumnUnit};
pub use sweep::{Relation, Sweep, SweepTexts, load_sweep, load_sweep_texts};

/// One experiment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// File stem, or `inline`.
    pub name: String,
    /// What the scenario shows, in a sentence.
    pub why: String,
    /// How the VM is moved and how trouble is noticed.
    pub policy: Policy,
    /// The VMs that are moved. Exactly one for now.
    pub vms: Vec<Vm>,
    /// Links and protocols between hosts.
    pub network: Network,
    /// Costs of hypervisor and host.
    pub platform: Platform,
    /// Who asks for the migration.
    pub operator: Operator,
    /// Agents of the user's own, each on its host in place of the shipped one.
    pub agents: Vec<(Host, OwnAgent)>,
    /// Rates of the hosts' clocks, in parts per million against true time; absent hosts keep true time.
    pub clock_drift_ppm: Vec<(Host, i32)>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What is wrong with one of the agents, on purpose.
    pub defect: Defect,
    /// What must come out of it.
    pub verdict: Verdict,
    /// Latest end of the run.
    pub horizon: Span,
    /// Seed when the command line gives none.
    pub seed: u64,
    /// One message that comes late.
    pub late: Option<Late>,
    /// What `check` saw of it, if that is where it comes from.
    pub capsule: Option<Capsule>,
    /// How memory is modelled.
    pub fidelity: Fidelity,
}

/// How memory is modelled. `auto` resolves to one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fidelity {
    /// Every page and its version.
    Exact,
}

/// A virtual machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Vm {
    /// Its name in records.
    pub name: String,
    /// Guest memory, a multiple of the page size.
    pub memory: Bytes,
    /// Virtual CPUs; an access to a page that is not there blocks one of them.
    pub vcpus: u64,
    /// What its processes do to memory.
    pub workload: Workload,
    /// What it sends, if anything.
    pub output: Option<Output>,
    /// What it writes to the shared disk, if it has one.
    pub disk: Option<Disk>,
}

/// What a guest does to its memory, in guest time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Workload {
    /// Disjoint classes that together cover the memory.
    pub classes: Vec<PageClass>,
    /// Changes of all rates, by rising guest time. Before the first the factor is 1.
    pub phases: Vec<WorkloadPhase>,
    /// The schedule that the guest keeps; `None`: what is kept from its work does it later.
    pub pace: Option<Pace>,
}

/// A guest that works by a schedule of the world outside: what stands between it and its work puts it behind, and it makes up for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pace {
    /// Writes that it is able to do, of all its classes together. Less than their rates: it never keeps its schedule.
    pub able: EventRate,
    /// How far behind it can be; more is given up.
    pub backlog: Span,
}

/// Pages that behave alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageClass {
    /// Its name in reports.
    pub name: String,
    /// How many pages it has.
    pub pages: PageCount,
    /// Writes of the whole class, a Poisson process in guest time; none where they are recorded.
    pub write: EventRate,
    /// Its writes as they were recorded.
    pub trace: Option<RecordedWrites>,
    /// Reads of the whole class, another Poisson process in guest time. They matter only where pages are missing.
    pub read: EventRate,
    /// Which page an access hits.
    pub pattern: Pattern,
    /// Pages at its beginning that the guest touches, one after the other, whenever it is started with pages missing.
    pub wake: PageCount,
    /// Share of pages that hold only zeros until they are written.
    pub zero: Ratio,
    /// Bytes of its page that one write changes.
    pub delta: Bytes,
    /// Compressed size / size of its pages; 1: they do not shrink.
    pub compressed: Ratio,
    /// Where its pages are.
    pub layout: Layout,
}

/// The writes of a real program. Within an interval each page is written once; the writes are evenly spread, in an order drawn anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordedWrites {
    /// The name of the trace.
    pub name: String,
    /// Which pages are written in which interval.
    pub trace: Arc<PageTrace>,
    /// How long an interval is, in guest time.
    pub interval: Span,
    /// The interval that begins at guest time 0, and to which the guest comes back after the last one.
    pub from: usize,
}

impl RecordedWrites {
    /// For each page, whether it was written before guest time 0.
    pub fn written_before(&self) -> Vec<bool> {
        let mut written = vec![false; usize::try_from(self.trace.pages()).expect("pages fit in memory")];
        for interval in 0..self.from {
            for &page in self.trace.written(interval) {
                written[page as usize] = true;
            }
        }
        written
    }
}

/// Which page of its class an access hits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Any, with equal probability.
    Uniform,
    /// One after the other, round and round.
    Sequential,
    /// Rank r with probability proportional to r^−exponent, cut into buckets of equal rate.
    Zipf {
        /// The exponent.
        exponent: Ratio,
    },
}

/// Where a class's pages are in guest-physical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One block, in the order of the classes.
    Contiguous,
    /// One block together with the mixed classes beside it, scattered in it by a keyed permutation.
    Mixed,
    /// Scattered over what the others leave, by a keyed permutation.
    Shuffled,
}

/// From a guest time on, all rates are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkloadPhase {
    /// Guest time from which it holds.
    pub from: Span,
    /// Factor on every class's rates; 0 is idle.
    pub factor: Ratio,
}

/// Packets that the guest sends to its client: a Poisson process in guest time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Output {
    /// Packets that the guest's program produces.
    pub rate: EventRate,
    /// Bytes of one packet.
    pub size: Bytes,
    /// Whether the client's acknowledgements hold it back.
    pub flow: OutputFlow,
}

/// Writes to the disk that source and destination share: a Poisson process in guest time, each to a block drawn uniformly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Disk {
    /// Writes.
    pub rate: EventRate,
    /// Bytes of one, and so of a block.
    pub size: Bytes,
    /// Blocks that they go to.
    pub blocks: u64,
}

/// How output is paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputFlow {
    /// As UDP: sent as produced.
    Open,
    /// As TCP: at most `window` packets unacknowledged; the rest waits in the guest; unacknowledged ones are
    /// sent again on a doubling timer in guest time.
    Closed {
        /// Packets that may be unacknowledged.
        window: u64,
        /// First retransmission time-out.
        rto: Span,
    },
}

/// How many network cards a host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nics {
    /// Migration and application traffic share one.
    Shared,
    /// One each.
    Separate,
}

/// Links and protocols between hosts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Network {
    /// Cards per host.
    pub nics: Nics,
    /// Rate of the card that carries the migration, each direction.
    pub rate: ByteRate,
    /// Rate of the card that carries application and management traffic; equal to `rate` when shared.
    pub application_rate: ByteRate,
    /// Changes of `rate` over time, by rising time since the start.
    pub rate_trace: Vec<RateStep>,
    /// Highest rate of one path, as a TCP window gives; `None`: the card's.
    pub path_rate: Option<ByteRate>,
    /// One-way delay of every path.
    pub latency: Span,
    /// Added to the delay: uniform on 0‥=jitter, drawn per message.
    pub jitter: Span,
    /// Probability that a packet is lost.
    pub loss: Ratio,
    /// Probability that a datagram arrives twice.
    pub duplicate: Ratio,
    /// Bytes that the queue of one path holds.
    pub queue: Bytes,
    /// Bytes that one direction of a stream buffers at the sender.
    pub send_buffer: Bytes,
    /// Payload of one packet.
    pub packet: Bytes,
    /// First retransmission time-out of a stream; it doubles.
    pub rto: Span,
    /// Longest retransmission time-out.
    pub rto_max: Span,
    /// Silence after which a stream with unsent data gives up.
    pub give_up: Span,
}

/// From a time on, the migration cards have this rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateStep {
    /// Time since the start of the run.
    pub from: Span,
    /// The rate; 0 stops everything.
    pub rate: ByteRate,
}

/// What a scenario claims and expects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Verdict {
    /// Single faults of these classes, starting in the guarantee window, do no harm.
    pub tolerates: Vec<FaultClass>,
    /// Invariants that tolerated faults may break, with the reason.
    pub waives: Vec<Waiver>,
    /// The invariant that this run must break.
    pub must_violate: Option<Invariant>,
    /// Outcomes that are right for this run; empty: not judged.
    pub outcome: Vec<Outcome>,
    /// What must be there of the VM on the source and on the destination in the end; `None`: not judged.
    pub ends: [Option<End>; 2],
    /// Bounds on metrics.
    pub metrics: Vec<MetricBound>,
}

/// An invariant that need not hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Waiver {
    /// Which.
    pub invariant: Invariant,
    /// Why not.
    pub why: String,
}

/// A column of the record and the values it may take, in the column's integer unit (ns, pages, bytes, count).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MetricBound {
    /// The column.
    pub column: String,
    /// Least good value.
    pub min: Option<u64>,
    /// Greatest good value.
    pub max: Option<u64>,
}
