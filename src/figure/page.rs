//! A page about figures: each with what was asked, what it shows with the numbers that this rests on, and what was published.

use std::fmt::Write as _;

use super::claims::shown_claims;
use super::point::Point;
use super::tables::markdown;
use crate::scenario::figure::Figure;

/// A figure with its points.
#[derive(Debug, Clone)]
pub struct Made {
    /// It.
    pub figure: Figure,
    /// What is drawn.
    pub points: Vec<Point>,
}

/// The page, in the order of the figures; `again` makes all of it.
pub fn page(all: &[Made], again: &str) -> String {
    let mut text = String::from("# Figures\n\n");
    let _ = writeln!(
        text,
        "Made by `{again}`; do not edit. Bands and error bars are 95 % intervals of the mean (Student's) or of the probability (Clopper and \
         Pearson's), those of distributions Kolmogorov's; none where all runs agree or there is one. Marks that are hollow were published. \
         Each figure is made of the file of its points (`.csv`), as SVG, PDF, PNG and, where it has numbers by an axis, tables (`.tex`, `.md`).\n"
    );
    for Made { figure, .. } in all {
        let _ = writeln!(text, "- [{}](#{})", figure.title, anchor(&figure.title));
    }
    for made in all {
        section(&mut text, made);
    }
    text
}

/// As readers of Markdown make a link of a heading.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

fn section(text: &mut String, Made { figure, points }: &Made) {
    let name = &figure.name;
    let _ = writeln!(text, "\n## {}\n\n![{}]({name}.svg)\n", figure.title, figure.title);
    for claim in shown_claims(figure, points) {
        let expected = match &claim.expected[..] {
            [] => String::new(),
            expected => format!(" *(expected: {})*", expected.join("; ")),
        };
        let _ = writeln!(text, "**{}**{expected}\n", claim.text);
    }
    let _ = writeln!(text, "{}\n", figure.why);
    let mut sources: Vec<&str> = figure.panels.iter().flat_map(|p| &p.published).map(|p| p.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    for source in sources {
        let _ = writeln!(text, "Published: {source}.\n");
    }
    let tables = if markdown(figure, points).is_some() {
        format!(", [table]({name}.md), [LaTeX]({name}.tex)")
    } else {
        String::new()
    };
    let _ = writeln!(text, "[Points]({name}.csv), [PDF]({name}.pdf){tables}.");
}
