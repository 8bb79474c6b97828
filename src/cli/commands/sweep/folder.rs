//! A result folder: what is in it, and whose it is.
//!
//! A sweep that is under way has its plan there, and shards. Of one that is finished there are the rows of all runs, what is known from
//! them, and last of all a manifest that counts them. Each file is written whole; what belongs to another sweep is left alone.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use super::manifest::IDENTITY;
use super::planned::{PLAN, Planned};
use super::shards::Shards;
use crate::cli::commands::files::{is_of_the_user, is_unfinished, write_file};
use crate::cli::commands::run::bound_columns;
use crate::scenario::print_json;
use crate::sweep::{Place, Plan, Table, header};

const MANIFEST: &str = "manifest.json";
const RUNS: &str = "runs.csv";
const SUMMARY: &str = "summary.csv";
const FAILURES: &str = "failures";

/// Why a folder does not take the results.
#[derive(Debug, Error)]
pub(in crate::cli) enum FolderError {
    /// Something else is in it.
    #[error("{path}: is not empty and holds no sweep; name a new folder")]
    Foreign {
        /// The folder.
        path: String,
    },
    /// Another sweep is in it.
    #[error("{path}: holds {other}; nothing there was touched. Name another folder, or remove this one")]
    Other {
        /// The folder.
        path: String,
        /// What it holds.
        other: String,
    },
    /// Another process writes to it.
    #[error("{path}: another process is at work there")]
    Busy {
        /// The folder.
        path: String,
    },
    /// Rows that this sweep has not made.
    #[error("{path}:{line}: {reason}; nothing there was touched. Name another folder, or remove this one")]
    Damaged {
        /// The file.
        path: String,
        /// From 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// No sweep was begun there.
    #[error("{path}: holds no plan of a sweep; `midflight sweep plan FILE --out {path}` makes one")]
    NoPlan {
        /// The folder.
        path: String,
    },
    /// There is nothing left to plan.
    #[error("{path}: is finished: its rows are in runs.csv, and there is no plan any more")]
    Finished {
        /// The folder.
        path: String,
    },
    /// What should be a plan is none, or not one of this program.
    #[error("{path}: {reason}")]
    BadPlan {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not all shards are there.
    #[error("{path}: shards are missing, {left} in all: {numbers}; `midflight sweep run {path}` makes them")]
    Incomplete {
        /// The folder.
        path: String,
        /// How many.
        left: usize,
        /// Which.
        numbers: String,
    },
    /// A file that is none of the plan's shards is called like one.
    #[error("{path}: {what}; nothing there was touched. Remove it")]
    InTheWay {
        /// The file.
        path: String,
        /// What it is instead.
        what: String,
    },
    /// The operating system would not.
    #[error("{path}: {reason}")]
    Refused {
        /// The file or folder.
        path: String,
        /// The system's reason.
        reason: io::Error,
    },
}

impl FolderError {
    /// Whether it is for the user to name another folder, and not for the machine to have more room.
    pub(in crate::cli) fn is_of_the_user(&self) -> bool {
        match self {
            Self::Refused { reason, .. } => {
                is_of_the_user(reason.kind()) || reason.kind() == ErrorKind::ReadOnlyFilesystem
            }
            _ => true,
        }
    }
}

pub(super) fn refused(path: &Path) -> impl FnOnce(io::Error) -> FolderError + use<> {
    let path = path.display().to_string();
    move |reason| FolderError::Refused { path, reason }
}

#[cfg(feature = "parquet")]
fn unreadable(path: &Path) -> impl FnOnce(csv::Error) -> FolderError + use<> {
    let refused = refused(path);
    move |error| refused(io::Error::other(error))
}

/// A folder that nobody else writes to.
pub(super) struct Folder {
    at: PathBuf,
    /// Locked as long as this is there.
    _lock: Option<File>,
}

impl Folder {
    /// Takes a folder, or makes it, for a sweep of this manifest.
    pub(super) fn open(at: &Path, manifest: &Value) -> Result<Self, FolderError> {
        Self::is_of(at, manifest)?;
        fs::create_dir_all(at).map_err(refused(at))?;
        // Of a folder that is opened like a file not every system knows locks: no reason to refuse it.
        let lock = File::open(at).ok();
        if lock.as_ref().is_some_and(|folder| matches!(folder.try_lock(), Err(TryLockError::WouldBlock))) {
            return Err(FolderError::Busy { path: at.display().to_string() });
        }
        // Somebody may have been faster.
        Self::is_of(at, manifest)?;
        Ok(Self { at: at.into(), _lock: lock })
    }

    /// Whether something was begun in the folder; that must be this sweep.
    pub(super) fn is_of(at: &Path, here: &Value) -> Result<bool, FolderError> {
        let path = || at.display().to_string();
        for file in [PLAN, MANIFEST] {
            let there = match json(&at.join(file)) {
                Ok(there) => there,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(refused(&at.join(file))(error)),
            };
            let said = |key: &str| there[key].as_str().unwrap_or("an unknown one").to_owned();
            let [version, hash] = IDENTITY;
            let other = if !there.is_object() {
                format!("a {file} that cannot be read")
            } else if there[version] != here[version] {
                format!("results of another version, {}", said(version))
            } else if there[hash] != here[hash] {
                format!("another sweep, or this one before its files were changed (`{}`)", said("name"))
            } else {
                return Ok(true);
            };
            return Err(FolderError::Other { path: path(), other });
        }
        let mut entries = match fs::read_dir(at) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(refused(at)(error)),
        };
        // What a process that was killed has left of a plan is nobody's.
        let foreign = entries.any(|entry| entry.is_ok_and(|entry| !is_unfinished(&entry.file_name())));
        if foreign { Err(FolderError::Foreign { path: path() }) } else { Ok(false) }
    }

    pub(super) fn at(&self) -> &Path {
        &self.at
    }

    /// Whether the rows of all runs have been written.
    pub(super) fn is_finished(at: &Path) -> bool {
        json(&at.join(MANIFEST)).is_ok_and(|manifest| manifest.get("runs").is_some()) && at.join(RUNS).exists()
    }

    /// Where the scenarios of runs that panicked are.
    pub(super) fn failures(at: &Path) -> PathBuf {
        at.join(FAILURES)
    }

    /// The rows of a finished sweep, which must be this one.
    pub(super) fn rows(at: &Path, plan: &Plan, manifest: &Value) -> Result<Table, FolderError> {
        Self::is_of(at, manifest)?;
        let path = at.join(RUNS);
        let file = File::open(&path).map_err(refused(&path))?;
        let mut rows = Rows::new(plan, &path);
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(io::BufReader::new(file));
        for (number, record) in reader.records().enumerate() {
            let record = record.map_err(|error| rows.damaged(number as u64 + 1, format!("is no row: {error}")))?;
            let row: Vec<String> = record.iter().map(String::from).collect();
            match number {
                0 if row != rows.header => return Err(rows.damaged(1, "has other columns than this sweep".into())),
                0 => {}
                _ => drop(rows.push(number as u64 + 1, &row)?),
            }
        }
        rows.all()
    }

    /// Keeps the scenario of a run that panicked.
    pub(super) fn keep(&self, plan: &Plan, place: Place) -> Result<(), FolderError> {
        let folder = self.at.join(FAILURES);
        fs::create_dir_all(&folder).map_err(refused(&folder))?;
        let Place { cell, replication } = place;
        let text = print_json(plan.scenario(cell), &bound_columns());
        write_whole(&folder.join(format!("{cell}-{replication}.json")), &text)
    }

    /// Writes the rows as Parquet.
    #[cfg(feature = "parquet")]
    pub(super) fn to_parquet(at: &Path) -> Result<(), FolderError> {
        let path = at.join(RUNS);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(&path).map_err(unreadable(&path))?;
        let rows: Result<Vec<Vec<String>>, csv::Error> =
            reader.records().map(|record| Ok(record?.iter().map(String::from).collect())).collect();
        let rows = rows.map_err(unreadable(&path))?;
        let made = crate::report::parquet(&rows[0], &rows[1..]);
        let path = at.join("runs.parquet");
        let bytes = made.map_err(io::Error::other).map_err(refused(&path))?;
        write_whole(&path, bytes)
    }

    /// Whether a plan has been made.
    pub(super) fn has_plan(at: &Path) -> bool {
        at.join(PLAN).exists()
    }

    /// Makes good what a finished sweep lacks, or has too much of; where nothing can be written it stays as it is.
    pub(super) fn mend(at: &Path, summary: impl FnOnce() -> String) {
        let path = at.join(SUMMARY);
        if !path.exists() {
            let _ = write_whole(&path, summary());
        }
        if !Self::has_plan(at) {
            let _ = Self::tidy(at);
        }
    }

    /// Keeps the plan of the sweep.
    pub(super) fn write_plan(&self, planned: &Planned) -> Result<(), FolderError> {
        let path = self.at.join(PLAN);
        write_whole(&path, planned.text())?;
        // Without it no shard is of any use.
        File::open(&path).and_then(|file| file.sync_all()).map_err(refused(&path))
    }

    /// Where the rows of all runs go.
    pub(super) fn runs(&self) -> PathBuf {
        self.at.join(RUNS)
    }

    /// Writes what is known when the rows of all runs are there.
    pub(super) fn finish(&self, summary: &str, manifest: &str) -> Result<(), FolderError> {
        write_whole(&self.at.join(SUMMARY), summary)?;
        write_whole(&self.at.join(MANIFEST), manifest)
    }

    /// Removes what a finished sweep needs no more; shards last, so that those without a plan are what is left of doing so.
    pub(super) fn tidy(at: &Path) -> Result<(), FolderError> {
        let gone = |result: io::Result<()>| match result {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        gone(fs::remove_file(at.join(PLAN))).map_err(refused(at))?;
        gone(fs::remove_dir_all(Shards::within(at))).map_err(refused(at))
    }
}

/// Takes rows that must be those of a sweep, in their order, and all of them.
pub(super) struct Rows<'a> {
    plan: &'a Plan,
    table: Table,
    header: Vec<String>,
    path: String,
}

impl<'a> Rows<'a> {
    pub(super) fn new(plan: &'a Plan, path: &Path) -> Self {
        Self { plan, table: Table::new(plan), header: header(plan), path: path.display().to_string() }
    }

