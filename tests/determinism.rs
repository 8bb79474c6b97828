//! A run is a pure function of (scenario, seed, replication).

mod common;

use std::sync::Arc;

use midflight::engine::fingerprint::Fingerprint;
use midflight::engine::{Observer, TieRule};
use midflight::model::guest::Guest;
use midflight::model::memory::{BranchId, Memory};
use midflight::rng::RunSeed;
use midflight::run::{RunResult, simulate, simulate_with};
use midflight::scenario::policy::{Detector, TransportError};
use midflight::scenario::{Direction, Fault, FaultKind, Part, Policy, Scenario, Trigger};
use midflight::units::{PageCount, Ratio, SimTime, Span};
use midflight::vocabulary::{Host, Phase};
use midflight::world::{Event, Fact, World};

fn scenario() -> Arc<Scenario> {
    common::read(&common::root().join("scenarios/recovery/autostart-unaware-outage-ask.json"))
}

fn run(seed: u64, replication: u64) -> RunResult {
    simulate(&scenario(), seed, replication)
}

#[test]
fn the_same_inputs_give_the_same_result() {
    assert_eq!(run(1, 0), run(1, 0));
}

#[test]
fn seed_and_replication_matter() {
    let first = run(1, 0).record.fingerprint;
    assert_ne!(first, run(2, 0).record.fingerprint);
    assert_ne!(first, run(1, 1).record.fingerprint);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whether threads matter is the question")]
fn threads_do_not_matter() {
    let alone = run(1, 0);
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| run(1, 0))).collect();
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), alone);
    }
}

fn step(world: &mut World) -> bool {
    let Some((key, _)) = world.enabled().next() else { return false };
    key.at < SimTime::from_ns(3_000_000_000) && world.apply(key).is_some()
}

#[test]
fn two_worlds_in_one_process_do_not_interact() {
    let world = || World::new(scenario(), RunSeed { seed: 1, replication: 0 });
    let (mut alone, mut one, mut two) = (world(), world(), world());
    while step(&mut alone) {}
    loop {
        let more = step(&mut one);
        step(&mut two);
        step(&mut two);
        if !more {
            break;
        }
    }
    while step(&mut two) {}
    assert_eq!(alone, one);
    assert_eq!(alone, two);
}

#[test]
fn a_world_can_be_cloned_and_driven_on() {
    let mut world = World::new(scenario(), RunSeed { seed: 1, replication: 0 });
    for _ in 0..2000 {
        assert!(step(&mut world));
    }
    let mut copy = world.clone();
    for _ in 0..500 {
        assert_eq!(step(&mut world), step(&mut copy));
    }
    assert_eq!(world, copy);
    assert_eq!(world.enabled().collect::<Vec<_>>(), copy.enabled().collect::<Vec<_>>());
    step(&mut world);
    assert_ne!(world, copy);
}

/// Whoever drives a world may take any pending event: what is taken late happens late, and nothing is lost by it.
#[test]
fn any_pending_event_may_come_next() {
    let calm = common::read(&common::root().join("scenarios/smoke/three-phase.json"));
    let patient = Scenario { policy: Policy { detector: PATIENT, ..calm.policy.clone() }, ..(*calm).clone() };
    let patient = Arc::new(patient);
    for pick in 1..6 {
        let mut world = World::new(patient.clone(), RunSeed { seed: 1, replication: 0 });
        let mut last = world.now();
        for step in 0..200_000usize {
            // Among the next few, so that the clock of a pending time-out does not run away with the rest.
            let near = world.now().saturating_add(Span::from_ms(1));
            let pending: Vec<_> = world.enabled().map(|(key, _)| key).take_while(|key| key.at <= near).collect();
            let next = world.enabled().next().map(|(key, _)| key);
            let Some(key) = pending.get((step * pick) % pending.len().max(1)).copied().or(next) else { break };
            world.apply(key);
            assert!(world.now() >= last);
            last = world.now();
            let (tally, travelling) = world.page_tally();
            assert_eq!(tally.sent, tally.placed + tally.lost + travelling);
            if world.milestones().concluded.is_some() {
                break;
            }
        }
        assert!(world.milestones().concluded.is_some(), "pick {pick}: the migration never ends");
        assert_eq!(world.page_tally().0.lost, PageCount::ZERO);
    }
}

