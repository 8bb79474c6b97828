//! What the agents' actions do in the model: at once, or as work that has a beginning and an end.
//!
//! As in the shipped world, memory is read at the beginning of a read and written at the end of a write, and vCPUs stand from the
//! beginning of a stop and run from the end of a resume. An action that no agent takes under the policies of the model panics:
//! nothing is left out in silence.

use midflight::protocol::{Action, Channel, Envelope, FaultId, Input, Message, StateId, Stored, Timer};
use midflight::units::PageCount;
use midflight::vocabulary::Host;

use crate::batch::{contents, named};
use crate::host::{Lane, Seat, Then, Work};
use crate::vault::Vault;
use crate::vm::{Content, Copy, Held, Log, PAGES, Pages, Staged};
use crate::wire::Item;
use crate::world::World;

impl World {
    /// The process on `host` that a connection leads to.
    fn seat_at(&self, host: Host, channel: Channel) -> Seat {
        match host {
            _ if host == self.plan.store && matches!(channel, Channel::Checkpoint | Channel::Store) => Seat::Store,
            Host::Source => Seat::Source,
            Host::Destination => Seat::Destination,
            Host::Management => Seat::Operator,
            other => unreachable!("nobody listens on {other}"),
        }
    }

    /// Sends a message. Answers whether the sender knows of a connection.
    fn send(&mut self, from: Seat, to: Host, channel: Channel, envelope: Envelope) -> bool {
        let here = from.host(self.plan.store);
        self.milestones.complete |= envelope.message == Message::Complete;
        let mut peer = self.seat_at(to, channel);
        if from == Seat::Store && to == here {
            // The store answers whoever shares its host.
            peer = if here == Host::Source { Seat::Source } else { Seat::Destination };
        }
        if channel == Channel::Management || to == here {
            self.handed.push_back((peer, Input::Message { from: here, channel, envelope }));
            return true;
        }
        self.write(from, peer, channel, Item::Says(envelope))
    }

    /// Does what takes no time.
    pub fn perform(&mut self, seat: Seat, action: Action) {
        let host = seat.host(self.plan.store);
        match action {
            Action::Send { to, channel, envelope } => {
                self.send(seat, to, channel, envelope);
            }
            Action::Connect { peer, channel } => {
                let peer = self.seat_at(peer, channel);
                self.open(seat, peer, channel);
            }
            Action::Disconnect { channel } => {
                let known: Vec<Seat> =
                    self.node(seat).channels.keys().filter(|key| key.1 == channel).map(|key| key.0).collect();
                for peer in known {
                    self.close(seat, peer, channel);
                }
            }
            Action::SetTimer(timer, _) if timer != Timer::Ping => {
                self.node(seat).timers.insert(timer);
            }
            Action::CancelTimer(timer) => {
                self.node(seat).timers.remove(&timer);
            }
            Action::DropWork => {
                for lane in self.node(seat).lanes.values_mut() {
                    *lane = Lane::default();
                }
            }
            Action::Hold(channel) => self.node(seat).lanes.entry(channel).or_default().held = true,
            Action::ReadOn(channel) => self.node(seat).lanes.entry(channel).or_default().held = false,
            Action::StartLog => self.unread = [true; PAGES],
            Action::StopLog => self.unread = [false; PAGES],
            Action::TakeFaults { stale: None } => self.vm.receiving(host).takes_faults = true,
            Action::Serve => self.vm.receiving(host).serves = true,
            Action::Discard => *self.vm.slot(host) = None,
            Action::Relinquish => self.milestones.relinquished = true,
            Action::Conclude => self.milestones.concluded = true,
            // Of the heartbeat only its deadline is left: see `main.rs`. The rest only says something of the run, or changes what
            // things cost.
            Action::SetTimer(..)
            | Action::Ping { .. }
            | Action::Pong { .. }
            | Action::SendWhole
            | Action::Throttle(_)
            | Action::Pause
            | Action::GiveUp
            | Action::Suspect(_)
            | Action::EndRounds(_)
            | Action::EndSending
            | Action::Round { .. }
            | Action::Report(_) => {}
            other => self.protects(seat, host, other),
        }
    }

