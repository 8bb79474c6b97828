//! Where a source stands.

use std::collections::VecDeque;

use super::Pacer;
use super::push::Pushing;
use super::{Awaited, Limit, PageCount, Report, Rounds, Standing, StateId};
use crate::protocol::FaultId;
use crate::protocol::recovery::Recovery;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum State {
    Idle,
    /// Waiting for the set-up time.
    Setup,
    /// The VM runs; rounds.
    Copying {
        rounds: Rounds,
        awaiting_window: bool,
    },
    /// The VM is being stopped.
    Stopping {
        limit: Limit,
        /// Whether the VM is moved next, and the rest follows.
        switch: bool,
    },
    /// The VM stands; it is being found out which pages at the destination are out of date.
    Switching {
        state: StateId,
    },
    /// The VM runs, or may run, at the destination, and pages follow it.
    Pushing(Pushing),
    /// The connection was given up while pages were to follow. `heard`: the VM is known to run at the destination.
    Paused {
        heard: bool,
        asking: bool,
    },
    /// Connected again; waits to hear which pages are there.
    Resyncing {
        heard: bool,
        /// Asked for meanwhile.
        requests: VecDeque<FaultId>,
    },
    /// The VM stands; the rest is sent.
    Draining {
        pacer: Pacer,
        state: StateId,
        pending: PageCount,
    },
    /// CPU and devices are sent; the destination may have everything.
    HandingOver(Handing),
    /// "Go" is sent: this copy never runs again.
    Relinquished(Handing),
    /// The VM runs here and stays; checkpoints are made of it.
    Protecting,
    /// The VM is being restored here; whether it is known to have run at the destination.
    Restoring(Recovery, bool),
    /// Its part is done.
    Ended(Report),
}

/// What the source does while it does not know whether the destination runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Handing {
    /// Believes it alive and waits.
    Waiting,
    /// Suspects it and waits for ever.
    Blocked,
    /// Suspects it and asks.
    Asking,
}

impl State {
    /// Whether the destination cannot have everything yet.
    pub fn can_be_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Setup | Self::Copying { .. } | Self::Stopping { .. } | Self::Switching { .. } | Self::Draining { .. }
        )
    }

    /// For the log, and for telling waiting from working; `awaited` is what a handover waits for.
    pub(super) fn standing(&self, awaited: Awaited) -> Standing {
        match self {
            State::Idle => Standing::Idle,
            State::Setup => Standing::Working("setup"),
            State::Copying { .. } => Standing::Working("copying"),
            State::Stopping { .. } => Standing::Working("stopping"),
            State::Draining { .. } => Standing::Working("last copy"),
            State::Switching { .. } => Standing::Working("switching over"),
            State::Pushing(pushing) if pushing.is_done() => Standing::Waiting(Awaited::Complete),
            State::Pushing(_) => Standing::Working("pushing"),
            State::Paused { asking: false, .. } => Standing::BlockedOn(Awaited::Recovery),
            State::Resyncing { .. } => Standing::Working("recovering"),
            State::HandingOver(Handing::Waiting) => Standing::Waiting(awaited),
            State::HandingOver(Handing::Blocked) => Standing::BlockedOn(awaited),
            State::HandingOver(Handing::Asking) => Standing::Asking(awaited),
            State::Relinquished(Handing::Waiting) => Standing::Waiting(Awaited::Started),
            State::Relinquished(Handing::Blocked) => Standing::BlockedOn(Awaited::Started),
            State::Paused { asking: true, .. } | State::Relinquished(Handing::Asking) => {
                Standing::Asking(Awaited::Started)
            }
            State::Protecting => Standing::Working("protecting"),
            State::Restoring(recovery, _) => recovery.standing(),
            State::Ended(report) => Standing::Ended(*report),
        }
    }
}
