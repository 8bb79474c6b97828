//! A figure: its panels over axes that their sweeps have, published values in the unit of what is drawn, and claims about points.

mod claim;
mod published;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::context::{Context, Place as At};
use super::sweep::target;
use super::verdict::ColumnUnit;
use crate::scenario::error::ScenarioError;
use crate::scenario::figure::{Cells, Figure, Labelled, Panel, Plot, Scale, Series, Width};
use crate::scenario::library::Library;
use crate::scenario::load::{LoadOptions, load};
use crate::scenario::schema::figure::{self as text, FigureFile};
use crate::scenario::source::Source;
use crate::scenario::sweep::{Axis, Sweep, Target, load_sweep};
use crate::units::{Bytes, Quantity, Span};

/// Most panels of a figure: more are no figure.
const PANELS_MAX: usize = 6;
/// Most steps of time of a panel.
const STEPS_MAX: u64 = 2000;

/// What is known while a figure is read.
struct Reading<'a> {
    context: Context<'a>,
    folder: &'a Path,
    options: &'a LoadOptions<'a>,
    /// By the path as it was typed.
    sweeps: Vec<(String, Sweep)>,
}

/// Gives a typed figure its meaning; `folder` is where its file lies.
///
/// # Errors
/// All problems of the file, or those of a file that it names.
pub(in crate::scenario) fn resolve_figure(
    stem: &str,
    folder: &Path,
    file: &FigureFile,
    source: &Arc<Source>,
    library: &Library,
    options: &LoadOptions<'_>,
) -> Result<Figure, ScenarioError> {
    let context = Context::new(source, library);
    let mut reading = Reading { context, folder, options, sweeps: Vec::new() };
    let root = At::root();
    for (key, text) in [("title", &file.title), ("why", &file.why)] {
        if text.trim().is_empty() {
            reading.context.problem(&root.key(key), "is empty", Some("say in words what is shown"));
        }
    }
    if !(1..=PANELS_MAX).contains(&file.panels.len()) {
        let message = format!("are {}; a figure has from 1 to {PANELS_MAX}", file.panels.len());
        reading.context.problem(&root.key("panels"), message, None);
    }
    if file.claims.is_empty() {
        reading.context.problem(&root.key("claims"), "is empty", Some("say in a sentence what the figure shows"));
    }
    let mut panels: Vec<Option<Panel>> = Vec::new();
    for (i, panel) in file.panels.iter().enumerate() {
        let panel = reading.panel(panel, &root.key("panels").index(i))?;
        panels.push(panel);
    }
    let claims = reading.claims(&file.claims, &panels, &root.key("claims"));
    if !reading.context.is_clean() {
        return Err(ScenarioError::Invalid(reading.context.into_diagnostics()));
    }
    let width = if panels.len() > 1 { Width::Page } else { Width::Column };
    Ok(Figure {
        name: stem.into(),
        title: file.title.clone(),
        why: file.why.clone(),
        width: file.width.unwrap_or(width),
        panels: panels.into_iter().flatten().collect(),
        sweeps: reading.sweeps.into_iter().map(|(_, sweep)| sweep).collect(),
        claims,
    })
}

/// How the places of a panel are typed: the axes by name.
struct Names<'a> {
    x: Option<&'a str>,
    /// The key of the axis with a line, bar or row for each value, and that axis.
    by: (&'static str, Option<&'a str>),
    only: &'a BTreeMap<String, String>,
}

