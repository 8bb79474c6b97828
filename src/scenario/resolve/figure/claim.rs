//! What a figure claims: sentences with the numbers of points in them.

use super::Reading;
use super::published::{Unit, place, shown};
use crate::scenario::figure::{Claim, Expected, Number, Panel, Place, Plot, Spot};
use crate::scenario::resolve::context::{Context, Place as At};
use crate::scenario::resolve::sweep::outcome;
use crate::scenario::schema::figure as text;
use crate::scenario::schema::reference::Amount;
use crate::scenario::sweep::AxisValue;
use crate::units::{Quantity, Ratio};

impl Reading<'_> {
    /// A panel that is `None` was wrong, and nothing is said of it twice.
    pub(super) fn claims(&mut self, typed: &[text::Claim], panels: &[Option<Panel>], at: &At) -> Vec<Claim> {
        let mut claims = Vec::new();
        for (i, claim) in typed.iter().enumerate() {
            let at = at.index(i);
            self.marks(claim, &at);
            let numbers = claim.numbers.iter().enumerate();
            let numbers: Vec<Number> =
                numbers.filter_map(|(j, number)| self.number(number, panels, &at.key("numbers").index(j))).collect();
            claims.push(Claim { say: claim.say.clone(), numbers });
        }
        claims
    }

    /// Every number has its mark in the sentence, and every mark its number.
    fn marks(&mut self, claim: &text::Claim, at: &At) {
        let count = claim.numbers.len();
        for number in (0..count).filter(|number| !claim.say.contains(&format!("{{{number}}}"))) {
            let message = format!("has no `{{{number}}}` for a number that is given");
            self.context.problem(&at.key("say"), message, None);
        }
        let marks = claim.say.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(mark, _)| mark));
        for mark in marks.filter(|mark| mark.parse::<usize>().map_or(true, |number| number >= count)) {
            let message = format!("`{{{mark}}}` stands for no number; {count} are given, from `{{0}}` on");
            self.context.problem(&at.key("say"), message, None);
        }
    }

    fn number(&mut self, typed: &text::Number, panels: &[Option<Panel>], at: &At) -> Option<Number> {
        let of = self.spot(typed.panel, typed.series.as_deref(), &typed.x, typed.until.as_ref(), panels, at)?;
        let over = match &typed.over {
            None => None,
            Some(over) => {
                let (x, until) = match &over.x {
                    Some(x) => (x, over.until.as_ref()),
                    None => (&typed.x, typed.until.as_ref()),
                };
                let (panel, series) = (over.panel.or(typed.panel), over.series.as_deref().or(typed.series.as_deref()));
                Some(self.spot(panel, series, x, until, panels, &at.key("over"))?)
            }
        };
        let plot = &panels[of.panel].as_ref()?.plot;
        let expected = match (&typed.expected, typed.within) {
            (None, None) => None,
            (Some(amount), None) if matches!(plot, Plot::Outcomes { .. }) => {
                let found = outcome(&mut self.context, &shown(amount), &at.key("expected"));
                Some(Expected::Outcome(found?))
            }
            (Some(amount), Some(within)) if !matches!(plot, Plot::Outcomes { .. }) => {
                let place = at.key("expected");
                let value = match over {
                    Some(_) => millionths(&mut self.context, amount, &place),
                    None => Unit::of(plot).read(&mut self.context, amount, &place),
                };
                Some(Expected::Near(value?, within.0))
            }
            _ => {
                let message = "`expected` and `within` go together; of outcomes only `expected` is said";
                self.context.problem(at, message, None);
                None
            }
        };
        Some(Number { of, over, expected })
    }

    fn spot(
        &mut self,
        panel: Option<u64>,
        name: Option<&str>,
        x: &Amount,
        until: Option<&Amount>,
        panels: &[Option<Panel>],
        at: &At,
    ) -> Option<Spot> {
        let number = usize::try_from(panel.unwrap_or(1)).ok().and_then(|number| number.checked_sub(1));
        let Some(panel) = number.filter(|number| *number < panels.len()) else {
            self.context.problem(&at.key("panel"), format!("there are panels 1 to {}", panels.len()), None);
            return None;
        };
        let plot = &panels[panel].as_ref()?.plot;
        if let Plot::Timeline { .. } = plot {
            // Which lanes there are shows when it is drawn.
            let (series, x) = (name.unwrap_or_default().to_owned(), Place::Named(shown(x)));
            return Some(Spot { panel, series, x, until: None });
        }
        let series = self.series_named(name, plot, &at.key("series"))?;
        let spot = Spot { panel, series, x: place(plot, x), until: until.map(|until| place(plot, until)) };
        self.has(plot, &spot, x, at).then_some(spot)
    }
}

impl Reading<'_> {
    /// Whether a plot whose points are at the values of an axis has one there.
    fn has(&mut self, plot: &Plot, spot: &Spot, typed: &Amount, at: &At) -> bool {
        let Some((cells, axis)) = plot.cells().and_then(|cells| Some((cells, cells.x?))) else { return true };
        let axis = &self.sweeps[cells.sweep].1.axes[axis];
        let is_there = |value: &AxisValue| match (&spot.x, value.amount()) {
            (Place::At(kind, number), Some(amount)) => amount == (*kind, *number),
            (Place::Named(name), _) => value.text == *name,
            (Place::At(..), None) => false,
        };
        let found = spot.until.is_some() || axis.values.iter().any(is_there);
        if !found {
            let known: Vec<&str> = axis.values.iter().map(|value| value.text.as_str()).collect();
            let word = shown(typed);
            let message = format!("`{word}` is no value of `{}`", axis.name);
            self.context.misspelt(&at.key("x"), message, &word, &known);
        }
        found
    }
}

/// A decimal number in millionths.
fn millionths(context: &mut Context<'_>, typed: &Amount, at: &At) -> Option<u64> {
    let read = match typed {
        Amount::Whole(number) => number.checked_mul(1_000_000),
        // Read as a percentage, a number is a hundredth of itself.
        Amount::Text(text) => Ratio::parse(&format!("{text} %")).ok().map(|hundredth| hundredth.of(100_000_000)),
    };
    if read.is_none() {
        context.problem(at, "is no decimal number", Some("a ratio has no unit; write \"2.5\""));
    }
    read
}
