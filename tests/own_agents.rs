//! Agents that are not shipped, as `examples/custom_policy.rs` hands them in: judged, compared and named like the shipped ones.

mod common;
#[path = "../examples/custom_policy.rs"]
mod custom_policy;

use std::sync::Arc;

use common::root;
use midflight::check::{Plan, Shows, check, shrink};
use midflight::rng::RunSeed;
use midflight::run::simulate;
use midflight::scenario::{LoadOptions, Scenario, load, load_text, print_json};
use midflight::world::World;

fn read(sets: &[&str]) -> Result<Arc<Scenario>, String> {
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    let agents = custom_policy::agents();
    let options = LoadOptions { sets: &sets, agents: &agents, ..LoadOptions::default() };
    let file = root().join("examples/custom_policy.json");
    load(&file, &options).map(Arc::new).map_err(|error| error.to_string())
}

#[test]
fn a_sound_one_keeps_what_is_claimed_and_an_eager_one_is_caught() {
    let checked = check(&read(&[]).expect("it is good"), &Plan::QUICK, &());
    assert!(checked.is_good(), "{:#?}", checked.findings);
    assert!(checked.weak.is_empty(), "it shows all: {:?}", checked.weak);

    let eager = check(&read(&["agents.destination=eager"]).expect("it is good"), &Plan::QUICK, &());
    let shows = Shows::Broken("invariant:recoverable".into());
    let found = eager.findings.iter().find(|finding| finding.broken.class == "invariant:recoverable");
    let capsule = shrink(&eager.scenario, &found.expect("it is caught").probe, &shows).expect("it shows that");
    let text = print_json(&capsule, &[]);
    let agents = custom_policy::agents();
    let again =
        load_text("capsule", &text, &LoadOptions { agents: &agents, ..LoadOptions::default() }).expect("it is read");
    let result = simulate(&Arc::new(again), capsule.seed, 0);
    assert_eq!(result.record.fingerprint, capsule.capsule.expect("what it shows").fingerprint);
    // Who has not got the agent is told so, not shown another run.
    let refused = load_text("capsule", &text, &LoadOptions::default()).expect_err("there is no such agent").to_string();
    assert!(refused.contains("no agents but those that are shipped"), "{refused}");
}

#[test]
fn it_does_something_else_than_the_shipped_one() {
    let versions = |sets: &[&str]| {
        let scenario = read(sets).expect("it is good");
        simulate(&scenario, scenario.seed, 0).record.checkpoints_committed.expect("there are some")
    };
    let shipped = versions(&["agents={}"]);
    assert!(versions(&[]) > shipped, "it makes checkpoints more often: {shipped}");
}

#[test]
fn worlds_with_it_are_compared_and_copied_like_any() {
    let world = |sets: &[&str]| World::new(read(sets).expect("it is good"), RunSeed { seed: 1, replication: 0 });
    let mut one = world(&[]);
    assert_eq!(one, one.clone());
    let (event, _) = one.enabled().next().expect("it begins");
    let before = one.clone();
    one.apply(event).expect("it is pending");
    assert_ne!(one, before);
    assert_ne!(world(&[]), world(&["agents.destination=eager"]));
}

#[test]
fn a_defect_can_be_planted_in_it() {
    let crash = r#"faults=[{"what": {"crash": "destination"}, "when": {"at": "31 ms"}}]"#;
    let planted = ["tolerates=[]", "expect={}", "must_violate=output-commit", "defect=release-early", crash];
    let checked = check(&read(&planted).expect("it is good"), &Plan::QUICK, &());
    assert!(checked.must_violate.as_ref().is_some_and(|(_, probe)| probe.is_some()), "{:?}", checked.findings);
}

#[test]
fn a_wrong_name_is_refused_with_the_right_one() {
    for (name, expected) in [("adaptve", "did you mean `adaptive`?"), ("", "there is no agent ``")] {
        let refused = read(&[&format!("agents.destination=\"{name}\"")]).expect_err("there is no such agent");
        assert!(refused.contains(expected), "{refused}");
    }
}
