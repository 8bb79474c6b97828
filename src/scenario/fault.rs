//! Faults as they are meant: what breaks, when, and for how long. Plain data; whether one can strike at all under a policy is
//! judged here, too, so that reading and testing agree.

use super::moment::EventPlace;
use super::policy::{HandoverKind, Migration, Policy};
use crate::units::{Ratio, Span};
use crate::vocabulary::{Host, MessageKind, Phase};

/// One fault and when it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fault {
    /// What breaks.
    pub what: FaultKind,
    /// When.
    pub when: Trigger,
    /// How long that lasts which can end; `None`: for good.
    pub lasts: Option<Span>,
    /// How long after its crash a host, a VMM or an agent starts again; `None`: never.
    pub restarts_after: Option<Span>,
}

/// What can break.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The host falls silent; nobody is told.
    Crash(Host),
    /// The VMM process and its agent die; the kernel closes their connections and still answers pings.
    CrashVmm(Host),
    /// The agent alone dies: the kernel closes its connections, the VM executes on.
    CrashAgent(Host),
    /// The store of checkpoints alone dies.
    CrashStore,
    /// The store's process alone stands still.
    HangStore,
    /// Work of the store alone takes longer by this factor; above 1.
    SlowStore(Ratio),
    /// The store's medium has no more room.
    FillStore,
    /// The store's medium loses the newest complete version.
    LoseVersion,
    /// The newest complete version is damaged on the store's medium.
    TearVersion,
    /// Nothing of it runs, for a time or for good.
    Hang(Part, Host),
    /// Work of the host takes longer by this factor.
    Slow {
        /// Which host.
        host: Host,
        /// How many times as long; above 1.
        factor: Ratio,
    },
    /// No packet passes between two hosts on any card.
    Cut {
        /// One end.
        from: Host,
        /// The other.
        to: Host,
        /// Which way.
        direction: Direction,
    },
    /// A cut that comes and goes.
    Flap {
        /// One end.
        from: Host,
        /// The other.
        to: Host,
        /// Which way.
        direction: Direction,
        /// How long it is cut each time.
        down: Span,
        /// How long it works in between.
        up: Span,
        /// How often it is cut; `None`: as long as the fault lasts.
        times: Option<u64>,
    },
    /// The migration cards carry less between two hosts.
    Degrade {
        /// One end.
        from: Host,
        /// The other.
        to: Host,
        /// Which way.
        direction: Direction,
        /// What is left of the rate; above 0, at most 1.
        rate: Ratio,
        /// Added to the one-way delay.
        latency: Span,
        /// Added to the probability of loss.
        loss: Ratio,
    },
    /// A host's migration card is slower, both ways.
    DegradeCard {
        /// Whose.
        host: Host,
        /// What is left of its rate; above 0, below 1.
        rate: Ratio,
    },
    /// Both ends of every stream between source and destination are told that it is reset.
    Reset,
    /// Packets of the streams between source and destination vanish without a sign; datagrams pass.
    Silence,
    /// Heartbeats and their answers between source and destination vanish; everything else passes.
    LoseHeartbeats {
        /// Only what this host sends.
        sent_by: Option<Host>,
    },
    /// All of these at the same instant, as one fault.
    Group(Vec<FaultKind>),
}

/// What of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// All of it, kernel and network included.
    Host,
    /// The VMM, and with it vCPUs and agent; the kernel goes on.
    Vmm,
    /// The agent alone; the VM executes on.
    Agent,
}

/// Which way a cut works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both.
    Both,
    /// From the first host to the second only.
    OneWay,
}

