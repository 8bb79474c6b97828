//! SVG → PNG and PDF. Both are made of the one drawing, with the font that is inside the program, so that they are the same everywhere.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};
use thiserror::Error;

/// What cannot be made a picture.
#[derive(Debug, Error)]
#[error("the drawing cannot be made a {what}: {reason}")]
pub struct PictureError {
    what: &'static str,
    reason: String,
}

/// Dots of a PNG to the inch, as printers have them.
const DOTS: f32 = 300.0;
/// Units of SVG to the inch.
const SVG_INCH: f32 = 96.0;

/// The drawing as PNG.
///
/// # Errors
/// A text that is no SVG.
pub fn png(svg: &str) -> Result<Vec<u8>, PictureError> {
    let wrong = |reason: String| PictureError { what: "PNG", reason };
    let tree = tree(svg).map_err(|error| wrong(error.to_string()))?;
    let scale = DOTS / SVG_INCH;
    let size = tree.size().to_int_size().scale_by(scale).ok_or_else(|| wrong("it has no size".into()))?;
    let mut dots = tiny_skia::Pixmap::new(size.width(), size.height()).ok_or_else(|| wrong("it has no size".into()))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut dots.as_mut());
    dots.encode_png().map_err(|error| wrong(error.to_string()))
}

/// The drawing as PDF: text stays text, and the letters that are used are in the file.
///
/// # Errors
/// A text that is no SVG.
pub fn pdf(svg: &str) -> Result<Vec<u8>, PictureError> {
    let wrong = |reason: String| PictureError { what: "PDF", reason };
    let tree = tree(svg).map_err(|error| wrong(error.to_string()))?;
    let page = svg2pdf::PageOptions { dpi: SVG_INCH };
    let mut bytes = svg2pdf::to_pdf(&tree, svg2pdf::ConversionOptions::default(), page)
        .map_err(|error| wrong(error.to_string()))?;
    put_in_order(&mut bytes);
    Ok(bytes)
}

/// `svg2pdf` lists the resources of a page in an order that differs from run to run. Each stands in a line of its own, and a list means the same
/// in any order: sorted it is the same every time, and as long as before.
fn put_in_order(pdf: &mut [u8]) {
    let mut lines: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    let ends = pdf.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(end, _)| end + 1);
    for end in ends.chain([pdf.len()]).collect::<Vec<usize>>() {
        if is_resource(&pdf[start..end]) {
            lines.push((start, end));
        } else {
            sort_lines(pdf, &lines);
            lines.clear();
        }
        start = end;
    }
    sort_lines(pdf, &lines);
}

/// Whether a line is `/xo12 34 0 R`, or another kind of resource.
fn is_resource(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let mut words = text.split_whitespace();
    let name = words.next().and_then(|name| name.strip_prefix('/')).unwrap_or_default();
    let kind = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    ["xo", "gs", "sh", "po", "fo", "cs"].contains(&kind)
        && name != kind
        && words.next().is_some_and(|number| number.parse::<u32>().is_ok())
        && (words.next(), words.next(), words.next()) == (Some("0"), Some("R"), None)
}

fn sort_lines(pdf: &mut [u8], lines: &[(usize, usize)]) {
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return };
    let mut texts: Vec<Vec<u8>> = lines.iter().map(|(start, end)| pdf[*start..*end].to_vec()).collect();
    texts.sort();
    pdf[first.0..last.1].copy_from_slice(&texts.concat());
}

fn tree(svg: &str) -> Result<usvg::Tree, usvg::Error> {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../../assets/DejaVuSans.ttf").to_vec());
    usvg::Tree::from_str(svg, &usvg::Options { fontdb: Arc::new(fonts), ..usvg::Options::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_sorted_and_nothing_else() {
        let mut pdf =
            b"%PDF-1.7\n  /gs1 9 0 R\n  /gs0 7 0 R\n>>\n  /xo10 8 0 R\n  /xo1 10 0 R\n  /Parent 2 0 R\n\xff\xfe\n"
                .to_vec();
        put_in_order(&mut pdf);
        let sorted =
            b"%PDF-1.7\n  /gs0 7 0 R\n  /gs1 9 0 R\n>>\n  /xo1 10 0 R\n  /xo10 8 0 R\n  /Parent 2 0 R\n\xff\xfe\n";
        assert_eq!(pdf, sorted);
    }

    #[test]
    fn what_is_no_drawing_is_refused() {
        assert!(png("<svg").is_err() && pdf("no drawing").is_err());
    }
}
