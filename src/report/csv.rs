//! Rows: one run per line, the columns of the record, absent empty.

use crate::metric::{COLUMNS, Record};

/// A header and one line per record, ended by LF.
pub fn csv(records: &[Record]) -> String {
    let header = COLUMNS.iter().map(|column| column.name.to_owned()).collect();
    let row = |record: &Record| {
        record.values().into_iter().map(|value| value.map_or(String::new(), |value| value.to_string())).collect()
    };
    csv_rows([header].into_iter().chain(records.iter().map(row)))
}

/// Rows of as many cells each, a line for each, ended by LF.
pub fn csv_rows(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut lines = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    for row in rows {
        lines.write_record(row).expect("as many cells in each row, into memory");
    }
    String::from_utf8(lines.into_inner().expect("memory takes it")).expect("strings went in")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    #[test]
    fn absent_is_empty_and_lines_end_in_lf() {
        let record = Record {
            scenario: "a, \"b\"".into(),
            downtime_s: Some(Span::from_us(312_456)),
            events: Some(7),
            ..Record::default()
        };
        let text = csv(&[record.clone(), record]);
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with("scenario,policy,") && text.ends_with('\n') && !text.contains('\r'), "{text}");
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let row = rows.records().next().expect("two rows").expect("CSV");
        let cell = |name| &row[COLUMNS.iter().position(|column| column.name == name).expect("a column")];
        assert_eq!((cell("scenario"), cell("downtime_s"), cell("outage_s")), ("a, \"b\"", "0.312456", ""));
    }
}
