//! Laws of times under the condition that the time is below a bound, and the probability of that.
//!
//! By inversion of the distribution function F: with u uniform on (0, 1], the time t for which F(t) = u · F(bound) (Devroye, *Non-Uniform
//! Random Variate Generation*, 1986, II.2.1). Where F has no simple inverse, whole nanoseconds are halved until it is met.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "distribution functions are floats, and become integers here"
)]

use super::law::times;
use super::{Stream, float};
use crate::units::{Ratio, Span};

/// A probability in units of 10⁻¹⁸.
pub const CERTAIN: u64 = 1_000_000_000_000_000_000;

/// A law of which a part is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuous {
    /// P(below t) = 1 − exp(−t / mean).
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// P(below t) = 1 − exp(−(t / scale)^shape).
    Weibull {
        /// The scale.
        scale: Span,
        /// The shape.
        shape: Ratio,
    },
    /// P(below t) = Φ(ln(t / median) / sigma).
    LogNormal {
        /// The median.
        median: Span,
        /// Standard deviation of the logarithm.
        sigma: Ratio,
    },
    /// P(below t) = P(shape, t / scale), the regularised incomplete gamma function.
    Gamma {
        /// The scale.
        scale: Span,
        /// The shape.
        shape: Ratio,
    },
}

impl Continuous {
    /// The probability of a time below `bound`, in units of 10⁻¹⁸.
    pub fn below(self, bound: Span) -> u64 {
        (self.distribution(bound.ns() as f64) * CERTAIN as f64 + 0.5) as u64
    }

    fn distribution(self, t: f64) -> f64 {
        let of = |unit: Span| t / unit.ns() as f64;
        match self {
            Self::Exponential { mean } => -libm::expm1(-of(mean)),
            Self::Weibull { scale, shape } => -libm::expm1(-libm::pow(of(scale), float(shape))),
            Self::LogNormal { median, sigma } => {
                0.5 * libm::erfc(-libm::log(of(median)) / (float(sigma) * std::f64::consts::SQRT_2))
            }
            Self::Gamma { scale, shape } => gamma_below(float(shape), of(scale)),
        }
    }
}

impl Stream {
    /// A time of the law under the condition that it is below `bound`.
    pub fn time_within(&mut self, law: Continuous, bound: Span) -> Span {
        let sought = self.open_uniform() * law.distribution(bound.ns() as f64);
        let last = bound.saturating_sub(Span::from_ns(1));
        let time = match law {
            Continuous::Exponential { mean } => times(mean, -libm::log1p(-sought)),
            Continuous::Weibull { scale, shape } => times(scale, libm::pow(-libm::log1p(-sought), 1.0 / float(shape))),
            Continuous::LogNormal { .. } | Continuous::Gamma { .. } => {
                let (mut low, mut high) = (0, last.ns());
                while low < high {
                    let middle = low + (high - low) / 2;
                    if law.distribution(middle as f64) < sought { low = middle + 1 } else { high = middle }
                }
                Span::from_ns(low)
            }
        };
        time.min(last)
    }
}

