//! `--set`, model layers, and models of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{GOOD, read_with};
use crate::scenario::policy::{Migration, StopRule};
use crate::scenario::{LoadOptions, RateStep, load, print_json};
use crate::units::{ByteRate, Bytes, EventRate, Span};

#[test]
fn sets_values_and_reaches_into_models() {
    for set in ["vms[0].memory=8 GiB", "vms.0.memory=\"8 GiB\"", "vms[0].memory = 8GiB"] {
        assert_eq!(read_with(GOOD, &[set]).expect(set).vms[0].memory, Bytes::new(8 << 30));
    }
    let scenario = read_with(GOOD, &["network.latency=7 ms", "seed=9", "platform.setup=1 us"]).expect("good settings");
    assert_eq!((scenario.network.latency, scenario.seed), (Span::from_ms(7), 9));
    assert_eq!(scenario.network.rate, ByteRate::new(117_625_000), "the rest of the model stays");
    assert_eq!((scenario.platform.setup, scenario.platform.load), (Span::from_us(1), Span::from_ms(8)));
    let other = "vms[0].workload=idle";
    let scenario =
        read_with(GOOD, &[other, "vms[0].workload.classes[0].write=9 /s"]).expect("an element of a base's list");
    let classes = scenario.vms[0].workload.classes.iter().map(|class| (class.name.as_str(), class.write));
    assert_eq!(classes.collect::<Vec<_>>(), [("kernel", EventRate::per_s(9)), ("rest", EventRate::ZERO)]);
    let set = "policy.migration.pre-copy.stop_rule.qemu.downtime_limit=1 s";
    let Migration::PreCopy(pre_copy) = read_with(GOOD, &[set]).expect(set).policy.migration else {
        panic!("not pre-copy")
    };
    assert_eq!(pre_copy.stop_rule, StopRule::Qemu { downtime_limit: Span::from_s(1), max_bandwidth: None });
}

#[test]
fn wrong_settings_name_themselves() {
    let cases: &[(&str, &[&str])] = &[
        ("vms[0].memory", &["--set vms[0].memory: has no `=`"]),
        ("vms[3].memory=8 GiB", &["`vms` has one element, [0], so it has no [3]"]),
        ("vms.memory=8 GiB", &["`vms` is an array; write `vms[0]`"]),
        ("network[0]=1", &["`network` is an object or missing, not an array"]),
        ("seed[0]=1", &["`seed` is 5, and there is nothing below it"]),
        ("horizon=null", &["`null` is not a value here"]),
        ("network={\"base\": \"gige\", \"base\": \"x\"}", &["the key `base` is here twice"]),
        ("why.more=1", &["`why` is \"A test.\", and there is nothing below it"]),
        ("vms[=1", &["unbalanced bracket"]),
        ("=1", &["empty step"]),
        ("vms[0].memroy=1 GiB", &["t.json with --set", "did you mean `memory`?", "after --set 'vms[0].memroy=1 GiB'"]),
        ("vms[0].memory=8", &["bare number: `8` has no unit", "after --set 'vms[0].memory=8'"]),
        ("vms[0].memory=5000 B", &["not a whole number of pages", "after --set"]),
        ("network.rate=0 B/s", &["network.rate: is zero", "after --set"]),
        ("vms[0].workload.classes[99].write=1 /s", &["`vms[0].workload.classes` has", "so it has no [99]"]),
        ("network.rto[0]=1", &["`network.rto` is \"200 ms\", and there is nothing below it"]),
        ("network=fastt", &["there is no network `fastt`", "after --set"]),
    ];
    for (set, parts) in cases {
        let error = read_with(GOOD, &["seed=5", set]).expect_err(set).to_string();
        for part in *parts {
            assert!(error.contains(part), "{set}\nwants: {part}\ngot:\n{error}");
        }
    }
    let doubled = GOOD.replace("\"why\"", "\"schema\": 1, \"why\"");
    let error = read_with(&doubled, &["seed=5"]).expect_err("a duplicate key").to_string();
    assert!(error.contains("here twice"), "splicing must not hide a duplicate: {error}");
}

