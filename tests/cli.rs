//! The program as its user runs it: exit statuses, streams, errors at their place.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{Ran, root};

fn midflight(arguments: &[&str]) -> Ran {
    common::midflight(arguments, &[])
}

/// A file in a folder of this test's own.
fn file(name: &str, content: &[u8]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli");
    fs::create_dir_all(&folder).expect("a writable target folder");
    let path = folder.join(name);
    fs::write(&path, content).expect("writable");
    path
}

const SMOKE: &str = "scenarios/smoke/stop-and-copy.json";

fn changed(name: &str, from: &str, to: &str) -> PathBuf {
    let good = fs::read_to_string(root().join(SMOKE)).expect("shipped");
    assert!(good.contains(from), "{from}");
    file(name, good.replacen(from, to, 1).as_bytes())
}

#[test]
fn every_kind_of_bad_input_is_refused_at_its_place() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli/folder.json");
    fs::create_dir_all(&folder).expect("writable");
    let garbage: Vec<u8> = (0..2000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0]).collect();
    let cases: Vec<(PathBuf, &[&str])> = vec![
        (
            changed("misspelt.json", "\"memory\"", "\"memroy\""),
            &["misspelt.json:12:7", "vms[0].memroy", "did you mean `memory`"],
        ),
        (changed("bare.json", "\"1 GiB\"", "1024"), &["bare.json:12:17", "vms[0].memory", "has no unit"]),
        (
            changed("missing.json", "\"gige\"", "\"gigee\""),
            &["missing.json:20:14", "no network `gigee`", "did you mean `gige`"],
        ),
        (changed("negative.json", "\"1 GiB\"", "\"-1 GiB\""), &["negative.json:12:17", "is negative"]),
        (
            changed("duplicate.json", "\"schema\": 1,", "\"schema\": 1, \"schema\": 1,"),
            &["duplicate.json:3:16", "twice"],
        ),
        (file("garbage.json", &garbage), &["garbage.json:1:"]),
        (file("deep.json", "[".repeat(200_000).as_bytes()), &["deep.json:1:128", "nested"]),
        (file("empty.json", b""), &["empty.json", "is empty"]),
        (folder, &["folder.json", "is a folder"]),
        (file("empty.json", b"").with_file_name("nothere.json"), &["nothere.json", "cannot be read"]),
    ];
    for (path, parts) in cases {
        let ran = midflight(&["run", path.to_str().expect("UTF-8")]);
        assert_eq!(ran.status, 2, "{}: {}", path.display(), ran.err);
        assert!(ran.out.is_empty(), "{}: {}", path.display(), ran.out);
        for part in parts {
            assert!(ran.err.contains(part), "{}: {part} not in\n{}", path.display(), ran.err);
        }
    }
}

/// Found by fuzzing: what would overflow, never end, or starve every heartbeat is refused where it is typed.
#[test]
fn numbers_that_cannot_be_simulated_are_refused() {
    let cases = [
        ("vms[0].memory=8 TiB", "at most 1073741824 pages"),
        ("vms[0].output.rate=100000 /ms", "one by one"),
        ("vms[0].output.size=1 GiB", "16 MiB"),
        ("platform.zero_page=9 kB", "a chunk of 64 pages"),
        ("platform.chunk=128 pages", "a chunk of 128 pages"),
        ("platform.message=17 MiB", "more than 16 MiB"),
        (r#"vms[0].workload={"classes": [{"name": "a", "write": "101 /us"}]}"#, "one by one"),
        (
            r#"vms[0].workload={"classes": [{"name": "a", "write": "1 /s", "zero": "1/18446744073709551557"}]}"#,
            "too large",
        ),
        ("horizon=500000 h", "too large"),
    ];
    for (set, part) in cases {
        let ran = midflight(&["run", SMOKE, "--set", set]);
        assert_eq!(ran.status, 2, "{set}: {}", ran.err);
        assert!(ran.err.contains(part), "{set}: {}", ran.err);
    }
}

/// A guest that writes nothing leaves nothing to send: Clark's rule stops there, however little "little" is.
#[test]
fn rounds_end_when_nothing_is_left() {
    let sets = [
        "vms[0].memory=4 KiB",
        r#"vms[0].workload={"classes": [{"name": "a", "write": "0 /s"}]}"#,
        "policy.migration.pre-copy.stop_rule.clark.min_remaining=0 B",
        "policy.migration.pre-copy.stop_rule.clark.increment=0 B/s",
    ];
    let mut command = vec!["run", "scenarios/smoke/pre-copy-clark.json", "--format", "csv"];
    for set in sets {
        command.extend(["--set", set]);
    }
    let ran = midflight(&command);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains(",completed,"), "{}", ran.out);
}

