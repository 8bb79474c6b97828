//! The guest's clock: stands while the VM is paused, runs at (1 − throttle) × the share of vCPUs that do not wait for a page
//! while it executes.

use crate::units::{Ratio, SimTime, Span};

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
}

impl GuestClock {
    /// Stands at guest time 0.
    pub fn new(vcpus: u64) -> Self {
        Self { base: Span::ZERO, since: None, throttle: Ratio::ZERO, vcpus, blocked: 0 }
    }

    /// Guest time at `now`.
    pub fn at(&self, now: SimTime) -> Span {
        match self.since {
            None => self.base,
            Some(since) => self.base + (now - since).scale(self.speed()),
        }
    }

    fn speed(&self) -> Ratio {
        let running = self.throttle.complement();
        if self.blocked == 0 {
            return running;
        }
        Ratio::new(running.num() * (self.vcpus - self.blocked), running.den() * self.vcpus)
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
        self.base = self.at(now);
        self.since = self.since.map(|_| now);
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
        self.base = self.at(now);
        self.since = None;
    }

    /// Changes its speed to 1 − `throttle`.
    pub fn throttle(&mut self, now: SimTime, throttle: Ratio) {
        assert!(throttle < Ratio::ONE, "a guest that is throttled entirely never advances");
        self.base = self.at(now);
        self.since = self.since.map(|_| now);
        self.throttle = throttle;
    }

    /// The first instant at or after `now` at which guest time is at least `guest`, if it advances.
    pub fn when(&self, guest: Span, now: SimTime) -> Option<SimTime> {
        let since = self.since?;
        let speed = self.speed();
        if guest > self.base && speed == Ratio::ZERO {
            return None;
        }
        let ahead = u128::from(guest.saturating_sub(self.base).ns()) * u128::from(speed.den());
        let span = Span::from_ns(u64::try_from(ahead.div_ceil(u128::from(speed.num().max(1)))).ok()?);
        Some(now.max(since.saturating_add(span)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stands_while_paused_and_runs_slower_when_throttled() {
        let at = SimTime::from_ns;
        let mut clock = GuestClock::new(1);
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
        let mut clock = GuestClock::new(4);
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

    proptest! {
        #[test]
        fn when_is_the_first_instant(percent in 0u64..100, guest in 0u64..1_000_000, start in 0u64..1000) {
            let mut clock = GuestClock::new(1);
            clock.start(SimTime::from_ns(start));
            clock.throttle(SimTime::from_ns(start), Ratio::percent(percent));
            let when = clock.when(Span::from_ns(guest), SimTime::from_ns(start)).expect("it runs");
            prop_assert!(clock.at(when).ns() >= guest);
            if when.ns() > start {
                prop_assert!(clock.at(SimTime::from_ns(when.ns() - 1)).ns() < guest);
            }
        }
    }
}
