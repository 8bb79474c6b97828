//! Parallel channels: what they gain, and that a page is never overtaken by its older version on another of them.

mod common;

use std::sync::Arc;

use common::{message, step};
use midflight::protocol::{
    Action, Batch, Channel, Destination, Envelope, Input, Message, Settings, Source, StateId, Timer,
};
use midflight::run::simulate;
use midflight::scenario::Scenario;
use midflight::scenario::policy::{Migration, StopRule};
use midflight::units::{ByteRate, Bytes, PageCount, Span};
use midflight::vocabulary::{Host, Outcome};

/// The settings of an agent with two channels.
fn settings() -> Settings {
    midflight::world::settings(&skewed(2, 0, "snapshot", r#""rounds": {"max": 30}"#))
}

fn batch(id: u64, pages: u64) -> Batch {
    Batch { id, pages: PageCount::new(pages), bytes: Bytes::new(pages * 4104) }
}

const ALL: [Channel; 3] = [Channel::Migration, Channel::Parallel(0), Channel::Parallel(1)];

fn flushes(actions: &[Action]) -> Vec<Channel> {
    let sent = actions.iter().filter_map(|action| match action {
        Action::Send { channel, envelope: Envelope { message: Message::Flush, .. }, .. } => Some(*channel),
        _ => None,
    });
    sent.collect()
}

/// A source with two channels, both reading.
fn copying() -> Source {
    copying_with(settings())
}

fn copying_with(settings: Settings) -> Source {
    let mut source = Source::new(settings);
    let began = step(&mut source, message(Host::Management, Channel::Management, Message::Migrate));
    for channel in ALL {
        assert!(began.contains(&Action::Connect { peer: Host::Destination, channel }), "{began:?}");
    }
    let taking = step(&mut source, Input::Timer(Timer::Setup));
    assert_eq!(taking.iter().filter(|action| matches!(action, Action::Take { .. })).count(), 2, "{taking:?}");
    source
}

#[test]
fn a_sync_waits_for_both_channels_and_follows_a_flush_of_all() {
    let mut source = copying();
    let [_, first, second] = ALL;
    let taken = |channel, batch, pending| Input::Taken { channel, batch, pending: PageCount::new(pending) };
    // The second read began later and ended first: what the first says of the pages left is old.
    step(&mut source, taken(second, batch(2, 4), 0));
    step(&mut source, taken(first, batch(1, 4), 4));
    let one = step(&mut source, Input::Sent { channel: second });
    assert!(one.is_empty(), "the other is still writing: {one:?}");
    let both = step(&mut source, Input::Sent { channel: first });
    assert_eq!(flushes(&both), [first, second, Channel::Migration]);
    assert_eq!(both.last(), Some(&Action::SyncLog));
    let flushed = step(&mut source, Input::Sent { channel: first });
    assert!(flushed.is_empty(), "the end of a flush is no end of a chunk: {flushed:?}");
}

/// Which channels read anew.
fn taking(actions: &[Action]) -> Vec<Channel> {
    let taking = actions.iter().filter_map(|action| match action {
        Action::Take { channel, .. } => Some(*channel),
        _ => None,
    });
    taking.collect()
}

#[test]
fn a_packet_counts_when_it_is_written_and_the_next_is_made_up_by_then() {
    // 10 pages a window, packets of two chunks of 4 pages.
    let mut settings = settings();
    settings.packet = PageCount::new(8);
    let Migration::PreCopy(pre_copy) = &mut settings.policy.migration else { panic!("a pre-copy") };
    pre_copy.stop_rule =
        StopRule::Qemu { downtime_limit: Span::ZERO, max_bandwidth: Some(ByteRate::new(10 * 10 * 4104)) };
    let mut source = copying_with(settings);
    let [_, first, second] = ALL;
    let mut chunk = |channel, id| {
        step(&mut source, Input::Taken { channel, batch: batch(id, 4), pending: PageCount::new(100) });
        step(&mut source, Input::Sent { channel })
    };
    assert_eq!(taking(&chunk(first, 1)), [first], "the packet is not complete");
    assert_eq!(taking(&chunk(second, 2)), [second]);
    assert_eq!(taking(&chunk(first, 3)), [first], "8 of 10 pages: the next packet");
    let over = chunk(second, 4);
    assert_eq!(taking(&over), [second], "16 of 10, but this one was made up when 8 had been written");
    assert!(over.iter().any(|action| matches!(action, Action::SetTimer(Timer::Window, _))), "{over:?}");
    for (id, channel) in [(5, first), (6, second)] {
        assert_eq!(taking(&chunk(channel, id)), [channel], "a packet that has begun is sent");
        assert!(taking(&chunk(channel, id + 2)).is_empty(), "and no other");
    }
    let window = step(&mut source, Input::Timer(Timer::Window));
    assert_eq!(taking(&window), [first, second]);
}

#[test]
fn a_channel_that_finds_nothing_left_sends_nothing() {
    let mut source = copying();
    let [_, first, second] = ALL;
    step(&mut source, Input::Taken { channel: first, batch: batch(1, 4), pending: PageCount::ZERO });
    let empty = step(&mut source, Input::Taken { channel: second, batch: batch(2, 0), pending: PageCount::ZERO });
    assert!(empty.is_empty(), "{empty:?}");
    assert_eq!(step(&mut source, Input::Sent { channel: first }).last(), Some(&Action::SyncLog));
}

#[test]
fn the_destination_reads_on_when_the_flush_has_come_on_all() {
    let mut destination = Destination::new(settings());
    let flush = |channel| message(Host::Source, channel, Message::Flush);
    for channel in [ALL[2], ALL[0]] {
        assert!(step(&mut destination, flush(channel)).contains(&Action::Hold(channel)));
    }
    let last = step(&mut destination, flush(ALL[1]));
    assert_eq!(last[1..], ALL.map(Action::ReadOn));
    let state = step(&mut destination, message(Host::Source, Channel::Migration, Message::State(StateId(0))));
    assert_eq!(state, [Action::Load(StateId(0))]);
}

#[test]
fn the_end_of_one_connection_is_the_end_of_all() {
    let mut destination = Destination::new(settings());
    step(&mut destination, message(Host::Source, ALL[1], Message::Pages(batch(1, 4))));
    let over = step(&mut destination, Input::Broken { channel: ALL[2] });
    let mut source = copying();
    assert!(
        step(&mut source, Input::Broken { channel: ALL[1] }).is_empty(),
        "noticed at the next write, on any of them"
    );
    let taken = Input::Taken { channel: ALL[2], batch: batch(1, 4), pending: PageCount::ZERO };
    let back = step(&mut source, taken);
    for channel in ALL {
        assert!(over.contains(&Action::Disconnect { channel }), "{over:?}");
        assert!(back.contains(&Action::Disconnect { channel }), "{back:?}");
    }
}

/// Short rounds over a path on which a message may be late by many of them: what would be overtaken is.
fn skewed(channels: u64, jitter_ms: u64, log: &str, cap: &str) -> Arc<Scenario> {
    common::parse(&format!(
        r#"{{
          "schema": 1, "why": "skew",
          "policy": {{
            "migration": {{"pre-copy": {{
              "channels": {channels},
              "stop_rule": {{"qemu": {{"downtime_limit": "0 s"}}}},
              "caps": {{{cap}}}
            }}}},
            "detector": {{"heartbeat": {{"off": {{}}}}}}
          }},
          "vms": [{{"memory": "1 MiB", "workload": {{"classes": [{{"name": "hot", "size": "128 KiB", "write": "40000 /s"}},
                                                                         {{"name": "rest", "write": "1000 /s"}}]}}}}],
          "network": {{"base": "gige", "jitter": "{jitter_ms} ms", "send_buffer": "32 KiB", "queue": "64 KiB"}},
          "platform": {{"base": "generic", "chunk": "4 pages", "dirty_log": "{log}"}},
          "horizon": "20 s"
        }}"#
    ))
}

