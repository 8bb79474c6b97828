//! Recorded writes, lived through again.
//!
//! A recording says which pages were written in an interval, not when and not how often. Here each is written once in it, and the
//! writes are evenly spread: the k-th of n at (k + 1/2) / n of the interval. Their order is drawn anew for each interval, so that a
//! part of an interval sees its share of the pages, wherever they are. Phases of the workload make the recording run faster or slower.

use std::sync::Arc;

use crate::rng::Stream;
use crate::scenario::{PageTrace, RecordedWrites, WorkloadPhase};
use crate::units::{Ratio, Span};

use super::layout::Shuffle;

/// What all executions of a guest share of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Replay {
    trace: Arc<PageTrace>,
    interval: Span,
    from: usize,
    /// Pages written before guest time 0.
    written_before: Vec<bool>,
    phases: Vec<WorkloadPhase>,
}

/// How far one execution has come in a recording.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// Intervals lived through, counted on and on.
    interval: u64,
    /// Writes of this interval that are done.
    done: u64,
    order: Shuffle,
}

impl Replay {
    pub fn new(recorded: &RecordedWrites, phases: &[WorkloadPhase]) -> Self {
        Self {
            trace: Arc::clone(&recorded.trace),
            interval: recorded.interval,
            from: recorded.from,
            written_before: recorded.written_before(),
            phases: phases.to_vec(),
        }
    }

    /// Whether a page of the class has not been written when guest time begins.
    pub fn starts_as_zero(&self, index: u64) -> bool {
        !self.written_before[usize::try_from(index).expect("a page of the class")]
    }

    /// Before the first write, and when that is.
    pub fn start(&self, stream: &mut Stream) -> (Position, Option<Span>) {
        let mut position = Position { interval: 0, done: 0, order: Shuffle::of(1, || 0) };
        self.settle(&mut position, stream);
        let next = self.due(&position);
        (position, next)
    }

    /// The page of the next write, which it passes, and when the one after it is.
    pub fn pass(&self, position: &mut Position, stream: &mut Stream) -> (u64, Option<Span>) {
        let index = position.order.forward(position.done);
        let page = self.written(position.interval)[usize::try_from(index).expect("a write of the interval")];
        position.done += 1;
        if position.done == self.written(position.interval).len() as u64 {
            position.interval += 1;
            self.settle(position, stream);
        }
        (u64::from(page), self.due(position))
    }

    /// Goes on to the next interval with writes, and draws their order.
    fn settle(&self, position: &mut Position, stream: &mut Stream) {
        // Resolving has seen to it that there is one.
        while self.written(position.interval).is_empty() {
            position.interval += 1;
        }
        position.done = 0;
        position.order = Shuffle::of(self.written(position.interval).len() as u64, || stream.bits());
    }

    /// The pages written in an interval; after the last comes that of guest time 0 again.
    fn written(&self, interval: u64) -> &[u32] {
        let round = (self.trace.len() - self.from) as u64;
        self.trace.written(self.from + usize::try_from(interval % round).expect("an interval of the trace"))
    }

    /// When the next write is.
    fn due(&self, position: &Position) -> Option<Span> {
        let (n, interval) = (self.written(position.interval).len() as u128, u128::from(self.interval.ns()));
        let within = interval * (2 * u128::from(position.done) + 1) / (2 * n);
        self.guest_time(u128::from(position.interval) * interval + within)
    }

    /// Guest time at which the recording has run for `recorded` ns: it runs at the factor of the phase.
    fn guest_time(&self, recorded: u128) -> Option<Span> {
        let (mut left, mut at, mut factor) = (recorded, Span::ZERO, Ratio::ONE);
        for phase in &self.phases {
            let runs = u128::from((phase.from - at).ns()) * u128::from(factor.num()) / u128::from(factor.den());
            if left < runs {
                break;
            }
            (left, at, factor) = (left - runs, phase.from, phase.factor);
        }
        let takes = (left * u128::from(factor.den())).checked_div(u128::from(factor.num()))?;
        Some(at.saturating_add(Span::from_ns(u64::try_from(takes).ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RunSeed};
    use crate::units::Span;

    fn replay(text: &str, from: usize, phases: &[WorkloadPhase]) -> Replay {
        let trace = Arc::new(PageTrace::parse(text).expect("a trace"));
        let recorded = RecordedWrites { name: "t".into(), trace, interval: Span::from_ms(100), from };
        Replay::new(&recorded, phases)
    }

    /// Times [ms] and pages of the first writes.
    fn writes(replay: &Replay, count: usize) -> Vec<(u64, u64)> {
        let mut stream = RunSeed { seed: 1, replication: 0 }.stream(Purpose::Writes, 0);
        let (mut position, mut next) = replay.start(&mut stream);
        let mut seen = Vec::new();
        while let Some(at) = next.filter(|_| seen.len() < count) {
            let (page, after) = replay.pass(&mut position, &mut stream);
            seen.push((at.ns() / 1_000_000, page));
            next = after;
        }
        seen
    }

    #[test]
    fn each_page_of_an_interval_is_written_once_evenly_spread_and_the_end_is_followed_by_the_beginning() {
        let replay = replay("0x3\n\n1x4\n3", 0, &[]);
        let mut first = writes(&replay, 9);
        first[..3].sort_unstable_by_key(|write| write.1);
        first[3..7].sort_unstable_by_key(|write| write.1);
        let pages: Vec<u64> = first.iter().map(|write| write.1).collect();
        assert_eq!(pages[..8], [0, 1, 2, 1, 2, 3, 4, 3]);
        let mut times: Vec<u64> = first.iter().map(|write| write.0).collect();
        times.sort_unstable();
        assert_eq!(times, [16, 50, 83, 212, 237, 262, 287, 350, 416]);
    }

    #[test]
    fn what_was_written_before_the_beginning_is_there() {
        let replay = replay("0x2\n3\n1\n4", 2, &[]);
        let zero: Vec<bool> = (0..5).map(|page| replay.starts_as_zero(page)).collect();
        assert_eq!(zero, [false, false, true, false, true]);
        assert_eq!(writes(&replay, 3), [(50, 1), (150, 4), (250, 1)]);
    }

    #[test]
    fn phases_stretch_the_recording_and_stop_it() {
        let phase = |ms, factor| WorkloadPhase { from: Span::from_ms(ms), factor };
        let phases = [phase(100, Ratio::percent(50)), phase(300, Ratio::new(4, 1)), phase(330, Ratio::ZERO)];
        // Recorded 50, 150, 250, 350: the second runs at half the speed from 100 to 300, the third at four times.
        assert_eq!(writes(&replay("0", 0, &phases), 9), [(50, 0), (200, 0), (312, 0)]);
    }
}
