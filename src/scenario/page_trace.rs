//! Which pages a real program wrote, interval by interval.
//!
//! The text has one line for each interval, the pages written in it as maximal runs of consecutive numbers, separated by blanks:
//! `gap` or `gapxlength`, the gap counted from the end of the run before (from 0 at first). So `3 0x2 7` is pages 3, 4, 5 and 13, and
//! an empty line is an interval in which nothing was written. A scan may come upon a page twice, where mappings change meanwhile: a
//! negative gap goes back into the run before, and what both have counts once.

use std::hash::{Hash, Hasher};

/// Pages of the largest trace, and writes in it.
const MAX_PAGES: u64 = 1 << 30;
const MAX_WRITES: usize = 1 << 27;

/// Pages written in each interval of a recording; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageTrace {
    /// All intervals, one after the other, each in rising order.
    written: Vec<u32>,
    /// Where each interval ends in `written`.
    ends: Vec<usize>,
    pages: u64,
}

/// Two traces that differ may collide, and then only cost a comparison.
impl Hash for PageTrace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ends.hash(state);
    }
}

impl PageTrace {
    /// Reads a trace.
    ///
    /// # Errors
    /// The offset of the line that is none, and why.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut trace = Self { written: Vec::new(), ends: Vec::new(), pages: 0 };
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            trace.interval(line).map_err(|reason| (offset, reason))?;
            offset += line.len();
        }
        let highest = trace.written.iter().max().ok_or_else(|| (0, "no page is written in this trace".into()))?;
        trace.pages = u64::from(*highest) + 1;
        Ok(trace)
    }

    fn interval(&mut self, line: &str) -> Result<(), String> {
        let (mut begun, mut next) = (0u64, 0u64);
        for token in line.split_whitespace() {
            let run =
                Run::parse(token).filter(|run| next.checked_add_signed(run.gap).is_some_and(|first| first >= begun));
            let Some(Run { gap, length }) = run else {
                return Err(format!("`{}` is no run of pages", super::spelling::clipped(token)));
            };
            begun = next.saturating_add_signed(gap);
            let end = begun + length;
            if end > MAX_PAGES {
                return Err(format!("page {} is beyond the {MAX_PAGES} that are simulated", end - 1));
            }
            if self.written.len() as u64 + length > MAX_WRITES as u64 {
                return Err(format!("more than {MAX_WRITES} writes"));
            }
            let new = next.max(begun)..end;
            self.written.extend(new.map(|page| u32::try_from(page).expect("below 2^30")));
            next = end.max(next);
        }
        self.ends.push(self.written.len());
        Ok(())
    }

    /// Pages that it is about: one more than the highest that is written.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// How many intervals there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none: never.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The pages written in an interval, rising.
    pub fn written(&self, interval: usize) -> &[u32] {
        let from = interval.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.written[from..self.ends[interval]]
    }
}

/// Consecutive pages.
struct Run {
    /// From the end of the run before.
    gap: i64,
    length: u64,
}

impl Run {
    fn parse(token: &str) -> Option<Self> {
        let (gap, length) = token.split_once('x').unwrap_or((token, "1"));
        let gap = gap.parse().ok().filter(|gap: &i64| gap.unsigned_abs() <= MAX_PAGES)?;
        let length = length.parse().ok().filter(|length| (1..=MAX_PAGES).contains(length))?;
        Some(Self { gap, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_gaps_and_lengths() {
        let trace = PageTrace::parse("1 -1x3 1\n\n0\r\n4").expect("a trace");
        let intervals: Vec<&[u32]> = (0..trace.len()).map(|i| trace.written(i)).collect();
        assert_eq!(intervals, [&[1, 2, 3, 5][..], &[], &[0], &[4]]);
        assert_eq!(trace.pages(), 6);
    }

    #[test]
    fn what_is_no_trace_is_refused_at_its_line() {
        let cases = [
            ("0\n1x\n", 2, "`1x` is no run"),
            ("0x0", 0, "`0x0` is no run"),
            ("-1", 0, "`-1` is no run"),
            ("0x2 3 -2", 0, "`-2` is no run"),
            ("0x1073741825", 0, "is no run"),
            ("0\n0x1073741824", 2, "more than"),
            ("1073741824", 0, "beyond"),
            ("\n\n", 0, "no page"),
            ("from_s,rate_bit_s\n0,8\n", 0, "`from_s,rate_bit_s` is no run"),
        ];
        for (text, at, reason) in cases {
            let (offset, message) = PageTrace::parse(text).expect_err(text);
            assert!(offset == at && message.contains(reason), "{text:?}: {offset} {message}");
        }
    }
}
