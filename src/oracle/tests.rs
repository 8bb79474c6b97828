//! Negative controls: every checker is shown the thing it is there for, and must see it, and nothing else must.

use std::sync::Arc;

use super::Oracle;
use crate::engine::{Finished, Observer, Stop};
use crate::metric::{COLUMNS, Column};
use crate::model::disk::DiskWrite;
use crate::model::memory::BranchId;
use crate::rng::RunSeed;
use crate::scenario::{LoadOptions, Scenario, load};
use crate::units::{SimTime, Span};
use crate::vocabulary::{Host, Invariant};
use crate::world::{DiskStage, Fact, OutputStage, PauseCause, Resumption, Tampering, World};

fn scenario(name: &str) -> Arc<Scenario> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.json"));
    let columns: Vec<_> = COLUMNS.iter().filter_map(Column::bound).collect();
    let options = LoadOptions { columns: &columns, ..LoadOptions::default() };
    Arc::new(load(&path, &options).unwrap_or_else(|error| panic!("{error}")))
}

/// A world some way into a scenario, and an oracle that has seen it all.
fn watched(name: &str, until: Span) -> (World, Oracle) {
    let mut world = World::new(scenario(name), RunSeed { seed: 1, replication: 0 });
    let mut oracle = Oracle::new(world.scenario());
    loop {
        for fact in world.facts() {
            oracle.fact(world.now(), &fact, &world);
        }
        let next = world.enabled().next().map(|(key, _)| key);
        let Some(key) = next.filter(|key| key.at.since_start() <= until) else { break };
        let event = world.apply(key).expect("pending");
        oracle.event(world.now(), event, &world);
    }
    assert!(oracle.violations().is_empty(), "{:?}", oracle.violations());
    (world, oracle)
}

fn end(world: &mut World, oracle: &mut Oracle) -> Vec<Invariant> {
    world.catch_up();
    oracle.finish(Finished { stop: Stop::Settled, at: world.now(), events: 0 }, world);
    oracle.violations().iter().map(|violation| violation.invariant).collect()
}

const PRE_COPY: &str = "smoke/three-phase";

#[test]
fn an_untouched_world_is_in_order() {
    let (mut world, mut oracle) = watched(PRE_COPY, Span::from_ms(1500));
    assert_eq!(end(&mut world, &mut oracle), []);
}

#[test]
fn books_that_do_not_balance_are_seen() {
    for tampering in [Tampering::LosePage, Tampering::LosePacket] {
        let (mut world, mut oracle) = watched(PRE_COPY, Span::from_ms(1500));
        world.tamper(tampering);
        assert_eq!(end(&mut world, &mut oracle), [Invariant::Accounting], "{tampering:?}");
    }
}

/// The source sends pages a second time: they arrive where they are already.
#[test]
fn a_page_that_follows_twice_is_seen() {
    let (mut world, mut oracle) = watched("smoke/post-copy", Span::from_s(3));
    world.tamper(Tampering::SendAgain);
    while !oracle.broke(Invariant::Accounting) {
        let key = world.enabled().next().expect("it goes on").0;
        let event = world.apply(key).expect("pending");
        for fact in world.facts() {
            oracle.fact(world.now(), &fact, &world);
        }
        oracle.event(world.now(), event, &world);
        assert!(world.now().since_start() < Span::from_s(5), "never seen");
    }
    assert!(oracle.violations()[0].what.contains("a second time"), "{:?}", oracle.violations());
}

#[test]
fn time_that_goes_back_is_seen() {
    let (world, mut oracle) = watched(PRE_COPY, Span::from_ms(1500));
    oracle.fact(SimTime::from_ns(5), &Fact::LastPage, &world);
    assert!(oracle.broke(Invariant::Accounting));
}

#[test]
fn a_write_that_the_guest_did_not_do_is_seen_page_by_page() {
    let (mut world, mut oracle) = watched(PRE_COPY, Span::from_ms(1500));
    world.tamper(Tampering::WriteUnseen(Host::Source));
    assert_eq!(end(&mut world, &mut oracle), [Invariant::NoStalePage]);
    assert!(oracle.violations()[0].what.starts_with("page 0 on source holds"), "{}", oracle.violations()[0].what);
}

/// The destination's memory is broken between the last page and the start: the hash at the start shows it.
#[test]
fn a_page_that_changed_on_the_way_is_seen_at_the_start() {
    let stopped = Span::from_ms(2254);
    let (mut world, mut oracle) = watched("recovery/autostart-unaware-outage-ask", stopped);
    assert!(world.vm().copy(Host::Destination).is_some_and(|copy| !copy.executes()), "received, not yet running");
    world.tamper(Tampering::WriteUnseen(Host::Destination));
    while !oracle.broke(Invariant::NoStalePage) {
        let key = world.enabled().next().expect("it goes on").0;
        world.apply(key);
        for fact in world.facts() {
            oracle.fact(world.now(), &fact, &world);
        }
        assert!(world.now().since_start() < Span::from_s(3), "never seen");
    }
}

