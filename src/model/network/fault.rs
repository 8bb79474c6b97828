//! What goes wrong: cuts, silence, resets, dead hosts; and how streams end.

use super::connection::{Side, Stall};
use super::event::{Effect, End, HostId, MessageId, NetEvent, Nic, PathId, StreamId};
use super::path::Parcel;
use super::{Network, Way};
use crate::units::SimTime;

impl Network {
    /// One more fault cuts (or one fewer cuts) this way between two hosts, on all cards.
    pub fn set_cut(&mut self, now: SimTime, from: HostId, to: HostId, cut: bool, out: &mut Vec<Effect>) {
        let pair = self.pair(from, to);
        self.cuts[pair] = count(self.cuts[pair], cut);
        if cut && self.cuts[pair] == 1 {
            for way in self.ways_from(from, to, None) {
                self.pull_back(now, way, out);
                self.wait_or_stall(now, way.back(), out);
            }
            self.refresh_between(now, from, to, out);
        }
    }

    /// One more fault silences (or one fewer silences) the streams between two hosts on the migration card.
    pub fn set_silent(&mut self, now: SimTime, a: HostId, b: HostId, silent: bool, out: &mut Vec<Effect>) {
        let pair = self.pair(a.min(b), a.max(b));
        self.silences[pair] = count(self.silences[pair], silent);
        if silent && self.silences[pair] == 1 {
            for way in self.ways_from(a, b, Some(Nic::Migration)) {
                self.pull_back(now, way, out);
                self.pull_back(now, way.back(), out);
            }
            self.refresh_between(now, a, b, out);
        }
    }

    /// Both ends of every stream between two hosts (on this card, or on any) are told at once that it is reset.
    pub fn reset_between(&mut self, now: SimTime, a: HostId, b: HostId, nic: Option<Nic>, out: &mut Vec<Effect>) {
        let ways = self.ways_from(a, b, nic);
        // First, so that none enters the queue in the room that another leaves.
        for way in ways.iter().flat_map(|&way| [way, way.back()]) {
            let index = self.path_of(way);
            self.paths[index].waiting.remove(&way.stream());
        }
        for way in ways {
            self.learn(now, way, End::Reset, out);
            self.learn(now, way.back(), End::Reset, out);
        }
    }

    /// The host dies. All that it has queued or buffered is lost and nothing reaches it; what has left it arrives.
    /// Other hosts' streams to it stall.
    pub fn host_down(&mut self, now: SimTime, host: HostId, out: &mut Vec<Effect>) {
        if !std::mem::replace(&mut self.up[usize::from(host.0)], false) {
            return;
        }
        let own: Vec<usize> = (0..self.paths.len()).filter(|&index| self.paths[index].id.from == host).collect();
        for &index in &own {
            let path = &mut self.paths[index];
            path.waiting.clear();
            for item in path.remove(now, |_| true) {
                if let Some(message) = item.parcel.message {
                    path.lose(message, item.parcel.bytes, out);
                }
            }
        }
        for connection in 0..self.connections.len() {
            let Some(side) = self.connections[connection].ends.iter().position(|&end| end == host) else { continue };
            let way = Way { connection, side };
            self.connections[connection].sides[side] = Side::Over;
            self.discard(now, way, out);
            self.pull_back(now, way.back(), out);
        }
        for index in 0..self.paths.len() {
            self.refresh(now, index, out);
        }
    }

    /// The host is up again and knows of no stream: what arrives on an old one is answered by an RST.
    pub fn host_up(&mut self, now: SimTime, host: HostId, out: &mut Vec<Effect>) {
        self.up[usize::from(host.0)] = true;
        for index in 0..self.paths.len() {
            self.refresh(now, index, out);
        }
    }

    /// The host answers nothing and sends nothing, or does so again: as if cut off from every other, and nothing of it is lost.
    pub fn set_hung(&mut self, now: SimTime, host: HostId, hung: bool, out: &mut Vec<Effect>) {
        let others = (0..self.up.len()).map(|other| HostId(u8::try_from(other).expect("few hosts")));
        for other in others.filter(|&other| other != host).collect::<Vec<_>>() {
            self.set_cut(now, host, other, hung, out);
            self.set_cut(now, other, host, hung, out);
        }
    }

