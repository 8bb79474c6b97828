//! Guest memory as the world holds it. Agents never see a page number: they ask by action and get opaque
//! batches with counts.
//!
//! [`Memory`] is one copy on one host, `Outgoing` what its hypervisor keeps while that copy is being sent. The
//! exact model tracks every page: 4 bytes per page and copy, one bit per page and set.
//!
//! It does not know who writes, sends or receives: the guest writes through [`Memory::write`], the world
//! moves batches.

mod bitmap;
mod checkpoints;
mod content;
mod pages;
mod push;
mod xbzrle;

pub use bitmap::PageSet;
pub use content::{BranchId, Content, MemoryHash};
pub use pages::Pages;
pub use xbzrle::{LastSent, encoded};

use std::collections::BTreeMap;

use crate::scenario::DirtyLog;
use crate::scenario::policy::Push;
use crate::units::PageCount;
use xbzrle::SentCache;

use checkpoints::CheckpointLog;
use push::Frontier;

/// One copy of a guest's memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Memory {
    pages: Vec<Content>,
    hash: MemoryHash,
    resident: u64,
    outgoing: Option<Outgoing>,
    incoming: Option<Incoming>,
    /// What has been dirtied since the last stage of a checkpoint.
    checkpoints: Option<CheckpointLog>,
}

/// Writes that wait for their page: by which execution, how many.
pub type WaitingWrites = BTreeMap<u64, (BranchId, u32)>;

/// What the hypervisor of a copy that is being sent keeps: the dirty log and the pages still to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Outgoing {
    kind: DirtyLog,
    log: PageSet,
    pending: PageSet,
    frontier: Frontier,
    sent: Option<SentCache>,
}

impl Outgoing {
    /// Once the scan has come to the end of memory, what was sent is remembered.
    fn note_pass(&mut self) {
        if let Some(sent) = &mut self.sent
            && self.frontier.has_passed(&self.pending)
        {
            sent.pass_over();
        }
    }
}

/// What the hypervisor of a copy that executes before all its pages are there keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Incoming {
    waiting: WaitingWrites,
    /// What the writes done here have changed of the hash of the whole memory.
    changed: MemoryHash,
    /// Whether any was.
    written: bool,
    /// The vCPUs stand: writes wait on although their page is here.
    stands: bool,
}

