//! Packets: what the network carries, and what it means when they arrive, leave or are lost.

use std::collections::BTreeSet;

use crate::model::memory::BranchId;
use crate::model::network::{Close, Effect, End, MessageId, Nic, StreamId};
use crate::protocol::{Channel, Envelope, Input, Message};
use crate::scenario::{MonitorInStop, OutputFlow, Part};
use crate::units::{Bytes, Span};
use crate::vocabulary::{Host, Phase};

use super::held::Emitted;
use super::node::Node;
use super::program::Seat;
use super::{Event, Fact, OutputStage, World, host_id, host_of};

/// What a message number stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Packet {
    /// A message between agents.
    Protocol { from: Host, to: Host, stream: StreamId, channel: Channel, envelope: Envelope },
    /// A heartbeat.
    Ping { from: Host, number: u64 },
    /// Its answer.
    Pong { to: Host, number: u64, life: u64 },
    /// A packet of the guest to its client.
    Output { host: Host, number: u64, branch: BranchId, guest: Span },
    /// The client's acknowledgement.
    Acknowledgement { to: Host, number: u64 },
}

/// Bytes of a minimal Ethernet frame (IEEE 802.3): acknowledgements, heartbeats.
const SMALL_PACKET: Bytes = Bytes::new(64);

impl World {
    /// Does all that the network answered, and what follows from it.
    pub(super) fn settle(&mut self) {
        loop {
            for effect in std::mem::take(&mut self.effects) {
                self.effect(effect);
            }
            if let Some((host, seat, input)) = self.handed.pop_front() {
                self.control_as(host, seat, input);
            } else if self.effects.is_empty() {
                return;
            }
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Schedule(at, event) => self.schedule(at, Event::Network(event)),
            Effect::Cancel(event) => self.agenda.cancel(Event::Network(event)),
            Effect::Written { stream, from, message } => {
                if let Some(&channel) = self.channels.get(&stream) {
                    self.write_ended(host_of(from), channel, message);
                }
            }
            Effect::Left { message } => self.left(message),
            Effect::Deliver { message, more, .. } => self.delivered(message, more),
            Effect::Lost { message } => self.lost(message),
            Effect::Ended { stream, at, how } => self.ended(stream, host_of(at), how),
        }
    }

    fn number(&mut self, packet: Packet) -> MessageId {
        let id = MessageId(self.numbers.message);
        self.numbers.message += 1;
        if matches!(packet, Packet::Protocol { .. }) {
            self.messages.insert(id);
        }
        self.packets.insert(id, packet);
        id
    }

    /// Messages between agents that are under way.
    pub(super) fn protocol_packets(&self) -> impl Iterator<Item = &Packet> {
        self.messages.iter().filter_map(|id| self.packets.get(id))
    }

    fn take_packet(&mut self, id: MessageId) -> Option<Packet> {
        self.messages.remove(&id);
        self.packets.remove(&id)
    }

    /// Writes a message to a connection; `None` if that is over.
    pub(super) fn write(&mut self, from: Host, to: Host, channel: Channel, envelope: Envelope) -> Option<MessageId> {
        let Some(&stream) = self.node(from).channels.get(&(to, channel)) else {
            self.lose_pages_of(&envelope);
            return None;
        };
        let bytes = self.scenario.platform.message
            + match &envelope.message {
                Message::Pages(batch) | Message::Chunk { batch, .. } | Message::Restored { batch, .. } => batch.bytes,
                Message::Mark { state, .. } => self.scenario.platform.checkpoint.state + self.bytes_sealed(*state),
                Message::AllRestored(_) => self.scenario.platform.checkpoint.state + self.bytes_again(),
                Message::State(_) | Message::Switch { stale: None, .. } => self.scenario.platform.device_state,
                Message::Switch { stale: Some(list), .. } => self.scenario.platform.device_state + list.bytes,
                Message::Have(list) => list.bytes,
                _ => Bytes::ZERO,
            };
        if self.is_last_word(&envelope.message) {
            self.milestones.last_word.get_or_insert(self.now);
        }
        let number = self.numbers.message;
        if is_told(channel, &envelope) {
            self.say(Fact::Said { from, to, number, what: envelope.message.name(), delivered: false });
        }
        self.count_sent(&envelope.message);
        let message = self.number(Packet::Protocol { from, to, stream, channel, envelope });
        self.network.write(self.now, stream, host_id(from), bytes, message, &mut self.effects);
        Some(message)
    }

    /// Whether the destination has nothing to say after this that the source would wait for.
    fn is_last_word(&self, message: &Message) -> bool {
        match message {
            Message::Complete | Message::WriteFinal => true,
            // In post-copy, more follows.
            Message::Ready | Message::Started => self.scenario.policy.migration.post_copy().is_none(),
            _ => false,
        }
    }

    fn datagram(&mut self, from: Host, to: Host, nic: Nic, bytes: Bytes, packet: Packet) {
        let message = self.number(packet);
        let path = self.network.path(host_id(from), host_id(to), nic);
        self.network.datagram(self.now, path, bytes, message, &mut self.effects);
    }

