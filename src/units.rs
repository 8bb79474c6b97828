//! Quantities with their units in the type: instants, spans, bytes, pages, rates, ratios.
//!
//! Why: a bare number is how a simulator comes to add seconds to bytes. Everything is an integer inside
//! (nanoseconds, bytes, bytes/s, micro-events/s) and exact; text such as `"300 ms"` is parsed once, with a
//! mandatory unit, without loss or not at all, and printed back as text that parses to the same value.
//!
//! Arithmetic panics on overflow and on a negative result: both are bugs of the caller, never of a user.

mod amount;
mod rate;
mod ratio;
mod text;
mod time;

pub use amount::{Bytes, PageCount};
pub use rate::{ByteRate, EventRate};
pub use ratio::Ratio;
pub use text::{Quantity, QuantityError};
pub use time::{LocalTime, SimTime, Span};
