//! Work of a node: what takes time, what it costs, and what it does to the VM.
//!
//! Memory is read at the beginning of a read and written at the end of a write; what the guest writes in between is in
//! the dirty log. vCPUs stand from the beginning of a stop and run from the end of a resume.

use crate::model::memory::Pages;
use crate::protocol::{Action, Batch, Channel, Input, StateId};
use crate::scenario::policy::Push;
use crate::units::{Bytes, PageCount, Ratio, Span};
use crate::vocabulary::{Host, Phase};

use super::lane::{Then, Working};
use super::{Event, Fact, InFlight, PauseCause, Resumption, World};

const BYTES_PER_GIB: u64 = 1 << 30;

impl World {
    pub(super) fn begin(&mut self, host: Host, lane: Channel, action: Action) {
        let scenario = self.scenario.clone();
        let platform = &scenario.platform;
        // Going through a set of all pages.
        let listing = per_gib(platform.sync_per_gib, scenario.vms[0].memory);
        let (cost, input, then) = match action {
            Action::Send { to, channel, envelope } => {
                if let Some(message) = self.write(host, to, channel, envelope) {
                    self.node(host).lane(lane).working = Some(Working::Writing { message, to });
                    return;
                }
                // The connection is over: the write fails at once.
                self.step_as(host, self.seat_of(host, channel), Input::Broken { channel });
                (Span::ZERO, Input::Sent { channel }, Then::Nothing)
            }
            Action::SyncLog => (listing, Input::Synced { pending: self.sync_log(host) }, Then::Nothing),
            Action::Take { channel, budget, push } => {
                let (batch, pending, cost) = self.take(host, budget, push);
                (cost, Input::Taken { channel, batch, pending }, Then::Nothing)
            }
            Action::Fetch { channel, fault, push } => {
                let (batch, pending, cost) = self.fetch(host, fault, push);
                (cost, Input::Taken { channel, batch, pending }, Then::Nothing)
            }
            Action::Survey => (listing, Input::Surveyed(self.survey(host)), Then::Nothing),
            Action::Reconcile(list) => (listing, Input::Synced { pending: self.reconcile(host, list) }, Then::Nothing),
            Action::Stop => {
                let cost = platform.stop;
                match self.stop(host) {
                    Some(state) => (cost, Input::Stopped { state }, Then::Nothing),
                    None => return,
                }
            }
            Action::Place { channel, batch } => (
                self.cost_of_placing(host, &batch),
                Input::Placed { channel, missing: PageCount::ZERO },
                Then::Place(batch),
            ),
            Action::Load(state) => (platform.load, Input::Loaded, Then::Load(state)),
            Action::Resume => (platform.resume, Input::Resumed, Then::Resume),
            other => match self.begin_saving(host, &other).or_else(|| self.begin_protecting(host, &other)) {
                Some(work) => work,
                // There is no copy to do it to.
                None => return,
            },
        };
        self.node(host).lane(lane).working = Some(Working::Timed { input, then });
        let cost = self.slowed(host, self.seat_of(host, lane), cost);
        self.schedule(self.now.saturating_add(cost), Event::WorkDone(host, lane));
    }

