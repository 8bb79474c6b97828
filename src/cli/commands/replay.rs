//! `midflight replay`: what a check has found, repeated from its capsule and compared.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use super::run::{colour, loaded};
use crate::cli::args::ReplayOf;
use crate::cli::{Status, complain, print};
use crate::report;
use crate::run::{RunResult, simulate};
use crate::scenario::{Capsule, Scenario};

/// A capsule's run, beside what the capsule says.
pub(super) struct Replayed {
    result: RunResult,
    said: Capsule,
}

impl Replayed {
    pub(super) fn is_same(&self) -> bool {
        self.difference().is_none()
    }

    /// What is not as it was.
    pub(super) fn difference(&self) -> Option<String> {
        let violates: Vec<_> = self.result.violations.iter().map(|violation| violation.invariant).collect();
        let words = |all: &[crate::vocabulary::Invariant]| match all {
            [] => "nothing".to_owned(),
            all => all.iter().map(|invariant| invariant.as_str()).collect::<Vec<_>>().join(", "),
        };
        if violates != self.said.violates {
            return Some(format!("it violates {}, and violated {}", words(&violates), words(&self.said.violates)));
        }
        if self.result.outcome != self.said.outcome {
            return Some(format!("the outcome is {}, and was {}", self.result.outcome, self.said.outcome));
        }
        let (now, then) = (&self.result.record.fingerprint, &self.said.fingerprint);
        (now != then).then(|| format!("the fingerprint is {now}, and was {then} (version {})", self.said.version))
    }
}

/// Runs a capsule.
pub(super) fn replayed(scenario: &Arc<Scenario>) -> Replayed {
    let said = scenario.capsule.clone().expect("a capsule");
    Replayed { result: simulate(scenario, scenario.seed, 0), said }
}

pub(in crate::cli) fn replay(arguments: &ReplayOf) -> Status {
    let scenario = match loaded(&arguments.capsule, &[], &arguments.files) {
        Ok(scenario) => scenario,
        Err(status) => return status,
    };
    if scenario.capsule.is_none() {
        let file = arguments.capsule.display();
        complain(&format!(
            "{file} is no capsule: it has no `capsule` that says what was seen; `midflight run` runs it"
        ));
        return Status::BadInput;
    }
    let replayed = replayed(&scenario);
    let colours = colour(arguments.files.color, io::stdout().is_terminal());
    let story = if arguments.explain {
        report::explain(&replayed.result, &scenario, colours)
    } else {
        report::human(&replayed.result, &scenario, colours)
    };
    let verdict = match replayed.difference() {
        None => format!("reproduced: {}\n", replayed.said.shows),
        Some(difference) => format!("NOT reproduced: {difference}\n"),
    };
    let printed = print(&format!("{story}\n{verdict}"));
    match (printed, replayed.is_same()) {
        (Status::Good, false) => Status::Short,
        (printed, _) => printed,
    }
}
