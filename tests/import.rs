//! `midflight import qemu`: what is measured becomes a reference that can be validated, and what is no measurement is refused.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{Ran, midflight as run};

/// Of a measured pre-copy (A1), cut down to what is used.
const PRE_COPY: &str = r#"{"group": "A", "exp": "A1", "rep": 1, "vm_mib": 256, "region_mib": 160, "pattern": "uniform", "ws_mib": 160, "rate_req_pages_s": 4000, "bw_mib_s": 100, "link_mib_s": null, "downtime_limit_ms": 300, "caps": ["events"], "params": {}, "outcome": "completed", "downtime_events_ms": 29.1, "src_final": {"status": "completed", "total-time": 2334, "downtime": 18, "ram": {"normal": 66038, "duplicate": 8128, "dirty-sync-count": 4, "postcopy-requests": 0}}}"#;
/// Of a measured failure (D7): a reset in post-copy, and its recovery.
const RESET: &str = r#"{"exp": "D7", "vm_mib": 256, "region_mib": 160, "pattern": "uniform", "ws_mib": 160, "rate_req_pages_s": 2000, "bw_mib_s": 64, "downtime_limit_ms": 300, "caps": ["postcopy-ram"], "params": {"max_postcopy_bandwidth": 67108864}, "failure": "net-cut", "phase": "postcopy", "at_fraction": 0.5, "t_failure": 1799.4, "vm_survived": true, "outcome": "completed", "recovery": [{"detect_src_ms": 90.69, "detect_dst_ms": 9.48, "pause_s": 3.0}]}"#;
/// Of a measured stop-and-copy to a file (E1), and of a background snapshot (E3) of the smallest guest.
const STOPPED: &str = r#"{"group": "E", "exp": "E1-stop-and-copy", "vm_mib": 256, "region_mib": 160, "rate_req_pages_s": 0, "pattern": "uniform", "live": false, "background_snapshot": false, "bw_mib_s": null, "rate_before": {"touches_per_s": 0.0}, "outcome": "completed", "save_ms": 255.9, "src_final": {"status": "completed", "total-time": 253}, "t_pass": [[1, 7.8]], "t_stop": [0.7], "t_resume": [], "file_bytes": 236323134, "failover": {"kill_to_qmp_ready_ms": 57.7, "kill_to_first_hb_ms": 365.1, "load_ms": 290.1}}"#;
const SNAPSHOT: &str = r#"{"exp": "E3-background-snapshot", "vm_mib": 256, "region_mib": 160, "rate_req_pages_s": 8000, "pattern": "uniform", "live": false, "background_snapshot": true, "bw_mib_s": 64, "outcome": "completed", "save_ms": 777.9, "src_final": {"status": "completed", "total-time": 776}, "t_stop": [8.8], "t_resume": [11.7], "file_bytes": 236323367, "failover": {"kill_to_first_hb_ms": 411.1, "load_ms": 299.5}}"#;
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
    // With two channels it took 2.04 s.
    let multifd = PRE_COPY.replace("\"A1\"", "\"A9\"").replace("\"events\"", "\"events\", \"multifd\"");
    let multifd = multifd.replace("2334", "2040").replace("66038", "68000");
    let measured = file("mine.jsonl", &[PRE_COPY, "", PRE_COPY, &multifd, RESET]);
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
    assert_eq!(verdict("A9-uniform-rate-4000-ws-160-bw-100-multifd-total"), "pass");
    // The fate of the VM is claimed: a row whose run ends otherwise has no other verdict than a failure.
    assert_eq!(verdict("D7-uniform-rate-2000-ws-160-bw-64-net-cut-postcopy-0.5-detected"), "FAIL", "2 ms and not 9 ms");
    let trouble = rows.iter().filter(|row| row["reason"].as_str().is_some_and(|reason| reason.contains("claims")));
    assert_eq!(trouble.count(), 0, "each run ends as measured");
}

