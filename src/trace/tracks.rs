//! What follows one another or nests on one track: phases and rounds, executions of the guest, standings; and
//! instants.

use std::collections::BTreeMap;

use super::event::{Event, FAULTS, MILESTONES, PHASES, ROUNDS, Shape, Track, guest_at, news_of, standing_of};
use crate::engine::log::Entry;
use crate::metric::Round;
use crate::report::describe;
use crate::report::tree::Json;
use crate::run::RunResult;
use crate::scenario::{Fault, Scenario};
use crate::units::{PageCount, SimTime, Span};
use crate::vocabulary::{Host, Phase};
use crate::world::Fact;

pub(super) fn events(result: &RunResult, scenario: &Scenario) -> Vec<Event> {
    let mut events = phases(result);
    events.extend(executions(result));
    events.extend(standings(result, scenario));
    events.extend(result.log.entries().iter().filter_map(|entry| instant(entry, scenario)));
    for violation in &result.violations {
        let name = format!("VIOLATED {}", violation.invariant);
        let args = vec![("what", Json::text(&violation.what))];
        let (at, shape) = (violation.at, Shape::Instant(true));
        events.push(Event { at, shape, track: MILESTONES, category: "violation", name, args });
    }
    events
}

fn complete(from: SimTime, to: SimTime, track: Track, category: &'static str, name: String) -> Event {
    Event { at: from, shape: Shape::Complete(to - from), track, category, name, args: Vec::new() }
}

/// Phases, and beside `copy` the rounds.
fn phases(result: &RunResult) -> Vec<Event> {
    let starts: Vec<(SimTime, Phase, u64)> = result.log.entries().iter().filter_map(phase_start).collect();
    let end = result.finished.at;
    let mut events = Vec::new();
    let mut before = Phase::Idle;
    for (index, &(at, phase, round)) in starts.iter().enumerate() {
        let next = starts.get(index + 1).map_or(end, |next| next.0);
        if phase == Phase::Copy && before != Phase::Copy {
            let left = starts[index..].iter().find(|start| start.1 != Phase::Copy).map_or(end, |start| start.0);
            events.push(complete(at, left, PHASES, "phase", phase.to_string()));
        }
        before = phase;
        let (track, name) = match phase {
            Phase::Idle | Phase::Done => continue,
            Phase::Copy => (ROUNDS, format!("round {round}")),
            Phase::Setup
            | Phase::Stop
            | Phase::Handover
            | Phase::PostCopy
            | Phase::Paused
            | Phase::Recovery
            | Phase::Stage1
            | Phase::Stage2
            | Phase::Transfer
            | Phase::Commit
            | Phase::Ending => (PHASES, phase.to_string()),
        };
        let mut event = complete(at, next, track, "phase", name);
        event.args = result.rounds.rounds().iter().find(|r| is_of(r, at, phase, round)).map_or(Vec::new(), round_args);
        events.push(event);
    }
    events
}

fn phase_start(entry: &Entry) -> Option<(SimTime, Phase, u64)> {
    match entry.fact {
        Fact::Phase { phase, round, .. } => Some((entry.at, phase, round)),
        _ => None,
    }
}

fn is_of(row: &Round, at: SimTime, phase: Phase, round: u64) -> bool {
    let number = match phase {
        Phase::Copy => Some(round),
        Phase::Stop => None,
        _ => return false,
    };
    row.from == at && row.number == number
}

fn round_args(round: &Round) -> Vec<(&'static str, Json)> {
    let pages = |pages: PageCount| Json::whole(pages.get());
    let mut args = vec![
        ("due_pages", pages(round.due)),
        ("sent_pages", pages(round.pages)),
        ("zero_pages", pages(round.zero)),
        ("sent_bytes", Json::whole(round.bytes.get())),
    ];
    args.extend(round.number.map(|number| ("round", Json::whole(number))));
    args.extend(round.dirtied.map(|dirtied| ("dirtied_pages", pages(dirtied))));
    args
}

/// The guest's executions on each host.
fn executions(result: &RunResult) -> Vec<Event> {
    let mut running = BTreeMap::<Host, (SimTime, usize, Span)>::new();
    let mut events = Vec::new();
    let mut over = |host, begun: Option<(SimTime, usize, Span)>, at, guest: Option<Span>| {
        let Some((from, branch, guest_from)) = begun else { return };
        let mut event = complete(from, at, guest_at(host), "guest", format!("execution {}", branch + 1));
        event.args = vec![
            ("branch", Json::whole(branch as u64)),
            ("guest_from_s", Json::seconds(guest_from)),
            ("guest_to_s", guest.map_or(Json::Null, Json::seconds)),
        ];
        events.push(event);
    };
    for entry in result.log.entries() {
        match &entry.fact {
            Fact::Resumed(resumption) => {
                running.insert(resumption.host, (entry.at, resumption.branch.index(), resumption.guest));
            }
            Fact::Paused { host, guest, .. } => over(*host, running.remove(host), entry.at, Some(*guest)),
            Fact::CopyGone { host, guest, .. } => over(*host, running.remove(host), entry.at, *guest),
            _ => {}
        }
    }
    for (host, begun) in running {
        over(host, Some(begun), result.finished.at, None);
    }
    events
}

/// Where each node stands, until it stands elsewhere or dies.
fn standings(result: &RunResult, scenario: &Scenario) -> Vec<Event> {
    let mut open = BTreeMap::<Host, (SimTime, String)>::new();
    let mut events = Vec::new();
    let mut over = |host, stood: Option<(SimTime, String)>, at| {
        events.extend(stood.map(|(from, name)| complete(from, at, standing_of(host), "standing", name)));
    };
    for entry in result.log.entries() {
        match &entry.fact {
            Fact::Standing { host, standing } => {
                let stood = open.insert(*host, (entry.at, standing.to_string()));
                over(*host, stood, entry.at);
            }
            Fact::Struck(index) => {
                for host in scenario.faults[*index].what.kills() {
                    over(host, open.remove(&host), entry.at);
                }
            }
            _ => {}
        }
    }
    for (host, stood) in open {
        over(host, Some(stood), result.finished.at);
    }
    events
}

/// What takes no time. Faults that last are pairs, not instants.
fn instant(entry: &Entry, scenario: &Scenario) -> Option<Event> {
    let (track, category) = match entry.fact {
        Fact::LastPage
        | Fact::LastSent
        | Fact::Relinquished
        | Fact::Concluded
        | Fact::RoundsEnded(_)
        | Fact::GaveUp
        | Fact::Throttled(_) => (MILESTONES, "milestone"),
        Fact::StreamEnded { at, .. } => (news_of(at), "connection"),
        Fact::Suspected { by, .. } => (news_of(by), "suspicion"),
        Fact::Reported { host, .. } => (news_of(host), "report"),
        Fact::Struck(index) if !lasts(&scenario.faults[index]) => (FAULTS, "fault"),
        Fact::Restarted { host, .. } | Fact::StoreRestarted(host) => (news_of(host), "fault"),
        _ => return None,
    };
    let shape = Shape::Instant(track == FAULTS);
    Some(Event { at: entry.at, shape, track, category, name: describe(&entry.fact, scenario)?, args: Vec::new() })
}

/// Whether a fault is a state and not a blow.
pub(super) fn lasts(fault: &Fault) -> bool {
    fault.what.can_end() || fault.restarts_after.is_some()
}
