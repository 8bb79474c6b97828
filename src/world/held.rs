//! Output that a host holds until its checkpoint is complete: the plug in the hypervisor's queue of packets and, with
//! `network+disk`, its buffer of disk writes beside it.

use std::collections::VecDeque;

use crate::model::disk::DiskWrite;
use crate::model::memory::BranchId;
use crate::protocol::{Input, Version};
use crate::scenario::policy::Checkpoint;
use crate::units::{SimTime, Span};
use crate::vocabulary::Host;

use super::{DiskStage, Fact, OutputStage, World};

/// A packet that the guest has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Emitted {
    /// Its number.
    pub number: u64,
    /// Which execution sent it.
    pub branch: BranchId,
    /// At which guest time.
    pub guest: Span,
    /// When.
    pub at: SimTime,
}

/// What is held of one copy's output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Held {
    packets: Queue<Emitted>,
    writes: Queue<DiskWrite>,
    /// The agent knows that something waits.
    told: bool,
}

/// What waits in order, and which versions cover how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Queue<T> {
    waiting: VecDeque<T>,
    /// How many had come by when a version was sealed, those let go included; rising in both.
    seals: VecDeque<(Version, u64)>,
    come: u64,
    gone: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), seals: VecDeque::new(), come: 0, gone: 0 }
    }
}

impl<T> Queue<T> {
    fn hold(&mut self, one: T) {
        self.waiting.push_back(one);
        self.come += 1;
    }

    fn seal(&mut self, version: Version) {
        self.seals.retain(|(sealed, _)| *sealed < version);
        self.seals.push_back((version, self.come));
    }

    /// What versions up to this one cover.
    fn release(&mut self, version: Version) -> Vec<T> {
        let mut until = self.gone;
        while let Some(&(_, come)) = self.seals.front().filter(|(sealed, _)| *sealed <= version) {
            until = come;
            self.seals.pop_front();
        }
        let count = usize::try_from(until - self.gone).expect("they are in memory");
        self.gone = until;
        self.waiting.drain(..count).collect()
    }
}

impl Held {
    /// Since when the oldest packet waits; `None`: none does.
    pub fn oldest(&self) -> Option<SimTime> {
        self.packets.waiting.front().map(|packet| packet.at)
    }

    /// The disk writes that wait, in order.
    pub fn disk_writes(&self) -> impl Iterator<Item = DiskWrite> + '_ {
        self.writes.waiting.iter().copied()
    }

    /// Whether it is news that something waits.
    fn is_news(&mut self) -> bool {
        !std::mem::replace(&mut self.told, true)
    }

    fn seal(&mut self, version: Version) {
        self.packets.seal(version);
        self.writes.seal(version);
        self.told = false;
    }
}

impl World {
    /// The guest has sent a packet: it goes, or is held.
    pub(super) fn send_output(&mut self, host: Host, packet: Emitted) {
        let held = self.vm.slot(host).as_mut().and_then(|copy| copy.held.as_mut());
        match held {
            None => self.transmit(host, packet),
            Some(held) => {
                held.packets.hold(packet);
                if held.is_news() {
                    // Its agent is told, as it would be by a read of the plug's queue.
                    self.tell(host, Input::OutputWaits);
                }
            }
        }
    }

    /// The vCPUs run: what came for the guest while they stood is read.
    pub(super) fn read_queued(&mut self, host: Host) {
        let queued = self.vm.slot(host).as_mut().map(|copy| std::mem::take(&mut copy.queued)).unwrap_or_default();
        for number in queued {
            self.acknowledged(host, number);
        }
    }

    /// The guest has written to the disk: it is done there, or acknowledged and held.
    pub(super) fn send_write(&mut self, host: Host, write: DiskWrite) {
        let holds = self.holds_disk_writes();
        let held = self.vm.slot(host).as_mut().and_then(|copy| copy.held.as_mut()).filter(|_| holds);
        match held {
            None => self.write_disk(host, write),
            Some(held) => {
                held.writes.hold(write);
                if held.is_news() {
                    self.tell(host, Input::OutputWaits);
                }
            }
        }
    }

    /// Whether disk writes are held wherever packets are.
    pub(super) fn holds_disk_writes(&self) -> bool {
        self.scenario.policy.checkpoint.as_ref().is_some_and(Checkpoint::holds_disk)
    }

    pub(super) fn hold_output(&mut self, host: Host) {
        self.vm.receiving(host).held.get_or_insert_default();
    }

    /// What is held belongs to this version. All disk writes that have not been let go are part of it, those of versions that
    /// are not complete yet included: whoever restores it needs no other.
    pub(super) fn seal_output(&mut self, host: Host, version: Version) {
        let Some(copy) = self.vm.slot(host) else { return };
        let Some(held) = &mut copy.held else { return };
        held.seal(version);
        if let Some(state) = copy.at_state {
            let writes: Vec<DiskWrite> = held.disk_writes().collect();
            self.seal_writes(state, writes);
        }
    }

    /// Lets go what versions up to this one cover: what was written before what was said of it.
    pub(super) fn release_output(&mut self, host: Host, version: Version) {
        let Some(held) = self.vm.slot(host).as_mut().and_then(|copy| copy.held.as_mut()) else { return };
        let (writes, packets) = (held.writes.release(version), held.packets.release(version));
        for write in writes {
            self.write_disk(host, write);
        }
        for packet in packets {
            self.transmit(host, packet);
        }
    }

    /// Lets everything go, and holds nothing any more.
    pub(super) fn release_all(&mut self, host: Host) {
        let Some(held) = self.vm.slot(host).as_mut().and_then(|copy| copy.held.take()) else { return };
        for write in held.writes.waiting {
            self.write_disk(host, write);
        }
        for packet in held.packets.waiting {
            self.transmit(host, packet);
        }
    }

    /// The copy that sent it is gone: what was held never leaves.
    pub(super) fn lose_held(&mut self, host: Host, held: Option<Held>) {
        let Some(held) = held else { return };
        for write in held.writes.waiting {
            self.say(Fact::DiskWrite { host, write, stage: DiskStage::Lost });
        }
        for Emitted { number, branch, guest, .. } in held.packets.waiting {
            self.say(Fact::Output { host, number, branch, guest, stage: OutputStage::Lost });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_lets_go_what_came_before_it_was_sealed() {
        let mut queue = Queue::default();
        queue.hold(0);
        queue.hold(1);
        queue.seal(Version(1));
        queue.hold(2);
        queue.seal(Version(2));
        queue.hold(3);
        assert_eq!(queue.release(Version(0)), [0; 0]);
        assert_eq!(queue.release(Version(2)), [0, 1, 2], "a version covers all before it");
        assert_eq!(queue.release(Version(2)), [0; 0]);
        queue.seal(Version(3));
        queue.seal(Version(3));
        assert_eq!(queue.release(Version(3)), [3]);
    }

    #[test]
    fn the_first_that_no_version_covers_is_news() {
        let mut held = Held::default();
        assert!(held.is_news());
        assert!(!held.is_news());
        held.seal(Version(1));
        assert!(held.is_news(), "no version covers it");
        let packet = Emitted { number: 0, branch: BranchId::new(0), guest: Span::ZERO, at: SimTime::from_ns(3) };
        held.packets.hold(packet);
        assert_eq!(held.oldest(), Some(SimTime::from_ns(3)));
    }
}
