//! A guest: its clock, what it writes to memory and disk and what it sends, all in guest time.
//!
//! [`Guest`] is one execution's position; it is what a VMM saves at a stop and another loads. Two copies that run from
//! the same position do the same things, each on its own branch.

mod clock;
mod disk;
mod layout;
mod output;
mod replay;
mod scout;
mod writes;

pub use clock::{GuestClock, Schedule};
pub use disk::DiskWriter;
pub use output::Sender;
pub use scout::Scout;
pub use writes::{Access, Cursor, WriteModel};

use std::sync::Arc;

use crate::model::disk::{Disk, DiskWrite};
use crate::model::memory::{BranchId, Content, Memory};
use crate::rng::RunSeed;
use crate::scenario::{Output, PageClass, RecordedWrites, Vm, Workload};
use crate::units::{Bytes, PageCount, Ratio, SimTime, Span};

/// The schedule of a guest that has one: how much faster it is able to work than its classes ask, together.
fn schedule(workload: &Workload) -> Option<Schedule> {
    let pace = workload.pace?;
    let rate = |class: &PageClass| class.write.micro().saturating_add(class.trace.as_ref().map_or(0, recorded_rate));
    let asked = workload.classes.iter().map(rate).fold(0, u64::saturating_add);
    Some(Schedule { able: Ratio::new(pace.able.micro(), asked.max(1)), backlog: pace.backlog })
}

/// Mean writes of a recording [micro-events/s].
fn recorded_rate(recorded: &RecordedWrites) -> u64 {
    let intervals = recorded.from..recorded.trace.len();
    let writes: usize = intervals.clone().map(|interval| recorded.trace.written(interval).len()).sum();
    let lasts = u128::from(recorded.interval.ns()) * intervals.len() as u128;
    u64::try_from(writes as u128 * 1_000_000_000_000_000 / lasts).unwrap_or(u64::MAX)
}

/// One execution's position in the guest's life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Guest {
    model: Arc<WriteModel>,
    output: Option<Output>,
    clock: GuestClock,
    cursors: Vec<Cursor>,
    sender: Option<Sender>,
    disk: Option<DiskWriter>,
    /// Where pages may be missing.
    scout: Option<Scout>,
}

impl Guest {
    /// At guest time 0, paused.
    pub fn new(vm: &Vm, number: u32, seed: RunSeed) -> Self {
        let model = WriteModel::new(&vm.workload, number, seed);
        Self {
            cursors: model.start(number, seed),
            model,
            output: vm.output.clone(),
            clock: GuestClock::new(vm.vcpus, schedule(&vm.workload)),
            sender: vm.output.as_ref().map(|output| Sender::new(output, number, seed)),
            disk: vm.disk.as_ref().map(|disk| DiskWriter::new(disk, number, seed)),
            scout: None,
        }
    }

    /// The memory of a guest that lived through `path` — branches, each until a guest time — without any migration.
    pub fn relive(vm: &Vm, number: u32, seed: RunSeed, pages: PageCount, path: &[(BranchId, Span)]) -> Memory {
        let mut guest = Self::new(vm, number, seed);
        let mut memory = Memory::initial(pages);
        for &(branch, until) in path {
            guest.model.advance(&mut guest.cursors, until, |page| memory.write(page, branch));
        }
        memory
    }

    /// What the same guest would have left on a disk of its own.
    pub fn relive_disk(vm: &Vm, number: u32, seed: RunSeed, path: &[(BranchId, Span)]) -> Disk {
        let mut guest = Self::new(vm, number, seed);
        let mut disk = Disk::default();
        for &(branch, until) in path {
            for write in guest.write_disk_until(until, branch) {
                disk.write(write);
            }
        }
        disk
    }

    /// Guest time at `now`.
    pub fn time(&self, now: SimTime) -> Span {
        self.clock.at(now)
    }

    /// Whether it executes.
    pub fn is_running(&self) -> bool {
        self.clock.is_running()
    }

    /// Whether it ever sends anything.
    pub fn emits(&self) -> bool {
        self.output.is_some()
    }

    /// Starts its vCPUs.
    pub fn start(&mut self, now: SimTime) {
        self.clock.start(now);
    }

    /// Brings `memory` up to `now` and stops its vCPUs.
    pub fn stop(&mut self, now: SimTime, memory: &mut Memory, branch: BranchId) {
        self.write_until(now, memory, branch);
        self.clock.stop(now);
    }

    /// Slows its vCPUs down.
    pub fn throttle(&mut self, now: SimTime, throttle: Ratio) {
        self.clock.throttle(now, throttle);
    }

