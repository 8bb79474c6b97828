//! The network between hosts: cards, paths, queues, streams (TCP connections) and datagrams.
//!
//! **Why**: what a node knows, and when, is what its packets tell it. A heartbeat behind 3 MB of pages waits for them;
//! bytes cut off arrive late after healing; an end of a dead stream learns of it late or never. Failover and migration
//! go wrong in just these gaps. **Not here**: packets, congestion windows, handshakes, acknowledgements as
//! messages (a stream needs both directions open, and that is all), and what messages mean.
//!
//! The network is passive: it is told what happens and when, and answers with [`Effect`]s. It owns no clock and
//! no agenda, reads nothing and has no floats; equal inputs give equal state. An event that no longer means anything
//! (replaced, cancelled) is ignored.
//!
//! # Sharing
//! A path (from, to, card) with a non-empty queue is one flow on tx(from, card) and rx(to, card), of weight 1, capped
//! by the path's own rate. Rates are max-min fair in whole bytes per second ([`mod@share`]), recomputed only when the
//! set of busy paths or a card's rate changes.
//!
//! # Queues
//! Each path has one FIFO queue of `queue` bytes; its head drains at the path's rate r and has left after
//! ⌈bytes · 10⁹ / r⌉ ns; nothing overtakes. A rate of 0 holds everything up, and no stream notices. Datagrams enter
//! the queue directly or are lost. Each direction of a stream has a send buffer of `send_buffer` bytes before it;
//! messages go from there to the queue whole, one stream after the other, when they fit or the queue is empty. If
//! the next in turn does not fit, all wait.
//!
//! A write ends when at most `send_buffer` unsent bytes of its direction, its own included, are left, or when the
//! message enters the queue.
//!
//! # Arrival
//! latency + uniform jitter on 0‥=jitter after leaving; on a stream never before the message in front of it.
//! Datagrams may overtake through jitter, be lost and be duplicated. Loss on streams costs throughput and
//! time-outs (Mathis et al., ACM CCR 27(3), 1997; see `links`), never data.
//!
//! # Cuts
//! A cut is one-way and holds for all cards; silence holds for streams of the migration card, both ways. Datagrams
//! are lost if they leave while cut; those on the wire arrive. Streams' parcels in queue or air of the cut way go back
//! to the front of the unsent bytes, in order. If only the way back is cut, they arrive, and nothing more is sent.
//! A direction with unsent bytes tries again after `rto`, then 2·`rto`, … (at most `rto_max`); healing alone does
//! nothing. After `give_up` its end is over. A direction with nothing unsent notices nothing. A host that is down is
//! cut off both ways, except that what had left it arrives, and datagrams to it are lost on arrival. When it is up again, its old
//! streams are unknown to it: what arrives on them is answered by an RST.
//!
//! # Degradation
//! A path can be given a share of its rate, more delay and more loss, a card a share of its rate; several at a time multiply and
//! add (see `degrade`).

mod carry;
mod connection;
mod count;
mod degrade;
mod event;
mod fault;
mod links;
mod path;
pub mod share;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use count::{Counters, InFlight, Tally};
pub use degrade::Degradation;
pub use event::{Close, Effect, End, HostId, MessageId, NetEvent, Nic, PathId, StreamId};

use crate::rng::{Purpose, RunSeed};
use crate::scenario::{self, Nics, RateStep};
use crate::units::{ByteRate, SimTime};
use connection::{Connection, Outgoing, Side};
use degrade::Degraded;
use links::Links;
use path::Path;
use share::{Flow, share};

/// All cards, paths and streams between a fixed number of hosts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Network {
    links: Links,
    /// Cards per host.
    cards: u8,
    /// Which hosts are up.
    up: Vec<bool>,
    /// Rates of the cards [B/s]: tx and rx of each card of each host.
    capacities: Vec<u64>,
    /// By (from, to, card).
    paths: Vec<Path>,
    /// Paths with something in their queue.
    busy: BTreeSet<usize>,
    connections: Vec<Connection>,
    /// How many faults cut each (from, to).
    cuts: Vec<u32>,
    /// How many faults silence each pair (lower, higher).
    silences: Vec<u32>,
    /// How many faults keep datagrams off the migration card of each (from, to).
    muted: Vec<u32>,
    degraded: Degraded,
    trace: Arc<[RateStep]>,
    next_step: usize,
}

