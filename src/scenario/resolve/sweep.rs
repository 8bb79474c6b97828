//! A sweep: axes with all their values, and what must hold of cells.

use std::sync::Arc;

use super::axis::axis;
use super::context::{Context, Place};
use super::verdict::{Column, ColumnUnit, parse_bound};
use crate::scenario::error::Diagnostic;
use crate::scenario::family::Family;
use crate::scenario::schema::reference::Amount;
use crate::scenario::schema::sweep::{self as text, SweepFile};
use crate::scenario::source::Source;
use crate::scenario::sweep::{
    Axis, Compare, Condition, Design, HalfWidth, Other, Replications, Sweep, Target, Typed, Until,
};
use crate::scenario::texts::Texts;
use crate::units::{Quantity, Ratio};
use crate::vocabulary::Outcome;

/// First look at a cell that runs until enough is known.
pub(in crate::scenario) const FIRST_LOOK: u64 = 32;
/// Points of a design: no one waits for more cells than that.
const POINTS_MAX: u64 = 100_000;
/// The Sobol sequence's points and dimensions that `sobol_burley` has.
const SOBOL_POINTS_MAX: u64 = 65_536;
const SOBOL_DIMENSIONS_MAX: usize = 256;
/// Runs of one cell.
const REPLICATIONS_MAX: u64 = 10_000_000;

/// Gives a typed sweep its meaning; `files` are those that axes name, `seed` the scenario's.
///
/// # Errors
/// All problems, at least one.
pub(in crate::scenario) fn resolve_sweep(
    stem: &str,
    files: Texts,
    file: &SweepFile,
    source: &Arc<Source>,
    family: Family,
    seed: u64,
) -> Result<Sweep, Vec<Diagnostic>> {
    let library = family.library.clone();
    let mut context = Context::new(source, &library);
    let root = Place::root();
    if file.why.trim().is_empty() {
        context.problem(&root.key("why"), "is empty", Some("say in a sentence what is asked"));
    }
    let axes = axes(&mut context, file, &files, &root.key("axes"));
    let groups = groups(&mut context, file, &axes, &root.key("zip"));
    let conditions = conditions(&mut context, file, &axes, &root.key("where"));
    let design = design(&mut context, file, groups.len(), &root.key("design"));
    let replications = replications(&mut context, file, &family.columns, &root.key("replications"));
    let metrics = metrics(&mut context, file, &family.columns, &root.key("metrics"));
    let level = file.level.map_or(Ratio::percent(95), |level| level.0);
    if level == Ratio::ZERO || level >= Ratio::ONE {
        context.problem(&root.key("level"), format!("{level} is not between 0 and 100 %"), None);
    }
    let compare = compare(&mut context, file, &axes, &root.key("compare"));
    if !context.is_clean() {
        return Err(context.into_diagnostics());
    }
    Ok(Sweep {
        name: stem.into(),
        why: file.why.clone(),
        axes,
        groups,
        conditions,
        design,
        replications: replications.unwrap_or(Replications::Fixed(1)),
        seed: file.seed.unwrap_or(seed),
        metrics,
        level,
        compare,
        is_quick: false,
        text: Arc::clone(source),
        files,
        family,
    })
}

fn axes(context: &mut Context<'_>, file: &SweepFile, files: &Texts, at: &Place) -> Vec<Axis> {
    if file.axes.is_empty() {
        context.problem(at, "is empty, so nothing is varied", Some("`midflight run` runs one scenario"));
    }
    let mut axes: Vec<Axis> = Vec::new();
    for (i, typed) in file.axes.iter().enumerate() {
        let at = at.index(i);
        let Some(made) = axis(context, typed, i, files, &at) else { continue };
        if axes.iter().any(|other| other.name == made.name) {
            let key = if typed.name.is_some() { "as" } else { "path" };
            context.problem(
                &at.key(key),
                format!("`{}` is the name of another axis", made.name),
                Some("give it another with `as`"),
            );
        }
        if axes.iter().any(|other| other.path.touches(&made.path)) {
            context.problem(&at.key("path"), "is varied by another axis already", None);
        }
        axes.push(made);
    }
    axes
}

/// The number of an axis by its name or path; a problem if there is none.
fn named(context: &mut Context<'_>, axes: &[Axis], name: &str, at: &Place) -> Option<usize> {
    let found = axes.iter().position(|axis| axis.name == name || axis.path.to_string() == name);
    if found.is_none() {
        let known: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
        context.misspelt(at, format!("there is no axis `{name}`"), name, &known);
    }
    found
}

