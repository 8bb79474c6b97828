//! What can be wrong with a scenario, and how it is shown: file, line, column, JSON path, reason, hint.
//!
//! Drawn as a compiler draws, with the whole offending value or key underlined. It decides nothing about exit
//! status or colour; the command line does.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use thiserror::Error;

use super::path::JsonPath;
use super::source::Source;

/// Most problems that are shown at once.
const SHOWN: usize = 20;
/// A value of more lines than this is underlined on its first line only.
const UNDERLINED_LINES: usize = 4;

/// Why there is no scenario.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The operating system would not.
    #[error("{path}: cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's reason.
        reason: io::Error,
    },
    /// Not a file.
    #[error("{path}: is a folder; name a file in it")]
    Folder {
        /// The folder.
        path: String,
    },
    /// Longer than [`super::source::MAX_BYTES`].
    #[error("{path}: is longer than 16 MiB, which no scenario is")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// Nothing but blanks.
    #[error("{path}: is empty; a scenario has at least `schema`, `why`, `policy` and `vms`")]
    Empty {
        /// The file.
        path: String,
    },
    /// Bytes that are no text.
    #[error("{path}:{line}:{column}: not UTF-8 from here on")]
    NotUtf8 {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A name that no model of its kind has.
    #[error("there is no file and no {kind} `{name}`{hint}")]
    NoModel {
        /// What was sought.
        kind: &'static str,
        /// As typed.
        name: String,
        /// What may have been meant.
        hint: String,
    },
    /// A `--set` that cannot be applied.
    #[error("--set {set}: {reason}")]
    Set {
        /// As typed.
        set: String,
        /// Why not.
        reason: String,
    },
    /// A `--fit` that says nothing that can be fitted.
    #[error("--fit {fit}: {reason}")]
    Fit {
        /// As typed.
        fit: String,
        /// Why not.
        reason: String,
    },
    /// The text is wrong at one or more places. Never empty.
    #[error("{}", draw(.0, false))]
    Invalid(Vec<Diagnostic>),
}

impl ScenarioError {
    /// The whole message, in colour if asked.
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::Invalid(diagnostics) => draw(diagnostics, colour),
            other => other.to_string(),
        }
    }
    /// The places in texts that are wrong; empty if there is no text to point at.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Invalid(diagnostics) => diagnostics,
            _ => &[],
        }
    }
}

/// What is wrong with several scenarios that come of one file and may have the same problems.
#[derive(Debug, Default)]
pub struct Problems(Vec<Diagnostic>);

impl Problems {
    /// Answers the scenario, or keeps what is wrong with it, each problem once.
    ///
    /// # Errors
    /// What has no place in a text.
    pub fn take<T>(&mut self, made: Result<T, ScenarioError>) -> Result<Option<T>, ScenarioError> {
        match made {
            Ok(made) => Ok(Some(made)),
            Err(ScenarioError::Invalid(found)) => {
                for problem in found {
                    if self.0.len() < SHOWN && !self.0.iter().any(|other| other.is_like(&problem)) {
                        self.0.push(problem);
                    }
                }
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Nothing was wrong.
    ///
    /// # Errors
    /// All that was kept.
    pub fn none(self) -> Result<(), ScenarioError> {
        if self.0.is_empty() { Ok(()) } else { Err(ScenarioError::Invalid(self.0)) }
    }
}

impl From<Diagnostic> for ScenarioError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Invalid(vec![diagnostic])
    }
}

/// One thing that is wrong at one place.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    pub(super) source: Arc<Source>,
    pub(super) span: Range<usize>,
    pub(super) path: Option<JsonPath>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) note: Option<String>,
}

impl Diagnostic {
    /// The name of the text.
    pub fn file(&self) -> &str {
        self.source.name()
    }
    /// Line and column, from 1.
    pub fn line_column(&self) -> (usize, usize) {
        self.source.line_column(self.span.start)
    }
    /// The way to the value; `None` when the text is no JSON.
    pub fn path(&self) -> Option<&JsonPath> {
        self.path.as_ref()
    }
    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }
    /// What would be right.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether it says the same of the same place.
    fn is_like(&self, other: &Self) -> bool {
        self.span == other.span && self.message == other.message && self.source == other.source
    }

    /// Draws it in its text.
    pub fn render(&self, colour: bool) -> String {
        let title = match &self.path {
            Some(path) => format!("{path}: {}", self.message),
            None => self.message.clone(),
        };
        let text = self.source.text();
        let (start, end) = self.underlined();
        let (first, last) = (line_start(text, start), line_end(text, end));
        let line = self.source.line_column(first).0;
        let snippet = Snippet::source(&text[first..last])
            .line_start(line)
            .path(self.file())
            .annotation(AnnotationKind::Primary.span(start - first..end - first));
        let mut group = Level::ERROR.primary_title(title.as_str()).element(snippet);
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        if let Some(note) = &self.note {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// The bytes to underline: on character boundaries, and one line of what would fill the screen.
    fn underlined(&self) -> (usize, usize) {
        let text = self.source.text();
        let start = text.floor_char_boundary(self.span.start);
        let end = text.ceil_char_boundary(self.span.end.max(start));
        if text[start..end].matches('\n').count() >= UNDERLINED_LINES {
            return (start, start + text[start..end].find('\n').unwrap_or(end - start));
        }
        (start, end)
    }
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, offset: usize) -> usize {
    text[offset..].find('\n').map_or(text.len(), |newline| offset + newline)
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

fn draw(diagnostics: &[Diagnostic], colour: bool) -> String {
    let mut drawn: Vec<String> = diagnostics.iter().take(SHOWN).map(|problem| problem.render(colour)).collect();
    if diagnostics.len() > SHOWN {
        drawn.push(format!("… and {} more problems", diagnostics.len() - SHOWN));
    }
    drawn.join("\n\n")
}
