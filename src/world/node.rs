//! A host and its agent: what reaches the agent when, and what becomes of its actions.

use std::collections::{BTreeMap, VecDeque};

use crate::model::network::{Close, StreamId};
use crate::protocol::{Action, Actions, Agent, Channel, Disk, Input, Message, Standing, Store, Timer};
use crate::units::{LocalTime, PageCount, SimTime, Span};
use crate::vocabulary::{Host, Phase};

use super::lane::Lane;
use super::program::{Program, Seat, programs};
use super::{Event, Fact, World, host_id};

/// A host with an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Node {
    /// Whether the host runs.
    pub up: bool,
    /// Whether its VMM lives, if it has one.
    pub vmm: bool,
    /// The processes that live.
    pub agents: BTreeMap<Seat, Program>,
    /// Drift of its clock against true time [ppm].
    drift_ppm: i32,
    /// Its work and what waits to be read, by page channel.
    pub lanes: BTreeMap<Channel, Lane>,
    /// Pings that wait for the piece of work under way to end.
    pub pings: VecDeque<u64>,
    /// Its connections, by peer and name.
    pub channels: BTreeMap<(Host, Channel), StreamId>,
    pub said: Option<Standing>,
    /// What its agents must not forget.
    pub disk: Disk,
    /// How often host, VMM and agent have started again, each with what is above it.
    pub lives: [u64; 3],
    /// The store as its disk has it, while its process is dead.
    pub kept_store: Option<Store>,
}

const PPM: i128 = 1_000_000;

impl Node {
    fn new(drift_ppm: i32) -> Self {
        Self {
            up: true,
            vmm: true,
            agents: BTreeMap::new(),
            drift_ppm,
            lanes: BTreeMap::new(),
            pings: VecDeque::new(),
            channels: BTreeMap::new(),
            said: None,
            disk: Disk::default(),
            lives: [0; 3],
            kept_store: None,
        }
    }

    pub fn vmm_alive(&self) -> bool {
        self.up && self.vmm
    }

    /// Whether a process lives.
    pub fn lives(&self, seat: Seat) -> bool {
        self.up && self.agents.contains_key(&seat)
    }

    pub fn standing(&self) -> Option<Standing> {
        self.agents.get(&Seat::Agent).map(Agent::standing)
    }

    /// Its lane for a page channel.
    pub fn lane(&mut self, channel: Channel) -> &mut Lane {
        self.lanes.entry(channel).or_default()
    }

    /// The pages that its inboxes and its work hold.
    pub fn batches(&self) -> impl Iterator<Item = u64> + '_ {
        self.lanes.values().flat_map(Lane::batches)
    }

    /// What its own clock shows.
    fn clock(&self, now: SimTime) -> LocalTime {
        LocalTime::from_ns(scaled(now.ns(), PPM + i128::from(self.drift_ppm), PPM))
    }

    /// How long a time on its own clock really is, rounded up: a timer never fires before its node's clock says so.
    fn real(&self, span: Span) -> Span {
        let ppm = PPM + i128::from(self.drift_ppm);
        let down = scaled(span.ns(), PPM, ppm);
        Span::from_ns(down.saturating_add((i128::from(span.ns()) * PPM % ppm != 0).into()))
    }
}

fn scaled(ns: u64, num: i128, den: i128) -> u64 {
    if num == den {
        return ns;
    }
    u64::try_from(i128::from(ns) * num / den).unwrap_or(u64::MAX)
}

impl World {
    pub(super) fn start_nodes(&mut self) {
        let scenario = self.scenario.clone();
        for (host, seat, program) in programs(&scenario) {
            let drift = scenario.clock_drift_ppm.iter().find(|d| d.0 == host).map_or(0, |d| d.1);
            self.nodes.entry(host).or_insert_with(|| Node::new(drift)).agents.insert(seat, program);
        }
        for host in [Host::Source, Host::Destination] {
            self.connect_operator(host);
        }
        for host in [Host::Source, Host::Destination, Host::Management] {
            self.control(host, Input::Start);
        }
    }

    pub(super) fn node(&mut self, host: Host) -> &mut Node {
        self.nodes.get_mut(&host).expect("only hosts with agents are asked")
    }

    /// Hands an input to the agent at once, whatever work is under way.
    pub(super) fn control(&mut self, host: Host, input: Input) {
        self.control_as(host, Seat::Agent, input);
    }

    /// The same for any process there.
    pub(super) fn control_as(&mut self, host: Host, seat: Seat, input: Input) {
        if self.seat_hangs(host, seat) {
            return self.defer(host, seat, input);
        }
        self.step_as(host, seat, input);
        self.pump(host);
    }

    /// Whose connection or lane it is at `host`.
    pub(super) fn seat_of(&self, host: Host, channel: Channel) -> Seat {
        match channel {
            Channel::Checkpoint | Channel::Store if self.store_host() == Some(host) => Seat::Store,
            Channel::Fence if host == Host::Management => Seat::Fencer,
            _ => Seat::Agent,
        }
    }

