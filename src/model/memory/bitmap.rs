//! A set of pages: one bit each, and above every 64 words one summary bit per word.
//!
//! Why our own: late pre-copy rounds hold few pages of many, and the summary skips empty words by the 4096
//! pages. Everything that a round does costs one step per page in the set and a word per 64 × 64 otherwise.

/// A set of page numbers below a fixed bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageSet {
    words: Vec<u64>,
    summary: Vec<u64>,
    len: u64,
    bound: u64,
}

impl PageSet {
    /// The empty set of pages below `bound`.
    pub fn empty(bound: u64) -> Self {
        let words = usize::try_from(bound.div_ceil(64)).expect("pages fit in memory");
        Self { words: vec![0; words], summary: vec![0; words.div_ceil(64)], len: 0, bound }
    }

    /// All pages below `bound`.
    pub fn full(bound: u64) -> Self {
        let mut set = Self::empty(bound);
        set.words.fill(u64::MAX);
        if !bound.is_multiple_of(64) {
            *set.words.last_mut().expect("a bound above 0 has a word") = (1 << (bound % 64)) - 1;
        }
        for word in 0..set.words.len() {
            set.summary[word / 64] |= 1 << (word % 64);
        }
        set.len = bound;
        set
    }

    /// How many pages are in it.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `page` is in it.
    pub fn contains(&self, page: u64) -> bool {
        self.words[word_of(page)] & bit_of(page) != 0
    }

    /// Puts `page` in.
    #[inline]
    pub fn insert(&mut self, page: u64) {
        debug_assert!(page < self.bound, "page {page} of {}", self.bound);
        let word = word_of(page);
        let before = self.words[word];
        let after = before | bit_of(page);
        if before != after {
            self.words[word] = after;
            self.summary[word / 64] |= 1 << (word % 64);
            self.len += 1;
        }
    }

    /// Takes `page` out.
    pub fn remove(&mut self, page: u64) {
        let word = word_of(page);
        let before = self.words[word];
        let after = before & !bit_of(page);
        if before != after {
            self.words[word] = after;
            self.len -= 1;
            if after == 0 {
                self.summary[word / 64] &= !(1 << (word % 64));
            }
        }
    }

    /// Takes everything out, in ascending order.
    pub fn drain(&mut self) -> Vec<u64> {
        let mut out = Vec::with_capacity(usize::try_from(self.len).expect("it fits in memory"));
        for block in 0..self.summary.len() {
            let mut live = std::mem::take(&mut self.summary[block]);
            while live != 0 {
                let word = block * 64 + live.trailing_zeros() as usize;
                live &= live - 1;
                let mut bits = std::mem::take(&mut self.words[word]);
                while bits != 0 {
                    out.push(word as u64 * 64 + u64::from(bits.trailing_zeros()));
                    bits &= bits - 1;
                }
            }
        }
        self.len = 0;
        out
    }

    /// Moves everything from `other` here; `other` is empty afterwards.
    pub fn absorb(&mut self, other: &mut Self) {
        assert_eq!(self.bound, other.bound, "sets of the same memory");
        for block in 0..other.summary.len() {
            let mut live = other.summary[block];
            while live != 0 {
                let word = block * 64 + live.trailing_zeros() as usize;
                live &= live - 1;
                let added = other.words[word] & !self.words[word];
                self.len += u64::from(added.count_ones());
                self.words[word] |= added;
                other.words[word] = 0;
            }
            self.summary[block] |= other.summary[block];
            other.summary[block] = 0;
        }
        other.len = 0;
    }

    /// The first page at or after `from` that is in the set.
    pub fn next_from(&self, from: u64) -> Option<u64> {
        if from >= self.bound {
            return None;
        }
        let word = word_of(from);
        let rest = self.words[word] & (u64::MAX << (from % 64));
        if rest != 0 {
            return Some(page_at(word, rest));
        }
        let mut block = (word + 1) / 64;
        if block >= self.summary.len() {
            return None;
        }
        let mut live = self.summary[block] & (u64::MAX << ((word + 1) % 64));
        while live == 0 {
            block += 1;
            live = *self.summary.get(block)?;
        }
        let word = block * 64 + live.trailing_zeros() as usize;
        Some(page_at(word, self.words[word]))
    }
}

impl PageSet {
    /// The last page at or before `to` that is in the set.
    pub fn last_to(&self, to: u64) -> Option<u64> {
        let to = to.min(self.bound.checked_sub(1)?);
        let word = word_of(to);
        let rest = self.words[word] & (u64::MAX >> (63 - to % 64));
        if rest != 0 {
            return Some(top_page(word, rest));
        }
        let mut block = word / 64;
        let mut live = self.summary[block] & ((1 << (word % 64)) - 1);
        while live == 0 {
            block = block.checked_sub(1)?;
            live = self.summary[block];
        }
        let word = block * 64 + 63 - live.leading_zeros() as usize;
        Some(top_page(word, self.words[word]))
    }

    /// Its pages, rising.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        std::iter::successors(self.next_from(0), |&page| self.next_from(page + 1))
    }

    /// How many runs of neighbours it has: what it takes to name its pages.
    pub fn runs(&self) -> u64 {
        self.iter().filter(|&page| page == 0 || !self.contains(page - 1)).count() as u64
    }
}

fn word_of(page: u64) -> usize {
    usize::try_from(page / 64).expect("pages fit in memory")
}

fn bit_of(page: u64) -> u64 {
    1 << (page % 64)
}

fn page_at(word: usize, bits: u64) -> u64 {
    word as u64 * 64 + u64::from(bits.trailing_zeros())
}

fn top_page(word: usize, bits: u64) -> u64 {
    word as u64 * 64 + 63 - u64::from(bits.leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn full_has_every_page_and_no_more() {
        for bound in [1, 63, 64, 65, 4096, 4097, 10_000] {
            let set = PageSet::full(bound);
            assert_eq!(set.len(), bound);
            let mut next = 0;
            let mut seen = 0;
            while let Some(page) = set.next_from(next) {
                assert_eq!(page, next);
                (next, seen) = (page + 1, seen + 1);
            }
            assert_eq!(seen, bound);
        }
    }

    proptest! {
        #[test]
        fn behaves_like_an_ordered_set(ops in prop::collection::vec((0u64..9000, any::<bool>(), any::<bool>()), 0..400)) {
            let (mut set, mut other) = (PageSet::empty(9000), PageSet::empty(9000));
            let (mut model, mut other_model) = (BTreeSet::new(), BTreeSet::new());
            for (page, insert, here) in ops {
                let (set, model) = if here { (&mut set, &mut model) } else { (&mut other, &mut other_model) };
                if insert {
                    set.insert(page);
                    model.insert(page);
                } else {
                    set.remove(page);
                    model.remove(&page);
                }
                prop_assert_eq!(set.contains(page), insert);
            }
            set.absorb(&mut other);
            model.append(&mut other_model);
            prop_assert!(other.is_empty() && other.next_from(0).is_none());
            prop_assert_eq!(set.len(), model.len() as u64);
            let mut from = 0;
            for &page in &model {
                prop_assert_eq!(set.next_from(from), Some(page));
                from = page + 1;
            }
            prop_assert_eq!(set.next_from(from), None);
            for to in (0..9000).step_by(97) {
                prop_assert_eq!(set.last_to(to), model.range(..=to).next_back().copied());
            }
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            let starts = model.iter().filter(|&&page| page == 0 || !model.contains(&(page - 1)));
            prop_assert_eq!(set.runs(), starts.count() as u64);
        }
    }
}
