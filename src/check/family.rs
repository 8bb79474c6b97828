//! Which faults a scenario is tried with: its own, and all of the classes that it claims to tolerate, for every component; and for
//! how long they last.

use crate::metric::fault_name;
use crate::oracle::class_of_fault;
use crate::scenario::policy::{Fencing, OnSilence, Rule, Trigger as Due};
use crate::scenario::{Direction, Fault, FaultKind, Part, Policy, Scenario, Trigger};
use crate::units::{Ratio, Span};
use crate::vocabulary::{FaultClass, Host};

use super::Lasting;

/// One fault without its moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// For readers: what, where, and whether it ends.
    pub name: String,
    /// What breaks.
    pub what: FaultKind,
    /// Whether it ends, or what died starts again.
    pub lasting: Lasting,
    /// Its class; `None`: it is several.
    pub class: Option<FaultClass>,
    /// Whether the scenario claims to tolerate it.
    pub claimed: bool,
    /// How long it lasts in the scenario, beside the durations that follow from the policy.
    pub own: Option<Span>,
}

impl Kind {
    fn new(what: FaultKind, lasting: Lasting, own: Option<Span>, scenario: &Scenario) -> Self {
        let mut kind = Self { name: String::new(), what, lasting, class: None, claimed: false, own };
        let example = kind.fault(Trigger::At(Span::ZERO), Some(Span::from_s(1)));
        kind.class = class_of_fault(&example);
        kind.claimed = kind.class.is_some_and(|class| scenario.verdict.tolerates.contains(&class));
        kind.name = match lasting {
            Lasting::ForGood => fault_name(&example),
            Lasting::Ends => format!("{}, ends", fault_name(&example)),
            Lasting::Restarts => format!("{}, restarts", fault_name(&example)),
        };
        kind
    }

    /// It, at a moment, for so long; a fault that lasts for good has no use for a duration.
    pub(super) fn fault(&self, when: Trigger, duration: Option<Span>) -> Fault {
        Fault {
            what: self.what.clone(),
            when,
            lasts: duration.filter(|_| self.lasting == Lasting::Ends),
            restarts_after: duration.filter(|_| self.lasting == Lasting::Restarts),
        }
    }

    /// The same fault, for good.
    pub(super) fn for_good(&self) -> Self {
        Self { lasting: Lasting::ForGood, ..self.clone() }
    }

    /// Whether it may strike in the midst of what a node does, and leave half of it undone: whether it kills a process.
    pub(super) fn interrupts(&self) -> bool {
        self.what.can_restart()
    }
}

/// The faults of a scenario, each once: of its claims, then its own.
pub(super) fn family(scenario: &Scenario) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut add = |kind: Kind| {
        let alike = |other: &Kind| other.what == kind.what && other.lasting == kind.lasting;
        match kinds.iter_mut().find(|other| alike(other)) {
            Some(other) => other.own = other.own.or(kind.own),
            None => kinds.push(kind),
        }
    };
    for class in &scenario.verdict.tolerates {
        for (what, lasting) in of_class(*class, scenario) {
            add(Kind::new(what, lasting, None, scenario));
        }
    }
    for fault in &scenario.faults {
        let lasting = match (fault.lasts, fault.restarts_after) {
            (Some(_), _) => Lasting::Ends,
            (None, Some(_)) => Lasting::Restarts,
            (None, None) => Lasting::ForGood,
        };
        add(Kind::new(fault.what.clone(), lasting, fault.lasts.or(fault.restarts_after), scenario));
    }
    let emits = scenario.vms.iter().any(|vm| vm.output.is_some());
    kinds.retain(|kind| {
        let example = kind.fault(Trigger::At(Span::ZERO), Some(Span::from_s(1)));
        example.cannot_strike(&scenario.policy, emits).is_none()
    });
    kinds
}

