//! Small timelines with exact instants. One byte takes one nanosecond; the latency is 1 µs.

mod degrade;
mod driver;
mod faults;
mod laws;

use super::*;
use crate::units::{Bytes, Ratio, Span};
use driver::{A, B, C, Driver, spec};
use proptest::prelude::*;

const M: Nic = Nic::Migration;

#[test]
fn one_message() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.write(s, A, 1000);
    d.run();
    assert_eq!(d.log(), ["0 written 0", "1000 left 0", "2000 deliver 0 to 1"]);
    assert!(d.net.idle_between(A, B));
    assert_eq!(d.net.total().delivered, Tally::one(Bytes::new(1000)));
}

#[test]
fn two_paths_share_a_card() {
    let mut d = Driver::new(&spec());
    let (s, t) = (d.open(A, B, M), d.open(A, C, M));
    d.write(s, A, 1000);
    d.write(t, A, 500);
    assert_eq!(d.net.path_rate(d.net.path(A, B, M)).get(), 500_000_000);
    d.run();
    // 500 B each until 1000 ns; then the first has the card to itself.
    let expected =
        ["0 written 0", "0 written 1", "1000 left 1", "1500 left 0", "2000 deliver 1 to 2", "2500 deliver 0 to 1"];
    assert_eq!(d.log(), expected);
}

#[test]
fn two_senders_share_the_card_of_their_receiver() {
    let mut d = Driver::new(&spec());
    d.datagram(A, C, M, 1000);
    d.datagram(B, C, M, 1000);
    d.run();
    assert_eq!(d.log()[..2], ["2000 left 0", "2000 left 1"]);
}

#[test]
fn opposite_ways_and_separate_cards_do_not_share() {
    let mut d = Driver::new(&spec());
    let (s, t) = (d.open(A, B, M), d.open(A, B, Nic::Application));
    d.write(s, A, 1000);
    d.write(s, B, 1000);
    d.write(t, A, 1000);
    d.run();
    assert_eq!(d.log()[3..6], ["1000 left 0", "1000 left 1", "1000 left 2"]);
}

#[test]
fn shared_cards_share_one_queue() {
    let mut d = Driver::new(&scenario::Network { nics: Nics::Shared, ..spec() });
    let (s, t) = (d.open(A, B, M), d.open(A, B, Nic::Application));
    d.write(s, A, 1000);
    d.write(t, A, 10);
    d.run();
    assert_eq!(d.log()[2..4], ["1000 left 0", "1010 left 1"]);
}

#[test]
fn a_write_ends_when_its_last_byte_is_buffered() {
    let mut d = Driver::new(&scenario::Network { queue: Bytes::new(3000), send_buffer: Bytes::new(2000), ..spec() });
    let s = d.open(A, B, M);
    for _ in 0..5 {
        d.write(s, A, 1500);
    }
    assert_eq!((d.net.queued(d.net.path(A, B, M)).get(), d.net.unsent(s, A).get()), (3000, 4500));
    d.run();
    let written: Vec<String> = d.log().into_iter().filter(|line| line.contains("written")).collect();
    assert_eq!(written, ["0 written 0", "0 written 1", "0 written 2", "1500 written 3", "3000 written 4"]);
    assert_eq!(d.log().last().map(String::as_str), Some("8500 deliver 4 to 1"));
}

#[test]
fn a_message_above_all_limits_ends_with_its_admission() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.write(s, A, 10);
    d.write(s, A, 20_000);
    d.run();
    assert_eq!(d.log()[..4], ["0 written 0", "10 left 0", "10 written 1", "1010 deliver 0 to 1"]);
}

#[test]
fn a_heartbeat_waits_behind_the_pages_before_it() {
    let mut d = Driver::new(&scenario::Network { queue: Bytes::new(4_000_000), ..spec() });
    let s = d.open(A, B, M);
    for _ in 0..3 {
        d.write(s, A, 1_000_000);
    }
    d.datagram(A, B, M, 100);
    d.run();
    assert_eq!(d.log().last().map(String::as_str), Some("3001100 deliver 3 to 1"));
}

#[test]
fn a_full_queue_drops_datagrams() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.write(s, A, 9_900);
    d.datagram(A, B, M, 101);
    d.datagram(A, B, M, 100);
    d.run();
    assert_eq!(d.log()[..4], ["0 written 0", "0 lost 1", "9900 left 0", "10000 left 2"]);
}

#[test]
fn streams_take_turns() {
    let mut d = Driver::new(&scenario::Network { queue: Bytes::new(100), ..spec() });
    let (s, t) = (d.open(A, B, M), d.open(A, B, M));
    for stream in [s, s, s, t, t] {
        d.write(stream, A, 100);
    }
    d.run();
    let left: Vec<String> = d.log().into_iter().filter(|line| line.contains("left")).collect();
    assert_eq!(left, ["100 left 0", "200 left 3", "300 left 1", "400 left 4", "500 left 2"]);
}

