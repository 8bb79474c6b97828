//! Instants and durations: [`SimTime`] is a point, [`Span`] a length; only their difference mixes.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

use super::text::{Table, Unit};
use super::{Quantity, QuantityError, Ratio};

const TABLE: Table = Table {
    kind: "time",
    base: "nanoseconds",
    example: "\"300 ms\"",
    max: Span::LONGEST.0,
    units: &[
        Unit::shown("h", 3_600_000_000_000),
        Unit::shown("min", 60_000_000_000),
        Unit::shown("s", 1_000_000_000),
        Unit::shown("ms", 1_000_000),
        Unit::shown("us", 1_000),
        Unit::alias("µs", 1_000),
        Unit::shown("ns", 1),
    ],
};

/// A length of time, in whole nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

/// An instant of simulated time, in nanoseconds since the start of the run. The world's clock; no node sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(u64);

/// An instant on one node's own clock, which may be offset and drift. Only differences mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LocalTime(u64);

impl Span {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// The longest that can be written: 50 years. Sums of a few such spans still fit.
    pub const LONGEST: Self = Self::from_s(50 * 365 * 86_400);

    /// `ns` nanoseconds.
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }
    /// `us` microseconds.
    pub const fn from_us(us: u64) -> Self {
        Self(us * 1_000)
    }
    /// `ms` milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }
    /// `s` seconds.
    pub const fn from_s(s: u64) -> Self {
        Self(s * 1_000_000_000)
    }
    /// Length \[ns\].
    pub const fn ns(self) -> u64 {
        self.0
    }
    /// This length × `ratio`, rounded down.
    pub fn scale(self, ratio: Ratio) -> Self {
        Self(ratio.of(self.0))
    }
    /// This length × `ratio`, rounded down, or the longest there is.
    pub fn scale_saturating(self, ratio: Ratio) -> Self {
        let product = u128::from(self.0) * u128::from(ratio.num()) / u128::from(ratio.den());
        Self(u64::try_from(product).unwrap_or(u64::MAX))
    }
    /// The difference, or zero.
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
    /// This length n times, or the longest there is.
    pub fn saturating_mul(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }
    /// The sum, or the longest there is.
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// Seconds with nine decimals at most, trailing zeros cut, by integer division: the same text on every platform.
    pub fn seconds(self) -> String {
        let (whole, fraction) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if fraction == 0 {
            return whole.to_string();
        }
        format!("{whole}.{}", format!("{fraction:09}").trim_end_matches('0'))
    }
}

impl SimTime {
    /// The start of every run.
    pub const ZERO: Self = Self(0);

    /// `ns` nanoseconds after the start.
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }
    /// Nanoseconds since the start.
    pub const fn ns(self) -> u64 {
        self.0
    }
    /// Time since the start of the run.
    pub const fn since_start(self) -> Span {
        Span(self.0)
    }
    /// Time from `earlier` to here; zero if `earlier` is later.
    pub fn saturating_since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
    /// `span` later, or the end of time.
    pub fn saturating_add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl LocalTime {
    /// `ns` nanoseconds on this clock.
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }
    /// Time from `earlier` to here on this clock; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
    /// This much later on this clock.
    pub fn saturating_add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Add<Span> for SimTime {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0 + span.0)
    }
}

impl Sub for SimTime {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0 - earlier.0)
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl SubAssign for Span {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Mul<u64> for Span {
    type Output = Self;
    fn mul(self, n: u64) -> Self {
        Self(self.0 * n)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TABLE.show(self.0, f)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", Span(self.0).seconds())
    }
}

impl Quantity for Span {
    const KIND: &'static str = TABLE.kind;
    const EXAMPLE: &'static str = TABLE.example;
    fn pattern() -> String {
        TABLE.pattern()
    }
    fn parse(text: &str) -> Result<Self, QuantityError> {
        TABLE.parse(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_refuses() {
        let ok = [
            ("300 ms", 300_000_000),
            ("300ms", 300_000_000),
            ("1.5 s", 1_500_000_000),
            ("0 s", 0),
            ("2 h", 7_200_000_000_000),
            ("7 µs", 7_000),
            (" 1 ns ", 1),
        ];
        for (text, ns) in ok {
            assert_eq!(Span::parse(text), Ok(Span::from_ns(ns)), "{text}");
        }
        let refused = [
            ("", "empty"),
            ("30", "has no unit"),
            ("ms", "not a non-negative decimal"),
            ("-3 ms", "negative"),
            ("1 H", "not a unit"),
            ("0.5 ns", "whole number of nanoseconds"),
            ("1. s", "decimal"),
            ("1.2.3 s", "decimal"),
            ("99999999999999999999 h", "too large"),
            ("999999999999999999999 h", "too large"),
            ("500000 h", "too large"),
            ("1e3 s", "not a unit"),
        ];
        for (text, part) in refused {
            let error = Span::parse(text).expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn prints_seconds_by_integer_division() {
        for (ns, text) in [(0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (60_000_000_000, "60")] {
            assert_eq!(Span::from_ns(ns).seconds(), text);
        }
    }

    proptest! {
        #[test]
        fn display_parses_back(ns in 0..=TABLE.max) {
            let span = Span::from_ns(ns);
            prop_assert_eq!(Span::parse(&span.to_string()), Ok(span));
        }
    }
}
