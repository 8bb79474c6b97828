//! Two proportions on the same seeds: what differs is in the pairs that differ.

use super::Interval;
use super::law::{binomial_below, binomial_of_halves, normal_quantile, tail};

/// Pairs of runs of which the two did not have the same outcome (`McNemar`, Note on the Sampling Error of the Difference between
/// Correlated Proportions or Percentages, Psychometrika 12, 1947).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discordant {
    /// Pairs of which only the first had it.
    pub first_only: u64,
    /// Pairs of which only the second had it.
    pub second_only: u64,
    /// All pairs, with those that agree.
    pub pairs: u64,
}

impl Discordant {
    /// Counts (first, second) of each seed.
    pub fn count(outcomes: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut found = Self { first_only: 0, second_only: 0, pairs: 0 };
        for outcome in outcomes {
            found.pairs += 1;
            match outcome {
                (true, false) => found.first_only += 1,
                (false, true) => found.second_only += 1,
                (true, true) | (false, false) => (),
            }
        }
        found
    }

    /// The lesser count, and both together.
    fn counts(self) -> (u64, u64) {
        (self.first_only.min(self.second_only), self.first_only.saturating_add(self.second_only))
    }

    /// Two-sided p value of equal proportions: the exact binomial test of the pairs that differ. Never too small; 1 if none
    /// differs. Fagerland, Lydersen and Laake, The `McNemar` Test for Binary Matched-pairs Data: Mid-p and Asymptotic
    /// are Better than Exact Conditional, BMC Medical Research Methodology 13:91, 2013.
    pub fn exact(self) -> f64 {
        let (least, both) = self.counts();
        (2.0 * binomial_below(least, both, 0.5)).min(1.0)
    }

    /// The mid-p value of that test: half of the chance of what was seen counts. Less conservative than `exact` and hardly ever
    /// above its level (Fagerland, Lydersen and Laake 2013, who recommend it); 1 if none differs.
    pub fn mid_p(self) -> f64 {
        let (least, both) = self.counts();
        match both {
            0 => 1.0,
            both if 2 * least == both => 1.0 - binomial_of_halves(least, both) / 2.0,
            both => (2.0 * binomial_below(least, both, 0.5) - binomial_of_halves(least, both)).clamp(0.0, 1.0),
        }
    }

    /// The proportion of the second less that of the first; `None` without pairs.
    pub fn difference(self) -> Option<f64> {
        (self.pairs > 0).then(|| (self.second_only as f64 - self.first_only as f64) / self.pairs as f64)
    }

    /// The interval of that difference: Wald's with one pair more of either kind (Bonett and Price, Adjusted Wald Confidence Interval
    /// for a Difference of Binomial Proportions Based on Paired Data, Journal of Educational and Behavioral Statistics 37(4), 2012).
    /// `None` without pairs.
    ///
    /// It is about a point nearer to zero than `difference`, which for few pairs may be outside of it.
    pub fn interval(self, level: f64) -> Option<Interval> {
        debug_assert!(self.counts().1 <= self.pairs, "{self:?}");
        if self.pairs == 0 {
            return None;
        }
        let n = self.pairs as f64 + 2.0;
        let (first, second) = ((self.first_only as f64 + 1.0) / n, (self.second_only as f64 + 1.0) / n);
        let difference = second - first;
        let variance = (first + second - difference * difference).max(0.0) / n;
        let half = -normal_quantile(tail(level)) * variance.sqrt();
        Some(Interval::around(difference, half).within(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Synthetic, close, coverage, ends};
    use super::*;

    fn of(first_only: u64, second_only: u64, pairs: u64) -> Discordant {
        Discordant { first_only, second_only, pairs }
    }

    /// Fagerland, Lydersen and Laake 2013, both examples (Bentur and others 2009, airway hyper-responsiveness: 1, 1, 7, 12) and (Cavo
    /// and others 2012, complete response: 59, 6, 16, 80), with p values there of 0.070, 0.039, and 0.052, 0.035.
    #[test]
    fn fagerland_and_others() {
        close(of(1, 7, 21).exact(), 0.070_312_5, 1e-12);
        close(of(1, 7, 21).mid_p(), 0.039_062_5, 1e-12);
        close(of(16, 6, 161).exact(), 0.052_478_790_283_203_125, 1e-12);
        close(of(16, 6, 161).mid_p(), 0.034_689_664_840_698_24, 1e-12);
    }

    /// The same data by the formula of Bonett and Price 2012, computed apart in Python.
    #[test]
    fn bonett_and_price() {
        ends(of(1, 7, 21).interval(0.95), BENTUR.0, BENTUR.1, 1e-12);
        ends(of(6, 16, 161).interval(0.95), CAVO.0, CAVO.1, 1e-12);
        close(of(1, 7, 21).difference().expect("pairs"), 6.0 / 21.0, 1e-15);
    }
    const BENTUR: (f64, f64) = (0.013_379_823_768_343_235, 0.508_359_306_666_439_4);
    const CAVO: (f64, f64) = (0.003_200_575_436_555_566_6, 0.119_498_811_066_511_9);

    #[test]
    fn none_differ_or_as_many() {
        assert!(of(0, 0, 10).exact() >= 1.0 && of(0, 0, 10).mid_p() >= 1.0);
        assert_eq!((of(0, 0, 0).difference(), of(0, 0, 0).interval(0.95)), (None, None));
        assert!(of(3, 3, 10).exact() >= 1.0);
        // 1 − C(6, 3) / 2⁷.
        close(of(3, 3, 10).mid_p(), 1.0 - 20.0 / 128.0, 1e-12);
        let all = of(0, 5, 5).interval(0.95).expect("pairs");
        assert!(all.high <= 1.0 && all.low > 0.0, "{all:?}");
        assert_eq!(
            Discordant::count([(true, false), (true, true), (false, false), (false, true), (false, true)]),
            of(1, 2, 5)
        );
    }

    #[test]
    fn covers_as_it_says_and_tests_at_its_level() {
        let mut random = Synthetic::new(5);
        let (mut exact, mut mid) = (0.0, 0.0);
        let mut draw = |first: f64, second: f64| {
            let outcomes = (0..60).map(|_| {
                let u = random.uniform();
                (u <= first || u > 0.8, (first < u && u <= first + second) || u > 0.8)
            });
            Discordant::count(outcomes)
        };
        let found = coverage(1000, 0.15, || draw(0.1, 0.25).interval(0.95));
        assert!((0.93..=0.97).contains(&found), "{found}");
        for _ in 0..1000 {
            let same = draw(0.15, 0.15);
            exact += if same.exact() <= 0.05 { 1e-3 } else { 0.0 };
            mid += if same.mid_p() <= 0.05 { 1e-3 } else { 0.0 };
        }
        assert!(exact <= 0.045 && (0.03..=0.06).contains(&mid) && exact < mid, "{exact} {mid}");
    }
}
