//! Where the pages of each class are in guest-physical memory.
//!
//! Classes that stay together come first, in their order: contiguous ones are a block each, mixed ones beside each other share a block in
//! which they are scattered. Shuffled classes share the rest. What is scattered is so by a keyed permutation that is computed, not stored:
//! a four-round Feistel network with cycle walking (Black and Rogaway, CT-RSA 2002), so that a 64 GiB guest needs no table of 16 million
//! entries.

use crate::rng::{Purpose, RunSeed};
use crate::scenario::{Layout, PageClass};

/// Maps (class, index) to pages and back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Placement {
    classes: Vec<Block>,
    /// Pages over which several classes are scattered: the rest, then each block of mixed classes.
    regions: Vec<Region>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Block {
    /// The region it is scattered over, if it is.
    region: Option<usize>,
    /// First page, or first index in the region.
    start: u64,
    len: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Region {
    from: u64,
    shuffle: Shuffle,
}

impl Placement {
    /// Lays out `classes` for the VM numbered `vm`.
    pub fn new(classes: &[PageClass], vm: u32, seed: RunSeed) -> Self {
        // First page and length of each region.
        let mut regions = vec![(0, 0)];
        let (mut next, mut last) = (0, Layout::Contiguous);
        let place = |class: &PageClass| {
            let len = class.pages.get();
            if class.layout == Layout::Mixed && last != Layout::Mixed {
                regions.push((next, 0));
            }
            last = class.layout;
            let region = match class.layout {
                Layout::Contiguous => None,
                Layout::Mixed => Some(regions.len() - 1),
                Layout::Shuffled => Some(0),
            };
            let start = region.map_or(next, |region| regions[region].1);
            if let Some(region) = region {
                regions[region].1 += len;
            }
            if region != Some(0) {
                next += len;
            }
            Block { region, start, len }
        };
        let classes = classes.iter().map(place).collect();
        regions[0].0 = next;
        let mut stream = seed.stream(Purpose::Layout, vm);
        let regions = regions.into_iter();
        let regions = regions.map(|(from, len)| Region { from, shuffle: Shuffle::of(len, || stream.bits()) });
        Self { classes, regions: regions.collect() }
    }

    /// The page that is number `index` of class `class`.
    #[inline]
    pub fn page(&self, class: usize, index: u64) -> u64 {
        let block = &self.classes[class];
        match block.region {
            None => block.start + index,
            Some(region) => {
                let region = &self.regions[region];
                region.from + region.shuffle.forward(block.start + index)
            }
        }
    }

    /// The class of `page`, and its index there.
    pub fn class_of(&self, page: u64) -> (usize, u64) {
        let within = |region: &&Region| page >= region.from && page - region.from < region.shuffle.n;
        let found = self.regions.iter().enumerate().find(|(_, region)| within(region));
        let (region, position) = match found {
            None => (None, page),
            Some((number, region)) => (Some(number), region.shuffle.backward(page - region.from)),
        };
        let holds = |b: &Block| b.region == region && position >= b.start && position - b.start < b.len;
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
    /// One that is drawn from these bits.
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
        let sizes = [
            (5, Layout::Shuffled),
            (17, Layout::Contiguous),
            (30, Layout::Mixed),
            (12, Layout::Mixed),
            (1, Layout::Shuffled),
            (3, Layout::Contiguous),
            (8, Layout::Mixed),
            (300, Layout::Shuffled),
        ];
        let classes: Vec<_> = sizes.into_iter().map(|(n, layout)| class(n, layout)).collect();
        let placement = Placement::new(&classes, 0, RunSeed { seed: 1, replication: 0 });
        let mut seen = [false; 376];
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
    fn mixed_classes_share_a_block_where_they_are() {
        let sizes = [(10, Layout::Contiguous), (50, Layout::Mixed), (50, Layout::Mixed), (10, Layout::Contiguous)];
        let classes: Vec<_> = sizes.into_iter().map(|(n, layout)| class(n, layout)).collect();
        let placement = Placement::new(&classes, 0, RunSeed { seed: 1, replication: 0 });
        let pages = |class: usize| (0..50).map(move |index| placement.page(class, index));
        let first: Vec<u64> = pages.clone()(1).collect();
        assert!(first.iter().all(|page| (10..110).contains(page)));
        let early = first.iter().filter(|page| **page < 60).count();
        assert!((15..35).contains(&early), "{early} of 50 in the first half: 25, σ = 2.5");
        assert_eq!(pages(3).next(), Some(110));
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