/// One direction of a stream: index of the connection, and which of its ends sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    connection: usize,
    side: usize,
}

impl Way {
    fn back(self) -> Self {
        Self { side: 1 - self.side, ..self }
    }
    fn stream(self) -> StreamId {
        StreamId(u32::try_from(self.connection).expect("streams are numbered in 32 bits"))
    }
}

impl Network {
    /// A quiet network of `hosts` equal hosts. Steps of the trace at 0 hold from the beginning.
    pub fn new(spec: &scenario::Network, hosts: u8, seed: RunSeed) -> Self {
        let cards = match spec.nics {
            Nics::Shared => 1,
            Nics::Separate => 2,
        };
        let next_step = spec.rate_trace.iter().take_while(|step| step.from.ns() == 0).count();
        let rate = next_step.checked_sub(1).map_or(spec.rate, |last| spec.rate_trace[last].rate);
        let card_rates = [rate.get(), spec.application_rate.get()];
        let capacities =
            (0..hosts).flat_map(|_| (0..cards).flat_map(|card| [card_rates[usize::from(card)]; 2])).collect();
        let ids = (0..hosts).flat_map(|from| {
            (0..hosts)
                .flat_map(move |to| (0..cards).map(move |card| PathId { from: HostId(from), to: HostId(to), card }))
        });
        let pairs = usize::from(hosts).pow(2);
        Self {
            links: Links::new(spec),
            cards,
            up: vec![true; usize::from(hosts)],
            capacities,
            paths: ids.map(|id| Path::new(id, seed.stream(Purpose::Network, entity(id)))).collect(),
            busy: BTreeSet::new(),
            connections: Vec::new(),
            cuts: vec![0; pairs],
            silences: vec![0; pairs],
            muted: vec![0; pairs],
            degraded: Degraded::default(),
            trace: spec.rate_trace.as_slice().into(),
            next_step,
        }
    }

    /// Schedules the first change of rate. Call once, before anything else.
    pub fn start(&self, out: &mut Vec<Effect>) {
        if let Some(step) = self.trace.get(self.next_step) {
            out.push(Effect::Schedule(SimTime::from_ns(step.from.ns()), self.step_event()));
        }
    }

    /// The path from one host to another on a card.
    pub fn path(&self, from: HostId, to: HostId, nic: Nic) -> PathId {
        PathId { from, to, card: self.card(nic) }
    }

    /// Opens a stream; no handshake is modelled. An end at a host that is down is over from the beginning.
    pub fn open(&mut self, a: HostId, b: HostId, nic: Nic) -> StreamId {
        assert!(a != b, "a stream joins two hosts");
        let side = |host: HostId| if self.up[usize::from(host.0)] { Side::Open } else { Side::Over };
        let connection = Connection {
            ends: [a, b],
            card: self.card(nic),
            sides: [side(a), side(b)],
            out: [Outgoing::default(), Outgoing::default()],
            reset: [None; 2],
        };
        self.connections.push(connection);
        Way { connection: self.connections.len() - 1, side: 0 }.stream()
    }

    /// Takes an event that is due.
    pub fn on_event(&mut self, now: SimTime, event: NetEvent, out: &mut Vec<Effect>) {
        match event {
            NetEvent::RateStep(_) if event == self.step_event() => self.step_rate(now, out),
            NetEvent::RateStep(_) => {}
            NetEvent::PathDone(path) => self.path_done(now, self.index(path), out),
            NetEvent::Arrival { stream, from } => self.arrive(now, self.way(stream, from), out),
            NetEvent::Datagram { path, message, copy } => {
                let up = self.up[usize::from(path.to.0)];
                let index = self.index(path);
                self.paths[index].land(now, message, copy, up, out);
            }
            NetEvent::Reset { stream, from } => self.reset_arrives(now, self.way(stream, from), out),
            NetEvent::Retry { stream, from } => self.retry(now, self.way(stream, from), out),
        }
    }

