//! Checkpoints as the world does them: what agents' actions copy, keep, send, merge and let go.
//!
//! Contents stay here. Pages are copied at the beginning of a stage; what is written while they are being copied is in the log, and
//! so in the next stage.

use crate::model::memory::Pages;
use crate::protocol::{Action, Batch, Input, StateId, Stored, Version};
use crate::scenario::policy::Checkpoint;
use crate::units::{PageCount, Ratio, SimTime, Span};
use crate::vocabulary::{Host, Phase};

use super::program::Seat;
use super::strike::NotFired;
use super::work::per_gib;
use super::{Event, Fact, InFlight, PauseCause, VmCopy, World, host_id};

/// Where the checkpoints of a run stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Checkpoints {
    /// Pages copied and not yet sent, of the version under way on each host.
    staged: std::collections::BTreeMap<Host, Staged>,
    /// Phase and number of the version that was last spoken of.
    phase: Option<(Phase, Version)>,
    /// Who restores or has restored the VM last.
    restored: Option<Host>,
    /// The newest version that was ever complete.
    complete: Option<Stored>,
    /// When the base in the store was.
    base_at: Option<SimTime>,
    /// The protection was given up: nothing is claimed any more.
    given_up: bool,
    /// A version had a page in both its stages.
    copied_twice: bool,
}

/// Pages of a version that is being made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Staged {
    pages: Pages,
    /// How many of them have been sent.
    sent: usize,
}

impl World {
    /// What takes no time of a checkpoint or restore.
    pub(super) fn protect(&mut self, host: Host, action: Action) {
        match action {
            Action::LogCheckpoints { all } => {
                let arrived = self.scenario.platform.checkpoint.arrived_pages;
                let now = self.now;
                let copy = self.vm.receiving(host);
                copy.catch_up(now);
                copy.memory.log_checkpoints(all, arrived);
            }
            Action::EndCheckpoints => {
                if let Some(copy) = self.vm.slot(host) {
                    copy.memory.end_checkpoints();
                }
                self.checkpoints.staged.remove(&host);
            }
            Action::ForgetArrivals => {
                if let Some(copy) = self.vm.slot(host) {
                    copy.memory.forget_arrivals();
                }
            }
            Action::Restage { all } => self.restage(host, all),
            Action::Freeze => self.halt(host, true),
            Action::Thaw => self.halt(host, false),
            Action::HoldOutput => self.hold_output(host),
            Action::SealOutput(version) => self.seal_output(host, version),
            Action::Release(version) => self.release_output(host, version),
            Action::ReleaseAll => self.release_all(host),
            Action::Unprotect => self.checkpoints.given_up = true,
            Action::Round { version, phase } => {
                self.checkpoints.phase = Some((phase, version));
                self.say(Fact::Round { host, version, phase });
                self.check_triggers();
            }
            Action::Commit { stored, after } => self.commit(stored, after),
            Action::Forget(version) => self.versions.forget(version),
            Action::Clear => self.clear_store(),
            Action::Pin => {
                let newest = self.versions.pin();
                self.pin_writes(newest);
                self.handed.push_back((host, Seat::Store, Input::Pinned { newest }));
            }
            Action::Restore => {
                self.say(Fact::Restoring { host });
                self.enter(Phase::Recovery);
            }
            Action::Claimed(stored) => self.say(Fact::Claimed { host, stored }),
            Action::Entitle => {
                self.say(Fact::Entitled { host });
                self.vm.take_back(host);
                self.checkpoints.restored = Some(host);
            }
            Action::Clean => self.discard(host),
            Action::PowerOff(victim) => {
                self.say(Fact::PoweredOff { host: victim });
                let _ = self.crash_host(victim);
            }
            other => unreachable!("{other:?} is not of a checkpoint"),
        }
    }

    fn commit(&mut self, stored: Stored, after: Option<Version>) {
        self.versions.commit(stored, after);
        self.store_writes(stored);
        self.checkpoints.complete = Some(stored);
        self.checkpoints.base_at.get_or_insert(self.now);
        self.say(Fact::Complete(stored));
    }

