//! The packets a guest sends: a Poisson source in guest time, open-loop or behind a window of unacknowledged
//! packets with retransmission on a doubling timer (as RFC 6298 §5.5; the timer runs on the guest's clock).

use std::collections::BTreeSet;

use crate::rng::{EXP_BITS, Purpose, RunSeed, Stream};
use crate::scenario::{Output, OutputFlow};
use crate::units::{EventRate, Span};

/// The sending side of one execution of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sender {
    stream: Stream,
    /// Guest time at which the program produces the next packet.
    next: Option<Span>,
    /// Produced but not sent: the window is full.
    backlog: u64,
    /// Number of the next new packet.
    sequence: u64,
    /// Closed loop: packets sent and not acknowledged.
    unacknowledged: BTreeSet<u64>,
    timer: Option<Retransmission>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Retransmission {
    due: Span,
    timeout: Span,
}

/// Longest retransmission time-out (RFC 6298 §2.5 allows a maximum of at least 60 s).
const TIMEOUT_MAX: Span = Span::from_s(60);

impl Sender {
    /// Before its first packet.
    pub fn new(output: &Output, vm: u32, seed: RunSeed) -> Self {
        let mut sender = Self {
            stream: seed.stream(Purpose::Output, vm),
            next: None,
            backlog: 0,
            sequence: 0,
            unacknowledged: BTreeSet::new(),
            timer: None,
        };
        sender.next = after(Span::ZERO, output.rate, &mut sender.stream);
        sender
    }

    /// Guest time of the next thing it does by itself.
    pub fn next(&self) -> Option<Span> {
        self.next.into_iter().chain(self.timer.as_ref().map(|t| t.due)).min()
    }

    /// Words drawn so far.
    pub fn draws(&self) -> u64 {
        self.stream.draws()
    }

    /// Does what is due at guest time `now`; answers the numbers of the packets it sends.
    pub fn advance(&mut self, output: &Output, now: Span) -> Vec<u64> {
        let mut sent = Vec::new();
        while let Some(at) = self.next.filter(|&at| at <= now) {
            self.backlog += 1;
            self.next = after(at, output.rate, &mut self.stream);
        }
        if let Some(timer) = self.timer.as_mut().filter(|t| t.due <= now) {
            timer.timeout = timer.timeout.saturating_mul(2).min(TIMEOUT_MAX.max(timer.timeout));
            timer.due = now.saturating_add(timer.timeout);
            sent.extend(self.unacknowledged.first());
        }
        self.send(output, now, &mut sent);
        sent
    }

    /// The client has packet `number`; answers the packets that this lets it send.
    pub fn acknowledged(&mut self, output: &Output, number: u64, now: Span) -> Vec<u64> {
        let mut sent = Vec::new();
        if let OutputFlow::Closed { rto, .. } = output.flow
            && self.unacknowledged.remove(&number)
        {
            self.timer = (!self.unacknowledged.is_empty())
                .then(|| Retransmission { due: now.saturating_add(rto), timeout: rto });
            self.send(output, now, &mut sent);
        }
        sent
    }

    fn send(&mut self, output: &Output, now: Span, sent: &mut Vec<u64>) {
        match output.flow {
            OutputFlow::Open => {
                sent.extend(self.sequence..self.sequence + self.backlog);
                self.sequence += self.backlog;
                self.backlog = 0;
            }
            OutputFlow::Closed { window, rto } => {
                while self.backlog > 0 && (self.unacknowledged.len() as u64) < window {
                    self.unacknowledged.insert(self.sequence);
                    sent.push(self.sequence);
                    self.sequence += 1;
                    self.backlog -= 1;
                    self.timer.get_or_insert(Retransmission { due: now.saturating_add(rto), timeout: rto });
                }
            }
        }
    }
}

/// Guest time of the event after one at `at`, of a Poisson process of this rate; `None`: there is none.
pub(super) fn after(at: Span, rate: EventRate, stream: &mut Stream) -> Option<Span> {
    if rate == EventRate::ZERO {
        return None;
    }
    // In nanoseconds, rounded to nearest, as the gaps between writes to memory.
    let gap = u128::from(stream.exponential()) * 1_000_000_000_000_000 / u128::from(rate.micro());
    let gap = (gap + (1 << (EXP_BITS - 1))) >> EXP_BITS;
    Some(at.saturating_add(Span::from_ns(u64::try_from(gap).unwrap_or(u64::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    const SEED: RunSeed = RunSeed { seed: 1, replication: 0 };

    fn output(flow: OutputFlow) -> Output {
        Output { rate: EventRate::per_s(1000), size: Bytes::new(100), flow }
    }

    #[test]
    fn open_loop_sends_what_is_produced() {
        let output = output(OutputFlow::Open);
        let mut sender = Sender::new(&output, 0, SEED);
        let sent = sender.advance(&output, Span::from_s(10));
        // Poisson count, 5 σ = 500.
        assert!(sent.len().abs_diff(10_000) < 500, "{}", sent.len());
        assert_eq!(sent, (0..sent.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn a_window_holds_back_and_retransmits_with_back_off() {
        let rto = Span::from_ms(200);
        let output = output(OutputFlow::Closed { window: 3, rto });
        let mut sender = Sender::new(&output, 0, SEED);
        assert_eq!(sender.advance(&output, Span::from_ms(100)), [0, 1, 2]);
        let mut retries = Vec::new();
        for ms in (100..2000).step_by(10) {
            retries.extend(sender.advance(&output, Span::from_ms(ms)).iter().map(|&packet| (ms, packet)));
        }
        assert_eq!(retries, [(300, 0), (700, 0), (1500, 0)]);
        assert_eq!(sender.acknowledged(&output, 0, Span::from_s(2)), [3]);
        assert_eq!(sender.acknowledged(&output, 0, Span::from_s(2)), [0; 0], "acknowledged once");
    }
}
