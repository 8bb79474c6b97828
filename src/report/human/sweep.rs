//! A finished sweep as a table to read: a line for each cell.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::page::widths;
use crate::sweep::{Line, Plan, Table};

/// More cells are in `summary.csv` alone.
const CELLS: usize = 40;
/// What is shown of a cell if the sweep names no metrics.
const METRICS: [&str; 2] = ["total_migration_time_s", "downtime_s"];

/// What a sweep says on a terminal; `out` is where all of it is.
pub fn human_sweep(plan: &Plan, table: &Table, lines: &[Line], out: &str) -> String {
    let mut text = format!("{}: {}\n\n", plan.sweep.name, plan.sweep.why);
    text.push_str(&table_of(plan, table, lines, false));
    if let Some(compare) = plan.sweep.compare {
        let axis = &plan.sweep.axes[compare.axis];
        write!(text, "\nless that of {} {}, run by run\n\n", axis.name, axis.values[compare.with].text)
            .expect("a string takes it");
        text.push_str(&table_of(plan, table, lines, true));
    }
    if plan.cells.len() > CELLS {
        writeln!(text, "… and {} more cells", plan.cells.len() - CELLS).expect("a string takes it");
    }
    write!(
        text,
        "\n{} runs of {} cells in {out}: runs.csv, summary.csv, manifest.json\n",
        table.rows(),
        plan.cells.len()
    )
    .expect("a string takes it");
    text
}

/// What would be run, of which `there` is already; `estimate` says how long the rest takes.
pub fn human_sweep_plan(plan: &Plan, there: u64, estimate: Option<String>) -> String {
    /// Cells that are named.
    const NAMED: usize = 20;
    let most = if plan.ends_by_itself() { "at most " } else { "" };
    let (cells, runs) = (plan.cells.len(), plan.runs());
    let mut text = format!("{cells} cells, {most}{runs} runs, {there} of them already there\n");
    for cell in 0..cells.min(NAMED) {
        let axes = plan.sweep.axes.iter().zip(plan.values(cell)).map(|(axis, value)| format!("{} {value}", axis.name));
        writeln!(text, "  {cell}: {}", axes.collect::<Vec<_>>().join(", ")).expect("a string takes it");
    }
    if cells > NAMED {
        writeln!(text, "  … and {} more", cells - NAMED).expect("a string takes it");
    }
    if let Some(time) = estimate {
        let of = "as one run of the first, the middle and the last cell tells, which was made and forgotten";
        let about = if plan.ends_by_itself() { "At most about" } else { "About" };
        writeln!(text, "{about} {time}, {of}.").expect("a string takes it");
    }
    text
}

/// The cells' means and proportions, or their differences.
fn table_of(plan: &Plan, table: &Table, lines: &[Line], differences: bool) -> String {
    let wanted = |line: &&Line| line.cell < CELLS && line.is_difference() == differences;
    let shown: Vec<&Line> = lines.iter().filter(wanted).collect();
    let named = plan.sweep.metrics.as_ref().map(|columns| columns.iter().map(|column| column.name).collect::<Vec<_>>());
    let metrics = named.unwrap_or_else(|| METRICS.to_vec());
    // Of outcomes those that any cell had.
    let had = |line: &&Line| line.kind == "proportion" && line.is_seen();
    let seen: BTreeSet<&str> = lines.iter().filter(had).map(|line| line.quantity.as_str()).collect();
    let target = plan.target();
    let mut quantities: Vec<&str> = Vec::new();
    for line in &shown {
        let quantity = line.quantity.as_str();
        let wanted = metrics.contains(&quantity) || seen.contains(quantity) || target.as_deref() == Some(quantity);
        if wanted && !quantities.contains(&quantity) {
            quantities.push(quantity);
        }
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    let axes = plan.sweep.axes.iter().map(|axis| axis.name.clone());
    let heads = quantities.iter().map(|quantity| quantity.trim_start_matches("outcome=").to_owned());
    rows.push(["cell".to_owned()].into_iter().chain(axes).chain(["runs".to_owned()]).chain(heads).collect());
    for cell in 0..plan.cells.len().min(CELLS) {
        let here: Vec<&&Line> = shown.iter().filter(|line| line.cell == cell).collect();
        if here.is_empty() {
            continue;
        }
        let of = |quantity: &&str| {
            here.iter().find(|line| line.quantity == **quantity).map_or(String::new(), |line| line.text())
        };
        let first = [cell.to_string()].into_iter().chain(plan.values(cell).map(String::from));
        rows.push(first.chain([table.runs_of(cell).to_string()]).chain(quantities.iter().map(of)).collect());
    }
    aligned(&rows)
}

fn aligned(rows: &[Vec<String>]) -> String {
    let widths = widths(rows.iter().map(Vec::as_slice));
    let mut text = String::new();
    for row in rows {
        let padded = row.iter().zip(&widths).map(|(field, width)| format!("{field:<width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
