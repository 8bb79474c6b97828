//! Whether a trace is well formed, whatever happens in the run.

use serde_json::Value;

use super::event::{PHASES, Shape};
use super::*;
use crate::report::fixture;
use crate::scenario::{Direction, Fault, FaultKind, Part};
use crate::units::{Ratio, Span};
use crate::vocabulary::Host;

fn traced(scenario: Scenario) -> String {
    let mut trace = Trace::default();
    let (scenario, result) = fixture::run(scenario, &mut [&mut trace]);
    trace.to_json(&result, &scenario)
}

fn with(faults: Vec<Fault>) -> Scenario {
    Scenario { faults, ..fixture::pre_copy() }
}

fn cut(lasts: Option<Span>) -> Fault {
    let what = FaultKind::Cut { from: Host::Source, to: Host::Destination, direction: Direction::Both };
    fixture::fault(what, Span::from_ms(1100), lasts)
}

fn read(text: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(text).expect("JSON");
    document["traceEvents"].as_array().expect("a list").clone()
}

fn find<'a>(events: &'a [Value], phase: &str, name: &str) -> &'a Value {
    let same = |event: &&Value| event["ph"] == phase && event["name"].as_str().is_some_and(|n| n.contains(name));
    events.iter().find(same).unwrap_or_else(|| panic!("no {phase} {name}"))
}

/// A time in an event's line, in ns, as it is printed.
fn field(line: &str, name: &str) -> u64 {
    let (_, rest) = line.split_once(&format!("\"{name}\": ")).expect(name);
    let text = rest.split([',', '}']).next().expect("there is a first");
    let (whole, fraction) = text.split_once('.').expect("three decimals");
    assert_eq!(fraction.len(), 3, "{text}");
    format!("{whole}{fraction}").parse().expect("not negative")
}

#[test]
fn a_completed_migration_has_all_its_tracks() {
    let text = traced(fixture::pre_copy());
    let events = read(&text);
    for name in ["setup", "copy", "round 1", "stop", "handover", "ending"] {
        assert_eq!(find(&events, "X", name)["pid"], 1, "{name}");
    }
    assert_eq!(find(&events, "X", "round 1")["args"]["due_pages"], 16_384);
    assert_eq!(find(&events, "X", "execution 1")["args"]["branch"], 0);
    assert_eq!(find(&events, "b", "migrate")["args"]["delivered"], true);
    for name in ["L: ", "R: ", "C: ", "the rounds end"] {
        assert_eq!(find(&events, "i", name)["s"], "t");
    }
    assert_eq!(find(&events, "C", "rate source → destination")["args"]["MB/s"], 0);
    let full = |event: &Value| event["args"]["MB/s"] == 125;
    assert!(events.iter().any(full), "the link is never full");
    assert_eq!(find(&events, "M", "process_name")["args"]["name"], "migration");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&document["otherData"]["seed"], &document["otherData"]["outcome"]), (&1.into(), &"completed".into()));
}

#[test]
fn time_stamps_are_sorted_with_three_decimals() {
    let text = traced(fixture::pre_copy());
    let events = text.lines().filter(|line| line.contains("\"ph\""));
    let stamps: Vec<u64> = events.map(|line| field(line, "ts")).collect();
    assert!(stamps.len() > 100 && stamps.is_sorted());
}

#[test]
fn what_does_not_end_ends_with_the_run() {
    let events = read(&traced(with(vec![cut(None)])));
    let begin = find(&events, "b", "fault 1");
    assert_eq!(begin["args"]["healed"], false);
    assert_eq!(find(&events, "b", "source detects")["cat"], "detector");

    let healed = read(&traced(with(vec![cut(Some(Span::from_ms(50)))])));
    assert_eq!(find(&healed, "b", "fault 1")["args"]["healed"], true);
}

#[test]
fn a_dead_node_stands_nowhere() {
    let crash = fixture::fault(FaultKind::Crash(Host::Destination), Span::from_ms(1100), None);
    let text = traced(with(vec![crash]));
    let events = read(&text);
    let receiving = text.lines().find(|line| line.contains("receiving")).expect("it receives");
    assert_eq!(
        field(receiving, "ts") + field(receiving, "dur"),
        1_100_000_000 - 1,
        "to the crash, less the nanosecond"
    );
    assert_eq!(find(&events, "i", "FAULT 1")["s"], "g");
}

