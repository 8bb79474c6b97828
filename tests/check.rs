//! The checker: it finds what is wrong and nothing where nothing is, and hands over what repeats it.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use midflight::check::{Checked, Plan, Shows, Watch, check, predicted, replay, shrink};
use midflight::report::{Checks, json_checks, junit_checks};
use midflight::run::simulate;
use midflight::scenario::{LoadOptions, Scenario, load_text, print_json};
use midflight::units::Span;
use midflight::vocabulary::Invariant;

/// Whoever stops after so many runs.
struct Impatient(std::sync::atomic::AtomicU64);

impl Watch for Impatient {
    fn planned(&self, _: u64) {}
    fn done(&self) {
        self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
    fn stops(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed) < 100
    }
}

/// Few runs.
const PLAN: Plan = Plan { events: 400_000, ..Plan::QUICK };

fn proof(name: &str, sets: &[&str]) -> Arc<Scenario> {
    common::read_with(&common::root().join(format!("scenarios/proofs/{name}.json")), sets)
}

fn checked(scenario: &Arc<Scenario>) -> Checked {
    check(scenario, &PLAN, &())
}

/// Published designs and ours: what the claim lacks is found, with its invariant, and nothing once it is mended.
#[test]
fn a_gap_is_found_and_its_remedy_is_not() {
    let rows: &[(&str, &[&str], Option<Invariant>)] = &[
        ("postcopyft-source", &[], None),
        ("postcopyft-source", &["policy.checkpoint.local_claim=false"], Some(Invariant::SingleHistory)),
        ("postcopyft-source", &["policy.ending=unilateral"], Some(Invariant::OutputCommit)),
        ("postcopyft-staging-claim", &[], None),
        ("postcopyft-staging-claim", &["policy.fencing={\"none\": {}}"], Some(Invariant::SingleHistory)),
        ("postcopyft-staging-lease", &[], None),
        ("postcopyft-disk", &[], None),
        ("postcopyft-disk", &["policy.checkpoint.buffer=network"], Some(Invariant::ConsistentRecovery)),
    ];
    for (name, sets, expected) in rows {
        let checked = checked(&proof(name, sets));
        let found: Vec<&str> = checked.findings.iter().map(|finding| finding.broken.class.as_str()).collect();
        match expected {
            None => assert!(checked.is_good(), "{name} {sets:?}: {found:?} {:?}", checked.never_fired),
            Some(invariant) => {
                assert!(found.contains(&format!("invariant:{invariant}").as_str()), "{name} {sets:?}: {found:?}");
            }
        }
        assert!(checked.claims.iter().all(|(_, runs, _)| *runs > 0), "{name}: {:?}", checked.claims);
        assert!(checked.weak.is_empty(), "{name}: {:?}", checked.weak);
    }
}

/// Green means something: what must be caught and is not, a fault that strikes nowhere, and a run that shows little are told.
#[test]
fn a_control_that_is_not_caught_and_a_fault_that_never_strikes_are_no_success() {
    let nothing = ["tolerates=[\"destination-crash\"]", "must_violate=single-history", "expect={}"];
    let uncaught = checked(&proof("postcopyft-source", &nothing));
    assert_eq!(uncaught.must_violate.as_ref().map(|(_, probe)| probe.is_some()), Some(false));
    assert!(!uncaught.is_good());
    // So small that it is over before any version is complete.
    let early = ["tolerates=[\"store-loss\"]", "vms[0].memory=512 KiB", "vms[0].workload.classes[0].size=64 KiB"];
    let idle = checked(&proof("postcopyft-source", &early));
    assert_eq!((idle.never_fired.clone(), idle.is_good()), (vec!["lose-version".to_owned()], false));
    assert!(idle.weak.iter().any(|what| what.contains("three versions")), "{:?}", idle.weak);
}

fn only(checked: Checked) -> Checks {
    Checks { checked: vec![(checked, "midflight check it".into())], replayed: Vec::new() }
}

#[test]
fn what_is_found_does_not_depend_on_threads_or_the_horizon() {
    let scenario = proof("postcopyft-source", &["policy.checkpoint.local_claim=false"]);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| json_checks(&only(checked(&scenario))))
    };
    assert_eq!(on(1), on(4));
    for sets in [&[][..], &["policy.checkpoint.local_claim=false"]] {
        let scenario = proof("postcopyft-source", sets);
        let mut longer = scenario.as_ref().clone();
        longer.horizon = Span::from_ns(scenario.horizon.ns() * 2);
        let classes = |checked: &Checked| {
            let classes = checked.findings.iter().map(|finding| (finding.broken.class.clone(), finding.times));
            classes.collect::<Vec<_>>()
        };
        assert_eq!(classes(&checked(&scenario)), classes(&checked(&Arc::new(longer))), "{sets:?}");
    }
}

