//! `midflight run`: one scenario, simulated and judged.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use super::files::{is_of_the_user, write_file};
use crate::cli::args::{Colour, Format, Reading, RunOf};
use crate::cli::{Status, complain, print};
use crate::engine::TieRule;
use crate::metric;
use crate::report;
use crate::rng::RunSeed;
use crate::run::{RunResult, simulate_with};
use crate::scenario::{Column, LoadOptions, Scenario, load, print_json};
use crate::trace::Trace;

pub(in crate::cli) fn run(arguments: &RunOf) -> Status {
    let scenario = match loaded(&arguments.scenario, &arguments.sets, &arguments.files) {
        Ok(scenario) => scenario,
        Err(status) => return status,
    };
    if arguments.dry_run {
        return print(&print_json(&scenario, &bound_columns()));
    }
    let seed = RunSeed { seed: arguments.seed.unwrap_or(scenario.seed), replication: arguments.replication };
    let mut trace = arguments.trace.is_some().then(Trace::default);
    let result = match &mut trace {
        Some(trace) => simulate_with(&scenario, seed, TieRule::default(), &mut [trace]),
        None => simulate_with(&scenario, seed, TieRule::default(), &mut []),
    };
    if let (Some(trace), Some(path)) = (trace, &arguments.trace)
        && let Err(status) = write_whole(path, trace.to_json(&result, &scenario))
    {
        return status;
    }
    let printed = print(&match arguments.format {
        Format::Human => report::human(&result, &scenario, colour(arguments.files.color, io::stdout().is_terminal())),
        Format::Json => report::json(&result, &scenario),
        Format::Csv => report::csv(std::slice::from_ref(&result.record)),
    });
    if printed == Status::Good { verdict(arguments, seed, &scenario, &result) } else { printed }
}

/// Reads a scenario; what is wrong with it has been said when there is none.
pub(super) fn loaded(file: &Path, sets: &[String], how: &Reading) -> Result<Arc<Scenario>, Status> {
    let options = LoadOptions { sets, models: how.models.as_deref(), columns: &bound_columns(), agents: &how.agents };
    load(file, &options).map(Arc::new).map_err(|error| {
        complain(error.render(colour(how.color, io::stderr().is_terminal())).trim_end());
        Status::BadInput
    })
}

/// Says what fell short, and how to see it again.
fn verdict(arguments: &RunOf, seed: RunSeed, scenario: &Scenario, result: &RunResult) -> Status {
    if result.hit_limit() {
        complain(&format!("internal: the run was given up after {} events", result.finished.events));
        return Status::Internal;
    }
    if result.judgement.shortfalls.is_empty() {
        return Status::Good;
    }
    for shortfall in &result.judgement.shortfalls {
        complain(&format!("{}: {}: {}", shortfall.class, scenario.name, shortfall.what));
    }
    complain(&format!("again: {}", again(arguments, seed)));
    Status::Short
}

/// The command that repeats this run.
fn again(arguments: &RunOf, seed: RunSeed) -> String {
    let mut command = format!(
        "{} run {} --seed {}",
        quoted(&arguments.files.program),
        quoted(&arguments.scenario.display().to_string()),
        seed.seed
    );
    if seed.replication != 0 {
        write!(command, " --replication {}", seed.replication).expect("a string takes it");
    }
    command.push_str(&read_with(&arguments.sets, &arguments.files));
    command
}

/// The part of a command that says how its files are read.
pub(in crate::cli) fn read_with(sets: &[String], how: &Reading) -> String {
    let mut part = String::new();
    for set in sets {
        write!(part, " --set {}", quoted(set)).expect("a string takes it");
    }
    if let Some(models) = &how.models {
        write!(part, " --models {}", quoted(&models.display().to_string())).expect("a string takes it");
    }
    part
}

/// For a POSIX shell.
pub(in crate::cli) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Makes a folder where there is none, or says why not.
pub(super) fn make_folder(folder: &Path) -> Result<(), Status> {
    std::fs::create_dir_all(folder).map_err(|error| {
        complain(&format!("cannot make {}: {error}", folder.display()));
        Status::BadInput
    })
}

/// Writes a file whole, or says why not.
pub(super) fn write_whole(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), Status> {
    write_file(path, contents).map_err(|error| {
        complain(&format!("cannot write {}: {error}", path.display()));
        if is_of_the_user(error.kind()) { Status::BadInput } else { Status::Internal }
    })
}

pub(super) fn colour(choice: Colour, terminal: bool) -> bool {
    match choice {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => terminal && !no_color(),
    }
}

/// <https://no-color.org>: set and not empty.
#[expect(clippy::disallowed_methods, reason = "a convention of terminals; it changes no byte of data")]
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The columns that `expect.metrics` may bound.
pub(in crate::cli) fn bound_columns() -> Vec<Column> {
    metric::COLUMNS.iter().filter_map(metric::Column::bound).collect()
}
