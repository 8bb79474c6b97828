//! Rare failures: the chance that is known is computed, and only the rest is drawn.
//!
//! A fault time has the law F. Most runs of length T see no fault, and of n plain runs with few or no hits little is learnt. Instead
//! times are drawn from F conditioned on [0, T), of which the chance F(T) is known without a run, and the runs without a fault in
//! [0, T) are a stratum of their own, usually one deterministic run:
//!
//! P(event) = F(T) · P(event | fault before T) + (1 − F(T)) · P(event | none before T).
//!
//! This is stratified sampling (Asmussen and Glynn, Stochastic Simulation, 2007, section V.7; Owen, Monte Carlo Theory, Methods and
//! Examples, 2013, section 8.4). The first factor is F(T) of ten or a thousand, and so much narrower is the interval.

use super::{Interval, Proportion};

/// Weights of strata add up to 1 as near as this.
const WEIGHTS_ERROR: f64 = 1e-9;

/// A part of all that may happen, of known probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stratum {
    /// Runs drawn from within it, independent of those of other strata.
    Sampled {
        /// Its probability, from 0 to 1.
        weight: f64,
        /// Those of its runs that had the event.
        seen: Proportion,
    },
    /// The event's chance within it is known, as all of its runs are the same or by an argument.
    Known {
        /// Its probability, from 0 to 1.
        weight: f64,
        /// The chance of the event within it, from 0 to 1.
        chance: f64,
    },
}

impl Stratum {
    fn weight(&self) -> f64 {
        match self {
            Self::Sampled { weight, .. } | Self::Known { weight, .. } => *weight,
        }
    }
}

/// The probability of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Unbiased: the sum over the strata of weight · proportion.
    pub probability: f64,
    /// Has `probability` in it.
    pub interval: Interval,
}

/// The probability of an event over these strata, which are all that may happen.
///
/// The interval of one sampled stratum is weight · Clopper and Pearson's, and covers at least at the level. Of several, the distances
/// from estimate to limit are added as squares, below and above apart: MOVER (Zou and Donner, Construction of Confidence Limits about
/// Effect Measures, Statistics in Medicine 27, 2008; of strata by Yan and Su, Stratified Wilson and Newcombe
/// Confidence Intervals for Multiple Binomial Proportions, Statistics in Biopharmaceutical Research 2, 2010, whose limits
/// are Wilson's). Each stratum here has the wider limits of Clopper and Pearson: that is no guarantee, but of 108 settings of two and
/// three strata with 10, 25 or 60 runs each the worst coverage at level 0.95 is 0.947 (exact sums, in the tests).
///
/// `None` if a weight is below 0, the weights are not 1 together, or a stratum of some weight has no runs.
pub fn stratified(strata: &[Stratum], level: f64) -> Option<Estimate> {
    let all: f64 = strata.iter().map(Stratum::weight).sum();
    let sound = strata.iter().all(|stratum| stratum.weight() >= 0.0) && (all - 1.0).abs() <= WEIGHTS_ERROR;
    if !sound {
        return None;
    }
    let (mut known, mut parts) = (0.0, Vec::new());
    for stratum in strata.iter().filter(|stratum| stratum.weight() > 0.0) {
        match stratum {
            Stratum::Known { weight, chance } => {
                debug_assert!((0.0..=1.0).contains(chance), "a chance of {chance}");
                known += weight * chance;
            }
            Stratum::Sampled { weight, seen } => {
                parts.push(Part { weight: *weight, estimate: seen.estimate()?, limits: seen.clopper_pearson(level)? });
            }
        }
    }
    Some(together(known, &parts))
}

/// A sampled stratum with its own estimate and limits.
#[derive(Debug, Clone, Copy)]
struct Part {
    weight: f64,
    estimate: f64,
    limits: Interval,
}