    /// Where the store of checkpoints is, if there is one.
    pub fn store_host(&self) -> Option<Host> {
        self.scenario.policy.checkpoint.as_ref().map(|checkpoint| checkpoint.store.host)
    }

    /// Whether a process lives.
    pub(super) fn lives(&self, host: Host, seat: Seat) -> bool {
        self.nodes.get(&host).is_some_and(|node| node.lives(seat))
    }

    pub(super) fn step(&mut self, host: Host, input: Input) {
        self.step_as(host, Seat::Agent, input);
    }

    pub(super) fn step_as(&mut self, host: Host, seat: Seat, input: Input) {
        let now = self.now;
        let node = self.node(host);
        let local = node.clock(now);
        let Some(program) = node.agents.get_mut(&seat) else { return };
        let mut actions = Actions::default();
        let (received, asks) = match &input {
            Input::Message { from, envelope, .. } => {
                let asks = matches!(envelope.message, Message::Claim { .. } | Message::Read { .. });
                (envelope.batch(), asks.then_some(*from))
            }
            Input::Recalled { batch, .. } if batch.pages > PageCount::ZERO => (Some(batch.id), None),
            _ => (None, None),
        };
        program.step(local, input, &mut actions);
        let standing = program.standing();
        for action in actions.drain() {
            match action.lane() {
                Some(channel) => self.node(host).lane(channel).work.push_back(action),
                None => self.perform(host, seat, action),
            }
            self.after_action();
            if !self.lives(host, seat) {
                // A fault struck in the midst of it.
                break;
            }
        }
        if let Some(by) = asks {
            self.say(Fact::Asked { by, newest: self.newest_version() });
        }
        if let Some(id) = received.filter(|id| !self.node(host).batches().any(|held| held == *id)) {
            // The agent had no use for them.
            self.lose_batch(id);
        }
        if seat == Seat::Agent && self.node(host).said.replace(standing) != Some(standing) {
            self.say(Fact::Standing { host, standing });
        }
    }

    /// Does what takes no time.
    fn perform(&mut self, host: Host, seat: Seat, action: Action) {
        match action {
            Action::Send { to, channel, envelope } if to == host => self.hand_over(host, seat, channel, envelope),
            Action::Connect { peer, channel } => self.connect(host, peer, channel),
            Action::Disconnect { channel } => self.disconnect(host, channel),
            Action::Send { to, channel, envelope } => {
                self.write(host, to, channel, envelope);
            }
            Action::Ping { number } => self.ping(host, number),
            Action::Pong { number } => self.pong(host, number),
            Action::SetTimer(timer, after) => {
                self.undefer(host, timer);
                let at = self.now.saturating_add(self.node(host).real(after));
                self.schedule(at, Event::Timer(host, timer));
            }
            Action::CancelTimer(timer) => {
                self.undefer(host, timer);
                self.agenda.cancel(Event::Timer(host, timer));
            }
            Action::DropWork => self.drop_work(host, seat),
            Action::Hold(channel) => self.node(host).lane(channel).held = true,
            Action::ReadOn(channel) => self.node(host).lane(channel).held = false,
            Action::StartLog => self.start_log(host),
            Action::StopLog => self.stop_log(host),
            Action::Throttle(throttle) => self.throttle(host, throttle),
            Action::TakeFaults { stale } => self.take_faults(host, stale),
            Action::SendWhole => self.send_whole(host),
            Action::Serve => self.vm.serve(host),
            Action::Pause => self.pause_migration(host),
            Action::Discard => self.discard(host),
            Action::Relinquish => {
                if seat == Seat::Agent {
                    self.node(host).disk.relinquished = true;
                }
                self.relinquish();
            }
            Action::Conclude if self.milestones.concluded.is_some() => {}
            Action::Conclude => {
                self.milestones.concluded = Some(self.now);
                self.say(Fact::Concluded);
                self.enter(Phase::Done);
            }
            Action::GiveUp => {
                self.milestones.gave_up.get_or_insert(self.now);
                self.say(Fact::GaveUp);
                self.enter(Phase::Done);
            }
            Action::Suspect(why) => self.say(Fact::Suspected { by: host, why }),
            Action::EndRounds(end) => self.say(Fact::RoundsEnded(end)),
            Action::EndSending => self.say(Fact::LastSent),
            Action::Report(report) => self.say(Fact::Reported { host, report }),
            Action::SyncLog
            | Action::Take { .. }
            | Action::Stop
            | Action::Place { .. }
            | Action::Load(_)
            | Action::Fetch { .. }
            | Action::Survey
            | Action::Reconcile(_)
            | Action::Resume => unreachable!("{action:?} is work"),
            other => self.protect(host, other),
        }
    }

    fn start_log(&mut self, host: Host) {
        let kind = self.scenario.platform.dirty_log;
        if let Some(copy) = self.vm.slot(host) {
            copy.catch_up(self.now);
            copy.memory.start_log(kind);
        }
        self.prepare_encoding(host);
    }

