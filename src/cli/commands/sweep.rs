//! `midflight sweep`: many variants of a scenario, many runs of each, and what is known of them.

mod folder;
mod manifest;
mod parts;
mod planned;
mod script;
mod shards;
mod survey;
mod work;

use std::io::{self, IsTerminal};
use std::num::NonZeroU64;
use std::path::Path;

use indicatif::{HumanDuration, ProgressBar};

use self::folder::Folder;
pub(super) use self::folder::FolderError;
pub(super) use self::manifest::key;
use self::planned::Planned;
use self::shards::Shards;
use self::survey::Survey;
use super::long::{heed_interrupts, jobs};
use super::run::{bound_columns, colour, quoted};
use crate::cli::args::{Reading, SweepFormat, SweepOf, WhatSweep};
use crate::cli::{Status, complain, print};
use crate::report;
use crate::run::simulate;
use crate::scenario::{LoadOptions, ScenarioError, Sweep, load_sweep};
use crate::sweep::{Line, Plan, PlanError, SUMMARY_COLUMNS, Table, probe, summary, threads};

pub(in crate::cli) fn sweep(arguments: &SweepOf) -> Status {
    let done = match (&arguments.part, &arguments.what) {
        (Some(part), _) => parts::part(part, &arguments.files),
        (None, Some(what)) => whole(arguments, what),
        (None, None) => {
            complain("what should be swept? Name a file, or see `midflight sweep --help`");
            Err(Status::BadInput)
        }
    };
    done.unwrap_or_else(|status| status)
}

fn whole(arguments: &SweepOf, what: &WhatSweep) -> Result<Status, Status> {
    jobs(arguments.jobs)?;
    let plan = planned(what, &arguments.files)?;
    if let Some(repeat) = &arguments.repeat {
        return Ok(repeated(arguments, &plan, repeat));
    }
    let result = match (&arguments.out, arguments.dry_run) {
        (out, true) => dry_run(arguments, &plan, out.as_deref()),
        (Some(out), false) => {
            // What is written is written, so that it may end at once.
            heed_interrupts(|| std::process::exit(Status::Interrupted as i32));
            swept(arguments, &plan, out)
        }
        (None, false) => {
            complain("where should the results go? --out DIR");
            Ok(Status::BadInput)
        }
    };
    result.map_err(|error| refused(&error))
}

/// Says why a folder does not take results.
pub(super) fn refused(error: &FolderError) -> Status {
    if error.is_of_the_user() {
        complain(&error.to_string());
        return Status::BadInput;
    }
    complain(&format!("{error}; what was written before stays, and the same command goes on from there"));
    Status::Internal
}

fn planned(what: &WhatSweep, how: &Reading) -> Result<Plan, Status> {
    let columns = bound_columns();
    let options = LoadOptions { sets: &[], models: how.models.as_deref(), columns: &columns, agents: &how.agents };
    let sweep = load_sweep(&what.file, &options).map_err(|error| complain_of(&error, how))?;
    let sweep = sweep.seeded(what.seed);
    plan_of(if what.quick { sweep.quick() } else { sweep }, how)
}

/// Says what is wrong with a file.
pub(super) fn complain_of(error: &ScenarioError, how: &Reading) -> Status {
    complain(error.render(colour(how.color, io::stderr().is_terminal())).trim_end());
    Status::BadInput
}

/// The plan of a sweep; what is wrong with it has been said when there is none.
pub(super) fn plan_of(sweep: Sweep, how: &Reading) -> Result<Plan, Status> {
    let record = crate::metric::COLUMNS.iter().map(|column| column.name);
    let reserved: Vec<&str> = record.chain(SUMMARY_COLUMNS).chain(["cell"]).collect();
    let file = sweep.file().to_owned();
    let sweep = sweep.without_columns_called(&reserved).map_err(|error| complain_of(&error, how))?;
    Plan::new(sweep).map_err(|error| plan_error(error, &file, how))
}

/// Says why there is no plan of a file.
fn plan_error(error: PlanError, file: &str, how: &Reading) -> Status {
    match error {
        PlanError::Invalid(error) => complain_of(&error, how),
        other => {
            complain(&format!("{file}: {other}"));
            Status::BadInput
        }
    }
}

/// Says what would be run.
fn dry_run(arguments: &SweepOf, plan: &Plan, out: Option<&Path>) -> Result<Status, FolderError> {
    let there = out.map_or(Ok(0), |out| there(&arguments.files, plan, out))?;
    let left = plan.runs().saturating_sub(there);
    let estimate = (left > 0).then(|| {
        let clock = ProgressBar::hidden();
        let one = |tried: u32| clock.elapsed() / tried;
        let all = one(probe(plan)).saturating_mul(u32::try_from(left).unwrap_or(u32::MAX));
        all / u32::try_from(threads()).unwrap_or(1)
    });
    Ok(print(&match arguments.format {
        SweepFormat::Human => {
            report::human_sweep_plan(plan, there, estimate.map(|time| HumanDuration(time).to_string()))
        }
        SweepFormat::Json => report::json_sweep_plan(plan, there, estimate.map(|time| time.as_secs())),
    }))
}

