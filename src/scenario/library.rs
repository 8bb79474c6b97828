//! Models by name: in a folder given, or the nearest `models/` at or above the scenario, then those inside the binary.
//!
//! It finds and lists files; what is in them is read by `scenario::resolve`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::error::ScenarioError;
use super::page_trace::PageTrace;
use super::parse::{parse, parse_reference};
use super::schema::model::{Header, Model, ModelKind, Network, Platform, Workload};
use super::schema::policy::Policy;
use super::schema::reference::ReferenceFile;
use super::source::Source;
use super::spelling;
use super::texts::Texts;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/models");
static EMBEDDED_SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// The text of a shipped file by its path from the repository's root, such as `models/../scenarios/smoke/pre-copy.json`.
pub(super) fn embedded(path: &Path) -> Option<Result<Source, ScenarioError>> {
    let mut steps: Vec<&str> = Vec::new();
    for step in path {
        match step.to_str()? {
            "." => {}
            ".." => drop(steps.pop()?),
            step => steps.push(step),
        }
    }
    let (top, rest) = steps.split_first()?;
    let folder = match *top {
        "models" => &EMBEDDED,
        "scenarios" => &EMBEDDED_SCENARIOS,
        _ => return None,
    };
    let file = folder.get_file(rest.join("/"))?;
    Some(Source::new(format!("embedded:{}", steps.join("/")), file.contents()))
}

/// Where models are looked up.
#[derive(Debug, Clone, Default)]
pub struct Library {
    texts: Texts,
}

/// A model that can be named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModelEntry {
    /// What it describes.
    pub kind: ModelKind,
    /// The name to use.
    pub name: String,
    /// One sentence; empty for files that cannot be read.
    pub about: String,
    /// The file it comes from; `embedded:…` when inside the binary.
    pub source_file: String,
}

impl Library {
    /// Models of `folder` if given, else of the nearest `models/` at or above the scenario; then the embedded ones.
    pub fn new(folder: Option<&Path>, scenario: Option<&Path>) -> Self {
        let nearest = || {
            let scenario = scenario?.canonicalize().ok()?;
            scenario.ancestors().map(|above| above.join("models")).find(|models| models.is_dir())
        };
        Self { texts: Texts::of(folder.map(Path::to_path_buf).or_else(nearest)) }
    }

    /// Models that another machine has found, by their places in `models/`; then the embedded ones.
    pub(super) fn handed_over(models: &BTreeMap<String, String>) -> Result<Self, ScenarioError> {
        Texts::handed_over(models).map(|texts| Self { texts })
    }

    /// The models that have been found so far and are not embedded, by their places in `models/`.
    pub(super) fn own(&self) -> BTreeMap<String, String> {
        let embedded = |place: &String, text: &String| {
            EMBEDDED.get_file(place).is_some_and(|file| file.contents() == text.as_bytes())
        };
        let mut own = self.texts.all();
        own.retain(|place, text| !embedded(place, text));
        own
    }

    /// The text of a model; `None` if there is none of this name.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub(super) fn find(&self, kind: ModelKind, name: &str) -> Result<Option<Arc<Source>>, ScenarioError> {
        if !is_name(name) {
            return Ok(None);
        }
        let relative = format!("{}/{name}.{}", kind.folder(), kind.extension());
        if let Some(source) = self.texts.find(&relative)? {
            return Ok(Some(source));
        }
        let Some(file) = EMBEDDED.get_file(&relative) else { return Ok(None) };
        Source::new(format!("embedded:models/{relative}"), file.contents()).map(|source| Some(Arc::new(source)))
    }

    /// The names of all models of a kind, sorted, each once.
    pub(super) fn names(&self, kind: ModelKind) -> Vec<String> {
        let ends = format!(".{}", kind.extension());
        let mut names: Vec<String> = Vec::new();
        if let Some(folder) = self.texts.folder() {
            let entries = fs::read_dir(folder.join(kind.folder())).into_iter().flatten().flatten();
            names.extend(entries.filter_map(|entry| entry.file_name().into_string().ok()));
        }
        if let Some(folder) = EMBEDDED.get_dir(kind.folder()) {
            names.extend(folder.files().filter_map(|file| file.path().file_name()?.to_str().map(String::from)));
        }
        names =
            names.iter().filter_map(|name| name.strip_suffix(&ends)).filter(|n| is_name(n)).map(Into::into).collect();
        names.sort();
        names.dedup();
        names
    }

    /// All models, by kind and name.
    pub fn list(&self) -> Vec<ModelEntry> {
        let entry = |kind: ModelKind, name: String| {
            let source = self.find(kind, &name).ok().flatten();
            let about = source.as_ref().map(|source| about(kind, source)).unwrap_or_default();
            let source_file = source.map(|source| source.name().to_string()).unwrap_or_default();
            ModelEntry { kind, name, about, source_file }
        };
        let all = ModelKind::ALL.into_iter();
        all.flat_map(|kind| self.names(kind).into_iter().map(move |name| entry(kind, name))).collect()
    }
}

