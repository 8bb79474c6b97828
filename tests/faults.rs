//! When faults strike, and what a host makes of having stood still or having died.

mod common;

use std::sync::Arc;

use common::{message, step};
use midflight::engine::{Observer, TieRule};
use midflight::protocol::{
    Action, Agent, Answer, Attempt, Channel, Destination, Disk, Input, LocalVm, Message, Report, Source, Standing,
};
use midflight::rng::RunSeed;
use midflight::run::{RunResult, simulate, simulate_with};
use midflight::scenario::{Late, Scenario};
use midflight::units::{SimTime, Span};
use midflight::vocabulary::{Host, Outcome};
use midflight::world::{Event, Fact, FaultState, OutputStage, World, settings};

#[derive(Default)]
struct Facts(Vec<(SimTime, Fact)>);

impl Observer for Facts {
    fn fact(&mut self, at: SimTime, fact: &Fact, _: &World) {
        self.0.push((at, fact.clone()));
    }
    fn event(&mut self, _: SimTime, _: Event, _: &World) {}
}

fn run(scenario: &Arc<Scenario>, replication: u64) -> (RunResult, Facts) {
    let mut facts = Facts::default();
    let result = simulate_with(scenario, RunSeed { seed: 1, replication }, TieRule::default(), &mut [&mut facts]);
    (result, facts)
}

fn smoke(name: &str, fault: &str) -> Arc<Scenario> {
    let path = common::root().join(format!("scenarios/smoke/{name}.json"));
    common::read_with(&path, &[&format!("faults=[{fault}]"), "expect={}", "tolerates=[]"])
}

fn struck(result: &RunResult) -> SimTime {
    match result.faults[0] {
        FaultState::Fired { at, .. } => at,
        state => panic!("{state:?}"),
    }
}

