//! Panels with two axes: lines with bands, bars with error bars, distributions, courses.

use super::axis::{Axis, Range};
use super::marks::{HAIR, LINE, Look, Paper, Px, SMALL, TEXT, Words, area, boxed, line, mark, whisker, words, wrapped};
use super::point::{Point, X};
use crate::scenario::figure::{Labelled, Scale};

use plotters::prelude::{BLACK, RGBColor};

const GRID: RGBColor = RGBColor(225, 225, 225);
/// How much of what is behind a band is seen.
const BAND: f64 = 0.22;

/// The part of a sheet between the axes, and the axes.
pub(super) struct Frame<'a, 'b> {
    pub paper: &'a Paper<'b>,
    /// Left and right, top and bottom.
    pub across: (i32, i32),
    pub down: (i32, i32),
    pub x: Axis,
    pub y: Axis,
}

impl Frame<'_, '_> {
    /// A position on paper of positions on both axes.
    pub fn at(&self, x: f64, y: f64) -> Px {
        let part = |at: f64, ends: (f64, f64), px: (i32, i32)| {
            let share = (at - ends.0) / (ends.1 - ends.0);
            (f64::from(px.0) + share * f64::from(px.1 - px.0)).round() as i32
        };
        (part(x, self.x.ends, self.across), part(y, self.y.ends, (self.down.1, self.down.0)))
    }

    /// Grid, marks and names.
    pub fn axes(&self, grid: bool) {
        let (paper, (left, right), (top, bottom)) = (self.paper, self.across, self.down);
        let grey = Look { colour: GRID, ..Look::black() };
        for (position, text) in &self.y.ticks {
            let y = self.at(self.x.ends.0, *position).1;
            if grid {
                line(paper, &[(left, y), (right, y)], grey, HAIR);
            }
            if !text.is_empty() {
                line(paper, &[(left - 8, y), (left, y)], Look::black(), HAIR);
            }
            words(paper, text, (left - 16, y), SMALL, Words::LeftOf);
        }
        let room = (right - left) / i32::try_from(self.x.ticks.len().max(1)).unwrap_or(1);
        for (position, text) in &self.x.ticks {
            let x = self.at(*position, self.y.ends.0).0;
            line(paper, &[(x, bottom), (x, bottom + 8)], Look::black(), HAIR);
            for (number, part) in wrapped(text, SMALL, room).iter().enumerate() {
                words(paper, part, (x, bottom + 16 + number as i32 * 34), SMALL, Words::Over);
            }
        }
        let lines = self.x.ticks.iter().map(|(_, text)| wrapped(text, SMALL, room).len()).max().unwrap_or(1);
        let middle = i32::midpoint(left, right);
        words(paper, &self.x.name, (middle, bottom + 24 + lines as i32 * 34), TEXT, Words::Over);
        let longest = self.y.ticks.iter().map(|(_, text)| super::marks::width_of(text, SMALL)).max().unwrap_or(0);
        words(paper, &self.y.name, (left - 44 - longest, i32::midpoint(top, bottom)), TEXT, Words::Along);
        boxed(paper, (left, top), (right, bottom), None, Some(BLACK));
    }

    fn px(&self, x: f64, y: f64) -> Px {
        self.at(self.x.at(x), self.y.at(y))
    }

    /// A band, a line and marks for what was simulated of a series, hollow marks for what was published.
    pub fn series(&self, points: &[&Point], look: Look, style: Style) {
        let simulated: Vec<(f64, f64, &Point)> = points
            .iter()
            .filter(|point| !point.published)
            .filter_map(|point| Some((point.x.number()?, point.y?, *point)))
            .collect();
        let ends = |(x, _, point): &(f64, f64, &Point)| point.range.map(|(low, high)| (*x, low, high));
        let ranges: Vec<(f64, f64, f64)> = simulated.iter().filter_map(ends).collect();
        let there = ranges.iter().map(|(x, low, _)| self.px(*x, *low));
        let back = ranges.iter().rev().map(|(x, _, high)| self.px(*x, *high));
        if ranges.len() > 1 {
            let corners: Vec<Px> = match style {
                Style::Steps => stairs(&there.collect::<Vec<Px>>())
                    .into_iter()
                    .chain(
                        stairs(&ranges.iter().map(|(x, _, high)| self.px(*x, *high)).collect::<Vec<Px>>())
                            .into_iter()
                            .rev(),
                    )
                    .collect(),
                Style::Marks | Style::Plain => there.chain(back).collect(),
            };
            area(self.paper, &corners, look.colour, BAND);
        }
        let line_points: Vec<Px> = simulated.iter().map(|(x, y, _)| self.px(*x, *y)).collect();
        match style {
            Style::Steps => {
                // From nobody at the first value to everybody at the last.
                let first = line_points.first().map(|first| (first.0, self.px(0.0, 0.0).1));
                line(self.paper, &first.into_iter().chain(stairs(&line_points)).collect::<Vec<Px>>(), look, LINE);
            }
            Style::Marks | Style::Plain => line(self.paper, &line_points, look, LINE),
        }
        if style == Style::Marks {
            for (x, low, high) in &ranges {
                let (at, top, bottom) = (self.px(*x, *low).0, self.px(*x, *high).1, self.px(*x, *low).1);
                if bottom - top > 4 {
                    whisker(self.paper, at, top, bottom, look.colour);
                }
            }
            for at in &line_points {
                mark(self.paper, *at, look, false);
            }
        }
        let published: Vec<Px> = points
            .iter()
            .filter(|point| point.published)
            .filter_map(|point| Some(self.px(point.x.number()?, point.y?)))
            .collect();
        if style == Style::Plain {
            // A mean over some time, from its begin to its end.
            line(self.paper, &published, look, HAIR);
        }
        for at in &published {
            mark(self.paper, *at, look, true);
        }
    }

