//! Work of a node: what takes time, what it costs, and what it does to the VM.
//!
//! Memory is read at the beginning of a read and written at the end of a write; what the guest writes in between is in
//! the dirty log. vCPUs stand from the beginning of a stop and run from the end of a resume.

use crate::model::network::MessageId;
use crate::protocol::{Action, Batch, Channel, Input, StateId};
use crate::units::{Bytes, PageCount, Ratio, Span};
use crate::vocabulary::{Host, Phase};

use super::node::Node;
use super::{Event, Fact, InFlight, World};

/// A piece of work under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Working {
    /// Ends with [`Event::WorkDone`] and this input; `then` is what it does to the world at its end.
    Timed { input: Input, then: Then },
    /// A write to the migration channel, until its last byte is in the send buffer.
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
}

const BYTES_PER_GIB: u64 = 1 << 30;

impl World {
    pub(super) fn begin(&mut self, host: Host, action: Action) {
        let scenario = self.scenario.clone();
        let platform = &scenario.platform;
        let (cost, input, then) = match action {
            Action::Send { to, channel, envelope } => {
                if let Some(message) = self.write(host, to, channel, envelope) {
                    self.node(host).working = Some(Working::Writing { message, to });
                    return;
                }
                // The connection is over: the write fails at once.
                self.step(host, Input::Broken { channel: Channel::Migration });
                (Span::ZERO, Input::Sent, Then::Nothing)
            }
            Action::SyncLog => {
                let cost = per_gib(platform.sync_per_gib, self.scenario.vms[0].memory);
                (cost, Input::Synced { pending: self.sync_log(host) }, Then::Nothing)
            }
            Action::Take { budget } => {
                let (batch, pending) = self.take(host, budget);
                (
                    self.scenario.platform.read_page.saturating_mul(batch.pages.get()),
                    Input::Taken { batch, pending },
                    Then::Nothing,
                )
            }
            Action::Stop => {
                let cost = platform.stop;
                match self.stop(host) {
                    Some(state) => (cost, Input::Stopped { state }, Then::Nothing),
                    None => return,
                }
            }
            Action::Place(batch) => (self.cost_of_placing(host, &batch), Input::Placed, Then::Place(batch)),
            Action::Load(state) => (platform.load, Input::Loaded, Then::Load(state)),
            Action::Resume => (platform.resume, Input::Resumed, Then::Resume),
            other => unreachable!("{other:?} is not work"),
        };
        self.node(host).working = Some(Working::Timed { input, then });
        self.schedule(self.now.saturating_add(cost), Event::WorkDone(host));
    }

    pub(super) fn work_done(&mut self, host: Host) {
        let Some(Working::Timed { input, then }) = self.node(host).working.take() else { return };
        match then {
            Then::Nothing => {}
            Then::Place(batch) => self.place(host, &batch),
            Then::Load(state) => self.vm.load(host, state),
            Then::Resume => {
                if !self.resume(host) {
                    self.pump(host);
                    return;
                }
            }
        }
        self.step(host, input);
        self.pump(host);
    }

    /// The write of `message` has ended, or will never. It blocks on while the receiver's buffer is full.
    pub(super) fn write_ended(&mut self, host: Host, message: MessageId) {
        let Some(node) = self.nodes.get_mut(&host) else { return };
        let Some(Working::Writing { message: under_way, to }) = node.working else { return };
        if under_way == message {
            node.working = Some(Working::AwaitingWindow(to));
            self.open_window(to);
        }
    }

    /// Lets writers to `receiver` go on if there is room in its receive buffer, which is as large as a send buffer. (The news of it
    /// takes no time: TCP's window updates are not modelled.)
    pub(super) fn open_window(&mut self, receiver: Host) {
        let full = self.nodes.get(&receiver).is_some_and(|node| node.unread >= self.scenario.network.send_buffer);
        if full {
            return;
        }
        let waits = |node: &Node| node.working == Some(Working::AwaitingWindow(receiver));
        let writers: Vec<Host> = self.nodes.iter().filter(|(_, node)| waits(node)).map(|(&host, _)| host).collect();
        for host in writers {
            self.node(host).working = None;
            self.step(host, Input::Sent);
            self.pump(host);
        }
    }

    pub(super) fn drop_work(&mut self, host: Host) {
        let node = self.node(host);
        node.work.clear();
        node.working = None;
        self.agenda.cancel(Event::WorkDone(host));
        self.lose_orphans();
    }

