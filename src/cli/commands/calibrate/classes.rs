//! `midflight calibrate --workload`: page classes fitted to recorded writes, and a workload file made of them.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::refused;
use crate::calibrate::{ClassFit, fit_classes};
use crate::cli::args::{CalibrateFormat, CalibrateOf, VERSION};
use crate::cli::commands::run::{colour, write_whole};
use crate::cli::{Status, complain, print};
use crate::report::{human_classes, json_classes, provenance_of_classes};
use crate::scenario::{ClassOf, RecordedWorkload, load_recorded};

pub(super) fn fit(arguments: &CalibrateOf, file: &Path) -> Status {
    let workload = match load_recorded(file, arguments.files.models.as_deref()) {
        Ok(workload) => workload,
        Err(error) => {
            complain(error.render(colour(arguments.files.color, io::stderr().is_terminal())).trim_end());
            return Status::BadInput;
        }
    };
    let fits = match workload.recorded.iter().flatten().map(fit_classes).collect::<Result<Vec<_>, _>>() {
        Ok(fits) => fits,
        Err(refusal) => return refused(&refusal.to_string()),
    };
    if let Some(folder) = &arguments.to
        && let Err(status) = write(&workload, &fits, folder)
    {
        return status;
    }
    let printed = print(&match arguments.format {
        CalibrateFormat::Human => {
            human_classes(&workload, &fits, colour(arguments.files.color, io::stdout().is_terminal()))
        }
        CalibrateFormat::Json => json_classes(&workload, &fits),
    });
    if printed != Status::Good {
        return printed;
    }
    let poor = fits.iter().any(|fit| !fit.is_good());
    if poor {
        complain("calibration: classes do not dirty pages as they were recorded");
    }
    if poor { Status::Short } else { Status::Good }
}

fn write(workload: &RecordedWorkload, fits: &[ClassFit], folder: &Path) -> Result<(), Status> {
    let twins: Vec<Vec<ClassOf>> = fits.iter().map(|fit| fit.classes.clone()).collect();
    let about = format!("Page classes that dirty pages as {} does.", workload.name);
    let text = workload.with_classes(&twins, &about, &provenance_of_classes(workload, fits, VERSION));
    let folder = folder.join("workloads");
    std::fs::create_dir_all(&folder).map_err(|error| refused(&format!("cannot make {}: {error}", folder.display())))?;
    let path = folder.join(format!("{}-classes.json", workload.name));
    write_whole(&path, &text)?;
    complain(&format!("wrote {}", path.display()));
    Ok(())
}
