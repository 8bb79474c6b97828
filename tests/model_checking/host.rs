//! Who acts in the model, and what each of them has: its agent, its lanes of work, its timers, its connections.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use midflight::protocol::{
    Action, Actions, Agent, Channel, Defective, Destination, Input, Operator, Source, Standing, StateId, Store, Timer,
    Version,
};
use midflight::units::LocalTime;
use midflight::vocabulary::Host;

use crate::vm::Pages;

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seat {
    Operator,
    Source,
    Destination,
    Store,
}

impl Seat {
    /// Where it is; `store`: where that is.
    pub fn host(self, store: Host) -> Host {
        match self {
            Self::Operator => Host::Management,
            Self::Source => Host::Source,
            Self::Destination => Host::Destination,
            Self::Store => store,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Store => "store",
        }
    }
}

/// The shipped agents.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "four of them, each behind a pointer")]
pub enum Program {
    Operator(Operator),
    Source(Source),
    Destination(Destination),
    Store(Store),
    /// One of the others, with a planted defect.
    Defective(Defective<Box<Program>>),
}

impl Agent for Box<Program> {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        self.agent().step(now, input, out);
    }

    fn standing(&self) -> Standing {
        self.as_ref().standing()
    }
}

impl Program {
    pub fn agent(&mut self) -> &mut dyn Agent {
        match self {
            Self::Operator(agent) => agent,
            Self::Source(agent) => agent,
            Self::Destination(agent) => agent,
            Self::Store(agent) => agent,
            Self::Defective(agent) => agent,
        }
    }

    pub fn standing(&self) -> Standing {
        match self {
            Self::Operator(agent) => agent.standing(),
            Self::Source(agent) => agent.standing(),
            Self::Destination(agent) => agent.standing(),
            Self::Store(agent) => agent.standing(),
            Self::Defective(agent) => agent.standing(),
        }
    }
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Node {
    pub program: Program,
    pub lanes: BTreeMap<Channel, Lane>,
    /// Those that run.
    pub timers: BTreeSet<Timer>,
    /// By peer and name, the number of the connection that it knows.
    pub channels: BTreeMap<(Seat, Channel), u8>,
}

impl Node {
    pub fn new(program: Program) -> Self {
        Self { program, lanes: BTreeMap::new(), timers: BTreeSet::new(), channels: BTreeMap::new() }
    }

    /// Whether it reads what waits on a connection.
    pub fn reads(&self, channel: Channel) -> bool {
        self.lanes.get(&channel).is_none_or(|lane| lane.under_way.is_none() && !lane.held)
    }
}

/// A node with its hash: most events change one node, and the others need not be read again to tell states apart.
#[derive(Debug, Clone)]
pub struct Kept {
    node: Arc<Node>,
    hash: u64,
}

impl Kept {
    pub fn new(node: Node) -> Self {
        let mut kept = Self { node: Arc::new(node), hash: 0 };
        kept.rehash();
        kept
    }

    /// The node, to be changed; [`Self::rehash`] is due then.
    pub fn change(&mut self) -> &mut Node {
        self.hash = STALE;
        Arc::make_mut(&mut self.node)
    }

    pub fn rehash(&mut self) {
        if self.hash == STALE {
            let mut hasher = DefaultHasher::new();
            self.node.hash(&mut hasher);
            self.hash = hasher.finish().max(STALE + 1);
        }
    }
}

/// The hash of a node that has changed since.
const STALE: u64 = 0;

impl Deref for Kept {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl Eq for Kept {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Work on one connection: one piece at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Lane {
    pub waiting: VecDeque<Action>,
    pub under_way: Option<Work>,
    /// The agent reads nothing there for now.
    pub held: bool,
}

/// A piece of work that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Work {
    /// What it does to the world at its end.
    pub then: Then,
    /// What the agent is told then.
    pub input: Input,
}

/// What work does at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Then {
    Nothing,
    /// Received pages are placed; `over`: over whatever is there.
    Place {
        pages: Pages,
        over: bool,
    },
    Load(StateId),
    Resume,
    Unsuspend,
    Keep(Version, Pages),
    Merge,
}
