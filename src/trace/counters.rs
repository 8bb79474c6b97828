//! Values over time: sampled when they change, at most every [`PERIOD`], and at every change from or to zero.

use super::event::{Event, GUEST, MESSAGES, PHASES, Shape, Track, millionths};
use crate::model::network::Nic;
use crate::report::tree::{Json, decimal};
use crate::run::RunResult;
use crate::units::{SimTime, Span};
use crate::vocabulary::Host;
use crate::world::{Fact, World, host_id};

/// Least time between two samples that are not about zero.
const PERIOD: Span = Span::from_ms(10);

/// One value over time, from 0.
#[derive(Debug, Clone, Default)]
struct Series {
    samples: Vec<(SimTime, u64)>,
    /// The newest value, kept or not.
    newest: u64,
}

impl Series {
    fn see(&mut self, at: SimTime, value: u64) {
        self.newest = value;
        let (last_at, last) = self.samples.last().copied().unwrap_or_default();
        let crossed = (value == 0) != (last == 0);
        if value == last || !(crossed || at.saturating_since(last_at) >= PERIOD) {
            return;
        }
        if last_at == at {
            // Of one instant only the last value can be seen.
            self.samples.pop();
        }
        self.samples.push((at, value));
    }

    /// All samples, with the value at the start and at the end.
    fn until(&self, end: SimTime) -> Vec<(SimTime, u64)> {
        let mut samples = self.samples.clone();
        if samples.first().is_none_or(|first| first.0 > SimTime::ZERO) {
            samples.insert(0, (SimTime::ZERO, 0));
        }
        if samples.last().is_some_and(|last| last.1 != self.newest) {
            samples.push((end, self.newest));
        }
        samples
    }
}

/// All counters of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    forward: Series,
    back: Series,
    queue: Series,
    due: Series,
}

impl Counters {
    pub(super) fn sample(&mut self, at: SimTime, world: &World) {
        let network = world.network();
        let (source, destination) = (host_id(Host::Source), host_id(Host::Destination));
        let there = network.path(source, destination, Nic::Migration);
        let back = network.path(destination, source, Nic::Migration);
        self.forward.see(at, network.path_rate(there).get());
        self.back.see(at, network.path_rate(back).get());
        self.queue.see(at, network.queued(there).get());
        let progress = world.progress();
        let due = progress.due().get();
        self.due.see(at, due - progress.share().of(due));
    }

    pub(super) fn events(&self, result: &RunResult) -> Vec<Event> {
        let end = result.finished.at;
        let whole: fn(u64) -> Json = Json::whole;
        let mut events = Vec::new();
        for (series, track, name, unit, print) in [
            (&self.forward, MESSAGES, "rate source → destination", "MB/s", millionths as fn(u64) -> Json),
            (&self.back, MESSAGES, "rate destination → source", "MB/s", millionths),
            (&self.queue, MESSAGES, "queue source → destination", "bytes", whole),
            (&self.due, PHASES, "pages still due", "pages", whole),
        ] {
            let samples = series.until(end).into_iter();
            events.extend(samples.map(|(at, value)| counter(at, track, name, unit, print(value))));
        }
        events.extend(throttle(result));
        events
    }
}

fn counter(at: SimTime, track: Track, name: &str, unit: &'static str, value: Json) -> Event {
    Event { at, shape: Shape::Counter, track, category: "counter", name: name.into(), args: vec![(unit, value)] }
}

fn throttle(result: &RunResult) -> impl Iterator<Item = Event> {
    let changes = result.log.entries().iter().filter_map(|entry| match entry.fact {
        Fact::Throttled(throttle) => Some((entry.at, throttle.of(10_000))),
        _ => None,
    });
    let start = std::iter::once((SimTime::ZERO, 0));
    start.chain(changes).map(|(at, n)| counter(at, GUEST, "throttle", "%", Json::Number(decimal(n, 2))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_never_missed_and_the_rest_is_thinned() {
        let mut series = Series::default();
        let ms = |n| SimTime::ZERO + Span::from_ms(n);
        for (at, value) in [(0, 0), (1, 5), (2, 6), (3, 7), (4, 0), (4, 3), (15, 4), (16, 9)] {
            series.see(ms(at), value);
        }
        let expected = [(0, 0), (1, 5), (4, 3), (15, 4), (20, 9)].map(|(at, value)| (ms(at), value));
        assert_eq!(series.until(ms(20)), expected);
    }
}
