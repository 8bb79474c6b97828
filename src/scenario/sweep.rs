//! A sweep as it is meant: the axes with all their values, what is left out, and how often each cell is run.
//!
//! A *cell* is one value of every axis. A [`Sweep`] gives the scenario of any; which cells there are is `crate::sweep`'s to say.

mod load;
mod log;

use std::sync::Arc;

use serde_json::Value;

use super::error::ScenarioError;
use super::family::{Change, Family};
use super::path::JsonPath;
use super::published::ParameterKind;
use super::resolve::FIRST_LOOK;
use super::source::Source;
use super::texts::Texts;
use super::{Column, Scenario};
use crate::units::Ratio;
use crate::vocabulary::Outcome;

pub use load::{SweepTexts, load_sweep, load_sweep_texts};
pub(in crate::scenario) use log::geometric;

/// A family of scenarios along some axes.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The file's name without its ending.
    pub name: String,
    /// What is asked.
    pub why: String,
    /// What is varied; the first slowest.
    pub axes: Vec<Axis>,
    /// Which axes go together: each axis is in one of these.
    pub groups: Vec<Vec<usize>>,
    /// What must hold of a cell.
    pub conditions: Vec<Condition>,
    /// Which cells are taken.
    pub design: Design,
    /// How often each is run.
    pub replications: Replications,
    /// Of all runs.
    pub seed: u64,
    /// What is summarised; `None`: all that there is.
    pub metrics: Option<Vec<Column>>,
    /// Probability with which an interval is to contain the true value.
    pub level: Ratio,
    /// What cells are compared with.
    pub compare: Option<Compare>,
    /// Whether it is made with fewer runs than it asks for.
    pub is_quick: bool,
    pub(super) text: Arc<Source>,
    /// What axes name.
    pub(super) files: Texts,
    pub(super) family: Family,
}

/// What is varied.
#[derive(Debug, Clone)]
pub struct Axis {
    /// A column of the results.
    pub name: String,
    /// The way to it in the scenario.
    pub path: JsonPath,
    /// At least one.
    pub values: Vec<AxisValue>,
}

/// A value of an axis.
#[derive(Debug, Clone)]
pub struct AxisValue {
    /// As it stands in results.
    pub text: String,
    /// What it changes.
    pub(super) change: Change,
    /// What it is compared by.
    pub(super) as_typed: Typed,
}

/// A value by which axes are compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Typed {
    Quantity(ParameterKind, u64),
    Other(Value),
}

/// What must hold of a cell.
#[derive(Debug, Clone)]
pub struct Condition {
    pub(super) axis: usize,
    pub(super) relation: Relation,
    pub(super) other: Other,
}

/// With what the value of an axis is compared.
#[derive(Debug, Clone)]
pub(super) enum Other {
    /// As it would stand in results, and as it was typed.
    Value(String, Typed),
    Axis(usize),
}

/// How a value must stand to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Less.
    Below,
    /// Not more.
    AtMost,
    /// The same.
    Equal,
    /// Not the same.
    Unequal,
    /// Not less.
    AtLeast,
    /// More.
    Above,
}

/// Which cells are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Every value with every other.
    Grid,
    /// A Latin hypercube of so many points.
    LatinHypercube(u64),
    /// So many points of a Sobol sequence.
    Sobol(u64),
}

/// How often a cell is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replications {
    /// So often.
    Fixed(u64),
    /// Until enough is known.
    Until(Until),
}

/// When enough is known of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Until {
    /// Of what.
    pub target: Target,
    /// Half the width of its interval.
    pub half_width: HalfWidth,
    /// Most runs.
    pub max: u64,
}

/// What is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The mean of a column.
    Mean(Column),
    /// The probability of an outcome.
    Outcome(Outcome),
}

/// How narrow is narrow enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HalfWidth {
    /// In the unit in which the column counts inside; of a probability, in millionths.
    Absolute(u64),
    /// Of the mean.
    Share(Ratio),
}

/// Cells that differ in one axis alone are compared with the one that has this value there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compare {
    /// The axis.
    pub axis: usize,
    /// The number of its value.
    pub with: usize,
}

impl Sweep {
    /// The scenario of a cell: for each axis the number of its value.
    ///
    /// # Errors
    /// Values that the scenario does not take.
    pub fn scenario(&self, cell: &[usize]) -> Result<Scenario, ScenarioError> {
        let changes: Vec<Change> = self.values(cell).map(|value| value.change.clone()).collect();
        let texts: Vec<String> = self
            .axes
            .iter()
            .zip(self.values(cell))
            .map(|(axis, value)| format!("{}={}", axis.name, value.text))
            .collect();
        let mut scenario =
            self.family.changed(&changes, &format!("the cell {}", texts.join(", ")), &JsonPath::ROOT.key("axes"))?;
        scenario.seed = self.seed;
        Ok(scenario)
    }

