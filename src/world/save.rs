//! A VM that is saved to a file, and loaded from it: what that costs, and what it does to the copy.
//!
//! Pages become what they are in a migration, those of zeros a few bytes, and are read from the same log; what is received is
//! written down in order, so that a page may be in the file more than once.

use crate::model::memory::Pages;
use crate::protocol::{Action, Batch, Input};
use crate::scenario::policy::{Medium, Push, Save};
use crate::units::{PageCount, Span};
use crate::vocabulary::Host;

use super::lane::Then;
use super::work::per_gib;
use super::{Fact, InFlight, World};

impl World {
    /// Work of a save: what it costs, and what it gives.
    pub(super) fn begin_saving(&mut self, host: Host, action: &Action) -> Option<(Span, Input, Then)> {
        let platform = &self.scenario.platform;
        Some(match *action {
            Action::SyncSave => {
                let cost = per_gib(platform.sync_per_gib, self.scenario.vms[0].memory);
                (cost, Input::Synced { pending: self.sync_save(host) }, Then::Nothing)
            }
            Action::TakeSave { budget } => {
                let (batch, left, cost) = self.take_save(host, budget);
                (cost, Input::Unstaged { batch, left }, Then::Nothing)
            }
            Action::Launch => (platform.checkpoint.launch, Input::Launched, Then::Launched),
            _ => return None,
        })
    }

    fn sync_save(&mut self, host: Host) -> PageCount {
        let now = self.now;
        let Some(copy) = self.vm.slot(host) else { return PageCount::ZERO };
        copy.catch_up(now);
        copy.memory.sync_log()
    }

    /// Reads the next pages for the file, as they are now. Answers them, how many are left, and the time it takes.
    fn take_save(&mut self, host: Host, budget: PageCount) -> (Batch, PageCount, Span) {
        let (now, zeros) = (self.now, self.scenario.platform.zero_pages_per_chunk());
        let mut pages = Pages::default();
        let mut left = PageCount::ZERO;
        if let Some(copy) = self.vm.slot(host) {
            copy.catch_up(now);
            let guest = copy.guest.as_ref();
            let is_zero = |number, content| guest.is_some_and(|guest| guest.holds_zeros(number, content));
            pages = copy.memory.take(budget, Push::Ascending, zeros, is_zero);
            left = copy.memory.pending();
        }
        let (batch, cost) = self.write_to_file(host, pages);
        self.say(Fact::CheckpointSent { pages: batch.pages, bytes: batch.bytes });
        self.check_triggers();
        (batch, left, cost)
    }

    /// Pages are on their way to the file from now on, as they go in a migration. Answers the time it took to read them.
    pub(super) fn write_to_file(&mut self, host: Host, pages: Pages) -> (Batch, Span) {
        let wire = self.encode(host, &pages, false);
        let batch = Batch { id: self.numbers.batch, pages: pages.count(), bytes: wire.bytes };
        if batch.pages > PageCount::ZERO {
            self.numbers.batch += 1;
            self.counted_stored.sent += batch.pages;
            self.batches.insert(batch.id, InFlight { zero: wire.zero, ..InFlight::of_checkpoint(pages) });
        }
        (batch, wire.cost)
    }

    /// Pages written and pages due, of the copy that is being saved.
    pub(super) fn written_of_file(&self) -> Option<(u64, u64)> {
        let memory = &self.vm.copy(Host::Source).filter(|_| self.saves_to_file())?.memory;
        let due = memory.pending_set()?.len();
        Some((memory.page_count().get() - due, memory.page_count().get()))
    }

    pub(super) fn saves_to_file(&self) -> bool {
        self.medium() == Some(Medium::File)
    }

    /// What a restarted store finds again.
    pub(super) fn store_is_on_disk(&self) -> bool {
        matches!(self.medium(), Some(Medium::Disk | Medium::File))
    }

    fn medium(&self) -> Option<Medium> {
        self.scenario.policy.checkpoint.as_ref().map(|checkpoint| checkpoint.store.medium)
    }

    /// What a page costs on the store's disk, if it has one.
    pub(super) fn medium_cost(&self) -> Option<Span> {
        self.scenario.platform.checkpoint.disk_page.filter(|_| self.medium() == Some(Medium::Disk))
    }

    /// What each page of a snapshot costs when it goes; of other versions it was copied before.
    pub(super) fn snapshot_cost(&self) -> Span {
        let save = self.scenario.policy.checkpoint.as_ref().and_then(|checkpoint| checkpoint.save);
        let each = self.scenario.platform.checkpoint.snapshot_page.filter(|_| save == Some(Save::Background));
        each.unwrap_or(Span::ZERO)
    }

    /// What it costs a store to keep pages.
    pub(super) fn cost_of_keeping(&self, batch: &Batch) -> Span {
        let platform = &self.scenario.platform;
        if let Some(each) = platform.checkpoint.file_page.filter(|_| self.saves_to_file()) {
            let zero = self.batches.get(&batch.id).map_or(PageCount::ZERO, |pages| pages.zero);
            let contents = batch.pages.saturating_sub(zero);
            return self.cost_of((each, contents), zero);
        }
        self.medium_cost().unwrap_or(platform.checkpoint.store_page).saturating_mul(batch.pages.get())
    }

    /// What it costs to bring what was claimed into memory: each page that there is, or, of a file, each that was written.
    pub(super) fn cost_of_merging(&self, host: Host) -> Span {
        let costs = &self.scenario.platform.checkpoint;
        let local = self.store_host() == Some(host);
        let pages = if local && self.saves_to_file() {
            let (contents, zero) = self.versions.records_of_pinned();
            self.cost_of((costs.restore_page, contents), zero)
        } else if local {
            let each = costs.restore_page.saturating_add(self.medium_cost().unwrap_or(Span::ZERO));
            each.saturating_mul(self.versions.pinned().1.get())
        } else {
            Span::ZERO
        };
        costs.restore.saturating_add(pages)
    }

    fn cost_of(&self, (each, contents): (Span, PageCount), zero: PageCount) -> Span {
        let zeros = self.scenario.platform.place_zero.saturating_mul(zero.get());
        each.saturating_mul(contents.get()).saturating_add(zeros)
    }
}
