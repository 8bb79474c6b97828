//! What the store of the model holds: pages by version. Which of them count, its agent decides.

use std::collections::BTreeMap;

use midflight::protocol::{Stored, Version};

use crate::vm::{Content, PAGES, Pages};

/// Contents of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Vault {
    arriving: BTreeMap<Version, Pages>,
    /// Of each page the newest content of any complete version.
    image: [Option<Content>; PAGES],
    pub newest: Option<Stored>,
    /// What was read for the last claim, and how many of its pages have been sent.
    pub pinned: Pages,
    recalled: usize,
}

impl Vault {
    pub fn keep(&mut self, version: Version, pages: Pages) {
        self.arriving.entry(version).or_default().extend(pages);
    }

    pub fn forget(&mut self, version: Version) {
        self.arriving.remove(&version);
    }

    pub fn commit(&mut self, stored: Stored) {
        for (page, content) in self.arriving.remove(&stored.version).unwrap_or_default() {
            self.image[page] = Some(content);
        }
        self.newest = Some(stored);
    }

    /// Reads the newest complete version, merged.
    pub fn pin(&mut self) -> Option<Stored> {
        let here = self.image.iter().enumerate().filter_map(|(page, content)| Some((page, (*content)?)));
        self.pinned = here.collect();
        self.newest
    }

    /// The next of its pages, and how many are left; `afresh`: from its beginning.
    pub fn recall(&mut self, afresh: bool, budget: usize) -> (Pages, usize) {
        if afresh {
            self.recalled = 0;
        }
        let pages: Pages =
            self.pinned.iter().skip(self.recalled).take(budget).map(|(&page, &content)| (page, content)).collect();
        self.recalled += pages.len();
        (pages, self.pinned.len() - self.recalled)
    }
}
