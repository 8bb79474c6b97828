//! `midflight import`: measurements of real migrations as reference files.

use std::path::Path;

use super::run::{bound_columns, colour, quoted, write_whole};
use crate::cli::args::{Colour, ImportOf};
use crate::cli::{Status, complain, print};
use crate::scenario::{LoadOptions, load_reference_text, measured};

pub(in crate::cli) fn import(arguments: &ImportOf) -> Status {
    let mut made = Vec::new();
    for file in &arguments.files {
        match one(file) {
            Ok(text) => made.push((id(file), text)),
            Err(status) => return status,
        }
    }
    let Some(folder) = &arguments.to else {
        return made
            .iter()
            .fold(Status::Good, |status, (_, text)| if status == Status::Good { print(text) } else { status });
    };
    for (id, text) in made {
        let path = folder.join(format!("{id}.json"));
        if let Err(status) = write_whole(&path, &text) {
            return status;
        }
        complain(&format!("again: midflight validate {}", quoted(&path.display().to_string())));
    }
    Status::Good
}

/// The reference file of one file of measurements: whatever is written can be read.
fn one(file: &Path) -> Result<String, Status> {
    let bad = |problem: &str| {
        complain(&format!("error: {problem}"));
        Status::BadInput
    };
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| bad(&format!("{name}: cannot be read: {error}")))?;
    let id = id(file);
    let measured = measured(&id, &name, &text).map_err(|error| bad(&error.to_string()))?;
    for reason in &measured.left_out {
        complain(&format!("{name}: left out: {reason}"));
    }
    let columns = bound_columns();
    let options = LoadOptions { columns: &columns, ..LoadOptions::default() };
    load_reference_text(&format!("{id}.json"), &measured.text, &options).map_err(|error| {
        complain(error.render(colour(Colour::Auto, false)).trim_end());
        Status::BadInput
    })?;
    Ok(measured.text)
}

/// What a reference is called: as its file, in the letters that names of models have.
fn id(file: &Path) -> String {
    let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().to_lowercase());
    stem.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
}