    /// One more fault keeps (or one fewer keeps) datagrams from one host off the migration card to another.
    pub fn set_muted(&mut self, from: HostId, to: HostId, muted: bool) {
        let pair = self.pair(from, to);
        self.muted[pair] = count(self.muted[pair], muted);
    }

    pub(super) fn is_muted(&self, path: PathId) -> bool {
        path.card == 0 && self.muted[self.pair(path.from, path.to)] > 0
    }

    /// The message that is to be delivered now in this direction of a stream, if its receiver takes any.
    pub fn arriving(&self, now: SimTime, stream: StreamId, from: HostId) -> Option<MessageId> {
        let way = self.way(stream, from);
        let connection = &self.connections[way.connection];
        let first = connection.out[way.side].air.front().filter(|first| first.at <= now)?;
        first.parcel.message.filter(|_| connection.sides[1 - way.side] == Side::Open)
    }

    /// Whether packets of streams on the migration cards pass from one host to another, as far as the network goes.
    pub fn carries_streams(&self, from: HostId, to: HostId) -> bool {
        self.silences[self.pair(from.min(to), from.max(to))] == 0 && !self.is_cut(from, to)
    }

    /// Whether the host is up.
    pub fn is_up(&self, host: HostId) -> bool {
        self.up[usize::from(host.0)]
    }

    /// Whether no packet passes from one host to another.
    pub fn is_cut(&self, from: HostId, to: HostId) -> bool {
        self.cuts[self.pair(from, to)] > 0
    }

    /// Whether a stream's packets pass this way.
    fn carries(&self, PathId { from, to, card }: PathId) -> bool {
        let up = self.up[usize::from(from.0)] && self.up[usize::from(to.0)];
        let silent = card == 0 && self.silences[self.pair(from.min(to), from.max(to))] > 0;
        up && !silent && !self.is_cut(from, to)
    }

    /// Whether a stream's packets pass, and so do their acknowledgements.
    fn passes(&self, way: Way) -> bool {
        self.carries(self.path_id(way)) && self.carries(self.path_id(way.back()))
    }

    /// The directions of streams that lead from one host to another.
    fn ways_from(&self, from: HostId, to: HostId, nic: Option<Nic>) -> Vec<Way> {
        let card = nic.map(|nic| self.card(nic));
        let cards = (0..self.cards).filter(|&own| card.is_none_or(|card| card == own));
        cards.flat_map(|card| self.ways_on(PathId { from, to, card })).collect()
    }

    fn refresh_between(&mut self, now: SimTime, a: HostId, b: HostId, out: &mut Vec<Effect>) {
        for card in 0..self.cards {
            for (from, to) in [(a, b), (b, a)] {
                self.refresh(now, self.index(PathId { from, to, card }), out);
            }
        }
    }

    /// What is in the queue or in the air of this direction goes back before its unsent bytes; or is lost, if its end
    /// is over. The path needs a refresh after that.
    fn pull_back(&mut self, now: SimTime, way: Way, out: &mut Vec<Effect>) {
        let (index, stream) = (self.path_of(way), way.stream());
        let queued = self.paths[index].remove(now, |item| item.stream == Some(stream));
        let connection = &mut self.connections[way.connection];
        let outgoing = &mut connection.out[way.side];
        if !outgoing.air.is_empty() {
            out.push(Effect::Cancel(NetEvent::Arrival { stream, from: connection.ends[way.side] }));
        }
        let air = outgoing.air.drain(..).map(|flying| flying.parcel);
        let parcels: Vec<Parcel> = air.chain(queued.into_iter().map(|item| item.parcel)).collect();
        if connection.sides[way.side] == Side::Over {
            for parcel in parcels {
                if let Some(message) = parcel.message {
                    self.paths[index].lose(message, parcel.bytes, out);
                }
            }
            return;
        }
        outgoing.put_back(parcels.into_iter());
        self.wait_or_stall(now, way, out);
    }

