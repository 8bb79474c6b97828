//! A whole figure: title, legend, panels side by side; made of its points alone.

use plotters::prelude::*;

use super::axis::Axis;
use super::draw::{Frame, Style, axes_of, upright};
use super::marks::{INCH, LINE, Look, Paper, SMALL, TEXT, Words, boxed, line, mark, width_of, words, wrapped};
use super::point::{Point, X, distinct};
use super::{outcomes, timeline};
use crate::scenario::figure::{Figure, Labelled, Panel, Plot, Scale, Width};
use crate::scenario::sweep::Axis as SweepAxis;

/// Heights on paper [px]: a line of the title or of the legend, the name of a panel, a panel between its axes, what is below it.
const ROW: i32 = 46;
const NAME: i32 = 50;
const HEIGHT: i32 = 540;
const LANE: i32 = 84;
const BELOW: i32 = 110;
const MARGIN: i32 = 16;
/// Most panels side by side.
const ACROSS: usize = 3;

/// An entry of the legend.
#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Line(String, Look),
    Box(String, Look),
    Published(String),
    Outcome(String),
}

impl Entry {
    fn text(&self) -> String {
        match self {
            Self::Line(text, _) | Self::Box(text, _) => text.clone(),
            Self::Published(text) => format!("{text} (hollow)"),
            Self::Outcome(text) => text.replace('_', " "),
        }
    }
}

/// The figure as SVG, as wide as it is on paper.
pub fn svg(figure: &Figure, points: &[Point]) -> String {
    let width = match figure.width {
        Width::Column => 3.33,
        Width::Page => 7.0,
    };
    let across = (width * INCH).round() as i32;
    let title = wrapped(&figure.title, TEXT, across - 2 * MARGIN);
    let series = series(figure, points);
    let legend = placed(&legend(figure, points, &series), across);
    let legend_rows = legend.last().map_or(0, |(_, row, _)| row + 1);
    let top = MARGIN + title.len() as i32 * ROW + legend_rows * ROW;
    let columns = match (figure.width, figure.panels.len()) {
        (Width::Column, _) => 1,
        // Two above two.
        (Width::Page, 4) => 2,
        (Width::Page, panels) => panels.min(ACROSS),
    };
    let rows = figure.panels.len().div_ceil(columns);
    let heights: Vec<i32> = figure
        .panels
        .iter()
        .enumerate()
        .map(|(i, panel)| height(panel, &of(points, i), across / columns as i32))
        .collect();
    let row_height = |row: usize| heights.iter().skip(row * columns).take(columns).max().copied().unwrap_or(0);
    let all: i32 = (0..rows).map(row_height).sum();
    let size = (across as u32, (top + all + MARGIN) as u32);
    let mut text = String::new();
    {
        let paper = SVGBackend::with_string(&mut text, size).into_drawing_area();
        paper.fill(&WHITE).expect("a text in memory takes it");
        for (number, part) in title.iter().enumerate() {
            words(&paper, part, (across / 2, MARGIN + number as i32 * ROW), TEXT, Words::Over);
        }
        for (entry, row, x) in &legend {
            swatch(&paper, entry, (*x, MARGIN + (title.len() as i32 + row) * ROW + ROW / 2));
        }
        for (number, panel) in figure.panels.iter().enumerate() {
            let (row, column) = (number / columns, (number % columns) as i32);
            let wide = across / columns as i32;
            let above: i32 = top + (0..row).map(row_height).sum::<i32>();
            let place = Place { left: column * wide, right: (column + 1) * wide, top: above, height: heights[number] };
            draw(&paper, panel, &of(points, number), &series, &place);
        }
        paper.present().expect("a text in memory takes it");
    }
    in_inches(&text, size)
}

/// `plotters` says how large it is in pixels of the screen; on paper there are 300 of ours to the inch.
fn in_inches(text: &str, size: (u32, u32)) -> String {
    let pixels = format!("width=\"{}\" height=\"{}\"", size.0, size.1);
    let inches = |px: u32| f64::from(px) / INCH;
    let paper =
        format!("width=\"{:.4}in\" height=\"{:.4}in\" stroke-linejoin=\"round\"", inches(size.0), inches(size.1));
    text.replacen(&pixels, &paper, 1)
}

