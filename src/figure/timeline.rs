//! One run as lanes: phases of the migration, executions of the VM on each host, checkpoints, what reaches clients, and what goes wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use plotters::prelude::{BLACK, RGBColor, WHITE};

use super::draw::Frame;
use super::gather::empty;
use super::marks::{HAIR, LINE, Look, Px, SMALL, Words, boxed, line, width_of, words};
use super::point::{Point, X, outside};
use crate::engine::{Observer, TieRule};
use crate::metric::fault_name;
use crate::rng::RunSeed;
use crate::run::simulate_with;
use crate::scenario::Scenario;
use crate::scenario::published::ParameterKind;
use crate::units::{SimTime, Span};
use crate::vocabulary::{Host, Phase};
use crate::world::{Event, Fact, OutputStage, PauseCause, World};

/// The lanes from top to bottom.
pub(super) const LANES: [&str; 6] =
    ["phase", "VM at the source", "VM at the destination", "checkpoints", "packets at the client", "what happens"];

/// What happens in the run of a scenario, between two times.
pub(super) fn points(scenario: &Arc<Scenario>, from: Span, to: Option<Span>) -> Vec<Point> {
    let mut seen = Seen::default();
    let run = RunSeed { seed: scenario.seed, replication: 0 };
    let result = simulate_with(scenario, run, TieRule::default(), &mut [&mut seen]);
    let end = to.map_or(result.finished.at, |to| result.finished.at.min(SimTime::ZERO + to));
    let begin = SimTime::ZERO + from;
    let mut lanes = phases(&seen, result.finished.at);
    lanes.extend(executions(&seen, result.finished.at));
    lanes.extend(instants(&seen, scenario));
    let seconds = |at: SimTime| outside(ParameterKind::Time, at.since_start().ns()).0;
    let within = |lane: Lane| {
        let (start, stop) = (lane.from.max(begin), lane.to.unwrap_or(lane.from).min(end));
        let seen = lane.from <= end && lane.to.unwrap_or(lane.from) >= begin;
        seen.then(|| Point {
            label: lane.label,
            range: lane.to.map(|_| (seconds(start), seconds(stop))),
            ..empty(lane.name, X::At(seconds(start), "s".into()), "s")
        })
    };
    let mut points: Vec<Point> = lanes.into_iter().filter_map(within).collect();
    let lane = |point: &Point| LANES.iter().position(|lane| *lane == point.series);
    points.sort_by_key(lane);
    points
}

/// Facts that are drawn, in order; the log of a run leaves out what is many times alike.
#[derive(Default)]
struct Seen(Vec<(SimTime, Fact)>);

impl Observer for Seen {
    fn fact(&mut self, at: SimTime, fact: &Fact, _: &World) {
        let is_drawn = matches!(
            fact,
            Fact::Phase { .. }
                | Fact::Resumed(_)
                | Fact::Paused { .. }
                | Fact::CopyGone { .. }
                | Fact::Complete(_)
                | Fact::Output { stage: OutputStage::Delivered, .. }
                | Fact::Struck(_)
                | Fact::Healed(_)
                | Fact::Suspected { .. }
                | Fact::Relinquished
                | Fact::Restoring { .. }
        );
        if is_drawn {
            self.0.push((at, fact.clone()));
        }
    }

    fn event(&mut self, _: SimTime, _: Event, _: &World) {}
}

/// Something in a lane, at an instant or until another.
struct Lane {
    name: &'static str,
    label: String,
    from: SimTime,
    to: Option<SimTime>,
}

fn phases(seen: &Seen, end: SimTime) -> Vec<Lane> {
    let begins = |(at, fact): &(SimTime, Fact)| match fact {
        Fact::Phase { phase, .. } => Some((*at, *phase)),
        _ => None,
    };
    let mut all: Vec<(SimTime, Phase)> = seen.0.iter().filter_map(begins).collect();
    all.dedup_by_key(|begin| begin.1);
    let ends = all.iter().skip(1).map(|next| next.0).chain([end]);
    let long = all.iter().zip(ends).filter(|((_, phase), _)| !matches!(phase, Phase::Idle | Phase::Done));
    long.map(|((from, phase), to)| Lane { name: LANES[0], label: phase.to_string(), from: *from, to: Some(to) })
        .collect()
}

fn executions(seen: &Seen, end: SimTime) -> Vec<Lane> {
    let mut running = BTreeMap::<Host, SimTime>::new();
    let mut lanes = Vec::new();
    let mut over = |host: Host, from: Option<SimTime>, to: SimTime| {
        let name = if host == Host::Source { LANES[1] } else { LANES[2] };
        lanes.extend(from.map(|from| Lane { name, label: "runs".into(), from, to: Some(to) }));
    };
    for (at, fact) in &seen.0 {
        match fact {
            Fact::Resumed(resumption) => {
                running.entry(resumption.host).or_insert(*at);
            }
            // It stands for a moment, too short to be seen.
            Fact::Paused { cause: PauseCause::Checkpoint, .. } => {}
            Fact::Paused { host, .. } | Fact::CopyGone { host, .. } => over(*host, running.remove(host), *at),
            _ => {}
        }
    }
    for (host, from) in running {
        over(host, Some(from), end);
    }
    lanes
}

