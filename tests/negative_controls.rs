//! Every invariant is seen to bite: in each scenario with a planted defect the one that it names breaks, and without the defect
//! that same one holds. An invariant that nothing breaks would prove nothing by holding.

mod common;

use std::path::PathBuf;
use std::sync::Arc;

use midflight::engine::TieRule;
use midflight::rng::RunSeed;
use midflight::run::{RunResult, simulate, simulate_with};
use midflight::scenario::Scenario;
use midflight::vocabulary::{Defect, Invariant};

/// Invariants that no shipped scenario breaks, with the reason.
const UNPROVEN: &[(Invariant, &str)] = &[];

fn defective() -> Vec<(PathBuf, Arc<Scenario>)> {
    let planted = |(_, scenario): &(PathBuf, Arc<Scenario>)| scenario.defect != Defect::None;
    common::scenarios().into_iter().filter(planted).collect()
}

fn broke(result: &RunResult, invariant: Invariant) -> bool {
    result.violations.iter().any(|violation| violation.invariant == invariant)
}

fn named(scenario: &Scenario) -> Invariant {
    scenario.verdict.must_violate.expect("a defect is only read beside it")
}

#[test]
fn each_defect_is_caught_by_the_invariant_that_its_scenario_names() {
    for (path, scenario) in defective() {
        for seed in 1..4 {
            let result = simulate(&scenario, seed, 0);
            assert!(broke(&result, named(&scenario)), "{}, seed {seed}: {:?}", path.display(), result.violations);
        }
        let seed = RunSeed { seed: scenario.seed, replication: 0 };
        let result = simulate_with(&scenario, seed, TieRule::LastScheduled, &mut []);
        assert!(broke(&result, named(&scenario)), "{}: {:?}", path.display(), result.violations);
    }
}

/// What a scenario waives is what its defect does beside, not what happens anyway.
#[test]
fn without_its_defect_each_of_them_keeps_all_invariants() {
    for (path, _) in defective() {
        let scenario = common::read_with(&path, &["defect=none"]);
        for seed in 1..4 {
            let result = simulate(&scenario, seed, 0);
            assert!(result.violations.is_empty(), "{}, seed {seed}: {:?}", path.display(), result.violations);
            assert!(
                result.record.invariants_checked.split(' ').any(|checked| checked == named(&scenario).as_str()),
                "{}: {} is not even checked",
                path.display(),
                named(&scenario)
            );
        }
    }
}

#[test]
fn every_defect_is_planted_somewhere() {
    let scenarios = defective();
    for defect in Defect::ALL.iter().filter(|defect| **defect != Defect::None) {
        let files: Vec<_> = scenarios.iter().filter(|(_, scenario)| scenario.defect == *defect).collect();
        assert!(!files.is_empty(), "no scenario plants {defect}");
        let name = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == format!("defect-{defect}").as_str());
        assert!(files.iter().any(|(path, _)| name(path)), "no scenario is named defect-{defect}");
    }
}

#[test]
fn every_invariant_is_broken_by_a_defect() {
    let scenarios = defective();
    for invariant in Invariant::ALL {
        let proven = scenarios.iter().any(|(_, scenario)| named(scenario) == *invariant);
        let excused = UNPROVEN.iter().find(|(unproven, _)| unproven == invariant);
        match excused {
            None => assert!(proven, "no planted defect breaks {invariant}"),
            Some((_, why)) => assert!(!proven, "{invariant} is broken by a defect, and excused: {why}"),
        }
    }
}

/// A run with a defect is as repeatable as any, and differs from the run without.
#[test]
fn a_defect_is_deterministic_and_is_felt() {
    for (path, scenario) in defective() {
        let print = |scenario: &Arc<Scenario>| simulate(scenario, scenario.seed, 0).record.fingerprint;
        let sound = Arc::new(Scenario { defect: Defect::None, ..(*scenario).clone() });
        assert_eq!(print(&scenario), print(&scenario), "{}", path.display());
        let events = |scenario: &Arc<Scenario>| simulate(scenario, scenario.seed, 0).log;
        assert_ne!(events(&scenario), events(&sound), "{}: the defect changes nothing", path.display());
    }
}