#[test]
fn the_same_command_prints_the_same_bytes_and_another_seed_others() {
    for scenario in [SMOKE, "scenarios/smoke/pre-copy.json"] {
        for format in ["human", "json", "csv"] {
            let run = |seed: &str| midflight(&["run", scenario, "--format", format, "--seed", seed]).out;
            assert_eq!(run("1"), run("1"), "{scenario} as {format}");
            assert_ne!(run("1"), run("2"), "{scenario} as {format}");
        }
    }
}

#[test]
fn a_fault_that_cannot_fire_exits_1_and_says_why() {
    let fault = r#"faults=[{"what": {"crash": "source"}, "when": {"at": "100 h"}}]"#;
    let ran = midflight(&["run", SMOKE, "--set", fault]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.starts_with("not-fired: "), "{}", ran.err);
    assert!(ran.err.contains("did not fire: the run ended at"), "{}", ran.err);
    let again = ran.err.lines().find_map(|line| line.strip_prefix("again: midflight ")).expect("a line to paste");
    assert!(again.starts_with("run scenarios/smoke/stop-and-copy.json --seed 1 --set '"), "{again}");
}

#[test]
fn verdicts_reach_the_exit_status() {
    let split = "scenarios/must-violate/autostart-unaware-cut.json";
    let ran = midflight(&["run", split]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "it must violate, and does");
    assert!(ran.out.contains("split_brain") && ran.out.contains("VIOLATED single-history"));
    let ran = midflight(&["run", split, "--set", "waives=[]"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("invariant:single-execution: "), "{}", ran.err);
    assert_eq!(midflight(&["run"]).status, 2);
    assert_eq!(midflight(&["frobnicate"]).status, 2);
    assert_eq!(midflight(&["run", SMOKE, "--trace", "/nowhere/at/all.json"]).status, 2);
}

/// A red check says how to see it again, and what it writes down can be replayed; what has been altered cannot.
#[test]
fn what_a_check_finds_is_written_down_and_replayed() {
    let proof = "scenarios/proofs/postcopyft-source.json";
    let plan = ["--depth", "quick", "--set", "tolerates=[\"link-outage\"]"];
    let kept = midflight(&[&["check", proof][..], &plan].concat());
    assert_eq!(kept.status, 0, "{}{}", kept.out, kept.err);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli/capsules");
    let found = folder.to_str().expect("UTF-8");
    let junit = folder.with_file_name("junit.xml");
    let gap = ["--set", "policy.checkpoint.local_claim=false", "--capsules", found, "--junit"];
    let gap = [&gap[..], &[junit.to_str().expect("UTF-8")]].concat();
    let red = midflight(&[&["check", proof][..], &plan, &gap].concat());
    assert_eq!(red.status, 1, "{}{}", red.out, red.err);
    assert!(red.err.contains("again: midflight check scenarios/proofs/postcopyft-source.json"), "{}", red.err);
    assert!(fs::read_to_string(&junit).expect("written").contains("again: midflight check scenarios/proofs/"));
    let capsule = folder.join("postcopyft-source--link-outage--single-history.json");
    let text = fs::read_to_string(&capsule).expect("written");
    let path = |path: &PathBuf| path.to_str().expect("UTF-8").to_owned();
    let same = midflight(&["replay", &path(&capsule), "--explain"]);
    assert_eq!(same.status, 0, "{}", same.err);
    assert!(same.out.contains("true: the VM executes at source and at destination"), "{}", same.out);
    for (from, to) in [("\"fingerprint\": \"t", "\"fingerprint\": \"u"), ("\"split_brain\"", "\"recovered\"")] {
        let altered = file("altered.json", text.replacen(from, to, 1).as_bytes());
        for verb in [&["replay"][..], &["check", "--depth", "quick"]] {
            let other = midflight(&[verb, &[path(&altered).as_str()]].concat());
            assert_eq!(other.status, 1, "{verb:?} {from}: {}", other.out);
            assert!(other.out.contains("NOT reproduced"), "{}", other.out);
        }
        let json = midflight(&["check", &path(&altered), "--format", "json"]);
        assert_eq!(json.status, 1);
        assert!(json.out.contains("\"reproduced\": false"), "{}", json.out);
    }
    assert_eq!(midflight(&["replay", SMOKE]).status, 2, "it is no capsule");
    assert_eq!(midflight(&["check", "scenarios/nowhere.json"]).status, 2);
}

#[test]
fn a_trace_is_whole_and_well_formed() {
    let path = file("trace.json", b"");
    let ran = midflight(&[
        "run",
        "scenarios/recovery/autostart-unaware-outage-ask.json",
        "--trace",
        path.to_str().expect("UTF-8"),
    ]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let trace: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).expect("written")).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("an array");
    let count = |shape: &str| events.iter().filter(|event| event["ph"] == shape).count();
    assert!(count("X") > 10 && count("C") > 10 && count("M") > 5 && count("i") > 3);
    assert_eq!(count("b"), count("e"));
    assert!(count("b") > 5);
}