/// A model from a file, or by its name; and where the models that it names are.
///
/// # Errors
/// Neither a file nor a name, or a file that cannot be read.
pub(super) fn find_file(
    kind: ModelKind,
    file: &Path,
    models: Option<&Path>,
) -> Result<(Arc<Source>, Library), ScenarioError> {
    let Some(name) = file.to_str().filter(|_| !file.exists() && may_be_a_name(file)) else {
        return Ok((Arc::new(Source::read(file)?), Library::new(models, Some(file))));
    };
    let here = Library::new(models, Some(Path::new(".")));
    let Some(source) = here.find(kind, name)? else {
        let names = here.names(kind);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = spelling::hint(name, &names).map_or(String::new(), |hint| format!("; {hint}"));
        return Err(ScenarioError::NoModel { kind: kind.as_str(), name: name.into(), hint });
    };
    Ok((source, here))
}

/// Whether nothing says that a file is meant: no folder, no ending.
fn may_be_a_name(file: &Path) -> bool {
    file.components().count() == 1 && file.extension().is_none_or(|ending| ending != "json")
}

/// All models of a folder (or, without one, of the nearest `models/` at or above the working folder) and the embedded.
pub fn list_models(folder: Option<&Path>) -> Vec<ModelEntry> {
    Library::new(folder, Some(Path::new("."))).list()
}

fn about(kind: ModelKind, source: &Arc<Source>) -> String {
    fn of<M: Model>(source: &Arc<Source>) -> Option<String> {
        parse::<M::File>(source).ok().map(|file| file.about().to_string())
    }
    match kind {
        ModelKind::Network => of::<Network>(source),
        ModelKind::Platform => of::<Platform>(source),
        ModelKind::Workload => of::<Workload>(source),
        ModelKind::Policy => of::<Policy>(source),
        ModelKind::Reference => {
            parse_reference::<ReferenceFile>(source).ok().map(|file| first_sentence(&file.why).into())
        }
        ModelKind::Trace => Some(format!("A rate trace of {} steps.", source.text().lines().skip(1).count())),
        ModelKind::PageTrace => page_trace(source),
        ModelKind::Law => Some(format!("A sample of {} times.", source.text().lines().skip(1).count())),
    }
    .unwrap_or_default()
}

fn page_trace(source: &Source) -> Option<String> {
    let trace = PageTrace::parse(source.text()).ok()?;
    Some(format!("Writes to {} pages in {} intervals.", trace.pages(), trace.len()))
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

/// A name is a file stem, never a path.
fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for name in ["", "..", "../gige", "a/b", "/etc/passwd", ".hidden", "a\\b"] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("write-intensive-1g"));
    }

    #[test]
    fn shipped_files_are_found_by_the_way_between_them() {
        let found = |path: &str| embedded(Path::new(path)).map(|source| source.expect("a text").name().to_string());
        let scenario = "embedded:scenarios/smoke/pre-copy.json";
        assert_eq!(found("models/references/../../scenarios/smoke/pre-copy.json").as_deref(), Some(scenario));
        for path in ["scenarios/smoke/none.json", "../scenarios/smoke/pre-copy.json", "src/lib.rs", "models/..", "/"] {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn every_embedded_model_says_what_it_is() {
        let all = Library::default().list();
        assert!(all.iter().any(|entry| entry.name == "gige" && entry.kind == ModelKind::Network));
        for entry in &all {
            assert!(!entry.about.is_empty(), "{}", entry.source_file);
        }
    }
}
