//! A reference file: rows that can be measured and judged, parameters that can be fitted to them.

use std::sync::Arc;

use super::amount::{ends, unit_of};
use super::context::{Context, Place};
use super::verdict::parse_bound;
use crate::scenario::error::Diagnostic;
use crate::scenario::family::Change;
use crate::scenario::library::Library;
use crate::scenario::path::JsonPath;
use crate::scenario::published::{Metric, Parameter, ReferenceText, Row, Tolerance, median};
use crate::scenario::schema::reference::{self as text, Amount, MetricRef, ReferenceFile, RoundRef};
use crate::scenario::set::Setting;
use crate::scenario::source::Source;
use crate::scenario::{Column, ColumnUnit};
use crate::units::{Quantity, Ratio};
use crate::vocabulary::RoundMeasure;

/// More runs of one row give no better median, only a longer wait.
const REPLICATIONS_MAX: u64 = 1000;

/// What a reference says, what each row changes, and the ways to the parameters.
type Resolved = (ReferenceText, Vec<Vec<Change>>, Vec<JsonPath>);

/// Gives a typed reference its meaning; `stem` is its file's name.
///
/// # Errors
/// All problems, at least one.
pub(in crate::scenario) fn resolve_reference(
    stem: &str,
    file: &ReferenceFile,
    source: &Arc<Source>,
    library: &Library,
    columns: &[Column],
) -> Result<Resolved, Vec<Diagnostic>> {
    let mut context = Context::new(source, library);
    let root = Place::root();
    if file.id != stem {
        let hint = format!("write \"{stem}\", or rename the file");
        context.problem(&root.key("id"), "is not the name of the file", Some(&hint));
    }
    for (key, value, hint) in [
        ("source", &file.source, "cite where the values were published"),
        ("why", &file.why, "say what is compared, what is fitted, and what does not fit"),
    ] {
        if value.trim().is_empty() {
            context.problem(&root.key(key), "is empty", Some(hint));
        }
    }
    let at = root.key("rows");
    if file.rows.is_empty() {
        context.problem(&at, "is empty, so nothing is compared", None);
    }
    let mut changes = Vec::new();
    let mut rows = Vec::new();
    for (i, typed) in file.rows.iter().enumerate() {
        let at = at.index(i);
        if file.rows[..i].iter().any(|other| other.id == typed.id) {
            context.problem(&at.key("id"), format!("`{}` is the name of another row too", typed.id), None);
        }
        let fitted = file.fit.iter().any(|fit| fit.rows.contains(&typed.id));
        changes.push(row_changes(&mut context, i, typed, &at));
        rows.extend(row(&mut context, typed, fitted, columns, &at));
    }
    let (parameters, paths) = parameters(&mut context, file, &changes, &root.key("fit"));
    if !context.is_clean() {
        return Err(context.into_diagnostics());
    }
    let (id, citation, why) = (file.id.clone(), file.source.clone(), file.why.clone());
    Ok((ReferenceText { id, source: citation, why, parameters, rows }, changes, paths))
}

fn row_changes(context: &mut Context<'_>, number: usize, typed: &text::Row, at: &Place) -> Vec<Change> {
    let mut changes = Vec::new();
    for (key, value) in &typed.set {
        match JsonPath::parse(key) {
            Ok(path) => {
                let shown = value.as_str().map_or_else(|| value.to_string(), String::from);
                let setting = Setting::new(format!("{key}={shown}"), path, value.clone());
                let place = JsonPath::ROOT.key("rows").index(number).key("set").key(key);
                changes.push(Change { setting, place, typed: None });
            }
            Err(reason) => context.problem(&at.key("set").key(key), reason, None),
        }
    }
    changes
}

