//! Laws on random scripts. The driver checks accounts, order and outcomes after every step.

use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;

use super::super::*;
use super::driver::{Driver, spec};
use crate::units::{Bytes, Ratio, Span};

#[derive(Debug, Clone, Copy)]
enum Op {
    Wait(u64),
    Open(u8, u8, bool),
    Write { stream: usize, side: usize, bytes: u64 },
    Datagram { from: u8, to: u8, card: bool, bytes: u64 },
    Close { stream: usize, side: usize, fin: bool },
    Cut(u8, u8, bool),
    Silence(u8, u8, bool),
    Reset(u8, u8),
    Down(u8),
    Up(u8),
    Hung(u8, bool),
    Muted(u8, u8, bool),
    Degrade { from: u8, to: u8, name: u64, percent: u64 },
    DegradeCard { host: u8, name: u64, percent: u64 },
}

fn nic(migration: bool) -> Nic {
    if migration { Nic::Migration } else { Nic::Application }
}

/// Faults come with `faults` per cent of the operations; most of them heal, and hosts rarely die.
fn op(faults: u32) -> impl Strategy<Value = Op> {
    let pair = || (0..3u8, 1..3u8).prop_map(|(from, further)| (from, (from + further) % 3));
    let bytes = || prop_oneof![4 => 0..4_000u64, 1 => 0..15_000u64];
    let wait = prop_oneof![8 => 0..8_000u64, 1 => 0..500_000_000u64];
    let stream = || (0..8usize, 0..2usize);
    let on = || proptest::bool::weighted(0.4);
    let calm = prop_oneof![
        12 => wait.prop_map(Op::Wait),
        2 => (pair(), any::<bool>()).prop_map(|((a, b), card)| Op::Open(a, b, card)),
        20 => (stream(), bytes()).prop_map(|((stream, side), bytes)| Op::Write { stream, side, bytes }),
        6 => (pair(), any::<bool>(), bytes())
            .prop_map(|((from, to), card, bytes)| Op::Datagram { from, to, card, bytes }),
    ];
    let fault = prop_oneof![
        20 => (pair(), on()).prop_map(|((a, b), on)| Op::Cut(a, b, on)),
        10 => (pair(), on()).prop_map(|((a, b), on)| Op::Silence(a, b, on)),
        6 => (stream(), any::<bool>()).prop_map(|((stream, side), fin)| Op::Close { stream, side, fin }),
        2 => pair().prop_map(|(a, b)| Op::Reset(a, b)),
        1 => (0..3u8).prop_map(Op::Down),
        1 => (0..3u8).prop_map(Op::Up),
        2 => (0..3u8, on()).prop_map(|(host, on)| Op::Hung(host, on)),
        2 => (pair(), on()).prop_map(|((a, b), on)| Op::Muted(a, b, on)),
        6 => (pair(), 0..2u64, 0..=100u64)
            .prop_map(|((from, to), name, percent)| Op::Degrade { from, to, name, percent }),
        4 => (0..3u8, 0..2u64, 0..=100u64)
            .prop_map(|(host, name, percent)| Op::DegradeCard { host, name, percent }),
    ];
    prop_oneof![100 - faults => calm, faults => fault]
}

fn specs() -> impl Strategy<Value = scenario::Network> {
    let ratio = || prop_oneof![2 => Just(Ratio::ZERO), 1 => Just(Ratio::new(1, 5)), 1 => Just(Ratio::new(1, 50))];
    let step = (1..50_000u64, prop_oneof![Just(0), 1_000_000..2_000_000_000u64]);
    let trace = proptest::collection::vec(step, 0..4);
    let jitter = prop_oneof![Just(Span::ZERO), Just(Span::from_us(5))];
    (any::<bool>(), jitter, ratio(), ratio(), trace, 1..12_000u64, 0..6_000u64).prop_map(
        |(shared, jitter, loss, duplicate, mut trace, queue, send_buffer)| {
            trace.sort_unstable();
            trace.extend(trace.last().map(|(at, _)| (at + 1, 700_000_001)));
            let step = |(ns, rate)| RateStep { from: Span::from_ns(ns), rate: ByteRate::new(rate) };
            scenario::Network {
                nics: if shared { Nics::Shared } else { Nics::Separate },
                jitter,
                loss,
                duplicate,
                rate_trace: trace.into_iter().map(step).collect(),
                queue: Bytes::new(queue),
                send_buffer: Bytes::new(send_buffer),
                ..spec()
            }
        },
    )
}

/// How a script is disturbed by things that should not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noise {
    None,
    Settle,
    IdleStreams,
}

struct Run {
    driver: Driver,
    streams: Vec<(StreamId, [HostId; 2])>,
}

fn play(spec: &scenario::Network, script: &[Op], noise: Noise) -> Run {
    let mut run = Run { driver: Driver::new(spec), streams: Vec::new() };
    for &op in script {
        match noise {
            Noise::None => {}
            Noise::Settle => run.driver.act(|net, now, _| net.settle(now)),
            Noise::IdleStreams => {
                run.driver.open(HostId(0), HostId(1), Nic::Migration);
            }
        }
        run.perform(op, noise);
    }
    run
}

