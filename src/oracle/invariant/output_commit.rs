//! `output-commit`: at a restore with fork f at time t, no output beyond f on an abandoned branch was released before t.
//!
//! A copy that begins late, when another has gone on from the same state, and holds its output is as if it were not: it counts when
//! something of it leaves.
//!
//! Why: a client that has seen an answer must never meet a server that does not remember giving it.

use std::collections::BTreeMap;

use super::history::belongs_until;
use super::{Check, Fact, Invariant, SimTime, World};
use crate::model::memory::BranchId;
use crate::units::Span;
use crate::world::{OutputStage, Resumption};

/// Latest guest time released, by branch.
#[derive(Default)]
pub(super) struct OutputCommit {
    released: BTreeMap<BranchId, Span>,
    /// Resumptions that the outside knows nothing of as yet.
    silent: Vec<Resumption>,
}

impl OutputCommit {
    /// Whether output was released that the execution that now counts does not have.
    fn forgets(&self, resumption: &Resumption, world: &World) -> Option<String> {
        let abandoned = |(&branch, &latest): (&BranchId, &Span)| {
            let until = belongs_until(world, branch, resumption.branch);
            until.is_none_or(|until| latest > until).then_some(latest)
        };
        let latest = self.released.iter().filter_map(abandoned).max()?;
        Some(format!(
            "{} resumed from guest time {} s when output up to {} s had been released",
            resumption.host,
            resumption.guest.seconds(),
            latest.seconds()
        ))
    }
}

impl Check for OutputCommit {
    fn invariant(&self) -> Invariant {
        Invariant::OutputCommit
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, world: &World) -> Option<String> {
        match fact {
            Fact::Output { branch, guest, stage: OutputStage::Released, .. } => {
                let first = self.silent.iter().position(|resumption| resumption.branch == *branch);
                let begun = first.map(|first| self.silent.remove(first));
                let forgets = begun.and_then(|resumption| self.forgets(&resumption, world));
                let latest = self.released.entry(*branch).or_default();
                *latest = (*latest).max(*guest);
                forgets
            }
            Fact::Resumed(resumption) if resumption.forked => {
                if world.vm().branches()[resumption.branch.index()].silent {
                    self.silent.push(resumption.clone());
                    return None;
                }
                self.forgets(resumption, world)
            }
            _ => None,
        }
    }
}
