//! `midflight figure`: figures and tables of sweeps, in two steps: rows → the file of points → pictures.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::long::{heed_interrupts, jobs};
use super::run::{bound_columns, make_folder, quoted, read_with, write_whole};
use super::sweep::{complain_of, complain_of_panics, key, made, plan_of, refused};
use crate::cli::args::{FigureOf, SweepFormat};
use crate::cli::{Status, complain, print};
use crate::figure::{
    Made, Point, ShownClaim, csv_points, empty_panel, latex, markdown, page, pdf, png, points, read_points,
    shown_claims, svg,
};
use crate::scenario::{Figure, LoadOptions, load_figure};
use crate::sweep::{Plan, Table};

pub(in crate::cli) fn figure(arguments: &FigureOf) -> Status {
    match figures(arguments) {
        Ok(status) | Err(status) => status,
    }
}

fn figures(arguments: &FigureOf) -> Result<Status, Status> {
    jobs(arguments.jobs)?;
    let figures = loaded(arguments)?;
    if arguments.dry_run {
        return dry_run(arguments, figures);
    }
    let Some(out) = &arguments.out else {
        complain("where should the figures go? --out DIR");
        return Err(Status::BadInput);
    };
    // What is written is written, so that it may end at once.
    heed_interrupts(|| std::process::exit(Status::Interrupted as i32));
    let mut all = Vec::new();
    for figure in figures {
        let file = out.join(format!("{}.csv", figure.name));
        let text = if arguments.redraw { there(&file)? } else { csv_points(&simulated(arguments, &figure, out)?) };
        // What is drawn is what stands in the file, to its last digit, whether it was just written or not.
        let points = read_points(&text, figure.panels.len()).map_err(|error| stale(&file, &error.to_string()))?;
        if let Some(panel) = empty_panel(&figure, &points) {
            complain(&format!("{}: panel {panel}: there is nothing to draw: no run has it", figure.name));
            return Err(Status::BadInput);
        }
        if !arguments.redraw {
            make_folder(out)?;
            write_whole(&file, text)?;
        }
        drawn(&figure, &points, out)?;
        all.push(Made { figure, points });
    }
    if arguments.page {
        write_whole(&out.join("README.md"), page(&all, &again(arguments, "DIR")))?;
    }
    Ok(told(arguments, &all, out))
}

/// All figures; nothing is written if one of them is bad.
fn loaded(arguments: &FigureOf) -> Result<Vec<Figure>, Status> {
    let (columns, how) = (bound_columns(), &arguments.files);
    let options = LoadOptions { sets: &[], models: how.models.as_deref(), columns: &columns, agents: &how.agents };
    let mut figures: Vec<Figure> = Vec::new();
    for file in &files(arguments)? {
        let mut figure = load_figure(file, &options).map_err(|error| complain_of(&error, how))?;
        if figures.iter().any(|other| other.name == figure.name) {
            complain(&format!("{}: another figure is called `{}` too", file.display(), figure.name));
            return Err(Status::BadInput);
        }
        if arguments.quick {
            figure.sweeps = figure.sweeps.into_iter().map(crate::scenario::Sweep::quick).collect();
        }
        figures.push(figure);
    }
    Ok(figures)
}

/// The files that are named, and those in folders that are, by name.
fn files(arguments: &FigureOf) -> Result<Vec<PathBuf>, Status> {
    let mut files = Vec::new();
    for path in &arguments.figures {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(|error| {
            complain(&format!("{}: {error}", path.display()));
            Status::BadInput
        })?;
        let within = entries.flatten().map(|entry| entry.path());
        let mut within: Vec<PathBuf> =
            within.filter(|file| file.extension().is_some_and(|end| end == "json")).collect();
        if within.is_empty() {
            complain(&format!("{}: holds no figures (files that end in `.json`)", path.display()));
            return Err(Status::BadInput);
        }
        within.sort();
        files.append(&mut within);
    }
    Ok(files)
}

fn dry_run(arguments: &FigureOf, figures: Vec<Figure>) -> Result<Status, Status> {
    let mut text = String::new();
    let mut met: Vec<String> = Vec::new();
    for figure in figures {
        writeln!(text, "{}: {}", figure.name, figure.title).expect("a string takes it");
        for sweep in figure.sweeps {
            let file = sweep.file().to_owned();
            let plan = plan_of(sweep, &arguments.files)?;
            let most = if plan.ends_by_itself() { "at most " } else { "" };
            let again = if met.contains(&file) { ", as above" } else { "" };
            let (cells, runs) = (plan.cells.len(), plan.runs());
            writeln!(text, "  {file}: {cells} cells, {most}{runs} runs{again}").expect("a string takes it");
            met.push(file);
        }
    }
    Ok(print(&text))
}

