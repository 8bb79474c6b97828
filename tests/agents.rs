//! Promises of the agents, one step at a time: who says a thing must mean it.

use midflight::protocol::{
    Action, Actions, Agent, Answer, Attempt, Batch, Channel, Destination, Envelope, Input, Message, Report, Settings,
    Source, Standing, StateId, Timer,
};
use midflight::scenario::Policy;
use midflight::scenario::policy::{
    AnsweredBy, Caps, Detector, Encoding, Handover, HandoverKind, Heartbeat, Migration, OnSilence, PreCopy, StopRule,
    TransportError,
};
use midflight::units::{Bytes, LocalTime, PageCount, Span};
use midflight::vocabulary::Host;

fn settings(kind: HandoverKind, on_silence: OnSilence, destination_on_silence: OnSilence) -> Settings {
    let heartbeat = Heartbeat {
        period: Span::from_ms(100),
        timeout: Span::from_ms(100),
        misses: 2,
        answered_by: AnsweredBy::Agent,
    };
    Settings {
        policy: Policy {
            migration: Migration::StopAndCopy,
            handover: Handover { kind, on_silence, destination_on_silence, ask_period: Span::from_s(1) },
            detector: Detector { heartbeat: Some(heartbeat), transport_error: TransportError::AtNextWrite },
        },
        page_size: Bytes::new(4096),
        chunk: PageCount::new(64),
        setup: Span::from_ms(3),
        window: Span::from_ms(100),
        iteration: Span::from_ms(50),
    }
}

fn step(agent: &mut dyn Agent, input: Input) -> Vec<Action> {
    let mut actions = Actions::default();
    agent.step(LocalTime::from_ns(0), input, &mut actions);
    actions.drain().collect()
}

fn message(from: Host, channel: Channel, message: Message) -> Input {
    Input::Message { from, channel, envelope: Envelope { attempt: Attempt(1), message } }
}

const BATCH: Batch = Batch { id: 3, pages: PageCount::new(64), bytes: Bytes::new(64 * 4104) };

fn said(actions: &[Action]) -> Vec<&Message> {
    let sent = actions.iter().filter_map(|action| match action {
        Action::Send { to: Host::Source | Host::Destination, envelope, .. } => Some(&envelope.message),
        _ => None,
    });
    sent.collect()
}

/// A source that has sent everything.
fn handing_over(kind: HandoverKind, on_silence: OnSilence) -> Source {
    let mut source = Source::new(settings(kind, on_silence, OnSilence::Wait));
    step(&mut source, message(Host::Management, Channel::Management, Message::Migrate));
    step(&mut source, Input::Timer(Timer::Setup));
    step(&mut source, Input::Stopped { state: StateId(0) });
    let last = step(&mut source, Input::Synced { pending: PageCount::ZERO });
    assert_eq!(said(&last), [&Message::State(StateId(0))]);
    source
}

/// Two pings unanswered.
fn silence(agent: &mut dyn Agent) -> Vec<Action> {
    step(agent, Input::Timer(Timer::Ping));
    step(agent, Input::Timer(Timer::Pong(0)));
    step(agent, Input::Timer(Timer::Pong(1)))
}

#[test]
fn a_destination_that_answers_abandoned_never_runs() {
    for pages_first in [true, false] {
        let mut destination = Destination::new(settings(HandoverKind::Autostart, OnSilence::Ask, OnSilence::Wait));
        if pages_first {
            let placed = step(&mut destination, message(Host::Source, Channel::Migration, Message::Pages(BATCH)));
            assert!(placed.contains(&Action::Place { channel: Channel::Migration, batch: BATCH }));
        }
        let asked = step(&mut destination, message(Host::Source, Channel::Question, Message::Ask));
        assert_eq!(said(&asked), [&Message::Answer(Answer::Abandoned)]);
        assert!(asked.contains(&Action::Discard));
        let late = [Message::Pages(BATCH), Message::State(StateId(0)), Message::Go];
        for late in late {
            let done = step(&mut destination, message(Host::Source, Channel::Migration, late.clone()));
            assert!(!done.iter().any(|action| action.lane().is_some()), "{late:?}: {done:?}");
        }
        assert_eq!(destination.standing(), Standing::Ended(Report::Failure));
    }
}

#[test]
fn a_destination_that_is_loading_answers_when_it_runs() {
    let mut destination = Destination::new(settings(HandoverKind::Autostart, OnSilence::Ask, OnSilence::Wait));
    step(&mut destination, message(Host::Source, Channel::Migration, Message::State(StateId(0))));
    let asked = step(&mut destination, message(Host::Source, Channel::Question, Message::Ask));
    assert_eq!(said(&asked), [] as [&Message; 0]);
    step(&mut destination, Input::Loaded);
    let runs = step(&mut destination, Input::Resumed);
    assert_eq!(said(&runs), [&Message::Answer(Answer::Running)]);
}

