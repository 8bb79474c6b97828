//! Published results as they are meant: what is measured, what it came to, how near is near enough, what is fitted.
//!
//! The typed form is [`super::schema::reference`]. Values are integers in the unit of their metric: nanoseconds, bytes,
//! pages, millionths, counts. A [`Reference`] also holds the family of scenarios that its rows and its fitted parameters
//! span, and gives each member on demand. It simulates nothing and judges nothing.

mod calibrated;
mod load;
mod parameter;
mod refit;

use std::sync::Arc;

use serde_json::Value;

use crate::units::Ratio;
use crate::vocabulary::{Mark, RoundMeasure};

use super::error::ScenarioError;
use super::family::{Change, Family};
use super::path::JsonPath;
use super::schema::reference::Amount;
use super::source::Source;
use super::{ColumnUnit, Scenario};

pub use calibrated::ModelText;
pub use load::{load_reference, load_reference_text};
pub use parameter::{Parameter, ParameterKind};

/// Published results, and how to simulate each.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Its name.
    pub id: String,
    /// The citation.
    pub source: String,
    /// What is compared, what is fitted, what does not fit.
    pub why: String,
    /// What is fitted, in order.
    pub parameters: Vec<Parameter>,
    /// What is compared, in order.
    pub rows: Vec<Row>,
    family: Family,
    /// The paths of the parameters.
    paths: Vec<JsonPath>,
    /// The parameters as they were typed, if not in the file.
    typed: Vec<Arc<Source>>,
    /// What each row changes.
    changes: Vec<Vec<Change>>,
}

impl Reference {
    fn new(text: ReferenceText, family: Family, paths: Vec<JsonPath>, changes: Vec<Vec<Change>>) -> Self {
        let ReferenceText { id, source, why, parameters, rows } = text;
        Self { id, source, why, parameters, rows, family, paths, typed: Vec::new(), changes }
    }

    /// The scenario of a row, the parameters having these values.
    ///
    /// # Errors
    /// A value that the scenario does not take. Loading tries the ends of each parameter's range, so this is rare.
    pub fn scenario(&self, row: usize, values: &[u64]) -> Result<Scenario, ScenarioError> {
        // Parameters first, so that a row may set one of them itself.
        let fitted = self.parameters.iter().zip(values).zip(&self.paths).enumerate();
        let fitted = fitted.map(|(i, ((parameter, value), path))| {
            let place = JsonPath::ROOT.key("fit").index(i).key("path");
            Change { setting: parameter.setting(path, *value), place, typed: self.typed.get(i).cloned() }
        });
        let changes: Vec<Change> = fitted.chain(self.changes[row].iter().cloned()).collect();
        self.family.changed(&changes, &format!("row {}", row + 1), &JsonPath::ROOT.key("rows").index(row))
    }

    /// What a row sets, as it would be typed after `--set`.
    pub fn sets(&self, row: usize) -> impl Iterator<Item = &str> {
        self.changes[row].iter().map(|change| change.setting.text.as_str())
    }

    /// What a row sets at a path, as an amount; `None`: nothing, or no amount.
    pub(in crate::scenario) fn typed_at(&self, row: usize, path: &JsonPath) -> Option<Amount> {
        let change = self.changes[row].iter().rev().find(|change| change.setting.path.indexed() == *path)?;
        match &change.setting.value {
            Value::String(text) => Some(Amount::Text(text.clone())),
            other => other.as_u64().map(Amount::Whole),
        }
    }

    /// Where the scenario comes from.
    pub fn scenario_file(&self) -> &str {
        self.family.file()
    }

    /// Whether a parameter is fitted to this row.
    pub fn is_fitted(&self, row: usize) -> bool {
        self.parameters.iter().any(|parameter| parameter.rows.contains(&row))
    }
}

/// All of a reference but its scenarios.
#[derive(Debug, Clone)]
pub(super) struct ReferenceText {
    pub id: String,
    pub source: String,
    pub why: String,
    pub parameters: Vec<Parameter>,
    pub rows: Vec<Row>,
}

/// One published value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// What is measured.
    pub metric: Metric,
    /// The unit of its values.
    pub unit: ColumnUnit,
    /// The unit in which they were typed and are shown to a reader; empty for counts.
    pub shown_in: String,
    /// The published value: the median, if there are repetitions.
    pub value: u64,
    /// The published repetitions, sorted.
    pub repetitions: Vec<u64>,
    /// How near is near enough.
    pub tolerance: Tolerance,
    /// How many runs are made.
    pub replications: u64,
    /// Why it does not count.
    pub why: Option<String>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A column of the record.
    Column(&'static str),
    /// The time between two marks.
    Between {
        /// From.
        from: Mark,
        /// To.
        to: Mark,
    },
    /// A number of one round.
    Round {
        /// From 1; `None`: the copy with the VM stopped.
        number: Option<u64>,
        /// Which number.
        of: RoundMeasure,
    },
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Column(name) => f.write_str(name),
            Self::Between { from, to } => write!(f, "{from} → {to}"),
            Self::Round { number: Some(number), of } => write!(f, "{of} of round {number}"),
            Self::Round { number: None, of } => write!(f, "{of} of the last round"),
        }
    }
}

