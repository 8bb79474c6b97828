//! A capsule's run again, beside what the capsule says.

use std::sync::Arc;

use crate::run::{RunResult, simulate};
use crate::scenario::Scenario;
use crate::vocabulary::Invariant;

/// What came of repeating a capsule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The capsule's name.
    pub name: String,
    /// What it shows.
    pub shows: String,
    /// What is not as it was; `None`: it is reproduced.
    pub difference: Option<String>,
}

/// Runs a capsule; `None` if the scenario does not say what was seen.
pub fn replay(scenario: &Arc<Scenario>) -> Option<(RunResult, Replayed)> {
    let said = scenario.capsule.as_ref()?;
    let result = simulate(scenario, scenario.seed, 0);
    let violates: Vec<Invariant> = result.violations.iter().map(|violation| violation.invariant).collect();
    let (now, then) = (&result.record.fingerprint, &said.fingerprint);
    let difference = if violates != said.violates {
        Some(format!("it violates {}, and violated {}", words(&violates), words(&said.violates)))
    } else if result.outcome != said.outcome {
        Some(format!("the outcome is {}, and was {}", result.outcome, said.outcome))
    } else {
        (now != then).then(|| format!("the fingerprint is {now}, and was {then} (version {})", said.version))
    };
    let replayed = Replayed { name: scenario.name.clone(), shows: said.shows.clone(), difference };
    Some((result, replayed))
}

fn words(all: &[Invariant]) -> String {
    if all.is_empty() {
        return "nothing".into();
    }
    all.iter().map(|invariant| invariant.as_str()).collect::<Vec<_>>().join(", ")
}
