//! The rounds of a pre-copy: what to do after each chunk, sync and window, and when to leave.
//!
//! Two stop rules (QEMU's and Clark's, see [`StopRule`]), caps on rounds, bytes and time, each with its own ending, and
//! auto-converge. It decides; [`super::Source`] acts.

use super::pacing::{Limit, Next, Pacer, Spans};
use crate::scenario::policy::{AtMax, CapEnding, PreCopy, StopRule, Switch};
use crate::units::{ByteRate, Bytes, LocalTime, PageCount, Ratio, Span};
use crate::vocabulary::RoundsEnd;

/// What a sender does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// Reads the next chunk.
    Take,
    /// Syncs the log: a new round begins.
    Sync,
    /// Waits for so long, until the next window.
    AwaitWindow(Span),
    /// Waits for so long.
    Pace(Span),
    /// Stops the VM and sends the rest.
    Stop(RoundsEnd),
    /// Stops the VM and moves it; the rest follows.
    Switch,
    /// Gives the migration up.
    Abort(RoundsEnd),
}

/// The rounds so far.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Rounds {
    policy: PreCopy,
    page_size: Bytes,
    pacer: Pacer,
    round: u64,
    round_start: LocalTime,
    round_sent: Bytes,
    /// What the round before sent; the first is not to exceed any.
    last_round_sent: Bytes,
    sent: Bytes,
    /// Pages to be sent as of the last sync or read.
    pending: PageCount,
    out_of_time: bool,
    /// When post-copy takes over, and whether its time has come.
    switch: Option<Switch>,
    switch_due: bool,
    strikes: u32,
    throttle: Ratio,
}

impl Rounds {
    pub(super) fn new(policy: PreCopy, switch: Option<Switch>, page_size: Bytes, spans: Spans, now: LocalTime) -> Self {
        let limit = match policy.stop_rule {
            StopRule::Qemu { max_bandwidth, .. } => max_bandwidth.map_or(Limit::None, Limit::Window),
            StopRule::Clark { min_rate, .. } => Limit::Even(min_rate),
        };
        Self {
            policy,
            page_size,
            pacer: Pacer::new(limit, spans, now),
            round: 1,
            round_start: now,
            round_sent: Bytes::ZERO,
            last_round_sent: Bytes::new(u64::MAX),
            sent: Bytes::ZERO,
            pending: PageCount::ZERO,
            out_of_time: false,
            switch,
            switch_due: false,
            strikes: 0,
            throttle: Ratio::ZERO,
        }
    }

    /// The limit of the last copy, while the VM is stopped.
    pub(super) fn last_copy_limit(policy: &PreCopy) -> Limit {
        match policy.stop_rule {
            StopRule::Qemu { .. } => Limit::None,
            StopRule::Clark { max_rate, .. } => Limit::Even(max_rate),
        }
    }

    /// The guest's throttle that auto-converge asks for.
    pub(super) fn throttle(&self) -> Ratio {
        self.throttle
    }

    /// A chunk has been read; `pending` pages are left.
    pub(super) fn taken(&mut self, pending: PageCount) {
        self.pending = pending;
    }

    /// A chunk's write, begun at `began`, has ended.
    pub(super) fn sent(&mut self, bytes: Bytes, began: LocalTime, now: LocalTime) -> Step {
        let next = self.pacer.sent(bytes, began, now);
        self.sent += bytes;
        self.round_sent += bytes;
        match (self.capped(), next) {
            (Some(step), _) => step,
            (None, Next::After(wait)) => Step::Pace(wait),
            (None, Next::Now) => self.go_on(now),
            (None, Next::AtWindow(wait)) => Step::AwaitWindow(wait),
        }
    }

    /// A channel has found nothing to read, after a write of so many bytes that began then.
    pub(super) fn ran_out(&mut self, written: Option<(LocalTime, Bytes)>, now: LocalTime) -> Step {
        match written {
            Some((began, bytes)) => self.sent(bytes, began, now),
            None => self.go_on(now),
        }
    }

    /// The pacer lets the next chunk go. What is left is looked at when an iteration is over or nothing is left.
    pub(super) fn go_on(&mut self, now: LocalTime) -> Step {
        if self.pending == PageCount::ZERO || self.pacer.iteration_is_over(now) { self.look(now) } else { Step::Take }
    }

    /// The window for which the sender was waiting begins.
    pub(super) fn window(&mut self, now: LocalTime) -> Step {
        self.capped().unwrap_or_else(|| self.look(now))
    }

    fn look(&mut self, now: LocalTime) -> Step {
        self.pacer.next_iteration(now);
        if self.switch_due {
            return Step::Switch;
        }
        if self.pending == PageCount::ZERO || self.looks_small_enough() { Step::Sync } else { Step::Take }
    }

    /// The time for post-copy has come; the next decision finds it.
    pub(super) fn switch_is_due(&mut self) {
        self.switch_due = true;
    }

    /// The cap on time is reached.
    pub(super) fn time_is_up(&mut self) -> Option<Step> {
        self.out_of_time = true;
        self.capped()
    }

