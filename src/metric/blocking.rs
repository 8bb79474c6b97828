//! What waiting for missing pages cost: network faults, times in which every vCPU waited, and the life of a doomed copy.

use crate::units::{SimTime, Span};
use crate::vocabulary::Host;
use crate::world::{Fact, World};

use super::columns::Record;

/// Gathered while a run goes on.
#[derive(Debug, Default)]
pub(super) struct Blocking {
    /// vCPUs that had to wait.
    faults: u64,
    /// How long, for those that got their page.
    latencies: Vec<u64>,
    /// Times in which every vCPU waited; the last may be open.
    all: Vec<(SimTime, Option<SimTime>)>,
    /// From when on the executing copy could not survive, and when it was gone.
    doomed: Option<(SimTime, Option<SimTime>)>,
    followed: bool,
}

impl Blocking {
    pub fn fact(&mut self, at: SimTime, fact: &Fact, world: &World) {
        match fact {
            Fact::Blocked { all, .. } => {
                self.faults += 1;
                if *all {
                    self.all.push((at, None));
                }
            }
            Fact::Unblocked { waited, all, .. } => {
                self.latencies.push(waited.ns());
                if *all {
                    self.end(at);
                }
            }
            Fact::Resumed(_) => {
                self.followed |= world.vm().copy(Host::Destination).is_some_and(|copy| copy.memory.takes_faults());
            }
            // It lived after all: what was missing had reached the host.
            Fact::LastPage => self.doomed = None,
            Fact::CopyGone { host: Host::Destination, .. } => {
                self.end(at);
                if let Some((_, gone @ None)) = &mut self.doomed {
                    *gone = Some(at);
                }
            }
            Fact::CopyGone { .. } => {
                let incomplete = |copy: &crate::world::VmCopy| copy.executes() && !copy.memory.is_complete();
                if self.doomed.is_none() && world.vm().copy(Host::Destination).is_some_and(incomplete) {
                    self.doomed = Some((at, None));
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, at: SimTime) {
        if let Some((_, end @ None)) = self.all.last_mut() {
            *end = Some(at);
        }
    }

    /// Time within `from`‥`to` in which every vCPU waited.
    fn waited(&self, from: SimTime, to: SimTime) -> Span {
        let within = self.all.iter().map(|&(begin, end)| {
            let end = end.unwrap_or(to).min(to);
            end.saturating_since(begin.max(from))
        });
        within.fold(Span::ZERO, Span::saturating_add)
    }

    /// Fills its columns; absent where no copy ran with pages missing.
    pub fn finish(mut self, end: SimTime, record: &mut Record) {
        if !self.followed {
            return;
        }
        record.network_faults = Some(self.faults);
        record.all_blocked_s = Some(self.waited(SimTime::ZERO, end));
        record.doomed_s = self.doomed.map(|(from, gone)| {
            let to = gone.unwrap_or(end);
            to.saturating_since(from).saturating_sub(self.waited(from, to))
        });
        (record.fault_latency_mean_s, record.fault_latency_p99_s) = mean_and_p99(&mut self.latencies);
    }
}

/// Mean, and the 99th percentile by nearest rank: the ⌈0.99 n⌉-th smallest.
pub(super) fn mean_and_p99(ns: &mut [u64]) -> (Option<Span>, Option<Span>) {
    if ns.is_empty() {
        return (None, None);
    }
    ns.sort_unstable();
    let sum: u128 = ns.iter().map(|&ns| u128::from(ns)).sum();
    let mean = u64::try_from(sum / ns.len() as u128).expect("a mean of 64-bit numbers");
    (Some(Span::from_ns(mean)), Some(Span::from_ns(ns[(ns.len() * 99).div_ceil(100) - 1])))
}
