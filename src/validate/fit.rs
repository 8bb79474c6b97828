//! Fits parameters to rows: coordinate descent over grids of round values, all in integers.
//!
//! Why not a general optimiser: a run is a step function of its parameters, floats are kept out of everything but the random
//! laws, and the usual case (one unknown rate, one row that shows it) is a matter of bracketing a sign. One row is hit by
//! regula falsi with Illinois' weights, several are fitted by a coarse scan and a golden section; then the next parameter,
//! then a stride in the direction of them all, and round again until none moves.

use super::measure::Laboratory;
use super::relative;
use crate::scenario::published::{Parameter, Reference};

/// Runs that a reference's fit may take.
const RUNS_MAX: u64 = 2_000;
/// Rounds over all parameters.
const SWEEPS_MAX: usize = 30;
/// Doublings of a stride.
const STRIDES: u32 = 12;
/// Errors are counted in these parts.
const SCALE: i128 = 1_000_000_000;
/// An error that is as good as none: ten millionths, finer than anything published.
const HIT: i64 = 10_000;
/// With errors of this size in all fitted rows, a ten thousandth, several parameters are good enough.
const NEAR: i64 = 100_000;
/// An error with which the end of a range cannot be what is sought: a thousandth.
const MISSED: i64 = 1_000_000;
/// Points of the coarse scan, ends included.
const SCAN: u64 = 9;

/// What came of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// The best value.
    pub value: u64,
    /// Why it is not to be trusted.
    pub problem: Option<String>,
}

/// The values that fit best, one for each parameter.
pub(super) fn fit<'a>(reference: &'a Reference, laboratory: &mut Laboratory<'a>) -> Vec<Fitted> {
    let steps = reference.parameters.iter().map(|parameter| parameter.steps() / 2).collect();
    let mut search = Search { reference, laboratory, steps };
    let at_rest = search.descend();
    (0..reference.parameters.len()).map(|which| search.verdict(which, at_rest)).collect()
}

struct Search<'a, 'b> {
    reference: &'a Reference,
    laboratory: &'b mut Laboratory<'a>,
    /// Where each parameter stands on its grid.
    steps: Vec<u64>,
}

impl Search<'_, '_> {
    /// Whether all came to rest.
    fn descend(&mut self) -> bool {
        let parameters = &self.reference.parameters;
        let mut last = None;
        for _ in 0..SWEEPS_MAX {
            let before = self.steps.clone();
            for (which, parameter) in parameters.iter().enumerate() {
                if self.laboratory.runs() > RUNS_MAX {
                    return false;
                }
                self.steps[which] = self.best(which, parameter);
            }
            let again = self.is_near(&before) || last.as_ref().is_some_and(|last: &Vec<u64>| self.is_near(last));
            if again || parameters.len() < 2 || self.hits_all() {
                return true;
            }
            last = Some(self.steps.clone());
            self.stride(&before);
        }
        false
    }

    /// Whether the parameters stand where they stood, but for what has no influence that could be seen.
    fn is_near(&self, there: &[u64]) -> bool {
        let moved =
            |(parameter, (from, to)): (&Parameter, (&u64, &u64))| from.abs_diff(*to) > parameter.steps() / 20_000;
        !self.reference.parameters.iter().zip(there.iter().zip(&self.steps)).any(moved)
    }

    /// Goes on in the direction of the last sweep while that helps: where two parameters act alike, sweeps alone creep.
    fn stride(&mut self, before: &[u64]) {
        let here = self.steps.clone();
        let mut best = self.total(&here);
        for doubling in 0..STRIDES {
            let ends = self.reference.parameters.iter().map(Parameter::steps);
            let further = |(from, at): (&u64, &u64), end: u64| {
                let ahead = i128::from(*at) + (i128::from(*at) - i128::from(*from)) * (1 << doubling);
                u64::try_from(ahead.clamp(0, i128::from(end))).expect("on the grid")
            };
            let there: Vec<u64> = before.iter().zip(&here).zip(ends).map(|(pair, end)| further(pair, end)).collect();
            let loss = self.total(&there);
            if loss >= best {
                return;
            }
            (best, self.steps) = (loss, there);
        }
    }

    fn hits_all(&mut self) -> bool {
        let (rows, steps) = (self.fitted_rows(), self.steps.clone());
        self.errors_at(&rows, &steps).into_iter().all(|error| error.is_some_and(|error| error.abs() <= NEAR))
    }

    fn fitted_rows(&self) -> Vec<usize> {
        (0..self.reference.rows.len()).filter(|row| self.reference.is_fitted(*row)).collect()
    }

    fn best(&mut self, which: usize, parameter: &Parameter) -> u64 {
        let hit = if parameter.rows.len() == 1 { self.hit(which, parameter) } else { None };
        hit.unwrap_or_else(|| self.least_squares(which, parameter))
    }

    /// The errors of a parameter's rows after some steps of it, in parts of [`SCALE`]; `None` for a row without a value.
    fn errors(&mut self, which: usize, steps: u64) -> Vec<Option<i64>> {
        let mut all = self.steps.clone();
        all[which] = steps;
        self.errors_at(&self.reference.parameters[which].rows, &all)
    }

    fn errors_at(&mut self, rows: &[usize], steps: &[u64]) -> Vec<Option<i64>> {
        let values = self.values(steps);
        let measured = self.laboratory.measure(rows, &values).into_iter().zip(rows);
        let published = |row: &usize| self.reference.rows[*row].value;
        measured.map(|(measured, row)| relative(measured.median?, published(row), SCALE)).collect()
    }

