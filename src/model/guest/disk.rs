//! A guest's disk writes: a Poisson process in guest time, each write to a block drawn uniformly.
//!
//! Open-loop: a write is acknowledged to the guest at once, by the disk or by the buffer that holds it, so the disk never slows
//! a guest. Reads change nothing and are not modelled.

use crate::rng::{Purpose, RunSeed, Stream};
use crate::scenario::Disk;
use crate::units::Span;

use super::output::after;

/// How far one execution has come in its sequence of writes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DiskWriter {
    stream: Stream,
    disk: Disk,
    /// Guest time of the next write; `None`: never.
    next: Option<Span>,
    /// Its number.
    number: u64,
}

impl DiskWriter {
    /// Before its first write.
    pub fn new(disk: &Disk, vm: u32, seed: RunSeed) -> Self {
        let mut stream = seed.stream(Purpose::Disk, vm);
        let next = after(Span::ZERO, disk.rate, &mut stream);
        Self { stream, disk: disk.clone(), next, number: 0 }
    }

    /// Guest time of its next write.
    pub fn next(&self) -> Option<Span> {
        self.next
    }

    /// Words drawn so far.
    pub fn draws(&self) -> u64 {
        self.stream.draws()
    }

    /// Hands number, block and guest time of every write up to and including guest time `until` to `write`.
    pub fn advance(&mut self, until: Span, mut write: impl FnMut(u64, u64, Span)) {
        while let Some(at) = self.next.filter(|&at| at <= until) {
            write(self.number, self.stream.below(self.disk.blocks), at);
            self.number += 1;
            self.next = after(at, self.disk.rate, &mut self.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, EventRate};

    const SEED: RunSeed = RunSeed { seed: 1, replication: 0 };

    fn writes(steps: &[u64]) -> Vec<(u64, u64, Span)> {
        let disk = Disk { rate: EventRate::per_s(1000), size: Bytes::new(4096), blocks: 16 };
        let mut writer = DiskWriter::new(&disk, 0, SEED);
        let mut seen = Vec::new();
        for &ms in steps {
            writer.advance(Span::from_ms(ms), |number, block, at| seen.push((number, block, at)));
        }
        seen
    }

    #[test]
    fn writes_are_a_poisson_process_over_all_blocks() {
        let writes = writes(&[20_000]);
        // Poisson count, 5 σ = 707; in each block a sixteenth of them, 5 σ = 177.
        assert!(writes.len().abs_diff(20_000) < 707, "{}", writes.len());
        for block in 0..16 {
            let count = writes.iter().filter(|write| write.1 == block).count();
            assert!(count.abs_diff(1250) < 177, "{count} to block {block}");
        }
        assert!(writes.iter().map(|write| write.0).eq(0..writes.len() as u64));
    }

    #[test]
    fn stepping_changes_nothing() {
        assert_eq!(writes(&[0, 1, 1, 7, 400, 2000]), writes(&[2000]));
    }
}