#[test]
fn no_page_is_overtaken_by_its_older_version() {
    // At a sync, and in the middle of a round.
    let (sync, amid) = (r#""rounds": {"max": 30}"#, r#""bytes": {"max": "1400 kB"}"#);
    let cases = [
        (2, 0, "snapshot", sync),
        (2, 20, "snapshot", sync),
        (3, 20, "clear-on-send", sync),
        (5, 5, "clear-on-send", sync),
        (8, 50, "snapshot", sync),
        (2, 20, "snapshot", amid),
        (4, 20, "clear-on-send", amid),
    ];
    for (channels, jitter_ms, log, cap) in cases {
        let scenario = skewed(channels, jitter_ms, log, cap);
        for seed in 1..=20 {
            let result = simulate(&scenario, seed, 0);
            assert_eq!(result.violations.len(), 0, "{channels} channels, seed {seed}: {:?}", result.violations);
            assert_eq!(result.outcome, Outcome::Completed, "{channels} channels, seed {seed}");
        }
    }
}

#[test]
fn channels_help_where_the_cpu_is_the_limit_and_nowhere_else() {
    let smoke = common::root().join("scenarios/smoke/pre-copy-parallel.json");
    let total = |channels: u64, network: &str| {
        let channels = format!("policy.migration.pre-copy.channels={channels}");
        let scenario = common::read_with(&smoke, &[&channels, &format!("network={network}"), "expect.metrics={}"]);
        simulate(&scenario, 1, 0).record.total_migration_time_s.expect("it completes").ns()
    };
    let [one, two, four] = [1, 2, 4].map(|channels| total(channels, "ten-gige"));
    assert!(two * 10 < one * 6, "two channels place twice as fast: {one} and {two}");
    assert!(four * 10 < two * 9, "then the link is the limit: {two} and {four}");
    let [one, four] = [1, 4].map(|channels| total(channels, "gige"));
    assert!(one.abs_diff(four) * 20 < one, "the link is the limit throughout: {one} and {four}");
}
