//! Whether a sample is of a law: Kolmogorov's distance, and its p value.

use super::Sample;

/// How far two distributions are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// The largest difference of the two shares below any number, from 0 to 1.
    pub statistic: f64,
    /// The chance of a distance not less, were both the same continuous law. With ties it is too large, never too small.
    pub p: f64,
}

/// Up to this size the distribution is exact: its time grows with n^(3/2).
const EXACT_MAX: usize = 1000;

/// The distance of a sample from the law of which `below(x)` is P(not above x), continuous and known beforehand: with parameters
/// fitted to the same sample p is too large. `None` of an empty sample.
///
/// Up to n = 1000, p is that of Marsaglia, Tsang and Wang, Evaluating Kolmogorov's Distribution, Journal of Statistical Software
/// 8(18), 2003: to 12 digits, or within 1e-6 where n D² is above 7.24, or 3.76 with n above 99. Beyond, the limit at √n D corrected as by Vrbik
/// (Small-sample Corrections to Kolmogorov–Smirnov Test Statistic, Pioneer Journal of Theoretical and Applied Statistics 15, 2018):
/// off by less than 0.0001. (Stephens' better known factor is off by 0.004 there.)
pub fn one_sample(sample: &Sample, below: impl Fn(f64) -> f64) -> Option<Distance> {
    if sample.n() == 0 {
        return None;
    }
    let n = sample.n() as f64;
    let apart = |(i, x): (usize, &f64)| {
        let here = below(*x);
        (here - i as f64 / n).max((i + 1) as f64 / n - here)
    };
    let statistic = sample.sorted().iter().enumerate().map(apart).fold(0.0, f64::max).clamp(0.0, 1.0);
    let p = if sample.n() <= EXACT_MAX { beyond(sample.n(), statistic) } else { limit(vrbik(n, statistic)) };
    Some(Distance { statistic, p })
}

/// How far the shares of a sample of `n` are at most from those of its law, everywhere at once, with this probability: half the height of
/// Kolmogorov's band. `None` of an empty sample.
pub fn kolmogorov_band(n: usize, level: f64) -> Option<f64> {
    if n == 0 {
        return None;
    }
    let beyond = |d: f64| if n <= EXACT_MAX { beyond(n, d) } else { limit(vrbik(n as f64, d)) };
    // Falls from 1 at half a step to 0 at 1; halved until no digit of interest moves.
    let (mut low, mut high) = (0.5 / n as f64, 1.0);
    while high - low > 1e-9 {
        let middle = f64::midpoint(low, high);
        if beyond(middle) > 1.0 - level { low = middle } else { high = middle }
    }
    Some(high)
}

/// √n D, corrected to order 1 / n.
fn vrbik(n: f64, d: f64) -> f64 {
    let t = d * n.sqrt();
    t + 1.0 / (6.0 * n.sqrt()) + (t - 1.0) / (4.0 * n)
}

