//! What a figure says, with its numbers, and whether they are as expected.

use super::number::{plain, unit, with_interval};
use super::point::{Point, outside};
use crate::rng::float;
use crate::scenario::figure::{Claim, Expected, Figure, Number, Place, Plot, Spot};
use crate::scenario::published::ParameterKind;
use crate::units::Ratio;

/// A claim with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownClaim {
    /// The sentence with its numbers.
    pub text: String,
    /// What is expected of them, in order: the number and how near it must come; absent where nothing is.
    pub expected: Vec<String>,
    /// What is not as expected.
    pub broken: Vec<String>,
}

/// The claims of a figure on its points.
pub fn shown_claims(figure: &Figure, points: &[Point]) -> Vec<ShownClaim> {
    figure.claims.iter().map(|claim| shown(figure, claim, points)).collect()
}

fn shown(figure: &Figure, claim: &Claim, points: &[Point]) -> ShownClaim {
    let mut all = ShownClaim { text: claim.say.clone(), expected: Vec::new(), broken: Vec::new() };
    for (i, number) in claim.numbers.iter().enumerate() {
        let found = value(figure, number, points);
        let text = found.as_ref().map_or_else(|| "(absent)".to_owned(), Found::text);
        all.text = all.text.replace(&format!("{{{i}}}"), &text);
        let (told, holds) = match number.expected {
            None => (String::new(), found.is_some()),
            Some(Expected::Outcome(outcome)) => {
                (outcome.to_string(), found.as_ref().is_some_and(|found| found.label == outcome.as_str()))
            }
            Some(Expected::Near(expected, within)) => near(figure, number, expected, within, found.as_ref()),
        };
        if !holds {
            let what =
                if told.is_empty() { "there is no such point".to_owned() } else { format!("{told} is expected") };
            all.broken.push(format!("{{{i}}} is {text}, and {what}, in: {}", claim.say));
        }
        all.expected.extend((!told.is_empty()).then_some(told));
    }
    all
}

/// What is expected in words, and whether it is so.
fn near(figure: &Figure, number: &Number, expected: u64, within: Ratio, found: Option<&Found>) -> (String, bool) {
    let kind = figure.panels[number.of.panel].plot.kind();
    // A ratio of two has no unit.
    let (kind, name) = if number.over.is_some() { (ParameterKind::Ratio, "") } else { (kind, outside(kind, 0).1) };
    let (expected, within) = (outside(kind, expected).0, float(within));
    let shown = unit(name, expected);
    let told = format!("{} {}", plain(expected * shown.factor), shown.name);
    let holds = found.is_some_and(|found| (found.y - expected).abs() <= within * expected.abs() + 1e-12);
    (format!("{} ± {} %", told.trim_end(), plain(within * 100.0)), holds)
}

/// A number that was found.
#[derive(Default)]
struct Found {
    y: f64,
    range: Option<(f64, f64)>,
    unit: String,
    /// The outcome, of what has one.
    label: String,
    is_ratio: bool,
}

impl Found {
    fn text(&self) -> String {
        if self.is_ratio {
            // With all four digits, as 1.000 says more than 1.
            let places = (3.0 - self.y.abs().max(1e-9).log10().floor()).clamp(0.0, 9.0) as usize;
            return format!("{:.places$}", self.y);
        }
        if !self.label.is_empty() {
            let words = self.label.replace('_', " ");
            return if self.y > 1.0 - 1e-9 {
                words
            } else {
                format!("{words} ({} % of the runs)", plain(self.y * 100.0))
            };
        }
        if self.y == 0.0 && self.range.is_none() {
            return format!("0 {}", unit(&self.unit, 1.0).name).trim_end().to_owned();
        }
        let shown = unit(&self.unit, self.range.map_or(self.y, |(_, high)| high));
        let text = with_interval(self.y, self.range, shown.factor, "±");
        format!("{text} {}", shown.name).trim_end().to_owned()
    }
}

fn value(figure: &Figure, number: &Number, points: &[Point]) -> Option<Found> {
    let found = at(figure, &number.of, points)?;
    let Some(over) = &number.over else { return Some(found) };
    let other = at(figure, over, points)?;
    // Of a ratio no interval is told: the two may be from the same runs.
    (other.y != 0.0).then(|| Found { y: found.y / other.y, is_ratio: true, ..Found::default() })
}

/// The point of a spot, or the mean of its points.
fn at(figure: &Figure, spot: &Spot, points: &[Point]) -> Option<Found> {
    let here =
        points.iter().filter(|point| point.panel == spot.panel && point.series == spot.series && !point.published);
    let place = |place: &Place| match place {
        Place::At(kind, value) => Some(outside(*kind, *value).0),
        Place::Named(_) => None,
    };
    if let Some(until) = &spot.until {
        let (from, to) = (place(&spot.x)?, place(until)?);
        let within: Vec<&Point> = here.filter(|point| point.x.number().is_some_and(|x| from <= x && x <= to)).collect();
        let ys: Vec<f64> = within.iter().filter_map(|point| point.y).collect();
        let y = ys.iter().sum::<f64>() / ys.len() as f64;
        return (!ys.is_empty()).then(|| Found { y, unit: within[0].y_unit.clone(), ..Found::default() });
    }
    let mut here = here;
    if let (Plot::Timeline { .. }, Place::Named(what)) = (&figure.panels[spot.panel].plot, &spot.x) {
        let point = here.find(|point| point.label == *what)?;
        return Some(Found { y: point.x.number()?, unit: "s".into(), ..Found::default() });
    }
    let found = match figure.panels[spot.panel].plot {
        // A distribution holds its value until the next step.
        Plot::Ecdf { .. } => {
            let first = here.clone().next()?;
            let Some(before) = here.rfind(|point| point.x.number() <= place(&spot.x)) else {
                return Some(Found { unit: first.y_unit.clone(), ..Found::default() });
            };
            Some(before)
        }
        _ => here.find(|point| point.x.is(&spot.x)),
    }?;
    let label = if matches!(figure.panels[spot.panel].plot, Plot::Outcomes { .. }) {
        found.label.clone()
    } else {
        String::new()
    };
    Some(Found { y: found.y?, range: found.range, unit: found.y_unit.clone(), label, is_ratio: false })
}
