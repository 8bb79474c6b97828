//! What was typed → what it means: names looked up, defaults filled in, values checked against each other.
//!
//! All problems are collected, each with its place, and reported together; a scenario comes out only if there is none.
//! The defaults of the format are here and in the submodules, once each.

mod amount;
mod axis;
mod checkpoint;
mod context;
mod encoding;
mod fault;
mod figure;
mod model;
mod policy;
mod reference;
mod sweep;
mod verdict;
mod workload;

use std::sync::Arc;

use super::error::Diagnostic;
use super::library::Library;
use super::load::Known;
use super::schema::model::ModelRef;
use super::schema::{Agents, ClockDrift, Disk as DiskText, Flow, ScenarioFile, Vm as VmText};
use super::source::Source;
use super::{
    Disk, Fidelity, Late, Network, Operator, Output, OutputFlow, OwnAgent, Platform, Recover, Retry, Scenario, Vm,
};
use crate::units::{Bytes, EventRate, Span};
use crate::vocabulary::{Defect, Host};
use context::{Context, Place};

pub(super) use figure::resolve_figure;
pub(super) use reference::resolve_reference;
pub(super) use sweep::{FIRST_LOOK, resolve_sweep};
pub(super) use verdict::print_bound;
pub use verdict::{Column, ColumnUnit};
pub(super) use workload::{RecordedClasses, recorded_classes};

/// The network of a scenario that names none.
pub(super) const DEFAULT_NETWORK: &str = "gige";
/// The platform of a scenario that names none.
pub(super) const DEFAULT_PLATFORM: &str = "generic";
const DEFAULT_SEED: u64 = 1;
const DEFAULT_MIGRATE_AT: Span = Span::from_s(1);
const DEFAULT_RECOVER_AFTER: Span = Span::from_s(1);
const DEFAULT_RECOVER_RETRY: Span = Span::from_s(5);
const DEFAULT_RETRY_AFTER: Span = Span::from_s(5);
/// Each attempt may open an execution, and those are numbered in few bits.
const MAX_RETRIES: u64 = 16;
const MAX_VCPUS: u64 = 1024;
const DEFAULT_WINDOW: u64 = 10;
const DEFAULT_BLOCKS: u64 = 1024;
const DEFAULT_OUTPUT_RTO: Span = Span::from_ms(200);
/// Ten per cent: no real clock is so wrong.
const MAX_DRIFT_PPM: u32 = 100_000;

/// Gives a typed scenario its meaning.
///
/// # Errors
/// All problems, at least one.
pub(super) fn resolve(
    name: &str,
    file: &ScenarioFile,
    source: &Arc<Source>,
    library: &Library,
    known: Known<'_>,
) -> Result<Scenario, Vec<Diagnostic>> {
    let mut context = Context::new(source, library);
    let resolved = scenario(&mut context, name, file, known);
    match resolved {
        Some(scenario) if context.is_clean() => Ok(scenario),
        _ => Err(context.into_diagnostics()),
    }
}

/// Packets or disk writes of a guest: ten million a second, which no card or disk of one guest passes.
const MAX_OUTPUT: EventRate = EventRate::per_s(10_000_000);

