//! Continuous laws of times, as whole nanoseconds.
//!
//! Each is a transform of its own, with `libm`, of uniform bits: what a library of laws draws may change with what else is linked.
//! The first draws of each are golden, and each is compared with its distribution function.
//!
//! | law | transform |
//! |---|---|
//! | exponential, Weibull | inversion: −ln u, and its power 1/shape |
//! | normal | Box and Muller, Annals of Mathematical Statistics 29(2), 1958: √(−2 ln u) · cos 2πv |
//! | log-normal | exp(σ · normal) |
//! | gamma | Marsaglia and Tsang, ACM TOMS 26(3), 2000; for shapes below 1 that of shape + 1, times u^(1/shape) |
//! | uniform, empirical | whole numbers, without floats |
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "laws are floats, and become integers here"
)]

use super::{Stream, float};
use crate::units::{Ratio, Span};

impl Stream {
    /// Uniform on (0, 1], in steps of 2⁻⁵³.
    pub(super) fn open_uniform(&mut self) -> f64 {
        /// 2⁻⁵³.
        const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;
        ((self.bits() >> 11) + 1) as f64 * UNIT
    }

    /// Exponential with mean 1.
    fn unit_exponential(&mut self) -> f64 {
        -libm::log(self.open_uniform())
    }

    /// Normal with mean 0 and variance 1; two words.
    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(2.0 * self.unit_exponential());
        radius * libm::cos(std::f64::consts::TAU * self.open_uniform())
    }

    /// Gamma with scale 1.
    fn unit_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let power = libm::pow(self.open_uniform(), 1.0 / shape);
            return self.unit_gamma(shape + 1.0) * power;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let cube = v * v * v;
            if -self.unit_exponential() < 0.5 * x * x + d * (1.0 - cube + libm::log(cube)) {
                return d * cube;
            }
        }
    }

    /// Exponential.
    pub fn exponential_time(&mut self, mean: Span) -> Span {
        times(mean, self.unit_exponential())
    }

    /// Weibull: P(later than t) = exp(−(t / scale)^shape).
    pub fn weibull_time(&mut self, scale: Span, shape: Ratio) -> Span {
        times(scale, libm::pow(self.unit_exponential(), 1.0 / float(shape)))
    }

    /// Log-normal; `sigma` is the standard deviation of the logarithm.
    pub fn log_normal_time(&mut self, median: Span, sigma: Ratio) -> Span {
        times(median, libm::exp(float(sigma) * self.normal()))
    }

    /// Gamma with mean scale · shape.
    pub fn gamma_time(&mut self, scale: Span, shape: Ratio) -> Span {
        times(scale, self.unit_gamma(float(shape)))
    }

    /// Uniform on the whole nanoseconds from `from` to `to`, both included.
    pub fn uniform_time(&mut self, from: Span, to: Span) -> Span {
        let width = to.saturating_sub(from).ns().saturating_add(1);
        from.saturating_add(Span::from_ns(self.below(width)))
    }

    /// One of these, each alike.
    pub fn one_of(&mut self, times: &[Span]) -> Span {
        let index = self.below(times.len() as u64);
        times[usize::try_from(index).expect("an index of a slice")]
    }
}

