//! What all paths have in common: constants of the scenario, and the laws of delay and loss.
//!
//! Interior losses of a TCP stream are repaired by fast retransmit and cost throughput only. The bound is that of
//! Mathis, Semke, Mahdavi and Ott, *The macroscopic behavior of the TCP congestion avoidance algorithm*, ACM
//! CCR 27(3), 1997: rate ≤ packet / RTT · √(3/2) / √p. It is applied once per path, not per stream, so parallel
//! streams gain nothing from it here. A loss of a message's last packet has no later packet to reveal it and costs
//! a retransmission time-out.

use crate::rng::Stream as Random;
use crate::scenario;
use crate::units::{Bytes, Ratio, Span};

/// Tries after which a last packet gets through whatever the draws say.
const TRIES: u32 = 16;

/// Beyond it a connection is a cut.
const MOST_LOSS: Ratio = Ratio::NEARLY_ONE;

/// Constants of every path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Links {
    /// Highest rate of one path [B/s].
    pub(super) cap: Option<u64>,
    /// What a window allows [B/s].
    window: Option<u64>,
    pub(super) latency: Span,
    jitter: Span,
    loss: Ratio,
    duplicate: Ratio,
    pub(super) queue: Bytes,
    pub(super) send_buffer: Bytes,
    packet: Bytes,
    pub(super) rto: Span,
    pub(super) rto_max: Span,
    pub(super) give_up: Span,
}

impl Links {
    pub(super) fn new(spec: &scenario::Network) -> Self {
        let packet = spec.packet.max(Bytes::new(1));
        let rto = spec.rto.max(Span::from_ns(1));
        let rtt = spec.latency.saturating_mul(2).saturating_add(spec.jitter);
        let window = spec.path_rate.map(crate::units::ByteRate::get);
        Self {
            cap: [window, mathis(packet, rtt, spec.loss)].into_iter().flatten().min(),
            window,
            latency: spec.latency,
            jitter: spec.jitter,
            loss: spec.loss,
            duplicate: spec.duplicate,
            queue: spec.queue,
            send_buffer: spec.send_buffer,
            packet,
            rto,
            rto_max: spec.rto_max.max(rto),
            give_up: spec.give_up,
        }
    }

    /// With more delay and more loss.
    pub(super) fn degraded(&self, latency: Span, loss: Ratio) -> Self {
        let loss = self.loss.plus(loss).min(MOST_LOSS);
        let latency = self.latency.saturating_add(latency);
        let rtt = latency.saturating_mul(2).saturating_add(self.jitter);
        let cap = [self.window, mathis(self.packet, rtt, loss)].into_iter().flatten().min();
        Self { cap, latency, loss, ..*self }
    }

    /// One-way delay of one message. Draws nothing without jitter.
    pub(super) fn delay(&self, random: &mut Random) -> Span {
        if self.jitter == Span::ZERO {
            return self.latency;
        }
        let extra = random.below(self.jitter.ns().saturating_add(1));
        self.latency.saturating_add(Span::from_ns(extra))
    }

    /// Time that a stream's message waits for retransmission of its last packet: a time-out that doubles, once per
    /// loss in a row.
    pub(super) fn timeouts(&self, random: &mut Random) -> Span {
        let (mut total, mut rto) = (Span::ZERO, self.rto);
        for _ in 0..TRIES {
            if !random.chance(self.loss) {
                break;
            }
            total = total.saturating_add(rto);
            rto = self.doubled(rto);
        }
        total
    }

    /// The time-out after `rto`.
    pub(super) fn doubled(&self, rto: Span) -> Span {
        rto.saturating_mul(2).min(self.rto_max)
    }

    /// Whether a datagram is lost: if any of its packets is. One draw per packet, up to the first loss.
    pub(super) fn loses(&self, bytes: Bytes, random: &mut Random) -> bool {
        if self.loss == Ratio::ZERO {
            return false;
        }
        let packets = bytes.get().div_ceil(self.packet.get()).max(1);
        (0..packets).any(|_| random.chance(self.loss))
    }

    /// Whether a datagram arrives twice.
    pub(super) fn doubles(&self, random: &mut Random) -> bool {
        random.chance(self.duplicate)
    }
}

/// The throughput that loss allows [B/s], at least 1; `None` if nothing bounds it.
fn mathis(packet: Bytes, rtt: Span, loss: Ratio) -> Option<u64> {
    /// Twice the fraction bits of the root.
    const SHIFT: u32 = 60;
    if loss.num() == 0 || rtt == Span::ZERO {
        return None;
    }
    let root = (((u128::from(loss.den()) * 3) << SHIFT) / (u128::from(loss.num()) * 2)).isqrt();
    let bytes_per_s = (u128::from(packet.get()) * 1_000_000_000).saturating_mul(root) / u128::from(rtt.ns());
    Some(u64::try_from(bytes_per_s >> (SHIFT / 2)).unwrap_or(u64::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mathis_bound_by_hand() {
        // 1460 B / 100 ms · √1.5 / √10⁻⁴ = 14 600 · 122.474 487… = 1 788 127.5 B/s
        let bound = |loss, ms| mathis(Bytes::new(1460), Span::from_ms(ms), loss);
        assert_eq!(bound(Ratio::new(1, 10_000), 100), Some(1_788_127));
        assert_eq!(bound(Ratio::new(1, 10_000), 200), Some(894_063));
        // √(3/2 · 2/3) = 1
        assert_eq!(bound(Ratio::new(3, 2), 1_000), Some(1_460));
        assert_eq!(bound(Ratio::ZERO, 100), None);
        assert_eq!(bound(Ratio::new(1, 2), 0), None);
        assert_eq!(bound(Ratio::new(1, u64::MAX), 1), Some(7_679_949_186_113_077));
    }
}
