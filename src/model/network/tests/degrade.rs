//! Timelines of slow links and cards, of heartbeats that are lost alone, of hosts that hang or come back.

use super::super::*;
use super::M;
use super::driver::{A, B, C, Driver, spec};
use crate::units::{Bytes, Ratio, Span};

fn link(rate: Ratio, latency_ns: u64, loss: Ratio) -> Degradation {
    Degradation { rate, latency: Span::from_ns(latency_ns), loss }
}

impl Driver {
    fn degrade(&mut self, from: HostId, to: HostId, name: u64, how: Option<Degradation>) {
        self.act(|net, now, out| net.degrade(now, (from, to), name, how, out));
    }
}

#[test]
fn a_degraded_link_is_slow_and_late_until_it_is_whole() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.degrade(A, B, 7, Some(link(Ratio::new(1, 4), 300, Ratio::ZERO)));
    d.write(s, A, 1000);
    d.run_until(SimTime::from_ns(2000));
    d.degrade(A, B, 7, None);
    d.write(s, A, 100);
    d.run();
    // 500 B in 2000 ns, the others in 500; what left when the link was whole has its delay.
    let expected =
        ["0 written 0", "2000 written 1", "2500 left 0", "2600 left 1", "3500 deliver 0 to 1", "3600 deliver 1 to 1"];
    assert_eq!(d.log(), expected);
}

#[test]
fn several_degradations_multiply_and_add_and_the_other_way_is_whole() {
    let mut d = Driver::new(&spec());
    let (s, t) = (d.open(A, B, M), d.open(B, A, M));
    d.degrade(A, B, 1, Some(link(Ratio::new(1, 2), 10, Ratio::ZERO)));
    d.degrade(A, B, 2, Some(link(Ratio::new(1, 5), 20, Ratio::ZERO)));
    d.write(s, A, 100);
    d.write(t, B, 100);
    d.run();
    let expected =
        ["0 written 0", "0 written 1", "100 left 1", "1000 left 0", "1100 deliver 1 to 0", "2030 deliver 0 to 1"];
    assert_eq!(d.log(), expected);
}

#[test]
fn a_degraded_card_is_shared_by_all_its_paths() {
    let mut d = Driver::new(&spec());
    let (s, t, u) = (d.open(A, B, M), d.open(C, B, M), d.open(A, C, Nic::Application));
    d.act(|net, now, out| net.degrade_card(now, B, 0, Some(Ratio::new(1, 10)), out));
    for (stream, from) in [(s, A), (t, C), (u, A)] {
        d.write(stream, from, 1000);
    }
    let rate = |d: &Driver, from, to, nic| d.net.path_rate(d.net.path(from, to, nic)).get();
    assert_eq!(rate(&d, A, B, M), 50_000_000);
    assert_eq!(rate(&d, C, B, M), 50_000_000);
    assert_eq!(rate(&d, A, C, Nic::Application), 1_000_000_000, "the other card is whole");
    assert_eq!(d.net.card_rate(B, M).get(), 100_000_000);
    d.act(|net, now, out| net.degrade_card(now, B, 0, None, out));
    assert_eq!(rate(&d, A, B, M), 500_000_000);
}

/// 1460 B / 100 ms · √1.5 / √0.01 = 14 600 · 12.247… = 178 812.7 B/s (Mathis et al.).
#[test]
fn added_loss_bounds_a_stream_and_loses_datagrams() {
    let spec = scenario::Network { packet: Bytes::new(1460), latency: Span::from_ms(40), ..spec() };
    let mut d = Driver::new(&spec);
    let s = d.open(A, B, M);
    d.degrade(A, B, 0, Some(link(Ratio::ONE, 10_000_000, Ratio::percent(1))));
    d.write(s, A, 1000);
    assert_eq!(d.net.path_rate(d.net.path(A, B, M)).get(), 178_812);
    d.run();
    d.degrade(A, B, 0, Some(link(Ratio::ONE, 0, Ratio::NEARLY_ONE)));
    for _ in 0..20 {
        d.datagram(A, B, M, 64);
        d.run();
    }
    assert_eq!(d.delivered(), [0]);
}

#[test]
fn muted_datagrams_are_lost_and_streams_pass() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.act(|net, _, _| net.set_muted(A, B, true));
    d.datagram(A, B, M, 10);
    d.datagram(A, B, Nic::Application, 10);
    d.datagram(B, A, M, 10);
    d.write(s, A, 10);
    d.run();
    assert_eq!(d.delivered(), [1, 2, 3]);
    d.act(|net, _, _| net.set_muted(A, B, false));
    d.datagram(A, B, M, 10);
    d.run();
    assert_eq!(d.delivered(), [1, 2, 3, 4]);
}

#[test]
fn a_hung_host_keeps_what_it_has_and_its_peers_retry() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.write(s, A, 1000);
    d.act(|net, now, out| net.set_hung(now, B, true, out));
    d.write(s, B, 50);
    d.run_until(SimTime::from_ns(100_000_000));
    assert_eq!(d.delivered(), [0; 0]);
    d.act(|net, now, out| net.set_hung(now, B, false, out));
    d.run();
    assert_eq!(d.delivered(), [1, 0], "both are sent again after 200 ms");
}

#[test]
fn a_host_that_is_up_again_resets_what_it_does_not_know() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.write(s, A, 100);
    d.act(|net, now, out| net.host_down(now, B, out));
    d.run_until(SimTime::from_ns(1_000));
    d.act(|net, now, out| net.host_up(now, B, out));
    assert!(d.net.is_up(B));
    d.run();
    // Retransmitted after 200 ms, and answered by an RST.
    let expected = ["0 written 0", "200000100 left 0", "200001100 lost 0", "200002100 Reset at 0"];
    assert_eq!(d.log(), expected);
    let t = d.open(A, B, M);
    d.write(t, A, 100);
    d.run();
    assert_eq!(d.delivered(), [1]);
}

#[test]
fn what_arrives_next_can_be_looked_at() {
    let mut d = Driver::new(&spec());
    let s = d.open(A, B, M);
    d.write(s, A, 100);
    d.run_until(SimTime::from_ns(1_000));
    let at = |ns| SimTime::from_ns(ns);
    assert_eq!(d.net.arriving(at(1_099), s, A), None, "not yet");
    assert_eq!(d.net.arriving(at(1_100), s, A), Some(MessageId(0)));
    assert_eq!(d.net.arriving(at(1_100), s, B), None);
    d.close(s, B, Close::Reset);
    assert_eq!(d.net.arriving(at(1_100), s, A), None, "nobody takes it");
}
