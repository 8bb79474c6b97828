//! The source: copies memory, stops the VM, hands it over, and decides whether it may run its own copy again.
//!
//! Its right to resume ends at one action, [`Action::Relinquish`] (R). Before it, `on_silence` says what a silent destination
//! means once the state has been sent; before the state is sent the copy here is the only one that can run.

mod handover;

use super::detector::Detector;
use super::pacing::{Limit, Next, Pacer, Spans};
use super::precopy::{Rounds, Step};
use super::{
    Action, Actions, Agent, Answer, Attempt, Awaited, Channel, Input, Message, Report, Settings, Standing, StateId,
    Suspicion, Timer,
};
use crate::scenario::policy::{Migration, PreCopy, TransportError};
use crate::units::{Bytes, LocalTime, PageCount, Ratio};
use crate::vocabulary::Host;

/// The source's agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    settings: Settings,
    detector: Detector,
    attempt: Attempt,
    state: State,
    /// The connection is known to be over; noticed at the next write where the policy says so.
    broken: bool,
    /// When the chunk under way was begun, and its bytes.
    chunk: (LocalTime, Bytes),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "one of them in an agent")]
enum State {
    Idle,
    /// Waiting for the set-up time.
    Setup,
    /// The VM runs; rounds.
    Copying {
        rounds: Rounds,
        awaiting_window: bool,
    },
    /// The VM is being stopped.
    Stopping {
        limit: Limit,
    },
    /// The VM stands; the rest is sent.
    Draining {
        pacer: Pacer,
        state: StateId,
        pending: PageCount,
    },
    /// CPU and devices are sent; the destination may have everything.
    HandingOver(Handing),
    /// "Go" is sent: this copy never runs again.
    Relinquished(Handing),
    /// Its part is done.
    Ended(Report),
}

/// What the source does while it does not know whether the destination runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Handing {
    /// Believes it alive and waits.
    Waiting,
    /// Suspects it and waits for ever.
    Blocked,
    /// Suspects it and asks.
    Asking,
}

impl Source {
    /// Before any command.
    pub fn new(settings: Settings) -> Self {
        let detector = Detector::new(settings.policy.detector.heartbeat.clone());
        Self {
            settings,
            detector,
            attempt: Attempt::default(),
            state: State::Idle,
            broken: false,
            chunk: (LocalTime::default(), Bytes::ZERO),
        }
    }

    fn send(&self, channel: Channel, message: Message, out: &mut Actions) {
        out.send(Host::Destination, channel, self.attempt, message);
    }

    fn migrate(&mut self, attempt: Attempt, out: &mut Actions) {
        if self.state != State::Idle || self.settings.policy.migration == Migration::None {
            return;
        }
        self.attempt = attempt;
        self.state = State::Setup;
        out.push(Action::Connect { peer: Host::Destination, channel: Channel::Migration });
        self.detector.start(out);
        out.set(Timer::Setup, self.settings.setup);
    }

    fn set_up(&mut self, now: LocalTime, out: &mut Actions) {
        out.push(Action::StartLog);
        match self.settings.policy.migration.clone() {
            Migration::PreCopy(policy) => {
                if let Some(cap) = policy.caps.time {
                    out.set(Timer::TimeCap, cap.max);
                }
                let rounds = Rounds::new(policy, self.settings.page_size, self.spans(), now);
                self.state = State::Copying { rounds, awaiting_window: false };
                self.take(now, out);
            }
            Migration::StopAndCopy | Migration::None => self.stop(Limit::None, out),
        }
    }

    fn spans(&self) -> Spans {
        Spans { window: self.settings.window, iteration: self.settings.iteration }
    }

    fn take(&mut self, now: LocalTime, out: &mut Actions) {
        self.chunk = (now, Bytes::ZERO);
        out.push(Action::Take { budget: self.settings.chunk });
    }

    fn stop(&mut self, limit: Limit, out: &mut Actions) {
        out.cancel(Timer::Window);
        out.cancel(Timer::Pace);
        out.cancel(Timer::TimeCap);
        out.push(Action::Stop);
        self.state = State::Stopping { limit };
    }

