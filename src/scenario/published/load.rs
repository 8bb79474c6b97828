//! Reference file → text → shape → meaning, and every scenario that it spans tried before anything is simulated.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::scenario::error::{Diagnostic, ScenarioError};
use crate::scenario::library::{Library, embedded, find_file};
use crate::scenario::load::{LoadOptions, stem};
use crate::scenario::parse::parse_reference;
use crate::scenario::path::JsonPath;
use crate::scenario::resolve::resolve_reference;
use crate::scenario::schema::model::ModelKind;
use crate::scenario::schema::reference::{ReferenceFile, ScenarioRef};
use crate::scenario::source::Source;

use super::{Family, Reference};

/// Most problems that are gathered; each row's scenario may have the same ones.
const PROBLEMS_MAX: usize = 20;

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
    let Base { inline, name, text: base, library } =
        base(source, file, &typed.scenario, &JsonPath::ROOT.key("scenario"), library, options)?;
    let (text, changes, paths) =
        resolve_reference(&stem(file), &typed, source, &library, options.columns).map_err(ScenarioError::Invalid)?;
    let (reference, columns) = (Arc::clone(source), options.columns.to_vec());
    let agents = Vec::new();
    let typed = Vec::new();
    let family = Family { reference, inline, name, base, library, columns, agents, paths, typed, rows: changes };
    family.plain()?;
    let reference = Reference::new(text, family);
    try_all(&reference)?;
    Ok(reference)
}

/// A scenario that other files are about.
pub(in crate::scenario) struct Base {
    /// Whether it stands in the file itself.
    pub inline: bool,
    /// What it is called.
    pub name: String,
    /// Its text.
    pub text: Arc<Source>,
    /// Where its models are.
    pub library: Library,
}

/// The scenario that stands at `at` in the text of `file`, or whose path does.
pub(in crate::scenario) fn base(
    source: &Arc<Source>,
    file: &Path,
    typed: &ScenarioRef,
    at: &JsonPath,
    library: &Library,
    options: &LoadOptions<'_>,
) -> Result<Base, ScenarioError> {
    match typed {
        ScenarioRef::Inline => {
            let text = Arc::new(source.only(&source.spans().value(at)));
            Ok(Base { inline: true, name: stem(file), text, library: library.clone() })
        }
        ScenarioRef::Path(path) => {
            let folder = file.parent().unwrap_or(Path::new(""));
            let text = scenario_text(source, folder, path).map_err(|reason| {
                let (source, span) = (Arc::clone(source), source.spans().value(at));
                Diagnostic { source, span, path: Some(at.clone()), message: reason, hint: None, note: None }
            })?;
            let library = Library::new(options.models, Some(&folder.join(path)));
            Ok(Base { inline: false, name: stem(Path::new(path)), text, library })
        }
    }
}

/// The text of a scenario that is named by its path; what is shipped names what is shipped.
fn scenario_text(reference: &Source, folder: &Path, path: &str) -> Result<Arc<Source>, String> {
    if !reference.name().starts_with("embedded:") {
        return Source::read(&folder.join(path)).map(Arc::new).map_err(|error| error.to_string());
    }
    let found = embedded(&folder.join(path)).ok_or_else(|| format!("the program holds no scenario `{path}`"))?;
    Ok(Arc::new(found.map_err(|error| error.to_string())?))
}

/// Each row with all parameters least and with all greatest.
pub(super) fn try_all(reference: &Reference) -> Result<(), ScenarioError> {
    let ends =
        [reference.parameters.iter().map(|p| p.from).collect(), reference.parameters.iter().map(|p| p.to).collect()];
    let mut problems: Vec<Diagnostic> = Vec::new();
    for row in 0..reference.rows.len() {
        for values in &ends {
            let values: &Vec<u64> = values;
            match reference.scenario(row, values) {
                Ok(_) => {}
                Err(ScenarioError::Invalid(found)) => {
                    for problem in found {
                        if problems.len() < PROBLEMS_MAX && !problems.iter().any(|other| other.is_like(&problem)) {
                            problems.push(problem);
                        }
                    }
                }
                Err(other) => return Err(other),
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(ScenarioError::Invalid(problems)) }
}