    /// What takes no time of a checkpoint or restore.
    fn protects(&mut self, seat: Seat, host: Host, action: Action) {
        match action {
            Action::LogCheckpoints { all: false } => self.vm.receiving(host).log = Some(Log::default()),
            Action::EndCheckpoints => {
                if let Some(copy) = self.vm.slot(host) {
                    copy.log = None;
                    copy.staged = Staged::default();
                }
            }
            Action::Restage { all } => {
                if let Some(copy) = self.vm.slot(host) {
                    copy.restage(all);
                }
            }
            Action::HoldOutput => {
                self.vm.receiving(host).held.get_or_insert_with(Held::default);
            }
            Action::SealOutput(version) => {
                if let Some(held) = self.vm.slot(host).as_mut().and_then(|copy| copy.held.as_mut()) {
                    held.seal(version);
                }
            }
            Action::Release(version) => {
                let held = self.vm.slot(host).as_mut().and_then(|copy| copy.held.as_mut());
                let released = held.map(|held| held.release(version)).unwrap_or_default();
                self.releases(&released);
            }
            Action::ReleaseAll => {
                let held = self.vm.slot(host).as_mut().and_then(|copy| copy.held.take());
                self.releases(&held.map(Held::all).unwrap_or_default());
            }
            // Pages that only arrived are clean: they are as they were in the base.
            Action::ForgetArrivals => {}
            // Nothing is lost from the store here, so nothing is built on a hole.
            Action::Commit { stored, after: _ } => self.vault.commit(stored),
            Action::Forget(version) => self.vault.forget(version),
            Action::Clear => self.vault = Vault::default(),
            Action::Pin => {
                let newest = self.vault.pin();
                self.handed.push_back((seat, Input::Pinned { newest }));
            }
            Action::Restore => self.asked.clear(),
            Action::Claimed(stored) => self.claimed(stored),
            Action::Entitle => self.milestones.restored = Some(host),
            Action::Clean => *self.vm.slot(host) = None,
            other => unreachable!("{} does {other:?}, which the model does not have", seat.name()),
        }
    }

    fn claimed(&mut self, stored: Option<Stored>) {
        self.broken.freshest |= !self.asked.contains(&stored);
        self.milestones.from_version = stored.is_some();
        // Where nothing is complete, what is restored is the base: the first state saved.
        self.restoring = Some(stored.map_or(StateId(0), |stored| stored.state));
    }

    /// Begins work where nothing is under way.
    pub fn pump(&mut self, seat: Seat) {
        loop {
            let Some(node) = self.nodes.get(&seat) else { return };
            let free = |lane: &Lane| lane.under_way.is_none() && !lane.waiting.is_empty();
            let Some(channel) = node.lanes.iter().find(|(_, lane)| free(lane)).map(|(&channel, _)| channel) else {
                return;
            };
            let lane = self.node(seat).lanes.entry(channel).or_default();
            let Some(action) = lane.waiting.pop_front() else { return };
            self.begin(seat, channel, action);
        }
    }

    fn begin(&mut self, seat: Seat, lane: Channel, action: Action) {
        let host = seat.host(self.plan.store);
        let (then, input) = match action {
            Action::Send { to, channel, envelope } => {
                // A write that takes long is a read before it, or an arrival after it, that comes late.
                if !self.send(seat, to, channel, envelope) {
                    self.step(seat, Input::Broken { channel });
                }
                return self.step(seat, Input::Sent { channel });
            }
            Action::Unstage { budget } => {
                let budget = count(budget);
                let (pages, left) = self.vm.receiving(host).unstage(budget);
                // What it takes is copied already: when it is taken makes no difference.
                return self.step(seat, Input::Unstaged { batch: named(&pages), left: PageCount::new(left as u64) });
            }
            Action::Take { channel, budget, .. } => {
                let pages = (0..PAGES).filter(|page| self.unread[*page]).take(count(budget)).collect();
                (Then::Nothing, self.read(channel, pages))
            }
            Action::Fetch { channel, fault: FaultId(page), .. } => {
                let page = usize::try_from(page).expect("a small number");
                let pages = if self.unread[page] { vec![page] } else { Vec::new() };
                (Then::Nothing, self.read(channel, pages))
            }
            Action::Stop => match self.vm.stop(host) {
                Some(state) => (Then::Nothing, Input::Stopped { state }),
                None => return,
            },
            Action::Place { channel, batch } => {
                let (pages, over) = (contents(batch), channel == Channel::Checkpoint);
                (Then::Place { pages, over }, Input::Placed { channel, missing: PageCount::ZERO })
            }
            Action::Load(state) => (Then::Load(state), Input::Loaded),
            Action::Resume => (Then::Resume, Input::Resumed),
            Action::Stage => {
                let pages = self.vm.slot(host).as_mut().map_or(0, Copy::stage);
                (Then::Nothing, Input::Staged { pages: PageCount::new(pages as u64) })
            }
            Action::Suspend => match self.vm.stop(host) {
                Some(state) => (Then::Nothing, Input::Suspended { state }),
                None => return,
            },
            Action::Unsuspend => (Then::Unsuspend, Input::Unsuspended),
            Action::Keep { version, batch } => (Then::Keep(version, contents(batch)), Input::Kept { version }),
            Action::Seal { version } => (Then::Nothing, Input::SealedHere { version }),
            Action::Recall { fetch, afresh, budget } => {
                let (pages, left) = self.vault.recall(afresh, count(budget));
                (Then::Nothing, Input::Recalled { fetch, batch: named(&pages), left: PageCount::new(left as u64) })
            }
            Action::Merge => (Then::Merge, Input::Merged),
            other => unreachable!("{} does {other:?}, which the model does not have", seat.name()),
        };
        self.node(seat).lanes.entry(lane).or_default().under_way = Some(Work { then, input });
    }

