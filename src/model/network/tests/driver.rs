//! A world of nothing but a network: agenda, clock, log, and laws checked after every step.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use crate::units::{Bytes, Ratio, Span};

pub(super) const A: HostId = HostId(0);
pub(super) const B: HostId = HostId(1);
pub(super) const C: HostId = HostId(2);

pub(super) fn spec() -> scenario::Network {
    scenario::Network {
        nics: Nics::Separate,
        rate: ByteRate::new(1_000_000_000),
        application_rate: ByteRate::new(1_000_000_000),
        rate_trace: Vec::new(),
        path_rate: None,
        latency: Span::from_us(1),
        jitter: Span::ZERO,
        loss: Ratio::ZERO,
        duplicate: Ratio::ZERO,
        queue: Bytes::new(10_000),
        send_buffer: Bytes::new(5_000),
        packet: Bytes::new(1_000),
        rto: Span::from_ms(200),
        rto_max: Span::from_s(60),
        give_up: Span::from_s(1),
    }
}

#[derive(Debug, Clone)]
pub(super) struct Driver {
    pub(super) net: Network,
    pub(super) now: SimTime,
    agenda: BTreeMap<(SimTime, u64), NetEvent>,
    due: BTreeMap<NetEvent, (SimTime, u64)>,
    sequence: u64,
    messages: u64,
    effects: Vec<(SimTime, Effect)>,
    /// Stream and sender of every message written.
    sent: BTreeMap<MessageId, (StreamId, HostId)>,
    newest: BTreeMap<(StreamId, HostId), MessageId>,
    closed: BTreeSet<(StreamId, HostId)>,
    written: BTreeSet<MessageId>,
    left: BTreeSet<MessageId>,
    /// Messages with an outcome, and whether another copy is awaited.
    done: BTreeMap<MessageId, bool>,
}

impl Driver {
    pub(super) fn new(spec: &scenario::Network) -> Self {
        let net = Network::new(spec, 3, RunSeed { seed: 1, replication: 0 });
        let mut driver = Self {
            net,
            now: SimTime::ZERO,
            agenda: BTreeMap::new(),
            due: BTreeMap::new(),
            sequence: 0,
            messages: 0,
            effects: Vec::new(),
            sent: BTreeMap::new(),
            newest: BTreeMap::new(),
            closed: BTreeSet::new(),
            written: BTreeSet::new(),
            left: BTreeSet::new(),
            done: BTreeMap::new(),
        };
        driver.act(|net, _, out| net.start(out));
        driver
    }

    pub(super) fn act(&mut self, action: impl FnOnce(&mut Network, SimTime, &mut Vec<Effect>)) {
        let mut out = Vec::new();
        action(&mut self.net, self.now, &mut out);
        for effect in out {
            self.take(effect);
        }
        self.check_accounts();
        self.check_waiting();
    }

    pub(super) fn open(&mut self, a: HostId, b: HostId, nic: Nic) -> StreamId {
        self.net.open(a, b, nic)
    }

    fn number(&mut self) -> MessageId {
        self.messages += 1;
        MessageId(self.messages - 1)
    }

    pub(super) fn write(&mut self, stream: StreamId, from: HostId, bytes: u64) {
        let message = self.number();
        self.sent.insert(message, (stream, from));
        self.act(|net, now, out| net.write(now, stream, from, Bytes::new(bytes), message, out));
    }

    pub(super) fn datagram(&mut self, from: HostId, to: HostId, nic: Nic, bytes: u64) {
        let message = self.number();
        self.act(|net, now, out| net.datagram(now, net.path(from, to, nic), Bytes::new(bytes), message, out));
    }

    pub(super) fn close(&mut self, stream: StreamId, at: HostId, how: Close) {
        self.closed.insert((stream, at));
        self.act(|net, now, out| net.close(now, stream, at, how, out));
    }

    pub(super) fn cut(&mut self, from: HostId, to: HostId, cut: bool) {
        self.act(|net, now, out| net.set_cut(now, from, to, cut, out));
    }

    pub(super) fn cut_both(&mut self, a: HostId, b: HostId, cut: bool) {
        self.cut(a, b, cut);
        self.cut(b, a, cut);
    }

    pub(super) fn silence(&mut self, a: HostId, b: HostId, silent: bool) {
        self.act(|net, now, out| net.set_silent(now, a, b, silent, out));
    }

    /// Takes events up to `until`, inclusive, and waits for it.
    pub(super) fn run_until(&mut self, until: SimTime) {
        while self.agenda.first_key_value().is_some_and(|((at, _), _)| *at <= until) {
            self.step();
        }
        self.now = until;
    }

