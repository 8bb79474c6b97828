//! References, compared, for a person at a terminal; and what would be compared.

use super::page::{BAD, DIM, GOOD, PLAIN, Page, STRONG, WARN, widths};
use crate::report::validation::size;
use crate::scenario::published::{Reference, Row, Tolerance};
use crate::validate::{Compared, Errors, Fitted, Validation, Verdict};
use anstyle::Style;

/// What came of some references.
pub fn human_validation(references: &[(Reference, Validation)], colour: bool) -> String {
    let mut page = Page::new(colour);
    for (number, (reference, validation)) in references.iter().enumerate() {
        if number > 0 {
            page.gap();
        }
        one(&mut page, reference, validation);
    }
    if references.len() > 1 {
        total(&mut page, references);
    }
    page.finish()
}

fn one(page: &mut Page, reference: &Reference, validation: &Validation) {
    let style = if validation.is_good() { GOOD.bold() } else { BAD.bold() };
    page.paragraph("", &format!("{}: {}", reference.id, score(validation)), style);
    page.paragraph("", &reference.source, PLAIN);
    page.paragraph("", &reference.why, DIM);
    if !validation.fitted.is_empty() {
        page.title("Fitted");
        for (i, fitted) in validation.fitted.iter().enumerate() {
            parameter(page, reference, i, fitted);
        }
    }
    page.title("Rows");
    table(page, reference, validation);
    if !validation.groups.is_empty() {
        page.title("Size of the errors");
        groups(page, validation);
    }
}

fn groups(page: &mut Page, validation: &Validation) {
    let names: Vec<String> = validation.groups.iter().map(|group| group.metric.to_string()).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let head = format!("{:width$}  {:>31}  {:>31}", "", "all: rows, median, 95 %", "scored: rows, median, 95 %");
    page.line("  ", &head, DIM);
    for (group, name) in validation.groups.iter().zip(names) {
        let shown = |errors: Errors| format!("{:>9}{:>11}{:>11}", errors.rows, size(errors.median), size(errors.p95));
        let counted = group.counted.map_or_else(|| format!("{:>31}", "none"), shown);
        page.line("  ", &format!("{name:width$}  {}  {counted}", shown(group.all)), PLAIN);
    }
}

fn score(validation: &Validation) -> String {
    let (passed, counted) = validation.score();
    let unfitted = validation.fitted.iter().filter(|fitted| fitted.problem.is_some()).count();
    let rows = match counted {
        0 => "no row counts".into(),
        _ => format!("{passed} of {counted} rows within tolerance"),
    };
    match unfitted {
        0 => rows,
        1 => format!("{rows}, 1 parameter could not be fitted"),
        n => format!("{rows}, {n} parameters could not be fitted"),
    }
}

fn total(page: &mut Page, references: &[(Reference, Validation)]) {
    let (mut passed, mut counted) = (0, 0);
    for (_, validation) in references {
        let (of_this, all) = validation.score();
        passed += of_this;
        counted += all;
    }
    let short = references.iter().filter(|(_, validation)| !validation.is_good()).count();
    let short_text = if short == 0 { String::new() } else { format!("; {short} fell short") };
    page.gap();
    let text = format!("{} references: {passed} of {counted} rows within tolerance{short_text}", references.len());
    page.line("", &text, if short == 0 { GOOD.bold() } else { BAD.bold() });
}

fn parameter(page: &mut Page, reference: &Reference, which: usize, fitted: &Fitted) {
    let parameter = &reference.parameters[which];
    let rows: Vec<&str> = parameter.rows.iter().map(|row| reference.rows[*row].id.as_str()).collect();
    let (from, to) = (parameter.text(parameter.from), parameter.text(parameter.to));
    let value = parameter.text(fitted.value);
    page.paragraph("  ", &format!("{} = {value}, from {from} … {to}, by {}", parameter.path, rows.join(", ")), PLAIN);
    if let Some(problem) = &fitted.problem {
        page.paragraph("    ", &format!("could not be fitted: {problem}"), BAD);
    }
}

const HEADS: [&str; 7] = ["row", "metric", "predicted", "least … greatest", "published", "error", "verdict"];
/// Columns whose cells begin where their head begins; the others end there.
const LEFT: [bool; 7] = [true, true, false, false, false, false, true];

fn table(page: &mut Page, reference: &Reference, validation: &Validation) {
    let rows: Vec<[String; 7]> =
        reference.rows.iter().zip(&validation.rows).map(|(row, compared)| cells(row, compared)).collect();
    let heads = HEADS.map(String::from);
    let widths = widths([&heads[..]].into_iter().chain(rows.iter().map(|row| &row[..])));
    let intervals = rows.iter().any(|row| !row[3].is_empty());
    let line = |cells: &[String; 7]| {
        let shown = cells.iter().zip(&widths).zip(LEFT).enumerate().filter(|(i, _)| intervals || *i != 3);
        let padded = shown.map(
            |(_, ((cell, width), left))| {
                if left { format!("{cell:width$}") } else { format!("{cell:>width$}") }
            },
        );
        padded.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    page.line("  ", &line(&heads), DIM);
    for ((cells, row), compared) in rows.iter().zip(&reference.rows).zip(&validation.rows) {
        page.line("  ", &line(cells), style_of(compared.verdict));
        if !compared.reason.is_empty() {
            page.paragraph("      ", &compared.reason, DIM);
        } else if compared.verdict == Verdict::Fail {
            page.paragraph("      ", &format!("allowed: {}", tolerance(row, row.tolerance)), DIM);
        }
    }
}

fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => PLAIN,
        Verdict::Fail => BAD,
        Verdict::Fitted | Verdict::Reported => WARN,
    }
}

