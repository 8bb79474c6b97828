//! What checkpoints cost and when they protected: watched for the record.

use crate::scenario::policy::Protects;
use crate::units::{Bytes, PageCount, SimTime, Span};
use crate::vocabulary::Phase;
use crate::world::{Fact, PauseCause, World};

use super::columns::Record;

/// Checkpoints of one run.
#[derive(Debug, Default)]
pub(super) struct Protection {
    committed: u64,
    pages: PageCount,
    bytes: Bytes,
    /// Versions on their way to the store now, and since when at least one has been.
    under_way: u64,
    since: SimTime,
    replication: Span,
    from: Option<SimTime>,
}

impl Protection {
    pub(super) fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) {
        let Some(policy) = &world.scenario().policy.checkpoint else { return };
        match fact {
            Fact::Round { phase: Phase::Transfer, .. } => {
                if self.under_way == 0 {
                    self.since = at;
                }
                self.under_way += 1;
            }
            Fact::Complete(stored) => {
                self.committed += 1;
                self.arrived(at);
                if stored.version.0 == 0 {
                    self.from = self.from.or(Some(at));
                }
            }
            Fact::CheckpointSent { pages, bytes } => {
                self.pages += *pages;
                self.bytes += *bytes;
            }
            // Of a base that is here nothing has to be sent: it is complete when the VM stops.
            Fact::Paused { cause: PauseCause::Switchover, .. } if policy.direction == Protects::Reverse => {
                self.from = self.from.or(Some(at));
            }
            _ => {}
        }
    }

    fn arrived(&mut self, at: SimTime) {
        if self.under_way > 0 {
            self.under_way -= 1;
            if self.under_way == 0 {
                self.replication += at.saturating_since(self.since);
            }
        }
    }

    pub(super) fn finish(&self, world: &World, record: &mut Record) {
        if world.scenario().policy.checkpoint.is_some() {
            record.checkpoints_committed = Some(self.committed);
            record.replication_time_s = Some(self.replication);
            record.pages_reverse = Some(self.pages);
            record.bytes_reverse = Some(self.bytes);
            record.protected_from_s = self.from.map(SimTime::since_start);
        }
    }
}
