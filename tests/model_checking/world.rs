//! The world of the model: who lives, what is on its way, what may happen next, and what then does.
//!
//! There is no time in it. Whatever is pending may happen next: that is all interleavings.

use std::collections::{BTreeMap, VecDeque};

use midflight::protocol::{
    Actions, Channel, Defective, Destination, FaultId, Input, Message, Operator, Settings, Source, StateId, Store,
    Stored, Timer,
};
use midflight::scenario::Scenario;
use midflight::units::LocalTime;
use midflight::vocabulary::Host;

use crate::host::{Kept, Node, Program, Seat};
use crate::plan::{Broken, Fault, Milestones, Plan};
use crate::vault::Vault;
use crate::vm::{PAGES, Vm};
use crate::wire::{Item, Line};

/// The state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub plan: Plan,
    /// Who lives.
    pub nodes: BTreeMap<Seat, Kept>,
    pub lines: BTreeMap<Line, VecDeque<Item>>,
    pub vm: Vm,
    pub vault: Vault,
    /// Pages that the source has not read yet.
    pub unread: [bool; PAGES],
    /// What was complete when the restoring node asked.
    pub asked: Vec<Option<Stored>>,
    /// The state of what is being restored, once it is claimed.
    pub restoring: Option<StateId>,
    pub milestones: Milestones,
    pub broken: Broken,
    rounds: u8,
    /// Between processes of one host, and to the operator: delivered before anything else happens.
    pub handed: VecDeque<(Seat, Input)>,
}

/// Something that may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The next message of a line, or its end, is read.
    Arrives(Line),
    /// What an abort has caught on its way never arrives.
    Vanishes(Line),
    /// Work ends.
    Done(Seat, Channel),
    Fires(Seat, Timer),
    /// A connection for checkpoints to a store that cannot be reached gives up.
    GivesUp(Line),
    /// The guest takes a step that writes a page, or comes to a missing one.
    Step(usize),
    /// The fault strikes.
    Strikes,
    /// Nothing else is left: what a dead host or a cut has caught on its way never arrives.
    Ends,
}

impl World {
    pub fn new(scenario: &Scenario, settings: &Settings, plan: Plan) -> Self {
        let mut programs = vec![
            (Seat::Operator, Program::Operator(Operator::new(&scenario.operator, true))),
            (Seat::Source, Program::Source(Source::new(settings.clone()))),
            (Seat::Destination, Program::Destination(Destination::new(settings.clone()))),
        ];
        programs.extend(Store::new(settings).map(|store| (Seat::Store, Program::Store(store))));
        for (seat, program) in &mut programs {
            if let Some((_, defect)) = plan.defect.filter(|(bearer, _)| bearer == seat) {
                *program = Program::Defective(Defective::new(Box::new(program.clone()), defect));
            }
        }
        let nodes = programs.into_iter().map(|(seat, program)| (seat, Kept::new(Node::new(program)))).collect();
        let mut world = Self {
            plan,
            nodes,
            lines: BTreeMap::new(),
            vm: Vm::new(),
            vault: Vault::default(),
            unread: [false; PAGES],
            asked: Vec::new(),
            restoring: None,
            milestones: Milestones::default(),
            broken: Broken::default(),
            rounds: 0,
            handed: VecDeque::new(),
        };
        for seat in [Seat::Source, Seat::Destination, Seat::Operator] {
            world.control(seat, Input::Start);
        }
        world.rehash();
        world
    }

    /// All that may happen next, in an order that does not vary.
    pub fn enabled(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (&line, items) in self.lines.iter().filter(|(line, _)| self.carries(**line)) {
            if items.front().is_some_and(|item| self.may_arrive(line, item)) {
                events.push(Event::Arrives(line));
            }
            if items.len() > 1 && items.back() == Some(&Item::End) {
                events.push(Event::Vanishes(line));
            }
        }
        for (&seat, node) in &self.nodes {
            let busy = node.lanes.iter().filter(|(_, lane)| lane.under_way.is_some());
            events.extend(busy.map(|(&channel, _)| Event::Done(seat, channel)));
            let known = node.channels.iter().map(|(&(to, channel), &number)| Line { from: seat, to, channel, number });
            let gives_up = known
                .filter(|line| (line.to, line.channel) == (Seat::Store, Channel::Checkpoint) && !self.carries(*line));
            events.extend(gives_up.map(Event::GivesUp));
            let due = node.timers.iter().filter(|timer| self.may_fire(seat, **timer));
            events.extend(due.map(|&timer| Event::Fires(seat, timer)));
        }
        let steps = |page: &usize| self.may_step(*page);
        events.extend((0..PAGES).filter(steps).map(Event::Step));
        if self.plan.fault.is_some() && self.milestones.struck.is_none() && !self.milestones.concluded {
            events.push(Event::Strikes);
        }
        if events.is_empty()
            && self.nodes.get(&Seat::Source).is_some_and(|node| node.timers.contains(&Timer::RestoreRetry))
        {
            // Only early tries are limited: where nothing else is left, there is always another.
            events.push(Event::Fires(Seat::Source, Timer::RestoreRetry));
        }
        let mut stranded =
            self.lines.iter().filter(|(line, items)| !items.is_empty() && !self.carries(**line)).peekable();
        if events.is_empty() && stranded.peek().is_some() {
            events.push(Event::Ends);
        }
        let late = stranded.filter(|(line, items)| items.front().is_some_and(|item| self.may_arrive(**line, item)));
        events.extend(late.map(|(&line, _)| Event::Arrives(line)));
        events
    }

