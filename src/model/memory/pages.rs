//! Pages outside a memory: on their way, staged, or stored.

use super::Content;
use crate::units::PageCount;

/// Pages on their way: which, and what they held when they were read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Pages(pub(super) Vec<(u32, Content)>);

impl Pages {
    /// How many.
    pub fn count(&self) -> PageCount {
        PageCount::new(self.0.len() as u64)
    }
    /// Up to `budget` of them, from the one numbered `from` on.
    pub fn part(&self, from: usize, budget: PageCount) -> Self {
        let rest = self.0.get(from..).unwrap_or_default();
        let count = usize::try_from(budget.get()).unwrap_or(usize::MAX).min(rest.len());
        Self(rest[..count].to_vec())
    }
    /// Adds others behind them; of a page that is in both, the other's content counts.
    pub fn supersede(&mut self, others: Self) {
        let mut theirs = others.0.iter().map(|entry| entry.0).peekable();
        // Both are in ascending order.
        self.0.retain(|&(page, _)| {
            while theirs.next_if(|their| *their < page).is_some() {}
            theirs.peek() != Some(&page)
        });
        self.0.extend(others.0);
        self.0.sort_unstable_by_key(|entry| entry.0);
    }
    /// Adds others behind them.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }
    /// The same, for indexing.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Page numbers and contents.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Content)> + '_ {
        self.0.iter().map(|&(page, content)| (u64::from(page), content))
    }
}