#[test]
fn a_split_brain_shows_two_executions_and_the_violation() {
    let events = read(&traced(fixture::split_brain()));
    assert_eq!(find(&events, "X", "execution 2")["args"]["branch"], 1);
    assert_eq!(find(&events, "i", "VIOLATED single-history")["s"], "g");
    let lost = events.iter().find(|event| event["args"]["delivered"] == false).expect("\"started\" is lost");
    let end = events.iter().find(|event| event["ph"] == "e" && event["id"] == lost["id"]).expect("it ends");
    assert_eq!((&end["name"], &end["cat"]), (&lost["name"], &lost["cat"]));
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let scenario = with(vec![cut(Some(Span::from_s(2)))]);
    assert!(traced(scenario.clone()) == traced(scenario));
}

fn event(at: u64, shape: Shape) -> Event {
    let at = SimTime::from_ns(at);
    Event { at, shape, track: PHASES, category: "test", name: "x".into(), args: Vec::new() }
}

#[test]
fn flaws_are_found() {
    let lasting = |at, ns| event(at, Shape::Complete(Span::from_ns(ns)));
    let (begin, end) = (|at, id| event(at, Shape::Begin(id)), |at, id| event(at, Shape::End(id)));
    let good = [
        vec![lasting(0, 10), lasting(0, 4), lasting(4, 0), lasting(4, 6), lasting(10, 1)],
        vec![begin(0, 1), begin(1, 2), end(1, 2), end(5, 1)],
    ];
    for events in good {
        assert_eq!(flaw(&events), None);
    }
    let bad = [
        (vec![lasting(0, 10), lasting(5, 10)], "outlasts"),
        (vec![begin(0, 1)], "never ends"),
        (vec![end(0, 1)], "has not begun"),
        (vec![begin(0, 1), end(1, 1), begin(2, 1), end(3, 1)], "used twice"),
        (vec![lasting(5, 1), lasting(4, 1)], "earlier"),
    ];
    for (events, part) in bad {
        assert!(flaw(&events).is_some_and(|flaw| flaw.contains(part)), "{part}");
    }
}

/// Whatever strikes whenever, the exporter's own check holds and the report keeps its width.
#[test]
fn any_fault_at_any_time_gives_a_well_formed_trace() {
    let whole = cut(Some(Span::from_ms(400))).what;
    let one_way = FaultKind::Cut { from: Host::Destination, to: Host::Source, direction: Direction::OneWay };
    let crashes = [Host::Source, Host::Destination, Host::Management].map(FaultKind::Crash);
    let rest = [FaultKind::CrashVmm(Host::Destination), FaultKind::Reset, FaultKind::Silence, whole, one_way];
    let parts = [Part::Host, Part::Vmm, Part::Agent];
    let both = [Host::Source, Host::Destination];
    let hangs = both.into_iter().flat_map(|host| parts.map(|part| FaultKind::Hang(part, host)));
    let agents = both.map(FaultKind::CrashAgent);
    let slow = both.map(|host| FaultKind::Slow { host, factor: Ratio::new(9, 1) });
    let group = [FaultKind::Group(vec![FaultKind::Crash(Host::Source), FaultKind::LoseHeartbeats { sent_by: None }])];
    let states = hangs.chain(agents).chain(slow).chain(group);
    for what in crashes.into_iter().chain(rest).chain(states) {
        for ms in [500, 1_005, 1_200, 1_469, 1_475, 1_498, 1_499, 1_500, 1_501] {
            let lasts = what.can_end().then(|| Span::from_ms(450));
            let mut trace = Trace::default();
            let scenario = with(vec![fixture::fault(what.clone(), Span::from_ms(ms), lasts)]);
            let (scenario, result) = fixture::run(scenario, &mut [&mut trace]);
            assert!(!read(&trace.to_json(&result, &scenario)).is_empty());
            let report = crate::report::human(&result, &scenario, false);
            assert!(report.lines().all(|line| line.chars().count() <= 100), "{what:?} at {ms} ms:\n{report}");
        }
    }
}