impl Run {
    fn perform(&mut self, op: Op, noise: Noise) {
        let d = &mut self.driver;
        match op {
            Op::Wait(ns) => {
                if noise == Noise::Settle {
                    d.run_until(d.now + Span::from_ns(ns / 3));
                    d.act(|net, now, _| net.settle(now));
                    d.run_until(d.now + Span::from_ns(ns - ns / 3));
                } else {
                    d.run_until(d.now + Span::from_ns(ns));
                }
            }
            Op::Open(a, b, card) => {
                self.streams.push((d.open(HostId(a), HostId(b), nic(card)), [HostId(a), HostId(b)]));
            }
            Op::Write { stream, side, bytes } => {
                if let Some((stream, ends)) = self.streams.get(stream % self.streams.len()) {
                    d.write(*stream, ends[side], bytes);
                }
            }
            Op::Close { stream, side, fin } => {
                if let Some((stream, ends)) = self.streams.get(stream % self.streams.len()) {
                    d.close(*stream, ends[side], if fin { Close::Fin } else { Close::Reset });
                }
            }
            Op::Datagram { from, to, card, bytes } => {
                d.datagram(HostId(from), HostId(to), nic(card), bytes);
            }
            Op::Cut(a, b, on) => d.cut(HostId(a), HostId(b), on),
            Op::Silence(a, b, on) => d.silence(HostId(a), HostId(b), on),
            Op::Reset(a, b) => {
                d.act(|net, now, out| net.reset_between(now, HostId(a), HostId(b), None, out));
            }
            Op::Down(host) => d.act(|net, now, out| net.host_down(now, HostId(host), out)),
            Op::Up(host) => d.act(|net, now, out| net.host_up(now, HostId(host), out)),
            Op::Hung(host, on) => d.act(|net, now, out| net.set_hung(now, HostId(host), on, out)),
            Op::Muted(a, b, on) => d.act(|net, _, _| net.set_muted(HostId(a), HostId(b), on)),
            Op::Degrade { from, to, name, percent } => {
                let (rate, latency, loss) = (Ratio::percent(percent), Span::from_ns(percent), Ratio::new(percent, 400));
                let how = (percent > 0).then_some(Degradation { rate, latency, loss });
                d.act(|net, now, out| net.degrade(now, (HostId(from), HostId(to)), name, how, out));
            }
            Op::DegradeCard { host, name, percent } => {
                let rate = (percent > 0).then(|| Ratio::percent(percent));
                d.act(|net, now, out| net.degrade_card(now, HostId(host), name, rate, out));
            }
        }
    }
}

fn hash(net: &Network) -> u64 {
    let mut hasher = DefaultHasher::new();
    net.hash(&mut hasher);
    hasher.finish()
}

fn script() -> impl Strategy<Value = Vec<Op>> {
    let opens = [Op::Open(0, 1, true), Op::Open(0, 1, true), Op::Open(1, 2, false)];
    prop_oneof![Just(1), Just(10), Just(30)]
        .prop_flat_map(|faults| proptest::collection::vec(op(faults), 0..150))
        .prop_map(move |ops| opens.into_iter().chain(ops).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn accounts_order_and_outcomes_hold_and_all_drains(spec in specs(), script in script()) {
        let mut driver = play(&spec, &script, Noise::None).driver;
        driver.run();
        prop_assert!(driver.is_drained(), "{:?}", driver.net.all_in_flight());
    }

    #[test]
    fn without_faults_streams_lose_nothing(spec in specs(), script in script()) {
        let harmless = |op: &Op| matches!(op, Op::Wait(_) | Op::Open(..) | Op::Write { .. });
        let script: Vec<Op> = script.into_iter().filter(harmless).collect();
        let mut driver = play(&spec, &script, Noise::None).driver;
        driver.run();
        let total = driver.net.total();
        prop_assert_eq!(total.accepted, total.delivered);
    }

    #[test]
    fn equal_inputs_give_equal_state(spec in specs(), script in script()) {
        let [one, two] = [(), ()].map(|()| play(&spec, &script, Noise::None).driver);
        prop_assert_eq!(&one.net, &two.net);
        prop_assert_eq!(hash(&one.net), hash(&two.net));
        prop_assert_eq!(one.log(), two.log());
    }

    #[test]
    fn what_does_nothing_changes_nothing(spec in specs(), script in script()) {
        let [quiet, settled, idle] = [Noise::None, Noise::Settle, Noise::IdleStreams].map(|noise| {
            // A reset tells idle streams too, so it is left out.
            let calm: Vec<Op> = script.iter().copied().filter(|op| !matches!(op, Op::Reset(..))).collect();
            let mut driver = play(&spec, &calm, noise).driver;
            driver.run();
            driver.log()
        });
        prop_assert_eq!(&quiet, &settled);
        prop_assert_eq!(&quiet, &idle);
    }
}
