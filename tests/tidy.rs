//! Style rules that matter, as tests: layers, absences, sizes, documents.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::layers::LAYERS;
use common::{files, root};

/// Lines of a file and of a function.
const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// Modules of a run: no I/O, no thread, no clock, no environment (A1), nothing that can fail.
const CORE: &[&str] =
    &["units", "vocabulary", "rng", "model", "protocol", "world", "engine", "oracle", "metric", "run"];

struct Source {
    name: String,
    module: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let found: Vec<Source> = files("src", ".rs")
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(root().join("src")).expect("below src").to_path_buf();
            let first = relative.components().next().expect("a file has a name").as_os_str().to_string_lossy();
            Source {
                name: relative.display().to_string(),
                module: first.trim_end_matches(".rs").to_string(),
                text: std::fs::read_to_string(&path).expect("readable"),
            }
        })
        .collect();
    assert!(found.len() > 60, "only {} files", found.len());
    found
}

/// Code only: no comments, and nothing of test modules.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    body.lines().enumerate().filter_map(|(i, line)| {
        let code = line.split("//").next().unwrap_or("");
        (!code.trim().is_empty()).then_some((i + 1, code))
    })
}

fn is_test_file(source: &Source) -> bool {
    source.name.contains("tests") || source.name.ends_with("synthetic.rs") || source.name.ends_with("fixture.rs")
}

/// Every module named after `crate::` in a line.
fn named(line: &str) -> Vec<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for rest in line.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group.split(',').map(|part| word(part.trim()))),
            None => found.push(word(rest)),
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn complain(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn layers_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !is_test_file(s) && !matches!(s.module.as_str(), "lib" | "main")) {
        let Some(allowed) = allowed.get(source.module.as_str()) else {
            broken.push(format!("{}: module {} has no place in LAYERS", source.name, source.module));
            continue;
        };
        for (line, code) in code(&source.text) {
            if code.contains("super::super::") {
                broken.push(format!("{}:{line}: a path that climbs hides what it names; write crate::", source.name));
            }
            for module in named(code) {
                if module != source.module && !allowed.contains(&module.as_str()) {
                    broken.push(format!("{}:{line}: {} may not name {module}", source.name, source.module));
                }
            }
        }
    }
    complain(&broken);
}

/// A3: agents see policies and quantities, never a host, a fault plan, a network or a page.
#[test]
fn protocols_know_only_policy() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| s.module == "protocol") {
        for (line, code) in code(&source.text) {
            let scenario = code.contains("crate::scenario")
                && !code.contains("scenario::policy")
                && !code.contains("scenario::Policy")
                && !code.contains("scenario::OwnAgent");
            if scenario || ["SimTime", "Stream", "FaultKind", "World"].iter().any(|word| has_word(code, word)) {
                broken.push(format!("{}:{line}: an agent may not know {}", source.name, code.trim()));
            }
        }
    }
    complain(&broken);
}

/// Only the border reads what was typed.
#[test]
fn only_the_command_line_reads_scenarios() {
    let mut broken = Vec::new();
    let typed = ["scenario::schema", "scenario::load", "scenario::LoadOptions", "scenario::print"];
    for source in sources().iter().filter(|s| !matches!(s.module.as_str(), "scenario" | "cli") && !is_test_file(s)) {
        for (line, code) in code(&source.text) {
            if typed.iter().any(|path| code.contains(path)) {
                broken.push(format!("{}:{line}: {}", source.name, code.trim()));
            }
        }
    }
    complain(&broken);
}

/// A7: what stands above a run makes many at a time, and nothing else.
#[test]
fn threads_stay_above_the_run() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !["validate", "check", "sweep"].contains(&s.module.as_str())) {
        for (line, code) in code(&source.text).filter(|(_, code)| code.contains("rayon")) {
            broken.push(format!("{}:{line}: {}", source.name, code.trim()));
        }
    }
    complain(&broken);
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

#[test]
fn the_core_does_nothing_but_compute() {
    let banned = [
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::thread",
        "std::env",
        "println!",
        "eprintln!",
        "static ",
        "thread_local!",
        "include_dir",
        "rayon",
    ];
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| CORE.contains(&s.module.as_str()) && !is_test_file(s)) {
        for (line, code) in code(&source.text) {
            for word in banned.iter().filter(|word| code.contains(**word) && !code.contains("'static ")) {
                broken.push(format!("{}:{line}: {word} in the core", source.name));
            }
        }
    }
    complain(&broken);
}