    /// A store that started again with nothing throws nothing away, and what was promised was promised.
    fn clear_store(&mut self) {
        if self.versions.newest().is_some() {
            self.checkpoints.complete = None;
            self.checkpoints.given_up = false;
        }
        self.versions.clear();
    }

    /// Work of a checkpoint or restore: what it costs, what it gives, what it does at its end.
    pub(super) fn begin_protecting(&mut self, host: Host, action: &Action) -> Option<(Span, Input, super::lane::Then)> {
        use super::lane::Then;
        let scenario = self.scenario.clone();
        let costs = &scenario.platform.checkpoint;
        Some(match *action {
            Action::Stage => {
                let sync = per_gib(scenario.platform.sync_per_gib, scenario.vms[0].memory);
                let (copied, pages) = self.stage(host);
                // Of a snapshot, a page is copied when it goes, or before it is written.
                let each = if self.saves_to_file() { Span::ZERO } else { costs.stage_page };
                let cost = each.saturating_mul(copied.get());
                (costs.stage.saturating_add(sync).saturating_add(cost), Input::Staged { pages }, Then::Nothing)
            }
            Action::Suspend => (costs.suspend, Input::Suspended { state: self.suspend(host)? }, Then::Nothing),
            Action::Unsuspend => (costs.unsuspend, Input::Unsuspended, Then::Unsuspend),
            Action::Unstage { budget } => {
                let (batch, left) = self.unstage(host, budget);
                let cost = self.snapshot_cost().saturating_mul(batch.pages.get());
                (cost, Input::Unstaged { batch, left }, Then::Nothing)
            }
            Action::Keep { version, batch } => {
                (self.cost_of_keeping(&batch), Input::Kept { version }, Then::Keep(version, batch))
            }
            Action::Seal { version } => (costs.commit, Input::SealedHere { version }, Then::Nothing),
            Action::Recall { fetch, afresh, budget } => {
                let (pages, left) = self.versions.recall(afresh, budget);
                let cost = self.medium_cost().unwrap_or(Span::ZERO).saturating_mul(pages.count().get());
                let batch = self.load_batch(pages);
                (cost, Input::Recalled { fetch, batch, left }, Then::Nothing)
            }
            Action::Merge => (self.cost_of_merging(host), Input::Merged, Then::Merge),
            _ => return None,
        })
    }

    /// Copies what is dirty. Answers how much that was, and how many pages the version has by now.
    fn stage(&mut self, host: Host) -> (PageCount, PageCount) {
        let now = self.now;
        let Some(copy) = self.vm.slot(host) else { return (PageCount::ZERO, PageCount::ZERO) };
        copy.catch_up(now);
        let pages = copy.memory.stage();
        let copied = pages.count();
        let staged = self.checkpoints.staged.entry(host).or_default();
        if staged.sent > 0 {
            // Those of the version before.
            *staged = Staged::default();
        }
        let apart = staged.pages.count() + copied;
        staged.pages.supersede(pages);
        let together = staged.pages.count();
        self.checkpoints.copied_twice |= together < apart;
        (copied, together)
    }

    fn unstage(&mut self, host: Host, budget: PageCount) -> (Batch, PageCount) {
        let staged = self.checkpoints.staged.entry(host).or_default();
        let pages = staged.pages.part(staged.sent, budget);
        staged.sent += pages.len();
        let left = PageCount::new((staged.pages.len() - staged.sent) as u64);
        let batch = if self.saves_to_file() { self.write_to_file(host, pages).0 } else { self.load_batch(pages) };
        self.say(Fact::CheckpointSent { pages: batch.pages, bytes: batch.bytes });
        self.check_triggers();
        (batch, left)
    }

