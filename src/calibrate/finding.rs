//! What is to be said of the parameters beside their values: which of them the rows do not tell.

use super::Estimate;
use super::sensitivity::{Alike, Sensitivity};
use super::task::Task;

/// Something to know about the fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Of which kind.
    pub kind: Kind,
    /// The parameters that it is about, by number.
    pub parameters: Vec<usize>,
    /// In a sentence.
    pub text: String,
}

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No row depends on the parameter.
    NoEffect,
    /// Parameters can make up for each other.
    Alike,
    /// The interval is the whole range.
    Open,
    /// There are as many parameters as rows.
    NoFreedom,
    /// The best value is an end of the range.
    AtEnd,
    /// A fitted row has no value.
    Absent,
    /// The search did not come to rest.
    Restless,
}

impl Kind {
    /// For machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoEffect => "no-effect",
            Self::Alike => "alike",
            Self::Open => "open",
            Self::NoFreedom => "no-freedom",
            Self::AtEnd => "at-end",
            Self::Absent => "absent",
            Self::Restless => "restless",
        }
    }

    /// Whether the fit falls short by it.
    pub fn is_serious(self) -> bool {
        self != Self::AtEnd
    }
}

/// What the rows tell of the parameters. One that they do not tell gets its whole range for an interval.
pub(super) fn findings(task: &Task, sensitivity: &Sensitivity, estimates: &mut [Estimate]) -> Vec<Finding> {
    let path = |i: usize| format!("`{}`", task.parameters[i].path);
    let mut all = Vec::new();
    for i in sensitivity.without_effect() {
        all.push(Finding { kind: Kind::NoEffect, parameters: vec![i], text: format!("no row depends on {}", path(i)) });
    }
    for alike in sensitivity.alike() {
        let text = alike_text(&alike, &alike.parameters.iter().map(|i| path(*i)).collect::<Vec<_>>());
        all.push(Finding { kind: Kind::Alike, parameters: alike.parameters, text });
    }
    if task.rows.len() == task.parameters.len() {
        let text = "there are as many parameters as fitted rows, so nothing is left to judge the fit by".into();
        all.push(Finding { kind: Kind::NoFreedom, parameters: (0..task.parameters.len()).collect(), text });
    }
    let told = all.clone();
    for (i, (parameter, estimate)) in task.parameters.iter().zip(estimates.iter_mut()).enumerate() {
        if told.iter().any(|finding| finding.parameters.contains(&i)) {
            (estimate.low, estimate.high, estimate.identified) = (parameter.from, parameter.to, false);
            continue;
        }
        if (estimate.low, estimate.high) == (parameter.from, parameter.to) {
            estimate.identified = false;
            let text = format!("the rows hardly tell {}: its interval is the whole range", path(i));
            all.push(Finding { kind: Kind::Open, parameters: vec![i], text });
        }
        if [parameter.from, parameter.to].contains(&estimate.value) {
            let end = if estimate.value == parameter.from { "least" } else { "greatest" };
            let text =
                format!("the best value of {} is the {end} that was tried: the range may be too narrow", path(i));
            all.push(Finding { kind: Kind::AtEnd, parameters: vec![i], text });
        }
    }
    if let Some(first) = sensitivity.absent.first() {
        let (of, row) = task.rows[*first];
        let (reference, others) = (&task.references[of], sensitivity.absent.len() - 1);
        let more = if others == 0 { String::new() } else { format!(" and {others} more") };
        let text = format!("no value at the best point: row `{}` of {}{more}", reference.rows[row].id, reference.id);
        all.push(Finding { kind: Kind::Absent, parameters: Vec::new(), text });
    }
    all
}

fn alike_text(alike: &Alike, paths: &[String]) -> String {
    match (paths, alike.correlation) {
        ([a, b], Some(correlation)) => {
            let how = if correlation < 0.0 { "against each other" } else { "alike" };
            format!("{a} and {b} change the rows {how} (correlation {correlation:.3}): only their combination is known")
        }
        ([first @ .., last], _) => format!(
            "{} and {last} can make up for each other (collinearity index {:.0}): only their combination is known",
            first.join(", "),
            alike.index.min(9999.0)
        ),
        ([], _) => String::new(),
    }
}

/// The search was given up.
pub(super) fn restless(runs: u64) -> Finding {
    let text = format!("the search did not come to rest in {runs} runs: the values may not be the best");
    Finding { kind: Kind::Restless, parameters: Vec::new(), text }
}
