//! What faults wait for beside times and phases: messages, packets of the guest, times drawn from a law.

use std::collections::BTreeMap;

use crate::model::network::{HostId, NetEvent, StreamId};
use crate::protocol::{Answer, Message, Report};
use crate::rng::within::{CERTAIN, Continuous};
use crate::rng::{Purpose, Stream};
use crate::scenario::{EventPlace, Law, Moment, Origin, Scenario, Stage, Trigger};
use crate::units::{SimTime, Span};
use crate::vocabulary::MessageKind;

use super::wire::Packet;
use super::{Event, EventKey, FaultState, OutputStage, World};

/// What has been counted, by number of the fault that waits for it, and the times that have been drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Counts {
    seen: BTreeMap<usize, u64>,
    /// Times that count from the migrate command.
    drawn: BTreeMap<usize, Span>,
    /// Events that have happened, and things that nodes have done about the last of them.
    events: u64,
    actions: u64,
}

impl Counts {
    pub(super) fn next_event(&mut self) {
        self.events += 1;
        self.actions = 0;
    }

    pub(super) fn steps(&self) -> (u64, u64) {
        (self.events, self.actions)
    }
}

impl World {
    /// Draws when a fault strikes. Every fault has a stream of its own, and is drawn whether it will strike or not.
    pub(super) fn draw(&mut self, index: usize, law: &Law, from: Origin, within: Option<Span>) {
        let mut stream = self.seed.stream(Purpose::Faults, u32::try_from(index).expect("few faults"));
        let time = match within {
            None => draw(law, &mut stream),
            Some(bound) => draw_within(law, bound, &mut stream),
        };
        match from {
            Origin::Start => self.schedule(SimTime::ZERO.saturating_add(time), Event::Chance(index)),
            Origin::Migrate => drop(self.trouble.counts.drawn.insert(index, time)),
        }
    }

    /// The migrate command has been accepted: times that count from it begin.
    pub(super) fn release_drawn(&mut self) {
        for (index, time) in std::mem::take(&mut self.trouble.counts.drawn) {
            self.schedule(self.now.saturating_add(time), Event::Chance(index));
        }
    }

    /// One more of what the faults that `waits` picks wait for: whose count is full strikes next.
    fn count(&mut self, waits: impl Fn(&Trigger) -> Option<u64>) {
        let scenario = self.scenario.clone();
        for (index, fault) in scenario.faults.iter().enumerate() {
            let Some(n) = waits(&fault.when).filter(|_| self.faults[index] == FaultState::Pending) else { continue };
            let seen = self.trouble.counts.seen.entry(index).or_default();
            *seen += 1;
            if *seen == n {
                self.faults[index] = FaultState::Armed;
                self.schedule(self.now, Event::Strike(index));
            }
        }
    }

    /// A packet of the guest has come so far.
    pub(super) fn count_output(&mut self, stage: OutputStage) {
        let stage = match stage {
            OutputStage::Emitted => Stage::Emitted,
            OutputStage::Released => Stage::Released,
            OutputStage::Delivered => Stage::Delivered,
            OutputStage::Lost => return,
        };
        self.count(|when| match when {
            Trigger::Outputs { n, stage: wanted } if *wanted == stage => Some(*n),
            _ => None,
        });
    }

    /// A message has been written.
    pub(super) fn count_sent(&mut self, message: &Message) {
        let here = kind_of(message);
        self.count(|when| match when {
            Trigger::Message { kind, n, moment: Moment::Sent } if *kind == here => Some(*n),
            _ => None,
        });
    }

    /// A message has arrived. Those that wait for the moment before have been looked at; they only count.
    pub(super) fn count_delivery(&mut self, message: &Message) {
        let here = kind_of(message);
        self.count(|when| match when {
            Trigger::Message { kind, n, moment: Moment::AfterDelivery } if *kind == here => Some(*n),
            Trigger::Message { kind, moment: Moment::BeforeDelivery, .. } if *kind == here => Some(u64::MAX),
            _ => None,
        });
    }