/// `None`, with a problem noted, if it cannot be measured.
fn row(context: &mut Context<'_>, typed: &text::Row, fitted: bool, columns: &[Column], at: &Place) -> Option<Row> {
    if typed.id.trim().is_empty() {
        context.problem(&at.key("id"), "is empty", None);
    }
    let replications = typed.replications.unwrap_or(1);
    if !(1..=REPLICATIONS_MAX).contains(&replications) {
        context.problem(&at.key("replications"), format!("is not from 1 to {REPLICATIONS_MAX}"), None);
    }
    if typed.why.as_ref().is_some_and(|why| why.trim().is_empty()) {
        context.problem(&at.key("why"), "is empty", Some("say why the row does not count, or leave `why` out"));
    }
    let (metric, unit) = metric(context, &typed.metric, columns, &at.key("metric"))?;
    let of = at.key("repetitions");
    let repetitions = typed.repetitions.iter().enumerate();
    let mut repetitions: Vec<u64> =
        repetitions.filter_map(|(i, amount)| value(context, unit, amount, &of.index(i))).collect();
    repetitions.sort_unstable();
    let middle = median(&repetitions);
    let given = typed.value.as_ref().and_then(|amount| value(context, unit, amount, &at.key("value")));
    match (given, middle) {
        (None, None) if typed.value.is_none() && typed.repetitions.is_empty() => {
            context.problem(at, "has no value", Some("give `value`, or `repetitions` of which it is the median"));
        }
        (Some(given), Some(middle)) if given != middle => {
            let message = format!("is not the median of `repetitions`, {}", super::print_bound(unit, middle));
            context.problem(&at.key("value"), message, None);
        }
        _ => {}
    }
    let tolerance = tolerance(context, typed, unit, at);
    if tolerance == Some(Tolerance::None) && typed.why.is_none() && !fitted {
        let hint = "give `within` or `equals`, or say in `why` for what reason the row does not count";
        context.problem(at, "says nothing of how near is near enough", Some(hint));
    }
    let value = given.or(middle)?;
    if fitted && value == 0 {
        context.problem(at, "is zero, so there is no relative error to fit", None);
    }
    let (id, why) = (typed.id.clone(), typed.why.clone());
    let shown_in = typed.value.as_ref().or(typed.repetitions.first()).map_or(String::new(), unit_of);
    Some(Row { id, metric, unit, shown_in, value, repetitions, tolerance: tolerance?, replications, why })
}

fn metric(
    context: &mut Context<'_>,
    typed: &MetricRef,
    columns: &[Column],
    at: &Place,
) -> Option<(Metric, ColumnUnit)> {
    let measure = match typed {
        MetricRef::Column(name) => {
            let Some(column) = columns.iter().find(|column| column.name == name) else {
                let known: Vec<&str> = columns.iter().map(|column| column.name).collect();
                context.misspelt(at, format!("the record has no column `{name}` with a number in it"), name, &known);
                return None;
            };
            return Some((Metric::Column(column.name), column.unit));
        }
        MetricRef::Measure(measure) => measure,
    };
    match (measure.from, measure.to, measure.round, measure.of) {
        (Some(from), Some(to), None, None) if from == to => {
            context.problem(at, "begins where it ends", None);
            None
        }
        (Some(from), Some(to), None, None) => Some((Metric::Between { from: from.0, to: to.0 }, ColumnUnit::Time)),
        (None, None, Some(round), Some(of)) => {
            let number = match round {
                RoundRef::Number(number) => Some(number),
                RoundRef::Last => None,
            };
            let unit = match of.0 {
                RoundMeasure::Bytes => ColumnUnit::Bytes,
                RoundMeasure::Pages | RoundMeasure::Dirtied => ColumnUnit::Pages,
                RoundMeasure::Time => ColumnUnit::Time,
            };
            if number.is_none() && of.0 == RoundMeasure::Dirtied {
                context.problem(at, "the VM is stopped in the last round and dirties nothing", None);
            }
            Some((Metric::Round { number, of: of.0 }, unit))
        }
        _ => {
            context.problem(at, "is no measure", Some("give `from` and `to`, or `round` and `of`"));
            None
        }
    }
}

/// A value in the unit of its metric.
fn value(context: &mut Context<'_>, unit: ColumnUnit, amount: &Amount, at: &Place) -> Option<u64> {
    let read = match (amount, unit) {
        (Amount::Whole(number), ColumnUnit::Count) => Ok(*number),
        (Amount::Whole(number), _) => Err(format!("bare number: `{number}` has no unit; write {}", example(unit))),
        (Amount::Text(_), ColumnUnit::Count) => {
            Err("the metric is a count: write a whole number, without quotes".into())
        }
        (Amount::Text(text), unit) => parse_bound(unit, text),
    };
    read.map_err(|message| context.problem(at, message, None)).ok()
}

