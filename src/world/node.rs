//! A host and its agent: what reaches the agent when, and what becomes of its actions.

use std::collections::{BTreeMap, VecDeque};

use crate::model::network::{Close, StreamId};
use crate::protocol::{
    Action, Actions, Agent, Attempt, Channel, Destination, Disk, Input, Operator, Settings, Source, Standing, Timer,
};
use crate::scenario::policy::{AnsweredBy, Migration};
use crate::scenario::{Part, Scenario};
use crate::units::{LocalTime, SimTime, Span};
use crate::vocabulary::{Host, Phase};

use super::lane::Lane;
use super::{Event, Fact, World, host_id};

/// A host with an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Node {
    /// Whether the host runs.
    pub up: bool,
    /// Whether its VMM lives, if it has one.
    pub vmm: bool,
    /// The agent, if it lives.
    pub agent: Option<Program>,
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
}

/// What runs on a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "three of them in a world")]
pub(super) enum Program {
    Source(Source),
    Destination(Destination),
    Operator(Operator),
}

impl Program {
    fn as_agent(&mut self) -> &mut dyn Agent {
        match self {
            Self::Source(agent) => agent,
            Self::Destination(agent) => agent,
            Self::Operator(agent) => agent,
        }
    }

    fn standing(&self) -> Standing {
        match self {
            Self::Source(agent) => agent.standing(),
            Self::Destination(agent) => agent.standing(),
            Self::Operator(agent) => agent.standing(),
        }
    }

    fn attempt(&self) -> Attempt {
        match self {
            Self::Source(agent) => agent.attempt(),
            Self::Destination(agent) => agent.attempt(),
            Self::Operator(agent) => agent.attempt(),
        }
    }
}

const PPM: i128 = 1_000_000;

impl Node {
    fn new(agent: Program, drift_ppm: i32) -> Self {
        Self {
            up: true,
            vmm: true,
            agent: Some(agent),
            drift_ppm,
            lanes: BTreeMap::new(),
            pings: VecDeque::new(),
            channels: BTreeMap::new(),
            said: None,
            disk: Disk::default(),
        }
    }

    pub fn vmm_alive(&self) -> bool {
        self.up && self.vmm
    }

    pub fn agent_alive(&self) -> bool {
        self.up && self.agent.is_some()
    }

    pub fn standing(&self) -> Option<Standing> {
        self.agent.as_ref().map(Program::standing)
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

    /// How long a time on its own clock really is.
    fn real(&self, span: Span) -> Span {
        Span::from_ns(scaled(span.ns(), PPM, PPM + i128::from(self.drift_ppm)))
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
        for (host, program) in programs(&scenario) {
            let drift = scenario.clock_drift_ppm.iter().find(|d| d.0 == host).map_or(0, |d| d.1);
            self.nodes.insert(host, Node::new(program, drift));
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
        if self.hangs(host, Part::Agent) {
            return self.defer(host, input);
        }
        self.step(host, input);
        self.pump(host);
    }

    pub(super) fn step(&mut self, host: Host, input: Input) {
        let now = self.now;
        let node = self.node(host);
        let local = node.clock(now);
        let Some(program) = &mut node.agent else { return };
        let mut actions = Actions::default();
        let received = match &input {
            Input::Message { envelope, .. } => envelope.batch(),
            _ => None,
        };
        program.as_agent().step(local, input, &mut actions);
        let standing = program.standing();
        for action in actions.drain() {
            match action.lane() {
                Some(channel) => self.node(host).lane(channel).work.push_back(action),
                None => self.perform(host, action),
            }
        }
        if let Some(id) = received.filter(|id| !self.node(host).batches().any(|held| held == *id)) {
            // The agent had no use for them.
            self.lose_batch(id);
        }
        if self.node(host).said.replace(standing) != Some(standing) {
            self.say(Fact::Standing { host, standing });
        }
    }

    /// Does what takes no time.
    fn perform(&mut self, host: Host, action: Action) {
        match action {
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
            Action::DropWork => self.drop_work(host),
            Action::Hold(channel) => self.node(host).lane(channel).held = true,
            Action::ReadOn(channel) => self.node(host).lane(channel).held = false,
            Action::StartLog => {
                let kind = self.scenario.platform.dirty_log;
                if let Some(copy) = self.vm.slot(host) {
                    copy.catch_up(self.now);
                    copy.memory.start_log(kind);
                }
                self.prepare_encoding(host);
            }
            Action::StopLog => {
                if let Some(copy) = self.vm.slot(host) {
                    copy.catch_up(self.now);
                    copy.memory.stop_log();
                }
            }
            Action::Throttle(throttle) => self.throttle(host, throttle),
            Action::TakeFaults { stale } => self.take_faults(host, stale),
            Action::SendWhole => self.send_whole(host),
            Action::Serve => self.vm.serve(host),
            Action::Pause => self.pause_migration(host),
            Action::Discard => self.discard(host),
            Action::Relinquish => {
                self.node(host).disk.relinquished = true;
                self.relinquish();
            }
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
        self.control(host, Input::Timer(timer));
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
            Some(AnsweredBy::Agent) if node.agent_alive() => {
                node.pings.push_back(number);
                self.pump(host);
            }
            _ => {}
        }
    }

    /// The agent on `host` is gone, and `with_vmm` all that its VMM had: nothing of it is pending any more.
    pub(super) fn kill(&mut self, host: Host, with_vmm: bool) {
        let node = self.node(host);
        if let Some(agent) = node.agent.take() {
            node.disk.attempt = agent.attempt();
        }
        node.vmm &= !with_vmm;
        let lanes = std::mem::take(&mut node.lanes);
        node.pings.clear();
        node.channels.clear();
        self.agenda.cancel_where(|event| match event {
            Event::Timer(at, _) | Event::WorkDone(at, _) => at == host,
            Event::Output(at) | Event::Access(at) => with_vmm && at == host,
            Event::Request(_) => host == Host::Destination,
            _ => false,
        });
        if with_vmm {
            self.discard(host);
        }
        for channel in lanes.into_keys() {
            self.open_window(host, channel);
        }
    }

    /// No work of `host` ends any more.
    pub(super) fn cancel_work(&mut self, host: Host) {
        for channel in self.node(host).lanes.keys().copied().collect::<Vec<_>>() {
            self.agenda.cancel(Event::WorkDone(host, channel));
        }
    }
}

pub(super) fn wire_nic(channel: Channel) -> crate::model::network::Nic {
    match channel {
        Channel::Migration | Channel::Preempt | Channel::Parallel(_) | Channel::Question => {
            crate::model::network::Nic::Migration
        }
        Channel::Management => crate::model::network::Nic::Application,
    }
}

/// What the agents of a scenario know from the start.
pub fn settings(scenario: &Scenario) -> Settings {
    Settings {
        policy: scenario.policy.clone(),
        page_size: scenario.platform.page_size,
        chunk: scenario.platform.chunk,
        setup: scenario.platform.setup,
        window: scenario.platform.window,
        iteration: scenario.platform.iteration,
    }
}

pub(super) fn programs(scenario: &Scenario) -> [(Host, Program); 3] {
    let settings = settings(scenario);
    let asked = scenario.policy.migration != Migration::None;
    let operator = Operator::new(&scenario.operator, asked);
    [
        (Host::Source, Program::Source(Source::new(settings.clone()))),
        (Host::Destination, Program::Destination(Destination::new(settings))),
        (Host::Management, Program::Operator(operator)),
    ]
}
