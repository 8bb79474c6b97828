//! Promises of the agents, one step at a time: who says a thing must mean it.

mod common;

use common::{message, step, step_at};
use midflight::protocol::{
    Action, Agent, Answer, Attempt, Batch, Channel, Destination, Envelope, Input, Message, Report, Settings, Source,
    Standing, StateId, Timer,
};
use midflight::scenario::Policy;
use midflight::scenario::policy::{
    AnsweredBy, Caps, Detector, Encoding, Ending, Fencing, Handover, HandoverKind, Heartbeat, Migration, OnSilence,
    PreCopy, Rule, StopRule, TransportError,
};
use midflight::units::{ByteRate, Bytes, PageCount, Span};
use midflight::vocabulary::Host;

fn settings(kind: HandoverKind, on_silence: OnSilence, destination_on_silence: OnSilence) -> Settings {
    let heartbeat = Heartbeat {
        period: Span::from_ms(100),
        answered_by: AnsweredBy::Agent,
        rule: Rule::Misses { timeout: Span::from_ms(100), misses: 2 },
    };
    Settings {
        policy: Policy {
            migration: Migration::StopAndCopy,
            handover: Handover { kind, on_silence, destination_on_silence, ask_period: Span::from_s(1) },
            detector: Detector { heartbeat: Some(heartbeat), transport_error: TransportError::AtNextWrite },
            checkpoint: None,
            ending: Ending::Handshake,
            fencing: Fencing::None,
        },
        page_size: Bytes::new(4096),
        chunk: PageCount::new(64),
        packet: PageCount::new(64),
        setup: Span::from_ms(3),
        window: Span::from_ms(100),
        iteration: Span::from_ms(50),
    }
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
    let envelope =
        Envelope { attempt: Attempt(2), epoch: midflight::protocol::Epoch::default(), message: Message::Ready };
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

mod post_copy {
    use super::*;
    use midflight::protocol::{FaultId, PageList};
    use midflight::scenario::policy::{PostCopy, Push};

    const LIST: PageList = PageList { id: 1, bytes: Bytes::new(16) };

    fn settings(on_silence: OnSilence, preempt: bool) -> Settings {
        let mut settings = super::settings(HandoverKind::Autostart, on_silence, OnSilence::Wait);
        let post_copy = PostCopy { push: Push::FromFault, preempt, max_bandwidth: None, finish: None };
        settings.policy.migration = Migration::PostCopy(post_copy);
        settings
    }

    fn from_destination(said: Message) -> Input {
        message(Host::Destination, Channel::Migration, said)
    }

    /// A source that has switched over and reads its first pages.
    fn pushing(on_silence: OnSilence, preempt: bool) -> Source {
        pushing_with(settings(on_silence, preempt))
    }

    fn pushing_with(settings: Settings) -> Source {
        let mut source = Source::new(settings);
        step(&mut source, message(Host::Management, Channel::Management, Message::Migrate));
        step(&mut source, Input::Timer(Timer::Setup));
        let moved = step(&mut source, Input::Stopped { state: StateId(0) });
        assert_eq!(said(&moved), [&Message::Switch { state: StateId(0), stale: None }]);
        let first = step(&mut source, Input::Sent { channel: Channel::Migration });
        assert!(matches!(first[..], [Action::Take { .. }]), "{first:?}");
        source
    }

    /// Pages that were asked for go beside the limit only on a connection of their own. What is little enough goes without it.
    #[test]
    fn a_request_on_the_one_connection_waits_for_the_next_window() {
        let ask = |number| from_destination(Message::Request(FaultId(number)));
        let fetches =
            |actions: &[Action]| actions.iter().filter(|action| matches!(action, Action::Fetch { .. })).count();
        let takes = |actions: &[Action]| actions.iter().any(|action| matches!(action, Action::Take { .. }));
        for (preempt, left, finish) in
            [(true, 900, None), (false, 900, None), (false, 900, Some(4000)), (false, 900, Some(1000))]
        {
            let mut settings = settings(OnSilence::Wait, preempt);
            let Migration::PostCopy(post_copy) = &mut settings.policy.migration else { panic!("it is one") };
            // One batch is a window's budget: 64 pages in 100 ms, so that 900 take 1.4 s.
            post_copy.max_bandwidth = Some(ByteRate::new(2_000_000));
            post_copy.finish = finish.map(Span::from_ms);
            let mut source = pushing_with(settings);
            let batch = Input::Taken { channel: Channel::Migration, batch: BATCH, pending: PageCount::new(left) };
            let sent = Input::Sent { channel: Channel::Migration };
            step(&mut source, batch.clone());
            let held = step(&mut source, sent.clone());
            assert!(matches!(held[..], [Action::SetTimer(Timer::Window, _)]), "{held:?}");
            assert_eq!(fetches(&step(&mut source, ask(1))), usize::from(preempt), "{preempt}");
            let next = step_at(&mut source, Span::from_ms(100), Input::Timer(Timer::Window));
            assert_eq!(
                (fetches(&next), takes(&next)),
                (usize::from(!preempt), preempt),
                "what was asked for comes first"
            );
            if preempt {
                continue;
            }
            step_at(&mut source, Span::from_ms(101), batch);
            let again = step_at(&mut source, Span::from_ms(102), sent);
            assert_eq!(takes(&again), finish == Some(4000), "{finish:?}: {again:?}");
        }
    }

    /// Once it has heard that the VM runs elsewhere, no silence makes it run its own copy.
    #[test]
    fn a_source_that_serves_never_resumes() {
        for on_silence in [OnSilence::Resume, OnSilence::Wait, OnSilence::Ask] {
            let mut source = pushing(on_silence, false);
            let heard = step(&mut source, from_destination(Message::Started));
            assert!(heard.contains(&Action::Serve));
            let silent = silence(&mut source);
            assert!(silent.contains(&Action::Pause) && !silent.contains(&Action::Resume), "{on_silence:?}: {silent:?}");
            assert_eq!(source.standing(), Standing::BlockedOn(midflight::protocol::Awaited::Recovery));
            for late in [Message::Answer(Answer::Abandoned), Message::Cancel, Message::Ready] {
                let done = step(&mut source, from_destination(late.clone()));
                assert!(!done.contains(&Action::Resume), "{late:?}: {done:?}");
            }
        }
    }

    /// Before that its copy is as good as the other, and the policy decides.
    #[test]
    fn before_it_has_heard_the_policy_decides() {
        let resumes = |on_silence| silence(&mut pushing(on_silence, false)).contains(&Action::Resume);
        assert!(resumes(OnSilence::Resume) && !resumes(OnSilence::Wait) && !resumes(OnSilence::Ask));
        let mut asking = pushing(OnSilence::Ask, false);
        let asked = silence(&mut asking);
        assert_eq!(said(&asked), [&Message::Ask]);
        let never =
            step(&mut asking, message(Host::Destination, Channel::Question, Message::Answer(Answer::Abandoned)));
        assert!(never.contains(&Action::Resume));
    }

    #[test]
    fn what_was_asked_for_goes_first_and_has_its_own_connection_if_there_is_one() {
        let fault = FaultId(7);
        let mut shared = pushing(OnSilence::Wait, false);
        assert_eq!(step(&mut shared, from_destination(Message::Request(fault))), [], "a push is under way");
        let pending = PageCount::new(100);
        step(&mut shared, Input::Taken { channel: Channel::Migration, batch: BATCH, pending });
        let next = step(&mut shared, Input::Sent { channel: Channel::Migration });
        let fetch = |channel| Action::Fetch { channel, fault, push: Push::FromFault };
        assert_eq!(next, [fetch(Channel::Migration)]);
        let mut own = pushing(OnSilence::Wait, true);
        assert_eq!(step(&mut own, from_destination(Message::Request(fault))), [fetch(Channel::Preempt)]);
    }

    /// A destination whose vCPU waits asks once, and again when it has been asked which pages it has.
    #[test]
    fn a_destination_asks_again_after_a_recovery() {
        let mut destination = Destination::new(settings(OnSilence::Wait, false));
        let switch = Message::Switch { state: StateId(0), stale: None };
        let load = step(&mut destination, message(Host::Source, Channel::Migration, switch));
        assert_eq!(load[load.len() - 2..], [Action::TakeFaults { stale: None }, Action::Load(StateId(0))]);
        step(&mut destination, Input::Loaded);
        assert_eq!(said(&step(&mut destination, Input::Resumed)), [&Message::Started]);
        for fault in [FaultId(0), FaultId(1)] {
            assert_eq!(said(&step(&mut destination, Input::Fault(fault))), [&Message::Request(fault)]);
        }
        step(&mut destination, Input::Satisfied(FaultId(0)));
        let broken = step(&mut destination, Input::Broken { channel: Channel::Migration });
        assert!(broken.contains(&Action::Pause));
        assert_eq!(
            said(&step(&mut destination, Input::Fault(FaultId(2)))),
            [&Message::Request(FaultId(9)); 0],
            "no connection"
        );
        step(&mut destination, message(Host::Source, Channel::Migration, Message::Resync));
        let again = step(&mut destination, Input::Surveyed(LIST));
        let requests = [FaultId(1), FaultId(2)].map(Message::Request);
        assert_eq!(said(&again), [&Message::Have(LIST), &requests[0], &requests[1]]);
        let last = Input::Placed { channel: Channel::Migration, missing: PageCount::ZERO };
        assert_eq!(said(&step(&mut destination, last)), [&Message::Complete]);
    }
}