    /// The log is synced: the next round has `pending` pages.
    pub(super) fn synced(&mut self, pending: PageCount, now: LocalTime) -> Step {
        let dirtied = (pending - self.pending).bytes(self.page_size);
        self.pending = pending;
        if let Some(step) = self.capped() {
            return step;
        }
        let enough = match self.policy.stop_rule {
            StopRule::Qemu { .. } => self.looks_small_enough(),
            StopRule::Clark { .. } => self.clark_stops(now),
        };
        if enough || pending == PageCount::ZERO {
            return Step::Stop(RoundsEnd::Converged);
        }
        if self.switch_due || self.switch.is_some_and(|switch| Switch::Rounds(self.round) == switch) {
            return Step::Switch;
        }
        if let Some(cap) = self.policy.caps.rounds.filter(|cap| self.round >= cap.max) {
            return ending(cap.then, RoundsEnd::RoundsCap);
        }
        self.auto_converge(dirtied);
        self.round += 1;
        self.round_start = now;
        self.last_round_sent = std::mem::replace(&mut self.round_sent, Bytes::ZERO);
        Step::Take
    }

    fn capped(&self) -> Option<Step> {
        let caps = &self.policy.caps;
        if let Some(cap) = caps.bytes.filter(|cap| self.sent >= cap.max) {
            return Some(ending(cap.then, RoundsEnd::BytesCap));
        }
        caps.time.filter(|_| self.out_of_time).map(|cap| ending(cap.then, RoundsEnd::TimeCap))
    }

    /// QEMU: pending bytes, zero pages included, ≤ bandwidth of the last window × downtime limit.
    fn looks_small_enough(&self) -> bool {
        let StopRule::Qemu { downtime_limit, .. } = self.policy.stop_rule else { return false };
        let Some(bandwidth) = self.pacer.measured() else { return false };
        self.pending.bytes(self.page_size) <= bandwidth.bytes_in(downtime_limit)
    }

    /// Clark: stops if little remains, or if the next round would need more than the maximum rate or the last one, at that
    /// rate, sent more than the one before; else sets the rate.
    fn clark_stops(&mut self, now: LocalTime) -> bool {
        let StopRule::Clark { min_rate, increment, max_rate, min_remaining, at_max } = self.policy.stop_rule else {
            return false;
        };
        let remaining = self.pending.bytes(self.page_size);
        let dirty_rate = ByteRate::measured(remaining, now.since(self.round_start)).unwrap_or(max_rate);
        let next = ByteRate::new(dirty_rate.get().saturating_add(increment.get()));
        let hopeless = match at_max {
            AtMax::Stop => next > max_rate,
            AtMax::WhileShrinking => {
                self.pacer.limit() == Limit::Even(max_rate) && self.round_sent > self.last_round_sent
            }
        };
        self.pacer.set_limit(Limit::Even(next.clamp(min_rate, max_rate)));
        remaining < min_remaining || hopeless
    }

    /// Two syncs in which more was dirtied than `trigger` × sent raise the throttle.
    fn auto_converge(&mut self, dirtied: Bytes) {
        let Some(rule) = &self.policy.auto_converge else { return };
        if dirtied.get() <= rule.trigger.of(self.round_sent.get()) {
            return;
        }
        self.strikes += 1;
        if self.strikes == 2 {
            self.strikes = 0;
            let raised = if self.throttle == Ratio::ZERO { rule.initial } else { self.throttle.plus(rule.increment) };
            self.throttle = raised.min(rule.max);
        }
    }
}

fn ending(then: CapEnding, end: RoundsEnd) -> Step {
    match then {
        CapEnding::Stop => Step::Stop(end),
        CapEnding::Abort => Step::Abort(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::policy::{Caps, Encoding};

    const PAGE: u64 = 4096;

    /// Rounds of one second each, `(pages sent, pages dirty after it)`, and after which of them the VM stops.
    fn stops_after(at_max: AtMax, rounds: &[(u64, u64)]) -> Option<usize> {
        let pages_per_s = |pages: u64| ByteRate::new(pages * PAGE);
        let stop_rule = StopRule::Clark {
            min_rate: pages_per_s(100),
            increment: pages_per_s(50),
            max_rate: pages_per_s(500),
            min_remaining: Bytes::new(10 * PAGE),
            at_max,
        };
        let policy =
            PreCopy { stop_rule, caps: Caps::default(), auto_converge: None, encoding: Encoding::Plain, channels: 1 };
        let at = |second: usize| LocalTime::from_ns(second as u64 * 1_000_000_000);
        let mut copy = Rounds::new(
            policy,
            None,
            Bytes::new(PAGE),
            Spans { window: Span::from_ms(100), iteration: Span::from_ms(50) },
            at(0),
        );
        rounds.iter().enumerate().position(|(i, &(sent, dirty))| {
            copy.taken(PageCount::ZERO);
            copy.sent(Bytes::new(sent * PAGE), at(i), at(i + 1));
            matches!(copy.synced(PageCount::new(dirty), at(i + 1)), Step::Stop(RoundsEnd::Converged))
        })
    }

    #[test]
    fn clark_stops_where_the_maximum_would_be_passed() {
        assert_eq!(
            stops_after(AtMax::Stop, &[(100, 200), (200, 450), (200, 460)]),
            Some(2),
            "450 + 50 is just allowed"
        );
        assert_eq!(stops_after(AtMax::Stop, &[(100, 200), (200, 9)]), Some(1), "little remains");
    }

    #[test]
    fn while_shrinking_goes_on_at_the_maximum_until_a_round_sends_more() {
        let shrinking = |rounds: &[(u64, u64)]| stops_after(AtMax::WhileShrinking, rounds);
        assert_eq!(shrinking(&[(100, 900), (90, 900), (80, 900), (80, 900), (81, 900)]), Some(4));
        assert_eq!(shrinking(&[(100, 200), (120, 300), (140, 200), (160, 200)]), None, "growing below the maximum");
        assert_eq!(shrinking(&[(100, 900), (90, 9)]), Some(1), "little remains");
    }
}
