//! Hosts, network, VM and agents put together. Passive: it is handed the next event and applies it.
//!
//! The world does not choose what happens next and does not own time: [`World::enabled`] lists what is pending, whoever drives it
//! picks one and calls [`World::apply`]. Under simulation the engine takes them in the order of their keys; a checker may
//! choose. What happened comes out as [`Fact`]s.
//!
//! It knows everything and tells each agent only what reached its node.

mod agenda;
mod checkpoint;
mod cost;
mod disk;
mod encode;
mod fact;
mod hang;
mod heartbeat;
mod held;
mod lane;
mod node;
mod phase;
mod postcopy;
mod program;
mod restart;
mod save;
mod strike;
mod tally;
#[cfg(test)]
mod tamper;
mod trigger;
mod trouble;
mod versions;
mod vm;
mod wire;
mod work;

pub use agenda::{Agenda, Class, Event, EventKey};
pub use checkpoint::Checkpoints;
pub use fact::{DiskStage, Fact, OutputStage, PauseCause, Resumption};
pub use held::Held;

pub use phase::Progress;
pub use program::settings;
pub use strike::{FaultState, NotFired};
pub use tally::PageTally;
#[cfg(test)]
pub(crate) use tamper::Tampering;
pub use trigger::weight;
pub use vm::{Branch, SavedState, VmCopy, VmState};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::model::disk::Disk;
use crate::model::guest::Guest;
use crate::model::memory::Memory;
use crate::model::network::{Effect, HostId, MessageId, Network, StreamId};
use crate::protocol::{Channel, Input, Standing};
use crate::rng::RunSeed;
use crate::scenario::Scenario;
use crate::scenario::policy::{Migration, Trigger};
use crate::units::{SimTime, Span};
use crate::vocabulary::Host;

use disk::Journal;
use node::Node;
use postcopy::Faulting;
use program::Seat;
use tally::InFlight;
use trouble::Trouble;
use versions::Versions;
use wire::Packet;

/// Everything there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    scenario: Arc<Scenario>,
    seed: RunSeed,
    now: SimTime,
    agenda: Agenda,
    network: Network,
    nodes: BTreeMap<Host, Node>,
    vm: VmState,
    packets: BTreeMap<MessageId, Packet>,
    /// Those among them that are messages between agents.
    messages: BTreeSet<MessageId>,
    channels: BTreeMap<StreamId, Channel>,
    batches: BTreeMap<u64, InFlight>,
    faulting: Faulting,
    checkpoints: Checkpoints,
    versions: Versions,
    disk: Disk,
    journal: Journal,
    /// Messages and news for processes of the same host, delivered before the next event.
    handed: VecDeque<(Host, Seat, Input)>,
    /// Dead processes whose connections their kernels have not closed yet.
    dying: BTreeMap<u64, (Host, Vec<StreamId>)>,
    counted: PageTally,
    counted_stored: PageTally,
    faults: Vec<FaultState>,
    trouble: Trouble,
    progress: Progress,
    milestones: Milestones,
    numbers: Numbers,
    facts: Facts,
    effects: Vec<Effect>,
}

/// The instants that order the end of a migration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Milestones {
    /// The migrate command was accepted.
    pub accepted: Option<SimTime>,
    /// L: the last page has arrived.
    pub last_page: Option<SimTime>,
    /// R: the source has given up for good its right to resume, or has died.
    pub relinquished: Option<SimTime>,
    /// C: the destination has learnt of R.
    pub concluded: Option<SimTime>,
    /// A node first gave the connection up while pages were missing.
    pub paused: Option<SimTime>,
    /// The source gave the attempt up.
    pub gave_up: Option<SimTime>,
    /// The destination has said its last word before R: what makes the source give up its right is on its way.
    pub last_word: Option<SimTime>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Numbers {
    message: u64,
    batch: u64,
}

/// Facts of the event being applied. What has been said is not part of the state: two worlds that differ only in
/// it behave alike.
#[derive(Debug, Clone, Default)]
struct Facts(Vec<Fact>);

impl PartialEq for Facts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Facts {}

