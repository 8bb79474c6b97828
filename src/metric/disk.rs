//! What became of disk writes, counted for the record.

use std::collections::BTreeSet;

use crate::model::disk::DiskWrite;
use crate::model::memory::BranchId;
use crate::scenario::Scenario;
use crate::world::DiskStage;

use super::columns::Record;

/// Disk writes of one run.
#[derive(Debug, Default)]
pub(super) struct DiskWrites {
    released: u64,
    /// Those that are held.
    waiting: BTreeSet<(BranchId, u64)>,
    /// Those that were held by a copy that is gone, and have not been done by a restore.
    lost: BTreeSet<(BranchId, u64)>,
}

impl DiskWrites {
    pub(super) fn moved(&mut self, write: DiskWrite, stage: DiskStage) {
        let key = (write.branch, write.number);
        match stage {
            DiskStage::Issued => {
                self.waiting.insert(key);
            }
            DiskStage::Written { .. } | DiskStage::Again => {
                self.released += u64::from(self.waiting.remove(&key) || self.lost.remove(&key));
            }
            DiskStage::Lost => {
                if self.waiting.remove(&key) {
                    self.lost.insert(key);
                }
            }
        }
    }

    pub(super) fn finish(&self, scenario: &Scenario, record: &mut Record) {
        if scenario.vms[0].disk.is_some() {
            record.disk_writes_released = Some(self.released);
            record.disk_writes_discarded = Some(self.lost.len() as u64);
        }
    }
}
