//! Whether a run is what its scenario claims: expectations, claims, invariants, faults that did not fire.

use crate::metric::Record;
use crate::scenario::{Direction, EventPlace, Fault, FaultKind, Moment, Scenario, Stage, Trigger};
use crate::units::SimTime;
use crate::vocabulary::{FaultClass, Host, Invariant, Outcome};
use crate::world::{FaultState, NotFired, World};

use super::Violation;
use super::outcome::end_of;

/// Something fell short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// The class, for machines: `claim`, `invariant:<name>`, `liveness` or `not-fired`.
    pub class: String,
    /// What, for a reader.
    pub what: String,
}

/// What a run is worth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// All that fell short; empty: the run is as its scenario claims.
    pub shortfalls: Vec<Shortfall>,
    /// Whether the one fault of the scenario struck in the guarantee window; `None`: there is not exactly one, it has no class, or it
    /// did not strike.
    pub in_window: Option<bool>,
}

/// Judges a run.
pub fn judge(world: &World, end: SimTime, record: &Record, violations: &[Violation], outcome: Outcome) -> Judgement {
    let scenario = world.scenario();
    let mut shortfalls = Vec::new();
    for (index, fault) in scenario.faults.iter().enumerate() {
        // Under a law it is data that a fault did not fire.
        let drawn = matches!(fault.when, Trigger::Law { .. });
        if let Some(why) = why_not_fired(fault, world.faults()[index], end).filter(|_| !drawn) {
            shortfalls.push(Shortfall {
                class: "not-fired".into(),
                what: format!("fault {} did not fire: {why}", index + 1),
            });
        }
    }
    let verdict = &scenario.verdict;
    for violation in violations {
        let expected = verdict.must_violate == Some(violation.invariant)
            || verdict.waives.iter().any(|waiver| waiver.invariant == violation.invariant);
        if !expected {
            shortfalls.push(Shortfall { class: class_of(violation.invariant), what: violation.what.clone() });
        }
    }
    let claim = |what| Shortfall { class: "claim".into(), what };
    if let Some(must) = verdict.must_violate
        && !violations.iter().any(|violation| violation.invariant == must)
    {
        shortfalls.push(claim(format!("{must} was to be violated and was not")));
    }
    if !verdict.outcome.is_empty() && !verdict.outcome.contains(&outcome) {
        let expected: Vec<&str> = verdict.outcome.iter().map(|o| o.as_str()).collect();
        shortfalls.push(claim(format!("the outcome is {outcome}, expected {}", expected.join(" or "))));
    }
    shortfalls.extend(unkept_ends(world).map(claim));
    shortfalls.extend(unkept_bounds(scenario, record).map(claim));
    // What must be caught may be that a claim is wrong.
    if verdict.must_violate.is_none() || verdict.must_violate != broken_by(outcome) {
        shortfalls.extend(unkept_tolerance(world, outcome).map(claim));
    }
    Judgement { shortfalls, in_window: window(world).map(|(_, within)| within) }
}

/// Hosts on which the VM is not what it was to be there.
fn unkept_ends(world: &World) -> impl Iterator<Item = String> {
    let hosts = [Host::Source, Host::Destination].into_iter().zip(&world.scenario().verdict.ends);
    hosts.filter_map(|(host, expected)| {
        let (end, expected) = (end_of(world, host), (*expected)?);
        (end != expected).then(|| format!("the VM on the {host} ends as `{end}`, expected {expected}"))
    })
}

/// The class of the one fault that struck, and whether it did in the guarantee window.
fn window(world: &World) -> Option<(FaultClass, bool)> {
    let [fault] = world.scenario().faults.as_slice() else { return None };
    let class = class_of_fault(fault)?;
    let state = world.faults()[0];
    matches!(state, FaultState::Fired { .. }).then(|| (class, in_window(world, class, state)))
}

/// The invariant that an outcome breaks by itself.
fn broken_by(outcome: Outcome) -> Option<Invariant> {
    match outcome {
        Outcome::SplitBrain => Some(Invariant::SingleHistory),
        Outcome::Lost => Some(Invariant::Durability),
        Outcome::Stalled => Some(Invariant::Liveness),
        Outcome::Recovered | Outcome::Resumed | Outcome::RolledBack | Outcome::Completed | Outcome::Unfinished => None,
    }
}

fn class_of(invariant: Invariant) -> String {
    match invariant {
        Invariant::Liveness => "liveness".into(),
        other => format!("invariant:{other}"),
    }
}

/// Why a fault did not fire; `None`: it did.
pub fn why_not_fired(fault: &Fault, state: FaultState, end: SimTime) -> Option<String> {
    match (state, &fault.when) {
        (FaultState::Fired { .. }, _) => None,
        (FaultState::Void(NotFired::AlreadyDead), _) => Some("what it was to strike was dead already".into()),
        (FaultState::Void(NotFired::NoConnection), _) => Some("there was no connection to reset".into()),
        (FaultState::Void(NotFired::NoVersion), _) => Some("no version was complete in the store".into()),
        (FaultState::Pending, Trigger::At(at)) => Some(format!("the run ended at {end}, before {} s", at.seconds())),
        (FaultState::Armed, Trigger::Phase { .. }) => {
            Some(format!("its phase was reached, and the run ended at {end} before its delay was over"))
        }
        (FaultState::Armed, _) => Some(format!("its moment came when the run ended, at {end}")),
        (FaultState::Pending, Trigger::Message { kind, n, moment }) => {
            let done = if *moment == Moment::Sent { "sent" } else { "delivered" };
            Some(format!("fewer than {n} messages \"{kind}\" were {done} before the run ended at {end}"))
        }
        (FaultState::Pending, Trigger::Outputs { n, stage }) => {
            let done = match stage {
                Stage::Emitted => "emitted",
                Stage::Released => "released",
                Stage::Delivered => "delivered",
            };
            Some(format!("fewer than {n} packets of the guest were {done} before the run ended at {end}"))
        }
        (FaultState::Pending, Trigger::Event { n, place: EventPlace::Within(actions) }) => {
            Some(format!("event {n} of the run, and {actions} actions about it, never came before it ended at {end}"))
        }
        (FaultState::Pending, Trigger::Event { n, .. }) => {
            Some(format!("event {n} of the run never came before it ended at {end}"))
        }
        (FaultState::Pending, Trigger::Law { .. }) => {
            Some(format!("the time drawn for it had not come when the run ended at {end}"))
        }
        (FaultState::Pending, Trigger::Phase { name, round, progress, .. }) => {
            let round = round.map_or(String::new(), |round| format!(", round {round}"));
            Some(format!("phase {name}{round} never reached progress {progress} before the run ended at {end}"))
        }
    }
}

