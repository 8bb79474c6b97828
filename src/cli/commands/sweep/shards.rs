//! Files of shards: a line that says of which plan and which runs, the rows, and a line that says how many and what they hash to.
//!
//! A file is done if it is named by its number, is of this plan, and its last line fits what stands before it. Anything else that is called
//! like one is not of this plan, or damaged.

use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::folder::{FolderError, refused};
use super::manifest::named;
use super::planned::Planned;
use crate::cli::args::VERSION;
use crate::cli::commands::files::unfinished;
use crate::sweep::{Plan, Shard, header};

const SHARDS: &str = "shards";
const DONE: &str = "ndjson";
const FAILED: &str = "failed";

/// The first line of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    schema: u32,
    midflight: String,
    /// The plan's hash.
    plan: String,
    shard: u64,
    of: u64,
    /// The first run, and the first that is not in it: (cell, replication).
    first: (usize, u64),
    end: (usize, u64),
    columns: Vec<String>,
}

/// The last line of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Footer {
    rows: u64,
    /// Of all lines before.
    sha256: String,
}

/// Writes a shard.
pub(super) struct Writer<W: Write> {
    out: W,
    hash: Sha256,
    rows: u64,
}

impl<W: Write> Writer<W> {
    fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self { out, hash: Sha256::new(), rows: 0 };
        writer.line(header)?;
        Ok(writer)
    }

    /// Adds a row.
    pub(super) fn row(&mut self, row: &[String]) -> io::Result<()> {
        self.rows += 1;
        self.line(&row)
    }

    /// Adds the last line.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let footer = Footer { rows: self.rows, sha256: named(self.hash.clone()) };
        self.line(&footer)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, what: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.out.write_all(&line)
    }
}

/// What there is of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// With so many rows.
    Done(u64),
    Missing,
    /// Whoever was to make it has given it up, and says why.
    Failed(String),
    /// A file that is not what it was.
    Damaged,
    /// A file that is not what its name says.
    Strange(String),
}

/// The shards of a plan in its folder.
pub(super) struct Shards {
    at: PathBuf,
    plan: String,
    of: u64,
    columns: Vec<String>,
}

impl Shards {
    pub(super) fn new(folder: &Path, planned: &Planned, plan: &Plan) -> Self {
        Self { at: folder.join(SHARDS), plan: planned.hash(), of: planned.shards(), columns: header(plan) }
    }

    /// Where they are in a folder.
    pub(super) fn within(folder: &Path) -> PathBuf {
        folder.join(SHARDS)
    }

    fn header(&self, shard: &Shard) -> Header {
        let Shard { number, first, end } = *shard;
        Header {
            schema: 1,
            midflight: VERSION.into(),
            plan: self.plan.clone(),
            shard: number,
            of: self.of,
            first: (first.cell, first.replication),
            end: (end.cell, end.replication),
            columns: self.columns.clone(),
        }
    }

    fn file(&self, number: u64, ending: &str) -> PathBuf {
        self.at.join(format!("{number}.{ending}"))
    }

    /// Begins a shard that goes elsewhere.
    pub(super) fn write_to<W: Write>(&self, shard: &Shard, out: W) -> io::Result<Writer<W>> {
        Writer::new(out, &self.header(shard))
    }

    /// Begins a shard that goes into the folder, under a name that no other process takes.
    pub(super) fn begin(&self, shard: &Shard) -> Result<Writer<BufWriter<NamedTempFile>>, FolderError> {
        fs::create_dir_all(&self.at).map_err(refused(&self.at))?;
        let file = unfinished(&self.file(shard.number, DONE)).map_err(refused(&self.at))?;
        self.write_to(shard, BufWriter::new(file)).map_err(refused(&self.at))
    }

    /// A shard of which a row could not be written.
    pub(super) fn unwritten(&self, shard: &Shard, error: io::Error) -> FolderError {
        refused(&self.file(shard.number, DONE))(error)
    }

