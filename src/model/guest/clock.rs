//! The guest's clock: stands while the VM is paused, runs at (1 − throttle) × the share of vCPUs that do not wait for a page
//! while it executes. One that keeps a schedule falls behind meanwhile and makes up for it, as fast as it can.

use crate::units::{Ratio, SimTime, Span};

/// A schedule that a guest keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Schedule {
    /// How many times faster than the schedule asks it is able to work.
    pub able: Ratio,
    /// How far behind it can be; more is given up.
    pub backlog: Span,
}

/// Guest time as a function of simulated time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GuestClock {
    /// Guest time at `since`.
    base: Span,
    /// When it last started or changed speed; `None`: it stands.
    since: Option<SimTime>,
    throttle: Ratio,
    /// Of how many vCPUs, how many wait for a page.
    vcpus: u64,
    blocked: u64,
    /// The schedule that it keeps, if any, and how far it was behind at `since`.
    schedule: Option<Schedule>,
    behind: Span,
}

impl GuestClock {
    /// Stands at guest time 0.
    pub fn new(vcpus: u64, schedule: Option<Schedule>) -> Self {
        Self { base: Span::ZERO, since: None, throttle: Ratio::ZERO, vcpus, blocked: 0, schedule, behind: Span::ZERO }
    }

    /// Guest time at `now`.
    pub fn at(&self, now: SimTime) -> Span {
        let Some(since) = self.since else { return self.base };
        let passed = now - since;
        let able = passed.scale(self.speed());
        match self.schedule {
            None => self.base + able,
            // Never ahead of the schedule.
            Some(_) => self.base + able.min(self.behind + passed),
        }
    }

    /// Guest time per time, as fast as it is able to.
    fn speed(&self) -> Ratio {
        let running = self.throttle.complement();
        let free = self.vcpus - self.blocked;
        if free == self.vcpus && self.schedule.is_none() {
            return running;
        }
        let able = self.schedule.map_or(Ratio::ONE, |schedule| schedule.able);
        running.times(Ratio::new(free, self.vcpus)).times(able)
    }

    /// Begins anew at `now`, before something changes.
    fn rebase(&mut self, now: SimTime) {
        let (before, base) = (self.base, self.at(now));
        if let (Some(since), Some(schedule)) = (self.since, self.schedule) {
            self.behind = (self.behind + (now - since)).saturating_sub(base - before).min(schedule.backlog);
        }
        self.base = base;
        self.since = self.since.map(|_| now);
    }

    /// vCPUs that wait for a page.
    pub fn blocked(&self) -> u64 {
        self.blocked
    }

    /// Whether all do.
    pub fn is_blocked(&self) -> bool {
        self.blocked == self.vcpus
    }

    /// So many vCPUs wait for a page from now on.
    pub fn block(&mut self, now: SimTime, blocked: u64) {
        assert!(blocked <= self.vcpus, "{blocked} of {} vCPUs", self.vcpus);
        self.rebase(now);
        self.blocked = blocked;
    }

    /// Whether the VM executes, if only to wait for a page.
    pub fn is_running(&self) -> bool {
        self.since.is_some()
    }

    /// Starts it.
    pub fn start(&mut self, now: SimTime) {
        assert!(self.since.is_none(), "the clock runs already");
        self.since = Some(now);
    }

    /// Stops it.
    pub fn stop(&mut self, now: SimTime) {
        self.rebase(now);
        self.since = None;
    }

    /// Changes its speed to 1 − `throttle`.
    pub fn throttle(&mut self, now: SimTime, throttle: Ratio) {
        assert!(throttle < Ratio::ONE, "a guest that is throttled entirely never advances");
        self.rebase(now);
        self.throttle = throttle;
    }

