//! Fills the record: watches facts, keeps instants and sums, computes the rest at the end.

use std::collections::BTreeMap;

use crate::engine::Observer;
use crate::model::memory::BranchId;
use crate::scenario::policy::{HandoverKind, Hybrid, Migration, PostCopy, Protects, StopRule};
use crate::scenario::{Direction, Fault, FaultKind, Fidelity, Part, Scenario};
use crate::units::{Bytes, PageCount, Ratio, SimTime, Span};
use crate::vocabulary::{Host, RoundsEnd};
use crate::world::{Event, Fact, FaultState, OutputStage, PauseCause, World};

use super::blocking::{Blocking, mean_and_p99};
use super::columns::{Millionths, Record};
use super::disk::DiskWrites;
use super::protection::Protection;
use super::stands::Stands;

/// What is gathered while a run goes on.
#[derive(Debug, Default)]
pub struct Recorder {
    stands: Stands,
    protection: Protection,
    /// Where a copy last began to execute.
    last_resumed: Option<Host>,
    /// Where the migration's end froze guest time.
    guest_at_start: Option<Span>,
    guest_at_end: Option<Span>,
    /// Latest guest time at which a copy stopped or died.
    reached: Span,
    lost_work: Option<Span>,
    throttle: Option<Ratio>,
    rounds_end: Option<RoundsEnd>,
    pages: PageCount,
    /// Those of them that went whole.
    whole: PageCount,
    bytes: Bytes,
    outputs: Outputs,
    disk: DiskWrites,
    blocking: Blocking,
}

#[derive(Debug, Default)]
struct Outputs {
    emitted: BTreeMap<(Host, BranchId, u64), SimTime>,
    delays: Vec<u64>,
    released: u64,
    discarded: u64,
    deliveries: Vec<SimTime>,
}

impl Observer for Recorder {
    fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) {
        self.blocking.fact(at, fact, world);
        self.protection.fact(at, fact, world);
        match fact {
            Fact::Resumed(resumption) => {
                self.stands.runs(at, Some(resumption.host));
                self.last_resumed = Some(resumption.host);
                if resumption.forked {
                    self.forked(at, resumption.guest, world);
                }
            }
            Fact::Paused { guest, cause, .. } => self.stopped(at, *guest, Some(*cause), world),
            Fact::CopyGone { executed: true, guest: Some(guest), .. } => self.stopped(at, *guest, None, world),
            Fact::Thawed { .. } => self.stands.runs(at, None),
            Fact::Struck(_) => self.stands.struck(at),
            Fact::Suspected { by, .. } => self.stands.suspected(*by, at),
            Fact::Entitled { host } => self.stands.entitled(*host, at),
            Fact::Throttled(throttle) if *throttle > Ratio::ZERO => self.throttle = self.throttle.max(Some(*throttle)),
            Fact::RoundsEnded(end) => self.rounds_end = Some(*end),
            Fact::PagesSent { pages, zero, known, bytes } => {
                self.pages += *pages;
                self.whole += *pages - *zero - *known;
                self.bytes += *bytes;
            }
            Fact::Phase { phase: crate::vocabulary::Phase::Setup, .. } => self.guest_at_start = guest_time(world),
            // Of a VM that stays: its first checkpoint begins when the command is accepted.
            Fact::Round { .. } => self.guest_at_start = self.guest_at_start.or(guest_time(world)),
            Fact::Relinquished | Fact::GaveUp => self.guest_at_end = self.guest_at_end.or(guest_time(world)),
            Fact::Output { host, number, branch, stage, .. } => {
                self.outputs.moved(at, (*host, *branch, *number), *stage);
            }
            Fact::DiskWrite { write, stage, .. } => self.disk.moved(*write, *stage),
            _ => {}
        }
    }

    fn event(&mut self, _: SimTime, _: Event, _: &World) {}
}

