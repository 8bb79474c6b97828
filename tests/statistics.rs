//! What a sweep is made of, and what its statistics say: of shipped examples, and of runs that are planted.

#![allow(clippy::float_arithmetic, reason = "statistics are floats")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::sweep::{MEMORY, POLICIES, text, write};
use common::{folder, midflight, root};
use midflight::metric::Record;
use midflight::run::simulate;
use midflight::scenario::{LoadOptions, Scenario, Trigger, load_sweep};
use midflight::stats::{Interval, student_half};
use midflight::sweep::{Line, PANICKED, Plan, Table, run, run_with, summary};
use midflight::units::Span;

/// A plan made of a text.
fn plan(name: &str, text: &str) -> Plan {
    let file = write(&folder("sweep", name), "sweep.json", text);
    plan_of(Path::new(&file))
}

fn plan_of(file: &Path) -> Plan {
    let columns: Vec<_> = midflight::metric::COLUMNS.iter().filter_map(midflight::metric::Column::bound).collect();
    let options = LoadOptions { columns: &columns, ..LoadOptions::default() };
    let sweep = load_sweep(file, &options).unwrap_or_else(|error| panic!("{error}"));
    Plan::new(sweep).unwrap_or_else(|error| panic!("{error}"))
}

fn all(plan: &Plan) -> (Table, Vec<Vec<String>>) {
    let (mut table, mut rows) = (Table::new(plan), Vec::new());
    let all = run::<()>(plan, &plan.shard(0, 1), &|| true, &mut |place, row| {
        table.push(place.cell, row);
        rows.push(row.to_vec());
        Ok(())
    });
    assert_eq!(all, Ok(true));
    (table, rows)
}

