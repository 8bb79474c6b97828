//! Checks for a person at a terminal: a line for each scenario, what fell short, and where faults struck.

use super::page::{BAD, DIM, GOOD, PLAIN, Page, WARN};
use crate::check::{Checked, Replayed, Trial};
use crate::report::check::Checks;

/// One scenario, checked; `coverage`: with what came of each fault in each phase.
pub fn human_checked(checked: &Checked, coverage: bool, colour: bool) -> String {
    let mut page = Page::new(colour);
    let (word, style) = match (checked.is_good(), checked.is_whole()) {
        (false, _) => ("BROKEN", BAD.bold()),
        (true, false) => ("unfinished", WARN),
        (true, true) => ("kept", GOOD),
    };
    page.line(&format!("{}: ", checked.scenario.name), &format!("{word}; {}", made(checked)), style);
    for (class, runs, broken) in &checked.claims {
        let what = match (runs, broken) {
            (0, _) => "never struck in the guarantee window".to_owned(),
            (runs, 0) => format!("held in all {runs} runs in the guarantee window"),
            (runs, broken) => format!("broken in {broken} of {runs} runs in the guarantee window"),
        };
        let style = if *broken > 0 { BAD } else { PLAIN };
        page.paragraph(&format!("  tolerates {class}: "), &what, style);
    }
    if let Some((invariant, probe)) = &checked.must_violate {
        let (what, style) = match probe {
            Some(probe) => (format!("caught, {}", probe.kind), PLAIN),
            None => ("NOT caught in any run".to_owned(), BAD),
        };
        page.paragraph(&format!("  must violate {invariant}: "), &what, style);
    }
    for finding in &checked.findings {
        let head = format!("  {}: ", finding.broken.class);
        let times = if finding.times == 1 { String::new() } else { format!(", in {} runs", finding.times) };
        let what = format!("{} ({}, seed {}{times})", finding.broken.what, finding.probe.kind, finding.probe.seed.seed);
        page.paragraph(&head, &what, BAD);
    }
    for fault in &checked.never_fired {
        page.paragraph("  never struck: ", fault, BAD);
    }
    if !checked.weak.is_empty() {
        let all: Vec<&str> = checked.weak.iter().copied().collect();
        page.paragraph("  proves little: ", &all.join("; "), WARN);
    }
    if coverage {
        table(&mut page, checked);
    }
    page.finish()
}

fn made(checked: &Checked) -> String {
    let (made, planned) = checked.runs;
    let runs = if made == planned { format!("{made} runs") } else { format!("{made} of {planned} runs") };
    let guest = checked.scenario.vms[0].memory;
    let small = if guest < checked.written.vms[0].memory { format!(" of a guest of {guest}") } else { String::new() };
    match (checked.coverage.kinds().len(), checked.every_place) {
        (0, _) => runs,
        (kinds, true) => format!("{runs}, {kinds} faults at every one of {} places{small}", checked.places),
        (kinds, false) => format!("{runs}, {kinds} faults at some of {} places{small}", checked.places),
    }
}

/// Struck / started, and what came of it.
fn table(page: &mut Page, checked: &Checked) {
    let coverage = &checked.coverage;
    if let Some(window) = checked.ending_window {
        page.paragraph("  ending window: ", &format!("from R to C, {} s", window.seconds()), PLAIN);
    }
    for (row, kind) in coverage.kinds().iter().enumerate() {
        page.line("  ", kind, PLAIN);
        for phase in coverage.phases() {
            let Some(cell) = coverage.cell(row, phase) else { continue };
            let outcomes: Vec<String> = cell.outcomes.iter().map(|(outcome, n)| format!("{outcome} {n}")).collect();
            let head = format!("    {:<12} {:>6}/{:<6} ", phase.as_str(), cell.fired, cell.injected);
            page.paragraph(&head, &outcomes.join(", "), DIM);
        }
    }
    let empty: Vec<String> = coverage.empty().iter().map(|(kind, phase)| format!("{kind} in {phase}")).collect();
    if !empty.is_empty() {
        page.paragraph("  never struck there: ", &empty.join(", "), WARN);
    }
    for (invariant, times) in &checked.told {
        page.paragraph("  not claimed: ", &format!("{invariant} was broken in {times} runs"), DIM);
    }
}

/// All of them in a line.
pub fn human_checks(checks: &Checks) -> String {
    let all = || checks.checked.iter().map(|(checked, _)| checked);
    let runs: u64 = all().map(|checked| checked.runs.0).sum();
    let broken = all().filter(|checked| !checked.is_good()).count();
    let caught = all().filter(|checked| matches!(checked.must_violate, Some((_, Some(_))))).count();
    let controls = all().filter(|checked| checked.must_violate.is_some()).count();
    let late = all().flat_map(|checked| &checked.findings).filter(|finding| finding.probe.trial == Trial::Late);
    let late = match late.count() {
        0 => String::new(),
        n => format!(", {n} by a message that came late"),
    };
    let same = checks.replayed.iter().filter(|(replayed, _)| replayed.difference.is_none()).count();
    let capsules = match checks.replayed.len() {
        0 => String::new(),
        all => format!("; {same} of {all} capsules reproduced"),
    };
    format!(
        "{} scenarios, {runs} runs: {broken} broken{late}; {caught} of {controls} negative controls caught{capsules}\n",
        checks.checked.len()
    )
}

/// A capsule, repeated.
pub fn human_replayed(replayed: &Replayed) -> String {
    match &replayed.difference {
        None => format!("{}: reproduced\n", replayed.name),
        Some(difference) => format!("{}: NOT reproduced: {difference}\n", replayed.name),
    }
}