    /// Puts a direction with unsent bytes among those that wait for the queue; or starts its timer, if nothing passes.
    pub(super) fn wait_or_stall(&mut self, now: SimTime, way: Way, out: &mut Vec<Effect>) {
        let (index, passes) = (self.path_of(way), self.passes(way));
        let connection = &mut self.connections[way.connection];
        let outgoing = &mut connection.out[way.side];
        if outgoing.unsent.is_empty() || outgoing.stall.is_some() {
            return;
        }
        if passes {
            self.paths[index].waiting.insert(way.stream());
            return;
        }
        self.paths[index].waiting.remove(&way.stream());
        let rto = self.links.rto;
        let stall = Stall { next: now.saturating_add(rto), rto, deadline: now.saturating_add(self.links.give_up) };
        outgoing.stall = Some(stall);
        let event = NetEvent::Retry { stream: way.stream(), from: connection.ends[way.side] };
        out.push(Effect::Schedule(stall.wake(), event));
    }

    pub(super) fn retry(&mut self, now: SimTime, way: Way, out: &mut Vec<Effect>) {
        let passes = self.passes(way);
        let connection = &mut self.connections[way.connection];
        let stall = &mut connection.out[way.side].stall;
        let Some(timer) = stall.filter(|timer| timer.wake() <= now) else { return };
        if passes && timer.next <= now {
            *stall = None;
            self.wait_or_stall(now, way, out);
            self.refresh(now, self.path_of(way), out);
        } else if timer.deadline <= now {
            *stall = None;
            self.learn(now, way, End::GiveUp, out);
        } else {
            let rto = self.links.doubled(timer.rto);
            let timer = Stall { next: now.saturating_add(rto), rto, ..timer };
            *stall = Some(timer);
            let event = NetEvent::Retry { stream: way.stream(), from: connection.ends[way.side] };
            out.push(Effect::Schedule(timer.wake(), event));
        }
    }

    /// An end learns that its stream is over; nobody is told if its owner had closed it. What it has not sent could
    /// not be delivered any more, so it is lost now.
    pub(super) fn learn(&mut self, now: SimTime, way: Way, how: End, out: &mut Vec<Effect>) {
        let connection = &mut self.connections[way.connection];
        let before = std::mem::replace(&mut connection.sides[way.side], Side::Over);
        if before == Side::Open {
            out.push(Effect::Ended { stream: way.stream(), at: connection.ends[way.side], how });
        }
        if before != Side::Over {
            self.discard(now, way, out);
        }
    }

    /// What this end has not sent is lost.
    pub(super) fn discard(&mut self, now: SimTime, way: Way, out: &mut Vec<Effect>) {
        let index = self.path_of(way);
        let connection = &mut self.connections[way.connection];
        let outgoing = &mut connection.out[way.side];
        if outgoing.stall.take().is_some() {
            let event = NetEvent::Retry { stream: way.stream(), from: connection.ends[way.side] };
            out.push(Effect::Cancel(event));
        }
        self.paths[index].waiting.remove(&way.stream());
        for parcel in outgoing.discard() {
            if let Some(message) = parcel.message {
                self.paths[index].lose(message, parcel.bytes, out);
            }
        }
        self.refresh(now, index, out);
    }

    /// Sends an RST, unless one is on its way, the other end is over, or nothing passes.
    pub(super) fn send_reset(&mut self, now: SimTime, way: Way, out: &mut Vec<Effect>) {
        let carries = self.carries(self.path_id(way));
        let latency = self.links_of(self.path_of(way)).latency;
        let connection = &mut self.connections[way.connection];
        if !carries || connection.reset[way.side].is_some() || connection.sides[1 - way.side] == Side::Over {
            return;
        }
        let at = now.saturating_add(latency);
        connection.reset[way.side] = Some(at);
        let event = NetEvent::Reset { stream: way.stream(), from: connection.ends[way.side] };
        out.push(Effect::Schedule(at, event));
    }

    pub(super) fn reset_arrives(&mut self, now: SimTime, way: Way, out: &mut Vec<Effect>) {
        if self.connections[way.connection].reset[way.side].take_if(|at| *at <= now).is_some() {
            self.learn(now, way.back(), End::Reset, out);
        }
    }
}

/// A nested switch.
fn count(held: u32, on: bool) -> u32 {
    if on { held + 1 } else { held.saturating_sub(1) }
}
