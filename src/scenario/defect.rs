//! Which agent a planted defect is in, and where it would change nothing.

use super::policy::{Buffer, Checkpoint, Fencing, Migration, Policy, Stages, Trigger};
use crate::vocabulary::{Defect, Host};

/// The agent that has a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// The source's.
    Source,
    /// The destination's.
    Destination,
    /// The store's.
    Store,
}

/// The agent that has this defect under this policy; `None`: none is planted.
///
/// # Errors
/// What the policy lacks, where the defect would change nothing.
pub fn bearer(defect: Defect, policy: &Policy) -> Result<Option<Bearer>, &'static str> {
    let checkpoint = || policy.checkpoint.as_ref().ok_or("there are no checkpoints");
    let protected = |checkpoint: &Checkpoint| if checkpoint.reverse() { Bearer::Destination } else { Bearer::Source };
    let needs = |has: bool, lacking| if has { Ok(()) } else { Err(lacking) };
    let bearer = match defect {
        Defect::None => return Ok(None),
        Defect::ReleaseEarly => {
            needs(checkpoint()?.buffer != Buffer::None, "no output is held")?;
            protected(checkpoint()?)
        }
        Defect::SkipStageTwo => {
            needs(checkpoint()?.stages == Stages::Two, "checkpoints have one stage")?;
            protected(checkpoint()?)
        }
        Defect::ForgetTimer => {
            needs(matches!(checkpoint()?.trigger, Trigger::Periodic { .. }), "checkpoints have no timer")?;
            protected(checkpoint()?)
        }
        Defect::MixedState => restoring(checkpoint()?),
        Defect::RestoreUnfenced => {
            let bearer = restoring(checkpoint()?);
            needs(policy.fencing != Fencing::None, "nothing is fenced")?;
            bearer
        }
        Defect::FreeEarly => {
            needs(policy.migration.post_copy().is_some(), "no pages follow the VM")?;
            Bearer::Source
        }
        Defect::LoseDirty => {
            let rounds = matches!(policy.migration, Migration::PreCopy(_));
            needs(rounds, "only a `pre-copy` ends by reading the log")?;
            Bearer::Source
        }
        Defect::StaleList => {
            needs(policy.migration.post_copy().is_some(), "no pages follow the VM")?;
            Bearer::Destination
        }
        Defect::OfferOlder => {
            needs(checkpoint()?.holds(), "no output is held, so nothing is promised")?;
            Bearer::Store
        }
        Defect::LeaseFromReceipt | Defect::LeaseTimerOnly => {
            needs(matches!(policy.fencing, Fencing::Lease(_)), "there is no lease")?;
            protected(checkpoint()?)
        }
        Defect::RestoreFirst => {
            needs(checkpoint()?.reverse(), "the base is in the store like any version")?;
            restoring(checkpoint()?)
        }
        Defect::ClearAfterSend => {
            needs(checkpoint()?.stages == Stages::Two, "checkpoints are copied while the VM stands")?;
            protected(checkpoint()?)
        }
        Defect::DmaDuringPause => protected(checkpoint()?),
        Defect::DropWrite => {
            needs(checkpoint()?.holds_disk(), "no disk writes are held")?;
            protected(checkpoint()?)
        }
        Defect::MixBranches
        | Defect::SwapVersions
        | Defect::StaleClaim
        | Defect::CommitTorn
        | Defect::AckEarly
        | Defect::AcceptLate => {
            checkpoint()?;
            Bearer::Store
        }
    };
    Ok(Some(bearer))
}

fn restoring(checkpoint: &Checkpoint) -> Bearer {
    if checkpoint.restore_at == Host::Source { Bearer::Source } else { Bearer::Destination }
}
