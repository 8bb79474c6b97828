//! Guest memory as the world holds it. Agents never see a page number: they ask by action and get opaque
//! batches with counts.
//!
//! [`Memory`] is one copy on one host, [`Outgoing`] what its hypervisor keeps while that copy is being sent. The
//! exact model tracks every page: 4 bytes per page and copy, one bit per page and set.
//!
//! It does not know who writes, sends or receives: the guest writes through [`Memory::write`], the world
//! moves batches.

mod bitmap;
mod content;

pub use bitmap::PageSet;
pub use content::{BranchId, Content, MemoryHash};

use crate::scenario::DirtyLog;
use crate::units::PageCount;

/// One copy of a guest's memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Memory {
    pages: Vec<Content>,
    hash: MemoryHash,
    resident: u64,
    outgoing: Option<Outgoing>,
}

/// What the hypervisor of a copy that is being sent keeps: the dirty log and the pages still to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Outgoing {
    kind: DirtyLog,
    log: PageSet,
    pending: PageSet,
    scan: u64,
}

/// Pages on their way: which, and what they held when they were read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Pages(Vec<(u32, Content)>);

impl Pages {
    /// How many.
    pub fn count(&self) -> PageCount {
        PageCount::new(self.0.len() as u64)
    }
    /// Page numbers and contents.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Content)> + '_ {
        self.0.iter().map(|&(page, content)| (u64::from(page), content))
    }
}

impl Memory {
    /// All pages there, as the VM was given them.
    pub fn initial(pages: PageCount) -> Self {
        let mut memory = Self::absent(pages);
        for page in 0..pages.get() {
            memory.put(page, Content::INITIAL);
        }
        memory
    }

    /// No page there.
    pub fn absent(pages: PageCount) -> Self {
        let count = usize::try_from(pages.get()).expect("pages fit in memory");
        assert!(u32::try_from(count).is_ok(), "page numbers have 32 bits");
        Self { pages: vec![Content::ABSENT; count], hash: MemoryHash::default(), resident: 0, outgoing: None }
    }

    /// Pages of the guest, there or not.
    pub fn page_count(&self) -> PageCount {
        PageCount::new(self.pages.len() as u64)
    }

    /// Pages that are there.
    pub fn resident(&self) -> PageCount {
        PageCount::new(self.resident)
    }

    /// Whether all are.
    pub fn is_complete(&self) -> bool {
        self.resident == self.pages.len() as u64
    }

    /// Hash of all contents.
    pub fn hash(&self) -> MemoryHash {
        self.hash
    }

    /// What `page` holds.
    pub fn content(&self, page: u64) -> Content {
        self.pages[index(page)]
    }

    /// The hash, computed afresh from every page: what [`Self::hash`] must say.
    pub fn recomputed_hash(&self) -> MemoryHash {
        let mut hash = MemoryHash::default();
        for (page, &content) in self.pages.iter().enumerate() {
            hash.replace(page as u64, Content::ABSENT, content);
        }
        hash
    }

    /// The guest, on `branch`, writes `page`.
    #[inline]
    pub fn write(&mut self, page: u64, branch: BranchId) {
        let old = self.pages[index(page)];
        let new = old.written(branch);
        self.pages[index(page)] = new;
        self.hash.replace(page, old, new);
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.log.insert(page);
        }
    }

    /// Starts the dirty log; every page is to be sent.
    pub fn start_log(&mut self, kind: DirtyLog) {
        let bound = self.pages.len() as u64;
        let outgoing = Outgoing { kind, log: PageSet::empty(bound), pending: PageSet::full(bound), scan: 0 };
        self.outgoing = Some(outgoing);
    }

    /// Stops the dirty log and forgets what was to be sent.
    pub fn stop_log(&mut self) {
        self.outgoing = None;
    }

    /// Reads and clears the dirty log atomically; what it held is to be sent. Answers all that is to be sent. A pass that is not over
    /// goes on where it is and then round to the beginning, so that pages wait no longer than a pass.
    pub fn sync_log(&mut self) -> PageCount {
        let Some(outgoing) = &mut self.outgoing else { return PageCount::ZERO };
        if outgoing.pending.is_empty() {
            outgoing.scan = 0;
        }
        outgoing.pending.absorb(&mut outgoing.log);
        PageCount::new(outgoing.pending.len())
    }

    /// Pages to be sent, as of the last sync.
    pub fn pending(&self) -> PageCount {
        PageCount::new(self.outgoing.as_ref().map_or(0, |o| o.pending.len()))
    }

    /// Reads the next pages to be sent, in guest-physical order, with what they hold now: at most `budget`, not counting
    /// those that `is_light`, of which it takes at most `light_max` with them.
    pub fn take(&mut self, budget: PageCount, light_max: u64, is_light: impl Fn(u64, Content) -> bool) -> Pages {
        let mut taken = Vec::new();
        let (mut full, mut light) = (0, 0);
        let Some(outgoing) = &mut self.outgoing else { return Pages(taken) };
        while full < budget.get() && light < light_max.max(1) {
            let Some(page) = outgoing.pending.next_from(outgoing.scan).or_else(|| outgoing.pending.next_from(0)) else {
                break;
            };
            outgoing.pending.remove(page);
            outgoing.scan = page + 1;
            if outgoing.kind == DirtyLog::ClearOnSend {
                outgoing.log.remove(page);
            }
            let content = self.pages[index(page)];
            let count = if is_light(page, content) { &mut light } else { &mut full };
            *count += 1;
            taken.push((u32::try_from(page).expect("page numbers have 32 bits"), content));
        }
        Pages(taken)
    }

    /// Writes received pages over what is there.
    pub fn place(&mut self, pages: &Pages) {
        for (page, content) in pages.iter() {
            self.put(page, content);
        }
    }

    fn put(&mut self, page: u64, new: Content) {
        let old = std::mem::replace(&mut self.pages[index(page)], new);
        self.hash.replace(page, old, new);
        self.resident += u64::from(!old.is_present());
    }

    /// The first page at which two memories differ, with both contents.
    pub fn first_difference(&self, other: &Self) -> Option<(u64, Content, Content)> {
        let pairs = self.pages.iter().zip(&other.pages);
        pairs.enumerate().find(|(_, (a, b))| a != b).map(|(page, (&a, &b))| (page as u64, a, b))
    }
}

