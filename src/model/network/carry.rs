//! How messages move: write, admission to the queue, leaving, arrival.

use super::connection::{FIN_BYTES, Flying, Side};
use super::count::Tally;
use super::event::{Close, Effect, End, HostId, MessageId, NetEvent, PathId, StreamId};
use super::path::{InAir, Parcel, Queued};
use super::{Network, Way};
use crate::units::{Bytes, SimTime};

impl Network {
    /// Writes a message to a stream. Any number may wait, in order; each ends with its own [`Effect::Written`].
    /// At an end that is over or closed the message is lost at once.
    pub fn write(
        &mut self,
        now: SimTime,
        stream: StreamId,
        from: HostId,
        bytes: Bytes,
        message: MessageId,
        out: &mut Vec<Effect>,
    ) {
        let way = self.way(stream, from);
        let index = self.path_of(way);
        self.paths[index].counters.accepted += Tally::one(bytes);
        let connection = &mut self.connections[way.connection];
        if connection.sides[way.side] != Side::Open {
            self.paths[index].lose(message, bytes, out);
            return;
        }
        connection.out[way.side].unsent.push_back(Parcel { message: Some(message), bytes, left: false });
        self.send(now, way, out);
    }

    /// Sends a datagram: into the path's queue, or lost if that is full or the host is down.
    pub fn datagram(&mut self, now: SimTime, path: PathId, bytes: Bytes, message: MessageId, out: &mut Vec<Effect>) {
        let index = self.index(path);
        let up = self.up[usize::from(path.from.0)];
        let own = &mut self.paths[index];
        own.counters.accepted += Tally::one(bytes);
        if !up || !own.fits(bytes, self.links.queue) {
            own.lose(message, bytes, out);
            return;
        }
        own.push(now, Queued { stream: None, parcel: Parcel { message: Some(message), bytes, left: false } });
        self.refresh(now, index, out);
    }

    /// Closes one end: by its owner, or by the kernel of a dead process. That end takes nothing any more, and
    /// hears nothing: data that arrive there are lost and answered by an RST. An RST needs no room in the queue and
    /// takes one latency, but does not pass a cut.
    pub fn close(&mut self, now: SimTime, stream: StreamId, at: HostId, how: Close, out: &mut Vec<Effect>) {
        let way = self.way(stream, at);
        let connection = &mut self.connections[way.connection];
        match (how, connection.sides[way.side]) {
            (Close::Fin, Side::Open) => {
                connection.sides[way.side] = Side::Closing;
                connection.out[way.side].unsent.push_back(Parcel { message: None, bytes: FIN_BYTES, left: false });
                self.send(now, way, out);
            }
            (Close::Reset, Side::Open | Side::Closing) => {
                self.connections[way.connection].sides[way.side] = Side::Over;
                self.discard(now, way, out);
                self.send_reset(now, way, out);
            }
            (Close::Fin, Side::Closing) | (_, Side::Over) => {}
        }
    }

    /// Moves on after unsent bytes have come: into the queue, or into a stall.
    pub(super) fn send(&mut self, now: SimTime, way: Way, out: &mut Vec<Effect>) {
        self.wait_or_stall(now, way, out);
        let (stream, from) = (way.stream(), self.path_id(way).from);
        self.connections[way.connection].out[way.side].end_writes(self.links.send_buffer, stream, from, out);
        self.refresh(now, self.path_of(way), out);
    }

    /// Lets waiting messages into the queue, and makes rates and pending events agree with it.
    pub(super) fn refresh(&mut self, now: SimTime, index: usize, out: &mut Vec<Effect>) {
        self.admit(now, index, out);
        let busy = !self.paths[index].is_empty();
        if busy == self.busy.contains(&index) {
            self.paths[index].reschedule(out);
        } else if busy {
            self.busy.insert(index);
            self.reshare(now, out);
        } else {
            self.busy.remove(&index);
            self.set_rate(now, index, 0, out);
            self.reshare(now, out);
        }
    }

