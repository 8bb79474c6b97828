//! `midflight check`: scenarios, tried with every fault that they claim to tolerate.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use super::long::{heed_interrupts, interrupted, jobs};
use super::run::{bound_columns, colour, loaded, make_folder, quoted, read_with, write_whole};
use crate::check::{Checked, Plan, Probe, Shows, Trial, Watch, check as tried, predicted, replay, shrink};
use crate::cli::args::{CheckFormat, CheckOf, Depth};
use crate::cli::{Status, complain, print};
use crate::report::{Checks, human_checked, human_checks, human_replayed, json_checks, junit_checks};
use crate::scenario::{Scenario, print_json};

/// A bar on a terminal, and Ctrl-C.
struct Bar(ProgressBar);

impl Watch for Bar {
    fn planned(&self, runs: u64) {
        self.0.inc_length(runs);
    }

    fn done(&self) {
        self.0.inc(1);
    }

    fn stops(&self) -> bool {
        interrupted()
    }
}

pub(in crate::cli) fn check(arguments: &CheckOf) -> Status {
    let mut scenarios = Vec::new();
    for file in files(&arguments.paths) {
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                complain(&error);
                return Status::BadInput;
            }
        };
        match loaded(&file, &arguments.sets, &arguments.files) {
            Ok(scenario) => scenarios.push((file, scenario)),
            Err(status) => return status,
        }
    }
    if let Err(status) = jobs(arguments.jobs) {
        return status;
    }
    if arguments.dry_run {
        return dry_run(arguments, &scenarios);
    }
    heed_interrupts(|| {});
    check_all(arguments, &scenarios)
}

type Read = (PathBuf, Arc<Scenario>);

fn check_all(arguments: &CheckOf, scenarios: &[Read]) -> Status {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs {elapsed}").expect("a template");
    bar.set_style(style);
    let bar = Bar(bar);
    let mut checks = Checks::default();
    for (file, scenario) in scenarios {
        if interrupted() {
            break;
        }
        let said = match replay(scenario) {
            Some((_, replayed)) => {
                let text = human_replayed(&replayed);
                checks.replayed.push((replayed, again_replay(arguments, file)));
                text
            }
            None => match check_one(arguments, scenario, scenarios.len() == 1, &bar) {
                Ok((checked, text)) => {
                    checks.checked.push((checked, again(arguments, std::slice::from_ref(file))));
                    text
                }
                Err(status) => return status,
            },
        };
        if arguments.format == CheckFormat::Human {
            bar.0.suspend(|| print(&said));
        }
    }
    bar.0.finish_and_clear();
    let printed = print(&match arguments.format {
        CheckFormat::Human => human_checks(&checks),
        CheckFormat::Json => json_checks(&checks),
    });
    if let Some(path) = &arguments.junit
        && let Err(status) = write_whole(path, junit_checks(&checks))
    {
        return status;
    }
    if printed == Status::Good { verdict(arguments, &checks) } else { printed }
}

/// One scenario, checked, and what is said of it.
fn check_one(
    arguments: &CheckOf,
    scenario: &Arc<Scenario>,
    alone: bool,
    bar: &Bar,
) -> Result<(Checked, String), Status> {
    let checked = tried(scenario, &plan(arguments), bar);
    let colours = colour(arguments.files.color, io::stdout().is_terminal());
    let text = human_checked(&checked, arguments.coverage || alone, colours);
    if let Some(folder) = &arguments.capsules {
        write_capsules(folder, &arguments.files.program, &checked)?;
    }
    Ok((checked, text))
}

fn verdict(arguments: &CheckOf, checks: &Checks) -> Status {
    if interrupted() {
        complain("interrupted: what is above is what had been seen");
        return Status::Interrupted;
    }
    let mut findings = checks.checked.iter().flat_map(|(checked, _)| &checked.findings);
    if findings.any(|finding| finding.broken.class == "internal") {
        return Status::Internal;
    }
    if checks.are_good() {
        return Status::Good;
    }
    complain(&format!("again: {}", again(arguments, &arguments.paths)));
    Status::Short
}

