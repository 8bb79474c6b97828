//! What would be run: every cell with its scenario.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use thiserror::Error;

use super::cells::cells;
use super::shard::Shard;
use crate::rng::within::CERTAIN;
use crate::run::weight;
use crate::scenario::sweep::{Compare, Replications};
use crate::scenario::{Problems, Scenario, ScenarioError, Sweep};

/// Least probability of what is taken for granted, in units of 10⁻¹⁸.
const WEIGHT_MIN: u64 = 1_000_000;
/// Most runs of one sweep: each has some fifty numbers in memory.
const RUNS_MAX: u64 = 20_000_000;

/// A sweep whose cells are known and good.
#[derive(Debug)]
pub struct Plan {
    /// What it is made of.
    pub sweep: Sweep,
    /// For each cell the number of each axis's value.
    pub cells: Vec<Vec<usize>>,
    /// The cells whose scenarios have been tried.
    tried: Range<usize>,
    /// Of each of those its scenario.
    scenarios: Vec<Arc<Scenario>>,
    /// Of each of those the probability of the condition under which its faults are drawn.
    weights: Vec<f64>,
    /// For each cell the one that it is compared with.
    pub(super) partners: Vec<Option<usize>>,
}

/// Why there is nothing to run.
#[derive(Debug, Error)]
pub enum PlanError {
    /// More than anybody would wait for.
    #[error("the grid has {cells} cells, and {most} is the most; give axes fewer values, or take a `design`")]
    TooMany {
        /// How many there would be.
        cells: u128,
        /// How many may be.
        most: u64,
    },
    /// More than memory holds the numbers of.
    #[error("there are {runs} runs, and {most} is the most; give fewer `replications`, or split the sweep")]
    TooManyRuns {
        /// How many there would be.
        runs: u64,
        /// How many may be.
        most: u64,
    },
    /// `compare` compares nothing.
    #[error("`compare`: no cell has one that differs from it in that axis alone; a grid has, a `design` seldom")]
    NoPartner,
    /// What is taken for granted hardly ever happens.
    #[error(
        "cell {cell}: its faults are drawn `within` times of a probability below 10⁻¹², which is too little to count with"
    )]
    TooRare {
        /// The first such cell.
        cell: usize,
    },
    /// `where` leaves none.
    #[error("`where` leaves no cell: what it asks for holds of none")]
    Empty,
    /// Cells that are no scenarios.
    #[error(transparent)]
    Invalid(#[from] ScenarioError),
}

impl Plan {
    /// Lists the cells of a sweep, and tries all their scenarios.
    ///
    /// # Errors
    /// No cell, too many, or some that are no scenario.
    pub fn new(sweep: Sweep) -> Result<Self, PlanError> {
        Self::listed(sweep)?.tried()
    }

    /// The same with the scenarios of all cells.
    ///
    /// # Errors
    /// Some that are none.
    pub fn tried(self) -> Result<Self, PlanError> {
        let all = 0..self.cells.len();
        self.trying(all)
    }

    /// The same with the scenarios that a shard needs.
    ///
    /// # Errors
    /// Some that are none.
    pub fn tried_for(self, shard: &Shard) -> Result<Self, PlanError> {
        self.trying(shard.cells())
    }

    /// Lists the cells of a sweep, and tries no scenario.
    ///
    /// # Errors
    /// No cell, or too many.
    pub fn listed(sweep: Sweep) -> Result<Self, PlanError> {
        let cells = cells(&sweep)?;
        let partners = partners(&sweep, &cells);
        if sweep.compare.is_some() && partners.iter().all(Option::is_none) {
            return Err(PlanError::NoPartner);
        }
        let plan = Self { sweep, cells, tried: 0..0, scenarios: Vec::new(), weights: Vec::new(), partners };
        match plan.runs() {
            runs if runs > RUNS_MAX => Err(PlanError::TooManyRuns { runs, most: RUNS_MAX }),
            _ => Ok(plan),
        }
    }

    /// Tries the scenarios of some cells.
    fn trying(self, tried: Range<usize>) -> Result<Self, PlanError> {
        let cells = &self.cells[tried.clone()];
        let made: Vec<Result<Scenario, ScenarioError>> =
            cells.par_iter().map(|cell| self.sweep.scenario(cell)).collect();
        let (mut scenarios, mut problems) = (Vec::with_capacity(cells.len()), Problems::default());
        for scenario in made {
            scenarios.extend(problems.take(scenario)?.map(Arc::new));
        }
        problems.none()?;
        let weights: Vec<u64> = scenarios.iter().map(|scenario| weight(scenario).unwrap_or(CERTAIN)).collect();
        if let Some(cell) = weights.iter().position(|weight| *weight < WEIGHT_MIN) {
            return Err(PlanError::TooRare { cell: tried.start + cell });
        }
        let weights = weights.into_iter().map(|weight| weight as f64 / CERTAIN as f64).collect();
        Ok(Self { tried, scenarios, weights, ..self })
    }

    /// The scenario of a cell.
    pub fn scenario(&self, cell: usize) -> &Arc<Scenario> {
        &self.scenarios[cell - self.tried.start]
    }

    /// The probability of the condition under which the faults of a cell are drawn.
    pub(super) fn weight(&self, cell: usize) -> f64 {
        self.weights[cell - self.tried.start]
    }

    /// The scenarios that have been tried, by cell.
    pub fn scenarios(&self) -> &[Arc<Scenario>] {
        &self.scenarios
    }

    /// How many runs it takes; at most, where a cell may end earlier.
    pub fn runs(&self) -> u64 {
        let each = match &self.sweep.replications {
            Replications::Fixed(number) => *number,
            Replications::Until(until) => until.max,
        };
        each.saturating_mul(self.cells.len() as u64)
    }

    /// Whether it has a run of this number in a cell.
    pub fn has(&self, cell: usize, replication: u64) -> bool {
        let each = self.runs() / self.cells.len() as u64;
        cell < self.cells.len() && replication < each
    }

    /// Whether cells end when enough is known of them.
    pub fn ends_by_itself(&self) -> bool {
        matches!(self.sweep.replications, Replications::Until(_))
    }

    /// The value of each axis in a cell, as it stands in results.
    pub fn values(&self, cell: usize) -> impl Iterator<Item = &str> {
        self.sweep.values(&self.cells[cell]).map(|value| value.text.as_str())
    }
}

/// For each cell the one that has the value to compare with and is the same in all that does not go with that.
fn partners(sweep: &Sweep, cells: &[Vec<usize>]) -> Vec<Option<usize>> {
    let Some(Compare { axis, with }) = sweep.compare else { return vec![None; cells.len()] };
    let group = sweep.groups.iter().find(|group| group.contains(&axis)).expect("every axis is in one");
    let numbers: BTreeMap<&Vec<usize>, usize> = cells.iter().zip(0..).collect();
    let partner = |cell: &Vec<usize>| {
        let mut other = cell.clone();
        for axis in group {
            other[*axis] = with;
        }
        numbers.get(&other).copied().filter(|_| other != *cell)
    };
    cells.iter().map(partner).collect()
}
