//! The destination in post-copy: the VM runs here, and it asks for the pages that a vCPU waits for.

use std::collections::BTreeSet;

use super::{Action, Actions, Channel, Destination, LocalTime, Message, PageCount, Report, State, StateId, Suspicion};
use crate::protocol::{FaultId, PageList};

/// Pages are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Fetching {
    /// Accesses that wait.
    faults: BTreeSet<FaultId>,
    /// The connection was given up.
    pub(super) paused: bool,
}

impl Destination {
    /// CPU and devices are here, the memory follows.
    pub(super) fn switch(&mut self, state: StateId, outdated: Option<PageList>, now: LocalTime, out: &mut Actions) {
        self.post_copy = true;
        out.push(Action::TakeFaults { stale: outdated });
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.prepare(self.attempt, now, out);
        }
        self.load(state, out);
    }

    /// The VM runs here.
    pub(super) fn began(&mut self, now: LocalTime, out: &mut Actions) {
        self.state = State::Fetching(Fetching::default());
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.start(now, out);
        }
        if std::mem::take(&mut self.asked) {
            self.send(Channel::Question, Message::Answer(super::Answer::Running), out);
        } else {
            self.send(Channel::Migration, Message::Started, out);
        }
        if std::mem::take(&mut self.silent) {
            self.give_up_connection(out);
        }
    }

    /// A vCPU waits for a page.
    pub(super) fn fault(&mut self, fault: FaultId, out: &mut Actions) {
        match &mut self.state {
            State::Fetching(fetching) => {
                fetching.faults.insert(fault);
                if !fetching.paused {
                    self.send(Channel::Migration, Message::Request(fault), out);
                }
            }
            State::Restoring(_, Some(fetching)) => {
                fetching.faults.insert(fault);
            }
            _ => {}
        }
    }

    pub(super) fn satisfied(&mut self, fault: FaultId) {
        if let State::Fetching(fetching) | State::Restoring(_, Some(fetching)) = &mut self.state {
            fetching.faults.remove(&fault);
        }
    }

    /// Pages are placed and so many are missing.
    pub(super) fn placed(&mut self, missing: PageCount, out: &mut Actions) {
        if let State::Restoring(_, fetching) = &mut self.state
            && missing == PageCount::ZERO
        {
            // Whatever comes of the restore, the copy here waits for nothing.
            *fetching = None;
        }
        let State::Fetching(fetching) = &self.state else { return };
        if missing == PageCount::ZERO {
            let paused = fetching.paused;
            self.state = State::Running { source_suspect: paused };
            out.report(self.attempt, Report::Success);
            if self.ends_protection(out) && !paused {
                self.send(Channel::Migration, Message::Complete, out);
            }
        }
    }

    /// Gives the connection up and waits for another.
    pub(super) fn pause(&mut self, out: &mut Actions) {
        let State::Fetching(fetching) = &mut self.state else { return };
        if std::mem::replace(&mut fetching.paused, true) {
            return;
        }
        self.detector.stop(out);
        out.push(Action::Pause);
        out.push(Action::Disconnect { channel: Channel::Migration });
        out.push(Action::Disconnect { channel: Channel::Preempt });
        out.tell_operator(self.attempt, Message::Paused);
    }

    pub(super) fn suspect_while_fetching(&mut self, why: Suspicion, out: &mut Actions) {
        let State::Fetching(Fetching { paused: false, .. }) = self.state else { return };
        out.push(Action::Suspect(why));
        self.give_up_connection(out);
    }

    /// The source is not to be counted on: the VM is restored here if it can be, else another connection is waited for.
    fn give_up_connection(&mut self, out: &mut Actions) {
        if self.may_restore() {
            self.restore(out);
        } else {
            self.pause(out);
        }
    }

    /// The source has connected again and asks which pages are here.
    pub(super) fn resync(&mut self, out: &mut Actions) {
        match &mut self.state {
            State::Fetching(fetching) => {
                fetching.paused = false;
                self.detector.start(out);
                out.push(Action::Survey);
            }
            State::Running { source_suspect } => {
                *source_suspect = false;
                self.detector.start(out);
                self.send(Channel::Migration, Message::Complete, out);
            }
            // It never ran the VM, and says so on this connection.
            State::Idle | State::Receiving => {
                self.drop_copy(out);
                self.answer(Channel::Migration, out);
            }
            _ => self.answer(Channel::Migration, out),
        }
    }

    /// These pages are here; what vCPUs wait for is asked for again.
    pub(super) fn surveyed(&mut self, list: PageList, out: &mut Actions) {
        let State::Fetching(Fetching { faults, paused: false }) = &self.state else { return };
        self.send(Channel::Migration, Message::Have(list), out);
        for &fault in faults {
            self.send(Channel::Migration, Message::Request(fault), out);
        }
    }
}
