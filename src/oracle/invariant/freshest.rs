//! `freshest`: a restore uses the newest version complete at the instant of its claim.
//!
//! Why: what was acknowledged was released, and a restore from anything older forgets it.

use super::{Check, Fact, Invariant, SimTime, World};
use crate::protocol::Stored;

pub(super) struct Freshest;

impl Check for Freshest {
    fn invariant(&self) -> Invariant {
        Invariant::Freshest
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, _: &World) -> Option<String> {
        let Fact::Claimed { host, stored, newest } = fact else { return None };
        let name = |stored: &Option<Stored>| stored.map_or("the base".into(), |s| format!("version {}", s.version.0));
        (stored != newest).then(|| format!("{host} restores {}, and {} was complete", name(stored), name(newest)))
    }
}
