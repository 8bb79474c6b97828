//! A copy's memory and its checkpoints: what was dirtied since the last stage, and what a restore needs beside pages.

use super::{BranchId, Content, Memory, MemoryHash, PageSet, Pages, WaitingWrites, index};
use crate::scenario::ArrivedPages;

/// What has been dirtied since the last stage of a checkpoint, and what ever was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct CheckpointLog {
    dirty: PageSet,
    ever: PageSet,
    arrived: ArrivedPages,
}

impl CheckpointLog {
    #[inline]
    pub(super) fn dirty(&mut self, page: u64) {
        self.dirty.insert(page);
    }
    pub(super) fn arrived(&mut self, page: u64) {
        if self.arrived == ArrivedPages::Dirty {
            self.dirty.insert(page);
        }
    }
}

impl Memory {
    /// Logs from now on what is dirtied for checkpoints; `all`: every page is.
    pub fn log_checkpoints(&mut self, all: bool, arrived: ArrivedPages) {
        let bound = self.page_count().get();
        let dirty = if all { PageSet::full(bound) } else { PageSet::empty(bound) };
        self.checkpoints = Some(CheckpointLog { dirty, ever: PageSet::empty(bound), arrived });
    }

    /// Logs nothing any more.
    pub fn end_checkpoints(&mut self) {
        self.checkpoints = None;
    }

    /// Reads and clears the log, and copies the pages that are in it.
    pub fn stage(&mut self) -> Pages {
        let Some(log) = &mut self.checkpoints else { return Pages::default() };
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

    /// The hash of the whole memory, which was `then` when this copy began to execute with pages missing: with its writes since,
    /// those that wait included. `original`: what a page that is not here holds; `None` if that cannot be told.
    pub fn hash_since(&self, then: MemoryHash, original: impl Fn(u64) -> Option<Content>) -> Option<MemoryHash> {
        let incoming = self.incoming.as_ref()?;
        let mut hash = then.plus(incoming.changed);
        for (&page, &(branch, writes)) in &incoming.waiting {
            let old = original(page)?;
            hash.replace(page, old, written(old, branch, writes));
        }
        Some(hash)
    }
}

fn written(content: Content, branch: BranchId, writes: u32) -> Content {
    (0..writes).fold(content, |content, _| content.written(branch))
}