/// When a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// At a time since the start of the run.
    At(Span),
    /// In a phase.
    Phase {
        /// The phase.
        name: Phase,
        /// For `copy`: the round, from 1; `None`: any.
        round: Option<u64>,
        /// Share of the phase's due pages that must have arrived: strikes when it is first reached.
        progress: Ratio,
        /// Delay after that.
        after: Span,
    },
    /// At the n-th message of a kind.
    Message {
        /// Which kind.
        kind: MessageKind,
        /// The how manieth, from 1.
        n: u64,
        /// At which moment of its life.
        moment: Moment,
    },
    /// At the n-th packet of the guest.
    Outputs {
        /// The how manieth, from 1.
        n: u64,
        /// At which stage.
        stage: Stage,
    },
    /// At the n-th event of the run.
    Event {
        /// The how manieth, from 1.
        n: u64,
        /// Where about it.
        place: EventPlace,
    },
    /// After a time that is drawn for each run.
    Law {
        /// From which law.
        law: Law,
        /// From when on.
        from: Origin,
        /// Only times below this are drawn.
        within: Option<Span>,
    },
}

/// A moment in the life of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// It has just been written to its connection.
    Sent,
    /// It is about to arrive.
    BeforeDelivery,
    /// It has arrived, and whoever was idle has read it.
    AfterDelivery,
}

/// How far a packet of the guest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The guest has sent it.
    Emitted,
    /// It has left the host.
    Released,
    /// The client has it.
    Delivered,
}

/// A law of times, cut to whole nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Law {
    /// Without memory.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// P(later than t) = exp(−(t / scale)^shape).
    Weibull {
        /// The scale.
        scale: Span,
        /// The shape: below 1 early failures, above 1 wear.
        shape: Ratio,
    },
    /// exp of a normal law.
    LogNormal {
        /// The median.
        median: Span,
        /// Standard deviation of the logarithm.
        sigma: Ratio,
    },
    /// A sum of exponential laws, for whole shapes.
    Gamma {
        /// The scale: mean / shape.
        scale: Span,
        /// The shape.
        shape: Ratio,
    },
    /// Each whole nanosecond between two times alike, both included.
    Uniform {
        /// The first.
        from: Span,
        /// The last.
        to: Span,
    },
    /// One of these, each alike.
    Empirical(Vec<Span>),
}

impl Law {
    /// Whether a time below `bound` can be drawn.
    pub fn reaches_below(&self, bound: Span) -> bool {
        match self {
            Self::Uniform { from, .. } => *from < bound,
            Self::Empirical(times) => times.iter().any(|time| *time < bound),
            Self::Exponential { .. } | Self::Weibull { .. } | Self::LogNormal { .. } | Self::Gamma { .. } => {
                bound > Span::ZERO
            }
        }
    }
}

/// From when on a drawn time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The start of the run.
    Start,
    /// The source's accepting the command to migrate.
    Migrate,
}

impl FaultKind {
    /// What strikes: the members of a group, else the fault itself.
    pub fn parts(&self) -> &[FaultKind] {
        match self {
            Self::Group(members) => members,
            single => std::slice::from_ref(single),
        }
    }

    /// Whether it is a state that can end, and not a blow.
    pub fn can_end(&self) -> bool {
        match self {
            Self::Hang(..)
            | Self::Slow { .. }
            | Self::HangStore
            | Self::SlowStore(_)
            | Self::FillStore
            | Self::Cut { .. }
            | Self::Flap { .. }
            | Self::Degrade { .. }
            | Self::DegradeCard { .. }
            | Self::Silence
            | Self::LoseHeartbeats { .. } => true,
            Self::Crash(_)
            | Self::CrashVmm(_)
            | Self::CrashAgent(_)
            | Self::CrashStore
            | Self::LoseVersion
            | Self::TearVersion
            | Self::Reset => false,
            Self::Group(members) => members.iter().any(Self::can_end),
        }
    }

    /// Whether something of it can start again.
    pub fn can_restart(&self) -> bool {
        let restarts =
            |part: &Self| matches!(part, Self::Crash(_) | Self::CrashVmm(_) | Self::CrashAgent(_) | Self::CrashStore);
        self.parts().iter().any(restarts)
    }

    /// Whether it strikes the store of checkpoints or its medium, and nothing else.
    pub fn is_of_store(&self) -> bool {
        let of_process = matches!(self, Self::CrashStore | Self::HangStore | Self::SlowStore(_));
        of_process || matches!(self, Self::FillStore | Self::LoseVersion | Self::TearVersion)
    }

