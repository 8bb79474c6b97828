//! Hangs: of a host, its VMM, its agent or the store nothing runs, until it wakes and finds what has happened meanwhile.
//!
//! | hangs | stands still | goes on |
//! |---|---|---|
//! | agent | its decisions, its work and timers; it reads nothing | VM, kernel: bytes are taken until buffers are full |
//! | store | the same of the store | everything else |
//! | VMM | the same, and the vCPUs with their output | kernel |
//! | host | all of it, network included: it takes nothing and sends nothing | nothing |
//!
//! On waking, vCPUs go on first, then the work under way with what was left of it, then the agent gets what reached it in the order
//! in which it did: a timer that ran out is among it, at its place, so an answer that came before its deadline is still in time. Last
//! come the messages that wait in its inboxes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::protocol::{Channel, Input, Timer};
use crate::scenario::Part;
use crate::units::{Ratio, Span};
use crate::vocabulary::Host;

use super::lane::Working;
use super::program::Seat;
use super::strike::NotFired;
use super::trouble::Name;
use super::{Event, Fact, PauseCause, Resumption, World, host_id};

/// Who hangs, and what waits for them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Hangs {
    /// What of each host, by which fault.
    held: BTreeMap<Host, BTreeSet<(Part, Name)>>,
    asleep: BTreeMap<Host, Asleep>,
    /// By which faults the store alone hangs.
    store: BTreeSet<Name>,
}

/// What waits for a host to wake.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Asleep {
    /// A copy would execute here.
    executes: bool,
    /// Work under way, and how much of it is left.
    work: Vec<(Channel, Span)>,
    /// What reached its processes.
    inputs: VecDeque<(Seat, Input)>,
    /// Packets of the client that were acknowledged to the guest.
    acknowledgements: VecDeque<u64>,
}

impl Hangs {
    /// The most that hangs of a host.
    fn widest(&self, host: Host) -> Option<Part> {
        self.held.get(&host)?.first().map(|held| held.0)
    }

    /// What is left of the work of these lanes takes so many times as long.
    pub(super) fn stretch(&mut self, host: Host, lanes: &[Channel], factor: Ratio) {
        let asleep = self.asleep.get_mut(&host).into_iter().flat_map(|asleep| &mut asleep.work);
        for (_, left) in asleep.filter(|(lane, _)| lanes.contains(lane)) {
            *left = left.scale_saturating(factor);
        }
    }

    /// Whether the store stands still by itself.
    pub(super) fn store_hangs(&self) -> bool {
        !self.store.is_empty()
    }
}

/// Whether a part hangs if `widest` does.
fn covers(widest: Option<Part>, part: Part) -> bool {
    widest.is_some_and(|widest| widest <= part)
}

impl World {
    /// Whether this part of a host stands still.
    pub(super) fn hangs(&self, host: Host, part: Part) -> bool {
        covers(self.trouble.hangs.widest(host), part)
    }

    /// Whether a process on a host stands still: what runs beside a VMM hangs with the host, or by itself.
    pub(super) fn seat_hangs(&self, host: Host, seat: Seat) -> bool {
        match seat {
            Seat::Agent => self.hangs(host, Part::Agent),
            Seat::Store => self.hangs(host, Part::Host) || self.trouble.store_hangs(),
            Seat::Fencer => self.hangs(host, Part::Host),
        }
    }

    /// The store, which lives on `host`, hangs.
    pub(super) fn hang_store(&mut self, name: Name, host: Host) {
        self.trouble.hangs.store.insert(name);
        self.suspend_work(host);
    }

    /// It does so no longer by this fault.
    pub(super) fn wake_store(&mut self, name: Name) {
        if self.trouble.hangs.store.remove(&name)
            && let Some(host) = self.store_host()
        {
            self.go_on(host);
        }
    }

    /// A store that hung is dead and hangs no more.
    pub(super) fn forget_store_hang(&mut self) {
        self.trouble.hangs.store.clear();
        if let Some(host) = self.store_host() {
            self.forget_asleep(host, Seat::Store);
        }
    }

    /// Nothing waits any more for this process to wake.
    fn forget_asleep(&mut self, host: Host, seat: Seat) {
        let lanes: Vec<Channel> = self.asleep(host).work.iter().map(|(lane, _)| *lane).collect();
        let gone: Vec<Channel> = lanes.into_iter().filter(|&lane| self.seat_of(host, lane) == seat).collect();
        let asleep = self.asleep(host);
        asleep.work.retain(|(lane, _)| !gone.contains(lane));
        asleep.inputs.retain(|(of, _)| *of != seat);
    }

    pub(super) fn hang(&mut self, name: Name, part: Part, host: Host) -> Result<(), NotFired> {
        let lives = match part {
            Part::Host => self.node_is_up(host),
            Part::Vmm => self.vmm_alive(host),
            Part::Agent => self.agent_alive(host),
        };
        if !lives {
            return Err(NotFired::AlreadyDead);
        }
        let before = self.trouble.hangs.widest(host);
        self.trouble.hangs.held.entry(host).or_default().insert((part, name));
        let after = self.trouble.hangs.widest(host);
        let begins = |part| !covers(before, part) && covers(after, part);
        // An agent may have hung before its host does, and the store with that.
        if begins(Part::Agent) || begins(Part::Host) {
            self.suspend_work(host);
        }
        if begins(Part::Vmm) {
            self.stand(host);
        }
        if begins(Part::Host) {
            self.network.set_hung(self.now, host_id(host), true, &mut self.effects);
        }
        Ok(())
    }

