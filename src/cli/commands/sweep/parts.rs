//! `midflight sweep plan`, `run`, `shard`, `merge`, `status` and `script`: a sweep in pieces, for whatever spreads them over machines.

use std::io::{self, BufWriter, ErrorKind};
use std::path::Path;

use serde_json::json;

use super::folder::{Folder, FolderError};
use super::planned::Planned;
use super::script::script;
use super::shards::{Shards, State};
use super::survey::Survey;
use super::work;
use super::{planned, refused, told, usual};
use crate::cli::args::{MergeOf, PlanOf, Reading, RunOfSweep, ScriptOf, ShardOf, StatusOf, SweepFormat, SweepPart};
use crate::cli::commands::long::{heed_interrupts, jobs};
use crate::cli::commands::run::quoted;
use crate::cli::{Status, complain, print};
use crate::sweep::{Plan, Shard, run};

/// What goes wrong is either said already, or a folder's.
enum Wrong {
    Said(Status),
    Folder(FolderError),
}

impl From<Status> for Wrong {
    fn from(status: Status) -> Self {
        Self::Said(status)
    }
}

impl From<FolderError> for Wrong {
    fn from(error: FolderError) -> Self {
        Self::Folder(error)
    }
}

pub(super) fn part(part: &SweepPart, how: &Reading) -> Result<Status, Status> {
    let done = match part {
        SweepPart::Plan(of) => plan(of),
        SweepPart::Run(of) => run_all(of, how),
        SweepPart::Shard(of) => shard(of, how).map_err(of_the_machine),
        SweepPart::Merge(of) => merge(of, how),
        SweepPart::Status(of) => status(of, how),
        SweepPart::Script(of) => job(of, how),
    };
    done.map_err(|wrong| match wrong {
        Wrong::Said(status) => status,
        Wrong::Folder(error) => refused(&error),
    })
}

/// Whatever a machine refuses to one shard, it is no reason to stop the others.
fn of_the_machine(wrong: Wrong) -> Wrong {
    match wrong {
        Wrong::Folder(error @ FolderError::Refused { .. }) => {
            complain(&error.to_string());
            Wrong::Said(Status::Internal)
        }
        other => other,
    }
}

fn plan(of: &PlanOf) -> Result<Status, Wrong> {
    let plan = planned(&of.what, &of.files)?;
    let most = plan.most_shards();
    let shards = of.shards.number().unwrap_or_else(|| usual(&plan));
    if shards.get() > most {
        let what = if plan.ends_by_itself() { "cells that end by themselves" } else { "runs" };
        complain(&format!("--shards {shards}: there are {most} {what}, and a shard has at least one"));
        return Err(Status::BadInput.into());
    }
    let planned = Planned::new(&plan, &of.files, shards);
    let folder = Folder::open(&of.out, planned.manifest())?;
    if !Folder::has_plan(&of.out) {
        if Folder::is_finished(&of.out) {
            return Err(FolderError::Finished { path: of.out.display().to_string() }.into());
        }
        folder.write_plan(&planned)?;
    } else if Planned::of(&of.out)?.text() != planned.text() {
        let path = of.out.display().to_string();
        return Err(FolderError::Other { path, other: "another plan of this sweep".into() }.into());
    }
    let (cells, runs, dir) = (plan.cells.len(), plan.runs(), quoted(&of.out.display().to_string()));
    let most = if plan.ends_by_itself() { "at most " } else { "" };
    let next =
        format!("midflight sweep run {dir}, or midflight sweep shard {dir} --shard K/{shards} --write for each K");
    Ok(print(&match of.format {
        SweepFormat::Human => {
            format!("{cells} cells, {most}{runs} runs in {shards} shards: {dir}/plan.json\nnext: {next}\n")
        }
        SweepFormat::Json => {
            let about = json!({"cells": cells, "runs": runs, "shards": shards, "plan": planned.hash()});
            format!("{about:#}\n")
        }
    }))
}

