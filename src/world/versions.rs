//! What a store of checkpoints holds: pages and disk writes by version. Which of them count, its agent decides.
//!
//! A medium can lose a version, or damage it so that its checksum is wrong when it is read, which comes to the same. What builds upon
//! such a version is of no use either, however whole it is; what is written anew from the base on is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::disk::{Disk, DiskWrite};
use crate::model::memory::{Memory, Pages};
use crate::protocol::{Stored, Version};
use crate::units::PageCount;

/// Complete versions that are kept apart, so that the newest can be lost and those before it still be read. Older ones are folded
/// into one image: of each page the newest content.
const KEPT_APART: usize = 4;

/// Contents of a store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Versions {
    arriving: BTreeMap<Version, Pages>,
    recent: VecDeque<(Stored, Pages)>,
    /// Complete versions that cannot be read: lost, or built upon one that is.
    holes: BTreeSet<Version>,
    image: Option<Memory>,
    folded: Option<Stored>,
    /// Disk writes of recent versions, and of all before them the last of each block.
    writes: VecDeque<(Version, Vec<DiskWrite>)>,
    folded_writes: Disk,
    pages: PageCount,
    /// What was read by the last claim: the version, and its pages merged, until they are sent or restored.
    pinned: Option<(Option<Stored>, Pages)>,
    /// How many of its pages have been sent.
    recalled: usize,
    /// What was written of each version, as often as it was: pages with contents, and of zeros.
    records: BTreeMap<Version, (PageCount, PageCount)>,
}

impl Versions {
    /// Empty, for a guest of so many pages.
    pub fn new(pages: PageCount) -> Self {
        Self {
            arriving: BTreeMap::new(),
            recent: VecDeque::new(),
            holes: BTreeSet::new(),
            image: None,
            folded: None,
            writes: VecDeque::new(),
            folded_writes: Disk::default(),
            pages,
            pinned: None,
            recalled: 0,
            records: BTreeMap::new(),
        }
    }

    /// Everything is gone.
    pub fn clear(&mut self) {
        *self = Self::new(self.pages);
    }

    /// Its process is gone: what was in memory with it, on a disk only what was not complete.
    pub fn lose_process(&mut self, on_disk: bool) {
        if on_disk {
            self.arriving.clear();
        } else {
            self.clear();
        }
    }

    /// Pages of a version arrive.
    pub fn keep(&mut self, version: Version, pages: Pages) {
        self.arriving.entry(version).or_default().append(pages);
    }

    /// So many of them with contents, and of zeros, were written.
    pub fn count(&mut self, version: Version, contents: PageCount, zero: PageCount) {
        let records = self.records.entry(version).or_default();
        records.0 += contents;
        records.1 += zero;
    }

    /// What was written of the version that was read last.
    pub fn records_of_pinned(&self) -> (PageCount, PageCount) {
        let stored = self.pinned.as_ref().and_then(|(stored, _)| *stored);
        stored.and_then(|stored| self.records.get(&stored.version)).copied().unwrap_or_default()
    }

    /// What there is of an incomplete version is thrown away.
    pub fn forget(&mut self, version: Version) {
        self.arriving.remove(&version);
        self.records.remove(&version);
    }

    /// A version is complete, and builds upon another, if it has not all pages.
    pub fn commit(&mut self, stored: Stored, after: Option<Version>) {
        let written = self.arriving.remove(&stored.version).unwrap_or_default();
        if after.is_some_and(|after| self.holes.contains(&after)) {
            self.holes.insert(stored.version);
            return;
        }
        let pages = self.in_order(written);
        self.recent.push_back((stored, pages));
        while self.recent.len() > KEPT_APART {
            let Some((stored, pages)) = self.recent.pop_front() else { break };
            let image = self.image.get_or_insert_with(|| Memory::absent(self.pages));
            image.overwrite(pages.iter());
            self.folded = Some(stored);
        }
    }

    /// Pages by number, of each what was written last.
    fn in_order(&self, written: Pages) -> Pages {
        if written.iter().is_sorted_by(|one, next| one.0 < next.0) {
            return written;
        }
        let mut memory = Memory::absent(self.pages);
        memory.overwrite(written.iter());
        memory.resident_pages()
    }

    /// The newest version that can be read is lost. Answers which that was; `None`: there was none. Versions that are folded into one
    /// image are lost together.
    pub fn lose_newest(&mut self) -> Option<Version> {
        let lost = if let Some((stored, _)) = self.recent.pop_back() {
            stored.version
        } else {
            self.image = None;
            self.folded_writes = Disk::default();
            self.folded.take()?.version
        };
        self.holes.insert(lost);
        self.writes.retain(|(version, _)| *version < lost);
        Some(lost)
    }

