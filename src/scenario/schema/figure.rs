//! A figure as typed: what is drawn of which sweeps, what was published, and what the figure says.
//!
//! The doc comments below are the descriptions in the JSON Schema and in `docs/figure.md`. What it does not do: read sweeps and
//! references (see `scenario::resolve`), or draw.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::quantity::{SchemaVersion, Text};
use super::reference::Amount;
use crate::scenario::figure::{Scale, Series, Width};
use crate::units::{Ratio, Span};

/// One figure: one or several panels side by side, and what they show.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Figure")]
pub struct FigureFile {
    /// Where editors find the JSON Schema; not read. Default: none.
    #[serde(rename = "$schema", default)]
    pub schema_location: Option<String>,
    /// Version of this format.
    pub schema: SchemaVersion,
    /// What stands above the figure, in a few words.
    pub title: String,
    /// What is asked, and how it was simulated, in a few sentences.
    pub why: String,
    /// `column`: 3.33 inches, `page`: 7 inches. Default: `"column"` for one panel, `"page"` for more.
    #[serde(default)]
    pub width: Option<Width>,
    /// What is drawn, from left to right. At least one, at most six.
    pub panels: Vec<Panel>,
    /// What the figure shows, each with the numbers that it rests on. At least one.
    pub claims: Vec<Claim>,
}

/// One pair of axes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// What stands above it. Default: nothing.
    #[serde(default)]
    pub title: Option<String>,
    /// What is drawn.
    pub plot: Plot,
    /// Published results beside it. Default: none.
    #[serde(default)]
    pub published: Vec<Published>,
}

/// What is drawn.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plot {
    /// A quantity by an axis, one line for each value of another; the band is the sweep's interval.
    Lines(Lines),
    /// The same as bars side by side, for an axis without an order; with error bars.
    Bars(Bars),
    /// The distribution of a column over the runs, with a band that contains all of the true one.
    Ecdf(Ecdf),
    /// For each value of two axes the outcome that most runs had.
    Outcomes(Outcomes),
    /// What happens in one run: where the VM runs, what the migration does.
    Timeline(Timeline),
    /// What the guest gets done or gets out in the course of a migration, averaged over the runs of each cell.
    OverTime(OverTime),
}

/// A quantity by an axis.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// The sweep's file, from this file's folder.
    pub sweep: String,
    /// The axis from left to right; of quantities or numbers.
    pub x: String,
    /// What it is called on paper. Default: its name.
    #[serde(default)]
    pub x_label: Option<String>,
    /// How it is divided. Default: `"linear"`.
    #[serde(default)]
    pub x_scale: Option<Scale>,
    /// What is drawn: a column of the record with numbers, or `outcome=lost` (or another outcome).
    pub y: String,
    /// What it is called on paper. Default: the name of the column.
    #[serde(default)]
    pub y_label: Option<String>,
    /// How it is divided. Default: `"linear"`, from zero.
    #[serde(default)]
    pub y_scale: Option<Scale>,
    /// The axis that has a line for each value. Default: one line.
    #[serde(default)]
    pub by: Option<String>,
    /// Axes that are held at one value, by name. Default: none; every axis of the sweep is `x`, `by` or one of these.
    #[serde(default)]
    pub only: BTreeMap<String, String>,
}

/// A quantity by an axis without an order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bars {
    /// The sweep's file, from this file's folder.
    pub sweep: String,
    /// The axis from left to right.
    pub x: String,
    /// What it is called on paper. Default: its name.
    #[serde(default)]
    pub x_label: Option<String>,
    /// What is drawn: a column of the record with numbers, or `outcome=lost` (or another outcome).
    pub y: String,
    /// What it is called on paper. Default: the name of the column.
    #[serde(default)]
    pub y_label: Option<String>,
    /// How it is divided; on a logarithmic axis marks stand for bars. Default: `"linear"`, from zero.
    #[serde(default)]
    pub y_scale: Option<Scale>,
    /// The axis that has a bar for each value, side by side. Default: one bar.
    #[serde(default)]
    pub by: Option<String>,
    /// Axes that are held at one value, by name. Default: none.
    #[serde(default)]
    pub only: BTreeMap<String, String>,
}

/// The distribution of a column.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ecdf {
    /// The sweep's file, from this file's folder.
    pub sweep: String,
    /// A column of the record with numbers.
    pub of: String,
    /// What it is called on paper. Default: the name of the column.
    #[serde(default)]
    pub label: Option<String>,
    /// How it is divided. Default: `"linear"`, from zero.
    #[serde(default)]
    pub scale: Option<Scale>,
    /// The axis that has a line for each value. Default: one line.
    #[serde(default)]
    pub by: Option<String>,
    /// Axes that are held at one value, by name. Default: none.
    #[serde(default)]
    pub only: BTreeMap<String, String>,
}

