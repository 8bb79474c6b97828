//! An agent with a planted defect: something of what it hears or does is dropped or altered.
//!
//! For negative controls: an invariant that no defect breaks proves nothing. The agent inside is the one that every other run
//! has and knows nothing of this; what is wrong with it is all here. Which agent has which defect is `scenario::defect`'s matter.

mod flaw;
mod slip;

use super::{Actions, Agent, Attempt, Input, LocalTime, Standing};
use crate::vocabulary::Defect;
use flaw::Flaw;

/// An agent, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Defective<A> {
    agent: A,
    flaw: Flaw,
}

impl<A: Agent> Defective<A> {
    /// Plants a defect in an agent that has done nothing yet.
    pub fn new(agent: A, defect: Defect) -> Self {
        Self { agent, flaw: Flaw::new(defect) }
    }
}

impl<A: Agent> Agent for Defective<A> {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        let mut next = self.flaw.hears(input, out);
        while let Some(input) = next.take() {
            let mut wanted = Actions::default();
            self.agent.step(now, input, &mut wanted);
            for action in wanted.drain() {
                // One action at most is answered on the spot: each is of a kind that its agent does one at a time.
                next = self.flaw.does(action, out).or(next);
            }
        }
    }

    fn attempt(&self) -> Option<Attempt> {
        self.agent.attempt()
    }

    fn standing(&self) -> Standing {
        self.agent.standing()
    }
}
