//! Where a cost is least in the unit cube: a star of points, then Nelder and Mead's simplex, again from its best point until that
//! gains nothing.
//!
//! Why this method: a run is a step function of its parameters, so there is no derivative that could be trusted from point to
//! point, and the simplex asks for none (Nelder and Mead, *A simplex method for function minimization*, Computer Journal 7, 1965).
//! Why again: a simplex can collapse where the cost is not least, and a new one from there costs little (Kelley, *Detection and
//! remediation of stagnation in the Nelder–Mead algorithm*, SIAM J. Optim. 10, 1999). Nothing is drawn, so the same cost gives
//! the same answer.

use std::cell::RefCell;

use argmin::core::{CostFunction, Error, Executor, State, TerminationReason};
use argmin::solver::neldermead::NelderMead;
use argmin_math::{ArgminAdd, ArgminMul, ArgminSub};

/// How far from the centre the points of the star lie.
const STAR: f64 = 0.3;
/// Edges of the first simplex and of later ones.
const EDGES: [f64; 4] = [0.2, 0.05, 0.05, 0.05];
/// A new simplex that lowers the cost by less than this share has shown that the last one was at rest.
const GAIN: f64 = 0.01;
/// The simplex rests when the costs of its corners deviate by less than this share of the least. Near the least the cost rises with
/// the square of the distance, so this is a thousandth of what the rows can tell.
const REST: f64 = 1e-6;
/// And by less than this, where the rows are hit: errors of a millionth.
const REST_ABSOLUTE: f64 = 1e-12;
/// Iterations of one simplex for each parameter.
const ITERATIONS: u64 = 100;

/// The best point, and whether the search came to rest there.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub at: Vec<f64>,
    pub at_rest: bool,
}

/// A point, with the arithmetic that the simplex asks for.
#[derive(Debug, Clone, PartialEq)]
struct Point(Vec<f64>);

impl Point {
    fn with(&self, other: &Self, op: impl Fn(f64, f64) -> f64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| op(*a, *b)).collect())
    }
}

impl ArgminAdd<Point, Point> for Point {
    fn add(&self, other: &Point) -> Point {
        self.with(other, |a, b| a + b)
    }
}

impl ArgminSub<Point, Point> for Point {
    fn sub(&self, other: &Point) -> Point {
        self.with(other, |a, b| a - b)
    }
}

impl ArgminMul<f64, Point> for Point {
    fn mul(&self, factor: &f64) -> Point {
        Self(self.0.iter().map(|a| a * factor).collect())
    }
}

/// A cost in the unit cube.
type Cost<'a> = &'a mut dyn FnMut(&[f64]) -> f64;

/// The cost, and the best of all points at which it was asked for.
struct Asked<'a> {
    cost: RefCell<Cost<'a>>,
    best: RefCell<Option<(f64, Vec<f64>)>>,
}

impl Asked<'_> {
    /// Outside of the cube it is that of the nearest point in it, and more with the distance, so that a simplex comes back.
    fn ask(&self, point: &[f64]) -> f64 {
        let inside: Vec<f64> = point.iter().map(|x| x.clamp(0.0, 1.0)).collect();
        let outside: f64 = point.iter().zip(&inside).map(|(x, y)| (x - y) * (x - y)).sum();
        let cost = (self.cost.borrow_mut())(&inside);
        let mut best = self.best.borrow_mut();
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            *best = Some((cost, inside));
        }
        cost + outside
    }

    fn best(&self) -> (f64, Vec<f64>) {
        self.best.borrow().clone().expect("a star was asked for")
    }
}

impl CostFunction for &Asked<'_> {
    type Param = Point;
    type Output = f64;

    fn cost(&self, point: &Point) -> Result<f64, Error> {
        Ok(self.ask(&point.0))
    }
}

/// The least of a cost with so many parameters, each from 0 to 1.
pub(super) fn least(parameters: usize, cost: Cost<'_>) -> Found {
    let asked = Asked { cost: RefCell::new(cost), best: RefCell::new(None) };
    let centre = vec![0.5; parameters];
    asked.ask(&centre);
    for i in 0..parameters {
        for x in [0.5 - STAR, 0.5 + STAR] {
            let mut point = centre.clone();
            point[i] = x;
            asked.ask(&point);
        }
    }
    let mut at_rest = false;
    for (again, edge) in EDGES.into_iter().enumerate() {
        let (before, from) = asked.best();
        let rested = simplex(&asked, &from, edge, before);
        let (after, _) = asked.best();
        at_rest = rested && again > 0 && before - after <= GAIN * before + REST_ABSOLUTE;
        if at_rest {
            break;
        }
    }
    Found { at: asked.best().1, at_rest }
}

/// Moves one simplex from a point until it rests; whether it did.
fn simplex(asked: &Asked<'_>, from: &[f64], edge: f64, cost: f64) -> bool {
    let corner = |i: usize| {
        let mut corner = from.to_vec();
        // Inwards, as there is nothing to see outside.
        corner[i] += if corner[i] > 0.5 { -edge } else { edge };
        Point(corner)
    };
    let corners = std::iter::once(Point(from.to_vec())).chain((0..from.len()).map(corner)).collect();
    let rest = REST * cost + REST_ABSOLUTE;
    let solver = NelderMead::new(corners).with_sd_tolerance(rest).expect("a tolerance is not negative");
    let most = ITERATIONS * from.len() as u64;
    let ran = Executor::new(asked, solver).configure(|state| state.max_iters(most)).timer(false).run();
    let ran = ran.expect("a cost never fails");
    ran.state().get_termination_reason() == Some(&TerminationReason::SolverConverged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64) -> f64 {
        x * x
    }

    #[test]
    fn finds_the_least_within_and_at_an_end() {
        let cases: [(&[f64], &[f64]); 4] = [
            (&[0.3], &[0.3]),
            (&[0.3, 0.71], &[0.3, 0.71]),
            (&[0.2, 0.9, 0.44], &[0.2, 0.9, 0.44]),
            (&[1.4, 0.5], &[1.0, 0.5]),
        ];
        for (sought, expected) in cases {
            let mut asked = 0;
            let found = least(sought.len(), &mut |point| {
                asked += 1;
                // A narrow valley between neighbours.
                let along: f64 = point.iter().zip(sought).map(|(x, y)| square(x - y)).sum();
                let across: f64 =
                    point.windows(2).zip(sought.windows(2)).map(|(x, y)| square(x[0] - y[0] + x[1] - y[1])).sum();
                0.001 + along + 20.0 * if sought[0] > 1.0 { 0.0 } else { across }
            });
            assert!(found.at_rest, "{sought:?}");
            for (x, y) in found.at.iter().zip(expected) {
                assert!((x - y).abs() < 0.003, "{sought:?}: {:?} after {asked}", found.at);
            }
        }
    }

    #[test]
    fn steps_and_holes_do_not_stop_it() {
        let found = least(2, &mut |point| {
            if point[0] < 0.1 {
                return 1e6;
            }
            square((point[0] * 50.0).round() / 50.0 - 0.2) + square(point[1] - 0.8)
        });
        assert!(found.at_rest && (found.at[0] - 0.2).abs() < 0.011 && (found.at[1] - 0.8).abs() < 0.01, "{found:?}");
    }
}