fn unkept_bounds<'a>(scenario: &'a Scenario, record: &'a Record) -> impl Iterator<Item = String> + 'a {
    scenario.verdict.metrics.iter().filter_map(|bound| {
        let Some(value) = record.integer(&bound.column) else {
            return Some(format!("{} is absent, and bounds are set on it", bound.column));
        };
        let text = record.text(&bound.column);
        if bound.min.is_some_and(|min| value < min) {
            return Some(format!("{} is {text}, below its least good value", bound.column));
        }
        bound
            .max
            .is_some_and(|max| value > max)
            .then(|| format!("{} is {text}, above its greatest good value", bound.column))
    })
}

/// A tolerated single fault that started in the guarantee window must end well.
fn unkept_tolerance(world: &World, outcome: Outcome) -> Option<String> {
    let scenario = world.scenario();
    let (class, in_window) = window(world)?;
    let well = matches!(outcome, Outcome::Completed | Outcome::RolledBack | Outcome::Recovered | Outcome::Resumed);
    let claimed = scenario.verdict.tolerates.contains(&class);
    (claimed && in_window && !well).then(|| format!("{class} is claimed to be tolerated, and the VM is {outcome}"))
}

/// Whether a fault struck in the guarantee window: from migrate until R, or, where the source's loss is survived only with a base
/// in the store, from when it is there. What befalls the destination, or keeps answers from it, counts until its last word only: the
/// source acts on that word whether its sender still lives or not, and no protocol can have it otherwise.
pub(super) fn in_window(world: &World, class: FaultClass, state: FaultState) -> bool {
    let FaultState::Fired { at, .. } = state else { return false };
    let milestones = world.milestones();
    milestones.accepted.is_some_and(|from| from <= at)
        && (class != FaultClass::SourceCrash
            || world.protected_from().is_none_or(|from| from.is_some_and(|from| from <= at)))
        && (!matters_until_last_word(class) || milestones.last_word.is_none_or(|word| at < word))
        && milestones.relinquished.is_none_or(|to| at < to || class == FaultClass::SourceCrash && at == to)
}

/// Whether the destination's last word, once it has been said, decides for good: what kills it, makes it stand, or keeps the answer from
/// it cannot take the word back.
fn matters_until_last_word(class: FaultClass) -> bool {
    matches!(class, FaultClass::DestinationCrash | FaultClass::DestinationHang | FaultClass::Partition)
}

/// The class of a fault, as `tolerates` names it; a group, being several, has none.
pub fn class_of_fault(fault: &Fault) -> Option<FaultClass> {
    let outage = |lasts: bool| if lasts { FaultClass::LinkOutage } else { FaultClass::LinkFailure };
    let link = |from: Host, to: Host, direction: Direction, whole: FaultClass| {
        let pair = [from, to];
        let is_whole =
            direction == Direction::Both && pair.contains(&Host::Source) && pair.contains(&Host::Destination);
        if is_whole { whole } else { FaultClass::Partition }
    };
    Some(match &fault.what {
        FaultKind::CrashAgent(Host::Source | Host::Destination) => FaultClass::AgentCrash,
        FaultKind::Crash(host) | FaultKind::CrashVmm(host) | FaultKind::CrashAgent(host) => match host {
            Host::Source => FaultClass::SourceCrash,
            Host::Destination => FaultClass::DestinationCrash,
            Host::Staging => FaultClass::StagingCrash,
            Host::Management | Host::Client => FaultClass::Partition,
        },
        FaultKind::CrashStore => FaultClass::StoreCrash,
        FaultKind::HangStore => FaultClass::StoreHang,
        FaultKind::SlowStore(_) | FaultKind::Slow { host: Host::Staging, .. } => FaultClass::StoreSlow,
        FaultKind::FillStore => FaultClass::StoreFull,
        FaultKind::LoseVersion => FaultClass::StoreLoss,
        FaultKind::TearVersion => FaultClass::StoreTorn,
        FaultKind::Hang(_, host) => match host {
            Host::Source => FaultClass::SourceHang,
            Host::Destination => FaultClass::DestinationHang,
            Host::Staging => FaultClass::StagingHang,
            Host::Management | Host::Client => FaultClass::Partition,
        },
        FaultKind::Cut { from, to, direction } => link(*from, *to, *direction, outage(fault.lasts.is_some())),
        FaultKind::Flap { from, to, direction, .. } => link(*from, *to, *direction, FaultClass::LinkOutage),
        FaultKind::Silence => FaultClass::Silence,
        FaultKind::Reset => FaultClass::LinkFailure,
        FaultKind::Slow { .. }
        | FaultKind::Degrade { .. }
        | FaultKind::DegradeCard { .. }
        | FaultKind::LoseHeartbeats { .. } => FaultClass::FalseSuspicion,
        FaultKind::Group(_) => return None,
    })
}
