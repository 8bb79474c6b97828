//! A workload with recorded writes, and the file of one with page classes in their place.

use std::path::Path;

use super::error::ScenarioError;
use super::library::find_file;
use super::load::stem;
use super::resolve::{RecordedClasses, recorded_classes};
use super::schema::model::{Class, ModelKind, Workload, model_text};
use super::schema::quantity::{Text, Word};
use super::{Layout, RecordedWrites};
use crate::units::{Bytes, EventRate, PageCount, Ratio};

/// Recordings are of pages of this size.
const PAGE: Bytes = Bytes::new(4096);

/// A workload with recorded writes.
#[derive(Debug, Clone)]
pub struct RecordedWorkload {
    /// Its name.
    pub name: String,
    /// Where its numbers come from.
    pub source: String,
    /// What was recorded, of each class in order; `None` for classes that write at a rate. At least one is recorded.
    pub recorded: Vec<Option<RecordedWrites>>,
    /// All that was typed, of the file and its bases.
    whole: Workload,
}

/// A class that takes the place of recorded writes, or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassOf {
    /// Its pages.
    pub pages: PageCount,
    /// Writes of the whole class, uniformly over its pages.
    pub write: EventRate,
    /// Share of its pages that hold zeros at first.
    pub zero: Ratio,
}

/// Reads a workload with recorded writes from a file, or a shipped one by its name.
///
/// # Errors
/// Everything that is wrong with it, or that nothing in it is recorded.
pub fn load_recorded(file: &Path, models: Option<&Path>) -> Result<RecordedWorkload, ScenarioError> {
    let (source, library) = find_file(ModelKind::Workload, file, models)?;
    let name = stem(Path::new(source.name()));
    let read = recorded_classes(&source, &library).map_err(ScenarioError::Invalid)?;
    let RecordedClasses { source, whole, recorded } = read;
    Ok(RecordedWorkload { name, source, recorded, whole })
}

impl RecordedWorkload {
    /// The file of the same workload with classes in the place of what was recorded, for each recorded class in order.
    pub fn with_classes(&self, twins: &[Vec<ClassOf>], about: &str, source: &str) -> String {
        let mut twins = twins.iter();
        let typed = self.whole.classes.iter().flatten().zip(&self.recorded);
        let classes = typed.flat_map(|(class, recorded)| match recorded {
            Some(_) => instead(class, twins.next().map_or(&[], Vec::as_slice)),
            None => vec![class.clone()],
        });
        let workload = Workload { base: None, classes: Some(classes.collect()), ..self.whole.clone() };
        model_text(about, source, &serde_json::to_value(&workload).expect("a workload is JSON"))
    }
}

/// Classes in the place of one, mixed as its pages are: its reads are shared out by pages, what is touched at a start is in the largest.
fn instead(class: &Class, twins: &[ClassOf]) -> Vec<Class> {
    let all: PageCount = twins.iter().map(|twin| twin.pages).sum();
    let largest = twins.iter().map(|twin| twin.pages).max().unwrap_or(PageCount::ZERO);
    let mut wake = class.wake;
    let part = |(number, twin): (usize, &ClassOf)| {
        let share = Ratio::new(twin.pages.get(), all.get().max(1));
        let wake = if twin.pages == largest { wake.take() } else { None };
        Class {
            name: format!("{}-{}", class.name, number + 1),
            size: Some(Text(twin.pages.bytes(PAGE))),
            write: Some(Text(twin.write)),
            trace: None,
            read: class.read.map(|read| Text(EventRate::per_megasecond(share.of(read.0.micro())))),
            wake: wake.map(|wake| Text(wake.0.min(twin.pages))),
            zero: Some(Text(twin.zero)),
            layout: Some(class.layout.unwrap_or(Word(Layout::Mixed))),
            ..class.clone()
        }
    };
    twins.iter().enumerate().map(part).collect()
}
