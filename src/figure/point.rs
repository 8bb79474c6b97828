//! The points of a figure, and the file that holds them: one point in each line, with its unit, absent is empty.

use thiserror::Error;

use crate::report::csv_rows;
use crate::scenario::figure::Place;
use crate::scenario::published::ParameterKind;
use crate::sweep::shown;

/// The columns of the file.
const COLUMNS: [&str; 12] =
    ["panel", "series", "source", "x", "x_unit", "y", "y_unit", "low", "high", "n", "absent", "label"];

/// One point of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The number of the panel, from 0.
    pub panel: usize,
    /// The line, bar or row; empty if there is only one.
    pub series: String,
    /// Whether it was published, and not simulated.
    pub published: bool,
    /// Where on the axis.
    pub x: X,
    /// How much; absent in a timeline.
    pub y: Option<f64>,
    /// The unit of `y`, `low` and `high`: `s`, `B`, `pages`, `B/s`, `1` or none.
    pub y_unit: String,
    /// The ends of its interval.
    pub range: Option<(f64, f64)>,
    /// How many runs it is made of.
    pub n: Option<u64>,
    /// How many runs have no such quantity.
    pub absent: Option<u64>,
    /// What happened, of what has no number; how a legend calls it, of what was published.
    pub label: String,
}

/// Where on an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum X {
    /// At a quantity, with its unit.
    At(f64, String),
    /// At a value without an order.
    Named(String),
}

impl X {
    /// The number of it.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::At(x, _) => Some(*x),
            Self::Named(_) => None,
        }
    }

    /// Whether it is there.
    pub(super) fn is(&self, place: &Place) -> bool {
        match (self, place) {
            (Self::Named(name), Place::Named(other)) => name == other,
            (Self::At(x, unit), Place::At(kind, value)) => {
                let (there, other) = outside(*kind, *value);
                *unit == other && (x - there).abs() <= there.abs() * 1e-8
            }
            _ => false,
        }
    }
}

impl From<&Place> for X {
    fn from(place: &Place) -> Self {
        match place {
            Place::Named(name) => Self::Named(name.clone()),
            Place::At(kind, value) => {
                let (x, unit) = outside(*kind, *value);
                Self::At(x, unit.into())
            }
        }
    }
}

/// A quantity in its basic unit.
pub(super) fn outside(kind: ParameterKind, value: u64) -> (f64, &'static str) {
    let value = value as f64;
    match kind {
        ParameterKind::Time => (value / 1e9, "s"),
        ParameterKind::Size => (value, "B"),
        ParameterKind::Pages => (value, "pages"),
        ParameterKind::Rate => (value, "B/s"),
        ParameterKind::EventRate => (value / 1e6, "/s"),
        ParameterKind::Ratio => (value / 1e6, "1"),
        ParameterKind::Count => (value, ""),
    }
}

/// Each once, in the order in which they come first.
pub(super) fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut met = Vec::new();
    for one in all {
        if !met.contains(&one) {
            met.push(one);
        }
    }
    met
}

/// What is wrong with a file of points.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {line}: {reason}")]
pub struct PointsError {
    /// From 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// The file of a figure's points.
pub fn csv_points(points: &[Point]) -> String {
    let number = |number: Option<f64>| number.map_or_else(String::new, shown);
    let count = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let row = |point: &Point| {
        let (x, unit) = match &point.x {
            X::At(x, unit) => (shown(*x), unit.clone()),
            X::Named(name) => (name.clone(), "name".to_owned()),
        };
        let source = if point.published { "published" } else { "simulated" };
        let (low, high) = (point.range.map(|range| range.0), point.range.map(|range| range.1));
        vec![
            (point.panel + 1).to_string(),
            point.series.clone(),
            source.into(),
            x,
            unit,
            number(point.y),
            point.y_unit.clone(),
            number(low),
            number(high),
            count(point.n),
            count(point.absent),
            point.label.clone(),
        ]
    };
    csv_rows([COLUMNS.map(String::from).to_vec()].into_iter().chain(points.iter().map(row)))
}

/// Reads such a file, of a figure with so many panels.
///
/// # Errors
/// The first line that holds no point.
pub fn read_points(text: &str, panels: usize) -> Result<Vec<Point>, PointsError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut points = Vec::new();
    for (number, record) in reader.records().enumerate() {
        let line = number as u64 + 1;
        let wrong = |reason: String| PointsError { line, reason };
        let record = record.map_err(|error| wrong(error.to_string()))?;
        if number == 0 {
            if record != COLUMNS[..] {
                return Err(wrong(format!("the columns are not {}", COLUMNS.join(","))));
            }
            continue;
        }
        points.push(point(&record, panels).map_err(wrong)?);
    }
    if text.trim().is_empty() { Err(PointsError { line: 1, reason: "holds no points".into() }) } else { Ok(points) }
}

fn point(record: &csv::StringRecord, panels: usize) -> Result<Point, String> {
    let of = |name: &str| &record[COLUMNS.iter().position(|column| *column == name).expect("a column")];
    let number = |name: &str| match of(name) {
        "" => Ok(None),
        text => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(format!("`{text}` is no number for `{name}`")),
        },
    };
    let count = |name: &str| match of(name) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("`{text}` is no number for `{name}`")),
    };
    let panel: usize = of("panel").parse().unwrap_or_default();
    if !(1..=panels).contains(&panel) {
        return Err(format!("`{}` is no panel; there are 1 to {panels}", of("panel")));
    }
    let published = match of("source") {
        "published" => true,
        "simulated" => false,
        other => return Err(format!("`{other}` is neither `simulated` nor `published`")),
    };
    let x = match of("x_unit") {
        "name" => X::Named(of("x").into()),
        unit => X::At(number("x")?.ok_or("a place is missing")?, unit.into()),
    };
    Ok(Point {
        panel: panel - 1,
        series: of("series").into(),
        published,
        x,
        y: number("y")?,
        y_unit: of("y_unit").into(),
        range: number("low")?.zip(number("high")?),
        n: count("n")?,
        absent: count("absent")?,
        label: of("label").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_back_as_they_were() {
        let all = [
            Point {
                panel: 0,
                series: "a, \"b\"".into(),
                published: false,
                x: X::At(0.0001, "s".into()),
                y: Some(1.0 / 3.0),
                y_unit: "1".into(),
                range: Some((0.25, 0.5)),
                n: Some(7),
                absent: Some(1),
                label: String::new(),
            },
            Point {
                panel: 1,
                series: String::new(),
                published: true,
                x: X::Named("idle".into()),
                y: None,
                y_unit: "s".into(),
                range: None,
                n: None,
                absent: None,
                label: "published".into(),
            },
        ];
        let text = csv_points(&all);
        let back = read_points(&text, 2).expect("it was written so");
        assert_eq!(csv_points(&back), text, "what was read is written as it was");
        assert_eq!(back[1], all[1]);
        let error = read_points(&text, 1).expect_err("a panel too many");
        assert_eq!((error.line, error.reason.as_str()), (3, "`2` is no panel; there are 1 to 1"));
        for (bad, part) in [("panel,x\n", "columns"), ("", "no points"), (&text.replace("0.25", "low"), "`low` is no")]
        {
            let error = read_points(bad, 2).expect_err(part);
            assert!(error.reason.contains(part), "{error}");
        }
    }
}