const PATIENT: Detector = Detector { heartbeat: None, transport_error: TransportError::AtOnce };

/// However a policy chops time, the guest's memory is what its life without any migration would have made it: common
/// random numbers.
#[test]
fn the_workload_does_not_depend_on_the_policy() {
    let seed = RunSeed { seed: 1, replication: 0 };
    for name in ["smoke/no-migration", "smoke/pre-copy", "smoke/pre-copy-clark", "smoke/pre-copy-auto-converge"] {
        let scenario = common::read(&common::root().join(format!("scenarios/{name}.json")));
        let mut world = World::new(scenario.clone(), seed);
        while step(&mut world) {}
        world.catch_up();
        let copy = world.vm().copy(Host::Source).expect("it still runs there");
        let lived = copy.guest.as_ref().expect("with CPU and devices").time(world.now());
        let path = [(BranchId::new(0), lived)];
        let relived = Guest::relive(&scenario.vms[0], 0, seed, copy.memory.page_count(), &path);
        assert_eq!(relived.first_stale(&copy.memory), None, "{name}");
        assert!(relived.hash() != Memory::initial(copy.memory.page_count()).hash(), "{name}: it wrote something");
    }
}

/// Faults that touch nobody are no event for anybody: cuts and slow links where nothing goes, an operator that hangs while it has
/// nothing to do.
#[test]
fn a_fault_without_effect_changes_no_byte() {
    #[derive(Default)]
    struct Facts(Vec<(SimTime, String)>);
    impl Observer for Facts {
        fn fact(&mut self, at: SimTime, fact: &Fact, _: &World) {
            if !matches!(fact, Fact::Struck(_) | Fact::Healed(_)) {
                self.0.push((at, format!("{fact:?}")));
            }
        }
        fn event(&mut self, _: SimTime, _: Event, _: &World) {}
    }
    let quiet = common::read(&common::root().join("scenarios/smoke/three-phase.json"));
    let facts = |scenario: &Arc<Scenario>| {
        let mut facts = Facts::default();
        let seed = RunSeed { seed: 1, replication: 0 };
        simulate_with(scenario, seed, TieRule::default(), &mut [&mut facts]);
        facts.0
    };
    let undisturbed = facts(&quiet);
    let (from, to, direction) = (Host::Client, Host::Management, Direction::Both);
    let ms = Span::from_ms;
    let (rate, latency, loss) = (Ratio::percent(1), ms(9), Ratio::percent(9));
    let nothings = [
        FaultKind::Cut { from, to, direction },
        FaultKind::Flap { from, to, direction, down: ms(2), up: ms(3), times: None },
        FaultKind::Degrade { from, to, direction, rate, latency, loss },
        FaultKind::DegradeCard { host: Host::Management, rate },
        FaultKind::Hang(Part::Agent, Host::Management),
        FaultKind::Group(vec![
            FaultKind::Cut { from, to, direction },
            FaultKind::DegradeCard { host: Host::Client, rate },
        ]),
    ];
    for what in nothings {
        let when = Trigger::Phase { name: Phase::Copy, round: None, progress: Ratio::percent(50), after: Span::ZERO };
        let nothing = Fault { what, when, lasts: Some(ms(20)), restarts_after: None };
        let faulty = Arc::new(Scenario { faults: vec![nothing.clone()], ..(*quiet).clone() });
        assert_eq!(undisturbed, facts(&faulty), "{nothing:?}");
    }
}

#[test]
fn a_fingerprint_has_six_ingredients() {
    let text = Fingerprint::default().to_string();
    let parts: Vec<char> = text.split('-').filter_map(|part| part.chars().next()).collect();
    assert_eq!(parts, ['t', 'e', 'p', 'b', 'd', 'o']);
}
