//! What it means → a complete text: models inline, nothing left to defaults.
//!
//! Manifests and capsules store this form, so that they mean the same when models and defaults have changed; only recorded writes
//! stay a name, for their size. Law: `resolve(print(s)) = s` (a property test), for every scenario that resolving can give.

mod checkpoint;
mod fault;

use super::policy::{
    AutoConverge, Cap, Caps, Detector, Encoding, Handover, HandoverKind, Heartbeat, Migration, Policy, PostCopy,
    PreCopy, Push, Rule, StopRule, Switch,
};
use super::resolve::{Column, ColumnUnit, print_bound};
use super::schema::model::{self as model_text, ModelRef, RateTrace};
use super::schema::policy as policy_text;
use super::schema::quantity::{FidelityText, SchemaVersion, Text, Word};
use super::schema::verdict as verdict_text;
use super::schema::{self, Empty, ScenarioFile};
use super::{Capsule, Fidelity, Network, OutputFlow, Pace, Pattern, Platform, Scenario, Vm, Workload};
use crate::units::{Bytes, Span};
use crate::vocabulary::{Defect, Host};

/// The complete text form. `columns` gives the units of bounds; a bound on an unknown column is printed as a count.
pub fn print(scenario: &Scenario, columns: &[Column]) -> ScenarioFile {
    let page_size = scenario.platform.page_size;
    let verdict = &scenario.verdict;
    let drift = |host| scenario.clock_drift_ppm.iter().find(|(other, _)| *other == host).map(|(_, ppm)| *ppm);
    let waives = verdict.waives.iter();
    ScenarioFile {
        schema_location: None,
        schema: SchemaVersion,
        why: scenario.why.clone(),
        policy: ModelRef::Inline(Box::new(policy(&scenario.policy))),
        vms: scenario.vms.iter().map(|one| vm(one, page_size)).collect(),
        network: Some(ModelRef::Inline(Box::new(network(&scenario.network)))),
        platform: Some(ModelRef::Inline(Box::new(platform(&scenario.platform)))),
        operator: Some(schema::Operator {
            migrate_at: Some(Text(scenario.operator.migrate_at)),
            cancel_after: scenario.operator.cancel_after.map(Text),
            pause_after: scenario.operator.pause_after.map(Text),
            recover: scenario
                .operator
                .recover
                .map(|recover| schema::Recover { after: Some(Text(recover.after)), retry: Some(Text(recover.retry)) }),
            retry: scenario
                .operator
                .retry
                .map(|retry| schema::Retry { after: Some(Text(retry.after)), times: Some(retry.times) }),
        }),
        agents: agents(scenario),
        clock_drift_ppm: Some(schema::ClockDrift {
            source: drift(Host::Source),
            destination: drift(Host::Destination),
            management: drift(Host::Management),
            staging: drift(Host::Staging),
        }),
        faults: scenario.faults.iter().map(fault::fault).collect(),
        tolerates: Some(verdict.tolerates.iter().copied().map(Word).collect()),
        waives: Some(
            waives
                .map(|waiver| verdict_text::Waiver { invariant: Word(waiver.invariant), why: waiver.why.clone() })
                .collect(),
        ),
        must_violate: verdict.must_violate.map(Word),
        defect: Some(scenario.defect).filter(|defect| *defect != Defect::None).map(Word),
        expect: Some(expect(scenario, columns)),
        horizon: Some(Text(scenario.horizon)),
        seed: Some(scenario.seed),
        late: scenario.late.map(|late| verdict_text::Late { event: late.event, past: late.past }),
        capsule: scenario.capsule.as_ref().map(capsule),
        fidelity: Some(Word(match scenario.fidelity {
            Fidelity::Exact => FidelityText::Exact,
        })),
    }
}

/// [`print()`] as indented JSON with a final newline.
pub fn print_json(scenario: &Scenario, columns: &[Column]) -> String {
    let mut text = serde_json::to_string_pretty(&print(scenario, columns)).expect("plain structs are JSON");
    text.push('\n');
    text
}

fn agents(scenario: &Scenario) -> Option<schema::Agents> {
    let name =
        |host| scenario.agents.iter().find(|(other, _)| *other == host).map(|(_, agent)| agent.name().to_owned());
    let own = schema::Agents { source: name(Host::Source), destination: name(Host::Destination) };
    (!scenario.agents.is_empty()).then_some(own)
}

