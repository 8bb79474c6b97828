//! What commands that take long have in common: how many runs are made at a time, and Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::check::use_threads;
use crate::cli::{Status, complain};

/// Set by Ctrl-C.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Makes so many runs side by side, if a number is given.
pub(super) fn jobs(number: Option<usize>) -> Result<(), Status> {
    number.map_or(Ok(()), use_threads).map_err(|error| {
        complain(&format!("--jobs {}: {error}", number.unwrap_or_default()));
        Status::BadInput
    })
}

/// From now on Ctrl-C only says so; `again` is done when it comes once more. Without a handler it ends the program at once, and
/// that is no reason to do nothing.
pub(super) fn heed_interrupts(again: fn()) {
    let _ = ctrlc::set_handler(move || {
        if STOPPED.swap(true, Ordering::Relaxed) {
            again();
        }
    });
}

/// Whether Ctrl-C has come.
pub(super) fn interrupted() -> bool {
    STOPPED.load(Ordering::Relaxed)
}