impl std::hash::Hash for Facts {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl World {
    /// Everything at its start: the VM runs on the source, every agent has been started. The facts of that moment are the
    /// first that [`World::facts`] yields.
    pub fn new(scenario: Arc<Scenario>, seed: RunSeed) -> Self {
        let hosts = u8::try_from(Host::ALL.len()).expect("few hosts");
        let mut world = Self {
            seed,
            now: SimTime::ZERO,
            agenda: Agenda::default(),
            network: Network::new(&scenario.network, hosts, seed),
            nodes: BTreeMap::new(),
            vm: VmState::new(&scenario, seed),
            packets: BTreeMap::new(),
            messages: BTreeSet::new(),
            channels: BTreeMap::new(),
            batches: BTreeMap::new(),
            faulting: Faulting::default(),
            checkpoints: Checkpoints::default(),
            versions: Versions::new(scenario.vms[0].memory.pages(scenario.platform.page_size)),
            disk: Disk::default(),
            journal: Journal::default(),
            handed: VecDeque::new(),
            dying: BTreeMap::new(),
            counted: PageTally::default(),
            counted_stored: PageTally::default(),
            faults: scenario.faults.iter().map(|_| FaultState::Pending).collect(),
            trouble: Trouble::default(),
            progress: Progress::new(),
            milestones: Milestones::default(),
            numbers: Numbers::default(),
            facts: Facts::default(),
            effects: Vec::new(),
            scenario,
        };
        world.boot();
        world
    }

    fn boot(&mut self) {
        self.network.start(&mut self.effects);
        let resumed = self.vm.boot(self.now);
        self.say(Fact::Resumed(resumed));
        self.watch_guest(Host::Source);
        self.plan_faults();
        self.start_nodes();
        self.settle();
    }

    /// Everything that is pending, in the order in which a simulation takes it.
    pub fn enabled(&self) -> impl Iterator<Item = (EventKey, Event)> + '_ {
        self.agenda.iter()
    }

    /// Applies one pending event; a key that is not pending changes nothing. Time never goes back: an event that a checker took out
    /// of order happens now.
    pub fn apply(&mut self, key: EventKey) -> Option<Event> {
        if let Some(struck) = self.before_event(key) {
            return Some(struck);
        }
        let event = self.agenda.take(key)?;
        self.now = self.now.max(key.at);
        self.trouble.counts.next_event();
        match event {
            Event::Strike(fault) | Event::Chance(fault) => self.strike(fault),
            Event::Heal(fault) => self.heal(fault),
            Event::Toggle(fault, part) => self.toggle(fault, part),
            Event::Restart(fault) => self.restart(fault),
            Event::Buried(number) => self.buried(number),
            Event::Network(event) => {
                self.before_delivery(event);
                self.network.on_event(self.now, event, &mut self.effects);
            }
            Event::Output(host) => self.guest_output(host),
            Event::Disk(host) => self.guest_disk(host),
            Event::Access(host) => self.guest_access(host),
            Event::Request(fault) => self.request(fault),
            Event::WorkDone(host, lane) => self.work_done(host, lane),
            Event::Timer(host, timer) => self.timer(host, timer),
        }
        self.settle();
        self.after_event();
        Some(event)
    }

