//! The columns of the record: one definition for JSON, CSV, documentation and bounds.

use std::fmt::Write as _;

use crate::scenario;
use crate::units::{Bytes, PageCount, Span};

/// What a column's numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Words.
    Text,
    /// Integer nanoseconds inside, seconds outside.
    Time,
    /// Pages.
    Pages,
    /// Bytes.
    Bytes,
    /// Millionths inside, a decimal fraction outside.
    Ratio,
    /// A number of things.
    Count,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name, with the unit.
    pub name: &'static str,
    /// What its numbers mean.
    pub unit: Unit,
    /// Its definition.
    pub doc: &'static str,
}

/// One value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Words.
    Text(String),
    /// A time.
    Time(Span),
    /// A number of pages.
    Pages(PageCount),
    /// A number of bytes.
    Bytes(Bytes),
    /// A fraction, in millionths.
    Ratio(u64),
    /// A number of things.
    Count(u64),
}

trait Cell: Clone {
    const UNIT: Unit;
    fn value(self) -> Option<Value>;
}

macro_rules! cells {
    ($($type:ty, $unit:ident, $wrap:expr;)+) => {
        $(impl Cell for $type {
            const UNIT: Unit = Unit::$unit;
            fn value(self) -> Option<Value> {
                let wrap: fn($type) -> Option<Value> = $wrap;
                wrap(self)
            }
        })+
    };
}

/// A fraction in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millionths(pub u64);

cells! {
    String, Text, |text| (!text.is_empty()).then_some(Value::Text(text));
    Option<Span>, Time, |span| span.map(Value::Time);
    Option<PageCount>, Pages, |pages| pages.map(Value::Pages);
    Option<Bytes>, Bytes, |bytes| bytes.map(Value::Bytes);
    Option<Millionths>, Ratio, |ratio| ratio.map(|r| Value::Ratio(r.0));
    Option<u64>, Count, |count| count.map(Value::Count);
}

macro_rules! record {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty,)+) => {
        /// One run of one VM: a flat row. See [`COLUMNS`] for the definitions.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Record {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        /// All columns, in order.
        pub const COLUMNS: &[Column] = &[
            $(Column { name: stringify!($name), unit: <$type as Cell>::UNIT, doc: concat!($($doc),+) },)+
        ];

        impl Record {
            /// All values in the order of [`COLUMNS`]; absent ones are `None`.
            pub fn values(&self) -> Vec<Option<Value>> {
                vec![$(self.$name.clone().value(),)+]
            }
        }
    };
}

