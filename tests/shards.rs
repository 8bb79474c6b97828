//! A sweep in pieces: however its shards are made, their rows are those of one sweep; what is no shard of it is refused; and job files
//! do what the contract of exit statuses says.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::sweep::{MEMORY, POLICIES, text, write};
use common::{Ran, folder, midflight};

const RESULTS: [&str; 3] = ["runs.csv", "summary.csv", "manifest.json"];

fn sweep(arguments: &[&str]) -> Ran {
    midflight(&[&["sweep"], arguments].concat(), &[])
}

fn name(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn results(folder: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    RESULTS.into_iter().map(|file| (file, fs::read(folder.join(file)).unwrap_or_default())).collect()
}

/// What one command makes of a sweep.
fn whole(at: &Path, file: &str) -> BTreeMap<&'static str, Vec<u8>> {
    let whole = at.join("whole");
    assert_eq!(sweep(&[file, "--out", name(&whole)]).status, 0);
    results(&whole)
}

/// Makes a plan in so many shards; answers its folder.
fn planned(at: &Path, file: &str, shards: u64) -> PathBuf {
    let dir = at.join(format!("in-{shards}"));
    let ran = sweep(&["plan", file, "--out", name(&dir), "--shards", &shards.to_string()]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains(&format!("in {shards} shards")), "{}", ran.out);
    dir
}

/// Makes a shard of a plan that comes on standard input, in a place where nothing else is.
fn from_input(plan: &[u8], shard: &str, at: &Path) -> Vec<u8> {
    let elsewhere = at.join("elsewhere");
    fs::create_dir_all(&elsewhere).expect("writable");
    let mut child = Command::new(env!("CARGO_BIN_EXE_midflight"))
        .args(["sweep", "shard", "-", "--shard", shard])
        .current_dir(&elsewhere)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("a pipe").write_all(plan).expect("it reads");
    let done = child.wait_with_output().expect("it ends");
    assert!(done.status.success());
    done.stdout
}

