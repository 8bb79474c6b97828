//! References with known answers: what was simulated is published, and must be found again.

use std::sync::Arc;

use super::*;
use crate::metric::{COLUMNS, Column};
use crate::run::simulate;
use crate::scenario::{LoadOptions, load_reference_text, load_text};

const SCENARIO: &str = r#"{
    "schema": 1, "why": "A small VM.",
    "policy": { "migration": { "pre-copy": { "stop_rule": { "qemu": { "downtime_limit": "1 ms" } } } } },
    "vms": [{
      "memory": "64 MiB",
      "workload": { "classes": [{ "name": "all", "write": "1000 /s" }] },
      "output": { "rate": "500 /s", "size": "1000 B" }
    }]
  }"#;

/// The time of a stop-and-copy is a smooth function of every rate and cost: no rounds that come and go.
const SMOOTH: &str = r#"policy.migration={"stop-and-copy": {}}"#;

fn reference(fit: &str, rows: &str) -> Reference {
    reference_of(SCENARIO, fit, rows)
}

fn smooth_reference(fit: &str, rows: &str) -> Reference {
    let pre_copy = r#"{ "pre-copy": { "stop_rule": { "qemu": { "downtime_limit": "1 ms" } } } }"#;
    assert!(SCENARIO.contains(pre_copy));
    reference_of(&SCENARIO.replace(pre_copy, r#"{ "stop-and-copy": {} }"#), fit, rows)
}

fn reference_of(scenario: &str, fit: &str, rows: &str) -> Reference {
    let text = format!(
        r#"{{ "schema": 1, "id": "t", "source": "A test.", "why": "A test.", "scenario": {scenario},
              "fit": [{fit}], "rows": [{rows}] }}"#
    );
    let columns: Vec<_> = COLUMNS.iter().filter_map(Column::bound).collect();
    let options = LoadOptions { columns: &columns, ..LoadOptions::default() };
    load_reference_text("t.json", &text, &options).unwrap_or_else(|error| panic!("{error}"))
}

/// A column of the small scenario with some settings, in nanoseconds.
fn simulated(column: &str, sets: &[&str]) -> u64 {
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    let options = LoadOptions { sets: &sets, ..LoadOptions::default() };
    let scenario = Arc::new(load_text("t.json", SCENARIO, &options).unwrap_or_else(|error| panic!("{error}")));
    simulate(&scenario, scenario.seed, 0).record.integer(column).expect("a value")
}

