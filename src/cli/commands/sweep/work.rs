//! Makes the shards that are missing, and the results of them all.

use std::io::{self, BufWriter, Write as _};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::folder::{Folder, FolderError, Rows, refused};
use super::manifest::finished;
use super::planned::Planned;
use super::shards::Shards;
use super::survey::Survey;
use crate::cli::commands::files::unfinished;
use crate::cli::commands::long::interrupted;
use crate::cli::{Status, complain};
use crate::report::{csv_rows, summary_csv};
use crate::sweep::{Line, PANICKED, Plan, Shard, Table, each, header, outcome, run, summary};

/// Makes the shards of a plan that are not there. Answers a status if not all of them are made.
pub(super) fn make(shards: &Shards, planned: &Planned, plan: &Plan) -> Result<Option<Status>, FolderError> {
    let before = Survey::new(shards, planned, plan)?.clear()?;
    if before.runs > 0 && !before.is_complete() {
        complain(&format!("{} runs are there already; going on with the others", before.runs));
    }
    let bar = bar(plan, before.runs);
    let news = Mutex::new(Lines::new(plan.runs()));
    let ended = each(&before.left, &|shard| {
        let made = one(shards, plan, shard, &|| {
            bar.inc(1);
            // Who is talking will do it for both.
            if let Ok(mut news) = news.try_lock() {
                news.one_more(&bar);
            }
        });
        match made {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => ControlFlow::Break(None),
            Err(error) => ControlFlow::Break(Some(error)),
        }
    });
    bar.finish_and_clear();
    match ended {
        ControlFlow::Continue(()) => Ok(None),
        ControlFlow::Break(Some(error)) => Err(error),
        ControlFlow::Break(None) => {
            let now = Survey::new(shards, planned, plan)?;
            let of = planned.shards();
            complain(&format!(
                "stopped after {} runs, {} of {of} shards; the same command goes on",
                now.runs, now.done
            ));
            Ok(Some(Status::Interrupted))
        }
    }
}

/// Makes one shard. Answers whether it was made whole.
pub(super) fn one(shards: &Shards, plan: &Plan, shard: &Shard, one_more: &dyn Fn()) -> Result<bool, FolderError> {
    let mut writer = shards.begin(shard)?;
    let whole = run(plan, shard, &|| !interrupted(), &mut |_, row| {
        one_more();
        writer.row(row)
    });
    if whole.map_err(|error| shards.unwritten(shard, error))? {
        shards.finish(shard, writer)?;
        return Ok(true);
    }
    Ok(false)
}

/// Writes the results of shards that are all there: rows, summary and manifest.
pub(super) fn merge(
    folder: &Folder,
    shards: &Shards,
    planned: &Planned,
    plan: &Plan,
) -> Result<(Table, Vec<Line>), FolderError> {
    shards.alone()?;
    let path = folder.runs();
    let mut file = BufWriter::new(unfinished(&path).map_err(refused(&path))?);
    let mut write = |row: Vec<String>| file.write_all(csv_rows([row]).as_bytes()).map_err(refused(&path));
    write(header(plan))?;
    let mut rows = Rows::new(plan, &path);
    let (mut line, mut panicked) = (1, Vec::new());
    for shard in plan.shards(planned.shards()) {
        // Each is read once; which others are not there is asked when one is not.
        let Some(there) = shards.rows(&shard)? else { return Err(incomplete(folder, shards, planned, plan)?) };
        for row in there {
            line += 1;
            let place = rows.push(line, &row)?;
            if outcome(plan, &row) == PANICKED {
                panicked.push(place);
            }
            write(row)?;
        }
    }
    let table = rows.all()?;
    panicked.into_iter().try_for_each(|place| folder.keep(plan, place))?;
    let written = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| {
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)
    });
    written.map_err(refused(&path))?;
    let lines = summary(plan, &table);
    folder.finish(&summary_csv(plan, &lines), &finished(planned.manifest().clone(), plan, &table))?;
    Ok((table, lines))
}

/// Which shards are missing, or what is in the way of one.
fn incomplete(folder: &Folder, shards: &Shards, planned: &Planned, plan: &Plan) -> Result<FolderError, FolderError> {
    let survey = Survey::new(shards, planned, plan)?.clear()?;
    let path = folder.at().display().to_string();
    Ok(FolderError::Incomplete { path, left: survey.left.len(), numbers: survey.missing() })
}

fn bar(plan: &Plan, there: u64) -> ProgressBar {
    let bar = ProgressBar::new(plan.runs());
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {per_sec}, {eta} left").expect("a template");
    bar.set_style(style);
    bar.set_position(there);
    bar.reset_eta();
    bar
}

/// A line now and then where there is no bar to be seen.
struct Lines {
    all: u64,
    told: u64,
    last: Duration,
}

impl Lines {
    /// No more often than that.
    const PAUSE: Duration = Duration::from_secs(10);

    fn new(all: u64) -> Self {
        Self { all, told: 0, last: Duration::ZERO }
    }

    fn one_more(&mut self, bar: &ProgressBar) {
        let tenths = bar.position().saturating_mul(10) / self.all.max(1);
        if bar.is_hidden() && tenths > self.told && bar.elapsed().saturating_sub(self.last) >= Self::PAUSE {
            complain(&format!("{} of {} runs, {} left", bar.position(), self.all, HumanDuration(bar.eta())));
            (self.told, self.last) = (tenths, bar.elapsed());
        }
    }
}
