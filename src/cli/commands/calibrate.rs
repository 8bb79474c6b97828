//! `midflight calibrate`: parameters fitted to measurements, and a model file made of them.

mod classes;

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::run::{bound_columns, colour, quoted, read_with, write_whole};
use crate::calibrate::{Calibration, Options, Task, calibrate as fit, rows_to_fit};
use crate::cli::args::{CalibrateFormat, CalibrateOf, VERSION};
use crate::cli::{Status, complain, print};
use crate::report::{human_calibration, human_task, json_calibration, provenance};
use crate::scenario::published::{ModelText, Parameter};
use crate::scenario::schema::model::ModelKind;
use crate::scenario::{LoadOptions, Reference, ScenarioError, load_reference};

pub(in crate::cli) fn calibrate(arguments: &CalibrateOf) -> Status {
    if let Some(workload) = &arguments.workload {
        return classes::fit(arguments, workload);
    }
    let made = task(arguments).and_then(|task| {
        let files = arguments.to.as_ref().map_or(Ok(Vec::new()), |folder| outputs(&task, folder));
        files.map(|files| (task, files)).map_err(|why| refused(&why))
    });
    let (task, files) = match made {
        Ok(made) => made,
        Err(status) => return status,
    };
    if arguments.dry_run {
        let names: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
        return print(&human_task(&task, &names));
    }
    let calibration = fit(&task, Options { draws: arguments.bootstrap, seed: arguments.seed });
    for file in &files {
        if let Err(status) = write(&task, &calibration, file) {
            return status;
        }
    }
    let printed = print(&match arguments.format {
        CalibrateFormat::Human => {
            human_calibration(&task, &calibration, colour(arguments.files.color, io::stdout().is_terminal()))
        }
        CalibrateFormat::Json => json_calibration(&task, &calibration),
    });
    if printed != Status::Good {
        return printed;
    }
    for file in &files {
        complain(&format!("wrote {}", file.path.display()));
    }
    verdict(arguments, &calibration)
}

/// Says why nothing was done.
fn refused(why: &str) -> Status {
    complain(&format!("calibrate: {why}"));
    Status::BadInput
}

/// The references with what is to be fitted.
fn task(arguments: &CalibrateOf) -> Result<Task, Status> {
    let columns = bound_columns();
    let options =
        LoadOptions { models: arguments.files.models.as_deref(), columns: &columns, ..LoadOptions::default() };
    let bad = |error: ScenarioError| {
        complain(error.render(colour(arguments.files.color, io::stderr().is_terminal())).trim_end());
        Status::BadInput
    };
    let loaded = arguments.references.iter().map(|file| load_reference(file, &options));
    let mut references = loaded.collect::<Result<Vec<Reference>, _>>().map_err(bad)?;
    if !arguments.fits.is_empty() {
        let every = arguments.hold_out.map(|every| usize::try_from(every).unwrap_or(usize::MAX));
        let rows = rows_to_fit(&references, every);
        let refit = references.iter().zip(&rows).map(|(reference, rows)| reference.refit(&arguments.fits, rows));
        references = refit.collect::<Result<_, _>>().map_err(bad)?;
    }
    Task::new(references).map_err(|refusal| refused(&refusal.to_string()))
}

/// A model file to be written.
struct Output {
    kind: ModelKind,
    base: String,
    path: PathBuf,
    /// The first reference that has such parameters.
    reference: usize,
}

/// What can be written of the fitted parameters, found out before anything is run.
fn outputs(task: &Task, folder: &Path) -> Result<Vec<Output>, String> {
    if folder.exists() && !folder.is_dir() {
        return Err(format!("{} is no folder", folder.display()));
    }
    let mut outputs: Vec<Output> = Vec::new();
    for (number, reference) in task.references().iter().enumerate() {
        let rows: Vec<usize> = (0..reference.rows.len()).filter(|row| reference.is_fitted(*row)).collect();
        for parameter in &reference.parameters {
            let kind = parameter.model()?;
            let base =
                reference.base_of(kind, &rows, folder).map_err(|why| format!("cannot write a model file: {why}"))?;
            match outputs.iter().find(|output| output.kind == kind) {
                Some(other) if other.base != base => {
                    let (word, one) = (kind.as_str(), &task.references()[other.reference].id);
                    let both = format!("{one} has the {word} `{}`, {} has `{base}`", other.base, reference.id);
                    return Err(format!("cannot write a model file: {both}; calibrate them one by one"));
                }
                Some(_) => {}
                None => {
                    let path = folder.join(kind.folder()).join(format!("{base}-calibrated.json"));
                    outputs.push(Output { kind, base, path, reference: number });
                }
            }
        }
    }
    Ok(outputs)
}

fn write(task: &Task, calibration: &Calibration, output: &Output) -> Result<(), Status> {
    let reference = &task.references()[output.reference];
    let is_in = |parameter: &Parameter| parameter.model() == Ok(output.kind);
    let fitted: Vec<(&Parameter, u64)> =
        task.parameters().iter().zip(calibration.values()).filter(|(parameter, _)| is_in(parameter)).collect();
    let names: Vec<&str> = task.references().iter().map(|reference| reference.id.as_str()).collect();
    let model = ModelText {
        kind: output.kind,
        base: output.base.clone(),
        about: format!("{} as fitted to {}.", output.base, names.join(", ")),
        source: provenance(task, calibration, VERSION, &is_in),
    };
    let text = reference.model_file(&model, &fitted).map_err(|why| refused(&why))?;
    if let Some(folder) = output.path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| refused(&format!("cannot make {}: {error}", folder.display())))?;
    }
    write_whole(&output.path, &text)
}

/// Says what fell short, and how to see it again.
fn verdict(arguments: &CalibrateOf, calibration: &Calibration) -> Status {
    if calibration.is_good() {
        return Status::Good;
    }
    for finding in calibration.findings.iter().filter(|finding| finding.kind.is_serious()) {
        complain(&format!("calibration: {}", finding.text));
    }
    complain(&format!("again: {}", again(arguments)));
    Status::Short
}

/// The command that repeats this.
fn again(arguments: &CalibrateOf) -> String {
    let mut command = format!("{} calibrate", quoted(&arguments.files.program));
    let mut add = |part: String| write!(command, " {part}").expect("a string takes it");
    for reference in &arguments.references {
        add(quoted(&reference.display().to_string()));
    }
    for fit in &arguments.fits {
        add(format!("--fit {}", quoted(fit)));
    }
    if let Some(every) = arguments.hold_out {
        add(format!("--hold-out {every}"));
    }
    add(format!("--bootstrap {}", arguments.bootstrap));
    if let Some(seed) = arguments.seed {
        add(format!("--seed {seed}"));
    }
    command.push_str(&read_with(&[], &arguments.files));
    command
}