    /// The hosts on which it kills the agent.
    pub fn kills(&self) -> impl Iterator<Item = Host> + '_ {
        self.parts().iter().filter_map(|part| match part {
            Self::Crash(host) | Self::CrashVmm(host) | Self::CrashAgent(host) => Some(*host),
            _ => None,
        })
    }
}

impl Fault {
    /// Why it can never strike under a policy, as far as the policy tells; `emits`: the guest sends packets.
    pub fn cannot_strike(&self, policy: &Policy, emits: bool) -> Option<&'static str> {
        let pings = self.what.parts().iter().any(|part| matches!(part, FaultKind::LoseHeartbeats { .. }));
        if pings && policy.detector.heartbeat.is_none() {
            return Some("no heartbeats are sent, so none can be lost");
        }
        let store = self.what.parts().iter().any(FaultKind::is_of_store);
        if store && policy.checkpoint.is_none() {
            return Some("no checkpoints are made, so there is no store");
        }
        match &self.when {
            Trigger::Outputs { .. } if !emits => Some("the VM has no `output`, so nothing is ever sent"),
            Trigger::Law { from: Origin::Migrate, .. } if nothing_asked(policy) => {
                Some("no migration is asked for, so its time never begins")
            }
            Trigger::Phase { name: Phase::Stage1 | Phase::Stage2 | Phase::Transfer | Phase::Commit, .. }
                if policy.checkpoint.is_none() =>
            {
                Some("no checkpoints are made")
            }
            Trigger::Message { kind, .. } => never_said(*kind, policy),
            _ => None,
        }
    }
}

/// Whether neither a migration nor a protection is asked for.
fn nothing_asked(policy: &Policy) -> bool {
    policy.migration == Migration::None && policy.checkpoint.is_none()
}

/// Why a message is never sent under a policy.
fn never_said(kind: MessageKind, policy: &Policy) -> Option<&'static str> {
    let hands_over = matches!(policy.migration, Migration::StopAndCopy | Migration::PreCopy(_) | Migration::Hybrid(_));
    let three_phase = policy.handover.kind == HandoverKind::ThreePhase && hands_over;
    let follows = policy.migration.post_copy().is_some();
    let asks = [policy.handover.on_silence, policy.handover.destination_on_silence];
    let asks = asks.contains(&super::policy::OnSilence::Ask);
    match kind {
        _ if nothing_asked(policy) => Some("no migration is asked for, so no message is sent"),
        MessageKind::Ready | MessageKind::Go if !three_phase => Some("only a `three-phase` handover says so"),
        MessageKind::Flush if policy.migration.pre_copy().is_none_or(|rounds| rounds.channels < 2) => {
            Some("only a pre-copy with several `channels` says so")
        }
        MessageKind::State if !hands_over => Some("a post-copy says `switch`"),
        MessageKind::Switch
        | MessageKind::Request
        | MessageKind::Complete
        | MessageKind::Paused
        | MessageKind::Recover
        | MessageKind::Recovered
        | MessageKind::Resync
        | MessageKind::Have
            if !follows =>
        {
            Some("only `post-copy` and `hybrid` say so")
        }
        MessageKind::Ask | MessageKind::AnswerRunning | MessageKind::AnswerHolding | MessageKind::AnswerGo if !asks => {
            Some("nobody asks: no reaction to silence is `ask`")
        }
        MessageKind::Open | MessageKind::Opened
            if policy.checkpoint.as_ref().is_some_and(|checkpoint| !checkpoint.reverse()) =>
        {
            Some("only where the source has the base it opens an attempt at the store")
        }
        MessageKind::Unreadable if policy.checkpoint.as_ref().is_some_and(|checkpoint| !checkpoint.holds()) => {
            Some("no output is held, so nothing is promised")
        }
        // The last words of the list.
        kind if kind >= MessageKind::Protect && policy.checkpoint.is_none() => {
            Some("it is about checkpoints, and none are made")
        }
        _ => None,
    }
}
