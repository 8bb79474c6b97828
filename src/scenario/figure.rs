//! A figure as it is meant: panels over the cells of sweeps, published values beside them, and what the figure claims.
//!
//! The typed form is [`super::schema::figure`]. Values are integers in the unit of what they are values of. It draws nothing, and knows
//! no results.

mod load;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Scenario;
use super::published::ParameterKind;
use super::sweep::{Sweep, Target};
use crate::units::{Bytes, Ratio, Span};
use crate::vocabulary::Outcome;

pub use load::load_figure;

/// One figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The stem of its file's name.
    pub name: String,
    /// What stands above it.
    pub title: String,
    /// What is asked.
    pub why: String,
    /// How wide it is on paper.
    pub width: Width,
    /// What is drawn, from left to right.
    pub panels: Vec<Panel>,
    /// What the panels are made of.
    pub sweeps: Vec<Sweep>,
    /// What it shows.
    pub claims: Vec<Claim>,
}

/// One pair of axes.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What stands above it.
    pub title: Option<String>,
    /// What is drawn.
    pub plot: Plot,
    /// What was published, beside it.
    pub published: Vec<Published>,
}

/// What is drawn.
#[derive(Debug, Clone)]
pub enum Plot {
    /// A quantity by an axis of quantities.
    Lines {
        /// Of which cells.
        cells: Cells,
        /// From left to right.
        x: Labelled,
        /// From bottom to top.
        y: Labelled,
        /// What is drawn.
        of: Target,
    },
    /// A quantity by an axis without an order.
    Bars {
        /// Of which cells.
        cells: Cells,
        /// From left to right.
        x: Labelled,
        /// From bottom to top.
        y: Labelled,
        /// What is drawn.
        of: Target,
    },
    /// The distribution of a column.
    Ecdf {
        /// Of which cells.
        cells: Cells,
        /// From left to right.
        x: Labelled,
        /// The column.
        of: Target,
    },
    /// Outcomes by two axes: `cells.x` and `cells.by`.
    Outcomes {
        /// Of which cells.
        cells: Cells,
        /// From left to right.
        x: Labelled,
        /// From bottom to top.
        y: Labelled,
    },
    /// One run.
    Timeline {
        /// Of what.
        scenario: Arc<Scenario>,
        /// Where the axis begins.
        from: Span,
        /// Where it ends; `None`: with the run.
        to: Option<Span>,
    },
    /// What the guest gets done or gets out.
    OverTime {
        /// Of which cells.
        cells: Cells,
        /// From bottom to top.
        y: Labelled,
        /// What of them.
        of: Series,
        /// The length of a step.
        step: Span,
        /// How many steps there are.
        steps: u64,
        /// What one packet counts as; `None`: its size.
        packet: Option<Bytes>,
    },
}

/// An axis on paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// What it is called, without its unit.
    pub label: String,
    /// How it is divided.
    pub scale: Scale,
}

/// Cells of a sweep by their places in a panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    /// The number of the sweep.
    pub sweep: usize,
    /// The axis from left to right; `None`: it is no axis of the sweep.
    pub x: Option<usize>,
    /// The axis with a line, bar or row for each value.
    pub by: Option<usize>,
    /// Axes that are held at one of their values.
    pub only: Vec<(usize, usize)>,
}

/// How wide a figure is on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Width {
    /// 3.33 inches.
    Column,
    /// 7 inches.
    Page,
}

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal ratios.
    Log,
}

/// What is followed in the course of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Series {
    /// The share of its full speed at which the guest works.
    Progress,
    /// What reaches clients, as a rate.
    Output,
    /// The share of the time in which the VM runs, and so takes what is sent to it.
    Running,
}

/// Published values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The series beside which they belong, by its name.
    pub beside: String,
    /// What the legend calls them.
    pub label: String,
    /// Where they come from.
    pub source: String,
    /// Where on the axis, and how much.
    pub points: Vec<(Place, u64)>,
}

/// Where on an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At a quantity.
    At(ParameterKind, u64),
    /// At a value without an order.
    Named(String),
}

/// What a figure shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// A sentence with `{0}`, `{1}` … for the numbers.
    pub say: String,
    /// The numbers.
    pub numbers: Vec<Number>,
}

/// One number of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Where it stands.
    pub of: Spot,
    /// By what it is divided.
    pub over: Option<Spot>,
    /// What is expected.
    pub expected: Option<Expected>,
}

/// What is expected of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A number in the unit inside (of a ratio of two, in millionths), and how near it must come.
    Near(u64, Ratio),
    /// The outcome that most runs have.
    Outcome(Outcome),
}

/// A point of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The number of the panel.
    pub panel: usize,
    /// The series, by its name.
    pub series: String,
    /// Where on the axis.
    pub x: Place,
    /// The mean of all points from there to here is meant.
    pub until: Option<Place>,
}

impl Plot {
    /// What its points are numbers of; of a timeline, when they are.
    pub fn kind(&self) -> ParameterKind {
        match self {
            Self::Lines { of: Target::Mean(column), .. } | Self::Bars { of: Target::Mean(column), .. } => {
                column.unit.into()
            }
            Self::OverTime { of: Series::Output, .. } => ParameterKind::Rate,
            Self::Timeline { .. } => ParameterKind::Time,
            _ => ParameterKind::Ratio,
        }
    }

    /// The cells of which it is drawn.
    pub fn cells(&self) -> Option<&Cells> {
        match self {
            Self::Lines { cells, .. }
            | Self::Bars { cells, .. }
            | Self::Ecdf { cells, .. }
            | Self::Outcomes { cells, .. }
            | Self::OverTime { cells, .. } => Some(cells),
            Self::Timeline { .. } => None,
        }
    }
}

impl Cells {
    /// Whether a cell is drawn; it has for each axis the number of its value.
    pub fn has(&self, cell: &[usize]) -> bool {
        self.only.iter().all(|(axis, value)| cell[*axis] == *value)
    }
}
