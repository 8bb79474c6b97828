//! The scenarios that a reference's rows and fitted parameters span: one text, and what each member changes in it.
//!
//! Problems that come from a change are drawn in the reference file, where the change was typed, and not in the text that
//! came of it.

use std::sync::Arc;

use crate::scenario::error::{Diagnostic, ScenarioError};
use crate::scenario::library::Library;
use crate::scenario::load::{Known, load_with};
use crate::scenario::path::JsonPath;
use crate::scenario::set::Setting;
use crate::scenario::source::Source;
use crate::scenario::{Column, OwnAgent, Scenario};

use super::parameter::Parameter;

/// A change, and where it was typed.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Change {
    pub setting: Setting,
    pub place: JsonPath,
    /// Where it was typed if not in the reference file.
    pub typed: Option<Arc<Source>>,
}

/// A scenario and the ways in which it is changed.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Family {
    /// The reference file.
    pub reference: Arc<Source>,
    /// Whether the scenario stands in it.
    pub inline: bool,
    /// What the scenario is called.
    pub name: String,
    /// Its text.
    pub base: Arc<Source>,
    /// Where its models are.
    pub library: Library,
    /// Of the record.
    pub columns: Vec<Column>,
    /// Agents of the user's own. A published result is of the shipped ones.
    pub agents: Vec<OwnAgent>,
    /// The paths of the parameters.
    pub paths: Vec<JsonPath>,
    /// The parameters as they were typed, if not in the reference file.
    pub typed: Vec<Arc<Source>>,
    /// What each row changes.
    pub rows: Vec<Vec<Change>>,
}

impl Family {
    pub(in crate::scenario) fn file(&self) -> &str {
        if self.inline { "in place" } else { self.base.name() }
    }

    pub(super) fn sets(&self, row: usize) -> impl Iterator<Item = &str> {
        self.rows[row].iter().map(|change| change.setting.text.as_str())
    }

    fn known(&self) -> Known<'_> {
        Known { columns: &self.columns, agents: &self.agents }
    }

    /// The scenario without any change.
    pub(in crate::scenario) fn plain(&self) -> Result<Scenario, ScenarioError> {
        load_with(&self.name, &self.base, &self.library, self.known(), &[], &|problem, _| problem)
    }

    /// Parameters first, so that a row may set one of them itself.
    pub(super) fn member(
        &self,
        row: usize,
        parameters: &[Parameter],
        values: &[u64],
    ) -> Result<Scenario, ScenarioError> {
        let fitted =
            parameters.iter().zip(values).zip(&self.paths).enumerate().map(|(i, ((parameter, value), path))| {
                let place = JsonPath::ROOT.key("fit").index(i).key("path");
                Change { setting: parameter.setting(path, *value), place, typed: self.typed.get(i).cloned() }
            });
        let changes: Vec<Change> = fitted.chain(self.rows[row].iter().cloned()).collect();
        self.changed(&changes, &format!("row {}", row + 1), &JsonPath::ROOT.key("rows").index(row))
    }

    /// The scenario with these changes; `what` names them in errors, `place` is to blame for what none of them is.
    pub(in crate::scenario) fn changed(
        &self,
        changes: &[Change],
        what: &str,
        place: &JsonPath,
    ) -> Result<Scenario, ScenarioError> {
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

    /// A problem in the reference file.
    pub(in crate::scenario) fn problem(&self, place: &JsonPath, message: String, hint: Option<String>) -> Diagnostic {
        let source = Arc::clone(&self.reference);
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
        let note = Some(format!("in {what} of {}", self.reference.name()));
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
