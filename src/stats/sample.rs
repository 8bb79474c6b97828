//! A sample, sorted once.

/// Numbers of one law, in ascending order; the order of the runs is lost.
///
/// Sums are taken over the sorted numbers, with Neumaier's correction (Rundungsfehleranalyse einiger Verfahren zur Summation
/// endlicher Summen, ZAMM 54, 1974, algorithm IV): they do not depend on the order in which threads finish, and their error
/// does not grow with the size.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    sorted: Vec<f64>,
    mean: f64,
    deviation: f64,
}

impl Sample {
    /// Of these numbers, each finite.
    pub fn new(mut values: Vec<f64>) -> Self {
        debug_assert!(values.iter().all(|x| x.is_finite()), "a sample has finite numbers");
        values.sort_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (values.first(), values.last()) else {
            return Self { sorted: values, mean: 0.0, deviation: 0.0 };
        };
        let n = values.len() as f64;
        // Within the sample: equal numbers have no deviation, not a last digit of rounding. (`clamp` panics at NaN.)
        let mean = (sum(values.iter().copied()) / n).max(least).min(most);
        let squares = sum(values.iter().map(|x| (x - mean) * (x - mean)));
        Self { mean, deviation: (squares / (n - 1.0).max(1.0)).sqrt(), sorted: values }
    }

    /// How many numbers.
    pub fn n(&self) -> usize {
        self.sorted.len()
    }

    /// The numbers, ascending.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The arithmetic mean; `None` of an empty sample.
    pub fn mean(&self) -> Option<f64> {
        (self.n() > 0).then_some(self.mean)
    }

    /// The standard deviation, with n − 1; `None` of less than two.
    pub fn deviation(&self) -> Option<f64> {
        (self.n() > 1).then_some(self.deviation)
    }

    /// The standard error of the mean; `None` of less than two.
    pub fn error(&self) -> Option<f64> {
        self.deviation().map(|deviation| deviation / (self.n() as f64).sqrt())
    }

    /// The least number; `None` of an empty sample.
    pub fn minimum(&self) -> Option<f64> {
        self.sorted.first().copied()
    }

    /// The largest number; `None` of an empty sample.
    pub fn maximum(&self) -> Option<f64> {
        self.sorted.last().copied()
    }

    /// The quantile of `p` from 0 to 1, linear between the ranks: definition 7 of Hyndman and Fan, Sample Quantiles in Statistical
    /// Packages, American Statistician 50(4), 1996. `None` of an empty sample.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        debug_assert!((0.0..=1.0).contains(&p), "a quantile of {p}");
        let last = self.n().checked_sub(1)?;
        let rank = p.clamp(0.0, 1.0) * last as f64;
        let below = (rank.floor() as usize).min(last);
        let (low, high) = (self.sorted[below], self.sorted[(below + 1).min(last)]);
        Some((low + (high - low) * (rank - below as f64)).max(low).min(high))
    }
}

/// Neumaier's sum, in the order given.
pub(super) fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for term in terms {
        let next = total + term;
        lost += if total.abs() >= term.abs() { (total - next) + term } else { (term - next) + total };
        total = next;
    }
    total + lost
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Synthetic, close};
    use super::*;

    #[test]
    fn nothing_and_one() {
        let none = Sample::new(Vec::new());
        assert_eq!((none.n(), none.mean(), none.deviation(), none.error()), (0, None, None, None));
        assert_eq!((none.quantile(0.5), none.minimum(), none.maximum()), (None, None, None));
        let one = Sample::new(vec![4.0]);
        assert_eq!((one.mean(), one.deviation(), one.quantile(0.9)), (Some(4.0), None, Some(4.0)));
        assert_eq!(one, Sample::new(vec![4.0]));
    }

    /// R 4: quantile(c(1, 3, 4, 10, 12), type = 7), mean and sd of it.
    #[test]
    fn small_sample() {
        let sample = Sample::new(vec![12.0, 1.0, 10.0, 4.0, 3.0]);
        assert_eq!((sample.minimum(), sample.maximum(), sample.mean()), (Some(1.0), Some(12.0), Some(6.0)));
        close(sample.deviation().expect("five"), 22.5_f64.sqrt(), 1e-14);
        close(sample.error().expect("five"), 4.5_f64.sqrt(), 1e-14);
        for (p, known) in [(0.0, 1.0), (0.1, 1.8), (0.25, 3.0), (0.5, 4.0), (0.6, 6.4), (0.95, 11.6), (1.0, 12.0)] {
            close(sample.quantile(p).expect("five"), known, 1e-14);
        }
    }

    /// NIST Statistical Reference Datasets, univariate, `NumAcc4`: 1001 numbers, certified mean 10000000.2 and deviation 0.1 exactly.
    #[test]
    fn nist_numerical_accuracy_4() {
        let values = (0..1001).map(|i| if i == 0 || i % 2 == 0 { 10_000_000.3 } else { 10_000_000.1 });
        let mut values: Vec<f64> = values.collect();
        values[0] = 10_000_000.2;
        let sample = Sample::new(values);
        close(sample.mean().expect("many"), 10_000_000.2, 2e-9);
        close(sample.deviation().expect("many"), 0.1, 1e-8);
    }

    #[test]
    fn sums_keep_what_is_small() {
        close(sum([1.0, 1e100, 1.0, -1e100].into_iter()), 2.0, 0.0);
        for n in 2..100 {
            let equal = Sample::new(vec![0.123_456_7; n]);
            assert_eq!((equal.mean(), equal.deviation()), (Some(0.123_456_7), Some(0.0)), "{n}");
        }
        // A plain sum of these is 0.01 off.
        let many = Sample::new((0..100_000).map(|i| if i == 0 { 1e12 } else { 0.1 }).collect());
        close(many.mean().expect("many") * 1e5, 1e12 + 9_999.9, 2e-4);
    }

    #[test]
    fn order_does_not_matter() {
        let mut random = Synthetic::new(1);
        let values = random.normals(999);
        let reversed = values.iter().rev().copied().collect();
        assert_eq!(Sample::new(values), Sample::new(reversed));
    }
}
