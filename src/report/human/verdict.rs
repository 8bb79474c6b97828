//! *Verdict*: what was checked and held, which faults fired, what was expected and came.

use super::page::{BAD, GOOD, PLAIN, Page, STRONG, WARN};
use super::units;
use crate::metric::{COLUMNS, Unit, Value, fault_name};
use crate::oracle::why_not_fired;
use crate::run::RunResult;
use crate::scenario::{MetricBound, Scenario};
use crate::units::{Bytes, PageCount, Span};
use crate::vocabulary::{Defect, Invariant};
use crate::world::FaultState;

/// Width of the first column.
const NAME: usize = 20;

pub(super) fn write(page: &mut Page, result: &RunResult, scenario: &Scenario) {
    page.title("Verdict");
    if scenario.defect != Defect::None {
        let text = format!("planted: {} ({})", scenario.defect, scenario.defect.doc());
        page.paragraph(&named("defect"), &text, WARN);
    }
    invariants(page, result, scenario);
    faults(page, result, scenario);
    expectations(page, result, scenario);
    conclusion(page, result);
}

fn named(name: &str) -> String {
    format!("  {name:<NAME$}  ")
}

fn invariants(page: &mut Page, result: &RunResult, scenario: &Scenario) {
    for word in result.record.invariants_checked.split_whitespace() {
        let Some(violation) = result.violations.iter().find(|violation| violation.invariant.as_str() == word) else {
            page.line(&named(word), "held", GOOD);
            continue;
        };
        let excuse = excuse(violation.invariant, scenario);
        let style = if excuse.is_empty() { BAD } else { WARN };
        let text = format!("VIOLATED at {} s{excuse}: {}", units::instant(violation.at), violation.what);
        page.paragraph(&named(word), &text, style);
    }
}

fn excuse(invariant: Invariant, scenario: &Scenario) -> String {
    let verdict = &scenario.verdict;
    if verdict.must_violate == Some(invariant) {
        return ", as the scenario demands".into();
    }
    let waiver = verdict.waives.iter().find(|waiver| waiver.invariant == invariant);
    waiver.map_or(String::new(), |waiver| format!(", waived ({})", waiver.why))
}

fn faults(page: &mut Page, result: &RunResult, scenario: &Scenario) {
    for (index, (fault, state)) in scenario.faults.iter().zip(&result.faults).enumerate() {
        let name = fault_name(fault);
        let (text, style) = match *state {
            FaultState::Fired { at, phase, ended } => {
                let until = ended.map_or(String::new(), |ended| format!(", until {} s", units::instant(ended)));
                (format!("{name} fired at {} s in phase {phase}{until}", units::instant(at)), PLAIN)
            }
            state => {
                let why = why_not_fired(fault, state, result.finished.at).unwrap_or_default();
                (format!("{name} did not fire: {why}"), WARN)
            }
        };
        page.paragraph(&named(&format!("fault {}", index + 1)), &text, style);
    }
}

fn expectations(page: &mut Page, result: &RunResult, scenario: &Scenario) {
    let verdict = &scenario.verdict;
    if !verdict.outcome.is_empty() {
        let right: Vec<&str> = verdict.outcome.iter().map(|outcome| outcome.as_str()).collect();
        let (text, style) = if verdict.outcome.contains(&result.outcome) {
            (format!("{}, as expected", result.outcome), GOOD)
        } else {
            (format!("{}, expected {}", result.outcome, right.join(" or ")), BAD)
        };
        page.paragraph(&named("outcome"), &text, style);
    }
    for bound in &verdict.metrics {
        let value = result.record.integer(&bound.column);
        let met = value
            .is_some_and(|value| bound.min.is_none_or(|min| min <= value) && bound.max.is_none_or(|max| value <= max));
        let here = value.map_or("absent".into(), |value| with_unit(&bound.column, value));
        let (word, style) = if met { ("met", GOOD) } else { ("NOT MET", BAD) };
        page.paragraph(&named(&bound.column), &format!("{here}, {}: {word}", limits(bound)), style);
    }
    if !verdict.tolerates.is_empty() {
        let classes: Vec<&str> = verdict.tolerates.iter().map(|class| class.as_str()).collect();
        page.paragraph(&named("claims to tolerate"), &classes.join(", "), PLAIN);
    }
}

fn limits(bound: &MetricBound) -> String {
    let limit = |word: &str, n: Option<u64>| n.map(|n| format!("{word} {}", with_unit(&bound.column, n)));
    let limits: Vec<String> =
        [limit("at least", bound.min), limit("at most", bound.max)].into_iter().flatten().collect();
    limits.join(" and ")
}

fn with_unit(column: &str, n: u64) -> String {
    let unit = COLUMNS.iter().find(|known| known.name == column).map_or(Unit::Count, |known| known.unit);
    units::value(&match unit {
        Unit::Time => Value::Time(Span::from_ns(n)),
        Unit::Pages => Value::Pages(PageCount::new(n)),
        Unit::Bytes => Value::Bytes(Bytes::new(n)),
        Unit::Ratio => Value::Ratio(n),
        Unit::Text | Unit::Count => Value::Count(n),
    })
}

fn conclusion(page: &mut Page, result: &RunResult) {
    let shortfalls = &result.judgement.shortfalls;
    if shortfalls.is_empty() {
        page.gap();
        page.line("", "The run is as its scenario claims.", GOOD.bold());
        return;
    }
    page.gap();
    page.line("", "The run falls short of its scenario:", BAD.bold());
    for shortfall in shortfalls {
        page.paragraph("  ", &format!("{}: {}", shortfall.class, shortfall.what), STRONG);
    }
}
