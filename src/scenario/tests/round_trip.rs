//! The law of printing: what is printed is read back as the same scenario.

mod checkpoint;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::faults::fault;
use super::{COLUMNS, GOOD, read};
use crate::scenario::defect::bearer;
use crate::scenario::policy::{
    AnsweredBy, AtMax, AutoConverge, Cap, CapEnding, Caps, Checkpoint, Detector, Encoding, Handover, HandoverKind,
    Heartbeat, Hybrid, Medium, Migration, OnSilence, Phi, Policy, PostCopy, PreCopy, Push, Rule, StopRule, Switch,
    TransportError,
};
use crate::scenario::{
    Capsule, Disk, Late, Layout, MetricBound, Network, Nics, Output, OutputFlow, Pace, PageClass, Pattern, RateStep,
    Recover, Retry, Scenario, Verdict, Vm, Waiver, Workload, WorkloadPhase, print_json,
};
use crate::units::{ByteRate, Bytes, EventRate, PageCount, Ratio, Span};
use crate::vocabulary::{Defect, End, FaultClass, Host, Invariant, Outcome};

/// Any integer that all quantities can hold.
pub(super) fn amount() -> impl Strategy<Value = u64> {
    0u64..1 << 48
}

pub(super) fn span() -> impl Strategy<Value = Span> {
    (1u64..1 << 50).prop_map(Span::from_ns)
}

fn byte_rate() -> impl Strategy<Value = ByteRate> {
    (1u64..1 << 50).prop_map(ByteRate::new)
}

pub(super) fn share() -> impl Strategy<Value = Ratio> {
    (0u64..1 << 39, 1u64..1 << 39).prop_map(|(a, b)| Ratio::new(a.min(b), a.max(b).max(1)))
}

pub(super) fn host() -> impl Strategy<Value = Host> {
    select(Host::ALL)
}

fn cap<T: std::fmt::Debug>(max: impl Strategy<Value = T>) -> impl Strategy<Value = Option<Cap<T>>> {
    let then = select(&[CapEnding::Stop, CapEnding::Abort][..]);
    option::of((max, then).prop_map(|(max, then)| Cap { max, then }))
}

fn stop_rule() -> impl Strategy<Value = StopRule> {
    let qemu = (amount(), option::of(byte_rate()))
        .prop_map(|(limit, max_bandwidth)| StopRule::Qemu { downtime_limit: Span::from_ns(limit), max_bandwidth });
    let at_max = select(&[AtMax::Stop, AtMax::WhileShrinking][..]);
    let clark = (byte_rate(), byte_rate(), amount(), amount(), at_max).prop_map(|(a, b, increment, bytes, at_max)| {
        let (increment, min_remaining) = (ByteRate::new(increment), Bytes::new(bytes));
        StopRule::Clark { min_rate: a.min(b), increment, max_rate: a.max(b), min_remaining, at_max }
    });
    prop_oneof![qemu, clark]
}

fn auto_converge() -> impl Strategy<Value = AutoConverge> {
    (1u64..1000, 1u64..99, 0u64..200, 0u64..99).prop_map(|(trigger, initial, increment, more)| AutoConverge {
        trigger: Ratio::percent(trigger),
        initial: Ratio::percent(initial),
        increment: Ratio::percent(increment),
        max: Ratio::percent((initial + more).min(99)),
    })
}

