//! What is wrong at present: faults that are states, how they begin, come and go, and end.
//!
//! Each is kept under the number of its fault and its place in the fault's group, so that several of a kind begin and end
//! independently of each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::network::Degradation;
use crate::scenario::{Direction, FaultKind};
use crate::units::{Ratio, Span};
use crate::vocabulary::Host;

use super::hang::Hangs;
use super::program::Seat;
use super::strike::NotFired;
use super::trigger::Counts;
use super::{Event, Fact, FaultState, World, host_id};

/// Number of the fault, and place in its group.
pub(super) type Name = (usize, usize);

/// Everything that is wrong, and what is counted to make things go wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Trouble {
    pub hangs: Hangs,
    pub counts: Counts,
    /// How many times as long work takes.
    slow: BTreeMap<(Host, Name), Ratio>,
    /// The same of the store alone.
    slow_store: BTreeMap<Name, Ratio>,
    /// What takes the room of the store's medium.
    full: BTreeSet<Name>,
    flaps: BTreeMap<Name, Flapping>,
}

/// A link that goes down and comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Flapping {
    down: bool,
    /// How often it has been down.
    times: u64,
}

impl Trouble {
    /// Whether the store's medium has no more room.
    pub fn medium_is_full(&self) -> bool {
        !self.full.is_empty()
    }

    /// Whether the store's process stands still by itself.
    pub fn store_hangs(&self) -> bool {
        self.hangs.store_hangs()
    }
}

/// A name as a number, for the network.
fn number((fault, part): Name) -> u64 {
    (fault as u64) << 32 | part as u64
}

impl World {
    /// Begins a state; `what` is none of the blows.
    pub(super) fn begin_trouble(&mut self, name: Name, what: &FaultKind) -> Result<(), NotFired> {
        match *what {
            FaultKind::Hang(part, host) => self.hang(name, part, host)?,
            FaultKind::Slow { host, factor } => {
                if !self.node_is_up(host) {
                    return Err(NotFired::AlreadyDead);
                }
                self.trouble.slow.insert((host, name), factor);
                self.stretch_work(host, None, factor);
            }
            FaultKind::HangStore | FaultKind::SlowStore(_) | FaultKind::FillStore => self.trouble_store(name, what)?,
            FaultKind::Cut { from, to, direction } => self.cut(from, to, direction, true),
            FaultKind::Flap { .. } => {
                self.trouble.flaps.insert(name, Flapping { down: false, times: 0 });
                self.toggle(name.0, name.1);
            }
            FaultKind::Degrade { from, to, direction, rate, latency, loss } => {
                self.degrade(name, (from, to, direction), Some(Degradation { rate, latency, loss }));
            }
            FaultKind::DegradeCard { host, rate } => {
                self.network.degrade_card(self.now, host_id(host), number(name), Some(rate), &mut self.effects);
            }
            FaultKind::Silence => self.silence(true),
            FaultKind::LoseHeartbeats { sent_by } => self.lose_heartbeats(sent_by, true),
            _ => unreachable!("{what:?} is a blow"),
        }
        Ok(())
    }

    /// Begins a state of the store or its medium.
    fn trouble_store(&mut self, name: Name, what: &FaultKind) -> Result<(), NotFired> {
        let Some(host) = self.store_host().filter(|&host| self.lives(host, Seat::Store)) else {
            return Err(NotFired::AlreadyDead);
        };
        match *what {
            FaultKind::HangStore => self.hang_store(name, host),
            FaultKind::SlowStore(factor) => {
                self.trouble.slow_store.insert(name, factor);
                self.stretch_work(host, Some(Seat::Store), factor);
            }
            _ => drop(self.trouble.full.insert(name)),
        }
        Ok(())
    }

    /// Ends a state; blows and what has ended already are left alone.
    pub(super) fn end_trouble(&mut self, name: Name, what: &FaultKind) {
        match *what {
            FaultKind::Hang(part, host) => self.wake(name, part, host),
            FaultKind::Slow { host, .. } => {
                if let Some(factor) = self.trouble.slow.remove(&(host, name)) {
                    self.stretch_work(host, None, Ratio::new(factor.den(), factor.num()));
                }
            }
            FaultKind::HangStore => self.wake_store(name),
            FaultKind::SlowStore(_) => {
                if let Some((factor, host)) = self.trouble.slow_store.remove(&name).zip(self.store_host()) {
                    self.stretch_work(host, Some(Seat::Store), Ratio::new(factor.den(), factor.num()));
                }
            }
            FaultKind::FillStore => drop(self.trouble.full.remove(&name)),
            FaultKind::Cut { from, to, direction } => self.cut(from, to, direction, false),
            // One that comes and goes so many times ends by itself.
            FaultKind::Flap { from, to, direction, times: None, .. } => {
                self.agenda.cancel(Event::Toggle(name.0, name.1));
                if self.trouble.flaps.remove(&name).is_some_and(|flapping| flapping.down) {
                    self.cut(from, to, direction, false);
                }
            }
            FaultKind::Degrade { from, to, direction, .. } => self.degrade(name, (from, to, direction), None),
            FaultKind::DegradeCard { host, .. } => {
                self.network.degrade_card(self.now, host_id(host), number(name), None, &mut self.effects);
            }
            FaultKind::Silence => self.silence(false),
            FaultKind::LoseHeartbeats { sent_by } => self.lose_heartbeats(sent_by, false),
            _ => {}
        }
    }

