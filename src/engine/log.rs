//! The timeline: what a reader wants to see of a run, in order. Pages and packets are counted elsewhere.

use crate::units::SimTime;
use crate::world::{Event, Fact, PauseCause, World};

use super::Observer;

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: SimTime,
    /// What.
    pub fact: Fact,
}

/// The timeline of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    entries: Vec<Entry>,
}

impl Log {
    /// All lines, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// Versions whose making is told. Thousands follow that are made alike.
const VERSIONS_TOLD: u64 = 3;

/// Whether a fact is one of many alike.
fn is_routine(fact: &Fact, world: &World) -> bool {
    let of_checkpoint = match fact {
        Fact::Round { .. } | Fact::Complete(_) | Fact::Paused { cause: PauseCause::Checkpoint, .. } => true,
        Fact::Resumed(resumption) => resumption.cause == PauseCause::Checkpoint,
        Fact::Said { what, .. } => matches!(*what, "mark" | "committed" | "sealed"),
        _ => false,
    };
    if of_checkpoint {
        return world.version_under_way().is_some_and(|version| version.0 > VERSIONS_TOLD);
    }
    matches!(
        fact,
        Fact::PagesSent { .. }
            | Fact::PagesArrived { .. }
            | Fact::Blocked { .. }
            | Fact::Unblocked { .. }
            | Fact::Output { .. }
            | Fact::DiskWrite { .. }
            | Fact::CheckpointSent { .. }
    )
}

impl Observer for Log {
    fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) {
        if !is_routine(fact, world) {
            self.entries.push(Entry { at, fact: fact.clone() });
        }
    }

    fn event(&mut self, _: SimTime, _: Event, _: &World) {}
}