    pub(super) fn wake(&mut self, name: Name, part: Part, host: Host) {
        let before = self.trouble.hangs.widest(host);
        if let Some(held) = self.trouble.hangs.held.get_mut(&host) {
            held.remove(&(part, name));
        }
        let after = self.trouble.hangs.widest(host);
        let ends = |part| covers(before, part) && !covers(after, part);
        if ends(Part::Host) {
            self.network.set_hung(self.now, host_id(host), false, &mut self.effects);
        }
        if ends(Part::Vmm) {
            self.thaw(host);
        }
        if ends(Part::Agent) || ends(Part::Host) {
            self.go_on(host);
        }
    }

    /// What hung on `host`, from `part` downwards, is dead and hangs no more.
    pub(super) fn forget_hang(&mut self, host: Host, part: Part) {
        if part == Part::Host && self.hangs(host, Part::Host) {
            self.network.set_hung(self.now, host_id(host), false, &mut self.effects);
        }
        if let Some(held) = self.trouble.hangs.held.get_mut(&host) {
            held.retain(|(what, _)| *what < part);
        }
        self.forget_asleep(host, Seat::Agent);
        if part == Part::Host {
            self.forget_asleep(host, Seat::Fencer);
            if self.store_host() == Some(host) {
                self.forget_store_hang();
            }
        }
        if part <= Part::Vmm {
            let asleep = self.asleep(host);
            asleep.executes = false;
            asleep.acknowledgements.clear();
        }
    }

    fn asleep(&mut self, host: Host) -> &mut Asleep {
        self.trouble.hangs.asleep.entry(host).or_default()
    }

    /// An input waits for its agent to wake.
    pub(super) fn defer(&mut self, host: Host, seat: Seat, input: Input) {
        self.asleep(host).inputs.push_back((seat, input));
    }

    /// A timer that ran out unseen is set anew, or forgotten.
    pub(super) fn undefer(&mut self, host: Host, timer: Timer) {
        if let Some(asleep) = self.trouble.hangs.asleep.get_mut(&host) {
            asleep.inputs.retain(|(_, input)| *input != Input::Timer(timer));
        }
    }

    pub(super) fn defer_acknowledgement(&mut self, host: Host, number: u64) {
        self.asleep(host).acknowledgements.push_back(number);
    }

    fn suspend_work(&mut self, host: Host) {
        let lanes: Vec<Channel> = self.nodes.get(&host).map_or(Vec::new(), |node| node.lanes.keys().copied().collect());
        for lane in
            lanes.into_iter().filter(|&lane| self.seat_hangs(host, self.seat_of(host, lane))).collect::<Vec<_>>()
        {
            if let Some(due) = self.agenda.due(Event::WorkDone(host, lane)) {
                let left = due.saturating_since(self.now);
                self.agenda.cancel(Event::WorkDone(host, lane));
                self.asleep(host).work.push((lane, left));
            }
        }
    }

    /// The vCPUs stand where they are.
    fn stand(&mut self, host: Host) {
        let now = self.now;
        if !self.vm.copy(host).is_some_and(super::VmCopy::executes) {
            return;
        }
        self.catch_up_disk(host);
        if let Some(copy) = self.vm.slot(host)
            && let Some(guest) = &mut copy.guest
        {
            guest.stop(now, &mut copy.memory, copy.branch);
            let guest = guest.time(now);
            self.asleep(host).executes = true;
            self.say(Fact::Paused { host, guest, cause: PauseCause::Hang });
            self.watch_guest(host);
            self.watch_access(host);
        }
    }

    /// They go on as if nothing had happened.
    fn thaw(&mut self, host: Host) {
        let now = self.now;
        let asleep = self.asleep(host);
        let acknowledgements = std::mem::take(&mut asleep.acknowledgements);
        if std::mem::take(&mut asleep.executes)
            && let Some(copy) = self.vm.slot(host)
            && let Some(guest) = &mut copy.guest
        {
            guest.start(now);
            let (branch, guest) = (copy.branch, guest.time(now));
            self.say(Fact::Resumed(Resumption {
                host,
                branch,
                guest,
                forked: false,
                exact: true,
                cause: PauseCause::Hang,
            }));
            self.watch_guest(host);
            self.watch_access(host);
        }
        for number in acknowledgements {
            self.acknowledged(host, number);
        }
    }

    /// Whoever hangs no longer wakes: work under way, what reached it, writes that have ended, messages that wait.
    fn go_on(&mut self, host: Host) {
        for (lane, left) in std::mem::take(&mut self.asleep(host).work) {
            if self.seat_hangs(host, self.seat_of(host, lane)) {
                self.asleep(host).work.push((lane, left));
            } else {
                self.schedule(self.now.saturating_add(left), Event::WorkDone(host, lane));
            }
        }
        // One input at a time: each may take a timer back that has run out unseen.
        let hung: Vec<Seat> =
            [Seat::Agent, Seat::Store, Seat::Fencer].into_iter().filter(|&seat| self.seat_hangs(host, seat)).collect();
        while let Some(next) = self.asleep(host).inputs.iter().position(|(seat, _)| !hung.contains(seat))
            && let Some((seat, input)) = self.asleep(host).inputs.remove(next)
        {
            self.control_as(host, seat, input);
        }
        let Some(node) = self.nodes.get(&host) else { return };
        let ended = node.lanes.iter().filter_map(|(&lane, state)| match state.working {
            Some(Working::AwaitingWindow(to)) => Some((lane, to)),
            _ => None,
        });
        for (lane, to) in ended.collect::<Vec<_>>() {
            self.open_window(to, lane);
        }
        self.pump(host);
    }

    /// Whether a copy here would execute if its VMM did not hang.
    pub(super) fn sleeps(&self, host: Host) -> bool {
        self.trouble.hangs.asleep.get(&host).is_some_and(|asleep| asleep.executes)
    }
}
