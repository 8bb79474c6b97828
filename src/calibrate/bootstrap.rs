//! How far the values may be off: the fit repeated on resampled rows, one step each.
//!
//! Settings are drawn with replacement and with all their rows, as those come from the same migrations and err together (Davison and
//! Hinkley, *Bootstrap Methods and their Application*, 1997, sections 3.8 and 6.2.4: resampling cases). Where there are no more
//! settings than parameters, rows are drawn instead. For each draw one Gauss–Newton step is made from the values found, with
//! the slopes found there, instead of a whole search (the one-step bootstrap: Shao and Tu, *The Jackknife and Bootstrap*, 1995,
//! section 4.4). The interval is between the nearest ranks of 2.5 and 97.5 per cent.
//!
//! Percentiles alone are too narrow where little is drawn from, so steps are longer: by √(m / (m − 1) · (n − 1) / (n − p)) for n rows,
//! p parameters and m settings, as the errors of fitted rows are too small (Cameron and Miller, *A Practitioner's Guide to
//! Cluster-Robust Inference*, Journal of Human Resources 50, 2015, section VI), and by the ratio of Student's quantile to the normal
//! one (Hesterberg, *What Teachers Should Know About the Bootstrap*, American Statistician 69, 2015, section 3). A draw that tells nothing of a parameter, because
//! none of the rows that show it is in it, counts as one end of the range or the other.

use super::linear::eigen;
use super::sensitivity::{Sensitivity, scaled};
use crate::rng::{Purpose, RunSeed};
use crate::stats::student_half;

/// A direction with less than this of a draw is not seen by it: only rounding is left.
const UNSEEN: f64 = 1e-9;
/// A parameter with this share of an unseen direction is not known by a draw.
const PART: f64 = 0.01;
/// Share of the draws beyond each end of an interval: one in so many.
const BEYOND: usize = 40;

/// The 97.5th percentile of the normal distribution.
const NORMAL: f64 = 1.959_964;
/// The 97.5th percentile of Student's distribution.
fn student(degrees: usize) -> f64 {
    student_half(0.95, degrees as f64)
}

/// An interval for each parameter, from 0 to 1 of its range.
#[derive(Debug, Clone)]
pub(super) struct Intervals {
    pub of: Vec<(f64, f64)>,
    /// What was drawn: settings, or rows.
    pub by_setting: bool,
}

/// The intervals of the values at `point` by so many draws. `settings` has that of each row.
pub(super) fn intervals(found: &Sensitivity, point: &[f64], settings: &[usize], draws: u64, seed: u64) -> Intervals {
    let (rows, parameters) = (settings.len(), point.len());
    let all = settings.iter().max().map_or(0, |last| last + 1);
    let by_setting = all > parameters;
    let unit_of = |row: usize| if by_setting { settings[row] } else { row };
    let units = if by_setting { all } else { rows };
    if rows == parameters {
        return Intervals { of: vec![(0.0, 1.0); parameters], by_setting };
    }
    let (free, among) = ((rows - parameters) as f64, units as f64);
    let small = (among / (among - 1.0) * (rows as f64 - 1.0) / free).sqrt();
    let longer = small * student(if by_setting { units - 1 } else { rows - parameters }) / NORMAL;
    let mut stream = RunSeed { seed, replication: 0 }.stream(Purpose::Resamples, 0);
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); parameters];
    for draw in 0..draws {
        let mut times = vec![0.0; units];
        for _ in 0..units {
            times[usize::try_from(stream.below(units as u64)).expect("a unit")] += 1.0;
        }
        let weights: Vec<f64> = (0..rows).map(|row| times[unit_of(row)]).collect();
        for (i, step) in step(found, &weights).into_iter().enumerate() {
            let end = if draw % 2 == 0 { 0.0 } else { 1.0 };
            values[i].push(step.map_or(end, |step| (point[i] + longer * step).clamp(0.0, 1.0)));
        }
    }
    let of = values.into_iter().zip(point).zip(&found.flat).map(|((values, x), flat)| interval(values, *x, *flat));
    Intervals { of: of.collect(), by_setting }
}

