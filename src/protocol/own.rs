//! Agents that are not shipped: whoever uses this as a library hands them in by name, and a scenario puts them in place of the
//! shipped ones ([`crate::scenario::Scenario::agents`]).

use std::any::Any;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use super::{Actions, Agent, Attempt, Input, LocalTime, Settings, Standing};
use crate::scenario::OwnAgent;

/// Names what makes an agent from what it knows from the start. `name` is what scenarios call it.
///
/// Like any other it must be honest: what it does is a function of its settings and its inputs.
pub fn own_agent<A, F>(name: &str, make: F) -> OwnAgent
where
    A: Agent + Clone + Eq + Hash + Debug + Send + Sync + 'static,
    F: Fn(&Settings) -> A + Send + Sync + 'static,
{
    OwnAgent::new(name, Maker(Box::new(move |settings| Own(Box::new(make(settings))))))
}

/// Makes an agent. A scenario holds it without knowing what it is: scenarios are data, and stand below agents.
struct Maker(Box<dyn Fn(&Settings) -> Own + Send + Sync>);

/// An agent of the user's own.
#[derive(Debug)]
pub struct Own(Box<dyn Whole>);

impl Own {
    /// One that has done nothing yet.
    ///
    /// # Panics
    /// It was not named by [`own_agent`].
    pub fn new(agent: &OwnAgent, settings: &Settings) -> Self {
        let maker = agent.program().downcast_ref::<Maker>().expect("only `own_agent` names one");
        (maker.0)(settings)
    }
}

impl Agent for Own {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        self.0.step(now, input, out);
    }

    fn standing(&self) -> Standing {
        self.0.standing()
    }

    fn attempt(&self) -> Option<Attempt> {
        self.0.attempt()
    }
}

/// What a world asks of an agent whose type it does not know.
trait Whole: Agent + Debug + Send + Sync {
    fn copied(&self) -> Box<dyn Whole>;
    fn is(&self, other: &dyn Any) -> bool;
    fn digest(&self, state: &mut dyn Hasher);
    fn as_any(&self) -> &dyn Any;
}

impl<A: Agent + Clone + Eq + Hash + Debug + Send + Sync + 'static> Whole for A {
    fn copied(&self) -> Box<dyn Whole> {
        Box::new(self.clone())
    }

    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<A>() == Some(self)
    }

    fn digest(&self, mut state: &mut dyn Hasher) {
        self.hash(&mut state);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Clone for Own {
    fn clone(&self) -> Self {
        Self(self.0.copied())
    }
}

impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(other.0.as_any())
    }
}

impl Eq for Own {}

impl Hash for Own {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.digest(state);
    }
}
