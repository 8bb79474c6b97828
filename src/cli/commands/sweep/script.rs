//! Job files for engines that start processes on many machines. What they share is how a shard is tried, and what its exit status means.

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
    // Where the job runs is another place.
    let dir = of.dir.canonicalize().unwrap_or_else(|_| of.dir.clone());
    let values = [
        ("@SHARD@", include_str!("script/shard.sh").trim_end()),
        ("@PROGRAM@", &quoted(program)),
        ("@NAME@", &quoted(name)),
        ("@DIR@", &quoted(&dir.display().to_string())),
        ("@SHARDS@", &shards.to_string()),
        ("@JOBS@", &jobs.to_string()),
        ("@LAST@", &(jobs - 1).to_string()),
    ];
    values.iter().fold(engine.to_owned(), |text, (place, value)| text.replace(place, value))
}
