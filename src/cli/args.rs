//! What can be typed.

mod sweep;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::scenario::OwnAgent;
pub(super) use sweep::{
    Engine, FigureOf, MergeOf, PlanOf, RunOfSweep, ScriptOf, ShardOf, StatusOf, SweepFormat, SweepOf, SweepPart,
    WhatSweep,
};

/// Version and commit.
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("MIDFLIGHT_COMMIT"), ")");

/// Simulates what happens to a virtual machine when a node or the network fails while it is being live-migrated.
#[derive(Debug, Parser)]
#[command(name = "midflight", version = VERSION, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 good, 1 something fell short of what the scenario claims, 2 bad input or usage, 3 internal error."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Simulate one scenario and judge it.
    Run(RunOf),
    /// Simulate published results and compare: reference files, or shipped references by name.
    Validate(ValidateOf),
    /// Fit parameters of a platform, network or workload to measurements: reference files, or shipped references by name.
    Calibrate(CalibrateOf),
    /// Try every fault that scenarios claim to tolerate, everywhere, and judge each run.
    Check(CheckOf),
    /// Run many variants of a scenario many times, and summarise.
    Sweep(SweepOf),
    /// Draw figures and tables of sweeps, as SVG, PNG, PDF, LaTeX and Markdown.
    Figure(FigureOf),
    /// Repeat what a check has found, from its capsule, and compare.
    Replay(ReplayOf),
    /// Turn measurements of real migrations into reference files, for `validate`.
    Import(ImportOf),
    /// List what can be named in a scenario, and what comes out of a run.
    List(List),
    /// Print the JSON Schema of scenario or model files, or the field reference.
    Schema(SchemaOf),
}

/// How files are read and what is wrong with them is shown.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// Colours in human output, and in errors.
    #[arg(long, value_enum, default_value_t = Colour::Auto, env = "MIDFLIGHT_COLOR")]
    pub color: Colour,
    /// Where models and references are looked up [default: the nearest `models/` at or above the file].
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Agents of the user's own.
    #[arg(skip)]
    pub agents: Vec<OwnAgent>,
    /// What to type to run this program.
    #[arg(skip)]
    pub program: String,
}

impl Command {
    /// What reads files may name these agents, and is repeated by this program.
    pub fn hand_in(&mut self, agents: &[OwnAgent], program: String) {
        let (Self::Run(RunOf { files, .. })
        | Self::Validate(ValidateOf { files, .. })
        | Self::Calibrate(CalibrateOf { files, .. })
        | Self::Check(CheckOf { files, .. })
        | Self::Sweep(SweepOf { part: Some(SweepPart::Plan(PlanOf { files, .. })), .. } | SweepOf { files, .. })
        | Self::Figure(FigureOf { files, .. })
        | Self::Replay(ReplayOf { files, .. })) = self
        else {
            return;
        };
        files.agents = agents.to_vec();
        files.program = program;
    }
}

#[derive(Debug, Args)]
pub(super) struct RunOf {
    /// The scenario file.
    pub scenario: PathBuf,
    /// Change one value before the scenario is read, for instance `vms[0].memory=8GiB`; repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
    /// Seed of all random draws [default: the scenario's].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Which repetition of the seed.
    #[arg(long, default_value_t = 0)]
    pub replication: u64,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Human, env = "MIDFLIGHT_FORMAT")]
    pub format: Format,
    /// Also write the timeline as Chrome trace JSON, for Perfetto or speedscope.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Print the scenario as it is understood, with all defaults and models in place, and run nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub files: Reading,
}

#[derive(Debug, Args)]
pub(super) struct ValidateOf {
    /// Reference files, or names of shipped references (see `list models`).
    #[arg(required_unless_present = "all", value_name = "FILE")]
    pub references: Vec<PathBuf>,
    /// Also write a table (`table.csv`, with every row's reason) and a figure (`predicted-against-measured.svg`) to this folder.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// All shipped references.
    #[arg(long)]
    pub all: bool,
    /// Seed of all random draws [default: the scenario's].
    #[arg(long)]
    pub seed: Option<u64>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Human, env = "MIDFLIGHT_FORMAT")]
    pub format: Format,
    /// Print the rows as they are understood and how many runs they take, and run nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub files: Reading,
}