    /// Strikes with the faults that wait for the moment before a message arrives, if this event would deliver it. What they do to the
    /// network, they do before the message is there: a cut keeps it back.
    pub(super) fn before_delivery(&mut self, event: NetEvent) {
        let NetEvent::Arrival { stream, from } = event else { return };
        let scenario = self.scenario.clone();
        for (index, fault) in scenario.faults.iter().enumerate() {
            let Trigger::Message { kind, n, moment: Moment::BeforeDelivery } = fault.when else { continue };
            let seen = self.trouble.counts.seen.get(&index).copied().unwrap_or_default();
            let next = seen + 1 == n && self.faults[index] == FaultState::Pending;
            if next && self.arriving(stream, from) == Some(kind) {
                self.strike(index);
                self.settle();
            }
        }
    }

    /// Strikes with the faults that wait for the moment before this event. Answers that it did if nothing is left of the event: it was
    /// of what is dead now.
    pub(super) fn before_event(&mut self, key: EventKey) -> Option<Event> {
        let n = self.trouble.counts.events + 1;
        let mut last = None;
        while self.agenda.peek(key).is_some()
            && let Some(index) = self.due_at(n, |place| place == EventPlace::Before)
        {
            self.now = self.now.max(key.at);
            self.strike(index);
            self.settle();
            last = Some(Event::Strike(index));
        }
        last.filter(|_| self.agenda.peek(key).is_none())
    }

    /// Strikes with the faults that wait for this event to be over.
    pub(super) fn after_event(&mut self) {
        let n = self.trouble.counts.events;
        while let Some(index) = self.due_at(n, |place| matches!(place, EventPlace::After(_))) {
            let Trigger::Event { place: EventPlace::After(after), .. } = self.scenario.faults[index].when else {
                return;
            };
            self.faults[index] = FaultState::Armed;
            if after == Span::ZERO {
                self.strike(index);
                self.settle();
            } else {
                self.schedule(self.now.saturating_add(after), Event::Strike(index));
            }
        }
    }

    /// A node has done one thing more: strikes with the faults that wait for that.
    pub(super) fn after_action(&mut self) {
        let counts = &mut self.trouble.counts;
        counts.actions += 1;
        let (n, actions) = counts.steps();
        if let Some(index) = self.due_at(n, |place| place == EventPlace::Within(actions)) {
            self.strike(index);
        }
    }

    /// The first pending fault that waits for a place about the n-th event.
    fn due_at(&self, event: u64, here: impl Fn(EventPlace) -> bool) -> Option<usize> {
        self.scenario.faults.iter().enumerate().find_map(|(index, fault)| match fault.when {
            Trigger::Event { n, place } if n == event && here(place) && self.faults[index] == FaultState::Pending => {
                Some(index)
            }
            _ => None,
        })
    }

    fn arriving(&self, stream: StreamId, from: HostId) -> Option<MessageKind> {
        let message = self.network.arriving(self.now, stream, from)?;
        match self.packets.get(&message)? {
            Packet::Protocol { envelope, .. } => Some(kind_of(&envelope.message)),
            _ => None,
        }
    }
}

fn draw(law: &Law, stream: &mut Stream) -> Span {
    match law {
        Law::Exponential { mean } => stream.exponential_time(*mean),
        Law::Weibull { scale, shape } => stream.weibull_time(*scale, *shape),
        Law::LogNormal { median, sigma } => stream.log_normal_time(*median, *sigma),
        Law::Gamma { scale, shape } => stream.gamma_time(*scale, *shape),
        Law::Uniform { from, to } => stream.uniform_time(*from, *to),
        Law::Empirical(times) => stream.one_of(times),
    }
}

fn continuous(law: &Law) -> Option<Continuous> {
    match *law {
        Law::Exponential { mean } => Some(Continuous::Exponential { mean }),
        Law::Weibull { scale, shape } => Some(Continuous::Weibull { scale, shape }),
        Law::LogNormal { median, sigma } => Some(Continuous::LogNormal { median, sigma }),
        Law::Gamma { scale, shape } => Some(Continuous::Gamma { scale, shape }),
        Law::Uniform { .. } | Law::Empirical(_) => None,
    }
}

/// Those of a sample that are below a bound.
fn below(times: &[Span], bound: Span) -> Vec<Span> {
    times.iter().copied().filter(|time| *time < bound).collect()
}

fn draw_within(law: &Law, bound: Span, stream: &mut Stream) -> Span {
    match law {
        Law::Uniform { from, to } => stream.uniform_time(*from, (*to).min(bound.saturating_sub(Span::from_ns(1)))),
        Law::Empirical(times) => stream.one_of(&below(times, bound)),
        _ => stream.time_within(continuous(law).expect("the others are continuous"), bound),
    }
}