fn scenario(context: &mut Context<'_>, name: &str, file: &ScenarioFile, known: Known<'_>) -> Option<Scenario> {
    let root = Place::root();
    if file.why.trim().is_empty() {
        context.problem(&root.key("why"), "is empty", Some("say in a sentence what the scenario shows"));
    }
    let network = file.network.clone().unwrap_or_else(|| ModelRef::Name(DEFAULT_NETWORK.into()));
    let network = model::network(context, &network, &root.key("network"));
    let platform = file.platform.clone().unwrap_or_else(|| ModelRef::Name(DEFAULT_PLATFORM.into()));
    let platform = model::platform(context, &platform, &root.key("platform"));
    if let (Some(network), Some(platform)) = (&network, &platform) {
        chunk_fits(context, network, platform, &root);
    }
    let policy = policy::policy(context, &file.policy, &root.key("policy"));
    if let (Some(platform), Some(resolved)) = (&platform, &policy) {
        encoding::affordable(context, &resolved.policy, platform, &resolved.migration);
        checkpoint::affordable(context, &resolved.policy, platform, &resolved.checkpoint);
    }
    let vms = vms(context, file, platform.as_ref(), &root.key("vms"));
    if let (Some(network), Some(output)) = (&network, vms.first().and_then(|vm| vm.output.as_ref())) {
        packet_fits(context, network, output, &root.key("vms").index(0).key("output").key("size"));
    }
    if let (Some(vm), Some(resolved)) = (vms.first(), &policy) {
        checkpoint::holds_what_there_is(context, &resolved.policy, vm, &resolved.checkpoint);
    }
    let operator = Operator {
        migrate_at: file.operator.as_ref().and_then(|o| o.migrate_at).map_or(DEFAULT_MIGRATE_AT, |at| at.0),
        cancel_after: file.operator.as_ref().and_then(|o| o.cancel_after).map(|after| after.0),
        pause_after: file.operator.as_ref().and_then(|o| o.pause_after).map(|after| after.0),
        recover: recover(context, file, &root.key("operator").key("recover")),
        retry: retry(context, file, &root.key("operator").key("retry")),
    };
    let agents = agents(context, file.agents.as_ref(), known.agents, &root.key("agents"));
    let clock_drift_ppm = drift(context, file.clock_drift_ppm.as_ref(), &root.key("clock_drift_ppm"));
    let emits = vms.first().is_some_and(|vm| vm.output.is_some());
    let (policy, claims) = policy.map_or_else(Default::default, |resolved| (Some(resolved.policy), resolved.claims));
    let verdict = verdict::verdict(context, file, claims, known.columns, &root);
    let (faults, defect) = match &policy {
        Some(policy) => (
            fault::faults(context, &file.faults, policy, emits, &root.key("faults")),
            verdict::defect(context, file, policy, &root.key("defect")),
        ),
        None => (Vec::new(), Defect::None),
    };
    let horizon = horizon(context, file, vms.first(), network.as_ref(), operator.migrate_at, &root.key("horizon"));
    Some(Scenario {
        name: name.into(),
        why: file.why.clone(),
        policy: policy?,
        vms,
        network: network?,
        platform: platform?,
        operator,
        agents,
        clock_drift_ppm,
        faults,
        defect,
        verdict,
        horizon,
        seed: file.seed.unwrap_or(DEFAULT_SEED),
        late: late(context, file, &root.key("late")),
        capsule: file.capsule.as_ref().map(verdict::capsule),
        // `auto` and `exact` are the same as long as there is only one way.
        fidelity: Fidelity::Exact,
    })
}

fn late(context: &mut Context<'_>, file: &ScenarioFile, at: &Place) -> Option<Late> {
    let text = file.late.as_ref()?;
    context.positive(text.event > 0, &at.key("event"));
    context.positive(text.past > 0, &at.key("past"));
    Some(Late { event: text.event, past: text.past })
}

fn retry(context: &mut Context<'_>, file: &ScenarioFile, at: &Place) -> Option<Retry> {
    let text = file.operator.as_ref()?.retry.as_ref()?;
    let times = text.times.unwrap_or(1);
    if times == 0 || times > MAX_RETRIES {
        context.problem(&at.key("times"), format!("{times} is not 1 to {MAX_RETRIES}"), None);
    }
    Some(Retry { after: text.after.map_or(DEFAULT_RETRY_AFTER, |after| after.0), times })
}

fn recover(context: &mut Context<'_>, file: &ScenarioFile, at: &Place) -> Option<Recover> {
    let text = file.operator.as_ref()?.recover.as_ref()?;
    let after = text.after.map_or(DEFAULT_RECOVER_AFTER, |after| after.0);
    let retry = text.retry.map_or(DEFAULT_RECOVER_RETRY, |retry| retry.0);
    context.positive(retry > Span::ZERO, &at.key("retry"));
    Some(Recover { after, retry })
}

/// Bytes of one packet or message: far beyond any real one, and sums over all of a run's fit.
const MAX_MESSAGE: Bytes = Bytes::new(16 << 20);

