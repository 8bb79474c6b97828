//! Measures rows: runs each scenario as often as its row asks and keeps the median.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::marks::Marks;
use crate::engine::TieRule;
use crate::rng::RunSeed;
use crate::run::{RunResult, simulate_with};
use crate::scenario::Scenario;
use crate::scenario::published::{Metric, Reference, median};
use crate::vocabulary::RoundMeasure;

/// What the simulator says of a row, in the unit of its metric.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// The median of the replications; `None` if one of them has no value.
    pub median: Option<u64>,
    /// The least.
    pub least: Option<u64>,
    /// The greatest.
    pub greatest: Option<u64>,
    /// Why there is no value, or in which way a run was not as its scenario claims.
    pub trouble: Option<String>,
}

/// One run: the value, or why there is none; and what else is wrong with it.
struct Reading {
    value: Result<u64, String>,
    shortfall: Option<String>,
}

/// Runs what it is asked for, each only once.
pub(crate) struct Laboratory<'a> {
    reference: &'a Reference,
    seed: Option<u64>,
    known: BTreeMap<(usize, Vec<u64>), Measured>,
    runs: u64,
}

impl<'a> Laboratory<'a> {
    pub(crate) fn new(reference: &'a Reference, seed: Option<u64>) -> Self {
        Self { reference, seed, known: BTreeMap::new(), runs: 0 }
    }

    /// Runs made so far.
    pub(crate) fn runs(&self) -> u64 {
        self.runs
    }

    /// Some rows, the parameters having these values.
    pub(crate) fn measure(&mut self, rows: &[usize], values: &[u64]) -> Vec<Measured> {
        let jobs = self.jobs(rows, values);
        self.runs += jobs.len() as u64;
        let (reference, seed) = (self.reference, self.seed);
        // Collected in the order of the jobs, on however many threads.
        let readings: Vec<Vec<(usize, Reading)>> = jobs.par_iter().map(|job| job.read(reference, seed)).collect();
        let mut by_row: BTreeMap<usize, Vec<Reading>> = BTreeMap::new();
        for (row, reading) in readings.into_iter().flatten() {
            by_row.entry(row).or_default().push(reading);
        }
        for (row, readings) in by_row {
            self.known.insert((row, values.to_vec()), summary(readings.iter()));
        }
        rows.iter().map(|row| self.known[&(*row, values.to_vec())].clone()).collect()
    }
}

impl Laboratory<'_> {
    /// The runs that are needed: rows of the same scenario are read from the same ones.
    fn jobs(&self, rows: &[usize], values: &[u64]) -> Vec<Job> {
        let mut alike: Vec<(Wanted, Vec<usize>)> = Vec::new();
        for &row in rows.iter().filter(|row| !self.known.contains_key(&(**row, values.to_vec()))) {
            let scenario = self.reference.scenario(row, values).map(Arc::new).map_err(|error| error.to_string());
            match alike.iter_mut().find(|(other, _)| *other == scenario) {
                Some((_, rows)) => rows.push(row),
                None => alike.push((scenario, vec![row])),
            }
        }
        let replications = |row: usize| self.reference.rows[row].replications;
        let jobs = alike.into_iter().flat_map(|(scenario, rows)| {
            let most = rows.iter().map(|&row| replications(row)).max().unwrap_or(0);
            (0..most).map(move |replication| {
                let rows = rows.iter().copied().filter(|&row| replication < replications(row)).collect();
                Job { scenario: scenario.clone(), rows, replication }
            })
        });
        jobs.collect()
    }
}

/// A row's scenario, or why there is none.
type Wanted = Result<Arc<Scenario>, String>;

/// One run, and the rows that are read from it.
struct Job {
    scenario: Wanted,
    rows: Vec<usize>,
    replication: u64,
}

impl Job {
    fn read(&self, reference: &Reference, seed: Option<u64>) -> Vec<(usize, Reading)> {
        let rows = self.rows.iter().copied();
        let scenario = match &self.scenario {
            Ok(scenario) => scenario,
            Err(why) => return rows.map(|row| (row, no_scenario(why.clone()))).collect(),
        };
        let mut marks = Marks::default();
        let seed = RunSeed { seed: seed.unwrap_or(scenario.seed), replication: self.replication };
        let result = simulate_with(scenario, seed, TieRule::default(), &mut [&mut marks]);
        rows.map(|row| (row, reading(reference.rows[row].metric, &result, &marks))).collect()
    }
}

fn no_scenario(why: String) -> Reading {
    Reading { value: Err(why), shortfall: None }
}

fn summary<'a>(readings: impl Iterator<Item = &'a Reading> + Clone) -> Measured {
    let values: Vec<u64> = readings.clone().filter_map(|reading| reading.value.as_ref().ok().copied()).collect();
    let absent = readings.clone().filter_map(|reading| reading.value.as_ref().err()).collect::<Vec<_>>();
    let shortfalls = readings.filter_map(|reading| reading.shortfall.as_ref()).collect::<Vec<_>>();
    let of = |troubles: &[&String]| {
        let all = values.len() + absent.len();
        let some = if all == 1 { String::new() } else { format!(", in {} of {all} runs", troubles.len()) };
        troubles.first().map(|first| format!("{first}{some}"))
    };
    let trouble = of(&absent).or_else(|| of(&shortfalls));
    let median = median(&values).filter(|_| absent.is_empty());
    Measured { median, least: values.iter().min().copied(), greatest: values.iter().max().copied(), trouble }
}

fn reading(metric: Metric, result: &RunResult, marks: &Marks) -> Reading {
    let shortfall = if result.hit_limit() {
        Some(format!("the run was given up after {} events", result.finished.events))
    } else {
        let first = result.judgement.shortfalls.first();
        first.map(|shortfall| format!("the run is not as its scenario claims: {}", shortfall.what))
    };
    let value = value(metric, result, marks).map_err(|why| format!("{why}; the outcome is {}", result.outcome));
    Reading { value, shortfall }
}

fn value(metric: Metric, result: &RunResult, marks: &Marks) -> Result<u64, String> {
    match metric {
        Metric::Column(name) => result.record.integer(name).ok_or_else(|| format!("`{name}` has no value")),
        Metric::Between { from, to } => {
            let at = |mark| marks.get(mark).ok_or_else(|| format!("`{mark}` was never reached"));
            let (begin, end) = (at(from)?, at(to)?);
            if end < begin {
                return Err(format!("`{to}` came before `{from}`"));
            }
            Ok((end - begin).ns())
        }
        Metric::Round { number, of } => {
            let round = result.rounds.rounds().iter().find(|round| round.number == number);
            let round = round.ok_or_else(|| match number {
                Some(number) => format!("there was no round {number}"),
                None => "there was no last round".into(),
            })?;
            match of {
                RoundMeasure::Bytes => Ok(round.bytes.get()),
                RoundMeasure::Pages => Ok(round.pages.get()),
                RoundMeasure::Time => Ok((round.to - round.from).ns()),
                RoundMeasure::Dirtied => {
                    round.dirtied.map(crate::units::PageCount::get).ok_or_else(|| "no sync ended the round".into())
                }
            }
        }
    }
}
