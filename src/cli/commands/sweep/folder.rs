//! A result folder: `runs.csv` grows row by row, and everything else is written whole.
//!
//! A sweep that was killed has left rows, the last perhaps in part: that part is cut off, and the rows before it are what is there. They must
//! be the first runs of the sweep, in order; a folder in which they are not is left alone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use super::manifest::IDENTITY;
use crate::cli::commands::files::{draft, is_of_the_user, write_file};
use crate::cli::commands::run::bound_columns;
use crate::report::csv_rows;
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

fn refused(path: &Path) -> impl FnOnce(io::Error) -> FolderError + use<> {
    let path = path.display().to_string();
    move |reason| FolderError::Refused { path, reason }
}

#[cfg(feature = "parquet")]
fn unreadable(path: &Path) -> impl FnOnce(csv::Error) -> FolderError + use<> {
    let refused = refused(path);
    move |error| refused(io::Error::other(error))
}

/// A folder to which rows are added.
pub(super) struct Folder {
    at: PathBuf,
    runs: File,
}

impl Folder {
    /// Opens a folder, or makes it; what is there goes into the table. It is this process's from before anything is looked at.
    pub(super) fn open(at: &Path, plan: &Plan, manifest: &str, table: &mut Table) -> Result<Self, FolderError> {
        is_of(at, manifest)?;
        fs::create_dir_all(at).map_err(refused(at))?;
        let path = at.join(RUNS);
        let mut runs = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(refused(&path))?;
        // A file system that knows no locks is not a reason to refuse it.
        if matches!(runs.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(FolderError::Busy { path: at.display().to_string() });
        }
        if !is_of(at, manifest)? {
            write_whole(&at.join(MANIFEST), manifest)?;
        }
        let whole = rows(&path, &mut runs, plan, table)?;
        runs.set_len(whole).and_then(|()| runs.seek(SeekFrom::End(0))).map_err(refused(&path))?;
        let mut folder = Self { at: at.into(), runs };
        if whole == 0 {
            folder.write(&header(plan))?;
        }
        Ok(folder)
    }

    /// Whether what is known when all runs are made has been written.
    pub(super) fn is_finished(at: &Path) -> bool {
        let manifest = fs::read_to_string(at.join(MANIFEST)).unwrap_or_default();
        let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
        manifest.get("runs").is_some() && at.join(SUMMARY).exists()
    }

    /// Where the scenarios of runs that panicked are.
    pub(super) fn failures(at: &Path) -> PathBuf {
        at.join(FAILURES)
    }

    /// What is there goes into the table; nothing is written.
    pub(super) fn peek(at: &Path, plan: &Plan, manifest: &str, table: &mut Table) -> Result<(), FolderError> {
        if !is_of(at, manifest)? {
            return Ok(());
        }
        let path = at.join(RUNS);
        match File::open(&path) {
            Ok(mut file) => rows(&path, &mut file, plan, table).map(drop),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(refused(&path)(error)),
        }
    }

    /// Adds a row.
    pub(super) fn write(&mut self, row: &[String]) -> Result<(), FolderError> {
        self.runs.write_all(csv_rows([row.to_vec()]).as_bytes()).map_err(refused(&self.at.join(RUNS)))
    }

    /// Keeps the scenario of a run that panicked.
    pub(super) fn keep(&self, plan: &Plan, place: Place) -> Result<(), FolderError> {
        let folder = self.at.join(FAILURES);
        fs::create_dir_all(&folder).map_err(refused(&folder))?;
        let Place { cell, replication } = place;
        let text = print_json(&plan.scenarios[cell], &bound_columns());
        write_whole(&folder.join(format!("{cell}-{replication}.json")), &text)
    }

