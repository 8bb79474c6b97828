//! What can be typed about sweeps, and about figures of them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Reading;

#[derive(Debug, Args)]
pub(in crate::cli) struct SweepOf {
    /// The sweep file.
    pub file: PathBuf,
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
    /// Seed of all runs [default: the sweep's, else the scenario's].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Make a tenth of the runs.
    #[arg(long)]
    pub quick: bool,
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
