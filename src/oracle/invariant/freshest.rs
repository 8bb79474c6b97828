//! `freshest`: a restore uses the newest version complete at the instant of its claim.
//!
//! Why: what was acknowledged was released, and a restore from anything older forgets it. Compared is what the restoring node was
//! answered with what was complete when the store was asked, as the world knows it: what the store read for its answer may be
//! out of date itself. A claim that is repeated may be answered for any of its tries.

use super::{Check, Fact, Invariant, SimTime, World};
use crate::protocol::Stored;
use crate::vocabulary::Host;

#[derive(Default)]
pub(super) struct Freshest {
    /// Who asked a store since its restore began, and what was complete then.
    asked: Vec<(Host, Option<Stored>)>,
}

impl Check for Freshest {
    fn invariant(&self) -> Invariant {
        Invariant::Freshest
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, _: &World) -> Option<String> {
        match fact {
            Fact::Restoring { host } => self.asked.retain(|(by, _)| by != host),
            Fact::Asked { by, newest } if !self.asked.contains(&(*by, *newest)) => self.asked.push((*by, *newest)),
            Fact::Claimed { host, stored } if !self.asked.contains(&(*host, *stored)) => {
                let name =
                    |stored: Option<Stored>| stored.map_or("the base".into(), |s| format!("version {}", s.version.0));
                let newest = self.asked.iter().rev().find(|(by, _)| by == host).map(|(_, newest)| *newest);
                return Some(match newest {
                    Some(newest) => format!("{host} restores {}, and {} was complete", name(*stored), name(newest)),
                    None => format!("{host} restores {} and has not asked what is complete", name(*stored)),
                });
            }
            _ => {}
        }
        None
    }
}