fn run_all(of: &RunOfSweep, how: &Reading) -> Result<Status, Wrong> {
    jobs(of.jobs)?;
    let planned = Planned::of(&of.dir)?;
    let plan = planned.whole(how)?;
    heed_interrupts(|| std::process::exit(Status::Interrupted as i32));
    let _folder = Folder::open(&of.dir, planned.manifest())?;
    let shards = Shards::new(&of.dir, &planned, &plan);
    if let Some(status) = work::make(&shards, &planned, &plan)? {
        return Ok(status);
    }
    let dir = quoted(&of.dir.display().to_string());
    complain(&format!("all {} shards are there; next: midflight sweep merge {dir}", planned.shards()));
    Ok(Status::Good)
}

fn shard(of: &ShardOf, how: &Reading) -> Result<Status, Wrong> {
    // Whoever spreads shards over processors means one for each.
    jobs(Some(of.jobs))?;
    let from_input = of.dir == Path::new("-");
    if from_input && of.write {
        complain("--write needs the folder of the plan, and not `-`");
        return Err(Status::BadInput.into());
    }
    let planned = if from_input { Planned::from_input()? } else { Planned::of(&of.dir)? };
    let (number, all) = (of.shard.number, planned.shards());
    if of.shard.of != all {
        complain(&format!("--shard {number}/{}: the plan has {all} shards", of.shard.of));
        return Err(Status::BadInput.into());
    }
    let (plan, shard) = planned.shard(number, how)?;
    let shards = Shards::new(&of.dir, &planned, &plan);
    if !of.write {
        return Ok(shown(&shards, &plan, &shard));
    }
    match shards.state(&shard)? {
        State::Done(_) => complain(&format!("shard {number} of {all} is there already")),
        State::Strange(what) => return Err(FolderError::InTheWay { path: shards.name(number), what }.into()),
        State::Missing | State::Failed(_) | State::Damaged => {
            work::one(&shards, &plan, &shard, &|| ())?;
        }
    }
    Ok(Status::Good)
}

/// Makes a shard, for standard output.
fn shown(shards: &Shards, plan: &Plan, shard: &Shard) -> Status {
    let out = BufWriter::new(io::stdout().lock());
    let written = shards.write_to(shard, out).and_then(|mut writer| {
        run(plan, shard, &|| true, &mut |_, row| writer.row(row))?;
        writer.finish()
    });
    match written {
        Ok(_) => Status::Good,
        Err(error) => {
            // Whoever closed the pipe knows; but the shard was not made.
            if error.kind() != ErrorKind::BrokenPipe {
                complain(&format!("cannot write to standard output: {error}"));
            }
            Status::Internal
        }
    }
}

fn merge(of: &MergeOf, how: &Reading) -> Result<Status, Wrong> {
    let planned = Planned::of(&of.dir)?;
    let plan = planned.whole(how)?;
    let folder = Folder::open(&of.dir, planned.manifest())?;
    let shards = Shards::new(&of.dir, &planned, &plan);
    let (table, lines) = work::merge(&folder, &shards, &planned, &plan)?;
    #[cfg(feature = "parquet")]
    if of.parquet {
        Folder::to_parquet(&of.dir)?;
    }
    Ok(told(&plan, &table, &lines, &of.dir, of.format))
}

/// Which shards are there. 1: not all of them are.
fn status(of: &StatusOf, how: &Reading) -> Result<Status, Wrong> {
    let planned = Planned::of(&of.dir)?;
    let plan = planned.listed(how)?;
    let shards = Shards::new(&of.dir, &planned, &plan);
    let survey = Survey::new(&shards, &planned, &plan)?;
    let merged = Folder::is_finished(&of.dir);
    let printed = print(&match of.format {
        SweepFormat::Human => survey.human(merged),
        SweepFormat::Json => survey.json(merged),
    });
    Ok(if printed == Status::Good && !survey.is_complete() { Status::Short } else { printed })
}

/// A job file for one of the engines.
fn job(of: &ScriptOf, how: &Reading) -> Result<Status, Wrong> {
    let planned = Planned::of(&of.dir)?;
    let plan = planned.listed(how)?;
    Ok(print(&script(of, &how.program, &plan.sweep.name, planned.shards())))
}
