//! The VM of the model: two pages, a guest that counts its steps, its copies, its saved states, and the tree of its
//! executions.
//!
//! A step of the guest writes one page and answers a client: so whoever forgets a step forgets something that a client may
//! have seen. What a page holds is the step that wrote it last, so equal contents are equal histories, and a wrong page or a stale
//! one shows. The guest carries what it has written: a copy's memory is compared with that.

use std::collections::{BTreeMap, VecDeque};

use midflight::protocol::{StateId, Version};
use midflight::vocabulary::Host;

/// Pages of the VM.
pub const PAGES: usize = 2;

/// A path of execution, by its index in the tree.
pub type Branch = u8;

/// A step, by its branch and its number in the guest's life. Of a page: the one that wrote it last. The zeroth: none has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Content {
    pub branch: Branch,
    pub step: u8,
}

/// Some pages with their contents.
pub type Pages = BTreeMap<usize, Content>;

/// CPU and devices: how far the guest is, and what it has written by then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Guest {
    pub steps: u8,
    pub written: [Content; PAGES],
}

/// Packets that wait for the version that covers them, named by the steps that sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Held {
    waiting: VecDeque<Content>,
    /// How many of those that wait each version covers.
    seals: VecDeque<(Version, usize)>,
    /// The agent knows that something waits that no version covers.
    told: bool,
}

impl Held {
    /// Holds one more. Answers whether that is news to the agent.
    pub fn hold(&mut self, step: Content) -> bool {
        self.waiting.push_back(step);
        !std::mem::replace(&mut self.told, true)
    }

    pub fn seal(&mut self, version: Version) {
        self.seals.retain(|(sealed, _)| *sealed < version);
        self.seals.push_back((version, self.waiting.len()));
        self.told = false;
    }

    /// What versions up to this one cover.
    pub fn release(&mut self, version: Version) -> Vec<Content> {
        let mut count = 0;
        while let Some(&(_, covered)) = self.seals.front().filter(|(sealed, _)| *sealed <= version) {
            count = covered;
            self.seals.pop_front();
        }
        self.seals.iter_mut().for_each(|(_, covered)| *covered -= count);
        self.waiting.drain(..count).collect()
    }

    pub fn all(self) -> Vec<Content> {
        self.waiting.into()
    }
}

/// What was written since the last stage, and what ever was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Log {
    pub dirty: [bool; PAGES],
    pub ever: [bool; PAGES],
}

/// Pages of the version under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Staged {
    pub pages: Pages,
    pub sent: usize,
}

/// The VM on one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Copy {
    pub pages: [Option<Content>; PAGES],
    pub guest: Option<Guest>,
    pub branch: Branch,
    /// The state at which it stands.
    pub at_state: Option<StateId>,
    pub runs: bool,
    /// It gives its pages away and never executes.
    pub serves: bool,
    /// It may execute with pages missing.
    pub takes_faults: bool,
    /// The missing page that its vCPU waits for.
    pub blocked: Option<usize>,
    pub held: Option<Held>,
    pub log: Option<Log>,
    pub staged: Staged,
}

impl Copy {
    pub fn missing(&self) -> usize {
        self.pages.iter().filter(|page| page.is_none()).count()
    }

    pub fn is_complete(&self) -> bool {
        self.missing() == 0 && self.guest.is_some() && !self.serves
    }

    /// Whether what is here is what its guest has written.
    pub fn is_exact(&self) -> bool {
        let Some(guest) = &self.guest else { return false };
        self.pages.iter().zip(&guest.written).all(|(page, written)| page.is_none_or(|page| page == *written))
    }

    /// Runs, with all its pages, and lets go what it sends.
    pub fn is_free(&self) -> bool {
        self.runs && self.is_complete() && self.held.is_none()
    }

    /// Copies what is dirty. Answers how many pages the version under way has by now.
    pub fn stage(&mut self) -> usize {
        if self.staged.sent > 0 {
            // Those of the version before.
            self.staged = Staged::default();
        }
        let Some(log) = &mut self.log else { return self.staged.pages.len() };
        for page in (0..PAGES).filter(|page| std::mem::take(&mut log.dirty[*page])) {
            log.ever[page] = true;
            if let Some(content) = self.pages[page] {
                self.staged.pages.insert(page, content);
            }
        }
        self.staged.pages.len()
    }

    /// The next of those to be sent, and how many are left.
    pub fn unstage(&mut self, budget: usize) -> (Pages, usize) {
        let pages: Pages = self
            .staged
            .pages
            .iter()
            .skip(self.staged.sent)
            .take(budget)
            .map(|(&page, &content)| (page, content))
            .collect();
        self.staged.sent += pages.len();
        (pages, self.staged.pages.len() - self.staged.sent)
    }