/// The probability that a time of the law is below a bound, in units of 10⁻¹⁸.
fn probability(law: &Law, bound: Span) -> u64 {
    let share = |some: u64, all: u64| {
        u64::try_from(u128::from(CERTAIN) * u128::from(some) / u128::from(all)).expect("a share is at most all")
    };
    match law {
        Law::Uniform { from, to } => {
            let all = to.saturating_sub(*from).ns().saturating_add(1);
            share(bound.saturating_sub(*from).ns().min(all), all)
        }
        Law::Empirical(times) => share(below(times, bound).len() as u64, times.len() as u64),
        _ => continuous(law).expect("the others are continuous").below(bound),
    }
}

/// The probability of what is taken for granted of a scenario's faults, in units of 10⁻¹⁸; `None`: nothing is.
pub fn weight(scenario: &Scenario) -> Option<u64> {
    let kept = scenario.faults.iter().filter_map(|fault| match &fault.when {
        Trigger::Law { law, within: Some(bound), .. } => Some(probability(law, *bound)),
        _ => None,
    });
    let product = |all: u64, one: u64| {
        u64::try_from(u128::from(all) * u128::from(one) / u128::from(CERTAIN)).expect("no more than either")
    };
    kept.reduce(product)
}

/// A message's word.
fn kind_of(message: &Message) -> MessageKind {
    match message {
        Message::Migrate => MessageKind::Migrate,
        Message::Cancel => MessageKind::Cancel,
        Message::Report(Report::Success) => MessageKind::ReportSuccess,
        Message::Report(Report::Failure) => MessageKind::ReportFailure,
        Message::Pages(_) => MessageKind::Pages,
        Message::Flush => MessageKind::Flush,
        Message::State(_) => MessageKind::State,
        Message::Ready => MessageKind::Ready,
        Message::Go => MessageKind::Go,
        Message::Started => MessageKind::Started,
        Message::Released => MessageKind::Released,
        Message::Switch { .. } => MessageKind::Switch,
        Message::Request(_) => MessageKind::Request,
        Message::Complete => MessageKind::Complete,
        Message::Pause => MessageKind::Pause,
        Message::Paused => MessageKind::Paused,
        Message::Recover => MessageKind::Recover,
        Message::Recovered => MessageKind::Recovered,
        Message::Resync => MessageKind::Resync,
        Message::Have(_) => MessageKind::Have,
        Message::Ask => MessageKind::Ask,
        Message::Answer(Answer::Running) => MessageKind::AnswerRunning,
        Message::Answer(Answer::Holding) => MessageKind::AnswerHolding,
        Message::Answer(Answer::Go) => MessageKind::AnswerGo,
        Message::Answer(Answer::Abandoned) => MessageKind::AnswerAbandoned,
        Message::Protect => MessageKind::Protect,
        Message::Chunk { .. } => MessageKind::Chunk,
        Message::Mark { .. } => MessageKind::Mark,
        Message::Sealed(_) => MessageKind::Sealed,
        Message::Committed(_) => MessageKind::Committed,
        Message::Torn(_) => MessageKind::Torn,
        Message::Full(_) => MessageKind::Full,
        Message::Gap(_) => MessageKind::Gap,
        Message::Refused(_) => MessageKind::Refused,
        Message::Open => MessageKind::Open,
        Message::Opened => MessageKind::Opened,
        Message::Claim { .. } => MessageKind::Claim,
        Message::Read { .. } => MessageKind::Read,
        Message::Claimed(_) => MessageKind::Claimed,
        Message::Unreadable => MessageKind::Unreadable,
        Message::Fetch { .. } => MessageKind::Fetch,
        Message::Restored { .. } => MessageKind::Restored,
        Message::AllRestored(_) => MessageKind::AllRestored,
        Message::WriteFinal => MessageKind::WriteFinal,
        Message::FinalWritten => MessageKind::FinalWritten,
        Message::Final => MessageKind::Final,
        Message::LeaseRequest(_) => MessageKind::LeaseRequest,
        Message::LeaseGranted(_) => MessageKind::LeaseGranted,
        Message::Degrade => MessageKind::Degrade,
        Message::Degraded => MessageKind::Degraded,
        Message::Abandon => MessageKind::Abandon,
        Message::Fence(_) => MessageKind::Fence,
        Message::Fenced(_) => MessageKind::Fenced,
    }
}
