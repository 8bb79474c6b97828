//! Keyed random streams: every purpose and entity has its own, so that a change of policy leaves the draws
//! of workload, network and faults untouched (common random numbers).
//!
//! The generator is `ChaCha8` (portable by specification). The *seed* of a run is (seed, replication); the
//! *stream* is (purpose, entity). A swept parameter touches neither. Every law below is a published contract:
//! its first draws are golden (see the tests), and changing one is a *reproducibility-breaking change*.
//!
//! Floats live here and nowhere else in the core; they become integers in the function that draws them, and
//! transcendental functions come from `libm`, whose bits do not depend on what else is linked.

mod law;
pub mod within;

use std::hash::{Hash, Hasher};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::units::Ratio;

/// What a stream is for. The number is part of the contract: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// Writes of a page class: gaps and pages (entity: class).
    Writes = 1,
    /// Which guest page a class's k-th page is (entity: VM).
    Layout = 2,
    /// Emission of output (entity: VM).
    Output = 3,
    /// Jitter, loss and duplication on a path (entity: path).
    Network = 4,
    /// Reads of a page class where pages are missing: gaps and pages (entity: class).
    Reads = 5,
    /// When a fault strikes that is drawn from a law (entity: the fault's index).
    Faults = 6,
    /// Writes to the disk: gaps and blocks (entity: VM).
    Disk = 7,
    /// What a random trial of a check tries (entity: its number).
    Trials = 8,
    /// Which settings a resample of a calibration has (entity: 0).
    Resamples = 9,
    /// Where the points of a design lie (entity: the axes that go together).
    Design = 10,
}

/// Names one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is for.
    pub purpose: Purpose,
    /// Which thing of that kind.
    pub entity: u32,
}

/// Seeds all streams of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunSeed {
    /// The scenario's or sweep's seed.
    pub seed: u64,
    /// Which repetition.
    pub replication: u64,
}

/// Domain separation: the last 16 bytes of every `ChaCha` key.
const DOMAIN: &[u8; 16] = b"midflight/run/v1";

impl RunSeed {
    /// The stream of a key, at its beginning.
    pub fn stream(self, purpose: Purpose, entity: u32) -> Stream {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.replication.to_le_bytes());
        bytes[16..].copy_from_slice(DOMAIN);
        let mut rng = ChaCha8Rng::from_seed(bytes);
        rng.set_stream(u64::from(purpose as u32) << 32 | u64::from(entity));
        Stream { rng, key: Key { purpose, entity }, draws: 0 }
    }
}

/// One random stream and how far it has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    rng: ChaCha8Rng,
    key: Key,
    draws: u64,
}

/// The position determines the state, so it is all that needs hashing.
impl Hash for Stream {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
        self.draws.hash(state);
    }
}

/// Fraction bits of [`Stream::exponential`].
pub const EXP_BITS: u32 = 40;