/// The verdicts of a reference made of these lines, by row.
fn verdicts(name: &str, lines: &[&str]) -> Vec<(String, String)> {
    let made = midflight(&["import", "qemu", &file(&format!("{name}.jsonl"), lines)]);
    assert_eq!((made.status, made.err.as_str()), (0, ""), "nothing is left out");
    let compared = midflight(&["validate", &file(&format!("{name}.json"), &[&made.out]), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&compared.out).expect("JSON");
    let rows = json["references"][0]["rows"].as_array().expect("rows");
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().expect("text").to_owned();
    rows.iter().map(|row| (text(row, "row"), text(row, "verdict"))).collect()
}

#[test]
fn checkpoints_to_a_file_are_saved_and_loaded_in_time() {
    // What a live one is was not measured here: as many pages as the pre-copy of the same guest, at the same limit.
    let live = STOPPED
        .replace("\"live\": false", "\"live\": true")
        .replace("E1-stop-and-copy", "E2-live")
        .replace("\"rate_req_pages_s\": 0", "\"rate_req_pages_s\": 4000")
        .replace("\"bw_mib_s\": null", "\"bw_mib_s\": 100")
        .replace("255.9", "2350.5")
        .replace("290.1", "320.1")
        .replace("\"t_resume\": []", "\"t_resume\": [40.5]")
        .replace("236323134", "271319304");
    let rows = verdicts("file", &[STOPPED, SNAPSHOT, &live, PRE_COPY]);
    let parts = [
        ("E1-stop-and-copy-uniform", &["file", "save", "load", "failover"][..]),
        ("E3-background-snapshot-uniform-rate-8000-bw-64", &["file", "save", "pause", "load", "failover"]),
        ("E2-live-uniform-rate-4000-bw-100", &["file", "save", "pause", "load", "failover"]),
        ("A1-uniform-rate-4000-ws-160-bw-100", &["total", "downtime", "normal", "rounds"]),
    ];
    let expected = parts.iter().flat_map(|(id, parts)| parts.iter().map(move |part| format!("{id}-{part}")));
    assert_eq!(rows.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let not: Vec<_> = rows.iter().filter(|(_, verdict)| verdict != "pass").collect();
    assert!(not.is_empty(), "{not:?}");
    let large = verdicts("large", &[&STOPPED.replace("236323134", "239100000")]);
    assert_eq!(large[0].1, "FAIL", "a file that is one per cent larger");
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
fn what_most_repetitions_left_on_each_host_is_claimed() {
    let ended = |source: &str, more: &str| {
        let ends = format!("\"src_status_end\": \"{source}\", \"dst_status_end\": \"running\", {more}\"exp\": \"D7\"");
        RESET.replace("\"exp\": \"D7\"", &ends)
    };
    let (stands, runs) = (ended("postmigrate", ""), ended("running", ""));
    // A source that was migrated once more says nothing of what the failure left.
    let again = ended("running", "\"retry_status\": \"completed\", ");
    for (name, lines, kept) in [
        ("ends", [&stands, &runs, &stands, &again, &again], true),
        ("other-ends", [&runs, &stands, &runs, &runs, &again], false),
    ] {
        let made = midflight(&["import", "qemu", &file(&format!("{name}.jsonl"), &lines.map(String::as_str))]);
        let compared = midflight(&["validate", &file(&format!("{name}.json"), &[&made.out]), "--format", "json"]);
        let broken = "the VM on the source ends as `stands`, expected runs";
        assert_eq!(!compared.out.contains(broken), kept, "{name}: {}", compared.out);
    }
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
    let image = STOPPED.replace("\"file_bytes\": 236323134,", "");
    let cases: [(&[&str], &str); 5] = [
        (&[&image], "it saves the VM into a disk image (`snapshot-save`)"),
        (&[PRE_COPY, "{\"exp\": "], ":2: "),
        (&["[1]"], ":1: is no JSON object"),
        (&["{\"a\": 1}"], "neither `exp` nor `src_final`"),
        (&[], "there is no measurement in it"),
    ];
    for (lines, expected) in cases {
        let refused = midflight(&["import", "qemu", &file("refused.jsonl", lines)]);
        assert_eq!(refused.status, 2, "{lines:?}");
        assert!(refused.out.is_empty() && refused.err.contains(expected), "{expected}: {}", refused.err);
    }
    let one = midflight(&["import", "qemu", &file("some.jsonl", &[&image, PRE_COPY])]);
    assert!(one.status == 0 && one.err.contains("left out"), "the others are imported: {}", one.err);
    assert!(one.out.contains("Not imported: E1-"), "and it says so where it is read");
}
