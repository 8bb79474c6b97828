//! `midflight sweep`: many variants of a scenario, many runs of each, and what is known of them.

mod folder;
mod manifest;

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use self::folder::Folder;
pub(super) use self::folder::FolderError;
pub(super) use self::manifest::key;
use self::manifest::{finished, manifest};
use super::long::{heed_interrupts, interrupted, jobs};
use super::run::{bound_columns, colour, quoted};
use crate::cli::args::{Reading, SweepFormat, SweepOf};
use crate::cli::{Status, complain, print};
use crate::report;
use crate::run::simulate;
use crate::scenario::{LoadOptions, ScenarioError, Sweep, load_sweep};
use crate::sweep::{
    Line, PANICKED, Plan, PlanError, Ran, SUMMARY_COLUMNS, Table, outcome, probe, run, summary, threads,
};

pub(in crate::cli) fn sweep(arguments: &SweepOf) -> Status {
    if let Err(status) = jobs(arguments.jobs) {
        return status;
    }
    let plan = match planned(arguments) {
        Ok(plan) => plan,
        Err(status) => return status,
    };
    if let Some(repeat) = &arguments.repeat {
        return repeated(arguments, &plan, repeat);
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
    result.unwrap_or_else(|error| refused(&error))
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

fn planned(arguments: &SweepOf) -> Result<Plan, Status> {
    let columns = bound_columns();
    let how = &arguments.files;
    let options = LoadOptions { sets: &[], models: how.models.as_deref(), columns: &columns, agents: &how.agents };
    let sweep = load_sweep(&arguments.file, &options).map_err(|error| complain_of(&error, how))?;
    let sweep = sweep.seeded(arguments.seed);
    plan_of(if arguments.quick { sweep.quick() } else { sweep }, how)
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
    Plan::new(sweep).map_err(|error| match error {
        PlanError::Invalid(error) => complain_of(&error, how),
        other => {
            complain(&format!("{file}: {other}"));
            Status::BadInput
        }
    })
}

/// Says what would be run.
fn dry_run(arguments: &SweepOf, plan: &Plan, out: Option<&Path>) -> Result<Status, FolderError> {
    let mut table = Table::new(plan);
    if let Some(out) = out {
        Folder::peek(out, plan, &manifest(plan, &arguments.files), &mut table)?;
    }
    let there = table.rows();
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

fn swept(arguments: &SweepOf, plan: &Plan, out: &Path) -> Result<Status, FolderError> {
    let (table, lines) = match made(&arguments.files, plan, out)? {
        Ok(made) => made,
        Err(status) => return Ok(status),
    };
    #[cfg(feature = "parquet")]
    if arguments.parquet {
        Folder::to_parquet(out)?;
    }
    let printed = print(&match arguments.format {
        SweepFormat::Human => report::human_sweep(plan, &table, &lines, &out.display().to_string()),
        SweepFormat::Json => report::json_sweep(plan, &lines),
    });
    Ok(if table.panicked() == 0 { printed } else { complain_of_panics(&table, out) })
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
    let manifest = manifest(plan, how);
    let mut table = Table::new(plan);
    if Folder::is_finished(out) {
        // It may be where nothing can be written.
        Folder::peek(out, plan, &manifest, &mut table)?;
    }
    let mut opened = None;
    if table.rows() == 0 || plan.next(&table).is_some() {
        table = Table::new(plan);
        let folder = opened.insert(Folder::open(out, plan, &manifest, &mut table)?);
        if let Some(status) = ran(folder, plan, &mut table)? {
            return Ok(Err(status));
        }
    }
    let lines = summary(plan, &table);
    if let Some(folder) = opened {
        folder.finish(&report::summary_csv(plan, &lines), &finished(&manifest, plan, &table))?;
    }
    Ok(Ok((table, lines)))
}

/// Makes the runs that are missing. Answers a status if not all of them are made.
fn ran(folder: &mut Folder, plan: &Plan, table: &mut Table) -> Result<Option<Status>, FolderError> {
    let there = table.rows();
    if there > 0 && plan.next(table).is_some() {
        complain(&format!("{there} runs are there already; going on with the others"));
    }
    let bar = bar(plan, there);
    let mut news = Lines::new(plan.runs());
    let ran = run(plan, table, &mut |place, row| {
        let kept = if outcome(plan, row) == PANICKED { folder.keep(plan, place) } else { Ok(()) };
        let written = kept.and_then(|()| folder.write(row));
        bar.inc(1);
        news.one_more(&bar);
        match written {
            Err(error) => ControlFlow::Break(Some(error)),
            Ok(()) if interrupted() => ControlFlow::Break(None),
            Ok(()) => ControlFlow::Continue(()),
        }
    });
    bar.finish_and_clear();
    match ran {
        Ran::All => Ok(None),
        Ran::Stopped(Some(error)) => Err(error),
        Ran::Stopped(None) => {
            folder.flush()?;
            complain(&format!("stopped after {} runs; the same command goes on", table.rows()));
            Ok(Some(Status::Interrupted))
        }
    }
}

fn bar(plan: &Plan, there: u64) -> ProgressBar {
    let bar = ProgressBar::new(plan.runs());
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {per_sec}, {eta} left").expect("a template");
    bar.set_style(style);
    bar.set_position(there);
    bar.reset_eta();
    bar
}

/// A line now and then where there is no bar to be seen.
struct Lines {
    all: u64,
    told: u64,
    last: Duration,
}

impl Lines {
    /// No more often than that.
    const PAUSE: Duration = Duration::from_secs(10);

    fn new(all: u64) -> Self {
        Self { all, told: 0, last: Duration::ZERO }
    }

    fn one_more(&mut self, bar: &ProgressBar) {
        let tenths = bar.position().saturating_mul(10) / self.all.max(1);
        if bar.is_hidden() && tenths > self.told && bar.elapsed().saturating_sub(self.last) >= Self::PAUSE {
            complain(&format!("{} of {} runs, {} left", bar.position(), self.all, HumanDuration(bar.eta())));
            (self.told, self.last) = (tenths, bar.elapsed());
        }
    }
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
    let scenario = Arc::clone(&plan.scenarios[cell]);
    let result = simulate(&scenario, plan.sweep.seed, replication);
    print(&match arguments.format {
        SweepFormat::Human => {
            report::human(&result, &scenario, colour(arguments.files.color, io::stdout().is_terminal()))
        }
        SweepFormat::Json => report::json(&result, &scenario),
    })
}
