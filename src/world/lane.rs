//! Lanes of work: each page channel of a node does one piece of work at a time, and what arrives on it waits meanwhile.

use std::collections::VecDeque;

use crate::protocol::{Action, Batch, Channel, Input, StateId, Version};
use crate::scenario::Part;
use crate::units::Bytes;
use crate::vocabulary::Host;

use super::program::Seat;
use super::{Event, World};
use crate::model::network::MessageId;

/// What a node does on one page channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    /// Work not yet begun, in order.
    pub work: VecDeque<Action>,
    /// Work under way.
    pub working: Option<Working>,
    /// Messages that wait for all work of the lane to end, with their bytes: the socket's receive buffer.
    pub inbox: VecDeque<(Input, Bytes)>,
    /// Bytes in the inbox.
    pub unread: Bytes,
    /// Whether the agent reads no message for now.
    pub held: bool,
}

/// A piece of work under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Working {
    /// Ends with [`super::Event::WorkDone`] and this input; `then` is what it does to the world at its end.
    Timed { input: Input, then: Then },
    /// A write to a page channel, until its last byte is in the send buffer.
    Writing { message: MessageId, to: Host },
    /// A write that has ended but for the receiver, whose buffer is full.
    AwaitingWindow(Host),
}

/// What a piece of work does at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Then {
    Nothing,
    Place(Batch),
    Load(StateId),
    Resume,
    Unsuspend,
    Keep(Version, Batch),
    Merge,
    Launched,
}

impl Lane {
    fn is_idle(&self) -> bool {
        self.working.is_none()
    }

    fn has_something(&self) -> bool {
        !self.work.is_empty() || (!self.held && !self.inbox.is_empty())
    }

    /// The pages that it holds.
    pub fn batches(&self) -> impl Iterator<Item = u64> + '_ {
        let waiting = self.inbox.iter().filter_map(|(input, _)| match input {
            Input::Message { envelope, .. } => envelope.batch(),
            _ => None,
        });
        let planned = self.work.iter().filter_map(|action| match action {
            Action::Send { envelope, .. } => envelope.batch(),
            Action::Place { batch, .. } | Action::Keep { batch, .. } => Some(batch.id),
            _ => None,
        });
        let under_way = match &self.working {
            Some(
                Working::Timed {
                    input: Input::Taken { batch, .. } | Input::Unstaged { batch, .. } | Input::Recalled { batch, .. },
                    ..
                }
                | Working::Timed { then: Then::Place(batch) | Then::Keep(_, batch), .. },
            ) => Some(batch.id),
            _ => None,
        };
        waiting.chain(planned).chain(under_way)
    }
}

impl World {
    /// Hands an input of so many bytes to the agent when the lane has no work.
    pub(super) fn queue(&mut self, host: Host, channel: Channel, input: Input, bytes: Bytes) {
        let lane = self.node(host).lane(channel);
        lane.inbox.push_back((input, bytes));
        lane.unread += bytes;
        self.pump(host);
    }

    /// Begins work and hands over waiting messages as long as a lane is free.
    pub(super) fn pump(&mut self, host: Host) {
        if self.hangs(host, Part::Host) {
            return;
        }
        let agent_hangs = self.hangs(host, Part::Agent);
        let store_awake = !self.seat_hangs(host, Seat::Store);
        let store_here = self.store_host() == Some(host);
        let stores = |channel: Channel| store_here && matches!(channel, Channel::Checkpoint | Channel::Store);
        let awake = |channel: Channel| if stores(channel) { store_awake } else { !agent_hangs };
        loop {
            let node = self.node(host);
            if !node.up {
                return;
            }
            let main_is_idle = node.lanes.get(&Channel::Migration).is_none_or(Lane::is_idle);
            if main_is_idle
                && !agent_hangs
                && let Some(number) = node.pings.pop_front()
            {
                self.step(host, Input::Pinged { number });
                continue;
            }
            let free = |lane: &Lane| lane.is_idle() && lane.has_something();
            let Some((&channel, lane)) = node.lanes.iter_mut().find(|(channel, lane)| free(lane) && awake(**channel))
            else {
                return;
            };
            if let Some(action) = lane.work.pop_front() {
                self.begin(host, channel, action);
            } else if let Some((input, bytes)) = lane.inbox.pop_front() {
                lane.unread -= bytes;
                self.step_as(host, self.seat_of(host, channel), input);
                self.open_window(host, channel);
            }
        }
    }

    /// The write of `message` has ended, or will never. It blocks on while the receiver's buffer is full.
    pub(super) fn write_ended(&mut self, host: Host, channel: Channel, message: MessageId) {
        let Some(node) = self.nodes.get_mut(&host) else { return };
        let lane = node.lane(channel);
        let Some(Working::Writing { message: under_way, to }) = lane.working else { return };
        if under_way == message {
            lane.working = Some(Working::AwaitingWindow(to));
            self.open_window(to, channel);
        }
    }

    /// Lets writers to `receiver` on `channel` go on if there is room in its receive buffer, which is as large as a send
    /// buffer. (The news of it takes no time: TCP's window updates are not modelled.)
    pub(super) fn open_window(&mut self, receiver: Host, channel: Channel) {
        let room = self.scenario.network.send_buffer;
        let full = |lane: &Lane| lane.unread >= room;
        if self.nodes.get(&receiver).and_then(|node| node.lanes.get(&channel)).is_some_and(full) {
            return;
        }
        let waits = |lane: &Lane| lane.working == Some(Working::AwaitingWindow(receiver));
        let writers = self.nodes.iter().filter(|(_, node)| node.lanes.get(&channel).is_some_and(waits));
        let writers: Vec<Host> = writers
            .map(|(&host, _)| host)
            .filter(|&host| !self.seat_hangs(host, self.seat_of(host, channel)))
            .collect();
        for host in writers {
            self.node(host).lane(channel).working = None;
            self.step_as(host, self.seat_of(host, channel), Input::Sent { channel });
            self.pump(host);
        }
    }

    pub(super) fn drop_work(&mut self, host: Host, seat: Seat) {
        let channels: Vec<Channel> = self.nodes[&host].lanes.keys().copied().collect();
        for channel in channels {
            if self.seat_of(host, channel) != seat {
                continue;
            }
            let lane = self.node(host).lane(channel);
            lane.work.clear();
            lane.held = false;
            lane.working = None;
            self.agenda.cancel(Event::WorkDone(host, channel));
        }
        self.lose_orphans();
    }
}
