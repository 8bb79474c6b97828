//! A source that starts again: it knows the number of the attempt, and what its hypervisor says of the VM.
//!
//! It does not know whether it has said "go". So a VM that stands here stands as in the handover: `on_silence` decides, and a
//! destination that asks is told to run it, since this copy has not run since it was stopped. Where there is no copy, nothing can be
//! said: it may have run on here after the destination was sent its own.

use super::{Action, Actions, Attempt, Handing, Message, Report, Source, State};
use crate::protocol::LocalVm;
use crate::scenario::policy::OnSilence;
use crate::units::Ratio;

impl Source {
    /// The attempt it takes part in.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    pub(super) fn restarted(&mut self, attempt: Attempt, vm: LocalVm, out: &mut Actions) {
        self.attempt = attempt;
        if attempt == Attempt::default() {
            return;
        }
        match vm {
            LocalVm::Running => {
                out.push(Action::StopLog);
                out.push(Action::Throttle(Ratio::ZERO));
                out.push(Action::GiveUp);
                out.report(attempt, Report::Failure);
                self.state = State::Ended(Report::Failure);
            }
            LocalVm::Standing if self.settings.policy.migration.post_copy().is_some() => self.stands_in_post_copy(out),
            LocalVm::Standing => {
                self.state = State::HandingOver(Handing::Waiting);
                self.handover_silence(out);
            }
            LocalVm::Serving => self.wait_paused(true, out),
            LocalVm::Absent | LocalVm::Incomplete | LocalVm::Fetching => {}
        }
    }

    /// Whether the VM runs at the destination is not known.
    fn stands_in_post_copy(&mut self, out: &mut Actions) {
        let on_silence = self.settings.policy.handover.on_silence;
        self.wait_paused(false, out);
        match on_silence {
            OnSilence::Resume => self.roll_back(out),
            OnSilence::Ask => {
                self.state = State::Paused { heard: false, asking: true };
                self.ask(out);
            }
            OnSilence::Wait => {}
        }
    }

    fn wait_paused(&mut self, heard: bool, out: &mut Actions) {
        out.push(Action::Pause);
        out.tell_operator(self.attempt, Message::Paused);
        self.state = State::Paused { heard, asking: false };
    }
}
