//! A calibration for a person at a terminal; and what would be fitted.

use super::page::{BAD, DIM, GOOD, PLAIN, Page, STRONG, WARN};
use crate::calibrate::{Calibration, Task};
use crate::report::calibration::resampled;
use crate::report::validation::size;
use crate::validate::Errors;

/// The values, what the rows do not tell of them, and how large the errors are.
pub fn human_calibration(task: &Task, calibration: &Calibration, colour: bool) -> String {
    let mut page = Page::new(colour);
    let style = if calibration.is_good() { GOOD.bold() } else { BAD.bold() };
    let known = calibration.estimates.iter().filter(|estimate| estimate.identified).count();
    let rest = if calibration.at_rest { "" } else { ", and the search did not come to rest" };
    let all = calibration.estimates.len();
    page.paragraph("", &format!("{}: {known} of {} identified{rest}", names(task), counted(all, "parameter")), style);
    for reference in task.references() {
        page.paragraph("", &reference.source, PLAIN);
    }
    page.title("Parameters");
    table(&mut page, task, calibration);
    if !calibration.findings.is_empty() {
        page.title("To know");
        for finding in &calibration.findings {
            page.paragraph("  ", &finding.text, if finding.kind.is_serious() { BAD } else { WARN });
        }
    }
    page.title("Size of the errors");
    page.line("  ", &format!("{:22}{:>9}{:>11}{:>11}", "", "rows", "median", "95 %"), DIM);
    sizes(&mut page, "fitted, no score", calibration.fitted);
    sizes(&mut page, "not fitted, predicted", calibration.predicted);
    page.gap();
    let (draws, of) = (calibration.draws, resampled(calibration));
    let intervals = format!("intervals from {} resamples of {of} with seed {}", draws.number, draws.seed);
    page.paragraph("", &format!("{} runs; {intervals}", calibration.runs), DIM);
    page.finish()
}

fn names(task: &Task) -> String {
    task.references().iter().map(|reference| reference.id.as_str()).collect::<Vec<_>>().join(", ")
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn table(page: &mut Page, task: &Task, calibration: &Calibration) {
    let cells = task.parameters().iter().zip(&calibration.estimates).map(|(parameter, estimate)| {
        let between = |low, high| format!("{} … {}", parameter.text(low), parameter.text(high));
        let interval =
            if estimate.identified { between(estimate.low, estimate.high) } else { "the whole range".into() };
        let range = between(parameter.from, parameter.to);
        [parameter.path.clone(), parameter.text(estimate.value), interval, range]
    });
    let head = ["parameter", "value", "95 % interval", "range"].map(String::from);
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(cells).collect();
    let width = |i: usize| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
    for (number, row) in rows.iter().enumerate() {
        let (path, value, interval, range) = (width(0), width(1), width(2), width(3));
        let line = format!("{:path$}  {:>value$}  {:>interval$}  {:>range$}", row[0], row[1], row[2], row[3]);
        let known = number == 0 || calibration.estimates[number - 1].identified;
        page.line(
            "  ",
            &line,
            if number == 0 {
                DIM
            } else if known {
                PLAIN
            } else {
                BAD
            },
        );
    }
}

fn sizes(page: &mut Page, what: &str, errors: Option<Errors>) {
    let Some(errors) = errors else { return };
    let (median, p95) = (size(errors.median), size(errors.p95));
    page.line("  ", &format!("{what:22}{:>9}{median:>11}{p95:>11}", errors.rows), PLAIN);
}

/// What would be fitted, and to what; `files` would be written.
pub fn human_task(task: &Task, files: &[String]) -> String {
    let mut page = Page::new(false);
    let (rows, settings) = task.size();
    let fitted = counted(task.parameters().len(), "parameter");
    let (rows, settings) = (counted(rows, "row"), counted(settings, "setting"));
    page.paragraph("", &format!("{}: {fitted}, fitted to {rows} of {settings}", names(task)), STRONG);
    for parameter in task.parameters() {
        let (from, to) = (parameter.text(parameter.from), parameter.text(parameter.to));
        page.paragraph("  ", &format!("fit {} from {from} … {to}", parameter.path), PLAIN);
    }
    for reference in task.references() {
        page.line("", &format!("{}: scenario {}", reference.id, reference.scenario_file()), PLAIN);
        for (number, row) in reference.rows.iter().enumerate() {
            let role = match () {
                () if reference.is_fitted(number) => "fitted",
                () if row.is_scored() => "predicted",
                () => "left out",
            };
            page.paragraph("  ", &format!("{}: {role}", row.id), if role == "fitted" { PLAIN } else { DIM });
        }
    }
    for file in files {
        page.line("", &format!("writes {file}"), PLAIN);
    }
    page.finish()
}