record! {
    /// Name of the scenario.
    scenario: String,
    /// How memory moves, handover and detector in short.
    policy: String,
    /// How memory was modelled.
    fidelity: String,
    /// Name of the VM.
    vm: String,
    /// Seed of the run.
    seed: Option<u64>,
    /// Which repetition of the seed.
    replication: Option<u64>,
    /// What became of the VM, by the oracle: the first of `split_brain`, `lost`, `stalled`, `recovered`,
    /// `resumed`, `rolled_back`, `completed`, `unfinished` that holds at the end.
    outcome: String,
    /// The first fault that fired.
    fault: String,
    /// Whether the first planned fault fired.
    fault_fired: String,
    /// The phase in which the first fault fired.
    fault_phase: String,
    /// When the first fault fired, from the start of the run.
    fault_time_s: Option<Span>,
    /// Faults in the scenario.
    faults_planned: Option<u64>,
    /// Faults that fired.
    faults_fired: Option<u64>,
    /// Migrate command accepted → R, when the source gives up for good its right to resume. Absent unless the migration
    /// completed.
    total_migration_time_s: Option<Span>,
    /// Time within the migration in which no copy executes, without the outage of a failure.
    downtime_s: Option<Span>,
    /// The part of the downtime that the switchover caused.
    switchover_downtime_s: Option<Span>,
    /// The part of the downtime that checkpoints caused.
    checkpoint_pause_s: Option<Span>,
    /// Fault → the node that acts (that resumes the VM or gives the migration up; else the first) suspects its peer.
    detection_time_s: Option<Span>,
    /// Suspicion → that node is entitled to resume. Absent without fencing.
    fencing_time_s: Option<Span>,
    /// That node is entitled → a copy executes there.
    failover_time_s: Option<Span>,
    /// Fault → a copy executes again, if none did meanwhile and a node had suspected its peer by then; else the time
    /// belongs to the downtime.
    outage_s: Option<Span>,
    /// Longest gap between deliveries at the client from migrate to the end of the run.
    client_gap_s: Option<Span>,
    /// The same before migrate: the baseline.
    client_gap_before_s: Option<Span>,
    /// Guest time rolled back when a copy resumed from an older state.
    lost_work_s: Option<Span>,
    /// Time in which checkpoint data was on its way to the store.
    replication_time_s: Option<Span>,
    /// Rounds in which pages were sent while the VM ran at the source.
    precopy_rounds: Option<u64>,
    /// Why the rounds were left: `converged`, `rounds-cap`, `bytes-cap`, `time-cap` or `post-copy`.
    rounds_end: String,
    /// Checkpoints complete in the store.
    checkpoints_committed: Option<u64>,
    /// Pages read for sending, source to destination, repeats included.
    pages_forward: Option<PageCount>,
    /// Those of them that went whole, neither as zeros nor as a difference (QEMU's `normal`).
    pages_whole: Option<PageCount>,
    /// Pages sent back, destination to source.
    pages_reverse: Option<PageCount>,
    /// Bytes of those pages on the wire, source to destination.
    bytes_forward: Option<Bytes>,
    /// Bytes of those pages on the wire, destination to source.
    bytes_reverse: Option<Bytes>,
    /// Bytes of the newest complete file that the VM was saved to: pages, as often as they were written, CPU and devices. Absent
    /// where the store is no file.
    file_bytes: Option<Bytes>,
    /// Share of the pages sent after the first pass of which the cache of `xbzrle` knew what had been sent last. Absent
    /// without `xbzrle`.
    xbzrle_hit_rate: Option<Millionths>,
    /// Guest accesses to pages that had not arrived: each time a vCPU had to wait for one. Absent where no copy ran with pages
    /// missing.
    network_faults: Option<u64>,
    /// Mean time from such an access until its vCPU went on, over those that did.
    fault_latency_mean_s: Option<Span>,
    /// 99th percentile of it (nearest rank).
    fault_latency_p99_s: Option<Span>,
    /// 1 − guest time / wall time over the migration; of a VM that stays and is protected, until the run ends.
    guest_slowdown: Option<Millionths>,
    /// Mean time from a packet's emission by the guest to its release.
    output_delay_mean_s: Option<Span>,
    /// 99th percentile of it (nearest rank).
    output_delay_p99_s: Option<Span>,
    /// Packets that left a host for good.
    outputs_released: Option<u64>,
    /// Packets that were emitted and never left their host.
    outputs_discarded: Option<u64>,
    /// Disk writes of the guest that reached the disk, repeats by a restore not counted. Absent without a disk.
    disk_writes_released: Option<u64>,
    /// Disk writes that were held by a copy when it was lost, and that no restore did.
    disk_writes_discarded: Option<u64>,
    /// Strongest CPU throttling.
    max_cpu_throttle: Option<Millionths>,
    /// Time in which every vCPU waited for a page.
    all_blocked_s: Option<Span>,
    /// Time that a copy executed, with a vCPU that did not wait, after the pages missing there were lost with the source.
    doomed_s: Option<Span>,
    /// R → C: the time in which the source has given up and the destination does not know.
    ending_window_s: Option<Span>,
    /// From when the protection's claims hold.
    protected_from_s: Option<Span>,
    /// What the surviving nodes say against what is true: `agrees`, `claims-success`, `claims-failure`,
    /// `nodes-disagree`.
    belief: String,
    /// What is there of the VM on the source in the end: `gone`, `stands`, `runs`.
    source_end: String,
    /// The same on the destination.
    destination_end: String,
    /// Invariants that were broken, in order of appearance.
    violations: String,
    /// Invariants that were checked; the others are not known to hold.
    invariants_checked: String,
    /// Probability of the condition under which faults were drawn from their laws (`within`), as a decimal. Absent without one.
    weight: String,
    /// When the run ended: one second after nothing but the guest's own life was left, or at the horizon.
    end_s: Option<Span>,
    /// Events applied.
    events: Option<u64>,
    /// Hashes of the run by ingredient: time, events, pages, bytes, random draws, outcome.
    fingerprint: String,
}

impl Record {
    fn value(&self, column: &str) -> Option<Value> {
        let index = COLUMNS.iter().position(|c| c.name == column)?;
        self.values().swap_remove(index)
    }

