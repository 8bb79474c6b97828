//! Laws over random small scenarios: whatever is broken and whenever, the books balance, no page is stale, and a handover that
//! asks before it acts never runs the VM twice.

mod common;

use std::sync::Arc;

use midflight::run::{RunResult, simulate};
use midflight::scenario::Scenario;
use midflight::vocabulary::{Invariant, Outcome};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// A small guest, a short link, and room for what follows.
fn scenario(handover: &str, fault: &Fault, link: &Link) -> Arc<Scenario> {
    scenario_with("", handover, fault, link)
}

/// The same with further fields of `pre-copy`, each followed by a comma.
fn scenario_with(extras: &str, handover: &str, fault: &Fault, link: &Link) -> Arc<Scenario> {
    let Link { latency_us, jitter_us, loss_permille, dirty_log, answered_by } = link;
    let ends = ["cut", "silence", "hang", "slow", "degrade", "lose"].iter().any(|word| fault.what.contains(word));
    let lasts = |key: &str| fault.lasts_ms.map_or(String::new(), |ms| format!(r#", "{key}": "{ms} ms""#));
    let lasts = if ends { lasts("lasts") } else { String::new() };
    let again = fault.again_ms.filter(|_| fault.what.contains("crash"));
    let again = again.map_or(String::new(), |ms| format!(r#", "restarts_after": "{ms} ms""#));
    let text = format!(
        r#"{{
          "schema": 1, "why": "random",
          "policy": {{
            "migration": {{"pre-copy": {{{extras}"stop_rule": {{"qemu": {{"downtime_limit": "20 ms"}}}}, "caps": {{"rounds": {{"max": 8, "then": "stop"}}}}}}}},
            "handover": {handover},
            "detector": {{
              "heartbeat": {{"pings": {{"period": "20 ms", "timeout": "50 ms", "misses": 2, "answered_by": "{answered_by}"}}}},
              "transport_error": "at-next-write"
            }}
          }},
          "vms": [{{
            "memory": "8 MiB",
            "workload": {{"classes": [{{"name": "all", "write": "3000 /s", "pattern": {{"uniform": {{}}}}, "zero": "25 %", "delta": "8 B", "compressed": "1/3", "layout": "shuffled"}}]}},
            "output": {{"rate": "3000 /s", "size": "100 B"}}
          }}],
          "network": {{"base": "gige", "latency": "{latency_us} us", "jitter": "{jitter_us} us", "loss": "{loss_permille}/1000",
                       "rto": "30 ms", "give_up": "3 s"}},
          "platform": {{"base": "generic", "dirty_log": "{dirty_log}", "chunk": "16 pages"}},
          "operator": {{"migrate_at": "100 ms"}},
          "horizon": "20 s",
          "faults": [{{"what": {what}, "when": {when}{lasts}{again}}}]
        }}"#,
        what = fault.what,
        when = fault.when.map_or_else(|| format!(r#"{{"at": "{} us"}}"#, fault.at_us), String::from),
    );
    common::parse(&text)
}

#[derive(Debug, Clone)]
struct Fault {
    what: &'static str,
    at_us: u64,
    /// Instead of a time.
    when: Option<&'static str>,
    lasts_ms: Option<u64>,
    /// When what a crash killed starts again.
    again_ms: Option<u64>,
}

#[derive(Debug, Clone)]
struct Link {
    latency_us: u64,
    jitter_us: u64,
    loss_permille: u64,
    dirty_log: &'static str,
    answered_by: &'static str,
}

fn fault() -> impl Strategy<Value = Fault> {
    let what = prop::sample::select(vec![
        r#"{"crash": "source"}"#,
        r#"{"crash": "destination"}"#,
        r#"{"crash-vmm": "source"}"#,
        r#"{"crash-vmm": "destination"}"#,
        r#"{"cut": {}}"#,
        r#"{"cut": {"direction": "one-way"}}"#,
        r#"{"cut": {"from": "destination", "to": "source", "direction": "one-way"}}"#,
        r#"{"reset": {}}"#,
        r#"{"silence": {}}"#,
        r#"{"crash-agent": "source"}"#,
        r#"{"crash-agent": "destination"}"#,
        r#"{"crash-agent": "management"}"#,
        r#"{"hang": {"host": "source"}}"#,
        r#"{"hang": {"vmm": "source"}}"#,
        r#"{"hang": {"agent": "source"}}"#,
        r#"{"hang": {"host": "destination"}}"#,
        r#"{"hang": {"vmm": "destination"}}"#,
        r#"{"hang": {"agent": "destination"}}"#,
        r#"{"slow": {"of": "source", "factor": "30/1"}}"#,
        r#"{"slow": {"of": "destination", "factor": "300/1"}}"#,
        r#"{"degrade": {"rate": "5 %", "latency": "9 ms", "loss": "3 %"}}"#,
        r#"{"degrade-card": {"of": "destination", "rate": "3 %"}}"#,
        r#"{"lose-heartbeats": {}}"#,
        r#"{"lose-heartbeats": {"sent_by": "destination"}}"#,
        r#"{"flap": {"down": "7 ms", "up": "11 ms", "times": 9}}"#,
        r#"{"group": [{"crash-agent": "source"}, {"hang": {"host": "destination"}}]}"#,
        r#"{"group": [{"crash": "destination"}, {"cut": {}}]}"#,
        r#"{"group": [{"hang": {"vmm": "destination"}}, {"hang": {"agent": "destination"}}, {"lose-heartbeats": {}}]}"#,
    ]);
    let when = prop::sample::select(vec![
        r#"{"message": {"kind": "pages", "n": 9}}"#,
        r#"{"message": {"kind": "state", "moment": "sent"}}"#,
        r#"{"message": {"kind": "state", "moment": "before-delivery"}}"#,
        r#"{"message": {"kind": "state", "moment": "after-delivery"}}"#,
        r#"{"message": {"kind": "started", "moment": "sent"}}"#,
        r#"{"message": {"kind": "started", "moment": "before-delivery"}}"#,
        r#"{"message": {"kind": "started", "moment": "after-delivery"}}"#,
        r#"{"outputs": {"n": 700, "stage": "emitted"}}"#,
    ]);
    // The migration takes about 100 to 250 ms from 100 ms on.
    let times = (90_000u64..350_000, prop::option::of(1u64..400), prop::option::of(1u64..400));
    (what, prop::option::of(when), times).prop_map(|(what, when, (at_us, lasts_ms, again_ms))| Fault {
        what,
        at_us,
        when,
        lasts_ms,
        again_ms,
    })
}

fn link() -> impl Strategy<Value = Link> {
    let dirty_log = prop::sample::select(vec!["snapshot", "clear-on-send", "skip-redirtied"]);
    let answered_by = prop::sample::select(vec!["kernel", "vmm", "agent"]);
    let loss = prop::sample::select(vec![0u64, 0, 1, 20]);
    (50u64..8000, prop::sample::select(vec![0u64, 0, 500]), loss, dirty_log, answered_by).prop_map(
        |(latency_us, jitter_us, loss_permille, dirty_log, answered_by)| Link {
            latency_us,
            jitter_us,
            loss_permille,
            dirty_log,
            answered_by,
        },
    )
}

fn config(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(20_261_122), failure_persistence: None, ..Config::default() }
}

fn broken(result: &RunResult) -> Vec<Invariant> {
    result.violations.iter().map(|violation| violation.invariant).collect()
}

proptest! {
    #![proptest_config(config(600))]

    /// One node decides, and it has given up its own right before it lets the other go.
    #[test]
    fn three_phase_never_runs_the_vm_twice(
        fault in fault(),
        link in link(),
        on_silence in prop::sample::select(vec!["resume", "wait", "ask"]),
        destination in prop::sample::select(vec!["wait", "ask"]),
        seed in 0u64..1000,
    ) {
        let handover = format!(
            r#"{{"three-phase": {{"on_silence": "{on_silence}", "destination_on_silence": "{destination}", "ask_period": "40 ms"}}}}"#
        );
        let scenario = scenario(&handover, &fault, &link);
        let result = simulate(&scenario, seed, 0);
        let broken = broken(&result);
        prop_assert!(broken.iter().all(|invariant| *invariant == Invariant::Liveness), "{broken:?}: {:?}", result.violations);
        let possible = [Outcome::Lost, Outcome::Stalled, Outcome::RolledBack, Outcome::Completed, Outcome::Unfinished];
        prop_assert!(possible.contains(&result.outcome), "{}", result.outcome);
        if fault.what.contains("destination\"}") {
            prop_assert!(result.outcome != Outcome::Lost || result.milestones.relinquished.is_some(), "lost before R");
        }
    }

    /// An autostart whose source waits or asks is as safe; it may wait for ever.
    #[test]
    fn a_patient_autostart_never_runs_the_vm_twice(
        fault in fault(),
        link in link(),
        on_silence in prop::sample::select(vec!["wait", "ask"]),
        seed in 0u64..1000,
    ) {
        // A destination that starts again has forgotten that it ran the VM, and says so when it is asked.
        let fault = Fault { again_ms: None, ..fault };
        let handover = format!(r#"{{"autostart": {{"on_silence": "{on_silence}", "ask_period": "40 ms"}}}}"#);
        let result = simulate(&scenario(&handover, &fault, &link), seed, 0);
        let broken = broken(&result);
        prop_assert!(broken.iter().all(|invariant| *invariant == Invariant::Liveness), "{broken:?}: {:?}", result.violations);
    }

    /// An impatient one may run it twice; then too the books balance and no page is stale.
    #[test]
    fn whatever_breaks_the_books_balance(fault in fault(), link in link(), seed in 0u64..1000) {
        let handover = r#"{"autostart": {"on_silence": "resume"}}"#;
        let result = simulate(&scenario(handover, &fault, &link), seed, 0);
        let broken = broken(&result);
        prop_assert!(!broken.contains(&Invariant::Accounting) && !broken.contains(&Invariant::NoStalePage), "{:?}", result.violations);
        prop_assert!((result.outcome == Outcome::SplitBrain) == broken.contains(&Invariant::SingleHistory));
    }
}

proptest! {
    #![proptest_config(config(200))]

    /// How pages travel changes nothing of what arrives.
    #[test]
    fn however_pages_travel_none_is_stale(
        fault in fault(),
        link in link(),
        extras in prop::sample::select(vec![
            r#""xbzrle": {"cache": "8 MiB"}, "#,
            r#""xbzrle": {"cache": "1 MiB"}, "#,
            r#""compression": {}, "#,
            r#""channels": 2, "#,
            r#""channels": 4, "compression": {}, "#,
            r#""channels": 7, "#,
        ]),
        ends in prop::bool::ANY,
        jitter_us in prop::sample::select(vec![0u64, 500, 10_000]),
        seed in 0u64..1000,
    ) {
        // Half of the runs end before their fault, so that many migrations do.
        let fault = if ends { Fault { at_us: 25_000_000, when: None, ..fault } } else { fault };
        let handover = r#"{"three-phase": {"on_silence": "resume", "destination_on_silence": "wait"}}"#;
        let link = Link { jitter_us, ..link };
        let result = simulate(&scenario_with(extras, handover, &fault, &link), seed, 0);
        let broken = broken(&result);
        prop_assert!(broken.iter().all(|invariant| *invariant == Invariant::Liveness), "{broken:?}: {:?}", result.violations);
        let ended = [Outcome::Completed, Outcome::RolledBack].contains(&result.outcome);
        prop_assert!(!ends || ended, "{}", result.outcome);
    }
}

/// A faster link never makes a stop-and-copy slower, nor a larger memory make it faster, and its time is that of its bytes.
#[test]
fn stop_and_copy_takes_the_time_of_its_bytes() {
    let smoke = common::root().join("scenarios/smoke/stop-and-copy.json");
    let time = |rate: u64, mib: u64| {
        let sets =
            [format!("network.rate={rate} Mbit/s"), format!("vms[0].memory={mib} MiB"), "expect.metrics={}".into()];
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let scenario = common::read_with(&smoke, &sets);
        let result = simulate(&scenario, 1, 0);
        let total = result.record.total_migration_time_s.expect("it completes");
        let bytes = result.record.bytes_forward.expect("it sends");
        let wire = scenario.network.rate.time_for(bytes).expect("a rate above 0");
        // Set-up, stop, load, resume, state and latencies: less than 50 ms here; reading overlaps with sending.
        assert!(
            total > wire && total.saturating_sub(wire).ns() < 50_000_000 + total.ns() / 100,
            "{total} for {wire} on the wire"
        );
        total
    };
    for pair in [100, 200, 500, 1000, 2000].windows(2) {
        assert!(time(pair[0], 64) > time(pair[1], 64));
    }
    for pair in [16, 32, 64, 128].windows(2) {
        assert!(time(500, pair[0]) < time(500, pair[1]));
    }
}
