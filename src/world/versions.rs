//! What a store of checkpoints holds: pages and disk writes by version. Which of them count, its agent decides.

use std::collections::{BTreeMap, VecDeque};

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
}

impl Versions {
    /// Empty, for a guest of so many pages.
    pub fn new(pages: PageCount) -> Self {
        Self {
            arriving: BTreeMap::new(),
            recent: VecDeque::new(),
            image: None,
            folded: None,
            writes: VecDeque::new(),
            folded_writes: Disk::default(),
            pages,
            pinned: None,
            recalled: 0,
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

    /// What there is of an incomplete version is thrown away.
    pub fn forget(&mut self, version: Version) {
        self.arriving.remove(&version);
    }

    /// A version is complete.
    pub fn commit(&mut self, stored: Stored) {
        let pages = self.arriving.remove(&stored.version).unwrap_or_default();
        self.recent.push_back((stored, pages));
        while self.recent.len() > KEPT_APART {
            let Some((stored, pages)) = self.recent.pop_front() else { break };
            let image = self.image.get_or_insert_with(|| Memory::absent(self.pages));
            image.overwrite(pages.iter());
            self.folded = Some(stored);
        }
    }

    /// Disk writes that belong to a complete version.
    pub fn keep_writes(&mut self, version: Version, writes: Vec<DiskWrite>) {
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

    /// The newest complete version.
    pub fn newest(&self) -> Option<Stored> {
        self.recent.back().map(|(stored, _)| *stored).or(self.folded)
    }

    /// Reads the newest complete version, merged: of each page the newest content.
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
