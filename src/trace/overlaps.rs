//! What may overlap its like, as pairs with ids: messages under way, faults that last, suspicions.
//!
//! What has not ended when the run does ends there, and says so.

use super::event::{Event, FAULTS, MESSAGES, Shape, Track, news_of};
use super::tracks::lasts;
use crate::metric::fault_name;
use crate::report::deliveries;
use crate::report::tree::Json;
use crate::run::RunResult;
use crate::scenario::Scenario;
use crate::units::SimTime;
use crate::world::Fact;

/// Numbers pairs.
#[derive(Default)]
struct Pairs {
    events: Vec<Event>,
    made: u64,
}

impl Pairs {
    fn add(
        &mut self,
        (from, to): (SimTime, SimTime),
        (track, category): (Track, &'static str),
        name: &str,
        args: Vec<(&'static str, Json)>,
    ) {
        self.made += 1;
        for (at, shape, args) in [(from, Shape::Begin(self.made), args), (to, Shape::End(self.made), Vec::new())] {
            self.events.push(Event { at, shape, track, category, name: name.into(), args });
        }
    }
}

pub(super) fn events(result: &RunResult, scenario: &Scenario) -> Vec<Event> {
    let mut pairs = Pairs::default();
    messages(&mut pairs, result);
    faults(&mut pairs, result, scenario);
    suspicions(&mut pairs, result);
    pairs.events
}

fn messages(pairs: &mut Pairs, result: &RunResult) {
    let entries = result.log.entries();
    for (entry, arrived) in entries.iter().zip(deliveries(entries)) {
        let Fact::Said { from, to, what, delivered: false, .. } = entry.fact else { continue };
        let span = (entry.at, arrived.unwrap_or(result.finished.at));
        let args = vec![
            ("from", Json::text(from.as_str())),
            ("to", Json::text(to.as_str())),
            ("what", Json::text(what)),
            ("delivered", Json::Bool(arrived.is_some())),
        ];
        pairs.add(span, (MESSAGES, "message"), &format!("{from} → {to}: {what}"), args);
    }
}

fn faults(pairs: &mut Pairs, result: &RunResult, scenario: &Scenario) {
    for (index, fault) in scenario.faults.iter().enumerate().filter(|(_, fault)| lasts(fault)) {
        let when = |wanted: Fact| result.log.entries().iter().find(|entry| entry.fact == wanted).map(|entry| entry.at);
        let Some(struck) = when(Fact::Struck(index)) else { continue };
        let healed = when(Fact::Healed(index));
        let name = format!("fault {}: {}", index + 1, fault_name(fault));
        let span = (struck, healed.unwrap_or(result.finished.at));
        pairs.add(span, (FAULTS, "fault"), &name, vec![("healed", Json::Bool(healed.is_some()))]);
    }
}

/// From the first fault to each suspicion; one that no fault preceded is an instant only.
fn suspicions(pairs: &mut Pairs, result: &RunResult) {
    let entries = result.log.entries();
    let first = entries.iter().find(|entry| matches!(entry.fact, Fact::Struck(_))).map(|entry| entry.at);
    for entry in entries {
        let (Fact::Suspected { by, why }, Some(struck)) = (&entry.fact, first) else { continue };
        if struck <= entry.at {
            let args = vec![("by", Json::text(by.as_str())), ("why", Json::text(format!("{why:?}")))];
            pairs.add((struck, entry.at), (news_of(*by), "detector"), &format!("{by} detects"), args);
        }
    }
}