#[test]
fn go_comes_after_giving_up_and_nothing_brings_the_source_back() {
    for on_silence in [OnSilence::Resume, OnSilence::Wait, OnSilence::Ask] {
        let mut source = handing_over(HandoverKind::ThreePhase, on_silence);
        let ready = step(&mut source, message(Host::Destination, Channel::Migration, Message::Ready));
        let gave_up = ready.iter().position(|action| *action == Action::Relinquish).expect("R");
        let go = ready.iter().position(|action| matches!(action, Action::Send { .. })).expect("go");
        assert!(gave_up < go);
        let mut after = silence(&mut source);
        after.extend(step(&mut source, Input::Broken { channel: Channel::Migration }));
        after.extend(step(
            &mut source,
            message(Host::Destination, Channel::Question, Message::Answer(Answer::Abandoned)),
        ));
        after.extend(step(&mut source, message(Host::Management, Channel::Management, Message::Cancel)));
        assert!(!after.contains(&Action::Resume), "{on_silence:?}: {after:?}");
        assert_eq!(
            after.iter().any(|a| matches!(a, Action::Connect { channel: Channel::Question, .. })),
            on_silence == OnSilence::Ask
        );
    }
}

#[test]
fn a_source_that_rolls_back_has_cut_the_connection_first() {
    let mut source = handing_over(HandoverKind::Autostart, OnSilence::Resume);
    let back = silence(&mut source);
    let cut = back.iter().position(|action| *action == Action::Disconnect { channel: Channel::Migration });
    let resume = back.iter().position(|action| *action == Action::Resume);
    assert!(cut.expect("it disconnects") < resume.expect("it resumes"));
    let late = step(&mut source, message(Host::Destination, Channel::Migration, Message::Started));
    assert_eq!(late, [], "what it has decided it does not undo");
}

#[test]
fn each_silence_is_a_named_state() {
    let cases = [
        (HandoverKind::Autostart, OnSilence::Wait, "blocked-on(\"started\")"),
        (HandoverKind::Autostart, OnSilence::Ask, "asking for \"started\""),
        (HandoverKind::Autostart, OnSilence::Resume, "ended: failure"),
        (HandoverKind::ThreePhase, OnSilence::Wait, "blocked-on(\"ready\")"),
        (HandoverKind::ThreePhase, OnSilence::Ask, "asking for \"ready\""),
        (HandoverKind::ThreePhase, OnSilence::Resume, "ended: failure"),
    ];
    for (kind, on_silence, standing) in cases {
        let mut source = handing_over(kind, on_silence);
        silence(&mut source);
        assert_eq!(source.standing().to_string(), standing);
    }
    let holding = [
        (OnSilence::Wait, "blocked-on(\"go\")"),
        (OnSilence::Ask, "asking for \"go\""),
        (OnSilence::Resume, "starting"),
    ];
    for (on_silence, standing) in holding {
        let mut destination = Destination::new(settings(HandoverKind::ThreePhase, OnSilence::Resume, on_silence));
        step(&mut destination, message(Host::Source, Channel::Migration, Message::State(StateId(0))));
        let ready = step(&mut destination, Input::Loaded);
        assert_eq!(said(&ready), [&Message::Ready]);
        silence(&mut destination);
        assert_eq!(destination.standing().to_string(), standing);
    }
}

#[test]
fn messages_of_another_attempt_are_refused() {
    let mut source = handing_over(HandoverKind::ThreePhase, OnSilence::Wait);
    let envelope = Envelope { attempt: Attempt(2), message: Message::Ready };
    let input = Input::Message { from: Host::Destination, channel: Channel::Migration, envelope };
    assert_eq!(step(&mut source, input), []);
}

/// Where the hypervisor skips what is dirty again, a read may bring nothing: no empty message goes out, and the next round
/// begins.
#[test]
fn a_source_that_read_nothing_syncs_and_sends_nothing() {
    let mut settings = settings(HandoverKind::Autostart, OnSilence::Resume, OnSilence::Wait);
    let stop_rule = StopRule::Qemu { downtime_limit: Span::from_ms(300), max_bandwidth: None };
    settings.policy.migration = Migration::PreCopy(PreCopy {
        stop_rule,
        caps: Caps::default(),
        auto_converge: None,
        encoding: Encoding::Plain,
        channels: 1,
    });
    let mut source = Source::new(settings);
    step(&mut source, message(Host::Management, Channel::Management, Message::Migrate));
    step(&mut source, Input::Timer(Timer::Setup));
    let nothing = Batch { id: 0, pages: PageCount::ZERO, bytes: Bytes::ZERO };
    let taken = |batch| Input::Taken { channel: Channel::Migration, batch, pending: PageCount::ZERO };
    assert_eq!(step(&mut source, taken(nothing)), [Action::SyncLog]);
    step(&mut source, Input::Synced { pending: PageCount::new(9) });
    assert_eq!(said(&step(&mut source, taken(BATCH))), [&Message::Pages(BATCH)]);
}
