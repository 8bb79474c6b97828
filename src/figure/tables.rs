//! The points of a figure as tables: Markdown to read, LaTeX (with `booktabs`) to print.

use std::fmt::Write as _;

use super::number::{plain, unit, with_interval, with_unit};
use super::point::{Point, X, distinct};
use crate::scenario::figure::{Figure, Panel, Plot};

/// A table of one panel.
struct Table {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A table of each panel that has numbers by an axis; `None`: no panel has.
pub fn markdown(figure: &Figure, points: &[Point]) -> Option<String> {
    let mut text = String::new();
    for table in tables(figure, points, "±") {
        writeln!(text, "**{}**\n", table.title).expect("a string takes it");
        let line = |cells: &[String]| {
            format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
        };
        text.push_str(&line(&table.head));
        writeln!(text, "|---{}|", "|---:".repeat(table.head.len() - 1)).expect("a string takes it");
        table.rows.iter().for_each(|row| text.push_str(&line(row)));
        text.push('\n');
    }
    (!text.is_empty()).then(|| format!("{}\n", text.trim_end()))
}

/// The same as `tabular` environments, to be put into a `table`.
pub fn latex(figure: &Figure, points: &[Point]) -> Option<String> {
    let mut text = String::from("% Made by Midflight; needs \\usepackage{booktabs}.\n");
    let all = tables(figure, points, "$\\pm$");
    for table in &all {
        let line = |cells: &[String]| {
            format!("{} \\\\\n", cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>().join(" & "))
        };
        writeln!(text, "% {}\n\\begin{{tabular}}{{l{}}}\n\\toprule", table.title, "r".repeat(table.head.len() - 1))
            .expect("a string takes it");
        writeln!(text, "{}\\midrule", line(&table.head)).expect("a string takes it");
        table.rows.iter().for_each(|row| text.push_str(&line(row)));
        text.push_str("\\bottomrule\n\\end{tabular}\n");
    }
    (!all.is_empty()).then_some(text)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '%' | '&' | '_' | '#' | '{' | '}' => escaped.extend(['\\', letter]),
            'µ' => escaped.push_str("\\textmu{}"),
            '→' => escaped.push_str("$\\to$"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn tables(figure: &Figure, points: &[Point], plus_minus: &str) -> Vec<Table> {
    let panels = figure.panels.iter().enumerate();
    let tables = panels.filter_map(|(number, panel)| {
        let here: Vec<&Point> = points.iter().filter(|point| point.panel == number).collect();
        table(figure, panel, &here, plus_minus)
    });
    tables.collect()
}

fn table(figure: &Figure, panel: &Panel, points: &[&Point], plus_minus: &str) -> Option<Table> {
    let (Plot::Lines { x, y, .. } | Plot::Bars { x, y, .. }) = &panel.plot else { return None };
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let basic = |unit: Option<&str>| unit.unwrap_or_default().to_owned();
    let x_basic = basic(points.iter().find_map(|point| match &point.x {
        X::At(_, unit) => Some(unit.as_str()),
        X::Named(_) => None,
    }));
    let across = unit(&x_basic, most(&mut points.iter().filter_map(|point| point.x.number())));
    let upward = unit(
        &basic(points.first().map(|point| point.y_unit.as_str())),
        most(&mut points.iter().filter_map(|point| point.y)),
    );
    let mut places: Vec<&X> = distinct(points.iter().map(|point| &point.x));
    let columns: Vec<(&str, bool)> = distinct(points.iter().map(|point| (point.series.as_str(), point.published)));
    places.sort_by(|a, b| a.number().unwrap_or_default().total_cmp(&b.number().unwrap_or_default()));
    let name = |(series, published): &(&str, bool)| match (*series, *published) {
        ("", false) => "simulated".to_owned(),
        ("", true) => "published".to_owned(),
        (series, false) => series.to_owned(),
        (series, true) => format!("{series}, published"),
    };
    let cell = |place: &X, (series, published): &(&str, bool)| {
        let found =
            points.iter().find(|point| point.x == *place && point.series == *series && point.published == *published);
        let shown = found.and_then(|point| Some(with_interval(point.y?, point.range, upward.factor, plus_minus)));
        shown.unwrap_or_default()
    };
    let rows = places.iter().map(|place| {
        let first = match place {
            X::At(x, _) => plain(x * across.factor),
            X::Named(name) => name.clone(),
        };
        [first].into_iter().chain(columns.iter().map(|column| cell(place, column))).collect()
    });
    let head = [with_unit(&x.label, across.name)].into_iter().chain(columns.iter().map(name)).collect();
    let title = panel.title.clone().unwrap_or_else(|| figure.title.clone());
    Some(Table { title: format!("{title}: {}", with_unit(&y.label, upward.name)), head, rows: rows.collect() })
}
