//! A finished comparison as SVG: predicted against measured.

use std::collections::BTreeMap;
use std::error::Error;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::marks::{BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION};
use crate::scenario::ColumnUnit;
use crate::scenario::published::{Metric, Reference};
use crate::validate::{Validation, Verdict};

/// Panels side by side, and how large one is [px].
const ACROSS: usize = 3;
const PANEL: (u32, u32) = (430, 400);
/// Metrics with fewer points have no panel, and no more than so many have one.
const POINTS_MIN: usize = 8;
const PANELS_MAX: usize = 6;
/// Half-width of the band about the identity.
const BAND: f64 = 0.05;
/// Of the families, in order.
const COLOURS: [RGBColor; 6] = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY];

/// Predicted against measured.
struct Point {
    measured: f64,
    predicted: f64,
    /// Which kind of reference it is from.
    family: usize,
    scored: bool,
}

/// One metric.
struct Panel {
    title: String,
    points: Vec<Point>,
}

/// What the references predict against what was published: one panel for each metric with many rows, logarithmic, with the identity
/// and a band of 5 %. Rows that count are filled, the others hollow; fitted ones are not shown.
pub fn predicted_against_measured(references: &[(Reference, Validation)]) -> String {
    let families = families(references);
    let panels = panels(references, &families);
    let rows = panels.len().div_ceil(ACROSS).max(1);
    let across = panels.len().clamp(1, ACROSS);
    let size = (PANEL.0 * u32::try_from(across).unwrap_or(1), PANEL.1 * u32::try_from(rows).unwrap_or(1));
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE).expect("a string takes it");
        for (number, (area, panel)) in area.split_evenly((rows, across)).iter().zip(&panels).enumerate() {
            draw(area, panel, if number == 0 { &families } else { &[] }).expect("a string takes it");
        }
        area.present().expect("a string takes it");
    }
    text
}

/// References by the first word of their names.
fn families(references: &[(Reference, Validation)]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (reference, _) in references {
        let family = family(reference);
        if !all.contains(&family) {
            all.push(family);
        }
    }
    all
}

fn family(reference: &Reference) -> String {
    reference.id.split('-').next().unwrap_or_default().to_owned()
}

fn panels(references: &[(Reference, Validation)], families: &[String]) -> Vec<Panel> {
    let mut by_metric: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    for (reference, validation) in references {
        let number = families.iter().position(|other| *other == family(reference)).unwrap_or_default();
        for (row, compared) in reference.rows.iter().zip(&validation.rows) {
            let Some(predicted) = compared.measured.median.filter(|value| *value > 0 && row.value > 0) else {
                continue;
            };
            if compared.verdict == Verdict::Fitted || matches!(row.metric, Metric::Round { .. }) {
                continue;
            }
            let (scale, unit) = scale(row.unit);
            let name = row.metric.to_string();
            let title = format!("{} {unit}", name.trim_end_matches("_s").replace('_', " "));
            by_metric.entry(title).or_default().push(Point {
                measured: row.value as f64 / scale,
                predicted: predicted as f64 / scale,
                family: number,
                scored: compared.verdict != Verdict::Reported,
            });
        }
    }
    let mut panels: Vec<Panel> = by_metric.into_iter().map(|(title, points)| Panel { title, points }).collect();
    panels.retain(|panel| panel.points.len() >= POINTS_MIN);
    panels.sort_by_key(|panel| std::cmp::Reverse(panel.points.len()));
    panels.truncate(PANELS_MAX);
    panels
}