    /// Takes the row that stands in a line.
    pub(super) fn push(&mut self, line: u64, row: &[String]) -> Result<Place, FolderError> {
        let Some(place) = self.plan.next(&self.table) else {
            return Err(self.damaged(line, "is a row more than the sweep has".into()));
        };
        if !self.is_of(row, place) {
            let Place { cell, replication } = place;
            let reason = format!("is not the row of cell {cell}, replication {replication}, which would be next");
            return Err(self.damaged(line, reason));
        }
        self.table.push(place.cell, row);
        Ok(place)
    }

    /// All rows, if they are.
    pub(super) fn all(self) -> Result<Table, FolderError> {
        match self.plan.next(&self.table) {
            Some(Place { cell, replication }) => {
                let reason = format!("the rows from cell {cell}, replication {replication} on are missing");
                Err(self.damaged(self.table.rows() + 2, reason))
            }
            None => Ok(self.table),
        }
    }

    fn is_of(&self, row: &[String], place: Place) -> bool {
        let of = |column: &str| self.header.iter().position(|name| name == column).expect("a column of the record");
        row.len() == self.header.len()
            && row[0] == place.cell.to_string()
            && row[1..].iter().zip(self.plan.values(place.cell)).all(|(there, value)| there == value)
            && row[of("replication")] == place.replication.to_string()
            && row[of("seed")] == self.plan.sweep.seed.to_string()
    }

    fn damaged(&self, line: u64, reason: String) -> FolderError {
        FolderError::Damaged { path: self.path.clone(), line, reason }
    }
}

/// A file of JSON; `Null` if it is none.
fn json(path: &Path) -> io::Result<Value> {
    fs::read_to_string(path).map(|text| serde_json::from_str(&text).unwrap_or_default())
}

/// Under a temporary name first, so that a file of this name is always whole.
pub(super) fn write_whole(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), FolderError> {
    write_file(path, contents).map_err(refused(path))
}
