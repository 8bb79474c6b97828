//! Rows of the same metric together: how far off they are as a whole.

use super::{Compared, Verdict};
use crate::scenario::published::{Metric, Reference};

/// Fewer rows of one metric are no group.
const ROWS_MIN: usize = 4;

/// How large the errors of some rows are, whatever their sign, in millionths. Quantiles are nearest ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errors {
    /// Rows with an error.
    pub rows: usize,
    /// The median.
    pub median: u64,
    /// The 95th percentile.
    pub p95: u64,
}

/// The rows of one metric, fitted ones left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// It.
    pub metric: Metric,
    /// All of them.
    pub all: Errors,
    /// Those that count; `None`: none does.
    pub counted: Option<Errors>,
}

/// The groups of a reference, in the order of their first rows.
pub(super) fn groups(reference: &Reference, rows: &[Compared]) -> Vec<Group> {
    let mut metrics: Vec<Metric> = Vec::new();
    for row in &reference.rows {
        if !metrics.contains(&row.metric) {
            metrics.push(row.metric);
        }
    }
    let groups = metrics.into_iter().filter_map(|metric| {
        let of = reference.rows.iter().zip(rows).filter(|(row, _)| row.metric == metric).map(|(_, compared)| compared);
        let of = of.filter(|compared| compared.verdict != Verdict::Fitted);
        let counts = |compared: &&Compared| matches!(compared.verdict, Verdict::Pass | Verdict::Fail);
        let all = errors(of.clone())?;
        (all.rows >= ROWS_MIN).then(|| Group { metric, all, counted: errors(of.filter(counts)) })
    });
    groups.collect()
}

/// How large the errors of some rows are; `None` if none has one.
pub(crate) fn errors<'a>(rows: impl Iterator<Item = &'a Compared>) -> Option<Errors> {
    let mut sizes: Vec<u64> = rows.filter_map(|compared| compared.error).map(i64::unsigned_abs).collect();
    sizes.sort_unstable();
    let rank = |percent: usize| (sizes.len() * percent).div_ceil(100).checked_sub(1).map(|rank| sizes[rank]);
    Some(Errors { rows: sizes.len(), median: rank(50)?, p95: rank(95)? })
}
