//! One fact in words.
//!
//! One wording for the report, its JSON and the trace, so that a line found in one can be found in the others. Facts that come
//! by the thousand (pages, packets) have none: they are counted elsewhere.

use std::fmt::Write as _;

use crate::metric::fault_name;
use crate::protocol::{Report, Standing, Stored, Suspicion};
use crate::scenario::{Part, Scenario};
use crate::units::Ratio;
use crate::vocabulary::{Host, Phase};
use crate::world::{Fact, PauseCause, Resumption};

/// A fact as a line of text; `None` for those that are only counted.
pub fn describe(fact: &Fact, scenario: &Scenario) -> Option<String> {
    Some(match fact {
        Fact::Phase { phase: Phase::Copy, round, due } => format!("phase copy, round {round}: {due} due"),
        Fact::Phase { phase: Phase::PostCopy, due, .. } => format!("phase post-copy: {due} due"),
        Fact::Phase { phase, .. } => format!("phase {phase}"),
        Fact::Struck(index) => struck(*index, scenario),
        Fact::Healed(index) => format!("fault {} ends: {}", index + 1, fault_name(&scenario.faults[*index])),
        Fact::Restarted { host, part } => format!("{} starts again and knows nothing", part_of(*host, *part)),
        Fact::StoreRestarted(host) => format!("the store at {host} starts again, with what its medium has kept"),
        Fact::VersionLost { lost, newest } => {
            let left = newest.map_or("none".into(), |stored| version(Some(stored)));
            format!("version {} is lost on its medium; the newest that can be read is {left}", lost.0)
        }
        Fact::Resumed(resumption) => resumed(resumption),
        Fact::Paused { host, guest, cause } => {
            let what_for = match cause {
                PauseCause::Switchover => "",
                PauseCause::Checkpoint => " for a checkpoint",
                PauseCause::Lease => ", for its lease has run out",
                PauseCause::Hang => ", for it hangs",
            };
            format!("the VM stops at {host}{what_for}, at guest time {} s", guest.seconds())
        }
        Fact::Thawed { host } => format!("the VM runs on at {host}: its lease is renewed"),
        Fact::Round { host, version, phase } => format!("{host}: {phase} of version {}", version.0),
        Fact::Complete(stored) => format!("version {} is complete in the store", stored.version.0),
        Fact::Restoring { host } => format!("{host} begins to restore the VM"),
        Fact::Asked { by, newest } => {
            let complete = newest.map_or("no version".into(), |stored| version(Some(stored)));
            format!("the store is asked by {by} what to restore, and {complete} is complete")
        }
        Fact::Claimed { host, stored } => format!("{host} is to restore {}", version(*stored)),
        Fact::Entitled { host } => format!("{host} is entitled to restore"),
        Fact::Launched { host } => format!("a VMM has been started at {host} to load the file"),
        Fact::PoweredOff { host } => format!("{host} is powered off"),
        Fact::CopyGone { host, executed: true, .. } => format!("the copy at {host} is gone while it ran"),
        Fact::CopyGone { host, executed: false, .. } => format!("the copy at {host} is gone"),
        Fact::Throttled(Ratio::ZERO) => "the guest is no longer throttled".into(),
        Fact::Throttled(throttle) => format!("the guest is throttled by {throttle}"),
        Fact::Synced { pending } => format!("dirty log read: {pending} to send"),
        Fact::PagesLost { pages } => format!("{pages} lost on the way"),
        Fact::MigrationPaused { host } => format!("{host} gives the connection up and waits to be told to recover"),
        Fact::LastSent => "the source has written its last byte of memory and state".into(),
        Fact::LastPage => "L: the last page has arrived".into(),
        Fact::Relinquished => "R: the source gives up its right to resume".into(),
        Fact::Concluded => "C: the destination knows that the source has given up".into(),
        Fact::GaveUp => "the source gives the migration up".into(),
        Fact::RoundsEnded(end) => format!("the rounds end: {end}"),
        Fact::Suspected { by, why } => format!("{by} suspects {}: {}", peer(*by), because(*why)),
        Fact::Standing { host, standing: Standing::Ended(Report::Success) } => format!("{host}: ended in success"),
        Fact::Standing { host, standing: Standing::Ended(Report::Failure) } => format!("{host}: ended in failure"),
        Fact::Standing { host, standing } => format!("{host}: {standing}"),
        Fact::Reported { host, report: Report::Success } => format!("{host} says: the migration succeeded"),
        Fact::Reported { host, report: Report::Failure } => format!("{host} says: the migration failed"),
        Fact::Said { from, to, what, delivered: false, .. } => message(*from, *to, what),
        Fact::Said { from, to, what, delivered: true, .. } => format!("{} arrives", message(*from, *to, what)),
        Fact::StreamEnded { at, channel, how } => format!("{at} learns that the {channel} connection is over: {how}"),
        Fact::PagesSent { .. }
        | Fact::CheckpointSent { .. }
        | Fact::PagesArrived { .. }
        | Fact::Blocked { .. }
        | Fact::Unblocked { .. }
        | Fact::Output { .. }
        | Fact::DiskWrite { .. } => return None,
    })
}

