//! A scenario that another file is about, a reference or a sweep, and the ways in which that file changes it.
//!
//! Problems that come from a change are drawn in that file, where the change was typed, and not in the text that came of it.

use std::path::Path;
use std::sync::Arc;

use super::error::{Diagnostic, ScenarioError};
use super::library::{Library, embedded};
use super::load::{Known, LoadOptions, load_with, stem};
use super::path::JsonPath;
use super::schema::reference::ScenarioRef;
use super::set::Setting;
use super::source::Source;
use super::{Column, OwnAgent, Scenario};

/// A change, and where it was typed.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Change {
    pub setting: Setting,
    pub place: JsonPath,
    /// Where it was typed if not in the file.
    pub typed: Option<Arc<Source>>,
}

/// A scenario that can be changed.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Family {
    /// The file that is about it.
    source: Arc<Source>,
    /// Whether the scenario stands in it.
    inline: bool,
    /// What the scenario is called.
    pub name: String,
    /// Its text.
    pub base: Arc<Source>,
    /// Where its models are.
    pub library: Library,
    /// Of the record.
    pub columns: Vec<Column>,
    /// Agents of the user's own.
    agents: Vec<OwnAgent>,
}

impl Family {
    /// The scenario that stands at `at` in the text of `file`, or whose path does.
    pub fn read(
        source: &Arc<Source>,
        file: &Path,
        typed: &ScenarioRef,
        at: &JsonPath,
        library: &Library,
        options: &LoadOptions<'_>,
    ) -> Result<Self, ScenarioError> {
        match typed {
            ScenarioRef::Inline => Ok(Self::inline(source, &stem(file), at, library, options)),
            ScenarioRef::Path(path) => {
                let folder = file.parent().unwrap_or(Path::new(""));
                let text = scenario_text(source, folder, path).map_err(|reason| {
                    let (source, span) = (Arc::clone(source), source.spans().value(at));
                    Diagnostic { source, span, path: Some(at.clone()), message: reason, hint: None, note: None }
                })?;
                let library = Library::new(options.models, Some(&folder.join(path)));
                Ok(Self::of(source, &stem(Path::new(path)), text, library, options))
            }
        }
    }

    /// The scenario that stands at `at` in a text.
    pub fn inline(
        source: &Arc<Source>,
        name: &str,
        at: &JsonPath,
        library: &Library,
        options: &LoadOptions<'_>,
    ) -> Self {
        let base = Arc::new(source.only(&source.spans().value(at)));
        Self { inline: true, ..Self::of(source, name, base, library.clone(), options) }
    }

    /// The scenario of this text, which stands elsewhere.
    pub fn of(
        source: &Arc<Source>,
        name: &str,
        base: Arc<Source>,
        library: Library,
        options: &LoadOptions<'_>,
    ) -> Self {
        let (columns, agents) = (options.columns.to_vec(), options.agents.to_vec());
        Self { source: Arc::clone(source), inline: false, name: name.into(), base, library, columns, agents }
    }

    /// Where the scenario comes from.
    pub fn file(&self) -> &str {
        if self.inline { "in place" } else { self.base.name() }
    }

    fn known(&self) -> Known<'_> {
        Known { columns: &self.columns, agents: &self.agents }
    }

    /// The scenario without any change.
    pub fn plain(&self) -> Result<Scenario, ScenarioError> {
        load_with(&self.name, &self.base, &self.library, self.known(), &[], &|problem, _| problem)
    }

    /// The scenario with these changes; `what` names them in errors, `place` is to blame for what none of them is.
    pub fn changed(&self, changes: &[Change], what: &str, place: &JsonPath) -> Result<Scenario, ScenarioError> {
        let settings: Vec<Setting> = changes.iter().map(|change| change.setting.clone()).collect();
        let blame = |problem, spliced: &Arc<Source>| self.blame(problem, spliced, what, changes);
        let loaded = load_with(&self.name, &self.base, &self.library, self.known(), &settings, &blame);
        loaded.map_err(|error| match error {
            ScenarioError::Set { set, reason } => {
                let guilty = changes.iter().find(|change| change.setting.text == set);
                match guilty {
                    Some(change) => self.problem_of(change, reason, None).into(),
                    None => self.problem(place, reason, None).into(),
                }
            }
            other => other,
        })
    }

    /// A problem in the file.
    pub fn problem(&self, place: &JsonPath, message: String, hint: Option<String>) -> Diagnostic {
        let source = Arc::clone(&self.source);
        let span = source.spans().key(place);
        Diagnostic { source, span, path: Some(place.clone()), message, hint, note: None }
    }

    /// A problem with a change, where that was typed.
    fn problem_of(&self, change: &Change, message: String, hint: Option<String>) -> Diagnostic {
        let Some(source) = &change.typed else { return self.problem(&change.place, message, hint) };
        let span = 0..source.text().len();
        Diagnostic { source: Arc::clone(source), span, path: None, message, hint, note: None }
    }

    fn blame(&self, problem: Diagnostic, spliced: &Arc<Source>, what: &str, changes: &[Change]) -> Diagnostic {
        let note = Some(format!("in {what} of {}", self.source.name()));
        if problem.source != *spliced {
            return Diagnostic { note, ..problem };
        }
        // The last change wins, so it is to blame.
        let touching = problem.path.as_ref().and_then(|path| {
            changes.iter().rev().find(|change| path.touches(&change.setting.path)).map(|change| (path, change))
        });
        match touching {
            Some((path, change)) => self.problem_of(change, format!("{path}: {}", problem.message), problem.hint),
            None => Diagnostic { note, ..problem },
        }
    }
}

/// The text of a scenario that is named by its path; what is shipped names what is shipped.
fn scenario_text(source: &Source, folder: &Path, path: &str) -> Result<Arc<Source>, String> {
    if !source.name().starts_with("embedded:") {
        return Source::read(&folder.join(path)).map(Arc::new).map_err(|error| error.to_string());
    }
    let found = embedded(&folder.join(path)).ok_or_else(|| format!("the program holds no scenario `{path}`"))?;
    Ok(Arc::new(found.map_err(|error| error.to_string())?))
}
