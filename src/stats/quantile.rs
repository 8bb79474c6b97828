//! The interval of a quantile, whatever the law.

use super::law::{binomial_below, tail};
use super::{Interval, Sample};

/// Between two numbers of the sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileInterval {
    /// The two numbers.
    pub interval: Interval,
    /// Their ranks in the sample, from 1.
    pub ranks: (usize, usize),
    /// The chance that such ranks have the quantile between them: at least the level; exact for a continuous law, and for others
    /// not less.
    pub coverage: f64,
}

/// The interval of the quantile of `p` by order statistics: David and Nagaraja, Order Statistics, 3rd edition 2003, section 7.1.
///
/// As many of n numbers are below the quantile as of n tosses with chance p show heads, so that each rank has a known chance to be
/// beyond it. The ranks are the nearest with at most half of (1 − level) beyond either. `None` if n is too small for that: the 95th
/// percentile at level 0.95 needs 72 numbers, the median 6.
pub fn quantile_interval(sample: &Sample, p: f64, level: f64) -> Option<QuantileInterval> {
    debug_assert!(0.0 < p && p < 1.0, "a quantile of {p}");
    let tail = tail(level);
    let n = sample.n() as u64;
    // At most so many below: the sums of the binomial distribution.
    let below = |count: u64| binomial_below(count, n, p);
    // The least counts with more than the tail up to it, and with at most the tail beyond it. The rank from 1 of the first is
    // its count, as the chance of fewer is that of the rank to be above the quantile; that of the second is one more.
    let low = first(n, |count| below(count) > tail);
    let high = first(n, |count| 1.0 - below(count) <= tail) + 1;
    let sorted = sample.sorted();
    let at = |rank: u64| usize::try_from(rank).ok();
    let ranks = (at(low)?, at(high)?);
    let interval = Interval { low: *sorted.get(ranks.0.checked_sub(1)?)?, high: *sorted.get(ranks.1 - 1)? };
    Some(QuantileInterval { interval, ranks, coverage: below(high - 1) - below(low - 1) })
}

/// The first count up to `n` for which this is true, once true then always; it is true of `n`.
fn first(n: u64, reached: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Synthetic, close, coverage};
    use super::*;

    fn ranks(n: u32, p: f64, level: f64) -> Option<(usize, usize, f64)> {
        let sample = Sample::new((1..=n).map(f64::from).collect());
        let found = quantile_interval(&sample, p, level)?;
        close(found.interval.low, found.ranks.0 as f64, 0.0);
        close(found.interval.high, found.ranks.1 as f64, 0.0);
        Some((found.ranks.0, found.ranks.1, found.coverage))
    }

    /// Ranks of the median in the usual tables (Conover, Practical Nonparametric Statistics, 3rd edition 1999, section 3.2; table of
    /// the sign test), with coverages by scipy 1.17.1: `binom.cdf(u - 1, n, p) - binom.cdf(l - 1, n, p)`.
    #[test]
    fn medians() {
        for (n, low, high, known) in [
            (6, 1, 6, 0.968_75),
            (10, 2, 9, 0.978_515_625),
            (20, 6, 15, 0.958_610_534_667_968_8),
            (100, 40, 61, 0.964_799_799_782_295_2),
        ] {
            let found = ranks(n, 0.5, 0.95).expect("enough");
            assert_eq!((found.0, found.1), (low, high), "{n}");
            close(found.2, known, 1e-9);
        }
    }

    #[test]
    fn too_few() {
        assert_eq!(ranks(5, 0.5, 0.95), None);
        // 0.95⁷¹ = 0.0262 is above 0.025, 0.95⁷² = 0.0249 is not.
        assert_eq!(ranks(71, 0.95, 0.95), None);
        let found = ranks(72, 0.95, 0.95).expect("enough");
        assert_eq!(found.1, 72);
        assert_eq!(ranks(71, 0.05, 0.95), None);
        assert_eq!(ranks(72, 0.05, 0.95).expect("enough").0, 1);
        assert_eq!(quantile_interval(&Sample::new(Vec::new()), 0.5, 0.95), None);
    }

    #[test]
    fn coverage_is_the_level_or_more_and_ranks_are_the_nearest() {
        for n in [80, 150, 1000, 20_000] {
            for p in [0.05, 0.3, 0.5, 0.9, 0.95] {
                let (low, high, found) = ranks(n, p, 0.95).expect("enough");
                assert!((0.95..0.985).contains(&found), "{n} {p} {found}");
                // One rank nearer leaves more than the tail beyond it.
                assert!(binomial_below(low as u64, u64::from(n), p) > 0.025, "{n} {p}");
                assert!(1.0 - binomial_below(high as u64 - 2, u64::from(n), p) > 0.025, "{n} {p}");
            }
        }
    }

    #[test]
    fn covers_as_it_says() {
        let mut random = Synthetic::new(6);
        for (p, truth) in [(0.5, std::f64::consts::LN_2), (0.95, -libm::log(0.05))] {
            let mut said = 0.0;
            let found = coverage(1000, truth, || {
                let sample = Sample::new((0..100).map(|_| random.exponential()).collect());
                let found = quantile_interval(&sample, p, 0.95)?;
                said = found.coverage;
                Some(found.interval)
            });
            assert!(found >= 0.93 && (found - said).abs() < 0.02, "{p}: {found}, said {said}");
        }
    }
}