/// Every fault of a class.
fn of_class(class: FaultClass, scenario: &Scenario) -> Vec<(FaultKind, Lasting)> {
    use Lasting::{Ends, ForGood, Restarts};
    let (source, destination) = (Host::Source, Host::Destination);
    let crashes = |host| {
        let kinds = [FaultKind::Crash(host), FaultKind::CrashVmm(host)];
        kinds.into_iter().flat_map(|what| [(what.clone(), ForGood), (what, Restarts)]).collect()
    };
    let hangs = |host| {
        let parts = [Part::Host, Part::Vmm, Part::Agent].into_iter();
        parts.flat_map(|part| [ForGood, Ends].map(|lasting| (FaultKind::Hang(part, host), lasting))).collect()
    };
    let cut = |from, to, direction| FaultKind::Cut { from, to, direction };
    let factor = Ratio::new(20, 1);
    match class {
        FaultClass::SourceCrash => crashes(source),
        FaultClass::DestinationCrash => crashes(destination),
        FaultClass::AgentCrash => {
            let agents = [source, destination].map(FaultKind::CrashAgent);
            agents.into_iter().flat_map(|what| [(what.clone(), ForGood), (what, Restarts)]).collect()
        }
        FaultClass::SourceHang => hangs(source),
        FaultClass::DestinationHang => hangs(destination),
        FaultClass::StagingCrash => {
            let crash = FaultKind::Crash(Host::Staging);
            vec![(crash.clone(), ForGood), (crash, Restarts)]
        }
        FaultClass::StagingHang => {
            let hang = FaultKind::Hang(Part::Host, Host::Staging);
            vec![(hang.clone(), ForGood), (hang, Ends)]
        }
        FaultClass::StoreHang => vec![(FaultKind::HangStore, ForGood), (FaultKind::HangStore, Ends)],
        FaultClass::StoreSlow => vec![(FaultKind::SlowStore(factor), ForGood), (FaultKind::SlowStore(factor), Ends)],
        FaultClass::StoreFull => vec![(FaultKind::FillStore, ForGood), (FaultKind::FillStore, Ends)],
        FaultClass::StoreLoss => vec![(FaultKind::LoseVersion, ForGood)],
        FaultClass::StoreTorn => vec![(FaultKind::TearVersion, ForGood)],
        FaultClass::StoreCrash => vec![(FaultKind::CrashStore, ForGood), (FaultKind::CrashStore, Restarts)],
        FaultClass::LinkFailure => {
            let kinds = [cut(source, destination, Direction::Both), FaultKind::Reset];
            kinds.into_iter().map(|what| (what, ForGood)).collect()
        }
        FaultClass::LinkOutage => vec![(cut(source, destination, Direction::Both), Ends)],
        FaultClass::Silence => vec![(FaultKind::Silence, ForGood), (FaultKind::Silence, Ends)],
        FaultClass::Partition => {
            let one_way = [(source, destination), (destination, source)];
            let one_way = one_way.map(|(from, to)| cut(from, to, Direction::OneWay));
            let store = scenario.policy.checkpoint.as_ref().map(|checkpoint| checkpoint.store.host);
            let store = store.filter(|host| *host == Host::Staging).into_iter();
            let store = store.flat_map(|store| [source, destination].map(|host| cut(host, store, Direction::Both)));
            one_way.into_iter().chain(store).flat_map(|what| [(what.clone(), ForGood), (what, Ends)]).collect()
        }
        FaultClass::FalseSuspicion => {
            let degrade = FaultKind::Degrade {
                from: source,
                to: destination,
                direction: Direction::Both,
                rate: Ratio::new(1, 20),
                latency: Span::ZERO,
                loss: Ratio::ZERO,
            };
            let slow = [source, destination].map(|host| FaultKind::Slow { host, factor });
            let heartbeats = FaultKind::LoseHeartbeats { sent_by: None };
            // What is slow for good may rightly be too slow to finish.
            let kinds = [heartbeats.clone(), degrade].into_iter().chain(slow);
            std::iter::once((heartbeats, ForGood)).chain(kinds.map(|what| (what, Ends))).collect()
        }
    }
}

/// The durations just below and just above each timer of the policy, in order.
pub(super) fn about_timers(policy: &Policy) -> Vec<Span> {
    let mut timers = Vec::new();
    if let Some(heartbeat) = &policy.detector.heartbeat {
        match heartbeat.rule {
            Rule::Misses { timeout, misses } => {
                timers.push(timeout);
                timers.push(heartbeat.period.saturating_mul(misses.saturating_sub(1)).saturating_add(timeout));
            }
            Rule::Phi(phi) => timers.push(heartbeat.period.saturating_mul(3).saturating_add(phi.min_deviation)),
        }
    }
    if let Some(checkpoint) = &policy.checkpoint {
        timers.extend([checkpoint.store_timeout, checkpoint.restore_retry]);
        if let Due::Periodic { interval, .. } = checkpoint.trigger {
            timers.push(interval);
        }
    }
    match policy.fencing {
        Fencing::None | Fencing::StoreClaim => {}
        Fencing::Lease(lease) => timers.extend([lease.term, lease.term.saturating_add(lease.margin)]),
        Fencing::Stonith(stonith) => timers.extend([stonith.takes, stonith.retry]),
    }
    if [policy.handover.on_silence, policy.handover.destination_on_silence].contains(&OnSilence::Ask) {
        timers.push(policy.handover.ask_period);
    }
    let just = Span::from_us(1);
    let mut about: Vec<Span> =
        timers.into_iter().flat_map(|timer| [timer.saturating_sub(just), timer.saturating_add(just)]).collect();
    about.retain(|span| *span > Span::ZERO);
    about.sort_unstable();
    about.dedup();
    about
}