    /// The same with another seed, if one is given.
    #[must_use]
    pub fn seeded(mut self, seed: Option<u64>) -> Self {
        self.seed = seed.unwrap_or(self.seed);
        self
    }

    /// The same with a tenth of the runs, at least two where there are several: to see quickly what it is about.
    #[must_use]
    pub fn quick(mut self) -> Self {
        self.is_quick = true;
        self.replications = match self.replications {
            Replications::Fixed(each) => Replications::Fixed((each / 10).max(each.min(2))),
            Replications::Until(until) => Replications::Until(Until { max: FIRST_LOOK, ..until }),
        };
        self
    }

    /// The sweep, unless one of its axes is called like something else in the results.
    ///
    /// # Errors
    /// Says which axis is.
    pub fn without_columns_called(self, reserved: &[&str]) -> Result<Self, ScenarioError> {
        let Some(axis) = self.axes.iter().position(|axis| reserved.contains(&axis.name.as_str())) else {
            return Ok(self);
        };
        let place = JsonPath::ROOT.key("axes").index(axis);
        let name = &self.axes[axis].name;
        let message = format!("`{name}` is a column of the results already");
        Err(self.family.problem(&place, message, Some("give the axis another name with `as`".into())).into())
    }

    /// The value of each axis in a cell.
    pub fn values<'a>(&'a self, cell: &'a [usize]) -> impl Iterator<Item = &'a AxisValue> {
        self.axes.iter().zip(cell).map(|(axis, &value)| &axis.values[value])
    }

    /// Whether a cell is wanted.
    pub fn wants(&self, cell: &[usize]) -> bool {
        self.conditions.iter().all(|condition| condition.holds(self, cell))
    }

    /// Whether a guest of it may send packets: that of its scenario does, or an axis is about them.
    pub(super) fn may_send(&self) -> bool {
        let output = JsonPath::ROOT.key("vms").index(0).key("output");
        let plain = self.family.plain().is_ok_and(|scenario| scenario.vms[0].output.is_some());
        plain || self.axes.iter().any(|axis| axis.path.touches(&output))
    }

    /// The file that it was read from.
    pub fn file(&self) -> &str {
        self.text.name()
    }

    /// Its own text.
    pub fn text(&self) -> &str {
        self.text.text()
    }

    /// What the scenario is called that is varied.
    pub fn base_name(&self) -> &str {
        &self.family.name
    }

    /// Its text; of one that stands in the sweep itself, with all else blanked.
    pub fn base_text(&self) -> &str {
        self.family.base.text()
    }
}

impl AxisValue {
    /// The quantity that it is, by its name in results, or else as it was typed; `None`: it is none.
    pub fn amount(&self) -> Option<(ParameterKind, u64)> {
        let typed = match self.as_typed {
            Typed::Quantity(kind, amount) => Some((kind, amount)),
            Typed::Other(_) => None,
        };
        ParameterKind::read(&self.text).or(typed)
    }

    /// Whether it is a value that was typed: by its name in results, or as a quantity in whatever unit.
    pub(super) fn is(&self, text: &str, typed: &Typed) -> bool {
        self.text == text || self.as_typed == *typed
    }
}

impl Condition {
    fn holds(&self, sweep: &Sweep, cell: &[usize]) -> bool {
        let of = |axis: usize| &sweep.axes[axis].values[cell[axis]];
        let (text, typed) = match &self.other {
            Other::Value(text, typed) => (text, typed),
            Other::Axis(axis) => (&of(*axis).text, &of(*axis).as_typed),
        };
        let (same, order) = (of(self.axis).is(text, typed), of(self.axis).as_typed.order(typed));
        match self.relation {
            Relation::Equal => same,
            Relation::Unequal => !same,
            Relation::Below => order.is_some_and(std::cmp::Ordering::is_lt),
            Relation::AtMost => order.is_some_and(std::cmp::Ordering::is_le),
            Relation::AtLeast => order.is_some_and(std::cmp::Ordering::is_ge),
            Relation::Above => order.is_some_and(std::cmp::Ordering::is_gt),
        }
    }
}

impl Relation {
    /// Whether it needs values that one can be more than the other.
    pub(super) fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }
}

impl Typed {
    pub(super) fn of(value: &Value) -> Self {
        let read = match value {
            Value::String(text) => ParameterKind::read(text),
            Value::Number(number) => number.as_u64().map(|number| (ParameterKind::Count, number)),
            _ => None,
        };
        read.map_or_else(|| Self::Other(value.clone()), |(kind, number)| Self::Quantity(kind, number))
    }

    /// `None`: there is none between them.
    pub(super) fn order(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Quantity(kind, a), Self::Quantity(other, b)) if kind == other => Some(a.cmp(b)),
            _ => None,
        }
    }
}