fn migration() -> impl Strategy<Value = Migration> {
    let caps = (cap(1u64..1 << 48), cap((1u64..1 << 48).prop_map(Bytes::new)), cap(span()));
    let caps = caps.prop_map(|(rounds, bytes, time)| Caps { rounds, bytes, time }).boxed();
    let cache = (12u32..48).prop_map(|power| Encoding::Xbzrle { cache: Bytes::new(1 << power) });
    let encoding = prop_oneof![Just(Encoding::Plain), Just(Encoding::Compressed), cache];
    let pre_copy = (stop_rule(), caps, option::of(auto_converge()), encoding, 1u8..)
        .prop_map(|(stop_rule, caps, auto_converge, encoding, channels)| {
            let alone = matches!(stop_rule, StopRule::Clark { .. }) || matches!(encoding, Encoding::Xbzrle { .. });
            let channels = if alone { 1 } else { channels };
            PreCopy { stop_rule, caps, auto_converge, encoding, channels }
        })
        .boxed();
    let push = prop_oneof![
        Just(Push::Ascending),
        Just(Push::FromFault),
        (1u64..65).prop_map(|pivots| Push::Bubbling { pivots })
    ];
    let post_copy = (push, any::<bool>(), option::of(byte_rate()), option::of(1u64..1 << 39))
        .prop_map(|(push, preempt, max_bandwidth, finish)| PostCopy {
            push,
            preempt,
            max_bandwidth,
            finish: finish.map(Span::from_ns),
        })
        .boxed();
    let switch =
        prop_oneof![(1u64..1 << 48).prop_map(Switch::Rounds), amount().prop_map(|t| Switch::Time(Span::from_ns(t)))];
    let hybrid = (pre_copy.clone(), switch, post_copy.clone())
        .prop_map(|(pre_copy, switch, post_copy)| Migration::Hybrid(Hybrid { pre_copy, switch, post_copy }));
    let (rounds, pages) = (pre_copy.prop_map(Migration::PreCopy), post_copy.prop_map(Migration::PostCopy));
    prop_oneof![Just(Migration::None), Just(Migration::StopAndCopy), rounds, pages, hybrid]
}

fn policy() -> impl Strategy<Value = Policy> {
    let silence = || select(&[OnSilence::Resume, OnSilence::Wait, OnSilence::Ask][..]);
    let kind = select(&[HandoverKind::Autostart, HandoverKind::ThreePhase][..]);
    let handover = (kind, silence(), silence(), span()).prop_map(|(kind, on_silence, destination, ask_period)| {
        let fixed = kind == HandoverKind::Autostart;
        let destination_on_silence = if fixed { OnSilence::Wait } else { destination };
        Handover { kind, on_silence, destination_on_silence, ask_period }
    });
    let answered_by = select(&[AnsweredBy::Kernel, AnsweredBy::Vmm, AnsweredBy::Agent][..]);
    let misses = (span(), 1u64..1 << 48).prop_map(|(timeout, misses)| Rule::Misses { timeout, misses });
    let phi = (1u64..=16, 2u64..=10_000, span());
    let phi = phi.prop_map(|(threshold, window, min_deviation)| Rule::Phi(Phi { threshold, window, min_deviation }));
    let heartbeat = (span(), answered_by, prop_oneof![misses, phi]).prop_map(|(period, answered_by, rule)| Heartbeat {
        period,
        answered_by,
        rule,
    });
    let errors = select(&[TransportError::Ignored, TransportError::AtNextWrite, TransportError::AtOnce][..]);
    let detector = (option::of(heartbeat), errors)
        .prop_map(|(heartbeat, transport_error)| Detector { heartbeat, transport_error });
    let protected = migration().prop_flat_map(|migration| (checkpoint::protection(&migration), Just(migration)));
    (protected, handover, detector).prop_map(|((protection, migration), handover, detector)| {
        let (checkpoint, ending, fencing) = protection;
        Policy { migration, handover, detector, checkpoint, ending, fencing }
    })
}

fn class() -> impl Strategy<Value = PageClass> {
    let pattern = prop_oneof![
        Just(Pattern::Uniform),
        Just(Pattern::Sequential),
        (1u64..1000).prop_map(|n| Pattern::Zipf { exponent: Ratio::new(n, 100) }),
    ];
    let compressed = share().prop_filter("above zero", |compressed| *compressed > Ratio::ZERO);
    let layout = select(&[Layout::Contiguous, Layout::Mixed, Layout::Shuffled][..]);
    let rates = (0u64..1 << 43, 0u64..1 << 43);
    (1u64..1 << 28, rates, pattern, share(), layout, 1u64..=4096, compressed).prop_map(
        |(pages, (write, read), pattern, zero, layout, delta, compressed)| PageClass {
            name: String::new(),
            pages: PageCount::new(pages),
            write: EventRate::per_megasecond(write),
            trace: None,
            read: EventRate::per_megasecond(read),
            wake: PageCount::new(read % (pages + 1)),
            pattern,
            zero,
            delta: Bytes::new(delta),
            compressed,
            layout,
        },
    )
}

