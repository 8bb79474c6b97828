//! `memory` and `workload`: classes of whole pages that together are the memory, no more and no less.

use std::sync::Arc;

use super::context::{Context, Place};
use crate::scenario::error::Diagnostic;
use crate::scenario::library::Library;
use crate::scenario::parse::parse;
use crate::scenario::schema::Vm as VmText;
use crate::scenario::schema::model::{
    Class, ModelKind, ModelRef, Pace as PaceText, Pattern as PatternText, Workload as WorkloadText, WorkloadFile,
    WorkloadPhase as PhaseText,
};
use crate::scenario::schema::quantity::Text;
use crate::scenario::source::Source;
use crate::scenario::{Layout, Pace, PageClass, PageTrace, Pattern, RecordedWrites, Workload, WorkloadPhase};
use crate::units::{Bytes, EventRate, PageCount, Ratio, Span};

/// Pages of the largest guest: 4 TiB of 4 KiB pages, which take 9 GiB of the simulating host's memory.
const MAX_PAGES: PageCount = PageCount::new(1 << 30);
/// Writes of one class: a write every 10 ns, as fast as memory answers; gaps are whole nanoseconds.
const MAX_ACCESSES: EventRate = EventRate::per_s(100_000_000);
const MAX_EXPONENT: u64 = 10;
/// The default of an interval of a recording.
const INTERVAL: Span = Span::from_ms(100);

pub(super) fn workload(
    context: &mut Context<'_>,
    vm: &VmText,
    page_size: Option<Bytes>,
    at: &Place,
) -> Option<Workload> {
    let layers = context.layers(&vm.workload, &at.key("workload"));
    let memory = vm.memory.0;
    let memory_at = at.key("memory");
    context.positive(memory != Bytes::ZERO, &memory_at);
    let page_size = page_size?;
    if memory.pages(page_size) > MAX_PAGES {
        let message = format!("{memory} is {}, and at most {MAX_PAGES} are simulated", memory.pages(page_size));
        context.problem(&memory_at, message, None);
        return None;
    }
    if !memory.get().is_multiple_of(page_size.get()) {
        context.problem(&memory_at, format!("{memory} is not a whole number of pages of {page_size}"), None);
        return None;
    }
    let layers = layers?;
    let (classes, classes_at) = context.required(&layers, "classes", |workload| workload.classes.clone(), Vec::new());
    let recorded = classes.iter().enumerate();
    let recorded: Vec<_> = recorded.map(|(i, text)| recorded_writes(context, text, &classes_at.index(i))).collect();
    if classes.iter().zip(&recorded).any(|(text, recorded)| text.trace.is_some() && recorded.is_none()) {
        return None;
    }
    let with_sizes = sized(context, &classes, &recorded, page_size, &classes_at);
    let sizes = sizes(context, &with_sizes, memory, page_size, &classes_at);
    let classes = classes.iter().zip(recorded).zip(sizes).enumerate();
    let class = |(i, ((text, trace), pages)): (usize, ((&Class, _), _))| {
        let class = class(context, text, pages, page_size, &classes_at.index(i));
        PageClass { trace, ..class }
    };
    let classes = classes.map(class).collect();
    let phases = layers.pick("phases", |workload| workload.phases.clone());
    let phases = phases.map_or_else(Vec::new, |(phases, at)| rising(context, &phases, &at));
    let pace = layers.pick("pace", |workload| workload.pace.clone());
    let pace = pace.and_then(|(pace, at)| match pace {
        PaceText::Own(_) => None,
        PaceText::Schedule(schedule) => {
            context.positive(schedule.able.0 != EventRate::ZERO, &at.key("schedule").key("able"));
            Some(Pace { able: schedule.able.0, backlog: schedule.backlog.0 })
        }
    });
    let workload = Workload { classes, phases, pace };
    bounded(context, &workload, &classes_at);
    Some(workload)
}

/// A workload's file.
pub(in crate::scenario) struct RecordedClasses {
    /// Where its numbers come from.
    pub source: String,
    /// All that was typed in it and its bases.
    pub whole: WorkloadText,
    /// What was recorded of each class.
    pub recorded: Vec<Option<RecordedWrites>>,
}

