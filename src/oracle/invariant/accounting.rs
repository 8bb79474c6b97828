//! `accounting`: bytes and pages sent = delivered + lost + in flight, with ==; in post-copy no page arrives twice; time never
//! goes back.
//!
//! Why: it guards the simulator itself. What is in flight is recounted from queues and batches, not kept beside them.

use super::{Check, Fact, Invariant, SimTime, World};
use crate::engine::Finished;
use crate::model::network::Tally;
use crate::units::PageCount;

/// Books are balanced every so many events, and at the end.
const EVERY: u64 = 1024;

#[derive(Default)]
pub(super) struct Accounting {
    last: SimTime,
    events: u64,
}

impl Check for Accounting {
    fn invariant(&self) -> Invariant {
        Invariant::Accounting
    }

    fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) -> Option<String> {
        match fact {
            Fact::Phase { .. } | Fact::Struck(_) | Fact::Healed(_) => balance(world),
            _ => (at < self.last).then(|| format!("time went back from {} to {at}", self.last)),
        }
    }

    fn event(&mut self, at: SimTime, world: &World) -> Option<String> {
        if at < self.last {
            return Some(format!("time went back from {} to {at}", self.last));
        }
        self.last = at;
        self.events += 1;
        if self.events.is_multiple_of(EVERY) { balance(world) } else { None }
    }

    fn end(&mut self, _: Finished, world: &World) -> Option<String> {
        balance(world)
    }
}

fn balance(world: &World) -> Option<String> {
    for (pages, travelling) in [world.page_tally(), world.checkpoint_tally()] {
        if pages.sent != pages.placed + pages.lost + travelling {
            return Some(format!(
                "{} read for sending, but {} placed, {} lost and {travelling} on their way",
                pages.sent, pages.placed, pages.lost
            ));
        }
    }
    let (pages, _) = world.page_tally();
    if pages.kept > PageCount::ZERO {
        return Some(format!("in post-copy, {} arrived a second time", pages.kept));
    }
    let (books, under_way) = (world.network().total(), world.network().all_in_flight());
    let originals = balanced(books.accepted, [books.delivered, books.lost, under_way.messages()]);
    let copies = balanced(books.copies, [books.copies_delivered, books.copies_lost, under_way.copies]);
    let broken = if originals { (!copies).then_some("second copies") } else { Some("messages") };
    broken.map(|which| format!("the network's {which} do not add up: {books:?}, {under_way:?}"))
}

fn balanced(accepted: Tally, parts: [Tally; 3]) -> bool {
    let mut sum = Tally::default();
    for part in parts {
        sum += part;
    }
    sum == accepted
}
