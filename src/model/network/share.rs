//! Who gets how much of shared links: weighted max-min fairness under strict priorities, in whole units.
//!
//! **Why**: flows of one migration, of its heartbeats and of other migrations meet on the same cards; TCP-like
//! sharing of a bottleneck is what max-min fairness idealizes. **Not here**: time, queues, or any memory of
//! earlier shares; this is a function.
//!
//! Within a priority, the *level* of a resource is r/W, its free capacity over the weights of the flows on it that are
//! not fixed yet; that of a capped flow is cap/weight. Progressive filling (Bertsekas and Gallager, *Data Networks*,
//! 2nd ed., 1992, §6.5.2) repeats: take the lowest level; fix its flows at ⌊r·w/W⌋, or at the cap. The floors
//! leave less than one unit per flow; these units go one each, in flow order, to flows that can take them.

/// Something that wants as much as it can get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Indices of the resources it uses; the same one twice counts once.
    pub resources: [usize; 2],
    /// The most it can use, in units of capacity.
    pub cap: Option<u64>,
    /// Its weight; 0 counts as 1.
    pub weight: u32,
    /// Flows of a higher number are served first.
    pub priority: u8,
}

impl Flow {
    fn uses(&self) -> &[usize] {
        if self.resources[0] == self.resources[1] { &self.resources[..1] } else { &self.resources }
    }
    fn weight(&self) -> u64 {
        u64::from(self.weight.max(1))
    }
    /// The most that `free` capacities still let it have.
    fn room(&self, free: &[u64]) -> u64 {
        self.uses().iter().map(|&r| free[r]).min().unwrap_or(0)
    }
}

