//! Laws of the shared disk over random small scenarios: held writes and a fence keep it at one point with memory, whatever breaks and
//! whenever; without them it is as published.

mod common;

use std::sync::Arc;

use midflight::run::{RunResult, simulate};
use midflight::scenario::Scenario;
use midflight::vocabulary::{Invariant, Outcome};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

struct Case {
    migration: &'static str,
    checkpoint: String,
    fencing: &'static str,
    fault: String,
}

fn scenario(case: &Case) -> Arc<Scenario> {
    let Case { migration, checkpoint, fencing, fault } = case;
    common::parse(&format!(
        r#"{{
          "schema": 1, "why": "random",
          "policy": {{
            "migration": {migration},
            "checkpoint": {checkpoint},
            "fencing": {fencing},
            "detector": {{"heartbeat": {{"pings": {{"period": "20 ms", "timeout": "50 ms", "misses": 2}}}}}}
          }},
          "vms": [{{
            "memory": "8 MiB", "vcpus": 4,
            "workload": {{"classes": [{{"name": "all", "write": "500 /s"}}]}},
            "output": {{"rate": "500 /s", "size": "100 B"}},
            "disk": {{"rate": "3000 /s", "size": "4 KiB", "blocks": 64}}
          }}],
          "network": {{"base": "gige", "latency": "2 ms", "rto": "30 ms", "give_up": "3 s"}},
          "platform": {{"base": "generic", "chunk": "16 pages"}},
          "operator": {{"migrate_at": "100 ms"}},
          "horizon": "6 s",
          "faults": [{fault}]
        }}"#
    ))
}

fn config(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(20_261_125), failure_persistence: None, ..Config::default() }
}

fn broken(result: &RunResult) -> Vec<Invariant> {
    result.violations.iter().map(|violation| violation.invariant).collect()
}

const POST_COPY: &str = r#"{"post-copy": {"preempt": true, "max_bandwidth": "200 Mbit/s"}}"#;

proptest! {
    #![proptest_config(config(150))]

    /// A host that is off writes to no disk, and what it held and no version has is as if it had never been.
    #[test]
    fn held_writes_and_a_fence_keep_disk_and_memory_together(
        what in prop::sample::select(vec![
            r#"{"crash": "destination"}"#,
            r#"{"crash-vmm": "destination"}"#,
            r#"{"crash": "source"}"#,
            r#"{"cut": {}}"#,
            r#"{"cut": {"direction": "one-way"}}"#,
            r#"{"cut": {"from": "destination", "to": "source", "direction": "one-way"}}"#,
        ]),
        at_us in 90_000u64..500_000,
        forward in prop::bool::ANY,
        stages in prop::sample::select(vec!["one", "two"]),
        trigger in prop::sample::select(vec![r#"{"output": {}}"#, r#"{"periodic": {"interval": "15 ms"}}"#]),
        seed in 0u64..1000,
    ) {
        let direction = if forward { "forward" } else { "reverse" };
        let case = Case {
            migration: if forward { r#"{"none": {}}"# } else { POST_COPY },
            checkpoint: format!(
                r#"{{"direction": "{direction}", "buffer": "network+disk", "stages": "{stages}", "trigger": {trigger}}}"#
            ),
            fencing: r#"{"stonith": {"takes": "30 ms"}}"#,
            fault: format!(r#"{{"what": {what}, "when": {{"at": "{at_us} us"}}}}"#),
        };
        let result = simulate(&scenario(&case), seed, 0);
        let broken = broken(&result);
        for invariant in [Invariant::ConsistentRecovery, Invariant::NoLostWrite, Invariant::Accounting] {
            prop_assert!(!broken.contains(&invariant), "{}: {:?}", result.outcome, result.violations);
        }
        let restored = result.outcome == Outcome::Recovered;
        prop_assert!(restored || result.record.lost_work_s.is_none(), "{}", result.outcome);
    }
}

/// How far the disk is ahead shows as soon as the VM is back. Held packets alone do not keep it: as published.
#[test]
fn a_disk_that_is_not_held_is_ahead_after_a_restore() {
    let mut ahead = 0;
    for buffer in ["network", "network+disk"] {
        for seed in 1..=8 {
            let case = Case {
                migration: POST_COPY,
                checkpoint: format!(
                    r#"{{"direction": "reverse", "buffer": "{buffer}", "trigger": {{"periodic": {{"interval": "15 ms"}}}}}}"#
                ),
                fencing: r#"{"none": {}}"#,
                fault: r#"{"what": {"crash": "destination"}, "when": {"at": "300 ms"}}"#.into(),
            };
            let result = simulate(&scenario(&case), seed, 0);
            assert_eq!(result.outcome, Outcome::Recovered);
            let broken = broken(&result);
            assert!(broken.iter().all(|invariant| *invariant == Invariant::ConsistentRecovery), "{broken:?}");
            assert!(broken.is_empty() || buffer == "network", "{buffer}, seed {seed}: {:?}", result.violations);
            ahead += usize::from(!broken.is_empty());
            let discarded = result.record.disk_writes_discarded.expect("it has a disk");
            assert!((discarded > 0) == (buffer == "network+disk"), "{buffer}: {discarded}");
        }
    }
    assert_eq!(ahead, 8);
}
