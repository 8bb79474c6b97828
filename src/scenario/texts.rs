//! Texts by the names under which something asks for them: of files, each read once, or handed over by a machine that has those files.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::ScenarioError;
use super::source::Source;

/// Files of a folder by their paths from there.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    /// `None`: there are those that were handed over, and no others.
    folder: Option<PathBuf>,
    read: Arc<Mutex<BTreeMap<String, Arc<Source>>>>,
}

impl Texts {
    /// Those of a folder.
    pub fn of(folder: Option<PathBuf>) -> Self {
        Self { folder, read: Arc::default() }
    }

    /// Those that another machine has read.
    pub fn handed_over(texts: &BTreeMap<String, String>) -> Result<Self, ScenarioError> {
        let sources = texts.iter().map(|(name, text)| Ok((name.clone(), Arc::new(Source::new(name, text.as_str())?))));
        Ok(Self { folder: None, read: Arc::new(Mutex::new(sources.collect::<Result<_, ScenarioError>>()?)) })
    }

    /// The folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The text of this name; `None`: there is none.
    pub fn find(&self, name: &str) -> Result<Option<Arc<Source>>, ScenarioError> {
        let is_file = || self.folder.as_ref().is_some_and(|folder| folder.join(name).exists());
        if self.lock().contains_key(name) || is_file() { self.read(name).map(Some) } else { Ok(None) }
    }

    /// The text of this name, which is there.
    pub fn read(&self, name: &str) -> Result<Arc<Source>, ScenarioError> {
        if let Some(there) = self.lock().get(name) {
            return Ok(Arc::clone(there));
        }
        let Some(folder) = &self.folder else {
            return Err(ScenarioError::Unreadable { path: name.into(), reason: io::Error::from(ErrorKind::NotFound) });
        };
        let source = Arc::new(Source::read(&folder.join(name))?);
        self.lock().insert(name.into(), Arc::clone(&source));
        Ok(source)
    }

    /// All that have been read.
    pub fn all(&self) -> BTreeMap<String, String> {
        self.lock().iter().map(|(name, source)| (name.clone(), source.text().to_owned())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Source>>> {
        // Whoever panicked has put a whole text in, or none.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
