//! The command line: parse, dispatch, exit status.
//!
//! Exit status: 0 good; 1 a claim, an invariant or an expectation fell short, or a fault did not fire; 2 bad input or
//! usage; 3 an internal error; 130 interrupted. Data go to standard output, diagnostics to standard error. A closed pipe ends quietly.

mod args;
mod commands;

use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser;

use crate::scenario::OwnAgent;
use args::{Arguments, Command};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// As it should.
    Good = 0,
    /// Something fell short of what was claimed.
    Short = 1,
    /// The input or the usage is bad; nothing was written.
    BadInput = 2,
    /// A bug, or the machine refused (disk full, no permission).
    Internal = 3,
    /// Told to stop (Ctrl-C); what had been done was printed.
    Interrupted = 130,
}

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    run(&[], "midflight".into())
}

/// The same program with agents of one's own, which scenarios may name.
pub fn main_with(agents: &[OwnAgent]) -> ExitCode {
    run(agents, std::env::args().next().unwrap_or_default())
}

fn run(agents: &[OwnAgent], program: String) -> ExitCode {
    let mut arguments = Arguments::parse();
    arguments.command.hand_in(agents, program);
    let status = panic::catch_unwind(AssertUnwindSafe(|| dispatch(arguments))).unwrap_or_else(|_| {
        complain("internal error: this is a bug of midflight; the message above and the command are worth a report");
        Status::Internal
    });
    ExitCode::from(status as u8)
}

fn dispatch(arguments: Arguments) -> Status {
    match arguments.command {
        Command::Run(run) => commands::run::run(&run),
        Command::Validate(validate) => commands::validate::validate(&validate),
        Command::Calibrate(calibrate) => commands::calibrate::calibrate(&calibrate),
        Command::Check(check) => commands::check::check(&check),
        Command::Sweep(sweep) => commands::sweep::sweep(&sweep),
        Command::Figure(figure) => commands::figure::figure(&figure),
        Command::Replay(replay) => commands::replay::replay(&replay),
        Command::Import(import) => commands::import::import(&import),
        Command::List(list) => commands::list::list(&list),
        Command::Schema(schema) => commands::schema::schema(&schema),
    }
}

/// Writes to standard output. Whoever closed the pipe has seen enough.
fn print(text: &str) -> Status {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("cannot write to standard output: {error}"));
            Status::Internal
        }
        _ => Status::Good,
    }
}

/// Writes a line to standard error; if even that is closed, nobody listens.
fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
