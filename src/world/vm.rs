//! The VM's copies, the states they were stopped at, and the tree of its executions.

use crate::model::guest::Guest;
use crate::model::memory::{BranchId, Memory, MemoryHash, WaitingWrites};
use crate::protocol::StateId;
use crate::rng::RunSeed;
use crate::scenario::Scenario;
use crate::units::{PageCount, Ratio, SimTime, Span};
use crate::vocabulary::Host;

use super::fact::{PauseCause, Resumption};
use super::held::Held;

/// The VM on one host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or not by themselves")]
pub struct VmCopy {
    /// Its memory.
    pub memory: Memory,
    /// CPU, devices and programs, if they are here.
    pub guest: Option<Guest>,
    /// The execution it is on.
    pub branch: BranchId,
    /// The state it stands at, while it is stopped.
    pub at_state: Option<StateId>,
    /// It only serves pages to another copy and never executes again.
    pub serves: bool,
    /// Its pages are sent whole and as they are, whatever the policy says of encoding.
    pub sends_whole: bool,
    /// Output that waits for its checkpoint, if it is held.
    pub held: Option<Held>,
    /// Its vCPUs stand although they could run: the right to run is not held.
    pub frozen: bool,
    /// Its vCPUs stand for a checkpoint and run again after it.
    pub suspended: bool,
    /// Packets of the client that came while the vCPUs stood for a checkpoint or a lease.
    pub(super) queued: Vec<u64>,
    /// What all of the VM's memory was when the VM came here; pages that are not here are still as they were then.
    arrived_as: Option<MemoryHash>,
}

/// CPU and devices as saved at a stop, and what memory was then.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SavedState {
    guest: Guest,
    branch: BranchId,
    /// Guest time of the stop.
    pub at: Span,
    /// All memory, as the guest left it; `None` if that cannot be told any more.
    pub hash: Option<MemoryHash>,
    /// Writes that waited for their page: they are done when the VM goes on from here.
    waiting: WaitingWrites,
    /// Whether a copy has run on from here already.
    continued: bool,
}

/// One path of execution.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Branch {
    /// Where it left its parent: which, and at what guest time. The first has none.
    pub fork: Option<(BranchId, Span)>,
    /// A copy whose output is held opened it when another had gone on from the same state, and nothing of it has left: a late beginning
    /// that the outside knows nothing of.
    pub silent: bool,
}

/// All of one VM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VmState {
    source: Option<VmCopy>,
    destination: Option<VmCopy>,
    states: Vec<SavedState>,
    branches: Vec<Branch>,
    pages: PageCount,
}

impl VmCopy {
    /// Nothing of it is there.
    fn absent(pages: PageCount) -> Self {
        Self {
            memory: Memory::absent(pages),
            guest: None,
            branch: BranchId::new(0),
            at_state: None,
            serves: false,
            sends_whole: false,
            held: None,
            frozen: false,
            suspended: false,
            queued: Vec::new(),
            arrived_as: None,
        }
    }

    /// Whether its vCPUs run.
    pub fn executes(&self) -> bool {
        self.guest.as_ref().is_some_and(Guest::is_running)
    }

    /// Whether its vCPUs run, or stand for a checkpoint for a moment.
    pub fn goes_on(&self) -> bool {
        self.executes() || self.suspended && !self.frozen
    }

    /// Whether it could run: all memory, CPU and devices.
    pub fn is_complete(&self) -> bool {
        self.memory.is_complete() && self.guest.is_some() && !self.serves
    }

    /// Does all of the guest's writes up to `now`.
    pub fn catch_up(&mut self, now: SimTime) {
        if let Some(guest) = &mut self.guest {
            guest.write_until(now, &mut self.memory, self.branch);
        }
    }
}

impl VmState {
    /// Complete and stopped on the source.
    pub fn new(scenario: &Scenario, seed: RunSeed) -> Self {
        let vm = &scenario.vms[0];
        let pages = vm.memory.pages(scenario.platform.page_size);
        let mut state = Self {
            source: None,
            destination: None,
            states: Vec::new(),
            branches: vec![Branch { fork: None, silent: false }],
            pages,
        };
        let guest = Guest::new(vm, 0, seed);
        let branch = BranchId::new(0);
        state.source = Some(VmCopy {
            memory: Memory::initial(pages),
            guest: Some(guest),
            branch,
            ..VmCopy::absent(PageCount::ZERO)
        });
        state
    }

    /// The copy on `host`.
    pub fn copy(&self, host: Host) -> Option<&VmCopy> {
        match host {
            Host::Source => self.source.as_ref(),
            Host::Destination => self.destination.as_ref(),
            Host::Management | Host::Client | Host::Staging => None,
        }
    }

    /// All copies with their hosts.
    pub fn copies(&self) -> impl Iterator<Item = (Host, &VmCopy)> {
        let hosts = [Host::Source, Host::Destination];
        hosts.into_iter().filter_map(|host| Some((host, self.copy(host)?)))
    }

    /// Whether output of the copy on `host` is held.
    pub fn holds(&self, host: Host) -> bool {
        self.copy(host).is_some_and(|copy| copy.held.is_some())
    }

    /// The tree of executions, by [`BranchId::index`].
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// A saved state.
    pub fn state(&self, id: StateId) -> &SavedState {
        &self.states[id.0 as usize]
    }

    /// The newest saved state.
    pub fn last_state(&self) -> Option<&SavedState> {
        self.states.last()
    }

