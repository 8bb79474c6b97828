//! Whether two samples are of one law: Smirnov's distance, and its p value.

use super::Sample;
use super::kolmogorov::{Distance, limit};

/// Up to this product of both sizes paths are counted: the time is this many steps.
const EXACT_MAX: usize = 10_000_000;

/// The distance of two samples. `None` if one is empty.
///
/// p is exact for continuous laws and sizes with a product up to 10⁷, by the paths in a lattice that never are so far from its diagonal
/// (Hodges, The Significance Probability of the Smirnov Two-sample Test, Arkiv för Matematik 3, 1958). Beyond, it is
/// the limit at (√e + 0.12 + 0.11 / √e) D with e = n m / (n + m) (Stephens, Use of the Kolmogorov–Smirnov Statistics without Extensive
/// Tables, JRSS B 32, 1970): off by less than 0.01 for a thousand of each.
pub fn two_samples(first: &Sample, second: &Sample) -> Option<Distance> {
    let (n, m) = (first.n(), second.n());
    if n == 0 || m == 0 {
        return None;
    }
    // In units of 1 / (n m), which are whole.
    let apart = largest(first.sorted(), second.sorted());
    let product = n.saturating_mul(m);
    let statistic = apart as f64 / product as f64;
    let p = if product <= EXACT_MAX {
        1.0 - inside(n, m, apart)
    } else {
        limit(stephens(n as f64 * (m as f64 / (n + m) as f64), statistic))
    };
    Some(Distance { statistic, p: p.clamp(0.0, 1.0) })
}

fn stephens(size: f64, statistic: f64) -> f64 {
    (size.sqrt() + 0.12 + 0.11 / size.sqrt()) * statistic
}

/// The largest |i m − j n| with i of the first and j of the second not above any number.
fn largest(first: &[f64], second: &[f64]) -> usize {
    let (mut i, mut j, mut most) = (0, 0, 0);
    while i < first.len() && j < second.len() {
        let here = first[i].min(second[j]);
        while first.get(i).is_some_and(|x| *x <= here) {
            i += 1;
        }
        while second.get(j).is_some_and(|x| *x <= here) {
            j += 1;
        }
        most = most.max((i * second.len()).abs_diff(j * first.len()));
    }
    most
}

/// P(|i m − j n| stays below `apart` all along), if every order of the n + m numbers is as likely.
fn inside(n: usize, m: usize, apart: usize) -> f64 {
    // Chances of the paths to (i, j), a row for each i: of the i + j numbers so far the last is of the first sample with
    // chance i / (i + j), which keeps the sum in range.
    let mut row = vec![0.0; m + 1];
    for i in 0..=n {
        let mut left = 0.0;
        for (j, cell) in row.iter_mut().enumerate() {
            let both = (i + j) as f64;
            *cell = if (i * m).abs_diff(j * n) >= apart {
                0.0
            } else if i + j == 0 {
                1.0
            } else {
                (*cell * i as f64 + left * j as f64) / both
            };
            left = *cell;
        }
    }
    row[m]
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Synthetic, close};
    use super::*;

    fn of(values: &[f64]) -> Sample {
        Sample::new(values.to_vec())
    }

    /// Of all orders of three and three numbers, 20, two are apart by 1 and ten by two thirds or more.
    #[test]
    fn small_by_hand() {
        let found = two_samples(&of(&[1.0, 2.0, 3.0]), &of(&[4.0, 5.0, 6.0])).expect("numbers");
        close(found.statistic, 1.0, 0.0);
        close(found.p, 0.1, 1e-14);
        let found = two_samples(&of(&[1.0, 2.0, 5.0]), &of(&[4.0, 3.0, 6.0])).expect("numbers");
        close(found.statistic, 2.0 / 3.0, 1e-15);
        close(found.p, 0.6, 1e-14);
        assert_eq!(two_samples(&of(&[]), &of(&[1.0])), None);
    }

    /// scipy 1.17.1: `ks_2samp(method="exact")`; the limit is near where exactness ends.
    #[test]
    fn larger() {
        close(1.0 - inside(30, 45, 480), SCIPY, 1e-12);
        let mut largest = 0.0_f64;
        for apart in (15..80).step_by(4) {
            let exact = 1.0 - inside(1000, 1000, apart * 1000);
            largest = largest.max((limit(stephens(500.0, apart as f64 / 1000.0)) - exact).abs());
        }
        assert!(largest < 0.01 && largest > 1e-4, "{largest}");
    }
    const SCIPY: f64 = 0.017_153_516_685_501_69;

    /// By scipy 1.17.1: `kstwobign.sf` at Stephens' argument.
    #[test]
    fn large() {
        let even = |n: u32, first: f64| Sample::new((0..n).map(|i| first + f64::from(i) / f64::from(n)).collect());
        let found = two_samples(&even(4000, 0.0), &even(3000, 0.03)).expect("numbers");
        close(found.statistic, LARGE.0, 1e-12);
        close(found.p, LARGE.1, 1e-9);
    }
    const LARGE: (f64, f64) = (0.030_25, 0.085_187_270_106_647_17);

    #[test]
    fn ties_count_on_both_sides() {
        let found = two_samples(&of(&[1.0, 1.0, 2.0]), &of(&[1.0, 2.0, 2.0])).expect("numbers");
        close(found.statistic, 1.0 / 3.0, 1e-15);
        let same = two_samples(&of(&[1.0, 1.0]), &of(&[1.0, 1.0, 1.0])).expect("numbers");
        assert!(same.statistic == 0.0 && same.p >= 1.0);
    }

    #[test]
    fn p_values_are_uniform_and_small_of_another_law() {
        let mut random = Synthetic::new(14);
        let mut count = 0;
        for _ in 0..500 {
            count += u32::from(two_samples(&random.sample(60), &random.sample(90)).expect("numbers").p <= 0.2);
        }
        assert!((80..=120).contains(&count), "{count} of 500");
        let wide = Sample::new(random.normals(2000).iter().map(|x| 2.0 * x).collect());
        assert!(two_samples(&wide, &random.sample(2000)).expect("numbers").p < 1e-6);
    }
}