    /// Brings the progress of all busy paths up to `now`. Changes nothing that follows.
    pub fn settle(&mut self, now: SimTime) {
        for &index in &self.busy {
            self.paths[index].settle(now);
        }
    }

    fn step_event(&self) -> NetEvent {
        NetEvent::RateStep(u32::try_from(self.next_step).unwrap_or(u32::MAX))
    }

    fn step_rate(&mut self, now: SimTime, out: &mut Vec<Effect>) {
        let Some(&RateStep { rate, .. }) = self.trace.get(self.next_step) else { return };
        self.next_step += 1;
        self.start(out);
        let stride = 2 * usize::from(self.cards);
        for card in self.capacities.chunks_mut(stride) {
            card[..2].fill(rate.get());
        }
        self.reshare(now, out);
    }

    fn card(&self, nic: Nic) -> u8 {
        match nic {
            Nic::Migration => 0,
            Nic::Application => self.cards - 1,
        }
    }

    fn index(&self, path: PathId) -> usize {
        let pair = self.pair(path.from, path.to);
        pair * usize::from(self.cards) + usize::from(path.card)
    }

    fn pair(&self, from: HostId, to: HostId) -> usize {
        usize::from(from.0) * self.up.len() + usize::from(to.0)
    }

    fn way(&self, stream: StreamId, from: HostId) -> Way {
        let connection = stream.0 as usize;
        let side = self.connections[connection].ends.iter().position(|&end| end == from);
        Way { connection, side: side.expect("only the ends of a stream use it") }
    }

    fn path_id(&self, way: Way) -> PathId {
        let Connection { ends, card, .. } = self.connections[way.connection];
        PathId { from: ends[way.side], to: ends[1 - way.side], card }
    }

    fn path_of(&self, way: Way) -> usize {
        self.index(self.path_id(way))
    }

    /// The directions of streams that use this path.
    fn ways_on(&self, path: PathId) -> impl Iterator<Item = Way> {
        self.connections.iter().enumerate().filter(move |(_, c)| c.card == path.card).filter_map(move |(i, c)| {
            let side = [[path.from, path.to], [path.to, path.from]].iter().position(|ends| *ends == c.ends)?;
            Some(Way { connection: i, side })
        })
    }

    /// Shares the cards anew among the busy paths.
    fn reshare(&mut self, now: SimTime, out: &mut Vec<Effect>) {
        let Some(&only) = self.busy.first() else { return };
        if self.busy.len() == 1 {
            let flow = self.flow(only);
            let [tx, rx] = flow.resources.map(|resource| self.capacity(resource));
            self.set_rate(now, only, tx.min(rx).min(flow.cap.unwrap_or(u64::MAX)), out);
            return;
        }
        let busy: Vec<usize> = self.busy.iter().copied().collect();
        let flows: Vec<Flow> = busy.iter().map(|&index| self.flow(index)).collect();
        for (index, rate) in busy.into_iter().zip(share(&self.all_capacities(), &flows)) {
            self.set_rate(now, index, rate, out);
        }
    }

    fn set_rate(&mut self, now: SimTime, index: usize, rate: u64, out: &mut Vec<Effect>) {
        self.paths[index].set_rate(now, rate);
        self.paths[index].reschedule(out);
    }

    fn flow(&self, index: usize) -> Flow {
        let PathId { from, to, card } = self.paths[index].id;
        let resource = |host: HostId| 2 * (usize::from(host.0) * usize::from(self.cards) + usize::from(card));
        let resources = [resource(from), resource(to) + 1];
        // The bounds are TCP's, on the card that carries the migration's streams.
        let cap = self.links_of(index).cap.filter(|_| card == 0);
        Flow { resources, cap: self.degraded_cap(index, resources, cap), weight: 1, priority: 0 }
    }

    /// The rate of a host's card now, each direction [B/s].
    pub fn card_rate(&self, host: HostId, nic: Nic) -> ByteRate {
        let card = usize::from(host.0) * usize::from(self.cards) + usize::from(self.card(nic));
        ByteRate::new(self.capacity(2 * card))
    }
}

/// Names a path's random stream; the same whatever other hosts there are.
fn entity(id: PathId) -> u32 {
    u32::from(id.from.0) << 16 | u32::from(id.to.0) << 8 | u32::from(id.card)
}
