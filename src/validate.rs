//! Validation: simulates what was published, fits what was not, and compares.
//!
//! The layer above a single run: it makes many, on as many threads as there are, and is the only place that starts threads.
//! Runs do not know of each other and results are kept in the order of the rows, so the number of threads changes nothing. It
//! reads no file, prints nothing, and compares integers: there is no rounding between a value and its verdict.

mod fit;
mod group;
mod marks;
mod measure;

use crate::scenario::published::{Reference, Row};

pub use fit::Fitted;
pub use group::{Errors, Group};
pub use measure::Measured;

use fit::fit;
pub(crate) use group::errors;
pub(crate) use measure::Laboratory;

/// A reference, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// One for each parameter.
    pub fitted: Vec<Fitted>,
    /// One for each row.
    pub rows: Vec<Compared>,
    /// Rows of one metric together, where there are several.
    pub groups: Vec<Group>,
    /// Runs that were made.
    pub runs: u64,
}

/// A row, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What the simulator says.
    pub measured: Measured,
    /// Predicted over published less one, in millionths; `None` without either, or if the published value is zero.
    pub error: Option<i64>,
    /// What came of it.
    pub verdict: Verdict,
    /// Why; empty where the numbers say it.
    pub reason: String,
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Near enough.
    Pass,
    /// Not near enough, or no value, or a run that was not as its scenario claims.
    Fail,
    /// A parameter was fitted to it: it does not count.
    Fitted,
    /// It does not count, for the reason given.
    Reported,
}

impl Verdict {
    /// For readers and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Fitted => "fitted",
            Self::Reported => "reported",
        }
    }
}

impl Validation {
    /// How many rows count, and how many of them pass.
    pub fn score(&self) -> (usize, usize) {
        let count = |verdict| self.rows.iter().filter(|row| row.verdict == verdict).count();
        (count(Verdict::Pass), count(Verdict::Pass) + count(Verdict::Fail))
    }

    /// Whether every row that counts passes, and every parameter could be fitted.
    pub fn is_good(&self) -> bool {
        let (passed, counted) = self.score();
        passed == counted && self.fitted.iter().all(|fitted| fitted.problem.is_none())
    }
}

/// Simulates all rows of a reference and compares them. `seed` replaces the scenario's own.
pub fn validate(reference: &Reference, seed: Option<u64>) -> Validation {
    let mut laboratory = Laboratory::new(reference, seed);
    let fitted = fit(reference, &mut laboratory);
    let values: Vec<u64> = fitted.iter().map(|fitted| fitted.value).collect();
    let all: Vec<usize> = (0..reference.rows.len()).collect();
    let measured = laboratory.measure(&all, &values);
    let rows = reference.rows.iter().zip(measured).enumerate();
    let rows: Vec<Compared> = rows.map(|(i, (row, measured))| compare(row, measured, reference.is_fitted(i))).collect();
    let groups = group::groups(reference, &rows);
    Validation { fitted, rows, groups, runs: laboratory.runs() }
}

/// What came of a row.
pub(crate) fn compare(row: &Row, measured: Measured, fitted: bool) -> Compared {
    let error = measured.median.and_then(|predicted| relative(predicted, row.value, 1_000_000));
    let near = measured.median.and_then(|predicted| row.tolerance.holds(predicted, row.value));
    let (verdict, reason) = if fitted {
        (Verdict::Fitted, measured.trouble.clone().unwrap_or_default())
    } else if let Some(why) = &row.why {
        let trouble = measured.trouble.as_ref().map_or(String::new(), |trouble| format!("{trouble}. "));
        (Verdict::Reported, format!("{trouble}{why}"))
    } else if let Some(spread) = row.spread() {
        (Verdict::Reported, format!("the published repetitions spread by {} of their median", percent(spread)))
    } else if let Some(trouble) = &measured.trouble {
        (Verdict::Fail, trouble.clone())
    } else {
        (if near == Some(true) { Verdict::Pass } else { Verdict::Fail }, String::new())
    };
    Compared { measured, error, verdict, reason }
}

/// Per cent with one decimal, rounded half up.
fn percent(ratio: crate::units::Ratio) -> String {
    let thousandths = ratio.of(1_000_000).saturating_add(500) / 1_000;
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

/// `predicted / published - 1` in parts of `scale`, towards zero; `None` if the published value is zero.
fn relative(predicted: u64, published: u64, scale: i128) -> Option<i64> {
    let difference = i128::from(predicted) - i128::from(published);
    let parts = (difference * scale).checked_div(i128::from(published))?;
    Some(i64::try_from(parts).unwrap_or(if parts < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests;
