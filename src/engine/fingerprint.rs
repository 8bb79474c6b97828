//! Hashes of a run over integers, by ingredient, so that a refactor may change one and not another.
//!
//! FNV-1a, 64 bits (Fowler, Noll, Vo), folded to 32 for print: short, portable, and no secret is kept by it.

use std::fmt;

use crate::units::{PageCount, SimTime};
use crate::world::{Event, Fact, World};

use super::Observer;

/// What a run did, ingredient by ingredient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    time: Fnv,
    events: Fnv,
    pages: Fnv,
    bytes: Fnv,
    draws: Fnv,
    outcome: Fnv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fnv(u64);

impl Fnv {
    const NEW: Self = Self(0xcbf2_9ce4_8422_2325);

    fn number(&mut self, n: u64) {
        self.bytes(&n.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        let new = Fnv::NEW;
        Self { time: new, events: new, pages: new, bytes: new, draws: new, outcome: new }
    }
}

impl Fingerprint {
    /// Adds what is known only at the end.
    pub fn finish(&mut self, world: &World, outcome: &str) {
        let (tally, travelling) = world.page_tally();
        for pages in [tally.sent, tally.placed, tally.lost, travelling] {
            self.pages.number(pages.get());
        }
        self.draws.number(world.guest_draws());
        self.outcome.bytes(outcome.as_bytes());
    }
}

impl Observer for Fingerprint {
    fn fact(&mut self, _: SimTime, fact: &Fact, _: &World) {
        match fact {
            Fact::PagesSent { pages, bytes, zero, .. } => {
                for count in [*pages, *zero] {
                    self.pages.number(PageCount::get(count));
                }
                self.bytes.number(bytes.get());
            }
            Fact::PagesArrived { pages } => self.pages.number(pages.get()),
            Fact::Resumed(resumption) => self.draws.number(resumption.guest.ns()),
            _ => {}
        }
    }

    fn event(&mut self, at: SimTime, event: Event, _: &World) {
        self.time.number(at.ns());
        self.events.number(event.class() as u64);
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("t", self.time),
            ("e", self.events),
            ("p", self.pages),
            ("b", self.bytes),
            ("d", self.draws),
            ("o", self.outcome),
        ];
        for (i, (name, Fnv(hash))) in parts.into_iter().enumerate() {
            let separator = if i == 0 { "" } else { "-" };
            write!(f, "{separator}{name}{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))?;
        }
        Ok(())
    }
}