    /// Whether nothing may happen any more.
    pub fn has_ended(&self) -> bool {
        self.enabled().is_empty()
    }

    fn may_arrive(&self, line: Line, item: &Item) -> bool {
        let Some(node) = self.nodes.get(&line.to) else { return false };
        !line.waits_for_work(item) || node.reads(line.channel)
    }

    /// Whether what is written to it now arrives.
    fn carries(&self, line: Line) -> bool {
        let lives = |seat| self.nodes.contains_key(&seat);
        let cut = self.is_cut() && line.is_cut_by(self.plan.store);
        lives(line.from) && lives(line.to) && !cut
    }

    pub fn is_cut(&self) -> bool {
        self.plan.fault == Some(Fault::Cut) && self.milestones.struck.is_some()
    }

    /// A timer that runs may fire at any moment. Those that tell of a silence fire where there is one, or where heartbeats are lost.
    fn may_fire(&self, seat: Seat, timer: Timer) -> bool {
        let silent = |peer: Seat| !self.carries(Line { from: peer, to: seat, channel: Channel::Migration, number: 0 });
        let peer = if seat == Seat::Source { Seat::Destination } else { Seat::Source };
        match timer {
            Timer::Pong(_) => self.plan.lost_heartbeats || silent(peer),
            // An overdue store is, to whoever makes checkpoints, what a connection that has given up is, and that may happen at any moment.
            // With another try of a restore while one is under way there are two million states: `tests/store.rs` has what may go wrong then.
            Timer::StoreOverdue | Timer::RestoreRetry => false,
            Timer::Checkpoint | Timer::StoreRetry => self.rounds < self.plan.rounds,
            _ => true,
        }
    }

    /// Nothing takes a restored copy back, so its steps change nothing for anybody, and neither do those before the stop.
    fn may_step(&self, page: usize) -> bool {
        let Some(copy) = &self.vm.destination else { return false };
        let steps = copy.guest.as_ref().map_or(0, |guest| guest.steps);
        copy.runs && copy.blocked.is_none() && steps < self.plan.guest_steps && page < PAGES
    }

    /// The world after an event.
    pub fn after(&self, event: Event) -> Self {
        let mut world = self.clone();
        match event {
            Event::Arrives(line) => world.arrives(line),
            Event::Vanishes(line) => world.vanishes(line),
            Event::Done(seat, channel) => world.done(seat, channel),
            Event::Fires(seat, timer) => {
                world.node(seat).timers.remove(&timer);
                if matches!(timer, Timer::Checkpoint | Timer::StoreRetry) {
                    world.rounds += 1;
                }
                world.control(seat, Input::Timer(timer));
            }
            Event::GivesUp(line) => {
                world.node(line.from).channels.remove(&(line.to, line.channel));
                world.lines.remove(&line.back());
                world.control(line.from, Input::Broken { channel: line.channel });
            }
            Event::Step(page) => world.guest_steps(page),
            Event::Strikes => world.strikes(),
            Event::Ends => {
                world.lines = self.lines.clone().into_iter().filter(|(line, _)| self.carries(*line)).collect();
            }
        }
        world.rehash();
        world
    }

    fn rehash(&mut self) {
        self.nodes.values_mut().for_each(Kept::rehash);
    }

    fn strikes(&mut self) {
        let Milestones { complete, relinquished, concluded, .. } = self.milestones;
        self.milestones.struck = Some([complete, relinquished, concluded]);
        if let Some(Fault::Crash(host)) = self.plan.fault {
            let store = self.plan.store;
            self.nodes.retain(|seat, _| seat.host(store) != host);
            *self.vm.slot(host) = None;
        }
        let lines: Vec<Line> = self.lines.keys().copied().filter(|line| !self.carries(*line)).collect();
        for line in lines {
            let lost = !self.nodes.contains_key(&line.to) || self.lines[&line].is_empty();
            if lost {
                self.lines.remove(&line);
            }
        }
    }