fn groups(context: &mut Context<'_>, file: &SweepFile, axes: &[Axis], at: &Place) -> Vec<Vec<usize>> {
    let mut zipped: Vec<Vec<usize>> = Vec::new();
    for (i, names) in file.zip.iter().enumerate() {
        let at = at.index(i);
        let mut group: Vec<usize> = Vec::new();
        for (j, name) in names.iter().enumerate() {
            let Some(number) = named(context, axes, name, &at.index(j)) else { continue };
            if zipped.iter().flatten().chain(&group).any(|other| *other == number) {
                context.problem(&at.index(j), format!("`{name}` goes with others already"), None);
            } else if let Some(first) =
                group.first().filter(|first| axes[**first].values.len() != axes[number].values.len())
            {
                let (first, here) = (&axes[*first], &axes[number]);
                let message = format!(
                    "`{}` has {} values and `{}` {}; those that go together have as many",
                    here.name,
                    here.values.len(),
                    first.name,
                    first.values.len()
                );
                context.problem(&at.index(j), message, None);
            }
            group.push(number);
        }
        if names.len() < 2 {
            context.problem(&at, "names fewer than two axes", None);
        }
        zipped.push(group);
    }
    // In the order of their first axes.
    let alone =
        (0..axes.len()).filter(|axis| !zipped.iter().flatten().any(|other| other == axis)).map(|axis| vec![axis]);
    let mut groups: Vec<Vec<usize>> = alone.chain(zipped.iter().cloned()).filter(|group| !group.is_empty()).collect();
    groups.sort_by_key(|group| group.iter().min().copied());
    groups
}

fn conditions(context: &mut Context<'_>, file: &SweepFile, axes: &[Axis], at: &Place) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (i, typed) in file.conditions.iter().enumerate() {
        let at = at.index(i);
        let relation = typed.op.0;
        let Some(number) = named(context, axes, &typed.path, &at.key("path")) else { continue };
        let other = match (&typed.value, &typed.axis) {
            (Some(value), None) => Other::Value(super::axis::shown(value), Typed::of(value)),
            (None, Some(name)) => match named(context, axes, name, &at.key("axis")) {
                Some(other) => Other::Axis(other),
                None => continue,
            },
            _ => {
                context.problem(&at, "one of `value` and `axis` is needed, and only one", None);
                continue;
            }
        };
        let here = axes[number].values.iter().map(|value| &value.as_typed);
        let there: Vec<&Typed> = match &other {
            Other::Value(_, value) => vec![value],
            Other::Axis(other) => axes[*other].values.iter().map(|value| &value.as_typed).collect(),
        };
        // Values are in order if all are quantities of one kind: each is in order with the first of the others, and each of those with it.
        let of_a_kind = |all: &[&Typed], one: &Typed| all.iter().all(|other| one.order(other).is_some());
        let ordered = there.first().is_some_and(|first| here.clone().all(|value| value.order(first).is_some()))
            && axes[number].values.first().is_some_and(|first| of_a_kind(&there, &first.as_typed));
        if relation.orders() && !ordered {
            let message =
                format!("values of `{}` are neither more nor less than what they are compared with", typed.path);
            context.problem(&at, message, Some("quantities of one kind can be compared; words by `=` and `!=`"));
        }
        conditions.push(Condition { axis: number, relation, other });
    }
    conditions
}

fn design(context: &mut Context<'_>, file: &SweepFile, dimensions: usize, at: &Place) -> Design {
    let mut points = |points: &text::Points, key: &str, most: u64| {
        if !(1..=most).contains(&points.n) {
            context.problem(&at.key(key).key("n"), format!("{} is not from 1 to {most}", points.n), None);
        }
        points.n
    };
    match &file.design {
        None | Some(text::Design::Grid(_)) => Design::Grid,
        Some(text::Design::Lhs(text)) => Design::LatinHypercube(points(text, "lhs", POINTS_MAX)),
        Some(text::Design::Sobol(text)) => {
            let design = Design::Sobol(points(text, "sobol", SOBOL_POINTS_MAX));
            if dimensions > SOBOL_DIMENSIONS_MAX {
                let message =
                    format!("there are {dimensions} axes, and {SOBOL_DIMENSIONS_MAX} is the most for a Sobol sequence");
                context.problem(&at.key("sobol"), message, Some("zip some, or take `lhs`"));
            }
            design
        }
    }
}