fn plan(arguments: &CheckOf) -> Plan {
    let depth = match arguments.depth {
        Depth::Quick => Plan::QUICK,
        Depth::Ci => Plan::CI,
        Depth::Night => Plan::NIGHT,
    };
    Plan { seed: arguments.seed, swarm: arguments.swarm, full_size: arguments.full_size, ..depth }
}

fn dry_run(arguments: &CheckOf, scenarios: &[Read]) -> Status {
    let plan = plan(arguments);
    let mut text = String::new();
    let mut all = 0;
    for (file, scenario) in scenarios {
        let runs = if scenario.capsule.is_some() { 1 } else { predicted(scenario, &plan) };
        all += runs;
        writeln!(text, "{}: about {runs} runs", file.display()).expect("a string takes it");
    }
    writeln!(text, "{} scenarios, about {all} runs", scenarios.len()).expect("a string takes it");
    print(&text)
}

/// The JSON files that are named, and those in folders that are, in the order of their names.
fn files(paths: &[PathBuf]) -> Vec<Result<PathBuf, String>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(Ok(path.clone()));
            continue;
        }
        let mut inside: Vec<PathBuf> = match std::fs::read_dir(path) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) => {
                found.push(Err(format!("cannot read {}: {error}", path.display())));
                continue;
            }
        };
        inside.retain(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "json"));
        inside.sort();
        if inside.is_empty() {
            found.push(Err(format!("{}: there is no scenario in it", path.display())));
        }
        found.extend(files(&inside));
    }
    found
}

/// What was found, each as small as it can be. Names are the scenario's and the shortfall's.
fn write_capsules(folder: &Path, program: &str, checked: &Checked) -> Result<(), Status> {
    let findings = checked.findings.iter().map(|finding| (&finding.probe, Shows::Broken(finding.broken.class.clone())));
    let caught =
        checked.must_violate.iter().filter_map(|(must, probe)| Some((probe.as_ref()?, Shows::Violates(*must))));
    for (probe, shows) in findings.chain(caught) {
        let Some(capsule) = shrink(&checked.scenario, probe, &shows) else { continue };
        let path = folder.join(capsule_name(checked, probe, &capsule));
        write_capsule(&path, &capsule)?;
        let again = format!("{} replay {} --explain", quoted(program), quoted(&path.display().to_string()));
        complain(&format!("capsule: {again}  ({})", probe.kind));
    }
    Ok(())
}

fn capsule_name(checked: &Checked, probe: &Probe, capsule: &Scenario) -> String {
    let shows = capsule.capsule.as_ref().map_or("", |note| note.shows.as_str());
    let shows = shows.trim_start_matches("invariant:");
    match probe.trial {
        Trial::Claimed(class) => format!("{}--{class}--{shows}.json", checked.written.name),
        _ => format!("{}--{shows}.json", checked.written.name),
    }
}

fn write_capsule(path: &Path, capsule: &Scenario) -> Result<(), Status> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    write_whole(path, print_json(capsule, &bound_columns()))
}

/// The command that repeats this.
fn again(arguments: &CheckOf, paths: &[PathBuf]) -> String {
    let mut command = format!("{} check", quoted(&arguments.files.program));
    for path in paths {
        write!(command, " {}", quoted(&path.display().to_string())).expect("a string takes it");
    }
    match arguments.depth {
        Depth::Quick => command.push_str(" --depth quick"),
        Depth::Ci => {}
        Depth::Night => command.push_str(" --depth night"),
    }
    if arguments.swarm > 0 {
        write!(command, " --swarm {}", arguments.swarm).expect("a string takes it");
    }
    if arguments.full_size {
        command.push_str(" --full-size");
    }
    if let Some(seed) = arguments.seed {
        write!(command, " --seed {seed}").expect("a string takes it");
    }
    command.push_str(&read_with(&arguments.sets, &arguments.files));
    command
}

/// The command that repeats a capsule.
fn again_replay(arguments: &CheckOf, file: &Path) -> String {
    let files = &arguments.files;
    format!("{} replay {}{}", quoted(&files.program), quoted(&file.display().to_string()), read_with(&[], files))
}