fn vm() -> impl Strategy<Value = Vm> {
    let flow = prop_oneof![
        Just(OutputFlow::Open),
        (1u64..1 << 48, span()).prop_map(|(window, rto)| OutputFlow::Closed { window, rto }),
    ];
    let output = (1u64..1 << 43, 1u64..1 << 20, flow).prop_map(|(rate, size, flow)| Output {
        rate: EventRate::per_megasecond(rate),
        size: Bytes::new(size),
        flow,
    });
    let disk = (1u64..1 << 43, 1u64..=16 << 20, 1u64..1 << 48).prop_map(|(rate, size, blocks)| Disk {
        rate: EventRate::per_megasecond(rate),
        size: Bytes::new(size),
        blocks,
    });
    let (output, disk) = (option::of(output), option::of(disk));
    let phases = prop::collection::btree_map(amount(), (0u64..1000).prop_map(Ratio::percent), 0..4);
    let pace = option::of(
        (1u64..1 << 43, span()).prop_map(|(able, backlog)| Pace { able: EventRate::per_megasecond(able), backlog }),
    );
    ("[a-z]{1,8}", prop::collection::vec(class(), 1..4), (phases, pace), (output, disk), 1u64..1025).prop_map(
        |(name, mut classes, (phases, pace), (output, disk), vcpus)| {
            for (i, class) in classes.iter_mut().enumerate() {
                class.name = format!("class {i}");
            }
            let memory = classes.iter().map(|class| class.pages).sum::<PageCount>().bytes(Bytes::new(4096));
            let phases = phases.into_iter();
            let phases = phases.map(|(from, factor)| WorkloadPhase { from: Span::from_ns(from), factor }).collect();
            Vm { name, memory, vcpus, workload: Workload { classes, phases, pace }, output, disk }
        },
    )
}

