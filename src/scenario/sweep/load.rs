//! Sweep file → text → shape → meaning. The scenario is tried without any change; its cells are tried by whoever lists them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::Sweep;
use crate::scenario::error::ScenarioError;
use crate::scenario::family::Family;
use crate::scenario::library::Library;
use crate::scenario::load::{LoadOptions, stem};
use crate::scenario::parse::parse_sweep;
use crate::scenario::path::JsonPath;
use crate::scenario::resolve::resolve_sweep;
use crate::scenario::schema::reference::ScenarioRef;
use crate::scenario::schema::sweep::SweepFile;
use crate::scenario::source::Source;
use crate::scenario::texts::Texts;

/// Everything that a sweep is made of and the program does not hold: what a machine needs that has none of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepTexts {
    /// What the sweep is called.
    pub name: String,
    /// The file in which it was, as errors call it.
    pub file: String,
    /// Its text.
    pub sweep: String,
    /// The text of the scenario that it names, if it names one.
    pub base: String,
    /// Files that axes name, by the paths that stand there.
    pub files: BTreeMap<String, String>,
    /// Models that its scenarios name, by their places in `models/`.
    pub models: BTreeMap<String, String>,
}

/// Reads a sweep from a file. `options.sets` are not made: axes do it.
///
/// # Errors
/// Everything that is wrong with the file or with its scenario.
pub fn load_sweep(file: &Path, options: &LoadOptions<'_>) -> Result<Sweep, ScenarioError> {
    let source = Arc::new(Source::read(file)?);
    let typed: SweepFile = parse_sweep(&source).map_err(|problem| *problem)?;
    let library = Library::new(options.models, Some(file));
    let family = Family::read(&source, file, &typed.base, &JsonPath::ROOT.key("base"), &library, options)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    resolved(&stem(file), Texts::of(Some(folder.into())), &typed, &source, family)
}

/// Reads a sweep from the texts that it is made of. `options.models` is not looked at.
///
/// # Errors
/// Everything that is wrong with them.
pub fn load_sweep_texts(texts: &SweepTexts, options: &LoadOptions<'_>) -> Result<Sweep, ScenarioError> {
    let source = Arc::new(Source::new(&texts.file, texts.sweep.as_str())?);
    let typed: SweepFile = parse_sweep(&source).map_err(|problem| *problem)?;
    let library = Library::handed_over(&texts.models)?;
    let family = match &typed.base {
        ScenarioRef::Inline => Family::inline(&source, &texts.name, &JsonPath::ROOT.key("base"), &library, options),
        ScenarioRef::Path(path) => {
            let base = Arc::new(Source::new(path, texts.base.as_str())?);
            Family::of(&source, &stem(Path::new(path)), base, library, options)
        }
    };
    resolved(&texts.name, Texts::handed_over(&texts.files)?, &typed, &source, family)
}

fn resolved(
    name: &str,
    files: Texts,
    typed: &SweepFile,
    source: &Arc<Source>,
    family: Family,
) -> Result<Sweep, ScenarioError> {
    let plain = family.plain()?;
    resolve_sweep(name, files, typed, source, family, plain.seed).map_err(ScenarioError::Invalid)
}

impl Sweep {
    /// Everything that it is made of; of models those that its scenarios have named so far.
    pub fn texts(&self) -> SweepTexts {
        SweepTexts {
            name: self.name.clone(),
            file: self.file().into(),
            sweep: self.text().into(),
            base: self.base_text().into(),
            files: self.files.all(),
            models: self.family.library.own(),
        }
    }
}
