//! A calibration for machines, and in a sentence for the file that is made of it.

use super::tree::Json;
use super::validation::{errors, row, size};
use crate::calibrate::{Calibration, Estimate, Finding, Task};
use crate::scenario::Reference;
use crate::scenario::published::Parameter;

/// Version of the document's shape.
const SCHEMA: u64 = 1;

/// The document.
pub fn json_calibration(task: &Task, calibration: &Calibration) -> String {
    let (rows, settings) = task.size();
    let sizes = |of: Option<crate::validate::Errors>| of.map_or(Json::Null, errors);
    let parameters = task.parameters().iter().zip(&calibration.estimates);
    let references = task.references().iter().zip(&calibration.rows).map(|(reference, compared)| {
        let rows = reference.rows.iter().zip(compared).map(row).collect();
        Json::Object(vec![
            ("id", Json::text(&reference.id)),
            ("source", Json::text(&reference.source)),
            ("rows", Json::List(rows)),
        ])
    });
    Json::Object(vec![
        ("schema", Json::whole(SCHEMA)),
        ("good", Json::Bool(calibration.is_good())),
        ("at_rest", Json::Bool(calibration.at_rest)),
        ("parameters", Json::List(parameters.map(parameter).collect())),
        ("findings", Json::List(calibration.findings.iter().map(|found| finding(task, found)).collect())),
        ("fitted_rows", Json::whole(rows as u64)),
        ("fitted_settings", Json::whole(settings as u64)),
        ("fitted", sizes(calibration.fitted)),
        ("predicted", sizes(calibration.predicted)),
        ("resamples", Json::whole(calibration.draws.number)),
        ("resampled", Json::text(resampled(calibration))),
        ("resample_seed", Json::whole(calibration.draws.seed)),
        ("runs", Json::whole(calibration.runs)),
        ("references", Json::List(references.collect())),
    ])
    .print(5)
}

/// What the resamples are made of.
pub(super) fn resampled(calibration: &Calibration) -> &'static str {
    if calibration.draws.by_setting { "settings" } else { "rows" }
}

fn parameter((parameter, estimate): (&Parameter, &Estimate)) -> Json {
    let text = |value| Json::Text(parameter.text(value));
    Json::Object(vec![
        ("path", Json::text(&parameter.path)),
        ("value", text(estimate.value)),
        ("low", text(estimate.low)),
        ("high", text(estimate.high)),
        ("from", text(parameter.from)),
        ("to", text(parameter.to)),
        ("identified", Json::Bool(estimate.identified)),
    ])
}

fn finding(task: &Task, finding: &Finding) -> Json {
    let paths = finding.parameters.iter().map(|i| Json::text(&task.parameters()[*i].path));
    Json::Object(vec![
        ("kind", Json::text(finding.kind.as_str())),
        ("parameters", Json::List(paths.collect())),
        ("text", Json::text(&finding.text)),
    ])
}

/// Where fitted values come from, for the `source` of a model file: what fitted them, to what, and how far they may be off.
/// `is_in` says which of the parameters are in the file.
pub fn provenance(task: &Task, calibration: &Calibration, version: &str, is_in: &dyn Fn(&Parameter) -> bool) -> String {
    let (rows, settings) = task.size();
    let of = |reference: &Reference| format!("{} ({})", reference.id, reference.source.trim_end_matches('.'));
    let references: Vec<String> = task.references().iter().map(of).collect();
    let values = task.parameters().iter().zip(&calibration.estimates).filter(|(parameter, _)| is_in(parameter));
    let values: Vec<String> = values.map(|(parameter, estimate)| known(parameter, estimate)).collect();
    let error = |what: &str, of: Option<crate::validate::Errors>| {
        of.map_or(String::new(), |errors| {
            let (median, p95) = (size(errors.median), size(errors.p95));
            format!(" {what}: {} rows, median error {median}, 95th percentile {p95}.", errors.rows)
        })
    };
    let beside: Vec<&str> =
        task.parameters().iter().filter(|parameter| !is_in(parameter)).map(|p| p.path.as_str()).collect();
    let beside = match beside[..] {
        [] => String::new(),
        _ => format!(" Fitted together with {}.", beside.join(", ")),
    };
    let findings: Vec<String> =
        calibration.findings.iter().map(|finding| format!(" Note: {}.", finding.text)).collect();
    format!(
        "Fitted by midflight calibrate {version} to {rows} rows of {settings} settings of {}. {}.{beside}{}{}{} All else is \
         the base's.",
        references.join("; "),
        values.join("; "),
        error("Fitted", calibration.fitted),
        error("Not fitted, predicted", calibration.predicted),
        findings.concat(),
    )
}

fn known(parameter: &Parameter, estimate: &Estimate) -> String {
    let text = |value| parameter.text(value);
    let range = format!("range {} to {}", text(parameter.from), text(parameter.to));
    if estimate.identified {
        let (low, high) = (text(estimate.low), text(estimate.high));
        format!("{} = {}, 95 % interval {low} to {high}, {range}", parameter.path, text(estimate.value))
    } else {
        format!("{} = {}, not identified, {range}", parameter.path, text(estimate.value))
    }
}