/// P(√n D is above t) for endless n: 2 Σ (−1)^(k−1) exp(−2 k² t²); Kolmogorov, Sulla determinazione empirica di una legge di
/// distribuzione, Giornale dell'Istituto Italiano degli Attuari 4, 1933.
pub(super) fn limit(t: f64) -> f64 {
    // Below, it is 1 to 11 digits, and the sum converges slowly.
    if t < 0.2 {
        return 1.0;
    }
    let term = |k: i32| libm::exp(-2.0 * f64::from(k * k) * t * t) * if k % 2 == 0 { -2.0 } else { 2.0 };
    (1..=20).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// P(a distance of `n` is above `d`), by Marsaglia, Tsang and Wang 2003.
fn beyond(n: usize, d: f64) -> f64 {
    let size = n as f64;
    let square = d * d * size;
    // Their shortcut, with an error of some 1e-7 in the far tail.
    if square > 7.24 || (square > 3.76 && n > 99) {
        return 2.0 * libm::exp(-(2.000_071 + 0.331 / size.sqrt() + 1.409 / size) * square);
    }
    // Durbin's matrix: d = (k − h) / n.
    let k = (size * d) as usize + 1;
    let h = k as f64 - size * d;
    let (power, exponent) = durbin(k, h).power(n);
    let mut at = power.at(k - 1, k - 1);
    let mut exponent = exponent;
    // Times n! / nⁿ, kept in range.
    for i in 1..=n {
        at *= i as f64 / size;
        if at < 1e-140 {
            at *= 1e140;
            exponent -= 140;
        }
    }
    (1.0 - at * libm::pow(10.0, f64::from(exponent))).clamp(0.0, 1.0)
}

/// The matrix of 2 k − 1 rows of section 2 there.
fn durbin(k: usize, h: f64) -> Matrix {
    let rows = 2 * k - 1;
    let mut matrix = Matrix { rows, cells: vec![0.0; rows * rows] };
    for i in 0..rows {
        for j in 0..rows.min(i + 2) {
            matrix.cells[i * rows + j] = 1.0;
        }
    }
    for i in 0..rows {
        matrix.cells[i * rows] -= libm::pow(h, (i + 1) as f64);
        matrix.cells[(rows - 1) * rows + i] -= libm::pow(h, (rows - i) as f64);
    }
    if 2.0 * h > 1.0 {
        matrix.cells[(rows - 1) * rows] += libm::pow(2.0 * h - 1.0, rows as f64);
    }
    for i in 0..rows {
        let mut factorial = 1.0;
        for j in (0..=i).rev() {
            factorial *= (i - j + 1) as f64;
            matrix.cells[i * rows + j] /= factorial;
        }
    }
    matrix
}

/// A square matrix, row after row.
struct Matrix {
    rows: usize,
    cells: Vec<f64>,
}

impl Matrix {
    fn at(&self, i: usize, j: usize) -> f64 {
        self.cells[i * self.rows + j]
    }

    fn times(&self, other: &Self) -> Self {
        let mut cells = vec![0.0; self.cells.len()];
        for (row, cells) in self.cells.chunks(self.rows).zip(cells.chunks_mut(self.rows)) {
            for (factor, other) in row.iter().zip(other.cells.chunks(self.rows)) {
                for (cell, x) in cells.iter_mut().zip(other) {
                    *cell += factor * x;
                }
            }
        }
        Self { rows: self.rows, cells }
    }

    /// Its `n`th power, times ten to the exponent.
    fn power(self, n: usize) -> (Self, i32) {
        if n == 1 {
            return (self, 0);
        }
        let once = Self { rows: self.rows, cells: self.cells.clone() };
        let (half, exponent) = self.power(n / 2);
        let square = half.times(&half);
        let mut power = if n.is_multiple_of(2) { square } else { once.times(&square) };
        let mut exponent = 2 * exponent;
        let middle = power.at(power.rows / 2, power.rows / 2);
        // Kept in range.
        if middle > 1e140 {
            power.cells.iter_mut().for_each(|cell| *cell *= 1e-140);
            exponent += 140;
        }
        (power, exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::super::law::normal_below;
    use super::super::synthetic::{Synthetic, close};
    use super::*;

    /// Marsaglia, Tsang and Wang 2003: values of their text; that of n = 2000 and 0.06, which is by the shortcut, of scipy 1.17.1.
    #[test]
    fn marsaglia_and_others() {
        close(1.0 - beyond(10, 0.274), 0.628_479_615_456_504_3, 1e-12);
        close(1.0 - beyond(2000, 0.04), 0.996_769_431_917_136_8, 1e-9);
        close(1.0 - beyond(2000, 0.06), 0.999_998_939_596_184_9, 2e-8);
        close(1.0 - beyond(16_000, 0.016), 0.999_452_349_138_280_5, 3e-7);
    }

    /// scipy 1.17.1: `kstwo.sf`. And by hand for n = 1: 2 d − 1 from one half on; d of one half or less is always exceeded.
    #[test]
    fn exact_distribution() {
        close(beyond(1, 0.8), 0.4, 1e-14);
        close(beyond(1, 0.5), 1.0, 1e-14);
        close(beyond(5, 0.5), 0.112, 1e-13);
        close(beyond(100, 0.1), 0.252_692_757_006_387_4, 1e-12);
        assert!(beyond(7, 0.0) >= 1.0 && beyond(7, 1.0) < 2e-6);
    }

    /// Birnbaum, Numerical Tabulation of the Distribution of Kolmogorov's Statistic for Finite Sample Size, Journal of the American
    /// Statistical Association 47, 1952, table 2; Smirnov's limit beyond.
    #[test]
    fn bands_are_those_of_the_tables() {
        for (n, half, error) in
            [(5, 0.5633, 5e-5), (10, 0.4092, 5e-5), (50, 0.1884, 5e-5), (100, 0.1340, 5e-5), (100_000, 0.004_294, 5e-6)]
        {
            close(kolmogorov_band(n, 0.95).expect("not empty"), half, error);
        }
        assert_eq!(kolmogorov_band(0, 0.95), None);
    }

    /// The distance of R 4: ks.test(c(0.1, 0.4, 0.7), "punif").
    #[test]
    fn distance_is_the_larger_side() {
        let uniform = |x: f64| x.clamp(0.0, 1.0);
        let found = one_sample(&Sample::new(vec![0.7, 0.1, 0.4]), uniform).expect("three");
        close(found.statistic, 0.3, 1e-15);
        let found = one_sample(&Sample::new(vec![0.5, 0.6, 0.9]), uniform).expect("three");
        close(found.statistic, 0.5, 1e-15);
        assert_eq!(one_sample(&Sample::new(Vec::new()), uniform), None);
    }

    /// Where exactness ends both agree as the documentation says.
    #[test]
    fn limit_is_near() {
        let mut largest = 0.0_f64;
        for i in 1..60 {
            let d = f64::from(i) * 0.001;
            largest = largest.max((limit(vrbik(1000.0, d)) - beyond(1000, d)).abs());
        }
        assert!(largest < 1e-4 && largest > 1e-9, "{largest}");
        // Its 5 % and 1 % points (Smirnov, Table for Estimating the Goodness of Fit, Annals of Mathematical Statistics 19, 1948).
        close(limit(1.358_1), 0.05, 1e-5);
        close(limit(1.627_6), 0.01, 1e-5);
        assert!(limit(0.0) >= 1.0 && limit(0.2) >= 1.0 - 1e-9);
    }

    #[test]
    fn p_values_are_uniform_and_small_of_another_law() {
        let mut random = Synthetic::new(13);
        for n in [20, 1200] {
            let mut count = 0;
            for _ in 0..500 {
                count += u32::from(one_sample(&random.sample(n), normal_below).expect("numbers").p <= 0.2);
            }
            assert!((80..=120).contains(&count), "{n}: {count} of 500");
        }
        let shifted = one_sample(&random.sample(300), |x| normal_below(x - 0.5)).expect("numbers");
        assert!(shifted.p < 1e-6, "{shifted:?}");
    }
}
