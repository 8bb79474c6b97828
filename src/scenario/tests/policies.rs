//! Policies by name: fields, settings that reach into them, and the claims that come with them.

use super::{GOOD, read, read_with};
use crate::scenario::policy::{Fencing, Period, Save, SaveRule, Trigger};
use crate::scenario::{Scenario, print_json};
use crate::units::Span;
use crate::vocabulary::{FaultClass, Host, Invariant};

fn under(policy: &str) -> String {
    GOOD.replace("{ \"migration\": { \"pre-copy\": {} } }", policy)
}

fn good(text: &str, sets: &[&str]) -> Scenario {
    read_with(text, sets).unwrap_or_else(|error| panic!("{error}"))
}

fn trigger(scenario: &Scenario) -> Trigger {
    scenario.policy.checkpoint.as_ref().expect("it has checkpoints").trigger
}

#[test]
fn a_name_stands_for_its_file_and_its_bases() {
    let scenario = good(&under("\"postcopyft-event-staging\""), &[]);
    let checkpoint = scenario.policy.checkpoint.as_ref().expect("it has checkpoints");
    assert_eq!((checkpoint.trigger, checkpoint.store.host), (Trigger::Output, Host::Staging));
    assert!(scenario.policy.migration.post_copy().is_some(), "of the base's base");
    let scenario = good(&under("{\"base\": \"postcopyft-leased\", \"migration\": {\"hybrid\": {}}}"), &[]);
    assert!(scenario.policy.migration.pre_copy().is_some());
    assert!(matches!(scenario.policy.fencing, Fencing::Lease(lease) if lease.term == Span::from_ms(500)));
}

#[test]
fn settings_reach_into_a_policy_that_is_named() {
    let named = under("\"postcopyft-periodic-source\"");
    assert_eq!(trigger(&good(&named, &["policy.checkpoint.trigger={\"output\": {}}"])), Trigger::Output);
    let slower = good(&named, &["policy.checkpoint.trigger.periodic.interval=10 ms"]);
    assert_eq!(trigger(&slower), Trigger::Periodic { interval: Span::from_ms(10), period: Period::Gap });
    assert!(slower.policy.checkpoint.expect("all else stays").local_claim);
    let based = under("{\"base\": \"postcopyft-leased\"}");
    let longer = good(&based, &["policy.fencing.lease.term=2 s"]);
    assert!(matches!(longer.policy.fencing, Fencing::Lease(lease) if lease.term == Span::from_s(2)));
}

#[test]
fn claims_come_with_the_policy_unless_the_scenario_makes_its_own() {
    let named = under("\"postcopyft-periodic-source\"");
    let with = |more: &str| good(&named.replace("\"gige\"", &format!("\"gige\", {more}")), &[]).verdict;
    let verdict = good(&named, &[]).verdict;
    assert!(verdict.tolerates.contains(&FaultClass::Partition));
    assert_eq!(verdict.waives[0].invariant, Invariant::SingleExecution);
    assert!(with("\"tolerates\": []").tolerates.is_empty());
    assert!(with("\"waives\": []").waives.is_empty());
    let must = with("\"must_violate\": \"single-execution\"");
    assert!(must.waives.is_empty(), "what must be violated is not waived");
    let scenario = good(&named, &[]);
    assert_eq!(read(&print_json(&scenario, &[])).expect("what is printed is good").verdict, scenario.verdict);
}

fn file(how: &str) -> String {
    let buffer = if how.contains("buffer") { "" } else { r#""buffer": "none", "# };
    format!(r#"{{"migration": {{"none": {{}}}}, "checkpoint": {{"direction": "forward", {buffer}{how}}}}}"#)
}

#[test]
fn a_save_is_to_a_file_at_the_destination_once() {
    let sets = &["platform={\"base\": \"generic\", \"file_page\": \"4 us\"}"];
    let scenario = good(&under(&file(r#""save": {"stopped": {}}"#)), sets);
    let checkpoint = scenario.policy.checkpoint.expect("it has checkpoints");
    assert_eq!((checkpoint.trigger, checkpoint.store.host), (Trigger::Once, Host::Destination));
    let rule = SaveRule { downtime_limit: Span::from_ms(300), max_bandwidth: None };
    assert!(checkpoint.to_file() && checkpoint.save == Some(Save::Stopped(rule)));
}

#[test]
fn wrong_policies_are_drawn_where_they_stand() {
    let cases: &[(&str, &[&str])] = &[
        (
            "\"postcopyft-leasd\"",
            &["t.json:4:13", "there is no policy `postcopyft-leasd`", "did you mean `postcopyft-leased`?"],
        ),
        ("{}", &["t.json:4:13", "the policy has no `migration`", "a `base` that has it: checkpoint-restart, "]),
        ("{\"base\": \"remus\", \"tolerates\": []}", &["policy.tolerates", "unknown key `tolerates`"]),
        ("{\"base\": \"remus\", \"ending\": \"arbiter\"}", &["policy.ending: an arbiter is a store on a third host"]),
        ("{\"base\": \"post-copy\", \"fencing\": {\"lease\": {}}}", &["policy.fencing: nothing is ever restored"]),
        ("\"checkpoint-restart\"", &["checkpoint-restart.json", "checkpoint.store.medium: the platform does not say"]),
        ("\"qemu-file\"", &["qemu-file.json", "what a page in a file costs", "what a page of a snapshot costs"]),
        (
            &file(r#""store": {"medium": "file"}"#),
            &["policy.checkpoint.store.medium: nothing says how the VM is saved"],
        ),
        (&file(r#""save": {"live": {}}, "stages": "two""#), &["policy.checkpoint.stages", "leave `stages` out"]),
        (
            &file(r#""save": {"stopped": {}}, "store": {"on": "staging", "medium": "disk"}"#),
            &["policy.checkpoint.store.medium: a VM is saved to a `file`"],
        ),
        (
            &file(r#""save": {"background": {}}, "store": {"on": "staging"}, "buffer": "network""#),
            &["a file is where it is loaded", "no output is held for a file", "give `\"none\"`"],
        ),
        (&file(r#""save": {"live": {"max_bandwidth": "0 B/s"}}"#), &["policy.checkpoint.save.live.max_bandwidth"]),
    ];
    for (policy, parts) in cases {
        let error = read(&under(policy)).expect_err(policy).to_string();
        for part in *parts {
            assert!(error.contains(part), "{policy}\nwants: {part}\ngot:\n{error}");
        }
    }
}
