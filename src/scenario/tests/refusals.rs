//! What is refused, and that the message names place, path, reason and a way out. Whatever the bytes, no panic.

use std::path::Path;

use proptest::prelude::*;

use super::{COLUMNS, GOOD, read};
use crate::scenario::{LoadOptions, load, load_text};

/// `GOOD` with one piece replaced, and fragments that the error must have.
type Case<'a> = (&'a str, &'a str, &'a [&'a str]);

fn check(cases: &[Case<'_>]) {
    for (old, new, parts) in cases {
        assert!(GOOD.contains(old), "{old}");
        let text = GOOD.replacen(old, new, 1);
        let error = read(&text).expect_err(new).to_string();
        for part in *parts {
            assert!(error.contains(part), "{new}\nwants: {part}\ngot:\n{error}");
        }
    }
}

#[test]
fn shape_errors_name_place_and_remedy() {
    check(&[
        ("memory", "memroy", &["t.json:6:7", "vms[0].memroy", "unknown key `memroy`", "did you mean `memory`?"]),
        ("\"1 GiB\"", "1", &["t.json:6:17", "vms[0].memory: bare number: `1` has no unit; write \"1 GiB\""]),
        ("\"1 GiB\"", "1.5e3", &["t.json:6:17", "bare number: `1.5e3` has no unit"]),
        ("\"1 GiB\"", "\"1\"", &["t.json:6:17", "has no unit; write \"4 GiB\""]),
        ("\"1 GiB\"", "\"-1 GiB\"", &["t.json:6:17", "vms[0].memory: \"-1 GiB\" is negative"]),
        ("\"1 GiB\"", "-1", &["t.json:6:17", "bare number: `-1` is negative"]),
        ("\"1 GiB\"", "[]", &["vms[0].memory: an array has no place here"]),
        ("\"1 GiB\"", "{}", &["vms[0].memory: `{}` is not a size with its unit"]),
        ("{ \"pre-copy\": {} }", "{ \"pre-copy\": [] }", &["policy.migration.pre-copy: an array has no place here"]),
        ("\"1 GiB\"", "null", &["vms[0].memory: `null` is not a value here", "leave the key out"]),
        ("pre-copy", "precopy", &["t.json:4:30", "unknown word `precopy`", "did you mean `pre-copy`?"]),
        ("{ \"pre-copy\": {} }", "\"none\"", &["policy.migration: exactly one key"]),
        ("{ \"pre-copy\": {} }", "{ \"pre-copy\": {}, \"none\": {} }", &["policy.migration", "exactly one key"]),
        ("\"pre-copy\": {}", "", &["policy.migration", "exactly one key"]),
        (
            "\"pre-copy\": {}",
            "\"pre-copy\": {\"caps\": {\"rounds\": {\"mx\": 1}}}",
            &["policy.migration.pre-copy.caps.rounds.mx", "did you mean `max`?"],
        ),
        ("\"gige\"", "{\"base\": \"gige\", \"latncy\": \"1 ms\"}", &["t.json:8:31", "network.latncy", "`latency`"]),
        ("\"gige\"", "{\"base\": \"gige\", \"nics\": \"sharde\"}", &["network.nics", "did you mean `shared`?"]),
        ("\"schema\": 1", "\"schema\": 2", &["t.json:2:13", "version 2 of the format is not known"]),
        ("\"schema\": 1,", "", &["the key `schema` is missing"]),
        ("\"why\"", "\"schema\": 1, \"why\"", &["t.json:3:3", "the key `schema` is here twice"]),
        ("\"gige\"", "{\"base\": \"gige\", \"base\": \"gige\"}", &["network.base: the key `base` is here twice"]),
        ("\"gige\"", "\"gige\", \"seed\": -1", &["seed", "`-1` is negative"]),
        ("\"gige\"", "\"gige\",", &["not JSON: trailing comma", "t.json:8:20", "remove the comma"]),
        ("\"why\"", "// no\n\"why\"", &["t.json:3:3", "JSON has no comments"]),
    ]);
}

#[test]
fn meaning_errors_name_place_and_remedy() {
    check(&[
        ("\"gige\"", "\"gigee\"", &["t.json:8:14", "there is no network `gigee`", "did you mean `gige`?"]),
        ("write-uniform", "../x", &["vms[0].workload: there is no workload `../x`"]),
        ("\"1 GiB\"", "\"5000 B\"", &["vms[0].memory: 5000 B is not a whole number of pages of 4 KiB"]),
        ("\"1 GiB\"", "\"8 TiB\"", &["at most 1073741824 pages"]),
        ("\"1 GiB\"", "\"256 KiB\"", &["the classes are 144 KiB more than the memory"]),
        (
            "\"write-uniform\"",
            "{\"classes\": [{\"name\": \"a\", \"size\": \"1 MiB\", \"write\": \"1 /s\"}]}",
            &["vms[0].workload.classes", "the classes leave 1023 MiB of the memory of 1 GiB uncovered"],
        ),
        ("\"gige\"", "{\"rate\": \"1 B/s\"}", &["network: the network has no `nics`, `latency`, `queue`"]),
        (
            "\"write-uniform\"",
            "{}",
            &["the workload has no `classes`", "a `base` that has it: clark-kernel-compile, clark-oltp"],
        ),
        ("\"gige\"", "{\"base\": \"gige\", \"rate\": \"0 B/s\"}", &["network.rate: is zero"]),
        (
            "\"gige\"",
            "{\"base\": \"gige\", \"loss\": \"100 %\"}",
            &["network.loss: 100 % is no probability below 100 %"],
        ),
        ("\"gige\"", "{\"base\": \"gige\", \"rate_trace\": {\"csv\": \"dipp\"}}", &["there is no trace", "`dip`"]),
        (
            "\"gige\"",
            "\"gige\", \"must_violate\": \"liveness\", \"waives\": [{\"invariant\": \"liveness\", \"why\": \"x\"}]",
            &["waives[0].invariant", "cannot be waived"],
        ),
        (
            "\"gige\"",
            "\"gige\", \"expect\": {\"metrics\": {\"downtime\": {\"max\": \"1 s\"}}}",
            &["expect.metrics.downtime", "did you mean `downtime_s`?"],
        ),
        (
            "\"gige\"",
            "\"gige\", \"expect\": {\"metrics\": {\"downtime_s\": {\"max\": \"3\"}}}",
            &["expect.metrics.downtime_s.max: \"3\" has no unit"],
        ),
        (
            "\"gige\"",
            "\"gige\", \"faults\": [{\"what\": {\"reset\": {}}, \"when\": {\"at\": \"1 s\"}, \"lasts\": \"1 s\"}]",
            &["faults[0].lasts: a crash or a `reset` is over at once"],
        ),
        (
            "\"gige\"",
            "\"gige\", \"faults\": [{\"what\": {\"crash-vmm\": \"client\"}, \"when\": \
             {\"phase\": {\"name\": \"idle\", \"round\": 2, \"progress\": \"3/2\"}}}]",
            &["there is no VMM on `client`", "`idle` is no phase", "`idle` has no rounds", "150 % is above 100 %"],
        ),
        ("\"gige\"", "\"gige\", \"horizon\": \"1 s\"", &["horizon: the run ends at 1 s"]),
        (
            "\"gige\"",
            "\"gige\", \"defect\": \"lose-dirty\"",
            &["defect: `lose-dirty` breaks an agent, and nothing says what must be caught", "`must_violate`"],
        ),
        (
            "\"gige\"",
            "\"gige\", \"defect\": \"stale-claim\", \"must_violate\": \"freshest\"",
            &["defect: `stale-claim` would change nothing: there are no checkpoints"],
        ),
        ("\"gige\"", "\"gige\", \"defect\": \"lose-drity\"", &["defect", "did you mean `lose-dirty`?"]),
    ]);
}

#[test]
fn a_disk_must_write_and_be_there_to_be_held() {
    let disk = |fields: &str| format!("\"write-uniform\", \"disk\": {{{fields}}}");
    let (idle, empty) =
        (disk("\"rate\": \"0 /s\", \"size\": \"4 KiB\""), disk("\"rate\": \"1 /s\", \"size\": \"0 B\", \"blocks\": 0"));
    let large = disk("\"rate\": \"20000000 /s\", \"size\": \"1 GiB\"");
    check(&[
        ("\"write-uniform\"", &idle, &["vms[0].disk.rate: is zero", "leave `disk` out"]),
        ("\"write-uniform\"", &empty, &["vms[0].disk.size: is zero", "vms[0].disk.blocks: is zero"]),
        ("\"write-uniform\"", &large, &["vms[0].disk.rate: 20 /us is more than", "1 GiB is more than 16 MiB"]),
        (
            "{ \"pre-copy\": {} }",
            "{ \"post-copy\": {} }, \"checkpoint\": {\"direction\": \"reverse\", \"buffer\": \"network+disk\"}",
            &[
                "policy.checkpoint.buffer: the VM has no disk",
                "give `vms[0].disk`, or hold packets alone with `network`",
            ],
        ),
    ]);
}

#[test]
fn an_encoding_must_fit_platform_and_guest() {
    check(&[
        (
            "\"pre-copy\": {}",
            "\"pre-copy\": {\"xbzrle\": {\"cache\": \"96 MiB\"}}",
            &["policy.migration.pre-copy.xbzrle.cache: 96 MiB is not a power of two of pages of 4 KiB"],
        ),
        (
            "\"pre-copy\": {}",
            "\"pre-copy\": {\"xbzrle\": {\"cache\": \"5000 B\"}}",
            &["policy.migration.pre-copy.xbzrle.cache: 5000 B is not a power of two"],
        ),
        (
            "\"write-uniform\"",
            "{\"classes\": [{\"name\": \"a\", \"write\": \"1 /s\", \"delta\": \"0 B\"}]}",
            &["vms[0].workload.classes[0].delta: is zero"],
        ),
        (
            "\"write-uniform\"",
            "{\"classes\": [{\"name\": \"a\", \"write\": \"1 /s\", \"compressed\": \"0 %\"}]}",
            &["vms[0].workload.classes[0].compressed: 0 % is not above zero"],
        ),
        (
            "\"pre-copy\": {}",
            "\"pre-copy\": {\"xbzrle\": {}, \"compression\": {}}",
            &["policy.migration.pre-copy.compression: not together with `xbzrle`"],
        ),
        ("\"pre-copy\": {}", "\"pre-copy\": {\"channels\": 0}", &["channels: 0 is not from 1 to 255"]),
        ("\"pre-copy\": {}", "\"pre-copy\": {\"channels\": 256}", &["channels: 256 is not from 1 to 255"]),
        (
            "\"pre-copy\": {}",
            "\"pre-copy\": {\"channels\": 2, \"xbzrle\": {}}",
            &["policy.migration.pre-copy.channels: several channels cannot share one cache"],
        ),
        (
            "\"pre-copy\": {}",
            "\"pre-copy\": {\"channels\": 2, \"stop_rule\": {\"clark\": {\"min_rate\": \"1 MB/s\", \"increment\": \"1 MB/s\", \
             \"max_rate\": \"9 MB/s\", \"min_remaining\": \"1 MB\"}}}",
            &["policy.migration.pre-copy.channels: the adaptive rate of `clark`"],
        ),
        (
            "\"write-uniform\"",
            "{\"classes\": [{\"name\": \"a\", \"write\": \"1 /s\", \"delta\": \"5 KiB\"}]}",
            &["vms[0].workload.classes[0].delta: 5 KiB is more than a page of 4 KiB"],
        ),
    ]);
    for (extra, field) in
        [("xbzrle", "xbzrle_page"), ("compression", "compress_page"), ("compression", "decompress_page")]
    {
        let bare = platform_without(field);
        let text = GOOD
            .replace("\"pre-copy\": {}", &format!("\"pre-copy\": {{\"{extra}\": {{}}}}"))
            .replace("\"gige\"", &format!("\"gige\", \"platform\": {bare}"));
        let error = read(&text).expect_err("nobody knows what it costs").to_string();
        let wanted = format!("pre-copy.{extra}: the platform does not say what it costs: it has no `{field}`");
        assert!(error.contains(&wanted), "{error}");
    }
}

/// The default platform in full, but for one field.
fn platform_without(field: &str) -> serde_json::Value {
    let printed = crate::scenario::print_json(&read(GOOD).expect("the good scenario is good"), COLUMNS);
    let mut printed: serde_json::Value = serde_json::from_str(&printed).expect("what is printed is JSON");
    let platform = printed["platform"].as_object_mut().expect("a platform");
    platform.remove(field).unwrap_or_else(|| panic!("the default platform has {field}"));
    printed["platform"].take()
}

#[test]
fn all_problems_are_reported_together_each_in_its_text() {
    let text = GOOD
        .replace("\"gige\"", "{\"base\": \"gige\", \"rto\": \"0 s\", \"give_up\": \"0 s\"}")
        .replace("1 GiB", "5 KiB");
    let error = read(&text).expect_err("three things are wrong");
    let paths: Vec<String> = error.diagnostics().iter().filter_map(|d| d.path().map(ToString::to_string)).collect();
    assert_eq!(paths, ["network.rto", "vms[0].memory"]);
    assert_eq!(error.diagnostics()[0].line_column(), (8, 38));
    assert_eq!(error.diagnostics()[0].file(), "t.json");
}

#[test]
fn an_error_is_drawn_with_the_whole_value_underlined() {
    let error = read(&GOOD.replace("\"1 GiB\"", "12345")).expect_err("a bare number");
    let drawn = error.to_string();
    let wanted = [
        "error: vms[0].memory: bare number: `12345` has no unit; write \"12345 GiB\"",
        " --> t.json:6:17",
        "6 |     { \"memory\": 12345, \"workload\": \"write-uniform\" }",
        "  |                 ^^^^^",
    ];
    for line in wanted {
        assert!(drawn.lines().any(|drawn| drawn == line), "{line}\n{drawn}");
    }
    assert!(error.render(true).contains('\u{1b}'), "colour is colour");
    assert!(!drawn.contains('\u{1b}'), "and plain is plain");
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    for text in
        ["[".repeat(200_000), "{\"a\":".repeat(200_000), format!("{}{}", "[".repeat(200_000), "]".repeat(200_000))]
    {
        let error = read(&text).expect_err("too deep").to_string();
        assert!(error.contains("nested more than 127 deep"), "{}", &error[..200]);
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let options = LoadOptions { columns: COLUMNS, ..LoadOptions::default() };
    let folder = load(Path::new("models"), &options).expect_err("a folder").to_string();
    assert!(folder.contains("models: is a folder"), "{folder}");
    let missing = load(Path::new("missing.json"), &options).expect_err("a missing file").to_string();
    assert!(missing.contains("missing.json: cannot be read"), "{missing}");
    let empty = read("").expect_err("an empty text").to_string();
    assert!(empty.contains("t.json: is empty"), "{empty}");
}

proptest! {
    #[test]
    fn garbage_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert!(load_text("g", &text, &LoadOptions::default()).map_err(|error| error.to_string()).is_err());
        if let Err(error) = crate::scenario::source::Source::new("g", bytes) {
            prop_assert!(error.to_string().starts_with('g'));
        }
    }

    #[test]
    fn json_like_garbage_is_an_error(text in "[\\[\\]{}:,\"a0 \n\r\t\\\\é-]{0,80}") {
        prop_assert!(load_text("g", &text, &LoadOptions::default()).map_err(|error| error.render(true)).is_err());
    }

    #[test]
    fn a_damaged_scenario_never_panics(
        at in 0usize..300,
        cut in 0usize..20,
        put in "[\\[\\]{}:,\"0-9a-z \n\r\\PC-]{0,6}",
    ) {
        let mut characters: Vec<char> = GOOD.chars().collect();
        let at = at.min(characters.len());
        let end = (at + cut).min(characters.len());
        characters.splice(at..end, put.chars());
        let text: String = characters.into_iter().collect();
        if let Err(error) = read(&text) {
            prop_assert!(!error.render(true).is_empty());
        }
    }
}
