//! Every shipped scenario ends as it says, whatever order equal times are taken in, and however long one waits.

mod common;

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use midflight::engine::TieRule;
use midflight::rng::RunSeed;
use midflight::run::{RunResult, simulate, simulate_with};
use midflight::scenario::Scenario;
use midflight::units::Span;
use rayon::prelude::*;

/// The shipped scenarios, each with the run that its seed makes.
static SHIPPED: LazyLock<Vec<(PathBuf, Arc<Scenario>, RunResult)>> = LazyLock::new(|| {
    let run = |(path, scenario): (PathBuf, Arc<Scenario>)| {
        let result = simulate(&scenario, scenario.seed, 0);
        (path, scenario, result)
    };
    common::scenarios().into_par_iter().map(run).collect()
});

#[test]
fn every_scenario_ends_as_it_says() {
    for (path, scenario, result) in &*SHIPPED {
        assert!(result.judgement.shortfalls.is_empty(), "{}: {:?}", path.display(), result.judgement.shortfalls);
        let judged = !scenario.verdict.outcome.is_empty();
        assert!(judged, "{}: a shipped scenario says how it ends", path.display());
    }
}

#[test]
fn other_seeds_end_the_same_way() {
    SHIPPED.par_iter().for_each(|(path, scenario, _)| {
        for seed in 2..4 {
            let result = simulate(scenario, seed, 0);
            let shortfalls = &result.judgement.shortfalls;
            assert!(shortfalls.is_empty(), "{}, seed {seed}: {shortfalls:?}", path.display());
        }
    });
}

#[test]
fn another_order_of_equal_times_breaks_nothing_new() {
    SHIPPED.par_iter().for_each(|(path, scenario, usual)| {
        let seed = RunSeed { seed: scenario.seed, replication: 0 };
        let broken = |result: &RunResult| result.violations.iter().map(|one| one.invariant).collect::<Vec<_>>();
        let (usual, other) = (broken(usual), broken(&simulate_with(scenario, seed, TieRule::LastScheduled, &mut [])));
        assert!(other.iter().all(|invariant| usual.contains(invariant)), "{}: {other:?}", path.display());
    });
}

#[test]
fn twice_the_horizon_changes_no_verdict() {
    SHIPPED.par_iter().for_each(|(path, scenario, short)| {
        let longer = Arc::new(Scenario { horizon: scenario.horizon.saturating_mul(2), ..(**scenario).clone() });
        let long = simulate(&longer, scenario.seed, 0);
        assert_eq!(short.outcome, long.outcome, "{}", path.display());
        assert_eq!(short.judgement, long.judgement, "{}", path.display());
    });
}

#[test]
fn a_fault_that_does_not_fire_is_an_error() {
    let smoke = common::root().join("scenarios/smoke/stop-and-copy.json");
    let cases = [
        (r#"{"what": {"crash": "source"}, "when": {"at": "200 h"}}"#, "before 720000 s"),
        (
            r#"{"what": {"crash": "source"}, "when": {"phase": {"name": "copy", "round": 7}}}"#,
            "phase copy, round 7 never",
        ),
        (r#"{"what": {"reset": {}}, "when": {"at": "0 s"}}"#, "no connection"),
        (
            r#"{"what": {"crash": "source"}, "when": {"message": {"kind": "started", "n": 2}}}"#,
            "fewer than 2 messages \"started\" were delivered",
        ),
        (
            r#"{"what": {"crash": "source"}, "when": {"message": {"kind": "cancel", "moment": "sent"}}}"#,
            "fewer than 1 messages \"cancel\" were sent",
        ),
        (
            r#"{"what": {"crash": "source"}, "when": {"outputs": {"n": 9999999, "stage": "emitted"}}}"#,
            "fewer than 9999999 packets of the guest were emitted",
        ),
    ];
    for (fault, why) in cases {
        let scenario = common::read_with(&smoke, &[&format!("faults=[{fault}]")]);
        let result = simulate(&scenario, 1, 0);
        let shortfall = &result.judgement.shortfalls[0];
        assert_eq!(shortfall.class, "not-fired", "{fault}");
        assert!(shortfall.what.contains(why), "{fault}: {}", shortfall.what);
    }
    let crash = r#"{"what": {"crash": "source"}, "when": {"at": "2 s"}}"#;
    let twice = common::read_with(&smoke, &[&format!("faults=[{crash}, {crash}]")]);
    let shortfalls = simulate(&twice, 1, 0).judgement.shortfalls;
    assert!(shortfalls.iter().any(|s| s.what.contains("fault 2 did not fire") && s.what.contains("dead already")));
}

#[test]
fn a_wrong_verdict_is_noticed() {
    let smoke = common::root().join("scenarios/smoke/pre-copy.json");
    let cases = [
        (r#"expect.outcome=["lost"]"#, "claim"),
        (r#"expect.metrics={"downtime_s": {"max": "1 us"}}"#, "claim"),
        (r#"expect.metrics={"outage_s": {"max": "1 s"}}"#, "claim"),
        (r#"expect.ends={"source": "runs", "destination": "runs"}"#, "claim"),
        (r#"expect.ends={"destination": "gone"}"#, "claim"),
        (r"must_violate=single-history", "claim"),
    ];
    for (set, class) in cases {
        let scenario = common::read_with(&smoke, &[set]);
        let shortfalls = simulate(&scenario, 1, 0).judgement.shortfalls;
        assert_eq!(shortfalls.len(), 1, "{set}: {shortfalls:?}");
        assert_eq!(shortfalls[0].class, class, "{set}");
    }
    let crash = common::root().join("scenarios/recovery/copy-source-crash.json");
    let claimed = common::read_with(&crash, &[r#"tolerates=["source-crash"]"#, r"expect.outcome=[]"]);
    let shortfalls = simulate(&claimed, 1, 0).judgement.shortfalls;
    assert!(shortfalls[0].what.contains("claimed to be tolerated"), "{shortfalls:?}");
    let split = common::root().join("scenarios/must-violate/autostart-unaware-cut.json");
    let unwaived = common::read_with(&split, &["waives=[]"]);
    let classes: Vec<String> =
        simulate(&unwaived, 1, 0).judgement.shortfalls.into_iter().map(|shortfall| shortfall.class).collect();
    assert_eq!(classes, ["invariant:single-execution", "invariant:output-commit"]);
}

#[test]
fn stalling_is_a_liveness_violation_unless_expected() {
    let stalled = common::root().join("scenarios/recovery/three-phase-go-sent-cut.json");
    let scenario = common::read_with(&stalled, &["expect.outcome=[]"]);
    let result = simulate(&scenario, 1, 0);
    let shortfalls = &result.judgement.shortfalls;
    assert_eq!(shortfalls.len(), 1, "{shortfalls:?}");
    assert_eq!(shortfalls[0].class, "liveness");
    assert!(shortfalls[0].what.contains("blocked-on(\"go\")"), "{}", shortfalls[0].what);
    assert!(result.finished.at.since_start() < Span::from_s(10), "it ends when nothing can happen any more");
}