    /// Makes sure that the rows are on the disk.
    pub(super) fn flush(&self) -> Result<(), FolderError> {
        self.runs.sync_all().map_err(refused(&self.at.join(RUNS)))
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

    /// Writes what is known when all runs are made.
    pub(super) fn finish(&self, summary: &str, manifest: &str) -> Result<(), FolderError> {
        self.flush()?;
        write_whole(&self.at.join(SUMMARY), summary)?;
        write_whole(&self.at.join(MANIFEST), manifest)
    }
}

/// Whether the folder has been begun by this sweep; `false`: there is none, or it is empty.
fn is_of(at: &Path, manifest: &str) -> Result<bool, FolderError> {
    let path = || at.display().to_string();
    let text = match fs::read_to_string(at.join(MANIFEST)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut entries = match fs::read_dir(at) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(refused(at)(error)),
            };
            // What another process has begun, or one that was killed then, is nobody's.
            let begun = |entry: &fs::DirEntry| match entry.file_name().to_string_lossy() {
                name if draft(Path::new(MANIFEST)) == *name => true,
                name if name == RUNS => entry.metadata().is_ok_and(|found| found.len() == 0),
                _ => false,
            };
            let foreign = entries.any(|entry| entry.is_ok_and(|entry| !begun(&entry)));
            return if foreign { Err(FolderError::Foreign { path: path() }) } else { Ok(false) };
        }
        Err(error) => return Err(refused(&at.join(MANIFEST))(error)),
    };
    let there: Value = serde_json::from_str(&text).unwrap_or_default();
    if !there.is_object() {
        return Err(FolderError::Other { path: path(), other: "a manifest that cannot be read".into() });
    }
    let here: Value = serde_json::from_str(manifest).expect("it was made by this program");
    let [version, hash] = IDENTITY;
    let said = |key: &str| there[key].as_str().unwrap_or("an unknown one").to_owned();
    let other = if there[version] != here[version] {
        format!("results of another version, {}", said(version))
    } else if there[hash] != here[hash] {
        format!("another sweep, or this one before its files were changed (`{}`)", said("name"))
    } else {
        return Ok(true);
    };
    Err(FolderError::Other { path: path(), other })
}

/// How many bytes of a file are whole lines.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const STEP: u64 = 1 << 16;
    let mut end = file.seek(SeekFrom::End(0))?;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        (&mut *file).take(end - start).read_to_end(&mut bytes)?;
        if let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Reads the rows of a file into the table. Answers how many bytes of it are whole rows.
fn rows(path: &Path, file: &mut File, plan: &Plan, table: &mut Table) -> Result<u64, FolderError> {
    let whole = whole_lines(file).map_err(refused(path))?;
    file.seek(SeekFrom::Start(0)).map_err(refused(path))?;
    let damaged = |line: u64, reason: String| FolderError::Damaged { path: path.display().to_string(), line, reason };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader((&mut *file).take(whole));
    let header = header(plan);
    for (number, record) in reader.records().enumerate() {
        let line = number as u64 + 1;
        let record = record.map_err(|error| damaged(line, format!("is no row: {error}")))?;
        let row: Vec<String> = record.iter().map(String::from).collect();
        if number == 0 {
            if row != header {
                return Err(damaged(line, "has other columns than this sweep".into()));
            }
            continue;
        }
        let expected = plan.next(table).ok_or_else(|| damaged(line, "is a row more than the sweep has".into()))?;
        if !is_row_of(&row, &header, plan, expected) {
            let Place { cell, replication } = expected;
            let reason = format!("is not the row of cell {cell}, replication {replication}, which would be next");
            return Err(damaged(line, reason));
        }
        table.push(expected.cell, &row);
    }
    Ok(whole)
}

fn is_row_of(row: &[String], header: &[String], plan: &Plan, place: Place) -> bool {
    let of = |column: &str| header.iter().position(|name| name == column).expect("a column of the record");
    row.len() == header.len()
        && row[0] == place.cell.to_string()
        && row[1..].iter().zip(plan.values(place.cell)).all(|(there, value)| there == value)
        && row[of("replication")] == place.replication.to_string()
        && row[of("seed")] == plan.sweep.seed.to_string()
}

/// Under a temporary name first, so that a file of this name is always whole.
fn write_whole(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), FolderError> {
    write_file(path, contents).map_err(refused(path))
}
