//! The same scenario with a smaller guest. What a protocol does wrong it does wrong with few pages, too, and a short run has fewer
//! places, so that all of them can be tried.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rng::RunSeed;
use crate::scenario::Scenario;
use crate::scenario::policy::Migration;
use crate::units::{Bytes, EventRate, PageCount, Span};
use crate::vocabulary::Phase;

use super::reference::Reference;

/// The least guest that is tried.
const PAGES_MIN: u64 = 8;

/// When the command to migrate comes at the latest: what the guest does before is no concern of any protocol.
const MIGRATE_AT: Span = Span::from_ms(50);

/// The same guest with half of the pages of each class; none if one has its pages from a recording.
pub(super) fn halved(scenario: &Scenario) -> Option<Scenario> {
    let mut smaller = scenario.clone();
    let vm = &mut smaller.vms[0];
    let mut all = PageCount::ZERO;
    for class in &mut vm.workload.classes {
        if class.trace.is_some() {
            return None;
        }
        class.pages = PageCount::new((class.pages.get() / 2).max(1));
        class.wake = class.wake.min(class.pages);
        all += class.pages;
    }
    vm.memory = Bytes::new(all.get() * scenario.platform.page_size.get());
    (all.get() >= PAGES_MIN && vm.memory < scenario.vms[0].memory).then_some(smaller)
}

/// How long a VM that stays is protected: it never comes to an end by itself.
const PROTECTED: Span = Span::from_s(12);

/// Packets of the guest, at most: a VM that waits for a minute says nothing new with each of them.
const OUTPUT: EventRate = EventRate::per_s(200);

/// The smallest guest, halving, that is asked for early, and whose run still goes through the same phases and shows as much of the policy.
pub(super) fn twin(scenario: &Arc<Scenario>) -> Arc<Scenario> {
    let seed = RunSeed { seed: scenario.seed, replication: 0 };
    let shown = |scenario: &Arc<Scenario>| {
        let Reference { steps, events, .. } = Reference::of(scenario, seed);
        let phases: BTreeSet<Phase> = steps.points().iter().map(|point| point.phase).collect();
        (phases, steps.shows_no(scenario), events)
    };
    let (phases, lacks, mut events) = shown(scenario);
    let mut smallest = scenario.clone();
    let mut earlier = scenario.as_ref().clone();
    earlier.operator.migrate_at = earlier.operator.migrate_at.min(MIGRATE_AT);
    if earlier.policy.migration == Migration::None {
        let enough = earlier.operator.migrate_at.saturating_add(PROTECTED);
        earlier.horizon = earlier.horizon.min(enough);
    }
    for output in earlier.vms.iter_mut().filter_map(|vm| vm.output.as_mut()) {
        output.rate = output.rate.min(OUTPUT);
    }
    let mut next = Some(earlier);
    while let Some(smaller) = next {
        let candidate = Arc::new(smaller);
        let (here, less, fewer) = shown(&candidate);
        if here == phases && less.is_subset(&lacks) && fewer < events {
            (smallest, events) = (candidate.clone(), fewer);
        }
        next = halved(&candidate);
    }
    smallest
}
