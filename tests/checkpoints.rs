//! Laws of checkpoints over random small scenarios: whatever breaks once, the outside sees one history, a restore is exactly a
//! state the guest was in and the newest that was promised, and a single fault of a claimed class loses nothing.

mod common;

use std::sync::Arc;

use midflight::run::simulate;
use midflight::scenario::Scenario;
use midflight::vocabulary::{Invariant, Outcome};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

#[derive(Debug, Clone)]
struct Case {
    migration: &'static str,
    direction: &'static str,
    store: &'static str,
    trigger: String,
    stages: &'static str,
    ending: &'static str,
    fencing: &'static str,
    on_store_loss: &'static str,
    vcpus: u64,
    accesses: (u64, u64),
    arrived: &'static str,
    jitter_us: u64,
    loss_permille: u64,
    flow: &'static str,
}

const POST_COPY: &str = r#"{"post-copy": {}}"#;
const PREEMPT: &str = r#"{"post-copy": {"preempt": true, "max_bandwidth": "40 MB/s"}}"#;
const HYBRID: &str =
    r#"{"hybrid": {"pre_copy": {"stop_rule": {"qemu": {"downtime_limit": "2 ms"}}}, "switch": {"time": "20 ms"}}}"#;

fn case() -> impl Strategy<Value = Case> {
    let one = |words: &'static [&'static str]| prop::sample::select(words);
    let place = prop_oneof![
        3 => Just(("reverse", "source")),
        3 => Just(("reverse", "staging")),
        2 => Just(("both", "staging")),
    ];
    let trigger = prop_oneof![
        (100u64..20_000).prop_map(|us| format!(r#"{{"periodic": {{"interval": "{us} us"}}}}"#)),
        (100u64..20_000).prop_map(|us| format!(r#"{{"periodic": {{"interval": "{us} us", "period": "max"}}}}"#)),
        Just(r#"{"output": {}}"#.to_string()),
    ];
    let how = (one(&[POST_COPY, PREEMPT, HYBRID]), place, trigger, one(&["one", "two"]));
    let end = (
        one(&["handshake", "arbiter"]),
        one(&[
            r#"{"store-claim": {}}"#,
            r#"{"lease": {"term": "60 ms", "margin": "5 ms"}}"#,
            r#"{"stonith": {"takes": "30 ms"}}"#,
        ]),
        one(&["hold", "degrade"]),
    );
    let guest = (1u64..4, (0u64..20_000, 0u64..20_000), one(&["clean", "dirty"]), one(&["open", "closed"]));
    let link = (one(&["0", "0", "300"]), one(&["0", "0", "5"]));
    (how, end, guest, link).prop_map(|(how, end, guest, link)| Case {
        migration: how.0,
        direction: how.1.0,
        store: how.1.1,
        trigger: how.2,
        stages: how.3,
        // An arbiter is a third host.
        ending: if how.1.1 == "staging" { end.0 } else { "handshake" },
        fencing: end.1,
        on_store_loss: end.2,
        vcpus: guest.0,
        accesses: guest.1,
        arrived: guest.2,
        jitter_us: link.0.parse().expect("a number"),
        loss_permille: link.1.parse().expect("a number"),
        flow: guest.3,
    })
}

fn scenario(case: &Case, more: &str) -> Arc<Scenario> {
    common::parse(&text(case, more))
}

/// The scenario as one would type it; it stands in what a failure prints.
fn text(case: &Case, more: &str) -> String {
    format!(
        r#"{{
          "schema": 1, "why": "random",
          "policy": {{
            "migration": {migration},
            "checkpoint": {{
              "direction": "{direction}", "store": {{"on": "{store}"}}, "trigger": {trigger}, "stages": "{stages}",
              "on_store_loss": "{loss}", "store_timeout": "100 ms", "restore_retry": "50 ms"
            }},
            "ending": "{ending}", "fencing": {fencing},
            "detector": {{"heartbeat": {{"pings": {{"period": "20 ms", "timeout": "60 ms", "misses": 2}}}},
                          "transport_error": "at-once"}}
          }},
          "vms": [{{
            "memory": "8 MiB", "vcpus": {vcpus},
            "workload": {{"classes": [
              {{"name": "some", "size": "2 MiB", "write": "{write} /s", "read": "{read} /s"}},
              {{"name": "all", "write": "1000 /s", "read": "500 /s", "zero": "25 %", "layout": "shuffled"}}
            ]}},
            "output": {{"rate": "500 /s", "size": "100 B", "flow": {{"{flow}": {{}}}}}}
          }}],
          "network": {{"base": "gige", "jitter": "{jitter} us", "loss": "{packets}/1000", "rto": "30 ms", "give_up": "3 s"}},
          "platform": {{"base": "generic", "chunk": "16 pages", "suspend": "50 us", "unsuspend": "50 us",
                        "arrived_pages": "{arrived}"}},
          "operator": {{"migrate_at": "100 ms"}},
          "horizon": "20 s"{more}
        }}"#,
        migration = case.migration,
        direction = case.direction,
        store = case.store,
        trigger = case.trigger,
        stages = case.stages,
        loss = case.on_store_loss,
        ending = case.ending,
        fencing = case.fencing,
        vcpus = case.vcpus,
        write = case.accesses.0,
        read = case.accesses.1,
        flow = case.flow,
        jitter = case.jitter_us,
        packets = case.loss_permille,
        arrived = case.arrived,
    )
}

fn fault() -> impl Strategy<Value = String> {
    let what = prop::sample::select(vec![
        r#""what": {"crash": "source"}"#,
        r#""what": {"crash": "destination"}"#,
        r#""what": {"crash-vmm": "destination"}"#,
        r#""what": {"crash": "staging"}"#,
        r#""what": {"reset": {}}"#,
        r#""what": {"cut": {}}"#,
        r#""what": {"cut": {}}, "lasts": "40 ms""#,
        r#""what": {"cut": {}}, "lasts": "400 ms""#,
        r#""what": {"cut": {"direction": "one-way"}}, "lasts": "400 ms""#,
        r#""what": {"cut": {"from": "destination", "to": "source", "direction": "one-way"}}, "lasts": "400 ms""#,
        r#""what": {"cut": {"from": "destination", "to": "staging"}}, "lasts": "400 ms""#,
        r#""what": {"cut": {"from": "source", "to": "staging"}}, "lasts": "400 ms""#,
        r#""what": {"silence": {}}, "lasts": "400 ms""#,
    ]);
    (what, 95_000u64..500_000).prop_map(|(what, at)| format!(r#"{{{what}, "when": {{"at": "{at} us"}}}}"#))
}

/// What can befall a store alone, whose host lives on.
fn store_fault() -> impl Strategy<Value = String> {
    let what = prop::sample::select(vec![
        r#""what": {"hang-store": {}}, "lasts": "40 ms""#,
        r#""what": {"hang-store": {}}, "lasts": "300 ms""#,
        r#""what": {"slow-store": {"factor": "3000 %"}}, "lasts": "300 ms""#,
        r#""what": {"slow-store": {"factor": "100000 %"}}, "lasts": "300 ms""#,
        r#""what": {"fill-store": {}}, "lasts": "40 ms""#,
        r#""what": {"fill-store": {}}, "lasts": "300 ms""#,
        r#""what": {"lose-version": {}}"#,
        r#""what": {"tear-version": {}}"#,
    ]);
    (what, 95_000u64..500_000).prop_map(|(what, at)| format!(r#"{{{what}, "when": {{"at": "{at} us"}}}}"#))
}

fn store_death() -> impl Strategy<Value = String> {
    let what = prop::sample::select(vec![
        r#""what": {"crash-store": {}}"#,
        r#""what": {"crash-store": {}}, "restarts_after": "5 ms""#,
        r#""what": {"crash-store": {}}, "restarts_after": "100 ms""#,
    ]);
    (what, 95_000u64..500_000).prop_map(|(what, at)| format!(r#"{{{what}, "when": {{"at": "{at} us"}}}}"#))
}

fn host_death() -> impl Strategy<Value = String> {
    let what = prop::sample::select(vec![
        r#""what": {"crash": "source"}"#,
        r#""what": {"crash": "destination"}"#,
        r#""what": {"crash-vmm": "destination"}"#,
    ]);
    (what, 95_000u64..500_000).prop_map(|(what, at)| format!(r#"{{{what}, "when": {{"at": "{at} us"}}}}"#))
}

fn config(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(20_261_125), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config(300))]

    /// Without a fault the VM ends at the destination, and all that it sent gets out.
    #[test]
    fn a_protected_migration_completes(case in case(), seed in 0u64..1000) {
        let result = simulate(&scenario(&case, ""), seed, 0);
        prop_assert_eq!(&result.violations, &[]);
        prop_assert_eq!(result.outcome, Outcome::Completed, "{}", text(&case, ""));
        prop_assert_eq!(result.record.outputs_discarded, Some(0), "{}", text(&case, ""));
    }

    /// Whatever breaks once: one history, restores of exactly what was promised, no page stale, books that balance.
    #[test]
    fn whatever_breaks_the_outside_sees_one_history(case in case(), fault in fault(), seed in 0u64..1000) {
        let more = format!(r#", "faults": [{fault}]"#);
        let result = simulate(&scenario(&case, &more), seed, 0);
        // Without a lease or a power switch a superseded copy runs on until it hears so, and a cut may leave a copy mute.
        let claims_one = case.fencing.contains("lease") || case.fencing.contains("stonith");
        let excused = |i: &Invariant| *i == Invariant::Liveness || (*i == Invariant::SingleExecution && !claims_one);
        let broken: Vec<_> = result.violations.iter().filter(|violation| !excused(&violation.invariant)).collect();
        prop_assert!(broken.is_empty(), "{}: {broken:?}\n{}", result.outcome, text(&case, &more));
        let dead = fault.contains("crash\": \"source") || fault.contains("crash\": \"destination") || fault.contains("vmm");
        prop_assert!(dead || result.outcome != Outcome::Lost, "nothing died, and the VM is lost: {}", text(&case, &more));
    }

    /// A store that fails for a time, or loses a version, harms nobody as long as nothing else fails.
    #[test]
    fn a_store_may_fail_alone(case in case(), fault in store_fault(), seed in 0u64..1000) {
        let more = format!(r#", "faults": [{fault}]"#);
        let result = simulate(&scenario(&case, &more), seed, 0);
        prop_assert_eq!(&result.violations, &[], "{}", text(&case, &more));
        let well = matches!(result.outcome, Outcome::Completed | Outcome::Recovered | Outcome::RolledBack);
        prop_assert!(well, "{}: {}", result.outcome, text(&case, &more));
    }

    /// Whatever befalls the store beside another fault: the VM may be lost, and clients never meet one that does not remember what it
    /// has said. (A store in memory forgets claims when it dies, so what died beside it must be dead:
    /// scenarios/must-violate/store-restart-forgets-claim.json.)
    #[test]
    fn a_store_promises_no_more_than_it_can_read(
        case in case(),
        faults in prop_oneof![(store_fault().boxed(), fault().boxed()), (store_death().boxed(), host_death().boxed())],
        seed in 0u64..1000,
    ) {
        let more = format!(r#", "faults": [{}, {}]"#, faults.0, faults.1);
        let result = simulate(&scenario(&case, &more), seed, 0);
        let claims_one = case.fencing.contains("lease") || case.fencing.contains("stonith");
        let excused = |i: &Invariant| *i == Invariant::Liveness || (*i == Invariant::SingleExecution && !claims_one);
        let broken: Vec<_> = result.violations.iter().filter(|violation| !excused(&violation.invariant)).collect();
        prop_assert!(broken.is_empty(), "{}: {broken:?}\n{}", result.outcome, text(&case, &more));
    }

    /// A destination that dies before the source gives up its right to restore takes nothing with it.
    #[test]
    fn a_destination_may_die_at_any_time_before_r(case in case(), at in 95_000u64..500_000, seed in 0u64..1000) {
        let more = format!(
            r#", "faults": [{{"what": {{"crash": "destination"}}, "when": {{"at": "{at} us"}}}}], "tolerates": ["destination-crash"]"#
        );
        let result = simulate(&scenario(&case, &more), seed, 0);
        let excused = |class: &str| class == "liveness";
        let short: Vec<_> = result.judgement.shortfalls.iter().filter(|s| !excused(&s.class)).collect();
        prop_assert!(short.is_empty(), "{}: {short:?}\n{}", result.outcome, text(&case, &more));
    }
}
