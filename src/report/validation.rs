//! References, compared, for machines: a JSON document, and rows.
//!
//! Values are in the units of the record (seconds, bytes, pages, fractions, counts), the error is a fraction; both are printed
//! exactly.

use super::csv::csv_rows;
use super::tree::Json;
use crate::metric::{Unit, Value};
use crate::scenario::published::{Reference, Row};
use crate::validate::{Compared, Errors, Group, Validation};

/// Version of the document's shape.
const SCHEMA: u64 = 1;

/// The document.
pub fn json_validation(references: &[(Reference, Validation)]) -> String {
    let references = references.iter().map(|(reference, validation)| {
        let (passed, counted) = validation.score();
        Json::Object(vec![
            ("id", Json::text(&reference.id)),
            ("source", Json::text(&reference.source)),
            ("why", Json::text(&reference.why)),
            ("good", Json::Bool(validation.is_good())),
            ("passed", Json::whole(passed as u64)),
            ("counted", Json::whole(counted as u64)),
            ("runs", Json::whole(validation.runs)),
            ("fitted", Json::List(fitted(reference, validation))),
            ("groups", Json::List(validation.groups.iter().map(group).collect())),
            ("rows", Json::List(reference.rows.iter().zip(&validation.rows).map(row).collect())),
        ])
    });
    Json::Object(vec![("schema", Json::whole(SCHEMA)), ("references", Json::List(references.collect()))]).print(5)
}

fn fitted(reference: &Reference, validation: &Validation) -> Vec<Json> {
    let parameters = reference.parameters.iter().zip(&validation.fitted);
    let object = parameters.map(|(parameter, fitted)| {
        let rows = parameter.rows.iter().map(|row| Json::text(&reference.rows[*row].id)).collect();
        Json::Object(vec![
            ("path", Json::text(&parameter.path)),
            ("value", Json::Text(parameter.text(fitted.value))),
            ("from", Json::Text(parameter.text(parameter.from))),
            ("to", Json::Text(parameter.text(parameter.to))),
            ("rows", Json::List(rows)),
            ("problem", fitted.problem.as_ref().map_or(Json::Null, Json::text)),
        ])
    });
    object.collect()
}

/// Millionths as per cent with two decimals, cut.
pub(super) fn size(millionths: u64) -> String {
    format!("{}.{:02} %", millionths / 10_000, millionths / 100 % 100)
}

/// How large errors are.
pub(super) fn errors(errors: Errors) -> Json {
    let size = |millionths| Json::Number(Value::Ratio(millionths).to_string());
    Json::Object(vec![
        ("rows", Json::whole(errors.rows as u64)),
        ("median", size(errors.median)),
        ("p95", size(errors.p95)),
    ])
}

fn group(group: &Group) -> Json {
    Json::Object(vec![
        ("metric", Json::Text(group.metric.to_string())),
        ("all", errors(group.all)),
        ("counted", group.counted.map_or(Json::Null, errors)),
    ])
}

pub(super) fn row((row, compared): (&Row, &Compared)) -> Json {
    let number = |value: Option<u64>| value.map_or(Json::Null, |value| Json::Number(plain(row, value)));
    let measured = &compared.measured;
    let reason = if compared.reason.is_empty() { Json::Null } else { Json::text(&compared.reason) };
    Json::Object(vec![
        ("row", Json::text(&row.id)),
        ("metric", Json::Text(row.metric.to_string())),
        ("unit", Json::text(unit(row))),
        ("predicted", number(measured.median)),
        ("least", number(measured.least)),
        ("greatest", number(measured.greatest)),
        ("replications", Json::whole(row.replications)),
        ("published", number(Some(row.value))),
        ("error", compared.error.map_or(Json::Null, |error| Json::Number(fraction(error)))),
        ("verdict", Json::text(compared.verdict.as_str())),
        ("reason", reason),
    ])
}

const HEADS: [&str; 13] = [
    "reference",
    "row",
    "metric",
    "unit",
    "predicted",
    "least",
    "greatest",
    "replications",
    "published",
    "error",
    "verdict",
    "reason",
    "parameters",
];

/// A header and one line per row of each reference, ended by LF.
pub fn csv_validation(references: &[(Reference, Validation)]) -> String {
    let mut rows = vec![HEADS.map(String::from).to_vec()];
    for (reference, validation) in references {
        let parameters = reference.parameters.iter().zip(&validation.fitted);
        let parameters: Vec<String> = parameters
            .map(|(parameter, fitted)| format!("{}={}", parameter.path, parameter.text(fitted.value)))
            .collect();
        for (row, compared) in reference.rows.iter().zip(&validation.rows) {
            let number = |value: Option<u64>| value.map_or(String::new(), |value| plain(row, value));
            let measured = &compared.measured;
            let cells: [String; 13] = [
                reference.id.clone(),
                row.id.clone(),
                row.metric.to_string(),
                unit(row).into(),
                number(measured.median),
                number(measured.least),
                number(measured.greatest),
                row.replications.to_string(),
                number(Some(row.value)),
                compared.error.map_or(String::new(), fraction),
                compared.verdict.as_str().into(),
                compared.reason.clone(),
                parameters.join("; "),
            ];
            rows.push(cells.to_vec());
        }
    }
    csv_rows(rows)
}

/// As in the record.
fn plain(row: &Row, value: u64) -> String {
    Value::new(row.unit, value).to_string()
}

fn unit(row: &Row) -> &'static str {
    Unit::from(row.unit).as_str()
}

/// Millionths as a signed decimal fraction.
fn fraction(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    format!("{sign}{}", Value::Ratio(millionths.unsigned_abs()))
}
