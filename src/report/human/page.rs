//! Text that wraps, with styles that take no room.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::WIDTH;

/// As it is.
pub(super) const PLAIN: Style = Style::new();
/// A title.
pub(super) const STRONG: Style = Style::new().bold();
/// Beside the point.
pub(super) const DIM: Style = Style::new().dimmed();
/// As it should be.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Worth a look.
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
/// Broken.
pub(super) const BAD: Style = AnsiColor::Red.on_default();

/// A text in the making.
pub(super) struct Page {
    text: String,
    colour: bool,
}

impl Page {
    pub(super) fn new(colour: bool) -> Self {
        Self { text: String::new(), colour }
    }

    /// A section begins.
    pub(super) fn title(&mut self, title: &str) {
        self.gap();
        self.line("", title, STRONG);
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// `head` and one line of text, whatever its length.
    pub(super) fn line(&mut self, head: &str, text: &str, style: Style) {
        self.text.push_str(head);
        if self.colour && style != PLAIN {
            write!(self.text, "{style}{text}{style:#}").expect("a string takes it");
        } else {
            self.text.push_str(text);
        }
        // No line ends in blanks.
        self.text.truncate(self.text.trim_end().len());
        self.text.push('\n');
    }

    /// `head`, and beside it a text in as many lines as it needs.
    pub(super) fn paragraph(&mut self, head: &str, text: &str, style: Style) {
        let indent = head.chars().count();
        let blank = " ".repeat(indent);
        for (number, line) in wrap(text, WIDTH - indent).iter().enumerate() {
            self.line(if number == 0 { head } else { &blank }, line, style);
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// How wide each column of a table is: as its widest cell.
pub(super) fn widths<'a>(rows: impl IntoIterator<Item = &'a [String]>) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

/// Lines of at most `width` characters, broken at blanks; a longer word stands alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        let last = lines.last_mut().expect("there is always one");
        if used > 0 && used + 1 + length > width {
            lines.push(word.to_string());
            used = length;
        } else {
            let gap = usize::from(used > 0);
            last.push_str(&" ".repeat(gap));
            last.push_str(word);
            used += gap + length;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_blanks_and_hangs() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaa bb", 5), ["aaaaaaa", "bb"]);
        assert_eq!(wrap("", 5), [""]);
        let mut page = Page::new(false);
        page.paragraph("  x  ", &"word ".repeat(30), BAD);
        let text = page.finish();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("     word")), "{text}");
    }
}