    /// Does all writes up to `now` to `memory`.
    pub fn write_until(&mut self, now: SimTime, memory: &mut Memory, branch: BranchId) {
        let until = self.clock.at(now);
        self.model.advance(&mut self.cursors, until, |page| memory.write(page, branch));
    }

    /// From `now` on, pages may be missing.
    pub fn watch_for_missing(&mut self, now: SimTime, number: u32, seed: RunSeed) {
        let from = self.clock.at(now);
        self.scout = Some(Scout::new(&self.model, &self.cursors, from, number, seed));
    }

    /// When to look for an access to a missing page; `None`: no vCPU runs, or no page is missing.
    pub fn next_missing(&mut self, now: SimTime, memory: &Memory) -> Option<SimTime> {
        if memory.is_complete() {
            self.scout = None;
        }
        if self.clock.is_blocked() {
            return None;
        }
        let scout = self.scout.as_mut()?;
        let guest = scout.next(&self.model, self.clock.at(now), |page| !memory.content(page).is_present());
        self.clock.when(guest, now)
    }

    /// The access to a missing page that is due, if one is: one more vCPU waits.
    pub fn reach_missing(&mut self, now: SimTime) -> Option<u64> {
        if self.clock.is_blocked() {
            return None;
        }
        let page = self.scout.as_mut()?.take(self.clock.at(now))?;
        self.clock.block(now, self.clock.blocked() + 1);
        Some(page)
    }

    /// So many vCPUs have got the page they waited for.
    pub fn unblock(&mut self, now: SimTime, vcpus: u64) {
        self.clock.block(now, self.clock.blocked() - vcpus);
    }

    /// As it is where no page is missing: no vCPU waits for one.
    pub fn find_all_pages(&mut self, now: SimTime) {
        self.scout = None;
        self.clock.block(now, 0);
    }

    /// Whether every vCPU waits for a page.
    pub fn is_blocked(&self) -> bool {
        self.clock.is_blocked()
    }

    /// Whether `page` holds only zeros: it began so and has not been written.
    pub fn holds_zeros(&self, page: u64, content: Content) -> bool {
        content == Content::INITIAL && self.model.starts_as_zero(page)
    }

    /// What compression leaves of `page`.
    pub fn compressed(&self, page: u64) -> Ratio {
        self.model.compressed(page)
    }

    /// Bytes that a write to `page` changes.
    pub fn delta(&self, page: u64) -> Bytes {
        self.model.delta(page)
    }

    /// When it next sends or retransmits something by itself.
    pub fn next_output(&self, now: SimTime) -> Option<SimTime> {
        self.clock.when(self.sender.as_ref()?.next()?, now)
    }

    /// Whether it ever writes to a disk.
    pub fn writes_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// When it next writes to the disk.
    pub fn next_disk_write(&self, now: SimTime) -> Option<SimTime> {
        self.clock.when(self.disk.as_ref()?.next()?, now)
    }

    /// What it writes to the disk up to `now`.
    pub fn disk_writes(&mut self, now: SimTime, branch: BranchId) -> Vec<DiskWrite> {
        self.write_disk_until(self.clock.at(now), branch)
    }

    fn write_disk_until(&mut self, until: Span, branch: BranchId) -> Vec<DiskWrite> {
        let mut writes = Vec::new();
        if let Some(disk) = &mut self.disk {
            disk.advance(until, |number, block, guest| writes.push(DiskWrite { number, block, branch, guest }));
        }
        writes
    }

    /// Guest time up to which all of its disk writes have been handed out by `now`.
    pub fn disk_written_until(&self, now: SimTime) -> Span {
        let time = self.clock.at(now);
        let due = self.disk.as_ref().and_then(DiskWriter::next).filter(|&due| due <= time);
        due.map_or(time, |due| due.saturating_sub(Span::from_ns(1)))
    }

    /// Numbers of the packets it sends at `now`.
    pub fn output(&mut self, now: SimTime) -> Vec<u64> {
        let at = self.clock.at(now);
        match (&mut self.sender, &self.output) {
            (Some(sender), Some(output)) => sender.advance(output, at),
            _ => Vec::new(),
        }
    }

    /// The client has packet `number`; numbers of the packets this lets it send.
    pub fn acknowledged(&mut self, number: u64, now: SimTime) -> Vec<u64> {
        let at = self.clock.at(now);
        match (&mut self.sender, &self.output) {
            (Some(sender), Some(output)) => sender.acknowledged(output, number, at),
            _ => Vec::new(),
        }
    }

    /// Random words drawn so far.
    pub fn draws(&self) -> u64 {
        let output = self.sender.as_ref().map_or(0, Sender::draws);
        let disk = self.disk.as_ref().map_or(0, DiskWriter::draws);
        self.cursors.iter().map(Cursor::draws).sum::<u64>() + output + disk
    }
}
