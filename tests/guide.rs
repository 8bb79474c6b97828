//! The guide: each of its commands is run, and what it shows of their output is what they print.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{folder, root};

/// The fenced blocks of a page: language and text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("\n```").enumerate().filter(|(number, _)| number % 2 == 1);
    fenced.map(|(_, block)| block.split_once('\n').expect("a fence has a line of its own")).collect()
}

/// Whether a line is shown: the same, with `…` for any text.
fn is_shown(line: &str, shown: &str) -> bool {
    let mut rest = line;
    shown.split('…').enumerate().all(|(number, part)| match rest.find(part.trim_end()) {
        Some(at) if number > 0 || at == 0 => {
            rest = &rest[at + part.trim_end().len()..];
            true
        }
        _ => false,
    }) && (shown.contains('…') || rest.is_empty())
}

/// Each shown line is met, in order.
fn check(command: &str, printed: &str, shown: &str) {
    let mut lines = printed.lines();
    for wanted in shown.lines().filter(|line| line.trim() != "…" && !line.is_empty()) {
        assert!(lines.any(|line| is_shown(line, wanted)), "`{command}` does not print\n{wanted}\nbut\n{printed}");
    }
}

#[test]
fn every_command_of_the_guide_does_what_it_shows() {
    let page = fs::read_to_string(root().join("docs/guide.md")).expect("docs/guide.md");
    let at = folder("sweep", "guide");
    for shipped in ["scenarios", "models", "sweeps", "figures"] {
        std::os::unix::fs::symlink(root().join(shipped), at.join(shipped)).expect("a link");
    }
    let program = Path::new(env!("CARGO_BIN_EXE_midflight"));
    let path = format!("{}:/usr/bin:/bin", program.parent().expect("a folder").display());
    let (mut last, mut commands) = (None, 0);
    for (language, text) in blocks(&page) {
        match language {
            "sh" => {
                let command = text.trim();
                let out = Command::new("sh").args(["-c", command]).env("PATH", &path).current_dir(&at).output();
                let out = out.expect("a shell");
                assert!(out.status.success(), "`{command}`: {}", String::from_utf8_lossy(&out.stderr));
                last = Some((command, String::from_utf8(out.stdout).expect("UTF-8")));
                commands += 1;
            }
            "text" => {
                let (command, printed) = last.as_ref().expect("a command goes before what it prints");
                check(command, printed, text);
            }
            "json" => {
                let shown: serde_json::Value = serde_json::from_str(text).expect("JSON");
                let shipped =
                    if shown.get("panels").is_some() { "figures/downtime.json" } else { "sweeps/downtime.json" };
                let shipped = fs::read_to_string(root().join(shipped)).expect("shipped");
                let mut shipped: serde_json::Value = serde_json::from_str(&shipped).expect("JSON");
                shipped.as_object_mut().expect("an object").remove("$schema");
                assert_eq!(shown, shipped, "the guide shows another sweep than is shipped");
            }
            other => panic!("a block in {other}"),
        }
    }
    assert!(commands >= 12, "{commands} commands");
}

#[test]
fn a_line_that_is_not_printed_is_missed() {
    assert!(is_shown("a 1 b 2", "a … 2") && is_shown("a", "a") && is_shown("a b", "a …"));
    assert!(!is_shown("a 1 b 3", "a … 2") && !is_shown("a b", "a") && !is_shown("b a", "a"));
}