/// Guest time of the execution that counts: the running one, else where the VM was last stopped.
fn guest_time(world: &World) -> Option<Span> {
    let running = world.vm().copies().filter(|(_, copy)| copy.executes()).last();
    match running {
        Some((_, copy)) => copy.guest.as_ref().map(|guest| guest.time(world.now())),
        None => world.vm().last_state().map(|state| state.at),
    }
}

impl Outputs {
    fn moved(&mut self, at: SimTime, key: (Host, BranchId, u64), stage: OutputStage) {
        match stage {
            OutputStage::Emitted => {
                self.emitted.insert(key, at);
            }
            OutputStage::Released => {
                self.released += 1;
                if let Some(emitted) = self.emitted.remove(&key) {
                    self.delays.push((at - emitted).ns());
                }
            }
            OutputStage::Delivered => self.deliveries.push(at),
            OutputStage::Lost => self.discarded += u64::from(self.emitted.remove(&key).is_some()),
        }
    }

    /// Longest time without a delivery between two instants; `None` if there was none at all.
    fn longest_gap(&self, from: SimTime, to: SimTime) -> Option<Span> {
        let within = self.deliveries.iter().copied().filter(|&at| from <= at && at <= to);
        let mut last = from;
        let mut longest = Span::ZERO;
        for at in within.chain([to]) {
            longest = longest.max(at.saturating_since(last));
            last = at;
        }
        (!self.deliveries.is_empty() && from < to).then_some(longest)
    }
}

impl Recorder {
    fn stopped(&mut self, at: SimTime, guest: Span, cause: Option<PauseCause>, world: &World) {
        self.reached = self.reached.max(guest);
        if !world.vm().copies().any(|(_, copy)| copy.executes()) {
            self.stands.stopped(at, cause);
        }
    }

    /// A copy resumed from an older state: what the abandoned execution had reached beyond it is lost.
    fn forked(&mut self, at: SimTime, fork: Span, world: &World) {
        let running = world.vm().copies().filter(|(_, copy)| copy.executes());
        let reached = running.filter_map(|(_, copy)| copy.guest.as_ref().map(|guest| guest.time(at)));
        let reached = reached.fold(self.reached, Span::max);
        self.lost_work = Some(self.lost_work.unwrap_or_default() + reached.saturating_sub(fork));
        self.reached = fork;
    }

    /// The record, but for what only judge and engine know.
    pub fn finish(mut self, world: &World, end: SimTime) -> Record {
        let scenario = world.scenario();
        let milestones = world.milestones();
        let arrived = world.vm().copy(Host::Destination).is_some_and(|copy| copy.executes() && copy.is_complete());
        let completed = arrived && world.restored_at() != Some(Host::Destination);
        let migration_end = milestones.relinquished.filter(|_| completed).or(milestones.gave_up);
        let window = milestones.accepted.map(|from| (from, migration_end.unwrap_or(end)));
        let mut record = describe(scenario, world);
        if let Some((from, to)) = window {
            record.total_migration_time_s = milestones.relinquished.filter(|_| completed).map(|r| r - from);
            let (downtime, checkpoints) = self.stands.downtime(from, to, end);
            record.downtime_s = Some(downtime);
            record.switchover_downtime_s = Some(downtime - checkpoints);
            record.checkpoint_pause_s = scenario.policy.checkpoint.as_ref().map(|_| checkpoints);
            record.pages_forward = Some(self.pages);
            record.pages_whole = Some(self.whole);
            record.bytes_forward = Some(self.bytes);
            record.xbzrle_hit_rate = hit_rate(world);
            record.client_gap_s = self.outputs.longest_gap(from, end);
            record.client_gap_before_s = self.outputs.longest_gap(SimTime::ZERO, from);
            if scenario.policy.migration == Migration::None {
                self.guest_at_end = self.guest_at_end.or(guest_time(world));
            }
            record.guest_slowdown = self.slowdown(to.saturating_since(from));
        }
        if let (Some(r), Some(c)) = (milestones.relinquished, milestones.concluded) {
            record.ending_window_s = Some(c.saturating_since(r));
        }
        self.protection.finish(world, &mut record);
        self.failure_times(milestones.gave_up.is_some(), &mut record);
        record.lost_work_s = self.lost_work;
        record.max_cpu_throttle = self.throttle.map(millionths);
        record.rounds_end = self.rounds_end.map_or(String::new(), |end| end.to_string());
        if scenario.vms[0].output.is_some() {
            self.output_columns(&mut record);
        }
        self.disk.finish(scenario, &mut record);
        std::mem::take(&mut self.blocking).finish(end, &mut record);
        record.end_s = Some(end.since_start());
        record
    }