    /// The bar of a series at each name, `number` of `of` side by side.
    pub fn bars(&self, points: &[&Point], places: &[X], (number, of): (usize, usize), look: Look) {
        /// Share of the room of a name that its bars take.
        const FULL: f64 = 0.76;
        let wide = FULL / of as f64;
        for point in points {
            let (Some(place), Some(y)) = (places.iter().position(|place| *place == point.x), point.y) else { continue };
            let left = place as f64 + (1.0 - FULL) / 2.0 + number as f64 * wide;
            let middle = self.at(left + wide / 2.0, self.y.at(y));
            if point.published {
                // In the colour of its bar it would not be seen.
                mark(self.paper, middle, Look { shape: look.shape, ..Look::black() }, true);
                continue;
            }
            // A bar has no beginning on a logarithmic axis.
            let as_mark = self.y.scale == Scale::Log;
            if !as_mark {
                let (from, to) = (self.at(left, self.y.at(y)), self.at(left + wide, self.y.at(0.0)));
                boxed(self.paper, from, to, Some(look.colour), Some(BLACK));
            }
            if let Some((low, high)) = point.range.filter(|(low, high)| high > low) {
                let (top, bottom) = (self.at(0.0, self.y.at(high)).1, self.at(0.0, self.y.at(low)).1);
                whisker(self.paper, middle.0, top, bottom, if as_mark { look.colour } else { BLACK });
            }
            if as_mark && y > 0.0 {
                mark(self.paper, middle, look, false);
            }
        }
    }
}

/// How lines are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// With a mark at each point.
    Marks,
    /// As steps that go on from each point.
    Steps,
    /// Without marks: there are many points.
    Plain,
}

/// From each point straight on to where the next is, then up or down to it.
fn stairs(points: &[Px]) -> Vec<Px> {
    let mut all = Vec::with_capacity(points.len() * 2);
    for (i, point) in points.iter().enumerate() {
        if i > 0 {
            all.push((point.0, points[i - 1].1));
        }
        all.push(*point);
    }
    all
}

/// The axes of a panel of quantities, so long that all its points lie between their ends.
pub(super) fn axes_of(points: &[&Point], x: &Labelled, y: &Labelled) -> (Axis, Axis) {
    let xs = points.iter().filter_map(|point| point.x.number());
    let (least, most) = ends(xs.collect());
    let basic = points.iter().find_map(|point| match &point.x {
        X::At(_, unit) => Some(unit.as_str()),
        X::Named(_) => None,
    });
    let across = Range { labelled: x, basic: basic.unwrap_or_default(), least, most, upright: false };
    (Axis::of(&across), upright(points, y))
}

/// The axis from bottom to top of what these points are.
pub(super) fn upright(points: &[&Point], y: &Labelled) -> Axis {
    let ys: Vec<f64> = points.iter().filter_map(|point| point.y).collect();
    let of_ranges = points.iter().filter_map(|point| point.range).flat_map(|(low, high)| [low, high]);
    // Nothing is at zero of a logarithmic axis.
    let all = ys.iter().copied().chain(of_ranges).filter(|value| y.scale == Scale::Linear || *value > 0.0);
    let ((mut least, mut most), (lowest, highest)) = (ends(all.collect()), ends(ys));
    // An interval may go beyond what can be.
    if lowest >= 0.0 && y.scale == Scale::Linear {
        least = least.max(0.0);
    }
    let basic = points.first().map_or("", |point| point.y_unit.as_str());
    if basic == "1" && highest <= 1.0 + 1e-6 {
        most = most.min(1.0);
    }
    Axis::of(&Range { labelled: y, basic, least, most, upright: true })
}

fn ends(values: Vec<f64>) -> (f64, f64) {
    let ends = values.into_iter().fold((f64::MAX, f64::MIN), |(least, most), x| (least.min(x), most.max(x)));
    if ends.0 > ends.1 { (0.0, 1.0) } else { ends }
}
