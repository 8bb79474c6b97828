//! Eigenvalues and eigenvectors of small symmetric matrices.
//!
//! A dozen parameters at most, so Jacobi's rotations do: no library is worth its compile time for this.

/// Sweeps over all pairs; convergence is quadratic, and six or so are enough.
const SWEEPS_MAX: usize = 60;

/// A symmetric matrix, by rows.
pub(super) type Symmetric = Vec<Vec<f64>>;

/// An eigenvalue and its unit vector.
#[derive(Debug, Clone)]
pub(super) struct Eigen {
    pub value: f64,
    pub vector: Vec<f64>,
}

/// All of them, by falling value: cyclic Jacobi rotations (Golub and Van Loan, *Matrix Computations*, 4th ed. 2013, section
/// 8.5).
pub(super) fn eigen(matrix: &Symmetric) -> Vec<Eigen> {
    let n = matrix.len();
    let mut a = matrix.clone();
    let mut vectors: Symmetric = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..SWEEPS_MAX {
        let beside: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i][j] * a[i][j]).sum();
        let along: f64 = (0..n).map(|i| a[i][i] * a[i][i]).sum();
        if beside <= along * f64::EPSILON * f64::EPSILON {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    let mut all: Vec<Eigen> =
        (0..n).map(|i| Eigen { value: a[i][i], vector: vectors.iter().map(|row| row[i]).collect() }).collect();
    all.sort_by(|one, other| other.value.total_cmp(&one.value));
    all
}

/// The rotation in the plane of `p` and `q` that makes their common entry zero.
fn rotate(a: &mut Symmetric, vectors: &mut Symmetric, p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let tau = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let sign = if tau < 0.0 { -1.0 } else { 1.0 };
    let tangent = sign / (tau.abs() + (1.0 + tau * tau).sqrt());
    let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
    let sine = tangent * cosine;
    let turn = |row: &mut Vec<f64>| {
        let (at_p, at_q) = (row[p], row[q]);
        (row[p], row[q]) = (cosine * at_p - sine * at_q, sine * at_p + cosine * at_q);
    };
    a.iter_mut().for_each(turn);
    let (row_p, row_q) = (a[p].clone(), a[q].clone());
    a[p] = row_p.iter().zip(&row_q).map(|(at_p, at_q)| cosine * at_p - sine * at_q).collect();
    a[q] = row_p.iter().zip(&row_q).map(|(at_p, at_q)| sine * at_p + cosine * at_q).collect();
    vectors.iter_mut().for_each(turn);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_make_the_matrix_again() {
        let matrix = vec![vec![4.0, 1.0, -2.0], vec![1.0, 2.0, 0.5], vec![-2.0, 0.5, 3.0]];
        let found = eigen(&matrix);
        assert!(found.windows(2).all(|pair| pair[0].value >= pair[1].value));
        for (i, row) in matrix.iter().enumerate() {
            for (j, entry) in row.iter().enumerate() {
                let sum: f64 = found.iter().map(|one| one.value * one.vector[i] * one.vector[j]).sum();
                assert!((sum - entry).abs() < 1e-12, "{i} {j}: {sum}");
            }
        }
    }

    #[test]
    fn of_two_by_two_the_values_are_known() {
        let found = eigen(&vec![vec![1.0, -0.998], vec![-0.998, 1.0]]);
        assert!((found[0].value - 1.998).abs() < 1e-12 && (found[1].value - 0.002).abs() < 1e-12, "{found:?}");
        let none = eigen(&vec![vec![0.0, 0.0], vec![0.0, 0.0]]);
        assert!(none.iter().all(|one| one.value == 0.0));
    }
}
