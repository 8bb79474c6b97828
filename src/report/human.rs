//! One run for a person at a terminal: what it came to, what happened, the measures, the rounds, the verdict.
//!
//! At most [`WIDTH`] columns; nothing depends on the terminal but the colours, which the caller asks for. What is many
//! times the same is shortened here and nowhere else: the JSON has everything.

mod calibration;
mod check;
mod classes;
mod explain;
mod measures;
mod page;
mod story;
mod sweep;
mod units;
mod validation;
mod verdict;

pub use self::calibration::{human_calibration, human_task};
pub use self::check::{human_checked, human_checks, human_replayed};
pub use self::classes::human_classes;
pub use self::explain::explain;
pub use self::sweep::{human_sweep, human_sweep_plan};
pub use self::validation::{human_plan, human_validation};

use self::page::{BAD, DIM, GOOD, PLAIN, Page, WARN};
use crate::oracle::Violation;
use crate::run::RunResult;
use crate::scenario::Scenario;
use crate::vocabulary::{Belief, Outcome};
use anstyle::Style;

/// Columns of a page.
const WIDTH: usize = 100;

/// The report, with colours if asked.
pub fn human(result: &RunResult, scenario: &Scenario, colour: bool) -> String {
    let mut page = Page::new(colour);
    headline(&mut page, result, scenario);
    story::write(&mut page, result, scenario);
    measures::write(&mut page, &result.record);
    measures::write_rounds(&mut page, &result.rounds);
    verdict::write(&mut page, result, scenario);
    page.finish()
}

fn headline(page: &mut Page, result: &RunResult, scenario: &Scenario) {
    let belief = match result.belief {
        Belief::Agrees => String::new(),
        Belief::ClaimsSuccess => "; yet a node claims success".into(),
        Belief::ClaimsFailure => "; yet a node claims failure".into(),
        Belief::NodesDisagree => "; and the nodes disagree".into(),
    };
    let style = style_of(result.outcome, &result.violations);
    page.paragraph("", &format!("{}: {}{belief}", scenario.name, result.outcome), style);
    page.paragraph("", &scenario.why, PLAIN);
    let record = &result.record;
    let mut about = vec![format!("policy {}", record.policy)];
    about.extend(record.seed.map(|seed| format!("seed {seed}")));
    about.extend(record.replication.map(|replication| format!("replication {replication}")));
    about.push(format!("{} events", result.finished.events));
    page.paragraph("", &about.join(", "), DIM);
}

fn style_of(outcome: Outcome, violations: &[Violation]) -> Style {
    match outcome {
        _ if !violations.is_empty() => BAD.bold(),
        Outcome::SplitBrain | Outcome::Lost | Outcome::Stalled => BAD.bold(),
        Outcome::Completed | Outcome::Resumed => GOOD.bold(),
        Outcome::Recovered | Outcome::RolledBack | Outcome::Unfinished => WARN.bold(),
    }
}

#[cfg(test)]
mod tests;
