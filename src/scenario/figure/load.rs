//! Figure file → text → shape → meaning, with the sweeps, references and scenarios that it names.

use std::path::Path;
use std::sync::Arc;

use super::Figure;
use crate::scenario::error::ScenarioError;
use crate::scenario::library::Library;
use crate::scenario::load::{LoadOptions, stem};
use crate::scenario::parse::parse_figure;
use crate::scenario::resolve::resolve_figure;
use crate::scenario::schema::figure::FigureFile;
use crate::scenario::source::Source;

/// Reads a figure from a file, and everything that it names.
///
/// # Errors
/// Everything that is wrong with the file, or with the first file that it names and that is wrong.
pub fn load_figure(file: &Path, options: &LoadOptions<'_>) -> Result<Figure, ScenarioError> {
    let source = Arc::new(Source::read(file)?);
    let typed: FigureFile = parse_figure(&source).map_err(|problem| *problem)?;
    let library = Library::new(options.models, Some(file));
    resolve_figure(&stem(file), file.parent().unwrap_or(Path::new("")), &typed, &source, &library, options)
}
