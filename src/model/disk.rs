//! The disk that source and destination share: of each block, who wrote it last.
//!
//! As over NFS, both hosts see the same blocks, and nothing but their own restraint keeps them apart: the disk knows no
//! branches and no epochs, and whoever writes last wins. It has no latency, never fails, and cannot be cut off.

use std::collections::BTreeMap;
use std::fmt;

use super::memory::BranchId;
use crate::units::Span;

/// One write of one execution. The n-th write of a guest goes to the same block on every branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DiskWrite {
    /// Its number in the guest's life.
    pub number: u64,
    /// Where to.
    pub block: u64,
    /// Which execution did it.
    pub branch: BranchId,
    /// At which guest time.
    pub guest: Span,
}

/// What is on the disk. A block that is not here was never written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Disk(BTreeMap<u64, DiskWrite>);

/// A block that is not as it should be; `None`: never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskDifference {
    /// Which.
    pub block: u64,
    /// What is there.
    pub here: Option<DiskWrite>,
    /// What should be.
    pub should: Option<DiskWrite>,
}

impl Disk {
    /// Writes a block. Answers what had been there.
    pub fn write(&mut self, write: DiskWrite) -> Option<DiskWrite> {
        self.0.insert(write.block, write)
    }

    /// The last writes of all its blocks, in the order in which they were done.
    pub fn last_writes(&self) -> Vec<DiskWrite> {
        let mut writes: Vec<DiskWrite> = self.0.values().copied().collect();
        writes.sort_by_key(|write| write.number);
        writes
    }

    /// The first block in which it differs from what it should be.
    pub fn first_difference(&self, should: &Self) -> Option<DiskDifference> {
        let blocks = self.0.keys().chain(should.0.keys());
        let differs = |&&block: &&u64| self.0.get(&block) != should.0.get(&block);
        let block = *blocks.filter(differs).min()?;
        Some(DiskDifference { block, here: self.0.get(&block).copied(), should: should.0.get(&block).copied() })
    }
}

impl fmt::Display for DiskWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write {} of branch {}", self.number, self.branch.index())
    }
}

impl fmt::Display for DiskDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |write: Option<DiskWrite>| write.map_or("nothing".to_owned(), |write| write.to_string());
        write!(f, "block {} holds {}, and should hold {}", self.block, name(self.here), name(self.should))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(number: u64, block: u64) -> DiskWrite {
        DiskWrite { number, block, branch: BranchId::new(0), guest: Span::from_ns(number) }
    }

    #[test]
    fn a_difference_names_the_block_both_ways() {
        let (mut here, mut should) = (Disk::default(), Disk::default());
        assert_eq!(here.write(write(0, 7)), None);
        assert_eq!(here.write(write(1, 7)), Some(write(0, 7)));
        should.write(write(0, 7));
        should.write(write(2, 9));
        let first = here.first_difference(&should).expect("they differ");
        assert_eq!(first.to_string(), "block 7 holds write 1 of branch 0, and should hold write 0 of branch 0");
        should.write(write(1, 7));
        let next = here.first_difference(&should).expect("they differ still");
        assert_eq!(next.to_string(), "block 9 holds nothing, and should hold write 2 of branch 0");
        here.write(write(2, 9));
        assert_eq!(here.first_difference(&should), None);
    }

    proptest! {
        /// Whatever part of the writes had reached the disk, and wherever a first try ended.
        #[test]
        fn writing_again_is_harmless(blocks in prop::collection::vec(0u64..8, 0..40), reached in 0usize..40, cut in 0usize..40) {
            let mut whole = Disk::default();
            for (&block, number) in blocks.iter().zip(0..) {
                whole.write(write(number, block));
            }
            let mut disk = Disk::default();
            for (&block, number) in blocks.iter().zip(0..).take(reached) {
                disk.write(write(number, block));
            }
            let again = whole.last_writes();
            for &last in again.iter().take(cut).chain(&again) {
                disk.write(last);
            }
            prop_assert_eq!(disk, whole);
        }
    }
}
