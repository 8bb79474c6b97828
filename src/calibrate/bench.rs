//! The model as a function of a point in the unit cube: each parameter from one end of its range to the other, and the relative
//! errors of the fitted rows, each weighed by how near it should come.

use super::task::Task;
use crate::rng::float;
use crate::scenario::published::{Parameter, Row, Tolerance};
use crate::validate::Laboratory;

/// Values that are tried of one parameter at most, ends included. Finer than any fit is known, and coarse enough that a simplex ends up
/// on values that have been tried.
const VALUES: u64 = 20_000;

/// Measures fitted rows, each at each point once. Every point has the same random draws (common random numbers).
pub(super) struct Bench<'a> {
    task: &'a Task,
    laboratories: Vec<Laboratory<'a>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(task: &'a Task, seed: Option<u64>) -> Self {
        let laboratories = task.references.iter().map(|reference| Laboratory::new(reference, seed)).collect();
        Self { task, laboratories }
    }

    /// Runs made so far.
    pub(super) fn runs(&self) -> u64 {
        self.laboratories.iter().map(Laboratory::runs).sum()
    }

    pub(super) fn laboratory(&mut self, reference: usize) -> &mut Laboratory<'a> {
        &mut self.laboratories[reference]
    }

    /// Predicted over published less one of each fitted row, times its weight; `None` for one without a value.
    pub(super) fn errors(&mut self, point: &[f64]) -> Vec<Option<f64>> {
        let values: Vec<u64> = self.task.parameters.iter().zip(point).map(|(p, x)| value(p, *x)).collect();
        let mut errors = Vec::new();
        for (number, reference) in self.task.references.iter().enumerate() {
            let rows: Vec<usize> = self.task.rows.iter().filter(|(of, _)| *of == number).map(|(_, row)| *row).collect();
            let measured = self.laboratories[number].measure(&rows, &self.task.values_of(number, &values));
            errors.extend(measured.iter().zip(&rows).map(|(measured, row)| {
                let row = &reference.rows[*row];
                measured.median.map(|predicted| (predicted as f64 / row.value as f64 - 1.0) * weight(row))
            }));
        }
        errors
    }
}

/// A row that may be a tenth off says less of a parameter than one that may be a hundredth off, and that by a factor of ten: weighted
/// least squares, with the tolerances for the standard deviations. A row without one weighs as one of a hundredth.
fn weight(row: &Row) -> f64 {
    const ONE: f64 = 0.01;
    let Tolerance::Within { fraction, absolute, factor } = row.tolerance else { return 1.0 };
    let shares = [
        fraction.map(float),
        absolute.map(|most| most as f64 / row.value as f64),
        factor.map(|most| float(most) - 1.0),
    ];
    ONE / shares.into_iter().flatten().fold(ONE / 100.0, f64::max)
}

/// The value at a place in the range: on the parameter's grid, and of no more than [`VALUES`].
pub(super) fn value(parameter: &Parameter, x: f64) -> u64 {
    let steps = parameter.steps();
    let cells = steps.clamp(1, VALUES - 1);
    let cell = (x.clamp(0.0, 1.0) * cells as f64).round() as u64;
    parameter.at(u64::try_from(u128::from(cell) * u128::from(steps) / u128::from(cells)).expect("a step"))
}

/// The place of a value in the range.
fn place(parameter: &Parameter, value: u64) -> f64 {
    (value - parameter.from) as f64 / (parameter.to - parameter.from) as f64
}

/// Where a point lies once its values are on their grids.
pub(super) fn settled(parameters: &[Parameter], point: &[f64]) -> Vec<f64> {
    parameters.iter().zip(point).map(|(parameter, x)| place(parameter, value(parameter, *x))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ColumnUnit;
    use crate::scenario::published::Metric;
    use crate::units::Ratio;

    #[test]
    fn a_row_weighs_by_the_widest_of_its_tolerances() {
        let within = |fraction, absolute, factor| Tolerance::Within { fraction, absolute, factor };
        let cases = [
            (within(Some(Ratio::percent(5)), None, None), 0.2),
            (within(Some(Ratio::percent(5)), Some(50), None), 0.04),
            (within(None, None, Some(Ratio::new(3, 2))), 0.02),
            (within(None, Some(0), None), 100.0),
            (Tolerance::Equals, 1.0),
            (Tolerance::None, 1.0),
        ];
        for (tolerance, expected) in cases {
            let row = Row {
                id: "r".into(),
                metric: Metric::Column("downtime_s"),
                unit: ColumnUnit::Time,
                shown_in: "s".into(),
                value: 200,
                repetitions: Vec::new(),
                tolerance,
                replications: 1,
                why: None,
            };
            assert!((weight(&row) - expected).abs() < 1e-9, "{tolerance:?}: {}", weight(&row));
        }
    }
}