fn of(points: &[Point], panel: usize) -> Vec<&Point> {
    points.iter().filter(|point| point.panel == panel).collect()
}

/// The names of all series of lines and bars, in order; each looks the same in all panels.
fn series(figure: &Figure, points: &[Point]) -> Vec<String> {
    let has_series = |panel: usize| !matches!(figure.panels[panel].plot, Plot::Outcomes { .. } | Plot::Timeline { .. });
    let panels = (0..figure.panels.len()).filter(|panel| has_series(*panel));
    distinct(panels.flat_map(|panel| of(points, panel)).map(|point| point.series.clone()))
}

fn look(series: &[String], name: &str) -> Look {
    Look::of(series.iter().position(|other| other == name).unwrap_or_default())
}

fn legend(figure: &Figure, points: &[Point], series: &[String]) -> Vec<Entry> {
    let simulated = figure.panels.iter().enumerate().flat_map(|(number, panel)| {
        let entry = move |point: &Point| match &panel.plot {
            Plot::Timeline { .. } => None,
            Plot::Outcomes { .. } => Some(Entry::Outcome(point.label.clone())),
            _ if point.published => None,
            // One alone needs no name, unless something else is beside it.
            _ if point.series.is_empty() && panel.published.is_empty() => None,
            Plot::Bars { .. } => Some(Entry::Box(called(figure, panel, &point.series), look(series, &point.series))),
            _ => Some(Entry::Line(called(figure, panel, &point.series), look(series, &point.series))),
        };
        of(points, number).into_iter().filter_map(entry)
    });
    let published = points.iter().filter(|point| point.published).map(|point| Entry::Published(point.label.clone()));
    distinct(simulated.chain(published))
}

/// How the legend calls a series: of a quantity it says of what.
fn called(figure: &Figure, panel: &Panel, series: &str) -> String {
    if series.is_empty() {
        return "simulated".into();
    }
    let axis = panel.plot.cells().and_then(|cells| Some(&figure.sweeps[cells.sweep].axes[cells.by?]));
    let is_quantity =
        |axis: &&SweepAxis| axis.values.iter().any(|value| value.text == series && value.amount().is_some());
    match axis.filter(is_quantity) {
        Some(axis) => format!("{} {series}", axis.name.replace(['_', '-'], " ")),
        None => series.into(),
    }
}

/// Entries in rows, each with its row and where it begins.
fn placed(entries: &[Entry], across: i32) -> Vec<(Entry, i32, i32)> {
    const SWATCH: i32 = 96;
    let (mut row, mut x) = (0, MARGIN * 2);
    let mut placed = Vec::new();
    for entry in entries {
        let wide = SWATCH + width_of(&entry.text(), SMALL) + 24;
        if x + wide > across && x > MARGIN * 2 {
            (row, x) = (row + 1, MARGIN * 2);
        }
        placed.push((entry.clone(), row, x));
        x += wide;
    }
    placed
}

fn swatch(paper: &Paper<'_>, entry: &Entry, (x, y): (i32, i32)) {
    match entry {
        Entry::Line(_, look) => {
            line(paper, &[(x, y), (x + 80, y)], *look, LINE);
            mark(paper, (x + 40, y), *look, false);
        }
        Entry::Box(_, look) => boxed(paper, (x + 20, y - 14), (x + 60, y + 14), Some(look.colour), Some(BLACK)),
        Entry::Published(_) => mark(paper, (x + 40, y), Look::black(), true),
        Entry::Outcome(outcome) => outcomes::swatch(paper, outcome, (x + 20, y)),
    }
    words(paper, &entry.text(), (x + 92, y), SMALL, Words::RightOf);
}

/// Where a panel lies.
struct Place {
    left: i32,
    right: i32,
    top: i32,
    height: i32,
}

fn height(panel: &Panel, points: &[&Point], wide: i32) -> i32 {
    let inside = match &panel.plot {
        Plot::Timeline { .. } => LANE * timeline::rows(points, per_second(points, wide)).len() as i32,
        Plot::Outcomes { .. } => (rows_of(points).len() as i32 * 60).clamp(240, 900),
        _ => HEIGHT,
    };
    let names = if panel.title.is_some() { NAME } else { 20 };
    names + inside + BELOW
}

