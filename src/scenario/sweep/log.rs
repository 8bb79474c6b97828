//! Values at equal ratios, in whole numbers alone: the same on every machine.

/// Bits after the point of a logarithm.
const BITS: u32 = 56;

/// The binary logarithm of `x` ≥ 1 with [`BITS`] bits after the point, by squaring (Knuth, *The Art of Computer Programming* 1, 1.2.2,
/// exercise 28).
fn log2(x: u64) -> u128 {
    let whole = x.ilog2();
    // Between 1 and 2, with 63 bits after the point.
    let mut rest = u128::from(x) << (63 - whole);
    let mut log = u128::from(whole) << BITS;
    for bit in (0..BITS).rev() {
        rest = (rest * rest) >> 63;
        if rest >> 64 > 0 {
            rest >>= 1;
            log |= 1 << bit;
        }
    }
    log
}

/// The `i`-th of `n` values from `from` to `to`, each the same multiple of the one before: the greatest whole number not above it.
pub(in crate::scenario) fn geometric(from: u64, to: u64, i: u64, n: u64) -> u64 {
    if i == 0 {
        return from;
    }
    if i + 1 >= n {
        return to;
    }
    let steps = u128::from(n - 1);
    let sought = (log2(from) * (steps - u128::from(i)) + log2(to) * u128::from(i)) / steps;
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        // What the last bits of a logarithm lose is less than half a unit.
        if log2(middle) <= sought + 8 { low = middle } else { high = middle - 1 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_met_and_others_lie_between() {
        let all = |from, to, n| -> Vec<u64> { (0..n).map(|i| geometric(from, to, i, n)).collect() };
        assert_eq!(all(1, 1000, 4), [1, 10, 100, 1000]);
        assert_eq!(all(1, 1 << 40, 5), [1, 1 << 10, 1 << 20, 1 << 30, 1 << 40]);
        // 10^6.5 and 10^7.5.
        assert_eq!(all(1_000_000, 100_000_000, 5), [1_000_000, 3_162_277, 10_000_000, 31_622_776, 100_000_000]);
        assert_eq!(all(7, 8, 3), [7, 7, 8]);
    }
}
