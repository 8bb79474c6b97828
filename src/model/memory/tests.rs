//! Laws of one copy's memory: what is sent and placed, logs, hashes.

use super::*;
use proptest::prelude::*;

const FIRST: usize = 0;

fn copied(kind: DirtyLog, script: &[(u64, u64)]) -> (Memory, Memory) {
    let pages = PageCount::new(100);
    let (mut here, mut there) = (Memory::initial(pages), Memory::absent(pages));
    here.start_log(kind);
    for &(page, budget) in script {
        here.write(page, BranchId::new(FIRST));
        let batch = here.take(PageCount::new(budget), Push::Ascending);
        there.place(&batch);
        if here.pending() == PageCount::ZERO {
            here.sync_log();
        }
    }
    while here.pending() > PageCount::ZERO || here.sync_log() > PageCount::ZERO {
        let batch = here.take(PageCount::new(7), Push::Ascending);
        there.place(&batch);
    }
    (here, there)
}

proptest! {
    #[test]
    fn pre_copy_ends_with_equal_memories(script in prop::collection::vec((0u64..100, 0u64..9), 0..200)) {
        for kind in [DirtyLog::Snapshot, DirtyLog::ClearOnSend, DirtyLog::SkipRedirtied] {
            let (here, there) = copied(kind, &script);
            prop_assert!(there.is_complete());
            prop_assert_eq!(here.first_stale(&there), None);
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
        memory.take(PageCount::new(10), Push::Ascending);
        memory.sync_log().get()
    };
    assert_eq!(resent(DirtyLog::Snapshot), 1, "a write at any time since the last sync counts");
    assert_eq!(resent(DirtyLog::ClearOnSend), 0, "only a write after the page was sent counts");
}

#[test]
fn a_page_that_is_dirty_again_when_scanned_waits_for_the_next_round() {
    let mut memory = Memory::initial(PageCount::new(10));
    memory.start_log(DirtyLog::SkipRedirtied);
    memory.take(PageCount::new(4), Push::Ascending);
    for page in [2, 5, 6, 7, 8, 9] {
        memory.write(page, BranchId::new(FIRST));
    }
    let numbers = |pages: Pages| pages.iter().map(|(page, _)| page).collect::<Vec<_>>();
    assert_eq!(
        numbers(memory.take(PageCount::new(3), Push::Ascending)),
        [4],
        "5 to 9 are skipped, and no page is left"
    );
    assert_eq!(memory.pending(), PageCount::ZERO);
    assert_eq!(memory.sync_log(), PageCount::new(6), "what was skipped, and 2, which was written after it was sent");
    assert_eq!(numbers(memory.take(PageCount::new(10), Push::Ascending)), [2, 5, 6, 7, 8, 9]);
}

#[test]
fn a_page_lost_on_the_way_shows_in_the_hash() {
    let mut here = Memory::initial(PageCount::new(50));
    let mut there = Memory::absent(PageCount::new(50));
    here.start_log(DirtyLog::Snapshot);
    there.place(&here.take(PageCount::new(50), Push::Ascending));
    assert_eq!(here.hash(), there.hash());
    here.write(3, BranchId::new(FIRST));
    assert_ne!(here.hash(), there.hash());
    assert_eq!(here.first_stale(&there).map(|d| d.0), Some(3));
}
