//! A parameter that is fitted: a quantity of some kind between two values, tried on a grid of round values.

use serde_json::Value;

use crate::scenario::ColumnUnit;
use crate::scenario::path::JsonPath;
use crate::scenario::set::Setting;
use crate::units::{ByteRate, Bytes, EventRate, PageCount, Quantity, Ratio, Span};

/// What a parameter is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Nanoseconds.
    Time,
    /// Bytes.
    Size,
    /// Pages.
    Pages,
    /// Bytes per second.
    Rate,
    /// Micro-events per second.
    EventRate,
    /// Millionths.
    Ratio,
    /// A bare whole number.
    Count,
}

impl ParameterKind {
    const ALL: [Self; 6] = [Self::Time, Self::Size, Self::Pages, Self::Rate, Self::EventRate, Self::Ratio];

    /// The kind of a text and its value; `None` if it is no quantity.
    pub(in crate::scenario) fn read(text: &str) -> Option<(Self, u64)> {
        Self::ALL.into_iter().find_map(|kind| kind.parse(text).map(|value| (kind, value)))
    }

    /// The unit as typed; empty for a bare number.
    pub(in crate::scenario) fn unit_of(text: &str) -> &str {
        text.trim().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start()
    }

    fn parse(self, text: &str) -> Option<u64> {
        match self {
            Self::Time => Span::parse(text).map(Span::ns).ok(),
            Self::Size => Bytes::parse(text).map(Bytes::get).ok(),
            Self::Pages => PageCount::parse(text).map(PageCount::get).ok(),
            Self::Rate => ByteRate::parse(text).map(ByteRate::get).ok(),
            Self::EventRate => EventRate::parse(text).map(EventRate::micro).ok(),
            Self::Ratio => {
                let ratio = Ratio::parse(text).ok()?;
                let (num, den) = (u128::from(ratio.num()) * MILLION, u128::from(ratio.den()));
                num.is_multiple_of(den).then(|| u64::try_from(num / den).ok())?
            }
            Self::Count => text.trim().parse().ok(),
        }
    }

    /// Rounded to a thousandth of a unit, for a reader.
    pub(super) fn rounded(self, value: u64, unit: &str) -> String {
        self.decimal(value, unit, 3).unwrap_or_else(|| self.plain(value))
    }

    /// A value in a unit, rounded half up to some decimals, without trailing zeros; `None` if the unit does not do.
    fn decimal(self, value: u64, unit: &str, places: usize) -> Option<String> {
        let unit = match self {
            Self::Count => return None,
            Self::Ratio => "%",
            _ => unit,
        };
        // A thousand of a unit is a whole number even of those that are less than 1 inside.
        let thousand = u128::from(self.parse(&format!("1000 {unit}")).filter(|n| *n > 0)?);
        let scale = (0..places).fold(1_000u128, |scale, _| scale * 10);
        let scaled = (u128::from(value) * scale + thousand / 2) / thousand;
        let digits = format!("{scaled:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        Some(match fraction.trim_end_matches('0') {
            "" => format!("{whole} {unit}"),
            fraction => format!("{whole}.{fraction} {unit}"),
        })
    }

    /// As the scenario reads it, in the largest unit that is exact.
    fn plain(self, value: u64) -> String {
        match self {
            Self::Time => Span::from_ns(value).to_string(),
            Self::Size => Bytes::new(value).to_string(),
            Self::Pages => PageCount::new(value).to_string(),
            Self::Rate => ByteRate::new(value).to_string(),
            Self::EventRate => EventRate::per_megasecond(value).to_string(),
            Self::Ratio => Ratio::new(value, 1_000_000).to_string(),
            Self::Count => value.to_string(),
        }
    }
}

impl From<ColumnUnit> for ParameterKind {
    fn from(unit: ColumnUnit) -> Self {
        match unit {
            ColumnUnit::Time => Self::Time,
            ColumnUnit::Bytes => Self::Size,
            ColumnUnit::Pages => Self::Pages,
            ColumnUnit::Ratio => Self::Ratio,
            ColumnUnit::Count => Self::Count,
        }
    }
}

