//! Exact fractions: probabilities, shares, throttles.

use std::cmp::Ordering;
use std::fmt;

use super::text::decimal;
use super::{Quantity, QuantityError};

/// A non-negative fraction in lowest terms, written `"1/2"` or `"50 %"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    num: u64,
    den: u64,
}

impl Ratio {
    /// 0.
    pub const ZERO: Self = Self { num: 0, den: 1 };
    /// 1.
    pub const ONE: Self = Self { num: 1, den: 1 };
    /// 1 − 10⁻⁶.
    pub const NEARLY_ONE: Self = Self { num: 999_999, den: 1_000_000 };

    /// `num / den` in lowest terms.
    pub fn new(num: u64, den: u64) -> Self {
        assert!(den > 0, "a ratio divides by zero: {num}/{den}");
        let divisor = gcd(num, den);
        Self { num: num / divisor, den: den / divisor }
    }
    /// `n` per cent.
    pub fn percent(n: u64) -> Self {
        Self::new(n, 100)
    }
    /// Above the line.
    pub const fn num(self) -> u64 {
        self.num
    }
    /// Below the line.
    pub const fn den(self) -> u64 {
        self.den
    }
    /// `n` × this, rounded down, or the largest there is.
    pub fn of(self, n: u64) -> u64 {
        let product = u128::from(n) * u128::from(self.num) / u128::from(self.den);
        u64::try_from(product).unwrap_or(u64::MAX)
    }
    /// The sum; to the nearest billionth below where the exact one is too fine.
    pub fn plus(self, other: Self) -> Self {
        let (a, b) = (u128::from(self.num), u128::from(self.den));
        let (c, d) = (u128::from(other.num), u128::from(other.den));
        let exact = a.checked_mul(d).zip(c.checked_mul(b)).and_then(|(x, y)| reduced(x.checked_add(y)?, b * d));
        exact.unwrap_or_else(|| {
            const FINE: u128 = 1_000_000_000;
            let billionths = (a.min(1 << 64) * FINE / b) + (c.min(1 << 64) * FINE / d);
            Self::new(u64::try_from(billionths).unwrap_or(u64::MAX), 1_000_000_000)
        })
    }
    /// The product; to the nearest billionth below where the exact one is too fine.
    pub fn times(self, other: Self) -> Self {
        let num = u128::from(self.num) * u128::from(other.num);
        let den = u128::from(self.den) * u128::from(other.den);
        reduced(num, den).unwrap_or_else(|| {
            const FINE: u64 = 1_000_000_000;
            let (whole, rest) = (num / den, num % den);
            let part =
                rest.checked_mul(u128::from(FINE)).map_or_else(|| rest / (den / u128::from(FINE)), |rest| rest / den);
            let billionths = whole.saturating_mul(u128::from(FINE)).saturating_add(part);
            Self::new(u64::try_from(billionths).unwrap_or(u64::MAX), FINE)
        })
    }
    /// 1 − this, or 0 if this is above 1.
    pub fn complement(self) -> Self {
        Self::new(self.den.saturating_sub(self.num), self.den)
    }
    /// Whether this is at most 1.
    pub fn is_share(self) -> bool {
        self.num <= self.den
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Default for Ratio {
    fn default() -> Self {
        Self::ZERO
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u128::from(self.num) * u128::from(other.den);
        let right = u128::from(other.num) * u128::from(self.den);
        left.cmp(&right)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let basis_points = u128::from(self.num) * 10_000;
        if !basis_points.is_multiple_of(u128::from(self.den)) {
            return write!(f, "{}/{}", self.num, self.den);
        }
        let points = basis_points / u128::from(self.den);
        match (points / 100, points % 100) {
            (whole, 0) => write!(f, "{whole} %"),
            (whole, rest) => write!(f, "{whole}.{} %", format!("{rest:02}").trim_end_matches('0')),
        }
    }
}

impl Quantity for Ratio {
    const KIND: &'static str = "ratio";
    const EXAMPLE: &'static str = "\"1/2\" or \"50 %\"";
    fn pattern() -> String {
        "^\\s*([0-9]+\\s*\\/\\s*[0-9]+|[0-9]+(\\.[0-9]+)?\\s*%)\\s*$".into()
    }
    fn parse(text: &str) -> Result<Self, QuantityError> {
        let trimmed = text.trim();
        let own = || trimmed.to_string();
        if trimmed.is_empty() {
            return Err(QuantityError::Empty { example: Self::EXAMPLE });
        }
        if trimmed.starts_with(['-', '\u{2212}']) {
            return Err(QuantityError::Negative { text: own(), kind: Self::KIND });
        }
        let not_a_number = || QuantityError::NotANumber { text: own() };
        if let Some(number) = trimmed.strip_suffix('%') {
            let (mantissa, scale) = decimal(number.trim_end()).ok_or_else(not_a_number)?;
            let ratio = reduced(mantissa, scale * 100).filter(|ratio| ratio.num <= TERM_MAX && ratio.den <= TERM_MAX);
            return ratio.ok_or_else(|| QuantityError::TooLarge { text: own(), kind: Self::KIND });
        }
        let Some((num, den)) = trimmed.split_once('/') else {
            return Err(QuantityError::NoUnit { text: own(), example: Self::EXAMPLE });
        };
        let whole = |s: &str| s.trim().parse::<u64>().map_err(|_| not_a_number());
        let (num, den) = (whole(num)?, whole(den)?);
        if den == 0 {
            return Err(QuantityError::ZeroDenominator { text: own() });
        }
        if num > TERM_MAX || den > TERM_MAX {
            return Err(QuantityError::TooLarge { text: own(), kind: Self::KIND });
        }
        Ok(Self::new(num, den))
    }
}

/// Largest number above or below the line in a text: fine enough for any probability, and products with it fit.
const TERM_MAX: u64 = 1_000_000_000_000;

fn reduced(num: u128, den: u128) -> Option<Ratio> {
    let (mut a, mut b) = (num, den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Some(Ratio { num: u64::try_from(num / a).ok()?, den: u64::try_from(den / a).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_exact_or_to_a_billionth() {
        assert_eq!(Ratio::new(3, 4).times(Ratio::new(2, 9)), Ratio::new(1, 6));
        assert_eq!(Ratio::ZERO.times(Ratio::new(u64::MAX, 7)), Ratio::ZERO);
        let fine = Ratio::new(u64::MAX, u64::MAX - 1);
        assert_eq!(fine.times(fine), Ratio::ONE, "two parts in 2^64 more");
        let third = Ratio::new(u64::MAX / 3, u64::MAX - 2);
        assert_eq!(third.times(fine), Ratio::new(333_333_333, 1_000_000_000));
        assert_eq!(Ratio::new(u64::MAX, 1).times(Ratio::new(u64::MAX, 1)), Ratio::new(u64::MAX, 1_000_000_000));
    }
    use proptest::prelude::*;

    #[test]
    fn reads_and_refuses() {
        let ok = [("1/2", 1, 2), ("50 %", 1, 2), ("12.5%", 1, 8), ("0 %", 0, 1), ("2/4", 1, 2), ("150 %", 3, 2)];
        for (text, num, den) in ok {
            assert_eq!(Ratio::parse(text), Ok(Ratio { num, den }), "{text}");
        }
        for text in ["", "0.5", "1/0", "-1/2", "a/b", "1.5/2", "%", "1/18446744073709551557", "2000000000000/1"] {
            assert!(Ratio::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn sums_are_exact_or_a_billionth_low(a: u64, b in 1u64.., c: u64, d in 1u64..) {
            let (left, right) = (Ratio::new(a % b, b), Ratio::new(c % d, d));
            let sum = left.plus(right);
            prop_assert!(sum <= Ratio::new(2, 1));
            prop_assert_eq!(Ratio::new(a % 1000, 1000).plus(Ratio::new(c % 1000, 1000)), Ratio::new(a % 1000 + c % 1000, 1000));
            let low = left.of(1 << 40) + right.of(1 << 40);
            prop_assert!(sum.of(1 << 40) + 4000 >= low, "{} {}", sum.of(1 << 40), low);
        }

        #[test]
        fn display_parses_back(num in 0..=TERM_MAX, den in 1..=TERM_MAX) {
            let ratio = Ratio::new(num, den);
            prop_assert_eq!(Ratio::parse(&ratio.to_string()), Ok(ratio));
        }

        #[test]
        fn order_is_that_of_the_values(a in 0u64..1000, b in 1u64..1000, c in 0u64..1000, d in 1u64..1000) {
            prop_assert_eq!(Ratio::new(a, b).cmp(&Ratio::new(c, d)), (a * d).cmp(&(c * b)));
        }
    }
}
