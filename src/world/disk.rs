//! The guest's disk writes: when they are done, which of them a version has, and how a restore does them again.
//!
//! A write that is not held is on the disk at the instant at which the guest does it. One that is held is in the buffer of its
//! host, and in the versions sealed since; it reaches the disk when one of these is complete, from that host or, if that is
//! lost, from the host that restores the version.

use crate::model::disk::{Disk, DiskDifference, DiskWrite};
use crate::model::guest::Guest;
use crate::model::memory::BranchId;
use crate::protocol::{StateId, Stored};
use crate::units::{Bytes, Span};
use crate::vocabulary::Host;

use super::{DiskStage, Event, Fact, VmCopy, World};

/// Disk writes on their way with versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Journal {
    /// Writes of versions that are not complete, by the state that was saved with them.
    sealed: std::collections::BTreeMap<StateId, Vec<DiskWrite>>,
    /// What is to be done again before the VM runs from this state: what the store read for the last claim.
    pub(super) again: Option<(StateId, Vec<DiskWrite>)>,
}

impl World {
    /// The disk that both hosts see.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Schedules the guest's next packet and its next disk write.
    pub(super) fn watch_guest(&mut self, host: Host) {
        self.watch_output(host);
        let next = self.vm.copy(host).and_then(|copy| copy.guest.as_ref()?.next_disk_write(self.now));
        match next {
            Some(at) => self.schedule(at, Event::Disk(host)),
            None => self.agenda.cancel(Event::Disk(host)),
        }
    }

    /// The guest sends and writes nothing more by itself.
    pub(super) fn still(&mut self, host: Host) {
        self.agenda.cancel(Event::Output(host));
        self.agenda.cancel(Event::Disk(host));
    }

    /// Does the disk writes that are due.
    pub(super) fn guest_disk(&mut self, host: Host) {
        self.catch_up_disk(host);
        self.watch_guest(host);
    }

    /// Does the disk writes that are due: before a stop, so that the state that is saved has them behind it, as a VMM drains its
    /// block devices.
    pub(super) fn catch_up_disk(&mut self, host: Host) {
        let now = self.now;
        let Some(copy) = self.vm.slot(host) else { return };
        let Some(guest) = &mut copy.guest else { return };
        for write in guest.disk_writes(now, copy.branch) {
            self.say(Fact::DiskWrite { host, write, stage: DiskStage::Issued });
            self.send_write(host, write);
        }
    }

    pub(super) fn write_disk(&mut self, host: Host, write: DiskWrite) {
        let over = self.disk.write(write);
        self.say(Fact::DiskWrite { host, write, stage: DiskStage::Written { over } });
    }

    /// These writes are part of the version whose state was saved as `state`.
    pub(super) fn seal_writes(&mut self, state: StateId, writes: Vec<DiskWrite>) {
        if !writes.is_empty() {
            self.journal.sealed.insert(state, writes);
        }
    }

    /// Bytes of the disk writes that go with a version's mark.
    pub(super) fn bytes_sealed(&self, state: StateId) -> Bytes {
        self.bytes_of(self.journal.sealed.get(&state).map_or(0, Vec::len))
    }

    /// Bytes of the disk writes that go with a version that is being restored from another host.
    pub(super) fn bytes_again(&self) -> Bytes {
        self.bytes_of(self.journal.again.as_ref().map_or(0, |(_, writes)| writes.len()))
    }

    fn bytes_of(&self, writes: usize) -> Bytes {
        let size = self.scenario.vms[0].disk.as_ref().map_or(0, |disk| disk.size.get());
        Bytes::new(size.saturating_mul(writes as u64))
    }

    /// A version is complete in the store, with its disk writes.
    pub(super) fn store_writes(&mut self, stored: Stored) {
        if let Some(writes) = self.journal.sealed.remove(&stored.state) {
            self.versions.keep_writes(stored.version, writes);
        }
    }

    /// The store reads what is to be restored.
    pub(super) fn pin_writes(&mut self, newest: Option<Stored>) {
        self.journal.again = newest.map(|stored| (stored.state, self.versions.disk_writes(stored.version)));
    }

    /// Before the VM runs from a restored version, its disk writes are done, whether they had been done before or not.
    pub(super) fn write_again(&mut self, host: Host, state: StateId) {
        let restores = self.restored_at() == Some(host);
        let Some((_, writes)) = self.journal.again.clone().filter(|(of, _)| restores && *of == state) else { return };
        for write in writes {
            self.disk.write(write);
            self.say(Fact::DiskWrite { host, write, stage: DiskStage::Again });
        }
    }

    /// The executions that led to what `copy` is, each until a guest time; its own until `until`.
    pub(super) fn path_of(&self, copy: &VmCopy, until: Span) -> Vec<(BranchId, Span)> {
        let mut path = vec![(copy.branch, until)];
        while let Some((parent, fork)) = self.vm.branches()[path[0].0.index()].fork {
            path.insert(0, (parent, fork));
        }
        path
    }

    /// Where the disk, as the VM on this host sees it, is not what its life has written: what is held for it lies over the disk.
    pub fn disk_difference(&self, copy: &VmCopy) -> Option<DiskDifference> {
        let guest = copy.guest.as_ref()?;
        let path = self.path_of(copy, guest.disk_written_until(self.now));
        let should = Guest::relive_disk(&self.scenario.vms[0], 0, self.seed, &path);
        let mut seen = self.disk.clone();
        for write in copy.held.iter().flat_map(super::Held::disk_writes) {
            seen.write(write);
        }
        seen.first_difference(&should)
    }
}
