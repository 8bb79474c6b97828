//! What receiving pages costs a node, by what it holds already.

use crate::model::memory::Memory;
use crate::protocol::Batch;
use crate::units::{PageCount, Span};
use crate::vocabulary::Host;

use super::World;

impl World {
    /// Time to place a batch on `host`: pages with contents cost more where it has never held them, since its kernel must
    /// find memory for them; zeros are only compared.
    pub(super) fn cost_of_placing(&self, host: Host, batch: &Batch) -> Span {
        let platform = &self.scenario.platform;
        let Some(arrived) = self.batches.get(&batch.id) else { return Span::ZERO };
        if arrived.checkpoint {
            return platform.checkpoint.restore_page.saturating_mul(arrived.pages.count().get());
        }
        let held = self.vm.copy(host).map(|copy| &copy.memory);
        let absent = |page| held.is_none_or(|memory| !memory.content(page).is_present());
        let absent = PageCount::new(arrived.pages.iter().filter(|&(page, _)| absent(page)).count() as u64);
        // A page is sent as zeros only before its first write, so only once.
        let new = absent.saturating_sub(arrived.zero);
        let full = arrived.pages.count().saturating_sub(arrived.zero);
        let decompress = (platform.decompress_page.unwrap_or(Span::ZERO), arrived.compressed);
        let zeros = (platform.place_zero, arrived.zero);
        let costs = if held.is_some_and(Memory::takes_faults) {
            // Whatever still comes is missing.
            vec![decompress, zeros, (platform.place_missing, full)]
        } else {
            vec![decompress, zeros, (platform.place_page, full), (platform.first_touch, new)]
        };
        costs.into_iter().fold(Span::ZERO, |sum, (cost, pages)| sum.saturating_add(cost.saturating_mul(pages.get())))
    }
}