fn instants(seen: &Seen, scenario: &Scenario) -> Vec<Lane> {
    let one = |(at, fact): &(SimTime, Fact)| {
        let (name, label) = match fact {
            Fact::Complete(_) => (LANES[3], "complete".to_owned()),
            Fact::Output { stage: OutputStage::Delivered, .. } => (LANES[4], "delivered".to_owned()),
            Fact::Struck(number) => (LANES[5], fault_name(&scenario.faults[*number])),
            Fact::Healed(number) => (LANES[5], format!("end of {}", fault_name(&scenario.faults[*number]))),
            Fact::Suspected { by, .. } => (LANES[5], format!("{by} suspects")),
            Fact::Relinquished => (LANES[5], "R".to_owned()),
            Fact::Restoring { host } => (LANES[5], format!("{host} restores")),
            _ => return None,
        };
        Some(Lane { name, label, from: *at, to: None })
    };
    seen.0.iter().filter_map(one).collect()
}

/// How the lanes of a panel are called, from bottom to top: those in which anything is, and nameless ones for more rows of words.
pub(super) fn rows(points: &[&Point], across: f64) -> Vec<String> {
    let there = LANES.iter().rev().filter(|lane| points.iter().any(|point| point.series == **lane));
    let more = instants_in_rows(points, across).iter().map(|(_, row)| *row).max().unwrap_or(0);
    (0..more).map(|_| String::new()).chain(there.map(|lane| (*lane).to_owned())).collect()
}

/// Points of the lane of words, each with the row in which its words do not cover others, from the top; `across` is how many pixels a
/// second takes.
fn instants_in_rows<'a>(points: &[&'a Point], across: f64) -> Vec<(&'a Point, usize)> {
    let mut ends: Vec<f64> = Vec::new();
    let mut placed = Vec::new();
    for point in points.iter().filter(|point| point.series == LANES[5]) {
        let begin = point.x.number().unwrap_or_default() * across;
        let end = begin + f64::from(width_of(&point.label, SMALL)) + 24.0;
        let row = ends.iter().position(|other| *other <= begin).unwrap_or(ends.len());
        if row == ends.len() {
            ends.push(end);
        } else {
            ends[row] = end;
        }
        placed.push((*point, row));
    }
    placed
}

/// The lanes on paper.
pub(super) fn draw(frame: &Frame<'_, '_>, points: &[&Point], rows: &[String], across: f64) {
    let row_of = |lane: &str| rows.iter().position(|row| row == lane).map(|row| row as f64);
    for (point, down) in instants_in_rows(points, across) {
        let (Some(row), Some(x)) = (row_of(LANES[5]), point.x.number()) else { continue };
        let (x, middle) = (frame.x.at(x), row + 0.5 - down as f64);
        line(
            frame.paper,
            &[frame.at(x, rows.len() as f64), frame.at(x, middle)],
            Look { dash: (10, 8), ..Look::black() },
            HAIR,
        );
        let at = frame.at(x, middle);
        // Lines of others go behind words.
        boxed(
            frame.paper,
            (at.0 + 4, at.1 - 17),
            (at.0 + 8 + width_of(&point.label, SMALL), at.1 + 17),
            Some(WHITE),
            None,
        );
        words(frame.paper, &point.label, (at.0 + 8, at.1), SMALL, Words::RightOf);
    }
    for point in points.iter().filter(|point| point.series != LANES[5]) {
        let (Some(row), Some(x)) = (row_of(&point.series), point.x.number()) else { continue };
        let Some((from, to)) = point.range else {
            let x = frame.x.at(x);
            line(frame.paper, &[frame.at(x, row + 0.75), frame.at(x, row + 0.25)], Look::black(), LINE - 2);
            continue;
        };
        let (left, right) = (frame.at(frame.x.at(from), row + 0.82), frame.at(frame.x.at(to), row + 0.18));
        boxed(frame.paper, left, right, Some(colour(&point.series, &point.label)), Some(BLACK));
        if point.series == LANES[0] && width_of(&point.label, SMALL) < right.0 - left.0 {
            let middle: Px = (i32::midpoint(left.0, right.0), i32::midpoint(left.1, right.1) - 14);
            words(frame.paper, &point.label, middle, SMALL, Words::Over);
        }
    }
}

/// Grey for phases by turns; the VM in the colours of its hosts.
fn colour(lane: &str, label: &str) -> RGBColor {
    match (lane, label) {
        (lane, _) if lane == LANES[1] => Look::of(0).colour,
        (lane, _) if lane == LANES[2] => Look::of(1).colour,
        (_, "post-copy" | "copy") => RGBColor(225, 225, 225),
        _ => RGBColor(250, 250, 250),
    }
}
