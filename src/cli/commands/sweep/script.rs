//! Job files for engines that start processes on many machines. What they share is how a shard is tried, and what its exit status means.

use std::path::Path;

use crate::cli::args::{Engine, ScriptOf};
use crate::cli::commands::run::quoted;

/// Slurm starts a job in seconds, where a shard takes a few: so that jobs have many.
const SLURM_JOBS: u64 = 100;

/// The job file that makes the shards of a plan.
pub(super) fn script(of: &ScriptOf, program: &str, name: &str, shards: u64) -> String {
    let usual = if of.engine == Engine::Slurm { shards.min(SLURM_JOBS) } else { shards };
    let jobs = of.jobs.map_or(usual, |jobs| jobs.get().min(shards));
    let engine = match of.engine {
        Engine::Slurm => include_str!("script/slurm.sh"),
        Engine::Hyperqueue => include_str!("script/hyperqueue.sh"),
        Engine::Parallel => include_str!("script/parallel.sh"),
    };
    // Where the job runs is another place. What is looked up in the `PATH` here is so there.
    let absolute = |path: &Path| quoted(&path.canonicalize().unwrap_or_else(|_| path.into()).display().to_string());
    let program = if program.contains('/') { absolute(Path::new(program)) } else { quoted(program) };
    // Engines have their own ideas of what a name may be.
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    let values = [
        ("@PROGRAM@", program),
        ("@NAME@", name.chars().map(plain).collect()),
        ("@DIR@", absolute(&of.dir)),
        ("@SHARDS@", shards.to_string()),
        ("@JOBS@", jobs.to_string()),
        ("@LAST@", (jobs - 1).to_string()),
    ];
    filled(&engine.replace("@SHARD@", include_str!("script/shard.sh").trim_end()), &values)
}

/// A text with values in their places. What looks like a place in a value is none.
fn filled(text: &str, values: &[(&str, String)]) -> String {
    let (mut done, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('@') {
        let (before, here) = rest.split_at(at);
        done.push_str(before);
        let found = values.iter().find(|(place, _)| here.starts_with(place));
        let (place, value) = found.map_or(("@", "@"), |(place, value)| (*place, value.as_str()));
        done.push_str(value);
        rest = &here[place.len()..];
    }
    done + rest
}