/// Between the percentiles; with the value itself in it, and with all about it that no row can tell from it.
fn interval(mut values: Vec<f64>, x: f64, flat: f64) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let beyond = values.len().div_ceil(BEYOND).saturating_sub(1);
    let (low, high) = (values[beyond], values[values.len() - 1 - beyond]);
    (low.min(x - flat).max(0.0), high.max(x + flat).min(1.0))
}

/// The Gauss–Newton step of each parameter, `-(JᵀWJ)⁻¹ JᵀWr`; `None` for one that these rows do not tell.
fn step(found: &Sensitivity, weights: &[f64]) -> Vec<Option<f64>> {
    let (normal, factors) = scaled(&found.normal(weights));
    let error =
        |column: &Vec<f64>| -> f64 { column.iter().zip(&found.errors).zip(weights).map(|((j, r), w)| j * r * w).sum() };
    let gradient: Vec<f64> =
        found.columns.iter().zip(&factors).map(|(column, factor)| error(column) * factor).collect();
    let mut steps: Vec<Option<f64>> = factors.iter().map(|factor| (*factor > 0.0).then_some(0.0)).collect();
    for one in eigen(&normal) {
        let along: f64 = one.vector.iter().zip(&gradient).map(|(v, g)| v * g).sum();
        for (i, part) in one.vector.iter().enumerate() {
            if one.value > UNSEEN {
                steps[i] = steps[i].map(|step| step - part * along / one.value * factors[i]);
            } else if part.abs() > PART {
                steps[i] = None;
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(errors: &[f64]) -> Sensitivity {
        let columns = vec![vec![1.0; errors.len()]];
        Sensitivity { columns, flat: vec![0.0], errors: errors.to_vec(), absent: Vec::new() }
    }

    #[test]
    fn of_a_mean_it_is_the_usual_interval() {
        // One parameter that adds to every row is a mean: 2.01 standard errors (49 degrees of freedom), with n - 1 in the
        // denominator.
        let errors: Vec<f64> = (0..50).map(|i| (f64::from(i) - 24.5) / 500.0).collect();
        let settings: Vec<usize> = (0..50).collect();
        let found = intervals(&line(&errors), &[0.5], &settings, 4000, 7).of[0];
        let variance: f64 = errors.iter().map(|e| e * e).sum::<f64>() / 49.0;
        let half = 2.01 * (variance / 50.0).sqrt();
        assert!(
            (0.5 - found.0 - half).abs() < half * 0.08 && (found.1 - 0.5 - half).abs() < half * 0.08,
            "{found:?} {half}"
        );
    }

    #[test]
    fn rows_of_a_setting_err_together() {
        let errors: Vec<f64> = (0..40).map(|i| if i / 10 % 2 == 0 { 0.01 } else { -0.01 }).collect();
        let wide = |settings: Vec<usize>| {
            let found = intervals(&line(&errors), &[0.5], &settings, 2000, 1);
            (found.by_setting, found.of[0].1 - found.of[0].0)
        };
        let (together, apart) = (wide((0..40).map(|i| i / 10).collect()), wide((0..40).collect()));
        assert!(together.0 && together.1 > 2.5 * apart.1, "{together:?} {apart:?}");
        // One setting alone: rows are drawn.
        assert_eq!(wide(vec![0; 40]), (false, apart.1));
    }

    #[test]
    fn as_many_rows_as_parameters_and_unseen_ones_leave_the_whole_range() {
        assert_eq!(intervals(&line(&[0.1]), &[0.3], &[0], 100, 1).of, [(0.0, 1.0)]);
        let columns = vec![vec![1.0, 1.0, 1.0, 1.0], vec![0.0, 0.0, 0.0, 2.0]];
        let found = Sensitivity { columns, flat: vec![0.0; 2], errors: vec![0.0; 4], absent: Vec::new() };
        // A third of the draws does not have the only row that shows the second; the first is known by the others.
        let of = intervals(&found, &[0.3, 0.6], &[0, 1, 2, 3], 1000, 1).of;
        assert_eq!(of[1], (0.0, 1.0));
        assert!((of[0].0 - 0.3).abs() < 1e-9 && (of[0].1 - 0.3).abs() < 1e-9, "{of:?}");
    }
}