fn column_of(context: &mut Context<'_>, columns: &[Column], name: &str, at: &Place) -> Option<Column> {
    // What says which run it is, is no result of it.
    let measures = || columns.iter().filter(|column| !matches!(column.name, "seed" | "replication"));
    let found = measures().find(|column| column.name == name).copied();
    if found.is_none() {
        let known: Vec<&str> = measures().map(|column| column.name).collect();
        context.misspelt(at, format!("the record has no column `{name}` with numbers"), name, &known);
    }
    found
}

/// A column of the record, or `outcome=` and an outcome.
pub(super) fn target(context: &mut Context<'_>, columns: &[Column], text: &str, at: &Place) -> Option<Target> {
    match text.strip_prefix("outcome=") {
        Some(word) => outcome(context, word, at).map(Target::Outcome),
        None => column_of(context, columns, text, at).map(Target::Mean),
    }
}

/// An outcome by its name; a problem if there is none.
pub(super) fn outcome(context: &mut Context<'_>, word: &str, at: &Place) -> Option<Outcome> {
    let found = Outcome::parse(word);
    if found.is_none() {
        let known: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
        context.misspelt(at, format!("there is no outcome `{word}`"), word, &known);
    }
    found
}

fn metrics(context: &mut Context<'_>, file: &SweepFile, columns: &[Column], at: &Place) -> Option<Vec<Column>> {
    let names = file.metrics.as_ref()?;
    for (i, name) in names.iter().enumerate().filter(|(i, name)| names[..*i].contains(name)) {
        context.problem(&at.index(i), format!("`{name}` is here twice"), None);
    }
    let found = names.iter().enumerate().filter_map(|(i, name)| column_of(context, columns, name, &at.index(i)));
    Some(found.collect())
}

fn replications(context: &mut Context<'_>, file: &SweepFile, columns: &[Column], at: &Place) -> Option<Replications> {
    let until = match file.replications.as_ref()? {
        text::Replications::Fixed(number) => {
            if !(1..=REPLICATIONS_MAX).contains(number) {
                context.problem(at, format!("{number} is not from 1 to {REPLICATIONS_MAX}"), None);
            }
            return Some(Replications::Fixed(*number));
        }
        text::Replications::Until(until) => until,
    };
    let at = at.key("until");
    if !(FIRST_LOOK..=REPLICATIONS_MAX).contains(&until.max) {
        context.problem(&at.key("max"), format!("{} is not from {FIRST_LOOK} to {REPLICATIONS_MAX}", until.max), None);
    }
    let target = target(context, columns, &until.metric, &at.key("metric"))?;
    let half_width = half_width(context, target, &until.half_width, &at.key("half_width"))?;
    Some(Replications::Until(Until { target, half_width, max: until.max }))
}

fn half_width(context: &mut Context<'_>, target: Target, typed: &Amount, at: &Place) -> Option<HalfWidth> {
    let text = match typed {
        Amount::Text(text) => text.clone(),
        Amount::Whole(number) => number.to_string(),
    };
    let unit = match target {
        Target::Outcome(_) => ColumnUnit::Ratio,
        Target::Mean(column) => column.unit,
    };
    let share = Ratio::parse(&text).ok().filter(|_| unit != ColumnUnit::Ratio);
    let read = match share {
        Some(share) => Ok(HalfWidth::Share(share)),
        None => parse_bound(unit, &text).map(HalfWidth::Absolute),
    };
    match read {
        Ok(HalfWidth::Absolute(0) | HalfWidth::Share(Ratio::ZERO)) => {
            context.positive(false, at);
            None
        }
        Ok(width) => Some(width),
        Err(reason) => {
            context.problem(at, reason, Some("write it with the unit of the metric, or, of a mean, as \"2 %\" of it"));
            None
        }
    }
}

fn compare(context: &mut Context<'_>, file: &SweepFile, axes: &[Axis], at: &Place) -> Option<Compare> {
    let typed = file.compare.as_ref()?;
    let number = named(context, axes, &typed.axis, &at.key("axis"))?;
    let wanted = super::axis::shown(&typed.with);
    let with = axes[number].values.iter().position(|value| value.is(&wanted, &Typed::of(&typed.with)));
    if with.is_none() {
        let known: Vec<&str> = axes[number].values.iter().map(|value| value.text.as_str()).collect();
        context.misspelt(
            &at.key("with"),
            format!("`{wanted}` is no value of `{}`", axes[number].name),
            &wanted,
            &known,
        );
    }
    Some(Compare { axis: number, with: with? })
}