/// A capsule is read back, repeats what it says, and cannot be made smaller.
#[test]
fn a_capsule_repeats_what_was_found() {
    let scenario = proof("postcopyft-source", &["policy.checkpoint.local_claim=false", "vms[0].memory=24 MiB"]);
    let checked = checked(&scenario);
    let history = "invariant:single-history";
    let finding = checked.findings.iter().find(|finding| finding.broken.class == history).expect("it is found");
    let shows = Shows::Broken(history.into());
    let capsule = shrink(&checked.scenario, &finding.probe, &shows).expect("it shows it");
    assert!(capsule.vms[0].memory < scenario.vms[0].memory, "{}", capsule.vms[0].memory);
    assert_eq!(capsule.faults.len(), 1);
    let read = load_text("capsule", &print_json(&capsule, &[]), &LoadOptions::default()).expect("it is a scenario");
    let said = read.capsule.clone().expect("it says what it shows");
    let seed = read.seed;
    let read = Arc::new(read);
    let again = simulate(&read, seed, 0);
    assert_eq!(again.record.fingerprint, said.fingerprint);
    assert!(again.violations.iter().map(|v| v.invariant).eq(said.violates.iter().copied()));
    let mut probe = finding.probe.clone();
    (probe.faults, probe.late) = (capsule.faults.clone(), capsule.late);
    let twice = shrink(&read, &probe, &shows).expect("it still shows it");
    assert_eq!(
        (&twice.faults, &twice.vms, twice.capsule.map(|c| c.fingerprint)),
        (&capsule.faults, &capsule.vms, Some(said.fingerprint))
    );
}

/// Random trials find nothing where the enumeration finds nothing, and no invariant broken that it has not seen broken.
#[test]
fn a_swarm_finds_nothing_new() {
    for (sets, clean) in [(&[][..], true), (&["policy.checkpoint.local_claim=false"], false)] {
        let plan = Plan { events: 2_000_000, swarm: 300, ..PLAN };
        let checked = check(&proof("postcopyft-source", sets), &plan, &());
        let classes = |random: bool| {
            let of = checked.findings.iter().filter(|f| f.probe.kind.starts_with("at random") == random);
            of.map(|finding| finding.broken.class.clone()).collect::<BTreeSet<_>>()
        };
        let (random, enumerated) = (classes(true), classes(false));
        assert!(random.is_subset(&enumerated), "{random:?} and {enumerated:?}");
        assert_eq!(checked.is_good(), clean);
    }
}

#[test]
fn what_had_been_seen_is_kept_when_it_is_stopped() {
    let scenario = proof("postcopyft-source", &[]);
    let stopped = check(&scenario, &PLAN, &Impatient(200.into()));
    assert!(!stopped.is_whole() && stopped.runs.0 >= 50 && stopped.is_good(), "{:?}", stopped.runs);
    let whole = checked(&scenario);
    assert!(whole.is_whole());
    let about = predicted(&scenario, &PLAN);
    assert!(about > whole.runs.1 / 2 && about < whole.runs.1 * 2, "{about} are no {:?}", whole.runs);
}

#[test]
fn junit_has_a_case_for_each_claim_and_the_command_that_repeats() {
    let scenario = proof("postcopyft-source", &["policy.checkpoint.local_claim=false"]);
    let text = junit_checks(&only(checked(&scenario)));
    for part in
        ["<testsuite name=\"postcopyft-source\"", "tolerates link-outage", "<failure", "again: midflight check it"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// What is known to be wrong with a published design, and stays as it was found.
#[test]
fn every_capsule_repeats_what_it_says() {
    let files = common::files("scenarios/capsules", ".json");
    assert!(files.len() >= 5, "only {}", files.len());
    for file in files {
        let scenario = common::read(&file);
        let (_, replayed) = replay(&scenario).unwrap_or_else(|| panic!("{} is no capsule", file.display()));
        assert_eq!(replayed.difference, None, "{}", file.display());
    }
}