    /// Detection is by the node that acts: the one that resumes or gives up; else the first to suspect.
    fn failure_times(&self, gave_up: bool, record: &mut Record) {
        let Some(first) = self.stands.first_fault() else { return };
        let actor = if gave_up { Some(Host::Source) } else { None };
        record.detection_time_s = self.stands.suspicion(first, actor).map(|at| at - first);
        if let Some((from, again)) = self.stands.outage() {
            record.outage_s = Some(again.saturating_since(from));
            let suspected = self.stands.suspicion(from, self.last_resumed).filter(|at| *at <= again);
            record.detection_time_s = suspected.map(|at| at - from);
            record.failover_time_s = suspected.map(|at| again - at);
        }
        if let Some((host, entitled, runs)) = self.stands.restore() {
            let suspected = self.stands.suspicion(first, Some(host)).filter(|at| *at <= entitled);
            record.detection_time_s = suspected.map(|at| at - first);
            record.fencing_time_s = suspected.map(|at| entitled - at);
            record.failover_time_s = runs.map(|at| at - entitled);
        }
    }

    fn slowdown(&self, wall: Span) -> Option<Millionths> {
        let guest = self.guest_at_end?.saturating_sub(self.guest_at_start?);
        (wall > Span::ZERO).then(|| millionths(Ratio::new(guest.ns().min(wall.ns()), wall.ns()).complement()))
    }

    fn output_columns(&mut self, record: &mut Record) {
        record.outputs_released = Some(self.outputs.released);
        record.outputs_discarded = Some(self.outputs.discarded);
        (record.output_delay_mean_s, record.output_delay_p99_s) = mean_and_p99(&mut self.outputs.delays);
    }
}

/// What is known of a run from its scenario and its faults.
fn describe(scenario: &Scenario, world: &World) -> Record {
    let fired = scenario.faults.iter().zip(world.faults()).filter_map(|(fault, state)| match state {
        FaultState::Fired { at, phase, .. } => Some((fault, *at, *phase)),
        FaultState::Pending | FaultState::Armed | FaultState::Void(_) => None,
    });
    let count = fired.clone().count() as u64;
    let first = fired.min_by_key(|fired| fired.1);
    Record {
        scenario: scenario.name.clone(),
        policy: policy_name(scenario),
        fidelity: match scenario.fidelity {
            Fidelity::Exact => "exact".into(),
        },
        vm: scenario.vms[0].name.clone(),
        fault: first.map_or(String::new(), |f| fault_name(f.0)),
        fault_fired: match world.faults().first() {
            None => String::new(),
            Some(FaultState::Fired { .. }) => "true".into(),
            Some(_) => "false".into(),
        },
        fault_phase: first.map_or(String::new(), |f| f.2.to_string()),
        fault_time_s: first.map(|f| f.1.since_start()),
        faults_planned: Some(scenario.faults.len() as u64),
        faults_fired: Some(count),
        ..Record::default()
    }
}

/// Share of the look-ups in the cache of sent pages that found their page.
fn hit_rate(world: &World) -> Option<Millionths> {
    let (tally, _) = world.page_tally();
    let asked = (tally.cache_hits + tally.cache_misses).get();
    (asked > 0).then(|| millionths(Ratio::new(tally.cache_hits.get(), asked)))
}

