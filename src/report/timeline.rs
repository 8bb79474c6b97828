//! The timeline of a run as lines: what a reader wants, in an order that reads as cause and effect.
//!
//! The log has what happened as the world said it. Here a message is one line that knows when it arrived, and a
//! violation stands where it showed. Nothing is left out for brevity: the
//! human report does that.

use std::collections::BTreeMap;

use super::describe::{describe, message};
use crate::engine::Stop;
use crate::engine::log::Entry;
use crate::run::RunResult;
use crate::scenario::Scenario;
use crate::units::{PageCount, Ratio, SimTime};
use crate::world::Fact;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A phase or round begins.
    Phase,
    /// A fault strikes or ends.
    Fault,
    /// The VM runs, stops, or a copy is gone.
    Guest,
    /// The guest's throttle changes.
    Throttle,
    /// The dirty log is read.
    Sync,
    /// Pages are lost.
    Loss,
    /// L, R, C, the end of the rounds, the source's giving up.
    Milestone,
    /// A node suspects its peer.
    Suspicion,
    /// A node stands elsewhere.
    Standing,
    /// A node says how it ended.
    Report,
    /// A protocol message.
    Message,
    /// A connection ends.
    Connection,
    /// A checkpoint comes further.
    Checkpoint,
    /// A restore comes further.
    Restore,
    /// An invariant breaks.
    Violation,
    /// The run ends.
    End,
}

impl Kind {
    /// For machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phase => "phase",
            Self::Fault => "fault",
            Self::Guest => "guest",
            Self::Throttle => "throttle",
            Self::Sync => "sync",
            Self::Loss => "loss",
            Self::Milestone => "milestone",
            Self::Suspicion => "suspicion",
            Self::Standing => "standing",
            Self::Report => "report",
            Self::Message => "message",
            Self::Connection => "connection",
            Self::Checkpoint => "checkpoint",
            Self::Restore => "restore",
            Self::Violation => "violation",
            Self::End => "end",
        }
    }

    fn of(fact: &Fact) -> Self {
        match fact {
            Fact::Phase { .. } => Self::Phase,
            Fact::Struck(_)
            | Fact::Healed(_)
            | Fact::Restarted { .. }
            | Fact::StoreRestarted(_)
            | Fact::VersionLost { .. } => Self::Fault,
            Fact::Resumed(_)
            | Fact::Paused { .. }
            | Fact::CopyGone { .. }
            | Fact::Blocked { .. }
            | Fact::Unblocked { .. }
            | Fact::Thawed { .. }
            | Fact::Output { .. }
            | Fact::DiskWrite { .. } => Self::Guest,
            Fact::Round { .. } | Fact::CheckpointSent { .. } | Fact::Complete(_) => Self::Checkpoint,
            Fact::Restoring { .. }
            | Fact::Asked { .. }
            | Fact::Claimed { .. }
            | Fact::Entitled { .. }
            | Fact::Launched { .. }
            | Fact::PoweredOff { .. } => Self::Restore,
            Fact::Throttled(_) => Self::Throttle,
            Fact::Synced { .. } | Fact::PagesSent { .. } | Fact::PagesArrived { .. } => Self::Sync,
            Fact::PagesLost { .. } => Self::Loss,
            Fact::MigrationPaused { .. }
            | Fact::LastPage
            | Fact::LastSent
            | Fact::Relinquished
            | Fact::Concluded
            | Fact::GaveUp
            | Fact::RoundsEnded(_) => Self::Milestone,
            Fact::Suspected { .. } => Self::Suspicion,
            Fact::Standing { .. } => Self::Standing,
            Fact::Reported { .. } => Self::Report,
            Fact::Said { .. } => Self::Message,
            Fact::StreamEnded { .. } => Self::Connection,
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: SimTime,
    /// About what.
    pub kind: Kind,
    /// In words.
    pub what: String,
    /// When a message arrived; `None` for one that never did, and for other lines.
    pub arrived: Option<SimTime>,
}

/// For each entry that is a message being written, when it arrived.
pub fn deliveries(entries: &[Entry]) -> Vec<Option<SimTime>> {
    let mut arrivals = vec![None; entries.len()];
    let mut written = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        match entry.fact {
            Fact::Said { number, delivered: false, .. } => {
                written.insert(number, index);
            }
            Fact::Said { number, delivered: true, .. } => {
                if let Some(index) = written.remove(&number) {
                    arrivals[index] = Some(entry.at);
                }
            }
            _ => {}
        }
    }
    arrivals
}

/// All lines of a run, in order.
pub fn timeline(result: &RunResult, scenario: &Scenario) -> Vec<Line> {
    let entries = result.log.entries();
    let mut lines: Vec<Line> = Vec::with_capacity(entries.len());
    let (mut losses, mut throttle) = (PageCount::ZERO, Ratio::ZERO);
    for (entry, arrived) in entries.iter().zip(deliveries(entries)) {
        let (at, kind) = (entry.at, Kind::of(&entry.fact));
        let what = match &entry.fact {
            Fact::Said { delivered: true, .. } => continue,
            Fact::Said { from, to, what, .. } => message(*from, *to, what),
            Fact::PagesLost { pages } => {
                let more = lines.last().is_some_and(|last| last.kind == Kind::Loss && last.at == at);
                losses = if more { losses + *pages } else { *pages };
                if more {
                    lines.pop();
                }
                format!("{losses} lost on the way")
            }
            // A source that gives up lifts a throttle that there may never have been.
            Fact::Throttled(now) if std::mem::replace(&mut throttle, *now) == *now => continue,
            fact => match describe(fact, scenario) {
                Some(what) => what,
                None => continue,
            },
        };
        lines.push(Line { at, kind, what, arrived });
    }
    for violation in &result.violations {
        let what = format!("VIOLATED {}: {}", violation.invariant, violation.what);
        let place = lines.partition_point(|line| line.at <= violation.at);
        lines.insert(place, Line { at: violation.at, kind: Kind::Violation, what, arrived: None });
    }
    let what = match result.finished.stop {
        Stop::Settled => "the run ends: nothing but the guest's own life is left",
        Stop::Horizon => "the run ends: the horizon is reached",
        Stop::EventLimit => "the run ends: too many events",
    };
    lines.push(Line { at: result.finished.at, kind: Kind::End, what: what.into(), arrived: None });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::scenario::FaultKind;
    use crate::units::Span;
    use crate::vocabulary::Host;

    #[test]
    fn messages_are_matched_by_number() {
        let said = |at, number, delivered| {
            let fact = Fact::Said { from: Host::Source, to: Host::Destination, number, what: "ask", delivered };
            Entry { at: SimTime::from_ns(at), fact }
        };
        let log = [said(1, 7, false), said(2, 8, false), said(3, 9, false), said(4, 8, true), said(5, 7, true)];
        let at = |ns| Some(SimTime::from_ns(ns));
        assert_eq!(deliveries(&log), [at(5), at(4), None, None, None]);
    }

    #[test]
    fn a_fault_comes_before_what_it_did() {
        let crash = fixture::fault(FaultKind::Crash(Host::Source), Span::from_ms(1100), None);
        let (scenario, result) = fixture::run_with(vec![crash]);
        let lines = timeline(&result, &scenario);
        let place = |part: &str| lines.iter().position(|line| line.what.contains(part)).expect(part);
        assert!(place("FAULT 1: crash(source)") < place("the copy at source is gone while it ran"));
        assert!(lines.is_sorted_by_key(|line| line.at));
        assert_eq!(lines.last().map(|line| line.kind), Some(Kind::End));
    }
}