/// How near is near enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// Not said: the row does not count.
    None,
    /// Exactly.
    Equals,
    /// Any of those given suffices; at least one is.
    Within {
        /// Greatest difference as a share of the published value.
        fraction: Option<Ratio>,
        /// Greatest difference.
        absolute: Option<u64>,
        /// Greatest factor either way.
        factor: Option<Ratio>,
    },
}

impl Tolerance {
    /// Whether a predicted value is near enough to a published one; `None` if nothing is said.
    pub fn holds(self, predicted: u64, published: u64) -> Option<bool> {
        let (p, q) = (u128::from(predicted), u128::from(published));
        // a × num / den, compared without division.
        let at_most = |a: u128, b: u128, times: Ratio| {
            a.checked_mul(times.den().into())
                .is_some_and(|left| b.checked_mul(times.num().into()).is_none_or(|right| left <= right))
        };
        match self {
            Self::None => None,
            Self::Equals => Some(predicted == published),
            Self::Within { fraction, absolute, factor } => {
                let near = fraction.is_some_and(|share| at_most(p.abs_diff(q), q, share))
                    || absolute.is_some_and(|most| predicted.abs_diff(published) <= most)
                    || factor.is_some_and(|most| at_most(p, q, most) && at_most(q, p, most));
                Some(near)
            }
        }
    }
}

/// The middle one; of an even number, the mean of the middle two, rounded down. `None` if there is none.
pub fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(lower + (upper - lower) / 2)
}

impl Row {
    /// A value of this row for a reader: in the unit in which the published one was typed, to a thousandth of it, rounded
    /// half up.
    pub fn shown(&self, value: u64) -> String {
        ParameterKind::from(self.unit).rounded(value, &self.shown_in)
    }

    /// Whether it says how near is near enough and nothing stands against scoring it.
    pub fn is_scored(&self) -> bool {
        self.tolerance != Tolerance::None && self.why.is_none() && self.spread().is_none()
    }

    /// Published repetitions that spread by more than this share of their median are not scored against.
    pub const SPREAD_MAX: (u64, u64) = (5, 100);

    /// Greatest less least published repetition as a share of the published value, if that is above [`Self::SPREAD_MAX`].
    pub fn spread(&self) -> Option<Ratio> {
        let (least, greatest) = (self.repetitions.first()?, self.repetitions.last()?);
        let spread = greatest - least;
        let (num, den) = Self::SPREAD_MAX;
        let wide = u128::from(spread) * u128::from(den) > u128::from(self.value) * u128::from(num);
        wide.then(|| Ratio::new(spread, self.value.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_given_tolerance_suffices() {
        let within = |fraction, absolute, factor| Tolerance::Within { fraction, absolute, factor };
        let cases = [
            (within(Some(Ratio::percent(3)), None, None), 103, 100, true),
            (within(Some(Ratio::percent(3)), None, None), 97, 100, true),
            (within(Some(Ratio::percent(3)), None, None), 104, 100, false),
            (within(Some(Ratio::percent(3)), Some(4), None), 104, 100, true),
            (within(None, Some(4), None), 95, 100, false),
            (within(None, None, Some(Ratio::new(2, 1))), 50, 100, true),
            (within(None, None, Some(Ratio::new(2, 1))), 200, 100, true),
            (within(None, None, Some(Ratio::new(2, 1))), 49, 100, false),
            (within(None, None, Some(Ratio::new(2, 1))), 201, 100, false),
            (within(None, None, Some(Ratio::new(2, 1))), 1, 0, false),
            (within(Some(Ratio::percent(3)), None, None), u64::MAX, u64::MAX - 1, true),
            (Tolerance::Equals, 5, 5, true),
            (Tolerance::Equals, 5, 6, false),
        ];
        for (tolerance, predicted, published, near) in cases {
            assert_eq!(tolerance.holds(predicted, published), Some(near), "{tolerance:?} {predicted} {published}");
        }
        assert_eq!(Tolerance::None.holds(1, 1), None);
    }

    #[test]
    fn medians_are_the_middle() {
        let cases: [(&[u64], Option<u64>); 4] =
            [(&[], None), (&[7], Some(7)), (&[9, 1, 5], Some(5)), (&[u64::MAX, u64::MAX - 3], Some(u64::MAX - 2))];
        for (values, middle) in cases {
            assert_eq!(median(values), middle, "{values:?}");
        }
    }

    #[test]
    fn more_than_five_per_cent_is_a_spread() {
        let row = |repetitions: Vec<u64>| Row {
            id: "r".into(),
            metric: Metric::Column("downtime_s"),
            unit: ColumnUnit::Time,
            shown_in: "s".into(),
            value: median(&repetitions).expect("not empty"),
            repetitions,
            tolerance: Tolerance::Equals,
            replications: 1,
            why: None,
        };
        assert_eq!(row(vec![98, 100, 103]).spread(), None);
        assert_eq!(row(vec![97, 100, 103]).spread(), Some(Ratio::percent(6)));
        assert_eq!(row(vec![0, 0]).spread(), None);
        assert_eq!(row(vec![5]).spread(), None);
    }
}