    /// The first instant at or after `now` at which guest time is at least `guest`, if it advances.
    pub fn when(&self, guest: Span, now: SimTime) -> Option<SimTime> {
        let since = self.since?;
        let speed = self.speed();
        if guest > self.base && speed == Ratio::ZERO {
            return None;
        }
        let ahead = guest.saturating_sub(self.base);
        let scaled = u128::from(ahead.ns()) * u128::from(speed.den());
        let able = Span::from_ns(u64::try_from(scaled.div_ceil(u128::from(speed.num().max(1)))).ok()?);
        let due = self.schedule.map_or(Span::ZERO, |_| ahead.saturating_sub(self.behind));
        Some(now.max(since.saturating_add(able.max(due))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stands_while_paused_and_runs_slower_when_throttled() {
        let at = SimTime::from_ns;
        let mut clock = GuestClock::new(1, None);
        assert_eq!(clock.at(at(50)), Span::ZERO);
        clock.start(at(100));
        clock.throttle(at(200), Ratio::percent(75));
        assert_eq!(clock.at(at(600)), Span::from_ns(200));
        clock.stop(at(600));
        assert_eq!(clock.at(at(900)), Span::from_ns(200));
        assert_eq!(clock.when(Span::from_ns(201), at(900)), None);
    }

    #[test]
    fn waiting_vcpus_take_their_share_of_time() {
        let at = SimTime::from_ns;
        let mut clock = GuestClock::new(4, None);
        clock.start(at(0));
        clock.block(at(100), 3);
        assert_eq!(clock.at(at(500)), Span::from_ns(200));
        clock.block(at(500), 4);
        assert!(clock.is_running() && clock.is_blocked());
        assert_eq!(clock.at(at(900)), Span::from_ns(200));
        assert_eq!(clock.when(Span::from_ns(201), at(900)), None);
        assert_eq!(clock.when(Span::from_ns(200), at(900)), Some(at(900)), "what is due is due");
        clock.block(at(900), 0);
        assert_eq!(clock.at(at(1000)), Span::from_ns(300));
    }

    #[test]
    fn a_schedule_is_caught_up_with_but_for_what_is_given_up() {
        let at = SimTime::from_ns;
        let schedule = Schedule { able: Ratio::new(5, 1), backlog: Span::from_ns(100) };
        let mut clock = GuestClock::new(1, Some(schedule));
        clock.start(at(0));
        assert_eq!(clock.at(at(300)), Span::from_ns(300), "never ahead");
        clock.block(at(300), 1);
        assert_eq!(clock.at(at(380)), Span::from_ns(300));
        clock.block(at(380), 0);
        assert_eq!((clock.at(at(390)), clock.at(at(400))), (Span::from_ns(350), Span::from_ns(400)));
        assert_eq!(clock.at(at(450)), Span::from_ns(450), "80 were made up for");
        clock.block(at(450), 1);
        clock.block(at(1450), 0);
        assert_eq!(clock.at(at(1475)), Span::from_ns(575));
        assert_eq!(clock.at(at(1500)), Span::from_ns(600), "100 of the 1000 were made up for");
        clock.throttle(at(1500), Ratio::percent(80));
        assert_eq!(clock.at(at(1600)), Span::from_ns(700), "what fits into a fifth of the time is done");
        clock.throttle(at(1600), Ratio::percent(90));
        assert_eq!(clock.at(at(1700)), Span::from_ns(750));
        clock.stop(at(1700));
        assert_eq!(clock.at(at(9000)), Span::from_ns(750), "a VM that stands has no schedule");
    }

    proptest! {
        #[test]
        fn when_is_the_first_instant(
            percent in 0u64..100,
            guest in 0u64..1_000_000,
            start in 0u64..1000,
            paced in prop::option::of((1u64..9, 0u64..5000)),
        ) {
            let schedule = paced.map(|(times, backlog)| Schedule {
                able: Ratio::new(times, 1),
                backlog: Span::from_ns(backlog),
            });
            let mut clock = GuestClock::new(1, schedule);
            clock.start(SimTime::from_ns(start));
            clock.block(SimTime::from_ns(start), 1);
            let start = start + 3000;
            clock.block(SimTime::from_ns(start), 0);
            clock.throttle(SimTime::from_ns(start), Ratio::percent(percent));
            let when = clock.when(Span::from_ns(guest), SimTime::from_ns(start)).expect("it runs");
            prop_assert!(clock.at(when).ns() >= guest);
            if when.ns() > start {
                prop_assert!(clock.at(SimTime::from_ns(when.ns() - 1)).ns() < guest);
            }
        }
    }
}
