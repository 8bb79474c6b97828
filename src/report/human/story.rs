//! *What happened*: the timeline without its routine, and repetition shortened.

use super::page::{BAD, DIM, PLAIN, Page, STRONG, WARN};
use super::units;
use crate::report::timeline::{Kind, Line, timeline};
use crate::run::RunResult;
use crate::scenario::Scenario;
use crate::units::SimTime;
use anstyle::Style;

/// Repetitions that are shown before any is left out.
const REPEATS_SHOWN: usize = 12;
/// Lines kept at the beginning of a longer repetition.
const HEAD: usize = 5;
/// Lines kept at its end.
const TAIL: usize = 3;
/// Longest pattern whose repetition is noticed, as question and answer.
const PERIOD_MAX: usize = 3;

/// A line, or how many are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown<T> {
    Item(T),
    LeftOut(usize),
}

pub(super) fn write(page: &mut Page, result: &RunResult, scenario: &Scenario) {
    page.title("What happened");
    let all = timeline(result, scenario);
    let lines: Vec<&Line> = all.iter().filter(|line| !is_routine(line, &all)).collect();
    let width = lines.last().map_or(0, |last| units::instant(last.at).len());
    for shown in shorten(&lines, |line| key(line)) {
        match shown {
            Shown::Item(line) => {
                let head = format!("  {:>width$}  ", units::instant(line.at));
                page.paragraph(&head, &words(line), style(line.kind));
            }
            Shown::LeftOut(n) => page.line(&format!("  {:>width$}  ", "…"), &format!("{n} more lines like these"), DIM),
        }
    }
}

/// What says nothing new: where nodes stand at the start, syncs (they are in the table of rounds), and that a node has
/// ended when it says so in the same breath.
fn is_routine(line: &Line, all: &[Line]) -> bool {
    let host = |line: &Line| line.what.split([' ', ':']).next().map(str::to_string);
    let reports = |other: &Line| other.kind == Kind::Report && other.at == line.at && host(other) == host(line);
    match line.kind {
        Kind::Sync => true,
        Kind::Standing => line.at == SimTime::ZERO || line.what.contains(": ended") && all.iter().any(reports),
        _ => false,
    }
}

/// A line, and what became of the message that it is about.
pub(super) fn words(line: &Line) -> String {
    match (line.kind, line.arrived) {
        (Kind::Message, Some(at)) => format!("{}, arrives after {}", line.what, units::span(at - line.at)),
        (Kind::Message, None) => format!("{}, never arrives", line.what),
        _ => line.what.clone(),
    }
}

/// Lines with the same key say the same again.
fn key(line: &Line) -> (Kind, bool, &str) {
    match line.kind {
        Kind::Phase if line.what.contains("round") => (line.kind, false, "round"),
        Kind::Throttle | Kind::Loss => (line.kind, false, ""),
        _ => (line.kind, line.arrived.is_some(), &line.what),
    }
}

fn style(kind: Kind) -> Style {
    match kind {
        Kind::Fault | Kind::Suspicion => WARN,
        Kind::Violation => BAD.bold(),
        Kind::Guest | Kind::Milestone | Kind::Restore => STRONG,
        Kind::Standing | Kind::End | Kind::Checkpoint => DIM,
        Kind::Phase | Kind::Throttle | Kind::Sync | Kind::Loss | Kind::Report | Kind::Message | Kind::Connection => {
            PLAIN
        }
    }
}

/// Leaves out the middle of what repeats more than [`REPEATS_SHOWN`] times: single items, or patterns of a few.
pub(super) fn shorten<'a, T, K: PartialEq>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<Shown<&'a T>> {
    let keys: Vec<K> = items.iter().map(key).collect();
    let mut shown = Vec::new();
    let mut at = 0;
    while at < items.len() {
        let run = (1..=PERIOD_MAX).map(|period| (period, repeating(&keys[at..], period)));
        let run = run.filter(|(_, length)| *length > REPEATS_SHOWN).min_by_key(|(period, _)| *period);
        let Some((period, length)) = run else {
            shown.push(Shown::Item(&items[at]));
            at += 1;
            continue;
        };
        let head = HEAD.next_multiple_of(period);
        let tail = TAIL.next_multiple_of(period);
        shown.extend(items[at..at + head].iter().map(Shown::Item));
        shown.push(Shown::LeftOut(length - head - tail));
        shown.extend(items[at + length - tail..at + length].iter().map(Shown::Item));
        at += length;
    }
    shown
}

/// Over how many items, a multiple of it, `keys` begins with a pattern of this period.
fn repeating<K: PartialEq>(keys: &[K], period: usize) -> usize {
    let more = keys.iter().zip(keys.iter().skip(period)).take_while(|(a, b)| a == b).count();
    (more + period.min(keys.len())) / period * period
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(items: &str) -> String {
        let items: Vec<char> = items.chars().collect();
        let shown = shorten(&items, |c| *c);
        shown
            .iter()
            .map(|s| match s {
                Shown::Item(c) => c.to_string(),
                Shown::LeftOut(n) => format!("({n})"),
            })
            .collect()
    }

    #[test]
    fn the_middle_of_a_long_repetition_is_left_out() {
        assert_eq!(text("xaaaaaaaaaaaay"), "xaaaaaaaaaaaay");
        assert_eq!(text(&format!("x{}y", "a".repeat(20))), "xaaaaa(12)aaay");
        assert_eq!(text(&format!("x{}y", "ab".repeat(10))), "xababab(10)ababy");
        assert_eq!(text(""), "");
    }
}
