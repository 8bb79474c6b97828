//! Rows of sweeps → points of a figure.

use super::point::{Point, X, outside};
use super::timeline;
use crate::metric::CourseStep;
use crate::rng::float;
use crate::scenario::Column;
use crate::scenario::figure::{Cells, Figure, Panel, Place, Plot, Series};
use crate::scenario::published::ParameterKind;
use crate::scenario::sweep::Target;
use crate::stats::{Sample, kolmogorov_band, student};
use crate::sweep::{Plan, Table, courses, line};
use crate::units::{Bytes, Span};
use crate::vocabulary::Outcome;

/// Most points of one distribution: what is between them cannot be seen.
const STEPS_MAX: usize = 200;

/// The points of a figure, panel by panel; `data` are the plan and the rows of each of its sweeps.
pub fn points(figure: &Figure, data: &[(Plan, Table)]) -> Vec<Point> {
    let mut points = Vec::new();
    for (number, panel) in figure.panels.iter().enumerate() {
        points.extend(simulated(panel, data).into_iter().map(|point| Point { panel: number, ..point }));
        points.extend(published(panel).map(|point| Point { panel: number, ..point }));
    }
    points
}

/// The first panel, from 1, in which nothing was simulated that could be drawn.
pub fn empty_panel(figure: &Figure, points: &[Point]) -> Option<usize> {
    (0..figure.panels.len())
        .find(|panel| !points.iter().any(|point| point.panel == *panel && !point.published))
        .map(|panel| panel + 1)
}

fn simulated(panel: &Panel, data: &[(Plan, Table)]) -> Vec<Point> {
    let of = |cells: &Cells| {
        let (plan, table) = &data[cells.sweep];
        Of { cells: cells.clone(), plan, table }
    };
    match &panel.plot {
        Plot::Lines { cells, of: target, .. } => of(cells).quantities(*target, true),
        Plot::Bars { cells, of: target, .. } => of(cells).quantities(*target, false),
        Plot::Ecdf { cells, of: Target::Mean(column), .. } => of(cells).distributions(*column),
        Plot::Ecdf { .. } => Vec::new(),
        Plot::Outcomes { cells, .. } => of(cells).outcomes(),
        Plot::OverTime { cells, of: series, step, steps, packet, .. } => {
            of(cells).over_time(*series, *step, usize::try_from(*steps).expect("few steps"), *packet)
        }
        Plot::Timeline { scenario, from, to } => timeline::points(scenario, *from, *to),
    }
}

fn published(panel: &Panel) -> impl Iterator<Item = Point> + '_ {
    let kind = panel.plot.kind();
    let unit = outside(kind, 0).1;
    panel.published.iter().flat_map(move |published| {
        published.points.iter().map(move |(place, value)| Point {
            published: true,
            label: published.label.clone(),
            y: Some(outside(kind, *value).0),
            ..empty(&published.beside, X::from(place), unit)
        })
    })
}

/// The basic unit of a column.
fn unit_of(column: Column) -> &'static str {
    outside(column.unit.into(), 0).1
}

pub(super) fn empty(series: &str, x: X, unit: &str) -> Point {
    Point {
        panel: 0,
        series: series.into(),
        published: false,
        x,
        y: None,
        y_unit: unit.into(),
        range: None,
        n: None,
        absent: None,
        label: String::new(),
    }
}

/// Cells of a sweep with its rows.
struct Of<'a> {
    cells: Cells,
    plan: &'a Plan,
    table: &'a Table,
}

