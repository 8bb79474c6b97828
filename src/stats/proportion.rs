//! Intervals of a proportion.

use super::Interval;
use super::law::{beta_quantile, normal_quantile, tail};

/// So many of `n` independent runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    /// Runs that had it; not more than `n`.
    pub hits: u64,
    /// All runs.
    pub n: u64,
}

impl Proportion {
    /// Hits and runs as floats; `None` without runs.
    fn floats(self) -> Option<(f64, f64)> {
        debug_assert!(self.hits <= self.n, "{} of {}", self.hits, self.n);
        (self.n > 0).then(|| (self.hits.min(self.n) as f64, self.n as f64))
    }

    /// The share that had it, from 0 to 1; `None` without runs.
    pub fn estimate(self) -> Option<f64> {
        self.floats().map(|(hits, n)| hits / n)
    }

    /// The score interval (Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22, 1927; method 3 of
    /// Newcombe, Two-sided Confidence Intervals for the Single Proportion, Statistics in Medicine 17, 1998). `None` without runs.
    ///
    /// Covers at the level on average over the proportions; a single one may be covered less (near 0 and 1 by some per cent).
    pub fn wilson(self, level: f64) -> Option<Interval> {
        let (hits, n) = self.floats()?;
        let z = -normal_quantile(tail(level));
        let square = z * z;
        let centre = 2.0 * hits + square;
        let half = z * (square + 4.0 * hits * (1.0 - hits / n)).sqrt();
        let whole = 2.0 * (n + square);
        // Of no hits it is 0 without rounding, as √z² is z.
        let low = (centre - half) / whole;
        let high = if self.hits >= self.n { 1.0 } else { (centre + half) / whole };
        Some(Interval { low, high })
    }

    /// The exact interval: Clopper and Pearson, The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial,
    /// Biometrika 26, 1934; by beta quantiles, and in closed form for none and all. `None` without runs.
    ///
    /// Covers every proportion with at least the level, most with more.
    pub fn clopper_pearson(self, level: f64) -> Option<Interval> {
        let (hits, n) = self.floats()?;
        let tail = tail(level);
        // 1 − tail^(1/n).
        let none = -libm::expm1(libm::log(tail) / n);
        let low = match self.hits {
            0 => 0.0,
            hits if hits >= self.n => 1.0 - none,
            _ => beta_quantile(tail, hits, n - hits + 1.0),
        };
        let high = match self.hits {
            0 => none,
            hits if hits >= self.n => 1.0,
            _ => beta_quantile(1.0 - tail, hits + 1.0, n - hits),
        };
        Some(Interval { low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Synthetic, close, coverage, ends};
    use super::*;

    fn of(hits: u64, n: u64) -> Proportion {
        Proportion { hits, n }
    }

    /// Newcombe 1998, table I: methods 3 (score) and 5 (Clopper and Pearson), to the four digits printed there.
    #[test]
    fn newcombe() {
        for (hits, n, score, exact) in [
            (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
            (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
            (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
            (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
        ] {
            ends(of(hits, n).wilson(0.95), score.0, score.1, 0.5e-4);
            ends(of(hits, n).clopper_pearson(0.95), exact.0, exact.1, 0.5e-4);
            // The other way round, as the table does not go there.
            ends(of(n - hits, n).wilson(0.95), 1.0 - score.1, 1.0 - score.0, 0.5e-4);
            ends(of(n - hits, n).clopper_pearson(0.95), 1.0 - exact.1, 1.0 - exact.0, 0.5e-4);
        }
    }

    /// statsmodels 0.15.0: `proportion_confint`.
    #[test]
    fn more_digits() {
        ends(of(81, 263).wilson(0.95), 0.255_288_519_878_274_2, 0.366_209_576_982_8, 1e-12);
        ends(of(81, 263).clopper_pearson(0.95), 0.252_736_745_585_271_24, 0.367_621_922_601_351_4, 1e-11);
        ends(of(1, 29).clopper_pearson(0.95), 0.000_872_646_883_579_922, 0.177_644_295_488_722_93, 1e-11);
    }

    #[test]
    fn none_and_all_are_exact() {
        assert_eq!((of(0, 0).estimate(), of(0, 0).wilson(0.95), of(0, 0).clopper_pearson(0.95)), (None, None, None));
        for n in [1, 3, 7, 20, 23, 1000, 1_000_000_000] {
            let (wilson, exact) = (of(0, n).wilson(0.95).expect("runs"), of(0, n).clopper_pearson(0.95).expect("runs"));
            assert!(wilson.low == 0.0 && exact.low == 0.0 && of(0, n).wilson(0.99).expect("runs").low == 0.0);
            let square = 3.841_458_820_694_124;
            close(wilson.high * (n as f64 + square) / square, 1.0, 1e-12);
            close(libm::log1p(-exact.high) * n as f64, libm::log(0.025), 1e-12);
            let (wilson, exact) = (of(n, n).wilson(0.95).expect("runs"), of(n, n).clopper_pearson(0.95).expect("runs"));
            assert!(wilson.high >= 1.0 && exact.high >= 1.0);
            close(libm::log(exact.low) * n as f64, libm::log(0.025), 1e-6);
        }
    }

    /// Over proportions evenly from 0 to 1 and 5 to 99 runs.
    #[test]
    fn covers_on_average() {
        let mut random = Synthetic::new(4);
        let (mut score, mut exact) = (0.0, 0.0);
        for _ in 0..1000 {
            let (p, n) = (random.uniform(), 5 + random.below(95));
            let seen = of(random.hits(n, p), n);
            score += coverage(1, p, || seen.wilson(0.95)) / 1000.0;
            exact += coverage(1, p, || seen.clopper_pearson(0.95)) / 1000.0;
        }
        assert!((0.93..=0.97).contains(&score), "{score}");
        assert!((0.95..=0.99).contains(&exact), "{exact}");
    }

    /// Not by draws: the exact coverage of every proportion, by the chances of all outcomes.
    #[test]
    fn exact_covers_every_proportion() {
        let intervals: Vec<Interval> = (0..=20).filter_map(|hits| of(hits, 20).clopper_pearson(0.95)).collect();
        for p in (1..200).map(|i| f64::from(i) / 200.0) {
            let mut chance = libm::pow(1.0 - p, 20.0);
            let mut covered = 0.0;
            for (hits, interval) in (0..).map(f64::from).zip(&intervals) {
                covered += if interval.contains(p) { chance } else { 0.0 };
                chance *= (20.0 - hits) / (hits + 1.0) * p / (1.0 - p);
            }
            assert!(covered >= 0.95, "{covered} at {p}");
        }
    }
}
