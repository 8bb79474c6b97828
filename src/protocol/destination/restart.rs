//! A destination that starts again: it knows the number of the attempt, and what its hypervisor says of the VM.
//!
//! A VM that runs here runs on. One that stands here with everything has not run; whether it may is for the source to say, where
//! the handover has a "go", and else it is dropped, since the source may have run on.

use super::fetch::Fetching;
use super::{Actions, Attempt, Destination, Report, State, Waiting};
use crate::protocol::LocalVm;

impl Destination {
    pub(super) fn restarted(&mut self, attempt: Attempt, vm: LocalVm, out: &mut Actions) {
        self.attempt = attempt;
        let follows = self.settings.policy.migration.post_copy().is_some();
        match vm {
            LocalVm::Running => {
                out.report(attempt, Report::Success);
                self.state = if follows || self.autostarts() {
                    State::Running { source_suspect: true }
                } else {
                    State::Ended(Report::Success)
                };
            }
            LocalVm::Fetching => {
                self.post_copy = true;
                self.state = State::Fetching(Fetching::default());
                self.pause(out);
            }
            LocalVm::Standing if !self.autostarts() && !follows => {
                self.asked = true;
                self.state = State::Holding(Waiting::Trusting);
                self.silent_while_holding(out);
            }
            LocalVm::Standing | LocalVm::Incomplete => self.drop_copy(out),
            LocalVm::Absent | LocalVm::Serving => {}
        }
    }
}
