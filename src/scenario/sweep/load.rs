//! Sweep file → text → shape → meaning. The scenario is tried without any change; its cells are tried by whoever lists them.

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
use crate::scenario::schema::sweep::SweepFile;
use crate::scenario::source::Source;

/// Reads a sweep from a file. `options.sets` are not made: axes do it.
///
/// # Errors
/// Everything that is wrong with the file or with its scenario.
pub fn load_sweep(file: &Path, options: &LoadOptions<'_>) -> Result<Sweep, ScenarioError> {
    let source = Arc::new(Source::read(file)?);
    let typed: SweepFile = parse_sweep(&source).map_err(|problem| *problem)?;
    let library = Library::new(options.models, Some(file));
    let family = Family::read(&source, file, &typed.base, &JsonPath::ROOT.key("base"), &library, options)?;
    let plain = family.plain()?;
    resolve_sweep(&stem(file), file.parent().unwrap_or(Path::new("")), &typed, &source, family, plain.seed)
        .map_err(ScenarioError::Invalid)
}
