//! A source that starts again: it knows what it had written to its disk, and what its hypervisor says of the VM.
//!
//! A promise that is forgotten is none: that it has given up its right to resume (R) is on disk before it says so. All else is lost.
//! A VM that stands here without that promise stands as in the handover: `on_silence` decides, and a destination that asks is told to
//! run it, since this copy has not run since it was stopped. Where there is no copy and no promise, nothing can be said: the VM may
//! have run on here after the destination was sent its own.

use super::{Action, Actions, Attempt, Handing, Message, Report, Source, State};
use crate::protocol::{Disk, LocalVm};
use crate::scenario::policy::{HandoverKind, OnSilence};
use crate::units::Ratio;

impl Source {
    pub(super) fn restarted(&mut self, disk: Disk, vm: LocalVm, out: &mut Actions) {
        self.attempt = disk.attempt;
        match vm {
            _ if disk.attempt == Attempt::default() => {}
            _ if disk.relinquished => self.has_relinquished(out),
            LocalVm::Running => {
                out.push(Action::StopLog);
                out.push(Action::Throttle(Ratio::ZERO));
                out.push(Action::GiveUp);
                out.report(self.attempt, Report::Failure);
                self.state = State::Ended(Report::Failure);
            }
            LocalVm::Standing if self.follows() => self.stands_in_post_copy(out),
            LocalVm::Standing => {
                self.state = State::HandingOver(Handing::Waiting);
                self.handover_silence(out);
            }
            LocalVm::Serving => self.wait_paused(true, out),
            LocalVm::Absent | LocalVm::Incomplete | LocalVm::Fetching => {}
        }
    }

    fn follows(&self) -> bool {
        self.settings.policy.migration.post_copy().is_some()
    }

    /// Before a "go" it gave up what may still be needed there; else it did so because the VM runs.
    fn has_relinquished(&mut self, out: &mut Actions) {
        if self.settings.policy.handover.kind == HandoverKind::ThreePhase && !self.follows() {
            self.silence_after_go(out);
        } else {
            out.push(Action::Discard);
            out.report(self.attempt, Report::Success);
            self.state = State::Ended(Report::Success);
        }
    }

    /// Whether the VM runs at the destination is not known.
    fn stands_in_post_copy(&mut self, out: &mut Actions) {
        self.wait_paused(false, out);
        match self.settings.policy.handover.on_silence {
            OnSilence::Resume => self.roll_back(out),
            OnSilence::Ask => {
                self.state = State::Paused { heard: false, asking: true };
                self.ask(out);
            }
            OnSilence::Wait => {}
        }
    }

    pub(super) fn wait_paused(&mut self, heard: bool, out: &mut Actions) {
        out.push(Action::Pause);
        out.tell_operator(self.attempt, Message::Paused);
        self.state = State::Paused { heard, asking: false };
    }
}
