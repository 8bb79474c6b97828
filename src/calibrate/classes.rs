//! Page classes that dirty pages as recorded writes do: fitted to their curve of distinct pages, W(t).
//!
//! W(t) is the mean number of distinct pages written in a window of length t, over all windows of that length (Denning, *The working
//! set model for program behavior*, CACM 11(5), 1968). Of a uniform class of n pages, each written at rate r, it is n (1 − exp(−rt)), so
//! the curve of a recording is fitted by a few such terms: the rates by the simplex of [`super::search`], the pages, for each choice of
//! rates, by least squares of relative errors without negative ones (variable projection: Golub and Pereyra, *The differentiation of
//! pseudo-inverses*, SIAM J. Numer. Anal. 10, 1973). As few classes are taken as do.
//!
//! Classes have no history. A program that changes its ways as it goes has no twin of this kind, and [`ClassFit::halves`] shows it.

use crate::scenario::{ClassOf, RecordedWrites};
use crate::units::{EventRate, PageCount, Ratio, Span};

use super::{Refusal, search};

/// Most classes.
const CLASSES_MAX: usize = 5;
/// Greatest relative error of a good fit: what QEMU's measured page counts repeat within.
const GOOD: f64 = 0.01;
/// Greatest error of a fit that does, in millionths: what total times and pages are asked to agree within.
const POOR: u64 = 50_000;
/// One more class must lower the greatest error at least to this share.
const WORTH: f64 = 0.8;
/// Windows at which the curve is fitted, at most, and the longest as a share of the recording: beyond it windows are few and overlap.
const WINDOWS: usize = 16;
const LONGEST: usize = 2;
/// Intervals that a recording must have at least.
const INTERVALS_MIN: usize = 8;
/// Rates that are tried, per interval: as slow as a fifth of a write in the longest window; as fast that all is written in an interval.
const SLOWEST: f64 = 0.2;
const FASTEST: f64 = 8.0;
/// Sweeps of the least squares over the classes.
const SWEEPS: usize = 500;

/// What was fitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassFit {
    /// The classes, the slowest first; together the pages of the recording.
    pub classes: Vec<ClassOf>,
    /// The curve and what the classes make of it.
    pub points: Vec<Point>,
    /// Pages of a window of a quarter of the recording in its first half, and in its second: alike where the program keeps its ways.
    pub halves: [PageCount; 2],
}

/// A point of the curve, rounded to whole pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Length of the windows.
    pub window: Span,
    /// Distinct pages in the recording.
    pub recorded: PageCount,
    /// Those of the classes.
    pub fitted: PageCount,
    /// Fitted over recorded less one, in millionths.
    pub error: i64,
}

impl ClassFit {
    /// The greatest error, in millionths.
    pub fn error(&self) -> u64 {
        self.points.iter().map(|point| point.error.unsigned_abs()).max().unwrap_or(0)
    }

    /// Whether the classes dirty about as many pages as were recorded, in windows of every length.
    pub fn is_good(&self) -> bool {
        self.error() <= POOR
    }

    /// By how much the second half dirties more or fewer pages than the first, in millionths of the first.
    pub fn drift(&self) -> i64 {
        let [first, second] = self.halves.map(|pages| pages.get() as f64);
        ((second / first.max(1.0) - 1.0) * 1e6).round() as i64
    }
}

