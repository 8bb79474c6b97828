//! `midflight sweep` as its user runs it, and what comes of it: the same bytes however it is interrupted, and nothing lost by a mistake.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::sweep::{MEMORY, POLICIES, text, write};
use common::{Ran, folder, midflight};

fn sweep(file: &str, out: &Path, more: &[&str]) -> Ran {
    let out = out.to_str().expect("UTF-8");
    midflight(&[&["sweep", file, "--out", out], more].concat(), &[])
}

/// All files of a folder.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("readable")))
        .collect()
}

/// How many shards of a sweep that is under way are there.
fn shards(out: &Path) -> usize {
    let entries = fs::read_dir(out.join("shards")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "ndjson")).count()
}

/// Starts a sweep and kills it as soon as so many shards are there; answers how many were.
fn killed(file: &str, out: &Path, at: usize) -> usize {
    let mut child = Command::new(env!("CARGO_BIN_EXE_midflight"))
        .args(["sweep", file, "--out", out.to_str().expect("UTF-8")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    while shards(out) < at && child.try_wait().expect("it is there").is_none() {
        std::thread::yield_now();
    }
    // SIGKILL.
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    shards(out)
}

#[test]
fn killed_three_times_it_gives_the_same_bytes() {
    let at = folder("sweep", "killed");
    let file = write(&at, "ten-thousand.json", &text(&format!("{POLICIES}, {MEMORY}"), r#", "replications": 1250"#));
    let (whole, alone) = (at.join("whole"), at.join("alone"));
    assert_eq!(sweep(&file, &whole, &["--jobs", "2"]).status, 0);
    assert_eq!(sweep(&file, &alone, &["--jobs", "1"]).status, 0);
    let expected = bytes(&whole);
    assert_eq!(expected.keys().collect::<Vec<_>>(), ["manifest.json", "runs.csv", "summary.csv"]);
    assert_eq!(String::from_utf8_lossy(&expected["runs.csv"]).lines().count(), 10_001);
    assert!(expected == bytes(&alone), "one thread and two");
    let broken = at.join("broken");
    let mut before = 0;
    for share in [100, 300, 600] {
        let there = killed(&file, &broken, share);
        assert!(before < there && there < 1000, "{before} {there}");
        assert!(!broken.join("summary.csv").exists());
        before = there;
    }
    // A shard that lost its end.
    let shard = fs::read_dir(broken.join("shards")).expect("a folder").flatten().map(|entry| entry.path());
    let shard = shard.filter(|path| path.extension().is_some_and(|ending| ending == "ndjson")).max().expect("shards");
    let shard = fs::OpenOptions::new().write(true).open(shard).expect("it is there");
    shard.set_len(1000).expect("it can be cut");
    let last = sweep(&file, &broken, &[]);
    assert!(last.status == 0 && last.err.contains("runs are there already"), "{}", last.err);
    assert!(expected == bytes(&broken), "interrupted or not");
    // A finished one is not run again. What it lacks is made good, and what was left of its shards goes.
    fs::remove_file(broken.join("summary.csv")).expect("it is there");
    fs::create_dir_all(broken.join("shards")).expect("writable");
    assert_eq!(sweep(&file, &broken, &[]).status, 0);
    assert!(expected == bytes(&broken));
    let dry = sweep(&file, &broken, &["--dry-run"]);
    assert!(dry.out.starts_with("8 cells, 10000 runs, 10000 of them already there"), "{}", dry.out);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let at = folder("sweep", "others");
    let file = write(&at, "one.json", &text(MEMORY, r#", "replications": 2"#));
    let other = write(&at, "other.json", &text(MEMORY, r#", "replications": 3"#));
    let made = at.join("made");
    assert_eq!(sweep(&file, &made, &[]).status, 0);
    let rows = fs::read_to_string(made.join("runs.csv")).expect("rows");
    let changed = |name: &str, file: &str, from: &str, to: &str| {
        let copy = at.join(name);
        fs::create_dir_all(&copy).expect("writable");
        for (name, bytes) in bytes(&made) {
            fs::write(copy.join(name), bytes).expect("writable");
        }
        let text = fs::read_to_string(copy.join(file)).expect("text");
        assert!(text.contains(from), "{from}");
        fs::write(copy.join(file), text.replacen(from, to, 1)).expect("writable");
        copy
    };
    let second = rows.lines().nth(2).expect("two rows").to_owned() + "\n";
    let foreign = at.join("foreign");
    fs::create_dir_all(&foreign).expect("writable");
    fs::write(foreign.join("notes.txt"), "mine").expect("writable");
    let version = concat!("\"midflight\": \"", env!("CARGO_PKG_VERSION"));
    let cases = [
        (&other, made.clone(), "holds another sweep"),
        (&file, foreign, "is not empty and holds no sweep"),
        (&file, changed("old", "manifest.json", version, "\"midflight\": \"0.0"), "results of another version"),
        (&file, changed("gap", "runs.csv", &second, ""), "runs.csv:3: is not the row of cell 0, replication 1"),
        (&file, changed("column", "runs.csv", "downtime_s", "downtime"), "runs.csv:1: has other columns"),
        (&file, changed("seed", "runs.csv", ",vm,1,1,", ",vm,7,1,"), "is not the row of cell 0, replication 1"),
        (&file, changed("garbage", "manifest.json", "{", "["), "a manifest.json that cannot be read"),
        (&file, changed("short", "runs.csv", ",lost,", ","), "is not the row of cell"),
        (&file, PathBuf::from(&file), "Not a directory"),
    ];
    for (file, out, expected) in cases {
        let before = out.is_dir().then(|| bytes(&out));
        let refused = sweep(file, &out, &[]);
        assert!(
            refused.status == 2 && refused.err.contains(expected),
            "{expected}: {} {}",
            refused.status,
            refused.err
        );
        assert!(
            refused.out.is_empty() && before == out.is_dir().then(|| bytes(&out)),
            "{expected}: something was written"
        );
    }
}

/// A sweep that a model of the user's own is part of, with memory that makes each run take a while.
fn with_own_model(at: &Path, rate: &str) -> String {
    let models = at.join("models/workloads");
    fs::create_dir_all(&models).expect("writable");
    let model = r#"{"schema": 1, "about": "x", "source": "x", "classes": [{"name": "all", "write": "RATE"}]}"#;
    write(&models, "own.json", &model.replace("RATE", rate));
    let text = text(POLICIES, r#", "replications": 2000"#).replace("write-uniform", "own").replace("1 MiB", "8 MiB");
    write(at, "own.json", &text)
}

#[test]
fn a_quick_sweep_is_the_beginning_of_a_whole_one_and_lives_elsewhere() {
    let at = folder("sweep", "quick");
    let until = r#", "replications": {"until": {"metric": "end_s", "half_width": "0.001 %", "max": 128}}"#;
    for (number, (replications, each, quick)) in
        [(r#", "replications": 40"#, 40, 4), (r#", "replications": 3"#, 3, 2), ("", 1, 1), (until, 128, 32)]
            .into_iter()
            .enumerate()
    {
        let file = write(
            &at,
            &format!("{number}.json"),
            &text(r#"{"path": "vms[0].memory", "values": ["1 MiB"]}"#, replications),
        );
        let (whole, short) = (at.join(format!("{number}-whole")), at.join(format!("{number}-short")));
        assert_eq!((sweep(&file, &whole, &[]).status, sweep(&file, &short, &["--quick"]).status), (0, 0));
        let rows = |folder: &Path| fs::read_to_string(folder.join("runs.csv")).expect("rows");
        assert_eq!(
            (rows(&whole).lines().count(), rows(&short).lines().count()),
            (each + 1, quick + 1),
            "{replications}"
        );
        assert!(rows(&whole).starts_with(&rows(&short)), "run k is run k");
        let again = fs::read_to_string(short.join("manifest.json")).expect("a manifest");
        assert!(again.contains("--quick --out DIR"), "{again}");
        let refused = sweep(&file, &short, &[]);
        assert!(refused.status == 2 && refused.err.contains("holds another sweep"), "{}", refused.err);
    }
}

#[test]
fn a_model_that_was_changed_makes_it_another_sweep() {
    let at = folder("sweep", "model");
    let file = with_own_model(&at, "100 /s");
    let out = at.join("out");
    killed(&file, &out, 20);
    let there = (bytes(&out.join("shards")), fs::read(out.join("plan.json")).expect("a plan"));
    with_own_model(&at, "200 /s");
    let refused = sweep(&file, &out, &[]);
    assert!(refused.status == 2 && refused.err.contains("before its files were changed"), "{}", refused.err);
    assert!((bytes(&out.join("shards")), fs::read(out.join("plan.json")).expect("a plan")) == there);
}

#[test]
fn interrupted_it_says_how_to_go_on_and_nobody_else_may_write() {
    let at = folder("sweep", "interrupted");
    let file = with_own_model(&at, "100 /s");
    let out = at.join("out");
    let mut child = Command::new(env!("CARGO_BIN_EXE_midflight"))
        .args(["sweep", &file, "--out", out.to_str().expect("UTF-8")])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    while shards(&out) < 20 {
        assert!(child.try_wait().expect("it is there").is_none(), "it has ended before it could be interrupted");
        std::thread::yield_now();
    }
    let second = sweep(&file, &out, &[]);
    assert!(second.status == 2 && second.err.contains("another process is at work there"), "{}", second.err);
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(told.success());
    let ended = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("the same command goes on"), "{said}");
    let dry = sweep(&file, &out, &["--dry-run", "--format", "json"]);
    let about: serde_json::Value = serde_json::from_str(&dry.out).expect("JSON");
    let there = about["there"].as_u64().expect("a number");
    assert!(about["runs"] == 4000 && (10..4000).contains(&there) && about["estimate_s"].is_u64(), "{about}");
}

#[test]
fn rows_come_as_parquet_too() {
    let at = folder("sweep", "parquet");
    let file = write(&at, "one.json", &text(MEMORY, r#", "replications": 2"#));
    let out = at.join("out");
    assert_eq!(sweep(&file, &out, &["--parquet"]).status, 0);
    let bytes = fs::read(out.join("runs.parquet")).expect("it is there");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}

#[test]
fn a_full_disk_loses_nothing() {
    let at = folder("sweep", "full");
    let file = write(&at, "one.json", &text(MEMORY, r#", "replications": 50"#));
    let (whole, full) = (at.join("whole"), at.join("full"));
    assert_eq!(sweep(&file, &whole, &[]).status, 0);
    // Files may be no longer than 32 KiB, which is told as an error and not by a signal.
    let command = format!(
        "trap '' XFSZ; ulimit -f 32; exec {} sweep {file} --out {}",
        env!("CARGO_BIN_EXE_midflight"),
        full.display()
    );
    let out = Command::new("bash").args(["-c", &command]).output().expect("a shell");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("runs.csv: File too large") && said.contains("the same command goes on"), "{said}");
    assert_eq!(sweep(&file, &full, &[]).status, 0);
    assert!(bytes(&whole) == bytes(&full));
}

/// Sweeps whose axes are wrong, and what is said of each.
fn wrong_axes() -> Vec<(String, &'static str)> {
    let thousand = |path: &str, unit: &str| {
        format!(r#"{{"path": "{path}", "range": {{"from": "1 {unit}", "to": "1000 {unit}", "step": "1 {unit}"}}}}"#)
    };
    let billion =
        [thousand("vms[0].memory", "MiB"), thousand("vms[0].output.rate", "/s"), thousand("network.latency", "us")];
    vec![
        (text("", ""), "axes: is empty"),
        (text(r#"{"path": "vms[0].memroy", "values": ["1 MiB"]}"#, ""), "did you mean `memory`?"),
        (text(r#"{"path": "vms[0].memory", "values": []}"#, ""), "at least one value"),
        (
            text(r#"{"path": "vms[0].memory", "values": ["1 MiB", "7"]}"#, ""),
            "axes[0].values[1]: vms[0].memory: \"7\" has no unit",
        ),
        (text(r#"{"path": "vms[0].memory", "values": ["1 MiB", "1 MiB"]}"#, ""), "is here twice"),
        (text(r#"{"path": "seed", "as": "s", "values": [1, 2]}"#, ""), "a sweep has one seed"),
        (text(r#"{"path": "horizon", "as": "n", "values": ["9 s"]}"#, ""), "`n` is a column of the results already"),
        (text(r#"{"path": "horizon", "labels": ["a\nb"], "values": ["9 s"]}"#, ""), "characters that break lines"),
        (text(r#"{"path": "vms[0].memory"}"#, ""), "one of `values`, `range`, `log` and `files`"),
        (text(r#"{"path": "policy", "files": ["post-copy"]}"#, ""), "is a column of the results already"),
        (text(r#"{"path": "policy", "as": "way", "files": ["post-kopy"]}"#, ""), "did you mean `post-copy`?"),
        (text(r#"{"path": "policy", "as": "way", "files": ["none.json"]}"#, ""), "cannot be read"),
        (text(&format!("{MEMORY}, {MEMORY}"), ""), "is the name of another axis"),
        (text(r#"{"path": "seed", "as": "s", "range": {"from": 3, "to": 2, "step": 1}}"#, ""), "is not above `from`"),
        (
            text(r#"{"path": "horizon", "range": {"from": "1 s", "to": "2 s", "step": "1 MiB"}}"#, ""),
            "not of the same kind",
        ),
        (text(r#"{"path": "horizon", "log": {"from": "0 s", "to": "2 s", "n": 3}}"#, ""), "is zero"),
        (text(&billion.join(", "), ""), "the grid has 1000000000 cells"),
    ]
}

/// Sweeps of which something else is wrong.
fn wrong_others() -> Vec<(String, &'static str)> {
    let long = format!("{POLICIES}, {MEMORY}");
    vec![
        (text(MEMORY, r#", "where": [{"path": "memory", "op": ">", "value": "1 GiB"}]"#), "leaves no cell"),
        (text(MEMORY, r#", "where": [{"path": "memori", "op": ">", "value": "1 GiB"}]"#), "there is no axis `memori`"),
        (text(MEMORY, r#", "where": [{"path": "memory", "op": ">", "value": "1 s"}]"#), "neither more nor less"),
        (text(MEMORY, r#", "where": [{"path": "memory", "op": "~", "value": "1 s"}]"#), "unknown word `~`"),
        (text(&long, r#", "zip": [["memory", "protection"]]"#), "those that go together have as many"),
        (text(&long, r#", "zip": [["memory"]]"#), "names fewer than two axes"),
        (text(MEMORY, r#", "replications": 0"#), "is not from 1"),
        (text(MEMORY, r#", "replications": 9000000"#), "36000000 runs"),
        (
            text(MEMORY, r#", "replications": {"until": {"metric": "downtime", "half_width": "1 ms", "max": 64}}"#),
            "did you mean `downtime_s`?",
        ),
        (
            text(MEMORY, r#", "replications": {"until": {"metric": "outcome=los", "half_width": "1 %", "max": 64}}"#),
            "did you mean `lost`?",
        ),
        (
            text(MEMORY, r#", "replications": {"until": {"metric": "downtime_s", "half_width": "1 MiB", "max": 64}}"#),
            "half_width",
        ),
        (
            text(MEMORY, r#", "replications": {"until": {"metric": "downtime_s", "half_width": "1 ms", "max": 9}}"#),
            "is not from 32",
        ),
        (text(MEMORY, r#", "design": {"sobol": {"n": 0}}"#), "is not from 1"),
        (text(MEMORY, r#", "compare": {"axis": "memory", "with": "7 MiB"}"#), "is no value of `memory`"),
        (text(MEMORY, r#", "level": "100 %""#), "not between 0 and 100 %"),
        (text(MEMORY, r#", "metrics": ["seed"]"#), "no column `seed` with numbers"),
        (text(MEMORY, r#", "metrics": ["downtime_s", "downtime_s"]"#), "is here twice"),
        (text(MEMORY, r#", "design": {"sobol": {"n": 65537}}"#), "is not from 1 to 65536"),
        (
            text(
                &long,
                r#", "where": [{"path": "protection", "op": "!=", "value": "post-copy"}], "compare": {"axis": "protection", "with": "post-copy"}"#,
            ),
            "no cell has one that differs",
        ),
        (
            text(MEMORY, "").replace(r#""from": "migrate"}}"#, r#""from": "migrate", "within": "0 s"}}"#),
            "no time of the law is below it",
        ),
        (
            text(MEMORY, "")
                .replace(r#"{"uniform": {"from": "0 s", "to": "50 ms"}}"#, r#"{"exponential": {"mean": "1000000 s"}}"#)
                .replace(r#""from": "migrate"}}"#, r#""from": "migrate", "within": "1 ns"}}"#),
            "a probability below 10⁻¹²",
        ),
        (
            text(r#"{"path": "policy", "as": "way", "labels": ["a", "b"], "files": ["post-copy"]}"#, ""),
            "are 2 for 1 values",
        ),
        (text(MEMORY, r#", "faults": {}"#), "unknown key `faults`"),
        (text(MEMORY, "").replace("1 MiB\", \"workload\"", "1\", \"workload\""), "vms[0].memory: \"1\" has no unit"),
    ]
}

#[test]
fn what_is_no_sweep_is_refused_and_writes_nothing() {
    let at = folder("sweep", "refused");
    for (i, (text, expected)) in wrong_axes().iter().chain(&wrong_others()).enumerate() {
        let file = write(&at, &format!("{i}.json"), text);
        let out = at.join(format!("out-{i}"));
        let refused = sweep(&file, &out, &[]);
        assert!(
            refused.status == 2 && refused.err.contains(expected),
            "{expected}: {} {}",
            refused.status,
            refused.err
        );
        assert!(refused.out.is_empty() && !out.exists(), "{expected}");
    }
}
