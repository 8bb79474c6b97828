//! The rows of a sweep as Parquet, for tables too large to read as text. Same columns, same order; what is absent is null.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use crate::metric::{COLUMNS, Unit};

/// Rows that are written together.
const GROUP: usize = 100_000;

/// What a column of rows is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Whole,
    Decimal,
}

impl Kind {
    /// What is no column of the record is the number of a cell, or an axis, which is as it was typed.
    fn of(column: &str) -> Self {
        match COLUMNS.iter().find(|known| known.name == column).map(|known| known.unit) {
            None if column == "cell" => Self::Whole,
            Some(Unit::Time | Unit::Ratio) => Self::Decimal,
            Some(Unit::Pages | Unit::Bytes | Unit::Count) => Self::Whole,
            Some(Unit::Text) | None => Self::Text,
        }
    }

    fn field(self, column: &str) -> Result<Arc<Type>, ParquetError> {
        let (physical, logical) = match self {
            Self::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Whole => (Physical::INT64, None),
            Self::Decimal => (Physical::DOUBLE, None),
        };
        let field = Type::primitive_type_builder(column, physical).with_repetition(Repetition::OPTIONAL);
        field.with_logical_type(logical).build().map(Arc::new)
    }
}

/// The file of these rows, each as long as the header.
///
/// # Errors
/// A number that does not fit.
pub fn parquet(header: &[String], rows: &[Vec<String>]) -> Result<Vec<u8>, String> {
    let kinds: Vec<Kind> = header.iter().map(|column| Kind::of(column)).collect();
    written(header, &kinds, rows).map_err(|error| error.to_string())
}

fn written(header: &[String], kinds: &[Kind], rows: &[Vec<String>]) -> Result<Vec<u8>, ParquetError> {
    let fields = header.iter().zip(kinds).map(|(column, kind)| kind.field(column)).collect::<Result<_, _>>()?;
    let schema = Arc::new(Type::group_type_builder("runs").with_fields(fields).build()?);
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    for rows in rows.chunks(GROUP) {
        let mut group = writer.next_row_group()?;
        for (column, kind) in kinds.iter().enumerate() {
            let texts = rows.iter().map(|row| row[column].as_str());
            match kind {
                Kind::Text => fill::<ByteArrayType>(&mut group, texts, |text| Ok(ByteArray::from(text)))?,
                Kind::Whole => fill::<Int64Type>(&mut group, texts, |text| text.parse().map_err(|_| wrong(text)))?,
                Kind::Decimal => fill::<DoubleType>(&mut group, texts, |text| text.parse().map_err(|_| wrong(text)))?,
            }
        }
        group.close()?;
    }
    writer.into_inner()
}

fn wrong(text: &str) -> ParquetError {
    ParquetError::General(format!("`{text}` is no number that a column of this kind holds"))
}

fn fill<'a, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    texts: impl Iterator<Item = &'a str>,
    read: impl Fn(&str) -> Result<T::T, ParquetError>,
) -> Result<(), ParquetError> {
    let (mut values, mut there) = (Vec::new(), Vec::new());
    for text in texts {
        there.push(i16::from(!text.is_empty()));
        if !text.is_empty() {
            values.push(read(text)?);
        }
    }
    let mut column = group.next_column()?.expect("as many columns as kinds");
    column.typed::<T>().write_batch(&values, Some(&there), None)?;
    column.close()
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;

    #[test]
    fn rows_are_read_back_as_they_were() {
        let header = ["cell", "memory", "outcome", "downtime_s", "events"].map(String::from);
        let rows =
            [["0", "1 MiB", "lost", "0.25", "7"], ["1", "x", "", "", ""]].map(|row| row.map(String::from).to_vec());
        let bytes = parquet(&header, &rows).expect("a file");
        assert_eq!(bytes, parquet(&header, &rows).expect("a file"));
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("Parquet");
        let read: Vec<Vec<Field>> = reader
            .get_row_iter(None)
            .expect("rows")
            .map(|row| row.expect("a row").into_columns().into_iter().map(|(_, field)| field).collect())
            .collect();
        let text = |text: &str| Field::Str(text.into());
        let first = [Field::Long(0), text("1 MiB"), text("lost"), Field::Double(0.25), Field::Long(7)];
        assert_eq!(read, [first.to_vec(), [Field::Long(1), text("x"), Field::Null, Field::Null, Field::Null].to_vec()]);
        assert!(parquet(&header, &[["x", "", "", "", ""].map(String::from).to_vec()]).is_err());
    }
}