#[derive(Debug, Args)]
pub(super) struct CalibrateOf {
    /// Reference files, or names of shipped references (see `list models`).
    #[arg(required_unless_present = "workload", value_name = "FILE")]
    pub references: Vec<PathBuf>,
    /// Fit page classes to the recorded writes of this workload, a file or the name of a shipped one, instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["references", "fits", "hold_out", "bootstrap", "seed", "dry_run"])]
    pub workload: Option<PathBuf>,
    /// Fit this parameter, for instance `platform.place_page=500 ns..8 us`, to all rows that count; repeatable [default: the
    /// files' own `fit`, to the rows that it names].
    #[arg(long = "fit", value_name = "PATH=FROM..TO")]
    pub fits: Vec<String>,
    /// Keep every N-th setting (the rows that set the same) out of the fit, and show how well it is predicted.
    #[arg(long, value_name = "N", requires = "fits", value_parser = clap::value_parser!(u32).range(2..))]
    pub hold_out: Option<u32>,
    /// Resamples from which the intervals are made.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(40..=100_000))]
    pub bootstrap: u64,
    /// Seed of all random draws [default: the scenario's, and 1 for the resamples].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Write a model file with the fitted values, and where they come from, to `platforms/`, `networks/` or `workloads/` in this
    /// folder: name it to `--models` to use them.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = CalibrateFormat::Human)]
    pub format: CalibrateFormat,
    /// Print what would be fitted to which rows, and run nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub files: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CalibrateFormat {
    /// The values, what is not known of them, and how large the errors are.
    Human,
    /// All of it, with every row.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct CheckOf {
    /// Scenario files, capsules, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How much is tried of each scenario.
    #[arg(long, value_enum, default_value_t = Depth::Ci)]
    pub depth: Depth,
    /// So many random trials of each scenario beside the enumeration.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub swarm: u64,
    /// Keep the guest as large as it is written. Else it is as small as goes through the same phases and shows as much.
    #[arg(long)]
    pub full_size: bool,
    /// The first of the three seeds [default: the scenario's].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Change one value of every scenario before it is read; repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
    /// Runs side by side [default: one for each processor].
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Write a capsule for everything that was found into this folder; without it, a broken claim is told but not made small.
    #[arg(long, value_name = "DIR")]
    pub capsules: Option<PathBuf>,
    /// Also write a `JUnit` report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print for each fault and phase how often it struck and what came of it, also for several scenarios.
    #[arg(long)]
    pub coverage: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = CheckFormat::Human, env = "MIDFLIGHT_CHECK_FORMAT")]
    pub format: CheckFormat,
    /// Print how many runs it takes, about, and check nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub files: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Depth {
    /// A look while editing.
    Quick,
    /// For every commit.
    Ci,
    /// Everything, where a scenario is small enough.
    Night,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// A line for each scenario, and what fell short.
    Human,
    /// All of it, an array with an object for each scenario.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct ReplayOf {
    /// The capsule.
    pub capsule: PathBuf,
    /// Tell the story event by event, and what each node knew.
    #[arg(long)]
    pub explain: bool,
    #[command(flatten)]
    pub files: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A summary to read.
    Human,
    /// All of it: of a run, record, rounds, timeline, faults and verdict.
    Json,
    /// The record, or each comparison, as one row.
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// What to list.
    #[arg(value_enum)]
    pub what: Listed,
    /// How.
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    pub format: ListFormat,
    /// Where models are looked up [default: the nearest `models/` at or above the working folder].
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Listed {
    /// Networks, platforms, workloads and traces that a scenario can name, and references.
    Models,
    /// What a policy is made of.
    Policies,
    /// What must hold in every run.
    Invariants,
    /// Defects that can be planted in an agent, to prove that an invariant bites.
    Defects,
    /// The columns of the record.
    Metrics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// Aligned text.
    Human,
    /// An array of objects.
    Json,
    /// A page (metrics only).
    Markdown,
}

#[derive(Debug, Args)]
pub(super) struct ImportOf {
    /// What made the measurements.
    #[arg(value_enum)]
    pub from: ImportFrom,
    /// Files with one measurement, a JSON object, in each line.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write each reference to a file in this folder instead of printing it.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ImportFrom {
    /// QEMU: answers to `query-migrate`, alone or with what was set up.
    Qemu,
}

#[derive(Debug, Args)]
pub(super) struct SchemaOf {
    /// Of which kind of file.
    #[arg(value_enum, default_value_t = SchemaKind::Scenario)]
    pub kind: SchemaKind,
    /// Print the field reference (`docs/scenario.md`) instead.
    #[arg(long)]
    pub markdown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaKind {
    /// Scenario files.
    Scenario,
    /// Files in models/networks.
    Network,
    /// Files in models/platforms.
    Platform,
    /// Files in models/workloads.
    Workload,
    /// Files in models/policies.
    Policy,
    /// Files in models/references.
    Reference,
    /// Sweeps.
    Sweep,
    /// Figures.
    Figure,
}