impl Reading<'_> {
    /// `None`, with a problem noted, if it makes no sense.
    fn panel(&mut self, typed: &text::Panel, at: &At) -> Result<Option<Panel>, ScenarioError> {
        let inside = at.key("plot");
        let plot = match &typed.plot {
            text::Plot::Lines(lines) => self.lines(lines, &inside.key("lines"))?,
            text::Plot::Bars(bars) => self.bars(bars, &inside.key("bars"))?,
            text::Plot::Ecdf(ecdf) => self.ecdf(ecdf, &inside.key("ecdf"))?,
            text::Plot::Outcomes(outcomes) => self.outcomes(outcomes, &inside.key("outcomes"))?,
            text::Plot::OverTime(over) => self.over_time(over, &inside.key("over-time"))?,
            text::Plot::Timeline(timeline) => {
                let scenario = load(&self.folder.join(&timeline.scenario), self.options)?;
                let (from, to) = (timeline.from.map_or(Span::ZERO, |from| from.0), timeline.to.map(|to| to.0));
                if to.is_some_and(|to| to <= from) {
                    let at = inside.key("timeline").key("to");
                    self.context.problem(&at, "is not after `from`", None);
                }
                Some(Plot::Timeline { scenario: Arc::new(scenario), from, to })
            }
        };
        let Some(plot) = plot else { return Ok(None) };
        let mut published = Vec::new();
        for (i, typed) in typed.published.iter().enumerate() {
            published.extend(self.published(typed, &plot, &at.key("published").index(i))?);
        }
        Ok(Some(Panel { title: typed.title.clone(), plot, published }))
    }

    fn lines(&mut self, typed: &text::Lines, at: &At) -> Result<Option<Plot>, ScenarioError> {
        let names = Names { x: Some(&typed.x), by: ("by", typed.by.as_deref()), only: &typed.only };
        let cells = self.cells(&typed.sweep, &names, at)?;
        let of = self.target(&typed.y, &at.key("y"));
        let (Some(cells), Some(of)) = (cells, of) else { return Ok(None) };
        let axis = &self.sweeps[cells.sweep].1.axes[cells.x.unwrap_or_default()];
        if let Some(value) = axis.values.iter().find(|value| value.amount().is_none()) {
            let message = format!("`{}` of `{}` has no place on a line", value.text, axis.name);
            self.context.problem(&at.key("x"), message, Some("it is no quantity; draw `bars`"));
            return Ok(None);
        }
        let x = labelled(typed.x_label.as_ref(), &plain(&axis.name), typed.x_scale);
        Ok(Some(Plot::Lines { cells, x, y: labelled(typed.y_label.as_ref(), &called(of), typed.y_scale), of }))
    }

    fn bars(&mut self, typed: &text::Bars, at: &At) -> Result<Option<Plot>, ScenarioError> {
        let names = Names { x: Some(&typed.x), by: ("by", typed.by.as_deref()), only: &typed.only };
        let cells = self.cells(&typed.sweep, &names, at)?;
        let of = self.target(&typed.y, &at.key("y"));
        let (Some(cells), Some(of)) = (cells, of) else { return Ok(None) };
        let x = labelled(typed.x_label.as_ref(), &plain(&typed.x), None);
        Ok(Some(Plot::Bars { cells, x, y: labelled(typed.y_label.as_ref(), &called(of), typed.y_scale), of }))
    }

    fn ecdf(&mut self, typed: &text::Ecdf, at: &At) -> Result<Option<Plot>, ScenarioError> {
        let names = Names { x: None, by: ("by", typed.by.as_deref()), only: &typed.only };
        let cells = self.cells(&typed.sweep, &names, at)?;
        let of = self.target(&typed.of, &at.key("of"));
        if let Some(Target::Outcome(_)) = of {
            self.context.problem(&at.key("of"), "has no distribution", Some("draw `lines` or `bars` of an outcome"));
        }
        let (Some(cells), Some(of)) = (cells, of) else { return Ok(None) };
        Ok(Some(Plot::Ecdf { cells, x: labelled(typed.label.as_ref(), &called(of), typed.scale), of }))
    }

    fn outcomes(&mut self, typed: &text::Outcomes, at: &At) -> Result<Option<Plot>, ScenarioError> {
        let names = Names { x: Some(&typed.x), by: ("y", Some(&typed.y)), only: &typed.only };
        let Some(cells) = self.cells(&typed.sweep, &names, at)? else { return Ok(None) };
        let x = labelled(typed.x_label.as_ref(), &plain(&typed.x), None);
        Ok(Some(Plot::Outcomes { cells, x, y: labelled(typed.y_label.as_ref(), &plain(&typed.y), None) }))
    }

    fn over_time(&mut self, typed: &text::OverTime, at: &At) -> Result<Option<Plot>, ScenarioError> {
        let names = Names { x: None, by: ("by", typed.by.as_deref()), only: &typed.only };
        let cells = self.cells(&typed.sweep, &names, at)?;
        let (step, to) = (typed.step.0, typed.to.0);
        let steps = to.ns().checked_div(step.ns()).unwrap_or_default();
        if !(1..=STEPS_MAX).contains(&steps) {
            let message = format!("{steps} steps of {step} lie before {to}; from 1 to {STEPS_MAX} can be drawn");
            self.context.problem(&at.key("step"), message, None);
        }
        let packet = typed.packet.as_ref().and_then(|text| match Bytes::parse(text) {
            Ok(size) => Some(size),
            Err(error) => {
                self.context.problem(&at.key("packet"), error.to_string(), None);
                None
            }
        });
        let name = match typed.of {
            Series::Progress => "progress of the guest",
            Series::Output => "throughput at the client",
            Series::Running => "share of time in which the VM runs",
        };
        let y = labelled(typed.label.as_ref(), name, None);
        if let Some(cells) = cells.as_ref().filter(|_| typed.of == Series::Output)
            && !self.sweeps[cells.sweep].1.may_send()
        {
            let hint = "give the VM of the sweep's scenario an `output`";
            self.context.problem(&at.key("of"), "the guest of the sweep sends nothing", Some(hint));
        }
        Ok(cells.map(|cells| Plot::OverTime { cells, y, of: typed.of, step, steps, packet }))
    }

    fn target(&mut self, text: &str, at: &At) -> Option<Target> {
        target(&mut self.context, self.options.columns, text, at)
    }

    /// The number of a sweep; it is read if no panel has named it before.
    fn sweep(&mut self, path: &str) -> Result<usize, ScenarioError> {
        if let Some(number) = self.sweeps.iter().position(|(there, _)| there == path) {
            return Ok(number);
        }
        let sweep = load_sweep(&self.folder.join(path), self.options)?;
        self.sweeps.push((path.into(), sweep));
        Ok(self.sweeps.len() - 1)
    }

    fn cells(&mut self, sweep: &str, names: &Names<'_>, at: &At) -> Result<Option<Cells>, ScenarioError> {
        let number = self.sweep(sweep)?;
        let of = &self.sweeps[number].1;
        let mut placed = Placed { context: &mut self.context, axes: &of.axes, taken: Vec::new(), good: true };
        let x = names.x.and_then(|name| placed.axis(name, &at.key("x")));
        let by = names.by.1.and_then(|name| placed.axis(name, &at.key(names.by.0)));
        let only = names.only.iter().filter_map(|(name, value)| placed.held(name, value, &at.key("only").key(name)));
        let only: Vec<(usize, usize)> = only.collect();
        let Placed { context, taken, good, .. } = placed;
        for (i, axis) in of.axes.iter().enumerate().filter(|(i, _)| !taken.contains(i)) {
            let goes_with = |group: &Vec<usize>| group.contains(&i) && group.iter().any(|other| taken.contains(other));
            if !of.groups.iter().any(goes_with) {
                let hint = format!("`\"only\": {{\"{}\": \"{}\"}}`", axis.name, axis.values[0].text);
                context.problem(at, format!("the axis `{}` has no place in the panel", axis.name), Some(&hint));
            }
        }
        Ok(good.then_some(Cells { sweep: number, x, by, only }))
    }
}

