//! Output that a host holds until its checkpoint is complete: the plug in the hypervisor's queue.

use std::collections::VecDeque;

use crate::model::memory::BranchId;
use crate::protocol::{Input, Version};
use crate::units::{SimTime, Span};
use crate::vocabulary::Host;

use super::{Fact, OutputStage, World};

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
    packets: VecDeque<Emitted>,
    /// How many were held by when a version was sealed, those let go included; rising in both.
    seals: VecDeque<(Version, u64)>,
    count: u64,
    gone: u64,
    /// The agent knows that something waits.
    told: bool,
}

impl Held {
    /// Since when the oldest of it waits; `None`: nothing does.
    pub fn oldest(&self) -> Option<SimTime> {
        self.packets.front().map(|packet| packet.at)
    }

    fn hold(&mut self, packet: Emitted) -> bool {
        self.packets.push_back(packet);
        self.count += 1;
        !std::mem::replace(&mut self.told, true)
    }

    fn seal(&mut self, version: Version) {
        self.seals.retain(|(sealed, _)| *sealed < version);
        self.seals.push_back((version, self.count));
        self.told = false;
    }

    /// What versions up to this one cover.
    fn release(&mut self, version: Version) -> Vec<Emitted> {
        let mut until = self.gone;
        while let Some(&(_, held)) = self.seals.front().filter(|(sealed, _)| *sealed <= version) {
            until = held;
            self.seals.pop_front();
        }
        let count = usize::try_from(until - self.gone).expect("they are in memory");
        self.gone = until;
        self.packets.drain(..count).collect()
    }
}

impl World {
    /// The guest has sent a packet: it goes, or is held.
    pub(super) fn send_output(&mut self, host: Host, packet: Emitted) {
        let held = self.vm.slot(host).as_mut().and_then(|copy| copy.held.as_mut());
        match held {
            None => self.transmit(host, packet),
            Some(held) => {
                if held.hold(packet) {
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

    pub(super) fn hold_output(&mut self, host: Host) {
        self.vm.receiving(host).held.get_or_insert_default();
    }

    pub(super) fn seal_output(&mut self, host: Host, version: Version) {
        if let Some(held) = self.vm.slot(host).as_mut().and_then(|copy| copy.held.as_mut()) {
            held.seal(version);
        }
    }

    /// Lets go what versions up to this one cover.
    pub(super) fn release_output(&mut self, host: Host, version: Version) {
        let held = self.vm.slot(host).as_mut().and_then(|copy| copy.held.as_mut());
        let packets = held.map(|held| held.release(version)).unwrap_or_default();
        for packet in packets {
            self.transmit(host, packet);
        }
    }

    /// Lets everything go, and holds nothing any more.
    pub(super) fn release_all(&mut self, host: Host) {
        let held = self.vm.slot(host).as_mut().and_then(|copy| copy.held.take());
        let packets = held.map(|held| held.packets).unwrap_or_default();
        for packet in packets {
            self.transmit(host, packet);
        }
    }

    /// The copy that sent it is gone: what was held never leaves.
    pub(super) fn lose_held(&mut self, host: Host, held: Option<Held>) {
        for Emitted { number, branch, guest, .. } in held.map(|held| held.packets).unwrap_or_default() {
            self.say(Fact::Output { host, number, branch, guest, stage: OutputStage::Lost });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_lets_go_what_was_sent_before_it_was_sealed() {
        let packet =
            |number| Emitted { number, branch: BranchId::new(0), guest: Span::ZERO, at: SimTime::from_ns(number) };
        let mut held = Held::default();
        assert!(held.hold(packet(0)), "the first is news");
        assert!(!held.hold(packet(1)));
        held.seal(Version(1));
        assert!(held.hold(packet(2)), "no version covers it");
        held.seal(Version(2));
        held.hold(packet(3));
        let numbers = |packets: Vec<Emitted>| packets.iter().map(|packet| packet.number).collect::<Vec<_>>();
        assert_eq!(numbers(held.release(Version(0))), [0; 0]);
        assert_eq!(numbers(held.release(Version(2))), [0, 1, 2], "a version covers all before it");
        assert_eq!(numbers(held.release(Version(2))), [0; 0]);
        assert_eq!(held.oldest(), Some(SimTime::from_ns(3)));
        held.seal(Version(3));
        held.seal(Version(3));
        assert_eq!(numbers(held.release(Version(3))), [3]);
    }
}
