//! The verdict: claims that contradict each other, bounds in the unit of their column, and a defect that must be caught.

use super::context::{Context, Place};
use super::policy::Claims;
use crate::scenario::defect::bearer;
use crate::scenario::schema::ScenarioFile;
use crate::scenario::schema::quantity::Word;
use crate::scenario::schema::verdict::{self as verdict_text, Bound};
use crate::scenario::{Capsule, MetricBound, Policy, Verdict, Waiver};
use crate::units::{Bytes, PageCount, Quantity, Ratio, Span};
use crate::vocabulary::{Defect, FaultClass, Invariant};

/// The unit of a column of the record, and so of a bound on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnUnit {
    /// Text with a unit of time; nanoseconds inside.
    Time,
    /// Text with a unit of size; bytes inside.
    Bytes,
    /// Text with `pages`; pages inside.
    Pages,
    /// Text such as `"10 %"`; parts per million inside.
    Ratio,
    /// A bare whole number, as text.
    Count,
}

/// A column of the record that can be bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its unit.
    pub unit: ColumnUnit,
}

const PPM: u128 = 1_000_000;

/// `claims`: those of the policy, for a scenario that makes none.
pub(super) fn verdict(
    context: &mut Context<'_>,
    file: &ScenarioFile,
    claims: Claims,
    columns: &[Column],
    root: &Place,
) -> Verdict {
    let must_violate = file.must_violate.map(|word| word.0);
    let own = |word: &Word<FaultClass>| word.0;
    let tolerates = file.tolerates.as_ref().map_or(claims.tolerates, |words| words.iter().map(own).collect());
    let waives = match &file.waives {
        Some(own) => own_waivers(context, own, must_violate, &root.key("waives")),
        None => claims.waives.into_iter().filter(|waiver| Some(waiver.invariant) != must_violate).collect(),
    };
    let expect = file.expect.clone().unwrap_or_default();
    let at = root.key("expect").key("metrics");
    let metrics = expect.metrics.iter();
    Verdict {
        tolerates,
        waives,
        must_violate,
        outcome: expect.outcome.iter().map(|word| word.0).collect(),
        ends: expect
            .ends
            .map_or_else(Default::default, |ends| [ends.source, ends.destination].map(|word| word.map(|word| word.0))),
        metrics: metrics.filter_map(|(name, text)| bound(context, name, text, columns, &at.key(name))).collect(),
    }
}

/// A defect proves something only where something is to be caught, and only in an agent that there is.
pub(super) fn defect(context: &mut Context<'_>, file: &ScenarioFile, policy: &Policy, at: &Place) -> Defect {
    let defect = file.defect.map_or(Defect::None, |word| word.0);
    if defect == Defect::None {
        return defect;
    }
    if file.must_violate.is_none() {
        let message = format!("`{defect}` breaks an agent, and nothing says what must be caught");
        context.problem(at, message, Some("name the invariant in `must_violate`"));
    }
    if let Err(lacking) = bearer(defect, policy) {
        context.problem(at, format!("`{defect}` would change nothing: {lacking}"), None);
    }
    defect
}

fn own_waivers(
    context: &mut Context<'_>,
    own: &[verdict_text::Waiver],
    must_violate: Option<Invariant>,
    at: &Place,
) -> Vec<Waiver> {
    for (i, waiver) in own.iter().enumerate().filter(|(_, waiver)| Some(waiver.invariant.0) == must_violate) {
        let message = format!("`{}` must be violated, so it cannot be waived too", waiver.invariant.0);
        context.problem(&at.index(i).key("invariant"), message, Some("remove it here or in `must_violate`"));
    }
    waivers(context, own, at)
}

/// Waivers as typed, each with its reason.
pub(super) fn waivers(context: &mut Context<'_>, waivers: &[verdict_text::Waiver], at: &Place) -> Vec<Waiver> {
    for (i, _) in waivers.iter().enumerate().filter(|(_, waiver)| waiver.why.trim().is_empty()) {
        let hint = "say in a sentence why the invariant need not hold";
        context.problem(&at.index(i).key("why"), "is empty", Some(hint));
    }
    waivers.iter().map(|waiver| Waiver { invariant: waiver.invariant.0, why: waiver.why.clone() }).collect()
}

fn bound(context: &mut Context<'_>, name: &str, text: &Bound, columns: &[Column], at: &Place) -> Option<MetricBound> {
    let Some(column) = columns.iter().find(|column| column.name == name) else {
        let known: Vec<&str> = columns.iter().map(|column| column.name).collect();
        context.misspelt(at, format!("the record has no column `{name}`"), name, &known);
        return None;
    };
    let mut end = |key: &str, text: Option<&str>| {
        let value = parse_bound(column.unit, text?);
        value.map_err(|message| context.problem(&at.key(key), message, None)).ok()
    };
    let (min, max) = (end("min", text.min.as_deref()), end("max", text.max.as_deref()));
    if text.min.is_none() && text.max.is_none() {
        context.problem(at, "bounds nothing", Some("give `min` or `max`"));
    }
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        context.problem(at, "`min` is above `max`, so no value is right", None);
    }
    Some(MetricBound { column: name.into(), min, max })
}

pub(in crate::scenario) fn parse_bound(unit: ColumnUnit, text: &str) -> Result<u64, String> {
    let wrong = |error: crate::units::QuantityError| error.to_string();
    match unit {
        ColumnUnit::Time => Span::parse(text).map(Span::ns).map_err(wrong),
        ColumnUnit::Bytes => Bytes::parse(text).map(Bytes::get).map_err(wrong),
        ColumnUnit::Pages => PageCount::parse(text).map(PageCount::get).map_err(wrong),
        ColumnUnit::Ratio => {
            let ratio = Ratio::parse(text).map_err(wrong)?;
            let (num, den) = (u128::from(ratio.num()) * PPM, u128::from(ratio.den()));
            if !num.is_multiple_of(den) {
                return Err(format!("{ratio} is not a whole number of parts per million"));
            }
            u64::try_from(num / den).map_err(|_| format!("{ratio} is too large"))
        }
        ColumnUnit::Count => {
            text.trim().parse().map_err(|_| format!("\"{text}\" is not a whole number from 0 on; write \"3\""))
        }
    }
}

/// A bound as it would be typed.
pub(in crate::scenario) fn print_bound(unit: ColumnUnit, value: u64) -> String {
    match unit {
        ColumnUnit::Time => Span::from_ns(value).to_string(),
        ColumnUnit::Bytes => Bytes::new(value).to_string(),
        ColumnUnit::Pages => PageCount::new(value).to_string(),
        ColumnUnit::Ratio => Ratio::new(value, 1_000_000).to_string(),
        ColumnUnit::Count => value.to_string(),
    }
}

pub(super) fn capsule(text: &verdict_text::Capsule) -> Capsule {
    Capsule {
        shows: text.shows.clone(),
        outcome: text.outcome.0,
        violates: text.violates.iter().map(|word| word.0).collect(),
        fingerprint: text.fingerprint.clone(),
        version: text.version.clone(),
    }
}
