//! Which page a class writes or reads next, and when, in guest time.
//!
//! Writes of a class are a Poisson process, reads another; the rate is its own times the phase's factor. The process is drawn as one
//! sequence of (gap, page) and consumed in order however the run is stepped: a workload does not depend on how a
//! policy chops time. A gap is an exponential of mean 1 that is used up at the current rate, so that a change of
//! phase stretches what is left of it. Where writes were recorded they come from the recording instead ([`super::replay`]).

use std::sync::Arc;

use crate::rng::{EXP_BITS, Purpose, RunSeed, Stream, zipf_weight};
use crate::scenario::{Pattern, Workload};
use crate::units::{Bytes, EventRate, Ratio, Span};

use super::layout::Placement;
use super::replay::{Position, Replay};

/// What all executions of a guest share: where its pages are and how each class behaves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WriteModel {
    placement: Placement,
    classes: Vec<ClassModel>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ClassModel {
    pages: u64,
    /// Pages at the end of the class that hold zeros until written.
    zero_from: u64,
    pattern: PatternModel,
    /// Its writes, if they were recorded.
    replay: Option<Replay>,
    writes: Gaps,
    reads: Gaps,
    /// Pages at its beginning that are touched at a start with pages missing.
    wake: u64,
    /// Bytes that a write changes.
    delta: Bytes,
    /// Compressed size / size of its pages.
    compressed: Ratio,
}

/// Guest time from which each mean gap holds, rising, the first at 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Gaps(Vec<(Span, MeanGap)>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum PatternModel {
    Uniform,
    Sequential,
    /// First index and cumulative weight of each bucket.
    Zipf(Vec<(u64, u64)>),
}

/// Mean time between writes [2⁻¹⁶ ns]; `None`: no writes.
type MeanGap = Option<u64>;

const GAP_BITS: u32 = 16;

/// How far one execution has come in one class's sequence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    stream: Stream,
    /// Guest time of the next write; `None`: never again.
    next: Option<Span>,
    sweep: u64,
    /// Where in the recording, if writes come from one.
    position: Option<Position>,
}

impl WriteModel {
    /// The model of `workload` for the VM numbered `vm`.
    pub fn new(workload: &Workload, vm: u32, seed: RunSeed) -> Arc<Self> {
        let classes = workload.classes.iter().map(|class| ClassModel {
            pages: class.pages.get(),
            zero_from: class.pages.get() - class.zero.of(class.pages.get()),
            pattern: PatternModel::new(&class.pattern, class.pages.get()),
            replay: class.trace.as_ref().map(|recorded| Replay::new(recorded, &workload.phases)),
            writes: Gaps::new(class.write, workload),
            reads: Gaps::new(class.read, workload),
            wake: class.wake.get(),
            delta: class.delta,
            compressed: class.compressed,
        });
        Arc::new(Self { classes: classes.collect(), placement: Placement::new(&workload.classes, vm, seed) })
    }

    /// Cursors at guest time 0.
    pub fn start(&self, vm: u32, seed: RunSeed) -> Vec<Cursor> {
        let cursor = |(i, class): (usize, &ClassModel)| {
            let entity = vm << 16 | u32::try_from(i).expect("few classes");
            let mut stream = seed.stream(Purpose::Writes, entity);
            let (position, next) = match &class.replay {
                Some(replay) => {
                    let (position, next) = replay.start(&mut stream);
                    (Some(position), next)
                }
                None => (None, class.writes.after(Span::ZERO, &mut stream)),
            };
            Cursor { stream, next, sweep: 0, position }
        };
        self.classes.iter().enumerate().map(cursor).collect()
    }

    /// Hands every write up to and including guest time `until` to `write`, class by class. (Classes do not share
    /// pages, so their order among each other changes nothing.)
    pub fn advance(&self, cursors: &mut [Cursor], until: Span, mut write: impl FnMut(u64)) {
        for (number, (class, cursor)) in self.classes.iter().zip(cursors).enumerate() {
            while let Some(at) = cursor.next.filter(|&at| at <= until) {
                write(self.placement.page(number, class.pass(at, Access::Write, cursor)));
            }
        }
    }

    /// Cursors of the reads from guest time `from` on. (A Poisson process has no memory: drawing begins where it matters.)
    pub fn start_reads(&self, from: Span, vm: u32, seed: RunSeed) -> Vec<Cursor> {
        let cursor = |(i, class): (usize, &ClassModel)| {
            let entity = vm << 16 | u32::try_from(i).expect("few classes");
            let mut stream = seed.stream(Purpose::Reads, entity);
            let next = class.reads.after(from, &mut stream);
            Cursor { stream, next, sweep: 0, position: None }
        };
        self.classes.iter().enumerate().map(cursor).collect()
    }

    /// The next access of one cursor of class `class`, which it passes: its guest time and page.
    pub fn pass(&self, class: usize, kind: Access, cursor: &mut Cursor) -> Option<(Span, u64)> {
        let at = cursor.next?;
        Some((at, self.placement.page(class, self.classes[class].pass(at, kind, cursor))))
    }