    fn follow(&mut self, step: Step, now: LocalTime, out: &mut Actions) {
        match step {
            Step::Take => self.take(now, out),
            Step::Sync => out.push(Action::SyncLog),
            Step::Pace(wait) => out.set(Timer::Pace, wait),
            Step::AwaitWindow(wait) => {
                out.set(Timer::Window, wait);
                if let State::Copying { awaiting_window, .. } = &mut self.state {
                    *awaiting_window = true;
                }
            }
            Step::Stop(end) => {
                out.push(Action::EndRounds(end));
                let limit = self.pre_copy().map_or(Limit::None, Rounds::last_copy_limit);
                self.stop(limit, out);
            }
            Step::Abort(end) => {
                out.push(Action::EndRounds(end));
                self.roll_back(out);
            }
        }
    }

    fn pre_copy(&self) -> Option<&PreCopy> {
        match &self.settings.policy.migration {
            Migration::PreCopy(policy) => Some(policy),
            Migration::None | Migration::StopAndCopy => None,
        }
    }

    /// The migration is over before the destination can have everything: the VM goes on here.
    fn roll_back(&mut self, out: &mut Actions) {
        let was_stopped = !matches!(self.state, State::Setup | State::Copying { .. });
        out.push(Action::DropWork);
        for timer in [Timer::Setup, Timer::Window, Timer::Pace, Timer::TimeCap, Timer::Ask] {
            out.cancel(timer);
        }
        self.detector.stop(out);
        out.push(Action::Disconnect { channel: Channel::Migration });
        out.push(Action::StopLog);
        out.push(Action::Throttle(Ratio::ZERO));
        out.push(Action::GiveUp);
        if was_stopped {
            out.push(Action::Resume);
        }
        out.report(self.attempt, Report::Failure);
        self.state = State::Ended(Report::Failure);
    }

    /// The destination is suspected.
    fn suspect(&mut self, why: Suspicion, out: &mut Actions) {
        match &mut self.state {
            State::Idle
            | State::Ended(_)
            | State::HandingOver(Handing::Blocked | Handing::Asking)
            | State::Relinquished(Handing::Blocked | Handing::Asking) => return,
            State::Setup | State::Copying { .. } | State::Stopping { .. } | State::Draining { .. } => {
                out.push(Action::Suspect(why));
                self.roll_back(out);
            }
            State::HandingOver(Handing::Waiting) => {
                out.push(Action::Suspect(why));
                self.handover_silence(out);
            }
            State::Relinquished(Handing::Waiting) => {
                out.push(Action::Suspect(why));
                self.silence_after_go(out);
            }
        }
        self.detector.stop(out);
    }

    fn broke(&mut self, out: &mut Actions) {
        self.broken = true;
        let reading = matches!(self.state, State::HandingOver(_) | State::Relinquished(_));
        match self.settings.policy.detector.transport_error {
            TransportError::AtOnce => self.suspect(Suspicion::TransportError, out),
            TransportError::AtNextWrite if reading => self.suspect(Suspicion::TransportError, out),
            TransportError::AtNextWrite | TransportError::Ignored => {}
        }
    }

    /// Writes to the migration channel; true unless that shows that it is broken.
    fn write(&mut self, message: Message, out: &mut Actions) -> bool {
        if self.broken && self.settings.policy.detector.transport_error == TransportError::AtNextWrite {
            self.suspect(Suspicion::TransportError, out);
            return false;
        }
        self.send(Channel::Migration, message, out);
        true
    }

    /// Work for the rounds or the last copy has ended.
    fn worked(&mut self, now: LocalTime, input: &Input, out: &mut Actions) {
        match (&mut self.state, input) {
            (State::Copying { rounds, .. }, Input::Taken { batch, pending }) => {
                rounds.taken(*pending);
                self.chunk.1 = batch.bytes;
                self.write(Message::Pages(*batch), out);
            }
            (State::Copying { rounds, .. }, Input::Sent) => {
                let step = rounds.sent(self.chunk.1, self.chunk.0, now);
                self.follow(step, now, out);
            }
            (State::Copying { rounds, .. }, Input::Synced { pending }) => {
                let before = rounds.throttle();
                let step = rounds.synced(*pending, now);
                let after = rounds.throttle();
                if before != after {
                    out.push(Action::Throttle(after));
                }
                self.follow(step, now, out);
            }
            (State::Stopping { limit }, Input::Stopped { state }) => {
                let pacer = Pacer::new(*limit, self.spans(), now);
                self.state = State::Draining { pacer, state: *state, pending: PageCount::ZERO };
                out.push(Action::SyncLog);
            }
            (State::Draining { pending, .. }, Input::Synced { pending: left }) => {
                *pending = *left;
                self.drain(now, out);
            }
            (State::Draining { pending, .. }, Input::Taken { batch, pending: left }) => {
                *pending = *left;
                self.chunk.1 = batch.bytes;
                self.write(Message::Pages(*batch), out);
            }
            (State::Draining { pacer, .. }, Input::Sent) => match pacer.sent(self.chunk.1, self.chunk.0, now) {
                Next::After(wait) => out.set(Timer::Pace, wait),
                Next::Now | Next::AtWindow(_) => self.drain(now, out),
            },
            (State::HandingOver(_), Input::Sent) => out.push(Action::EndSending),
            _ => {}
        }
    }

