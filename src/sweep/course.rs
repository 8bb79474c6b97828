//! The course of the runs of a cell: what the guest gets done in each step of time, averaged over runs.

use rayon::prelude::*;

use super::order::Place;
use super::plan::Plan;
use crate::engine::TieRule;
use crate::metric::{Course, CourseStep};
use crate::rng::RunSeed;
use crate::run::simulate_with;
use crate::units::Span;

/// For each run of a cell its steps, in the order of runs: of those that are made whatever comes of them.
pub fn courses(plan: &Plan, cell: usize, step: Span, steps: usize) -> Vec<Vec<CourseStep>> {
    let runs = plan.block(Place { cell, replication: 0 }, Place { cell: cell + 1, replication: 0 });
    let one = |place: Place| {
        let mut course = Course::new(step, steps);
        let seed = RunSeed { seed: plan.sweep.seed, replication: place.replication };
        simulate_with(plan.scenario(cell), seed, TieRule::default(), &mut [&mut course]);
        course.finish()
    };
    runs.into_par_iter().map(one).collect()
}
