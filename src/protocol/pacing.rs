//! How fast a sender may send: not limited, a budget per window (QEMU), or evenly (Xen).

use crate::units::{ByteRate, Bytes, LocalTime, Span};

/// A sender's own limit, and its measurement of what it achieves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pacer {
    limit: Limit,
    spans: Spans,
    window_start: LocalTime,
    window_sent: Bytes,
    iteration_start: LocalTime,
    measured: Option<ByteRate>,
}

/// How a sender cuts its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Spans {
    /// The least time over which bandwidth is measured; with [`Limit::Window`], that of a budget.
    pub(super) window: Span,
    /// How long it sends on before it looks at what is left.
    pub(super) iteration: Span,
}

/// The sender's own limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Limit {
    /// The link is the limit.
    None,
    /// So much per window, sent in one burst at its start (QEMU's `max-bandwidth`).
    Window(ByteRate),
    /// Spread evenly (Clark et al., §5.2).
    Even(ByteRate),
}

/// When the next chunk may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Now.
    Now,
    /// After a time.
    After(Span),
    /// After a time, when the next window begins.
    AtWindow(Span),
}

impl Pacer {
    pub(super) fn new(limit: Limit, spans: Spans, now: LocalTime) -> Self {
        Self { limit, spans, window_start: now, window_sent: Bytes::ZERO, iteration_start: now, measured: None }
    }

    pub(super) fn set_limit(&mut self, limit: Limit) {
        self.limit = limit;
    }

    pub(super) fn limit(&self) -> Limit {
        self.limit
    }

    /// Bytes per second over the last full window; `None` before its end.
    pub(super) fn measured(&self) -> Option<ByteRate> {
        self.measured
    }

    /// Whether it is time to look at what is left.
    pub(super) fn iteration_is_over(&self, now: LocalTime) -> bool {
        now.since(self.iteration_start) >= self.spans.iteration
    }

    /// An iteration ends, and the window with it if that has lasted long enough: both end with a write, so that no write
    /// counts for a window in which it did not end.
    pub(super) fn next_iteration(&mut self, now: LocalTime) {
        self.iteration_start = now;
        if now.since(self.window_start) >= self.spans.window {
            self.measured = ByteRate::measured(self.window_sent, now.since(self.window_start));
            self.window_start = now;
            self.window_sent = Bytes::ZERO;
        }
    }

    /// `bytes` were sent in a write that began at `began` and has just ended.
    pub(super) fn sent(&mut self, bytes: Bytes, began: LocalTime, now: LocalTime) -> Next {
        self.window_sent += bytes;
        match self.limit {
            Limit::None => Next::Now,
            Limit::Window(rate) if self.window_sent < rate.bytes_in(self.spans.window) => Next::Now,
            Limit::Window(_) => Next::AtWindow(self.spans.window.saturating_sub(now.since(self.window_start))),
            Limit::Even(rate) => {
                let due = rate.time_for(bytes).expect("resolve refuses a rate of 0");
                match due.saturating_sub(now.since(began)) {
                    Span::ZERO => Next::Now,
                    wait => Next::After(wait),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_budget_and_even_pacing_waits() {
        let at = LocalTime::from_ns;
        let spans = Spans { window: Span::from_ms(100), iteration: Span::from_ms(50) };
        let mut pacer = Pacer::new(Limit::Window(ByteRate::new(1000)), spans, at(0));
        assert_eq!(pacer.sent(Bytes::new(60), at(0), at(1)), Next::Now);
        assert_eq!(pacer.sent(Bytes::new(60), at(1), at(1_000_000)), Next::AtWindow(Span::from_ms(99)));
        pacer.next_iteration(at(100_000_000));
        assert_eq!(pacer.measured(), Some(ByteRate::new(1200)));
        pacer.set_limit(Limit::Even(ByteRate::new(1000)));
        assert_eq!(pacer.sent(Bytes::new(1), at(0), at(400_000)), Next::After(Span::from_us(600)));
        assert_eq!(pacer.sent(Bytes::new(1), at(0), at(2_000_000)), Next::Now);
    }
    #[test]
    fn a_window_that_ends_within_a_write_lasts_until_the_write_ends() {
        let at = LocalTime::from_ns;
        let spans = Spans { window: Span::from_ms(100), iteration: Span::from_ms(50) };
        let mut pacer = Pacer::new(Limit::None, spans, at(0));
        pacer.sent(Bytes::new(80), at(0), at(80_000_000));
        assert!(pacer.iteration_is_over(at(80_000_000)));
        pacer.next_iteration(at(80_000_000));
        assert_eq!(pacer.measured(), None, "no window has lasted 100 ms");
        pacer.sent(Bytes::new(80), at(80_000_000), at(160_000_000));
        pacer.next_iteration(at(160_000_000));
        assert_eq!(pacer.measured(), Some(ByteRate::new(1000)));
    }
}