impl Of<'_> {
    /// The cells that are drawn, with the series of each; series by series, each from left to right.
    fn drawn(&self) -> Vec<(usize, String)> {
        let mut drawn: Vec<usize> =
            (0..self.plan.cells.len()).filter(|cell| self.cells.has(&self.plan.cells[*cell])).collect();
        let place = |cell: usize, axis: Option<usize>| axis.map_or(0, |axis| self.plan.cells[cell][axis]);
        drawn.sort_by_key(|cell| (place(*cell, self.cells.by), place(*cell, self.cells.x)));
        drawn.into_iter().map(|cell| (cell, self.text(cell, self.cells.by))).collect()
    }

    /// How a cell's value of an axis is called.
    fn text(&self, cell: usize, axis: Option<usize>) -> String {
        axis.map_or_else(String::new, |axis| self.plan.values(cell).nth(axis).unwrap_or_default().into())
    }

    fn x(&self, cell: usize, as_quantity: bool) -> X {
        let axis = self.cells.x.expect("it has an axis from left to right");
        let value = &self.plan.sweep.axes[axis].values[self.plan.cells[cell][axis]];
        let place = value.amount().filter(|_| as_quantity).map(|(kind, amount)| Place::At(kind, amount));
        X::from(&place.unwrap_or_else(|| Place::Named(value.text.clone())))
    }

    fn quantities(&self, target: Target, as_quantity: bool) -> Vec<Point> {
        let unit = match target {
            Target::Mean(column) => unit_of(column),
            Target::Outcome(_) => "1",
        };
        let one = |(cell, series): (usize, String)| {
            let known = line(self.plan, self.table, cell, target)?;
            Some(Point {
                y: Some(known.estimate?),
                range: known.interval.map(|interval| (interval.low, interval.high)),
                n: Some(known.n),
                absent: Some(known.absent),
                ..empty(&series, self.x(cell, as_quantity), unit)
            })
        };
        self.drawn().into_iter().filter_map(one).collect()
    }

    fn distributions(&self, column: Column) -> Vec<Point> {
        let unit = unit_of(column);
        let level = float(self.plan.sweep.level);
        let mut points = Vec::new();
        for (cell, series) in self.drawn() {
            let sample = Sample::new(self.table.numbers(cell, column.name));
            let (n, absent) = (sample.n(), self.table.runs_of(cell) - sample.n() as u64);
            let Some(half) = kolmogorov_band(n, level) else { continue };
            let step = n.div_ceil(STEPS_MAX);
            let numbers = (1..=n).filter(|i| i % step == 0 || *i == 1 || *i == n);
            points.extend(numbers.map(|i| {
                let share = i as f64 / n as f64;
                Point {
                    y: Some(share),
                    range: Some(((share - half).max(0.0), (share + half).min(1.0))),
                    n: Some(n as u64),
                    absent: Some(absent),
                    y_unit: "1".into(),
                    ..empty(&series, X::At(sample.sorted()[i - 1], unit.into()), "1")
                }
            }));
        }
        points
    }

    /// The most frequent outcome of each cell, the first of several, and its share.
    fn outcomes(&self) -> Vec<Point> {
        let one = |(cell, series): (usize, String)| {
            let seen = self.table.outcomes_of(cell);
            let count = |outcome: Outcome| seen.iter().filter(|other| **other == Some(outcome)).count();
            let most = Outcome::ALL.iter().rev().copied().max_by_key(|outcome| count(*outcome))?;
            let known = seen.iter().flatten().count();
            (known > 0).then(|| Point {
                y: Some(count(most) as f64 / known as f64),
                n: Some(known as u64),
                absent: Some((seen.len() - known) as u64),
                label: most.to_string(),
                ..empty(&series, self.x(cell, true), "1")
            })
        };
        self.drawn().into_iter().filter_map(one).collect()
    }

    fn over_time(&self, of: Series, step: Span, steps: usize, packet: Option<Bytes>) -> Vec<Point> {
        let level = float(self.plan.sweep.level);
        let seconds = outside(ParameterKind::Time, step.ns()).0;
        let mut points = Vec::new();
        for (cell, series) in self.drawn() {
            let output = self.plan.scenario(cell).vms[0].output.as_ref();
            let size = packet.or(output.map(|output| output.size)).unwrap_or_default();
            let value = |done: &CourseStep| match of {
                Series::Progress => done.worked.ns() as f64 / step.ns() as f64,
                Series::Running => done.ran.ns() as f64 / step.ns() as f64,
                Series::Output => done.delivered as f64 * size.get() as f64 / seconds,
            };
            let unit = if of == Series::Output { "B/s" } else { "1" };
            let runs = courses(self.plan, cell, step, steps);
            points.extend((0..steps).filter_map(|number| {
                let sample = Sample::new(runs.iter().filter_map(|run| run.get(number)).map(value).collect());
                let n = sample.n() as u64;
                Some(Point {
                    y: Some(sample.mean()?),
                    range: student(&sample, level).map(|interval| (interval.low, interval.high)),
                    n: Some(n),
                    absent: Some(runs.len() as u64 - n),
                    ..empty(&series, X::At((number as f64 + 0.5) * seconds, "s".into()), unit)
                })
            }));
        }
        points
    }
}