/// A packet larger than the queue would never leave.
fn packet_fits(context: &mut Context<'_>, network: &Network, output: &Output, at: &Place) {
    if output.size > MAX_MESSAGE {
        context.problem(at, format!("{} is more than a packet of {MAX_MESSAGE}", output.size), None);
    }
    if output.size > network.queue {
        let message = format!("{} never fits the queue of a path, which holds {}", output.size, network.queue);
        context.problem(at, message, None);
    }
}

/// A chunk larger than the queue would fill it whenever it is there, and no datagram, so no heartbeat, would ever fit beside it.
fn chunk_fits(context: &mut Context<'_>, network: &Network, platform: &Platform, root: &Place) {
    let page = platform.page_size.get().saturating_add(platform.page_header.get()).max(platform.zero_page.get());
    let zeros = platform.page_size.get().saturating_mul(platform.chunk.get()) / 4;
    let chunk = page.saturating_mul(platform.chunk.get()).saturating_add(zeros).saturating_add(platform.message.get());
    let parts =
        [("page_header", platform.page_header), ("zero_page", platform.zero_page), ("message", platform.message)];
    for (key, bytes) in parts.into_iter().filter(|part| part.1 > MAX_MESSAGE) {
        context.problem(&root.key("platform").key(key), format!("{bytes} is more than {MAX_MESSAGE}"), None);
    }
    if chunk >= network.queue.get() {
        let message =
            format!("a chunk of {} is {chunk} B, and the queue of a path holds {}", platform.chunk, network.queue);
        context.problem(
            &root.key("network"),
            message,
            Some("give a larger `network.queue` or a smaller `platform.chunk`"),
        );
    }
}

fn vms(context: &mut Context<'_>, file: &ScenarioFile, platform: Option<&Platform>, at: &Place) -> Vec<Vm> {
    if file.vms.len() != 1 {
        let message = format!("has {} VMs; exactly one can be simulated for now", file.vms.len());
        context.problem(at, message, None);
    }
    let vms = file.vms.iter().enumerate();
    vms.filter_map(|(i, text)| vm(context, text, platform, &at.index(i))).collect()
}

fn vm(context: &mut Context<'_>, text: &VmText, platform: Option<&Platform>, at: &Place) -> Option<Vm> {
    let name = text.name.clone().unwrap_or_else(|| "vm".into());
    if name.trim().is_empty() {
        context.problem(&at.key("name"), "is empty", None);
    }
    let memory = text.memory.0;
    let output = text.output.as_ref().map(|output| {
        let at = at.key("output");
        if output.rate.0 == EventRate::ZERO {
            context.problem(&at.key("rate"), "is zero", Some("leave `output` out for a silent guest"));
        }
        if output.rate.0 > MAX_OUTPUT {
            let message = format!("{} is more than the {MAX_OUTPUT} that are simulated, one by one", output.rate.0);
            context.problem(&at.key("rate"), message, None);
        }
        if output.size.0 == Bytes::ZERO {
            context.problem(&at.key("size"), "is zero; a packet has bytes", None);
        }
        Output { rate: output.rate.0, size: output.size.0, flow: flow(context, output.flow.as_ref(), &at.key("flow")) }
    });
    let disk = text.disk.as_ref().map(|text| disk(context, text, &at.key("disk")));
    let page_size = platform.map(|platform| platform.page_size).filter(|size| *size != Bytes::ZERO);
    let workload = workload::workload(context, text, page_size, at);
    let vcpus = text.vcpus.unwrap_or(1);
    if vcpus == 0 || vcpus > MAX_VCPUS {
        context.problem(&at.key("vcpus"), format!("{vcpus} is not 1 to {MAX_VCPUS}"), None);
    }
    Some(Vm { name, memory, vcpus, workload: workload?, output, disk })
}