fn row(id: &str, metric: &str, value: &str, rest: &str) -> String {
    format!(r#"{{ "id": "{id}", "metric": {metric}, "value": {value} {rest} }}"#)
}

const TOTAL: &str = r#""total_migration_time_s""#;

fn ns(value: u64) -> String {
    format!("\"{value} ns\"")
}

#[test]
fn rows_are_judged_by_what_they_say() {
    let total = simulated("total_migration_time_s", &[]);
    let (near, far) = (ns(total + total / 50), ns(total * 2));
    let cases: Vec<(String, String, Verdict, &str)> = vec![
        (ns(total), r#", "equals": true"#.into(), Verdict::Pass, ""),
        (ns(total + 1), r#", "equals": true"#.into(), Verdict::Fail, ""),
        (near.clone(), r#", "within": { "fraction": "3 %" }"#.into(), Verdict::Pass, ""),
        (near, r#", "within": { "fraction": "1 %" }"#.into(), Verdict::Fail, ""),
        (far.clone(), r#", "within": { "fraction": "1 %", "factor": "2.01" }"#.into(), Verdict::Pass, ""),
        (
            far.clone(),
            r#", "within": { "absolute": "1 us" }, "why": "It is elsewhere.""#.into(),
            Verdict::Reported,
            "elsewhere",
        ),
        (
            ns(total),
            format!(r#", "equals": true, "repetitions": [{}, {0}, {}]"#, ns(total), ns(total + total / 10)),
            Verdict::Reported,
            "spread by 10.0 %",
        ),
        (
            ns(total),
            format!(r#", "equals": true, "repetitions": [{}, {0}, {}]"#, ns(total), ns(total + total / 100)),
            Verdict::Pass,
            "",
        ),
    ];
    for (value, rest, verdict, reason) in cases {
        let validation = validate(&reference("", &row("r", TOTAL, &value, &rest)), None);
        let compared = &validation.rows[0];
        assert_eq!(compared.verdict, verdict, "{rest}: {compared:?}");
        assert!(compared.reason.contains(reason), "{rest}: {}", compared.reason);
        assert_eq!(validation.is_good(), verdict != Verdict::Fail, "{rest}");
        assert_eq!(validation.score().1, usize::from(verdict != Verdict::Reported), "{rest}");
    }
}

#[test]
fn a_row_without_a_value_or_with_a_broken_claim_fails_and_says_why() {
    let absent = row("r", r#""outage_s""#, "\"1 s\"", r#", "within": { "factor": "1000" }"#);
    let validation = validate(&reference("", &absent), None);
    assert_eq!(validation.rows[0].verdict, Verdict::Fail);
    assert_eq!(validation.rows[0].reason, "`outage_s` has no value; the outcome is completed");
    let claimed = r#", "within": { "factor": "1000" }, "set": { "expect.outcome": ["lost"] }"#;
    let validation = validate(&reference("", &row("r", TOTAL, "\"1 s\"", claimed)), None);
    assert_eq!(validation.rows[0].verdict, Verdict::Fail);
    assert!(validation.rows[0].reason.contains("not as its scenario claims"), "{:?}", validation.rows[0]);
    let backwards = row("r", r#"{ "from": "resumed", "to": "accepted" }"#, "\"1 s\"", r#", "equals": true"#);
    let validation = validate(&reference("", &backwards), None);
    assert!(validation.rows[0].reason.contains("`accepted` came before `resumed`"), "{:?}", validation.rows[0]);
}

#[test]
fn marks_and_rounds_agree_with_the_record() {
    let total = ns(simulated("total_migration_time_s", &[]));
    let downtime = ns(simulated("downtime_s", &[]));
    let equals = r#", "equals": true"#;
    let wide = r#", "within": { "factor": "1000000" }"#;
    let mark = |from: &str, to: &str| format!(r#"{{ "from": "{from}", "to": "{to}" }}"#);
    let rows = [
        row("total", &mark("accepted", "relinquished"), &total, equals),
        row("downtime", &mark("stopped", "resumed"), &downtime, equals),
        row("round", r#"{ "round": 1, "of": "pages" }"#, "\"16384 pages\"", equals),
        row("last", r#"{ "round": "last", "of": "time" }"#, &downtime, wide),
        row("sync", r#"{ "round": 1, "of": "dirtied" }"#, "\"400 pages\"", r#", "within": { "factor": "2" }"#),
        row("bytes", r#"{ "round": 1, "of": "bytes" }"#, &format!("\"{} B\"", 16_384 * 4_104), equals),
        row("send", &mark("copying", "last-sent"), &total, wide),
        row("end", &mark("last-page", "concluded"), "\"1 ms\"", wide),
        row("out", &mark("resumed", "first-output"), "\"2 ms\"", wide),
        row("client", &mark("first-output", "first-delivery"), "\"100 us\"", r#", "within": { "factor": "2" }"#),
    ];
    let validation = validate(&reference("", &rows.join(",")), None);
    for (row, compared) in rows.iter().zip(&validation.rows) {
        assert_eq!(compared.verdict, Verdict::Pass, "{row}: {compared:?}");
    }
}

#[test]
fn one_parameter_hits_its_row_and_holds_for_the_others() {
    let secret = "network.rate=437.6 Mbit/s";
    let total = ns(simulated("total_migration_time_s", &[SMOOTH, secret]));
    let doubled = ns(simulated("total_migration_time_s", &[SMOOTH, secret, "vms[0].memory=128 MiB"]));
    let rows = [
        row("seen", TOTAL, &total, ""),
        row("test", TOTAL, &doubled, r#", "set": { "vms[0].memory": "128 MiB" }, "within": { "fraction": "0.1 %" }"#),
    ];
    let fit = r#"{ "path": "network.rate", "rows": ["seen"], "from": "100 Mbit/s", "to": "1 Gbit/s" }"#;
    let validation = validate(&smooth_reference(fit, &rows.join(",")), None);
    let fitted = &validation.fitted[0];
    assert!(fitted.value.abs_diff(54_700_000) <= 5_000, "{fitted:?}");
    assert_eq!(fitted.problem, None);
    assert_eq!([validation.rows[0].verdict, validation.rows[1].verdict], [Verdict::Fitted, Verdict::Pass]);
    assert_eq!(validation.score(), (1, 1), "the fitted row does not count");
    assert!(validation.runs < 40, "{} runs", validation.runs);
}

#[test]
fn several_parameters_are_found_each_by_its_rows() {
    let secret: [&str; 2] = ["network.rate=437.6 Mbit/s", "platform.load=23 ms"];
    let with = |set: &[&str], column: &str| ns(simulated(column, &[&[SMOOTH], &secret[..], set].concat()));
    let big = r#", "set": { "vms[0].memory": "128 MiB" }"#;
    let rows = [
        row("a", TOTAL, &with(&[], "total_migration_time_s"), ""),
        row("b", TOTAL, &with(&["vms[0].memory=128 MiB"], "total_migration_time_s"), big),
        row("c", r#""downtime_s""#, &with(&[], "downtime_s"), ""),
    ];
    let fit = r#"{ "path": "network.rate", "rows": ["a", "b"], "from": "100 Mbit/s", "to": "1 Gbit/s" },
                 { "path": "platform.load", "rows": ["c"], "from": "0 ms", "to": "200 ms" }"#;
    let validation = validate(&smooth_reference(fit, &rows.join(",")), None);
    assert!(validation.is_good() && validation.runs < 1_000, "{validation:?}");
    let values: Vec<u64> = validation.fitted.iter().map(|fitted| fitted.value).collect();
    assert!(values[0].abs_diff(54_700_000) <= 100_000, "{values:?}");
    assert!(values[1].abs_diff(23_000_000) <= 500_000, "{values:?}");
    assert!(validation.rows.iter().all(|row| row.verdict == Verdict::Fitted));
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let total = simulated("total_migration_time_s", &[]);
    let fit = |rows: &str| {
        format!(r#"{{ "path": "network.rate", "rows": [{rows}], "from": "400 Mbit/s", "to": "1 Gbit/s" }}"#)
    };
    let cases = [
        (row("r", TOTAL, &ns(total * 100), ""), r#""r""#, "an end of the range"),
        (row("r", r#""outage_s""#, "\"1 s\"", ""), r#""r""#, "row `r` has no value"),
        (
            [row("r", TOTAL, &ns(total), ""), row("s", TOTAL, &ns(total * 2), r#", "within": { "fraction": "5 %" }"#)]
                .join(","),
            r#""r", "s""#,
            "row `s` stays outside its tolerance",
        ),
    ];
    for (rows, fitted, problem) in cases {
        let validation = validate(&reference(&fit(fitted), &rows), None);
        let said = validation.fitted[0].problem.clone().unwrap_or_default();
        assert!(said.contains(problem), "{problem}: {validation:?}");
        assert!(!validation.is_good(), "{problem}");
    }
}

#[test]
fn replications_give_a_median_and_an_interval_on_any_number_of_threads() {
    let text = row("r", r#""downtime_s""#, "\"20 ms\"", r#", "replications": 7, "within": { "factor": "10" }"#);
    let reference = reference("", &text);
    let threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
    let alone = threads(1).install(|| validate(&reference, Some(5)));
    assert_eq!(alone, threads(4).install(|| validate(&reference, Some(5))));
    assert_ne!(alone, validate(&reference, Some(6)));
    let measured = &alone.rows[0].measured;
    assert!(measured.least < measured.median && measured.median < measured.greatest, "{measured:?}");
    assert_eq!(alone.runs, 7);
}

#[test]
fn rows_of_one_scenario_share_its_run_and_rows_of_one_metric_are_a_group() {
    let total = simulated("total_migration_time_s", &[]);
    let off = |id: &str, percent: u64| {
        let within =
            if percent == 100 { r#", "within": { "fraction": "1 %" }"# } else { r#", "why": "it is off on purpose""# };
        row(id, TOTAL, &ns(total * 100 / percent), within)
    };
    let other = row("other", r#""downtime_s""#, "\"20 ms\"", r#", "within": { "factor": "1000" }"#);
    let rows = [off("a", 100), off("b", 101), off("c", 98), off("d", 110), other];
    let validation = validate(&reference("", &rows.join(",")), None);
    assert_eq!(validation.runs, 1, "five rows, one scenario");
    let [group] = validation.groups[..] else { panic!("{:?}", validation.groups) };
    assert_eq!((group.all.rows, group.counted.expect("one counts").rows), (4, 1));
    let near = |size: u64, percent: u64| size.abs_diff(percent * 10_000) < 100;
    // Sizes 0, 1, 2, 10 %: nearest ranks.
    assert!(near(group.all.median, 1) && near(group.all.p95, 10), "{group:?}");
}
