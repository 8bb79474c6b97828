//! How the errors of the rows change with each parameter, and what of the parameters that can tell.

use super::bench::{Bench, settled};
use super::linear::{Eigen, Symmetric, eigen};
use crate::scenario::published::Parameter;

/// Half-widths of the differences, as shares of the range. The first is wide enough to see over the steps of the model (a round more,
/// a chunk more) and narrow enough to be a slope; the others are for a parameter that the first shows nothing of.
const HALF_WIDTHS: [f64; 3] = [0.02, 0.1, 1.0];
/// A parameter that would not move any row by this over its whole range has no effect: a thousandth, finer than what migrations are
/// measured to.
const NO_EFFECT: f64 = 1e-3;
/// From this collinearity index on parameters cannot be told apart: what one of them changes, the others undo but for a fifteenth.
/// Brun, Reichert and Künsch take 10 to 15 (*Practical identifiability analysis of large environmental simulation models*, Water
/// Resources Research 37, 2001). For two parameters it is a correlation of 0.9956.
const COLLINEAR: f64 = 15.0;
/// A parameter with this share of a direction's largest part takes part in it.
const PART: f64 = 0.25;

/// Slopes at a point.
#[derive(Debug, Clone)]
pub(super) struct Sensitivity {
    /// For each parameter, the change of each row's error over the whole range.
    pub columns: Vec<Vec<f64>>,
    /// For each parameter, how far from the point no row shows it, as a share of the range.
    pub flat: Vec<f64>,
    /// Errors at the point; a row without a value there has 0 and no slope.
    pub errors: Vec<f64>,
    /// Rows without a value at the point.
    pub absent: Vec<usize>,
}

/// Parameters that can make up for each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alike {
    pub parameters: Vec<usize>,
    /// Of two: the cosine of their columns.
    pub correlation: Option<f64>,
    /// The collinearity index of the direction.
    pub index: f64,
}

impl Sensitivity {
    /// Central differences about a point; at an end of a range, and beside a row without a value, one-sided ones.
    pub(super) fn about(bench: &mut Bench<'_>, parameters: &[Parameter], point: &[f64]) -> Self {
        let here = bench.errors(point);
        let (mut columns, mut flat) = (Vec::new(), Vec::new());
        for i in 0..parameters.len() {
            let (mut column, mut unseen) = (vec![0.0; here.len()], 0.0);
            for half in HALF_WIDTHS {
                let mut at = |shift: f64| {
                    let mut moved = point.to_vec();
                    moved[i] = (moved[i] + shift).clamp(0.0, 1.0);
                    (settled(parameters, &moved)[i], bench.errors(&moved))
                };
                let (low, high) = (at(-half), at(half));
                column = slopes((point[i], &here), &low, &high);
                if column.iter().any(|slope| slope.abs() > NO_EFFECT) {
                    break;
                }
                unseen = half;
            }
            columns.push(column);
            flat.push(unseen);
        }
        let absent = (0..here.len()).filter(|row| here[*row].is_none()).collect();
        Self { columns, flat, errors: here.into_iter().map(|error| error.unwrap_or(0.0)).collect(), absent }
    }

    /// Parameters that no row shows anywhere.
    pub(super) fn without_effect(&self) -> Vec<usize> {
        let moves = |column: &Vec<f64>| column.iter().any(|slope| slope.abs() > NO_EFFECT);
        (0..self.columns.len()).filter(|i| !moves(&self.columns[*i])).collect()
    }

    /// `JᵀWJ` of some rows, each with a weight.
    pub(super) fn normal(&self, weights: &[f64]) -> Symmetric {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).zip(weights).map(|((a, b), w)| a * b * w).sum();
        self.columns.iter().map(|a| self.columns.iter().map(|b| product(a, b)).collect()).collect()
    }

    /// Directions in which the rows, all with the weight 1, tell too little. Columns are scaled to length 1 first, so that neither units
    /// nor ranges matter, and those of parameters without effect are left out.
    pub(super) fn alike(&self) -> Vec<Alike> {
        let without = self.without_effect();
        let seen: Vec<usize> = (0..self.columns.len()).filter(|i| !without.contains(i)).collect();
        let whole = self.normal(&vec![1.0; self.errors.len()]);
        let chosen: Symmetric = seen.iter().map(|i| seen.iter().map(|j| whole[*i][*j]).collect()).collect();
        let (scaled, _) = scaled(&chosen);
        let weak = eigen(&scaled).into_iter().filter(|one| one.value < 1.0 / (COLLINEAR * COLLINEAR));
        let found = weak.map(|Eigen { value, vector }| {
            let most = vector.iter().map(|part| part.abs()).fold(0.0, f64::max);
            let parts: Vec<usize> = (0..seen.len()).filter(|i| vector[*i].abs() >= PART * most).collect();
            let correlation = if let [a, b] = parts[..] { Some(scaled[a][b]) } else { None };
            // Rounding may leave less than nothing of a direction.
            let index = 1.0 / value.max(f64::EPSILON).sqrt();
            Alike { parameters: parts.into_iter().map(|i| seen[i]).collect(), correlation, index }
        });
        found.collect()
    }
}