#[inline]
fn index(page: u64) -> usize {
    usize::try_from(page).expect("pages fit in memory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRST: usize = 0;

    fn take(memory: &mut Memory, budget: u64) -> Pages {
        memory.take(PageCount::new(budget), 0, |_, _| false)
    }

    #[test]
    fn light_pages_go_with_the_others() {
        let mut memory = Memory::initial(PageCount::new(20));
        memory.start_log(DirtyLog::Snapshot);
        let mut next = |light_max| {
            let pages = memory.take(PageCount::new(2), light_max, |page, _| page % 5 != 0);
            pages.iter().map(|(page, _)| page).collect::<Vec<_>>()
        };
        assert_eq!(next(9), [0, 1, 2, 3, 4, 5], "two that count, and the light ones before the second");
        assert_eq!(next(3), [6, 7, 8], "no more light ones than allowed");
        assert_eq!(next(9), [9, 10, 11, 12, 13, 14, 15]);
    }

    fn copied(kind: DirtyLog, script: &[(u64, u64)]) -> (Memory, Memory) {
        let pages = PageCount::new(100);
        let (mut here, mut there) = (Memory::initial(pages), Memory::absent(pages));
        here.start_log(kind);
        for &(page, budget) in script {
            here.write(page, BranchId::new(FIRST));
            let batch = take(&mut here, budget);
            there.place(&batch);
            if here.pending() == PageCount::ZERO {
                here.sync_log();
            }
        }
        while here.pending() > PageCount::ZERO || here.sync_log() > PageCount::ZERO {
            let batch = take(&mut here, 7);
            there.place(&batch);
        }
        (here, there)
    }

    proptest! {
        #[test]
        fn pre_copy_ends_with_equal_memories(script in prop::collection::vec((0u64..100, 0u64..9), 0..200)) {
            for kind in [DirtyLog::Snapshot, DirtyLog::ClearOnSend] {
                let (here, there) = copied(kind, &script);
                prop_assert!(there.is_complete());
                prop_assert_eq!(here.first_difference(&there), None);
                prop_assert_eq!(here.hash(), there.hash());
                prop_assert_eq!(there.hash(), there.recomputed_hash());
            }
        }
    }

    #[test]
    fn the_two_logs_differ_for_a_page_written_before_it_is_sent() {
        let resent = |kind| {
            let mut memory = Memory::initial(PageCount::new(10));
            memory.start_log(kind);
            memory.write(9, BranchId::new(FIRST));
            take(&mut memory, 10);
            memory.sync_log().get()
        };
        assert_eq!(resent(DirtyLog::Snapshot), 1, "a write at any time since the last sync counts");
        assert_eq!(resent(DirtyLog::ClearOnSend), 0, "only a write after the page was sent counts");
    }

    #[test]
    fn a_sync_in_mid_pass_does_not_send_the_scan_back() {
        let mut memory = Memory::initial(PageCount::new(10));
        memory.start_log(DirtyLog::Snapshot);
        take(&mut memory, 6);
        memory.write(0, BranchId::new(FIRST));
        memory.sync_log();
        let order: Vec<u64> = take(&mut memory, 9).iter().map(|(page, _)| page).collect();
        assert_eq!(order, [6, 7, 8, 9, 0], "the pass goes on, then round");
        for page in [3, 1] {
            memory.write(page, BranchId::new(FIRST));
        }
        memory.sync_log();
        assert_eq!(take(&mut memory, 9).iter().map(|(page, _)| page).collect::<Vec<_>>(), [1, 3], "a new pass");
    }

    #[test]
    fn a_page_lost_on_the_way_shows_in_the_hash() {
        let mut here = Memory::initial(PageCount::new(50));
        let mut there = Memory::absent(PageCount::new(50));
        here.start_log(DirtyLog::Snapshot);
        there.place(&take(&mut here, 50));
        assert_eq!(here.hash(), there.hash());
        here.write(3, BranchId::new(FIRST));
        assert_ne!(here.hash(), there.hash());
        assert_eq!(here.first_difference(&there).map(|d| d.0), Some(3));
    }
}