    /// Sends the next of the last pages, or the state.
    fn drain(&mut self, now: LocalTime, out: &mut Actions) {
        let State::Draining { state, pending, .. } = self.state else { return };
        if pending > PageCount::ZERO {
            self.take(now, out);
        } else if self.write(Message::State(state), out) {
            out.push(Action::StopLog);
            self.state = State::HandingOver(Handing::Waiting);
        }
    }

    fn timer(&mut self, timer: Timer, now: LocalTime, out: &mut Actions) {
        match (&mut self.state, timer) {
            (State::Setup, Timer::Setup) => self.set_up(now, out),
            (State::Draining { .. }, Timer::Pace) => self.drain(now, out),
            (State::Copying { rounds, .. }, Timer::Pace) => {
                let step = rounds.go_on(now);
                self.follow(step, now, out);
            }
            (State::Copying { rounds, awaiting_window: waiting @ true }, Timer::Window) => {
                *waiting = false;
                let step = rounds.window(now);
                self.follow(step, now, out);
            }
            (State::Copying { rounds, awaiting_window }, Timer::TimeCap) => {
                // Work under way ends first; its end finds the cap.
                let step = rounds.time_is_up();
                if std::mem::replace(awaiting_window, false)
                    && let Some(step) = step
                {
                    self.follow(step, now, out);
                }
            }
            (State::HandingOver(Handing::Asking) | State::Relinquished(Handing::Asking), Timer::Ask) => self.ask(out),
            _ => {}
        }
    }

    fn cancelled(&mut self, out: &mut Actions) {
        let cancellable = matches!(
            self.state,
            State::Setup | State::Copying { .. } | State::Stopping { .. } | State::Draining { .. }
        );
        if cancellable {
            self.roll_back(out);
        }
    }
}

impl Agent for Source {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        if self.detector.step(&input, out) {
            self.suspect(Suspicion::Heartbeat, out);
            return;
        }
        match input {
            Input::Message { envelope, .. } if envelope.message == Message::Migrate => {
                self.migrate(envelope.attempt, out);
            }
            Input::Message { channel, envelope, .. } if envelope.attempt == self.attempt => {
                self.message(channel, &envelope.message, out);
            }
            Input::Pinged { number } => out.push(Action::Pong { number }),
            Input::Timer(timer) => self.timer(timer, now, out),
            Input::Broken { channel: Channel::Migration } => self.broke(out),
            Input::Taken { .. } | Input::Sent | Input::Synced { .. } | Input::Stopped { .. } => {
                self.worked(now, &input, out);
            }
            _ => {}
        }
    }

    fn standing(&self) -> Standing {
        let awaited = self.awaited();
        match &self.state {
            State::Idle => Standing::Idle,
            State::Setup => Standing::Working("setup"),
            State::Copying { .. } => Standing::Working("copying"),
            State::Stopping { .. } => Standing::Working("stopping"),
            State::Draining { .. } => Standing::Working("last copy"),
            State::HandingOver(Handing::Waiting) => Standing::Waiting(awaited),
            State::HandingOver(Handing::Blocked) => Standing::BlockedOn(awaited),
            State::HandingOver(Handing::Asking) => Standing::Asking(awaited),
            State::Relinquished(Handing::Waiting) => Standing::Waiting(Awaited::Started),
            State::Relinquished(Handing::Blocked) => Standing::BlockedOn(Awaited::Started),
            State::Relinquished(Handing::Asking) => Standing::Asking(Awaited::Started),
            State::Ended(report) => Standing::Ended(*report),
        }
    }
}
