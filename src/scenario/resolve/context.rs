//! Where resolving puts the problems it finds, and in which text each of them stands.

use std::sync::Arc;

use crate::scenario::error::{Diagnostic, ScenarioError};
use crate::scenario::library::Library;
use crate::scenario::parse::parse;
use crate::scenario::path::JsonPath;
use crate::scenario::schema::model::{Model, ModelKind, ModelRef};
use crate::scenario::source::Source;
use crate::scenario::spelling;

/// A value in one of the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    source: usize,
    path: JsonPath,
}

impl Place {
    pub(super) const fn root() -> Self {
        Self::root_of(0)
    }
    const fn root_of(source: usize) -> Self {
        Self { source, path: JsonPath::ROOT }
    }
    pub(super) fn key(&self, key: &str) -> Self {
        Self { source: self.source, path: self.path.key(key) }
    }
    pub(super) fn index(&self, index: usize) -> Self {
        Self { source: self.source, path: self.path.index(index) }
    }
}

struct Problem {
    at: Place,
    message: String,
    hint: Option<String>,
}

/// A model and its bases, the first to ask first.
pub(super) struct Layers<M> {
    at: Place,
    layers: Vec<(Place, M)>,
}

impl<M> Layers<M> {
    /// The value of the first that gives it, and where.
    pub(super) fn pick<T>(&self, key: &str, get: impl Fn(&M) -> Option<T>) -> Option<(T, Place)> {
        self.layers.iter().find_map(|(place, model)| get(model).map(|value| (value, place.key(key))))
    }
    /// The values of the first layer alone: what the user typed in this place.
    pub(super) fn own(&self) -> Option<&M> {
        self.layers.first().map(|(_, model)| model)
    }
    pub(super) fn at(&self) -> &Place {
        &self.at
    }
}

/// The texts read so far and what is wrong with them.
pub(super) struct Context<'a> {
    library: &'a Library,
    sources: Vec<Arc<Source>>,
    problems: Vec<Problem>,
    missing: Vec<Missing>,
    unreadable: Vec<Diagnostic>,
}

/// What a model lacks; one problem however much it is.
struct Missing {
    at: Place,
    kind: ModelKind,
    keys: Vec<String>,
}

impl<'a> Context<'a> {
    pub(super) fn new(source: &Arc<Source>, library: &'a Library) -> Self {
        Self {
            library,
            sources: vec![Arc::clone(source)],
            problems: Vec::new(),
            missing: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    pub(super) fn problem(&mut self, at: &Place, message: impl Into<String>, hint: Option<&str>) {
        self.problems.push(Problem { at: at.clone(), message: message.into(), hint: hint.map(Into::into) });
    }

    /// A problem with a wrong word: the hint is the nearest of `known`.
    pub(super) fn misspelt(&mut self, at: &Place, message: String, word: &str, known: &[&str]) {
        let hint = spelling::hint(word, known);
        self.problem(at, message, hint.as_deref());
    }

    /// Complains unless a quantity is above zero.
    pub(super) fn positive(&mut self, is_positive: bool, at: &Place) {
        if !is_positive {
            self.problem(at, "is zero; it must be above", None);
        }
    }

    /// A value that a model or one of its bases must give; else a problem and the stand-in.
    pub(super) fn required<M: Model, T>(
        &mut self,
        layers: &Layers<M>,
        key: &str,
        get: impl Fn(&M) -> Option<T>,
        stand_in: T,
    ) -> (T, Place) {
        layers.pick(key, get).unwrap_or_else(|| {
            let key_text = format!("`{key}`");
            if let Some(missing) = self.missing.iter_mut().find(|missing| missing.at == layers.at) {
                missing.keys.push(key_text);
            } else {
                self.missing.push(Missing { at: layers.at.clone(), kind: M::KIND, keys: vec![key_text] });
            }
            (stand_in, layers.at.key(key))
        })
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty() && self.missing.is_empty() && self.unreadable.is_empty()
    }

    /// All problems as they are shown; one look at each text.
    pub(super) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        for Missing { at, kind, keys } in std::mem::take(&mut self.missing) {
            let hint = format!("add it, or a `base` that has it: {}", self.library.names(kind).join(", "));
            self.problem(&at, format!("the {} has no {}", kind.as_str(), keys.join(", ")), Some(&hint));
        }
        let Self { sources, problems, unreadable, .. } = self;
        let mut shown = unreadable;
        for (number, source) in sources.iter().enumerate() {
            let mut here = problems.iter().filter(|problem| problem.at.source == number).peekable();
            if here.peek().is_none() {
                continue;
            }
            let spans = source.spans();
            shown.extend(here.map(|problem| Diagnostic {
                source: Arc::clone(source),
                span: spans.value(&problem.at.path),
                path: Some(problem.at.path.clone()),
                message: problem.message.clone(),
                hint: problem.hint.clone(),
                note: None,
            }));
        }
        shown
    }

    /// A problem with a line of a text that is no JSON.
    pub(super) fn line_problem(&mut self, source: &Arc<Source>, offset: usize, message: String) {
        let end = source.text()[offset..].find(['\r', '\n']).map_or(source.text().len(), |length| offset + length);
        let (source, span) = (Arc::clone(source), offset..end);
        self.unreadable.push(Diagnostic { source, span, path: None, message, hint: None, note: None });
    }

    /// The text of a model; a problem if there is none.
    pub(super) fn find(&mut self, kind: ModelKind, name: &str, at: &Place) -> Option<Arc<Source>> {
        match self.library.find(kind, name) {
            Ok(Some(source)) => Some(source),
            Ok(None) => {
                let names = self.library.names(kind);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let message = format!("there is no {} `{}`", kind.as_str(), spelling::clipped(name));
                self.misspelt(at, message, name, &names);
                None
            }
            Err(ScenarioError::Invalid(problems)) => {
                self.unreadable.extend(problems);
                None
            }
            Err(other) => {
                self.problem(at, other.to_string(), None);
                None
            }
        }
    }

    /// A model and all its bases; `None`, with a problem noted, if one of them is not to be had.
    pub(super) fn layers<M: Model>(&mut self, reference: &ModelRef<M>, at: &Place) -> Option<Layers<M>> {
        let mut layers = Vec::new();
        let (mut wanted, mut place) = match reference {
            ModelRef::Name(name) => (Some(name.clone()), at.clone()),
            ModelRef::Inline(model) => {
                layers.push((at.clone(), (**model).clone()));
                (model.base().map(String::from), at.key("base"))
            }
        };
        let mut seen: Vec<String> = Vec::new();
        while let Some(name) = wanted {
            if seen.contains(&name) {
                let way = seen.iter().chain([&name]).map(String::as_str).collect::<Vec<_>>().join(" → ");
                self.problem(&place, format!("the bases go round in a circle: {way}"), None);
                return None;
            }
            let source = self.find(M::KIND, &name, &place)?;
            let model: M = match parse::<M::File>(&source) {
                Ok(file) => file.into(),
                Err(problem) => {
                    self.unreadable.push(*problem);
                    return None;
                }
            };
            self.sources.push(source);
            let root = Place::root_of(self.sources.len() - 1);
            seen.push(name);
            wanted = model.base().map(String::from);
            place = root.key("base");
            layers.push((root, model));
        }
        // A missing value of a named model is missing in its file, not in the scenario.
        let at = layers.first().map_or_else(|| at.clone(), |(place, _)| place.clone());
        Some(Layers { at, layers })
    }
}
