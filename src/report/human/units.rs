//! Numbers as a person reads them: a fitting unit and three or so digits behind the point, rounded half up.

use crate::metric::Value;
use crate::units::{ByteRate, Bytes, SimTime, Span};

/// An instant: seconds with six decimals, cut.
pub(super) fn instant(at: SimTime) -> String {
    format!("{}.{:06}", at.ns() / 1_000_000_000, at.ns() / 1_000 % 1_000_000)
}

/// A length of time.
pub(super) fn span(span: Span) -> String {
    let ns = span.ns();
    match ns {
        0 => "0 s".into(),
        1..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} us", fixed(ns, 1_000, 3)),
        1_000_000..1_000_000_000 => format!("{} ms", fixed(ns, 1_000_000, 3)),
        _ => format!("{} s", fixed(ns, 1_000_000_000, 6)),
    }
}

/// An amount of data.
pub(super) fn bytes(bytes: Bytes) -> String {
    let n = bytes.get();
    match n {
        0..1_024 => format!("{n} B"),
        1_024..0x10_0000 => format!("{} KiB", fixed(n, 1 << 10, 1)),
        0x10_0000..0x4000_0000 => format!("{} MiB", fixed(n, 1 << 20, 1)),
        _ => format!("{} GiB", fixed(n, 1 << 30, 3)),
    }
}

/// A rate of data.
pub(super) fn rate(rate: ByteRate) -> String {
    format!("{} MB/s", fixed(rate.get(), 1_000_000, 1))
}

/// A value of the record.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Time(time) => span(*time),
        Value::Pages(pages) => pages.to_string(),
        Value::Bytes(amount) => bytes(*amount),
        Value::Ratio(millionths) => format!("{} %", fixed(*millionths, 10_000, 2)),
        Value::Count(n) => n.to_string(),
    }
}

/// `n / unit` with `places` decimals.
fn fixed(n: u64, unit: u64, places: usize) -> String {
    let scale = (0..places).fold(1u128, |scale, _| scale * 10);
    let scaled = (u128::from(n) * scale + u128::from(unit) / 2) / u128::from(unit);
    format!("{}.{:0>places$}", scaled / scale, scaled % scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_fit() {
        let times = [
            (0, "0 s"),
            (999, "999 ns"),
            (312_456, "312.456 us"),
            (312_456_789, "312.457 ms"),
            (9_812_345_678, "9.812346 s"),
        ];
        for (ns, text) in times {
            assert_eq!(span(Span::from_ns(ns)), text);
        }
        let amounts = [(1_023, "1023 B"), (1_536, "1.5 KiB"), (100 << 20, "100.0 MiB"), (3 << 29, "1.500 GiB")];
        for (n, text) in amounts {
            assert_eq!(bytes(Bytes::new(n)), text);
        }
        assert_eq!(rate(ByteRate::new(117_647_059)), "117.6 MB/s");
        assert_eq!(value(&Value::Ratio(123_450)), "12.35 %");
        assert_eq!(instant(SimTime::from_ns(1_000_000_999)), "1.000000");
    }
}
