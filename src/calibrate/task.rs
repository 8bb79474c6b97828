//! What is fitted to what: the parameters of several references as one list, the rows, the settings that they are of.

use super::Refusal;
use crate::scenario::published::{Parameter, Reference};

/// References whose parameters are fitted together.
#[derive(Debug, Clone)]
pub struct Task {
    pub(super) references: Vec<Reference>,
    pub(super) parameters: Vec<Parameter>,
    /// Which of the parameters each reference has, in its own order.
    pub(super) uses: Vec<Vec<usize>>,
    /// Fitted rows: reference and row.
    pub(super) rows: Vec<(usize, usize)>,
    /// The setting that each fitted row is of, numbered from 0.
    pub(super) settings: Vec<usize>,
}

/// The rows of each reference that a fit may have: all that are scored, but for those of every `hold_out`-th setting. Rows of one
/// setting stay together, as they are read from the same migrations: a prediction is for a setting that the fit has not seen.
pub fn rows_to_fit(references: &[Reference], hold_out: Option<usize>) -> Vec<Vec<usize>> {
    let scored =
        |(of, reference): (usize, &Reference)| -> Vec<_> { reference.scored_rows().map(|row| (of, row)).collect() };
    let scored: Vec<(usize, usize)> = references.iter().enumerate().flat_map(scored).collect();
    let mut kept = vec![Vec::new(); references.len()];
    for ((of, row), setting) in scored.iter().zip(settings(references, &scored)) {
        if hold_out.is_none_or(|every| (setting + 1) % every != 0) {
            kept[*of].push(*row);
        }
    }
    kept
}

impl Task {
    /// References with their parameters. The same path in several is one parameter.
    ///
    /// # Errors
    /// Why there is nothing to fit, or not enough to fit it to.
    pub fn new(references: Vec<Reference>) -> Result<Self, Refusal> {
        let (mut parameters, mut uses): (Vec<Parameter>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
        for (number, reference) in references.iter().enumerate() {
            if references[..number].iter().any(|other| other.id == reference.id) {
                return Err(Refusal(format!("{} is there twice", reference.id)));
            }
            let mut own = Vec::new();
            for parameter in &reference.parameters {
                parameter.model().map_err(|why| Refusal(format!("{}: {why}", reference.id)))?;
                let known = parameters.iter().position(|other| other.path == parameter.path);
                if let Some(other) = known.map(|known| &parameters[known]) {
                    same_range(reference, parameter, other)?;
                }
                own.push(known.unwrap_or(parameters.len()));
                if known.is_none() {
                    parameters.push(parameter.clone());
                }
            }
            if own.is_empty() {
                let why = "has no `fit` in its file; say what to fit with --fit 'platform.place_page=500 ns..8 us'";
                return Err(Refusal(format!("{} {why}", reference.id)));
            }
            uses.push(own);
        }
        let rows: Vec<(usize, usize)> = references.iter().enumerate().flat_map(fitted).collect();
        let settings = settings(&references, &rows);
        let (have, need) = (rows.len(), parameters.len());
        if have < need {
            let (row, parameter) =
                (if have == 1 { "row" } else { "rows" }, if need == 1 { "parameter" } else { "parameters" });
            return Err(Refusal(format!(
                "{have} {row} cannot tell {need} {parameter}: fit fewer, or hold fewer rows out"
            )));
        }
        Ok(Self { references, parameters, uses, rows, settings })
    }

    /// The references.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// What is fitted, in order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// How many rows it is fitted to, and how many settings they are of.
    pub fn size(&self) -> (usize, usize) {
        (self.rows.len(), self.settings.iter().max().map_or(0, |last| last + 1))
    }

    /// The values of a reference's own parameters.
    pub(super) fn values_of(&self, reference: usize, values: &[u64]) -> Vec<u64> {
        self.uses[reference].iter().map(|parameter| values[*parameter]).collect()
    }
}

fn fitted((of, reference): (usize, &Reference)) -> impl Iterator<Item = (usize, usize)> {
    (0..reference.rows.len()).filter(|row| reference.is_fitted(*row)).map(move |row| (of, row))
}

/// The number of each row's setting, by their first rows.
fn settings(references: &[Reference], rows: &[(usize, usize)]) -> Vec<usize> {
    let mut firsts: Vec<(usize, usize)> = Vec::new();
    let number = |(of, row): &(usize, usize)| {
        let same = |(other, first): &(usize, usize)| other == of && references[*of].same_setting(*first, *row);
        firsts.iter().position(same).unwrap_or_else(|| {
            firsts.push((*of, *row));
            firsts.len() - 1
        })
    };
    rows.iter().map(number).collect()
}

fn same_range(reference: &Reference, parameter: &Parameter, other: &Parameter) -> Result<(), Refusal> {
    let range = |parameter: &Parameter| (parameter.kind, parameter.from, parameter.to);
    if range(parameter) == range(other) {
        return Ok(());
    }
    let shown = |p: &Parameter| format!("{} … {}", p.text(p.from), p.text(p.to));
    Err(Refusal(format!(
        "{}: `{}` has the range {}, and {} in another reference; give one with --fit",
        reference.id,
        parameter.path,
        shown(parameter),
        shown(other)
    )))
}