    /// Pages between a copy and the store are on their way from now on.
    fn load_batch(&mut self, pages: Pages) -> Batch {
        let (count, platform) = (pages.count(), &self.scenario.platform);
        let bytes = count.bytes(platform.page_size + platform.page_header);
        let batch = Batch { id: self.numbers.batch, pages: count, bytes };
        if count > PageCount::ZERO {
            self.numbers.batch += 1;
            self.counted_stored.sent += count;
            self.batches.insert(batch.id, InFlight::of_checkpoint(pages));
        }
        batch
    }

    /// Pages of a version are in the store.
    pub(super) fn keep(&mut self, version: Version, batch: &Batch) {
        if let Some(arrived) = self.batches.remove(&batch.id) {
            self.counted_stored.placed += arrived.pages.count();
            let contents = arrived.pages.count().saturating_sub(arrived.zero);
            if self.saves_to_file() {
                self.versions.count(version, contents, arrived.zero);
            }
            self.versions.keep(version, arrived.pages);
        }
    }

    /// What a store has written is there, unless its medium had no more room.
    pub(super) fn written(&mut self, input: Input) -> Input {
        match input {
            Input::Kept { version } | Input::SealedHere { version } if self.trouble.medium_is_full() => {
                Input::NoRoom { version }
            }
            kept => kept,
        }
    }

    /// The medium loses the newest complete version, or so much of it that it cannot be read.
    pub(super) fn lose_version(&mut self) -> Result<(), NotFired> {
        let lost = self.versions.lose_newest().ok_or(NotFired::NoVersion)?;
        self.say(Fact::VersionLost { lost, newest: self.versions.newest() });
        Ok(())
    }

    /// What was copied and not sent, and what was sent and is not complete, counts as dirty again.
    fn restage(&mut self, host: Host, all: bool) {
        let now = self.now;
        let staged = self.checkpoints.staged.remove(&host).unwrap_or_default();
        if let Some(copy) = self.vm.slot(host) {
            copy.catch_up(now);
            copy.memory.restage(staged.pages.iter().map(|(page, _)| page), all);
        }
    }

    fn suspend(&mut self, host: Host) -> Option<StateId> {
        self.catch_up_disk(host);
        let (state, guest) = self.vm.stop(host, self.now)?;
        self.still(host);
        self.agenda.cancel(Event::Access(host));
        self.say(Fact::Paused { host, guest, cause: PauseCause::Checkpoint });
        if let Some(copy) = self.vm.slot(host) {
            copy.suspended = true;
        }
        Some(state)
    }

    /// The vCPUs run again after a checkpoint.
    pub(super) fn unsuspend(&mut self, host: Host) {
        if let Some(resumption) = self.vm.resume(host, self.now, PauseCause::Checkpoint) {
            self.runs_on(host, resumption);
        }
    }

    /// The vCPUs stand, or may run, whatever else they do.
    fn halt(&mut self, host: Host, frozen: bool) {
        self.catch_up_disk(host);
        let now = self.now;
        let Some(copy) = self.vm.slot(host) else { return };
        if std::mem::replace(&mut copy.frozen, frozen) == frozen || copy.at_state.is_some() {
            return;
        }
        let (memory, branch) = (&mut copy.memory, copy.branch);
        let Some(guest) = &mut copy.guest else { return };
        if frozen {
            guest.stop(now, memory, branch);
        } else {
            guest.start(now);
        }
        let guest = guest.time(now);
        if frozen {
            self.still(host);
            self.agenda.cancel(Event::Access(host));
            self.say(Fact::Paused { host, guest, cause: PauseCause::Lease });
        } else {
            self.say(Fact::Thawed { host });
            self.read_queued(host);
            self.watch_guest(host);
            self.watch_access(host);
        }
    }

    /// The version that was read is in the copy on `host`, unless it is gone with a store that died there.
    pub(super) fn merge(&mut self, host: Host) -> Input {
        if self.store_host() == Some(host) {
            if !self.versions.is_pinned() {
                return Input::NotMerged;
            }
            let pages: Vec<_> = self.versions.pinned_pages().collect();
            self.vm.receiving(host).memory.overwrite(pages.into_iter());
        }
        Input::Merged
    }