/// Fits classes to recorded writes.
///
/// # Errors
/// A recording that is too short.
pub fn fit_classes(recorded: &RecordedWrites) -> Result<ClassFit, Refusal> {
    let intervals = recorded.trace.len() - recorded.from;
    if intervals < INTERVALS_MIN {
        return Err(Refusal(format!(
            "`{}` has {intervals} intervals from there on; {INTERVALS_MIN} are needed",
            recorded.name
        )));
    }
    let curve = Curve::of(recorded, recorded.from, recorded.trace.len());
    let windows = windows(intervals / LONGEST);
    let pages: Vec<f64> = windows.iter().map(|window| curve.at(*window)).collect();
    let mut terms = fit(&windows, &pages);
    let all = recorded.trace.pages() as f64;
    within(&mut terms, all);
    let classes = classes(recorded, &terms);
    let points = windows.iter().zip(&pages).map(|(window, pages)| {
        let fitted = value(&terms, *window);
        let rounded = |pages: f64| PageCount::new(pages.round() as u64);
        Point {
            window: recorded.interval.saturating_mul(*window as u64),
            recorded: rounded(*pages),
            fitted: rounded(fitted),
            error: ((fitted / pages - 1.0) * 1e6).round() as i64,
        }
    });
    let middle = recorded.from + intervals / 2;
    let half = |from, to| PageCount::new(Curve::of(recorded, from, to).at(intervals / 4).round() as u64);
    let halves = [half(recorded.from, middle), half(middle, recorded.trace.len())];
    Ok(ClassFit { classes, points: points.collect(), halves })
}

/// The curve of distinct pages of some intervals.
struct Curve {
    intervals: usize,
    pages: f64,
    /// How many stretches without a write to a page there are of each length, over all pages.
    stretches: Vec<f64>,
}

impl Curve {
    fn of(recorded: &RecordedWrites, from: usize, to: usize) -> Self {
        let pages = usize::try_from(recorded.trace.pages()).expect("pages fit in memory");
        let intervals = to - from;
        let mut stretches = vec![0.0; intervals + 1];
        // Interval, from 1, of the last write.
        let mut last = vec![0; pages];
        for interval in 1..=intervals {
            for &page in recorded.trace.written(from + interval - 1) {
                let last = &mut last[page as usize];
                stretches[interval - *last - 1] += 1.0;
                *last = interval;
            }
        }
        for last in last {
            stretches[intervals - last] += 1.0;
        }
        Self { intervals, pages: pages as f64, stretches }
    }

    /// Mean distinct pages of a window: all, less those with no write in it. In a stretch of g intervals without a write
    /// g − k + 1 windows of length k have none.
    fn at(&self, window: usize) -> f64 {
        let without = |(length, count): (usize, &f64)| (length + 1).saturating_sub(window) as f64 * count;
        let without: f64 = self.stretches.iter().enumerate().map(without).sum();
        self.pages - without / (self.intervals - window + 1) as f64
    }
}

/// Lengths of windows, in intervals, from one to the longest, each longer than the one before by the same factor where that is whole.
fn windows(longest: usize) -> Vec<usize> {
    let factor = libm::pow(longest as f64, 1.0 / (WINDOWS - 1) as f64);
    let mut windows: Vec<usize> = (0..WINDOWS).map(|i| libm::pow(factor, i as f64).round() as usize).collect();
    windows.dedup();
    windows
}

/// Pages, each written at a rate per interval.
#[derive(Debug, Clone, Copy)]
struct Term {
    pages: f64,
    rate: f64,
}

fn value(terms: &[Term], window: usize) -> f64 {
    terms.iter().map(|term| term.pages * reached(term.rate, window)).sum()
}

/// The share of pages that is written in a window.
fn reached(rate: f64, window: usize) -> f64 {
    1.0 - libm::exp(-rate * window as f64)
}

/// As few terms as do, the slowest first.
fn fit(windows: &[usize], pages: &[f64]) -> Vec<Term> {
    let longest = *windows.last().expect("a window") as f64;
    let (slowest, fastest) = (libm::log(SLOWEST / longest), libm::log(FASTEST));
    let rate = |x: f64| libm::exp(slowest + (fastest - slowest) * x);
    let mut best: Option<(f64, Vec<Term>)> = None;
    for number in 1..=CLASSES_MAX {
        let found = search::least(number, &mut |point| {
            squares(&terms(&spread(point).map(rate).collect::<Vec<_>>(), windows, pages), windows, pages)
        });
        let mut terms = terms(&spread(&found.at).map(rate).collect::<Vec<_>>(), windows, pages);
        terms.retain(|term| term.pages >= 0.5);
        terms.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let error = greatest(&terms, windows, pages);
        if best.as_ref().is_some_and(|(least, _)| error > least * WORTH) {
            break;
        }
        let enough = error <= GOOD;
        best = Some((error, terms));
        if enough {
            break;
        }
    }
    best.expect("one class is tried").1
}