    pub(super) fn run(&mut self) {
        while self.step() {}
    }

    fn step(&mut self) -> bool {
        let Some(((at, _), event)) = self.agenda.pop_first() else { return false };
        self.due.remove(&event);
        assert!(at >= self.now, "time goes back");
        self.now = at;
        self.act(|net, now, out| net.on_event(now, event, out));
        true
    }

    fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Schedule(at, event) => {
                assert!(at >= self.now, "{event:?} is due in the past");
                self.forget(event);
                self.sequence += 1;
                self.agenda.insert((at, self.sequence), event);
                self.due.insert(event, (at, self.sequence));
                return;
            }
            Effect::Cancel(event) => {
                assert!(self.forget(event), "{event:?} is cancelled and was not pending");
                return;
            }
            Effect::Written { stream, from, message } => {
                assert!(self.written.insert(message), "{message:?} is written twice");
                assert!(self.written.iter().all(|m| self.sent[m] != (stream, from) || *m <= message));
            }
            Effect::Left { message } => assert!(self.left.insert(message), "{message:?} leaves twice"),
            Effect::Deliver { to, message, more } => self.take_delivery(to, message, more),
            Effect::Lost { message } => {
                assert!(self.done.insert(message, false).is_none(), "{message:?} has two outcomes");
            }
            Effect::Ended { stream, at, .. } => {
                assert!(self.closed.insert((stream, at)), "{stream:?} ends twice at {at:?}");
            }
        }
        self.effects.push((self.now, effect));
    }

    fn take_delivery(&mut self, to: HostId, message: MessageId, more: bool) {
        let before = self.done.insert(message, more);
        assert!(matches!(before, None | Some(true)), "{message:?} has two outcomes");
        if let Some(&(stream, from)) = self.sent.get(&message) {
            assert!(!self.closed.contains(&(stream, to)), "{message:?} reaches an end that is over");
            let newest = self.newest.insert((stream, from), message);
            assert!(newest < Some(message), "{message:?} overtakes");
            assert!(self.written.contains(&message) && self.left.contains(&message));
        }
    }

    fn forget(&mut self, event: NetEvent) -> bool {
        self.due.remove(&event).is_some_and(|key| self.agenda.remove(&key).is_some())
    }

    fn check_accounts(&self) {
        for path in &self.net.paths {
            let (counted, under_way) = (path.counters, self.net.in_flight(path.id));
            let mut sum = under_way.messages();
            sum += counted.delivered;
            sum += counted.lost;
            assert_eq!(counted.accepted, sum, "{:?}", path.id);
            let mut copies = under_way.copies;
            copies += counted.copies_delivered;
            copies += counted.copies_lost;
            assert_eq!(counted.copies, copies, "{:?}", path.id);
        }
    }

    /// Streams wait for a queue if and only if they have something for it and are not stalled.
    fn check_waiting(&self) {
        for path in &self.net.paths {
            let ready = |way: &Way| {
                let outgoing = &self.net.connections[way.connection].out[way.side];
                !outgoing.unsent.is_empty() && outgoing.stall.is_none()
            };
            let ready: BTreeSet<StreamId> = self.net.ways_on(path.id).filter(ready).map(Way::stream).collect();
            assert_eq!(path.waiting, ready);
        }
    }

    pub(super) fn pending(&self) -> Vec<NetEvent> {
        self.agenda.values().copied().collect()
    }

    /// Everything has an outcome and nothing is pending.
    pub(super) fn is_drained(&self) -> bool {
        let total = self.net.all_in_flight();
        self.agenda.is_empty() && total == InFlight::default() && self.done.len() as u64 == self.messages
    }

    /// What happened to messages and ends, one line each.
    pub(super) fn log(&self) -> Vec<String> {
        let line = |(at, effect): &(SimTime, Effect)| {
            let what = match effect {
                Effect::Written { message, .. } => format!("written {}", message.0),
                Effect::Left { message } => format!("left {}", message.0),
                Effect::Deliver { to, message, more } => {
                    format!("deliver {} to {}{}", message.0, to.0, if *more { " more" } else { "" })
                }
                Effect::Lost { message } => format!("lost {}", message.0),
                Effect::Ended { at, how, .. } => format!("{how:?} at {}", at.0),
                other => format!("{other:?}"),
            };
            format!("{} {what}", at.ns())
        };
        self.effects.iter().map(line).collect()
    }

    pub(super) fn delivered(&self) -> Vec<u64> {
        let message = |(_, effect): &(SimTime, Effect)| match effect {
            Effect::Deliver { message, .. } => Some(message.0),
            _ => None,
        };
        self.effects.iter().filter_map(message).collect()
    }
}