    fn sync_log(&mut self, host: Host) -> PageCount {
        let now = self.now;
        let Some(copy) = self.vm.slot(host) else { return PageCount::ZERO };
        copy.catch_up(now);
        let pending = copy.memory.sync_log();
        self.say(Fact::Synced { pending });
        self.progress.synced(pending);
        self.check_last_page();
        self.check_triggers();
        pending
    }

    fn take(&mut self, host: Host, budget: PageCount) -> (Batch, PageCount) {
        let now = self.now;
        let platform = &self.scenario.platform;
        let (page, zero_page) = (platform.page_size + platform.page_header, platform.zero_page);
        let nothing = Batch { id: u64::MAX, pages: PageCount::ZERO, bytes: Bytes::ZERO };
        let round = self.progress.round();
        let Some(copy) = self.vm.slot(host) else { return (nothing, PageCount::ZERO) };
        copy.catch_up(now);
        let executes = copy.executes();
        let due = copy.memory.pending();
        let guest = copy.guest.as_ref();
        let is_zero = |number, content| {
            content == crate::model::memory::Content::INITIAL && guest.is_some_and(|g| g.starts_as_zero(number))
        };
        let zeros = self.scenario.platform.zero_pages_per_chunk();
        let pages = copy.memory.take(budget, zeros, is_zero);
        let zero = PageCount::new(pages.iter().filter(|&(number, content)| is_zero(number, content)).count() as u64);
        let left = copy.memory.pending();
        if executes && self.progress.begins_round() {
            self.enter_round(round + 1, due);
        }
        let count = pages.count();
        let bytes = page * (count - zero).get() + zero_page * zero.get();
        let batch = Batch { id: self.numbers.batch, pages: count, bytes };
        self.numbers.batch += 1;
        self.batches.insert(batch.id, InFlight { pages, zero, leg: self.progress.leg() });
        self.counted.sent += count;
        self.say(Fact::PagesSent { pages: count, zero, bytes });
        (batch, left)
    }

    fn place(&mut self, host: Host, batch: &Batch) {
        let Some(arrived) = self.batches.remove(&batch.id) else { return };
        self.vm.receiving(host).memory.place(&arrived.pages);
        let pages = arrived.pages.count();
        self.counted.placed += pages;
        self.progress.arrived(pages, arrived.leg);
        self.say(Fact::PagesArrived { pages });
        self.check_last_page();
        self.check_triggers();
    }

    /// Pages that will never be placed.
    pub(super) fn lose_batch(&mut self, id: u64) {
        if let Some(lost) = self.batches.remove(&id) {
            let pages = lost.pages.count();
            self.counted.lost += pages;
            self.say(Fact::PagesLost { pages });
        }
    }

    fn stop(&mut self, host: Host) -> Option<StateId> {
        let (state, guest) = self.vm.stop(host, self.now)?;
        self.agenda.cancel(Event::Output(host));
        self.say(Fact::Paused { host, guest });
        self.enter(Phase::Stop);
        Some(state)
    }

    fn resume(&mut self, host: Host) -> bool {
        let Some(resumption) = self.vm.resume(host, self.now) else { return false };
        self.say(Fact::Resumed(resumption));
        self.watch_output(host);
        true
    }

    pub(super) fn throttle(&mut self, host: Host, throttle: Ratio) {
        let now = self.now;
        if let Some(copy) = self.vm.slot(host) {
            copy.catch_up(now);
            if let Some(guest) = &mut copy.guest {
                guest.throttle(now, throttle);
            }
        }
        self.say(Fact::Throttled(throttle));
        self.watch_output(host);
    }

    /// Frees the copy on `host`, if there is one.
    pub(super) fn discard(&mut self, host: Host) {
        if matches!(host, Host::Management | Host::Client) {
            return;
        }
        let now = self.now;
        if let Some(mut copy) = self.vm.slot(host).take() {
            copy.catch_up(now);
            let (executed, guest) = (copy.executes(), copy.guest.as_ref().map(|g| g.time(now)));
            self.agenda.cancel(Event::Output(host));
            self.say(Fact::CopyGone { host, executed, guest });
        }
    }
}

fn per_gib(cost: Span, memory: Bytes) -> Span {
    cost.scale_saturating(Ratio::new(memory.get(), BYTES_PER_GIB))
}