/// Sweeps of each kind, by name: with so many runs of each cell, until enough is known, and with files and models of the user's own.
fn kinds(at: &Path) -> [(&'static str, String, u64); 3] {
    let until = r#", "replications": {"until": {"metric": "downtime_s", "half_width": "20 %", "max": 256}}"#;
    let models = at.join("models/workloads");
    fs::create_dir_all(&models).expect("writable");
    write(
        &models,
        "own.json",
        r#"{"schema": 1, "about": "x", "source": "x", "classes": [{"name": "all", "write": "100 /s"}]}"#,
    );
    let link = r#"{"schema": 1, "about": "x", "source": "x", "base": "gige", "latency": "3 ms"}"#;
    write(at, "far.json", link);
    let networks = r#"{"path": "network", "as": "link", "files": ["far.json", "gige"]}"#;
    let own = text(&format!("{POLICIES}, {networks}"), r#", "replications": 7"#).replace("write-uniform", "own");
    [
        ("fixed", write(at, "fixed.json", &text(&format!("{POLICIES}, {MEMORY}"), r#", "replications": 5"#)), 7),
        ("until", write(at, "until.json", &text(&format!("{POLICIES}, {MEMORY}"), until)), 3),
        ("own", write(at, "own.json", &own), 4),
    ]
}

#[test]
fn shards_in_any_order_merge_to_the_bytes_of_one_sweep() {
    let at = folder("shards", "any-order");
    for (kind, file, shards) in kinds(&at) {
        let at = at.join(kind);
        let expected = whole(&at, &file);
        let dir = planned(&at, &file, shards);
        let plan = fs::read(dir.join("plan.json")).expect("a plan");
        // The same plan again changes nothing; another of the same sweep does not fit.
        planned(&at, &file, shards);
        assert_eq!(fs::read(dir.join("plan.json")).expect("a plan"), plan);
        let other = sweep(&["plan", &file, "--out", name(&dir), "--shards", "1"]);
        assert!(other.status == 2 && other.err.contains("another plan of this sweep"), "{kind}: {}", other.err);
        // All its files may be gone by now.
        let moved = at.with_extension("moved");
        fs::rename(&at, &moved).expect("it can be moved");
        let dir = moved.join(dir.file_name().expect("a name"));
        for model in ["models/workloads/own.json", "far.json"] {
            let model = at.parent().expect("a folder").join(model);
            fs::rename(&model, model.with_extension("gone")).expect("it can be moved");
        }
        // Backwards, the last one twice, the first one through pipes.
        for number in (1..shards).rev().chain([shards - 1]) {
            let ran = sweep(&["shard", name(&dir), "--shard", &format!("{number}/{shards}"), "--write"]);
            assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{kind}: {}", ran.err);
        }
        let early = sweep(&["merge", name(&dir)]);
        assert!(early.status == 2 && early.err.contains("shards are missing, 1 in all: 0;"), "{kind}: {}", early.err);
        assert!(!dir.join("runs.csv").exists());
        let first = from_input(&plan, &format!("0/{shards}"), &moved);
        fs::write(dir.join("shards/0.ndjson"), first).expect("writable");
        let all = sweep(&["status", name(&dir), "--format", "json"]);
        let about: serde_json::Value = serde_json::from_str(&all.out).expect("JSON");
        assert!(all.status == 0 && about["done"] == shards && about["missing"] == serde_json::json!([]), "{about}");
        for _ in 0..2 {
            assert_eq!(sweep(&["merge", name(&dir)]).status, 0, "{kind}");
            assert!(results(&dir) == expected, "{kind}");
        }
        for model in ["models/workloads/own.json", "far.json"] {
            let model = at.parent().expect("a folder").join(model);
            fs::rename(model.with_extension("gone"), &model).expect("it can be moved");
        }
    }
}

#[test]
fn what_is_left_is_made_on_this_machine() {
    let at = folder("shards", "left");
    let file = write(&at, "s.json", &text(&format!("{POLICIES}, {MEMORY}"), r#", "replications": 5"#));
    let expected = whole(&at, &file);
    // By `sweep run`, and by the command that does all of it.
    for finish in [0, 1] {
        let dir = planned(&at.join(finish.to_string()), &file, 8);
        let shard = |number: u64| sweep(&["shard", name(&dir), "--shard", &format!("{number}/8"), "--write"]).status;
        assert_eq!((shard(6), shard(1)), (0, 0));
        fs::write(dir.join("shards/3.failed"), "first\nexit status 3\n").expect("writable");
        fs::write(dir.join("shards/.left.part"), "what a killed one leaves").expect("writable");
        let there = sweep(&["status", name(&dir)]);
        assert!(there.status == 1 && there.out.contains("2 of 8 shards are there, 10 runs"), "{}", there.out);
        assert!(there.out.contains("missing: 0, 2-5, 7\nfailed: 3: exit status 3"), "{}", there.out);
        let ran = if finish == 0 {
            let ran = sweep(&["run", name(&dir)]);
            assert!(!dir.join("shards/3.failed").exists(), "it has not failed any more");
            assert_eq!(sweep(&["merge", name(&dir)]).status, 0);
            ran
        } else {
            sweep(&[&file, "--out", name(&dir)])
        };
        assert!(ran.status == 0 && ran.err.contains("10 runs are there already"), "{}", ran.err);
        assert!(results(&dir) == expected);
        // What is of use to a sweep under way is gone with it, unless it was done by hand.
        assert_eq!(dir.join("plan.json").exists(), finish == 0);
    }
}

#[test]
fn what_is_no_shard_of_the_plan_is_refused() {
    let at = folder("shards", "refused");
    let file = write(&at, "s.json", &text(MEMORY, r#", "replications": 3"#));
    let other = write(&at, "other.json", &text(MEMORY, r#", "replications": 4"#));
    let (dir, foreign) = (planned(&at, &file, 4), planned(&at.join("foreign"), &other, 4));
    for dir in [&dir, &foreign] {
        assert_eq!(sweep(&["run", name(dir)]).status, 0);
    }
    let copy = |from: &Path, to: &str| {
        fs::copy(from, dir.join("shards").join(to)).expect("it can be copied");
    };
    let remove = |file: &str| fs::remove_file(dir.join("shards").join(file)).expect("it can be removed");
    let mine = |number: u64| dir.join(format!("shards/{number}.ndjson"));
    let kept = at.join("kept");
    fs::copy(mine(2), &kept).expect("it can be copied");
    for (from, to, expected) in [
        (mine(1), "1 (copy).ndjson", "is shard 1 once more"),
        (mine(1), "01.ndjson", "is shard 1 once more"),
        (foreign.join("shards/3.ndjson"), "7.ndjson", "is of another plan (sha256:"),
        (foreign.join("shards/2.ndjson"), "2.ndjson", "is of another plan (sha256:"),
        (mine(1), "2.ndjson", "is shard 1, and not 2"),
        (PathBuf::from(&file), "notes.ndjson", "is no shard"),
    ] {
        copy(&from, to);
        let merged = sweep(&["merge", name(&dir)]);
        assert!(merged.status == 2 && merged.err.contains(expected), "{expected}: {}", merged.err);
        let told = sweep(&["status", name(&dir)]);
        assert!(told.status == 1 && told.out.contains(expected), "{expected}: {}", told.out);
        assert_eq!(sweep(&["run", name(&dir)]).status, 2, "{expected}");
        assert!(!dir.join("runs.csv").exists(), "{expected}");
        remove(to);
        copy(&kept, "2.ndjson");
    }
    // What was changed, or cut off, is no longer there.
    let whole = fs::read_to_string(&kept).expect("text");
    let row = whole.lines().nth(1).expect("a row").to_owned() + "\n";
    for damaged in
        [whole.replace("lost", "loot"), whole.replace(&row, ""), whole[..whole.len() / 2].into(), String::new()]
    {
        fs::write(mine(2), damaged).expect("writable");
        let merged = sweep(&["merge", name(&dir)]);
        assert!(merged.status == 2 && merged.err.contains("shards are missing, 1 in all: 2;"), "{}", merged.err);
        assert_eq!(sweep(&["shard", name(&dir), "--shard", "2/4", "--write"]).status, 0);
        assert_eq!(fs::read_to_string(mine(2)).expect("text"), whole);
    }
    assert_eq!(sweep(&["merge", name(&dir)]).status, 0);
}

#[test]
fn a_plan_that_does_not_fit_stops_the_sweep() {
    let at = folder("shards", "plans");
    let file = write(&at, "s.json", &text(MEMORY, r#", "replications": 3"#));
    let until = r#", "replications": {"until": {"metric": "downtime_s", "half_width": "20 %", "max": 64}}"#;
    let until = write(&at, "until.json", &text(MEMORY, until));
    let dir = planned(&at, &file, 4);
    let plan = fs::read_to_string(dir.join("plan.json")).expect("a plan");
    let changed = |name: &str, from: &str, to: &str| {
        let dir = at.join(name);
        fs::create_dir_all(&dir).expect("writable");
        assert!(plan.contains(from), "{from}");
        fs::write(dir.join("plan.json"), plan.replacen(from, to, 1)).expect("writable");
        dir
    };
    let version = concat!("\"midflight\": \"", env!("CARGO_PKG_VERSION"));
    let no_plan = at.join("none");
    for (dir, shard, expected) in [
        (&dir, "4/4", "shards are counted from 0: the last of 40 is 39/40"),
        (&dir, "1", "write K/N"),
        (&dir, "1/5", "the plan has 4 shards"),
        (&no_plan, "1/4", "holds no plan of a sweep"),
        (&changed("version", version, "\"midflight\": \"0.0"), "1/4", "is a plan of 0.0"),
        (&changed("garbage", "\"plan\": {", "\"plan\": {{"), "1/4", "is no plan: "),
        (&changed("part", "\"shards\": 4", "\"shards\": 0"), "1/4", "is no plan: `plan`: "),
        (&changed("scenario", "post-copy", "post-kopy"), "1/4", "did you mean `post-copy`?"),
        (&changed("seed", "\"seed\": 1,", "\"seed\": -1,"), "1/4", "`seed` is no number"),
        (&changed("many", "\"shards\": 4", "\"shards\": 4000000000000"), "1/4000000000000", "cannot be cut into"),
    ] {
        for more in [&["--write"][..], &[]] {
            let refused = sweep(&[&["shard", name(dir), "--shard", shard], more].concat());
            assert!(refused.status == 2 && refused.err.contains(expected), "{expected}: {}", refused.err);
            assert!(refused.out.is_empty() && !dir.join("shards").exists(), "{expected}");
        }
    }
    let finished = at.join("finished");
    assert_eq!(sweep(&[&file, "--out", name(&finished)]).status, 0);
    for (arguments, expected) in [
        (vec!["plan", &file, "--out", name(&at.join("x")), "--shards", "13"], "there are 12 runs"),
        (vec!["plan", &until, "--out", name(&at.join("x")), "--shards", "5"], "there are 4 cells that end"),
        (vec!["plan", &file, "--out", name(&at.join("x")), "--shards", "0"], "a number from 1 on"),
        (vec!["plan", &file, "--out", name(&at)], "is not empty and holds no sweep"),
        (vec!["plan", &until, "--out", name(&dir)], "holds another sweep"),
        (vec!["plan", &file], "--out"),
        (vec![&file, "status", name(&dir)], "cannot be used with"),
        (vec!["run", name(&no_plan)], "holds no plan of a sweep"),
        (vec!["script", name(&dir)], "--for"),
        (vec!["shard", "-", "--shard", "1/4", "--write"], "--write needs the folder"),
        (vec!["plan", &file, "--out", name(&finished)], "is finished: its rows are in runs.csv"),
        (vec!["status", name(&finished)], "is finished: its rows are in runs.csv"),
    ] {
        let refused = sweep(&arguments);
        assert!(refused.status == 2 && refused.err.contains(expected), "{expected}: {}", refused.err);
        assert!(!at.join("x").exists(), "{expected}");
    }
    let edited = changed("edited", "50 ms", "60 ms");
    for arguments in [vec!["run", name(&edited)], vec!["merge", name(&edited)], vec![&file, "--out", name(&edited)]] {
        let refused = sweep(&arguments);
        assert!(refused.status == 2 && refused.err.contains("was changed by hand"), "{}", refused.err);
    }
    // Only a machine that refuses is worth another try.
    fs::write(dir.join("shards"), "in the way").expect("writable");
    let refused = sweep(&["shard", name(&dir), "--shard", "1/4", "--write"]);
    assert!(refused.status == 3 && refused.err.contains("Not a directory"), "{}", refused.err);
    let command =
        format!("exec {} sweep shard {} --shard 1/4 > /dev/full", env!("CARGO_BIN_EXE_midflight"), name(&dir));
    let full = Command::new("bash").args(["-c", &command]).output().expect("a shell");
    assert_eq!(full.status.code(), Some(3), "{}", String::from_utf8_lossy(&full.stderr));
}

/// What stands for an engine: starts the jobs of an array one after the other, and stops when one of them says so.
const ENGINES: [(&str, &str, &str); 3] = [
    ("slurm", "scancel", "#!/bin/bash\ntouch \"$STOPPED\"\n"),
    (
        "hyperqueue",
        "hq",
        "#!/bin/bash\n[ \"$1 $2 $4 $6 $8\" = 'submit --name --array --crash-limit --max-fails' ] || exit 9\n\
         for task in $(seq ${5%-*} ${5#*-}); do HQ_TASK_ID=$task \"${@:10}\" || { touch \"$STOPPED\"; exit 1; }; done\n",
    ),
    (
        "parallel",
        "parallel",
        "#!/bin/bash\n[ \"$1 $2 $4\" = '-q --retries --halt' ] || exit 9\nshift 5\n\
         while read -r task; do \"$@\" \"$task\" < /dev/null || { touch \"$STOPPED\"; exit 1; }; done\n",
    ),
];

/// A program that is Midflight but for some shards, `$shard` being the number of one.
fn wrapped(at: &Path, name: &str, otherwise: &str) -> PathBuf {
    let path = at.join(name);
    let program = env!("CARGO_BIN_EXE_midflight");
    fs::write(&path, format!("#!/bin/bash\nshard=${{5%%/*}}\n{otherwise}\nexec {program} \"$@\"\n")).expect("writable");
    executable(&path);
    path
}

fn executable(path: &Path) {
    let status = Command::new("chmod").arg("+x").arg(path).status().expect("chmod");
    assert!(status.success());
}

/// Runs a job file with what stands for its engine in `bin`; answers whether that was told to stop.
fn engine_runs(engine: &str, job: &Path, bin: &Path, program: &Path) -> bool {
    let stopped = bin.join("stopped");
    let _ = fs::remove_file(&stopped);
    // Slurm itself starts the jobs of an array.
    let jobs: Vec<Option<u64>> = if engine == "slurm" { (0..3).map(Some).collect() } else { vec![None] };
    for number in jobs {
        let mut command = Command::new("bash");
        command
            .args(["-c", "PATH=$0:$PATH exec bash \"$1\"", name(bin), name(job)])
            .env("STOPPED", &stopped)
            .env("MIDFLIGHT", program);
        if let Some(number) = number {
            command.env("SLURM_ARRAY_TASK_ID", number.to_string()).env("SLURM_ARRAY_JOB_ID", "77");
        }
        let out = command.output().expect("a shell");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success() || stopped.exists(), "{engine}: {said}");
    }
    stopped.exists()
}

#[test]
fn job_files_try_three_times_go_on_and_stop() {
    let at = folder("shards", "engines");
    let file = write(&at, "s.json", &text(&format!("{POLICIES}, {MEMORY}"), r#", "replications": 2"#));
    let expected = whole(&at, &file);
    for (engine, command, stand_in) in ENGINES {
        // A name with a blank, which a shell must not take for two.
        let at = at.join(format!("for {engine}"));
        fs::create_dir_all(at.join("bin")).expect("writable");
        fs::write(at.join("bin").join(command), stand_in).expect("writable");
        executable(&at.join("bin").join(command));
        let dir = planned(&at, &file, 8);
        let script = sweep(&["script", name(&dir), "--for", engine, "--jobs", "3"]);
        assert_eq!(script.status, 0, "{}", script.err);
        let unfilled = script.out.split('@').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
        assert!(!unfilled, "{engine}: {}", script.out);
        let job = at.join("job.sh");
        fs::write(&job, script.out).expect("writable");
        let run = |program: &Path| engine_runs(engine, &job, &at.join("bin"), program);
        let wrong = wrapped(&at, "wrong", "exit 2");
        assert!(run(&wrong), "{engine}: nothing else is tried");
        assert_eq!(fs::read_dir(dir.join("shards")).expect("a folder").count(), 0, "{engine}");
        let tried = at.join("tried");
        let poison = format!("[ $shard != 4 ] || {{ echo x >> '{}'; echo no room >&2; exit 3; }}", name(&tried));
        assert!(!run(&wrapped(&at, "poison", &poison)), "{engine}: the others go on");
        assert_eq!(fs::read_to_string(&tried).expect("it was tried").lines().count(), 3, "{engine}");
        let told = sweep(&["status", name(&dir)]).out;
        let seven = "7 of 8 shards are there, 14 runs\nmissing: 4\nfailed: 4: exit status 3, three times: no room\n";
        assert_eq!(told, seven, "{engine}");
        assert!(!run(&wrapped(&at, "sound", "")), "{engine}");
        assert_eq!(sweep(&["merge", name(&dir)]).status, 0, "{engine}");
        assert!(results(&dir) == expected, "{engine}");
    }
}
