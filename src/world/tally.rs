//! Pages under way, and where all pages went.

use crate::model::memory::Pages;
use crate::units::PageCount;

use super::World;

/// Pages read at the source and not yet placed, and the phase in which they were read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct InFlight {
    pub pages: Pages,
    /// How many of them travel compressed.
    pub compressed: PageCount,
    /// How many of them hold only zeros.
    pub zero: PageCount,
    pub leg: u32,
    /// They are between a copy and the store of checkpoints.
    pub checkpoint: bool,
}

impl InFlight {
    /// Pages between a copy and the store.
    pub fn of_checkpoint(pages: Pages) -> Self {
        Self { pages, compressed: PageCount::ZERO, zero: PageCount::ZERO, leg: 0, checkpoint: true }
    }
}

/// Where all pages read went: sent = placed + lost + in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PageTally {
    /// Read for sending.
    pub sent: PageCount,
    /// Written to memory at the receiver.
    pub placed: PageCount,
    /// Lost on the way.
    pub lost: PageCount,
    /// Among the placed: were there already in a copy that executes, so they were sent once too often.
    pub kept: PageCount,
    /// Among those sent: the cache of sent pages knew what the receiver has.
    pub cache_hits: PageCount,
    /// Among those sent: it did not, though it was in use.
    pub cache_misses: PageCount,
}

impl World {
    /// Where all pages between the hosts went, and how many are on their way, recounted.
    pub fn page_tally(&self) -> (PageTally, PageCount) {
        (self.counted, self.travelling(false))
    }

    /// The same of pages between a copy and the store of checkpoints.
    pub fn checkpoint_tally(&self) -> (PageTally, PageCount) {
        (self.counted_stored, self.travelling(true))
    }

    pub(super) fn travelling(&self, checkpoint: bool) -> PageCount {
        let batches = self.batches.values().filter(|batch| batch.checkpoint == checkpoint);
        batches.map(|batch| batch.pages.count()).sum()
    }
}
