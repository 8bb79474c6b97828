//! What is put on paper: lines, marks, areas and words. Whoever cannot tell colours apart has dashes, shapes and how dark they are.

use plotters::coord::Shift;
use plotters::element::{DashedPathElement, Drawable};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A sheet on which positions are pixels, 300 to the inch.
pub(super) type Paper<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A position.
pub(super) type Px = (i32, i32);

/// Pixels of an inch.
pub(super) const INCH: f64 = 300.0;
/// Sizes of letters: 8 and 7 points.
pub(super) const TEXT: f64 = 8.0 / 72.0 * INCH;
pub(super) const SMALL: f64 = 7.0 / 72.0 * INCH;
/// Width of lines: 1 and 0.5 points.
pub(super) const LINE: u32 = 4;
pub(super) const HAIR: u32 = 2;
/// The font of figures; a viewer without it takes one that is as wide.
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";
/// `plotters` writes sizes into SVG divided by this.
const PLOTTERS_SIZE: f64 = 1.24;
/// Mean width of a letter of that font as a share of its size.
const LETTER: f64 = 0.58;

/// Okabe and Ito's palette, which the colour-blind can tell apart.
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(super) const ORANGE: RGBColor = RGBColor(230, 159, 0);
pub(super) const SKY: RGBColor = RGBColor(86, 180, 233);
pub(super) const VERMILLION: RGBColor = RGBColor(213, 94, 0);
pub(super) const PURPLE: RGBColor = RGBColor(204, 121, 167);
pub(super) const GREEN: RGBColor = RGBColor(0, 158, 115);
const YELLOW: RGBColor = RGBColor(240, 228, 66);
/// In an order in which neighbours differ in how dark they are.
const COLOURS: [RGBColor; 8] = [BLUE, ORANGE, BLACK, SKY, VERMILLION, PURPLE, GREEN, YELLOW];
/// Dash and gap of lines, in pixels; no gap: a solid line.
const DASHES: [(u32, u32); 4] = [(1, 0), (26, 12), (8, 10), (44, 10)];

/// How one series looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub colour: RGBColor,
    pub dash: (u32, u32),
    pub shape: usize,
}

impl Look {
    /// Of the series of this number.
    pub const fn of(number: usize) -> Self {
        Self {
            colour: COLOURS[number % COLOURS.len()],
            dash: DASHES[number % DASHES.len()],
            shape: number % SHAPES.len(),
        }
    }

    /// Of what belongs to no series.
    pub const fn black() -> Self {
        Self { colour: BLACK, dash: DASHES[0], shape: 0 }
    }
}

/// Corners of marks that are no circle, in tenths of their radius.
const SHAPES: [&[Px]; 5] = [
    &[],
    &[(-9, -9), (9, -9), (9, 9), (-9, 9)],
    &[(0, -12), (11, 8), (-11, 8)],
    &[(0, -13), (13, 0), (0, 13), (-13, 0)],
    &[(0, 12), (11, -8), (-11, -8)],
];
const RADIUS: i32 = 11;

/// Draws on paper that is a text in memory: nothing there can fail.
fn put<'a, E>(paper: &Paper<'a>, element: &E)
where
    for<'b> &'b E: plotters::element::PointCollection<'b, Px>,
    E: Drawable<SVGBackend<'a>>,
{
    paper.draw(element).expect("a text in memory takes it");
}

/// A line through points.
pub(super) fn line(paper: &Paper<'_>, points: &[Px], look: Look, width: u32) {
    if points.len() < 2 {
        return;
    }
    let style = look.colour.stroke_width(width);
    if look.dash.1 == 0 {
        put(paper, &PathElement::new(points.to_vec(), style));
    } else {
        put(paper, &DashedPathElement::new(points.iter().copied(), look.dash.0, look.dash.1, style));
    }
}

/// An area between corners.
pub(super) fn area(paper: &Paper<'_>, corners: &[Px], colour: RGBColor, opacity: f64) {
    put(paper, &Polygon::new(corners.to_vec(), colour.mix(opacity)));
}

