//! The source: copies memory, stops the VM, hands it over, and decides whether it may run its own copy again.
//!
//! Its right to resume ends at one action, [`Action::Relinquish`] (R). Before it, `on_silence` says what a silent destination
//! means once the state has been sent; before the state is sent the copy here is the only one that can run. In post-copy the right
//! ends earlier, at [`Action::Serve`], and R only frees the copy.

mod channels;
mod handover;
mod protect;
mod push;
mod restart;
mod state;

use self::channels::{PageChannels, Read};
use super::checkpoint::Checkpointer;
use super::detector::Detector;
use super::pacing::{Limit, Next, Pacer, Spans};
use super::precopy::{Rounds, Step};
use super::{
    Action, Actions, Agent, Answer, Attempt, Awaited, Channel, Input, Message, Report, Settings, Standing, StateId,
    Suspicion, Timer,
};
use crate::scenario::policy::{Hybrid, Migration, Switch, TransportError};
use crate::units::{LocalTime, PageCount, Ratio};
use crate::vocabulary::{Host, RoundsEnd};
use state::{Handing, State};

/// The source's agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    settings: Settings,
    detector: Detector,
    attempt: Attempt,
    state: State,
    /// The connection is known to be over; noticed at the next write where the policy says so.
    broken: bool,
    channels: PageChannels,
    /// CPU and devices as they were when the VM left: those of the base.
    base: Option<StateId>,
    /// Makes checkpoints of what is here.
    checkpointer: Option<Checkpointer>,
    /// What others know of its restoring the VM here.
    restorer: protect::Restorer,
}

impl Source {
    /// Before any command.
    pub fn new(settings: Settings) -> Self {
        let detector = Detector::new(settings.policy.detector.heartbeat.clone());
        let channels = PageChannels::new(&settings);
        let checkpointer = protect::checkpointer(&settings);
        Self {
            settings,
            detector,
            attempt: Attempt::default(),
            state: State::Idle,
            broken: false,
            channels,
            base: None,
            checkpointer,
            restorer: protect::Restorer::default(),
        }
    }

    fn send(&self, channel: Channel, message: Message, out: &mut Actions) {
        out.send(Host::Destination, channel, self.attempt, message);
    }

    fn migrate(&mut self, attempt: Attempt, now: LocalTime, out: &mut Actions) {
        // The VM runs here before the first attempt, and after one that failed.
        let again = self.state == State::Ended(Report::Failure) && attempt > self.attempt;
        if self.state != State::Idle && !again {
            return;
        }
        if again {
            *self = Self::new(self.settings.clone());
        }
        self.attempt = attempt;
        if self.settings.policy.migration == Migration::None {
            return self.protect(now, out);
        }
        self.state = State::Setup;
        self.connect(out);
        self.open_session(out);
        self.detector.start(out);
        out.set(Timer::Setup, self.settings.setup);
    }

    fn set_up(&mut self, now: LocalTime, out: &mut Actions) {
        out.push(Action::StartLog);
        match self.settings.policy.migration.clone() {
            Migration::PostCopy(_) => self.stop(Limit::None, true, out),
            Migration::PreCopy(policy) | Migration::Hybrid(Hybrid { pre_copy: policy, .. }) => {
                let switch = match &self.settings.policy.migration {
                    Migration::Hybrid(hybrid) => Some(hybrid.switch),
                    _ => None,
                };
                if let Some(Switch::Time(after)) = switch {
                    out.set(Timer::Switch, after);
                }
                if let Some(cap) = policy.caps.time {
                    out.set(Timer::TimeCap, cap.max);
                }
                let rounds = Rounds::new(policy, switch, self.settings.page_size, self.spans(), now);
                self.state = State::Copying { rounds, awaiting_window: false };
                self.take(now, out);
            }
            Migration::StopAndCopy | Migration::None => self.stop(Limit::None, false, out),
        }
    }

    fn spans(&self) -> Spans {
        Spans { window: self.settings.window, iteration: self.settings.iteration }
    }

    fn stop(&mut self, limit: Limit, switch: bool, out: &mut Actions) {
        for timer in [Timer::Window, Timer::Pace, Timer::TimeCap, Timer::Switch] {
            out.cancel(timer);
        }
        out.push(Action::Stop);
        self.state = State::Stopping { limit, switch };
    }

