//! Who answers a heartbeat on a host, and which of its lives it names.

use crate::scenario::Part;
use crate::scenario::policy::AnsweredBy;
use crate::vocabulary::Host;

use super::World;
use super::program::Seat;

impl World {
    /// Which life of what answers pings on `host` it is.
    pub(super) fn life(&self, host: Host) -> u64 {
        let by = self.scenario.policy.detector.heartbeat.as_ref().map(|h| h.answered_by);
        let part = match by {
            Some(AnsweredBy::Kernel) | None => Part::Host,
            Some(AnsweredBy::Vmm) => Part::Vmm,
            Some(AnsweredBy::Agent) => Part::Agent,
        };
        self.nodes.get(&host).map_or(0, |node| node.lives[part as usize])
    }

    /// A ping reached `host`: who answers depends on the scenario.
    pub(super) fn pinged(&mut self, host: Host, number: u64) {
        let by = self.scenario.policy.detector.heartbeat.as_ref().map(|h| h.answered_by);
        let stands = self.hangs(host, Part::Vmm);
        if self.hangs(host, Part::Host) {
            return;
        }
        let node = self.node(host);
        match by {
            Some(AnsweredBy::Kernel) if node.up => self.pong(host, number),
            Some(AnsweredBy::Vmm) if node.vmm_alive() && !stands => self.pong(host, number),
            Some(AnsweredBy::Agent) if node.lives(Seat::Agent) => {
                node.pings.push_back(number);
                self.pump(host);
            }
            _ => {}
        }
    }
}
