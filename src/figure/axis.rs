//! One axis: from where to where, with which marks, called what.

use super::number::{Shown, plain, unit, with_unit};
use super::point::X;
use crate::scenario::figure::{Labelled, Scale};

/// An axis. Positions on it are linear: logarithms are taken here.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// Both ends, as positions.
    pub ends: (f64, f64),
    /// Positions with their texts.
    pub ticks: Vec<(f64, String)>,
    /// What stands beside it, with the unit.
    pub name: String,
    shown: Shown,
    pub scale: Scale,
}

/// What is asked of an axis of quantities.
pub(super) struct Range<'a> {
    /// How it is called and divided.
    pub labelled: &'a Labelled,
    /// The unit of the values.
    pub basic: &'a str,
    /// The least and the greatest value.
    pub least: f64,
    pub most: f64,
    /// Whether it begins and ends at marks, with room above, as an axis from bottom to top does.
    pub upright: bool,
}

impl Axis {
    /// An axis of quantities.
    pub fn of(range: &Range<'_>) -> Self {
        let Range { labelled, basic, least, most, upright } = range;
        let shown = unit(basic, *most);
        let (least, most) = (least * shown.factor, most * shown.factor);
        let (ends, ticks) = match labelled.scale {
            Scale::Linear => linear(least, most, *upright),
            Scale::Log => logarithmic(least, most, if *upright { 1.5 } else { 1.25 }),
        };
        // A share is at most the whole; a line there must not lie on the frame.
        let whole = *basic == "1" && most <= 100.0 && ends.1 > 100.0 && labelled.scale == Scale::Linear;
        let ends = if whole { (ends.0, 104.0) } else { ends };
        let ticks = ticks
            .into_iter()
            .filter(|tick| !whole || *tick <= 100.0)
            .map(|tick| (position(tick, labelled.scale), plain(tick)))
            .collect();
        let ends = (position(ends.0, labelled.scale), position(ends.1, labelled.scale));
        Self { ends, ticks, name: with_unit(&labelled.label, shown.name), shown, scale: labelled.scale }
    }

    /// An axis of time from edge to edge.
    pub fn exactly(labelled: &Labelled, least: f64, most: f64) -> Self {
        let axis = Self::of(&Range { labelled, basic: "s", least, most, upright: false });
        let ends = (least * axis.shown.factor, most * axis.shown.factor);
        let ticks = axis.ticks.iter().filter(|tick| ends.0 <= tick.0 && tick.0 <= ends.1).cloned().collect();
        Self { ends, ticks, ..axis }
    }

    /// An axis of values without an order, or of which each has a part of length 1 all the same; marks are in the middle of a part.
    pub fn parts(label: &str, places: &[X]) -> Self {
        let quantity = places.iter().find_map(|place| match place {
            X::At(_, unit) => Some(unit.as_str()),
            X::Named(_) => None,
        });
        let most = places.iter().filter_map(X::number).fold(0.0, f64::max);
        let shown = quantity.map_or(Shown { factor: 1.0, name: "" }, |basic| unit(basic, most));
        let text = |place: &X| match place {
            X::At(x, _) => plain(x * shown.factor),
            X::Named(name) => name.clone(),
        };
        let ticks = places.iter().enumerate().map(|(i, place)| (i as f64 + 0.5, text(place))).collect();
        let ends = (0.0, places.len() as f64);
        Self { ends, ticks, name: with_unit(label, shown.name), shown, scale: Scale::Linear }
    }

    /// With as many marks as have room, each so wide, and of what is possible those with the shortest texts.
    #[must_use]
    pub fn thinned(mut self, wide: f64, room: f64) -> Self {
        let least = (wide * self.ticks.len() as f64 / room.max(1.0)).ceil().max(1.0) as usize;
        let longest = |step: &usize| self.ticks.iter().step_by(*step).map(|tick| tick.1.len()).max();
        let most = if least == 1 { 1 } else { least * 2 };
        let step = (least..=most).min_by_key(longest).unwrap_or(least);
        self.ticks = self.ticks.into_iter().step_by(step).collect();
        self
    }

    /// Where a value in the basic unit is; what cannot be on a logarithmic axis is at its lower end.
    pub fn at(&self, value: f64) -> f64 {
        let shown = value * self.shown.factor;
        if self.scale == Scale::Log && shown <= 0.0 {
            return self.ends.0;
        }
        position(shown, self.scale).clamp(self.ends.0, self.ends.1)
    }
}

