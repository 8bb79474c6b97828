//! What is pending: events by (time, class, sequence), each at most once.
//!
//! An event is its own name: scheduling it again moves it. So nothing stale is ever pending, and what is pending
//! is part of the world's state, for a checker to list and choose from.

use std::collections::BTreeMap;

use crate::model::network::NetEvent;
use crate::protocol::{Channel, FaultId, Timer};
use crate::units::SimTime;
use crate::vocabulary::Host;

/// Something that happens to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Fault number n strikes.
    Strike(usize),
    /// Fault number n ends.
    Heal(usize),
    /// The network moves.
    Network(NetEvent),
    /// The guest on this host sends something.
    Output(Host),
    /// The guest on this host writes to the disk.
    Disk(Host),
    /// The guest on this host may reach a page that is not there.
    Access(Host),
    /// The news of such an access reaches the agent.
    Request(FaultId),
    /// The piece of work under way in this lane of this host is done.
    WorkDone(Host, Channel),
    /// A timer of this host's agent fires.
    Timer(Host, Timer),
    /// Fault number n strikes, its time having been drawn from a law. It keeps no run waiting.
    Chance(usize),
    /// A link that flaps goes down or comes up: part of fault number n.
    Toggle(usize, usize),
    /// What fault number n killed starts again.
    Restart(usize),
    /// The kernel has done away with dead process number n: its connections are closed.
    Buried(u64),
}

/// What comes first among events of equal time.
///
/// *Faults* first: a fault at t must be able to hit what is delivered at t, or no fault could strike "just before". *Network*
/// next: what arrives at t is there for whatever a node decides at t. *Guest* before *work*: what the guest sends at t
/// leaves before the node's next step at t. *Timers* last: an answer that arrives at its deadline is in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Strikes and heals, and what starts again.
    Fault,
    /// Departures, arrivals, retransmissions.
    Network,
    /// Output, disk writes, accesses to missing pages.
    Guest,
    /// Ends of work, news of such accesses.
    Work,
    /// Timers.
    Timer,
}

impl Event {
    /// Whether it is more than the guest's own life and packets on their way.
    fn is_busy(self) -> bool {
        !matches!(self, Self::Chance(_)) && matches!(self.class(), Class::Fault | Class::Work | Class::Timer)
    }

    /// Whether bytes of a connection arrive.
    pub fn is_arrival(self) -> bool {
        matches!(self, Self::Network(NetEvent::Arrival { .. }))
    }

    /// Its class.
    pub fn class(self) -> Class {
        match self {
            Self::Strike(_) | Self::Heal(_) | Self::Chance(_) | Self::Toggle(..) | Self::Restart(_) => Class::Fault,
            Self::Network(_) | Self::Buried(_) => Class::Network,
            Self::Output(_) | Self::Disk(_) | Self::Access(_) => Class::Guest,
            Self::WorkDone(..) | Self::Request(_) => Class::Work,
            Self::Timer(..) => Class::Timer,
        }
    }
}

/// When a pending event is due, and its place among those of equal time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// When.
    pub at: SimTime,
    /// What comes first at that time.
    pub class: Class,
    /// In which order they were scheduled.
    pub sequence: u64,
}

/// All pending events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Agenda {
    by_key: BTreeMap<EventKey, Event>,
    by_event: BTreeMap<Event, EventKey>,
    scheduled: u64,
    /// How many of them are faults, work or timers.
    busy: usize,
}

impl Agenda {
    /// Schedules `event`, or moves it.
    pub fn schedule(&mut self, at: SimTime, event: Event) {
        self.cancel(event);
        let key = EventKey { at, class: event.class(), sequence: self.scheduled };
        self.scheduled += 1;
        self.by_key.insert(key, event);
        self.by_event.insert(event, key);
        self.busy += usize::from(event.is_busy());
    }

    /// Forgets `event`, if it is pending.
    pub fn cancel(&mut self, event: Event) {
        if let Some(key) = self.by_event.remove(&event) {
            self.by_key.remove(&key);
            self.busy -= usize::from(event.is_busy());
        }
    }

    /// When `event` is due, if it is pending.
    pub fn due(&self, event: Event) -> Option<SimTime> {
        self.by_event.get(&event).map(|key| key.at)
    }

    /// Forgets all that `drop` says.
    pub fn cancel_where(&mut self, drop: impl Fn(Event) -> bool) {
        self.by_event.retain(|&event, _| !drop(event));
        self.by_key.retain(|_, event| !drop(*event));
        self.busy = self.by_key.values().filter(|event| event.is_busy()).count();
    }

    /// Takes one out.
    pub fn take(&mut self, key: EventKey) -> Option<Event> {
        let event = self.by_key.remove(&key)?;
        self.by_event.remove(&event);
        self.busy -= usize::from(event.is_busy());
        Some(event)
    }

    /// What is pending under this key.
    pub fn peek(&self, key: EventKey) -> Option<Event> {
        self.by_key.get(&key).copied()
    }

    /// Whether a fault, a piece of work or a timer is pending.
    pub fn is_busy(&self) -> bool {
        self.busy > 0
    }

    /// All pending events in their order.
    pub fn iter(&self) -> impl Iterator<Item = (EventKey, Event)> + '_ {
        self.by_key.iter().map(|(&key, &event)| (key, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_time_class_sequence_and_rescheduling_moves() {
        let at = SimTime::from_ns;
        let timer = |host| Event::Timer(host, Timer::Ping);
        let mut agenda = Agenda::default();
        agenda.schedule(at(5), timer(Host::Source));
        agenda.schedule(at(5), timer(Host::Destination));
        agenda.schedule(at(5), Event::Strike(0));
        agenda.schedule(at(9), Event::WorkDone(Host::Source, Channel::Migration));
        agenda.schedule(at(5), timer(Host::Source));
        agenda.schedule(at(1), Event::WorkDone(Host::Source, Channel::Migration));
        let order: Vec<Event> = agenda.iter().map(|(_, event)| event).collect();
        let expected = [
            Event::WorkDone(Host::Source, Channel::Migration),
            Event::Strike(0),
            timer(Host::Destination),
            timer(Host::Source),
        ];
        assert_eq!(order, expected);
        assert!(agenda.is_busy());
        agenda.cancel_where(|event| event.class() == Class::Timer);
        assert_eq!(agenda.iter().count(), 2);
    }
}