/// How many runs of a sweep are in a folder.
fn there(how: &Reading, plan: &Plan, out: &Path) -> Result<u64, FolderError> {
    let planned = Planned::new(plan, how, usual(plan));
    if Folder::is_finished(out) {
        return Folder::rows(out, plan, planned.manifest()).map(|table| table.rows());
    }
    if !Folder::is_of(out, planned.manifest())? || !Folder::has_plan(out) {
        return Ok(0);
    }
    let planned = Planned::of(out)?;
    Survey::new(&Shards::new(out, &planned, plan), &planned, plan).map(|survey| survey.runs)
}

fn usual(plan: &Plan) -> NonZeroU64 {
    NonZeroU64::new(plan.usual_shards()).expect("a plan has runs")
}

fn swept(arguments: &SweepOf, plan: &Plan, out: &Path) -> Result<Status, FolderError> {
    let (table, lines) = match made(&arguments.files, plan, out)? {
        Ok(made) => made,
        Err(status) => return Ok(status),
    };
    #[cfg(feature = "parquet")]
    if arguments.parquet {
        Folder::to_parquet(out)?;
    }
    Ok(told(plan, &table, &lines, out, arguments.format))
}

/// Says what is known of a finished sweep.
fn told(plan: &Plan, table: &Table, lines: &[Line], out: &Path, format: SweepFormat) -> Status {
    let printed = print(&match format {
        SweepFormat::Human => report::human_sweep(plan, table, lines, &out.display().to_string()),
        SweepFormat::Json => report::json_sweep(plan, lines),
    });
    if table.panicked() == 0 { printed } else { complain_of_panics(table, out) }
}

/// Says where the scenarios of runs that panicked are.
pub(super) fn complain_of_panics(table: &Table, out: &Path) -> Status {
    let (panicked, kept) = (table.panicked(), Folder::failures(out));
    let again = "with `midflight run FILE --replication N` each repeats";
    complain(&format!("internal: runs that panicked: {panicked}; their scenarios are in {}, {again}", kept.display()));
    Status::Internal
}

/// All rows of a sweep and what is known from them, in a folder; what is missing there is run. Answers a status if that was not finished.
pub(super) fn made(how: &Reading, plan: &Plan, out: &Path) -> Result<Result<(Table, Vec<Line>), Status>, FolderError> {
    let mut planned = Planned::new(plan, how, usual(plan));
    if Folder::is_finished(out) {
        // It may be where nothing can be written.
        let table = Folder::rows(out, plan, planned.manifest())?;
        let lines = summary(plan, &table);
        Folder::mend(out, || report::summary_csv(plan, &lines));
        return Ok(Ok((table, lines)));
    }
    let folder = Folder::open(out, planned.manifest())?;
    if Folder::has_plan(out) {
        planned = Planned::of(out)?.like(&planned)?;
    } else {
        folder.write_plan(&planned)?;
    }
    let shards = Shards::new(out, &planned, plan);
    if let Some(status) = work::make(&shards, &planned, plan)? {
        return Ok(Err(status));
    }
    let made = work::merge(&folder, &shards, &planned, plan)?;
    Folder::tidy(out)?;
    Ok(Ok(made))
}

/// One run of the sweep as `run` shows it.
fn repeated(arguments: &SweepOf, plan: &Plan, repeat: &str) -> Status {
    let parsed =
        repeat.split_once(',').and_then(|(cell, run)| Some((cell.trim().parse().ok()?, run.trim().parse().ok()?)));
    let Some((cell, replication)) = parsed.filter(|(cell, replication)| plan.has(*cell, *replication)) else {
        let (cells, each) = (plan.cells.len(), plan.runs() / plan.cells.len() as u64);
        let range = format!("the cell from 0 to {}, the replication from 0 to {}", cells - 1, each - 1);
        complain(&format!("--repeat {}: write CELL,REPLICATION, {range}", quoted(repeat)));
        return Status::BadInput;
    };
    let scenario = plan.scenario(cell);
    let result = simulate(scenario, plan.sweep.seed, replication);
    print(&match arguments.format {
        SweepFormat::Human => {
            report::human(&result, scenario, colour(arguments.files.color, io::stdout().is_terminal()))
        }
        SweepFormat::Json => report::json(&result, scenario),
    })
}
