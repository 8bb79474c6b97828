//! The tree of executions: what belongs to the newest history.

use crate::model::memory::BranchId;
use crate::units::Span;
use crate::world::World;

/// Up to which guest time the outputs of `branch` belong to the history that ends in `newest`. `None`: none do; the longest
/// span there is: all do.
pub(super) fn belongs_until(world: &World, branch: BranchId, newest: BranchId) -> Option<Span> {
    let mut here = newest;
    let mut until = Span::from_ns(u64::MAX);
    while here != branch {
        let (parent, fork) = world.vm().branches()[here.index()].fork?;
        (here, until) = (parent, fork);
    }
    Some(until)
}

/// The branch opened last. One that nothing has left of is not counted while its output is held: it is doomed, and as if it were not.
pub(super) fn newest(world: &World) -> BranchId {
    let spoken = world.vm().branches().iter().rposition(|branch| !branch.silent);
    BranchId::new(spoken.unwrap_or_default())
}