    /// Takes what happened since this was last called.
    pub fn facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts.0)
    }

    /// How many events have happened, and how many things nodes have done about the last of them.
    pub fn steps(&self) -> (u64, u64) {
        self.trouble.counts.steps()
    }

    /// The present.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The experiment.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The VM.
    pub fn vm(&self) -> &VmState {
        &self.vm
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Where the migration is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The instants that order its end.
    pub fn milestones(&self) -> Milestones {
        self.milestones
    }

    /// What has become of each fault.
    pub fn faults(&self) -> &[FaultState] {
        &self.faults
    }

    /// Tells the agent on `host` what its own hypervisor notices.
    fn tell(&mut self, host: Host, input: Input) {
        self.handed.push_back((host, Seat::Agent, input));
    }

    /// Where the agent on `host` stands; `None` if it is dead.
    pub fn standing(&self, host: Host) -> Option<Standing> {
        self.nodes.get(&host)?.standing()
    }

    /// Whether the host is up and its VMM runs.
    pub fn vmm_alive(&self, host: Host) -> bool {
        self.nodes.get(&host).is_none_or(Node::vmm_alive)
    }

    /// Whether the copy on `host` can be heard: it emits nothing, or what it emits can reach the client now; and what is held of
    /// its disk writes can be let go.
    pub fn can_release(&self, host: Host) -> bool {
        let guest = self.vm.copy(host).and_then(|copy| copy.guest.as_ref());
        let emits = guest.is_some_and(Guest::emits);
        let writes = guest.is_some_and(Guest::writes_disk) && self.holds_disk_writes();
        let passes = self.vmm_alive(host) && !self.network.is_cut(host_id(host), host_id(Host::Client));
        let waits = (emits || writes) && self.vm.holds(host) && !self.can_commit(host);
        (!emits || passes) && !waits
    }

    /// Brings the memories of executing copies up to now, so that an observer may look at them.
    pub fn catch_up(&mut self) {
        for host in [Host::Source, Host::Destination] {
            if let Some(copy) = self.vm.slot(host) {
                copy.catch_up(self.now);
            }
        }
    }

    /// What the memory of an executing copy must be: the guest's life on its branches, lived again from the beginning.
    pub fn relive(&self, copy: &VmCopy) -> Memory {
        let path = self.path_of(copy, copy.guest.as_ref().map_or(Span::ZERO, |guest| guest.time(self.now)));
        Guest::relive(&self.scenario.vms[0], 0, self.seed, copy.memory.page_count(), &path)
    }

    /// Random words drawn so far by the guests that there are.
    pub fn guest_draws(&self) -> u64 {
        self.vm.copies().filter_map(|(_, copy)| copy.guest.as_ref()).map(Guest::draws).sum()
    }

    /// Whether a migration, or a single checkpoint, was asked for and nothing but the guest's own life is left: no fault, timer or work is pending and no message can arrive
    /// that a node would act on.
    pub fn is_settled(&self) -> bool {
        let policy = &self.scenario.policy;
        let once = policy.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.trigger == Trigger::Once);
        if policy.migration == Migration::None && !once {
            return false;
        }
        !self.agenda.is_busy()
            && !self.runs_on_missing_pages()
            && !self.protocol_packets().any(|packet| self.may_matter(packet))
    }

    /// Whether a guest runs whose next access may be to a page that is not there: what becomes of it is still open.
    fn runs_on_missing_pages(&self) -> bool {
        let open = |copy: &VmCopy| copy.guest.as_ref().is_some_and(|guest| guest.is_running() && !guest.is_blocked());
        self.vm.copies().any(|(_, copy)| !copy.memory.is_complete() && open(copy))
    }

    /// Whether a protocol message can still change something: it can arrive, or its connection's end would be news.
    fn may_matter(&self, packet: &Packet) -> bool {
        let Packet::Protocol { from, to, .. } = packet else { return false };
        let open = self.agent_alive(*to)
            && !self.network.is_cut(host_id(*from), host_id(*to))
            && !self.network.is_cut(host_id(*to), host_id(*from));
        let watched = [Host::Source, Host::Destination]
            .into_iter()
            .filter_map(|host| self.standing(host))
            .any(|standing| matches!(standing, Standing::Working(_) | Standing::Waiting(_)));
        open || watched
    }

    fn say(&mut self, fact: Fact) {
        if let Fact::Output { stage, branch, .. } = &fact {
            if *stage == OutputStage::Released {
                self.vm.speaks(*branch);
            }
            self.count_output(*stage);
        }
        self.facts.0.push(fact);
    }

    fn schedule(&mut self, at: SimTime, event: Event) {
        self.agenda.schedule(at, event);
    }
}

/// A host's index in the network.
pub fn host_id(host: Host) -> HostId {
    HostId(u8::try_from(Host::ALL.iter().position(|&h| h == host).expect("listed")).expect("few hosts"))
}

fn host_of(id: HostId) -> Host {
    Host::ALL[usize::from(id.0)]
}