/// The points of a figure from the rows of its sweeps, which are made if they are not there.
fn simulated(arguments: &FigureOf, figure: &Figure, out: &Path) -> Result<Vec<Point>, Status> {
    let mut data: Vec<(Plan, Table)> = Vec::new();
    for sweep in figure.sweeps.clone() {
        let plan = plan_of(sweep, &arguments.files)?;
        // Rows of a sweep that was changed, or of another version, are in the way of nobody.
        let folder = out.join("rows").join(key(&plan));
        let (table, _) = made(&arguments.files, &plan, &folder).map_err(|error| refused(&error))??;
        if table.panicked() > 0 {
            return Err(complain_of_panics(&table, &folder));
        }
        data.push((plan, table));
    }
    Ok(points(figure, &data))
}

/// The points of a figure as they are in the folder.
fn there(file: &Path) -> Result<String, Status> {
    fs::read_to_string(file).map_err(|error| stale(file, &error.to_string()))
}

fn stale(file: &Path, reason: &str) -> Status {
    complain(&format!("{}: {reason}; without --redraw it is made anew", file.display()));
    Status::BadInput
}

/// Pictures and tables.
fn drawn(figure: &Figure, points: &[Point], out: &Path) -> Result<(), Status> {
    let file = |ending: &str| out.join(format!("{}.{ending}", figure.name));
    let drawing = svg(figure, points);
    let picture = |made: Result<Vec<u8>, crate::figure::PictureError>| {
        made.map_err(|error| {
            complain(&format!("internal: {}: {error}", figure.name));
            Status::Internal
        })
    };
    write_whole(&file("svg"), &drawing)?;
    write_whole(&file("png"), picture(png(&drawing))?)?;
    write_whole(&file("pdf"), picture(pdf(&drawing))?)?;
    if let Some((markdown, latex)) = markdown(figure, points).zip(latex(figure, points)) {
        write_whole(&file("md"), markdown)?;
        write_whole(&file("tex"), latex)?;
    }
    Ok(())
}

/// The command that makes all of it again.
fn again(arguments: &FigureOf, out: &str) -> String {
    let files: Vec<String> = arguments.figures.iter().map(|file| quoted(&file.display().to_string())).collect();
    let quick = if arguments.quick { " --quick" } else { "" };
    let how = read_with(&[], &arguments.files);
    format!("{} figure {}{quick} --page{how} --out {}", quoted(&arguments.files.program), files.join(" "), quoted(out))
}

/// What the figures show, and what is not as expected.
fn told(arguments: &FigureOf, all: &[Made], out: &Path) -> Status {
    let claims: Vec<Vec<ShownClaim>> = all.iter().map(|made| shown_claims(&made.figure, &made.points)).collect();
    let printed = print(&match arguments.format {
        SweepFormat::Human => human(all, &claims, out),
        SweepFormat::Json => json(all, &claims),
    });
    let mut short = false;
    for (Made { figure, .. }, claims) in all.iter().zip(&claims) {
        for what in claims.iter().flat_map(|claim| &claim.broken) {
            complain(&format!("claim: {}: {what}", figure.name));
            short = true;
        }
    }
    if !short {
        return printed;
    }
    complain(&format!("again: {}", again(arguments, &out.display().to_string())));
    Status::Short
}

fn human(all: &[Made], claims: &[Vec<ShownClaim>], out: &Path) -> String {
    let mut text = String::new();
    for (Made { figure, .. }, claims) in all.iter().zip(claims) {
        let picture = out.join(format!("{}.svg", figure.name));
        writeln!(text, "{}: {}", picture.display(), figure.title).expect("a string takes it");
        for claim in claims {
            writeln!(text, "  {}", claim.text).expect("a string takes it");
        }
    }
    text
}

fn json(all: &[Made], claims: &[Vec<ShownClaim>]) -> String {
    let claim = |claim: &ShownClaim| json!({ "text": claim.text, "expected": claim.expected, "holds": claim.broken.is_empty() });
    let figures = all.iter().zip(claims).map(|(Made { figure, .. }, claims)| {
        json!({ "figure": figure.name, "title": figure.title, "claims": claims.iter().map(claim).collect::<Vec<Value>>() })
    });
    format!("{:#}\n", Value::Array(figures.collect()))
}
