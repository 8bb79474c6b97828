//! Makes the runs that are missing, on all threads, and hands each row on in order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use super::order::Place;
use super::plan::Plan;
use super::table::{Table, row};
use crate::metric::Record;
use crate::run::simulate;
use crate::scenario::Scenario;

/// The outcome of a run that panicked.
pub const PANICKED: &str = "panicked";

/// How a run is made: the record of a replication of a scenario under a seed.
pub type Simulate = dyn Fn(&Arc<Scenario>, u64, u64) -> Record + Sync;

/// How the runs of a sweep ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran<E> {
    /// All are made.
    All,
    /// Whoever takes the rows said that it is enough.
    Stopped(E),
}

/// Makes all runs that `table` lacks. Each row goes to `take` with its place, in the order of runs, and into the table.
pub fn run<E>(plan: &Plan, table: &mut Table, take: &mut dyn FnMut(Place, &[String]) -> ControlFlow<E>) -> Ran<E> {
    run_with(plan, table, &|scenario, seed, replication| simulate(scenario, seed, replication).record, take)
}

/// The same with runs made in another way.
pub fn run_with<E>(
    plan: &Plan,
    table: &mut Table,
    simulate: &Simulate,
    take: &mut dyn FnMut(Place, &[String]) -> ControlFlow<E>,
) -> Ran<E> {
    while let Some(place) = plan.next(table) {
        let block = plan.block(place);
        if let ControlFlow::Break(why) = run_block(plan, table, &block, simulate, take) {
            return Ran::Stopped(why);
        }
    }
    Ran::All
}

/// The threads take one run after the other, so that few rows wait for one that is late.
fn run_block<E>(
    plan: &Plan,
    table: &mut Table,
    block: &[Place],
    simulate: &Simulate,
    take: &mut dyn FnMut(Place, &[String]) -> ControlFlow<E>,
) -> ControlFlow<E> {
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let (next, stopped) = (&next, &stopped);
        scope.spawn(move || {
            rayon::broadcast(|_| {
                while !stopped.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(place) = block.get(number) else { break };
                    // Nobody listens any more when the rows are not wanted.
                    if sender.send((number, made(plan, *place, simulate))).is_err() {
                        break;
                    }
                }
            });
        });
        let mut waiting = BTreeMap::new();
        let mut first = 0;
        for (number, row) in receiver {
            waiting.insert(number, row);
            while let Some(row) = waiting.remove(&first) {
                let place = block[first];
                first += 1;
                table.push(place.cell, &row);
                if let ControlFlow::Break(why) = take(place, &row) {
                    stopped.store(true, Ordering::Relaxed);
                    return ControlFlow::Break(why);
                }
            }
        }
        ControlFlow::Continue(())
    })
}

/// The row of a run; of one that panics, what is known of it.
fn made(plan: &Plan, place: Place, simulate: &Simulate) -> Vec<String> {
    let (scenario, seed) = (&plan.scenarios[place.cell], plan.sweep.seed);
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
