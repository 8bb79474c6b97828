//! `midflight validate` as its user runs it, and every shipped reference.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use common::{Ran, files, root};
use midflight::metric::{COLUMNS, Column};
use midflight::scenario::{LoadOptions, Reference, load_reference};
use midflight::validate::validate;

fn midflight_on(threads: &str, arguments: &[&str]) -> Ran {
    common::midflight(&[&["validate"], arguments].concat(), &[("RAYON_NUM_THREADS", threads)])
}

fn midflight(arguments: &[&str]) -> Ran {
    midflight_on("2", arguments)
}

fn references() -> Vec<PathBuf> {
    files("models/references", ".json")
}

fn loaded(path: &Path) -> Reference {
    let columns: Vec<_> = COLUMNS.iter().filter_map(Column::bound).collect();
    let options = LoadOptions { columns: &columns, ..LoadOptions::default() };
    load_reference(path, &options).unwrap_or_else(|error| panic!("{error}"))
}

/// References of which a run is slow in a debug build; the others are validated by every test run.
const SLOW: &[&str] = &["postcopyft-fig4", "postcopyft-fig5", "postcopyft-fig9"];

#[test]
fn every_shipped_reference_loads_and_says_what_counts() {
    let all = references();
    assert!(!all.is_empty());
    for path in &all {
        let reference = loaded(path);
        let counts =
            (0..reference.rows.len()).any(|row| !reference.is_fitted(row) && reference.rows[row].why.is_none());
        assert!(counts, "{}: no row counts, so nothing could fall short", path.display());
    }
    for slow in SLOW {
        assert!(all.iter().any(|path| path.file_stem().is_some_and(|stem| stem == *slow)), "{slow} is not shipped");
    }
}

#[test]
fn shipped_references_are_within_their_tolerance() {
    for path in references() {
        let reference = loaded(&path);
        if SLOW.contains(&reference.id.as_str()) {
            continue;
        }
        let validation = validate(&reference, Some(1));
        assert!(validation.is_good(), "{}: {validation:#?}", path.display());
    }
}

/// The shipped reference under another name, changed in one place, in a folder of this test's own.
fn changed(id: &str, from: &str, to: &str) -> String {
    let good = fs::read_to_string(root().join("models/references/clark-stop-and-copy.json")).expect("shipped");
    // A tenth of the memory, so that it is quick.
    let quick = good
        .replace("\"512 MB\"", "\"51.2 MB\"")
        .replace("\"512 MiB\"", "\"51 MiB\"")
        .replace("\"value\": \"32 s\"", "\"value\": \"3.2 s\"")
        .replace("\"value\": \"16 s\"", "\"value\": \"1.6 s\"")
        .replace("\"value\": \"8 s\"", "\"value\": \"800 ms\"")
        .replace("\"fraction\": \"2 %\"", "\"fraction\": \"5 %\"")
        .replace("\"clark-stop-and-copy\"", &format!("\"{id}\""));
    assert!(quick.contains(from), "{from}");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("validate");
    fs::create_dir_all(&folder).expect("writable");
    let path = folder.join(format!("{id}.json"));
    fs::write(&path, quick.replacen(from, to, 1)).expect("writable");
    path.to_str().expect("UTF-8").into()
}

#[test]
fn good_is_0_a_row_off_is_1_and_says_which() {
    let good = midflight(&[&changed("good", "\"schema\"", "\"schema\"")]);
    assert_eq!((good.status, good.err.as_str()), (0, ""), "{}", good.out);
    assert!(good.out.starts_with("good: 3 of 3 rows within tolerance\n"), "{}", good.out);
    let path = changed(
        "off",
        "\"set\": { \"network.rate\": \"256 Mbit/s\" }",
        "\"set\": { \"network.rate\": \"200 Mbit/s\" }",
    );
    let off = midflight(&[&path]);
    assert_eq!(off.status, 1, "{}", off.err);
    assert!(
        off.err.contains("validation: off: 2 of 3 rows within tolerance\nagain: midflight validate "),
        "{}",
        off.err
    );
    let line = off.out.lines().find(|line| line.contains("256-mbit")).expect("the row");
    assert!(line.ends_with("FAIL") && line.contains("+2"), "{line}");
    assert!(off.out.contains("\n      allowed: ± 5 %\n"), "{}", off.out);
    assert!(off.out.lines().all(|line| line.chars().count() <= 100), "{}", off.out);
}

