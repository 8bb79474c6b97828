//! Laws of post-copy over random small scenarios: each page arrives once, whatever the guest does and whatever breaks; no page
//! is stale; a patient source never runs the VM twice; what was paused and could heal is resumed.

mod common;

use std::sync::Arc;

use midflight::run::simulate;
use midflight::scenario::Scenario;
use midflight::units::PageCount;
use midflight::vocabulary::{Invariant, Outcome};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// Pages of the guest of these tests: 8 MiB.
const PAGES: u64 = 2048;

#[derive(Debug, Clone)]
struct Case {
    migration: String,
    vcpus: u64,
    accesses: (u64, u64),
    pattern: &'static str,
    wake: u64,
    dirty_log: &'static str,
    /// Where placing is slow, pages wait in receive buffers.
    place: &'static str,
    latency_us: u64,
    jitter_us: u64,
    loss_permille: u64,
    heartbeat: bool,
    on_silence: &'static str,
    errors: &'static str,
}

fn case() -> impl Strategy<Value = Case> {
    let push = prop::sample::select(vec![
        r#"{"ascending": {}}"#,
        r#"{"from-fault": {}}"#,
        r#"{"bubbling": {}}"#,
        r#"{"bubbling": {"pivots": 4}}"#,
    ]);
    let limit = prop::sample::select(vec!["", r#", "max_bandwidth": "40 MB/s""#]);
    let kind = prop::sample::select(vec![None, Some(r#"{"rounds": 1}"#), Some(r#"{"time": "20 ms"}"#)]);
    let migration = (push, any::<bool>(), limit, kind).prop_map(|(push, preempt, limit, hybrid)| {
        let post_copy = format!(r#"{{"push": {push}, "preempt": {preempt}{limit}}}"#);
        match hybrid {
            None => format!(r#"{{"post-copy": {post_copy}}}"#),
            Some(switch) => format!(
                r#"{{"hybrid": {{"switch": {switch}, "post_copy": {post_copy}, "pre_copy": {{"stop_rule": {{"qemu": {{"downtime_limit": "2 ms"}}}}}}}}}}"#
            ),
        }
    });
    let guest = (1u64..5, (0u64..30_000, 0u64..30_000), 0u64..30);
    let guest = (guest, prop::sample::select(vec!["uniform", "sequential"]));
    let loss = prop::sample::select(vec![0u64, 0, 5]);
    let link = (50u64..3000, prop::sample::select(vec![0u64, 300]), loss);
    let policy = (
        any::<bool>(),
        prop::sample::select(vec!["wait", "ask"]),
        prop::sample::select(vec!["at-once", "at-next-write"]),
        prop::sample::select(vec!["snapshot", "clear-on-send"]),
        prop::sample::select(vec!["3900 ns", "300 us"]),
    );
    (migration, guest, link, policy).prop_map(|(migration, ((vcpus, accesses, wake), pattern), link, policy)| Case {
        migration,
        vcpus,
        accesses,
        pattern,
        wake,
        dirty_log: policy.3,
        place: policy.4,
        latency_us: link.0,
        jitter_us: link.1,
        loss_permille: link.2,
        heartbeat: policy.0,
        on_silence: policy.1,
        errors: policy.2,
    })
}

/// A small guest on a short link; `more` is what else the scenario says.
fn scenario(case: &Case, more: &str) -> Arc<Scenario> {
    let heartbeat = if case.heartbeat {
        r#"{"pings": {"period": "50 ms", "timeout": "100 ms", "misses": 2}}"#
    } else {
        r#"{"off": {}}"#
    };
    let text = format!(
        r#"{{
          "schema": 1, "why": "random",
          "policy": {{
            "migration": {migration},
            "handover": {{"autostart": {{"on_silence": "{on_silence}", "ask_period": "40 ms"}}}},
            "detector": {{"heartbeat": {heartbeat}, "transport_error": "{errors}"}}
          }},
          "vms": [{{
            "memory": "8 MiB", "vcpus": {vcpus},
            "workload": {{"classes": [
              {{"name": "some", "size": "2 MiB", "write": "{write} /s", "read": "{read} /s", "wake": "{wake} pages",
                "pattern": {{"{pattern}": {{}}}}}},
              {{"name": "all", "write": "1000 /s", "read": "500 /s", "zero": "25 %", "layout": "shuffled"}}
            ]}},
            "output": {{"rate": "500 /s", "size": "100 B"}}
          }}],
          "network": {{"base": "gige", "latency": "{latency} us", "jitter": "{jitter} us", "loss": "{loss}/1000",
                       "rto": "30 ms", "give_up": "3 s"}},
          "platform": {{"base": "generic", "dirty_log": "{log}", "chunk": "16 pages", "place_page": "{place}"}},
          "horizon": "30 s",
          {more}
        }}"#,
        migration = case.migration,
        on_silence = case.on_silence,
        errors = case.errors,
        vcpus = case.vcpus,
        write = case.accesses.0,
        read = case.accesses.1,
        wake = case.wake,
        pattern = case.pattern,
        latency = case.latency_us,
        jitter = case.jitter_us,
        loss = case.loss_permille,
        log = case.dirty_log,
        place = case.place,
    );
    common::parse(&text)
}

fn fault() -> impl Strategy<Value = String> {
    let what = prop::sample::select(vec![
        r#""what": {"crash": "source"}"#,
        r#""what": {"crash-vmm": "source"}"#,
        r#""what": {"crash": "destination"}"#,
        r#""what": {"crash-vmm": "destination"}"#,
        r#""what": {"reset": {}}"#,
        r#""what": {"cut": {}}"#,
        r#""what": {"cut": {}}, "lasts": "300 ms""#,
        r#""what": {"cut": {"direction": "one-way"}}, "lasts": "150 ms""#,
        r#""what": {"silence": {}}, "lasts": "200 ms""#,
    ]);
    // The migration takes about 100 to 300 ms from 100 ms on.
    (what, 95_000u64..400_000).prop_map(|(what, at)| format!(r#"{{{what}, "when": {{"at": "{at} us"}}}}"#))
}

fn config(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(20_261_122), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config(300))]

    /// Without a fault every page is sent once after the switchover, and the VM ends at the destination.
    #[test]
    fn each_page_follows_once(case in case(), seed in 0u64..1000) {
        // A full queue alone can look like a dead peer; that is another test.
        let case = Case { heartbeat: false, ..case };
        let result = simulate(&scenario(&case, r#""operator": {"migrate_at": "100 ms"}"#), seed, 0);
        prop_assert_eq!(&result.violations, &[]);
        prop_assert_eq!(result.outcome, Outcome::Completed);
        let followed: Vec<_> = result.rounds.rounds().iter().filter(|round| round.post_copy).collect();
        for round in &followed {
            prop_assert_eq!(round.pages, round.due);
        }
        if case.migration.contains("\"post-copy\"") {
            prop_assert_eq!(result.record.pages_forward, Some(PageCount::new(PAGES)));
        }
    }

    /// Whatever breaks once: the books balance, no page is stale, nothing runs twice, and an end is named.
    #[test]
    fn whatever_breaks_no_page_comes_twice(case in case(), fault in fault(), recovers in any::<bool>(), seed in 0u64..1000) {
        let recover = if recovers { r#", "recover": {"after": "100 ms", "retry": "400 ms"}"# } else { "" };
        let more = format!(r#""operator": {{"migrate_at": "100 ms"{recover}}}, "faults": [{fault}]"#);
        let result = simulate(&scenario(&case, &more), seed, 0);
        let broken: Vec<Invariant> = result.violations.iter().map(|violation| violation.invariant).collect();
        prop_assert!(broken.iter().all(|i| *i == Invariant::Liveness), "{:?}", result.violations);
        let heals = ["lasts", "reset"].iter().any(|word| fault.contains(word));
        if recovers && heals {
            let well = [Outcome::Completed, Outcome::Resumed, Outcome::RolledBack];
            prop_assert!(well.contains(&result.outcome), "{} after {}", result.outcome, fault);
        }
        let dead = fault.contains("crash");
        prop_assert!(dead || result.outcome != Outcome::Lost, "nothing died, and the VM is lost: {}", fault);
    }
}
