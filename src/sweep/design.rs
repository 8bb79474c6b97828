//! Points that fill a space with few of them, each as the value below which it falls on every axis.

use crate::rng::{Purpose, RunSeed, Stream};

/// So many points of which each axis's values are met equally often, as nearly as can be (`McKay`, Beckman and Conover, *A Comparison of
/// Three Methods for Selecting Values of Input Variables …*, Technometrics 21, 1979, section 2): on every axis one lies in each of as many
/// equal parts, in random order and at a random place within its part.
pub(super) fn latin_hypercube(sizes: &[usize], points: u64, seed: u64) -> Vec<Vec<usize>> {
    let axes = sizes.iter().enumerate().map(|(axis, size)| {
        let entity = u32::try_from(axis).expect("few axes");
        let mut stream = RunSeed { seed, replication: 0 }.stream(Purpose::Design, entity);
        let parts = shuffled(points, &mut stream);
        parts.into_iter().map(|part| value(part, points, *size, &mut stream)).collect::<Vec<usize>>()
    });
    let axes: Vec<Vec<usize>> = axes.collect();
    (0..usize::try_from(points).expect("they fit in memory"))
        .map(|point| axes.iter().map(|axis| axis[point]).collect())
        .collect()
}

/// The value at a random place in a part of an axis.
fn value(part: u64, parts: u64, size: usize, stream: &mut Stream) -> usize {
    let place = (u128::from(part) << 32) + u128::from(stream.bits() >> 32);
    usize::try_from((place * size as u128 / u128::from(parts)) >> 32).expect("below the number of values")
}

/// The numbers below `n` in random order (Fisher and Yates; Durstenfeld, Communications of the ACM 7(7), 1964, algorithm 235).
fn shuffled(n: u64, stream: &mut Stream) -> Vec<u64> {
    let mut numbers: Vec<u64> = (0..n).collect();
    for last in (1..n).rev() {
        let other = stream.below(last + 1);
        numbers.swap(usize::try_from(last).expect("in memory"), usize::try_from(other).expect("in memory"));
    }
    numbers
}

/// The first points of a Sobol sequence, scrambled by the seed (Burley, *Practical Hash-based Owen Scrambling*, Journal of Computer
/// Graphics Techniques 9(4), 2020).
pub(super) fn sobol(sizes: &[usize], points: u64, seed: u64) -> Vec<Vec<usize>> {
    let seed = u32::try_from((seed ^ (seed >> 32)) & 0xffff_ffff).expect("32 bits");
    let coordinate = |point: u64, axis: usize, size: usize| {
        let (point, axis) = (u32::try_from(point).expect("few points"), u32::try_from(axis).expect("few axes"));
        let scaled = f64::from(sobol_burley::sample(point, axis, seed)) * size as f64;
        (scaled as usize).min(size - 1)
    };
    let all = 0..points;
    all.map(|point| sizes.iter().enumerate().map(|(axis, size)| coordinate(point, axis, *size)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(points: &[Vec<usize>], axis: usize, size: usize) -> Vec<usize> {
        (0..size).map(|value| points.iter().filter(|point| point[axis] == value).count()).collect()
    }

    #[test]
    fn a_latin_hypercube_meets_every_value_equally_often() {
        let points = latin_hypercube(&[4, 6, 100], 12, 3);
        assert_eq!(counts(&points, 0, 4), [3; 4]);
        assert_eq!(counts(&points, 1, 6), [2; 6]);
        let fine = counts(&points, 2, 100);
        let parts: Vec<usize> = points.iter().map(|point| point[2] * 12 / 100).collect();
        assert!(fine.iter().all(|count| *count <= 1), "one in each twelfth, so no value twice: {parts:?}");
        assert_ne!(points, latin_hypercube(&[4, 6, 100], 12, 4), "another seed, other points");
        assert_eq!(points, latin_hypercube(&[4, 6, 100], 12, 3));
    }

    #[test]
    fn sobol_points_fill_the_space_evenly() {
        // 64 points of a (0, m, 2)-net: each of 8 × 8 boxes holds one.
        let points = sobol(&[8, 8], 64, 1);
        let boxes: std::collections::BTreeSet<&Vec<usize>> = points.iter().collect();
        assert_eq!(boxes.len(), 64);
        assert_ne!(points, sobol(&[8, 8], 64, 2));
    }
}
