//! A scenario as it is meant: complete, typed, plain data. What was *typed* is [`schema`]; the way from one to the
//! other is [`load()`], and back is [`print_json`].
//!
//! The types here read no file and cannot fail; the submodules are the fallible border. Everything the simulator
//! needs is here; a run is a function of this, a seed and a replication.

pub mod error;
pub mod library;
mod load;
mod parse;
pub mod path;
pub mod policy;
mod print;
pub mod reference;
mod resolve;
pub mod schema;
mod set;
pub mod source;
mod spelling;
#[cfg(test)]
mod tests;

use crate::units::{ByteRate, Bytes, EventRate, PageCount, Ratio, Span};
use crate::vocabulary::{FaultClass, Host, Invariant, Outcome, Phase};

pub use error::{Diagnostic, ScenarioError};
pub use library::{ModelEntry, list_models};
pub use load::{LoadOptions, load, load_text};
pub use policy::Policy;
pub use print::{print, print_json};
pub use reference::{json_schema, model_schema, reference_markdown};
pub use resolve::{Column, ColumnUnit};

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
    /// Rates of the hosts' clocks, in parts per million against true time; absent hosts keep true time.
    pub clock_drift_ppm: Vec<(Host, i32)>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What must come out of it.
    pub verdict: Verdict,
    /// Latest end of the run.
    pub horizon: Span,
    /// Seed when the command line gives none.
    pub seed: u64,
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
    /// What its processes do to memory.
    pub workload: Workload,
    /// What it sends, if anything.
    pub output: Option<Output>,
}

/// What a guest does to its memory, in guest time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Workload {
    /// Disjoint classes that together cover the memory.
    pub classes: Vec<PageClass>,
    /// Changes of all write rates, by rising guest time. Before the first the factor is 1.
    pub phases: Vec<WorkloadPhase>,
}

/// Pages that behave alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageClass {
    /// Its name in reports.
    pub name: String,
    /// How many pages it has.
    pub pages: PageCount,
    /// Writes of the whole class, a Poisson process in guest time.
    pub write: EventRate,
    /// Which page a write hits.
    pub pattern: Pattern,
    /// Share of pages that hold only zeros until they are written.
    pub zero: Ratio,
    /// Where its pages are.
    pub layout: Layout,
}

/// Which page of its class a write hits.
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
    /// Scattered over what the contiguous classes leave, by a keyed permutation.
    Shuffled,
}

/// From a guest time on, all write rates are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkloadPhase {
    /// Guest time from which it holds.
    pub from: Span,
    /// Factor on every class's write rate; 0 is idle.
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

/// Which dirty log the hypervisor keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirtyLog {
    /// A write at any time since the last sync counts (TCG, older KVM).
    Snapshot,
    /// Only writes after the page was sent count (KVM manual protect, Xen's skip rule).
    ClearOnSend,
}

/// Whether a VMM hears commands while its VM stands for the last copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MonitorInStop {
    /// At once, as at any other time.
    Answers,
    /// Only when the last copy has been written or given up: the migration thread holds the lock that the monitor needs.
    Blocked,
}

/// Costs and constants of a hypervisor on a kind of host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Platform {
    /// Bytes of one guest page.
    pub page_size: Bytes,
    /// Bytes that each page sent adds to its contents.
    pub page_header: Bytes,
    /// Bytes on the wire of a page that holds only zeros.
    pub zero_page: Bytes,
    /// CPU, devices and markers: bytes sent once, after the last page.
    pub device_state: Bytes,
    /// Bytes of a protocol message without payload.
    pub message: Bytes,
    /// Pages read and sent at a time, not counting those of zeros among them.
    pub chunk: PageCount,
    /// The dirty log.
    pub dirty_log: DirtyLog,
    /// Command accepted → first page read.
    pub setup: Span,
    /// One sync of the dirty log, per GiB of guest memory.
    pub sync_per_gib: Span,
    /// Reading, testing and copying one page at the sender.
    pub read_page: Span,
    /// Writing one page at the receiver.
    pub place_page: Span,
    /// What a page with contents costs more where the receiver has never held it: page faults.
    pub first_touch: Span,
    /// The same for a page that holds only zeros, first or not.
    pub place_zero: Span,
    /// Stopping the vCPUs and saving CPU and device state.
    pub stop: Span,
    /// Loading CPU and device state at the receiver.
    pub load: Span,
    /// Starting the vCPUs.
    pub resume: Span,
    /// Length of the window in which `max_bandwidth` is a budget, and the least over which bandwidth is measured.
    pub window: Span,
    /// How long the sender sends on between two looks at what is left.
    pub iteration: Span,
    /// Whether commands are heard in the stop phase.
    pub monitor_in_stop: MonitorInStop,
}

impl Platform {
    /// Pages of zeros that a chunk takes along beside those that it counts: a quarter of its bytes, as QEMU gathers 32 KiB of headers
    /// for 128 KiB of pages.
    pub fn zero_pages_per_chunk(&self) -> u64 {
        let bytes = self.chunk.get().saturating_mul(self.page_size.get()) / 4;
        bytes / self.zero_page.get()
    }
}

/// Who asks for the migration, and what it does then.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operator {
    /// When it sends `migrate`.
    pub migrate_at: Span,
    /// When it sends `cancel`, counted from `migrate`, unless it has heard the end.
    pub cancel_after: Option<Span>,
}

/// One fault and when it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fault {
    /// What breaks.
    pub what: FaultKind,
    /// When.
    pub when: Trigger,
    /// How long a cut or silence lasts; `None`: for good.
    pub lasts: Option<Span>,
}

/// What can break.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The host falls silent; nobody is told.
    Crash(Host),
    /// The VMM process and its agent die; the kernel closes their connections and still answers pings.
    CrashVmm(Host),
    /// No packet passes between two hosts on any card.
    Cut {
        /// One end.
        from: Host,
        /// The other.
        to: Host,
        /// Which way.
        direction: Direction,
    },
    /// Both ends of every stream between source and destination are told that it is reset.
    Reset,
    /// Packets of the streams between source and destination vanish without a sign; datagrams pass.
    Silence,
}

/// Which way a cut works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both.
    Both,
    /// From the first host to the second only.
    OneWay,
}

/// When a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// At a time since the start of the run.
    At(Span),
    /// In a phase.
    Phase {
        /// The phase.
        name: Phase,
        /// For `copy`: the round, from 1; `None`: any.
        round: Option<u64>,
        /// Share of the phase's due pages that must have arrived: strikes when it is first reached.
        progress: Ratio,
        /// Delay after that.
        after: Span,
    },
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