    /// The integer inside a column, if it has one and it is not absent.
    pub fn integer(&self, column: &str) -> Option<u64> {
        match self.value(column)? {
            Value::Text(_) => None,
            Value::Time(span) => Some(span.ns()),
            Value::Pages(pages) => Some(pages.get()),
            Value::Bytes(bytes) => Some(bytes.get()),
            Value::Ratio(n) | Value::Count(n) => Some(n),
        }
    }

    /// A column as it is printed; empty if absent.
    pub fn text(&self, column: &str) -> String {
        self.value(column).map_or(String::new(), |value| value.to_string())
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Time(span) => f.write_str(&span.seconds()),
            Self::Pages(pages) => write!(f, "{}", pages.get()),
            Self::Bytes(bytes) => write!(f, "{}", bytes.get()),
            // A fraction has as many millionths as a second has microseconds.
            Self::Ratio(millionths) => f.write_str(&Span::from_us(*millionths).seconds()),
            Self::Count(n) => write!(f, "{n}"),
        }
    }
}

impl Unit {
    /// For readers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Time => "s",
            Self::Pages => "pages",
            Self::Bytes => "B",
            Self::Ratio => "1",
            Self::Count => "count",
        }
    }
}

impl Value {
    /// So many of a unit, as columns count inside.
    pub fn new(unit: scenario::ColumnUnit, n: u64) -> Self {
        match unit {
            scenario::ColumnUnit::Time => Self::Time(Span::from_ns(n)),
            scenario::ColumnUnit::Pages => Self::Pages(PageCount::new(n)),
            scenario::ColumnUnit::Bytes => Self::Bytes(Bytes::new(n)),
            scenario::ColumnUnit::Ratio => Self::Ratio(n),
            scenario::ColumnUnit::Count => Self::Count(n),
        }
    }
}

impl From<scenario::ColumnUnit> for Unit {
    fn from(unit: scenario::ColumnUnit) -> Self {
        match unit {
            scenario::ColumnUnit::Time => Self::Time,
            scenario::ColumnUnit::Pages => Self::Pages,
            scenario::ColumnUnit::Bytes => Self::Bytes,
            scenario::ColumnUnit::Ratio => Self::Ratio,
            scenario::ColumnUnit::Count => Self::Count,
        }
    }
}

impl Column {
    /// This column as `expect.metrics` may bound it; `None` for words.
    pub fn bound(&self) -> Option<scenario::Column> {
        let unit = match self.unit {
            Unit::Text => return None,
            Unit::Time => scenario::ColumnUnit::Time,
            Unit::Pages => scenario::ColumnUnit::Pages,
            Unit::Bytes => scenario::ColumnUnit::Bytes,
            Unit::Ratio => scenario::ColumnUnit::Ratio,
            Unit::Count => scenario::ColumnUnit::Count,
        };
        Some(scenario::Column { name: self.name, unit })
    }
}

/// `docs/metrics.md`.
pub fn reference_markdown() -> String {
    let mut text = String::from(
        "# Metrics\n\n<!-- Generated by `midflight list metrics --format markdown`; do not edit. -->\n\n\
         The columns of the run record, in order: the same names in JSON and CSV. Times are in seconds. Absent is empty, \
         never 0. A column that nothing in this version can fill is always empty.\n\n| column | unit | definition |\n|---|---|---|\n",
    );
    for column in COLUMNS {
        let doc = column.doc.trim();
        writeln!(text, "| `{}` | {} | {doc} |", column.name, column.unit.as_str()).expect("a string takes it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_carry_their_unit() {
        for (i, column) in COLUMNS.iter().enumerate() {
            assert!(COLUMNS[..i].iter().all(|c| c.name != column.name), "{} twice", column.name);
            assert_eq!(column.name.ends_with("_s"), column.unit == Unit::Time, "{}", column.name);
            assert!(column.doc.trim().ends_with('.'), "{}: {}", column.name, column.doc);
        }
    }

    #[test]
    fn absent_is_empty() {
        let record = Record { downtime_s: Some(Span::from_ms(5)), ..Record::default() };
        assert_eq!(record.text("downtime_s"), "0.005");
        assert_eq!(record.integer("downtime_s"), Some(5_000_000));
        assert_eq!((record.text("outage_s"), record.integer("outage_s")), (String::new(), None));
    }
}