    pub(super) fn ping(&mut self, from: Host, number: u64) {
        self.datagram(from, peer(from), Nic::Migration, SMALL_PACKET, Packet::Ping { from, number });
    }

    pub(super) fn pong(&mut self, from: Host, number: u64) {
        let (to, life) = (peer(from), self.life(from));
        self.datagram(from, to, Nic::Migration, SMALL_PACKET, Packet::Pong { to, number, life });
    }

    /// Schedules the guest's next packet.
    pub(super) fn watch_output(&mut self, host: Host) {
        let next = self.vm.copy(host).and_then(|copy| copy.guest.as_ref()?.next_output(self.now));
        match next {
            Some(at) => self.schedule(at, Event::Output(host)),
            None => self.agenda.cancel(Event::Output(host)),
        }
    }

    pub(super) fn guest_output(&mut self, host: Host) {
        let now = self.now;
        let numbers = self.vm.slot(host).as_mut().and_then(|copy| Some(copy.guest.as_mut()?.output(now)));
        self.emit(host, &numbers.unwrap_or_default());
    }

    fn emit(&mut self, host: Host, numbers: &[u64]) {
        let Some(copy) = self.vm.copy(host) else { return };
        let branch = copy.branch;
        let guest = copy.guest.as_ref().map_or(Span::ZERO, |g| g.time(self.now));
        for &number in numbers {
            self.say(Fact::Output { host, number, branch, guest, stage: OutputStage::Emitted });
            self.send_output(host, Emitted { number, branch, guest, at: self.now });
        }
        self.watch_output(host);
    }

    /// Lets a packet of the guest go to its client.
    pub(super) fn transmit(&mut self, host: Host, packet: Emitted) {
        let Emitted { number, branch, guest, .. } = packet;
        let size = self.scenario.vms[0].output.as_ref().map_or(Bytes::ZERO, |output| output.size);
        let packet = Packet::Output { host, number, branch, guest };
        self.datagram(host, Host::Client, Nic::Application, size, packet);
    }

    fn left(&mut self, message: MessageId) {
        if let Some(&Packet::Output { host, number, branch, guest }) = self.packets.get(&message) {
            self.say(Fact::Output { host, number, branch, guest, stage: OutputStage::Released });
        }
    }

    fn delivered(&mut self, message: MessageId, more: bool) {
        let packet = if more { self.packets.get(&message).cloned() } else { self.take_packet(message) };
        match packet {
            Some(Packet::Protocol { from, to, stream, channel, envelope }) => {
                self.count_delivery(&envelope.message);
                if is_told(channel, &envelope) && self.lives(to, self.seat_of(to, channel)) {
                    let what = envelope.message.name();
                    self.say(Fact::Said { from, to, number: message.0, what, delivered: true });
                }
                self.received(from, to, stream, channel, envelope);
            }
            Some(Packet::Ping { from, number }) => self.pinged(peer(from), number),
            // What finds a host that hangs finds nobody.
            Some(Packet::Pong { to, .. } | Packet::Acknowledgement { to, .. }) if self.hangs(to, Part::Host) => {}
            Some(Packet::Pong { to, number, life }) => self.control(to, Input::Ponged { number, life }),
            Some(Packet::Output { host, number, branch, guest }) => {
                self.say(Fact::Output { host, number, branch, guest, stage: OutputStage::Delivered });
                let flow = self.scenario.vms[0].output.as_ref().map(|output| output.flow);
                if matches!(flow, Some(OutputFlow::Closed { .. })) {
                    // To where the packet came from: the network has just learnt that the VM's address is there.
                    let packet = Packet::Acknowledgement { to: host, number };
                    self.datagram(Host::Client, host, Nic::Application, SMALL_PACKET, packet);
                }
            }
            Some(Packet::Acknowledgement { to, number }) => self.acknowledged(to, number),
            None => {}
        }
    }

    pub(super) fn acknowledged(&mut self, host: Host, number: u64) {
        let now = self.now;
        if self.hangs(host, Part::Vmm) {
            return self.defer_acknowledgement(host, number);
        }
        if let Some(copy) = self.vm.slot(host).as_mut().filter(|copy| copy.held.is_some() && !copy.executes()) {
            copy.queued.push(number);
            return;
        }
        let executing = self.vm.slot(host).as_mut().filter(|copy| copy.executes());
        let numbers = executing.and_then(|copy| Some(copy.guest.as_mut()?.acknowledged(number, now)));
        if let Some(numbers) = numbers {
            self.emit(host, &numbers);
        }
    }

    /// Hands a message from one process of a host to the other: no network is between them.
    pub(super) fn hand_over(&mut self, host: Host, from: Seat, channel: Channel, envelope: Envelope) {
        let to = if from == Seat::Agent { self.seat_of(host, channel) } else { Seat::Agent };
        self.handed.push_back((host, to, Input::Message { from: host, channel, envelope }));
    }

