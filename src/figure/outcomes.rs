//! What became of the VM by two axes: a box for each pair of values, with the outcome that most runs had.

use plotters::prelude::{BLACK, RGBColor, WHITE};

use super::draw::Frame;
use super::marks::{Paper, Px, SMALL, Words, boxed, width_of, words_in};
use super::point::{Point, X};
use crate::vocabulary::Outcome;

/// Colour and letter of an outcome. The better it is the lighter, in steps that print in grey; the letter tells which it is.
fn look(outcome: &str) -> (RGBColor, &'static str) {
    match Outcome::parse(outcome) {
        Some(Outcome::Completed) => (RGBColor(232, 242, 252), "c"),
        Some(Outcome::Unfinished) => (RGBColor(252, 228, 70), "u"),
        Some(Outcome::RolledBack) => (RGBColor(172, 210, 235), "b"),
        Some(Outcome::Resumed) => (RGBColor(130, 200, 170), "e"),
        Some(Outcome::Recovered) => (RGBColor(86, 160, 220), "r"),
        Some(Outcome::Stalled) => (RGBColor(200, 110, 0), "s"),
        Some(Outcome::Lost) => (RGBColor(130, 30, 10), "L"),
        Some(Outcome::SplitBrain) => (RGBColor(45, 0, 60), "S"),
        None => (WHITE, "?"),
    }
}

/// The boxes, those side by side that are alike as one. Where not all runs had the outcome, the share that had stands in its letter's place.
pub(super) fn draw(frame: &Frame<'_, '_>, points: &[&Point], columns: &[X], rows: &[String]) {
    for (number, row) in rows.iter().enumerate() {
        let of = |column: &X| points.iter().find(|point| point.x == *column && point.series == *row).copied();
        let mut column = 0;
        while column < columns.len() {
            let Some(point) = of(&columns[column]) else {
                column += 1;
                continue;
            };
            let alike = |other: &&X| of(other).is_some_and(|other| (&other.label, other.y) == (&point.label, point.y));
            let wide = columns[column..].iter().take_while(alike).count().max(1);
            let (left, right) = (column as f64, (column + wide) as f64);
            let (from, to) = (frame.at(left, number as f64 + 1.0), frame.at(right, number as f64));
            let (colour, letter) = look(&point.label);
            boxed(frame.paper, from, to, Some(colour), Some(WHITE));
            let share = point.y.unwrap_or(1.0);
            let text = if share < 0.995 { format!("{:.0}", share * 100.0) } else { letter.to_owned() };
            if to.0 - from.0 > width_of(&text, SMALL) + 6 {
                lettered(frame.paper, &text, (i32::midpoint(from.0, to.0), i32::midpoint(from.1, to.1) - 14), colour);
            }
            column += wide;
        }
    }
}

fn lettered(paper: &Paper<'_>, text: &str, at: Px, under: RGBColor) {
    let RGBColor(r, g, b) = under;
    let is_dark = u32::from(r) * 2 + u32::from(g) * 7 + u32::from(b) < 1300;
    words_in(paper, text, at, SMALL, Words::Over, if is_dark { WHITE } else { BLACK });
}

/// The swatch of an outcome in a legend.
pub(super) fn swatch(paper: &Paper<'_>, outcome: &str, (x, y): Px) {
    let (colour, letter) = look(outcome);
    boxed(paper, (x, y - 16), (x + 40, y + 16), Some(colour), Some(BLACK));
    lettered(paper, letter, (x + 20, y - 14), colour);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_differ_in_grey() {
        let mut greys: Vec<(u32, &str)> = Outcome::ALL
            .iter()
            .map(|outcome| {
                let RGBColor(r, g, b) = look(outcome.as_str()).0;
                ((2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b)) / 10_000, outcome.as_str())
            })
            .collect();
        greys.sort_unstable();
        for pair in greys.windows(2) {
            assert!(pair[1].0 - pair[0].0 >= 12, "{pair:?} are equally dark");
        }
    }
}
