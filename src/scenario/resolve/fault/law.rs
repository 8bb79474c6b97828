//! `law`: parameters that make a law, and samples from files.

use std::sync::Arc;

use crate::scenario::Law;
use crate::scenario::resolve::context::{Context, Place};
use crate::scenario::schema::fault as text;
use crate::scenario::schema::model::ModelKind;
use crate::scenario::source::Source;
use crate::units::{Quantity, Ratio, Span};

/// The header of a sample.
const HEADER: &str = "time_s";

pub(super) fn law(context: &mut Context<'_>, law: &text::Law, at: &Place) -> Law {
    match law {
        text::Law::Exponential(law) => {
            let at = at.key("exponential");
            context.positive(law.mean.0 != Span::ZERO, &at.key("mean"));
            Law::Exponential { mean: law.mean.0 }
        }
        text::Law::Weibull(law) => {
            let at = at.key("weibull");
            context.positive(law.scale.0 != Span::ZERO, &at.key("scale"));
            context.positive(law.shape.0 != Ratio::ZERO, &at.key("shape"));
            Law::Weibull { scale: law.scale.0, shape: law.shape.0 }
        }
        text::Law::LogNormal(law) => {
            let at = at.key("log-normal");
            context.positive(law.median.0 != Span::ZERO, &at.key("median"));
            context.positive(law.sigma.0 != Ratio::ZERO, &at.key("sigma"));
            Law::LogNormal { median: law.median.0, sigma: law.sigma.0 }
        }
        text::Law::Gamma(law) => gamma(context, law, &at.key("gamma")),
        text::Law::Uniform(law) => {
            let (from, to) = (law.from.0, law.to.0);
            if to < from {
                context.problem(&at.key("uniform").key("to"), format!("{to} is before `from`, {from}"), None);
            }
            Law::Uniform { from, to }
        }
        text::Law::Empirical(sample) => {
            let at = at.key("empirical");
            let times = match sample {
                text::Empirical::Values(values) => values.iter().map(|text| text.0).collect(),
                text::Empirical::Csv(name) => match context.find(ModelKind::Law, name, &at.key("csv")) {
                    Some(source) => read_sample(context, &source),
                    // The problem is noted.
                    None => vec![Span::ZERO],
                },
            };
            if times.is_empty() {
                context.problem(&at, "is a sample without values", None);
            }
            Law::Empirical(times)
        }
    }
}

fn gamma(context: &mut Context<'_>, law: &text::Gamma, at: &Place) -> Law {
    let shape = law.shape.0;
    context.positive(shape != Ratio::ZERO, &at.key("shape"));
    let scale = match (law.mean, law.scale) {
        (None, Some(scale)) => scale.0,
        (Some(mean), None) => mean.0.scale_saturating(Ratio::new(shape.den(), shape.num().max(1))),
        _ => {
            context.problem(at, "one of `mean` and `scale` is needed, and only one", None);
            Span::from_ns(1)
        }
    };
    context.positive(scale != Span::ZERO, at);
    Law::Gamma { scale, shape }
}

/// A sample: the header `time_s`, then a decimal of seconds in each line, read exactly.
fn read_sample(context: &mut Context<'_>, source: &Arc<Source>) -> Vec<Span> {
    let mut times = Vec::new();
    let mut offset = 0;
    for (number, line) in source.text().split_inclusive('\n').enumerate() {
        let text = line.trim();
        let result = match number {
            0 if text == HEADER => Ok(None),
            0 => Err(format!("the header of a sample is `{HEADER}`")),
            _ if text.is_empty() => Ok(None),
            _ => Span::parse(&format!("{text} s")).map(Some).map_err(|error| format!("{HEADER}: {error}")),
        };
        match result {
            Ok(time) => times.extend(time),
            Err(message) => {
                context.line_problem(source, offset, message);
                return vec![Span::ZERO];
            }
        }
        offset += line.len();
    }
    times
}