/// A message in short.
pub(crate) fn message(from: Host, to: Host, what: &str) -> String {
    format!("{from} → {to}: \"{what}\"")
}

fn struck(index: usize, scenario: &Scenario) -> String {
    let fault = &scenario.faults[index];
    let lasts = fault.lasts.map_or(String::new(), |lasts| format!(" for {lasts}"));
    let again = fault.restarts_after.map_or(String::new(), |after| format!(", to start again after {after}"));
    format!("FAULT {}: {}{lasts}{again}", index + 1, fault_name(fault))
}

fn version(stored: Option<Stored>) -> String {
    stored.map_or("the base".into(), |stored| format!("version {}", stored.version.0))
}

fn resumed(resumption: &Resumption) -> String {
    let Resumption { host, branch, guest, forked, exact, .. } = resumption;
    let mut text = format!("the VM runs at {host}, from guest time {} s", guest.seconds());
    if *forked {
        let number = branch.index() + 1;
        write!(text, ", as execution {number}: another had run on from there").expect("a string takes it");
    }
    if !exact {
        text.push_str("; its memory is not what it was at the stop");
    }
    text
}

fn part_of(host: Host, part: Part) -> String {
    match part {
        Part::Host => host.to_string(),
        Part::Vmm => format!("the VMM at {host}"),
        Part::Agent => format!("the agent at {host}"),
    }
}

fn peer(host: Host) -> Host {
    match host {
        Host::Source => Host::Destination,
        Host::Destination | Host::Management | Host::Client | Host::Staging => Host::Source,
    }
}

fn because(why: Suspicion) -> &'static str {
    match why {
        Suspicion::Heartbeat => "its pings are not answered",
        Suspicion::TransportError => "the connection failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::scenario::FaultKind;
    use crate::units::{PageCount, Span};

    #[test]
    fn every_fact_that_is_not_counted_has_words() {
        let mut scenario = fixture::pre_copy();
        scenario.faults.push(fixture::fault(FaultKind::Silence, Span::from_s(1), Some(Span::from_ms(300))));
        let cases = [
            (Fact::Struck(0), "FAULT 1: silence for 300 ms"),
            (Fact::Healed(0), "fault 1 ends: silence"),
            (Fact::Phase { phase: Phase::Copy, round: 2, due: PageCount::new(7) }, "phase copy, round 2: 7 pages due"),
            (
                Fact::CopyGone { host: Host::Source, executed: true, guest: None },
                "the copy at source is gone while it ran",
            ),
            (
                Fact::Said { from: Host::Source, to: Host::Destination, number: 1, what: "go", delivered: false },
                "source → destination: \"go\"",
            ),
            (
                Fact::Suspected { by: Host::Destination, why: Suspicion::Heartbeat },
                "destination suspects source: its pings are not answered",
            ),
        ];
        for (fact, text) in cases {
            assert_eq!(describe(&fact, &scenario).as_deref(), Some(text));
        }
        assert_eq!(describe(&Fact::PagesArrived { pages: PageCount::new(1) }, &scenario), None);
    }
}