fn capsule(capsule: &Capsule) -> verdict_text::Capsule {
    verdict_text::Capsule {
        shows: capsule.shows.clone(),
        outcome: Word(capsule.outcome),
        violates: capsule.violates.iter().copied().map(Word).collect(),
        fingerprint: capsule.fingerprint.clone(),
        version: capsule.version.clone(),
    }
}

fn expect(scenario: &Scenario, columns: &[Column]) -> verdict_text::Expect {
    let unit =
        |name: &str| columns.iter().find(|column| column.name == name).map_or(ColumnUnit::Count, |column| column.unit);
    let metrics = scenario.verdict.metrics.iter().map(|bound| {
        let text = |value: Option<u64>| value.map(|value| print_bound(unit(&bound.column), value));
        (bound.column.clone(), verdict_text::Bound { min: text(bound.min), max: text(bound.max) })
    });
    verdict_text::Expect {
        outcome: scenario.verdict.outcome.iter().copied().map(Word).collect(),
        ends: (scenario.verdict.ends != [None, None]).then(|| {
            let [source, destination] = scenario.verdict.ends.map(|end| end.map(Word));
            verdict_text::Ends { source, destination }
        }),
        metrics: metrics.collect(),
    }
}

fn vm(vm: &Vm, page_size: Bytes) -> schema::Vm {
    schema::Vm {
        name: Some(vm.name.clone()),
        memory: Text(vm.memory),
        vcpus: Some(vm.vcpus),
        workload: ModelRef::Inline(Box::new(workload(&vm.workload, page_size))),
        output: vm.output.as_ref().map(|output| schema::Output {
            rate: Text(output.rate),
            size: Text(output.size),
            flow: Some(match output.flow {
                OutputFlow::Open => schema::Flow::Open(Empty {}),
                OutputFlow::Closed { window, rto } => {
                    schema::Flow::Closed(schema::ClosedFlow { window: Some(window), rto: Some(Text(rto)) })
                }
            }),
        }),
        disk: vm.disk.as_ref().map(|disk| schema::Disk {
            rate: Text(disk.rate),
            size: Text(disk.size),
            blocks: Some(disk.blocks),
        }),
    }
}

fn workload(workload: &Workload, page_size: Bytes) -> model_text::Workload {
    let classes = workload.classes.iter().map(|class| model_text::Class {
        name: class.name.clone(),
        size: Some(Text(class.pages.bytes(page_size))),
        write: class.trace.is_none().then_some(Text(class.write)),
        trace: class.trace.as_ref().map(|recorded| model_text::Trace {
            runs: recorded.name.clone(),
            interval: Some(Text(recorded.interval)),
            from: Some(Text(Span::from_ns(recorded.interval.ns() * recorded.from as u64))),
        }),
        read: Some(Text(class.read)),
        wake: Some(Text(class.wake)),
        pattern: Some(match class.pattern {
            Pattern::Uniform => model_text::Pattern::Uniform(Empty {}),
            Pattern::Sequential => model_text::Pattern::Sequential(Empty {}),
            Pattern::Zipf { exponent } => model_text::Pattern::Zipf(model_text::Zipf { exponent: Text(exponent) }),
        }),
        zero: class.trace.is_none().then_some(Text(class.zero)),
        delta: Some(Text(class.delta)),
        compressed: Some(Text(class.compressed)),
        layout: Some(Word(class.layout)),
    });
    let phases = workload.phases.iter();
    let phases = phases.map(|phase| model_text::WorkloadPhase { from: Text(phase.from), factor: Text(phase.factor) });
    let schedule = |pace: Pace| model_text::Schedule { able: Text(pace.able), backlog: Text(pace.backlog) };
    let pace = workload.pace.map_or(model_text::Pace::Own(Empty {}), |p| model_text::Pace::Schedule(schedule(p)));
    model_text::Workload {
        base: None,
        classes: Some(classes.collect()),
        phases: Some(phases.collect()),
        pace: Some(pace),
    }
}

fn network(network: &Network) -> model_text::Network {
    let steps = network.rate_trace.iter();
    let steps = steps.map(|step| model_text::RateStep { from: Text(step.from), rate: Text(step.rate) });
    model_text::Network {
        base: None,
        nics: Some(Word(network.nics)),
        rate: Some(Text(network.rate)),
        application_rate: Some(Text(network.application_rate)),
        rate_trace: Some(RateTrace::Steps(steps.collect())),
        path_rate: network.path_rate.map(Text),
        latency: Some(Text(network.latency)),
        jitter: Some(Text(network.jitter)),
        loss: Some(Text(network.loss)),
        duplicate: Some(Text(network.duplicate)),
        queue: Some(Text(network.queue)),
        send_buffer: Some(Text(network.send_buffer)),
        packet: Some(Text(network.packet)),
        rto: Some(Text(network.rto)),
        rto_max: Some(Text(network.rto_max)),
        give_up: Some(Text(network.give_up)),
    }
}