    /// A link that flaps goes down, or comes up.
    pub(super) fn toggle(&mut self, fault: usize, part: usize) {
        let scenario = self.scenario.clone();
        let FaultKind::Flap { from, to, direction, down, up, times } = scenario.faults[fault].what.parts()[part] else {
            return;
        };
        let Some(flapping) = self.trouble.flaps.get_mut(&(fault, part)) else { return };
        flapping.down = !flapping.down;
        flapping.times += u64::from(flapping.down);
        let Flapping { down: is_down, times: so_far } = *flapping;
        self.cut(from, to, direction, is_down);
        if is_down {
            self.schedule(self.now.saturating_add(down), Event::Toggle(fault, part));
        } else if times.is_none_or(|times| so_far < times) {
            self.schedule(self.now.saturating_add(up), Event::Toggle(fault, part));
        } else {
            self.trouble.flaps.remove(&(fault, part));
            self.check_ended(fault);
        }
    }

    /// A fault is over when nothing of it is still to come.
    pub(super) fn check_ended(&mut self, fault: usize) {
        let parts = 0..self.scenario.faults[fault].what.parts().len();
        let toggles = parts.map(|part| Event::Toggle(fault, part));
        let to_come = [Event::Heal(fault), Event::Restart(fault)].into_iter().chain(toggles);
        if to_come.into_iter().any(|event| self.agenda.due(event).is_some()) {
            return;
        }
        if let FaultState::Fired { ended, .. } = &mut self.faults[fault] {
            *ended = Some(self.now);
        }
        self.say(Fact::Healed(fault));
    }

    fn cut(&mut self, from: Host, to: Host, direction: Direction, cut: bool) {
        self.network.set_cut(self.now, host_id(from), host_id(to), cut, &mut self.effects);
        if direction == Direction::Both {
            self.network.set_cut(self.now, host_id(to), host_id(from), cut, &mut self.effects);
        }
    }

    fn silence(&mut self, silent: bool) {
        let (source, destination) = (host_id(Host::Source), host_id(Host::Destination));
        self.network.set_silent(self.now, source, destination, silent, &mut self.effects);
    }

    fn degrade(&mut self, name: Name, (from, to, direction): (Host, Host, Direction), how: Option<Degradation>) {
        let (from, to) = (host_id(from), host_id(to));
        self.network.degrade(self.now, (from, to), number(name), how, &mut self.effects);
        if direction == Direction::Both {
            self.network.degrade(self.now, (to, from), number(name), how, &mut self.effects);
        }
    }

    /// Only heartbeats are datagrams between the two on the migration card.
    fn lose_heartbeats(&mut self, sent_by: Option<Host>, lost: bool) {
        let (source, destination) = (Host::Source, Host::Destination);
        for (from, to) in [(source, destination), (destination, source)] {
            if sent_by.is_none_or(|host| host == from) {
                self.network.set_muted(host_id(from), host_id(to), lost);
            }
        }
    }

    /// How long work of a process on `host` takes that takes so long by right.
    pub(super) fn slowed(&self, host: Host, seat: Seat, cost: Span) -> Span {
        let of_host = self.trouble.slow.range((host, (0, 0))..=(host, (usize::MAX, usize::MAX)));
        let of_store = self.trouble.slow_store.values().filter(|_| seat == Seat::Store);
        let factors = of_host.map(|(_, factor)| factor).chain(of_store);
        factors.fold(cost, |cost, factor| cost.scale_saturating(*factor))
    }

    /// What is left of the work under way on `host`, or of one process there, takes so many times as long from now on.
    fn stretch_work(&mut self, host: Host, of: Option<Seat>, factor: Ratio) {
        let lanes: Vec<_> = self.nodes.get(&host).map_or(Vec::new(), |node| node.lanes.keys().copied().collect());
        let concerned: Vec<_> =
            lanes.into_iter().filter(|&lane| of.is_none_or(|seat| self.seat_of(host, lane) == seat)).collect();
        for &lane in &concerned {
            let event = Event::WorkDone(host, lane);
            if let Some(due) = self.agenda.due(event) {
                let left = due.saturating_since(self.now).scale_saturating(factor);
                self.schedule(self.now.saturating_add(left), event);
            }
        }
        self.trouble.hangs.stretch(host, &concerned, factor);
    }
}