    /// What was copied is dirty again; `all`: and what ever was.
    pub fn restage(&mut self, all: bool) {
        let staged = std::mem::take(&mut self.staged);
        let Some(log) = &mut self.log else { return };
        staged.pages.into_keys().for_each(|page| log.dirty[page] = true);
        if all {
            (0..PAGES).for_each(|page| log.dirty[page] |= log.ever[page]);
        }
    }
}

/// A saved state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Saved {
    pub guest: Guest,
    branch: Branch,
    /// A copy has run on from here.
    continued: bool,
}

/// All of the VM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Vm {
    pub source: Option<Copy>,
    pub destination: Option<Copy>,
    pub states: Vec<Saved>,
    /// Where each branch left its parent: which, and after which step. The first has none.
    pub branches: Vec<Option<(Branch, u8)>>,
    /// The latest step on each branch whose answer has left.
    pub released: Vec<u8>,
}

impl Vm {
    /// It runs on the source.
    pub fn new() -> Self {
        let source = Copy {
            pages: [Some(Content::default()); PAGES],
            guest: Some(Guest::default()),
            runs: true,
            ..Copy::default()
        };
        Self { source: Some(source), destination: None, states: Vec::new(), branches: vec![None], released: vec![0] }
    }

    pub fn slot(&mut self, host: Host) -> &mut Option<Copy> {
        match host {
            Host::Source => &mut self.source,
            Host::Destination => &mut self.destination,
            other => unreachable!("no VM is on {other}"),
        }
    }

    pub fn copy(&self, host: Host) -> Option<&Copy> {
        match host {
            Host::Source => self.source.as_ref(),
            Host::Destination => self.destination.as_ref(),
            _ => None,
        }
    }

    pub fn copies(&self) -> impl Iterator<Item = &Copy> {
        self.source.iter().chain(&self.destination)
    }

    /// The copy that pages are received into.
    pub fn receiving(&mut self, host: Host) -> &mut Copy {
        self.slot(host).get_or_insert_default()
    }

    /// Stops the copy on `host` and saves its state. An access that waits for its page is made again by whoever goes on.
    pub fn stop(&mut self, host: Host) -> Option<StateId> {
        let id = StateId(u32::try_from(self.states.len()).expect("few states"));
        let copy = self.slot(host).as_mut()?;
        let (guest, branch) = (copy.guest.clone()?, copy.branch);
        copy.runs = false;
        copy.at_state = Some(id);
        self.states.push(Saved { guest, branch, continued: false });
        Some(id)
    }

    pub fn load(&mut self, host: Host, id: StateId) {
        let Saved { guest, branch, .. } = self.states[id.0 as usize].clone();
        let copy = self.receiving(host);
        (copy.guest, copy.branch, copy.at_state, copy.serves) = (Some(guest), branch, Some(id), false);
    }

    /// Runs the copy on `host` from the state at which it stands. A restore opens a branch, which is the newest from then on, and so
    /// does a second copy that runs on from the same state. Answers whether one was opened; `None`: there is nothing to run.
    pub fn resume(&mut self, host: Host, restored: bool) -> Option<bool> {
        let ready = |copy: &&Copy| (copy.is_complete() || copy.takes_faults) && !copy.runs;
        let id = self.copy(host).filter(ready)?.at_state?;
        let state = &mut self.states[id.0 as usize];
        // A copy that was on its way starts late, and is not the newest for that.
        let opens = restored || std::mem::replace(&mut state.continued, true);
        let (origin, at) = (state.branch, state.guest.steps);
        let newest = Branch::try_from(self.branches.len()).expect("few branches");
        if opens {
            self.branches.push(Some((origin, at)));
            self.released.push(0);
        }
        let copy = self.slot(host).as_mut()?;
        copy.branch = if opens { newest } else { origin };
        copy.at_state = None;
        copy.runs = true;
        Some(opens)
    }

    /// Whether a step belongs to the history that ends in the newest branch.
    pub fn is_history(&self, Content { branch, step }: Content) -> bool {
        let (mut here, mut until) = (self.branches.len() - 1, u8::MAX);
        while here != usize::from(branch) {
            let Some((parent, fork)) = self.branches[here] else { return false };
            (here, until) = (usize::from(parent), fork);
        }
        step <= until
    }

    /// Whether clients have seen a step that the newest history does not know.
    pub fn forgot(&self) -> bool {
        let seen = (0..).zip(&self.released).filter(|(_, step)| **step > 0);
        seen.into_iter().any(|(branch, &step)| !self.is_history(Content { branch, step }))
    }
}