/// What became of received pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// Were not there before.
    pub new: PageCount,
    /// Were there already, in a copy that executes: left as they are.
    pub kept: PageCount,
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
        Self {
            pages: vec![Content::ABSENT; count],
            hash: MemoryHash::default(),
            resident: 0,
            outgoing: None,
            incoming: None,
            checkpoints: None,
        }
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

    /// The guest, on `branch`, writes `page`. If the page is not there, the write waits for it.
    #[inline]
    pub fn write(&mut self, page: u64, branch: BranchId) {
        let old = self.pages[index(page)];
        if !old.is_present() {
            self.await_page(page, branch);
            return;
        }
        let new = old.written(branch);
        self.pages[index(page)] = new;
        self.hash.replace(page, old, new);
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.log.insert(page);
        }
        if let Some(incoming) = &mut self.incoming {
            incoming.changed.replace(page, old, new);
            incoming.written = true;
        }
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.dirty(page);
        }
    }

    #[cold]
    fn await_page(&mut self, page: u64, branch: BranchId) {
        let incoming = self.incoming.as_mut().expect("only a copy that takes faults executes with pages missing");
        incoming.waiting.entry(page).or_insert((branch, 0)).1 += 1;
    }

    /// From now on accesses to pages that are not there are faults, and a page that is there is not replaced by one that
    /// arrives (`UFFDIO_COPY` refuses a page that is mapped).
    pub fn take_faults(&mut self) {
        self.incoming.get_or_insert_default();
    }

    /// Whether accesses to pages that are not there are faults.
    pub fn takes_faults(&self) -> bool {
        self.incoming.is_some()
    }

    /// Pages that are not there.
    pub fn missing(&self) -> PageCount {
        PageCount::new(self.pages.len() as u64 - self.resident)
    }

    /// Drops pages: they are out of date.
    pub fn drop_pages(&mut self, stale: &PageSet) {
        for page in stale.iter() {
            let old = std::mem::replace(&mut self.pages[index(page)], Content::ABSENT);
            self.hash.replace(page, old, Content::ABSENT);
            self.resident -= u64::from(old.is_present());
        }
    }

    /// The pages that are there.
    pub fn present(&self) -> PageSet {
        let mut set = PageSet::empty(self.pages.len() as u64);
        for (page, _) in self.pages.iter().enumerate().filter(|(_, content)| content.is_present()) {
            set.insert(page as u64);
        }
        set
    }

    /// The hash of this memory with its missing pages filled in from `other`.
    pub fn hash_filled_from(&self, other: &Self) -> MemoryHash {
        let mut hash = self.hash;
        for (page, (&here, &there)) in self.pages.iter().zip(&other.pages).enumerate() {
            if !here.is_present() {
                hash.replace(page as u64, Content::ABSENT, there);
            }
        }
        hash
    }

    /// Starts the dirty log; every page is to be sent.
    pub fn start_log(&mut self, kind: DirtyLog) {
        let bound = self.pages.len() as u64;
        let outgoing = Outgoing {
            kind,
            log: PageSet::empty(bound),
            pending: PageSet::full(bound),
            frontier: Frontier::default(),
            sent: None,
        };
        self.outgoing = Some(outgoing);
    }

    /// Keeps that many pages as they were last sent, from the end of the first pass on.
    pub fn keep_sent(&mut self, pages: PageCount) {
        if let Some(outgoing) = &mut self.outgoing {
            // A cache larger than memory has a slot for each page.
            outgoing.sent = Some(SentCache::new(pages.min(PageCount::new(self.pages.len() as u64))));
        }
    }

    /// Whether the cache of sent pages is in use.
    pub fn knows_what_was_sent(&self) -> bool {
        self.outgoing.as_ref().and_then(|outgoing| outgoing.sent.as_ref()).is_some_and(SentCache::serves)
    }

    /// What the cache knows of a page that is sent with this content; it knows it from now on.
    pub fn last_sent(&mut self, page: u64, content: Content) -> LastSent {
        let sent = self.outgoing.as_mut().and_then(|outgoing| outgoing.sent.as_mut());
        sent.map_or(LastSent::Unknown, |sent| sent.send(page, content))
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
            outgoing.frontier = Frontier::default();
        }
        outgoing.pending.absorb(&mut outgoing.log);
        if let Some(sent) = &mut outgoing.sent {
            sent.next_round();
        }
        PageCount::new(outgoing.pending.len())
    }

    /// Pages to be sent, as of the last sync.
    pub fn pending(&self) -> PageCount {
        PageCount::new(self.outgoing.as_ref().map_or(0, |o| o.pending.len()))
    }

    /// From now on pages follow the VM: they go whole, since what was sent before may be gone at the receiver, and reading begins
    /// anew.
    pub fn follow(&mut self) {
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.sent = None;
            outgoing.frontier = Frontier::default();
        }
    }

    /// The pages to be sent, as of the last sync.
    pub fn pending_set(&self) -> Option<&PageSet> {
        self.outgoing.as_ref().map(|outgoing| &outgoing.pending)
    }

    /// All pages but those in `here` are to be sent.
    pub fn send_all_but(&mut self, here: &PageSet) {
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.pending = PageSet::full(self.pages.len() as u64);
            outgoing.frontier = Frontier::default();
            for page in here.iter() {
                outgoing.pending.remove(page);
            }
        }
    }

    /// Reads a page that was asked for, if it is still to be sent.
    pub fn fetch(&mut self, page: u64, push: Push) -> Pages {
        let pending = self.outgoing.as_mut().filter(|outgoing| outgoing.pending.contains(page));
        let Some(outgoing) = pending else { return Pages::default() };
        outgoing.pending.remove(page);
        outgoing.frontier.asked(page, push);
        Pages(vec![(u32::try_from(page).expect("page numbers have 32 bits"), self.pages[index(page)])])
    }

    /// Reads the next pages to be sent, with what they hold now: at most `budget`, not counting those that `is_light`, of which
    /// it takes at most `light_max` with them. Fewer come, or none, where the log has pages skipped.
    pub fn take(
        &mut self,
        budget: PageCount,
        push: Push,
        light_max: u64,
        is_light: impl Fn(u64, Content) -> bool,
    ) -> Pages {
        let mut taken = Vec::new();
        let (mut full, mut light) = (0, 0);
        let Some(outgoing) = &mut self.outgoing else { return Pages(taken) };
        while full < budget.get() && light < light_max.max(1) {
            outgoing.note_pass();
            let Some(page) = outgoing.frontier.next(&outgoing.pending, push) else { break };
            outgoing.pending.remove(page);
            match outgoing.kind {
                DirtyLog::ClearOnSend => outgoing.log.remove(page),
                // The log has it: the next sync makes it due again.
                DirtyLog::SkipRedirtied if outgoing.log.contains(page) => continue,
                DirtyLog::Snapshot | DirtyLog::SkipRedirtied => {}
            }
            let content = self.pages[index(page)];
            let count = if is_light(page, content) { &mut light } else { &mut full };
            *count += 1;
            taken.push((u32::try_from(page).expect("page numbers have 32 bits"), content));
        }
        outgoing.note_pass();
        Pages(taken)
    }

    /// Writes received pages over what is there; if the copy takes faults, only those that are missing, and then the
    /// writes that wait for them. `is_zero`: whether a page is one of zeros.
    pub fn place(&mut self, pages: &Pages, is_zero: impl Fn(u64, Content) -> bool) -> Placed {
        let before = self.resident;
        let mut kept = 0;
        for (page, content) in pages.iter() {
            let Some(incoming) = &mut self.incoming else {
                self.put(page, content);
                continue;
            };
            if self.pages[index(page)].is_present() {
                kept += 1;
                continue;
            }
            let waiting = if incoming.stands { None } else { incoming.waiting.remove(&page) };
            self.put(page, content);
            if let Some(checkpoints) = &mut self.checkpoints {
                checkpoints.arrived(page, || is_zero(page, content));
            }
            if let Some((branch, writes)) = waiting {
                (0..writes).for_each(|_| self.write(page, branch));
            }
        }
        Placed { new: PageCount::new(self.resident - before), kept: PageCount::new(kept) }
    }

    fn put(&mut self, page: u64, new: Content) {
        let old = std::mem::replace(&mut self.pages[index(page)], new);
        self.hash.replace(page, old, new);
        self.resident += u64::from(!old.is_present());
    }

    /// The first page that is there in `copy` and not what it is here, with both contents.
    pub fn first_stale(&self, copy: &Self) -> Option<(u64, Content, Content)> {
        let pairs = self.pages.iter().zip(&copy.pages);
        let stale = pairs.enumerate().find(|(_, (here, there))| there.is_present() && here != there);
        stale.map(|(page, (&here, &there))| (page as u64, here, there))
    }
}

#[inline]
fn index(page: u64) -> usize {
    usize::try_from(page).expect("pages fit in memory")
}

#[cfg(test)]
mod tests;
