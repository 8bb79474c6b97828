//! What is known of the runs so far: their numbers by cell, made of the very texts of their rows.

use crate::metric::{COLUMNS, Record, Unit};
use crate::scenario::ColumnUnit;
use crate::vocabulary::Outcome;

use super::order::Place;
use super::plan::Plan;

/// The columns of a row: `cell`, the axes, then the record's.
pub fn header(plan: &Plan) -> Vec<String> {
    let axes = plan.sweep.axes.iter().map(|axis| axis.name.clone());
    ["cell".to_owned()].into_iter().chain(axes).chain(COLUMNS.iter().map(|column| column.name.into())).collect()
}

/// A row, without its end.
pub(super) fn row(plan: &Plan, cell: usize, record: &Record) -> Vec<String> {
    let values = record.values().into_iter().map(|value| value.map_or(String::new(), |value| value.to_string()));
    [cell.to_string()].into_iter().chain(plan.values(cell).map(String::from)).chain(values).collect()
}

/// What became of the VM in the run of a row.
pub fn outcome<'a>(plan: &Plan, row: &'a [String]) -> &'a str {
    &row[1 + plan.sweep.axes.len() + number_of("outcome")]
}

fn number_of(column: &str) -> usize {
    COLUMNS.iter().position(|other| other.name == column).expect("a column of the record")
}

/// The numbers of all runs, and what became of the VM in each.
#[derive(Debug, Clone)]
pub struct Table {
    /// Columns of a row before the record.
    before: usize,
    /// Columns of the record that hold numbers.
    numeric: Vec<usize>,
    outcome: usize,
    /// The run of which the first row is.
    first: Place,
    /// From that of `first` on.
    cells: Vec<CellRows>,
}

/// The runs of one cell, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct CellRows {
    outcomes: Vec<Seen>,
    /// By column, then by run; NaN: absent.
    numbers: Vec<Vec<f64>>,
}

/// What became of the VM in a run; `None`: the run panicked, and nothing is known.
pub(super) type Seen = Option<Outcome>;

impl Table {
    /// Without rows.
    pub fn new(plan: &Plan) -> Self {
        Self::starting(plan, Place { cell: 0, replication: 0 })
    }

    /// Without rows, for those from a place on.
    pub(super) fn starting(plan: &Plan, first: Place) -> Self {
        let measures = |index: &usize| {
            let column = &COLUMNS[*index];
            column.unit != Unit::Text && !matches!(column.name, "seed" | "replication")
        };
        Self {
            before: 1 + plan.sweep.axes.len(),
            numeric: (0..COLUMNS.len()).filter(measures).collect(),
            outcome: number_of("outcome"),
            first,
            cells: Vec::new(),
        }
    }

    /// Adds a row; cells come in order.
    pub fn push(&mut self, cell: usize, row: &[String]) {
        let cell = cell - self.first.cell;
        if cell >= self.cells.len() {
            let numbers = vec![Vec::new(); self.numeric.len()];
            self.cells.resize(cell + 1, CellRows { numbers, ..CellRows::default() });
        }
        let record = &row[self.before..];
        let rows = &mut self.cells[cell];
        rows.outcomes.push(Outcome::ALL.iter().copied().find(|outcome| outcome.as_str() == record[self.outcome]));
        for (column, numbers) in self.numeric.iter().zip(&mut rows.numbers) {
            numbers.push(record[*column].parse().unwrap_or(f64::NAN));
        }
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.cells.iter().map(CellRows::runs).sum()
    }

    /// How many rows of a cell it has.
    pub fn runs_of(&self, cell: usize) -> u64 {
        self.of(cell).map_or(0, CellRows::runs)
    }

    /// How many runs had this outcome.
    pub fn with_outcome(&self, outcome: Outcome) -> u64 {
        self.cells.iter().map(|rows| rows.with_outcome(outcome)).sum()
    }

    /// How many runs panicked.
    pub fn panicked(&self) -> u64 {
        self.cells.iter().map(|rows| rows.runs() - rows.known()).sum()
    }

    /// What there is of a column in the runs of a cell.
    pub fn numbers(&self, cell: usize, column: &str) -> Vec<f64> {
        self.of(cell).map_or_else(Vec::new, |rows| rows.numbers(self, column))
    }

    /// What became of the VM in the runs of a cell; `None`: the run panicked.
    pub fn outcomes_of(&self, cell: usize) -> &[Option<Outcome>] {
        self.of(cell).map_or(&[], CellRows::outcomes)
    }

    fn of(&self, cell: usize) -> Option<&CellRows> {
        self.cells.get(cell.checked_sub(self.first.cell)?)
    }

    /// The run of which the first row is.
    pub(super) fn first(&self) -> Place {
        self.first
    }

    /// The cells of which it has rows, from that of [`first`](Self::first) on.
    pub(super) fn cells(&self) -> &[CellRows] {
        &self.cells
    }

    /// The columns with numbers.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.numeric.iter().map(|column| COLUMNS[*column].name)
    }

    fn number(&self, column: &str) -> usize {
        self.columns().position(|name| name == column).expect("a column with numbers")
    }
}

impl CellRows {
    pub(super) fn runs(&self) -> u64 {
        self.outcomes.len() as u64
    }

    /// Runs that did not panic.
    pub(super) fn known(&self) -> u64 {
        self.outcomes.iter().flatten().count() as u64
    }

    pub(super) fn with_outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.iter().filter(|other| **other == Some(outcome)).count() as u64
    }

    pub(super) fn outcomes(&self) -> &[Seen] {
        &self.outcomes
    }

    /// A column by run; NaN where it is absent.
    pub(super) fn column(&self, table: &Table, column: &str) -> &[f64] {
        &self.numbers[table.number(column)]
    }

    /// What there is of a column.
    pub(super) fn numbers(&self, table: &Table, column: &str) -> Vec<f64> {
        self.column(table, column).iter().copied().filter(|number| !number.is_nan()).collect()
    }
}

/// What one of the units in which a column counts inside is in a row.
pub(super) fn scale(unit: ColumnUnit) -> f64 {
    match unit {
        ColumnUnit::Time => 1e-9,
        ColumnUnit::Ratio => 1e-6,
        ColumnUnit::Bytes | ColumnUnit::Pages | ColumnUnit::Count => 1.0,
    }
}