fn millionths(ratio: Ratio) -> Millionths {
    Millionths(ratio.of(1_000_000))
}

fn policy_name(scenario: &Scenario) -> String {
    let policy = &scenario.policy;
    let migration = match &policy.migration {
        Migration::None => "none",
        Migration::StopAndCopy => "stop-and-copy",
        Migration::PreCopy(pre_copy) => match pre_copy.stop_rule {
            StopRule::Qemu { .. } => "pre-copy(qemu)",
            StopRule::Clark { .. } => "pre-copy(clark)",
        },
        Migration::PostCopy(PostCopy { preempt: false, .. }) => "post-copy",
        Migration::PostCopy(PostCopy { preempt: true, .. }) => "post-copy(preempt)",
        Migration::Hybrid(Hybrid { post_copy: PostCopy { preempt: false, .. }, .. }) => "hybrid",
        Migration::Hybrid(Hybrid { post_copy: PostCopy { preempt: true, .. }, .. }) => "hybrid(preempt)",
    };
    let checkpoint = policy
        .checkpoint
        .as_ref()
        .map_or(String::new(), |checkpoint| format!("+{}({})", protects(checkpoint.direction), checkpoint.store.host));
    if policy.migration == Migration::None {
        return format!("none{checkpoint}");
    }
    let handover = match policy.handover.kind {
        HandoverKind::Autostart => "autostart",
        HandoverKind::ThreePhase => "three-phase",
    };
    format!("{migration}+{handover}{checkpoint}")
}

fn protects(direction: Protects) -> &'static str {
    match direction {
        Protects::Reverse => "reverse",
        Protects::Forward => "forward",
        Protects::Both => "forward+reverse",
    }
}

/// A fault in short.
pub fn fault_name(fault: &Fault) -> String {
    let parts: Vec<String> = fault.what.parts().iter().map(kind_name).collect();
    parts.join("+")
}

fn kind_name(what: &FaultKind) -> String {
    let between = |from, to, direction| match direction {
        Direction::Both => format!("{from}-{to}"),
        Direction::OneWay => format!("{from}->{to}"),
    };
    match what {
        FaultKind::Crash(host) => format!("crash({host})"),
        FaultKind::CrashVmm(host) => format!("crash-vmm({host})"),
        FaultKind::CrashAgent(host) => format!("crash-agent({host})"),
        FaultKind::CrashStore => "crash-store".into(),
        FaultKind::HangStore => "hang-store".into(),
        FaultKind::SlowStore(_) => "slow-store".into(),
        FaultKind::FillStore => "fill-store".into(),
        FaultKind::LoseVersion => "lose-version".into(),
        FaultKind::TearVersion => "tear-version".into(),
        FaultKind::Hang(Part::Host, host) => format!("hang({host})"),
        FaultKind::Hang(Part::Vmm, host) => format!("hang-vmm({host})"),
        FaultKind::Hang(Part::Agent, host) => format!("hang-agent({host})"),
        FaultKind::Slow { host, .. } => format!("slow({host})"),
        FaultKind::Cut { from, to, direction } => format!("cut({})", between(from, to, *direction)),
        FaultKind::Flap { from, to, direction, .. } => format!("flap({})", between(from, to, *direction)),
        FaultKind::Degrade { from, to, direction, .. } => format!("degrade({})", between(from, to, *direction)),
        FaultKind::DegradeCard { host, .. } => format!("degrade-card({host})"),
        FaultKind::Reset => "reset".into(),
        FaultKind::Silence => "silence".into(),
        FaultKind::LoseHeartbeats { sent_by: None } => "lose-heartbeats".into(),
        FaultKind::LoseHeartbeats { sent_by: Some(host) } => format!("lose-heartbeats({host})"),
        FaultKind::Group(members) => format!("group of {}", members.len()),
    }
}