fn network() -> impl Strategy<Value = Network> {
    let rates = (byte_rate(), byte_rate(), option::of(byte_rate()), any::<bool>());
    let trace = prop::collection::btree_map(amount(), amount(), 0..4);
    let spans = (span(), amount(), span(), span(), span());
    let shares = (share().prop_filter("below 100 %", |loss| *loss < Ratio::ONE), share());
    // A queue holds a chunk, and any packet of the guest.
    let sizes = (1u64..1 << 48, 1u64 << 20..1 << 48, 1u64..1 << 48);
    (rates, trace, spans, shares, sizes).prop_map(|(rates, trace, spans, shares, sizes)| Network {
        nics: if rates.3 { Nics::Shared } else { Nics::Separate },
        rate: rates.0,
        application_rate: if rates.3 { rates.0 } else { rates.1 },
        path_rate: rates.2,
        rate_trace: trace
            .into_iter()
            .map(|(from, rate)| RateStep { from: Span::from_ns(from), rate: ByteRate::new(rate) })
            .collect(),
        latency: spans.0,
        jitter: Span::from_ns(spans.1),
        rto: spans.2.min(spans.3).min(spans.4),
        rto_max: spans.3,
        give_up: spans.4,
        loss: shares.0,
        duplicate: shares.1,
        packet: Bytes::new(sizes.0.min(sizes.1).min(sizes.2)),
        queue: Bytes::new(sizes.1),
        send_buffer: Bytes::new(sizes.2),
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let classes = prop::collection::vec(select(FaultClass::ALL), 0..3);
    let waives = prop::collection::vec((select(Invariant::ALL), "[a-z]{1,9}"), 0..3);
    let outcome = prop::collection::vec(select(Outcome::ALL), 0..3);
    let bounds = prop::collection::btree_map(0..COLUMNS.len(), (0u64..1 << 39, 0u64..1 << 39, 0..3), 0..4);
    let ends = || option::of(select(End::ALL));
    let outcome = (outcome, (ends(), ends()).prop_map(|(source, destination)| [source, destination]));
    (classes, waives, option::of(select(Invariant::ALL)), outcome, bounds).prop_map(
        |(tolerates, waives, must_violate, (outcome, ends), bounds)| {
            let waives = waives.into_iter().map(|(invariant, why)| Waiver { invariant, why });
            let mut metrics: Vec<MetricBound> = bounds
                .into_iter()
                .map(|(column, (a, b, which))| MetricBound {
                    column: COLUMNS[column].name.into(),
                    min: (which != 0).then_some(a.min(b)),
                    max: (which != 1).then_some(a.max(b)),
                })
                .collect();
            metrics.sort_by(|a, b| a.column.cmp(&b.column));
            let waives = waives.filter(|waiver| Some(waiver.invariant) != must_violate).collect();
            Verdict { tolerates, waives, must_violate, outcome, ends, metrics }
        },
    )
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let base = read(GOOD).expect("the good scenario is good");
    let times = (amount(), amount(), option::of(amount()), amount());
    let recover = (option::of((amount(), 1u64..1 << 48)), option::of((amount(), 1u64..=16)));
    let drift = option::of(-100_000i32..=100_000);
    let parts = (policy(), vm(), network(), prop::collection::vec(fault(), 0..4), verdict());
    let rest = (drift, recover, select(Defect::ALL));
    ("[^\\s]\\PC{0,20}", parts, times, rest).prop_map(move |(why, parts, times, (drift, recover, defect))| {
        let mut scenario = base.clone();
        scenario.why = why;
        (scenario.policy, scenario.network) = (parts.0, parts.2);
        scenario.vms = vec![parts.1];
        if scenario.policy.checkpoint.as_ref().is_some_and(Checkpoint::holds_disk) {
            let disk = Disk { rate: EventRate::per_s(1), size: Bytes::new(1), blocks: 1 };
            scenario.vms[0].disk.get_or_insert(disk);
        }
        let on_disk = scenario.policy.checkpoint.as_ref().is_some_and(|c| c.store.medium == Medium::Disk);
        let costs = &mut scenario.platform.checkpoint;
        costs.disk_page = on_disk.then(|| Span::from_ns(times.3));
        (costs.file_page, costs.snapshot_page) = (Some(Span::from_ns(times.3)), Some(Span::from_ns(times.0)));
        (scenario.faults, scenario.verdict) = (parts.3, parts.4);
        let emits = scenario.vms[0].output.is_some();
        scenario.faults.retain(|fault| fault.cannot_strike(&scenario.policy, emits).is_none());
        let migrate_at = times.0.min(times.1);
        scenario.horizon = Span::from_ns(times.0.max(times.1).max(migrate_at.saturating_add(1)));
        scenario.operator.migrate_at = Span::from_ns(migrate_at);
        scenario.operator.cancel_after = times.2.map(Span::from_ns);
        scenario.operator.pause_after = times.2.map(|ns| Span::from_ns(ns / 2));
        scenario.operator.recover =
            recover.0.map(|(after, retry)| Recover { after: Span::from_ns(after), retry: Span::from_ns(retry) });
        scenario.operator.retry = recover.1.map(|(after, times)| Retry { after: Span::from_ns(after), times });
        let planted = scenario.verdict.must_violate.is_some() && bearer(defect, &scenario.policy).is_ok();
        scenario.defect = if planted { defect } else { Defect::None };
        scenario.seed = times.3;
        scenario.late = times.2.map(|event| Late { event: event + 1, past: times.0 + 1 });
        scenario.capsule = times.2.map(|n| Capsule {
            shows: "claim".into(),
            outcome: Outcome::ALL[usize::try_from(n).expect("64 bits") % Outcome::ALL.len()],
            violates: scenario.verdict.must_violate.into_iter().collect(),
            fingerprint: format!("t{n}"),
            version: "0.1.0".into(),
        });
        scenario.clock_drift_ppm = drift.map(|ppm| (Host::Destination, ppm)).into_iter().collect();
        scenario
    })
}

proptest! {
    #[test]
    fn printing_is_undone_by_reading(scenario in scenario()) {
        let text = print_json(&scenario, COLUMNS);
        let again = read(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&again, &scenario);
        prop_assert_eq!(print_json(&again, COLUMNS), text);
    }
}

#[test]
fn what_is_printed_obeys_the_schema() {
    let scenario = read(GOOD).expect("the good scenario is good");
    let value = serde_json::from_str(&print_json(&scenario, COLUMNS)).expect("what is printed is JSON");
    let validator = jsonschema::validator_for(&crate::scenario::json_schema()).expect("our schema is a schema");
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