    /// Whether a fault addressed by this phase of a checkpoint strikes now; `round` is the version's number.
    pub(super) fn checkpoint_reaches(&self, name: Phase, round: Option<u64>, progress: Ratio) -> bool {
        let Some((phase, version)) = self.checkpoints.phase else { return false };
        let here = phase == name && round.is_none_or(|round| round == version.0);
        let staged = self.checkpoints.staged.values().next();
        let staged = staged.map(|staged| (staged.sent as u64, staged.pages.len() as u64));
        let (sent, total) = staged.or_else(|| self.written_of_file()).unwrap_or((0, 0));
        let share = if total == 0 || phase != Phase::Transfer { Ratio::ZERO } else { Ratio::new(sent, total) };
        here && share >= progress
    }

    /// The newest complete version that can be read in the store, if the store lives.
    pub fn newest_version(&self) -> Option<Stored> {
        self.versions.newest().filter(|_| self.store_lives())
    }

    fn store_lives(&self) -> bool {
        self.store_host().is_some_and(|host| self.lives(host, Seat::Store))
    }

    /// Whether a page was copied in both stages of a version: the second copy wins.
    pub fn has_copied_twice(&self) -> bool {
        self.checkpoints.copied_twice
    }

    /// The checkpoint that was last spoken of.
    pub fn version_under_way(&self) -> Option<Version> {
        self.checkpoints.phase.map(|(_, version)| version)
    }

    /// Whether checkpoints of the copy on `host` can become complete: the store runs, has room and can be reached, and nobody has
    /// claimed the VM.
    pub fn can_commit(&self, host: Host) -> bool {
        let Some(store) = self.store_host() else { return false };
        let (there, here) = (host_id(store), host_id(host));
        let reached = self.network.carries_streams(here, there) && self.network.carries_streams(there, here);
        let works = self.lives(store, Seat::Store) && !self.trouble.store_hangs() && !self.trouble.medium_is_full();
        works && reached && self.checkpoints.restored.is_none_or(|restored| restored == host)
    }

    /// Whether the VM could be rebuilt from its checkpoints, with all that was ever promised.
    pub fn can_rebuild(&self) -> bool {
        self.can_rebuild_at(Host::Source) || self.can_rebuild_at(Host::Destination)
    }

    /// Whether the VM could be rebuilt on `host`: the newest version that was ever complete is there, if any output was held for it,
    /// and so are its base and a node that would restore it.
    pub fn can_rebuild_at(&self, host: Host) -> bool {
        let Some(policy) = &self.scenario.policy.checkpoint else { return false };
        let newest = self.newest_version();
        // Where no output is held nothing was promised, and an older version will do.
        let enough = newest == self.checkpoints.complete || !policy.holds() && self.store_lives();
        let kept = enough && !self.checkpoints.given_up;
        let base = |copy: &VmCopy| copy.memory.is_complete() && copy.guest.is_some() && copy.at_state.is_some();
        let has_base = match host {
            Host::Source => policy.reverse() && self.vm.copy(Host::Source).is_some_and(base),
            Host::Destination => policy.forward() && newest.is_some() && self.vmm_alive(Host::Destination),
            Host::Management | Host::Client | Host::Staging => false,
        };
        kept && has_base
    }

    /// From when what a base in the store protects is protected; `None`: the base is not in the store.
    pub fn protected_from(&self) -> Option<Option<SimTime>> {
        let forward = self.scenario.policy.checkpoint.as_ref().is_some_and(Checkpoint::forward);
        forward.then_some(self.checkpoints.base_at)
    }

    /// Whether the protection was given up.
    pub fn is_unprotected(&self) -> bool {
        self.checkpoints.given_up
    }

    /// Where the VM was restored last.
    pub fn restored_at(&self) -> Option<Host> {
        self.checkpoints.restored
    }
}