    fn values(&self, steps: &[u64]) -> Vec<u64> {
        self.reference.parameters.iter().zip(steps).map(|(parameter, steps)| parameter.at(*steps)).collect()
    }

    fn total(&mut self, steps: &[u64]) -> u128 {
        let rows = self.fitted_rows();
        squares(&self.errors_at(&rows, steps))
    }

    /// Where the error of the one row changes its sign; `None` if it does not between the ends.
    fn hit(&mut self, which: usize, parameter: &Parameter) -> Option<u64> {
        let (mut low, mut high) = (0, parameter.steps());
        let (mut below, mut above) = (self.errors(which, low)[0]?, self.errors(which, high)[0]?);
        if (below < 0) == (above < 0) && below != 0 && above != 0 {
            return None;
        }
        let (mut weight_below, mut weight_above) = (i128::from(below), i128::from(above));
        let mut last_side = 0;
        for turn in 0.. {
            if below.abs() <= HIT || high - low <= 1 {
                break;
            }
            if above.abs() <= HIT {
                break;
            }
            let width = i128::from(high - low);
            let (left, right) = (weight_below.abs(), weight_above.abs());
            // Every third guess halves, so that the end is near whatever the shape.
            let ahead = if turn % 3 == 2 || left + right == 0 { width / 2 } else { width * left / (left + right) };
            let guess = low + u64::try_from(ahead.clamp(1, width - 1)).expect("within the bracket");
            let error = self.errors(which, guess)[0]?;
            if (error < 0) == (below < 0) {
                (low, below, weight_below) = (guess, error, i128::from(error));
                weight_above /= if last_side < 0 { 2 } else { 1 };
                last_side = -1;
            } else {
                (high, above, weight_above) = (guess, error, i128::from(error));
                weight_below /= if last_side > 0 { 2 } else { 1 };
                last_side = 1;
            }
        }
        Some(if below.abs() <= above.abs() { low } else { high })
    }

    /// Where the sum of squared errors is least, of what a scan and a golden section see.
    fn least_squares(&mut self, which: usize, parameter: &Parameter) -> u64 {
        let steps = parameter.steps();
        let point = |i: u64| u64::try_from(u128::from(steps) * u128::from(i) / u128::from(SCAN - 1)).expect("a step");
        let scan: Vec<(u128, u64)> = (0..SCAN).map(|i| (self.loss(which, point(i)), point(i))).collect();
        let (mut best, centre) = scan.iter().enumerate().map(|(i, seen)| (*seen, i)).min().expect("a scan has points");
        let (mut low, mut high) = (scan[centre.saturating_sub(1)].1, scan[(centre + 1).min(scan.len() - 1)].1);
        while high - low > (steps / 20_000).max(2) {
            let part = (high - low) * 382 / 1000;
            let (left, right) = (low + part.max(1), high - part.max(1));
            let (at_left, at_right) = (self.loss(which, left), self.loss(which, right));
            best = best.min((at_left, left)).min((at_right, right));
            if at_left <= at_right {
                high = right;
            } else {
                low = left;
            }
        }
        let middle = low.midpoint(high);
        best.min((self.loss(which, middle), middle)).1
    }

    fn loss(&mut self, which: usize, steps: u64) -> u128 {
        squares(&self.errors(which, steps))
    }

    /// Whether the value found is to be trusted.
    fn verdict(&mut self, which: usize, at_rest: bool) -> Fitted {
        let parameter = &self.reference.parameters[which];
        let steps = self.steps[which];
        let value = parameter.at(steps);
        let name = |row: usize| &self.reference.rows[row].id;
        let errors = self.errors(which, steps);
        let rows = || parameter.rows.iter().copied().zip(errors.iter().copied());
        let absent = rows().find(|(_, error)| error.is_none());
        let missed = rows().filter_map(|(_, error)| error).any(|error| error.unsigned_abs() > MISSED.unsigned_abs());
        let outside = self.outside(which);
        let problem = if let Some((row, _)) = absent {
            Some(format!("row `{}` has no value", name(row)))
        } else if missed && (steps == 0 || steps == parameter.steps()) {
            Some("the best value is an end of the range, and does not hit: widen it".into())
        } else if !at_rest {
            Some(format!("the parameters did not come to rest in {} runs", self.laboratory.runs()))
        } else {
            outside.map(|row| format!("row `{}` stays outside its tolerance", name(row)))
        };
        Fitted { value, problem }
    }

    /// A row of a parameter that lies outside its tolerance.
    fn outside(&mut self, which: usize) -> Option<usize> {
        let values = self.values(&self.steps);
        let rows = &self.reference.parameters[which].rows;
        let measured = self.laboratory.measure(rows, &values);
        rows.iter().copied().zip(measured).find_map(|(number, measured)| {
            let row = &self.reference.rows[number];
            (row.tolerance.holds(measured.median?, row.value) == Some(false)).then_some(number)
        })
    }
}

/// The sum of squares; a row without a value outweighs all others.
fn squares(errors: &[Option<i64>]) -> u128 {
    let square = |error: &Option<i64>| error.map_or(u128::MAX, |error| u128::from(error.unsigned_abs()).pow(2));
    errors.iter().map(square).fold(0, u128::saturating_add)
}