/// A folder with a scenario and models of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("midflight-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a temporary folder");
            fs::write(path, text).expect("a temporary file");
        }
        Self(folder)
    }
    fn load(&self) -> Result<crate::scenario::Scenario, String> {
        load(&self.0.join("deep/er/s.json"), &LoadOptions::default()).map_err(|error| error.to_string())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn model(fields: &str) -> String {
    format!("{{\"schema\": 1, \"about\": \"A test.\", \"source\": \"Invented.\",\n{fields}}}")
}

#[test]
fn models_come_from_the_nearest_folder_and_their_bases() {
    let scenario = GOOD.replace("\"gige\"", "{\"base\": \"mine\", \"jitter\": \"3 us\"}");
    let mine = model("\"base\": \"gige\", \"latency\": \"9 ms\", \"rate_trace\": {\"csv\": \"t\"}");
    let folder = Folder::new(
        "nearest",
        &[
            ("deep/er/s.json", &scenario),
            ("models/networks/mine.json", &mine),
            ("models/traces/t.csv", "from_s,rate_bit_s\n0,8\n0.000000001,1000\n"),
        ],
    );
    let scenario = folder.load().expect("a good scenario");
    assert_eq!(scenario.name, "s");
    assert_eq!((scenario.network.jitter, scenario.network.latency), (Span::from_us(3), Span::from_ms(9)));
    assert_eq!(scenario.network.rto, Span::from_ms(200), "from the embedded base");
    let step = |ns, rate| RateStep { from: Span::from_ns(ns), rate: ByteRate::new(rate) };
    assert_eq!(scenario.network.rate_trace, [step(0, 1), step(1, 125)]);
}

#[test]
fn errors_in_models_are_drawn_in_their_files() {
    let scenario = GOOD.replace("gige", "mine");
    let cases: &[(&str, &[&str])] = &[
        ("\"base\": \"gige\", \"latncy\": \"9 ms\"", &["mine.json:2:17", "did you mean `latency`?"]),
        ("\"base\": \"gige\", \"rate\": \"0 B/s\"", &["mine.json:2:25", "rate: is zero"]),
        ("\"base\": \"gigee\"", &["mine.json:2:9", "did you mean `gige`?"]),
        ("\"base\": \"mine\"", &["mine.json:2:9", "circle: mine → mine"]),
        ("\"rate\": \"1 B/s\"", &["mine.json:1:1", "the network has no `nics`, `latency`"]),
        (
            "\"base\": \"gige\", \"rate_trace\": {\"csv\": \"t\"}",
            &["t.csv:3:1", "rate_bit_s: \"-1 bit/s\" is negative"],
        ),
    ];
    for (i, (fields, parts)) in cases.iter().enumerate() {
        let folder = Folder::new(
            &format!("errors{i}"),
            &[
                ("deep/er/s.json", &scenario),
                ("models/networks/mine.json", &model(fields)),
                ("models/traces/t.csv", "from_s,rate_bit_s\n0,8\n1,-1\n"),
            ],
        );
        let error = folder.load().expect_err(fields);
        for part in *parts {
            assert!(error.contains(part), "{fields}\nwants: {part}\ngot:\n{error}");
        }
    }
}

/// A guest whose one class is as the fields say, beside 1 MiB that it never touches.
fn recorded(fields: &str) -> String {
    let classes = format!("{{\"classes\": [{{\"name\": \"p\", {fields}}}, {{\"name\": \"r\", \"write\": \"0 /s\"}}]}}");
    GOOD.replace("\"write-uniform\"", &classes)
}

#[test]
fn recorded_writes_are_read_and_printed_by_name() {
    let scenario = recorded("\"trace\": {\"runs\": \"t\", \"interval\": \"50 ms\", \"from\": \"100 ms\"}");
    let runs = ("models/traces/t.runs", "0\n\n2x3\n");
    let folder = Folder::new("recorded", &[("deep/er/s.json", &scenario), runs]);
    let scenario = folder.load().expect("a good scenario");
    let class = &scenario.vms[0].workload.classes[0];
    let trace = class.trace.as_ref().expect("recorded writes");
    assert_eq!((class.pages.get(), trace.from, trace.interval), (5, 2, Span::from_ms(50)));
    let again = Folder::new("recorded again", &[("deep/er/s.json", &print_json(&scenario, &[])), runs]);
    assert_eq!(again.load().expect("what was printed").vms, scenario.vms);
}

#[test]
fn what_is_wrong_with_recorded_writes_is_said() {
    let class = "vms[0].workload.classes[0]";
    let cases: &[(&str, &str, &[&str])] = &[
        ("\"size\": \"1 MiB\"", "0", &[class, "neither at a rate nor as recorded", "`write` or a `trace`"]),
        ("\"trace\": {\"runs\": \"t\"}, \"write\": \"1 /s\"", "0", &["classes[0].write", "leave one out"]),
        ("\"trace\": {\"runs\": \"t\"}, \"zero\": \"1 %\"", "0", &["classes[0].zero", "leave one out"]),
        ("\"trace\": {\"runs\": \"t\"}, \"size\": \"1 MiB\"", "0x9", &["[0].size: the trace is about 9 pages, 36 KiB"]),
        ("\"trace\": {\"runs\": \"u\"}", "0", &["trace.runs: there is no page trace `u`", "did you mean `t`?"]),
        ("\"trace\": {\"runs\": \"t\", \"from\": \"50 ms\"}", "0", &["from: 50 ms is not a whole number of intervals"]),
        ("\"trace\": {\"runs\": \"t\", \"from\": \"1 s\"}", "0", &["from: nothing is written from there on in 1 int"]),
        ("\"trace\": {\"runs\": \"t\", \"interval\": \"0 s\"}", "0", &["trace.interval: is zero"]),
        ("\"trace\": {\"runs\": \"t\", \"intervall\": \"1 s\"}", "0", &["did you mean `interval`?"]),
        ("\"trace\": {\"runs\": \"t\"}", "0x2\n3 4x\n", &["t.runs:2:1", "`4x` is no run of pages"]),
    ];
    for (i, (fields, runs, parts)) in cases.iter().enumerate() {
        let files = [("deep/er/s.json", &*recorded(fields)), ("models/traces/t.runs", runs)];
        let error = Folder::new(&format!("unrecorded{i}"), &files).load().expect_err(fields);
        for part in *parts {
            assert!(error.contains(part), "{fields}\nwants: {part}\ngot:\n{error}");
        }
    }
}

#[test]
fn the_shipped_scenarios_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["stop-and-copy", "pre-copy"] {
        let path = root.join(format!("scenarios/smoke/{name}.json"));
        let scenario = load(&path, &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name, name);
    }
    for name in ["idle", "write-uniform", "write-intensive-1g", "hot-cold"] {
        let text = GOOD.replace("write-uniform", name).replace("1 GiB", "2 GiB");
        assert!(super::read(&text.replace("gige", "ten-gige")).is_ok(), "{name}");
    }
}

proptest! {
    #[test]
    fn no_setting_panics(path in "[a-z0-9_.\\[\\]$-]{0,30}", value in "\\PC{0,20}") {
        let _ = read_with(GOOD, &[&format!("{path}={value}")]).map_err(|error| error.render(true));
        let _ = read_with(GOOD, &[&format!("vms[0].{path}={value}")]).map_err(|error| error.render(true));
        let _ = read_with(GOOD, &[&format!("network.{path}={value}")]).map_err(|error| error.render(true));
    }

    #[test]
    fn no_quantity_panics(number: u64, unit in "(ns|h|B|TiB|B/s|Gbit/s|/s|/us|%|pages)", key in 0usize..12) {
        let keys = [
            "vms[0].memory", "network.rate", "network.packet", "network.queue", "platform.page_size", "platform.chunk",
            "platform.window", "horizon", "operator.migrate_at", "network.loss", "network.rto",
            "policy.migration.pre-copy.auto_converge.max",
        ];
        if let Ok(scenario) = read_with(GOOD, &[&format!("{}={number} {unit}", keys[key])]) {
            let again = super::read(&print_json(&scenario, &[]));
            prop_assert_eq!(again.map(|again| again.network).ok(), Some(scenario.network));
        }
    }
}