    /// Pages of the source are read, and are on their way from then on.
    fn read(&mut self, channel: Channel, pages: Vec<usize>) -> Input {
        let mut read = Pages::new();
        for page in pages {
            self.unread[page] = false;
            let content = self.vm.source.as_ref().and_then(|copy| copy.pages[page]);
            read.extend(content.map(|content| (page, content)));
        }
        let pending = self.unread.iter().filter(|unread| **unread).count();
        Input::Taken { channel, batch: named(&read), pending: PageCount::new(pending as u64) }
    }

    /// Work ends.
    pub fn done(&mut self, seat: Seat, channel: Channel) {
        let lane = self.node(seat).lanes.entry(channel).or_default();
        let Some(Work { then, mut input }) = lane.under_way.take() else { return };
        let host = seat.host(self.plan.store);
        match then {
            Then::Nothing => {}
            Then::Place { pages, over } => {
                self.places(host, pages, over);
                let missing = self.vm.copy(host).map_or(0, Copy::missing);
                input = Input::Placed { channel, missing: PageCount::new(missing as u64) };
            }
            Then::Load(state) => self.vm.load(host, state),
            Then::Resume => {
                if !self.resumes(host) {
                    return self.pump(seat);
                }
            }
            Then::Unsuspend => {
                self.resumes(host);
            }
            Then::Keep(version, pages) => self.vault.keep(version, pages),
            Then::Merge => {
                if host == self.plan.store {
                    let pages = self.vault.pinned.clone();
                    self.places(host, pages, true);
                }
            }
        }
        self.control(seat, input);
    }

    fn places(&mut self, host: Host, pages: Pages, over: bool) {
        for (page, content) in pages {
            let copy = self.vm.receiving(host);
            if over {
                copy.pages[page] = Some(content);
                continue;
            }
            self.broken.accounting |= copy.pages[page].is_some();
            copy.pages[page].get_or_insert(content);
            if copy.blocked.take_if(|waits| *waits == page).is_some() {
                self.step(Seat::Destination, Input::Satisfied(FaultId(page as u64)));
            }
        }
    }

    /// The copy on `host` runs from the state at which it stands, and is compared with what is known of that.
    fn resumes(&mut self, host: Host) -> bool {
        let stands_at = self.vm.copy(host).and_then(|copy| copy.at_state);
        let restored = self.milestones.restored == Some(host);
        let Some(forked) = self.vm.resume(host, restored) else { return false };
        let exact = self.vm.copy(host).is_some_and(Copy::is_exact);
        self.broken.consistent_recovery |= !exact;
        if restored && let Some(state) = self.restoring.take() {
            self.broken.consistent_recovery |= stands_at != Some(state);
        }
        self.broken.output_commit |= forked && self.vm.forgot();
        true
    }

    /// A step of the guest: it writes, and answers.
    pub fn guest_writes(&mut self, page: usize, here: Content) {
        let copy = self.vm.receiving(Host::Destination);
        let Some(guest) = &mut copy.guest else { return };
        self.broken.no_stale_page |= here != guest.written[page];
        guest.steps += 1;
        let step = guest.steps;
        let content = Content { branch: copy.branch, step };
        guest.written[page] = content;
        copy.pages[page] = Some(content);
        if let Some(log) = &mut copy.log {
            log.dirty[page] = true;
        }
        match &mut copy.held {
            None => self.releases(&[content]),
            Some(held) => {
                if held.hold(content) {
                    self.control(Seat::Destination, Input::OutputWaits);
                }
            }
        }
    }

    /// Answers of the guest leave for the client.
    fn releases(&mut self, steps: &[Content]) {
        for &step in steps {
            self.broken.single_history |= !self.vm.is_history(step);
            let latest = &mut self.vm.released[usize::from(step.branch)];
            *latest = step.step.max(*latest);
        }
    }
}

fn count(budget: PageCount) -> usize {
    usize::try_from(budget.get()).expect("a small number")
}
