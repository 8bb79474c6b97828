//! Amounts: bytes and pages.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

use super::text::{Table, Unit};
use super::{Quantity, QuantityError};

const BYTES: Table = Table {
    kind: "size",
    base: "bytes",
    example: "\"4 GiB\"",
    max: 1 << 50,
    units: &[
        Unit::shown("TiB", 1 << 40),
        Unit::shown("GiB", 1 << 30),
        Unit::shown("MiB", 1 << 20),
        Unit::shown("KiB", 1 << 10),
        Unit::alias("TB", 1_000_000_000_000),
        Unit::alias("GB", 1_000_000_000),
        Unit::alias("MB", 1_000_000),
        Unit::alias("kB", 1_000),
        Unit::alias("KB", 1_000),
        Unit::shown("B", 1),
    ],
};

const PAGES: Table = Table {
    kind: "page count",
    base: "pages",
    example: "\"64 pages\"",
    max: 1 << 48,
    units: &[Unit::shown("pages", 1), Unit::alias("page", 1)],
};

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident, $table:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(u64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// So many.
            pub const fn new(n: u64) -> Self {
                Self(n)
            }
            /// How many.
            pub const fn get(self) -> u64 {
                self.0
            }
            /// The difference, or zero.
            pub fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }

        impl Mul<u64> for $name {
            type Output = Self;
            fn mul(self, n: u64) -> Self {
                Self(self.0 * n)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, Add::add)
            }
        }

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

amount! {
    /// A number of bytes.
    Bytes, BYTES
}

amount! {
    /// A number of guest pages.
    PageCount, PAGES
}

impl PageCount {
    /// The bytes of so many pages of `page_size` each.
    pub fn bytes(self, page_size: Bytes) -> Bytes {
        Bytes::new(self.0 * page_size.get())
    }
}

impl Bytes {
    /// The pages of `page_size` that hold so many bytes, rounded up.
    pub fn pages(self, page_size: Bytes) -> PageCount {
        PageCount::new(self.0.div_ceil(page_size.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_refuses() {
        let ok = [("4 GiB", 4 << 30), ("1.5 KiB", 1536), ("2 MB", 2_000_000), ("0 B", 0)];
        for (text, bytes) in ok {
            assert_eq!(Bytes::parse(text), Ok(Bytes::new(bytes)), "{text}");
        }
        for text in ["4", "-4 GiB", "4 gib", "0.3 B", "20000000000 TiB", "pages"] {
            assert!(Bytes::parse(text).is_err(), "{text}");
        }
        assert_eq!(PageCount::parse("1 page"), Ok(PageCount::new(1)));
        assert_eq!(Bytes::new(4097).pages(Bytes::new(4096)), PageCount::new(2));
    }

    proptest! {
        #[test]
        fn display_parses_back(n in 0..=BYTES.max, pages in 0..=PAGES.max) {
            prop_assert_eq!(Bytes::parse(&Bytes::new(n).to_string()), Ok(Bytes::new(n)));
            prop_assert_eq!(PageCount::parse(&PageCount::new(pages).to_string()), Ok(PageCount::new(pages)));
        }
    }
}
