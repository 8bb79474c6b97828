//! Rates: bytes per second of a link, events per second of a guest.

use std::fmt;
use std::ops::Add;

use super::text::{Table, Unit};
use super::{Bytes, Quantity, QuantityError, Span};

const NS_PER_S: u128 = 1_000_000_000;

const BYTE_RATE: Table = Table {
    kind: "rate",
    base: "bytes per second",
    example: "\"1 Gbit/s\"",
    max: 1 << 55,
    units: &[
        Unit::fraction("Tbit/s", 1_000_000_000_000, 8, true),
        Unit::fraction("Gbit/s", 1_000_000_000, 8, true),
        Unit::shown("GiB/s", 1 << 30),
        Unit::alias("GB/s", 1_000_000_000),
        Unit::shown("MiB/s", 1 << 20),
        Unit::fraction("Mbit/s", 1_000_000, 8, true),
        Unit::alias("MB/s", 1_000_000),
        Unit::shown("KiB/s", 1 << 10),
        Unit::fraction("kbit/s", 1_000, 8, true),
        Unit::alias("kB/s", 1_000),
        Unit::shown("B/s", 1),
        Unit::fraction("bit/s", 1, 8, false),
    ],
};

const EVENT_RATE: Table = Table {
    kind: "event rate",
    base: "micro-events per second",
    example: "\"1000 /s\"",
    // 10¹² per second.
    max: 1_000_000_000_000_000_000,
    units: &[
        Unit::shown("/us", 1_000_000_000_000),
        Unit::shown("/ms", 1_000_000_000),
        Unit::shown("/s", 1_000_000),
        Unit::fraction("/min", 1_000_000, 60, false),
        Unit::fraction("/h", 1_000_000, 3_600, false),
        Unit::fraction("/Ms", 1, 1, true),
    ],
};

/// A rate of bytes [B/s].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteRate(u64);

/// A rate of events, in events per 10⁶ seconds: exact for rates such as 0.5 per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventRate(u64);

impl ByteRate {
    /// Nothing moves.
    pub const ZERO: Self = Self(0);

    /// `n` bytes per second.
    pub const fn new(n: u64) -> Self {
        Self(n)
    }
    /// Bytes per second.
    pub const fn get(self) -> u64 {
        self.0
    }
    /// The mean rate of `bytes` in `span`, rounded down; `None` if the span is empty.
    pub fn measured(bytes: Bytes, span: Span) -> Option<Self> {
        if span == Span::ZERO {
            return None;
        }
        let rate = u128::from(bytes.get()) * NS_PER_S / u128::from(span.ns());
        Some(Self(u64::try_from(rate).unwrap_or(u64::MAX)))
    }
    /// Whole bytes that pass in `span`.
    pub fn bytes_in(self, span: Span) -> Bytes {
        let bytes = u128::from(self.0) * u128::from(span.ns()) / NS_PER_S;
        Bytes::new(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
    /// Time that `bytes` take, rounded up; `None` if nothing moves.
    pub fn time_for(self, bytes: Bytes) -> Option<Span> {
        if self.0 == 0 {
            return None;
        }
        let ns = (u128::from(bytes.get()) * NS_PER_S).div_ceil(u128::from(self.0));
        Some(Span::from_ns(u64::try_from(ns).unwrap_or(u64::MAX)))
    }
}

impl Add for ByteRate {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl EventRate {
    /// Never.
    pub const ZERO: Self = Self(0);

    /// `n` events per second.
    pub const fn per_s(n: u64) -> Self {
        Self(n * 1_000_000)
    }
    /// `n` events per 10⁶ seconds.
    pub const fn per_megasecond(n: u64) -> Self {
        Self(n)
    }
    /// Events per 10⁶ seconds.
    pub const fn micro(self) -> u64 {
        self.0
    }
}

macro_rules! rate_text {
    ($name:ident, $table:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $table.show(self.0, f)
            }
        }

        impl Quantity for $name {
            const KIND: &'static str = $table.kind;
            const EXAMPLE: &'static str = $table.example;
            fn pattern() -> String {
                $table.pattern()
            }
            fn parse(text: &str) -> Result<Self, QuantityError> {
                $table.parse(text).map(Self)
            }
        }
    };
}

rate_text!(ByteRate, BYTE_RATE);
rate_text!(EventRate, EVENT_RATE);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_refuses() {
        let ok = [("1 Gbit/s", 125_000_000), ("32 MiB/s", 32 << 20), ("8 bit/s", 1), ("0.5 MB/s", 500_000)];
        for (text, rate) in ok {
            assert_eq!(ByteRate::parse(text), Ok(ByteRate::new(rate)), "{text}");
        }
        for text in ["1 Gb/s", "1000", "1 bit/s", "-1 B/s"] {
            assert!(ByteRate::parse(text).is_err(), "{text}");
        }
        assert_eq!(EventRate::parse("0.5 /s"), Ok(EventRate::per_megasecond(500_000)));
        assert_eq!(EventRate::parse("30 /min"), Ok(EventRate::per_megasecond(500_000)));
        assert!(EventRate::parse("5").is_err());
    }

    #[test]
    fn times_are_ceilings_and_volumes_floors() {
        let rate = ByteRate::new(3);
        assert_eq!(rate.time_for(Bytes::new(1)), Some(Span::from_ns(333_333_334)));
        assert_eq!(rate.bytes_in(Span::from_ns(999_999_999)), Bytes::new(2));
        assert_eq!(ByteRate::ZERO.time_for(Bytes::new(1)), None);
        assert_eq!(ByteRate::measured(Bytes::new(7), Span::from_s(2)), Some(ByteRate::new(3)));
    }

    proptest! {
        #[test]
        fn display_parses_back(n in 0..=BYTE_RATE.max, events in 0..=EVENT_RATE.max) {
            prop_assert_eq!(ByteRate::parse(&ByteRate::new(n).to_string()), Ok(ByteRate::new(n)));
            let rate = EventRate::per_megasecond(events);
            prop_assert_eq!(EventRate::parse(&rate.to_string()), Ok(rate));
        }

        #[test]
        fn what_takes_a_time_has_passed_by_then(rate in 1u64..1_000_000_000_000, bytes in 0u64..1 << 40) {
            let (rate, bytes) = (ByteRate::new(rate), Bytes::new(bytes));
            let span = rate.time_for(bytes).expect("the rate is positive");
            prop_assert!(rate.bytes_in(span) >= bytes);
        }
    }
}
