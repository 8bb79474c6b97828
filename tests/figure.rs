//! `midflight figure` as its user runs it: pictures are made of the file of points alone, claims are checked, mistakes are shown.

#![expect(clippy::cast_precision_loss, reason = "seconds of a finished run")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::sweep::{MEMORY, POLICIES, text, write};
use common::{Ran, files, folder, midflight, root};
use midflight::engine::{Observer, TieRule};
use midflight::metric::{Course, CourseStep};
use midflight::rng::RunSeed;
use midflight::run::simulate_with;
use midflight::units::{SimTime, Span};
use midflight::world::{Event, Fact, OutputStage, World};

fn figure(arguments: &[&str]) -> Ran {
    midflight(&[&["figure"], arguments].concat(), &[])
}

/// The files of a folder with one of these endings.
fn made(at: &Path, endings: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(at).into_iter().flatten().flatten().map(|entry| entry.path());
    let wanted = entries.filter(|path| path.extension().is_some_and(|end| endings.iter().any(|wanted| end == *wanted)));
    wanted
        .map(|path| {
            (path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read(&path).expect("readable"))
        })
        .collect()
}

const ALL: [&str; 6] = ["csv", "svg", "pdf", "png", "md", "tex"];

#[test]
fn every_committed_picture_is_that_of_its_points() {
    let at = folder("figure", "redrawn");
    let committed = root().join("results/paper");
    for (name, points) in made(&committed, &["csv"]) {
        fs::write(at.join(name), points).expect("writable");
    }
    let out = at.to_str().expect("UTF-8");
    let ran = figure(&["paper", "--out", out, "--redraw", "--page"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let kept = ["csv", "svg", "pdf", "md", "tex"];
    let (redrawn, expected) = (made(&at, &kept), made(&committed, &kept));
    assert_eq!(redrawn.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, bytes) in &expected {
        assert!(redrawn[name] == *bytes, "{name} is stale; `scripts/paper --redraw` draws it anew");
    }
    let figures = files("paper", ".json").into_iter().filter(|path| !path.to_string_lossy().contains("sweeps")).count();
    assert_eq!(made(&committed, &["svg"]).len(), figures);
    let pictures = made(&at, &["png"]);
    assert_eq!(pictures.len(), figures);
    assert!(pictures.values().all(|bytes| bytes.starts_with(b"\x89PNG") && bytes.len() > 10_000));
}

/// A figure of every kind of plot on one small sweep.
fn every_kind(at: &Path) -> String {
    write(at, "small.json", &text(&format!("{POLICIES}, {MEMORY}"), r#", "replications": 40"#));
    write(
        at,
        "one.json",
        r#"{"schema": 1, "why": "one run", "policy": "post-copy", "vms": [{"memory": "1 MiB", "workload": "idle"}]}"#,
    );
    let panels = [
        r#""lines": {"sweep": "small.json", "x": "memory", "y": "outcome=completed", "by": "protection"}"#,
        r#""bars": {"sweep": "small.json", "x": "protection", "y": "end_s", "by": "memory"}"#,
        r#""ecdf": {"sweep": "small.json", "of": "end_s", "by": "protection", "only": {"memory": "2 MiB"}}"#,
        r#""outcomes": {"sweep": "small.json", "x": "memory", "y": "protection"}"#,
        r#""over-time": {"sweep": "small.json", "of": "progress", "step": "100 ms", "to": "1 s", "by": "protection", "only": {"memory": "1 MiB"}}"#,
        r#""timeline": {"scenario": "one.json"}"#,
    ];
    let panels: Vec<String> = panels.iter().map(|plot| format!(r#"{{"plot": {{{plot}}}}}"#)).collect();
    let panels = panels.join(", ").replacen(
        "}}}",
        r#"}}, "published": [{"beside": "post-copy", "source": "nobody", "points": [{"x": "2 MiB", "y": "50 %"}]}]}"#,
        1,
    );
    let claims = r#"[{"say": "{0} complete, {1} as many, {2} by then, {3} before.", "numbers": [
        {"x": "1 MiB", "series": "post-copy"},
        {"x": "post-copy", "series": "4 MiB", "panel": 2, "over": {"series": "1 MiB"}},
        {"x": "60 s", "series": "post-copy", "panel": 3, "expected": "100 %", "within": "1 %"},
        {"x": "100 ms", "until": "900 ms", "series": "post-copy", "panel": 5, "expected": "100 %", "within": "1 %"}]}]"#;
    let file = format!(r#"{{"schema": 1, "title": "All", "why": "a test", "panels": [{panels}], "claims": {claims}}}"#);
    write(at, "all.json", &file)
}

#[test]
fn the_same_rows_give_the_same_bytes_on_any_number_of_threads() {
    let at = folder("figure", "kinds");
    let file = every_kind(&at);
    let (one, two) = (at.join("one"), at.join("two"));
    let make =
        |out: &Path, more: &[&str]| figure(&[&[file.as_str(), "--out", out.to_str().expect("UTF-8")], more].concat());
    let first = make(&one, &["--jobs", "1"]);
    assert_eq!(first.status, 0, "{}", first.err);
    assert!(first.out.contains("% complete") && first.out.contains("100 % before"), "{}", first.out);
    assert_eq!(make(&two, &["--jobs", "2"]).status, 0);
    let all = made(&one, &ALL);
    assert_eq!(
        all.keys().map(String::as_str).collect::<Vec<_>>(),
        ALL.map(|end| format!("all.{end}"))
            .iter()
            .map(String::as_str)
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    assert!(all == made(&two, &ALL));
    // From the points alone, without the rows.
    fs::remove_dir_all(two.join("rows")).expect("rows");
    for ending in ["svg", "pdf", "png", "md", "tex"] {
        fs::remove_file(two.join(format!("all.{ending}"))).expect("it was made");
    }
    assert_eq!(make(&two, &["--redraw"]).status, 0);
    assert!(all == made(&two, &ALL));
    assert!(!two.join("rows").exists(), "nothing is simulated");
    let svg = String::from_utf8(all["all.svg"].clone()).expect("UTF-8");
    assert!(svg.contains(r#"width="7.0000in""#), "{}", &svg[..300]);
    let shown = ["memory [MiB]", "VMs completed [%]", "end [s]", "share of runs [%]", "time [s]", "published (hollow)"];
    for label in shown {
        assert!(svg.contains(label), "{label} is not in the drawing");
    }
    let pdf = &all["all.pdf"];
    assert!(
        pdf.starts_with(b"%PDF")
            && pdf.windows(9).any(|part| part == b"FontFile2") | pdf.windows(9).any(|part| part == b"FontFile3")
    );
}

#[test]
fn points_are_what_the_summary_says() {
    let at = folder("figure", "summary");
    let (file, out) = (every_kind(&at), at.join("out"));
    assert_eq!(figure(&[&file, "--out", out.to_str().expect("UTF-8")]).status, 0);
    let sweep = at.join("sweep");
    let small = at.join("small.json");
    let (small, folder) = (small.to_str().expect("UTF-8"), sweep.to_str().expect("UTF-8"));
    assert_eq!(midflight(&["sweep", small, "--out", folder], &[]).status, 0);
    let table = |path: &Path| -> Vec<BTreeMap<String, String>> {
        csv::Reader::from_path(path).expect("readable").deserialize().map(|row| row.expect("a row")).collect()
    };
    let (points, summary) = (table(&out.join("all.csv")), table(&sweep.join("summary.csv")));
    let bytes =
        |memory: &str| memory.trim_end_matches(" MiB").parse::<u64>().map(|n| (n << 20).to_string()).expect("a size");
    let mut met = 0;
    for line in summary.iter().filter(|line| line["quantity"] == "outcome=completed") {
        let is_it = |point: &&BTreeMap<String, String>| {
            let there = (&point["panel"], &point["source"], &point["series"], &point["x"]);
            there == (&"1".to_owned(), &"simulated".to_owned(), &line["protection"], &bytes(&line["memory"]))
        };
        let point = points.iter().find(is_it).expect("a point for each line");
        assert_eq!((&point["y"], &point["low"], &point["high"]), (&line["estimate"], &line["low"], &line["high"]));
        met += 1;
    }
    assert_eq!(met, 8);
}

#[test]
fn a_claim_that_does_not_hold_ends_with_one() {
    let at = folder("figure", "claims");
    let file = every_kind(&at);
    let text = fs::read_to_string(&file)
        .expect("readable")
        .replace(r#""expected": "100 %", "within": "1 %"},"#, r#""expected": "10 %", "within": "1 %"},"#);
    fs::write(&file, text).expect("writable");
    let out = at.join("out");
    let ran = figure(&[&file, "--out", out.to_str().expect("UTF-8"), "--quick"]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("claim: all: {2} is 100") && ran.err.contains("10 % ± 1 % is expected"), "{}", ran.err);
    let json = figure(&[&file, "--out", out.to_str().expect("UTF-8"), "--redraw", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!((&json[0]["figure"], &json[0]["claims"][0]["holds"]), (&"all".into(), &false.into()), "{json}");
    assert!(json[0]["claims"][0]["text"].as_str().is_some_and(|text| text.contains("% complete")), "{json}");
    assert!(ran.err.contains("again: midflight figure") && ran.err.contains("--quick"), "{}", ran.err);
    assert!(out.join("all.svg").exists(), "it is drawn all the same");
}

/// What is typed, what instead of it, and a part of what is said then.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        r#""x": "memory", "y": "outcome=completed""#,
        r#""x": "memry", "y": "outcome=completed""#,
        "did you mean `memory`?",
    ),
    (r#""y": "outcome=completed""#, r#""y": "outcome=complete""#, "did you mean `completed`?"),
    (r#""y": "end_s""#, r#""y": "ends""#, "no column `ends`"),
    (r#", "only": {"memory": "2 MiB"}"#, "", "the axis `memory` has no place in the panel"),
    (r#""only": {"memory": "2 MiB"}"#, r#""only": {"memory": "3 GiB"}"#, "is no value of `memory`"),
    (
        r#""x": "memory", "y": "outcome=completed", "by": "protection""#,
        r#""x": "protection", "y": "end_s", "by": "memory""#,
        "draw `bars`",
    ),
    (r#""step": "100 ms""#, r#""step": "1 us""#, "from 1 to 2000 can be drawn"),
    (r#""step": "100 ms""#, r#""step": "0 ms""#, "from 1 to 2000 can be drawn"),
    (r#""beside": "post-copy""#, r#""beside": "postcopy""#, "did you mean `post-copy`?"),
    (r#""y": "50 %""#, r#""y": "50 s""#, "panels[0].published[0].points[0].y"),
    (r#""source": "nobody", "#, "", "`points` and `source`"),
    (r#"{"x": "1 MiB", "series": "post-copy"}"#, r#"{"x": "9 MiB", "series": "post-copy"}"#, "is no value of `memory`"),
    (r#""panel": 3"#, r#""panel": 9"#, "there are panels 1 to 6"),
    (
        r#"{"x": "60 s", "series": "post-copy", "panel": 3"#,
        r#"{"x": "1 MiB", "series": "post-copy", "panel": 4"#,
        "of outcomes only `expected` is said",
    ),
    ("{0} complete", "{9} complete", "stands for no number"),
    (r#""within": "1 %"}"#, r#""within": "1"}"#, "within"),
    (r#""of": "progress""#, r#""of": "output""#, "sends nothing"),
    (r#""y": "end_s""#, r#""y": "file_bytes""#, "panel 2: there is nothing to draw"),
    (r#""scenario": "one.json"}"#, r#""scenario": "one.json", "from": "50 s"}"#, "panel 6: there is nothing to draw"),
    (r#""lines""#, r#""line""#, "did you mean `lines`?"),
    ("small.json", "smal.json", "cannot be read"),
    (r#""title": "All""#, r#""title": """#, "is empty"),
    (r#"{"plot": {"timeline""#, r#"{"plots": {"timeline""#, "unknown key `plots`"),
];

#[test]
fn nothing_is_written_by_a_dry_run_or_of_a_bad_file() {
    let at = folder("figure", "bad");
    let file = every_kind(&at);
    let out = at.join("out");
    let to = out.to_str().expect("UTF-8").to_owned();
    let dry = figure(&[&file, "--out", &to, "--dry-run"]);
    assert!(dry.status == 0 && dry.out.contains("small.json: 8 cells, 320 runs"), "{}{}", dry.out, dry.err);
    let good = fs::read_to_string(&file).expect("readable");
    for (from, to_text, message) in MISTAKES {
        assert!(good.contains(from), "{from} is not in the file");
        fs::write(&file, good.replacen(from, to_text, 1)).expect("writable");
        let ran = figure(&[&file, "--out", &to]);
        assert!(ran.status == 2 && ran.err.contains(message), "{to_text}: {} {}", ran.status, ran.err);
    }
    fs::write(&file, &good).expect("writable");
    let cases: [(&[&str], &str); 5] = [
        (&[&file], "--out DIR"),
        (&[&file, &file, "--out", &to], "another figure is called `all` too"),
        (&[&file, "--out", &to, "--redraw"], "without --redraw it is made anew"),
        (&["no-such.json", "--out", &to], "cannot be read"),
        (&["models", "--out", &to], "holds no figures"),
    ];
    for (arguments, message) in cases {
        let ran = figure(arguments);
        assert!(ran.status == 2 && ran.err.contains(message), "{arguments:?}: {} {}", ran.status, ran.err);
    }
    assert!(made(&out, &ALL).is_empty(), "no figure was written");
    fs::create_dir_all(&out).expect("writable");
    fs::write(out.join("all.csv"), "panel\n1\n").expect("writable");
    let ran = figure(&[&file, "--out", &to, "--redraw"]);
    assert!(ran.status == 2 && ran.err.contains("all.csv: line 1: the columns are not"), "{}", ran.err);
}

/// The page for whoever evaluates a paper names every figure with the numbers that its file expects.
#[test]
fn the_artifact_page_has_every_figure_and_every_number() {
    let page = fs::read_to_string(root().join("docs/artifact.md")).expect("readable");
    let shown = fs::read_to_string(root().join("results/paper/README.md")).expect("readable");
    let mut numbers = 0;
    for path in files("paper", ".json").into_iter().filter(|path| path.parent() == Some(&root().join("paper"))) {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let command = format!("`midflight figure paper/{name}.json --out results/paper`");
        let row = page.lines().find(|line| line.contains(&command)).unwrap_or_else(|| panic!("{name} has no row"));
        assert!(row.contains(&format!("(../results/paper/{name}.svg)")), "{row}");
        assert!(shown.contains(&format!("]({name}.svg)")), "{name} is not on the page of figures");
        let text = fs::read_to_string(&path).expect("readable");
        let figure: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for claim in figure["claims"].as_array().expect("claims") {
            for number in
                claim["numbers"].as_array().into_iter().flatten().filter(|number| number.get("expected").is_some())
            {
                let of = |key: &str| number[key].as_str();
                let expected = of("expected").expect("a text");
                let told = of("within").map_or_else(|| expected.to_owned(), |within| format!("{expected} ± {within}"));
                assert!(row.contains(&told), "{name}: {told} is not in {row}");
                numbers += 1;
            }
        }
    }
    assert!(numbers >= 15, "{numbers} numbers");
}

/// Counts what reaches the client, and nothing else.
#[derive(Default)]
struct Delivered(u64);

impl Observer for Delivered {
    fn fact(&mut self, _: SimTime, fact: &Fact, _: &World) {
        self.0 += u64::from(matches!(fact, Fact::Output { stage: OutputStage::Delivered, .. }));
    }
    fn event(&mut self, _: SimTime, _: Event, _: &World) {}
}

#[test]
fn a_course_has_all_work_and_all_packets() {
    let scenario = common::parse(
        r#"{"schema": 1, "why": "a test", "policy": "post-copy", "vms": [{"memory": "64 MiB", "workload": "write-uniform",
            "output": {"rate": "500 /s", "size": "1000 B"}}]}"#,
    );
    let step = Span::from_ms(50);
    let (mut course, mut delivered) = (Course::new(step, 1000), Delivered::default());
    let run = RunSeed { seed: 1, replication: 0 };
    let result = simulate_with(&scenario, run, TieRule::default(), &mut [&mut course, &mut delivered]);
    let steps = course.finish();
    let seconds = |span: Span| span.ns() as f64 / 1e9;
    let all = |of: fn(&CourseStep) -> Span| steps.iter().map(of).fold(Span::ZERO, |sum, span| sum + span);
    let end = seconds(result.finished.at.since_start());
    assert!(end - seconds(step) * 2.0 < seconds(step) * steps.len() as f64, "all but the last step");
    let (worked, ran, whole) = (all(|step| step.worked), all(|step| step.ran), steps.len() as f64 * seconds(step));
    // It stands for its switchover, and waits for pages.
    let stood = seconds(result.record.downtime_s.expect("it was moved"));
    let waited = seconds(result.record.all_blocked_s.expect("it waited"));
    assert!((whole - stood - waited - seconds(ran)).abs() < 1e-3, "{whole} less {stood} and {waited} is not {ran}");
    assert!(
        worked <= ran && seconds(worked) > 0.99 * seconds(ran),
        "one vCPU works as long as it runs: {worked} of {ran}"
    );
    assert!(steps.iter().all(|done| done.worked <= step && done.ran <= step));
    let packets: u64 = steps.iter().map(|step| step.delivered).sum();
    assert!(packets <= delivered.0 && packets + 50 > delivered.0 && packets > 500, "{packets} of {}", delivered.0);
}
