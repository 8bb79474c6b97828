//! Where the pages of each class are in guest-physical memory.
//!
//! Contiguous classes come first, in their order, each one block; shuffled classes share the rest, scattered by a
//! keyed permutation that is computed, not stored: a four-round Feistel network with cycle walking (Black
//! and Rogaway, CT-RSA 2002), so that a 64 GiB guest needs no table of 16 million entries.

use crate::rng::{Purpose, RunSeed};
use crate::scenario::{Layout, PageClass};

/// Maps (class, index) to pages and back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Placement {
    classes: Vec<Block>,
    shuffle: Shuffle,
    /// First page of the shuffled region.
    shuffled_from: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Block {
    layout: Layout,
    /// First page (contiguous), or first index in the shuffled region.
    start: u64,
    len: u64,
}

impl Placement {
    /// Lays out `classes` for the VM numbered `vm`.
    pub fn new(classes: &[PageClass], vm: u32, seed: RunSeed) -> Self {
        let blocks = |layout| classes.iter().filter(move |c| c.layout == layout).map(|c| c.pages.get());
        let shuffled_from: u64 = blocks(Layout::Contiguous).sum();
        let mut next = [0, 0];
        let place = |class: &PageClass| {
            let next = &mut next[usize::from(class.layout == Layout::Shuffled)];
            let block = Block { layout: class.layout, start: *next, len: class.pages.get() };
            *next += block.len;
            block
        };
        let placed = classes.iter().map(place).collect();
        Self { classes: placed, shuffle: Shuffle::new(blocks(Layout::Shuffled).sum(), vm, seed), shuffled_from }
    }

    /// The page that is number `index` of class `class`.
    #[inline]
    pub fn page(&self, class: usize, index: u64) -> u64 {
        let block = &self.classes[class];
        match block.layout {
            Layout::Contiguous => block.start + index,
            Layout::Shuffled => self.shuffled_from + self.shuffle.forward(block.start + index),
        }
    }

    /// The class of `page`, and its index there.
    pub fn class_of(&self, page: u64) -> (usize, u64) {
        let (layout, position) = match page.checked_sub(self.shuffled_from) {
            None => (Layout::Contiguous, page),
            Some(offset) => (Layout::Shuffled, self.shuffle.backward(offset)),
        };
        let holds = |b: &Block| b.layout == layout && position >= b.start && position - b.start < b.len;
        let class = self.classes.iter().position(holds).expect("the classes cover the memory");
        (class, position - self.classes[class].start)
    }
}

/// A keyed permutation of 0‥n.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shuffle {
    n: u64,
    half_bits: u32,
    keys: [u64; 4],
}

impl Shuffle {
    fn new(n: u64, vm: u32, seed: RunSeed) -> Self {
        let mut stream = seed.stream(Purpose::Layout, vm);
        Self::of(n, || stream.bits())
    }

    /// One that is drawn.
    pub fn of(n: u64, mut bits: impl FnMut() -> u64) -> Self {
        let width = 64 - n.saturating_sub(1).leading_zeros();
        let keys = std::array::from_fn(|_| bits());
        Self { n, half_bits: width.div_ceil(2).max(1), keys }
    }

    /// Where `index` goes.
    pub fn forward(&self, index: u64) -> u64 {
        self.walk(index, |s, x| s.keys.iter().fold(x, |x, &key| s.round(x, key)))
    }

    fn backward(&self, index: u64) -> u64 {
        self.walk(index, |s, x| s.keys.iter().rev().fold(x, |x, &key| s.unround(x, key)))
    }

    /// Applies the permutation of the power of four above n until the result is below n.
    fn walk(&self, index: u64, step: impl Fn(&Self, u64) -> u64) -> u64 {
        debug_assert!(index < self.n, "index {index} of {}", self.n);
        let mut x = step(self, index);
        while x >= self.n {
            x = step(self, x);
        }
        x
    }

    fn split(&self, x: u64) -> (u64, u64) {
        (x >> self.half_bits, x & self.mask())
    }

    fn mask(&self) -> u64 {
        (1 << self.half_bits) - 1
    }

    fn round(&self, x: u64, key: u64) -> u64 {
        let (left, right) = self.split(x);
        right << self.half_bits | (left ^ (scramble(right ^ key) & self.mask()))
    }

    fn unround(&self, x: u64, key: u64) -> u64 {
        let (right, left) = self.split(x);
        (left ^ (scramble(right ^ key) & self.mask())) << self.half_bits | right
    }
}

fn scramble(x: u64) -> u64 {
    let x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Pattern;
    use crate::units::{Bytes, EventRate, PageCount, Ratio};

    fn class(pages: u64, layout: Layout) -> PageClass {
        PageClass {
            name: "c".into(),
            pages: PageCount::new(pages),
            write: EventRate::ZERO,
            trace: None,
            read: EventRate::ZERO,
            wake: PageCount::ZERO,
            pattern: Pattern::Uniform,
            zero: Ratio::ZERO,
            delta: Bytes::new(4096),
            compressed: Ratio::ONE,
            layout,
        }
    }

    #[test]
    fn every_page_belongs_to_one_index_of_one_class() {
        let sizes = [(5, Layout::Shuffled), (17, Layout::Contiguous), (1, Layout::Shuffled), (300, Layout::Shuffled)];
        let classes: Vec<_> = sizes.into_iter().map(|(n, layout)| class(n, layout)).collect();
        let placement = Placement::new(&classes, 0, RunSeed { seed: 1, replication: 0 });
        let mut seen = [false; 323];
        for (c, class) in classes.iter().enumerate() {
            for index in 0..class.pages.get() {
                let page = placement.page(c, index);
                assert_eq!(placement.class_of(page), (c, index));
                assert!(
                    !std::mem::replace(&mut seen[usize::try_from(page).expect("small")], true),
                    "page {page} twice"
                );
            }
        }
        assert!(seen.iter().all(|&s| s));
    }

    #[test]
    fn a_shuffle_depends_on_the_seed() {
        let classes = [class(1000, Layout::Shuffled)];
        let pages = |seed| {
            let placement = Placement::new(&classes, 0, RunSeed { seed, replication: 0 });
            (0..10).map(|i| placement.page(0, i)).collect::<Vec<_>>()
        };
        assert_eq!(pages(1), pages(1));
        assert_ne!(pages(1), pages(2));
    }
}