fn cells(row: &Row, compared: &Compared) -> [String; 7] {
    let measured = &compared.measured;
    let shown = |value: Option<u64>| value.map_or_else(|| "none".into(), |value| row.shown(value));
    let interval = match (measured.least, measured.greatest) {
        (Some(least), Some(greatest)) if row.replications > 1 => {
            format!("{} … {}", row.shown(least), row.shown(greatest))
        }
        _ => String::new(),
    };
    let verdict = match compared.verdict {
        Verdict::Pass => format!("pass ({})", tolerance(row, sufficient(row, measured.median))),
        other => other.as_str().into(),
    };
    [
        row.id.clone(),
        row.metric.to_string(),
        shown(measured.median),
        interval,
        row.shown(row.value),
        compared.error.map_or(String::new(), error),
        verdict,
    ]
}

/// Signed per cent with two decimals, cut.
fn error(millionths: i64) -> String {
    let sign = if millionths < 0 { '-' } else { '+' };
    format!("{sign}{}", size(millionths.unsigned_abs()))
}

/// The first of a row's tolerances that a value keeps; all of them if it keeps none.
fn sufficient(row: &Row, value: Option<u64>) -> Tolerance {
    let Tolerance::Within { fraction, absolute, factor } = row.tolerance else { return row.tolerance };
    let singly = [
        Tolerance::Within { fraction, absolute: None, factor: None },
        Tolerance::Within { fraction: None, absolute, factor: None },
        Tolerance::Within { fraction: None, absolute: None, factor },
    ];
    let holds = |one: &Tolerance| value.is_some_and(|value| one.holds(value, row.value) == Some(true));
    singly.into_iter().find(holds).unwrap_or(row.tolerance)
}

fn tolerance(row: &Row, tolerance: Tolerance) -> String {
    match tolerance {
        Tolerance::None => "none".into(),
        Tolerance::Equals => "equal".into(),
        Tolerance::Within { fraction, absolute, factor } => {
            let parts = [
                fraction.map(|share| format!("± {share}")),
                absolute.map(|value| format!("± {}", row.shown(value))),
                factor.map(|times| format!("× {}", plain_factor(times))),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" or ")
        }
    }
}

/// A factor as a decimal number, cut to two places.
fn plain_factor(factor: crate::units::Ratio) -> String {
    let hundredths = factor.of(100);
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').into()
}

/// What would be compared, and with how many runs.
pub fn human_plan(references: &[Reference], seed: Option<u64>) -> String {
    let mut page = Page::new(false);
    for (number, reference) in references.iter().enumerate() {
        if number > 0 {
            page.gap();
        }
        let runs: u64 = reference.rows.iter().map(|row| row.replications).sum();
        let fits = if reference.parameters.is_empty() { "" } else { ", after those of the fit" };
        let seed = seed.map_or_else(|| "the scenario's seed".into(), |seed| format!("seed {seed}"));
        page.paragraph(
            "",
            &format!("{}: {} rows, {runs} runs{fits}, {seed}", reference.id, reference.rows.len()),
            STRONG,
        );
        page.line("", &format!("scenario: {}", reference.scenario_file()), PLAIN);
        for parameter in &reference.parameters {
            let rows: Vec<&str> = parameter.rows.iter().map(|row| reference.rows[*row].id.as_str()).collect();
            let (from, to) = (parameter.text(parameter.from), parameter.text(parameter.to));
            page.paragraph("  ", &format!("fit {} from {from} … {to} by {}", parameter.path, rows.join(", ")), PLAIN);
        }
        for (i, row) in reference.rows.iter().enumerate() {
            plan_row(&mut page, reference, i, row);
        }
    }
    page.finish()
}

fn plan_row(page: &mut Page, reference: &Reference, number: usize, row: &Row) {
    let role = match () {
        () if reference.is_fitted(number) => "fitted".into(),
        () if row.why.is_some() => "reported only".into(),
        () if row.spread().is_some() => "reported only: its repetitions spread".into(),
        () => tolerance(row, row.tolerance),
    };
    let times = if row.replications == 1 { String::new() } else { format!(", {} runs", row.replications) };
    page.paragraph("  ", &format!("{}: {} = {} ({role}){times}", row.id, row.metric, row.shown(row.value)), PLAIN);
    for set in reference.sets(number) {
        page.paragraph("      ", &format!("set {set}"), DIM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ratio;

    #[test]
    fn errors_and_factors_are_short() {
        for (millionths, text) in [(0, "+0.00 %"), (-49_999, "-4.99 %"), (1_234_567, "+123.45 %")] {
            assert_eq!(error(millionths), text);
        }
        for (factor, text) in [(Ratio::new(2, 1), "2"), (Ratio::new(3, 2), "1.5"), (Ratio::new(5, 4), "1.25")] {
            assert_eq!(plain_factor(factor), text);
        }
    }
}
