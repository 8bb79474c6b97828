//! File → text → shape → meaning, with every error on the way.

use std::path::Path;
use std::sync::Arc;

use super::error::{Diagnostic, ScenarioError};
use super::library::Library;
use super::parse::parse;
use super::resolve::{Column, resolve};
use super::schema::ScenarioFile;
use super::set::{Setting, splice};
use super::source::Source;
use super::{OwnAgent, Scenario, path::JsonPath};

/// What else than its text decides what a scenario means.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions<'a> {
    /// `--set path=value`, in order.
    pub sets: &'a [String],
    /// `--models DIR`: looked through instead of the nearest `models/`.
    pub models: Option<&'a Path>,
    /// The columns of the record, for `expect.metrics`.
    pub columns: &'a [Column],
    /// Agents of the user's own, for `agents`.
    pub agents: &'a [OwnAgent],
}

/// What a scenario may name that is in no file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub columns: &'a [Column],
    pub agents: &'a [OwnAgent],
}

/// Reads a scenario from a file.
///
/// # Errors
/// Everything that is wrong with the file, the settings or the models named.
pub fn load(path: &Path, options: &LoadOptions<'_>) -> Result<Scenario, ScenarioError> {
    let source = Arc::new(Source::read(path)?);
    load_source(&stem(path), &source, &Library::new(options.models, Some(path)), options)
}

/// Reads a scenario from a text; `name` stands in errors, and its stem names the scenario. Models are those of
/// `options.models` and the embedded ones.
///
/// # Errors
/// Everything that is wrong with the text, the settings or the models named.
pub fn load_text(name: &str, text: &str, options: &LoadOptions<'_>) -> Result<Scenario, ScenarioError> {
    let source = Arc::new(Source::new(name, text)?);
    load_source(&stem(Path::new(name)), &source, &Library::new(options.models, None), options)
}

/// What a scenario is called.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "inline".into(), |stem| stem.to_string_lossy().into_owned())
}

fn load_source(
    name: &str,
    source: &Arc<Source>,
    library: &Library,
    options: &LoadOptions<'_>,
) -> Result<Scenario, ScenarioError> {
    let known = Known { columns: options.columns, agents: options.agents };
    let settings = options.sets.iter().map(|text| Setting::parse(text)).collect::<Result<Vec<_>, _>>()?;
    load_with(name, source, library, known, &settings, &|problem, spliced| blame(problem, spliced, &settings))
}

/// Reads a scenario with some settings made; `blame` is handed the problems that are there only with them, and the text
/// in which they were made.
pub(super) fn load_with(
    name: &str,
    source: &Arc<Source>,
    library: &Library,
    known: Known<'_>,
    settings: &[Setting],
    blame: &dyn Fn(Diagnostic, &Arc<Source>) -> Diagnostic,
) -> Result<Scenario, ScenarioError> {
    let file: ScenarioFile = parse(source).map_err(|problem| *problem)?;
    if settings.is_empty() {
        return resolve(name, &file, source, library, known).map_err(ScenarioError::Invalid);
    }
    let source = with_default_models(&file, source, settings, library)?;
    let spliced = splice(&source, settings, library)?;
    let blamed = |problems: Vec<Diagnostic>| {
        ScenarioError::Invalid(problems.into_iter().map(|problem| blame(problem, &spliced)).collect())
    };
    let file: ScenarioFile = parse(&spliced).map_err(|problem| blamed(vec![*problem]))?;
    resolve(name, &file, &spliced, library, known).map_err(blamed)
}

/// Writes out the default models that a setting reaches into, so that it changes them instead of replacing them.
fn with_default_models(
    file: &ScenarioFile,
    source: &Arc<Source>,
    settings: &[Setting],
    library: &Library,
) -> Result<Arc<Source>, ScenarioError> {
    let reached = |key: &str| settings.iter().any(|setting| JsonPath::ROOT.key(key).touches(&setting.path));
    let network = file.network.is_none() && reached("network");
    let platform = file.platform.is_none() && reached("platform");
    let mut defaults = Vec::new();
    if network {
        defaults.push(Setting::parse("network=gige")?);
    }
    if platform {
        defaults.push(Setting::parse("platform=generic")?);
    }
    if defaults.is_empty() {
        return Ok(Arc::clone(source));
    }
    let with = splice(source, &defaults, library)?;
    Source::new(source.name(), with.text()).map(Arc::new)
}

/// Names the settings that touch the place of a problem, or else all of them.
fn blame(mut problem: Diagnostic, spliced: &Arc<Source>, settings: &[Setting]) -> Diagnostic {
    if problem.source != *spliced {
        return problem;
    }
    let near = |setting: &&Setting| problem.path.as_ref().is_some_and(|path| path.touches(&setting.path));
    let mut guilty: Vec<&str> = settings.iter().filter(near).map(|setting| setting.text.as_str()).collect();
    if guilty.is_empty() {
        guilty = settings.iter().map(|setting| setting.text.as_str()).collect();
    }
    let list: Vec<String> = guilty.iter().map(|text| format!("--set '{text}'")).collect();
    problem.note = Some(format!("after {}", list.join(" ")));
    problem
}