    /// Disk writes that belong to a complete version.
    pub fn keep_writes(&mut self, version: Version, writes: Vec<DiskWrite>) {
        if self.holes.contains(&version) {
            return;
        }
        self.writes.push_back((version, writes));
        while self.writes.len() > KEPT_APART {
            let Some((_, writes)) = self.writes.pop_front() else { break };
            for write in writes {
                self.folded_writes.write(write);
            }
        }
    }

    /// The disk writes of all versions up to this one: of each block the last.
    pub fn disk_writes(&self, until: Version) -> Vec<DiskWrite> {
        let mut blocks = self.folded_writes.clone();
        for (_, writes) in self.writes.iter().filter(|(version, _)| *version <= until) {
            for &write in writes {
                blocks.write(write);
            }
        }
        blocks.last_writes()
    }

    /// The newest complete version that can be read.
    pub fn newest(&self) -> Option<Stored> {
        self.recent.back().map(|(stored, _)| *stored).or(self.folded)
    }

    /// Reads the newest complete version that can be read, merged: of each page the newest content.
    pub fn pin(&mut self) -> Option<Stored> {
        let mut merged = match &self.image {
            Some(image) => image.resident_pages(),
            None => Pages::default(),
        };
        for (_, pages) in &self.recent {
            merged.supersede(pages.clone());
        }
        let newest = self.newest();
        self.pinned = Some((newest, merged));
        newest
    }

    /// Whether what was read last is still there.
    pub fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }

    /// The version that was read last, and how many pages it has.
    pub fn pinned(&self) -> (Option<Stored>, PageCount) {
        self.pinned.as_ref().map_or((None, PageCount::ZERO), |(stored, pages)| (*stored, pages.count()))
    }

    /// The pages of the version that was read last.
    pub fn pinned_pages(&self) -> impl Iterator<Item = (u64, crate::model::memory::Content)> + '_ {
        self.pinned.iter().flat_map(|(_, pages)| pages.iter())
    }

    /// The next pages of it to be sent, and how many are left; `afresh`: from its beginning.
    pub fn recall(&mut self, afresh: bool, budget: PageCount) -> (Pages, PageCount) {
        if afresh {
            self.recalled = 0;
        }
        let Some((_, pinned)) = &self.pinned else { return (Pages::default(), PageCount::ZERO) };
        let pages = pinned.part(self.recalled, budget);
        self.recalled += pages.len();
        (pages, PageCount::new((pinned.len() - self.recalled) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::StateId;

    fn stored(version: u64) -> Stored {
        Stored { version: Version(version), state: StateId(u32::try_from(version).expect("small")) }
    }

    fn chain(versions: u64) -> Versions {
        let mut store = Versions::new(PageCount::new(8));
        for version in 1..=versions {
            store.commit(stored(version), Some(Version(version - 1)));
        }
        store
    }

    #[test]
    fn what_builds_upon_a_hole_cannot_be_read_and_what_begins_afresh_can() {
        let mut store = chain(3);
        assert_eq!(store.lose_newest(), Some(Version(3)));
        assert_eq!(store.newest(), Some(stored(2)));
        store.commit(stored(4), Some(Version(3)));
        store.commit(stored(5), Some(Version(4)));
        assert_eq!(store.newest(), Some(stored(2)), "both lack what version 3 had");
        store.commit(stored(6), Some(Version(2)));
        assert_eq!(store.newest(), Some(stored(6)), "it has what was lost");
        assert_eq!(store.lose_newest(), Some(Version(6)));
        store.commit(stored(7), None);
        assert_eq!(store.pin(), Some(stored(7)), "it has all pages");
    }

    #[test]
    fn of_a_page_that_was_written_twice_the_last_counts() {
        let mut memory = Memory::initial(PageCount::new(8));
        let page = |memory: &Memory, page: usize| memory.resident_pages().part(page, PageCount::new(1));
        let mut store = Versions::new(PageCount::new(8));
        store.keep(Version(1), page(&memory, 5));
        memory.write(5, crate::model::memory::BranchId::default());
        for number in [2, 5] {
            store.keep(Version(1), page(&memory, number));
        }
        store.count(Version(1), PageCount::new(3), PageCount::ZERO);
        store.commit(stored(1), None);
        store.pin();
        assert_eq!(store.records_of_pinned(), (PageCount::new(3), PageCount::ZERO), "each is read");
        let pages: Vec<_> = store.pinned_pages().collect();
        assert_eq!(pages, [(2, memory.content(2)), (5, memory.content(5))]);
    }

    #[test]
    fn versions_are_lost_one_by_one_and_those_folded_together() {
        let mut store = chain(9);
        let lost: Vec<_> = std::iter::from_fn(|| store.lose_newest()).map(|version| version.0).collect();
        assert_eq!(lost, [9, 8, 7, 6, 5]);
        assert_eq!(store.newest(), None);
        store.commit(stored(10), Some(Version(5)));
        assert_eq!(store.newest(), None);
    }
}