/// MOVER, for a sum with weights.
fn together(known: f64, parts: &[Part]) -> Estimate {
    let squares = |distance: fn(&Part) -> f64| -> f64 {
        parts.iter().map(|part| part.weight * distance(part)).map(|weighted| weighted * weighted).sum()
    };
    let sampled: f64 = parts.iter().map(|part| part.weight * part.estimate).sum();
    let probability = (known + sampled).min(1.0);
    let low = probability - squares(|part| part.estimate - part.limits.low).sqrt();
    let high = probability + squares(|part| part.limits.high - part.estimate).sqrt();
    Estimate { probability, interval: Interval { low, high }.within(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::super::law::binomial_below;
    use super::super::synthetic::{Synthetic, close, ends};
    use super::*;

    fn sampled(weight: f64, hits: u64, n: u64) -> Stratum {
        Stratum::Sampled { weight, seen: Proportion { hits, n } }
    }

    #[test]
    fn one_stratum_is_scaled() {
        let exact = Proportion { hits: 15, n: 148 }.clopper_pearson(0.95).expect("runs");
        let found = stratified(&[sampled(0.01, 15, 148), Stratum::Known { weight: 0.99, chance: 0.5 }], 0.95);
        let found = found.expect("sound");
        close(found.probability, 0.495 + 0.01 * 15.0 / 148.0, 1e-15);
        ends(Some(found.interval), 0.495 + 0.01 * exact.low, 0.495 + 0.01 * exact.high, 1e-15);
        // With all of the weight it is the plain interval.
        ends(stratified(&[sampled(1.0, 15, 148)], 0.95).map(|e| e.interval), exact.low, exact.high, 1e-15);
    }

    /// Two strata by hand: 0 of 20 and 1 of 29 with limits of Newcombe 1998, table I: 0 to 0.1684 and 0.0009 to 0.1776.
    #[test]
    fn two_strata_add_squares() {
        let found = stratified(&[sampled(0.25, 0, 20), sampled(0.75, 1, 29)], 0.95).expect("sound");
        close(found.probability, 0.75 / 29.0, 1e-15);
        let above = 0.75 / 29.0 + (0.0421_f64.powi(2) + (0.75_f64 * (0.1776 - 1.0 / 29.0)).powi(2)).sqrt();
        ends(Some(found.interval), 0.75 * 0.0009, above, 1e-4);
    }

    #[test]
    fn unsound_strata() {
        assert_eq!(stratified(&[], 0.95), None);
        assert_eq!(stratified(&[sampled(0.5, 1, 10)], 0.95), None);
        assert_eq!(stratified(&[sampled(1.5, 1, 10), sampled(-0.5, 1, 10)], 0.95), None);
        assert_eq!(stratified(&[sampled(0.5, 1, 10), sampled(0.5, 0, 0)], 0.95), None);
        let empty =
            stratified(&[sampled(0.0, 0, 0), Stratum::Known { weight: 1.0, chance: 0.2 }], 0.95).expect("sound");
        assert_eq!(empty, Estimate { probability: 0.2, interval: Interval { low: 0.2, high: 0.2 } });
    }

    /// A fault of rate λ with λT = 0.01, drawn before T; fatal before T/2. The truth is 1 − exp(−λT/2).
    #[test]
    fn conditioned_runs_are_narrower_and_cover() {
        let (rate, n) = (0.01, 200);
        let truth = -libm::expm1(-rate / 2.0);
        let weight = -libm::expm1(-rate);
        let mut random = Synthetic::new(15);
        let (mut covered, mut ratio, mut mean) = (0.0, f64::INFINITY, 0.0);
        for _ in 0..1000 {
            // By inversion: F(t) = u F(T).
            let fatal = |random: &mut Synthetic| -libm::log1p(-random.uniform() * weight) / rate < 0.5;
            let hits = (0..n).filter(|_| fatal(&mut random)).count() as u64;
            let rest = Stratum::Known { weight: 1.0 - weight, chance: 0.0 };
            let found = stratified(&[sampled(weight, hits, n), rest], 0.95).expect("sound");
            let plain = Proportion { hits: random.hits(n, truth), n }.wilson(0.95).expect("runs");
            covered += f64::from(u8::from(found.interval.contains(truth))) / 1000.0;
            ratio = ratio.min(plain.half_width() / found.interval.half_width());
            mean += found.probability / 1000.0;
        }
        assert!((0.95..=0.98).contains(&covered), "{covered}");
        assert!(ratio >= 10.0, "{ratio}");
        close(mean / truth, 1.0, 0.01);
    }

    /// Every fault before T is fatal: the interval ends in the truth, 1 − exp(−λT).
    #[test]
    fn every_conditioned_run_is_hit() {
        let (weight, n) = (-libm::expm1(-0.01), 200);
        let strata = [sampled(weight, n, n), Stratum::Known { weight: 1.0 - weight, chance: 0.0 }];
        let found = stratified(&strata, 0.95).expect("sound");
        let plain = Proportion { hits: 0, n }.wilson(0.95).expect("runs");
        assert!(found.interval.contains(weight) && plain.half_width() > 10.0 * found.interval.half_width());
    }

    /// Exact coverage of two and three strata by sums over all outcomes.
    #[test]
    fn several_strata_cover() {
        let mut worst: (f64, String) = (1.0, String::new());
        for weights in [[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.01, 0.99, 0.0], [0.2, 0.3, 0.5]] {
            for n in [10, 25, 60] {
                for chances in CHANCES {
                    let found = exact_coverage(weights, n, chances);
                    if found < worst.0 {
                        worst = (found, format!("{weights:?} {n} {chances:?}"));
                    }
                }
            }
        }
        assert!(worst.0 >= 0.947, "{worst:?}");
    }
    const CHANCES: [[f64; 3]; 9] = [
        [0.01, 0.01, 0.01],
        [0.01, 0.1, 0.5],
        [0.1, 0.01, 0.02],
        [0.1, 0.1, 0.1],
        [0.5, 0.5, 0.5],
        [0.5, 0.05, 0.9],
        [0.9, 0.02, 0.2],
        [0.3, 0.7, 0.5],
        [0.99, 0.03, 0.001],
    ];

    fn exact_coverage(weights: [f64; 3], n: u64, chances: [f64; 3]) -> f64 {
        let truth: f64 = weights.iter().zip(chances).map(|(w, p)| w * p).sum();
        // Of each stratum every outcome: its chance, and what is made of it.
        let outcomes = |weight: f64, p: f64| -> Vec<(f64, Part)> {
            let runs = if weight > 0.0 { n } else { 1 };
            let outcome = |hits: u64| {
                let seen = Proportion { hits, n: runs };
                let (estimate, limits) = (seen.estimate().expect("runs"), seen.clopper_pearson(0.95).expect("runs"));
                let below = |hits: u64| binomial_below(hits, runs, p);
                let chance = below(hits) - if hits > 0 { below(hits - 1) } else { 0.0 };
                (chance, Part { weight, estimate, limits })
            };
            (0..=runs).map(outcome).collect()
        };
        let [first, second, third] = [0, 1, 2].map(|i| outcomes(weights[i], chances[i]));
        let mut covered = 0.0;
        for (one, a) in &first {
            for (two, b) in &second {
                for (three, c) in &third {
                    let found = together(0.0, &[*a, *b, *c]);
                    covered += if found.interval.contains(truth) { one * two * three } else { 0.0 };
                }
            }
        }
        covered
    }
}