    /// The n-th page that is touched at a start with pages missing.
    pub fn wake_page(&self, n: u64) -> Option<u64> {
        let mut n = n;
        for (number, class) in self.classes.iter().enumerate() {
            if n < class.wake {
                return Some(self.placement.page(number, n));
            }
            n -= class.wake;
        }
        None
    }

    /// Whether `page` holds only zeros as long as it has not been written.
    pub fn starts_as_zero(&self, page: u64) -> bool {
        let (class, index) = self.placement.class_of(page);
        let class = &self.classes[class];
        class.replay.as_ref().map_or(index >= class.zero_from, |replay| replay.starts_as_zero(index))
    }

    /// What compression leaves of `page`.
    pub fn compressed(&self, page: u64) -> Ratio {
        self.classes[self.placement.class_of(page).0].compressed
    }

    /// Bytes that a write to `page` changes.
    pub fn delta(&self, page: u64) -> Bytes {
        self.classes[self.placement.class_of(page).0].delta
    }
}

/// What an access does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Writes.
    Write,
    /// Reads.
    Read,
}

impl Cursor {
    /// Guest time of its next access; `None`: never again.
    pub fn next(&self) -> Option<Span> {
        self.next
    }
    /// Words drawn so far.
    pub fn draws(&self) -> u64 {
        self.stream.draws()
    }
}

impl ClassModel {
    /// The page of the access due at `at`, which the cursor passes.
    fn pass(&self, at: Span, kind: Access, cursor: &mut Cursor) -> u64 {
        if let (Some(replay), Some(position)) = (&self.replay, &mut cursor.position) {
            let (index, next) = replay.pass(position, &mut cursor.stream);
            cursor.next = next;
            return index;
        }
        let index = self.draw(cursor);
        let gaps = match kind {
            Access::Write => &self.writes,
            Access::Read => &self.reads,
        };
        cursor.next = gaps.after(at, &mut cursor.stream);
        index
    }

    fn draw(&self, cursor: &mut Cursor) -> u64 {
        match &self.pattern {
            PatternModel::Uniform => cursor.stream.below(self.pages),
            PatternModel::Sequential => {
                let index = cursor.sweep;
                cursor.sweep = if index + 1 == self.pages { 0 } else { index + 1 };
                index
            }
            PatternModel::Zipf(buckets) => {
                let (_, total) = *buckets.last().expect("a class has a bucket");
                let point = cursor.stream.below(total);
                let bucket = buckets.partition_point(|&(_, cumulative)| cumulative <= point);
                let end = buckets.get(bucket + 1).map_or(self.pages, |b| b.0);
                buckets[bucket].0 + cursor.stream.below(end - buckets[bucket].0)
            }
        }
    }
}

impl Gaps {
    fn new(rate: EventRate, workload: &Workload) -> Self {
        let phases = workload.phases.iter().map(|p| (p.from, mean_gap(rate, p.factor)));
        let mut gaps = vec![(Span::ZERO, mean_gap(rate, Ratio::ONE))];
        gaps.extend(phases);
        if gaps.len() > 1 && gaps[1].0 == Span::ZERO {
            gaps.remove(0);
        }
        Self(gaps)
    }

    /// Guest time of the access after one at `at`.
    fn after(&self, at: Span, stream: &mut Stream) -> Option<Span> {
        let mut left = stream.exponential();
        let mut at = at;
        let mut phase = self.0.partition_point(|&(from, _)| from <= at).saturating_sub(1);
        loop {
            let end = self.0.get(phase + 1).map(|&(from, _)| from);
            if let Some(mean) = self.0[phase].1 {
                let due = at.ns().saturating_add(used_in_full(left, mean));
                if end.is_none_or(|end| due < end.ns()) {
                    return Some(Span::from_ns(due));
                }
                let lasted = end.expect("the phase ends before the access is due") - at;
                left = left.saturating_sub(used_by(lasted, mean));
            }
            at = end?;
            phase += 1;
        }
    }
}

/// Time that `left` (of an exponential of mean 1) takes at this mean gap [ns], rounded to nearest: for a mean of m ns
/// the mean of the rounded gap is m (1 − 1/(24 m²) + …).
#[inline]
fn used_in_full(left: u64, mean: u64) -> u64 {
    let scaled = u128::from(left) * u128::from(mean);
    let half = 1 << (EXP_BITS + GAP_BITS - 1);
    u64::try_from((scaled + half) >> (EXP_BITS + GAP_BITS)).unwrap_or(u64::MAX)
}

/// What a time uses up of an exponential of mean 1 at this mean gap.
fn used_by(time: Span, mean: u64) -> u64 {
    let used = (u128::from(time.ns()) << (EXP_BITS + GAP_BITS)) / u128::from(mean);
    u64::try_from(used).unwrap_or(u64::MAX)
}

fn mean_gap(rate: EventRate, factor: Ratio) -> MeanGap {
    let rate = u128::from(rate.micro()) * u128::from(factor.num());
    if rate == 0 {
        return None;
    }
    let numerator = (1_000_000_000_000_000u128 << GAP_BITS) * u128::from(factor.den());
    Some(u64::try_from(numerator / rate).unwrap_or(u64::MAX).max(1))
}

