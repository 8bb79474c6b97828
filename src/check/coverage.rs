//! What was tried where: for each fault and phase of the migration, how often it was started, struck, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::vocabulary::{Outcome, Phase};

use super::probe::Seen;

/// Faults × phases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    cells: BTreeMap<(usize, Phase), Cell>,
    kinds: Vec<String>,
    phases: BTreeSet<Phase>,
}

/// One fault in one phase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// How often it was started there.
    pub injected: u64,
    /// How often it struck.
    pub fired: u64,
    /// What became of the VM, among those that struck.
    pub outcomes: BTreeMap<Outcome, u64>,
}

impl Coverage {
    /// Of these phases.
    pub(super) fn enter(&mut self, phases: impl Iterator<Item = Phase>) {
        self.phases.extend(phases);
    }

    /// A row for a kind of fault, in the order in which they are named first.
    pub(super) fn name(&mut self, kind: &str) -> usize {
        self.kinds.iter().position(|known| known == kind).unwrap_or_else(|| {
            self.kinds.push(kind.to_owned());
            self.kinds.len() - 1
        })
    }

    /// One run in which a fault was started in this phase.
    pub(super) fn count(&mut self, kind: &str, phase: Phase, seen: &Seen) {
        let row = self.name(kind);
        self.phases.insert(phase);
        let cell = self.cells.entry((row, phase)).or_default();
        cell.injected += 1;
        if seen.fired {
            cell.fired += 1;
            *cell.outcomes.entry(seen.outcome).or_default() += 1;
        }
    }

    /// The faults, in order.
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// The phases that the run in which nothing fails goes through.
    pub fn phases(&self) -> impl Iterator<Item = Phase> + '_ {
        self.phases.iter().copied()
    }

    /// What is known of a fault in a phase.
    pub fn cell(&self, kind: usize, phase: Phase) -> Option<&Cell> {
        self.cells.get(&(kind, phase))
    }

    /// Where a fault never struck.
    pub fn empty(&self) -> Vec<(&str, Phase)> {
        let all =
            self.kinds.iter().enumerate().flat_map(|(row, kind)| self.phases().map(move |phase| (row, kind, phase)));
        let fired = |row, phase| self.cell(row, phase).is_some_and(|cell| cell.fired > 0);
        all.filter(|&(row, _, phase)| !fired(row, phase)).map(|(_, kind, phase)| (kind.as_str(), phase)).collect()
    }

    /// The faults that struck nowhere.
    pub fn never_fired(&self) -> Vec<String> {
        let fired = |row| self.phases().any(|phase| self.cell(row, phase).is_some_and(|cell| cell.fired > 0));
        self.kinds.iter().enumerate().filter(|&(row, _)| !fired(row)).map(|(_, kind)| kind.clone()).collect()
    }
}
