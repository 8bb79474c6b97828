//! What is known of each cell: means, proportions, and differences to the cell that it is compared with.

use super::plan::Plan;
use super::table::{CellRows, Table};
use crate::scenario::Column;
use crate::scenario::sweep::Compare;
use crate::stats::{Discordant, Interval, Proportion, Sample, paired, quantile_interval, student};

/// The columns of a line after those of the axes.
pub const COLUMNS: [&str; 20] = [
    "quantity",
    "kind",
    "with",
    "n",
    "absent",
    "estimate",
    "low",
    "high",
    "method",
    "deviation",
    "minimum",
    "q05",
    "median",
    "q95",
    "maximum",
    "median_low",
    "median_high",
    "unpaired",
    "p",
    "weight",
];

/// One quantity of one cell. What does not apply is absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// The cell.
    pub cell: usize,
    /// A column of the record, or `outcome=` and an outcome.
    pub quantity: String,
    /// `mean`, `proportion`, `difference` or `change`.
    pub kind: &'static str,
    /// The value of the compared axis to which a difference is.
    pub with: String,
    /// Runs, or pairs, that have the quantity.
    pub n: u64,
    /// Those that have not.
    pub absent: u64,
    /// The mean, proportion or difference.
    pub estimate: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// How that is made.
    pub method: &'static str,
    /// Standard deviation, minimum, 5th percentile, median, 95th percentile and maximum of the runs.
    pub spread: [Option<f64>; 6],
    /// The interval of the median.
    pub median: Option<Interval>,
    /// Half the width that the interval of a difference would have without pairs.
    pub unpaired: Option<f64>,
    /// Probability of so one-sided a change, if neither is likelier.
    pub p: Option<f64>,
    /// Probability of the condition under which faults were drawn.
    pub weight: f64,
}

impl Line {
    /// The texts under [`COLUMNS`].
    pub fn fields(&self) -> Vec<String> {
        let number = |value: Option<f64>| value.map_or(String::new(), shown);
        let (low, high) = (self.interval.map(|i| i.low), self.interval.map(|i| i.high));
        let texts =
            [self.quantity.clone(), self.kind.into(), self.with.clone(), self.n.to_string(), self.absent.to_string()];
        let numbers = [self.estimate, low, high].map(number);
        let rest = self.spread.into_iter().chain([
            self.median.map(|i| i.low),
            self.median.map(|i| i.high),
            self.unpaired,
            self.p,
        ]);
        texts
            .into_iter()
            .chain(numbers)
            .chain([self.method.to_owned()])
            .chain(rest.map(number))
            .chain([shown(self.weight)])
            .collect()
    }
}

impl Line {
    /// Whether it compares two cells.
    pub fn is_difference(&self) -> bool {
        matches!(self.kind, "difference" | "change")
    }

    /// The estimate with its interval, for a reader: as many digits as the interval gives a meaning to.
    pub fn text(&self) -> String {
        let Some(estimate) = self.estimate else { return String::new() };
        let of_all = matches!(self.kind, "proportion" | "change");
        let (factor, unit) = if of_all { (100.0, " %") } else { (1.0, "") };
        let Some(interval) = self.interval else { return format!("{}{unit}", shown(estimate * factor)) };
        let half = interval.half_width() * factor;
        if half == 0.0 {
            return format!("{}{unit}", shown(estimate * factor));
        }
        let places = (1.0 - half.log10().floor()).clamp(0.0, 12.0) as usize;
        let number = |x: f64| format!("{:.places$}", x * factor + 0.0);
        if of_all {
            return format!("{}{unit} ({} to {})", number(estimate), number(interval.low), number(interval.high));
        }
        format!("{} ± {half:.places$}", number(estimate))
    }
}

/// A number with nine digits, as short as can be.
pub(super) fn shown(number: f64) -> String {
    let rounded: f64 = format!("{number:.8e}").parse().expect("it was a number");
    // Without a sign for zero.
    format!("{}", rounded + 0.0)
}

/// What is known of each cell that has runs.
pub fn summary(plan: &Plan, table: &Table) -> Vec<Line> {
    let (metrics, outcomes) = (metrics(plan, table), table.outcomes());
    let mut lines = Vec::new();
    for (cell, rows) in table.cells().iter().enumerate() {
        let one = Of { plan, table, cell, rows };
        lines.extend(metrics.iter().map(|metric| one.mean(metric)));
        lines.extend(outcomes.iter().map(|outcome| one.proportion(outcome)));
        let Some((with, others)) = compared(plan, table, cell) else { continue };
        lines.extend(metrics.iter().filter_map(|metric| one.difference(metric, with, others)));
        lines.extend(outcomes.iter().filter_map(|outcome| one.change(outcome, with, others)));
    }
    lines
}