#[test]
fn a_message_is_sent_kept_back_or_delivered_as_its_trigger_says() {
    let cut = |moment: &str| {
        let when = format!(r#"{{"message": {{"kind": "go", "moment": "{moment}"}}}}"#);
        let (result, facts) = run(&smoke("three-phase", &format!(r#"{{"what": {{"cut": {{}}}}, "when": {when}}}"#)), 0);
        let said = |arrived: bool| {
            let of = |fact: &Fact| matches!(fact, Fact::Said { what: "go", delivered, .. } if *delivered == arrived);
            facts.0.iter().find(|(_, fact)| of(fact)).map(|(at, _)| *at)
        };
        (struck(&result), said(false).expect("it is written"), said(true))
    };
    let undisturbed = cut("after-delivery");
    let (at, written, arrived) = cut("sent");
    assert_eq!((at, arrived), (written, None));
    let (at, written, arrived) = cut("before-delivery");
    assert!(at > written && arrived.is_none(), "it was on the wire, and the cut keeps it back");
    assert_eq!((undisturbed.0, undisturbed.2), (at, Some(at)), "after is the same instant, on the other side of it");
}

#[test]
fn outputs_are_counted_by_stage() {
    for (word, stage) in
        [("emitted", OutputStage::Emitted), ("released", OutputStage::Released), ("delivered", OutputStage::Delivered)]
    {
        let fault =
            format!(r#"{{"what": {{"crash": "client"}}, "when": {{"outputs": {{"n": 321, "stage": "{word}"}}}}}}"#);
        let (result, facts) = run(&smoke("three-phase", &fault), 0);
        let at = struck(&result);
        let so_far = |fact: &Fact| matches!(fact, Fact::Output { stage: here, .. } if *here == stage);
        let before = facts.0.iter().take_while(|(_, fact)| !matches!(fact, Fact::Struck(_)));
        let times: Vec<SimTime> = before.filter(|(_, fact)| so_far(fact)).map(|(at, _)| *at).collect();
        assert_eq!((times.len(), times.last()), (321, Some(&at)), "{word}");
    }
}

/// Instants of the events of a run.
#[derive(Default)]
struct Events(Vec<(SimTime, Event)>);

impl Observer for Events {
    fn fact(&mut self, _: SimTime, _: &Fact, _: &World) {}
    fn event(&mut self, at: SimTime, event: Event, _: &World) {
        self.0.push((at, event));
    }
}

fn events(scenario: &Arc<Scenario>) -> (RunResult, Vec<(SimTime, Event)>) {
    let mut events = Events::default();
    let result = simulate_with(scenario, RunSeed { seed: 1, replication: 0 }, TieRule::default(), &mut [&mut events]);
    (result, events.0)
}

#[test]
fn a_fault_strikes_before_within_and_after_an_event() {
    let (_, usual) = events(&smoke("three-phase", ""));
    let mut work = usual.iter().enumerate().filter(|(_, (_, event))| matches!(event, Event::WorkDone(Host::Source, _)));
    let n = 1 + work.nth(20).expect("it reads pages").0;
    let crash = |about: &str| {
        let when = format!(r#"{{"event": {{"n": {n}, {about}}}}}"#);
        let fault = format!(r#"{{"what": {{"crash": "source"}}, "when": {when}}}"#);
        let (result, events) = events(&smoke("three-phase", &fault));
        let same = events.iter().zip(&usual).take_while(|(here, there)| here == there).count();
        (struck(&result), same)
    };
    let (at, before) = (usual[n - 1].0, usual[n - 2].0);
    assert_eq!(crash(r#""moment": "before""#), (at, n - 1), "it is of the source, and does not come");
    for about in [r#""moment": "within", "actions": 1"#, r#""moment": "after""#] {
        let (struck, same) = crash(about);
        assert!(struck == at && same >= n, "{about}: the event itself is as it was");
    }
    assert_eq!(crash(r#""moment": "after", "after": "1 ns""#).0, at + Span::from_ns(1));
    assert!(before < at, "or before would be no other place than after");
}

#[test]
fn what_is_held_comes_after_what_overtakes_it() {
    let scenario = smoke("three-phase", "");
    let (_, usual) = events(&scenario);
    let at = usual.iter().rposition(|(_, event)| event.is_arrival()).expect("something arrives") - 40;
    let at = at + usual[at..].iter().position(|(_, event)| event.is_arrival()).expect("more arrives");
    let late = Some(Late { event: at as u64 + 1, past: 3 });
    let (result, late) = events(&Arc::new(Scenario { late, ..(*scenario).clone() }));
    let held = usual[at].1;
    assert!(!late[at..at + 3].iter().any(|(_, event)| *event == held), "three others come first");
    assert_eq!(late[at + 3].1, held, "then it");
    assert!(result.judgement.shortfalls.is_empty(), "{:?}", result.judgement.shortfalls);
}

fn by_law(law: &str, from: &str) -> String {
    format!(
        r#"{{"what": {{"cut": {{"from": "client", "to": "management"}}}}, "when": {{"law": {{"time": {law}, "from": "{from}"}}}}}}"#
    )
}

#[test]
fn a_drawn_time_depends_on_the_replication_and_on_nothing_else() {
    let soon = r#"{"uniform": {"from": "0 s", "to": "500 ms"}}"#;
    let at = |name: &str, from: &str, replication| {
        let (result, facts) = run(&smoke(name, &by_law(soon, from)), replication);
        let accepted = facts.0.iter().find(|(_, fact)| matches!(fact, Fact::Phase { .. })).expect("a migration").0;
        let from = if from == "start" { SimTime::ZERO } else { accepted };
        struck(&result) - from
    };
    let here = at("three-phase", "start", 0);
    assert_eq!(here, at("pre-copy", "start", 0), "another policy meets the same fault");
    assert_eq!(here, at("three-phase", "migrate", 0), "and so does another origin");
    assert_ne!(here, at("three-phase", "start", 1));
}

#[test]
fn a_law_that_does_not_strike_is_data_and_keeps_nobody_waiting() {
    let quiet = simulate(&smoke("three-phase", ""), 1, 0).finished.at;
    let late = smoke("three-phase", &by_law(r#"{"exponential": {"mean": "1000 h"}}"#, "start"));
    let result = simulate(&late, 1, 0);
    assert!(result.judgement.shortfalls.is_empty(), "{:?}", result.judgement.shortfalls);
    assert_eq!((result.record.faults_planned, result.record.faults_fired), (Some(1), Some(0)));
    assert_eq!(result.finished.at, quiet);
}

/// A host that stands still for a while in the middle of a round loses nothing and repeats nothing: same pages for the same guest time.
#[test]
fn who_hangs_goes_on_where_it_was() {
    let quiet = simulate(&smoke("stop-and-copy", ""), 1, 0);
    for part in ["agent", "vmm", "host"] {
        for host in ["source", "destination"] {
            let sets = [
                format!(
                    r#"faults=[{{"what": {{"hang": {{"{part}": "{host}"}}}}, "when": {{"phase": {{"name": "stop", "progress": "1/2"}}}}, "lasts": "700 ms"}}]"#
                ),
                r#"policy.detector={"heartbeat": {"off": {}}}"#.into(),
                "expect={}".into(),
            ];
            let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
            let scenario = common::read_with(&common::root().join("scenarios/smoke/stop-and-copy.json"), &sets);
            let result = simulate(&scenario, 1, 0);
            assert_eq!(result.outcome, Outcome::Completed, "{part} of {host}");
            assert_eq!(result.record.pages_forward, quiet.record.pages_forward, "{part} of {host}");
            let [late, usual] = [&result, &quiet].map(|run| run.record.total_migration_time_s.expect("completed"));
            let more = late.saturating_sub(usual);
            // A host that hangs is found again by a retransmission.
            assert!(more >= Span::from_ms(500) && more <= Span::from_ms(1_600), "{part} of {host}: {more}");
        }
    }
}

/// A death a moment after its fault's own hang, and a restart in the middle of another: neither leaves anything behind.
#[test]
fn hangs_end_with_what_hung() {
    let faults = r#"
        {"what": {"hang": {"vmm": "destination"}}, "when": {"phase": {"name": "copy", "progress": "1/4"}}, "lasts": "900 ms"},
        {"what": {"crash-vmm": "destination"}, "when": {"phase": {"name": "copy", "progress": "1/4", "after": "100 ms"}}, "restarts_after": "200 ms"}"#;
    let (result, facts) = run(&smoke("pre-copy", faults), 0);
    assert_eq!(result.outcome, Outcome::RolledBack);
    let restarted = |fact: &Fact| matches!(fact, Fact::Restarted { host: Host::Destination, .. });
    assert_eq!(facts.0.iter().filter(|(_, fact)| restarted(fact)).count(), 1);
    let ended = result.faults.iter().all(|state| matches!(state, FaultState::Fired { ended: Some(_), .. }));
    assert!(ended, "{:?}", result.faults);
}

fn restarted(relinquished: bool, vm: LocalVm) -> Input {
    Input::Restarted { disk: Disk { attempt: Attempt(1), relinquished }, vm }
}

fn policy(handover: &str) -> midflight::protocol::Settings {
    let path = common::root().join("scenarios/smoke/three-phase.json");
    settings(&common::read_with(&path, &[&format!("policy.handover={handover}")]))
}

fn says(actions: &[Action], wanted: &Message) -> bool {
    actions.iter().any(|action| matches!(action, Action::Send { envelope, .. } if envelope.message == *wanted))
}

#[test]
fn a_source_that_starts_again_keeps_its_promise_and_makes_no_other() {
    let impatient = r#"{"three-phase": {"on_silence": "resume"}}"#;
    let cases = [
        (impatient, false, LocalVm::Standing, Some(Report::Failure), true),
        (impatient, true, LocalVm::Standing, None, false),
        (impatient, false, LocalVm::Running, Some(Report::Failure), false),
        (impatient, false, LocalVm::Absent, None, false),
        (r#"{"autostart": {}}"#, true, LocalVm::Absent, Some(Report::Success), false),
    ];
    for (handover, promised, vm, end, resumes) in cases {
        let mut source = Source::new(policy(handover));
        let actions = step(&mut source, restarted(promised, vm));
        let ended = match source.standing() {
            Standing::Ended(report) => Some(report),
            _ => None,
        };
        assert_eq!((ended, actions.contains(&Action::Resume)), (end, resumes), "{handover} {promised} {vm:?}");
        assert!(!actions.contains(&Action::Relinquish));
    }
    let mut source = Source::new(policy(r#"{"three-phase": {"on_silence": "wait"}}"#));
    step(&mut source, restarted(false, LocalVm::Standing));
    let told = step(&mut source, message(Host::Destination, Channel::Question, Message::Ask));
    assert!(told.contains(&Action::Relinquish) && says(&told, &Message::Answer(Answer::Go)));
    let mut empty = Source::new(policy(r#"{"three-phase": {"on_silence": "wait"}}"#));
    step(&mut empty, restarted(false, LocalVm::Absent));
    let told = step(&mut empty, message(Host::Destination, Channel::Question, Message::Ask));
    assert!(told.is_empty(), "it does not know whether the VM ran on here: {told:?}");
}

#[test]
fn a_destination_that_starts_again_runs_nothing_unasked() {
    let asking = r#"{"three-phase": {"destination_on_silence": "ask"}}"#;
    let cases = [
        (asking, LocalVm::Standing, false, Some(Message::Ask)),
        (r#"{"three-phase": {}}"#, LocalVm::Standing, false, None),
        (r#"{"autostart": {}}"#, LocalVm::Standing, true, None),
        (asking, LocalVm::Incomplete, true, None),
        (asking, LocalVm::Running, false, None),
        (asking, LocalVm::Absent, false, None),
    ];
    for (handover, vm, drops, asks) in cases {
        let mut destination = Destination::new(policy(handover));
        let actions = step(&mut destination, restarted(false, vm));
        assert!(!actions.contains(&Action::Resume), "{handover} {vm:?}");
        assert_eq!(actions.contains(&Action::Discard), drops, "{handover} {vm:?}");
        assert_eq!(says(&actions, &Message::Ask), asks.is_some(), "{handover} {vm:?}");
        if vm == LocalVm::Running {
            let told = step(&mut destination, message(Host::Source, Channel::Question, Message::Ask));
            assert!(says(&told, &Message::Answer(Answer::Running)));
        }
    }
}
