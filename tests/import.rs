//! `midflight import qemu`: what is measured becomes a reference that can be validated, and what is no measurement is refused.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{Ran, midflight as run};

/// Of a measured pre-copy (A1), cut down to what is used.
const PRE_COPY: &str = r#"{"group": "A", "exp": "A1", "rep": 1, "vm_mib": 256, "region_mib": 160, "pattern": "uniform", "ws_mib": 160, "rate_req_pages_s": 4000, "bw_mib_s": 100, "link_mib_s": null, "downtime_limit_ms": 300, "caps": ["events"], "params": {}, "outcome": "completed", "downtime_events_ms": 29.1, "src_final": {"status": "completed", "total-time": 2334, "downtime": 18, "ram": {"normal": 66038, "duplicate": 8128, "dirty-sync-count": 4, "postcopy-requests": 0}}}"#;
/// Of a measured failure (D7): a reset in post-copy, and its recovery.
const RESET: &str = r#"{"exp": "D7", "vm_mib": 256, "region_mib": 160, "pattern": "uniform", "ws_mib": 160, "rate_req_pages_s": 2000, "bw_mib_s": 64, "downtime_limit_ms": 300, "caps": ["postcopy-ram"], "params": {"max_postcopy_bandwidth": 67108864}, "failure": "net-cut", "phase": "postcopy", "at_fraction": 0.5, "t_failure": 1799.4, "vm_survived": true, "outcome": "completed", "recovery": [{"detect_src_ms": 90.69, "detect_dst_ms": 9.48, "pause_s": 3.0}]}"#;
/// All that a user need have: the last answer to `query-migrate`.
const BARE: &str = r#"{"return": {"status": "completed", "total-time": 2500, "downtime": 40, "setup-time": 2, "ram": {"total": 268435456, "normal": 60000, "duplicate": 8000, "dirty-sync-count": 4, "dirty-pages-rate": 900, "mbps": 840.5, "page-size": 4096}}}"#;

fn midflight(arguments: &[&str]) -> Ran {
    run(arguments, &[])
}

fn file(name: &str, lines: &[&str]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("import").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
    fs::write(&path, lines.join("\n")).expect("writable");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn measurements_become_rows_that_are_predicted() {
    let measured = file("mine.jsonl", &[PRE_COPY, "", PRE_COPY, RESET]);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("import");
    let made = midflight(&["import", "qemu", &measured, "--to", folder.to_str().expect("UTF-8")]);
    assert_eq!(made.status, 0, "{}", made.err);
    let reference = folder.join("mine.json");
    let compared = midflight(&["validate", reference.to_str().expect("UTF-8"), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&compared.out).expect("JSON");
    let rows = json["references"][0]["rows"].as_array().expect("rows");
    let verdict = |id: &str| {
        let row = rows.iter().find(|row| row["row"] == id).unwrap_or_else(|| panic!("{id} is not in {rows:#?}"));
        row["verdict"].as_str().expect("a verdict").to_owned()
    };
    for part in ["total", "downtime", "normal", "rounds"] {
        assert_eq!(verdict(&format!("A1-uniform-rate-4000-ws-160-bw-100-{part}")), "pass", "{part}");
    }
    // The fate of the VM is claimed: a row whose run ends otherwise has no other verdict than a failure.
    assert_eq!(verdict("D7-uniform-rate-2000-ws-160-bw-64-net-cut-postcopy-0.5-detected"), "FAIL", "2 ms and not 9 ms");
    let trouble = rows.iter().filter(|row| row["reason"].as_str().is_some_and(|reason| reason.contains("claims")));
    assert_eq!(trouble.count(), 0, "each run ends as measured");
}

#[test]
fn a_fate_that_was_not_measured_falls_short() {
    let lost = RESET.replace("\"vm_survived\": true", "\"vm_survived\": false");
    let measured = file("lost.jsonl", &[&lost]);
    let made = midflight(&["import", "qemu", &measured]);
    let reference = file("lost.json", &[&made.out]);
    let compared = midflight(&["validate", &reference]);
    assert_eq!(compared.status, 1, "{}", compared.out);
    assert!(compared.out.contains("the outcome is resumed, expected lost or stalled"), "{}", compared.out);
}

#[test]
fn an_answer_to_query_migrate_is_enough_to_begin_with() {
    let made = midflight(&["import", "qemu", &file("bare.jsonl", &[BARE])]);
    assert_eq!(made.status, 0, "{}", made.err);
    for part in ["\"write\": \"900 /s\"", "\"zero\": \"8000/65536\"", "\"262144 KiB\"", "\"840 Mbit/s\"", "\"2500 ms\""]
    {
        assert!(made.out.contains(part), "{part}\n{}", made.out);
    }
}

#[test]
fn what_is_no_measurement_is_refused_with_its_line() {
    let multifd = PRE_COPY.replace("\"events\"", "\"events\", \"multifd\"");
    let cases: [(&[&str], &str); 5] = [
        (&[PRE_COPY, "{\"exp\": "], ":2: "),
        (&["[1]"], ":1: is no JSON object"),
        (&["{\"a\": 1}"], "neither `exp` nor `src_final`"),
        (&[&multifd], "how `multifd` shares the limit"),
        (&[], "there is no measurement in it"),
    ];
    for (lines, expected) in cases {
        let refused = midflight(&["import", "qemu", &file("refused.jsonl", lines)]);
        assert_eq!(refused.status, 2, "{lines:?}");
        assert!(refused.out.is_empty() && refused.err.contains(expected), "{expected}: {}", refused.err);
    }
    let one = midflight(&["import", "qemu", &file("some.jsonl", &[&multifd, PRE_COPY])]);
    assert!(one.status == 0 && one.err.contains("left out"), "the others are imported: {}", one.err);
    assert!(one.out.contains("Not imported: A1-"), "and it says so where it is read");
}
