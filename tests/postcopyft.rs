//! What is published of `PostCopyFT` and Remus as shapes, on the shipped scenarios: no number here is fitted.

mod common;

use midflight::metric::Record;
use midflight::run::simulate;
use midflight::units::Span;

const IDLE: &str = "scenarios/literature/postcopyft-reverse-idle.json";
const WRITING: &str = "scenarios/literature/postcopyft-reverse-writing.json";

fn record(scenario: &str, sets: &[&str]) -> Record {
    let scenario = common::read_with(&common::root().join(scenario), sets);
    simulate(&scenario, scenario.seed, 0).record
}

fn ns(record: &Record, column: &str) -> u64 {
    record.integer(column).unwrap_or_else(|| panic!("`{column}` has a value"))
}

#[test]
fn checkpoints_leave_the_total_time_as_it_is() {
    // Its checkpoints never begin.
    let without = "policy.checkpoint.trigger.periodic.interval=1000 s";
    for scenario in [IDLE, WRITING] {
        let total = |sets: &[&str]| ns(&record(scenario, sets), "total_migration_time_s");
        let (with, plain) = (total(&[]), total(&[without]));
        assert!(with.abs_diff(plain) * 100 <= plain, "{scenario}: {with} ns with checkpoints, {plain} ns without");
    }
}

#[test]
fn longer_intervals_cost_less() {
    // With the scales of figures 7 and 9.
    for (scenario, suspend) in [(IDLE, "4087 us"), (WRITING, "1430 us")] {
        let records = ["100 us", "1 ms", "10 ms", "100 ms"].map(|interval| {
            let interval = format!("policy.checkpoint.trigger.periodic.interval={interval}");
            record(scenario, &[&interval, &format!("platform.suspend={suspend}")])
        });
        for column in ["checkpoint_pause_s", "replication_time_s", "checkpoints_committed"] {
            let values = records.each_ref().map(|record| ns(record, column));
            assert!(values.is_sorted_by(|shorter, longer| shorter > longer), "{scenario}: {column} {values:?}");
        }
    }
}

#[test]
fn checkpoints_on_demand_stop_the_vm_less_the_less_it_sends() {
    let pause = |rate: u64, trigger: &str| {
        let rate = format!("vms[0].output.rate={rate} /s");
        let trigger = format!("policy.checkpoint.trigger={trigger}");
        ns(&record(IDLE, &[&rate, "vms[0].output.size=1448 B", &trigger]), "checkpoint_pause_s")
    };
    let periodic = pause(100, r#"{"periodic": {}}"#);
    let demand = [2, 50, 1000].map(|rate| pause(rate, r#"{"output": {}}"#));
    assert!(demand.is_sorted(), "{demand:?}");
    assert!(demand[0] * 3 < periodic, "{} ns and {periodic} ns", demand[0]);
    assert!(
        demand[2].abs_diff(periodic) * 10 < periodic,
        "one packet in each round: {} ns and {periodic} ns",
        demand[2]
    );
}

#[test]
fn a_vm_that_stays_is_slowed_down_by_its_checkpoints_alone() {
    let remus = |interval: &str| {
        let interval = format!("policy.checkpoint.trigger.periodic.interval={interval}");
        record("scenarios/literature/remus-kernel-compile.json", &[&interval])
    };
    let (slow, fast) = (remus("100 ms"), remus("25 ms"));
    for record in [&slow, &fast] {
        // From the command, after 1 s and its way, to the end after 31 s.
        let wall = Span::from_s(30).ns();
        let lost = ns(record, "guest_slowdown") * (wall / 1_000_000);
        let pause = ns(record, "checkpoint_pause_s");
        assert!(lost.abs_diff(pause) < wall / 1000, "{lost} ns lost, {pause} ns of pauses");
    }
    assert!(ns(&slow, "guest_slowdown") < ns(&fast, "guest_slowdown"));
}
