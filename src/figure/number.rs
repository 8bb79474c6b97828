//! Numbers as they stand on paper: in a unit that suits them, with as many digits as their interval gives a meaning to.

/// A unit in which values are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shown {
    /// By which a value in the basic unit is multiplied.
    pub factor: f64,
    /// What it is called; empty: it has none.
    pub name: &'static str,
}

/// The unit for values in a basic unit of which `most` is the greatest.
pub(super) fn unit(basic: &str, most: f64) -> Shown {
    let steps: &[(f64, f64, &'static str)] = match basic {
        "s" => &[(1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (0.0, 1e6, "µs")],
        "B" => &[
            (1_073_741_824.0, 1.0 / 1_073_741_824.0, "GiB"),
            (1_048_576.0, 1.0 / 1_048_576.0, "MiB"),
            (1024.0, 1.0 / 1024.0, "KiB"),
            (0.0, 1.0, "B"),
        ],
        "B/s" => &[(1e8, 8e-9, "Gbit/s"), (1e5, 8e-6, "Mbit/s"), (0.0, 8e-3, "kbit/s")],
        "/s" => &[(0.0, 1.0, "1/s")],
        "1" => &[(1e-3, 100.0, "%"), (0.0, 1e6, "per million")],
        "pages" => &[(0.0, 1.0, "pages")],
        _ => &[(0.0, 1.0, "")],
    };
    let fits = steps.iter().find(|(least, ..)| most.abs() >= *least).unwrap_or(&steps[steps.len() - 1]);
    Shown { factor: fits.1, name: fits.2 }
}

/// A label with its unit.
pub(super) fn with_unit(label: &str, unit: &str) -> String {
    if unit.is_empty() { label.into() } else { format!("{label} [{unit}]") }
}

/// A number with four significant digits, without trailing zeros.
pub(super) fn plain(x: f64) -> String {
    if x.abs() < 1e-12 {
        return "0".into();
    }
    let places = (3.0 - x.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{x:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// A number and its interval in a unit, to two digits of half the interval; `one` is put before half of it.
pub(super) fn with_interval(y: f64, range: Option<(f64, f64)>, factor: f64, one: &str) -> String {
    let Some((low, high)) = range.filter(|(low, high)| high > low) else { return plain(y * factor) };
    let half = (high - low) / 2.0 * factor;
    // Less than a four-digit number tells.
    if half < 5e-4 * (y * factor).abs() {
        return plain(y * factor);
    }
    let places = (1.0 - half.log10().floor()).clamp(0.0, 9.0) as usize;
    let (y, low, high) = (y * factor + 0.0, low * factor + 0.0, high * factor + 0.0);
    // Of an interval that is not about its estimate both ends are told.
    if ((high - y) - (y - low)).abs() > 0.1 * half {
        return format!("{y:.places$} ({low:.places$} to {high:.places$})");
    }
    format!("{y:.places$} {one} {half:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_suit_what_is_shown() {
        for (basic, most, name, shown) in [
            ("s", 57.1, "s", 57.1),
            ("s", 0.33, "ms", 330.0),
            ("s", 2e-5, "µs", 20.0),
            ("B", 5.0 * 1_073_741_824.0, "GiB", 5.0),
            ("B/s", 12_500_000.0, "Mbit/s", 100.0),
            ("1", 0.25, "%", 25.0),
            ("1", 3.8e-6, "per million", 3.8),
            ("pages", 20_000.0, "pages", 20_000.0),
            ("", 3.0, "", 3.0),
        ] {
            let unit = unit(basic, most);
            assert_eq!((unit.name, plain(most * unit.factor)), (name, plain(shown)), "{basic}");
        }
    }

    #[test]
    fn digits_are_those_that_mean_something() {
        for (x, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.1 + 0.2, "0.3"),
            (57.149, "57.15"),
            (12_345.6, "12346"),
            (0.000_123_4, "0.0001234"),
        ] {
            assert_eq!(plain(x), text);
        }
        let cases = [
            (0.0971, Some((0.0932, 0.1010)), 1e3, "97.1 ± 3.9"),
            (0.5, Some((0.25, 0.75)), 100.0, "50 ± 25"),
            (0.0, Some((0.0, 0.0184)), 100.0, "0.00 (0.00 to 1.84)"),
            (2.0, None, 1.0, "2"),
            (2.0, Some((2.0, 2.0)), 1.0, "2"),
            (12.944, Some((12.943, 12.945)), 1.0, "12.94"),
        ];
        for (y, range, factor, text) in cases {
            assert_eq!(with_interval(y, range, factor, "±"), text);
        }
    }
}
