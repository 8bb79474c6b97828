//! `midflight validate`: published results, simulated and compared.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::run::{bound_columns, colour, make_folder, quoted, read_with, write_whole};
use crate::cli::args::{Format, ValidateOf};
use crate::cli::{Status, complain, print};
use crate::figure::predicted_against_measured;
use crate::report::{csv_validation, human_plan, human_validation, json_validation};
use crate::scenario::schema::model::ModelKind;
use crate::scenario::{LoadOptions, Reference, list_models, load_reference};
use crate::validate::{Validation, validate as compare};

pub(in crate::cli) fn validate(arguments: &ValidateOf) -> Status {
    let columns = bound_columns();
    let options =
        LoadOptions { models: arguments.files.models.as_deref(), columns: &columns, ..LoadOptions::default() };
    let mut references = Vec::new();
    for file in files(arguments) {
        match load_reference(&file, &options) {
            Ok(reference) => references.push(reference),
            Err(error) => {
                complain(error.render(colour(arguments.files.color, io::stderr().is_terminal())).trim_end());
                return Status::BadInput;
            }
        }
    }
    if arguments.dry_run {
        return print(&human_plan(&references, arguments.seed));
    }
    let compared: Vec<(Reference, Validation)> = references
        .into_iter()
        .map(|reference| {
            let validation = compare(&reference, arguments.seed);
            (reference, validation)
        })
        .collect();
    if let Some(folder) = &arguments.to
        && let Err(status) = keep(folder, &compared)
    {
        return status;
    }
    let printed = print(&match arguments.format {
        Format::Human => human_validation(&compared, colour(arguments.files.color, io::stdout().is_terminal())),
        Format::Json => json_validation(&compared),
        Format::Csv => csv_validation(&compared),
    });
    if printed == Status::Good { verdict(arguments, &compared) } else { printed }
}

/// The same as a table and as a figure.
fn keep(folder: &Path, compared: &[(Reference, Validation)]) -> Result<(), Status> {
    make_folder(folder)?;
    write_whole(&folder.join("table.csv"), csv_validation(compared))?;
    write_whole(&folder.join("predicted-against-measured.svg"), predicted_against_measured(compared))
}

fn files(arguments: &ValidateOf) -> Vec<PathBuf> {
    let shipped = list_models(arguments.files.models.as_deref()).into_iter().filter(|_| arguments.all);
    let shipped = shipped.filter(|entry| entry.kind == ModelKind::Reference).map(|entry| entry.name.into());
    arguments.references.iter().cloned().chain(shipped).collect()
}

/// Says what fell short, and how to see it again.
fn verdict(arguments: &ValidateOf, compared: &[(Reference, Validation)]) -> Status {
    let mut short = false;
    for (reference, validation) in compared.iter().filter(|(_, validation)| !validation.is_good()) {
        short = true;
        let (passed, counted) = validation.score();
        if passed < counted {
            complain(&format!("validation: {}: {passed} of {counted} rows within tolerance", reference.id));
        }
        for (parameter, fitted) in reference.parameters.iter().zip(&validation.fitted) {
            if let Some(problem) = &fitted.problem {
                complain(&format!("fit: {}: {}: {problem}", reference.id, parameter.path));
            }
        }
    }
    if !short {
        return Status::Good;
    }
    complain(&format!("again: {}", again(arguments)));
    Status::Short
}

/// The command that repeats this.
fn again(arguments: &ValidateOf) -> String {
    let mut command = format!("{} validate", quoted(&arguments.files.program));
    for reference in &arguments.references {
        write!(command, " {}", quoted(&reference.display().to_string())).expect("a string takes it");
    }
    if arguments.all {
        command.push_str(" --all");
    }
    if let Some(seed) = arguments.seed {
        write!(command, " --seed {seed}").expect("a string takes it");
    }
    command.push_str(&read_with(&[], &arguments.files));
    command
}
