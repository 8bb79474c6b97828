//! Calibration: parameters of a platform, network or workload fitted to what was measured, with what the fit is worth.
//!
//! Why beside `validate`, which fits too: there a parameter that a source does not give is found, so that the rest of the source can be
//! compared, in integers and exactly repeatable by hand. Here the parameters are what is wanted, so it also says how far they may be
//! off (`bootstrap`) and which of them the data cannot tell (`sensitivity`). Rows that are fitted never count towards a score.
//!
//! It computes with floats and names nothing that runs but the laboratory of `validate`. Nothing flows back into a run but values on a
//! parameter's grid or whole pages, and every transcendental function is `libm`'s.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "statistics: what goes back into a run is a value on a grid"
)]

mod bench;
mod bootstrap;
mod classes;
mod finding;
mod linear;
mod search;
mod sensitivity;
mod task;

use thiserror::Error;

use crate::validate::{Compared, Errors, Verdict, compare, errors};
use bench::{Bench, settled, value};
use bootstrap::{Intervals, intervals};
use sensitivity::Sensitivity;

pub use classes::{ClassFit, Point, fit_classes};
pub use finding::{Finding, Kind};
pub use task::{Task, rows_to_fit};

/// The error that a row without a value is taken to have: worse than any that has one.
const ABSENT: f64 = 1000.0;

/// Why there is nothing to fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Refusal(String);

/// How it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Resamples.
    pub draws: u64,
    /// In place of the scenarios' own; also that of the resamples, which is 1 without it.
    pub seed: Option<u64>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calibration {
    /// One for each parameter of the task.
    pub estimates: Vec<Estimate>,
    /// What there is to say of them.
    pub findings: Vec<Finding>,
    /// Whether the search came to rest.
    pub at_rest: bool,
    /// The rows of each reference.
    pub rows: Vec<Vec<Compared>>,
    /// The sizes of the errors of fitted rows.
    pub fitted: Option<Errors>,
    /// Those of rows that count and were not fitted.
    pub predicted: Option<Errors>,
    /// How the intervals were made.
    pub draws: Draws,
    /// Runs that were made.
    pub runs: u64,
}

/// How intervals were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    /// So many resamples.
    pub number: u64,
    /// Of whole settings, not of single rows.
    pub by_setting: bool,
    /// With this seed.
    pub seed: u64,
}

/// A parameter, fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The value that fits best.
    pub value: u64,
    /// Where the 95 % interval begins.
    pub low: u64,
    /// Where it ends.
    pub high: u64,
    /// Whether the rows tell it, by itself.
    pub identified: bool,
}

impl Calibration {
    /// Whether all parameters are identified, all fitted rows have a value and the search came to rest.
    pub fn is_good(&self) -> bool {
        !self.findings.iter().any(|finding| finding.kind.is_serious())
    }

    /// The values, in the order of the parameters.
    pub fn values(&self) -> Vec<u64> {
        self.estimates.iter().map(|estimate| estimate.value).collect()
    }
}

/// Fits the parameters of a task to its rows.
pub fn calibrate(task: &Task, options: Options) -> Calibration {
    let parameters = &task.parameters;
    let mut bench = Bench::new(task, options.seed);
    let found = search::least(parameters.len(), &mut |point| {
        bench.errors(point).into_iter().map(|error| error.unwrap_or(ABSENT)).map(|error| error * error).sum()
    });
    let point = settled(parameters, &found.at);
    let sensitivity = Sensitivity::about(&mut bench, parameters, &point);
    let seed = options.seed.unwrap_or(1);
    let spread = intervals(&sensitivity, &point, &task.settings, options.draws, seed);
    let values: Vec<u64> = parameters.iter().zip(&point).map(|(parameter, x)| value(parameter, *x)).collect();
    let mut estimates = estimates(task, &values, &spread);
    let mut findings = finding::findings(task, &sensitivity, &mut estimates);
    if !found.at_rest {
        findings.push(finding::restless(bench.runs()));
    }
    let rows = rows(task, &mut bench, &values);
    let of = |is: fn(Verdict) -> bool| errors(rows.iter().flatten().filter(move |row| is(row.verdict)));
    let (fitted, predicted) = (of(|v| v == Verdict::Fitted), of(|v| matches!(v, Verdict::Pass | Verdict::Fail)));
    let draws = Draws { number: options.draws, by_setting: spread.by_setting, seed };
    Calibration { estimates, findings, at_rest: found.at_rest, fitted, predicted, draws, runs: bench.runs(), rows }
}

/// Values with their intervals, which are rounded outwards.
fn estimates(task: &Task, values: &[u64], spread: &Intervals) -> Vec<Estimate> {
    let all = task.parameters.iter().zip(values).zip(&spread.of);
    let estimate = all.map(|((parameter, value), (low, high))| {
        let steps = (parameter.to - parameter.from) as f64 / parameter.step() as f64;
        let (low, high) = (parameter.at((low * steps).floor() as u64), parameter.at((high * steps).ceil() as u64));
        Estimate { value: *value, low: low.min(*value), high: high.max(*value), identified: true }
    });
    estimate.collect()
}

/// All rows at the values found.
fn rows(task: &Task, bench: &mut Bench<'_>, values: &[u64]) -> Vec<Vec<Compared>> {
    let of = |(number, reference): (usize, &crate::scenario::Reference)| {
        let all: Vec<usize> = (0..reference.rows.len()).collect();
        let measured = bench.laboratory(number).measure(&all, &task.values_of(number, values));
        let rows = reference.rows.iter().zip(measured).enumerate();
        rows.map(|(i, (row, measured))| compare(row, measured, reference.is_fitted(i))).collect()
    };
    task.references.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests;
