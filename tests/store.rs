//! Promises of the store, one step at a time: what it has called complete it offers, or says that it cannot.

mod common;

use common::{message, step};
use midflight::protocol::{
    Action, Attempt, Base, Batch, Channel, Envelope, Epoch, FetchId, Input, Message, Source, StateId, Store, Stored,
    Timer, Version,
};
use midflight::units::{Bytes, PageCount};
use midflight::vocabulary::Host;
use midflight::world::settings;

const SOURCE: Host = Host::Source;
const DESTINATION: Host = Host::Destination;

/// That of a scenario with reverse checkpoints and a store on a staging host.
fn store(set: &[&str]) -> Store {
    let scenario = common::read_with(&common::root().join("scenarios/recovery/lose-version-outage.json"), set);
    Store::new(&settings(&scenario)).expect("it has checkpoints")
}

fn stored(version: u64) -> Stored {
    Stored { version: Version(version), state: StateId(7) }
}

fn said(actions: &[Action]) -> Vec<&Message> {
    let sent = actions.iter().filter_map(|action| match action {
        Action::Send { envelope, .. } => Some(&envelope.message),
        _ => None,
    });
    sent.collect()
}

/// A version comes and is complete.
fn takes(store: &mut Store, version: u64) {
    let batch = Batch { id: version, pages: PageCount::new(3), bytes: Bytes::new(3 * 4104) };
    step(store, message(DESTINATION, Channel::Checkpoint, Message::Chunk { version: Version(version), batch }));
    let after = Some(Version(version - 1));
    let mark = Message::Mark { version: Version(version), after, state: StateId(7), pages: batch.pages };
    step(store, message(DESTINATION, Channel::Checkpoint, mark));
    let actions = step(store, Input::SealedHere { version: Version(version) });
    assert_eq!(said(&actions), [&Message::Committed(Version(version))]);
}

/// The source claims the VM, and this is what the medium has.
fn claims(store: &mut Store, found: Option<Stored>) -> Vec<Action> {
    let envelope = Envelope { attempt: Attempt(1), epoch: Epoch(1), message: Message::Claim { base: Base::Known } };
    let actions = step(store, Input::Message { from: SOURCE, channel: Channel::Store, envelope });
    assert!(actions.contains(&Action::Pin), "it reads before it answers");
    step(store, Input::Pinned { newest: found })
}

/// Whether the destination may still write.
fn takes_more(store: &mut Store) -> bool {
    let batch = Batch { id: 99, pages: PageCount::new(1), bytes: Bytes::new(4104) };
    let chunk = Message::Chunk { version: Version(50), batch };
    let actions = step(store, message(DESTINATION, Channel::Checkpoint, chunk));
    !said(&actions).iter().any(|message| matches!(message, Message::Refused(_)))
}

#[test]
fn what_was_promised_is_offered_and_whoever_is_suspected_is_shut_out() {
    let mut store = store(&[]);
    takes(&mut store, 1);
    assert_eq!(said(&claims(&mut store, Some(stored(1)))), [&Message::Claimed(Some(stored(1)))]);
    assert!(!takes_more(&mut store));
}

#[test]
fn what_was_promised_and_is_lost_is_not_replaced_by_something_older() {
    let mut store = store(&[]);
    takes(&mut store, 1);
    takes(&mut store, 2);
    assert_eq!(said(&claims(&mut store, Some(stored(1)))), [&Message::Unreadable]);
    assert!(takes_more(&mut store), "whoever is suspected may be all that is left of the VM");
}

#[test]
fn what_was_granted_stays_granted_when_it_is_lost_afterwards() {
    let mut store = store(&[]);
    takes(&mut store, 1);
    claims(&mut store, Some(stored(1)));
    assert_eq!(said(&claims(&mut store, None)), [&Message::Unreadable]);
    assert!(!takes_more(&mut store));
}

#[test]
fn where_nothing_is_held_nothing_was_promised() {
    let mut store = store(&["policy.checkpoint.buffer=none"]);
    takes(&mut store, 1);
    takes(&mut store, 2);
    assert_eq!(said(&claims(&mut store, Some(stored(1)))), [&Message::Claimed(Some(stored(1)))]);
}

#[test]
fn the_base_is_offered_only_by_a_store_that_knows_of_the_attempt() {
    let mut knows = store(&[]);
    step(&mut knows, message(SOURCE, Channel::Store, Message::Open));
    assert_eq!(said(&claims(&mut knows, None)), [&Message::Claimed(None)]);
    let mut forgot = store(&[]);
    assert_eq!(said(&claims(&mut forgot, None)), [&Message::Unreadable]);
    let mut another = store(&[]);
    step(&mut another, message(SOURCE, Channel::Store, Message::Open));
    let envelope = Envelope { attempt: Attempt(2), epoch: Epoch(1), message: Message::Read { base: Base::Known } };
    step(&mut another, Input::Message { from: SOURCE, channel: Channel::Store, envelope });
    let answer = step(&mut another, Input::Pinned { newest: None });
    assert_eq!(said(&answer), [&Message::Unreadable], "each attempt is opened anew");
}

#[test]
fn a_store_that_starts_again_from_its_disk_knows_what_it_promised() {
    let mut store = store(&[]);
    step(&mut store, message(SOURCE, Channel::Store, Message::Open));
    takes(&mut store, 1);
    takes(&mut store, 2);
    let mut again = store.as_on_disk();
    assert_eq!(said(&claims(&mut again, Some(stored(1)))), [&Message::Unreadable]);
}