/// Reads a workload in whose classes something is recorded.
pub(in crate::scenario) fn recorded_classes(
    source: &Arc<Source>,
    library: &Library,
) -> Result<RecordedClasses, Vec<Diagnostic>> {
    let file: WorkloadFile = parse(source).map_err(|problem| vec![*problem])?;
    let from = file.source.clone();
    let mut context = Context::new(source, library);
    let reference = ModelRef::Inline(Box::new(file.into()));
    let at = Place::root();
    let mut whole = WorkloadText::default();
    let mut recorded = Vec::new();
    if let Some(layers) = context.layers(&reference, &at) {
        let (classes, classes_at) =
            context.required(&layers, "classes", |workload: &WorkloadText| workload.classes.clone(), Vec::new());
        let each = classes.iter().enumerate();
        recorded = each.map(|(i, text)| recorded_writes(&mut context, text, &classes_at.index(i))).collect();
        if context.is_clean() && recorded.iter().all(Option::is_none) {
            context.problem(&classes_at, "none of them has a `trace`", None);
        }
        let (phases, pace) = (layers.pick("phases", |w| w.phases.clone()), layers.pick("pace", |w| w.pace.clone()));
        let (phases, pace) = (phases.map(|found| found.0), pace.map(|found| found.0));
        whole = WorkloadText { base: None, classes: Some(classes), phases, pace };
    }
    let read = RecordedClasses { source: from, whole, recorded };
    if context.is_clean() { Ok(read) } else { Err(context.into_diagnostics()) }
}

/// Complains about classes that are accessed more often than can be drawn one by one.
fn bounded(context: &mut Context<'_>, workload: &Workload, at: &Place) {
    let fastest = workload.phases.iter().map(|phase| phase.factor).max().unwrap_or(Ratio::ONE).max(Ratio::ONE);
    for (i, class) in workload.classes.iter().enumerate() {
        for (key, rate) in [("write", class.write), ("read", class.read)] {
            let rate = EventRate::per_megasecond(fastest.of(rate.micro()));
            if rate > MAX_ACCESSES {
                let message = format!("{rate} in its fastest phase; at most {MAX_ACCESSES} are simulated, one by one");
                context.problem(&at.index(i).key(key), message, None);
            }
        }
    }
}

/// The recorded writes of a class that has them; a class has either these or a rate.
fn recorded_writes(context: &mut Context<'_>, text: &Class, at: &Place) -> Option<RecordedWrites> {
    let Some(trace) = &text.trace else {
        if text.write.is_none() {
            context.problem(at, "writes neither at a rate nor as recorded", Some("give it a `write` or a `trace`"));
        }
        return None;
    };
    for (key, given) in [("write", text.write.is_some()), ("zero", text.zero.is_some())] {
        if given {
            context.problem(&at.key(key), format!("the `trace` says so, and `{key}` does, too"), Some("leave one out"));
        }
    }
    let at = at.key("trace");
    let interval = trace.interval.map_or(INTERVAL, |interval| interval.0);
    context.positive(interval != Span::ZERO, &at.key("interval"));
    let source = context.find(ModelKind::PageTrace, &trace.runs, &at.key("runs"))?;
    let pages = match PageTrace::parse(source.text()) {
        Ok(pages) => pages,
        Err((offset, reason)) => {
            context.line_problem(&source, offset, reason);
            return None;
        }
    };
    let from = trace.from.map_or(Span::ZERO, |from| from.0);
    if interval == Span::ZERO || !from.ns().is_multiple_of(interval.ns()) {
        context.problem(&at.key("from"), format!("{from} is not a whole number of intervals of {interval}"), None);
        return None;
    }
    let from = usize::try_from(from.ns() / interval.ns()).unwrap_or(usize::MAX);
    if from >= pages.len() || (from..pages.len()).all(|i| pages.written(i).is_empty()) {
        context.problem(
            &at.key("from"),
            format!("nothing is written from there on in {} intervals", pages.len()),
            None,
        );
        return None;
    }
    Some(RecordedWrites { name: trace.runs.clone(), trace: Arc::new(pages), interval, from })
}

/// The classes with the sizes that their traces give them.
fn sized(
    context: &mut Context<'_>,
    classes: &[Class],
    recorded: &[Option<RecordedWrites>],
    page_size: Bytes,
    at: &Place,
) -> Vec<Class> {
    let mut sized = classes.to_vec();
    for (i, (class, recorded)) in sized.iter_mut().zip(recorded).enumerate() {
        let Some(recorded) = recorded else { continue };
        let pages = PageCount::new(recorded.trace.pages());
        let size = pages.bytes(page_size);
        if class.size.is_some_and(|given| given.0 != size) {
            let message = format!("the trace is about {pages}, {size}");
            context.problem(&at.index(i).key("size"), message, Some("leave it out"));
        }
        class.size = Some(Text(size));
    }
    sized
}

