//! A copy's memory and its checkpoints: what was dirtied since the last stage, and what a restore needs beside pages.

use super::{BranchId, Content, Memory, MemoryHash, PageSet, Pages, WaitingWrites, index};
use crate::scenario::ArrivedPages;

/// What has been dirtied since the last stage of a checkpoint, and what ever was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct CheckpointLog {
    dirty: PageSet,
    /// Those that are dirty only because they arrived, and only until the next commit.
    fresh: PageSet,
    ever: PageSet,
    arrived: ArrivedPages,
}

impl CheckpointLog {
    #[inline]
    pub(super) fn dirty(&mut self, page: u64) {
        self.dirty.insert(page);
    }
    pub(super) fn arrived(&mut self, page: u64, is_zero: impl FnOnce() -> bool) {
        match self.arrived {
            ArrivedPages::Clean => {}
            ArrivedPages::Dirty => self.dirty.insert(page),
            ArrivedPages::UntilSent => {
                if !is_zero() {
                    self.fresh.insert(page);
                }
            }
        }
    }
}

impl Memory {
    /// Logs from now on what is dirtied for checkpoints; `all`: every page is.
    pub fn log_checkpoints(&mut self, all: bool, arrived: ArrivedPages) {
        let bound = self.page_count().get();
        let dirty = if all { PageSet::full(bound) } else { PageSet::empty(bound) };
        let (fresh, ever) = (PageSet::empty(bound), PageSet::empty(bound));
        self.checkpoints = Some(CheckpointLog { dirty, fresh, ever, arrived });
    }

    /// Logs nothing any more.
    pub fn end_checkpoints(&mut self) {
        self.checkpoints = None;
    }

    /// A version is complete: what is dirty only because it arrived is no longer.
    pub fn forget_arrivals(&mut self) {
        if let Some(log) = &mut self.checkpoints {
            log.fresh.drain();
        }
    }

    /// Reads and clears the log, and copies the pages that are in it.
    pub fn stage(&mut self) -> Pages {
        let Some(log) = &mut self.checkpoints else { return Pages::default() };
        log.dirty.absorb(&mut log.fresh);
        let dirty = log.dirty.drain();
        for &page in &dirty {
            log.ever.insert(page);
        }
        let number = |page| u32::try_from(page).expect("page numbers have 32 bits");
        Pages(dirty.into_iter().map(|page| (number(page), self.pages[index(page)])).collect())
    }

    /// These pages count as dirty again; `all`: and whatever was ever copied.
    pub fn restage(&mut self, pages: impl Iterator<Item = u64>, all: bool) {
        let bound = self.page_count().get();
        let Some(log) = &mut self.checkpoints else { return };
        pages.for_each(|page| log.dirty.insert(page));
        if all {
            let mut ever = std::mem::replace(&mut log.ever, PageSet::empty(bound));
            log.dirty.absorb(&mut ever);
        }
    }

    /// Writes received pages over what is there, whatever that is.
    pub fn overwrite(&mut self, pages: impl Iterator<Item = (u64, Content)>) {
        pages.for_each(|(page, content)| self.put(page, content));
    }

    /// The pages that are here, with what they hold.
    pub fn resident_pages(&self) -> Pages {
        let numbered = self.pages.iter().enumerate().filter(|(_, content)| content.is_present());
        Pages(numbered.map(|(page, &content)| (u32::try_from(page).expect("32 bits"), content)).collect())
    }

    /// Writes that wait for pages that are not here.
    pub fn waiting_writes(&self) -> WaitingWrites {
        self.incoming.as_ref().map(|incoming| incoming.waiting.clone()).unwrap_or_default()
    }

    /// The vCPUs stand from now on: a write that waits for its page is not done when that comes, but when they run again.
    pub fn stand(&mut self) {
        if let Some(incoming) = &mut self.incoming {
            incoming.stands = true;
        }
    }

    /// They run: writes whose page has come are done.
    pub fn run(&mut self) {
        let Some(incoming) = &mut self.incoming else { return };
        if !std::mem::replace(&mut incoming.stands, false) {
            return;
        }
        let waiting = std::mem::take(&mut incoming.waiting);
        let (here, missing) = waiting.into_iter().partition(|(page, _)| self.pages[index(*page)].is_present());
        if let Some(incoming) = &mut self.incoming {
            incoming.waiting = missing;
        }
        self.write_waiting(&here);
    }

    /// Does writes that waited for their page when the state was saved: it is here now. If it is not, this memory is not complete
    /// and never executes.
    pub fn write_waiting(&mut self, waiting: &WaitingWrites) {
        let takes_faults = self.takes_faults();
        for (&page, &(branch, writes)) in waiting {
            if takes_faults || self.pages[index(page)].is_present() {
                (0..writes).for_each(|_| self.write(page, branch));
            }
        }
    }

    /// Whether a copy that executes with pages missing has written any.
    pub fn was_written_here(&self) -> bool {
        self.incoming.as_ref().is_some_and(|incoming| incoming.written || !incoming.waiting.is_empty())
    }

    /// The hash of the whole memory with the writes that wait: of what is here if nothing is missing, else of what it was `then`,
    /// when this copy began to execute with pages missing, and its writes since. `original`: what a page that is not here holds;
    /// `None` if that cannot be told.
    pub fn whole_hash(
        &self,
        then: Option<MemoryHash>,
        original: impl Fn(u64) -> Option<Content>,
    ) -> Option<MemoryHash> {
        let mut hash = match &self.incoming {
            Some(incoming) if !self.is_complete() => then?.plus(incoming.changed),
            _ => self.hash,
        };
        for (&page, &(branch, writes)) in self.incoming.iter().flat_map(|incoming| &incoming.waiting) {
            let here = self.pages[index(page)];
            let old = if here.is_present() { here } else { original(page)? };
            hash.replace(page, old, written(old, branch, writes));
        }
        Some(hash)
    }
}

fn written(content: Content, branch: BranchId, writes: u32) -> Content {
    (0..writes).fold(content, |content, _| content.written(branch))
}
