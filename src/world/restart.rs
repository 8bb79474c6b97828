//! Deaths of hosts, VMMs and agents, and their starting again with nothing remembered.
//!
//! What is on disk is the number of the attempt and whether R has passed ([`crate::protocol::Disk`]), and no more. What else an agent
//! that starts again finds is what its hypervisor says of the VM ([`LocalVm`]); what it makes of that is its protocol's affair. The
//! operator's client and the node connect anew at once; every other connection is lost.

use crate::model::network::StreamId;
use crate::protocol::{Channel, Input, LocalVm};
use crate::scenario::{FaultKind, Part};
use crate::units::Span;
use crate::vocabulary::Host;

use super::program::{Program, Seat, programs};
use super::strike::NotFired;
use super::work::per_gib;
use super::{Event, Fact, World, host_id};

impl World {
    /// Whether the host is up and its agent runs.
    pub fn agent_alive(&self, host: Host) -> bool {
        self.lives(host, Seat::Agent)
    }

    pub(super) fn crash_host(&mut self, host: Host) -> Result<(), NotFired> {
        if !self.node_is_up(host) {
            return Err(NotFired::AlreadyDead);
        }
        self.forget_hang(host, Part::Host);
        self.dying.retain(|_, (dying, _)| *dying != host);
        self.network.host_down(self.now, host_id(host), &mut self.effects);
        if self.nodes.contains_key(&host) {
            self.kill_all(host);
            self.node(host).up = false;
        }
        self.bury(host);
        Ok(())
    }

    pub(super) fn crash_vmm(&mut self, host: Host) -> Result<(), NotFired> {
        if !self.vmm_alive(host) {
            return Err(NotFired::AlreadyDead);
        }
        self.forget_hang(host, Part::Vmm);
        let streams = self.kill(host, Seat::Agent, true);
        self.close_once_gone(host, streams);
        self.bury(host);
        Ok(())
    }

    /// Its kernel closes a VMM's connections when it has taken the memory back.
    fn close_once_gone(&mut self, host: Host, streams: Vec<StreamId>) {
        let takes = per_gib(self.scenario.platform.exit_per_gib, self.scenario.vms[0].memory);
        if takes == Span::ZERO {
            return self.close_all(host, &streams);
        }
        let number = self.dying.last_key_value().map_or(0, |(last, _)| last + 1);
        self.dying.insert(number, (host, streams));
        self.schedule(self.now + takes, Event::Buried(number));
    }

    pub(super) fn buried(&mut self, number: u64) {
        if let Some((host, streams)) = self.dying.remove(&number).filter(|(host, _)| self.is_up(*host)) {
            self.close_all(host, &streams);
        }
    }

    pub(super) fn crash_agent(&mut self, host: Host) -> Result<(), NotFired> {
        if !self.agent_alive(host) {
            return Err(NotFired::AlreadyDead);
        }
        self.forget_hang(host, Part::Agent);
        let streams = self.kill(host, Seat::Agent, false);
        self.close_all(host, &streams);
        self.lose_orphans();
        Ok(())
    }

    /// The store's process alone.
    pub(super) fn crash_store(&mut self) -> Result<(), NotFired> {
        let Some(host) = self.store_host().filter(|&host| self.lives(host, Seat::Store)) else {
            return Err(NotFired::AlreadyDead);
        };
        self.forget_store_hang();
        let streams = self.kill(host, Seat::Store, false);
        self.close_all(host, &streams);
        Ok(())
    }

