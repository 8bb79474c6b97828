//! From a low to a high end.

/// Both ends are in it; in the unit of what it is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end, not below the lower.
    pub high: f64,
}

impl Interval {
    pub(super) fn around(centre: f64, half: f64) -> Self {
        Self { low: centre - half, high: centre + half }
    }

    /// Cut to what is possible.
    pub(super) fn within(self, low: f64, high: f64) -> Self {
        Self { low: self.low.max(low), high: self.high.min(high) }
    }

    /// Half of the way from end to end.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Whether this number is in it.
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_belong_to_it() {
        let interval = Interval { low: -1.0, high: 3.0 };
        assert!((interval.half_width() - 2.0).abs() < f64::EPSILON);
        assert!([-1.0, 0.0, 3.0].iter().all(|x| interval.contains(*x)));
        assert!(!interval.contains(-1.000_001) && !interval.contains(3.000_001));
        assert_eq!(Interval::around(1.0, 2.0), interval);
        assert_eq!(interval.within(0.0, 1.0), Interval { low: 0.0, high: 1.0 });
    }
}
