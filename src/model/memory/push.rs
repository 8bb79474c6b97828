//! In which order pages that are to be sent are read: where a scan stands, and where the pivots are.

use std::collections::VecDeque;

use super::PageSet;
use crate::scenario::policy::Push;

/// How far reading has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Frontier {
    /// Next page of a scan.
    scan: u64,
    /// Pages around which a bubble grows, the newest first.
    pivots: VecDeque<Bubble>,
    /// Whose edge is next: the pivot, and whether upwards.
    turn: (usize, bool),
}

/// A growing run of pages around a pivot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Bubble {
    /// First page above it.
    above: u64,
    /// First page below it; `None`: it has reached the bottom.
    below: Option<u64>,
}

impl Frontier {
    /// The next page of `pending`, if there is one. Pages that are not pending are skipped.
    pub fn next(&mut self, pending: &PageSet, push: Push) -> Option<u64> {
        match push {
            Push::Ascending | Push::FromFault => {
                let page = pending.next_from(self.scan).or_else(|| pending.next_from(0))?;
                self.scan = page + 1;
                Some(page)
            }
            Push::Bubbling { .. } => self.bubble(pending),
        }
    }

    /// Whether a scan has no page of `pending` before it.
    pub fn has_passed(&self, pending: &PageSet) -> bool {
        pending.next_from(self.scan).is_none()
    }

    /// Page `page` was asked for.
    pub fn asked(&mut self, page: u64, push: Push) {
        match push {
            Push::Ascending => {}
            Push::FromFault => self.scan = page + 1,
            Push::Bubbling { pivots } => {
                self.pivots.push_front(Bubble { above: page + 1, below: page.checked_sub(1) });
                self.pivots.truncate(usize::try_from(pivots).unwrap_or(usize::MAX));
                self.turn = (0, true);
            }
        }
    }

    /// The edges of all bubbles by turns, upwards and downwards. Before the first fault there is one pivot at the bottom.
    fn bubble(&mut self, pending: &PageSet) -> Option<u64> {
        if self.pivots.is_empty() {
            self.pivots.push_back(Bubble { above: 0, below: None });
        }
        for _ in 0..2 * self.pivots.len() {
            let (pivot, upwards) = self.turn;
            self.turn = if upwards { (pivot, false) } else { ((pivot + 1) % self.pivots.len(), true) };
            let bubble = &mut self.pivots[pivot];
            if upwards {
                if let Some(page) = pending.next_from(bubble.above) {
                    bubble.above = page + 1;
                    return Some(page);
                }
            } else if let Some(page) = bubble.below.and_then(|below| pending.last_to(below)) {
                bubble.below = page.checked_sub(1);
                return Some(page);
            }
        }
        // Pages behind the edges: they were lost and are to be sent again.
        pending.next_from(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(push: Push, bound: u64, asked: &[u64], after: usize) -> Vec<u64> {
        let mut pending = PageSet::full(bound);
        let mut frontier = Frontier::default();
        let mut order = Vec::new();
        let mut asked = asked.iter();
        loop {
            if order.len() >= after
                && let Some(&page) = asked.next()
                && pending.contains(page)
            {
                pending.remove(page);
                frontier.asked(page, push);
            }
            let Some(page) = frontier.next(&pending, push) else { return order };
            pending.remove(page);
            order.push(page);
        }
    }

    #[test]
    fn each_order_goes_on_from_where_it_should() {
        assert_eq!(order(Push::Ascending, 6, &[4], 1), [0, 1, 2, 3, 5]);
        assert_eq!(order(Push::FromFault, 8, &[4], 1), [0, 5, 6, 7, 1, 2, 3]);
        assert_eq!(order(Push::Bubbling { pivots: 1 }, 8, &[4], 1), [0, 5, 3, 6, 2, 7, 1]);
        // Two pivots: their edges by turns, the newer first; a third drops the oldest.
        assert_eq!(order(Push::Bubbling { pivots: 2 }, 20, &[10, 4], 0)[..6], [11, 5, 3, 12, 9, 6]);
    }

    proptest! {
        #[test]
        fn every_page_is_read_once(asked in prop::collection::vec(0u64..300, 0..40), after in 0usize..50, kind in 0..4u64) {
            let push = [Push::Ascending, Push::FromFault, Push::Bubbling { pivots: 1 }, Push::Bubbling { pivots: 5 }];
            let push = push[usize::try_from(kind).expect("small")];
            let mut pushed = order(push, 300, &asked, after);
            let before = pushed.len();
            pushed.sort_unstable();
            pushed.dedup();
            prop_assert_eq!(pushed.len(), before);
            // What was not pushed had been asked for.
            prop_assert!((0..300).all(|page| pushed.binary_search(&page).is_ok() || asked.contains(&page)));
        }
    }
}