    /// What a fault killed starts again, as far as what it needs is there.
    pub(super) fn restart(&mut self, fault: usize) {
        let scenario = self.scenario.clone();
        for what in scenario.faults[fault].what.parts() {
            match *what {
                FaultKind::Crash(host) if !self.is_up(host) => {
                    self.network.host_up(self.now, host_id(host), &mut self.effects);
                    self.say(Fact::Restarted { host, part: Part::Host });
                    self.lives_again(host, Part::Host);
                    if let Some(node) = self.nodes.get_mut(&host) {
                        (node.up, node.vmm) = (true, true);
                        self.start_beside(host);
                        self.start_agent(host);
                    }
                }
                FaultKind::CrashVmm(host) if self.is_up(host) && !self.vmm_alive(host) => {
                    self.say(Fact::Restarted { host, part: Part::Vmm });
                    self.lives_again(host, Part::Vmm);
                    self.node(host).vmm = true;
                    self.start_agent(host);
                }
                FaultKind::CrashAgent(host) if self.vmm_alive(host) && !self.agent_alive(host) => {
                    self.say(Fact::Restarted { host, part: Part::Agent });
                    self.lives_again(host, Part::Agent);
                    self.start_agent(host);
                }
                FaultKind::CrashStore => self.restart_store(),
                _ => {}
            }
        }
        self.check_ended(fault);
    }

    /// This part of a host, and all that runs on it, has another life.
    fn lives_again(&mut self, host: Host, part: Part) {
        if let Some(node) = self.nodes.get_mut(&host) {
            node.lives[part as usize..].iter_mut().for_each(|life| *life += 1);
        }
    }

    fn is_up(&self, host: Host) -> bool {
        self.network.is_up(host_id(host))
    }

    fn program(&self, host: Host, seat: Seat) -> Option<Program> {
        let mut all = programs(&self.scenario).into_iter();
        all.find(|(at, place, _)| (*at, *place) == (host, seat)).map(|(.., program)| program)
    }

    /// What runs beside the agent: a store, a power switch.
    fn start_beside(&mut self, host: Host) {
        self.start_store(host);
        if let Some(fresh) = self.program(host, Seat::Fencer) {
            self.node(host).agents.insert(Seat::Fencer, fresh);
        }
    }

    /// A store starts with what its disk has, or with nothing.
    fn start_store(&mut self, host: Host) {
        let Some(fresh) = self.program(host, Seat::Store) else { return };
        let node = self.node(host);
        let kept = node.kept_store.take().map(Program::Store);
        node.agents.insert(Seat::Store, kept.unwrap_or(fresh));
    }

    fn restart_store(&mut self) {
        let Some(host) = self.store_host().filter(|&host| self.is_up(host) && !self.lives(host, Seat::Store)) else {
            return;
        };
        self.say(Fact::StoreRestarted(host));
        self.start_store(host);
    }

    fn start_agent(&mut self, host: Host) {
        let Some(program) = self.program(host, Seat::Agent) else { return };
        let node = self.node(host);
        node.agents.insert(Seat::Agent, program);
        node.said = None;
        let disk = node.disk;
        for other in [Host::Source, Host::Destination] {
            let concerned = other == host || host == Host::Management;
            if concerned && self.agent_alive(Host::Management) && self.agent_alive(other) {
                self.connect_operator(other);
            }
        }
        let vm = self.local_vm(host);
        self.control(host, Input::Restarted { disk, vm });
        if host == Host::Destination {
            self.announce_faults();
        }
    }

    pub(super) fn connect_operator(&mut self, host: Host) {
        self.connect(Host::Management, host, Channel::Management);
        let stream = self.node(Host::Management).channels[&(host, Channel::Management)];
        self.node(host).channels.insert((Host::Management, Channel::Management), stream);
    }

    /// What the hypervisor on `host` says of the VM.
    fn local_vm(&self, host: Host) -> LocalVm {
        let Some(copy) = self.vm.copy(host) else { return LocalVm::Absent };
        let whole = copy.memory.is_complete();
        match (copy.executes() || self.sleeps(host), copy.guest.is_some()) {
            _ if copy.serves => LocalVm::Serving,
            (true, _) if whole => LocalVm::Running,
            (true, _) => LocalVm::Fetching,
            (false, true) if whole => LocalVm::Standing,
            (false, _) => LocalVm::Incomplete,
        }
    }
}