    pub(super) fn slot(&mut self, host: Host) -> &mut Option<VmCopy> {
        match host {
            Host::Source => &mut self.source,
            Host::Destination => &mut self.destination,
            Host::Management | Host::Client | Host::Staging => unreachable!("no VM runs on {host}"),
        }
    }

    /// The copy that pages are received into, made on the first of them.
    pub(super) fn receiving(&mut self, host: Host) -> &mut VmCopy {
        let pages = self.pages;
        self.slot(host).get_or_insert_with(|| VmCopy::absent(pages))
    }

    /// Stops the copy on `host` and saves CPU and devices.
    pub(super) fn stop(&mut self, host: Host, now: SimTime) -> Option<(StateId, Span)> {
        let id = StateId(u32::try_from(self.states.len()).expect("few states"));
        let copy = self.slot(host).as_mut()?;
        let guest = copy.guest.as_mut()?;
        guest.stop(now, &mut copy.memory, copy.branch);
        let at = guest.time(now);
        copy.at_state = Some(id);
        let mut saved = guest.clone();
        saved.throttle(now, Ratio::ZERO);
        saved.find_all_pages(now);
        let (branch, waiting) = (copy.branch, copy.memory.waiting_writes());
        copy.memory.stand();
        let hash = self.whole_hash(host);
        self.states.push(SavedState { guest: saved, branch, at, hash, waiting, continued: false });
        Some((id, at))
    }

    /// The hash of all of the VM's memory as the copy on `host` has it: what is here, what is not here and is as it was when the
    /// VM came, and the writes that wait for such pages.
    fn whole_hash(&self, host: Host) -> Option<MemoryHash> {
        let copy = self.copy(host)?;
        // As long as the source stands as it was when the VM came from there.
        let state = |source: &VmCopy| self.states.get(source.at_state?.0 as usize);
        let stands = |source: &&VmCopy| state(source).is_some_and(|state| state.hash == copy.arrived_as);
        let base = self.source.as_ref().filter(|source| source.memory.is_complete()).filter(stands);
        copy.memory.whole_hash(copy.arrived_as, |page| base.map(|source| source.memory.content(page)))
    }

    /// Loads a saved state into the copy on `host`.
    pub(super) fn load(&mut self, host: Host, id: StateId) {
        let state = self.states[id.0 as usize].clone();
        let copy = self.receiving(host);
        copy.guest = Some(state.guest);
        copy.branch = state.branch;
        copy.at_state = Some(id);
        copy.serves = false;
        copy.arrived_as = state.hash;
        copy.memory.write_waiting(&state.waiting);
    }

    /// Pages of the copy on `host` are no longer served: it is what is being restored. Until a state is loaded it is no copy
    /// that could run, only part of one.
    pub(super) fn take_back(&mut self, host: Host) {
        if let Some(copy) = self.slot(host) {
            copy.memory.stop_log();
        }
    }

    /// Runs the copy on `host` from the state it stands at. A second run from the same state opens a branch. `None`: there
    /// is nothing to run, or it runs already.
    pub(super) fn resume(&mut self, host: Host, now: SimTime, cause: PauseCause) -> Option<Resumption> {
        let newest = self.branches.len();
        let ready = |copy: &&VmCopy| (copy.is_complete() || copy.memory.takes_faults()) && !copy.executes();
        let id = self.copy(host).filter(ready)?.at_state?;
        let state = &mut self.states[id.0 as usize];
        let forked = std::mem::replace(&mut state.continued, true);
        let (origin, at) = (state.branch, state.at);
        if forked {
            let silent = self.copy(host).is_some_and(|copy| copy.held.is_some());
            self.branches.push(Branch { fork: Some((origin, at)), silent });
        }
        let exact = self.is_exact(host, id);
        let copy = self.slot(host).as_mut()?;
        copy.branch = if forked { BranchId::new(newest) } else { origin };
        copy.at_state = None;
        copy.suspended = false;
        copy.memory.run();
        if !copy.frozen {
            copy.guest.as_mut()?.start(now);
        }
        Some(Resumption { host, branch: copy.branch, guest: at, forked, exact, cause })
    }

    /// Whether the memory on `host` is what the VM left at its stop. Missing pages are taken from where they wait to be sent;
    /// if they are nowhere any more, what is there cannot be told by its hash alone, and is judged at the end.
    fn is_exact(&self, host: Host, id: StateId) -> bool {
        let saved = self.state(id).hash;
        let copy = self.copy(host);
        let hash = match copy {
            // It ran here before, or its pages were sent in rounds: what came must be what was sent.
            Some(copy) if !copy.memory.is_complete() && !copy.memory.was_written_here() => {
                let source = self.source.as_ref().filter(|source| source.at_state == Some(id));
                source.map(|source| copy.memory.hash_filled_from(&source.memory))
            }
            _ => self.whole_hash(host),
        };
        hash.is_none() || saved.is_none() || hash == saved
    }

    /// Something of this branch has left its host.
    pub(super) fn speaks(&mut self, branch: BranchId) {
        self.branches[branch.index()].silent = false;
    }

    /// The copy on `host` serves pages from now on.
    pub(super) fn serve(&mut self, host: Host) {
        if let Some(copy) = self.slot(host) {
            copy.serves = true;
        }
    }

    /// The first run of the VM, on the source.
    pub(super) fn boot(&mut self, now: SimTime) -> Resumption {
        let copy = self.source.as_mut().expect("the VM begins on the source");
        copy.guest.as_mut().expect("with CPU and devices").start(now);
        let cause = PauseCause::Switchover;
        Resumption { host: Host::Source, branch: copy.branch, guest: Span::ZERO, forked: false, exact: true, cause }
    }
}