/// What a value inside is divided by, and the unit of the result.
fn scale(unit: ColumnUnit) -> (f64, &'static str) {
    match unit {
        ColumnUnit::Time => (1e9, "[s]"),
        ColumnUnit::Bytes => (1e6, "[MB]"),
        ColumnUnit::Pages => (1.0, "[pages]"),
        ColumnUnit::Ratio => (1e6, "[1]"),
        ColumnUnit::Count => (1.0, ""),
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(area: &Area<'_>, panel: &Panel, legend: &[String]) -> Result<(), Box<dyn Error>> {
    let values = panel.points.iter().flat_map(|point| [point.measured, point.predicted]);
    let (least, most) = values.fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
    let (from, to) = (least / 1.3, most * 1.3);
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 16))
        .margin(10)
        .margin_right(20)
        .x_label_area_size(45)
        .y_label_area_size(60)
        .build_cartesian_2d(
            (from..to).log_scale().with_key_points(ticks(from, to)),
            (from..to).log_scale().with_key_points(ticks(from, to)),
        )?;
    let label = |value: &f64| shown(*value);
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(BLACK.mix(0.12))
        .x_desc("measured")
        .y_desc("predicted")
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .label_style(("sans-serif", 13))
        .draw()?;
    let band = vec![
        (from, from * (1.0 - BAND)),
        (to, to * (1.0 - BAND)),
        (to, to * (1.0 + BAND)),
        (from, from * (1.0 + BAND)),
    ];
    chart.draw_series([Polygon::new(band, BLACK.mix(0.15))])?;
    chart.draw_series([PathElement::new(vec![(from, from), (to, to)], BLACK.mix(0.6))])?;
    for point in &panel.points {
        let (at, colour) = ((point.measured, point.predicted), COLOURS[point.family % COLOURS.len()]);
        let style = if point.scored { colour.mix(0.75).filled() } else { colour.stroke_width(1) };
        match point.family % 3 {
            0 => {
                chart.draw_series([Circle::new(at, 4, style)])?;
            }
            1 if point.scored => {
                chart.draw_series([TriangleMarker::new(at, 5, style)])?;
            }
            1 => {
                let outline = PathElement::new([(0, -5), (5, 4), (-5, 4), (0, -5)], style);
                chart.draw_series([EmptyElement::at(at) + outline])?;
            }
            _ => {
                chart.draw_series([EmptyElement::at(at) + Rectangle::new([(-4, -4), (4, 4)], style)])?;
            }
        }
    }
    for (number, family) in legend.iter().enumerate() {
        let (at, colour) = ((80, 44 + 18 * i32::try_from(number)?), COLOURS[number % COLOURS.len()]);
        let style = colour.filled();
        match number % 3 {
            0 => area.draw(&Circle::new(at, 4, style))?,
            1 => area.draw(&TriangleMarker::new(at, 5, style))?,
            _ => area.draw(&Rectangle::new([(at.0 - 4, at.1 - 4), (at.0 + 4, at.1 + 4)], style))?,
        }
        area.draw(&Text::new(family.as_str(), (at.0 + 10, at.1 - 6), ("sans-serif", 13)))?;
    }
    if !legend.is_empty() {
        let note = "grey: within 5 %; hollow: not scored";
        let place = (i32::try_from(PANEL.0)? - 30, i32::try_from(PANEL.1)? - 80);
        let right = ("sans-serif", 12).into_text_style(area).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(note, place, right))?;
    }
    Ok(())
}

/// Powers of ten, and twice and five times that where there are few.
fn ticks(from: f64, to: f64) -> Vec<f64> {
    let powers = || std::iter::successors(Some(1e-9), |power| Some(power * 10.0)).take_while(|power| *power <= to);
    let within = |steps: &[f64]| -> Vec<f64> {
        let all = powers().flat_map(|power| steps.iter().map(move |step| power * step));
        all.filter(|tick| (from..=to).contains(tick)).collect()
    };
    if to / from > 1e3 { within(&[1.0]) } else { within(&[1.0, 2.0, 5.0]) }
}

/// With as many digits as it needs.
fn shown(value: f64) -> String {
    if value >= 1000.0 {
        return format!("{value:.0}");
    }
    // Products of powers of ten carry errors in their last digits.
    format!("{value:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
