//! Agents of the user's own, as a scenario names them. What they are is no data: it is kept here unseen.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// An agent that is not shipped, made by `protocol::own_agent`. Two of the same name are taken for the same.
#[derive(Clone)]
pub struct OwnAgent {
    name: Arc<str>,
    program: Arc<dyn Any + Send + Sync>,
}

impl OwnAgent {
    pub(crate) fn new(name: &str, program: impl Any + Send + Sync) -> Self {
        Self { name: name.into(), program: Arc::new(program) }
    }

    /// What scenarios call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn program(&self) -> &(dyn Any + Send + Sync) {
        &*self.program
    }
}

impl fmt::Debug for OwnAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnAgent").field(&self.name).finish()
    }
}

impl PartialEq for OwnAgent {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for OwnAgent {}

impl Hash for OwnAgent {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
