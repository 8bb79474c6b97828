//! The summary as a person reads it, on small runs.

use super::*;
use crate::report::fixture;
use crate::scenario::{FaultKind, MetricBound, Scenario};
use crate::units::Span;
use crate::vocabulary::{Host, Invariant};

fn report(scenario: Scenario) -> String {
    let (scenario, result) = fixture::run(scenario, &mut []);
    let text = human(&result, &scenario, false);
    println!("{text}\n{}", "=".repeat(WIDTH));
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "too wide:\n{text}");
    assert!(text.lines().all(|line| line.trim_end() == line), "blanks at a line's end:\n{text}");
    assert!(!text.contains('\u{1b}'), "colours:\n{text}");
    text
}

fn assert_order(text: &str, parts: &[&str]) {
    let mut from = 0;
    for part in parts {
        let found = text[from..].find(part).unwrap_or_else(|| panic!("{part:?} is not where it should be in\n{text}"));
        from += found;
    }
}

#[test]
fn a_completed_migration() {
    let mut scenario = fixture::pre_copy();
    let max = Some(1_000_000_000);
    scenario.verdict.metrics = vec![MetricBound { column: "downtime_s".into(), min: None, max }];
    assert_order(
        &report(scenario),
        &[
            "fixture: completed\n",
            "A pre-copy of a small VM",
            "\nWhat happened\n",
            "management → source: \"migrate\", arrives after",
            "phase copy, round 1: 16384 pages due",
            "the rounds end: converged",
            "R: the source gives up",
            "the VM runs at destination",
            "\nMeasures\n",
            "total migration time",
            "\nRounds\n",
            "last",
            "\nVerdict\n",
            "single-execution      held",
            "completed, as expected",
            "at most 1.000000 s: met",
            "The run is as its scenario claims.\n",
        ],
    );
}

#[test]
fn a_crash() {
    let faults = vec![
        fixture::fault(FaultKind::Crash(Host::Destination), Span::from_ms(1100), None),
        fixture::fault(FaultKind::Reset, Span::from_s(100), None),
    ];
    assert_order(
        &report(Scenario { faults, ..fixture::pre_copy() }),
        &[
            "fixture: rolled_back",
            "FAULT 1: crash(destination)",
            "source suspects destination: its pings are not answered",
            "fault 1 ",
            "fired at 1.100000 s in phase copy",
            "reset did not fire: the run ended at",
            "rolled_back, expected completed",
            "The run falls short of its scenario:",
            "not-fired",
        ],
    );
}

#[test]
fn a_split_brain() {
    let mut scenario = fixture::split_brain();
    scenario.verdict.must_violate = Some(Invariant::SingleHistory);
    assert_order(
        &report(scenario),
        &[
            "split-brain: split_brain",
            "FAULT 1: cut(source-destination) for 5 s",
            "VIOLATED single-history",
            "\nVerdict\n",
            "VIOLATED at",
            "as the scenario demands",
        ],
    );
}

#[test]
fn many_rounds_are_shortened_and_colours_only_when_asked() {
    let mut scenario = fixture::pre_copy();
    scenario.vms[0].workload.classes[0].write = crate::units::EventRate::per_s(60_000);
    scenario.horizon = Span::from_s(8);
    assert_order(&report(scenario.clone()), &["round 5:", "more lines like these", "\nRounds\n", "more rounds"]);
    let (scenario, result) = fixture::run(scenario, &mut []);
    assert!(human(&result, &scenario, true).contains("\u{1b}["));
}
