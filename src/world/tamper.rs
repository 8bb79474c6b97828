//! A world broken behind its own back, so that a test can see a checker notice.

use crate::model::disk::Disk;
use crate::model::memory::PageSet;
use crate::units::PageCount;
use crate::vocabulary::Host;

use super::World;

/// What a test can do to a world that no event does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tampering {
    /// The first page of the copy here is written once more than its guest did.
    WriteUnseen(Host),
    /// The books say that one page more was placed.
    LosePage,
    /// The network's books say that one message more was accepted.
    LosePacket,
    /// The source takes every page for unsent.
    SendAgain,
    /// The disk forgets all that was written to it.
    EraseDisk,
    /// Disk writes of the version that was claimed are gone.
    ForgetWrites,
}

impl World {
    /// Breaks the world behind its own back, so that a test can see a checker notice.
    pub(crate) fn tamper(&mut self, how: Tampering) {
        match how {
            Tampering::WriteUnseen(host) => {
                let copy = self.vm.slot(host).as_mut().expect("a copy to break");
                let branch = copy.branch;
                copy.memory.write(0, branch);
            }
            Tampering::LosePage => self.counted.placed += PageCount::new(1),
            Tampering::LosePacket => self.network.miscount(),
            Tampering::EraseDisk => self.disk = Disk::default(),
            Tampering::ForgetWrites => {
                let (_, writes) = self.journal.again.as_mut().expect("a version that was claimed");
                assert!(!std::mem::take(writes).is_empty(), "writes to forget");
            }
            Tampering::SendAgain => {
                let copy = self.vm.slot(Host::Source).as_mut().expect("a copy to break");
                copy.memory.send_all_but(&PageSet::empty(copy.memory.page_count().get()));
            }
        }
    }
}