impl Stream {
    /// 64 uniform bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.draws += 1;
        self.rng.next_u64()
    }

    /// Words drawn so far.
    pub fn draws(&self) -> u64 {
        self.draws
    }

    /// Uniform on 0‥n, without bias (Lemire's widening multiplication with rejection, TOMACS 2019).
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of a product of 128 bits")]
    pub fn below(&mut self, n: u64) -> u64 {
        debug_assert!(n > 0, "nothing to choose from");
        let mut product = u128::from(self.bits()) * u128::from(n);
        if (product as u64) < n {
            let least = n.wrapping_neg() % n;
            while (product as u64) < least {
                product = u128::from(self.bits()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// True with probability `ratio`, exactly. Draws nothing when the answer is certain.
    pub fn chance(&mut self, ratio: Ratio) -> bool {
        if ratio.num() == 0 {
            return false;
        }
        ratio.num() >= ratio.den() || self.below(ratio.den()) < ratio.num()
    }

    /// Exponential of mean 1 by inversion, −ln U with U uniform on (0, 1], as a fixed-point number with
    /// [`EXP_BITS`] fraction bits.
    #[inline]
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    pub fn exponential(&mut self) -> u64 {
        /// 2⁻⁵³.
        const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;
        /// `2^EXP_BITS`.
        const SCALE: f64 = 1_099_511_627_776.0;
        let uniform = ((self.bits() >> 11) + 1) as f64 * UNIT;
        (-libm::log(uniform) * SCALE + 0.5) as u64
    }
}

/// A ratio as statistics and laws count with it.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss)]
pub fn float(ratio: Ratio) -> f64 {
    ratio.num() as f64 / ratio.den() as f64
}

/// `weight(rank) = rank^-exponent` summed over ranks `from..to` (1-based, half-open), in units of 2⁻³⁰ of the
/// weight of rank 1: the integer weights of a Zipf law. Wide ranges use the midpoint rule in 64 steps; in a range that is
/// a quarter wider than what lies before it, its relative error is below s(s+1)/24 · (1/256)².
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
pub fn zipf_weight(exponent: Ratio, from: u64, to: u64) -> u64 {
    /// Ranges up to this width are summed term by term.
    const EXACT_WIDTH: u64 = 1024;
    const STEPS: u64 = 64;
    let s = float(exponent);
    let term = |rank: f64| libm::pow(rank, -s);
    let sum = if to - from <= EXACT_WIDTH {
        (from..to).map(|rank| term(rank as f64)).fold(0.0, |a, b| a + b)
    } else {
        let step = (to - from) as f64 / STEPS as f64;
        (0..STEPS).map(|i| step * term(from as f64 - 0.5 + (i as f64 + 0.5) * step)).fold(0.0, |a, b| a + b)
    };
    (sum * f64::from(1 << 30) + 0.5) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunSeed = RunSeed { seed: 1, replication: 0 };

    #[test]
    fn streams_are_golden() {
        let first = |purpose, entity| RUN.stream(purpose, entity).bits();
        assert_eq!(
            [
                first(Purpose::Writes, 0),
                first(Purpose::Writes, 1),
                first(Purpose::Layout, 0),
                first(Purpose::Network, 7)
            ],
            GOLDEN_FIRST
        );
        let other = RunSeed { seed: 1, replication: 1 };
        assert_ne!(other.stream(Purpose::Writes, 0).bits(), first(Purpose::Writes, 0));
    }

    #[test]
    fn laws_are_golden() {
        let mut stream = RUN.stream(Purpose::Writes, 0);
        let exponential: Vec<u64> = (0..4).map(|_| stream.exponential()).collect();
        assert_eq!(exponential, GOLDEN_EXPONENTIAL);
        let below: Vec<u64> = (0..4).map(|_| stream.below(1_000_003)).collect();
        assert_eq!(below, GOLDEN_BELOW);
        let chance: Vec<bool> = (0..8).map(|_| stream.chance(Ratio::new(1, 3))).collect();
        assert_eq!(chance, GOLDEN_CHANCE);
        assert_eq!(zipf_weight(Ratio::new(99, 100), 1, 2), 1 << 30);
        assert_eq!(zipf_weight(Ratio::new(99, 100), 1000, 5000), GOLDEN_ZIPF);
    }

    #[test]
    fn exponential_has_mean_and_variance_one() {
        // 200 000 draws, fixed seed: |mean − 1| < 4.5 σ/√n = 0.0101 at error level 7e-6.
        let mut stream = RUN.stream(Purpose::Output, 0);
        let n = 200_000u128;
        let sum: u128 = (0..n).map(|_| u128::from(stream.exponential())).sum();
        let mean_ppm = (sum * 1_000_000 / n) >> EXP_BITS;
        assert!(mean_ppm.abs_diff(1_000_000) < 10_100, "mean {mean_ppm} ppm");
    }

    #[test]
    fn midpoint_sum_is_close_to_the_terms() {
        for s in [Ratio::new(1, 2), Ratio::new(99, 100), Ratio::new(3, 2)] {
            let terms: u64 = (2000..4000).map(|r| zipf_weight(s, r, r + 1)).sum();
            let midpoint = zipf_weight(s, 2000, 4000);
            let ppm = terms.abs_diff(midpoint) * 1_000_000 / terms;
            assert!(ppm < 100, "{s}: {terms} {midpoint}");
        }
    }

    const GOLDEN_FIRST: [u64; 4] =
        [3_412_741_256_162_170_666, 18_180_790_979_550_666_583, 5_816_915_422_511_593_099, 10_527_976_981_821_266_900];
    const GOLDEN_EXPONENTIAL: [u64; 4] = [1_855_285_163_141, 1_202_780_752_566, 372_509_505_095, 576_996_160_700];
    const GOLDEN_BELOW: [u64; 4] = [931_537, 269_635, 378_410, 613_898];
    const GOLDEN_CHANCE: [bool; 8] = [false, true, true, false, false, false, false, false];
    const GOLDEN_ZIPF: u64 = 1_866_976_736;
}
