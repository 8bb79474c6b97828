//! Trace events, the tracks they are on, and what makes a trace well formed.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::tree::{Json, decimal};
use crate::units::{SimTime, Span};
use crate::vocabulary::Host;

/// A place in the viewer: a process and one of its threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Track {
    pub process: u64,
    pub thread: u64,
}

/// Processes and their threads, in the order in which they are shown. A counter belongs to a process only.
const PROCESSES: &[(&str, &[&str])] = &[
    ("migration", &["phases", "rounds", "milestones"]),
    ("guest", &["at source", "at destination"]),
    ("source", &["standing", "news"]),
    ("destination", &["standing", "news"]),
    ("management", &["standing", "news"]),
    ("network", &["messages"]),
    ("faults", &["faults"]),
    ("staging", &["standing", "news"]),
];

const fn track(process: u64, thread: u64) -> Track {
    Track { process, thread }
}

pub(super) const PHASES: Track = track(1, 1);
pub(super) const ROUNDS: Track = track(1, 2);
pub(super) const MILESTONES: Track = track(1, 3);
pub(super) const GUEST: Track = track(2, 1);
pub(super) const MESSAGES: Track = track(6, 1);
pub(super) const FAULTS: Track = track(7, 1);

/// Where the guest's execution on `host` is shown.
pub(super) fn guest_at(host: Host) -> Track {
    track(GUEST.process, if host == Host::Source { 1 } else { 2 })
}

/// Where a node's standing is shown.
pub(super) fn standing_of(host: Host) -> Track {
    match host {
        Host::Source => track(3, 1),
        Host::Destination => track(4, 1),
        Host::Management | Host::Client => track(5, 1),
        Host::Staging => track(8, 1),
    }
}

/// Where a node's news are shown.
pub(super) fn news_of(host: Host) -> Track {
    Track { thread: 2, ..standing_of(host) }
}

/// What an event is to a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// It lasts, and nests on its track.
    Complete(Span),
    /// Something that may overlap others of its kind begins.
    Begin(u64),
    /// It ends.
    End(u64),
    /// It takes no time; `true`: drawn over all tracks.
    Instant(bool),
    /// A value from now on.
    Counter,
}

/// One trace event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub at: SimTime,
    pub shape: Shape,
    pub track: Track,
    pub category: &'static str,
    pub name: String,
    pub args: Vec<(&'static str, Json)>,
}

impl Event {
    pub(super) fn json(&self) -> Json {
        let phase = match self.shape {
            Shape::Complete(_) => "X",
            Shape::Begin(_) => "b",
            Shape::End(_) => "e",
            Shape::Instant(_) => "i",
            Shape::Counter => "C",
        };
        let mut fields = vec![
            ("name", Json::text(&self.name)),
            ("cat", Json::text(self.category)),
            ("ph", Json::text(phase)),
            ("ts", microseconds(self.at.ns())),
        ];
        match self.shape {
            // A nanosecond short: viewers add start and length as floats, and what ends a bit after its successor begins is
            // drawn as holding it.
            Shape::Complete(span) => fields.push(("dur", microseconds(span.ns().saturating_sub(1)))),
            Shape::Begin(id) | Shape::End(id) => fields.push(("id", Json::text(format!("{id:#x}")))),
            Shape::Instant(everywhere) => fields.push(("s", Json::text(if everywhere { "g" } else { "t" }))),
            Shape::Counter => {}
        }
        fields.push(("pid", Json::whole(self.track.process)));
        fields.push(("tid", Json::whole(self.track.thread)));
        if !self.args.is_empty() {
            fields.push(("args", Json::Object(self.args.clone())));
        }
        Json::Object(fields)
    }
}

/// With three decimals, by integer division.
fn microseconds(ns: u64) -> Json {
    Json::Number(format!("{}.{:03}", ns / 1_000, ns % 1_000))
}

/// An integer of 10⁻⁶ units as an exact decimal.
pub(super) fn millionths(n: u64) -> Json {
    Json::Number(decimal(n, 6))
}

/// The metadata: names and order of processes and threads.
pub(super) fn names() -> Vec<Json> {
    let mut all = Vec::new();
    for (process, (name, threads)) in (1..).zip(PROCESSES) {
        all.push(metadata("process_name", track(process, 0), ("name", Json::text(*name))));
        all.push(metadata("process_sort_index", track(process, 0), ("sort_index", Json::whole(process))));
        for (thread, name) in (1..).zip(*threads) {
            all.push(metadata("thread_name", track(process, thread), ("name", Json::text(*name))));
            all.push(metadata("thread_sort_index", track(process, thread), ("sort_index", Json::whole(thread))));
        }
    }
    all
}

fn metadata(name: &'static str, track: Track, arg: (&'static str, Json)) -> Json {
    Json::Object(vec![
        ("name", Json::text(name)),
        ("ph", Json::text("M")),
        ("ts", microseconds(0)),
        ("pid", Json::whole(track.process)),
        ("tid", Json::whole(track.thread)),
        ("args", Json::Object(vec![arg])),
    ])
}

/// What is wrong with a list of events, if anything: they are not sorted; a pair is not a pair; two complete
/// events of one track overlap without one holding the other.
pub(super) fn flaw(events: &[Event]) -> Option<String> {
    if let Some(pair) = events.windows(2).find(|pair| pair[0].at > pair[1].at) {
        return Some(format!("\"{}\" comes after \"{}\" and is earlier", pair[1].name, pair[0].name));
    }
    let mut open = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut nested = BTreeMap::<Track, Vec<SimTime>>::new();
    for event in events {
        let same = (event.category, &event.name, event.track);
        match event.shape {
            Shape::Begin(id) => {
                if !used.insert(id) {
                    return Some(format!("id {id} is used twice"));
                }
                open.insert(id, same);
            }
            Shape::End(id) => match open.remove(&id) {
                Some(begun) if begun == same => {}
                _ => return Some(format!("\"{}\" with id {id} ends and has not begun", event.name)),
            },
            Shape::Complete(span) => {
                let ends = nested.entry(event.track).or_default();
                while ends.last().is_some_and(|end| *end <= event.at) {
                    ends.pop();
                }
                let end = event.at + span;
                if ends.last().is_some_and(|outer| *outer < end) {
                    return Some(format!("\"{}\" at {} outlasts what it is in", event.name, event.at));
                }
                ends.push(end);
            }
            Shape::Instant(_) | Shape::Counter => {}
        }
    }
    open.into_iter().next().map(|(id, (_, name, _))| format!("\"{name}\" with id {id} never ends"))
}
