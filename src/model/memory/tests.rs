//! Laws of one copy's memory: what is sent and placed, logs, hashes.

use super::*;
use crate::scenario::ArrivedPages;
use proptest::prelude::*;

const FIRST: usize = 0;
/// No page holds zeros.
const NONZERO: fn(u64, Content) -> bool = |_, _| false;

fn take(memory: &mut Memory, budget: u64) -> Pages {
    memory.take(PageCount::new(budget), Push::Ascending, 0, |_, _| false)
}

#[test]
fn light_pages_go_with_the_others() {
    let mut memory = Memory::initial(PageCount::new(20));
    memory.start_log(DirtyLog::Snapshot);
    let mut next = |light_max| {
        let pages = memory.take(PageCount::new(2), Push::Ascending, light_max, |page, _| page % 5 != 0);
        pages.iter().map(|(page, _)| page).collect::<Vec<_>>()
    };
    assert_eq!(next(9), [0, 1, 2, 3, 4, 5], "two that count, and the light ones before the second");
    assert_eq!(next(3), [6, 7, 8], "no more light ones than allowed");
    assert_eq!(next(9), [9, 10, 11, 12, 13, 14, 15]);
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
fn a_pass_that_ends_within_a_chunk_is_over() {
    let mut memory = Memory::initial(PageCount::new(10));
    memory.start_log(DirtyLog::Snapshot);
    memory.keep_sent(PageCount::new(10));
    take(&mut memory, 8);
    for page in 0..5 {
        memory.write(page, BranchId::new(FIRST));
    }
    memory.sync_log();
    assert!(!memory.knows_what_was_sent(), "8 and 9 have not been sent");
    let order: Vec<u64> = take(&mut memory, 4).iter().map(|(page, _)| page).collect();
    assert_eq!(order, [8, 9, 0, 1]);
    assert!(memory.knows_what_was_sent());
}

fn copied(kind: DirtyLog, script: &[(u64, u64)]) -> (Memory, Memory) {
    let pages = PageCount::new(100);
    let (mut here, mut there) = (Memory::initial(pages), Memory::absent(pages));
    here.start_log(kind);
    for &(page, budget) in script {
        here.write(page, BranchId::new(FIRST));
        let batch = take(&mut here, budget);
        there.place(&batch, NONZERO);
        if here.pending() == PageCount::ZERO {
            here.sync_log();
        }
    }
    while here.pending() > PageCount::ZERO || here.sync_log() > PageCount::ZERO {
        let batch = take(&mut here, 7);
        there.place(&batch, NONZERO);
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
        take(&mut memory, 10);
        memory.sync_log().get()
    };
    assert_eq!(resent(DirtyLog::Snapshot), 1, "a write at any time since the last sync counts");
    assert_eq!(resent(DirtyLog::ClearOnSend), 0, "only a write after the page was sent counts");
}

#[test]
fn a_page_that_is_dirty_again_when_scanned_waits_for_the_next_round() {
    let mut memory = Memory::initial(PageCount::new(10));
    memory.start_log(DirtyLog::SkipRedirtied);
    take(&mut memory, 4);
    for page in [2, 5, 6, 7, 8, 9] {
        memory.write(page, BranchId::new(FIRST));
    }
    let numbers = |pages: Pages| pages.iter().map(|(page, _)| page).collect::<Vec<_>>();
    assert_eq!(numbers(take(&mut memory, 3)), [4], "5 to 9 are skipped, and no page is left");
    assert_eq!(memory.pending(), PageCount::ZERO);
    assert_eq!(memory.sync_log(), PageCount::new(6), "what was skipped, and 2, which was written after it was sent");
    assert_eq!(numbers(take(&mut memory, 10)), [2, 5, 6, 7, 8, 9]);
}

#[test]
fn a_page_lost_on_the_way_shows_in_the_hash() {
    let mut here = Memory::initial(PageCount::new(50));
    let mut there = Memory::absent(PageCount::new(50));
    here.start_log(DirtyLog::Snapshot);
    there.place(&take(&mut here, 50), NONZERO);
    assert_eq!(here.hash(), there.hash());
    here.write(3, BranchId::new(FIRST));
    assert_ne!(here.hash(), there.hash());
    assert_eq!(here.first_stale(&there).map(|d| d.0), Some(3));
}

#[test]
fn writes_wait_for_their_page_and_none_is_lost() {
    let branch = BranchId::new(FIRST);
    let (mut here, mut there) = (Memory::initial(PageCount::new(4)), Memory::absent(PageCount::new(4)));
    here.start_log(DirtyLog::Snapshot);
    here.write(2, branch);
    there.take_faults();
    for _ in 0..3 {
        there.write(2, branch);
    }
    assert_eq!((there.missing().get(), there.content(2).is_present()), (4, false));
    let pages = here.fetch(2, Push::FromFault);
    assert_eq!(there.place(&pages, NONZERO), Placed { new: PageCount::new(1), kept: PageCount::ZERO });
    let mut should = Content::INITIAL;
    (0..4).for_each(|_| should = should.written(branch));
    assert_eq!(there.content(2), should, "one write before the move, three that waited");
    assert_eq!(
        there.place(&pages, NONZERO),
        Placed { new: PageCount::ZERO, kept: PageCount::new(1) },
        "a page that is there stays"
    );
    assert_eq!(there.content(2), should);
    assert_eq!(there.hash(), there.recomputed_hash());
    assert_eq!(here.fetch(2, Push::FromFault).count(), PageCount::ZERO, "read once");
}

#[test]
fn pages_that_arrive_count_as_the_platform_says() {
    let branch = BranchId::new(FIRST);
    let staged = |arrived, commits| {
        let (mut here, mut there) = (Memory::initial(PageCount::new(6)), Memory::absent(PageCount::new(6)));
        here.start_log(DirtyLog::Snapshot);
        there.take_faults();
        there.log_checkpoints(false, arrived);
        there.write(5, branch);
        there.place(&take(&mut here, 6), |page, _| page < 2);
        there.write(3, branch);
        if commits {
            there.forget_arrivals();
        }
        there.stage().iter().map(|(page, _)| page).collect::<Vec<_>>()
    };
    for commits in [false, true] {
        assert_eq!(staged(ArrivedPages::Clean, commits), [3, 5], "what the guest has written, before it came or after");
        assert_eq!(staged(ArrivedPages::Dirty, commits), [0, 1, 2, 3, 4, 5]);
    }
    assert_eq!(staged(ArrivedPages::UntilSent, false), [2, 3, 4, 5], "all but zeros");
    assert_eq!(staged(ArrivedPages::UntilSent, true), [3, 5], "a commit forgets what only arrived");
}
