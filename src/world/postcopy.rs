//! A copy that executes before all its pages are there: who waits for what, and lists of pages between the nodes.
//!
//! An access to a missing page blocks one vCPU and, after the platform's `fault`, becomes an input of the agent; a second vCPU
//! that needs a page already asked for only waits. When the page is placed, all of them go on.

use std::collections::BTreeMap;

use crate::model::guest::Guest;
use crate::model::memory::{PageSet, Pages};
use crate::protocol::{Batch, Channel, FaultId, Input, PageList};
use crate::scenario::policy::Push;
use crate::units::{Bytes, PageCount, SimTime, Span};
use crate::vocabulary::{Host, Phase};

use super::node::Node;
use super::{Event, Fact, VmCopy, World, host_id};

/// Accesses that wait, and lists of pages that are spoken of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Faulting {
    /// By page: the access's name, and since when each vCPU waits.
    open: BTreeMap<u64, (FaultId, Vec<SimTime>)>,
    /// The page of each access ever.
    pages: Vec<u64>,
    lists: BTreeMap<u64, PageSet>,
    listed: u64,
    /// Pages that had to follow the VM.
    due: PageCount,
}

/// Two 8-byte numbers name a run of pages.
const RUN: u64 = 16;

impl World {
    /// Schedules the next look for an access to a missing page.
    pub(super) fn watch_access(&mut self, host: Host) {
        let now = self.now;
        let next = self.vm.slot(host).as_mut().and_then(|copy| copy.guest.as_mut()?.next_missing(now, &copy.memory));
        match next {
            Some(at) => self.schedule(at, Event::Access(host)),
            None => self.agenda.cancel(Event::Access(host)),
        }
    }

    pub(super) fn guest_access(&mut self, host: Host) {
        let now = self.now;
        let reached = self.vm.slot(host).as_mut().and_then(|copy| copy.guest.as_mut()?.reach_missing(now));
        if let Some(page) = reached {
            let all = self.is_blocked(host);
            let next = FaultId(self.faulting.pages.len() as u64);
            let (fault, since) = self.faulting.open.entry(page).or_insert_with(|| (next, Vec::new()));
            since.push(now);
            if *fault == next {
                self.faulting.pages.push(page);
                let at = now.saturating_add(self.scenario.platform.fault);
                self.schedule(at, Event::Request(next));
            }
            self.say(Fact::Blocked { host, all });
            self.watch_guest(host);
        }
        self.watch_access(host);
    }

    /// The news of an access has reached the process that asks for pages, unless the page has come meanwhile.
    pub(super) fn request(&mut self, fault: FaultId) {
        if self.faulting.open.values().any(|(open, _)| *open == fault) {
            self.control(Host::Destination, Input::Fault(fault));
        }
    }

    /// Whoever asks for pages has started again: it hears anew of what waits.
    pub(super) fn announce_faults(&mut self) {
        let open: Vec<FaultId> = self.faulting.open.values().map(|(fault, _)| *fault).collect();
        for fault in open {
            self.control(Host::Destination, Input::Fault(fault));
        }
    }

    fn is_blocked(&self, host: Host) -> bool {
        self.vm.copy(host).and_then(|copy| copy.guest.as_ref()).is_some_and(Guest::is_blocked)
    }

    /// Pages are there: whoever waits for them goes on.
    pub(super) fn satisfy(&mut self, host: Host, pages: &Pages) {
        let now = self.now;
        let mut satisfied = Vec::new();
        for (page, _) in pages.iter() {
            if self.faulting.open.is_empty() {
                break;
            }
            let Some((fault, since)) = self.faulting.open.remove(&page) else { continue };
            satisfied.push(fault);
            for began in since {
                let all = self.is_blocked(host);
                if let Some(guest) = self.vm.slot(host).as_mut().and_then(|copy| copy.guest.as_mut()) {
                    guest.unblock(now, 1);
                }
                self.say(Fact::Unblocked { host, waited: now - began, all });
            }
        }
        if !satisfied.is_empty() {
            self.watch_guest(host);
        }
        self.watch_access(host);
        for fault in satisfied {
            self.agenda.cancel(Event::Request(fault));
            self.step(host, Input::Satisfied(fault));
        }
    }

    /// Nobody waits here any more: the copy is gone.
    pub(super) fn forget_accesses(&mut self, host: Host) {
        self.agenda.cancel(Event::Access(host));
        if host == Host::Destination {
            let open = std::mem::take(&mut self.faulting.open);
            for (fault, _) in open.into_values() {
                self.agenda.cancel(Event::Request(fault));
            }
        }
    }

