//! Timelines of cuts, silence, resets and dead hosts.

use super::super::*;
use super::M;
use super::driver::{A, B, C, Driver, spec};

/// A driver with a stream from A to B on which 1000 B were written at 0, run to `ns`.
fn written(ns: u64) -> (Driver, StreamId) {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.write(s, A, 1000);
    d.run_until(SimTime::from_ns(ns));
    (d, s)
}

#[test]
fn an_outage_costs_retries_after_it_has_healed() {
    let (mut d, _) = written(500);
    d.cut_both(A, B, true);
    assert_eq!(d.net.in_flight(d.net.path(A, B, M)).unsent.messages, 1);
    d.run_until(SimTime::from_ns(300_000_500));
    d.cut_both(A, B, false);
    d.run();
    // Tries at 200 ms (cut) and at 200 + 400 ms after the cut; sent again in whole.
    assert_eq!(d.log(), ["0 written 0", "600001500 left 0", "600002500 deliver 0 to 1"]);
}

#[test]
fn what_is_cut_off_in_the_air_is_sent_again_and_leaves_once() {
    let (mut d, s) = written(1500);
    d.cut(A, B, true);
    assert_eq!(d.pending(), [NetEvent::Retry { stream: s, from: A }]);
    d.write(s, A, 10);
    d.cut(A, B, false);
    d.run();
    // Sent again from 200 001 500 on, without a second "left".
    let expected = [
        "0 written 0",
        "1000 left 0",
        "1500 written 1",
        "200002510 left 1",
        "200003500 deliver 0 to 1",
        "200003510 deliver 1 to 1",
    ];
    assert_eq!(d.log(), expected);
}

#[test]
fn cut_for_good_gives_up_at_one_end() {
    let (mut d, s) = written(500);
    d.cut_both(A, B, true);
    d.run();
    assert_eq!(d.log(), ["0 written 0", "1000000500 GiveUp at 0", "1000000500 lost 0"]);
    d.write(s, A, 10);
    assert_eq!(d.log()[3..], ["1000000500 lost 1"]);
    // The other end knows nothing; its first bytes after healing are answered by an RST.
    d.cut_both(A, B, false);
    d.write(s, B, 10);
    d.run();
    let expected = ["1000000500 written 2", "1000000510 left 2", "1000001510 lost 2", "1000002510 Reset at 1"];
    assert_eq!(d.log()[4..], expected);
}

#[test]
fn giving_up_comes_before_a_later_retry_though_the_cut_has_healed() {
    let (mut d, _) = written(500);
    d.cut(A, B, true);
    d.run_until(SimTime::from_ns(900_000_000));
    d.cut(A, B, false);
    d.run();
    // Tries at 200 and 600 ms after the cut; the next would be at 1.4 s.
    assert_eq!(d.log()[1..], ["1000000500 GiveUp at 0", "1000000500 lost 0"]);
}

#[test]
fn what_stays_in_the_queue_keeps_its_progress() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.datagram(A, B, M, 100);
    d.write(s, A, 1000);
    d.datagram(A, B, M, 100);
    d.run_until(SimTime::from_ns(50));
    // Behind the head the stream's message goes, and the second datagram moves up.
    d.silence(A, B, true);
    d.run_until(SimTime::from_ns(1000));
    assert_eq!(d.log()[1..3], ["100 left 0", "200 left 2"]);
    // At the head it goes, and the datagram behind it begins at once.
    let t = d.open(A, C, M);
    d.write(t, A, 1000);
    d.datagram(A, C, M, 100);
    d.run_until(SimTime::from_ns(1500));
    d.silence(A, C, true);
    d.run_until(SimTime::from_ns(3000));
    assert_eq!(d.log()[6..], ["1600 left 4", "2600 deliver 4 to 2"]);
}

#[test]
fn a_stream_without_unsent_bytes_notices_nothing() {
    let (mut d, s) = written(5000);
    d.cut_both(A, B, true);
    d.run();
    assert_eq!(d.now.ns(), 5000);
    d.run_until(SimTime::from_ns(9_000_000_000));
    // The first write arms the timer.
    d.write(s, A, 10);
    d.run();
    assert_eq!(d.log()[3..], ["9000000000 written 1", "10000000000 GiveUp at 0", "10000000000 lost 1"]);
}

#[test]
fn without_acknowledgements_nothing_more_is_sent() {
    let (mut d, s) = written(500);
    d.write(s, A, 9500);
    d.cut(B, A, true);
    assert_eq!(d.net.unsent(s, A).get(), 9500);
    d.run_until(SimTime::from_ns(1_000_000));
    assert_eq!(d.log()[1..], ["1000 left 0", "2000 deliver 0 to 1"]);
    d.cut(B, A, false);
    d.run();
    assert_eq!(d.log().last().map(String::as_str), Some("200011000 deliver 1 to 1"));
}

#[test]
fn cuts_nest() {
    let (mut d, _) = written(500);
    d.cut(A, B, true);
    d.cut(A, B, true);
    d.cut(A, B, false);
    assert!(d.net.is_cut(A, B) && !d.net.is_cut(B, A));
    d.run();
    assert_eq!(d.log()[1..], ["1000000500 GiveUp at 0", "1000000500 lost 0"]);
}