/// A matrix with ones along its diagonal, and the factors by which that was made of it; a parameter without any slope has 0.
pub(super) fn scaled(matrix: &Symmetric) -> (Symmetric, Vec<f64>) {
    let factor = |i: usize| if matrix[i][i] > 0.0 { 1.0 / matrix[i][i].sqrt() } else { 0.0 };
    let factors: Vec<f64> = (0..matrix.len()).map(factor).collect();
    let row = |i: usize| (0..matrix.len()).map(|j| matrix[i][j] * factors[i] * factors[j]).collect();
    ((0..matrix.len()).map(row).collect(), factors)
}

/// The slope of each row between two points, or from the one that has a value to the middle.
fn slopes(here: (f64, &[Option<f64>]), low: &(f64, Vec<Option<f64>>), high: &(f64, Vec<Option<f64>>)) -> Vec<f64> {
    let slope = |from: (f64, f64), to: (f64, f64)| if to.0 > from.0 { (to.1 - from.1) / (to.0 - from.0) } else { 0.0 };
    let of = |row: usize| match (low.1[row], here.1[row], high.1[row]) {
        (Some(below), Some(_), Some(above)) => slope((low.0, below), (high.0, above)),
        (None, Some(middle), Some(above)) => slope((here.0, middle), (high.0, above)),
        (Some(below), Some(middle), None) => slope((low.0, below), (here.0, middle)),
        (_, None, _) | (None, Some(_), None) => 0.0,
    };
    (0..here.1.len()).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensitivity(columns: &[&[f64]]) -> Sensitivity {
        let columns: Vec<Vec<f64>> = columns.iter().map(|column| column.to_vec()).collect();
        let (flat, errors) = (vec![0.0; columns.len()], vec![0.0; columns[0].len()]);
        Sensitivity { columns, flat, errors, absent: Vec::new() }
    }

    #[test]
    fn two_that_act_alike_are_a_pair_and_three_a_direction() {
        let apart = sensitivity(&[&[1.0, 2.0, 3.0], &[3.0, 1.0, -2.0]]);
        assert!(apart.alike().is_empty() && apart.without_effect().is_empty());
        // The scale of a column is no matter.
        let pair = sensitivity(&[&[1.0, 2.0, 3.0], &[0.0, 0.0, 0.0], &[100.0, 200.0, 301.0], &[3.0, 1.0, -2.0]]);
        assert_eq!(pair.without_effect(), [1]);
        let found = pair.alike();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].parameters, [0, 2]);
        assert!(found[0].correlation.is_some_and(|cosine| cosine > 0.999), "{found:?}");
        let sum = sensitivity(&[&[1.0, 0.0, 0.0, 1.0], &[0.0, 1.0, 0.0, 1.0], &[1.0, 1.0, 0.0, 2.0]]);
        let found = sum.alike();
        assert_eq!((found[0].parameters.as_slice(), found[0].correlation), ([0, 1, 2].as_slice(), None));
        assert!(found[0].index > 1e6, "{found:?}");
    }

    #[test]
    fn a_slope_needs_two_values() {
        let (low, high) =
            ((0.4, vec![Some(1.0), None, Some(1.0), None]), (0.6, vec![Some(2.0), Some(2.0), None, None]));
        let here = [Some(1.4), Some(1.4), Some(1.4), Some(1.4)];
        let found = slopes((0.5, &here), &low, &high);
        for (slope, expected) in found.iter().zip([5.0, 6.0, 4.0, 0.0]) {
            assert!((slope - expected).abs() < 1e-9, "{found:?}");
        }
        assert_eq!(slopes((0.5, &[None; 4]), &low, &high), [0.0; 4]);
    }
}
