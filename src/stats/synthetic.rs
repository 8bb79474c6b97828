//! Numbers of known laws, for tests: `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014) and transforms.

use super::{Interval, Sample};

pub(super) struct Synthetic(u64);

impl Synthetic {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `limit`; the bias of 2⁻⁶⁴ · limit does not matter here.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// On (0, 1].
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / 9_007_199_254_740_992.0
    }

    pub fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    pub fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() <= p
    }

    pub fn hits(&mut self, n: u64, p: f64) -> u64 {
        (0..n).filter(|_| self.chance(p)).count() as u64
    }

    pub fn normals(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.normal()).collect()
    }

    pub fn sample(&mut self, n: usize) -> Sample {
        Sample::new(self.normals(n))
    }
}

/// Share of the repetitions whose interval has the true value in it.
pub(super) fn coverage(repetitions: u32, truth: f64, mut interval: impl FnMut() -> Option<Interval>) -> f64 {
    let covered = (0..repetitions).filter(|_| interval().is_some_and(|found| found.contains(truth)));
    covered.count() as f64 / f64::from(repetitions)
}

pub(super) fn close(found: f64, known: f64, absolute: f64) {
    assert!((found - known).abs() <= absolute, "{found} for {known}");
}

pub(super) fn ends(found: Option<Interval>, low: f64, high: f64, absolute: f64) {
    let found = found.expect("an interval");
    assert!((found.low - low).abs() <= absolute && (found.high - high).abs() <= absolute, "{found:?} for {low} {high}");
}