    fn stop_log(&mut self, host: Host) {
        if let Some(copy) = self.vm.slot(host) {
            copy.catch_up(self.now);
            copy.memory.stop_log();
        }
    }

    pub(super) fn connect(&mut self, host: Host, peer: Host, channel: Channel) {
        if let Some(old) = self.node(host).channels.remove(&(peer, channel)) {
            self.network.close(self.now, old, host_id(host), Close::Fin, &mut self.effects);
        }
        let nic = wire_nic(channel);
        let stream = self.network.open(host_id(host), host_id(peer), nic);
        self.channels.insert(stream, channel);
        self.node(host).channels.insert((peer, channel), stream);
        if channel == Channel::Migration {
            self.connected();
        }
    }

    fn disconnect(&mut self, host: Host, channel: Channel) {
        let peers: Vec<_> = self.node(host).channels.keys().copied().filter(|key| key.1 == channel).collect();
        for key in peers {
            let stream = self.node(host).channels.remove(&key).expect("just listed");
            self.network.close(self.now, stream, host_id(host), Close::Reset, &mut self.effects);
        }
    }

    pub(super) fn timer(&mut self, host: Host, timer: Timer) {
        let seat = if timer == Timer::Fenced { Seat::Fencer } else { Seat::Agent };
        self.control_as(host, seat, Input::Timer(timer));
    }

    /// Everything that runs on `host` is gone.
    pub(super) fn kill_all(&mut self, host: Host) {
        for seat in [Seat::Fencer, Seat::Store, Seat::Agent] {
            self.kill(host, seat, true);
        }
    }

    /// A process on `host` is gone, and if it is the agent `with_vmm`, all that its VMM had: nothing of it is pending any more.
    /// Answers its connections.
    pub(super) fn kill(&mut self, host: Host, seat: Seat, with_vmm: bool) -> Vec<StreamId> {
        let on_disk = self.store_is_on_disk();
        let own = |channel: Channel, world: &Self| world.seat_of(host, channel) == seat;
        let lanes: Vec<Channel> = self.nodes[&host].lanes.keys().copied().filter(|&c| own(c, self)).collect();
        let channels: Vec<_> = self.nodes[&host].channels.keys().copied().filter(|key| own(key.1, self)).collect();
        let node = self.node(host);
        match node.agents.remove(&seat) {
            Some(Program::Store(store)) => node.kept_store = on_disk.then(|| store.as_on_disk()),
            Some(program) => node.disk.attempt = program.attempt().unwrap_or(node.disk.attempt),
            None => {}
        }
        let mut streams: Vec<StreamId> = channels.iter().filter_map(|key| node.channels.remove(key)).collect();
        for channel in &lanes {
            node.lanes.remove(channel);
        }
        for &channel in &lanes {
            self.agenda.cancel(Event::WorkDone(host, channel));
        }
        match seat {
            Seat::Agent => self.kill_agent(host, with_vmm),
            Seat::Store if self.store_host() == Some(host) => self.versions.lose_process(on_disk),
            Seat::Store => {}
            Seat::Fencer => self.agenda.cancel(Event::Timer(host, Timer::Fenced)),
        }
        for channel in lanes {
            self.open_window(host, channel);
        }
        streams.extend(self.unheard(host, seat));
        streams
    }

    /// Connections to a process on `host` on which nothing has arrived, so that it does not know of them yet; its kernel does.
    fn unheard(&self, host: Host, seat: Seat) -> Vec<StreamId> {
        let known: Vec<StreamId> = self.nodes[&host].channels.values().copied().collect();
        let others = self.nodes.iter().filter(|(other, _)| **other != host).flat_map(|(_, node)| &node.channels);
        let to_it = others.filter(|&(&(peer, channel), _)| peer == host && self.seat_of(host, channel) == seat);
        to_it.map(|(_, stream)| *stream).filter(|stream| !known.contains(stream)).collect()
    }

    fn kill_agent(&mut self, host: Host, with_vmm: bool) {
        let node = self.node(host);
        node.vmm &= !with_vmm;
        node.pings.clear();
        self.agenda.cancel_where(|event| match event {
            Event::Timer(at, timer) => at == host && timer != Timer::Fenced,
            Event::Output(at) | Event::Disk(at) | Event::Access(at) => with_vmm && at == host,
            Event::Request(_) => host == Host::Destination,
            _ => false,
        });
        if with_vmm {
            self.discard(host);
        }
    }
}

pub(super) fn wire_nic(channel: Channel) -> crate::model::network::Nic {
    match channel {
        Channel::Migration
        | Channel::Preempt
        | Channel::Parallel(_)
        | Channel::Question
        | Channel::Checkpoint
        | Channel::Store => crate::model::network::Nic::Migration,
        Channel::Management | Channel::Fence => crate::model::network::Nic::Application,
    }
}
