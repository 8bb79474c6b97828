//! What can be typed about sweeps, and about figures of them.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};

use super::Reading;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_value_name = "PART",
    subcommand_help_heading = "Parts, for many machines"
)]
pub(in crate::cli) struct SweepOf {
    #[command(subcommand)]
    pub part: Option<SweepPart>,
    #[command(flatten)]
    pub what: Option<WhatSweep>,
    /// Where the results go: a new folder, or one in which this sweep was begun.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also write the rows as Parquet (`runs.parquet`).
    #[cfg(feature = "parquet")]
    #[arg(long)]
    pub parquet: bool,
    /// Runs side by side [default: one for each processor].
    #[arg(long, value_name = "N", env = "MIDFLIGHT_JOBS")]
    pub jobs: Option<usize>,
    /// Make one run of it and show it as `run` does, for instance `3,17`: cell 3, replication 17.
    #[arg(long, value_name = "CELL,REPLICATION", conflicts_with_all = ["out", "dry_run"])]
    pub repeat: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = SweepFormat::Human)]
    pub format: SweepFormat,
    /// Say what would be run, what is already there and about how long the rest takes, and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub files: Reading,
}

/// Which sweep it is.
#[derive(Debug, Args)]
pub(in crate::cli) struct WhatSweep {
    /// The sweep file.
    pub file: PathBuf,
    /// Seed of all runs [default: the sweep's, else the scenario's].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Make a tenth of the runs.
    #[arg(long)]
    pub quick: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SweepPart {
    /// Cut a sweep into shards; simulate nothing.
    Plan(PlanOf),
    /// Make the shards that are missing, on this machine.
    Run(RunOfSweep),
    /// Make one shard: one JSON text for each line, on standard output or into the folder.
    Shard(ShardOf),
    /// Make rows and summary of shards that are all there.
    Merge(MergeOf),
    /// Say which shards are there. Exit status 1: not all are.
    Status(StatusOf),
    /// Print a job file that makes all shards.
    Script(ScriptOf),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PlanOf {
    #[command(flatten)]
    pub what: WhatSweep,
    /// The folder in which the sweep is to be: a new one.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Into how many pieces it is cut, each for some seconds of work; `auto`: a thousand, or as many as there are runs.
    #[arg(long, value_name = "N", default_value = "auto")]
    pub shards: ShardCount,
    /// What to print.
    #[arg(long, value_enum, default_value_t = SweepFormat::Human)]
    pub format: SweepFormat,
    #[command(flatten)]
    pub files: Reading,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RunOfSweep {
    /// The folder of the plan.
    pub dir: PathBuf,
    /// Runs side by side [default: one for each processor].
    #[arg(long, value_name = "N", env = "MIDFLIGHT_JOBS")]
    pub jobs: Option<usize>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ShardOf {
    /// The folder of the plan; `-`: the plan is on standard input.
    pub dir: PathBuf,
    /// Which shard of how many, for instance `0/40`, `39/40`.
    #[arg(long, value_name = "K/N")]
    pub shard: ShardNumber,
    /// Write it into the folder; if it is there already, do nothing.
    #[arg(long)]
    pub write: bool,
    /// Runs side by side: whoever spreads shards over processors means one for each.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub jobs: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MergeOf {
    /// The folder of the plan.
    pub dir: PathBuf,
    /// Also write the rows as Parquet (`runs.parquet`).
    #[cfg(feature = "parquet")]
    #[arg(long)]
    pub parquet: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = SweepFormat::Human)]
    pub format: SweepFormat,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct StatusOf {
    /// The folder of the plan.
    pub dir: PathBuf,
    /// What to print.
    #[arg(long, value_enum, default_value_t = SweepFormat::Human)]
    pub format: SweepFormat,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ScriptOf {
    /// The folder of the plan.
    pub dir: PathBuf,
    /// What spreads the jobs over machines.
    #[arg(long = "for", value_enum, value_name = "ENGINE")]
    pub engine: Engine,
    /// Among how many jobs the shards are dealt out [default: at most 100 for Slurm, else one for each shard].
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroU64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Engine {
    /// An array of jobs for `sbatch`.
    Slurm,
    /// An array of tasks for `hq submit`.
    Hyperqueue,
    /// GNU parallel, on this machine or some others with the same folder.
    Parallel,
}

/// How many shards there should be; `None`: as is usual.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct ShardCount(Option<NonZeroU64>);

impl ShardCount {
    /// The number, if one was typed.
    pub fn number(self) -> Option<NonZeroU64> {
        self.0
    }
}

impl FromStr for ShardCount {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self(None)),
            number => {
                number.parse().map(|number| Self(Some(number))).map_err(|_| "write `auto`, or a number from 1 on")
            }
        }
    }
}

/// One shard of how many.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct ShardNumber {
    pub number: u64,
    pub of: u64,
}

impl FromStr for ShardNumber {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((number, of)) if number < of => Ok(Self { number, of }),
            Some(_) => Err("shards are counted from 0: the last of 40 is 39/40"),
            None => Err("write K/N: which shard, from 0, of how many"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SweepFormat {
    /// A line for each cell; of figures, what they claim.
    Human,
    /// The summary, an array with an object for each line; of figures, one for each figure.
    Json,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command")]
pub(in crate::cli) struct FigureOf {
    /// Figure files, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    pub figures: Vec<PathBuf>,
    /// Where points, pictures and tables go; the rows of sweeps are in `rows` there.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Draw the points that are there already (`NAME.csv` in the folder), and simulate nothing.
    #[arg(long, requires = "out", conflicts_with_all = ["quick", "dry_run"])]
    pub redraw: bool,
    /// Make a tenth of the runs of each sweep.
    #[arg(long)]
    pub quick: bool,
    /// Also write `README.md`, a page with all these figures and what they show.
    #[arg(long)]
    pub page: bool,
    /// Runs side by side [default: one for each processor].
    #[arg(long, value_name = "N", env = "MIDFLIGHT_JOBS")]
    pub jobs: Option<usize>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = SweepFormat::Human)]
    pub format: SweepFormat,
    /// Say what would be run, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub files: Reading,
}
