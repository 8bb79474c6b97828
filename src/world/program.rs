//! What runs on the hosts: which agent in which place, and what it knows from the start.

use crate::protocol::{
    Actions, Agent, Attempt, Defective, Destination, Fencer, Input, Operator, Settings, Source, Standing, Store,
};
use crate::scenario::Scenario;
use crate::scenario::defect::{Bearer, bearer};
use crate::scenario::policy::Migration;
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
    /// One of the others, with a defect that the scenario plants.
    Defective(Box<Defective<Program>>),
}

impl Agent for Program {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        self.as_agent().step(now, input, out);
    }

    fn standing(&self) -> Standing {
        Program::standing(self)
    }
}

impl Program {
    pub fn as_agent(&mut self) -> &mut dyn Agent {
        match self {
            Self::Source(agent) => agent,
            Self::Destination(agent) => agent,
            Self::Operator(agent) => agent,
            Self::Store(agent) => agent,
            Self::Fencer(agent) => agent,
            Self::Defective(agent) => agent.as_mut(),
        }
    }

    pub fn standing(&self) -> Standing {
        match self {
            Self::Source(agent) => agent.standing(),
            Self::Destination(agent) => agent.standing(),
            Self::Operator(agent) => agent.standing(),
            Self::Store(agent) => agent.standing(),
            Self::Fencer(agent) => agent.standing(),
            Self::Defective(agent) => agent.standing(),
        }
    }

    /// Whose program it is, for planting a defect in it.
    fn bearer(&self) -> Option<Bearer> {
        match self {
            Self::Source(_) => Some(Bearer::Source),
            Self::Destination(_) => Some(Bearer::Destination),
            Self::Store(_) => Some(Bearer::Store),
            Self::Operator(_) | Self::Fencer(_) | Self::Defective(_) => None,
        }
    }

    /// The attempt that it works on, of those that write it down.
    pub fn attempt(&self) -> Option<Attempt> {
        match self {
            Self::Source(agent) => Some(agent.attempt()),
            Self::Destination(agent) => Some(agent.attempt()),
            Self::Operator(agent) => Some(agent.attempt()),
            Self::Defective(agent) => agent.inner().attempt(),
            Self::Store(_) | Self::Fencer(_) => None,
        }
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
    let Ok(Some(bearer)) = bearer(scenario.defect, policy) else { return programs };
    for (_, _, program) in programs.iter_mut().filter(|(_, _, program)| program.bearer() == Some(bearer)) {
        *program = Program::Defective(Box::new(Defective::new(program.clone(), scenario.defect)));
    }
    programs
}