/// The regularised lower incomplete gamma function P(shape, x): its series for x < shape + 1, else Legendre's continued fraction of the rest by Lentz's
/// method (Abramowitz and Stegun, *Handbook of Mathematical Functions*, 1964, 6.5.29 and 6.5.31; Press et al., *Numerical
/// Recipes*, 3rd ed. 2007, 6.2).
fn gamma_below(shape: f64, x: f64) -> f64 {
    const TERMS: u32 = 10_000;
    const SMALL: f64 = 1e-300;
    if x <= 0.0 {
        return 0.0;
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let (mut term, mut sum) = (1.0 / shape, 1.0 / shape);
        for n in 1..=TERMS {
            term *= x / (shape + f64::from(n));
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return (front * sum).min(1.0);
    }
    let mut denominator = x + 1.0 - shape;
    let (mut above, mut below) = (1.0 / SMALL, 1.0 / denominator);
    let mut fraction = below;
    for n in 1..=TERMS {
        let numerator = -f64::from(n) * (f64::from(n) - shape);
        denominator += 2.0;
        below = 1.0 / (numerator * below + denominator);
        above = denominator + numerator / above;
        let factor = above * below;
        fraction *= factor;
        if (factor - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (1.0 - front * fraction).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RunSeed};

    const SECOND: Span = Span::from_s(1);

    fn laws() -> [Continuous; 6] {
        let (scale, shape) = (SECOND, Ratio::new(3, 2));
        [
            Continuous::Exponential { mean: SECOND },
            Continuous::Weibull { scale, shape },
            Continuous::Weibull { scale, shape: Ratio::new(1, 2) },
            Continuous::LogNormal { median: SECOND, sigma: Ratio::new(1, 2) },
            Continuous::Gamma { scale, shape },
            Continuous::Gamma { scale, shape: Ratio::new(1, 2) },
        ]
    }

    #[test]
    fn distribution_functions_are_those_of_the_tables() {
        // 1 − e⁻¹; the same; 1 − exp(−√2); Φ(ln 2 / 0.5) = Φ(1.386294); P(1.5, 1) and P(0.5, 2) as in Abramowitz and Stegun, table 26.7
        // (χ² of 2 with 3 degrees of freedom: 0.42759; of 4 with 1: 0.95450).
        let at = |law: usize, seconds: u64| laws()[law].below(Span::from_s(seconds)) as f64 / CERTAIN as f64;
        let known = [(0, 1, 0.632_120_56), (1, 1, 0.632_120_56), (2, 2, 0.756_883_3), (3, 2, 0.917_171_5)];
        for (law, seconds, value) in known.into_iter().chain([(4, 1, 0.427_593_3), (5, 2, 0.954_499_7)]) {
            assert!((at(law, seconds) - value).abs() < 1e-6, "{law}: {}", at(law, seconds));
        }
        // A second of a mean of 10⁹ s, to the last digit.
        let rare = Continuous::Exponential { mean: Span::from_s(1_000_000_000) };
        assert_eq!(rare.below(SECOND), 1_000_000_000, "10⁻⁹ − 10⁻¹⁸/2, rounded");
    }

    #[test]
    fn drawn_times_are_those_of_the_law_that_are_below_the_bound() {
        // Kolmogorov's statistic of 4000 draws against F(t) / F(bound): below 1.95 / √n with probability 0.999.
        for (i, law) in laws().into_iter().enumerate() {
            for bound in [Span::from_ms(300), Span::from_s(3)] {
                let mut stream =
                    RunSeed { seed: 5, replication: 0 }.stream(Purpose::Faults, u32::try_from(i).expect("few"));
                let mut times: Vec<f64> = (0..4000).map(|_| stream.time_within(law, bound).ns() as f64).collect();
                times.sort_by(f64::total_cmp);
                assert!(times[3999] < bound.ns() as f64);
                let all = law.distribution(bound.ns() as f64);
                let apart = times.iter().enumerate().map(|(k, t)| {
                    let f = law.distribution(*t) / all;
                    (f - k as f64 / 4000.0).abs().max((f - (k + 1) as f64 / 4000.0).abs())
                });
                let most = apart.fold(0.0, f64::max);
                assert!(most < 1.95 / 4000f64.sqrt(), "{law:?} within {bound}: {most}");
            }
        }
    }

    #[test]
    fn draws_are_golden() {
        let mut stream = RunSeed { seed: 1, replication: 0 }.stream(Purpose::Faults, 0);
        let drawn: Vec<u64> = laws().iter().map(|law| stream.time_within(*law, SECOND).ns()).collect();
        assert_eq!(drawn, GOLDEN);
    }

    const GOLDEN: [u64; 6] = [566_855_426, 107_511_879, 571_314_301, 978_778_388, 451_536_364, 31_339_013];
}
