//! What there is of a plan's shards.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::folder::FolderError;
use super::planned::Planned;
use super::shards::{Shards, State};
use crate::sweep::{Plan, Shard};

/// Which shards are there.
pub(super) struct Survey {
    plan: String,
    of: u64,
    /// How many are there, and how many rows they have.
    pub(super) done: u64,
    pub(super) runs: u64,
    /// Those that are to be made, by number.
    pub(super) left: Vec<Shard>,
    /// Of those the ones that somebody has given up, and why.
    failed: Vec<(u64, String)>,
    /// Files that are none of the plan's shards, and what they are.
    strange: Vec<(String, String)>,
}

impl Survey {
    pub(super) fn new(shards: &Shards, planned: &Planned, plan: &Plan) -> Result<Self, FolderError> {
        let (of, strange) = (planned.shards(), shards.strangers()?);
        let mut survey =
            Self { plan: planned.hash(), of, done: 0, runs: 0, left: Vec::new(), failed: Vec::new(), strange };
        for shard in plan.shards(of) {
            match shards.state(&shard)? {
                State::Done(rows) => (survey.done, survey.runs) = (survey.done + 1, survey.runs + rows),
                State::Missing | State::Damaged => survey.left.push(shard),
                State::Failed(why) => {
                    survey.left.push(shard);
                    survey.failed.push((shard.number, why));
                }
                State::Strange(what) => survey.strange.push((shards.name(shard.number), what)),
            }
        }
        Ok(survey)
    }

    /// The same, unless something is in the way.
    pub(super) fn clear(self) -> Result<Self, FolderError> {
        match self.strange.first() {
            Some((path, what)) => Err(FolderError::InTheWay { path: path.clone(), what: what.clone() }),
            None => Ok(self),
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.left.is_empty() && self.strange.is_empty()
    }

    /// Which are to be made, for people.
    pub(super) fn missing(&self) -> String {
        ranges(self.left.iter().map(|shard| shard.number))
    }

    pub(super) fn human(&self, is_merged: bool) -> String {
        let merged = if is_merged { "; merged" } else { "" };
        let mut text = format!("{} of {} shards are there, {} runs{merged}\n", self.done, self.of, self.runs);
        if !self.left.is_empty() {
            writeln!(text, "missing: {}", self.missing()).expect("a string takes it");
        }
        for (number, why) in &self.failed {
            let last = why.lines().last().unwrap_or_default();
            writeln!(text, "failed: {number}: {last}").expect("a string takes it");
        }
        for (file, what) in &self.strange {
            writeln!(text, "in the way: {file}: {what}").expect("a string takes it");
        }
        text
    }

    pub(super) fn json(&self, is_merged: bool) -> String {
        let failed: Vec<Value> = self.failed.iter().map(|(shard, why)| json!({"shard": shard, "why": why})).collect();
        let strange: Vec<Value> = self.strange.iter().map(|(file, what)| json!({"file": file, "what": what})).collect();
        let about = json!({
            "plan": self.plan,
            "shards": self.of,
            "done": self.done,
            "runs": self.runs,
            "missing": self.left.iter().map(|shard| shard.number).collect::<Vec<u64>>(),
            "failed": failed,
            "strange": strange,
            "merged": is_merged,
        });
        format!("{about:#}\n")
    }
}

/// Rising numbers, those that follow each other as a range.
fn ranges(numbers: impl Iterator<Item = u64>) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_a_range() {
        assert_eq!(ranges([0, 1, 2, 5, 7, 8].into_iter()), "0-2, 5, 7-8");
        assert_eq!(ranges(std::iter::empty()), "");
    }
}
