//! The right to run, held for a time: asked for again and again, and counted on the holder's own clock from the moment it
//! was asked for (Gray and Cheriton, SOSP 1989), so that no delay on the way can make it longer than its grantor thinks.

use std::collections::BTreeMap;

use super::{Actions, Attempt, Channel, Epoch, Input, Message, Timer};
use crate::scenario::policy::Lease as Terms;
use crate::units::{LocalTime, Ratio, Span};
use crate::vocabulary::Host;

/// One node's lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Lease {
    terms: Terms,
    grantor: Host,
    running: bool,
    next: u64,
    /// When each request that is not granted was sent.
    asked: BTreeMap<u64, LocalTime>,
    until: Option<LocalTime>,
}

/// Requests in a term: two may be lost before the lease is.
const REQUESTS_PER_TERM: u64 = 3;

/// What has become of the right to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is held, and was not before.
    Gained,
    /// It has run out.
    Lost,
}

impl Lease {
    pub(super) fn new(terms: Terms, grantor: Host) -> Self {
        Self { terms, grantor, running: false, next: 0, asked: BTreeMap::new(), until: None }
    }

    /// Begins to ask.
    pub(super) fn start(&mut self, now: LocalTime, attempt: Attempt, epoch: Epoch, out: &mut Actions) {
        if !self.running {
            self.running = true;
            self.ask(now, attempt, epoch, out);
        }
    }

    /// Needs no lease any more.
    pub(super) fn stop(&mut self, out: &mut Actions) {
        self.running = false;
        out.cancel(Timer::LeaseRequest);
        out.cancel(Timer::LeaseEnd);
    }

    /// Whether it is needed.
    pub(super) fn is_asked_for(&self) -> bool {
        self.running
    }

    /// Whether the right to run is held at `now`.
    pub(super) fn holds(&self, now: LocalTime) -> bool {
        !self.running || self.until.is_some_and(|until| now < until)
    }

    /// Takes what concerns it.
    pub(super) fn step(
        &mut self,
        now: LocalTime,
        input: &Input,
        attempt: Attempt,
        epoch: Epoch,
        out: &mut Actions,
    ) -> Option<Change> {
        if !self.running {
            return None;
        }
        match input {
            Input::Timer(Timer::LeaseRequest) => self.ask(now, attempt, epoch, out),
            Input::Timer(Timer::LeaseEnd) if !self.holds(now) => return Some(Change::Lost),
            Input::Message { channel: Channel::Store, envelope, .. } => {
                if let Message::LeaseGranted(number) = envelope.message {
                    return self.granted(number, now, out);
                }
            }
            _ => {}
        }
        None
    }

    fn ask(&mut self, now: LocalTime, attempt: Attempt, epoch: Epoch, out: &mut Actions) {
        self.asked.insert(self.next, now);
        out.send_in(self.grantor, Channel::Store, attempt, epoch, Message::LeaseRequest(self.next));
        self.next += 1;
        let pause = Span::from_ns((self.terms.term.ns() / REQUESTS_PER_TERM).max(1));
        out.set(Timer::LeaseRequest, pause);
    }

    fn granted(&mut self, number: u64, now: LocalTime, out: &mut Actions) -> Option<Change> {
        let asked = self.asked.remove(&number)?;
        self.asked.retain(|other, _| *other > number);
        let until = asked.saturating_add(self.terms.term);
        let held = self.holds(now);
        self.until = self.until.max(Some(until));
        out.set(Timer::LeaseEnd, until.since(now));
        (!held && self.holds(now)).then_some(Change::Gained)
    }

    /// How long a restoring node waits, on its own clock, after the grantor has stopped renewing: the holder's clock may be slow by
    /// the drift and its own fast by as much.
    pub(super) fn wait(terms: Terms) -> Span {
        let drift = terms.term.scale_saturating(Ratio::new(2 * u64::from(terms.drift_ppm), 1_000_000));
        terms.term.saturating_add(drift).saturating_add(terms.margin)
    }
}
