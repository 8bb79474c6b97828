//! Makes runs, on all threads, and hands each row on in the order of runs.

use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use rayon::prelude::*;

use super::order::Place;
use super::plan::Plan;
use super::shard::Shard;
use super::table::{Table, row};
use crate::metric::Record;
use crate::run::simulate;
use crate::scenario::Scenario;

/// The outcome of a run that panicked.
pub const PANICKED: &str = "panicked";

/// How a run is made: the record of a replication of a scenario under a seed.
pub type Simulate = dyn Fn(&Arc<Scenario>, u64, u64) -> Record + Sync;

/// What is done with a row and its place.
pub type Take<'a, E> = dyn FnMut(Place, &[String]) -> Result<(), E> + 'a;

/// Makes the runs of a shard, on all threads. Each row goes to `take` with its place, in the order of runs. `go_on` is asked before each run.
/// Answers whether all are made.
///
/// # Errors
/// That of `take`, which is called no more then.
pub fn run<E>(
    plan: &Plan,
    shard: &Shard,
    go_on: &(dyn Fn() -> bool + Sync),
    take: &mut Take<'_, E>,
) -> Result<bool, E> {
    run_with(plan, shard, &|scenario, seed, replication| simulate(scenario, seed, replication).record, go_on, take)
}

/// The same with runs made in another way.
///
/// # Errors
/// That of `take`, which is called no more then.
pub fn run_with<E>(
    plan: &Plan,
    shard: &Shard,
    simulate: &Simulate,
    go_on: &(dyn Fn() -> bool + Sync),
    take: &mut Take<'_, E>,
) -> Result<bool, E> {
    let mut table = Table::starting(plan, shard.first);
    while let Some(place) = plan.next(&table).filter(|place| *place < shard.end) {
        let block = plan.block(place, shard.end);
        let rows = block.par_iter().map(|place| go_on().then(|| made(plan, *place, simulate)));
        let Some(rows) = rows.collect::<Option<Vec<_>>>() else { return Ok(false) };
        for (place, row) in block.iter().zip(&rows) {
            table.push(place.cell, row);
            take(*place, row)?;
        }
    }
    Ok(true)
}

/// Does some work for each shard, on all threads, in any order, until it says that it is enough.
pub fn each<E: Send>(shards: &[Shard], work: &(dyn Fn(&Shard) -> ControlFlow<E> + Sync)) -> ControlFlow<E> {
    // One after the other, and not in halves: so they are finished from the first to the last, more or less.
    shards.iter().par_bridge().try_for_each(work)
}

/// The row of a run; of one that panics, what is known of it.
fn made(plan: &Plan, place: Place, simulate: &Simulate) -> Vec<String> {
    let (scenario, seed) = (plan.scenario(place.cell), plan.sweep.seed);
    let record = panic::catch_unwind(AssertUnwindSafe(|| simulate(scenario, seed, place.replication)));
    let record = record.unwrap_or_else(|_| Record {
        scenario: scenario.name.clone(),
        seed: Some(seed),
        replication: Some(place.replication),
        outcome: PANICKED.into(),
        ..Record::default()
    });
    row(plan, place.cell, &record)
}

/// How many runs are made at a time.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Makes one run of the first cell, the last and one between, and forgets them. Answers how many those are.
pub fn probe(plan: &Plan) -> u32 {
    let last = plan.cells.len() - 1;
    let mut tried = vec![0, last / 2, last];
    tried.dedup();
    for cell in &tried {
        let place = Place { cell: *cell, replication: 0 };
        made(plan, place, &|scenario, seed, replication| simulate(scenario, seed, replication).record);
    }
    u32::try_from(tried.len()).expect("three at most")
}