#[test]
fn a_stale_start_is_seen() {
    let (world, mut oracle) = watched(PRE_COPY, Span::from_ms(1500));
    let stale = Resumption {
        host: Host::Destination,
        branch: BranchId::new(0),
        guest: Span::ZERO,
        forked: false,
        exact: false,
        cause: PauseCause::Switchover,
    };
    oracle.fact(world.now(), &Fact::Resumed(stale), &world);
    assert!(oracle.broke(Invariant::NoStalePage));
}

const HELD: &str = "recovery/postcopyft-disk-done-again";

#[test]
fn a_disk_that_forgets_is_seen() {
    let (mut world, mut oracle) = watched(HELD, Span::from_ms(900));
    assert_eq!(end(&mut world, &mut oracle), []);
    world.tamper(Tampering::EraseDisk);
    assert_eq!(end(&mut world, &mut oracle), [Invariant::NoLostWrite]);
    assert!(oracle.violations()[0].what.contains("holds nothing, and should hold write"), "{:?}", oracle.violations());
}

/// The version was complete and its disk writes had not reached the disk when the destination died.
#[test]
fn a_restore_that_does_no_disk_writes_is_seen() {
    let (mut world, mut oracle) = watched(HELD, Span::from_ms(1512));
    assert!(world.vm().copies().all(|(_, copy)| !copy.executes()), "claimed, and not yet running");
    world.tamper(Tampering::ForgetWrites);
    while oracle.violations().is_empty() {
        let key = world.enabled().next().expect("it goes on").0;
        world.apply(key);
        for fact in world.facts() {
            oracle.fact(world.now(), &fact, &world);
        }
        assert!(world.now().since_start() < Span::from_s(2), "never seen");
    }
    assert!(oracle.broke(Invariant::ConsistentRecovery));
}

#[test]
fn a_disk_write_over_a_later_one_is_seen() {
    let (world, mut oracle) = watched(HELD, Span::from_ms(900));
    let write = |number| DiskWrite { number, block: 3, branch: BranchId::new(0), guest: Span::from_ms(number) };
    let written = |number, over| {
        let stage = DiskStage::Written { over: Some(write(over)) };
        Fact::DiskWrite { host: Host::Source, write: write(number), stage }
    };
    oracle.fact(world.now(), &written(5, 4), &world);
    assert!(oracle.violations().is_empty());
    oracle.fact(world.now(), &written(5, 6), &world);
    assert!(oracle.broke(Invariant::NoLostWrite));
}

/// Outputs of the only branch belong to the newest history; of another, they do not.
#[test]
fn output_of_another_branch_is_seen() {
    let (world, mut oracle) = watched(PRE_COPY, Span::from_ms(1500));
    let released = |branch| Fact::Output {
        host: Host::Source,
        number: 1,
        branch: BranchId::new(branch),
        guest: Span::from_s(1),
        stage: OutputStage::Released,
    };
    oracle.fact(world.now(), &released(0), &world);
    assert!(oracle.violations().is_empty());
    oracle.fact(world.now(), &released(1), &world);
    assert!(oracle.broke(Invariant::SingleHistory));
}

/// The three that a split brain breaks are broken by shipped scenarios (tests/scenarios.rs); liveness by one that stalls. Here: a
/// VM that stands for longer than the bound and runs again.
#[test]
fn standing_too_long_is_seen() {
    let (mut world, mut oracle) = watched("smoke/stop-and-copy", Span::from_s(3));
    assert!(world.vm().copies().all(|(_, copy)| !copy.executes()), "the VM stands");
    let late = SimTime::from_ns(1_000_000_000_000_000);
    let again = Resumption {
        host: Host::Source,
        branch: BranchId::new(0),
        guest: Span::ZERO,
        forked: false,
        exact: true,
        cause: PauseCause::Switchover,
    };
    oracle.fact(late, &Fact::Resumed(again.clone()), &world);
    assert!(oracle.violations().is_empty(), "it does not advance yet");
    while world.vm().copies().all(|(_, copy)| !copy.executes()) {
        let key = world.enabled().next().expect("it goes on").0;
        world.apply(key);
    }
    oracle.fact(late, &Fact::Resumed(again), &world);
    assert_eq!(end(&mut world, &mut oracle), [Invariant::Liveness]);
}