/// Pages of each class; together the memory, or a problem.
fn sizes(context: &mut Context<'_>, classes: &[Class], memory: Bytes, page_size: Bytes, at: &Place) -> Vec<PageCount> {
    let mut rest = None;
    let mut named = 0u128;
    for (i, class) in classes.iter().enumerate() {
        let here = at.index(i);
        if class.name.trim().is_empty() {
            context.problem(&here.key("name"), "is empty", None);
        }
        if classes[..i].iter().any(|other| other.name == class.name) {
            context.problem(&here.key("name"), format!("there is a class `{}` already", class.name), None);
        }
        let Some(size) = class.size else {
            if rest.replace(i).is_some() {
                let hint = "give it a `size`";
                context.problem(&here, "a second class without `size`; only one can be the rest", Some(hint));
            }
            continue;
        };
        named += u128::from(size.0.get());
        let size_at = here.key("size");
        context.positive(size.0 != Bytes::ZERO, &size_at);
        if !size.0.get().is_multiple_of(page_size.get()) {
            context.problem(&size_at, format!("{} is not a whole number of pages of {page_size}", size.0), None);
        }
    }
    let named = Bytes::new(u64::try_from(named).unwrap_or(u64::MAX));
    let left = memory.saturating_sub(named);
    if named > memory {
        let more = named.saturating_sub(memory);
        context.problem(at, format!("the classes are {more} more than the memory of {memory}"), None);
    } else if rest.is_none() && left > Bytes::ZERO {
        let hint = "leave out the `size` of one class to give it the rest";
        context.problem(at, format!("the classes leave {left} of the memory of {memory} uncovered"), Some(hint));
    } else if let Some(rest) = rest
        && left == Bytes::ZERO
    {
        let name = &classes[rest].name;
        context.problem(&at.index(rest), format!("nothing of the memory of {memory} is left for `{name}`"), None);
    }
    classes.iter().map(|class| class.size.map_or(left, |size| size.0).pages(page_size)).collect()
}

fn class(context: &mut Context<'_>, text: &Class, pages: PageCount, page_size: Bytes, at: &Place) -> PageClass {
    let zero = text.zero.map_or(Ratio::ZERO, |zero| zero.0);
    if !zero.is_share() {
        context.problem(&at.key("zero"), format!("{zero} is no share"), None);
    }
    if text.wake.is_some_and(|wake| wake.0 > pages) {
        context.problem(&at.key("wake"), format!("the class has only {pages}"), None);
    }
    let delta = text.delta.map_or(page_size, |delta| delta.0);
    context.positive(delta != Bytes::ZERO, &at.key("delta"));
    if delta > page_size {
        context.problem(&at.key("delta"), format!("{delta} is more than a page of {page_size}"), None);
    }
    let compressed = text.compressed.map_or(Ratio::ONE, |compressed| compressed.0);
    if compressed == Ratio::ZERO || !compressed.is_share() {
        context.problem(&at.key("compressed"), format!("{compressed} is not above zero and at most 100 %"), None);
    }
    let pattern = match &text.pattern {
        None | Some(PatternText::Uniform(_)) => Pattern::Uniform,
        Some(PatternText::Sequential(_)) => Pattern::Sequential,
        Some(PatternText::Zipf(zipf)) => {
            let exponent = zipf.exponent.0;
            if exponent == Ratio::ZERO || exponent > Ratio::new(MAX_EXPONENT, 1) {
                let message = format!("{exponent} is not above zero and at most {MAX_EXPONENT}");
                context.problem(&at.key("pattern").key("zipf").key("exponent"), message, None);
            }
            Pattern::Zipf { exponent }
        }
    };
    PageClass {
        name: text.name.clone(),
        pages,
        write: text.write.map_or(EventRate::ZERO, |write| write.0),
        trace: None,
        read: text.read.map_or(EventRate::ZERO, |read| read.0),
        wake: text.wake.map_or(PageCount::ZERO, |wake| wake.0),
        pattern,
        zero,
        delta,
        compressed,
        layout: text.layout.map_or(Layout::Contiguous, |layout| layout.0),
    }
}

fn rising(context: &mut Context<'_>, phases: &[PhaseText], at: &Place) -> Vec<WorkloadPhase> {
    for (i, pair) in phases.windows(2).enumerate() {
        if pair[1].from.0 <= pair[0].from.0 {
            let message = format!("{} is not after {}; phases rise in time", pair[1].from.0, pair[0].from.0);
            context.problem(&at.index(i + 1).key("from"), message, None);
        }
    }
    phases.iter().map(|phase| WorkloadPhase { from: phase.from.0, factor: phase.factor.0 }).collect()
}
