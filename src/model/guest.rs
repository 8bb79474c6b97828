//! A guest: its clock, what it writes and what it sends, all in guest time.
//!
//! [`Guest`] is one execution's position; it is what a VMM saves at a stop and another loads. Two copies that run from
//! the same position do the same things, each on its own branch.

mod clock;
mod layout;
mod output;
mod writes;

pub use clock::GuestClock;
pub use output::Sender;
pub use writes::{Cursor, WriteModel};

use std::sync::Arc;

use crate::model::memory::{BranchId, Memory};
use crate::rng::RunSeed;
use crate::scenario::{Output, Vm};
use crate::units::{Bytes, PageCount, Ratio, SimTime, Span};

/// One execution's position in the guest's life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Guest {
    model: Arc<WriteModel>,
    output: Option<Output>,
    clock: GuestClock,
    cursors: Vec<Cursor>,
    sender: Option<Sender>,
}

impl Guest {
    /// At guest time 0, paused.
    pub fn new(vm: &Vm, number: u32, seed: RunSeed) -> Self {
        let model = WriteModel::new(&vm.workload, number, seed);
        Self {
            cursors: model.start(number, seed),
            model,
            output: vm.output.clone(),
            clock: GuestClock::new(),
            sender: vm.output.as_ref().map(|output| Sender::new(output, number, seed)),
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

    /// Whether `page` holds only zeros as long as it has not been written.
    pub fn starts_as_zero(&self, page: u64) -> bool {
        self.model.starts_as_zero(page)
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
        self.cursors.iter().map(Cursor::draws).sum::<u64>() + self.sender.as_ref().map_or(0, Sender::draws)
    }
}