#[test]
fn cells_are_those_that_are_meant() {
    let values = |plan: &Plan| -> Vec<String> {
        (0..plan.cells.len()).map(|cell| plan.values(cell).collect::<Vec<_>>().join(" | ")).collect()
    };
    let rate = r#"{"path": "horizon", "log": {"from": "2 s", "to": "200 s", "n": 3}}"#;
    let grid = plan("grid", &text(&format!("{POLICIES}, {rate}"), ""));
    let expected = [
        "post-copy | 2 s",
        "post-copy | 20 s",
        "post-copy | 200 s",
        "postcopyft-periodic-source | 2 s",
        "postcopyft-periodic-source | 20 s",
        "postcopyft-periodic-source | 200 s",
    ];
    assert_eq!(values(&grid), expected);
    let (tenths, sizes) = (
        r#"{"path": "network.latency", "range": {"from": "0.1 ms", "to": "0.4 ms", "step": "100 us"}}"#,
        r#"{"path": "vms[0].memory", "log": {"from": "1 MiB", "to": "8 MiB", "n": 4}}"#,
    );
    let zipped = plan("zipped", &text(&format!("{tenths}, {sizes}"), r#", "zip": [["latency", "memory"]]"#));
    assert_eq!(values(&zipped), ["0.1 ms | 1 MiB", "0.2 ms | 2 MiB", "0.3 ms | 4 MiB", "0.4 ms | 8 MiB"]);
    let kept = r#", "where": [{"path": "memory", "op": ">=", "value": "2048 KiB"}, {"path": "memory", "op": "!=", "value": "3 MiB"}]"#;
    assert_eq!(values(&plan("where", &text(MEMORY, kept))), ["2 MiB", "4 MiB"]);
    // By its name in results, and as a quantity in another unit.
    let named = r#", "where": [{"path": "protection", "op": "!=", "value": "post-copy"}, {"path": "memory", "op": "=", "value": "3072 KiB"}]"#;
    assert_eq!(
        values(&plan("named", &text(&format!("{POLICIES}, {MEMORY}"), named))),
        ["postcopyft-periodic-source | 3 MiB"]
    );
    let between = r#", "where": [{"path": "horizon", "op": "<", "axis": "end"}]"#;
    let end = r#"{"path": "operator.cancel_after", "as": "end", "values": ["10 s", "500 s"]}"#;
    assert_eq!(
        values(&plan("between", &text(&format!("{rate}, {end}"), between))),
        ["2 s | 10 s", "2 s | 500 s", "20 s | 500 s", "200 s | 500 s"]
    );
    let hypercube = plan("lhs", &text(&format!("{rate}, {MEMORY}"), r#", "design": {"lhs": {"n": 12}}"#));
    assert!(hypercube.cells.len() <= 12 && hypercube.cells.len() > 6, "{:?}", values(&hypercube));
    let mut unlike = hypercube.cells.clone();
    unlike.sort();
    unlike.dedup();
    assert_eq!(unlike.len(), hypercube.cells.len(), "a cell that is met twice is taken once");
    let own = folder("sweep", "own-file");
    write(&own, "mine.json", r#"{"schema": 1, "about": "x", "source": "x", "migration": {"stop-and-copy": {}}}"#);
    let file = write(&own, "s.json", &text(&POLICIES.replace("postcopyft-periodic-source", "mine.json"), ""));
    let own = plan_of(Path::new(&file));
    assert_eq!(values(&own), ["post-copy", "mine"]);
    assert_ne!(own.scenario(0).policy, own.scenario(1).policy);
}

#[test]
fn what_goes_together_is_compared_together() {
    let names = r#"{"path": "operator.cancel_after", "as": "cancel", "values": ["20 s", "30 s", "40 s", "50 s"]}"#;
    let more =
        r#", "zip": [["memory", "cancel"]], "replications": 3, "compare": {"axis": "memory", "with": "2048 KiB"}"#;
    let plan = plan("zip-compare", &text(&format!("{MEMORY}, {POLICIES}, {names}"), more));
    let (table, _) = all(&plan);
    let lines = summary(&plan, &table);
    // Cells of one policy; the second memory is what the others are compared with.
    for cell in 0..8 {
        let differs =
            lines.iter().find(|line| line.cell == cell && line.kind == "difference" && line.quantity == "events");
        let mean = |cell: usize| line(&lines, cell, "events", "mean").estimate.expect("a mean");
        match differs {
            None => assert!([2, 3].contains(&cell), "{cell}"),
            Some(line) => {
                assert_eq!((line.with.as_str(), line.n), ("2 MiB", 3));
                let expected = mean(cell) - mean(2 + cell % 2);
                assert!((line.estimate.expect("a difference") - expected).abs() < 1e-6, "{cell}");
            }
        }
    }
}

#[test]
fn a_row_is_what_run_says_of_its_cell() {
    let at = folder("sweep", "row");
    let file = write(&at, "s.json", &text(&format!("{POLICIES}, {MEMORY}"), r#", "replications": 3, "seed": 9"#));
    let out = at.join("out");
    assert_eq!(midflight(&["sweep", &file, "--out", out.to_str().expect("UTF-8")], &[]).status, 0);
    let rows = fs::read_to_string(at.join("out/runs.csv")).expect("rows");
    let last = rows.lines().last().expect("a row");
    let plan = plan_of(Path::new(&file));
    let record = simulate(plan.scenarios().last().expect("cells"), 9, 2).record;
    let again: Vec<String> = record.values().into_iter().map(|v| v.map_or(String::new(), |v| v.to_string())).collect();
    assert_eq!(last, format!("7,postcopyft-periodic-source,4 MiB,{}", again.join(",")));
    // And so can be seen by itself.
    let repeated = midflight(&["sweep", &file, "--repeat", "7,2", "--format", "json"], &[]);
    assert!(repeated.out.contains(&record.fingerprint), "{}", repeated.err);
}

#[test]
fn shards_are_the_whole_wherever_it_is_cut() {
    let until = r#", "replications": {"until": {"metric": "end_s", "half_width": "1 %", "max": 64}}"#;
    for (name, replications, most) in [("cut", r#", "replications": 5"#, 40), ("cut-until", until, 8)] {
        let plan = plan(name, &text(&format!("{POLICIES}, {MEMORY}"), replications));
        let whole = plan.shard(0, 1);
        assert_eq!(plan.most_shards(), most);
        for of in 1..=most {
            let shards = plan.shards(of);
            assert_eq!((shards[0].first, shards[shards.len() - 1].end), (whole.first, whole.end), "{name} {of}");
            assert!(shards.windows(2).all(|two| two[0].end == two[1].first), "{name} {of}: {shards:?}");
            assert!(shards.iter().all(|shard| shard.first < shard.end), "{name} {of}: none is empty: {shards:?}");
        }
        let (_, rows) = all(&plan);
        let mut pieces = Vec::new();
        for shard in plan.shards(most - 1) {
            let all = run::<()>(&plan, &shard, &|| true, &mut |_, row| {
                pieces.push(row.to_vec());
                Ok(())
            });
            assert_eq!(all, Ok(true));
        }
        assert!(pieces == rows, "{name}");
    }
}

#[test]
fn a_run_that_panics_spoils_nothing() {
    let plan = plan("panics", &text(MEMORY, r#", "replications": 4"#));
    let mut table = Table::new(&plan);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let simulated = |scenario: &Arc<Scenario>, seed: u64, replication: u64| -> Record {
        assert!(replication != 2, "planted");
        simulate(scenario, seed, replication).record
    };
    let ended = run_with::<()>(&plan, &plan.shard(0, 1), &simulated, &|| true, &mut |place, row| {
        table.push(place.cell, row);
        rows.push(row.to_vec());
        Ok(())
    });
    assert_eq!(ended, Ok(true));
    assert_eq!((rows.len(), table.panicked()), (16, 4));
    let (_, sound) = all(&plan);
    for (row, other) in rows.iter().zip(&sound).filter(|(row, _)| !row.contains(&PANICKED.to_owned())) {
        assert_eq!(row, other);
    }
    let lines = summary(&plan, &table);
    let of = |quantity: &str| lines.iter().find(|line| line.quantity == quantity).expect("a line");
    for quantity in ["outcome=lost", "events"] {
        assert_eq!((of(quantity).n, of(quantity).absent), (3, 1), "{quantity}");
    }
    // 0 of 3 has its upper bound, and what nobody saw is in it.
    let unseen = of("outcome=split_brain");
    assert!(unseen.estimate == Some(0.0) && unseen.interval.expect("an interval").high > 0.7, "{unseen:?}");
}

fn line<'a>(lines: &'a [Line], cell: usize, quantity: &str, kind: &str) -> &'a Line {
    let found = lines.iter().find(|line| line.cell == cell && line.quantity == quantity && line.kind == kind);
    found.unwrap_or_else(|| panic!("no {kind} of {quantity} in cell {cell}"))
}

fn width(interval: Option<Interval>) -> f64 {
    interval.expect("an interval").half_width()
}

#[test]
fn pairing_pays_in_a_shipped_example() {
    let plan = plan_of(&root().join("sweeps/losing-the-vm.json"));
    let (table, _) = all(&plan);
    let lines = summary(&plan, &table);
    for cell in [2, 4] {
        let gap = line(&lines, cell, "client_gap_s", "difference");
        let unpaired = gap.unpaired.expect("a width");
        assert!(width(gap.interval) < 0.8 * unpaired, "{gap:?}");
        // As if the two were apart: Student's 63 degrees, the deviations of either cell.
        let deviation = |cell| line(&lines, cell, "client_gap_s", "mean").spread[0].expect("a deviation");
        let apart = student_half(0.95, 63.0) * ((deviation(0).powi(2) + deviation(cell).powi(2)) / 64.0).sqrt();
        assert!((unpaired / apart - 1.0).abs() < 1e-9, "{unpaired} {apart}");
        let lost = line(&lines, cell, "outcome=lost", "change");
        assert!(lost.estimate < Some(-0.9) && lost.p < Some(1e-9), "{lost:?}");
        // The same crashes.
        assert_eq!(line(&lines, cell, "fault_time_s", "difference").estimate, Some(0.0));
    }
}

/// For how long after `migrate` was accepted a crash of the source costs the VM, to the microsecond, in seconds.
fn vulnerable(scenario: &Scenario) -> f64 {
    // Sent at 1 s, the command takes a moment.
    let accepted = Span::from_ns(1_000_100_545);
    let lost = |after: u64| {
        let mut scenario = scenario.clone();
        scenario.faults[0].when = Trigger::At(accepted + Span::from_us(after));
        simulate(&Arc::new(scenario), 1, 0).record.outcome == "lost"
    };
    let (mut low, mut high) = (1, 200_000);
    assert!(lost(low) && !lost(high));
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if lost(middle) { low = middle } else { high = middle }
    }
    Span::from_us(low).seconds().parse().expect("a number")
}

#[test]
fn the_vulnerable_window_is_met_as_often_as_it_must_be() {
    let plan = plan_of(&root().join("sweeps/vulnerable-window.json"));
    let (table, rows) = all(&plan);
    let lines = summary(&plan, &table);
    let window = vulnerable(plan.scenario(0));
    let truth = -(-window / 6000.0).exp_m1();
    let (free, kept) = (line(&lines, 0, "outcome=lost", "proportion"), line(&lines, 1, "outcome=lost", "proportion"));
    for of in [free, kept] {
        assert!(of.interval.expect("an interval").contains(truth), "{truth}: {of:?}");
        assert_eq!(of.n, 2000);
    }
    // A run that panics has no weight of its own in its row; the cell has.
    let mut broken = Table::new(&plan);
    for row in &rows[..rows.len() - 1] {
        broken.push(row[0].parse().expect("a cell"), row);
    }
    let panicked =
        |field: &String| if field == "lost" || field == "completed" { PANICKED.into() } else { String::new() };
    broken.push(1, &rows[rows.len() - 1].iter().map(panicked).collect::<Vec<String>>());
    assert_eq!(broken.panicked(), 1);
    let of = summary(&plan, &broken);
    assert!(line(&of, 1, "outcome=lost", "proportion").estimate.expect("an estimate") < 2.0 * truth);
    assert!((kept.weight - -(-0.2f64 / 6000.0).exp_m1()).abs() < 1e-12, "{}", kept.weight);
    assert!(width(kept.interval) * 10.0 < width(free.interval), "{free:?} {kept:?}");
}

#[test]
fn cells_end_when_enough_is_known() {
    let plan = plan_of(&root().join("sweeps/enough.json"));
    let (table, rows) = all(&plan);
    let lines = summary(&plan, &table);
    let mut ended = 0;
    for cell in 0..plan.cells.len() {
        let runs = table.runs_of(cell);
        assert!([32, 64, 128, 256, 512, 1024].contains(&runs), "{runs}");
        let pages = line(&lines, cell, "pages_reverse", "mean");
        // Half of the probability beyond is for looking several times; what is not looked at has the level that was asked.
        let asked = line(&lines, cell, "checkpoints_committed", "mean").level;
        assert!((pages.level - 0.975).abs() + (asked - 0.95).abs() < 1e-12, "{} {asked}", pages.level);
        let narrow = width(pages.interval) <= 0.05 * pages.estimate.expect("a mean");
        assert!(narrow || runs == 1024, "{pages:?}");
        ended += usize::from(runs < 1024);
    }
    assert!(ended >= 4, "{ended} cells ended before the last look");
    // Rows read back decide alike.
    let mut again = Table::new(&plan);
    for row in &rows {
        let place = plan.next(&again).expect("as many rows");
        assert_eq!((place.cell.to_string(), place.replication), (row[0].clone(), again.runs_of(place.cell)));
        again.push(place.cell, row);
    }
    assert_eq!(plan.next(&again), None);
    let outcome = r#", "replications": {"until": {"metric": "outcome=lost", "half_width": "12 %", "max": 128}}"#;
    let plan = self::plan("outcome", &text(MEMORY, outcome));
    let (table, _) = all(&plan);
    let runs: Vec<u64> = (0..4).map(|cell| table.runs_of(cell)).collect();
    assert!(runs.contains(&64) && runs.iter().all(|runs| [32, 64, 128].contains(runs)), "{runs:?}");
}