/// Outcomes by two axes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// The sweep's file, from this file's folder.
    pub sweep: String,
    /// The axis from left to right.
    pub x: String,
    /// What it is called on paper. Default: its name.
    #[serde(default)]
    pub x_label: Option<String>,
    /// The axis from bottom to top.
    pub y: String,
    /// What it is called on paper. Default: its name.
    #[serde(default)]
    pub y_label: Option<String>,
    /// Axes that are held at one value, by name. Default: none.
    #[serde(default)]
    pub only: BTreeMap<String, String>,
}

/// One run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// The scenario's file, from this file's folder.
    pub scenario: String,
    /// Where the axis begins. Default: 0.
    #[serde(default)]
    pub from: Option<Text<Span>>,
    /// Where it ends. Default: the end of the run.
    #[serde(default)]
    pub to: Option<Text<Span>>,
}

/// What the guest gets done or gets out, in steps of time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverTime {
    /// The sweep's file, from this file's folder: each value of `by` is a line.
    pub sweep: String,
    /// What is drawn.
    pub of: Series,
    /// What it is called on paper. Default: the name of it.
    #[serde(default)]
    pub label: Option<String>,
    /// The length of a step.
    pub step: Text<Span>,
    /// Where the axis ends.
    pub to: Text<Span>,
    /// What one packet is counted as, where `of` is `output`. Default: its size.
    #[serde(default)]
    pub packet: Option<String>,
    /// The axis that has a line for each value. Default: one line.
    #[serde(default)]
    pub by: Option<String>,
    /// Axes that are held at one value, by name. Default: none.
    #[serde(default)]
    pub only: BTreeMap<String, String>,
}

/// Published results that are drawn as hollow marks: those of a reference (`reference` and `x`), or `points`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The line or bar beside which they belong: a value of `by`, or nothing if there is only one. Default: the only one.
    #[serde(default)]
    pub beside: Option<String>,
    /// A shipped reference by its name, or a file from this file's folder: its rows of the metric that is drawn. Default: `points`.
    #[serde(default)]
    pub reference: Option<String>,
    /// The path whose value in each row is where the row stands on the axis. Default: `points`.
    #[serde(default)]
    pub x: Option<String>,
    /// The points themselves. Default: those of a reference.
    #[serde(default)]
    pub points: Vec<Point>,
    /// Where `points` come from. Default: the source of the reference.
    #[serde(default)]
    pub source: Option<String>,
    /// What the legend calls them. Default: `published`.
    #[serde(default)]
    pub label: Option<String>,
}

/// A published value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Where on the axis.
    pub x: Amount,
    /// How much, with its unit.
    pub y: Amount,
}

/// What the figure shows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// A sentence; `{0}`, `{1}` … stand for `numbers`.
    pub say: String,
    /// The numbers in it. Default: none.
    #[serde(default)]
    pub numbers: Vec<Number>,
}

/// One number of the figure.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// The panel, from 1. Default: 1.
    #[serde(default)]
    pub panel: Option<u64>,
    /// The line, bar or row: a value of `by`; of a timeline, the lane. Default: the only one.
    #[serde(default)]
    pub series: Option<String>,
    /// Where on the axis, as it stands in the results; of a timeline, what happens: the number is when.
    pub x: Amount,
    /// The mean of all points from `x` to here is meant. Default: the point at `x`.
    #[serde(default)]
    pub until: Option<Amount>,
    /// Divided by the number there. Default: it is not divided.
    #[serde(default)]
    pub over: Option<Over>,
    /// What it is expected to be, with its unit; of a ratio a decimal number; of `outcomes` the outcome. Default: nothing is expected.
    #[serde(default)]
    pub expected: Option<Amount>,
    /// How near it must come, as a share of what is expected. Default: nothing is expected, or an outcome.
    #[serde(default)]
    pub within: Option<Text<Ratio>>,
}

/// By what a number is divided.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Over {
    /// The panel, from 1. Default: that of the number.
    #[serde(default)]
    pub panel: Option<u64>,
    /// The line, bar or row. Default: that of the number.
    #[serde(default)]
    pub series: Option<String>,
    /// Where on the axis. Default: there where the number is.
    #[serde(default)]
    pub x: Option<Amount>,
    /// The mean of all points from `x` to here is meant. Default: the point at `x`.
    #[serde(default)]
    pub until: Option<Amount>,
}
