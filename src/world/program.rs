//! What runs on the hosts: which agent in which place, and what it knows from the start.

use crate::protocol::{
    Actions, Agent, Attempt, Defective, Destination, Fencer, Input, Operator, Own, Settings, Source, Standing, Store,
};
use crate::scenario::Scenario;
use crate::scenario::defect::{Bearer, bearer};
use crate::scenario::policy::{Migration, Policy};
use crate::units::LocalTime;
use crate::vocabulary::Host;

/// A process's place on its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Seat {
    /// What the host is there for: the VMM with its migration agent, or the operator.
    Agent,
    /// The store of checkpoints.
    Store,
    /// The power switch.
    Fencer,
}

/// What runs on a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "three of them in a world")]
pub(super) enum Program {
    Source(Source),
    Destination(Destination),
    Operator(Operator),
    Store(Store),
    Fencer(Fencer),
    /// One that is not shipped.
    Own(Own),
    /// One of the others, with a defect that the scenario plants.
    Defective(Box<Defective<Program>>),
}

impl Agent for Program {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        let agent: &mut dyn Agent = match self {
            Self::Source(agent) => agent,
            Self::Destination(agent) => agent,
            Self::Operator(agent) => agent,
            Self::Store(agent) => agent,
            Self::Fencer(agent) => agent,
            Self::Own(agent) => agent,
            Self::Defective(agent) => agent.as_mut(),
        };
        agent.step(now, input, out);
    }

    fn standing(&self) -> Standing {
        self.as_agent().standing()
    }

    fn attempt(&self) -> Option<Attempt> {
        self.as_agent().attempt()
    }
}

impl Program {
    fn as_agent(&self) -> &dyn Agent {
        match self {
            Self::Source(agent) => agent,
            Self::Destination(agent) => agent,
            Self::Operator(agent) => agent,
            Self::Store(agent) => agent,
            Self::Fencer(agent) => agent,
            Self::Own(agent) => agent,
            Self::Defective(agent) => agent.as_ref(),
        }
    }
}

/// Where the agent sits in which a defect is to be planted.
fn seat_of(bearer: Bearer, policy: &Policy) -> Option<(Host, Seat)> {
    match bearer {
        Bearer::Source => Some((Host::Source, Seat::Agent)),
        Bearer::Destination => Some((Host::Destination, Seat::Agent)),
        Bearer::Store => policy.checkpoint.as_ref().map(|checkpoint| (checkpoint.store.host, Seat::Store)),
    }
}

/// What the agents of a scenario know from the start.
pub fn settings(scenario: &Scenario) -> Settings {
    Settings {
        policy: scenario.policy.clone(),
        page_size: scenario.platform.page_size,
        chunk: scenario.platform.chunk,
        packet: scenario.platform.packet,
        setup: scenario.platform.setup,
        window: scenario.platform.window,
        iteration: scenario.platform.iteration,
    }
}

pub(super) fn programs(scenario: &Scenario) -> Vec<(Host, Seat, Program)> {
    let settings = settings(scenario);
    let policy = &scenario.policy;
    let asked = policy.migration != Migration::None || policy.checkpoint.is_some();
    let mut programs = vec![
        (Host::Management, Seat::Agent, Program::Operator(Operator::new(&scenario.operator, asked))),
        (Host::Source, Seat::Agent, Program::Source(Source::new(settings.clone()))),
        (Host::Destination, Seat::Agent, Program::Destination(Destination::new(settings.clone()))),
    ];
    if let Some((store, checkpoint)) = Store::new(&settings).zip(policy.checkpoint.as_ref()) {
        programs.push((checkpoint.store.host, Seat::Store, Program::Store(store)));
    }
    if let Some(fencer) = Fencer::new(policy) {
        programs.push((Host::Management, Seat::Fencer, Program::Fencer(fencer)));
    }
    for (host, agent) in &scenario.agents {
        let own = programs.iter_mut().find(|(at, seat, _)| (*at, *seat) == (*host, Seat::Agent));
        own.expect("both hosts have an agent").2 = Program::Own(Own::new(agent, &settings));
    }
    let bearer = bearer(scenario.defect, policy).ok().flatten().and_then(|bearer| seat_of(bearer, policy));
    for (_, _, program) in programs.iter_mut().filter(|(host, seat, _)| Some((*host, *seat)) == bearer) {
        *program = Program::Defective(Box::new(Defective::new(program.clone(), scenario.defect)));
    }
    programs
}
