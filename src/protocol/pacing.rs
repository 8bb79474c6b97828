//! How fast a sender may send: not limited, a budget per window (QEMU), or evenly (Xen).

use crate::units::{ByteRate, Bytes, LocalTime, Span};

/// A sender's own limit, and its measurement of what it achieves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pacer {
    limit: Limit,
    window: Span,
    window_start: LocalTime,
    window_sent: Bytes,
    measured: Option<ByteRate>,
    /// Whether the budget was used up in the last window, and in this one: whether it, and not the link, is the limit.
    used_up: [bool; 2],
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
    /// At the next window.
    AtWindow,
}

impl Pacer {
    pub(super) fn new(limit: Limit, window: Span, now: LocalTime) -> Self {
        Self { limit, window, window_start: now, window_sent: Bytes::ZERO, measured: None, used_up: [false; 2] }
    }

    pub(super) fn set_limit(&mut self, limit: Limit) {
        self.limit = limit;
    }

    pub(super) fn limit(&self) -> Limit {
        self.limit
    }

    /// Whether a budget per window, and not the link, has been the limit of late.
    pub(super) fn holds_back(&self) -> bool {
        self.used_up.contains(&true)
    }

    /// Bytes per second over the last full window; `None` before its end.
    pub(super) fn measured(&self) -> Option<ByteRate> {
        self.measured
    }

    /// A window ends and the next begins.
    pub(super) fn turn_window(&mut self, now: LocalTime) {
        self.measured = ByteRate::measured(self.window_sent, now.since(self.window_start));
        self.window_start = now;
        self.window_sent = Bytes::ZERO;
        self.used_up = [self.used_up[1], false];
    }

    /// `bytes` were sent in a write that began at `began` and has just ended.
    pub(super) fn sent(&mut self, bytes: Bytes, began: LocalTime, now: LocalTime) -> Next {
        self.window_sent += bytes;
        match self.limit {
            Limit::None => Next::Now,
            Limit::Window(rate) if self.window_sent < rate.bytes_in(self.window) => Next::Now,
            Limit::Window(_) => {
                self.used_up[1] = true;
                Next::AtWindow
            }
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
        let window = Span::from_ms(100);
        let mut pacer = Pacer::new(Limit::Window(ByteRate::new(1000)), window, at(0));
        assert_eq!(pacer.sent(Bytes::new(60), at(0), at(1)), Next::Now);
        assert_eq!(pacer.sent(Bytes::new(60), at(1), at(2)), Next::AtWindow);
        pacer.turn_window(at(100_000_000));
        assert_eq!(pacer.measured(), Some(ByteRate::new(1200)));
        pacer.set_limit(Limit::Even(ByteRate::new(1000)));
        assert_eq!(pacer.sent(Bytes::new(1), at(0), at(400_000)), Next::After(Span::from_us(600)));
        assert_eq!(pacer.sent(Bytes::new(1), at(0), at(2_000_000)), Next::Now);
    }
}