impl PatternModel {
    fn new(pattern: &Pattern, pages: u64) -> Self {
        match pattern {
            Pattern::Uniform => Self::Uniform,
            Pattern::Sequential => Self::Sequential,
            Pattern::Zipf { exponent } => Self::Zipf(zipf_buckets(*exponent, pages)),
        }
    }
}

/// Cuts ranks 1‥=pages into buckets, each a quarter wider than what lies before it; within one, all pages are
/// written at the same rate. The rate of a rank is off by at most the factor (5/4)^exponent within its bucket.
fn zipf_buckets(exponent: Ratio, pages: u64) -> Vec<(u64, u64)> {
    let mut buckets = Vec::new();
    let (mut rank, mut cumulative) = (1, 0);
    while rank <= pages {
        let end = (rank + (rank / 4).max(1)).min(pages + 1);
        cumulative += zipf_weight(exponent, rank, end).max(1);
        buckets.push((rank - 1, cumulative));
        rank = end;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Layout, PageClass, RecordedWrites, WorkloadPhase};
    use crate::units::PageCount;
    use proptest::prelude::*;

    const SEED: RunSeed = RunSeed { seed: 1, replication: 0 };

    fn workload(pattern: Pattern, pages: u64, phases: Vec<WorkloadPhase>) -> Workload {
        let class = PageClass {
            name: "c".into(),
            pages: PageCount::new(pages),
            write: EventRate::per_s(1000),
            trace: None,
            read: EventRate::ZERO,
            wake: PageCount::ZERO,
            pattern,
            zero: Ratio::ZERO,
            delta: Bytes::new(4096),
            compressed: Ratio::ONE,
            layout: Layout::Contiguous,
        };
        Workload { classes: vec![class], phases, pace: None }
    }

    fn writes(workload: &Workload, steps: &[u64]) -> Vec<u64> {
        let model = WriteModel::new(workload, 0, SEED);
        let mut cursors = model.start(0, SEED);
        let mut pages = Vec::new();
        for &ms in steps {
            model.advance(&mut cursors, Span::from_ms(ms), |page| pages.push(page));
        }
        pages
    }

    #[test]
    fn the_sequence_is_golden() {
        let pages = writes(&workload(Pattern::Uniform, 1_000_000, vec![]), &[6]);
        assert_eq!(pages, [334_900, 591_688, 269_634, 613_896, 292_011, 873_409, 899_535]);
    }

    #[test]
    fn zipf_buckets_carry_the_right_weight() {
        // 300 000 writes over 1000 pages, exponent 1: rank 1 has 1/H(1000) = 13.36 % of the rate. Fixed seed;
        // 5 σ = 0.31 points.
        let pages = writes(&workload(Pattern::Zipf { exponent: Ratio::ONE }, 1000, vec![]), &[300_000]);
        let first = pages.iter().filter(|&&p| p == 0).count() * 10_000 / pages.len();
        assert!(first.abs_diff(1336) < 31, "{first}");
        let hundred = pages.iter().filter(|&&p| p < 100).count() * 10_000 / pages.len();
        assert!(hundred.abs_diff(6930) < 60, "ranks 1 to 100 have H(100)/H(1000) = 69.3 %: {hundred}");
    }

    #[test]
    fn phases_change_the_rate() {
        let phase = |s, factor| WorkloadPhase { from: Span::from_s(s), factor };
        let phases = vec![phase(10, Ratio::ZERO), phase(20, Ratio::new(2, 1))];
        let load = workload(Pattern::Uniform, 100, phases);
        let count = |ms| writes(&load, &[ms]).len();
        let (first, idle, twice) = (count(10_000), count(20_000), count(30_000));
        // Poisson counts, 5 σ.
        assert!(first.abs_diff(10_000) < 500, "{first}");
        assert_eq!(first, idle, "no write while the factor is 0");
        assert!((twice - idle).abs_diff(20_000) < 710, "{}", twice - idle);
    }

    proptest! {
        #[test]
        fn stepping_changes_nothing(mut steps in prop::collection::vec(0u64..3000, 1..20)) {
            steps.sort_unstable();
            let last = *steps.last().expect("not empty");
            let phases = vec![WorkloadPhase { from: Span::from_ms(700), factor: Ratio::new(1, 7) }];
            for pattern in [Pattern::Uniform, Pattern::Sequential, Pattern::Zipf { exponent: Ratio::new(99, 100) }] {
                let load = workload(pattern, 500, phases.clone());
                prop_assert_eq!(writes(&load, &steps), writes(&load, &[last]));
            }
            let mut recorded = workload(Pattern::Uniform, 9, phases);
            let trace = Arc::new(crate::scenario::PageTrace::parse("0x5 3\n\n2x4").expect("a trace"));
            let name = String::new();
            recorded.classes[0].trace = Some(RecordedWrites { name, trace, interval: Span::from_ms(100), from: 0 });
            prop_assert_eq!(writes(&recorded, &steps), writes(&recorded, &[last]));
        }
    }
}