fn platform(platform: &Platform) -> model_text::Platform {
    model_text::Platform {
        base: None,
        page_size: Some(Text(platform.page_size)),
        page_header: Some(Text(platform.page_header)),
        zero_page: Some(Text(platform.zero_page)),
        device_state: Some(Text(platform.device_state)),
        message: Some(Text(platform.message)),
        chunk: Some(Text(platform.chunk)),
        packet: Some(Text(platform.packet)),
        dirty_log: Some(Word(platform.dirty_log)),
        setup: Some(Text(platform.setup)),
        sync_per_gib: Some(Text(platform.sync_per_gib)),
        read_page: Some(Text(platform.read_page)),
        place_page: Some(Text(platform.place_page)),
        xbzrle_page: platform.xbzrle_page.map(Text),
        compress_page: platform.compress_page.map(Text),
        decompress_page: platform.decompress_page.map(Text),
        first_touch: Some(Text(platform.first_touch)),
        place_missing: Some(Text(platform.place_missing)),
        place_zero: Some(Text(platform.place_zero)),
        stop: Some(Text(platform.stop)),
        load: Some(Text(platform.load)),
        resume: Some(Text(platform.resume)),
        fault: Some(Text(platform.fault)),
        exit_per_gib: Some(Text(platform.exit_per_gib)),
        window: Some(Text(platform.window)),
        iteration: Some(Text(platform.iteration)),
        monitor_in_stop: Some(Word(platform.monitor_in_stop)),
        arrived_pages: Some(Word(platform.checkpoint.arrived_pages)),
        stage: Some(Text(platform.checkpoint.stage)),
        stage_page: Some(Text(platform.checkpoint.stage_page)),
        suspend: Some(Text(platform.checkpoint.suspend)),
        unsuspend: Some(Text(platform.checkpoint.unsuspend)),
        checkpoint_state: Some(Text(platform.checkpoint.state)),
        store_page: Some(Text(platform.checkpoint.store_page)),
        disk_page: platform.checkpoint.disk_page.map(Text),
        file_page: platform.checkpoint.file_page.map(Text),
        snapshot_page: platform.checkpoint.snapshot_page.map(Text),
        launch: Some(Text(platform.checkpoint.launch)),
        commit: Some(Text(platform.checkpoint.commit)),
        restore: Some(Text(platform.checkpoint.restore)),
        restore_page: Some(Text(platform.checkpoint.restore_page)),
    }
}

fn policy(policy: &Policy) -> policy_text::Policy {
    let migration = match &policy.migration {
        Migration::None => policy_text::Migration::None(Empty {}),
        Migration::StopAndCopy => policy_text::Migration::StopAndCopy(Empty {}),
        Migration::PreCopy(rounds) => policy_text::Migration::PreCopy(pre_copy(rounds)),
        Migration::PostCopy(pages) => policy_text::Migration::PostCopy(post_copy(pages)),
        Migration::Hybrid(hybrid) => policy_text::Migration::Hybrid(policy_text::Hybrid {
            switch: Some(match hybrid.switch {
                Switch::Rounds(rounds) => policy_text::Switch::Rounds(rounds),
                Switch::Time(time) => policy_text::Switch::Time(Text(time)),
            }),
            pre_copy: Some(pre_copy(&hybrid.pre_copy)),
            post_copy: Some(post_copy(&hybrid.post_copy)),
        }),
    };
    policy_text::Policy {
        base: None,
        migration: Some(migration),
        handover: Some(handover(&policy.handover)),
        detector: Some(detector(&policy.detector)),
        checkpoint: policy.checkpoint.as_ref().map(checkpoint::checkpoint),
        ending: policy.checkpoint.as_ref().map(|_| Word(policy.ending)),
        fencing: policy.checkpoint.as_ref().map(|_| checkpoint::fencing(&policy.fencing)),
        tolerates: None,
        waives: None,
    }
}