    pub(super) fn take_faults(&mut self, host: Host, stale: Option<PageList>) {
        let stale = stale.and_then(|list| self.faulting.lists.remove(&list.id));
        let memory = &mut self.vm.receiving(host).memory;
        if let Some(stale) = stale {
            memory.drop_pages(&stale);
        }
        memory.take_faults();
    }

    /// The VM runs here with pages missing.
    pub(super) fn follow(&mut self, host: Host) {
        let (now, seed) = (self.now, self.seed);
        let Some(copy) = self.vm.slot(host).as_mut().filter(|copy| copy.memory.takes_faults()) else { return };
        if let Some(guest) = &mut copy.guest {
            guest.watch_for_missing(now, 0, seed);
        }
        self.faulting.due = copy.memory.missing();
        self.enter_post_copy();
        self.watch_access(host);
    }

    fn enter_post_copy(&mut self) {
        let due = self.faulting.due;
        let missing = self.vm.copy(Host::Destination).map_or(due, |copy| copy.memory.missing());
        self.progress.enter(Phase::PostCopy, 0, due);
        self.progress.missing(missing);
        self.say(Fact::Phase { phase: Phase::PostCopy, round: 0, due });
        self.check_triggers();
    }

    pub(super) fn pause_migration(&mut self, host: Host) {
        self.say(Fact::MigrationPaused { host });
        // After the last page there is nothing to recover.
        let restored = self.restored_at().is_some();
        if !restored && matches!(self.progress.phase(), Phase::PostCopy | Phase::Recovery) {
            self.milestones.paused.get_or_insert(self.now);
            self.enter(Phase::Paused);
        }
    }

    /// Lists pages: at the source those still to be sent, at the destination those that have been received.
    pub(super) fn survey(&mut self, host: Host) -> PageList {
        let Some(copy) = self.vm.copy(host) else { return PageList { id: u64::MAX, bytes: Bytes::ZERO } };
        let mut set = match copy.memory.pending_set() {
            Some(pending) => pending.clone(),
            None => copy.memory.present(),
        };
        if copy.memory.takes_faults() {
            let held = self.nodes.get(&host).into_iter().flat_map(Node::batches);
            for batch in held.filter_map(|id| self.batches.get(&id)) {
                batch.pages.iter().for_each(|(page, _)| set.insert(page));
            }
        }
        // Runs or a bitmap, whichever is shorter.
        let bytes = Bytes::new((set.runs() * RUN).min(copy.memory.page_count().get().div_ceil(8)));
        let id = self.faulting.listed;
        self.faulting.listed += 1;
        self.faulting.lists.insert(id, set);
        PageList { id, bytes }
    }

    /// All pages but those listed are to be sent from `host`.
    pub(super) fn reconcile(&mut self, host: Host, list: PageList) -> PageCount {
        let here = self.faulting.lists.remove(&list.id);
        let Some((copy, here)) = self.vm.slot(host).as_mut().zip(here) else { return PageCount::ZERO };
        copy.memory.send_all_but(&here);
        let pending = copy.memory.pending();
        self.say(Fact::Synced { pending });
        if matches!(self.progress.phase(), Phase::Recovery | Phase::Paused) {
            self.enter_post_copy();
        }
        pending
    }

    /// Reads the page of an access, if it is still to be sent.
    pub(super) fn fetch(&mut self, host: Host, fault: FaultId, push: Push) -> (Batch, PageCount, Span) {
        let page = usize::try_from(fault.0).ok().and_then(|index| self.faulting.pages.get(index).copied());
        let read = self.vm.slot(host).as_mut().zip(page).map(|(copy, page)| copy.memory.fetch(page, push));
        self.send_read(host, read.unwrap_or_default(), false)
    }

    /// Whether the VM, whose pages are on both hosts, could be put together: it runs at the destination, and the source holds
    /// what is missing there, as it was when the VM left.
    pub fn is_split(&self) -> bool {
        let runs = |copy: &VmCopy| copy.memory.takes_faults() && !copy.memory.is_complete() && copy.guest.is_some();
        self.vm.copy(Host::Destination).is_some_and(runs)
            && self.vm.copy(Host::Source).is_some_and(|copy| copy.memory.is_complete() && copy.at_state.is_some())
    }

    /// Whether what is missing at the destination can come as things stand: there is a connection, and no cut.
    pub fn pages_can_follow(&self) -> bool {
        let (source, destination) = (Host::Source, Host::Destination);
        let known = |at: Host, peer: Host| {
            self.nodes.get(&at).and_then(|node| node.channels.get(&(peer, Channel::Migration)).copied())
        };
        let connected = known(source, destination).is_some_and(|stream| known(destination, source) == Some(stream));
        let (a, b) = (host_id(source), host_id(destination));
        self.is_split() && connected && self.network.carries_streams(a, b) && self.network.carries_streams(b, a)
    }
}