    fn arrives(&mut self, line: Line) {
        let Some(item) = self.lines.get_mut(&line).and_then(VecDeque::pop_front) else { return };
        self.drop_if_over(line);
        let known = (line.from, line.channel);
        let input = match item {
            Item::Says(envelope) => {
                self.node(line.to).channels.insert(known, line.number);
                Input::Message { from: line.from.host(self.plan.store), channel: line.channel, envelope }
            }
            Item::End => {
                self.lines.remove(&line);
                self.lines.remove(&line.back());
                let node = self.node(line.to);
                if node.channels.get(&known).is_some_and(|number| *number > line.number) {
                    // Another has taken its place: its end is no news.
                    return;
                }
                node.channels.remove(&known);
                Input::Broken { channel: line.channel }
            }
        };
        self.control(line.to, input);
    }

    fn vanishes(&mut self, line: Line) {
        if let Some(items) = self.lines.get_mut(&line) {
            *items = VecDeque::from([Item::End]);
        }
    }

    /// What a line that carries nothing any more had on its way is gone: so is the line.
    fn drop_if_over(&mut self, line: Line) {
        if !self.carries(line) && self.lines.get(&line).is_some_and(VecDeque::is_empty) {
            self.lines.remove(&line);
        }
    }

    /// Writes to a connection. Answers whether the writer knows of one.
    pub fn write(&mut self, from: Seat, to: Seat, channel: Channel, item: Item) -> bool {
        let Some(&number) = self.node(from).channels.get(&(to, channel)) else { return false };
        let line = Line { from, to, channel, number };
        if self.carries(line)
            && let Some(items) = self.lines.get_mut(&line)
            && items.back() != Some(&Item::End)
        {
            items.push_back(item);
        }
        true
    }

    /// Opens a connection; an older one of the same name is closed behind what was written to it.
    pub fn open(&mut self, from: Seat, to: Seat, channel: Channel) {
        self.close(from, to, channel);
        let mut number = 0;
        let line = |number| Line { from, to, channel, number };
        while self.lines.contains_key(&line(number)) || self.lines.contains_key(&line(number).back()) {
            number += 1;
        }
        self.node(from).channels.insert((to, channel), number);
        if self.carries(line(number)) {
            self.lines.insert(line(number), VecDeque::new());
            self.lines.insert(line(number).back(), VecDeque::new());
        }
    }

    /// Closes a connection: what the peer has sent is not read, and the peer reads its end.
    pub fn close(&mut self, from: Seat, to: Seat, channel: Channel) {
        let Some(number) = self.node(from).channels.remove(&(to, channel)) else { return };
        let line = Line { from, to, channel, number };
        self.lines.remove(&line.back());
        if self.carries(line)
            && let Some(items) = self.lines.get_mut(&line)
        {
            items.push_back(Item::End);
        }
    }

    pub fn node(&mut self, seat: Seat) -> &mut Node {
        self.nodes.get_mut(&seat).expect("only who lives acts").change()
    }

    /// Hands an input to an agent, and then what its actions handed on.
    pub fn control(&mut self, seat: Seat, input: Input) {
        self.step(seat, input);
        self.pump(seat);
        while let Some((seat, input)) = self.handed.pop_front() {
            self.step(seat, input);
            self.pump(seat);
        }
    }

    pub fn step(&mut self, seat: Seat, input: Input) {
        if !self.nodes.contains_key(&seat) {
            return;
        }
        let asks = matches!(&input, Input::Message { envelope, .. }
            if seat == Seat::Store && matches!(envelope.message, Message::Claim { .. } | Message::Read { .. }));
        let mut actions = Actions::default();
        self.node(seat).program.agent().step(LocalTime::from_ns(0), input, &mut actions);
        for action in actions.drain().collect::<Vec<_>>() {
            match action.lane() {
                Some(channel) => self.node(seat).lanes.entry(channel).or_default().waiting.push_back(action),
                None => self.perform(seat, action),
            }
        }
        if asks && !self.asked.contains(&self.vault.newest) {
            self.asked.push(self.vault.newest);
        }
    }

    fn guest_steps(&mut self, page: usize) {
        let copy = self.vm.receiving(Host::Destination);
        let Some(content) = copy.pages[page] else {
            copy.blocked = Some(page);
            return self.control(Seat::Destination, Input::Fault(FaultId(page as u64)));
        };
        self.guest_writes(page, content);
    }
}
