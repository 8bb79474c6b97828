//! A run as a Chrome trace, for Perfetto and speedscope.
//!
//! Written from the log of a finished run, and from counters that are sampled while it goes on: [`Trace`] observes the run, and
//! [`Trace::to_json`] writes the file. What follows one another or nests is a complete event (`X`), what overlaps is a
//! pair (`b`, `e`) with an id, what takes no time an instant (`i`), what has a value a counter (`C`). Time stamps are
//! in µs, printed from integer nanoseconds.
//!
//! It shows no single page or packet, and judges nothing. Format: "Trace Event Format", Google, 2016.

mod counters;
mod event;
mod overlaps;
mod tracks;

use counters::Counters;
use event::{Event, flaw};

use crate::engine::Observer;
use crate::report::tree::Json;
use crate::run::RunResult;
use crate::scenario::Scenario;
use crate::units::SimTime;
use crate::world::{self, Fact, World};

/// What a trace needs beside the run's result.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    counters: Counters,
}

impl Observer for Trace {
    fn fact(&mut self, _: SimTime, _: &Fact, _: &World) {}

    fn event(&mut self, at: SimTime, _: world::Event, world: &World) {
        self.counters.sample(at, world);
    }
}

impl Trace {
    /// The file. `result` is of the run that this observed.
    pub fn to_json(&self, result: &RunResult, scenario: &Scenario) -> String {
        let events = self.events(result, scenario);
        if let Some(flaw) = flaw(&events) {
            panic!("the trace is not well formed: {flaw}");
        }
        let mut all = event::names();
        all.extend(events.iter().map(Event::json));
        let record = &result.record;
        let about = vec![
            ("scenario", Json::text(&scenario.name)),
            ("seed", record.seed.map_or(Json::Null, Json::whole)),
            ("replication", record.replication.map_or(Json::Null, Json::whole)),
            ("policy", Json::text(&record.policy)),
            ("outcome", Json::text(result.outcome.as_str())),
            ("belief", Json::text(result.belief.as_str())),
            ("fingerprint", Json::text(&record.fingerprint)),
            ("version", Json::text(env!("CARGO_PKG_VERSION"))),
        ];
        Json::Object(vec![
            ("traceEvents", Json::List(all)),
            ("displayTimeUnit", Json::text("ms")),
            ("otherData", Json::Object(about)),
        ])
        .print(2)
    }

    /// All events but names, by time; of equal time in the order in which they nest.
    fn events(&self, result: &RunResult, scenario: &Scenario) -> Vec<Event> {
        let mut events = tracks::events(result, scenario);
        events.extend(overlaps::events(result, scenario));
        events.extend(self.counters.events(result));
        events.sort_by_key(|event| event.at);
        events
    }
}

#[cfg(test)]
mod tests;
