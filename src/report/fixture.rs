//! A small scenario for the tests of reports and traces: 64 MiB over gigabit Ethernet, migrated after a second.

use std::sync::Arc;

use crate::engine::{Observer, TieRule};
use crate::rng::RunSeed;
use crate::run::{RunResult, simulate_with};
use crate::scenario::policy::{
    AnsweredBy, Caps, Detector, Encoding, Ending, Fencing, Handover, HandoverKind, Heartbeat, Migration, OnSilence,
    Policy, PreCopy, Rule, StopRule, TransportError,
};
use crate::scenario::{
    CheckpointCosts, DirtyLog, Fault, FaultKind, Fidelity, Layout, MonitorInStop, Network, Nics, Operator, Output,
    OutputFlow, PageClass, Pattern, Platform, Scenario, Trigger, Verdict, Vm, Workload,
};
use crate::units::{ByteRate, Bytes, EventRate, PageCount, Ratio, Span};
use crate::vocabulary::{Defect, Outcome};

/// A pre-copy that converges, with a three-phase handover in which a silent peer is asked.
pub(crate) fn pre_copy() -> Scenario {
    Scenario {
        name: "fixture".into(),
        why: "A pre-copy of a small VM over gigabit Ethernet.".into(),
        policy: policy(),
        vms: vec![vm()],
        network: network(),
        platform: platform(),
        operator: Operator {
            migrate_at: Span::from_s(1),
            cancel_after: None,
            pause_after: None,
            recover: None,
            retry: None,
        },
        agents: Vec::new(),
        clock_drift_ppm: Vec::new(),
        faults: Vec::new(),
        defect: Defect::None,
        verdict: Verdict { outcome: vec![Outcome::Completed], ..Verdict::default() },
        horizon: Span::from_s(30),
        seed: 1,
        late: None,
        capsule: None,
        fidelity: Fidelity::Exact,
    }
}

fn policy() -> Policy {
    let stop_rule = StopRule::Qemu { downtime_limit: Span::from_ms(20), max_bandwidth: None };
    let rule = Rule::Misses { timeout: Span::from_ms(100), misses: 3 };
    let heartbeat = Heartbeat { period: Span::from_ms(100), answered_by: AnsweredBy::Vmm, rule };
    Policy {
        migration: Migration::PreCopy(PreCopy {
            stop_rule,
            caps: Caps::default(),
            auto_converge: None,
            encoding: Encoding::Plain,
            channels: 1,
        }),
        handover: Handover {
            kind: HandoverKind::ThreePhase,
            on_silence: OnSilence::Ask,
            destination_on_silence: OnSilence::Ask,
            ask_period: Span::from_s(1),
        },
        detector: Detector { heartbeat: Some(heartbeat), transport_error: TransportError::AtOnce },
        checkpoint: None,
        ending: Ending::Handshake,
        fencing: Fencing::None,
    }
}

fn vm() -> Vm {
    let class = PageClass {
        name: "all".into(),
        pages: PageCount::new(16_384),
        write: EventRate::per_s(5_000),
        trace: None,
        read: EventRate::ZERO,
        wake: PageCount::ZERO,
        pattern: Pattern::Uniform,
        zero: Ratio::percent(25),
        delta: Bytes::new(4096),
        compressed: Ratio::ONE,
        layout: Layout::Contiguous,
    };
    Vm {
        name: "vm".into(),
        memory: Bytes::new(64 << 20),
        vcpus: 1,
        workload: Workload { classes: vec![class], phases: Vec::new(), pace: None },
        output: Some(Output { rate: EventRate::per_s(200), size: Bytes::new(1_000), flow: OutputFlow::Open }),
        disk: None,
    }
}

fn network() -> Network {
    Network {
        nics: Nics::Separate,
        rate: ByteRate::new(125_000_000),
        application_rate: ByteRate::new(125_000_000),
        rate_trace: Vec::new(),
        path_rate: None,
        latency: Span::from_us(100),
        jitter: Span::ZERO,
        loss: Ratio::ZERO,
        duplicate: Ratio::ZERO,
        queue: Bytes::new(2 << 20),
        send_buffer: Bytes::new(1 << 20),
        packet: Bytes::new(1_460),
        rto: Span::from_ms(200),
        rto_max: Span::from_s(60),
        give_up: Span::from_s(15),
    }
}

fn platform() -> Platform {
    Platform {
        page_size: Bytes::new(4096),
        page_header: Bytes::new(8),
        zero_page: Bytes::new(9),
        device_state: Bytes::new(100_000),
        message: Bytes::new(64),
        chunk: PageCount::new(64),
        packet: PageCount::new(64),
        dirty_log: DirtyLog::ClearOnSend,
        setup: Span::from_ms(10),
        sync_per_gib: Span::from_ms(1),
        read_page: Span::from_us(1),
        place_zero: Span::from_us(1),
        first_touch: Span::ZERO,
        place_missing: Span::ZERO,
        monitor_in_stop: MonitorInStop::Answers,
        place_page: Span::from_us(1),
        xbzrle_page: None,
        compress_page: None,
        decompress_page: None,
        stop: Span::from_ms(1),
        load: Span::from_ms(1),
        resume: Span::from_ms(1),
        fault: Span::from_us(50),
        exit_per_gib: Span::ZERO,
        window: Span::from_ms(100),
        iteration: Span::from_ms(50),
        checkpoint: CheckpointCosts::default(),
    }
}

/// A fault at a time.
pub(crate) fn fault(what: FaultKind, at: Span, lasts: Option<Span>) -> Fault {
    Fault { what, when: Trigger::At(at), lasts, restarts_after: None }
}

/// A run of [`pre_copy`] under faults.
pub(crate) fn run_with(faults: Vec<Fault>) -> (Scenario, RunResult) {
    run(Scenario { faults, ..pre_copy() }, &mut [])
}

/// A run with further observers.
pub(crate) fn run(scenario: Scenario, observers: &mut [&mut dyn Observer]) -> (Scenario, RunResult) {
    let shared = Arc::new(scenario);
    let result = simulate_with(&shared, RunSeed { seed: 1, replication: 0 }, TieRule::default(), observers);
    (Arc::unwrap_or_clone(shared), result)
}

/// Autostart and a source that resumes when the destination falls silent, cut off after the destination runs: two
/// executions, both heard.
pub(crate) fn split_brain() -> Scenario {
    use crate::scenario::Direction;
    use crate::vocabulary::{Host, Phase};
    let mut scenario = pre_copy();
    scenario.name = "split-brain".into();
    scenario.why = "The source takes silence for death while the destination runs.".into();
    scenario.policy.handover.kind = HandoverKind::Autostart;
    scenario.policy.handover.on_silence = OnSilence::Resume;
    let what = FaultKind::Cut { from: Host::Source, to: Host::Destination, direction: Direction::Both };
    let when = Trigger::Phase { name: Phase::Handover, round: None, progress: Ratio::ZERO, after: Span::from_ms(2) };
    scenario.faults = vec![Fault { what, when, lasts: Some(Span::from_s(5)), restarts_after: None }];
    scenario.verdict = Verdict::default();
    scenario
}
