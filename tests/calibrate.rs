//! `midflight calibrate` as its user runs it: data of known parameters, files that can be used, and what is refused.

mod common;

use std::fs;
use std::path::Path;

use common::{Ran, folder, midflight as run};
use serde_json::{Value, json};

/// Settings that tell the fixed times from the cost of a page.
const SETTINGS: [(&str, &str); 8] = [
    ("10 Gbit/s", "8 MiB"),
    ("20 Gbit/s", "8 MiB"),
    ("8 Gbit/s", "4 MiB"),
    ("1 Gbit/s", "16 MiB"),
    ("20 Gbit/s", "16 MiB"),
    ("10 Gbit/s", "4 MiB"),
    ("20 Gbit/s", "32 MiB"),
    ("10 Gbit/s", "16 MiB"),
];

const COLUMNS: [&str; 2] = ["total_migration_time_s", "downtime_s"];

fn midflight(arguments: &[&str]) -> Ran {
    run(arguments, &[])
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn write(path: &Path, json: &Value) -> String {
    fs::write(path, format!("{json:#}")).expect("writable");
    text(path).to_owned()
}

fn small() -> Value {
    json!({
        "schema": 1, "why": "A small VM.",
        "policy": { "migration": { "stop-and-copy": {} } },
        "vms": [{ "memory": "8 MiB", "workload": { "classes": [{ "name": "all", "write": "1000 /s" }] } }],
        "platform": "generic",
    })
}

/// A reference with what the program itself says of the settings, with other values and another seed than the fit has.
fn measured(folder: &Path, id: &str, scenario: &Value, secrets: &[&str]) -> String {
    let file = write(&folder.join("scenario.json"), scenario);
    let mut rows = Vec::new();
    for (number, (rate, memory)) in SETTINGS.iter().enumerate() {
        let (rate_set, memory_set) = (format!("network.rate={rate}"), format!("vms[0].memory={memory}"));
        let seed = (50 + number).to_string();
        let mut arguments =
            vec!["run", &file, "--format", "json", "--seed", &seed, "--set", &rate_set, "--set", &memory_set];
        arguments.extend(secrets.iter().flat_map(|set| ["--set", set]));
        let ran = midflight(&arguments);
        assert_eq!(ran.status, 0, "{}", ran.err);
        let result: Value = serde_json::from_str(&ran.out).expect("JSON");
        for column in COLUMNS {
            let seconds = result["record"][column].to_string();
            rows.push(json!({
                "id": format!("{number}-{column}"),
                "set": { "network.rate": rate, "vms[0].memory": memory },
                "metric": column, "value": format!("{seconds} s"), "within": { "fraction": "5 %" },
            }));
        }
    }
    let reference = json!({
        "schema": 1, "id": id, "source": "The program itself.", "why": "A test.", "scenario": scenario, "rows": rows,
    });
    write(&folder.join(format!("{id}.json")), &reference)
}

const PLACE: &str = "platform.place_page=500 ns..12 us";
const LOAD: &str = "platform.load=0 ms..20 ms";

#[test]
fn known_values_are_found_written_and_used() {
    let folder = folder("calibrate", "known");
    let data = measured(&folder, "mine", &small(), &["platform.place_page=5200 ns", "platform.load=6500 us"]);
    let models = folder.join("models");
    let arguments = [
        "calibrate",
        &data,
        "--fit",
        PLACE,
        "--fit",
        LOAD,
        "--hold-out",
        "7",
        "--bootstrap",
        "200",
        "--to",
        text(&models),
    ];
    let ran = midflight(&arguments);
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("mine: 2 of 2 parameters identified"), "{}", ran.out);
    for part in ["95 % interval", "fitted, no score", "not fitted, predicted", "resamples of settings"] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
    let written = models.join("platforms/generic-calibrated.json");
    let model: Value = serde_json::from_str(&fs::read_to_string(&written).expect("written")).expect("JSON");
    let keys: Vec<&str> = model.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["schema", "about", "source", "base", "place_page", "load"]);
    let source = model["source"].as_str().expect("a text");
    for part in
        ["midflight calibrate", "14 rows of 7 settings of mine (The program itself)", "interval", "range", "predicted"]
    {
        assert!(source.contains(part), "{part}: {source}");
    }
    // Used by its name it is the value that was printed.
    let scenario = folder.join("scenario.json");
    let named =
        ["run", text(&scenario), "--models", text(&models), "--set", "platform=\"generic-calibrated\"", "--dry-run"];
    let used = midflight(&named);
    assert_eq!(used.status, 0, "{}", used.err);
    let used: Value = serde_json::from_str(&used.out).expect("JSON");
    assert_eq!(used["platform"]["place_page"], model["place_page"]);
    let mut reference: Value = serde_json::from_str(&fs::read_to_string(&data).expect("there")).expect("JSON");
    reference["scenario"]["platform"] = json!("generic-calibrated");
    let data = write(Path::new(&data), &reference);
    let compared = midflight(&["validate", &data, "--models", text(&models)]);
    assert_eq!(compared.status, 0, "{}", compared.out);
}