/// The columns asked for, or all that have a number anywhere.
fn metrics(plan: &Plan, table: &Table) -> Vec<&'static str> {
    let any =
        |name: &&'static str| table.cells().iter().any(|rows| rows.column(table, name).iter().any(|x| !x.is_nan()));
    match &plan.sweep.metrics {
        Some(columns) => columns.iter().map(|Column { name, .. }| *name).collect(),
        None => table.columns().filter(any).collect(),
    }
}

/// The value with which a cell is compared, and the rows of the cell that has it.
fn compared<'a>(plan: &'a Plan, table: &'a Table, cell: usize) -> Option<(&'a str, &'a CellRows)> {
    let Compare { axis, with } = plan.sweep.compare?;
    let group = plan.sweep.groups.iter().find(|group| group.contains(&axis))?;
    let mut other = plan.cells[cell].clone();
    if other[axis] == with {
        return None;
    }
    for axis in group {
        other[*axis] = with;
    }
    let number = plan.cells.iter().position(|cell| *cell == other)?;
    Some((&plan.sweep.axes[axis].values[with].text, table.cells().get(number)?))
}

/// One cell.
struct Of<'a> {
    plan: &'a Plan,
    table: &'a Table,
    cell: usize,
    rows: &'a CellRows,
}

impl Of<'_> {
    fn line(&self, quantity: &str, kind: &'static str) -> Line {
        let (cell, weight) = (self.cell, self.rows.weight());
        Line { cell, quantity: quantity.into(), kind, weight, ..Line::default() }
    }

    fn mean(&self, metric: &str) -> Line {
        let sample = Sample::new(self.rows.numbers(self.table, metric));
        let n = sample.n() as u64;
        let quantile = |p: f64| sample.quantile(p);
        let level = self.plan.level(metric);
        Line {
            n,
            absent: self.rows.runs() - n,
            estimate: sample.mean(),
            interval: student(&sample, level),
            method: "student",
            spread: [
                sample.deviation(),
                sample.minimum(),
                quantile(0.05),
                quantile(0.5),
                quantile(0.95),
                sample.maximum(),
            ],
            median: quantile_interval(&sample, 0.5, level).map(|found| found.interval),
            ..self.line(metric, "mean")
        }
    }

    fn proportion(&self, outcome: &str) -> Line {
        let quantity = format!("outcome={outcome}");
        let of = Proportion { hits: self.rows.with_outcome(outcome), n: self.rows.runs() };
        let weight = self.rows.weight();
        let interval = of.clopper_pearson(self.plan.level(&quantity));
        Line {
            n: of.n,
            estimate: of.estimate().map(|share| share * weight),
            interval: interval.map(|i| Interval { low: i.low * weight, high: i.high * weight }),
            method: "clopper-pearson",
            ..self.line(&quantity, "proportion")
        }
    }

    fn difference(&self, metric: &str, with: &str, others: &CellRows) -> Option<Line> {
        let (here, there) = (self.rows.column(self.table, metric), others.column(self.table, metric));
        let pairs: Vec<(f64, f64)> =
            there.iter().copied().zip(here.iter().copied()).filter(|(a, b)| !a.is_nan() && !b.is_nan()).collect();
        let found = paired(&pairs, self.plan.level(metric))?;
        let of_one = found.interval.half_width() / found.error;
        let unpaired = if found.error > 0.0 { of_one * found.unpaired_error } else { found.unpaired_error };
        Some(Line {
            with: with.into(),
            n: found.n as u64,
            absent: here.len().min(there.len()) as u64 - found.n as u64,
            estimate: Some(found.difference),
            interval: Some(found.interval),
            method: "student-paired",
            spread: [Some(found.deviation), None, None, None, None, None],
            unpaired: Some(unpaired),
            ..self.line(metric, "difference")
        })
    }

    /// Where the two were drawn under different conditions their runs are no pairs.
    fn change(&self, outcome: &str, with: &str, others: &CellRows) -> Option<Line> {
        let weight = self.rows.weight();
        if (weight - others.weight()).abs() > 0.0 {
            return None;
        }
        let quantity = format!("outcome={outcome}");
        let had = |rows: &CellRows| rows.outcomes().iter().map(|other| other == outcome).collect::<Vec<bool>>();
        let of = Discordant::count(had(others).into_iter().zip(had(self.rows)));
        let interval = of.interval(self.plan.level(&quantity));
        Some(Line {
            with: with.into(),
            n: of.pairs,
            estimate: of.difference().map(|difference| difference * weight),
            interval: interval.map(|i| Interval { low: i.low * weight, high: i.high * weight }),
            method: "bonett-price",
            p: Some(of.exact()),
            ..self.line(&quantity, "change")
        })
    }
}
