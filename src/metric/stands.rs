//! Times in which no copy of the VM executed, and what each was for.

use crate::units::{SimTime, Span};
use crate::vocabulary::Host;
use crate::world::PauseCause;

/// All times without execution of one run.
#[derive(Debug, Default)]
pub(super) struct Stands {
    all: Vec<Stand>,
    struck: Vec<SimTime>,
    suspected: Vec<(Host, SimTime)>,
    /// The last restore: where, since when that node was entitled to it, and when the copy there ran.
    restore: Option<(Host, SimTime, Option<SimTime>)>,
}

/// One of them; the last may be open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand {
    pub begin: SimTime,
    pub again: Option<SimTime>,
    cause: Option<PauseCause>,
}

impl Stands {
    /// No copy executes from now on; `cause`: what it was stopped for, if it was.
    pub(super) fn stopped(&mut self, at: SimTime, cause: Option<PauseCause>) {
        self.all.push(Stand { begin: at, again: None, cause });
    }

    /// One does again; `host`: that there.
    pub(super) fn runs(&mut self, at: SimTime, host: Option<Host>) {
        if let Some((restored, _, runs @ None)) = &mut self.restore
            && Some(*restored) == host
        {
            *runs = Some(at);
        }
        if let Some(Stand { again: again @ None, .. }) = self.all.last_mut() {
            *again = Some(at);
        }
    }

    pub(super) fn struck(&mut self, at: SimTime) {
        self.struck.push(at);
    }

    pub(super) fn suspected(&mut self, by: Host, at: SimTime) {
        self.suspected.push((by, at));
    }

    pub(super) fn entitled(&mut self, host: Host, at: SimTime) {
        // A restore that is cut and begun anew is one.
        if self.restore.is_none_or(|(restored, _, runs)| restored != host || runs.is_some()) {
            self.restore = Some((host, at, None));
        }
    }

    /// Times without execution that began within `from` to `to`, whole: a switchover may end after R. Where a failure took over, what
    /// comes after it is outage. Answers all of it, and the part that checkpoints took.
    pub(super) fn downtime(&self, from: SimTime, to: SimTime, end: SimTime) -> (Span, Span) {
        let (mut sum, mut checkpoints) = (Span::ZERO, Span::ZERO);
        for stand in self.all.iter().filter(|stand| from <= stand.begin && stand.begin <= to) {
            let until = self.outage_of(stand).or(stand.again).unwrap_or(end);
            let stood = until.saturating_since(stand.begin);
            sum += stood;
            if stand.cause == Some(PauseCause::Checkpoint) {
                checkpoints += stood;
            }
        }
        (sum, checkpoints)
    }

    /// From when a time without execution is due to a failure: the fault in it, if the VM never ran again or did so after a node
    /// had suspected its peer. A switchover that the fault did not stop is not.
    fn outage_of(&self, stand: &Stand) -> Option<SimTime> {
        let within = |at: &SimTime| stand.begin <= *at && stand.again.is_none_or(|again| *at <= again);
        let struck = self.struck.iter().copied().find(within)?;
        let failed = stand.again.is_none() || self.suspected.iter().any(|(_, at)| struck <= *at && within(at));
        failed.then_some(struck)
    }

    /// The first outage that ended: from when to when.
    pub(super) fn outage(&self) -> Option<(SimTime, SimTime)> {
        self.all.iter().find_map(|stand| Some((self.outage_of(stand)?, stand.again?)))
    }

    /// The first fault.
    pub(super) fn first_fault(&self) -> Option<SimTime> {
        self.struck.first().copied()
    }

    /// The first suspicion from a fault on, by `by` or by anyone.
    pub(super) fn suspicion(&self, struck: SimTime, by: Option<Host>) -> Option<SimTime> {
        let mut after = self.suspected.iter().filter(|(_, at)| struck <= *at);
        after.find(|(host, _)| by.is_none_or(|by| by == *host)).map(|suspicion| suspicion.1)
    }

    /// The last restore: where, when that node was entitled to it, and when the copy there ran.
    pub(super) fn restore(&self) -> Option<(Host, SimTime, Option<SimTime>)> {
        self.restore
    }
}
