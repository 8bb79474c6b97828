//! Amounts whose unit says what they are: ends of a range that is fitted, or of an axis.

use super::context::{Context, Place};
use crate::scenario::published::ParameterKind;
use crate::scenario::schema::reference::Amount;

/// What it is a number of, and the number; a problem if it is no quantity.
pub(super) fn amount(context: &mut Context<'_>, typed: &Amount, at: &Place) -> Option<(ParameterKind, u64)> {
    match typed {
        Amount::Whole(number) => Some((ParameterKind::Count, *number)),
        Amount::Text(text) => {
            let read = ParameterKind::read(text);
            if read.is_none() {
                let hint = "write a quantity with its unit, as \"800 Mbit/s\" or \"3 ms\", or a whole number";
                context.problem(at, format!("`{text}` is no quantity"), Some(hint));
            }
            read
        }
    }
}

/// The unit as typed; empty for a bare number.
pub(super) fn unit_of(typed: &Amount) -> String {
    match typed {
        Amount::Text(text) => ParameterKind::unit_of(text).into(),
        Amount::Whole(_) => String::new(),
    }
}

/// Two ends of one kind, under `from` and `to`, the second above the first.
pub(super) fn ends(
    context: &mut Context<'_>,
    from: &Amount,
    to: &Amount,
    at: &Place,
) -> Option<(ParameterKind, u64, u64)> {
    let (low, high) = (amount(context, from, &at.key("from")), amount(context, to, &at.key("to")));
    let ((kind, low), (other, high)) = (low?, high?);
    if kind != other {
        context.problem(&at.key("to"), "is not of the same kind as `from`", None);
        return None;
    }
    if high <= low {
        context.problem(&at.key("to"), "is not above `from`", None);
        return None;
    }
    Some((kind, low, high))
}
