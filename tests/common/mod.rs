//! What several test files need: the shipped scenarios, one step of an agent, the program as its user runs it.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod layers;
pub mod sweep;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use assert_cmd::Command;
use midflight::metric::{COLUMNS, Column};
use midflight::protocol::{Action, Actions, Agent, Attempt, Channel, Envelope, Epoch, Input, Message};
use midflight::scenario::{LoadOptions, Scenario, load, load_text};
use midflight::units::{LocalTime, Span};
use midflight::vocabulary::Host;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder for one test.
pub fn folder(of: &str, test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(of).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("writable");
    folder
}

/// All files below a folder with an ending, sorted.
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub fn read(path: &Path) -> Arc<Scenario> {
    read_with(path, &[])
}

pub fn read_with(path: &Path, sets: &[&str]) -> Arc<Scenario> {
    let columns: Vec<_> = COLUMNS.iter().filter_map(Column::bound).collect();
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    let options = LoadOptions { sets: &sets, columns: &columns, ..LoadOptions::default() };
    Arc::new(load(path, &options).unwrap_or_else(|error| panic!("{error}")))
}

pub fn parse(text: &str) -> Arc<Scenario> {
    let columns: Vec<_> = COLUMNS.iter().filter_map(Column::bound).collect();
    let options = LoadOptions { columns: &columns, ..LoadOptions::default() };
    Arc::new(load_text("inline", text, &options).unwrap_or_else(|error| panic!("{error}")))
}

/// All shipped scenarios but capsules, which show what falls short (`tests/check.rs`).
pub fn scenarios() -> Vec<(PathBuf, Arc<Scenario>)> {
    let files = files("scenarios", ".json").into_iter().map(|path| (path.clone(), read(&path)));
    let found: Vec<_> = files.filter(|(_, scenario)| scenario.capsule.is_none()).collect();
    assert!(found.len() >= 40, "only {} scenarios found", found.len());
    found
}

/// What an agent does about one input.
pub fn step(agent: &mut dyn Agent, input: Input) -> Vec<Action> {
    step_at(agent, Span::ZERO, input)
}

/// A step so long after the start on the node's own clock.
pub fn step_at(agent: &mut dyn Agent, after: Span, input: Input) -> Vec<Action> {
    let mut out = Actions::default();
    agent.step(LocalTime::from_ns(after.ns()), input, &mut out);
    out.drain().collect()
}

/// A message of the first attempt.
pub fn message(from: Host, channel: Channel, message: Message) -> Input {
    Input::Message { from, channel, envelope: Envelope { attempt: Attempt(1), epoch: Epoch::default(), message } }
}

/// What the program said and how it ended.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// Runs the program with these arguments and, beside its own, this environment.
pub fn midflight(arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let output = Command::cargo_bin("midflight")
        .expect("the program is built")
        .current_dir(root())
        .env_remove("MIDFLIGHT_FORMAT")
        .env_remove("MIDFLIGHT_COLOR")
        .envs(environment.iter().copied())
        .args(arguments)
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { status: output.status.code().expect("it exits"), out: text(output.stdout), err: text(output.stderr) }
}
