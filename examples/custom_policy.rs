//! A policy of one's own, put around an agent that is shipped: checkpoints follow each other faster the less there is to send.
//! Any other type that is an `Agent` does as well. Try, and then with `--set agents.destination=eager --capsules found` too,
//!
//! ```text
//! cargo run --release --example custom_policy -- check examples/custom_policy.json
//! ```
#![allow(dead_code, reason = "a test takes the agents and leaves `main`")]

use std::process::ExitCode;

use midflight::protocol::{Action, Actions, Agent, Attempt, Destination, Input, Settings, Standing, Timer, own_agent};
use midflight::scenario::OwnAgent;
use midflight::units::{LocalTime, PageCount, Ratio};

/// After a version of so many pages the policy's interval passes; after a smaller one, as much less of it.
const USUAL: PageCount = PageCount::new(32);

/// The destination, which makes the checkpoints of a reverse policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Adaptive {
    shipped: Destination,
    /// Pages of the last version.
    last: PageCount,
    /// It takes a version that is sent for one that is kept.
    is_eager: bool,
}

impl Adaptive {
    fn does(&self, action: Action, out: &mut Actions) {
        match action {
            Action::SetTimer(Timer::Checkpoint, interval) => {
                let share = Ratio::new(self.last.min(USUAL).get(), USUAL.get());
                out.push(Action::SetTimer(Timer::Checkpoint, interval.scale(share)));
            }
            Action::SealOutput(version) if self.is_eager => {
                out.push(Action::SealOutput(version));
                out.push(Action::Release(version));
            }
            action => out.push(action),
        }
    }
}

impl Agent for Adaptive {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        if let Input::Staged { pages } = input {
            self.last = pages;
        }
        let mut wanted = Actions::default();
        self.shipped.step(now, input, &mut wanted);
        for action in wanted.drain() {
            self.does(action, out);
        }
    }

    fn standing(&self) -> Standing {
        self.shipped.standing()
    }

    fn attempt(&self) -> Option<Attempt> {
        self.shipped.attempt()
    }
}

/// The agents that scenarios may name, beside those that are shipped.
pub fn agents() -> [OwnAgent; 2] {
    let make = |is_eager| {
        move |settings: &Settings| Adaptive { shipped: Destination::new(settings.clone()), last: USUAL, is_eager }
    };
    [own_agent("adaptive", make(false)), own_agent("eager", make(true))]
}

fn main() -> ExitCode {
    midflight::cli::main_with(&agents())
}
