//! One run as a JSON document: record, rounds, timeline, faults, violations, shortfalls.
//!
//! Names are those of the record and of the vocabulary; numbers are printed exactly; absent is `null`.

use super::timeline::{Kind, Line, timeline};
use super::tree::Json;
use crate::metric::{COLUMNS, Record, Round, Value, fault_name};
use crate::oracle::why_not_fired;
use crate::run::RunResult;
use crate::scenario::Scenario;
use crate::world::FaultState;

/// Version of this document's shape.
const SCHEMA: u64 = 1;

/// The document.
pub fn json(result: &RunResult, scenario: &Scenario) -> String {
    let timeline = timeline(result, scenario).iter().map(line).collect();
    let faults = (0..scenario.faults.len()).map(|index| fault(index, result, scenario)).collect();
    let violations = result.violations.iter().map(|violation| {
        Json::Object(vec![
            ("invariant", Json::text(violation.invariant.as_str())),
            ("at_s", Json::instant(Some(violation.at))),
            ("what", Json::text(&violation.what)),
        ])
    });
    let shortfalls = result.judgement.shortfalls.iter().map(|shortfall| {
        Json::Object(vec![("class", Json::text(&shortfall.class)), ("what", Json::text(&shortfall.what))])
    });
    Json::Object(vec![
        ("schema", Json::whole(SCHEMA)),
        ("record", record(&result.record)),
        ("rounds", Json::List(result.rounds.rounds().iter().map(round).collect())),
        ("timeline", Json::List(timeline)),
        ("faults", Json::List(faults)),
        ("violations", Json::List(violations.collect())),
        ("shortfalls", Json::List(shortfalls.collect())),
    ])
    .print(2)
}

fn record(record: &Record) -> Json {
    let values = record.values().into_iter().map(|value| match value {
        None => Json::Null,
        Some(Value::Text(text)) => Json::Text(text),
        Some(number) => Json::Number(number.to_string()),
    });
    Json::Object(COLUMNS.iter().map(|column| column.name).zip(values).collect())
}

fn round(round: &Round) -> Json {
    Json::Object(vec![
        ("round", round.number.map_or(Json::Null, Json::whole)),
        ("post_copy", Json::Bool(round.post_copy)),
        ("start_s", Json::instant(Some(round.from))),
        ("duration_s", Json::seconds(round.to - round.from)),
        ("due_pages", Json::whole(round.due.get())),
        ("sent_pages", Json::whole(round.pages.get())),
        ("zero_pages", Json::whole(round.zero.get())),
        ("sent_bytes", Json::whole(round.bytes.get())),
        ("dirtied_pages", round.dirtied.map_or(Json::Null, |pages| Json::whole(pages.get()))),
    ])
}

fn line(line: &Line) -> Json {
    let mut fields = vec![
        ("at_s", Json::instant(Some(line.at))),
        ("kind", Json::text(line.kind.as_str())),
        ("what", Json::text(&line.what)),
    ];
    if line.kind == Kind::Message {
        fields.push(("arrived_s", Json::instant(line.arrived)));
    }
    Json::Object(fields)
}

fn fault(index: usize, result: &RunResult, scenario: &Scenario) -> Json {
    let (fault, state) = (&scenario.faults[index], result.faults[index]);
    let mut fields = vec![("fault", Json::text(fault_name(fault)))];
    if let FaultState::Fired { at, phase, ended } = state {
        fields.extend([
            ("fired", Json::Bool(true)),
            ("at_s", Json::instant(Some(at))),
            ("phase", Json::text(phase.as_str())),
            ("ended_s", Json::instant(ended)),
        ]);
    } else {
        let why = why_not_fired(fault, state, result.finished.at);
        fields.extend([("fired", Json::Bool(false)), ("why", why.map_or(Json::Null, Json::Text))]);
    }
    Json::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::scenario::FaultKind;
    use crate::units::Span;
    use crate::vocabulary::Host;

    fn document(faults: Vec<crate::scenario::Fault>) -> serde_json::Value {
        let (scenario, result) = fixture::run_with(faults);
        serde_json::from_str(&json(&result, &scenario)).expect("JSON")
    }

    #[test]
    fn holds_all_columns_and_what_became_of_faults() {
        let late = fixture::fault(FaultKind::Reset, Span::from_s(100), None);
        let crash = fixture::fault(FaultKind::Crash(Host::Destination), Span::from_ms(1100), None);
        let read = document(vec![crash, late]);
        assert_eq!(read["schema"], 1);
        let names: Vec<&String> = read["record"].as_object().expect("an object").keys().collect();
        assert_eq!(names, COLUMNS.iter().map(|column| column.name).collect::<Vec<_>>());
        assert_eq!(read["record"]["outcome"], "rolled_back");
        assert_eq!(read["record"]["fencing_time_s"], serde_json::Value::Null);
        assert_eq!((&read["faults"][0]["fired"], &read["faults"][0]["phase"]), (&true.into(), &"copy".into()));
        assert_eq!(read["faults"][1]["fired"], false);
        assert!(read["faults"][1]["why"].as_str().expect("a reason").contains("the run ended at"));
        assert_eq!(read["shortfalls"][0]["class"], "not-fired");
    }

    #[test]
    fn messages_say_when_they_arrived() {
        let read = document(Vec::new());
        let timeline = read["timeline"].as_array().expect("a list");
        let migrate = timeline.iter().find(|line| line["what"] == "management → source: \"migrate\"").expect("sent");
        assert_eq!((migrate["at_s"].to_string(), migrate["arrived_s"].to_string()), ("1".into(), "1.000100512".into()));
        assert_eq!(read["rounds"][0]["round"], 1);
        assert!(read["rounds"].as_array().expect("a list").iter().any(|round| round["round"].is_null()));
    }
}