    /// Gives a shard that was written whole its name. What was said of it as long as it was not there is no longer so.
    pub(super) fn finish(&self, shard: &Shard, writer: Writer<BufWriter<NamedTempFile>>) -> Result<(), FolderError> {
        let path = self.file(shard.number, DONE);
        let file = writer.finish().and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error));
        let file = file.map_err(refused(&path))?;
        file.persist(&path).map_err(|error| refused(&path)(error.error))?;
        let _ = fs::remove_file(self.file(shard.number, FAILED));
        Ok(())
    }

    /// What there is of a shard.
    pub(super) fn state(&self, shard: &Shard) -> Result<State, FolderError> {
        if let Some(text) = read(&self.file(shard.number, DONE))? {
            return Ok(self.body(shard, &text).map_or_else(|state| state, |(rows, _)| State::Done(rows)));
        }
        Ok(match read(&self.file(shard.number, FAILED))? {
            Some(why) => State::Failed(why.trim().into()),
            None => State::Missing,
        })
    }

    /// The rows of a shard that is done; `None`: it is not.
    pub(super) fn rows(&self, shard: &Shard) -> Result<Option<Vec<Vec<String>>>, FolderError> {
        let path = self.file(shard.number, DONE);
        let Some(text) = read(&path)? else { return Ok(None) };
        let Ok((_, body)) = self.body(shard, &text) else { return Ok(None) };
        let rows = body.lines().zip(2..).map(|(line, number)| {
            serde_json::from_str(line).map_err(|error| {
                let path = path.display().to_string();
                FolderError::Damaged { path, line: number, reason: format!("is no row: {error}") }
            })
        });
        rows.collect::<Result<_, _>>().map(Some)
    }

    /// Refuses files that are called like shards, and of which the plan has none.
    pub(super) fn alone(&self) -> Result<(), FolderError> {
        match self.strangers()?.into_iter().next() {
            Some((path, what)) => Err(FolderError::InTheWay { path, what }),
            None => Ok(()),
        }
    }

    /// The file of a shard that is there.
    pub(super) fn name(&self, number: u64) -> String {
        self.file(number, DONE).display().to_string()
    }

    /// The lines of a shard between the first and the last, if these two are as they should be.
    fn body<'a>(&self, shard: &Shard, text: &'a str) -> Result<(u64, &'a str), State> {
        let cut = || State::Damaged;
        let (first, _) = text.split_once('\n').ok_or_else(cut)?;
        let header: Header = serde_json::from_str(first).map_err(|_| State::Damaged)?;
        let expected = self.header(shard);
        if header.plan != expected.plan || header.midflight != expected.midflight {
            return Err(State::Strange(format!("is of another plan ({} of {})", header.plan, header.midflight)));
        }
        if header.shard != expected.shard {
            return Err(State::Strange(format!("is shard {}, and not {}", header.shard, shard.number)));
        }
        if header != expected {
            return Err(State::Damaged);
        }
        let lines = text.strip_suffix('\n').ok_or_else(cut)?;
        let start = lines.rfind('\n').ok_or_else(cut)? + 1;
        let footer: Footer = serde_json::from_str(&lines[start..]).map_err(|_| State::Damaged)?;
        let mut hash = Sha256::new();
        hash.update(&text[..start]);
        let body = &text[first.len() + 1..start];
        let rows = body.lines().count() as u64;
        if footer == (Footer { rows, sha256: named(hash) }) { Ok((rows, body)) } else { Err(State::Damaged) }
    }

    /// Files that are called like shards, and of which the plan has none.
    pub(super) fn strangers(&self) -> Result<Vec<(String, String)>, FolderError> {
        let entries = match fs::read_dir(&self.at) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(refused(&self.at)(error)),
        };
        let mut strangers = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
            // A name of a number that is written in another way is another name.
            let mine = number.is_some_and(|number| number < self.of && path == self.file(number, DONE));
            if mine || path.extension().is_none_or(|ending| ending != DONE) {
                continue;
            }
            let text = read(&path)?.unwrap_or_default();
            let header = text.split_once('\n').and_then(|(first, _)| serde_json::from_str::<Header>(first).ok());
            let what = match header {
                Some(header) if header.plan == self.plan => format!("is shard {} once more", header.shard),
                Some(header) => format!("is of another plan ({} of {})", header.plan, header.midflight),
                None => "is no shard".into(),
            };
            strangers.push((path.display().to_string(), what));
        }
        strangers.sort();
        Ok(strangers)
    }
}

/// A text file; `None`: there is none. One that is no text is read as far as it is one: its hash says that it is damaged.
fn read(path: &Path) -> Result<Option<String>, FolderError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused(path)(error)),
    }
}
