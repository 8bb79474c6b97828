//! Text ⇄ integer: a decimal number, a mandatory unit, and no loss.

use std::fmt;

use thiserror::Error;

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// Nothing but blanks.
    #[error("is empty; write {example}")]
    Empty {
        /// A correct spelling.
        example: &'static str,
    },
    /// A number without a unit.
    #[error("\"{text}\" has no unit; write {example}")]
    NoUnit {
        /// What was written.
        text: String,
        /// A correct spelling.
        example: &'static str,
    },
    /// A unit that this quantity does not have.
    #[error("\"{unit}\" is not a unit of {kind}; known are {known}")]
    UnknownUnit {
        /// What was written.
        unit: String,
        /// The quantity.
        kind: &'static str,
        /// All spellings.
        known: String,
    },
    /// The number itself cannot be read.
    #[error("\"{text}\" is not a non-negative decimal number")]
    NotANumber {
        /// What was written.
        text: String,
    },
    /// A sign where there can be none.
    #[error("\"{text}\" is negative; {kind} cannot be")]
    Negative {
        /// What was written.
        text: String,
        /// The quantity.
        kind: &'static str,
    },
    /// Finer than the type can hold.
    #[error("\"{text}\" is not a whole number of {base}")]
    Loss {
        /// What was written.
        text: String,
        /// The integer unit inside.
        base: &'static str,
    },
    /// Larger than the type can hold.
    #[error("\"{text}\" is too large for {kind}")]
    TooLarge {
        /// What was written.
        text: String,
        /// The quantity.
        kind: &'static str,
    },
    /// A ratio with a zero below the line.
    #[error("\"{text}\" divides by zero")]
    ZeroDenominator {
        /// What was written.
        text: String,
    },
}

/// A quantity that is written as text with its unit.
pub trait Quantity: Sized + Copy + Eq + fmt::Display {
    /// What it is, as in "is not a unit of …".
    const KIND: &'static str;
    /// A correct spelling, quoted.
    const EXAMPLE: &'static str;
    /// Regular expression (ECMA 262) of the accepted spellings, for the JSON Schema.
    fn pattern() -> String;
    /// Reads `"300 ms"`.
    ///
    /// # Errors
    /// Says what is wrong and what a correct spelling looks like.
    fn parse(text: &str) -> Result<Self, QuantityError>;
}

/// One spelling of a unit: `value [base] = number × num / den`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub name: &'static str,
    pub num: u128,
    pub den: u128,
    /// Whether display may choose it (aliases are read only).
    pub shown: bool,
}

impl Unit {
    pub(super) const fn shown(name: &'static str, num: u128) -> Self {
        Self { name, num, den: 1, shown: true }
    }
    pub(super) const fn alias(name: &'static str, num: u128) -> Self {
        Self { name, num, den: 1, shown: false }
    }
    pub(super) const fn fraction(name: &'static str, num: u128, den: u128, shown: bool) -> Self {
        Self { name, num, den, shown }
    }
}

/// All that is needed to read and print one kind of quantity.
pub(super) struct Table {
    pub kind: &'static str,
    pub base: &'static str,
    pub example: &'static str,
    /// Largest value that a text may have: far beyond use, and far enough from the type's end that sums of a few such
    /// values cannot overflow.
    pub max: u64,
    /// Largest first, so that display takes the first that divides.
    pub units: &'static [Unit],
}

impl Table {
    pub(super) fn parse(&self, text: &str) -> Result<u64, QuantityError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(QuantityError::Empty { example: self.example });
        }
        if trimmed.starts_with(['-', '\u{2212}']) {
            return Err(QuantityError::Negative { text: trimmed.into(), kind: self.kind });
        }
        let split = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(trimmed.len());
        let (number, unit) = (&trimmed[..split], trimmed[split..].trim_start());
        if number.is_empty() {
            return Err(QuantityError::NotANumber { text: trimmed.into() });
        }
        if unit.is_empty() {
            return Err(QuantityError::NoUnit { text: trimmed.into(), example: self.example });
        }
        let Some(unit) = self.units.iter().find(|u| u.name == unit) else {
            return Err(QuantityError::UnknownUnit {
                unit: unit.into(),
                kind: self.kind,
                known: self.units.iter().map(|u| u.name).collect::<Vec<_>>().join(", "),
            });
        };
        let (mantissa, scale) = decimal(number).ok_or_else(|| self.bad_number(number, trimmed))?;
        let too_large = || QuantityError::TooLarge { text: trimmed.into(), kind: self.kind };
        let up = mantissa.checked_mul(unit.num).ok_or_else(too_large)?;
        let down = scale.checked_mul(unit.den).ok_or_else(too_large)?;
        if !up.is_multiple_of(down) {
            return Err(QuantityError::Loss { text: trimmed.into(), base: self.base });
        }
        u64::try_from(up / down).ok().filter(|&value| value <= self.max).ok_or_else(too_large)
    }

    fn bad_number(&self, number: &str, trimmed: &str) -> QuantityError {
        let digits = number.chars().filter(char::is_ascii_digit).count();
        if digits > 20 && number.matches('.').count() <= 1 {
            QuantityError::TooLarge { text: trimmed.into(), kind: self.kind }
        } else {
            QuantityError::NotANumber { text: trimmed.into() }
        }
    }

    /// The largest shown unit that divides the value exactly.
    pub(super) fn show(&self, value: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self
            .units
            .iter()
            .filter(|u| u.shown)
            .find(|u| value != 0 && (u128::from(value) * u.den).is_multiple_of(u.num))
            .or_else(|| self.units.iter().rev().find(|u| u.shown))
            .expect("every table shows one unit");
        write!(f, "{} {}", u128::from(value) * exact.den / exact.num, exact.name)
    }

    pub(super) fn pattern(&self) -> String {
        let names: Vec<String> = self.units.iter().map(|u| u.name.replace('/', "\\/").replace('%', "\\%")).collect();
        format!("^\\s*[0-9]+(\\.[0-9]+)?\\s*({})\\s*$", names.join("|"))
    }
}

/// `"12.50"` → (1250, 100). At most 20 digits.
pub(super) fn decimal(number: &str) -> Option<(u128, u128)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let has_point = number.contains('.');
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || (has_point && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    if whole.len() + fraction.len() > 20 {
        return None;
    }
    let mantissa = format!("{whole}{fraction}").parse().ok()?;
    Some((mantissa, 10u128.pow(u32::try_from(fraction.len()).ok()?)))
}
