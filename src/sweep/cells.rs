//! The cells of a sweep, in order: of the grid, or where the points of a design lie, without those that are not wanted.

use super::design;
use super::plan::PlanError;
use crate::scenario::Sweep;
use crate::scenario::sweep::Design;

/// Most cells of one sweep: each has its scenario in memory.
const CELLS_MAX: u64 = 100_000;

/// For each cell the number of each axis's value.
pub(super) fn cells(sweep: &Sweep) -> Result<Vec<Vec<usize>>, PlanError> {
    let sizes: Vec<usize> = sweep.groups.iter().map(|group| sweep.axes[group[0]].values.len()).collect();
    let points = match sweep.design {
        Design::Grid => {
            let all = sizes.iter().map(|size| *size as u128).product::<u128>();
            if all > u128::from(CELLS_MAX) {
                return Err(PlanError::TooMany { cells: all, most: CELLS_MAX });
            }
            grid(&sizes)
        }
        Design::LatinHypercube(points) => design::latin_hypercube(&sizes, points, sweep.seed),
        Design::Sobol(points) => design::sobol(&sizes, points, sweep.seed),
    };
    let mut cells: Vec<Vec<usize>> = Vec::new();
    let mut met = std::collections::BTreeSet::new();
    for point in points {
        let mut cell = vec![0; sweep.axes.len()];
        for (group, value) in sweep.groups.iter().zip(&point) {
            for axis in group {
                cell[*axis] = *value;
            }
        }
        if sweep.wants(&cell) && met.insert(cell.clone()) {
            cells.push(cell);
        }
    }
    if cells.is_empty() { Err(PlanError::Empty) } else { Ok(cells) }
}

/// Every value with every other, the last varying fastest.
fn grid(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut points = vec![Vec::new()];
    for size in sizes {
        let longer = |point: &Vec<usize>| {
            (0..*size).map(|value| point.iter().copied().chain([value]).collect()).collect::<Vec<Vec<usize>>>()
        };
        points = points.iter().flat_map(longer).collect();
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_varies_fastest() {
        assert_eq!(grid(&[2, 3]), [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
    }
}
