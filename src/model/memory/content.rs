//! What a page holds, packed in one word, and a hash of a whole memory that costs O(1) per write.
//!
//! A page's content is identified by (branch, version): which execution wrote it last, and how often the page
//! had been written by then. Equal words mean equal contents; 0 means that the page is not there.
//!
//! The memory's hash is H = Σ h(page, word) mod 2⁶⁴ over the resident pages, with h a keyed full-avalanche mix. Two
//! memories with different H differ for certain; equal H is evidence: for two memories that differ, the
//! probability of equal H is 2⁻⁶⁴ if h behaves as a random function.

/// Identity of one page's content. Branch in the upper bits, version below; 0 is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Content(u32);

/// A path of execution: 0 is the VM's first; each restore or second resume opens another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BranchId(u8);

const VERSION_BITS: u32 = 26;
const VERSION_MASK: u32 = (1 << VERSION_BITS) - 1;

impl BranchId {
    /// Most branches that a run can have; a run that would open more ends there and says so.
    pub const LIMIT: usize = 1 << (32 - VERSION_BITS);

    /// The n-th branch.
    pub fn new(n: usize) -> Self {
        assert!(n < Self::LIMIT, "branch {n} is past the limit of {}", Self::LIMIT);
        Self(u8::try_from(n).expect("the limit fits in 8 bits"))
    }
    /// Its number.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Content {
    /// Not there.
    pub const ABSENT: Self = Self(0);
    /// As the VM was given it, before its first write.
    pub const INITIAL: Self = Self(1);
    /// Most writes of one page that can be told apart; see [`Content::written`].
    pub const VERSIONS: u32 = VERSION_MASK;

    /// Whether the page is there.
    pub fn is_present(self) -> bool {
        self.0 != 0
    }

    /// What it holds after a write by `branch`. After [`Self::VERSIONS`] writes of one page the count starts anew
    /// at 2: contents a multiple of 2²⁶ − 2 writes apart are then taken for equal.
    #[inline]
    pub fn written(self, branch: BranchId) -> Self {
        let version = self.0 & VERSION_MASK;
        let next = if version == VERSION_MASK { 2 } else { version + 1 };
        Self(u32::from(branch.0) << VERSION_BITS | next)
    }

    /// Writes between an older content of the same page and this one.
    pub fn writes_since(self, older: Self) -> u32 {
        let (now, then) = (self.version(), older.version());
        if now >= then { now - then } else { VERSION_MASK - 1 - then + now }
    }

    /// Writes seen so far.
    pub fn version(self) -> u32 {
        self.0 & VERSION_MASK
    }
}

/// H of a set of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MemoryHash(u64);

impl MemoryHash {
    /// Page `page` changes from `old` to `new`.
    #[inline]
    pub fn replace(&mut self, page: u64, old: Content, new: Content) {
        self.0 = self.0.wrapping_sub(mix(page, old)).wrapping_add(mix(page, new));
    }
    /// With another's changes.
    #[must_use]
    pub fn plus(self, changes: Self) -> Self {
        Self(self.0.wrapping_add(changes.0))
    }
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// Keyed full-avalanche mix of (page, content); an absent page counts nothing. Finaliser: Stafford's variant 13
/// of `MurmurHash3` (as in `SplitMix64`, Steele et al., OOPSLA 2014).
#[inline]
fn mix(page: u64, content: Content) -> u64 {
    const KEY: u64 = 0x9e37_79b9_7f4a_7c15;
    if !content.is_present() {
        return 0;
    }
    let mut z = (page << 32 | u64::from(content.0)) ^ KEY;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_contents_not_on_the_way_there() {
        let branch = BranchId::new(0);
        let (a, b) = (Content::INITIAL, Content::INITIAL.written(branch));
        let mut one = MemoryHash::default();
        one.replace(7, Content::ABSENT, a);
        one.replace(9, Content::ABSENT, a);
        one.replace(7, a, b);
        let mut other = MemoryHash::default();
        other.replace(9, Content::ABSENT, a);
        other.replace(7, Content::ABSENT, b);
        assert_eq!(one, other);
        other.replace(9, a, a.written(BranchId::new(1)));
        assert_ne!(one, other);
    }

    #[test]
    fn versions_wrap_past_the_initial_one() {
        let mut content = Content::INITIAL;
        for _ in 0..VERSION_MASK {
            content = content.written(BranchId::new(3));
        }
        assert_eq!(content.version(), 2);
        assert!(content.is_present());
        assert_eq!(content.writes_since(Content(VERSION_MASK - 4)), 5);
        assert_eq!(content.written(BranchId::new(3)).writes_since(content), 1);
    }
}