/// Where each class stands in the range of rates: a point in the unit cube, of which each coordinate moves about its own part.
fn spread(point: &[f64]) -> impl Iterator<Item = f64> + '_ {
    let parts = point.len() as f64;
    point.iter().enumerate().map(move |(i, x)| ((i as f64 + 0.5 + (x - 0.5) * 2.0) / parts).clamp(0.0, 1.0))
}

/// Pages for given rates: least squares of relative errors, no class below zero, one class after the other (Franc, Hlaváč, Navara,
/// *Sequential coordinate-wise algorithm for the non-negative least squares problem*, CAIP 2005).
fn terms(rates: &[f64], windows: &[usize], pages: &[f64]) -> Vec<Term> {
    let column = |rate: &f64| windows.iter().zip(pages).map(|(w, p)| reached(*rate, *w) / p).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = rates.iter().map(column).collect();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let squares: Vec<Vec<f64>> = columns.iter().map(|a| columns.iter().map(|b| product(a, b)).collect()).collect();
    let wanted: Vec<f64> = columns.iter().map(|a| a.iter().sum()).collect();
    let mut found = vec![0.0; rates.len()];
    for _ in 0..SWEEPS {
        for i in 0..rates.len() {
            let slope = product(&squares[i], &found) - wanted[i];
            found[i] = (found[i] - slope / squares[i][i]).max(0.0);
        }
    }
    found.into_iter().zip(rates).map(|(pages, rate)| Term { pages, rate: *rate }).collect()
}

fn squares(terms: &[Term], windows: &[usize], pages: &[f64]) -> f64 {
    windows.iter().zip(pages).map(|(w, p)| value(terms, *w) / p - 1.0).map(|error| error * error).sum()
}

fn greatest(terms: &[Term], windows: &[usize], pages: &[f64]) -> f64 {
    windows.iter().zip(pages).map(|(w, p)| (value(terms, *w) / p - 1.0).abs()).fold(0.0, f64::max)
}

/// Not more pages than there are: the slowest classes have fewer, written as often together, which differs only in long windows.
fn within(terms: &mut [Term], all: f64) {
    let mut excess = terms.iter().map(|term| term.pages).sum::<f64>() - all;
    for term in terms {
        if excess <= 0.0 {
            return;
        }
        let taken = excess.min(term.pages / 2.0);
        term.rate *= term.pages / (term.pages - taken);
        term.pages -= taken;
        excess -= taken;
    }
}

/// The terms as classes in whole pages, and what is never written as one more. Pages of zeros are those that are written last: they are
/// given to the slowest.
fn classes(recorded: &RecordedWrites, terms: &[Term]) -> Vec<ClassOf> {
    let mut zero = recorded.written_before().iter().filter(|written| !**written).count() as u64;
    let mut left = recorded.trace.pages();
    let mut sized: Vec<(u64, EventRate)> = Vec::new();
    let per_s = 1e9 / recorded.interval.ns() as f64;
    for term in terms.iter().rev() {
        let pages = (term.pages.round() as u64).min(left);
        left -= pages;
        sized.push((pages, round(pages as f64 * term.rate * per_s)));
    }
    sized.push((left, EventRate::ZERO));
    let sized = sized.into_iter().rev().filter(|(pages, _)| *pages > 0);
    let class = |(pages, write): (u64, EventRate)| {
        let zeros = zero.min(pages);
        zero -= zeros;
        ClassOf { pages: PageCount::new(pages), write, zero: Ratio::new(zeros, pages) }
    };
    sized.map(class).collect()
}

