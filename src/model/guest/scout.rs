//! Looks ahead in a guest's life for the next access to a page that is not there.
//!
//! In post-copy, pages arrive and never leave, so what the scout has passed stays passed: the page was there. It draws the
//! same sequences as the guest itself, on copies of its cursors, and never more than [`LOOK_AHEAD`] of guest time in advance,
//! so that a guest that touches no missing page costs no more than its writes drawn twice and its reads once.

use super::writes::{Access, Cursor, WriteModel};
use crate::rng::RunSeed;
use crate::units::Span;

/// Guest time that is looked at in advance. It changes no result, only how often the scout is asked.
const LOOK_AHEAD: Span = Span::from_ms(10);

/// How far one execution has been looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scout {
    writes: Vec<Cursor>,
    reads: Vec<Cursor>,
    /// Guest time of the start, at which pages are touched one after the other, and how many of them were passed.
    wake: (Span, u64),
    /// Everything up to here has been looked at.
    until: Span,
    found: Option<(Span, u64)>,
}

impl Scout {
    /// Starts at guest time `from`, where the guest's writes stand at `writes`.
    pub fn new(model: &WriteModel, writes: &[Cursor], from: Span, vm: u32, seed: RunSeed) -> Self {
        Self {
            writes: writes.to_vec(),
            reads: model.start_reads(from, vm, seed),
            wake: (from, 0),
            until: from,
            found: None,
        }
    }

    /// Guest time at which to come back: that of the next access to a page that `absent` says is not there, or that up to
    /// which all has been looked at.
    pub fn next(&mut self, model: &WriteModel, now: Span, absent: impl Fn(u64) -> bool) -> Span {
        if self.found.is_some_and(|(_, page)| !absent(page)) {
            self.found = None;
        }
        if let Some((at, _)) = self.found {
            return at;
        }
        self.until = self.until.max(now.saturating_add(LOOK_AHEAD));
        while let Some((at, page)) = self.pass(model) {
            if absent(page) {
                self.found = Some((at, page));
                return at;
            }
        }
        self.until
    }

    /// The access to a missing page that is due at `now`, if one is; it is passed.
    pub fn take(&mut self, now: Span) -> Option<u64> {
        let (_, page) = self.found.filter(|&(at, _)| at <= now)?;
        self.found = None;
        Some(page)
    }

    /// The next access of all up to [`Self::until`], in guest time; writes first where times are equal.
    fn pass(&mut self, model: &WriteModel) -> Option<(Span, u64)> {
        if let Some(page) = model.wake_page(self.wake.1) {
            self.wake.1 += 1;
            return Some((self.wake.0, page));
        }
        let first = |cursors: &[Cursor]| {
            let next = cursors.iter().enumerate().filter_map(|(class, cursor)| Some((cursor.next()?, class)));
            next.min().filter(|&(at, _)| at <= self.until)
        };
        let (kind, class) = match (first(&self.writes), first(&self.reads)) {
            (None, None) => return None,
            (Some((write, class)), read) if read.is_none_or(|(read, _)| write <= read) => (Access::Write, class),
            (_, Some((_, class))) => (Access::Read, class),
            (Some(_), None) => unreachable!("a write without a read comes first"),
        };
        let cursor = match kind {
            Access::Write => &mut self.writes[class],
            Access::Read => &mut self.reads[class],
        };
        model.pass(class, kind, cursor)
    }
}
