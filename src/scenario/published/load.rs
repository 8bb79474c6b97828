//! Reference file → text → shape → meaning, and every scenario that it spans tried before anything is simulated.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::scenario::error::{Problems, ScenarioError};
use crate::scenario::family::Family;
use crate::scenario::library::{Library, find_file};
use crate::scenario::load::{LoadOptions, stem};
use crate::scenario::parse::parse_reference;
use crate::scenario::path::JsonPath;
use crate::scenario::resolve::resolve_reference;
use crate::scenario::schema::model::ModelKind;
use crate::scenario::schema::reference::ReferenceFile;
use crate::scenario::source::Source;

use super::Reference;

/// Reads a reference from a file, or a shipped one by its name. `options.sets` are not made: rows have their own.
///
/// # Errors
/// Everything that is wrong with the file, its scenario, or what its rows and parameters make of it.
pub fn load_reference(file: &Path, options: &LoadOptions<'_>) -> Result<Reference, ScenarioError> {
    let (source, library) = find_file(ModelKind::Reference, file, options.models)?;
    let path = PathBuf::from(source.name().trim_start_matches("embedded:"));
    read(&source, &path, &library, options)
}

/// Reads a reference from a text; a path to its scenario is from the folder of `name`.
///
/// # Errors
/// As [`load_reference`].
pub fn load_reference_text(name: &str, text: &str, options: &LoadOptions<'_>) -> Result<Reference, ScenarioError> {
    let source = Arc::new(Source::new(name, text)?);
    read(&source, Path::new(name), &Library::new(options.models, None), options)
}

fn read(
    source: &Arc<Source>,
    file: &Path,
    library: &Library,
    options: &LoadOptions<'_>,
) -> Result<Reference, ScenarioError> {
    let typed: ReferenceFile = parse_reference(source).map_err(|problem| *problem)?;
    // A published result is of the shipped agents.
    let options = LoadOptions { agents: &[], ..*options };
    let family = Family::read(source, file, &typed.scenario, &JsonPath::ROOT.key("scenario"), library, &options)?;
    let (text, changes, paths) = resolve_reference(&stem(file), &typed, source, &family.library, &family.columns)
        .map_err(ScenarioError::Invalid)?;
    family.plain()?;
    let reference = Reference::new(text, family, paths, changes);
    try_all(&reference)?;
    Ok(reference)
}

/// Each row with all parameters least and with all greatest.
pub(super) fn try_all(reference: &Reference) -> Result<(), ScenarioError> {
    let ends =
        [reference.parameters.iter().map(|p| p.from).collect(), reference.parameters.iter().map(|p| p.to).collect()];
    let mut problems = Problems::default();
    for row in 0..reference.rows.len() {
        for values in &ends {
            let values: &Vec<u64> = values;
            problems.take(reference.scenario(row, values))?;
        }
    }
    problems.none()
}
