//! The timeline: what a reader wants to see of a run, in order. Pages and packets are counted elsewhere.

use crate::units::SimTime;
use crate::world::{Event, Fact, World};

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

/// Whether a fact is one of many alike.
fn is_routine(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::PagesSent { .. }
            | Fact::PagesArrived { .. }
            | Fact::Blocked { .. }
            | Fact::Unblocked { .. }
            | Fact::Output { .. }
    )
}

impl Observer for Log {
    fn fact(&mut self, at: SimTime, fact: &Fact, _: &World) {
        if !is_routine(fact) {
            self.entries.push(Entry { at, fact: fact.clone() });
        }
    }

    fn event(&mut self, _: SimTime, _: Event, _: &World) {}
}
