//! `midflight replay`: what a check has found, repeated from its capsule and compared.

use std::io::{self, IsTerminal};

use super::run::{colour, loaded};
use crate::check::replay as repeated;
use crate::cli::args::ReplayOf;
use crate::cli::{Status, complain, print};
use crate::report;

pub(in crate::cli) fn replay(arguments: &ReplayOf) -> Status {
    let scenario = match loaded(&arguments.capsule, &[], &arguments.files) {
        Ok(scenario) => scenario,
        Err(status) => return status,
    };
    let Some((result, replayed)) = repeated(&scenario) else {
        let file = arguments.capsule.display();
        complain(&format!(
            "{file} is no capsule: it has no `capsule` that says what was seen; `midflight run` runs it"
        ));
        return Status::BadInput;
    };
    let colours = colour(arguments.files.color, io::stdout().is_terminal());
    let story = if arguments.explain {
        report::explain(&result, &scenario, colours)
    } else {
        report::human(&result, &scenario, colours)
    };
    let verdict = match &replayed.difference {
        None => format!("reproduced: {}\n", replayed.shows),
        Some(difference) => format!("NOT reproduced: {difference}\n"),
    };
    let printed = print(&format!("{story}\n{verdict}"));
    match (printed, replayed.difference) {
        (Status::Good, Some(_)) => Status::Short,
        (printed, _) => printed,
    }
}
