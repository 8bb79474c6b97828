//! Page classes fitted to recorded writes, for a person at a terminal.

use super::page::{BAD, DIM, GOOD, PLAIN, Page, WARN};
use crate::calibrate::ClassFit;
use crate::report::classes::more;
use crate::report::validation::size;
use crate::scenario::RecordedWorkload;

/// A second half that dirties this much more or fewer pages is worth a word, in millionths.
const DRIFT: u64 = 100_000;

/// The classes, and the curve of distinct pages beside theirs.
pub fn human_classes(workload: &RecordedWorkload, fits: &[ClassFit], colour: bool) -> String {
    let mut page = Page::new(colour);
    for (recorded, fit) in workload.recorded.iter().flatten().zip(fits) {
        let head = format!("{}: {} classes, greatest error {}", recorded.name, fit.classes.len(), size(fit.error()));
        page.paragraph("", &head, if fit.is_good() { GOOD.bold() } else { BAD.bold() });
        page.title("Classes");
        page.line("  ", &format!("{:>14}{:>20}{:>14}", "pages", "writes", "zeros"), DIM);
        for class in &fit.classes {
            let zeros = class.zero.of(class.pages.get());
            page.line("  ", &format!("{:>14}{:>20}{zeros:>14}", class.pages.get(), class.write.to_string()), PLAIN);
        }
        page.title("Distinct pages in a window, mean");
        page.line("  ", &format!("{:>14}{:>12}{:>12}{:>12}", "window", "recorded", "fitted", "error"), DIM);
        for point in &fit.points {
            let (recorded, fitted) = (point.recorded.get(), point.fitted.get());
            let window = point.window.to_string();
            let error = format!("{}{}", if point.error < 0 { "-" } else { "+" }, size(point.error.unsigned_abs()));
            page.line("  ", &format!("{window:>14}{recorded:>12}{fitted:>12}{error:>12}"), PLAIN);
        }
        page.gap();
        let [first, second] = fit.halves;
        let changes = fit.drift().unsigned_abs() > DRIFT;
        let halves = format!(
            "A quarter of the recording dirties {first} in its first half, {second} in its second: {}. {}",
            more(fit.drift()),
            if changes {
                "The program changes its ways, and classes do not: the twin is its mean."
            } else {
                "The program keeps its ways."
            }
        );
        page.paragraph("", &halves, if changes { WARN } else { DIM });
    }
    page.finish()
}