#[test]
fn threads_change_no_byte_and_intervals_hold_what_is_known() {
    let folder = folder("calibrate", "threads");
    let data = measured(&folder, "mine", &small(), &["platform.place_page=2300 ns", "platform.load=1500 us"]);
    let arguments = ["calibrate", &data, "--fit", PLACE, "--fit", LOAD, "--bootstrap", "200", "--format", "json"];
    let [one, four] = ["1", "4"].map(|threads| run(&arguments, &[("RAYON_NUM_THREADS", threads)]));
    assert_eq!((one.status, &one.out), (four.status, &four.out));
    let found: Value = serde_json::from_str(&one.out).expect("JSON");
    let ns = |value: &Value| {
        let (number, unit) = value.as_str().expect("a text").split_once(' ').expect("a unit");
        let factor = match unit {
            "ns" => 1.0,
            "us" => 1e3,
            _ => 1e6,
        };
        number.parse::<f64>().expect("a number") * factor
    };
    for (parameter, known) in found["parameters"].as_array().expect("a list").iter().zip([2300.0, 1.5e6]) {
        assert!(ns(&parameter["low"]) <= known && known <= ns(&parameter["high"]), "{known}: {parameter}");
    }
    assert!(found["references"][0]["rows"].as_array().expect("rows").iter().all(|row| row["verdict"] == "fitted"));
}

#[test]
fn what_cannot_be_told_falls_short() {
    let folder = folder("calibrate", "alike");
    let data = measured(&folder, "mine", &small(), &["platform.load=4 ms"]);
    let arguments = ["calibrate", &data, "--fit", LOAD, "--fit", "platform.resume=0 ms..20 ms", "--bootstrap", "100"];
    let ran = midflight(&arguments);
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("`platform.load` and `platform.resume` change the rows alike"), "{}", ran.err);
    assert!(
        ran.out.contains("the whole range") && ran.err.contains("again: midflight calibrate"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn bad_input_is_refused_and_nothing_is_written() {
    let folder = folder("calibrate", "bad");
    let data = measured(&folder, "mine", &small(), &[]);
    let to = folder.join("out");
    let (to, file) = (text(&to), data.as_str());
    let workload = "vms[0].workload.classes[0].write=100 /s..5000 /s";
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec![], "required"),
        (vec![file], "has no `fit`"),
        (vec!["no-such-reference", "--fit", LOAD], "no reference `no-such-reference`"),
        (vec![file, "--fit", "platform.setup"], "has no `=`"),
        (vec![file, "--fit", "platform.setup=3 ms"], "has no range"),
        (vec![file, "--fit", "platform.setup=4 ms..3 ms"], "is not above"),
        (vec![file, "--fit", "platform.setup=4 ms..4096 B"], "not of the same kind"),
        (vec![file, "--fit", "platform.setup=1..4"], "platform.setup"),
        (vec![file, "--fit", "platform.setup=1 B..4 B"], "platform.setup"),
        (vec![file, "--fit", "platform.plce_page=1 us..4 us"], "did you mean `place_page`"),
        (vec![file, "--fit", "vms[0].workload.classes[7].write=1 /s..4 /s"], "has no [7]"),
        (vec![file, "--fit", "vms[0].memory=4 MiB..8 MiB"], "only what is within"),
        (vec![file, "--fit", "policy.x=1..2"], "only what is within"),
        (vec![file, "--fit", LOAD, "--fit", "platform.load=1 ms..2 ms"], "is fitted already"),
        (vec![file, file, "--fit", LOAD], "is there twice"),
        (vec![file, "--fit", LOAD, "--hold-out", "1"], "--hold-out"),
        (vec![file, "--hold-out", "2"], "--fit"),
        (vec![file, "--fit", LOAD, "--bootstrap", "3"], "--bootstrap"),
        (vec![file, "--fit", workload, "--to", to], "the scenario has the workload in place"),
        (vec![file, "--fit", LOAD, "--to", file], "is no folder"),
        (vec!["clark-web"], "has no `fit`"),
    ];
    for (arguments, expected) in cases {
        let ran = midflight(&[&["calibrate"], arguments.as_slice()].concat());
        assert_eq!(ran.status, 2, "{arguments:?}: {}{}", ran.out, ran.err);
        assert!(ran.out.is_empty() && ran.err.contains(expected), "{arguments:?}: {expected}: {}", ran.err);
    }
    assert!(!Path::new(to).exists(), "nothing was written");
}