/// Shares in the unit of `capacities`, one per flow and in their order. Every flow ends at its cap or on a resource
/// with nothing left.
pub fn share(capacities: &[u64], flows: &[Flow]) -> Vec<u64> {
    let mut free = capacities.to_vec();
    let mut shares = vec![0; flows.len()];
    let mut priorities: Vec<u8> = flows.iter().map(|flow| flow.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    for &priority in priorities.iter().rev() {
        let class: Vec<usize> = (0..flows.len()).filter(|&i| flows[i].priority == priority).collect();
        fill(flows, &class, &mut free, &mut shares);
        hand_out(flows, &class, &mut free, &mut shares);
    }
    shares
}

/// The lowest level: `amount / weight`, of a resource or of one capped flow.
#[derive(Clone, Copy)]
struct Level {
    amount: u64,
    weight: u64,
    of: Bottleneck,
}

#[derive(Clone, Copy)]
enum Bottleneck {
    Resource(usize),
    Cap(usize),
}

impl Level {
    fn is_below(self, other: Option<Self>) -> bool {
        other.is_none_or(|other| {
            u128::from(self.amount) * u128::from(other.weight) < u128::from(other.amount) * u128::from(self.weight)
        })
    }
}

fn fill(flows: &[Flow], class: &[usize], free: &mut [u64], shares: &mut [u64]) {
    let mut open = class.to_vec();
    while let Some(level) = lowest(flows, &open, free) {
        let mut fix = |i: usize, amount: u64| {
            shares[i] = amount;
            for &resource in flows[i].uses() {
                free[resource] -= amount;
            }
        };
        match level.of {
            Bottleneck::Cap(i) => {
                fix(i, level.amount);
                open.retain(|&other| other != i);
            }
            Bottleneck::Resource(resource) => open.retain(|&i| {
                let here = flows[i].uses().contains(&resource);
                if here {
                    let part = u128::from(level.amount) * u128::from(flows[i].weight()) / u128::from(level.weight);
                    fix(i, u64::try_from(part).expect("a part is below the whole"));
                }
                !here
            }),
        }
    }
}

fn lowest(flows: &[Flow], open: &[usize], free: &[u64]) -> Option<Level> {
    let mut best: Option<Level> = None;
    let mut weights = vec![0; free.len()];
    for &i in open {
        for &resource in flows[i].uses() {
            weights[resource] += flows[i].weight();
        }
        if let Some(amount) = flows[i].cap {
            let level = Level { amount, weight: flows[i].weight(), of: Bottleneck::Cap(i) };
            if level.is_below(best) {
                best = Some(level);
            }
        }
    }
    for (resource, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
        let level = Level { amount: free[resource], weight, of: Bottleneck::Resource(resource) };
        if level.is_below(best) {
            best = Some(level);
        }
    }
    best
}

/// Gives what the floors left, one unit each and round again while anyone can take one. A flow below its cap has
/// a bottleneck with less than one unit left per flow, so this ends soon.
fn hand_out(flows: &[Flow], class: &[usize], free: &mut [u64], shares: &mut [u64]) {
    loop {
        let mut given = false;
        for &i in class {
            if flows[i].cap.is_none_or(|cap| shares[i] < cap) && flows[i].room(free) > 0 {
                shares[i] += 1;
                given = true;
                for &resource in flows[i].uses() {
                    free[resource] -= 1;
                }
            }
        }
        if !given {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flow(a: usize, b: usize) -> Flow {
        Flow { resources: [a, b], cap: None, weight: 1, priority: 0 }
    }

    #[test]
    fn small_cases() {
        assert_eq!(share(&[10], &[]), Vec::<u64>::new());
        assert_eq!(share(&[10, 4], &[flow(0, 1)]), [4]);
        // Leftover units go in flow order.
        assert_eq!(share(&[11], &[flow(0, 0); 3]), [4, 4, 3]);
        // The bottleneck 1 fixes the first flow at 2; the second takes the rest of 0.
        assert_eq!(share(&[10, 2, 99], &[flow(0, 1), flow(0, 2)]), [2, 8]);
        let capped = Flow { cap: Some(1), ..flow(0, 0) };
        assert_eq!(share(&[9], &[flow(0, 0), capped, flow(0, 0)]), [4, 1, 4]);
        let heavy = Flow { weight: 3, ..flow(0, 0) };
        assert_eq!(share(&[8], &[flow(0, 0), heavy]), [2, 6]);
        let first = Flow { priority: 1, cap: Some(5), ..flow(0, 0) };
        assert_eq!(share(&[8], &[flow(0, 0), first]), [3, 5]);
        assert_eq!(share(&[0, 7], &[flow(0, 1)]), [0]);
    }

    fn flows() -> impl Strategy<Value = Vec<Flow>> {
        let one = (0..6usize, 0..6usize, proptest::option::of(0..40u64), 0..4u32, 0..3u8);
        let build = |(a, b, cap, weight, priority)| Flow { resources: [a, b], cap, weight, priority };
        proptest::collection::vec(one.prop_map(build), 0..9)
    }

    proptest! {
        #[test]
        fn feasible_and_nothing_wasted(capacities in proptest::array::uniform6(0..100u64), flows in flows()) {
            let shares = share(&capacities, &flows);
            let used = |r: usize| -> u64 {
                flows.iter().zip(&shares).filter(|(flow, _)| flow.uses().contains(&r)).map(|(_, share)| share).sum()
            };
            for (r, &capacity) in capacities.iter().enumerate() {
                prop_assert!(used(r) <= capacity);
            }
            for (flow, &share) in flows.iter().zip(&shares) {
                let full = flow.uses().iter().any(|&r| used(r) == capacities[r]);
                prop_assert!(full || flow.cap == Some(share));
                prop_assert!(flow.cap.is_none_or(|cap| share <= cap));
            }
        }

        #[test]
        fn equals_on_one_link_differ_by_one(capacity: u64, n in 1..20usize) {
            let shares = share(&[capacity], &vec![flow(0, 0); n]);
            prop_assert_eq!(shares.iter().copied().map(u128::from).sum::<u128>(), u128::from(capacity));
            prop_assert!(shares[0] - shares[n - 1] <= 1);
            prop_assert!(shares.is_sorted_by(|a, b| a >= b));
        }

        #[test]
        fn a_resource_nobody_uses_changes_nothing(
            capacities in proptest::array::uniform6(0..100u64), flows in flows(), spare: u64,
        ) {
            let more: Vec<u64> = capacities.iter().copied().chain([spare]).collect();
            prop_assert_eq!(share(&capacities, &flows), share(&more, &flows));
        }

        #[test]
        fn lower_priorities_do_not_disturb(capacities in proptest::array::uniform6(0..100u64), flows in flows()) {
            let high: Vec<Flow> = flows.iter().copied().filter(|flow| flow.priority == 2).collect();
            let shares = share(&capacities, &flows);
            let kept: Vec<u64> = flows.iter().zip(shares).filter(|(f, _)| f.priority == 2).map(|(_, s)| s).collect();
            prop_assert_eq!(share(&capacities, &high), kept);
        }
    }
}
