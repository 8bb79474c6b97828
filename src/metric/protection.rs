//! What checkpoints cost and when they protected: watched for the record.

use std::collections::BTreeMap;

use crate::scenario::policy::Protects;
use crate::units::{Bytes, PageCount, SimTime, Span};
use crate::vocabulary::{Host, Phase};
use crate::world::{Fact, PauseCause, World};

use super::columns::Record;

/// Checkpoints of one run.
#[derive(Debug, Default)]
pub(super) struct Protection {
    committed: u64,
    pages: PageCount,
    bytes: Bytes,
    /// By host, the version that is on its way to the store; and since when at least one has been.
    under_way: BTreeMap<Host, u64>,
    since: SimTime,
    replication: Span,
    from: Option<SimTime>,
    /// Bytes of the version under way, and of the newest complete one, if the store is a file.
    written: (Option<u64>, Bytes),
    file: Option<Bytes>,
}

impl Protection {
    pub(super) fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) {
        let Some(policy) = &world.scenario().policy.checkpoint else { return };
        if let Fact::Round { version, .. } = fact
            && self.written.0 != Some(version.0)
        {
            self.written = (Some(version.0), Bytes::ZERO);
        }
        match fact {
            Fact::Round { host, version, phase: Phase::Transfer } => {
                if self.under_way.is_empty() {
                    self.since = at;
                }
                self.under_way.insert(*host, version.0);
            }
            Fact::CopyGone { host: gone, .. } => self.ended(at, |host, _| host == *gone),
            Fact::Complete(stored) => {
                self.committed += 1;
                if policy.to_file() {
                    self.file = Some(self.written.1 + world.scenario().platform.checkpoint.state);
                }
                self.ended(at, |_, version| version <= stored.version.0);
                if stored.version.0 == 0 {
                    self.from = self.from.or(Some(at));
                }
            }
            Fact::CheckpointSent { pages, bytes } => {
                self.pages += *pages;
                self.bytes += *bytes;
                self.written.1 += *bytes;
            }
            // Of a base that is here nothing has to be sent: it is complete when the VM stops.
            Fact::Paused { cause: PauseCause::Switchover, .. } if policy.direction == Protects::Reverse => {
                self.from = self.from.or(Some(at));
            }
            _ => {}
        }
    }

    /// Versions are no longer on their way: they are there, or never will be.
    fn ended(&mut self, at: SimTime, which: impl Fn(Host, u64) -> bool) {
        let before = !self.under_way.is_empty();
        self.under_way.retain(|host, version| !which(*host, *version));
        if before && self.under_way.is_empty() {
            self.replication += at.saturating_since(self.since);
        }
    }

    pub(super) fn finish(&self, world: &World, record: &mut Record) {
        if world.scenario().policy.checkpoint.is_some() {
            record.checkpoints_committed = Some(self.committed);
            record.replication_time_s = Some(self.replication);
            record.pages_reverse = Some(self.pages);
            record.bytes_reverse = Some(self.bytes);
            record.file_bytes = self.file;
            record.protected_from_s = self.from.map(SimTime::since_start);
        }
    }
}