#[test]
fn the_rate_changes_in_the_middle() {
    let step = |ns, rate| RateStep { from: Span::from_ns(ns), rate: ByteRate::new(rate) };
    let trace = vec![step(0, 2_000_000_000), step(100, 0), step(500, 250_000_000)];
    let mut d = Driver::new(&scenario::Network { rate_trace: trace, ..spec() });
    let s = d.open(A, B, M);
    d.write(s, A, 300);
    // 200 B in 100 ns, nothing in 400 ns, 100 B in 400 ns.
    d.run();
    assert_eq!(d.log(), ["0 written 0", "900 left 0", "1900 deliver 0 to 1"]);
    assert_eq!(d.net.card_rate(B, M).get(), 250_000_000);
    assert_eq!(d.net.card_rate(B, Nic::Application).get(), 1_000_000_000);
}

#[test]
fn leaving_is_a_ceiling() {
    let mut d = Driver::new(&scenario::Network { path_rate: Some(ByteRate::new(3)), ..spec() });
    d.datagram(A, B, M, 1);
    d.run();
    assert_eq!(d.log()[0], "333333334 left 0");
}

#[test]
fn empty_messages_take_the_latency() {
    let mut d = Driver::new(&spec());
    d.datagram(A, B, M, 0);
    d.run();
    assert_eq!(d.log(), ["0 left 0", "1000 deliver 0 to 1"]);
}

#[test]
fn duplicates_arrive_twice() {
    let mut d = Driver::new(&scenario::Network { duplicate: Ratio::ONE, ..spec() });
    d.datagram(A, B, M, 100);
    d.run();
    assert_eq!(d.log(), ["100 left 0", "1100 deliver 0 to 1 more", "1100 deliver 0 to 1"]);
    let one = Tally::one(Bytes::new(100));
    let total = d.net.total();
    assert_eq!((total.delivered, total.copies, total.copies_delivered), (one, one, one));
}

#[test]
fn certain_loss() {
    let mut d = Driver::new(&scenario::Network { loss: Ratio::ONE, rto_max: Span::from_ms(400), ..spec() });
    d.datagram(A, B, M, 100);
    d.run();
    // Mathis: 1000 B / 2 µs · √1.5 = 612 372 435 B/s.
    assert_eq!(d.log(), ["164 left 0", "164 lost 0"]);
    let s = d.open(A, B, M);
    let start = d.now.ns();
    d.write(s, A, 100);
    d.run();
    // 200 ms + 15 · 400 ms of time-outs.
    assert_eq!(d.now.ns() - start, 164 + 1000 + 6_200_000_000);
}

#[test]
fn a_datagram_is_lost_if_any_of_its_packets_is() {
    // Of 1000 datagrams of 4 packets, each packet lost with 1/2, 62.5 ± 7.7 arrive; bounds at 4.5 σ (7e-6).
    let mut d = Driver::new(&scenario::Network { loss: Ratio::new(1, 2), ..spec() });
    for _ in 0..1000 {
        d.datagram(A, B, M, 3001);
        d.run();
    }
    assert!((28..97).contains(&d.delivered().len()), "{}", d.delivered().len());
}

#[test]
fn jitter_reorders_datagrams_and_no_stream() {
    let jitter = Span::from_us(10);
    let order = |stream: bool| {
        let mut d = Driver::new(&scenario::Network { jitter, ..spec() });
        let s = d.open(A, B, M);
        for _ in 0..50 {
            if stream { d.write(s, A, 100) } else { d.datagram(A, B, M, 100) }
        }
        d.run();
        d.delivered()
    };
    assert!(order(true).is_sorted() && order(true).len() == 50);
    assert!(!order(false).is_sorted() && order(false).len() == 50);
}

#[test]
fn paths_draw_the_same_whatever_other_hosts_there_are() {
    let spec = scenario::Network { jitter: Span::from_us(10), ..spec() };
    let seed = RunSeed { seed: 7, replication: 0 };
    let draws = |hosts| {
        let mut net = Network::new(&spec, hosts, seed);
        let index = net.index(net.path(A, B, M));
        net.paths[index].random.bits()
    };
    assert_eq!(draws(2), draws(9));
}

proptest! {
    #[test]
    fn events_that_mean_nothing_any_more_change_nothing(at in 0..3000u64) {
        let mut d = Driver::new(&spec());
        let s = d.open(A, B, M);
        d.write(s, A, 1000);
        d.run_until(SimTime::from_ns(700));
        let before = d.net.clone();
        let path = d.net.path(A, B, M);
        let stale = [
            NetEvent::RateStep(0),
            NetEvent::Arrival { stream: s, from: A },
            NetEvent::Datagram { path, message: MessageId(0), copy: 0 },
            NetEvent::Reset { stream: s, from: B },
            NetEvent::Retry { stream: s, from: A },
        ];
        for event in stale {
            let mut out = Vec::new();
            d.net.on_event(SimTime::from_ns(at), event, &mut out);
            prop_assert_eq!(out, []);
        }
        prop_assert_eq!(before, d.net);
    }
}
