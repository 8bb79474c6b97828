//! A finished sweep: its summary as rows and as JSON.

use serde_json::{Map, Value};

use crate::sweep::{Line, Plan, SUMMARY_COLUMNS};

/// The columns of a summary: `cell`, the axes, then those of a line.
fn columns(plan: &Plan) -> Vec<String> {
    let axes = plan.sweep.axes.iter().map(|axis| axis.name.clone());
    ["cell".to_owned()].into_iter().chain(axes).chain(SUMMARY_COLUMNS.map(String::from)).collect()
}

fn fields(plan: &Plan, line: &Line) -> Vec<String> {
    [line.cell.to_string()].into_iter().chain(plan.values(line.cell).map(String::from)).chain(line.fields()).collect()
}

/// `summary.csv`.
pub fn summary_csv(plan: &Plan, lines: &[Line]) -> String {
    let mut rows = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    rows.write_record(columns(plan)).expect("memory takes it");
    for line in lines {
        rows.write_record(fields(plan, line)).expect("as many fields as columns, into memory");
    }
    String::from_utf8(rows.into_inner().expect("memory takes it")).expect("strings went in")
}

/// The same as an array of objects; what is absent is left out.
pub fn json_sweep(plan: &Plan, lines: &[Line]) -> String {
    let columns = columns(plan);
    let words = columns.len() - SUMMARY_COLUMNS.len();
    let object = |line: &Line| {
        let fields = columns.iter().zip(fields(plan, line)).enumerate().filter(|(_, (_, field))| !field.is_empty());
        let typed = |(number, (column, field)): (usize, (&String, String))| {
            let axis = (1..words).contains(&number);
            let parsed = serde_json::from_str::<Value>(&field).ok().filter(|value| value.is_number() && !axis);
            (column.clone(), parsed.unwrap_or_else(|| Value::String(field)))
        };
        Value::Object(fields.map(typed).collect::<Map<String, Value>>())
    };
    let lines: Vec<Value> = lines.iter().map(object).collect();
    format!("{:#}\n", Value::Array(lines))
}
