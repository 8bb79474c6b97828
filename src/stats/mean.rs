//! Intervals of means and of their differences.

use super::law::student_half;
use super::{Interval, Sample};

/// The interval of a mean by Student's distribution (Student, The Probable Error of a Mean, Biometrika 6(1), 1908), in the unit of
/// the sample. `None` of less than two numbers.
///
/// Exact for normal numbers; for others as the sample grows. All numbers equal: of no width.
pub fn student(sample: &Sample, level: f64) -> Option<Interval> {
    let error = sample.error()?;
    let half = student_half(level, sample.n() as f64 - 1.0) * error;
    Some(Interval::around(sample.mean()?, half))
}

/// Two systems on the same seeds: the difference within each pair (common random numbers; Law, Simulation Modeling and Analysis,
/// 5th edition 2015, sections 10.2.1 and 11.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Pairs.
    pub n: usize,
    /// The mean of second less first.
    pub difference: f64,
    /// The standard deviation of the differences, with n − 1.
    pub deviation: f64,
    /// The standard error of the mean difference.
    pub error: f64,
    /// What it would be had the two been run on seeds of their own: √((s₁² + s₂²) / n). Its square over that of `error` is by
    /// how many times the pairs save runs.
    pub unpaired_error: f64,
    /// Pearson's correlation of the two; `None` if one of them is constant.
    pub correlation: Option<f64>,
    /// Of the mean difference, by Student's distribution of the differences.
    pub interval: Interval,
}

/// Compares (first, second) of each seed. `None` of less than two pairs.
pub fn paired(pairs: &[(f64, f64)], level: f64) -> Option<Paired> {
    let side = |of: fn(&(f64, f64)) -> f64| Sample::new(pairs.iter().map(of).collect());
    let (first, second, differences) = (side(|pair| pair.0), side(|pair| pair.1), side(|pair| pair.1 - pair.0));
    let (one, two, deviation) = (first.deviation()?, second.deviation()?, differences.deviation()?);
    // The variance of a difference is the sum of both less twice the covariance.
    let product = 2.0 * one * two;
    let correlation =
        (product > 0.0).then(|| ((one * one + two * two - deviation * deviation) / product).clamp(-1.0, 1.0));
    Some(Paired {
        n: pairs.len(),
        difference: differences.mean()?,
        deviation,
        error: differences.error()?,
        unpaired_error: ((one * one + two * two) / pairs.len() as f64).sqrt(),
        correlation,
        interval: student(&differences, level)?,
    })
}