    fn follow(&mut self, step: Step, now: LocalTime, out: &mut Actions) {
        let step = self.channels.agree(step);
        if let State::Copying { awaiting_window, .. } = &mut self.state {
            *awaiting_window = matches!(step, Some(Step::AwaitWindow(_)));
        }
        match step {
            // Another channel is still at work.
            None => {}
            Some(Step::AwaitWindow(wait)) => {
                out.set(Timer::Window, wait);
                self.take_made_up(now, out);
            }
            Some(Step::Take) => self.take(now, out),
            Some(Step::Sync) => self.sync(out),
            Some(Step::Pace(wait)) => out.set(Timer::Pace, wait),
            Some(Step::Stop(end)) => {
                out.push(Action::EndRounds(end));
                self.stop(self.last_copy_limit(), false, out);
            }
            Some(Step::Switch) => {
                out.push(Action::EndRounds(RoundsEnd::PostCopy));
                self.stop(self.last_copy_limit(), true, out);
            }
            Some(Step::Abort(end)) => {
                out.push(Action::EndRounds(end));
                self.roll_back(out);
            }
        }
    }

    fn last_copy_limit(&self) -> Limit {
        self.settings.policy.migration.pre_copy().map_or(Limit::None, Rounds::last_copy_limit)
    }

    /// The migration is over before the destination can have everything: the VM goes on here.
    fn roll_back(&mut self, out: &mut Actions) {
        let was_stopped = !matches!(self.state, State::Setup | State::Copying { .. });
        out.push(Action::DropWork);
        for timer in [Timer::Setup, Timer::Window, Timer::Pace, Timer::TimeCap, Timer::Switch, Timer::Ask] {
            out.cancel(timer);
        }
        self.detector.stop(out);
        self.disconnect(out);
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
            | State::Paused { .. }
            | State::Ended(_)
            | State::Protecting
            | State::Restoring(..)
            | State::HandingOver(Handing::Blocked | Handing::Asking)
            | State::Relinquished(Handing::Blocked | Handing::Asking) => return,
            State::Setup
            | State::Copying { .. }
            | State::Stopping { .. }
            | State::Switching { .. }
            | State::Draining { .. } => {
                out.push(Action::Suspect(why));
                self.roll_back(out);
            }
            State::Pushing(_) | State::Resyncing { .. } => {
                out.push(Action::Suspect(why));
                if self.may_restore() {
                    self.restore(out);
                } else {
                    self.silence_in_post_copy(out);
                }
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
        let reading = match &self.state {
            State::HandingOver(_) | State::Relinquished(_) | State::Resyncing { .. } => true,
            State::Pushing(pushing) => pushing.is_done(),
            _ => false,
        };
        match self.settings.policy.detector.transport_error {
            TransportError::AtOnce => self.suspect(Suspicion::TransportError, out),
            TransportError::AtNextWrite if reading => self.suspect(Suspicion::TransportError, out),
            TransportError::AtNextWrite | TransportError::Ignored => {}
        }
    }

    /// Writes to a page channel; true unless that shows that it is broken.
    fn write(&mut self, channel: Channel, message: Message, out: &mut Actions) -> bool {
        if self.broken && self.settings.policy.detector.transport_error == TransportError::AtNextWrite {
            self.suspect(Suspicion::TransportError, out);
            return false;
        }
        self.send(channel, message, out);
        true
    }

    /// Work for the rounds or the last copy has ended.
    fn worked(&mut self, now: LocalTime, input: &Input, out: &mut Actions) {
        match (&mut self.state, input) {
            (State::Copying { rounds, .. }, Input::Taken { channel, batch, pending }) => {
                let (left, read) = self.channels.read(*channel, batch, *pending);
                rounds.taken(left);
                match read {
                    Read::Pages => _ = self.write(*channel, Message::Pages(*batch), out),
                    Read::Nothing(sent) => {
                        let step = rounds.ran_out(sent, now);
                        self.follow(step, now, out);
                    }
                }
            }
            (State::Copying { rounds, .. }, Input::Sent { channel }) => {
                let Some((began, bytes)) = self.channels.written(*channel, out) else { return };
                let step = rounds.sent(bytes, began, now);
                self.follow(step, now, out);
            }
            (State::Copying { rounds, .. }, Input::Synced { pending }) => {
                self.channels.synced();
                let before = rounds.throttle();
                let step = rounds.synced(*pending, now);
                let after = rounds.throttle();
                if before != after {
                    out.push(Action::Throttle(after));
                }
                self.follow(step, now, out);
            }
            (State::Stopping { switch: true, .. }, Input::Stopped { state }) => {
                self.stopped_to_switch(*state, now, out);
            }
            (State::Switching { state }, _) => {
                let state = *state;
                self.switching(state, now, input, out);
            }
            (State::Pushing(_) | State::Resyncing { .. }, _) => self.pushed(now, input, out),
            (State::Stopping { limit, .. }, Input::Stopped { state }) => {
                let pacer = Pacer::new(*limit, self.spans(), now);
                self.state = State::Draining { pacer, state: *state, pending: PageCount::ZERO };
                self.sync(out);
            }
            (State::Draining { pending, .. }, Input::Synced { pending: left }) => {
                self.channels.synced();
                *pending = *left;
                self.drain(now, out);
            }
            (State::Draining { pending, .. }, Input::Taken { channel, batch, pending: left }) => {
                let read;
                (*pending, read) = self.channels.read(*channel, batch, *left);
                if matches!(read, Read::Pages) {
                    self.write(*channel, Message::Pages(*batch), out);
                } else {
                    self.drain(now, out);
                }
            }
            (State::Draining { pacer, .. }, Input::Sent { channel }) => {
                let Some((began, bytes)) = self.channels.written(*channel, out) else { return };
                match pacer.sent(bytes, began, now) {
                    Next::After(wait) => out.set(Timer::Pace, wait),
                    Next::Now | Next::AtWindow(_) => self.drain(now, out),
                }
            }
            (State::HandingOver(_), Input::Sent { .. }) => out.push(Action::EndSending),
            _ => {}
        }
    }

    /// Sends the next of the last pages, or the state.
    fn drain(&mut self, now: LocalTime, out: &mut Actions) {
        let State::Draining { state, pending, .. } = self.state else { return };
        if pending > PageCount::ZERO {
            self.take(now, out);
        } else if self.channels.all_idle()
            && self.flush(out)
            && self.write(Channel::Migration, Message::State(state), out)
        {
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
            (State::Copying { rounds, .. }, Timer::Switch) => rounds.switch_is_due(),
            (State::Pushing(_), Timer::Window) => self.push_window(now, out),
            (
                State::HandingOver(Handing::Asking)
                | State::Relinquished(Handing::Asking)
                | State::Paused { asking: true, .. },
                Timer::Ask,
            ) => self.ask(out),
            _ => {}
        }
    }

    fn cancelled(&mut self, out: &mut Actions) {
        if self.state.can_be_cancelled() {
            self.roll_back(out);
        }
    }
}

impl Agent for Source {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        if self.detector.step(&input, now, out) {
            self.suspect(Suspicion::Heartbeat, out);
            return;
        }
        self.step_protection(now, &input, out);
        match input {
            Input::Message { envelope, .. } if envelope.message == Message::Migrate => {
                self.migrate(envelope.attempt, now, out);
            }
            Input::Message { channel, envelope, .. } if envelope.attempt == self.attempt => {
                self.message(channel, &envelope.message, out);
            }
            Input::Restarted { disk, vm } => self.restarted(disk, vm, out),
            Input::Pinged { number } => out.push(Action::Pong { number }),
            Input::Timer(timer) => self.timer(timer, now, out),
            Input::Broken { channel } if channel.is_migration() => self.broke(out),
            Input::Sent { channel: Channel::Checkpoint } => {}
            Input::Taken { .. }
            | Input::Sent { .. }
            | Input::Synced { .. }
            | Input::Stopped { .. }
            | Input::Surveyed(_) => {
                self.worked(now, &input, out);
            }
            _ => {}
        }
    }

    fn attempt(&self) -> Option<Attempt> {
        Some(self.attempt)
    }

    fn standing(&self) -> Standing {
        self.state.standing(self.awaited())
    }
}