const MILLION: u128 = 1_000_000;

/// A parameter that is fitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The way to it in the scenario.
    pub path: String,
    /// The rows that it is fitted to, by number.
    pub rows: Vec<usize>,
    /// What it is a number of.
    pub kind: ParameterKind,
    /// Least value.
    pub from: u64,
    /// Greatest value.
    pub to: u64,
    /// The unit in which it was typed and is shown.
    pub unit: String,
}

impl Parameter {
    /// Most steps from one end of the range to the other.
    const STEPS_MAX: u64 = 1_000_000;

    /// How far values that are tried lie apart: a power of ten.
    pub fn step(&self) -> u64 {
        let mut step = 1;
        while (self.to - self.from) / step > Self::STEPS_MAX {
            step *= 10;
        }
        step
    }

    /// How many steps lead from one end to the other; the last may be shorter.
    pub fn steps(&self) -> u64 {
        (self.to - self.from).div_ceil(self.step())
    }

    /// The value after some steps.
    pub fn at(&self, steps: u64) -> u64 {
        self.from.saturating_add(steps.saturating_mul(self.step())).min(self.to)
    }

    /// A value as it would be typed, in the unit of the range if that is exact.
    pub fn text(&self, value: u64) -> String {
        self.in_unit(value).unwrap_or_else(|| self.kind.plain(value))
    }

    /// What sets it to a value.
    pub(super) fn setting(&self, path: &JsonPath, value: u64) -> Setting {
        Setting::new(format!("{}={}", self.path, self.text(value)), path.clone(), self.json(value))
    }

    /// A value as it stands in a scenario.
    pub(in crate::scenario) fn json(&self, value: u64) -> Value {
        match self.kind {
            ParameterKind::Count => Value::from(value),
            _ => Value::from(self.text(value)),
        }
    }

    fn in_unit(&self, value: u64) -> Option<String> {
        let text = self.kind.decimal(value, &self.unit, 9)?;
        (self.kind.parse(&text) == Some(value)).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(from: &str, to: &str) -> Parameter {
        let (kind, low) = ParameterKind::read(from).expect("a quantity");
        let (_, high) = ParameterKind::read(to).expect("a quantity");
        let unit = from.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim();
        Parameter { path: "p".into(), rows: vec![0], kind, from: low, to: high, unit: unit.into() }
    }

    #[test]
    fn values_are_shown_in_the_unit_that_was_typed_and_read_back() {
        let cases = [
            ("800 Mbit/s", "1 Gbit/s", 117_234_000, "937.872 Mbit/s"),
            ("1 ms", "50 ms", 3_141_593, "3.141593 ms"),
            ("0 %", "50 %", 123_456, "12.3456 %"),
            ("1/100", "1/2", 123_456, "12.3456 %"),
            ("1 MiB", "8 MiB", 1 << 21, "2 MiB"),
            ("1 MiB", "8 MiB", (1 << 21) + 1, "2097153 B"),
            ("1 pages", "99 pages", 7, "7 pages"),
            ("1 /s", "9 /s", 2_500_000, "2.5 /s"),
        ];
        for (from, to, value, text) in cases {
            let parameter = parameter(from, to);
            assert_eq!(parameter.text(value), text);
            assert_eq!(parameter.kind.parse(text), Some(value), "{text}");
        }
    }

    #[test]
    fn steps_are_round_and_reach_both_ends() {
        let rate = parameter("800 Mbit/s", "1 Gbit/s");
        assert_eq!((rate.step(), rate.steps()), (100, 250_000));
        assert_eq!((rate.at(0), rate.at(rate.steps())), (100_000_000, 125_000_000));
        let odd = parameter("1 ns", "10000003 ns");
        assert_eq!((odd.step(), odd.at(odd.steps())), (10, 10_000_003));
    }
}