/// From when to when a timeline goes.
fn span(points: &[&Point]) -> (f64, f64) {
    let lasting = points.iter().filter_map(|point| point.range).flat_map(|(from, to)| [from, to]);
    let times = lasting.chain(points.iter().filter_map(|point| point.x.number()));
    let (least, most) = times.fold((f64::MAX, f64::MIN), |(least, most), x| (least.min(x), most.max(x)));
    if least < most { (least, most) } else { (0.0, 1.0) }
}

/// About how many pixels a second of a timeline takes.
fn per_second(points: &[&Point], wide: i32) -> f64 {
    let (least, most) = span(points);
    // Names of lanes take a fifth.
    f64::from(wide) * 0.8 / (most - least).max(1e-9)
}

/// Values from left to right, as they come.
fn columns_of(points: &[&Point]) -> Vec<X> {
    distinct(points.iter().map(|point| point.x.clone()))
}

fn rows_of(points: &[&Point]) -> Vec<String> {
    distinct(points.iter().map(|point| point.series.clone()))
}

fn draw(paper: &Paper<'_>, panel: &Panel, points: &[&Point], series: &[String], place: &Place) {
    let rows = match &panel.plot {
        Plot::Timeline { .. } => timeline::rows(points, per_second(points, place.right - place.left)),
        // The first is at the top.
        Plot::Outcomes { .. } => rows_of(points).into_iter().rev().collect(),
        _ => rows_of(points),
    };
    let names: Vec<X> = rows.iter().cloned().map(X::Named).collect();
    let columns = columns_of(points);
    let time = Labelled { label: "time".into(), scale: Scale::Linear };
    let share = Labelled { label: "share of runs".into(), scale: Scale::Linear };
    let (x, y) = match &panel.plot {
        Plot::Lines { x, y, .. } => axes_of(points, x, y),
        Plot::Bars { x, y, .. } => (Axis::parts(&x.label, &columns), upright(points, y)),
        Plot::Ecdf { x, .. } => axes_of(points, x, &share),
        Plot::Outcomes { x, y, .. } => (Axis::parts(&x.label, &columns), Axis::parts(&y.label, &names)),
        Plot::OverTime { y, .. } => axes_of(points, &time, y),
        Plot::Timeline { .. } => {
            let (least, most) = span(points);
            (Axis::exactly(&time, least, most), Axis::parts("", &names))
        }
    };
    let longest = y.ticks.iter().map(|(_, text)| width_of(text, SMALL)).max().unwrap_or(0);
    let beside = if y.name.is_empty() { 24 } else { 76 };
    let top = place.top + if panel.title.is_some() { NAME } else { 20 };
    let across = (place.left + MARGIN + beside + longest, place.right - 40);
    let x = match &panel.plot {
        Plot::Outcomes { .. } => {
            let wide = x.ticks.iter().map(|(_, text)| width_of(text, SMALL) + 24).max().unwrap_or(0);
            x.thinned(f64::from(wide), f64::from(across.1 - across.0))
        }
        _ => x,
    };
    let frame = Frame { paper, across, down: (top, place.top + place.height - BELOW), x, y };
    if let Some(title) = &panel.title {
        words(paper, title, (i32::midpoint(across.0, across.1), place.top + 6), TEXT, Words::Over);
    }
    let of = |name: &String| points.iter().filter(|point| point.series == *name).copied().collect::<Vec<&Point>>();
    let lines = |style: Style| {
        frame.axes(true);
        for name in &rows {
            frame.series(&of(name), look(series, name), style);
        }
    };
    match &panel.plot {
        Plot::Lines { .. } => lines(Style::Marks),
        Plot::Ecdf { .. } => lines(Style::Steps),
        Plot::OverTime { .. } => lines(Style::Plain),
        Plot::Bars { .. } => {
            frame.axes(true);
            let simulated: Vec<&String> =
                rows.iter().filter(|name| of(name).iter().any(|point| !point.published)).collect();
            for (number, name) in simulated.iter().enumerate() {
                frame.bars(&of(name), &columns, (number, simulated.len()), look(series, name));
            }
        }
        Plot::Outcomes { .. } => {
            outcomes::draw(&frame, points, &columns, &rows);
            frame.axes(false);
        }
        Plot::Timeline { .. } => {
            frame.axes(false);
            timeline::draw(&frame, points, &rows, per_second(points, place.right - place.left));
        }
    }
}
