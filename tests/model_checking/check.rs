//! The model as the checker wants it, and what is checked of it.
//!
//! Invariants are `always` properties. That the VM survives is an `eventually` property whose condition can hold only where nothing
//! may happen any more: the checker forgets on which path it came to a state that several paths share, and so a condition that
//! held half-way on one of them would count for the others. What it asks for besides, that each path ends, is
//! [`Check::has_cycle`].

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use midflight::protocol::Settings;
use midflight::scenario::Scenario;
use midflight::world::settings;
use stateright::{Model, Property};

use crate::common;
use crate::plan::{Milestones, Plan};
use crate::vm::Copy;
use crate::world::{Event, World};

/// A policy under a plan, and what is asked of it.
pub struct Check {
    scenario: Arc<Scenario>,
    settings: Settings,
    plan: Plan,
    asked: Vec<&'static str>,
}

/// What a property says of a state.
type Condition = fn(&Check, &World) -> bool;

/// Invariants, by the names that `midflight list invariants` has for them where it has one.
const ALWAYS: &[(&str, Condition)] = &[
    ("single-execution", |_, world| executing(world) < 2),
    ("output-commit", |_, world| !world.broken.output_commit),
    ("single-history", |_, world| !world.broken.single_history),
    ("consistent-recovery", |_, world| !world.broken.consistent_recovery),
    ("freshest", |_, world| !world.broken.freshest),
    ("no-stale-page", |_, world| !world.broken.no_stale_page),
    ("accounting", |_, world| !world.broken.accounting),
    ("recoverable", |_, world| is_recoverable(world)),
    // As `docs/protocols.md` had it before this was checked.
    ("only a fault in [R, C) costs the VM", |_, world| !costs(world, [true, false, false])),
];

/// How it must end, wherever it ends.
const EVENTUALLY: &[(&str, Condition)] = &[
    ("the VM survives", |_, world| is_well(world) && world.has_ended()),
    ("the VM survives, but for the ending's window", |_, world| {
        (is_well(world) || is_in_window(world)) && world.has_ended()
    }),
];

/// What must be found somewhere, lest the others hold for want of anything that could break them.
const SOMETIMES: &[(&str, Condition)] = &[
    ("it is completed", |_, world| world.milestones.concluded && world.milestones.struck.is_none()),
    ("it is recovered from a version", |_, world| world.milestones.from_version && is_well(world)),
    ("it is recovered from the base", |_, world| {
        world.milestones.restored.is_some() && !world.milestones.from_version && is_well(world)
    }),
    ("it is rolled back", |_, world| {
        let Milestones { restored, concluded, .. } = world.milestones;
        restored.is_none() && !concluded && world.vm.source.as_ref().is_some_and(Copy::is_free) && world.has_ended()
    }),
    ("two copies execute", |_, world| executing(world) == 2),
    ("a fault in [R, C) costs the VM", |_, world| costs(world, [true, true, false])),
    ("a fault before R costs the VM", |_, world| costs(world, [true, false, false])),
];

fn executing(world: &World) -> usize {
    world.vm.copies().filter(|copy| copy.runs).count()
}

/// Whether the fault struck there, and the VM is lost or mute.
fn costs(world: &World, ending: [bool; 3]) -> bool {
    world.milestones.struck == Some(ending) && !is_well(world) && world.has_ended()
}

/// Runs somewhere with all its pages, and lets go what it sends.
fn is_well(world: &World) -> bool {
    world.vm.copies().any(Copy::is_free)
}

/// Two generals: the source has given up its right, for a "complete" that was said before the fault struck, and the destination has
/// not heard so.
fn is_in_window(world: &World) -> bool {
    let Milestones { relinquished, concluded, struck, .. } = world.milestones;
    relinquished && !concluded && matches!(struck, Some([true, _, false]))
}

/// Until something fails or the source gives up restoring: what it would restore covers all that clients have seen.
fn is_recoverable(world: &World) -> bool {
    let Milestones { relinquished, restored, struck, .. } = world.milestones;
    let claimed = !relinquished && restored.is_none() && struck.is_none();
    let newest = world.vault.newest.map_or(0, |stored| world.vm.states[stored.state.0 as usize].guest.steps);
    !claimed || world.vm.released.iter().all(|step| *step <= newest)
}

impl Check {
    /// The policy `base` with `changes`. `plan` says what may happen, `asked` which properties are checked.
    pub fn new(base: &str, changes: &str, plan: Plan, asked: Vec<&'static str>) -> Self {
        let comma = if changes.is_empty() { "" } else { ", " };
        // One missed heartbeat is as good as several, where nothing takes time.
        let text = format!(
            r#"{{ "schema": 1, "why": "A VM of two pages, for the model checker.",
                "policy": {{ "base": "{base}", "detector": {{ "heartbeat": {{ "pings": {{ "misses": 1 }} }} }}{comma}{changes} }},
                "vms": [{{ "memory": "8 KiB", "workload": {{ "classes": [{{ "name": "all", "write": "1 /s" }}] }} }}],
                "network": "gige", "platform": {{ "base": "generic", "chunk": "1 pages" }} }}"#
        );
        let scenario = common::parse(&text);
        let settings = settings(&scenario);
        let store = scenario.policy.checkpoint.as_ref().expect("a policy with checkpoints").store.host;
        Self { scenario, settings, plan: Plan { store, ..plan }, asked }
    }

    /// Whether a state can come again: then a path need not end.
    pub fn has_cycle(&self) -> bool {
        let name = |world: &World| {
            let mut hasher = DefaultHasher::new();
            world.hash(&mut hasher);
            hasher.finish()
        };
        // By state: whether the path that is being followed goes through it. The path, with what is left to be looked at after each.
        let mut met = BTreeMap::new();
        let mut path: Vec<(u64, Vec<World>)> = Vec::new();
        let mut next = self.init_states().pop();
        loop {
            if let Some(world) = next.take() {
                let name = name(&world);
                match met.get(&name) {
                    Some(true) => return true,
                    Some(false) => {}
                    None => {
                        met.insert(name, true);
                        path.push((name, self.next_states(&world)));
                    }
                }
            }
            let Some((name, left)) = path.last_mut() else { return false };
            next = left.pop();
            if next.is_none() {
                met.insert(*name, false);
                path.pop();
            }
        }
    }
}

impl Model for Check {
    type State = World;
    type Action = Event;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.scenario, &self.settings, self.plan)]
    }

    fn actions(&self, world: &World, events: &mut Vec<Event>) {
        events.extend(world.enabled());
    }

    fn next_state(&self, world: &World, event: Event) -> Option<World> {
        Some(world.after(event))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = ALWAYS.iter().map(|(name, condition)| Property::always(name, *condition));
        let eventually = EVENTUALLY.iter().map(|(name, condition)| Property::eventually(name, *condition));
        let sometimes = SOMETIMES.iter().map(|(name, condition)| Property::sometimes(name, *condition));
        let all: Vec<Property<Self>> = always.chain(eventually).chain(sometimes).collect();
        let found = all.into_iter().filter(|property| self.asked.contains(&property.name));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), self.asked.len(), "a property that is asked for is not known: {:?}", self.asked);
        found
    }
}