/// A box, filled or not.
pub(super) fn boxed(paper: &Paper<'_>, from: Px, to: Px, fill: Option<RGBColor>, edge: Option<RGBColor>) {
    if let Some(colour) = fill {
        put(paper, &Rectangle::new([from, to], colour.filled()));
    }
    if let Some(colour) = edge {
        let corners = vec![from, (to.0, from.1), to, (from.0, to.1), from];
        put(paper, &PathElement::new(corners, colour.stroke_width(HAIR)));
    }
}

/// The mark of a series; one that is hollow was published.
pub(super) fn mark(paper: &Paper<'_>, at: Px, look: Look, hollow: bool) {
    let corners = SHAPES[look.shape];
    if corners.is_empty() {
        let fill = if hollow { WHITE } else { look.colour };
        put(paper, &Circle::new(at, RADIUS, fill.filled()));
        put(paper, &Circle::new(at, RADIUS, look.colour.stroke_width(LINE - 1)));
        return;
    }
    let moved = |corner: &Px| (at.0 + corner.0 * RADIUS / 10, at.1 + corner.1 * RADIUS / 10);
    let mut corners: Vec<Px> = corners.iter().map(moved).collect();
    put(paper, &Polygon::new(corners.clone(), if hollow { WHITE } else { look.colour }.filled()));
    corners.push(corners[0]);
    put(paper, &PathElement::new(corners, look.colour.stroke_width(LINE - 1)));
}

/// An error bar from top to bottom.
pub(super) fn whisker(paper: &Paper<'_>, x: i32, top: i32, bottom: i32, colour: RGBColor) {
    let look = Look { colour, ..Look::black() };
    for ends in [[(x, top), (x, bottom)], [(x - 7, top), (x + 7, top)], [(x - 7, bottom), (x + 7, bottom)]] {
        line(paper, &ends, look, HAIR);
    }
}

/// Where words stand from their position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    RightOf,
    LeftOf,
    Over,
    /// Upwards along a vertical line.
    Along,
}

/// Black words on paper, in the middle of their height (`Over`: below their position).
pub(super) fn words(paper: &Paper<'_>, text: &str, at: Px, size: f64, place: Words) {
    words_in(paper, text, at, size, place, BLACK);
}

/// The same in a colour.
pub(super) fn words_in(paper: &Paper<'_>, text: &str, at: Px, size: f64, place: Words, colour: RGBColor) {
    let font = FontDesc::new(FontFamily::Name(FONT), size * PLOTTERS_SIZE, FontStyle::Normal);
    let (font, pos) = match place {
        Words::RightOf => (font, Pos::new(HPos::Left, VPos::Center)),
        Words::LeftOf => (font, Pos::new(HPos::Right, VPos::Center)),
        Words::Over => (font, Pos::new(HPos::Center, VPos::Top)),
        Words::Along => (font.transform(FontTransform::Rotate270), Pos::new(HPos::Center, VPos::Center)),
    };
    put(paper, &Text::new(text.to_owned(), at, TextStyle::from(font).pos(pos).color(&colour)));
}

/// About how wide words are.
pub(super) fn width_of(text: &str, size: f64) -> i32 {
    (text.chars().count() as f64 * size * LETTER).ceil() as i32
}

/// Words in lines of no more than a width.
pub(super) fn wrapped(text: &str, size: f64, width: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width_of(line, size) + width_of(word, size) < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_differ_without_colour() {
        let luminance = |look: &Look| {
            let RGBColor(r, g, b) = look.colour;
            (2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b)) / 10_000
        };
        let looks: Vec<Look> = (0..7).map(Look::of).collect();
        for pair in looks.windows(2) {
            assert!(luminance(&pair[0]).abs_diff(luminance(&pair[1])) >= 20, "{pair:?} are equally dark");
            assert!(pair[0].dash != pair[1].dash && pair[0].shape != pair[1].shape);
        }
    }

    #[test]
    fn words_are_wrapped_between_words() {
        assert_eq!(wrapped("one two three", 10.0, 50), ["one two", "three"]);
        assert_eq!(wrapped("extraordinarily long", 10.0, 20), ["extraordinarily", "long"]);
    }
}