fn example(unit: ColumnUnit) -> &'static str {
    match unit {
        ColumnUnit::Time => "\"1.5 s\"",
        ColumnUnit::Bytes => "\"4 GiB\"",
        ColumnUnit::Pages => "\"64 pages\"",
        ColumnUnit::Ratio => "\"10 %\"",
        ColumnUnit::Count => "3",
    }
}

fn tolerance(context: &mut Context<'_>, typed: &text::Row, unit: ColumnUnit, at: &Place) -> Option<Tolerance> {
    let exactly = typed.equals == Some(true);
    let Some(within) = &typed.within else { return Some(if exactly { Tolerance::Equals } else { Tolerance::None }) };
    let at = at.key("within");
    if exactly {
        context.problem(&at, "is here beside `equals`", Some("keep one of the two"));
    }
    if within.fraction.is_none() && within.absolute.is_none() && within.factor.is_none() {
        context.problem(&at, "says nothing", Some("give `fraction`, `absolute` or `factor`"));
    }
    let absolute = within.absolute.as_ref().map(|amount| value(context, unit, amount, &at.key("absolute")));
    let factor = within.factor.as_ref().map(|text| {
        let read = factor(text);
        if read.is_none() {
            context.problem(&at.key("factor"), format!("`{text}` is not a factor"), Some("write \"2\" or \"1.5\""));
        }
        read
    });
    let (absolute, factor) =
        (absolute.map_or(Some(None), |v| v.map(Some))?, factor.map_or(Some(None), |v| v.map(Some))?);
    Some(Tolerance::Within { fraction: within.fraction.map(|share| share.0), absolute, factor })
}

/// A decimal number from 1 on.
fn factor(text: &str) -> Option<Ratio> {
    // Read as a percentage, a number is a hundredth of itself.
    let hundredth = Ratio::parse(&format!("{text} %")).ok()?;
    let factor = Ratio::new(hundredth.num().checked_mul(100)?, hundredth.den());
    (factor >= Ratio::ONE).then_some(factor)
}

fn parameters(
    context: &mut Context<'_>,
    file: &ReferenceFile,
    changes: &[Vec<Change>],
    at: &Place,
) -> (Vec<Parameter>, Vec<JsonPath>) {
    let (mut parameters, mut paths): (Vec<Parameter>, Vec<JsonPath>) = (Vec::new(), Vec::new());
    for (i, fit) in file.fit.iter().enumerate() {
        let at = at.index(i);
        let path = match JsonPath::parse(&fit.path) {
            Ok(path) => path,
            Err(reason) => {
                context.problem(&at.key("path"), reason, None);
                continue;
            }
        };
        if paths.iter().any(|other| other.touches(&path)) {
            context.problem(&at.key("path"), "is fitted already", None);
        }
        let rows = fitted_rows(context, fit, file, &at.key("rows"));
        for row in &rows {
            if changes[*row].iter().any(|change| change.setting.path.touches(&path)) {
                let message =
                    format!("row `{}` sets `{}` itself, so it says nothing of it", file.rows[*row].id, fit.path);
                context.problem(&at.key("rows"), message, None);
            }
        }
        if let Some((kind, from, to)) = ends(context, &fit.from, &fit.to, &at) {
            let unit = unit_of(&fit.from);
            parameters.push(Parameter { path: fit.path.clone(), rows, kind, from, to, unit });
            paths.push(path);
        }
    }
    (parameters, paths)
}

fn fitted_rows(context: &mut Context<'_>, fit: &text::Fit, file: &ReferenceFile, at: &Place) -> Vec<usize> {
    if fit.rows.is_empty() {
        context.problem(at, "is empty, so there is nothing to fit to", None);
    }
    let mut rows = Vec::new();
    for (i, id) in fit.rows.iter().enumerate() {
        match file.rows.iter().position(|row| row.id == *id) {
            Some(row) if rows.contains(&row) => context.problem(&at.index(i), "is named twice", None),
            Some(row) => rows.push(row),
            None => {
                let known: Vec<&str> = file.rows.iter().map(|row| row.id.as_str()).collect();
                context.misspelt(&at.index(i), format!("there is no row `{id}`"), id, &known);
            }
        }
    }
    rows
}
