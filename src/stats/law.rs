//! The distributions that the methods need, and their quantiles.
//!
//! The incomplete beta function and the inverse error function are those of `statrs`. Its quantiles are not used: of Student's with
//! 10⁸ degrees and of the beta distribution with shapes 1 and 10⁷ they never return (0.19.1), as Newton's step from the clamped
//! start overflows. Here a quantile is found by halving: slower, always done.

use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc_inv;

/// Halvings; from [0, 1] to neighbouring floats takes 53 and the binary zeros before the first digit.
const HALVINGS_MAX: u32 = 400;

/// Where this increasing condition becomes true between `low` and `high`.
fn halve(mut low: f64, mut high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS_MAX {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if reached(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// Share of the probability beyond one end of a two-sided interval.
pub(super) fn tail(level: f64) -> f64 {
    debug_assert!(0.0 < level && level < 1.0, "a level of {level}");
    (1.0 - level) / 2.0
}

/// P(a standard normal is not above x).
pub(super) fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// The x of which that is `p`; an infinity for 0 and 1.
pub(super) fn normal_quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}

/// P(a beta variable is not above x). Relative error 1e-10 for shapes up to 10⁴, absolute 1e-6 up to 10⁶.
pub(super) fn beta_below(a: f64, b: f64, x: f64) -> f64 {
    beta_reg(a, b, x.clamp(0.0, 1.0))
}

/// The x of which that is `p`.
pub(super) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    halve(0.0, 1.0, |x| beta_below(a, b, x) >= p)
}

/// The half width, in standard errors, of a two-sided interval by Student's distribution, which has so many degrees of freedom.
pub fn student_half(level: f64, degrees: f64) -> f64 {
    // P(|T| < t) as a beta probability of a small argument: that of v / (v + t²) is next to 1 and has no digits left
    // (Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, 1995, chapter 28).
    let inside = |t: f64| beta_below(0.5, degrees / 2.0, t * t / (degrees + t * t));
    let mut high = 2.0;
    while inside(high) < level && high < 1e15 {
        high *= 2.0;
    }
    halve(0.0, high, |t| inside(t) >= level)
}

/// P(at most `hits` of `n` with chance `p` each), by its beta probability.
pub(super) fn binomial_below(hits: u64, n: u64, p: f64) -> f64 {
    if hits >= n { 1.0 } else { beta_below((n - hits) as f64, hits as f64 + 1.0, 1.0 - p) }
}

/// P(exactly `hits` of `n`) with chance one half.
pub(super) fn binomial_of_halves(hits: u64, n: u64) -> f64 {
    let factorial = |k: u64| libm::lgamma(k as f64 + 1.0);
    libm::exp(factorial(n) - factorial(hits) - factorial(n - hits) - n as f64 * std::f64::consts::LN_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, known: f64, relative: f64) {
        assert!((found - known).abs() <= relative * known.abs(), "{found:e} for {known:e}");
    }

    // All known values: scipy 1.17.1.

    #[test]
    fn normal() {
        for (p, x) in
            [(0.025, -1.959_963_984_540_054_5), (0.001, -3.090_232_306_167_813), (0.95, 1.644_853_626_951_472_7)]
        {
            near(normal_quantile(p), x, 1e-13);
            near(normal_below(x), p, 1e-13);
        }
        near(normal_quantile(1e-10), -6.361_340_902_404_056, 1e-13);
        assert!(normal_quantile(0.0) == f64::NEG_INFINITY && normal_quantile(1.0) == f64::INFINITY);
    }

    #[test]
    fn student() {
        for (degrees, t) in [
            (1.0, 12.706_204_736_174_694),
            (2.0, 4.302_652_729_749_462),
            (30.0, 2.042_272_456_301_237_8),
            (1e4, 1.960_201_239_890_626),
            (1e6, 1.959_966_356_814_107),
            (1e8, 1.959_964_008_262_766_3),
        ] {
            near(student_half(0.95, degrees), t, if degrees > 1e5 { 1e-7 } else { 1e-11 });
        }
    }

    #[test]
    fn beta() {
        for (a, b, x, p) in [
            (10.0, 20.0, 0.3, 0.364_004_081_071_943_7),
            (1e4, 1e4, 0.505, 0.921_352_991_118_336_9),
            (3.0, 1e6, 1e-6, 0.080_301_672_981_258_58),
        ] {
            near(beta_below(a, b, x), p, 1e-8);
        }
        near(beta_below(1e6, 1e6, 0.500_3), 0.801_928_037_157_870_1, 2e-6);
        // Those that hang in statrs.
        near(beta_quantile(0.975, 1.0, 1e7), 3.688_878_773_722_437_6e-7, 1e-8);
        near(beta_quantile(0.025, 5.0, 1e7), 1.623_485_933_635_885e-7, 1e-8);
        near(beta_quantile(0.5, 1000.0, 1e7), 9.995_667_967_632_738e-5, 1e-8);
    }

    #[test]
    fn binomial() {
        near(binomial_below(1, 8, 0.5), 9.0 / 256.0, 1e-13);
        near(binomial_of_halves(1, 8), 8.0 / 256.0, 1e-13);
        near(binomial_below(0, 72, 0.95), libm::pow(0.05, 72.0), 1e-10);
        near(binomial_below(71, 72, 0.95), 1.0 - libm::pow(0.95, 72.0), 1e-12);
        assert!(binomial_below(3, 3, 0.2) >= 1.0 && binomial_below(0, 0, 0.2) >= 1.0);
    }
}