/// The interval of the mean of `second` less that of `first`, drawn apart and with variances of their own (Welch, The
/// Generalization of Student's Problem when Several Different Population Variances are Involved, Biometrika 34, 1947).
/// `None` if one has less than two numbers.
pub fn welch(first: &Sample, second: &Sample, level: f64) -> Option<Interval> {
    let difference = second.mean()? - first.mean()?;
    let (one, two) = (first.error()?, second.error()?);
    let (one, two) = (one * one, two * two);
    let squares = one * one / (first.n() as f64 - 1.0) + two * two / (second.n() as f64 - 1.0);
    if squares <= 0.0 {
        return Some(Interval::around(difference, 0.0));
    }
    let degrees = (one + two) * (one + two) / squares;
    Some(Interval::around(difference, student_half(level, degrees) * (one + two).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Synthetic, close, coverage, ends};
    use super::*;

    /// Hours of sleep gained with two drugs: Cushny and Peebles 1905, as used by Student 1908.
    const SLEEP: [(f64, f64); 10] = [
        (0.7, 1.9),
        (-1.6, 0.8),
        (-0.2, 1.1),
        (-1.2, 0.1),
        (-0.1, -0.1),
        (3.4, 4.4),
        (3.7, 5.5),
        (0.8, 1.6),
        (0.0, 4.6),
        (2.0, 3.4),
    ];

    fn sides() -> (Sample, Sample) {
        (Sample::new(SLEEP.map(|pair| pair.0).to_vec()), Sample::new(SLEEP.map(|pair| pair.1).to_vec()))
    }

    /// Student 1908: means 0.75, 2.33 and 1.58. The intervals are those of R 4: t.test(extra ~ group, data = sleep).
    #[test]
    fn sleep() {
        let found = paired(&SLEEP, 0.95).expect("ten");
        close(found.difference, 1.58, 1e-12);
        ends(Some(found.interval), 0.700_114_2, 2.459_885_8, 1e-7);
        close(found.difference / found.error, 4.062_127_7, 1e-6);
        close(found.deviation, 1.229_995_48, 1e-8);
        close(found.correlation.expect("not constant"), 0.795_170_2, 1e-6);
        let (first, second) = sides();
        close(first.mean().expect("ten"), 0.75, 1e-12);
        ends(welch(&first, &second, 0.95), -0.205_483_2, 3.365_483_2, 1e-7);
        // Welch's standard error for as many of both: 0.849 091.
        close(found.unpaired_error, 0.849_091, 1e-6);
    }

    /// Two variances and sizes; scipy 1.17.1: `ttest_ind(equal_var=False).confidence_interval()`.
    #[test]
    fn welch_of_different_sizes() {
        let (first, second) = (Sample::new(vec![1.0, 2.0, 3.0, 4.0]), Sample::new(vec![10.0, 20.0, 15.0]));
        ends(welch(&first, &second, 0.9), WELCH.0, WELCH.1, 1e-9);
    }
    const WELCH: (f64, f64) = (4.377_906_507_555_378_5, 20.622_093_492_444_616);

    #[test]
    fn few_and_equal() {
        assert_eq!(student(&Sample::new(vec![1.0]), 0.95), None);
        assert_eq!(paired(&[(1.0, 2.0)], 0.95), None);
        assert_eq!(welch(&Sample::new(vec![1.0]), &Sample::new(vec![1.0, 2.0]), 0.95), None);
        let equal = Sample::new(vec![3.0; 4]);
        assert_eq!(student(&equal, 0.95), Some(Interval { low: 3.0, high: 3.0 }));
        assert_eq!(welch(&equal, &equal, 0.95), Some(Interval { low: 0.0, high: 0.0 }));
        let constant = paired(&[(1.0, 1.0), (1.0, 2.0)], 0.95).expect("two");
        assert_eq!(constant.correlation, None);
    }

    #[test]
    fn covers_as_it_says() {
        let mut random = Synthetic::new(2);
        let found = coverage(1000, 0.0, || student(&random.sample(10), 0.95));
        assert!((0.93..=0.97).contains(&found), "{found}");
        let found = coverage(1000, 1.0, || {
            let second: Vec<f64> = random.normals(5).iter().map(|x| 1.0 + 4.0 * x).collect();
            welch(&random.sample(20), &Sample::new(second), 0.95)
        });
        assert!((0.93..=0.97).contains(&found), "welch {found}");
    }

    /// Both have 0.9 of their variance from the seed, so that a pair saves ten times the runs.
    #[test]
    fn pairs_cover_and_save() {
        let mut random = Synthetic::new(3);
        let (mut saved, mut correlation) = (0.0, 0.0);
        let found = coverage(1000, 0.5, || {
            let pairs: Vec<(f64, f64)> = (0..12)
                .map(|_| {
                    let common = 3.0 * random.normal();
                    (common + random.normal(), 0.5 + common + random.normal())
                })
                .collect();
            let found = paired(&pairs, 0.95).expect("twelve");
            saved += (found.unpaired_error / found.error).powi(2) / 1000.0;
            correlation += found.correlation.expect("not constant") / 1000.0;
            Some(found.interval)
        });
        assert!((0.93..=0.97).contains(&found), "{found}");
        // Of the estimated ratio: 10 · 11 / 9, as 11 / χ²(11) has the mean 11 / 9 and is nearly independent.
        assert!((9.0..14.0).contains(&saved), "{saved}");
        close(correlation, 0.9, 0.02);
    }
}
