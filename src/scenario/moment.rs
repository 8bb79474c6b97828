//! Where about an event of a run a fault strikes.

use crate::units::Span;

/// A moment about an event, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventMoment {
    /// It is about to happen.
    Before,
    /// Nodes are doing what they do about it.
    Within,
    /// It has happened.
    After,
}

/// A place about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventPlace {
    /// At its time, before it.
    Before,
    /// When so many things have been done about it; from 1.
    Within(u64),
    /// So long after it, and at once before whatever else happens then.
    After(Span),
}