#[test]
fn floats_stay_where_they_are_drawn() {
    let mut broken = Vec::new();
    for source in
        sources().iter().filter(|s| !matches!(s.module.as_str(), "rng" | "figure" | "calibrate" | "stats" | "sweep"))
    {
        for (line, code) in code(&source.text) {
            if has_word(code, "f32") || has_word(code, "f64") {
                broken.push(format!("{}:{line}: a float outside rng, stats, sweep, figure and calibrate", source.name));
            }
        }
    }
    complain(&broken);
}

/// A8: serde and JSON only where files are.
#[test]
fn serde_stays_at_the_border() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !matches!(s.module.as_str(), "scenario" | "report" | "trace" | "cli")) {
        for (line, code) in code(&source.text).filter(|(_, code)| code.contains("serde") || code.contains("schemars")) {
            broken.push(format!("{}:{line}: {}", source.name, code.trim()));
        }
    }
    complain(&broken);
}

#[test]
fn nobody_unwraps_or_leaves_work_undone() {
    // Spelt in two parts, so that this file does not find itself.
    let banned = [
        ".unwrap".to_owned() + "()",
        "todo".to_owned() + "!(",
        "unimplemented".to_owned() + "!(",
        "FIX".to_owned() + "ME",
        "dbg".to_owned() + "!(",
    ];
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !is_test_file(s)) {
        for (line, code) in code(&source.text) {
            for word in banned.iter().filter(|word| code.contains(word.as_str())) {
                broken.push(format!("{}:{line}: {word}", source.name));
            }
        }
    }
    complain(&broken);
}

#[test]
fn files_and_functions_are_small() {
    let mut broken = Vec::new();
    for path in files("src", ".rs").into_iter().chain(files("tests", ".rs")) {
        let text = std::fs::read_to_string(&path).expect("readable");
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        if text.lines().count() > FILE_LINES_MAX {
            broken.push(format!("{name}: {} lines", text.lines().count()));
        }
        broken.extend(
            long_functions(&text)
                .into_iter()
                .map(|(line, lines)| format!("{name}:{line}: a function of {lines} lines")),
        );
    }
    complain(&broken);
}

/// First line and length of functions that are too long; a function ends at the brace in its own column.
fn long_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| {
        let code = line.trim();
        !code.ends_with(';')
            && !code.ends_with('}')
            && ["fn ", "pub fn ", "pub(super) fn ", "pub(in crate::cli) fn ", "pub(crate) fn "]
                .iter()
                .any(|head| code.starts_with(head))
    });
    let long = starts.filter_map(|(start, line)| {
        let indent = line.len() - line.trim_start().len();
        let end =
            lines[start..].iter().position(|l| l.len() - l.trim_start().len() == indent && l.trim_start() == "}")?;
        (end + 1 > FUNCTION_LINES_MAX).then_some((start + 1, end + 1))
    });
    long.collect()
}

#[test]
fn every_file_says_what_it_is() {
    let undocumented: Vec<String> =
        sources().iter().filter(|s| !s.text.starts_with("//!")).map(|s| s.name.clone()).collect();
    complain(&undocumented);
}

#[test]
fn every_module_is_on_the_map() {
    let map = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("docs/ARCHITECTURE.md");
    let mut modules: Vec<String> = sources().into_iter().map(|s| s.module).collect();
    modules.dedup();
    let missing: Vec<String> = modules
        .into_iter()
        .filter(|m| !matches!(m.as_str(), "lib" | "main") && !map.contains(&format!("`{m}`")))
        .collect();
    complain(&missing);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    let pages = files("docs", ".md")
        .into_iter()
        .chain(files("results", ".md"))
        .chain(["README.md", "CHANGELOG.md", "models/README.md"].map(|f| root().join(f)));
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("readable");
        let folder = page.parent().expect("a page is in a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or("");
            if !path.is_empty() && !path.contains("://") && !folder.join(path).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    complain(&broken);
}

#[test]
fn scenarios_are_named_in_the_documents_as_they_are() {
    let pages = files("docs", ".md").into_iter().chain([root().join("README.md")]);
    let mut broken = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("readable");
        for rest in text.split("scenarios/").skip(1) {
            let path: String = rest.chars().take_while(|c| c.is_alphanumeric() || "/-_.".contains(*c)).collect();
            if Path::new(&path).extension().is_some_and(|e| e == "json")
                && !root().join("scenarios").join(&path).exists()
            {
                broken.push(format!("{}: scenarios/{path}", page.display()));
            }
        }
    }
    complain(&broken);
}
