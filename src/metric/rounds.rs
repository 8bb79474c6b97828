//! The table of rounds: what each leg of the copy moved.

use crate::engine::Observer;
use crate::units::{Bytes, PageCount, SimTime};
use crate::vocabulary::Phase;
use crate::world::{Event, Fact, World};

/// One round of pre-copy, the last copy with the VM stopped, or all that follows the VM in post-copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Its number, from 1; `None`: from the stop on.
    pub number: Option<u64>,
    /// Whether pages followed the VM; else `number` says whether it is a round or the last copy.
    pub post_copy: bool,
    /// When its first pages were read.
    pub from: SimTime,
    /// When the next leg began.
    pub to: SimTime,
    /// Pages due at its beginning.
    pub due: PageCount,
    /// Pages read and sent.
    pub pages: PageCount,
    /// Those that held only zeros.
    pub zero: PageCount,
    /// Bytes on the wire.
    pub bytes: Bytes,
    /// Pages found dirty by the sync that ended it.
    pub dirtied: Option<PageCount>,
}

/// All rounds of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rounds {
    rounds: Vec<Round>,
    open: bool,
}

impl Rounds {
    /// In order.
    pub fn rounds(&self) -> &[Round] {
        &self.rounds
    }

    /// Rounds in which pages were sent while the VM ran.
    pub fn precopy(&self) -> u64 {
        self.rounds.iter().filter(|round| round.number.is_some()).count() as u64
    }

    /// The VM was moved: what was counted since the stop, and what comes, is post-copy.
    fn follow(&mut self, due: PageCount) {
        if let Some(last) = self.rounds.last_mut().filter(|last| last.number.is_none()) {
            last.due = if last.post_copy { last.due } else { due };
            last.post_copy = true;
            self.open = true;
        }
    }

    fn close(&mut self, at: SimTime) {
        if std::mem::replace(&mut self.open, false)
            && let Some(last) = self.rounds.last_mut()
        {
            last.to = at;
        }
    }
}

impl Observer for Rounds {
    fn fact(&mut self, at: SimTime, fact: &Fact, _: &World) {
        match fact {
            Fact::Phase { phase, round, due } => {
                self.close(at);
                if *phase == Phase::PostCopy {
                    self.follow(*due);
                }
                if matches!(phase, Phase::Copy | Phase::Stop) {
                    let number = (*phase == Phase::Copy).then_some(*round);
                    let (pages, zero, bytes) = (PageCount::ZERO, PageCount::ZERO, Bytes::ZERO);
                    let post_copy = false;
                    self.rounds.push(Round {
                        number,
                        post_copy,
                        from: at,
                        to: at,
                        due: *due,
                        pages,
                        zero,
                        bytes,
                        dirtied: None,
                    });
                    self.open = true;
                }
            }
            Fact::PagesSent { pages, zero, bytes, .. } => {
                if let Some(round) = self.rounds.last_mut().filter(|_| self.open) {
                    round.pages += *pages;
                    round.zero += *zero;
                    round.bytes += *bytes;
                }
            }
            Fact::Synced { pending } => {
                if let Some(round) = self.rounds.last_mut().filter(|_| self.open) {
                    match round.number {
                        Some(_) => round.dirtied = Some(*pending),
                        None => round.due = *pending,
                    }
                }
            }
            Fact::CopyGone { .. } => self.close(at),
            _ => {}
        }
    }

    fn event(&mut self, _: SimTime, _: Event, _: &World) {}
}
