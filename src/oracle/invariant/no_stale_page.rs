//! `no-stale-page`: while a copy executes, each resident page holds the last write of that copy's own history.
//!
//! Why: a page missed by the dirty log is silent corruption, and "completed" does not mean "intact". Checked where a copy
//! begins to execute, against what memory was when its state was saved; and at the end, where every copy's hash is computed
//! afresh and, in guests of up to [`REPLAY_PAGES_MAX`] pages, the executing copy is compared page by page with the
//! guest's whole life lived again without any migration.

use super::{Check, Fact, Invariant, SimTime, World};
use crate::engine::Finished;
use crate::units::PageCount;

/// Pages of the largest guest whose life is lived again at the end (4 GiB of 4 KiB pages): it costs the run's
/// writes once more.
const REPLAY_PAGES_MAX: PageCount = PageCount::new(1 << 20);

pub(super) struct NoStalePage;

impl Check for NoStalePage {
    fn invariant(&self) -> Invariant {
        Invariant::NoStalePage
    }

    fn fact(&mut self, _: SimTime, fact: &Fact, _: &World) -> Option<String> {
        let Fact::Resumed(resumption) = fact else { return None };
        (!resumption.exact).then(|| format!("the memory on {} is not what the VM left at its stop", resumption.host))
    }

    fn end(&mut self, _: Finished, world: &World) -> Option<String> {
        for (host, copy) in world.vm().copies() {
            if copy.memory.hash() != copy.memory.recomputed_hash() {
                return Some(format!("the memory on {host} is not what its writes add up to"));
            }
            if copy.executes() && copy.memory.page_count() <= REPLAY_PAGES_MAX {
                let relived = world.relive(copy);
                if let Some((page, should, here)) = relived.first_stale(&copy.memory) {
                    return Some(format!("page {page} on {host} holds {here:?}, and should hold {should:?}"));
                }
            }
        }
        None
    }
}