#[test]
fn a_plan_runs_nothing_and_a_list_is_written_whole() {
    let folder = folder("calibrate", "list");
    let models = folder.join("models");
    fs::create_dir_all(models.join("workloads")).expect("writable");
    let two = json!({
        "schema": 1, "about": "Two halves.", "source": "A test.",
        "classes": [{ "name": "a", "size": "2 MiB", "write": "500 /s" }, { "name": "b", "write": "100 /s" }],
    });
    write(&models.join("workloads/halves.json"), &two);
    let mut named = small();
    named["policy"] = json!({ "migration": { "pre-copy": { "stop_rule": { "qemu": { "downtime_limit": "1 ms" } } } } });
    named["vms"][0]["workload"] = json!("halves");
    let data = measured(&folder, "mine", &named, &["vms[0].workload.classes[0].write=1000 /s"]);
    let write_rate = "vms[0].workload.classes[0].write=100 /s..4000 /s";
    let mut arguments =
        vec!["calibrate", &data, "--fit", write_rate, "--bootstrap", "100", "--to", text(&models), "--dry-run"];
    let plan = midflight(&arguments);
    assert_eq!(plan.status, 0, "{}", plan.err);
    assert!(plan.out.contains("1 parameter, fitted to 16 rows of 8 settings"), "{}", plan.out);
    assert!(plan.out.contains("writes ") && !models.join("workloads/halves-calibrated.json").exists(), "{}", plan.out);
    arguments.pop();
    let ran = midflight(&arguments);
    assert!(ran.status < 2, "{}{}", ran.out, ran.err);
    let model = fs::read_to_string(models.join("workloads/halves-calibrated.json")).expect("written");
    let model: Value = serde_json::from_str(&model).expect("JSON");
    assert_eq!(model["base"], "halves");
    assert_eq!(model["classes"].as_array().map(Vec::len), Some(2), "a list replaces that of the base: {model}");
    assert_eq!(model["classes"][1], two["classes"][1]);
    assert_ne!(model["classes"][0]["write"], two["classes"][0]["write"]);
}

/// Total time and pages of a run with a guest, which is looked up in a folder.
fn moved(scenario: &str, workload: &str, models: &str, seed: u64) -> [f64; 2] {
    let (set, seed) = (format!("vms[0].workload=\"{workload}\""), seed.to_string());
    let ran = midflight(&[
        "run",
        scenario,
        "--format",
        "json",
        "--seed",
        &seed,
        "--set",
        &set,
        "--models",
        models,
        "--set",
        "faults=[]",
    ]);
    let result: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{workload}: {}", ran.err));
    ["total_migration_time_s", "pages_whole"].map(|name| result["record"][name].as_f64().expect("a number"))
}

#[test]
fn the_twin_of_a_recording_moves_as_it_does() {
    let folder = folder("calibrate", "twins");
    let models = text(&folder).to_owned();
    // What keeps its ways. The compiler does not: its twin is its mean (docs/model.md).
    for (workload, memory, policy) in [
        ("redis-set", "256 MiB", json!({ "migration": { "pre-copy": {} } })),
        ("redis-set", "256 MiB", json!("postcopyft-periodic-source")),
        ("sqlite-tpcb", "128 MiB", json!("postcopyft-periodic-source")),
        (
            "sqlite-tpcb",
            "128 MiB",
            json!({ "migration": { "pre-copy": { "stop_rule": { "qemu": { "downtime_limit": "500 ms" } } } } }),
        ),
    ] {
        let ran = midflight(&["calibrate", "--workload", workload, "--to", &models]);
        assert_eq!((ran.status, ran.err.contains("-classes.json")), (0, true), "{}{}", ran.out, ran.err);
        let scenario = json!({
            "schema": 1, "why": "A recording or its twin.", "policy": policy, "network": "gige",
            "vms": [{ "memory": memory, "workload": workload, "output": { "rate": "200 /s", "size": "1000 B" } }],
        });
        let file = write(&folder.join("scenario.json"), &scenario);
        // The middle of three seeds.
        let median = |name: &str| {
            let runs: Vec<[f64; 2]> = (1..4).map(|seed| moved(&file, name, &models, seed)).collect();
            [0, 1].map(|i| {
                let mut values: Vec<f64> = runs.iter().map(|run| run[i]).collect();
                values.sort_by(f64::total_cmp);
                values[1]
            })
        };
        for (one, other) in median(workload).into_iter().zip(median(&format!("{workload}-classes"))) {
            assert!((other / one - 1.0).abs() < 0.05, "{workload}, {policy}: {one} recorded, {other} fitted");
        }
    }
}

#[test]
fn a_recording_that_cannot_be_fitted_is_refused() {
    let cases: [(&[&str], &str); 5] = [
        (&["--workload", "redis-sett"], "did you mean `redis-set`?"),
        (&["--workload", "write-uniform"], "none of them has a `trace`"),
        (&["--workload", "no/such.json"], "no/such.json"),
        (&["--workload", "redis-set", "--bootstrap", "50"], "cannot be used with"),
        (&["--workload", "redis-set", "qemu-pre-copy"], "cannot be used with"),
    ];
    for (arguments, part) in cases {
        let all = [&["calibrate"], arguments].concat();
        let ran = midflight(&all);
        assert!(ran.status == 2 && ran.err.contains(part) && ran.out.is_empty(), "{arguments:?}: {}", ran.err);
    }
}