/// The axes of a sweep, and which of them have a place in a panel.
struct Placed<'a, 'b> {
    context: &'a mut Context<'b>,
    axes: &'a [Axis],
    taken: Vec<usize>,
    /// Whether all names were known.
    good: bool,
}

impl Placed<'_, '_> {
    /// The number of an axis, which has a place now; `None`, with a problem noted, if there is none of this name.
    fn axis(&mut self, name: &str, at: &At) -> Option<usize> {
        let found = self.axes.iter().position(|axis| axis.name == name);
        match found {
            Some(number) if self.taken.contains(&number) => {
                self.context.problem(at, format!("`{name}` has a place in the panel already"), None);
            }
            Some(number) => self.taken.push(number),
            None => {
                let known: Vec<&str> = self.axes.iter().map(|axis| axis.name.as_str()).collect();
                self.context.misspelt(at, format!("the sweep has no axis `{name}`"), name, &known);
                self.good = false;
            }
        }
        found
    }

    /// An axis that is held, and the number of its value.
    fn held(&mut self, name: &str, value: &str, at: &At) -> Option<(usize, usize)> {
        let number = self.axis(name, at)?;
        let values = &self.axes[number].values;
        let found = values.iter().position(|other| other.text == value);
        if found.is_none() {
            let known: Vec<&str> = values.iter().map(|value| value.text.as_str()).collect();
            self.context.misspelt(at, format!("`{value}` is no value of `{name}`"), value, &known);
        }
        Some((number, found?))
    }
}

fn labelled(typed: Option<&String>, name: &str, scale: Option<Scale>) -> Labelled {
    Labelled { label: typed.cloned().unwrap_or_else(|| name.to_owned()), scale: scale.unwrap_or_default() }
}

fn plain(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

/// A quantity as it stands at an axis, without its unit.
fn called(of: Target) -> String {
    match of {
        Target::Mean(column) if column.unit == ColumnUnit::Time => plain(column.name.trim_end_matches("_s")),
        Target::Mean(column) => plain(column.name),
        Target::Outcome(outcome) => format!("VMs {}", plain(outcome.as_str())),
    }
}