fn pre_copy(pre_copy: &PreCopy) -> policy_text::PreCopy {
    policy_text::PreCopy {
        stop_rule: Some(stop_rule(&pre_copy.stop_rule)),
        caps: Some(caps(&pre_copy.caps)),
        auto_converge: pre_copy.auto_converge.as_ref().map(auto_converge),
        xbzrle: match pre_copy.encoding {
            Encoding::Xbzrle { cache } => Some(policy_text::Xbzrle { cache: Some(Text(cache)) }),
            Encoding::Plain | Encoding::Compressed => None,
        },
        channels: Some(pre_copy.channels.into()),
        compression: (pre_copy.encoding == Encoding::Compressed).then_some(Empty {}),
    }
}

fn post_copy(post_copy: &PostCopy) -> policy_text::PostCopy {
    let push = match post_copy.push {
        Push::Ascending => policy_text::Push::Ascending(Empty {}),
        Push::FromFault => policy_text::Push::FromFault(Empty {}),
        Push::Bubbling { pivots } => policy_text::Push::Bubbling(policy_text::Bubbling { pivots: Some(pivots) }),
    };
    policy_text::PostCopy {
        push: Some(push),
        preempt: Some(post_copy.preempt),
        max_bandwidth: post_copy.max_bandwidth.map(Text),
        finish: post_copy.finish.map(Text),
    }
}

fn stop_rule(rule: &StopRule) -> policy_text::StopRule {
    match *rule {
        StopRule::Qemu { downtime_limit, max_bandwidth } => policy_text::StopRule::Qemu(policy_text::QemuRule {
            downtime_limit: Some(Text(downtime_limit)),
            max_bandwidth: max_bandwidth.map(Text),
        }),
        StopRule::Clark { min_rate, increment, max_rate, min_remaining, at_max } => {
            policy_text::StopRule::Clark(policy_text::ClarkRule {
                min_rate: Text(min_rate),
                increment: Text(increment),
                max_rate: Text(max_rate),
                min_remaining: Text(min_remaining),
                at_max: Some(Word(at_max)),
            })
        }
    }
}

fn caps(caps: &Caps) -> policy_text::Caps {
    fn cap<T: Copy, M>(cap: Option<Cap<T>>, text: impl Fn(T) -> M) -> Option<policy_text::Cap<M>> {
        cap.map(|cap| policy_text::Cap { max: text(cap.max), then: Some(Word(cap.then)) })
    }
    policy_text::Caps {
        rounds: cap(caps.rounds, |rounds| rounds),
        bytes: cap(caps.bytes, Text),
        time: cap(caps.time, Text),
    }
}

fn auto_converge(throttle: &AutoConverge) -> policy_text::AutoConverge {
    policy_text::AutoConverge {
        trigger: Some(Text(throttle.trigger)),
        initial: Some(Text(throttle.initial)),
        increment: Some(Text(throttle.increment)),
        max: Some(Text(throttle.max)),
    }
}

fn handover(handover: &Handover) -> policy_text::Handover {
    let (on_silence, ask_period) = (Some(Word(handover.on_silence)), Some(Text(handover.ask_period)));
    match handover.kind {
        HandoverKind::Autostart => policy_text::Handover::Autostart(policy_text::Autostart { on_silence, ask_period }),
        HandoverKind::ThreePhase => policy_text::Handover::ThreePhase(policy_text::ThreePhase {
            on_silence,
            destination_on_silence: Some(Word(handover.destination_on_silence)),
            ask_period,
        }),
    }
}

fn detector(detector: &Detector) -> policy_text::Detector {
    let heartbeat = detector.heartbeat.as_ref().map_or(policy_text::Heartbeat::Off(Empty {}), heartbeat);
    policy_text::Detector { heartbeat: Some(heartbeat), transport_error: Some(Word(detector.transport_error)) }
}

fn heartbeat(heartbeat: &Heartbeat) -> policy_text::Heartbeat {
    let (period, answered_by) = (Some(Text(heartbeat.period)), Some(Word(heartbeat.answered_by)));
    match heartbeat.rule {
        Rule::Misses { timeout, misses } => policy_text::Heartbeat::Pings(policy_text::Pings {
            period,
            timeout: Some(Text(timeout)),
            misses: Some(misses),
            answered_by,
        }),
        Rule::Phi(phi) => policy_text::Heartbeat::Phi(policy_text::PhiPings {
            period,
            threshold: Some(phi.threshold),
            window: Some(phi.window),
            min_deviation: Some(Text(phi.min_deviation)),
            answered_by,
        }),
    }
}
