//! Published values beside what is drawn: rows of a reference, or points typed in place.

use std::path::Path;

use super::Reading;
use crate::scenario::error::ScenarioError;
use crate::scenario::figure::{Place, Plot, Published};
use crate::scenario::path::JsonPath;
use crate::scenario::published::{Metric, ParameterKind, load_reference};
use crate::scenario::resolve::context::{Context, Place as At};
use crate::scenario::resolve::verdict::{ColumnUnit, parse_bound};
use crate::scenario::schema::figure as text;
use crate::scenario::schema::reference::Amount;
use crate::scenario::sweep::Target;

/// What is counted from bottom to top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Column(ColumnUnit),
    Rate,
}

impl Unit {
    pub(super) fn of(plot: &Plot) -> Self {
        use crate::scenario::figure::Series;
        match plot {
            Plot::Lines { of: Target::Mean(column), .. } | Plot::Bars { of: Target::Mean(column), .. } => {
                Self::Column(column.unit)
            }
            Plot::OverTime { of: Series::Output, .. } => Self::Rate,
            Plot::Timeline { .. } => Self::Column(ColumnUnit::Time),
            _ => Self::Column(ColumnUnit::Ratio),
        }
    }

    /// A value as it was typed; a problem if it is none.
    pub(super) fn read(self, context: &mut Context<'_>, typed: &Amount, at: &At) -> Option<u64> {
        let text = shown(typed);
        let read = match self {
            Self::Column(unit) => parse_bound(unit, &text),
            Self::Rate => match ParameterKind::read(&text) {
                Some((ParameterKind::Rate, rate)) => Ok(rate),
                _ => Err(format!("`{text}` is no rate; write \"100 Mbit/s\"")),
            },
        };
        read.map_err(|reason| context.problem(at, reason, None)).ok()
    }
}

pub(super) fn shown(typed: &Amount) -> String {
    match typed {
        Amount::Text(text) => text.clone(),
        Amount::Whole(number) => number.to_string(),
    }
}

/// Where on the axis of a plot a value stands as it was typed.
pub(super) fn place(plot: &Plot, typed: &Amount) -> Place {
    let named = matches!(plot, Plot::Bars { .. });
    let read = match typed {
        _ if named => None,
        Amount::Whole(number) => Some((ParameterKind::Count, *number)),
        Amount::Text(text) => ParameterKind::read(text),
    };
    read.map_or_else(|| Place::Named(shown(typed)), |(kind, value)| Place::At(kind, value))
}

impl Reading<'_> {
    pub(super) fn published(
        &mut self,
        typed: &text::Published,
        plot: &Plot,
        at: &At,
    ) -> Result<Option<Published>, ScenarioError> {
        let beside = self.series_named(typed.beside.as_deref(), plot, &at.key("beside"));
        let label = typed.label.clone().unwrap_or_else(|| "published".into());
        let (points, source) = match (&typed.reference, &typed.x, &typed.source) {
            (Some(name), Some(x), None) if typed.points.is_empty() => self.rows(name, x, plot, at)?,
            (None, None, Some(source)) if !typed.points.is_empty() => {
                let unit = Unit::of(plot);
                let points = typed.points.iter().enumerate().filter_map(|(i, point)| {
                    let at = at.key("points").index(i).key("y");
                    Some((place(plot, &point.x), unit.read(&mut self.context, &point.y, &at)?))
                });
                (points.collect(), source.clone())
            }
            _ => {
                let message = "`reference` and `x`, or `points` and `source`, are needed, and not both";
                self.context.problem(at, message, None);
                return Ok(None);
            }
        };
        Ok(beside.map(|beside| Published { beside, label, source, points }))
    }

    /// The name of a series, or of the only one; a problem if the plot has none of this name.
    pub(super) fn series_named(&mut self, typed: Option<&str>, plot: &Plot, at: &At) -> Option<String> {
        let names = series(plot, &self.sweeps);
        let found = match typed {
            None => names.first().filter(|_| names.len() == 1),
            Some(name) => names.iter().find(|other| *other == name),
        };
        if found.is_none() {
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            let word = typed.unwrap_or_default();
            self.context.misspelt(at, format!("`{word}` is no series of the panel"), word, &known);
        }
        found.cloned()
    }

    fn rows(
        &mut self,
        name: &str,
        x: &str,
        plot: &Plot,
        at: &At,
    ) -> Result<(Vec<(Place, u64)>, String), ScenarioError> {
        let file = self.folder.join(name);
        let file = if file.exists() { file } else { Path::new(name).to_owned() };
        let reference = load_reference(&file, self.options)?;
        let wanted = match plot {
            Plot::Lines { of: Target::Mean(column), .. } | Plot::Bars { of: Target::Mean(column), .. } => column.name,
            _ => {
                self.context.problem(at, "only columns of the record have references", None);
                return Ok((Vec::new(), String::new()));
            }
        };
        let Ok(path) = JsonPath::parse(x).map(|path| path.indexed()) else {
            self.context.problem(&at.key("x"), format!("`{x}` is no path"), None);
            return Ok((Vec::new(), String::new()));
        };
        let rows = reference.rows.iter().enumerate().filter(|(_, row)| row.metric == Metric::Column(wanted));
        let points: Vec<(Place, u64)> =
            rows.filter_map(|(i, row)| Some((place(plot, &reference.typed_at(i, &path)?), row.value))).collect();
        if points.is_empty() {
            let message = format!("`{name}` has no row of `{wanted}` that sets `{x}`");
            self.context.problem(at, message, None);
        }
        Ok((points, reference.source))
    }
}

/// The names of the series of a plot, in order.
fn series(plot: &Plot, sweeps: &[(String, crate::scenario::Sweep)]) -> Vec<String> {
    let Some(cells) = plot.cells() else { return Vec::new() };
    match cells.by {
        None => vec![String::new()],
        Some(axis) => sweeps[cells.sweep].1.axes[axis].values.iter().map(|value| value.text.clone()).collect(),
    }
}