/// A rate for a file: whole writes per second where there are many, else thousandths.
fn round(per_s: f64) -> EventRate {
    let (unit, micro) = if per_s < 100.0 { (1_000.0, 1_000) } else { (1.0, 1_000_000) };
    EventRate::per_megasecond((per_s * unit).round() as u64 * micro)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::sync::Arc;

    use super::*;
    use crate::rng::{Purpose, RunSeed};
    use crate::scenario::PageTrace;

    /// A recording of classes of (pages, writes per interval).
    fn recording(classes: &[(u64, u64)], intervals: usize) -> RecordedWrites {
        let mut stream = RunSeed { seed: 1, replication: 0 }.stream(Purpose::Writes, 0);
        let mut text = String::new();
        for _ in 0..intervals {
            let mut written = std::collections::BTreeSet::new();
            let mut first = 0;
            for &(pages, writes) in classes {
                written.extend((0..writes).map(|_| first + stream.below(pages)));
                first += pages;
            }
            let mut end = 0;
            for page in written {
                write!(text, "{} ", page - end).expect("a string takes it");
                end = page + 1;
            }
            text.push('\n');
        }
        let trace = Arc::new(PageTrace::parse(&text).expect("a trace"));
        RecordedWrites { name: "t".into(), trace, interval: Span::from_ms(100), from: 0 }
    }

    #[test]
    fn the_curve_is_the_mean_over_all_windows() {
        let trace = Arc::new(PageTrace::parse("0\n1\n\n0 0").expect("a trace"));
        let recorded = RecordedWrites { name: "t".into(), trace, interval: Span::from_ms(100), from: 0 };
        let curve = Curve::of(&recorded, 0, 4);
        // Windows of 1: {0} {1} {} {0, 1}. Of 2: {0, 1} {1} {0, 1}. Of 3: {0, 1} {0, 1}.
        let expected = [1.0, 5.0 / 3.0, 2.0, 2.0];
        for (window, expected) in (1..).zip(expected) {
            assert!((curve.at(window) - expected).abs() < 1e-12, "{window}: {}", curve.at(window));
        }
    }

    #[test]
    fn classes_that_made_a_recording_are_found_again() {
        // Per page and interval: 0.02 and 1.
        let fit = fit_classes(&recording(&[(20_000, 400), (3_000, 3_000)], 120)).expect("long enough");
        assert!(fit.error() < 10_000, "{fit:?}");
        let moving: Vec<&ClassOf> = fit.classes.iter().filter(|class| class.write > EventRate::ZERO).collect();
        assert_eq!(moving.len(), 2, "{fit:?}");
        for (class, (pages, writes)) in moving.iter().zip([(20_000u64, 4_000u64), (3_000, 30_000)]) {
            // Five per cent: 120 intervals, of which the windows share most.
            assert!(class.pages.get().abs_diff(pages) * 20 < pages, "{fit:?}");
            assert!(class.write.micro().abs_diff(writes * 1_000_000) * 20 < writes * 1_000_000, "{fit:?}");
        }
        let [first, second] = fit.halves.map(PageCount::get);
        assert!(first.abs_diff(second) * 50 < first, "it keeps its ways: {fit:?}");
    }

    #[test]
    fn classes_are_the_pages_of_the_recording_and_zeros_are_in_the_slowest() {
        let mut recorded = recording(&[(2_000, 20), (500, 400)], 60);
        recorded.from = 20;
        let fit = fit_classes(&recorded).expect("long enough");
        let all: u64 = fit.classes.iter().map(|class| class.pages.get()).sum();
        assert_eq!(all, recorded.trace.pages());
        assert!(fit.classes[0].zero > Ratio::percent(50), "{fit:?}");
        assert_eq!(fit.classes.last().expect("a class").zero, Ratio::ZERO, "{fit:?}");
        recorded.from = 53;
        assert!(fit_classes(&recorded).is_err(), "too short");
    }
}
