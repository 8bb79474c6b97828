//! What is known of each cell: means, proportions, and differences to the cell that it is compared with.

use super::plan::Plan;
use super::table::{CellRows, Table};
use crate::scenario::Column;
use crate::scenario::sweep::Target;
use crate::stats::{
    Discordant, Interval, Proportion, Sample, Stratum, paired, quantile_interval, stratified, student, student_half,
};
use crate::vocabulary::Outcome;

/// The columns of a line after those of the axes.
pub const COLUMNS: [&str; 21] = [
    "quantity",
    "kind",
    "with",
    "n",
    "absent",
    "estimate",
    "low",
    "high",
    "level",
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
    /// The probability with which that is to contain the true value.
    pub level: f64,
    /// How it is made.
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
            .chain([shown(self.level), self.method.to_owned()])
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

    /// Whether there is anything but zero to tell.
    pub fn is_seen(&self) -> bool {
        self.estimate.is_some_and(|estimate| estimate.abs() > 0.0)
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
pub fn shown(number: f64) -> String {
    let rounded: f64 = format!("{number:.8e}").parse().expect("it was a number");
    // Without a sign for zero.
    format!("{}", rounded + 0.0)
}

/// What is known of each cell that has runs.
pub fn summary(plan: &Plan, table: &Table) -> Vec<Line> {
    let metrics = metrics(plan, table);
    let mut lines = Vec::new();
    for (cell, rows) in table.cells().iter().enumerate() {
        let one = Of { plan, table, cell, rows };
        lines.extend(metrics.iter().map(|metric| one.mean(metric)));
        lines.extend(Outcome::ALL.iter().map(|outcome| one.proportion(*outcome)));
        // Where the two were drawn under different conditions their runs are no pairs.
        let partner = plan.partners[cell].filter(|other| plan.weight(*other).total_cmp(&plan.weight(cell)).is_eq());
        let Some((other, others)) = partner.and_then(|other| Some((other, table.cells().get(other)?))) else {
            continue;
        };
        let axis = plan.sweep.compare.map_or(0, |compare| compare.axis);
        let with = plan.values(other).nth(axis).unwrap_or_default();
        lines.extend(metrics.iter().filter_map(|metric| one.difference(metric, with, others)));
        lines.extend(Outcome::ALL.iter().map(|outcome| one.change(*outcome, with, others)));
    }
    lines
}

/// What is known of one quantity of a cell; `None`: it has no runs.
pub fn line(plan: &Plan, table: &Table, cell: usize, of: Target) -> Option<Line> {
    let one = Of { plan, table, cell, rows: table.cells().get(cell)? };
    Some(match of {
        Target::Mean(column) => one.mean(column.name),
        Target::Outcome(outcome) => one.proportion(outcome),
    })
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

/// One cell.
struct Of<'a> {
    plan: &'a Plan,
    table: &'a Table,
    cell: usize,
    rows: &'a CellRows,
}

impl Of<'_> {
    fn line(&self, quantity: &str, kind: &'static str) -> Line {
        let (weight, level) = (self.plan.weight(self.cell), self.plan.level(quantity));
        Line { cell: self.cell, quantity: quantity.into(), kind, weight, level, ..Line::default() }
    }

    fn mean(&self, metric: &str) -> Line {
        let line = self.line(metric, "mean");
        let sample = Sample::new(self.rows.numbers(self.table, metric));
        let n = sample.n() as u64;
        let quantile = |p: f64| sample.quantile(p);
        Line {
            n,
            absent: self.rows.runs() - n,
            estimate: sample.mean(),
            interval: student(&sample, line.level),
            method: "student",
            spread: [
                sample.deviation(),
                sample.minimum(),
                quantile(0.05),
                quantile(0.5),
                quantile(0.95),
                sample.maximum(),
            ],
            median: quantile_interval(&sample, 0.5, line.level).map(|found| found.interval),
            ..line
        }
    }

    fn proportion(&self, outcome: Outcome) -> Line {
        let line = self.line(&format!("outcome={outcome}"), "proportion");
        let seen = Proportion { hits: self.rows.with_outcome(outcome), n: self.rows.known() };
        // What the condition leaves out is not counted as this outcome: an estimate is of the condition and the outcome.
        let rest = Stratum::Known { weight: 1.0 - line.weight, chance: 0.0 };
        let of = stratified(&[Stratum::Sampled { weight: line.weight, seen }, rest], line.level);
        Line {
            n: seen.n,
            absent: self.rows.runs() - seen.n,
            estimate: of.map(|of| of.probability),
            interval: of.map(|of| of.interval),
            method: "clopper-pearson",
            ..line
        }
    }

    fn difference(&self, metric: &str, with: &str, others: &CellRows) -> Option<Line> {
        let line = self.line(metric, "difference");
        let (here, there) = (self.rows.column(self.table, metric), others.column(self.table, metric));
        let pairs: Vec<(f64, f64)> =
            there.iter().copied().zip(here.iter().copied()).filter(|(a, b)| !a.is_nan() && !b.is_nan()).collect();
        let (before, after) = pairs.first()?;
        let found = paired(&pairs, line.level);
        let n = pairs.len() as u64;
        Some(Line {
            with: with.into(),
            n,
            absent: here.len().min(there.len()) as u64 - n,
            estimate: found.map_or(Some(after - before), |found| Some(found.difference)),
            interval: found.map(|found| found.interval),
            method: "student-paired",
            spread: [found.map(|found| found.deviation), None, None, None, None, None],
            unpaired: found.map(|found| student_half(line.level, n as f64 - 1.0) * found.unpaired_error),
            ..line
        })
    }

    fn change(&self, outcome: Outcome, with: &str, others: &CellRows) -> Line {
        let line = self.line(&format!("outcome={outcome}"), "change");
        let both = others.outcomes().iter().zip(self.rows.outcomes());
        let pairs = both.clone().filter_map(|(there, here)| Some(((*there)? == outcome, (*here)? == outcome)));
        let of = Discordant::count(pairs);
        Line {
            with: with.into(),
            n: of.pairs,
            absent: both.count() as u64 - of.pairs,
            estimate: of.difference().map(|difference| difference * line.weight),
            interval: of
                .interval(line.level)
                .map(|i| Interval { low: i.low * line.weight, high: i.high * line.weight }),
            method: "bonett-price",
            p: (of.pairs > 0).then(|| of.exact()),
            ..line
        }
    }
}