#[test]
fn json_and_csv_say_the_same() {
    let json = midflight(&["run", SMOKE, "--format", "json"]).out;
    let record = serde_json::from_str::<serde_json::Value>(&json).expect("JSON")["record"].clone();
    let csv = midflight(&["run", SMOKE, "--format", "csv"]).out;
    let mut lines = csv.lines().map(|line| line.split(',').map(String::from).collect::<Vec<_>>());
    let (names, values) = (lines.next().expect("a header"), lines.next().expect("a row"));
    assert_eq!(names.len(), values.len());
    assert_eq!(record.as_object().map(serde_json::Map::len), Some(names.len()));
    for (name, value) in names.iter().zip(&values) {
        let text = if value.is_empty() { "null".into() } else { value.clone() };
        let text = if record[name].is_string() { format!("\"{text}\"") } else { text };
        assert!(json.contains(&format!("\"{name}\": {text}")), "{name}: {text}");
    }
}

#[test]
fn what_is_printed_can_be_run_again() {
    let resolved = midflight(&["run", "scenarios/recovery/copy-outage.json", "--dry-run"]).out;
    let path = file("copy-outage.json", resolved.as_bytes());
    let csv = |path: &str| midflight(&["run", path, "--format", "csv"]).out;
    assert_eq!(csv("scenarios/recovery/copy-outage.json"), csv(path.to_str().expect("UTF-8")));
}

#[test]
fn lists_name_what_there_is() {
    let lists =
        [("models", "gige"), ("policies", "at-next-write"), ("invariants", "output-commit"), ("metrics", "downtime_s")];
    for (what, word) in lists {
        let ran = midflight(&["list", what]);
        assert_eq!(ran.status, 0);
        assert!(ran.out.contains(word), "{what}: {}", ran.out);
        let json: serde_json::Value =
            serde_json::from_str(&midflight(&["list", what, "--format", "json"]).out).expect("JSON");
        assert!(
            json.as_array()
                .is_some_and(|items| items.iter().all(|i| i["about"].as_str().is_some_and(|a| !a.is_empty()))),
            "{json:#}"
        );
    }
}

#[test]
fn generated_pages_are_fresh() {
    let pages: [(&str, &[&str]); 8] = [
        ("docs/scenario.md", &["schema", "--markdown"]),
        ("docs/metrics.md", &["list", "metrics", "--format", "markdown"]),
        ("docs/schema/scenario.schema.json", &["schema", "scenario"]),
        ("docs/schema/network.schema.json", &["schema", "network"]),
        ("docs/schema/platform.schema.json", &["schema", "platform"]),
        ("docs/schema/workload.schema.json", &["schema", "workload"]),
        ("docs/schema/reference.schema.json", &["schema", "reference"]),
        ("docs/references.md", &["schema", "reference", "--markdown"]),
    ];
    for (page, command) in pages {
        let there = fs::read_to_string(root().join(page)).expect("committed");
        assert!(there == midflight(command).out, "{page} is stale: midflight {} > {page}", command.join(" "));
    }
}

#[test]
fn version_names_the_commit() {
    let out = midflight(&["--version"]).out;
    assert!(out.starts_with("midflight 0.1.0 (") && out.trim_end().ends_with(')'), "{out}");
}

#[test]
fn the_readme_and_the_gate_use_the_same_commands() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect(path);
    for command in ["cargo run --release --locked -- run scenarios/smoke/pre-copy.json", "cargo test --locked"] {
        assert!(read("README.md").contains(command), "README.md: {command}");
        assert!(read("scripts/check").contains(command), "scripts/check: {command}");
    }
    assert!(read(".ci/run").contains("scripts/check"));
}