#[test]
fn what_is_wrong_is_shown_where_it_was_typed() {
    let row = "\"set\": { \"network.rate\": \"128 Mbit/s\" }";
    let cases: [(&str, &str, &str, &[&str]); 14] = [
        ("key", "\"metric\"", "\"metrics\"", &["key.json:24:7", "rows[0].metrics", "did you mean `metric`"]),
        ("twice", "\"schema\": 1,", "\"schema\": 1, \"schema\": 1,", &["twice.json:3:16", "is here twice"]),
        ("inline", "\"vms\"", "\"vmss\"", &["inline.json:11:13", "did you mean `vms`"]),
        ("column", "\"downtime_s\"", "\"downtime\"", &["column.json:24:17", "no column `downtime`", "`downtime_s`"]),
        ("set", row, "\"set\": { \"network.rte\": \"1 Mbit/s\" }", &["set.json:23:16", "unknown key `rte`", "`rate`"]),
        ("value", row, "\"set\": { \"network.rate\": \"fast\" }", &["value.json:23:16", "network.rate: ", "fast"]),
        ("index", row, "\"set\": { \"vms[3].memory\": \"1 MB\" }", &["index.json:23:16", "it has no [3]"]),
        ("unit", "\"value\": \"3.2 s\"", "\"value\": 32", &["unit.json:25:16", "`32` has no unit"]),
        (
            "float",
            "\"value\": \"3.2 s\"",
            "\"value\": 3.2",
            &["float.json:25:16", "`3.2` has no unit; write \"3.2 s\""],
        ),
        ("kind", "\"value\": \"3.2 s\"", "\"value\": \"3 MB\"", &["kind.json:25:16", "not a unit of time"]),
        (
            "near",
            "\"within\": { \"fraction\": \"5 %\" }",
            "\"replications\": 2",
            &["near.json:21:5", "how near is near enough"],
        ),
        ("factor", "\"fraction\": \"5 %\"", "\"factor\": \"1/2\"", &["factor.json:26:29", "is not a factor"]),
        ("array", "\"within\": {", "\"within\": [], \"x\": {", &["array.json:26:17", "an array has no place here"]),
        (
            "fit",
            "\"rows\": [",
            "\"fit\": [{ \"path\": \"network.rate\", \"rows\": [\"128-mbt\"], \"from\": \"1 s\", \"to\": \"2 B\" }], \"rows\": [",
            &["there is no row `128-mbt`", "did you mean `128-mbit`", "not of the same kind as `from`"],
        ),
    ];
    for (id, from, to, parts) in cases {
        let ran = midflight(&[&changed(id, from, to)]);
        assert_eq!(ran.status, 2, "{id}: {}", ran.err);
        assert!(ran.out.is_empty(), "{id}: {}", ran.out);
        for part in parts {
            assert!(ran.err.contains(part), "{id}: {part} not in\n{}", ran.err);
        }
    }
    let ran = midflight(&[&renamed()]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("new-name.json:4:9") && ran.err.contains("not the name of the file"), "{}", ran.err);
    let ran = midflight(&["clark-stop-and-cpy"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("did you mean `clark-stop-and-copy`?"), "{}", ran.err);
    assert_eq!(midflight(&[]).status, 2);
}

/// What goes to a folder is the table and the figure, the same on any number of threads.
#[test]
fn a_table_and_a_figure_are_kept() {
    let kept = |threads: &str| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("validate").join(format!("kept-{threads}"));
        let ran = midflight_on(threads, &["qemu-hybrid", "qemu-checkpoint", "--to", folder.to_str().expect("UTF-8")]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        ["table.csv", "predicted-against-measured.svg"]
            .map(|name| fs::read_to_string(folder.join(name)).expect("written"))
    };
    let [table, figure] = kept("1");
    assert_eq!([&table, &figure], kept("3").each_ref());
    assert!(table.starts_with("reference,row,metric") && table.lines().count() > 30, "{table}");
    // Metrics of eight rows or more have a panel.
    for part in ["file bytes [MB]", "measured", "predicted", "qemu", "within 5 %"] {
        assert!(figure.contains(part), "{part} is not in the figure");
    }
    let points = figure.matches("<circle").count();
    assert_eq!(points, 33, "four panels of eight rows, and one point for the legend");
}

/// A reference whose file was renamed.
fn renamed() -> String {
    let old = changed("old-name", "\"schema\"", "\"schema\"");
    let new = old.replace("old-name.json", "new-name.json");
    fs::copy(&old, &new).expect("writable");
    new
}

#[test]
fn any_number_of_threads_prints_the_same_bytes() {
    let fit = "\"fit\": [{ \"path\": \"platform.load\", \"rows\": [\"512-mbit\"], \"from\": \"0 ms\", \"to\": \"99 ms\" }], \"rows\": [";
    let path = changed("threads", "\"rows\": [", fit);
    for format in ["human", "json", "csv"] {
        let one = midflight_on("1", &[&path, "--format", format]);
        let four = midflight_on("4", &[&path, "--format", format]);
        assert_eq!((one.out, one.status), (four.out, four.status), "{format}");
    }
}

#[test]
fn json_and_csv_say_the_same_and_a_dry_run_runs_nothing() {
    let path = changed("formats", "\"schema\"", "\"schema\"");
    let json: serde_json::Value = serde_json::from_str(&midflight(&[&path, "--format", "json"]).out).expect("JSON");
    let csv = midflight(&[&path, "--format", "csv"]).out;
    let rows = json["references"][0]["rows"].as_array().expect("rows");
    assert_eq!(csv.lines().count(), rows.len() + 1);
    for (row, line) in rows.iter().zip(csv.lines().skip(1)) {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!((cells[1], cells[10]), (row["row"].as_str().unwrap_or(""), row["verdict"].as_str().unwrap_or("")));
        assert_eq!(cells[4], row["predicted"].to_string());
    }
    assert_eq!(json["references"][0]["counted"], 3);
    let plan = midflight(&[&path, "--dry-run", "--seed", "7"]);
    assert_eq!(plan.status, 0);
    assert!(plan.out.starts_with("formats: 4 rows, 4 runs, seed 7\n"), "{}", plan.out);
    assert!(!plan.out.contains("predicted"), "{}", plan.out);
}

#[test]
fn a_shipped_reference_runs_by_name_from_anywhere() {
    let output = Command::cargo_bin("midflight")
        .expect("the program is built")
        .current_dir(std::env::temp_dir())
        .args(["validate", "clark-stop-and-copy", "--format", "csv"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let here = midflight(&["models/references/clark-stop-and-copy.json", "--format", "csv"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), here.out);
}