fn disk(context: &mut Context<'_>, text: &DiskText, at: &Place) -> Disk {
    let disk = Disk { rate: text.rate.0, size: text.size.0, blocks: text.blocks.unwrap_or(DEFAULT_BLOCKS) };
    if disk.rate == EventRate::ZERO {
        context.problem(&at.key("rate"), "is zero", Some("leave `disk` out for a guest that writes to none"));
    }
    if disk.rate > MAX_OUTPUT {
        let message = format!("{} is more than the {MAX_OUTPUT} that are simulated, one by one", disk.rate);
        context.problem(&at.key("rate"), message, None);
    }
    context.positive(disk.size > Bytes::ZERO, &at.key("size"));
    if disk.size > MAX_MESSAGE {
        context.problem(&at.key("size"), format!("{} is more than {MAX_MESSAGE}", disk.size), None);
    }
    context.positive(disk.blocks > 0, &at.key("blocks"));
    disk
}

fn flow(context: &mut Context<'_>, flow: Option<&Flow>, at: &Place) -> OutputFlow {
    let Some(Flow::Closed(closed)) = flow else { return OutputFlow::Open };
    let at = at.key("closed");
    let window = closed.window.unwrap_or(DEFAULT_WINDOW);
    let rto = closed.rto.map_or(DEFAULT_OUTPUT_RTO, |rto| rto.0);
    if window == 0 {
        context.problem(&at.key("window"), "is zero, so nothing could ever be sent", None);
    }
    context.positive(rto != Span::ZERO, &at.key("rto"));
    OutputFlow::Closed { window, rto }
}

/// Those that the program that reads this has been handed.
fn agents(context: &mut Context<'_>, text: Option<&Agents>, known: &[OwnAgent], at: &Place) -> Vec<(Host, OwnAgent)> {
    let Some(text) = text else { return Vec::new() };
    let places = [(Host::Source, &text.source), (Host::Destination, &text.destination)];
    let named = places.into_iter().filter_map(|(host, name)| Some((host, name.as_deref()?)));
    let mut found = Vec::new();
    for (host, name) in named {
        match known.iter().find(|agent| agent.name() == name) {
            Some(agent) => found.push((host, agent.clone())),
            None if known.is_empty() => {
                let message = "this program has no agents but those that are shipped";
                context.problem(&at.key(host.as_str()), message, Some("run the program that hands yours in"));
            }
            None => {
                let all: Vec<&str> = known.iter().map(OwnAgent::name).collect();
                context.misspelt(&at.key(host.as_str()), format!("there is no agent `{name}`"), name, &all);
            }
        }
    }
    found
}

fn drift(context: &mut Context<'_>, drift: Option<&ClockDrift>, at: &Place) -> Vec<(Host, i32)> {
    let Some(drift) = drift else { return Vec::new() };
    let hosts = [
        (Host::Source, drift.source),
        (Host::Destination, drift.destination),
        (Host::Management, drift.management),
        (Host::Staging, drift.staging),
    ];
    let given = hosts.into_iter().filter_map(|(host, ppm)| ppm.map(|ppm| (host, ppm)));
    let given: Vec<(Host, i32)> = given.collect();
    for (host, ppm) in &given {
        if ppm.unsigned_abs() > MAX_DRIFT_PPM {
            let message = format!("{ppm} is beyond ±{MAX_DRIFT_PPM}, ten per cent");
            context.problem(&at.key(host.as_str()), message, None);
        }
    }
    given
}

/// 20 × (memory / link rate) + 60 s unless given.
fn horizon(
    context: &mut Context<'_>,
    file: &ScenarioFile,
    vm: Option<&Vm>,
    network: Option<&Network>,
    migrate_at: Span,
    at: &Place,
) -> Span {
    let once = network.zip(vm).and_then(|(network, vm)| network.rate.time_for(vm.memory)).unwrap_or_default();
    let default = once.saturating_mul(20).saturating_add(Span::from_s(60)).min(Span::LONGEST);
    let horizon = file.horizon.map_or(default, |horizon| horizon.0);
    if horizon <= migrate_at {
        let message = format!("the run ends at {horizon}, before the migration begins at {migrate_at}");
        context.problem(at, message, Some("give a later `horizon` or an earlier `operator.migrate_at`"));
    }
    horizon
}