    pub(super) fn work_done(&mut self, host: Host, lane: Channel) {
        let Some(Working::Timed { mut input, then }) = self.node(host).lane(lane).working.take() else { return };
        match then {
            Then::Nothing => {}
            Then::Place(batch) => {
                self.place(host, &batch);
                let missing = self.vm.copy(host).map_or(PageCount::ZERO, |copy| copy.memory.missing());
                input = Input::Placed { channel: lane, missing };
            }
            Then::Load(state) => {
                self.vm.load(host, state);
                self.write_again(host, state);
            }
            Then::Resume => {
                if !self.resume(host) {
                    self.pump(host);
                    return;
                }
            }
            Then::Unsuspend => self.unsuspend(host),
            Then::Keep(_, batch) if self.trouble.medium_is_full() => self.lose_batch(batch.id),
            Then::Keep(version, batch) => self.keep(version, &batch),
            Then::Merge => input = self.merge(host),
            Then::Launched => self.say(Fact::Launched { host }),
        }
        let input = self.written(input);
        self.step_as(host, self.seat_of(host, lane), input);
        self.pump(host);
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

    /// Reads the next pages to be sent. Answers them, how many are left, and the time it takes.
    fn take(&mut self, host: Host, budget: PageCount, push: Push) -> (Batch, PageCount, Span) {
        let now = self.now;
        let Some(copy) = self.vm.slot(host) else { return self.send_read(host, Pages::default(), false) };
        copy.catch_up(now);
        let executes = copy.executes();
        let due = copy.memory.pending();
        let known = copy.memory.knows_what_was_sent();
        let guest = copy.guest.as_ref();
        let is_zero = |number, content| guest.is_some_and(|guest| guest.holds_zeros(number, content));
        let zeros = self.scenario.platform.zero_pages_per_chunk();
        let pages = copy.memory.take(budget, push, zeros, is_zero);
        if executes && pages.count() > PageCount::ZERO && self.progress.begins_round() {
            self.enter_round(self.progress.round() + 1, due);
        }
        self.send_read(host, pages, known)
    }

    /// Pages that were read are on their way from now on. Answers their batch, how many are still to be read, and the time it
    /// takes; `known`: the cache of sent pages was in use when they were read.
    pub(super) fn send_read(&mut self, host: Host, pages: Pages, known: bool) -> (Batch, PageCount, Span) {
        let left = self.vm.copy(host).map_or(PageCount::ZERO, |copy| copy.memory.pending());
        let count = pages.count();
        if count == PageCount::ZERO {
            return (Batch { id: u64::MAX, pages: count, bytes: Bytes::ZERO }, left, Span::ZERO);
        }
        let wire = self.encode(host, &pages, known);
        let batch = Batch { id: self.numbers.batch, pages: count, bytes: wire.bytes };
        self.numbers.batch += 1;
        let (leg, zero, compressed) = (self.progress.leg(), wire.zero, wire.compressed);
        self.batches.insert(batch.id, InFlight { pages, compressed, zero, leg, checkpoint: false });
        self.counted.sent += count;
        self.say(Fact::PagesSent { pages: count, zero: wire.zero, known: wire.hits, bytes: wire.bytes });
        (batch, left, wire.cost)
    }

    fn place(&mut self, host: Host, batch: &Batch) {
        let Some(arrived) = self.batches.remove(&batch.id) else { return };
        if arrived.checkpoint {
            self.counted_stored.placed += arrived.pages.count();
            self.vm.receiving(host).memory.overwrite(arrived.pages.iter());
            return;
        }
        let copy = self.vm.receiving(host);
        let guest = copy.guest.as_ref();
        let is_zero = |number, content| guest.is_some_and(|guest| guest.holds_zeros(number, content));
        let placed = copy.memory.place(&arrived.pages, is_zero);
        let missing = copy.memory.missing();
        let pages = arrived.pages.count();
        self.counted.placed += pages;
        self.counted.kept += placed.kept;
        self.progress.arrived(pages, arrived.leg);
        self.progress.missing(missing);
        self.say(Fact::PagesArrived { pages });
        // Whoever waits for them: the VM may stand for a checkpoint meanwhile.
        if self.vm.copy(host).is_some_and(|copy| copy.memory.takes_faults()) {
            self.satisfy(host, &arrived.pages);
        }
        self.check_last_page();
        self.check_triggers();
    }

    /// Pages that will never be placed.
    pub(super) fn lose_batch(&mut self, id: u64) {
        if let Some(lost) = self.batches.remove(&id) {
            let pages = lost.pages.count();
            if lost.checkpoint {
                self.counted_stored.lost += pages;
                return;
            }
            self.counted.lost += pages;
            self.say(Fact::PagesLost { pages });
        }
    }

    fn stop(&mut self, host: Host) -> Option<StateId> {
        self.catch_up_disk(host);
        let (state, guest) = self.vm.stop(host, self.now)?;
        self.still(host);
        self.say(Fact::Paused { host, guest, cause: PauseCause::Switchover });
        self.enter(Phase::Stop);
        Some(state)
    }

    fn resume(&mut self, host: Host) -> bool {
        let Some(resumption) = self.vm.resume(host, self.now, PauseCause::Switchover) else { return false };
        self.runs_on(host, resumption);
        self.follow(host);
        true
    }

    /// A copy executes from now on.
    pub(super) fn runs_on(&mut self, host: Host, resumption: Resumption) {
        self.say(Fact::Resumed(resumption));
        self.read_queued(host);
        self.watch_guest(host);
        self.watch_access(host);
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
        self.watch_guest(host);
        self.watch_access(host);
    }

    /// Frees the copy on `host`, if there is one.
    pub(super) fn discard(&mut self, host: Host) {
        if !matches!(host, Host::Source | Host::Destination) {
            return;
        }
        let now = self.now;
        if let Some(mut copy) = self.vm.slot(host).take() {
            copy.catch_up(now);
            let (executed, guest) = (copy.executes(), copy.guest.as_ref().map(|g| g.time(now)));
            self.still(host);
            self.forget_accesses(host);
            self.say(Fact::CopyGone { host, executed, guest });
            self.lose_held(host, copy.held.take());
        }
    }
}

pub(super) fn per_gib(cost: Span, memory: Bytes) -> Span {
    cost.scale_saturating(Ratio::new(memory.get(), BYTES_PER_GIB))
}