#[test]
fn datagrams_are_lost_as_they_leave_into_a_cut() {
    let mut d = Driver::new(&spec());
    d.datagram(A, B, M, 100);
    d.datagram(A, B, M, 100);
    d.datagram(B, A, M, 300);
    d.run_until(SimTime::from_ns(150));
    d.cut(A, B, true);
    d.run();
    let expected =
        ["100 left 0", "200 left 1", "200 lost 1", "300 left 2", "1100 deliver 0 to 1", "1300 deliver 2 to 0"];
    assert_eq!(d.log(), expected);
}

#[test]
fn silence_lets_datagrams_and_the_other_card_pass() {
    let (mut d, _) = written(500);
    let t = d.open(A, B, Nic::Application);
    d.silence(B, A, true);
    d.datagram(A, B, M, 100);
    d.write(t, A, 100);
    d.run();
    let expected = [
        "0 written 0",
        "500 written 2",
        "600 left 1",
        "600 left 2",
        "1600 deliver 1 to 1",
        "1600 deliver 2 to 1",
        "1000000500 GiveUp at 0",
        "1000000500 lost 0",
    ];
    assert_eq!(d.log(), expected);
}

#[test]
fn fin_comes_after_the_data() {
    let (mut d, s) = written(0);
    d.close(s, A, Close::Fin);
    d.run();
    assert_eq!(d.log(), ["0 written 0", "1000 left 0", "2000 deliver 0 to 1", "2064 Fin at 1"]);
}

#[test]
fn both_ends_may_close_at_once() {
    let (mut d, s) = written(0);
    d.close(s, A, Close::Fin);
    d.close(s, B, Close::Fin);
    d.run();
    assert_eq!(d.log(), ["0 written 0", "1000 left 0", "2000 lost 0"]);
    assert!(d.is_drained());
}

#[test]
fn a_closed_end_answers_data_with_a_reset() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.close(s, B, Close::Reset);
    d.write(s, A, 100);
    d.run();
    assert_eq!(d.log(), ["0 written 0", "100 left 0", "1000 Reset at 0", "1100 lost 0"]);
    let t = d.open(A, B, M);
    d.cut(B, A, true);
    d.close(t, B, Close::Reset);
    d.cut(B, A, false);
    d.write(t, A, 100);
    d.write(t, A, 100);
    d.run();
    // The first RST fell into the cut; the data that arrive 1100 ns later draw another, once.
    let expected = ["1200 left 1", "1300 left 2", "2200 lost 1", "2300 lost 2", "3200 Reset at 0"];
    assert_eq!(d.log()[6..], expected);
}

#[test]
fn reset_discards_what_is_unsent() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.write(s, A, 10_000);
    d.write(s, A, 10_000);
    d.close(s, A, Close::Reset);
    d.run();
    assert_eq!(d.log(), ["0 written 0", "0 lost 1", "1000 Reset at 1", "10000 left 0", "11000 lost 0"]);
}

#[test]
fn a_reset_fault_tells_both_ends_at_once() {
    let (mut d, _) = written(500);
    d.open(A, C, M);
    d.act(|net, now, out| net.reset_between(now, B, A, Some(Nic::Application), out));
    d.act(|net, now, out| net.reset_between(now, B, A, None, out));
    d.run();
    assert_eq!(d.log()[1..], ["500 Reset at 1", "500 Reset at 0", "1000 left 0", "2000 lost 0"]);
}

#[test]
fn a_reset_fault_lets_no_stream_into_the_room_that_another_leaves() {
    let mut d = Driver::new(&spec());
    let streams = [d.open(A, B, M), d.open(A, B, M), d.open(A, B, M)];
    for (stream, bytes) in streams.into_iter().zip([5_000, 9_000, 5_000]) {
        d.write(stream, A, bytes);
    }
    assert_eq!(d.net.unsent(streams[2], A).get(), 5_000);
    d.run_until(SimTime::from_ns(1000));
    d.act(|net, now, out| net.reset_between(now, A, B, None, out));
    let lost: Vec<String> = d.log().into_iter().filter(|line| !line.contains("Reset")).collect();
    assert_eq!(lost, ["0 written 0", "0 written 2", "1000 lost 1", "1000 lost 2"]);
}

#[test]
fn a_dead_sender_leaves_what_is_on_the_wire() {
    let (mut d, s) = written(1500);
    d.write(s, A, 100);
    d.datagram(A, B, M, 100);
    d.write(s, B, 100);
    d.act(|net, now, out| net.host_down(now, A, out));
    d.datagram(A, B, M, 100);
    d.run();
    let expected = [
        "1500 lost 1",
        "1500 lost 2",
        "1500 lost 4",
        "2000 deliver 0 to 1",
        "1000001500 GiveUp at 1",
        "1000001500 lost 3",
    ];
    assert_eq!(d.log()[4..], expected);
    assert!(d.is_drained());
}

#[test]
fn a_dead_receiver_takes_nothing() {
    let (mut d, s) = written(1500);
    d.act(|net, now, out| net.host_down(now, B, out));
    d.datagram(A, B, M, 100);
    d.run();
    let expected = ["1600 left 1", "2600 lost 1", "1000001500 GiveUp at 0", "1000001500 lost 0"];
    assert_eq!(d.log()[2..], expected);
    d.close(s, A, Close::Fin);
    let t = d.open(A, B, M);
    d.write(t, B, 1);
    assert_eq!(d.log().last().map(String::as_str), Some("1000001500 lost 2"));
    d.write(t, A, 1);
    d.run();
    assert!(d.is_drained());
}
