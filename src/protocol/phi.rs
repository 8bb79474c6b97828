//! Phi-accrual: how long a silence is still plausible, given the intervals between the answers so far.
//!
//! Hayashibara, Défago, Yared and Katayama, *The φ accrual failure detector*, SRDS 2004: with F the distribution of the intervals,
//! taken as normal with the mean and the variance of the last ones, φ(t) = −log₁₀(1 − F(t)) for a silence of t, and the
//! peer is suspect when φ reaches a threshold. That is the case exactly when the silence reaches
//!
//! ```text
//! mean + z(threshold) · deviation,   z(φ) = Φ⁻¹(1 − 10^−φ)
//! ```
//!
//! which is what is computed here, in integers: z is a table, the deviation a whole root. As in Akka's detector, a deviation is
//! not taken for less than a minimum, and the window begins with two intervals that no answer has made: a quarter less and a
//! quarter more than the period.

use std::collections::VecDeque;

use crate::scenario::policy::Phi;
use crate::units::{LocalTime, Span};

/// z(φ) for φ = 1, 2, … in millionths: the quantiles of the standard normal law at 1 − 10^−φ.
const QUANTILES: [u64; 16] = [
    1_281_552, 2_326_348, 3_090_232, 3_719_016, 4_264_891, 4_753_424, 5_199_338, 5_612_001, 5_997_807, 6_361_341,
    6_706_023, 7_034_484, 7_348_796, 7_650_628, 7_941_345, 8_222_082,
];
const MILLION: u64 = 1_000_000;

/// The intervals between the last answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Intervals {
    phi: Phi,
    window: VecDeque<Span>,
    last: Option<LocalTime>,
}

impl Intervals {
    pub(super) fn new(phi: Phi, period: Span) -> Self {
        let quarter = period.ns() / 4;
        let first = [period.ns() - quarter, period.ns().saturating_add(quarter)].map(Span::from_ns);
        let mut intervals = Self { phi, window: VecDeque::new(), last: None };
        for interval in first {
            intervals.keep(interval);
        }
        intervals
    }

    /// Pings begin, or begin again: the silence before was none.
    pub(super) fn start(&mut self) {
        self.last = None;
    }

    /// An answer came.
    pub(super) fn answered(&mut self, now: LocalTime) {
        if let Some(last) = self.last.replace(now) {
            self.keep(now.since(last));
        }
    }

    fn keep(&mut self, interval: Span) {
        self.window.push_back(interval);
        while self.window.len() as u64 > self.phi.window {
            self.window.pop_front();
        }
    }

    /// The silence that makes the peer suspect.
    pub(super) fn threshold(&self) -> Span {
        let count = (self.window.len() as u128).max(1);
        let all = || self.window.iter().map(|interval| u128::from(interval.ns()));
        let sum: u128 = all().sum();
        let mean = sum / count;
        let squares: u128 = all().map(|ns| ns.abs_diff(mean).saturating_pow(2)).fold(0, u128::saturating_add);
        let deviation = (squares / count).isqrt().max(u128::from(self.phi.min_deviation.ns()));
        let index = usize::try_from(self.phi.threshold - 1).expect("a threshold of the table");
        let beyond = deviation.saturating_mul(u128::from(QUANTILES[index])) / u128::from(MILLION);
        Span::from_ns(u64::try_from(mean.saturating_add(beyond)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phi(threshold: u64, window: u64, min_deviation: Span) -> Phi {
        Phi { threshold, window, min_deviation }
    }

    fn after(phi: Phi, intervals: &[u64]) -> u64 {
        let mut seen = Intervals::new(phi, Span::from_ms(100));
        let mut now = 0;
        seen.answered(LocalTime::from_ns(now));
        for ms in intervals {
            now += ms * MILLION;
            seen.answered(LocalTime::from_ns(now));
        }
        seen.threshold().ns()
    }

    #[test]
    fn the_threshold_is_mean_and_deviations_by_hand() {
        // Only 75 ms and 125 ms: mean 100 ms, deviation 25 ms; z(8) = 5.612001.
        assert_eq!(after(phi(8, 100, Span::ZERO), &[]), 240_300_025);
        // A window of 2 forgets them: 100, 100, so the minimum counts; z(1) = 1.281552.
        assert_eq!(after(phi(1, 2, Span::from_ms(10)), &[100, 100]), 112_815_520);
        // 80, 120: deviation 20 ms; z(16) = 8.222082.
        assert_eq!(after(phi(16, 2, Span::from_ms(10)), &[7, 80, 120]), 264_441_640);
    }

    #[test]
    fn a_silence_before_pings_begin_is_none() {
        let mut seen = Intervals::new(phi(1, 2, Span::ZERO), Span::from_ms(100));
        seen.answered(LocalTime::from_ns(5));
        seen.start();
        let before = seen.threshold();
        seen.answered(LocalTime::from_ns(900 * MILLION));
        assert_eq!(seen.threshold(), before);
    }

    #[test]
    fn extreme_intervals_do_not_overflow() {
        let mut seen = Intervals::new(phi(16, 10_000, Span::ZERO), Span::LONGEST);
        seen.answered(LocalTime::from_ns(0));
        seen.answered(LocalTime::from_ns(u64::MAX));
        assert!(seen.threshold() > Span::LONGEST);
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "the law itself is one of floats")]
    fn quantiles_are_those_of_the_normal_law() {
        for (phi, quantile) in (1..).zip(QUANTILES) {
            let beyond = libm::erfc(quantile as f64 / 1e6 / std::f64::consts::SQRT_2) / 2.0;
            let ratio = beyond * libm::pow(10.0, f64::from(phi));
            assert!((ratio - 1.0).abs() < 1e-5, "phi {phi}: {ratio}");
        }
    }
}