    fn received(&mut self, from: Host, to: Host, stream: StreamId, channel: Channel, envelope: Envelope) {
        let seat = self.seat_of(to, channel);
        if !self.lives(to, seat) {
            self.lose_pages_of(&envelope);
            if self.dying.values().any(|(_, streams)| streams.contains(&stream)) {
                // Its kernel takes it for a process that does not read.
                return;
            }
            // No process has this connection: the kernel says so.
            self.network.close(self.now, stream, host_id(to), Close::Reset, &mut self.effects);
            return;
        }
        // A node knows of a connection once something has arrived on it.
        self.node(to).channels.insert((from, channel), stream);
        let bytes = match &envelope.message {
            Message::Pages(batch) | Message::Chunk { batch, .. } | Message::Restored { batch, .. } => batch.bytes,
            _ => Bytes::ZERO,
        };
        let checkpoint = matches!(
            envelope.message,
            Message::Chunk { .. } | Message::Mark { .. } | Message::Restored { .. } | Message::AllRestored(_)
        );
        // QEMU hears `migrate-pause` and `migrate-recover` out of band.
        let out_of_band = matches!(envelope.message, Message::Pause | Message::Recover);
        let input = Input::Message { from, channel, envelope };
        match channel {
            _ if checkpoint || to == Host::Destination && channel.is_migration() => {
                self.queue(to, channel, input, bytes);
            }
            Channel::Management if !out_of_band && self.monitor_is_blocked(to) => {
                self.queue(to, Channel::Migration, input, bytes);
            }
            // The source reads with a thread of its own.
            _ => self.control_as(to, seat, input),
        }
    }

    /// Whether commands to `host` wait until it has no work, as its monitor waits for the lock that its last copy holds.
    fn monitor_is_blocked(&self, host: Host) -> bool {
        self.scenario.platform.monitor_in_stop == MonitorInStop::Blocked
            && host == Host::Source
            && matches!(self.progress.phase(), Phase::Stop | Phase::Handover)
    }

    fn lost(&mut self, message: MessageId) {
        match self.take_packet(message) {
            Some(Packet::Protocol { from, channel, envelope, .. }) => {
                self.lose_pages_of(&envelope);
                self.write_ended(from, channel, message);
            }
            Some(Packet::Output { host, number, branch, guest }) => {
                self.say(Fact::Output { host, number, branch, guest, stage: OutputStage::Lost });
            }
            _ => {}
        }
    }

    /// The kernel of `at` learns that a stream is over; what of it waits to be read still is.
    fn ended(&mut self, stream: StreamId, at: Host, how: End) {
        let how = match how {
            End::Fin => "closed by the peer",
            End::Reset => "reset",
            End::GiveUp => "timed out",
        };
        let Some(&channel) = self.channels.get(&stream) else { return };
        self.say(Fact::StreamEnded { at, channel, how });
        let Some(node) = self.nodes.get_mut(&at) else { return };
        if node.channels.iter().any(|(&(_, other), &known)| other == channel && known != stream) {
            // Another has taken its place: its end is no news.
            return;
        }
        node.channels.retain(|_, known| *known != stream);
        let input = Input::Broken { channel };
        if at == Host::Destination && channel.is_migration() {
            self.queue(at, channel, input, Bytes::ZERO);
        } else {
            self.control_as(at, self.seat_of(at, channel), input);
        }
    }

    /// The kernel of a dead process closes its connections: those it was reading with RST, since data are unread, the others
    /// with FIN behind what is buffered.
    pub(super) fn close_all(&mut self, host: Host, streams: &[StreamId]) {
        for &stream in streams {
            let carries = self.channels.get(&stream).is_some_and(|channel| channel.is_migration());
            let reads = host == Host::Destination && carries;
            let how = if reads { Close::Reset } else { Close::Fin };
            self.network.close(self.now, stream, host_id(host), how, &mut self.effects);
        }
    }

    /// The pages of a message that will never be read.
    fn lose_pages_of(&mut self, envelope: &Envelope) {
        if let Some(id) = envelope.batch() {
            self.lose_batch(id);
        }
    }

    /// Pages that no packet, inbox or piece of work holds any more are lost: their node died or dropped its work.
    pub(super) fn lose_orphans(&mut self) {
        let travelling = self.protocol_packets().filter_map(|packet| match packet {
            Packet::Protocol { envelope, .. } => envelope.batch(),
            _ => None,
        });
        let held: BTreeSet<u64> = travelling.chain(self.nodes.values().flat_map(Node::batches)).collect();
        let orphans: Vec<u64> = self.batches.keys().copied().filter(|id| !held.contains(id)).collect();
        for id in orphans {
            self.lose_batch(id);
        }
    }
}

/// Whether a message is news of its own. Pages and requests are only counted, and the parallel channels carry nothing but pages and the
/// flushes that the migration connection has, too.
fn is_told(channel: Channel, envelope: &Envelope) -> bool {
    let routine = envelope.batch().is_some()
        || matches!(envelope.message, Message::Request(_) | Message::LeaseRequest(_) | Message::LeaseGranted(_));
    !routine && !matches!(channel, Channel::Parallel(_))
}

fn peer(host: Host) -> Host {
    match host {
        Host::Source => Host::Destination,
        Host::Destination => Host::Source,
        other => unreachable!("{other} sends no heartbeats"),
    }
}