pub(super) fn times(unit: Span, factor: f64) -> Span {
    let ns = unit.ns() as f64 * factor + 0.5;
    if ns < Span::LONGEST.ns() as f64 { Span::from_ns(ns as u64) } else { Span::LONGEST }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RunSeed};

    const SECOND: Span = Span::from_s(1);

    fn stream(entity: u32) -> Stream {
        RunSeed { seed: 1, replication: 0 }.stream(Purpose::Faults, entity)
    }

    type Draw = fn(&mut Stream) -> Span;
    type Below = fn(f64) -> f64;

    fn normal_below(x: f64) -> f64 {
        0.5 * (1.0 + libm::erf(x / std::f64::consts::SQRT_2))
    }

    /// Each law with P(not later than t seconds).
    const LAWS: [(&str, Draw, Below); 7] = [
        ("exponential", |s| s.exponential_time(SECOND), |t| 1.0 - libm::exp(-t)),
        ("weibull, wear", |s| s.weibull_time(SECOND, Ratio::new(3, 2)), |t| 1.0 - libm::exp(-libm::pow(t, 1.5))),
        ("weibull, early", |s| s.weibull_time(SECOND, Ratio::new(1, 2)), |t| 1.0 - libm::exp(-libm::sqrt(t))),
        ("log-normal", |s| s.log_normal_time(SECOND, Ratio::new(3, 4)), |t| normal_below(libm::log(t) / 0.75)),
        ("gamma of 2", |s| s.gamma_time(SECOND, Ratio::new(2, 1)), |t| 1.0 - libm::exp(-t) * (1.0 + t)),
        ("gamma of 1/2", |s| s.gamma_time(SECOND, Ratio::new(1, 2)), |t| libm::erf(libm::sqrt(t))),
        ("uniform", |s| s.uniform_time(SECOND, Span::from_s(3)), |t| (t - 1.0) / 2.0),
    ];

    #[test]
    fn laws_are_golden() {
        let first: Vec<u64> = LAWS.iter().map(|(_, draw, _)| draw(&mut stream(0)).ns()).collect();
        assert_eq!(first, GOLDEN);
        let sample = [7, 1, 5].map(Span::from_s);
        let mut stream = stream(0);
        let drawn: Vec<u64> = (0..6).map(|_| stream.one_of(&sample).ns() / SECOND.ns()).collect();
        assert_eq!(drawn, GOLDEN_SAMPLE);
    }

    /// Kolmogorov and Smirnov: with 20 000 draws the distance is above 2.7 / √n with probability 2 exp(−2 · 2.7²) < 1e-6.
    #[test]
    fn laws_have_their_distribution() {
        const DRAWS: u32 = 20_000;
        for (entity, (name, draw, below)) in (100..).zip(LAWS) {
            let mut stream = stream(entity);
            let mut drawn: Vec<f64> = (0..DRAWS).map(|_| draw(&mut stream).ns() as f64 / 1e9).collect();
            drawn.sort_by(f64::total_cmp);
            let n = f64::from(DRAWS);
            let distance = |(i, &t): (usize, &f64)| {
                let here = below(t);
                (here - i as f64 / n).abs().max((here - (i + 1) as f64 / n).abs())
            };
            let largest = drawn.iter().enumerate().map(distance).fold(0.0, f64::max);
            assert!(largest < 2.7 / libm::sqrt(n), "{name}: {largest}");
        }
    }

    /// Chi-squared of three equal classes, two degrees of freedom: above 27.6 with probability exp(−13.8) = 1e-6.
    #[test]
    fn a_sample_is_drawn_from_evenly() {
        let mut stream = stream(7);
        let sample = [0, 1, 2].map(Span::from_s);
        let mut counts = [0u64; 3];
        for _ in 0..30_000 {
            counts[usize::try_from(stream.one_of(&sample).ns() / SECOND.ns()).expect("small")] += 1;
        }
        let squares: u64 = counts.iter().map(|count| count.abs_diff(10_000).pow(2)).sum();
        assert!(squares < 276_000, "{counts:?}");
    }

    #[test]
    fn extreme_parameters_give_times() {
        for entity in 0..50 {
            let mut stream = stream(entity);
            let endless = stream.weibull_time(Span::from_ns(u64::MAX), Ratio::new(1, 1000));
            assert!(endless <= Span::LONGEST);
            assert!(stream.gamma_time(SECOND, Ratio::new(1, 100)).ns() < u64::MAX);
            assert_eq!(stream.uniform_time(SECOND, SECOND), SECOND);
            stream.uniform_time(Span::ZERO, Span::from_ns(u64::MAX));
        }
    }

    const GOLDEN: [u64; 7] =
        [379_050_680, 523_759_026, 143_679_418, 1_849_090_943, 2_964_460_549, 1_483_434_672, 2_369_021_841];
    const GOLDEN_SAMPLE: [u64; 6] = [5, 7, 5, 5, 1, 7];
}
