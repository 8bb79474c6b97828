//! `plan.json`: a sweep with everything that it is made of, and into how many shards it is cut.
//!
//! It is all that a machine needs, beside this program, to make any of the shards: its hash is what shards are known by. What is in it
//! beside the part `plan` becomes the manifest of the results.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::num::NonZeroU64;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::folder::{Folder, FolderError, refused};
use super::manifest::{hash, manifest, named};
use super::{complain_of, plan_error};
use crate::cli::args::{Reading, VERSION};
use crate::cli::commands::run::bound_columns;
use crate::cli::{Status, complain};
use crate::scenario::{LoadOptions, Sweep, SweepTexts, load_sweep_texts};
use crate::sweep::{Plan, Shard};

/// The file's name.
pub(super) const PLAN: &str = "plan.json";

const CHANGED: &str = "was changed by hand";

/// A plan as it stands in its file.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// Where it was read, if it was.
    path: String,
    text: String,
    manifest: Value,
    part: Part,
}

/// What a plan has beside the manifest of its results.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// The sweep's file, as it was typed.
    file: String,
    /// Whether it is a quick one.
    quick: bool,
    /// How many runs it has; of one that ends by itself, at most.
    runs: u64,
    shards: NonZeroU64,
    /// Files that axes name, and models, that the program does not hold: a value if they are JSON, else a text.
    files: BTreeMap<String, Value>,
    models: BTreeMap<String, Value>,
}

impl Planned {
    /// The plan of a sweep whose scenarios have been tried, in so many shards.
    pub(super) fn new(plan: &Plan, how: &Reading, shards: NonZeroU64) -> Self {
        let (manifest, texts) = (manifest(plan, how), plan.sweep.texts());
        let values =
            |texts: BTreeMap<String, String>| texts.into_iter().map(|(name, text)| (name, value(text))).collect();
        let part = Part {
            file: texts.file,
            quick: plan.sweep.is_quick,
            runs: plan.runs(),
            shards,
            files: values(texts.files),
            models: values(texts.models),
        };
        let mut all = manifest.clone();
        all["plan"] = serde_json::to_value(&part).expect("plain data");
        Self { path: String::new(), text: format!("{all:#}\n"), manifest, part }
    }

    /// That of a folder.
    pub(super) fn of(folder: &Path) -> Result<Self, FolderError> {
        let path = folder.join(PLAN);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if Folder::is_finished(folder) => {
                FolderError::Finished { path: folder.display().to_string() }
            }
            io::ErrorKind::NotFound => FolderError::NoPlan { path: folder.display().to_string() },
            _ => refused(&path)(error),
        })?;
        Self::parse(text, &path.display().to_string())
    }

    /// That on standard input.
    pub(super) fn from_input() -> Result<Self, FolderError> {
        let mut text = String::new();
        let path = "standard input";
        io::stdin().lock().read_to_string(&mut text).map_err(refused(Path::new(path)))?;
        Self::parse(text, path)
    }

    fn parse(text: String, path: &str) -> Result<Self, FolderError> {
        let bad = |reason: String| FolderError::BadPlan { path: path.into(), reason };
        let mut manifest: Value = serde_json::from_str(&text).map_err(|error| bad(format!("is no plan: {error}")))?;
        let version = manifest["midflight"].as_str().unwrap_or("an unknown version").to_owned();
        if version != VERSION {
            return Err(bad(format!("is a plan of {version}, and this is {VERSION}")));
        }
        let part = manifest.as_object_mut().and_then(|object| object.shift_remove("plan"));
        let part: Part = serde_json::from_value(part.unwrap_or_default())
            .map_err(|error| bad(format!("is no plan: `plan`: {error}")))?;
        if !manifest["seed"].is_u64() {
            return Err(bad("is no plan: `seed` is no number".into()));
        }
        Ok(Self { path: path.into(), text, manifest, part })
    }

    /// The same, unless it was changed by hand since this one was made.
    pub(super) fn like(self, made: &Self) -> Result<Self, FolderError> {
        let what = |planned: &Self| {
            let mut manifest = planned.manifest.clone();
            // Who makes it again may type its file in another way, and may have more shards.
            manifest["again"] = Value::Null;
            (manifest, planned.part.files.clone(), planned.part.models.clone())
        };
        if what(&self) == what(made) {
            return Ok(self);
        }
        Err(FolderError::BadPlan { path: self.path, reason: CHANGED.into() })
    }

    /// By what its shards are known.
    pub(super) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.text);
        named(hash)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// That of the results, before there are any.
    pub(super) fn manifest(&self) -> &Value {
        &self.manifest
    }

    pub(super) fn shards(&self) -> u64 {
        self.part.shards.get()
    }

    /// The plan, none of its scenarios tried.
    pub(super) fn listed(&self, how: &Reading) -> Result<Plan, Status> {
        let plan = Plan::listed(self.sweep(how)?).map_err(|error| plan_error(error, &self.part.file, how))?;
        match self.shards() {
            shards if shards > plan.most_shards() => Err(self.bad(&format!("cannot be cut into {shards} shards"))),
            _ => Ok(plan),
        }
    }

    /// The plan, with all scenarios, which are those that it was made of.
    pub(super) fn whole(&self, how: &Reading) -> Result<Plan, Status> {
        let plan = self.listed(how)?.tried().map_err(|error| plan_error(error, &self.part.file, how))?;
        if self.manifest["hash"] == hash(&plan) { Ok(plan) } else { Err(self.bad(CHANGED)) }
    }

    /// What one of its shards needs.
    pub(super) fn shard(&self, number: u64, how: &Reading) -> Result<(Plan, Shard), Status> {
        let plan = self.listed(how)?;
        let shard = plan.shard(number, self.shards());
        let plan = plan.tried_for(&shard).map_err(|error| plan_error(error, &self.part.file, how))?;
        Ok((plan, shard))
    }

    fn bad(&self, reason: &str) -> Status {
        complain(&FolderError::BadPlan { path: self.path.clone(), reason: reason.into() }.to_string());
        Status::BadInput
    }

    fn sweep(&self, how: &Reading) -> Result<Sweep, Status> {
        let (columns, part) = (bound_columns(), &self.part);
        let options = LoadOptions { columns: &columns, agents: &how.agents, ..LoadOptions::default() };
        let texts = |values: &BTreeMap<String, Value>| values.iter().map(|(name, v)| (name.clone(), text(v))).collect();
        let texts = SweepTexts {
            name: self.manifest["name"].as_str().unwrap_or_default().into(),
            file: part.file.clone(),
            sweep: text(&self.manifest["sweep"]),
            base: text(&self.manifest["base"]["scenario"]),
            files: texts(&part.files),
            models: texts(&part.models),
        };
        let sweep = load_sweep_texts(&texts, &options).map_err(|error| complain_of(&error, how))?;
        let sweep = sweep.seeded(self.manifest["seed"].as_u64());
        Ok(if part.quick { sweep.quick() } else { sweep })
    }
}

/// A text as it stands in a plan.
fn value(text: String) -> Value {
    serde_json::from_str(&text).ok().filter(Value::is_object).unwrap_or(Value::String(text))
}

/// The text that stands in a plan, or one that says the same.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("{value:#}\n"), String::from)
}