fn position(shown: f64, scale: Scale) -> f64 {
    match scale {
        Scale::Linear => shown,
        Scale::Log => libm::log10(shown.max(f64::MIN_POSITIVE)),
    }
}

/// Ends and marks in steps of 1, 2 or 5 times a power of ten. An upright axis begins at zero.
fn linear(least: f64, most: f64, upright: bool) -> ((f64, f64), Vec<f64>) {
    let from = if upright || least < 0.35 * most { least.min(0.0) } else { least };
    let most = if most > from { most } else { from + 1.0 };
    let rough = (most - from) / 5.0;
    let power = libm::pow(10.0, rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * power).find(|step| *step >= rough).unwrap_or(power);
    let first = (from / step).floor() * step;
    let (from, to) = if upright {
        // Head-room for a line at the greatest value.
        (first, ((most * 1.04) / step).ceil() * step)
    } else {
        let pad = (most - from) * 0.04;
        (if from.abs() < 1e-12 { 0.0 } else { from - pad }, most + pad)
    };
    let count = ((to - first) / step).round() as usize;
    let ticks = (0..=count).map(|i| first + i as f64 * step).filter(|tick| *tick >= from - 1e-9 * step);
    ((from, to), ticks.filter(|tick| *tick <= to + 1e-9 * step).collect())
}

/// Ends a little beyond the values, and marks at powers of ten, with twice and five times that where they are few.
fn logarithmic(least: f64, most: f64, beyond: f64) -> ((f64, f64), Vec<f64>) {
    let most = if most > 0.0 { most } else { 1.0 };
    let least = if least > 0.0 { least.min(most) } else { most / 1e3 };
    let (from, to) = (least / beyond, most * beyond);
    let powers = || (-12..=15).map(|power| libm::pow(10.0, f64::from(power)));
    let within = |steps: &[f64]| -> Vec<f64> {
        let all = powers().flat_map(|power| steps.iter().map(move |step| power * step).collect::<Vec<f64>>());
        all.filter(|tick| (from..=to).contains(tick)).collect()
    };
    let ticks = if to / from > 300.0 { within(&[1.0]) } else { within(&[1.0, 2.0, 5.0]) };
    ((from, to), ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(scale: Scale, basic: &str, least: f64, most: f64, upright: bool) -> Axis {
        let labelled = Labelled { label: "q".into(), scale };
        Axis::of(&Range { labelled: &labelled, basic, least, most, upright })
    }

    #[test]
    fn marks_are_round_and_values_lie_between_the_ends() {
        let cases = [
            (Scale::Linear, "s", 21.1, 57.1, true, "q [s]", vec!["0", "20", "40", "60"]),
            (Scale::Linear, "1", 0.0, 1.0, true, "q [%]", vec!["0", "20", "40", "60", "80", "100"]),
            (
                Scale::Linear,
                "B",
                1_073_741_824.0,
                5.0 * 1_073_741_824.0,
                false,
                "q [GiB]",
                vec!["0", "1", "2", "3", "4", "5"],
            ),
            (Scale::Log, "s", 1e-4, 0.1, false, "q [ms]", vec!["0.1", "1", "10", "100"]),
            (Scale::Log, "", 1.0, 8.0, false, "q", vec!["1", "2", "5", "10"]),
        ];
        for (scale, basic, least, most, upright, name, ticks) in cases {
            let axis = axis(scale, basic, least, most, upright);
            let texts: Vec<&str> = axis.ticks.iter().map(|tick| tick.1.as_str()).collect();
            assert_eq!((axis.name.as_str(), texts), (name, ticks));
            for value in [least, most] {
                let at = axis.at(value);
                assert!(axis.ends.0 <= at && at <= axis.ends.1, "{value} at {at} of {:?}", axis.ends);
            }
        }
    }

    #[test]
    fn what_is_not_above_zero_is_at_the_end_of_a_logarithmic_axis() {
        let axis = axis(Scale::Log, "1", 0.001, 0.5, false);
        assert_eq!(axis.at(0.0).total_cmp(&axis.ends.0), std::cmp::Ordering::Equal);
    }
}