    fn admit(&mut self, now: SimTime, index: usize, out: &mut Vec<Effect>) {
        let from = self.paths[index].id.from;
        while let Some(stream) = self.paths[index].next_in_turn() {
            let way = self.way(stream, from);
            let path = &mut self.paths[index];
            let outgoing = &mut self.connections[way.connection].out[way.side];
            let fits = |parcel: &Parcel| path.is_empty() || path.fits(parcel.bytes, self.links.queue);
            if outgoing.unsent.front().is_some_and(|first| !fits(first)) {
                return;
            }
            if let Some((parcel, ends)) = outgoing.take() {
                path.push(now, Queued { stream: Some(stream), parcel });
                if let (true, Some(message)) = (ends, parcel.message) {
                    out.push(Effect::Written { stream, from, message });
                }
            }
            path.served = Some(stream);
            if outgoing.unsent.is_empty() {
                path.waiting.remove(&stream);
            }
            outgoing.end_writes(self.links.send_buffer, stream, from, out);
        }
    }

    pub(super) fn path_done(&mut self, now: SimTime, index: usize, out: &mut Vec<Effect>) {
        if let Some(Queued { stream, mut parcel }) = self.paths[index].pop_done(now) {
            if let (Some(message), false) = (parcel.message, parcel.left) {
                out.push(Effect::Left { message });
            }
            parcel.left = true;
            match (stream, parcel.message) {
                (Some(stream), _) => self.fly(now, index, stream, parcel, out),
                (None, Some(message)) => self.fly_datagram(now, index, message, parcel.bytes, out),
                (None, None) => {}
            }
        }
        self.refresh(now, index, out);
    }

    fn fly(&mut self, now: SimTime, index: usize, stream: StreamId, parcel: Parcel, out: &mut Vec<Effect>) {
        let links = *self.links_of(index);
        let path = &mut self.paths[index];
        let from = path.id.from;
        let delay = links.delay(&mut path.random).saturating_add(links.timeouts(&mut path.random));
        let way = self.way(stream, from);
        let air = &mut self.connections[way.connection].out[way.side].air;
        let own = now.saturating_add(delay);
        let at = air.back().map_or(own, |before| own.max(before.at));
        if air.is_empty() {
            out.push(Effect::Schedule(at, NetEvent::Arrival { stream, from }));
        }
        air.push_back(Flying { parcel, at });
    }

    fn fly_datagram(&mut self, now: SimTime, index: usize, message: MessageId, bytes: Bytes, out: &mut Vec<Effect>) {
        let id = self.paths[index].id;
        let cut = self.is_cut(id.from, id.to) || self.is_muted(id);
        let links = *self.links_of(index);
        let path = &mut self.paths[index];
        if cut || links.loses(bytes, &mut path.random) {
            path.lose(message, bytes, out);
            return;
        }
        let copies = 1 + u8::from(links.doubles(&mut path.random));
        for copy in 0..copies {
            let at = now.saturating_add(links.delay(&mut path.random));
            let spare = copy > 0;
            if spare {
                path.counters.copies += Tally::one(bytes);
            }
            path.air.insert((message, copy), InAir { bytes, at, spare });
            out.push(Effect::Schedule(at, NetEvent::Datagram { path: id, message, copy }));
        }
    }

    pub(super) fn arrive(&mut self, now: SimTime, way: Way, out: &mut Vec<Effect>) {
        let PathId { from, to, .. } = self.path_id(way);
        let index = self.path_of(way);
        let connection = &mut self.connections[way.connection];
        let air = &mut connection.out[way.side].air;
        let Some(Flying { parcel, .. }) = air.pop_front_if(|first| first.at <= now) else { return };
        if let Some(next) = air.front() {
            out.push(Effect::Schedule(next.at, NetEvent::Arrival { stream: way.stream(), from }));
        }
        let open = connection.sides[1 - way.side] == Side::Open;
        match parcel.message {
            Some(message) if open => {
                self.paths[index].counters.delivered += Tally::one(parcel.bytes);
                out.push(Effect::Deliver { to, message, more: false });
            }
            Some(message) => {
                self.paths[index].lose(message, parcel.bytes, out);
                self.send_reset(now, way.back(), out);
            }
            None => self.learn(now, way.back(), End::Fin, out),
        }
    }
}