#[test]
fn a_version_for_which_there_is_no_room_is_thrown_away() {
    let mut store = store(&[]);
    let batch = Batch { id: 1, pages: PageCount::new(3), bytes: Bytes::new(3 * 4104) };
    step(&mut store, message(DESTINATION, Channel::Checkpoint, Message::Chunk { version: Version(1), batch }));
    let actions = step(&mut store, Input::NoRoom { version: Version(1) });
    assert_eq!(said(&actions), [&Message::Full(Version(1))]);
    assert!(actions.contains(&Action::Forget(Version(1))));
    assert!(step(&mut store, Input::NoRoom { version: Version(1) }).is_empty(), "it is told once");
}

fn fetch(number: u32) -> FetchId {
    FetchId { by: SOURCE, number }
}

#[test]
fn what_was_read_for_an_earlier_try_answers_no_later_one() {
    let mut store = store(&[]);
    takes(&mut store, 1);
    claims(&mut store, Some(stored(1)));
    let mut asks = |number| {
        let message = Message::Fetch { version: Version(1), fetch: fetch(number) };
        let envelope = Envelope { attempt: Attempt(1), epoch: Epoch(1), message };
        let actions = step(&mut store, Input::Message { from: SOURCE, channel: Channel::Checkpoint, envelope });
        assert!(matches!(actions[..], [Action::Recall { fetch: of, afresh: true, .. }] if of == fetch(number)));
    };
    asks(1);
    asks(2);
    let batch = Batch { id: 5, pages: PageCount::new(1), bytes: Bytes::new(4104) };
    let read = |number| Input::Recalled { fetch: fetch(number), batch, left: PageCount::ZERO };
    assert!(step(&mut store, read(1)).is_empty(), "it was read for a try that is over");
    let answer = [&Message::Restored { fetch: fetch(2), batch }, &Message::AllRestored(fetch(2))];
    assert_eq!(said(&step(&mut store, read(2))), answer);
}

/// The source, which restores from a store elsewhere and has tried twice, takes only what answers the second try.
#[test]
fn a_restore_takes_no_answer_to_an_earlier_try() {
    let scenario = common::read_with(&common::root().join("scenarios/recovery/lose-version-outage.json"), &[]);
    let mut source = Source::new(settings(&scenario));
    let from = |host, channel, message| {
        let envelope = Envelope { attempt: Attempt(1), epoch: Epoch(1), message };
        Input::Message { from: host, channel, envelope }
    };
    step(&mut source, from(Host::Management, Channel::Management, Message::Migrate));
    step(&mut source, Input::Timer(Timer::Setup));
    step(&mut source, Input::Stopped { state: StateId(0) });
    step(&mut source, from(DESTINATION, Channel::Question, Message::Abandon));
    let claimed = || from(Host::Staging, Channel::Store, Message::Claimed(Some(stored(1))));
    let tried = |actions: &[Action]| match said(actions)[..] {
        [Message::Fetch { fetch, .. }] => *fetch,
        ref other => panic!("{other:?} in {actions:?}"),
    };
    let first = tried(&step(&mut source, claimed()));
    step(&mut source, Input::Timer(Timer::RestoreRetry));
    let second = tried(&step(&mut source, claimed()));
    assert_ne!(first, second);
    let mut ends = |fetch| step(&mut source, from(Host::Staging, Channel::Checkpoint, Message::AllRestored(fetch)));
    assert!(ends(first).is_empty(), "the end of the answer to the first is not that of the second");
    assert!(ends(second).contains(&Action::Load(StateId(7))));
}

/// What a node had said before it claimed is refused by its own claim. Only what it says under the claim can tell of another's.
#[test]
fn its_own_claim_takes_nothing_from_a_restore() {
    let scenario = common::read_with(&common::root().join("scenarios/recovery/lose-version-outage.json"), &[]);
    for (epoch, goes_on) in [(Epoch(0), true), (Epoch(1), false)] {
        let mut source = Source::new(settings(&scenario));
        let from = |host, channel, epoch, message| {
            let envelope = Envelope { attempt: Attempt(1), epoch, message };
            Input::Message { from: host, channel, envelope }
        };
        step(&mut source, from(Host::Management, Channel::Management, Epoch(0), Message::Migrate));
        step(&mut source, Input::Timer(Timer::Setup));
        step(&mut source, Input::Stopped { state: StateId(0) });
        step(&mut source, from(DESTINATION, Channel::Question, Epoch(0), Message::Abandon));
        step(&mut source, from(Host::Staging, Channel::Checkpoint, epoch, Message::Refused(Epoch(1))));
        let claimed =
            step(&mut source, from(Host::Staging, Channel::Store, Epoch(1), Message::Claimed(Some(stored(1)))));
        assert_eq!(!said(&claimed).is_empty(), goes_on, "refused under {epoch:?}: {claimed:?}");
    }
    let mut store = Store::new(&settings(&scenario)).expect("there is one");
    let late = |message| {
        let envelope = Envelope { attempt: Attempt(1), epoch: Epoch(0), message };
        Input::Message { from: DESTINATION, channel: Channel::Checkpoint, envelope }
    };
    let claim = Envelope { attempt: Attempt(1), epoch: Epoch(1), message: Message::Claim { base: Base::Here } };
    step(&mut store, Input::Message { from: DESTINATION, channel: Channel::Store, envelope: claim });
    let batch = Batch { id: 1, pages: PageCount::new(1), bytes: Bytes::new(4104) };
    let refused = step(&mut store, late(Message::Chunk { version: Version(1), batch }));
    let under = refused.iter().find_map(|action| match action {
        Action::Send { envelope: Envelope { epoch, message: Message::Refused(Epoch(1)), .. }, .. } => Some(*epoch),
        _ => None,
    });
    assert_eq!(under, Some(Epoch(0)), "the answer goes under the epoch of what it answers: {refused:?}");
}
