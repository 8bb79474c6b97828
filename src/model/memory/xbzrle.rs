//! Delta compression (XBZRLE): a cache of pages as they were last sent, and what a page costs when only its changes go.
//!
//! The rules are those of QEMU's `page_cache.c` and `ram.c`: direct-mapped by page number, an entry that was used in this round or
//! the last is not displaced, and the first pass neither asks nor fills the cache. Contents are identities here, so the
//! difference between two of them is the number of writes in between.

use super::content::Content;
use crate::units::{Bytes, PageCount};

/// Rounds in which an entry that has been used is not displaced (QEMU `page_cache.c`).
const LIFETIME: u32 = 2;
/// Bytes of an encoded page before its runs: a flag and a length (QEMU `save_xbzrle_page`).
const PAGE_PREFIX: u64 = 3;
/// Bytes that say how long the equal bytes before a run are: 2 where they are 128 or more, as nearly everywhere in a page.
const SKIP_LENGTH: u64 = 2;

/// Pages as they were last sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SentCache {
    slots: Vec<Slot>,
    /// Whether every page has been sent once.
    serves: bool,
    /// Syncs so far.
    round: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Slot {
    page: u64,
    /// Absent: the slot is empty.
    content: Content,
    /// Round in which it was last used.
    used: u32,
}

/// What the cache knows of a page that is about to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LastSent {
    /// Nothing: the whole page goes.
    Unknown,
    /// What the receiver has, and how many writes ago that was.
    WritesAgo(u32),
}

impl SentCache {
    pub(super) fn new(pages: PageCount) -> Self {
        let slots = usize::try_from(pages.get()).expect("the cache fits in memory");
        Self { slots: vec![Slot::default(); slots], serves: false, round: 0 }
    }

    /// The log was synced.
    pub(super) fn next_round(&mut self) {
        self.round += 1;
    }

    /// The scan has come to the end of memory.
    pub(super) fn pass_over(&mut self) {
        self.serves = true;
    }

    pub(super) fn serves(&self) -> bool {
        self.serves
    }

    /// `page` is sent with this content.
    pub(super) fn send(&mut self, page: u64, content: Content) -> LastSent {
        let index = usize::try_from(page % self.slots.len() as u64).expect("below the number of slots");
        let slot = &mut self.slots[index];
        let known = slot.content.is_present() && slot.page == page;
        if !known && slot.content.is_present() && slot.used + LIFETIME > self.round {
            return LastSent::Unknown;
        }
        let before = std::mem::replace(slot, Slot { page, content, used: self.round });
        if known { LastSent::WritesAgo(content.writes_since(before.content)) } else { LastSent::Unknown }
    }
}

/// Bytes of a page of which only the changes of `writes` writes go, each of `delta` bytes in a place of its own; `None`: not
/// less than the page. A page that has not changed costs nothing.
pub fn encoded(writes: u32, delta: Bytes, page: Bytes) -> Option<Bytes> {
    if writes == 0 {
        return Some(Bytes::ZERO);
    }
    let run_length = if delta.get() < 128 { 1 } else { 2 };
    let run = delta.get().saturating_add(SKIP_LENGTH + run_length);
    let runs = run.saturating_mul(u64::from(writes));
    (runs < page.get()).then(|| Bytes::new(PAGE_PREFIX + runs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::memory::BranchId;

    const PAGE: Bytes = Bytes::new(4096);

    fn written(times: u32) -> Content {
        (0..times).fold(Content::INITIAL, |content, _| content.written(BranchId::new(0)))
    }

    #[test]
    fn a_page_sent_before_is_known_by_its_writes() {
        let mut cache = SentCache::new(PageCount::new(8));
        assert_eq!(cache.send(3, written(1)), LastSent::Unknown);
        assert_eq!(cache.send(3, written(1)), LastSent::WritesAgo(0));
        assert_eq!(cache.send(3, written(6)), LastSent::WritesAgo(5));
        assert_eq!(cache.send(4, written(6)), LastSent::Unknown);
    }

    #[test]
    fn an_entry_gives_way_only_when_it_has_not_been_used_for_two_rounds() {
        let mut cache = SentCache::new(PageCount::new(8));
        cache.send(3, written(1));
        assert_eq!(cache.send(11, written(1)), LastSent::Unknown);
        assert_eq!(cache.send(3, written(2)), LastSent::WritesAgo(1), "11 has not displaced it");
        cache.next_round();
        cache.send(11, written(1));
        cache.next_round();
        assert_eq!(cache.send(11, written(2)), LastSent::Unknown, "now it does");
        assert_eq!(cache.send(11, written(4)), LastSent::WritesAgo(2));
        assert_eq!(cache.send(3, written(3)), LastSent::Unknown);
    }

    #[test]
    fn a_delta_grows_with_the_writes_until_the_page_is_cheaper() {
        let bytes = |writes, delta| encoded(writes, Bytes::new(delta), PAGE).map(Bytes::get);
        assert_eq!([bytes(0, 8), bytes(1, 8), bytes(2, 8)], [Some(0), Some(14), Some(25)]);
        assert_eq!([bytes(372, 8), bytes(373, 8)], [Some(4095), None]);
        assert_eq!([bytes(1, 4096), bytes(u32::MAX, 4096)], [None, None]);
    }
}
