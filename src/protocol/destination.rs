//! The destination: receives memory and state, and runs the VM when the handover lets it.
//!
//! Before it holds all that it needs to run, a silent source makes it drop what it has. Once it holds everything and waits
//! for "go", `destination_on_silence` decides. In post-copy CPU and devices are all that it needs, and a silent source pauses it.

mod fetch;
mod protect;
mod restart;

use std::collections::BTreeSet;

use super::checkpoint::Checkpointer;
use super::detector::Detector;
use super::recovery::Recovery;
use super::{
    Action, Actions, Agent, Answer, Attempt, Awaited, Channel, Input, Message, Report, Settings, Standing, StateId,
    Suspicion, Timer,
};
use crate::scenario::policy::{HandoverKind, OnSilence};
use crate::units::{LocalTime, PageCount};
use crate::vocabulary::Host;
use fetch::Fetching;

/// The destination's agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    settings: Settings,
    detector: Detector,
    attempt: Attempt,
    state: State,
    /// The source asks and is owed an answer once it is known whether the VM runs here.
    asked: bool,
    /// The source fell silent while the state was being loaded.
    silent: bool,
    /// The VM is to run before its memory is here.
    post_copy: bool,
    /// Connections held at a flush until it has come on all of them.
    flushed: BTreeSet<Channel>,
    /// Makes checkpoints of the copy here.
    checkpointer: Option<Checkpointer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum State {
    Idle,
    /// Pages arrive.
    Receiving,
    /// CPU and devices are being loaded.
    Loading,
    /// Everything is here; waits for "go".
    Holding(Waiting),
    /// CPU and devices are loaded, and the right to run is not granted.
    Unleased,
    /// The vCPUs are being started.
    Starting,
    /// The VM runs, and pages are missing.
    Fetching(Fetching),
    /// The VM runs; `autostart` waits to hear that the source has given it up.
    Running {
        source_suspect: bool,
    },
    /// The VM runs at the source, and this node is to restore it if that is lost.
    Standby,
    /// The VM is being restored here; what the copy that is here was waiting for, if it was.
    Restoring(Recovery, Option<Fetching>),
    /// Its part is done.
    Ended(Report),
}

/// How it waits for "go".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Waiting {
    Trusting,
    Blocked,
    Asking,
}

impl Destination {
    /// Before the first page.
    pub fn new(settings: Settings) -> Self {
        let detector = Detector::new(settings.policy.detector.heartbeat.clone());
        Self {
            detector,
            attempt: Attempt::default(),
            state: State::Idle,
            asked: false,
            silent: false,
            post_copy: false,
            flushed: BTreeSet::new(),
            checkpointer: protect::checkpointer(&settings),
            settings,
        }
    }

    fn autostarts(&self) -> bool {
        self.settings.policy.handover.kind == HandoverKind::Autostart
    }

    fn send(&self, channel: Channel, message: Message, out: &mut Actions) {
        out.send(Host::Source, channel, self.attempt, message);
    }

    /// The first page of an attempt opens it.
    fn open(&mut self, attempt: Attempt, out: &mut Actions) {
        if attempt > self.attempt && self.state != State::Idle {
            self.forget_attempt(out);
        }
        if self.state == State::Idle {
            self.attempt = attempt;
            self.state = State::Receiving;
            self.detector.start(out);
        }
    }

    fn message(&mut self, channel: Channel, message: &Message, now: LocalTime, out: &mut Actions) {
        match (message, &self.state) {
            (Message::Pages(batch), State::Receiving | State::Fetching(_)) => {
                out.push(Action::Place { channel, batch: *batch });
            }
            (Message::Flush, State::Receiving) => self.flush(channel, out),
            (Message::State(state), State::Receiving) => self.load(*state, out),
            (Message::Switch { state, stale }, State::Receiving) => self.switch(*state, *stale, now, out),
            (Message::Resync, _) => self.resync(out),
            (Message::Pause, _) => self.pause(out),
            (Message::Go | Message::Answer(Answer::Go), State::Holding(_)) => {
                out.push(Action::Conclude);
                self.run(out);
            }
            (Message::Released, State::Running { .. }) => {
                out.push(Action::Conclude);
                self.unprotect(out);
                self.end(Report::Success, out);
            }
            (Message::Protect, State::Idle) => self.stand_by(out),
            (Message::Degrade, State::Standby) => self.stand_down(channel, out),
            (Message::Abandon, State::Standby) => self.restore(out),
            (Message::Degraded, _) => self.degrade(out),
            (Message::Answer(Answer::Abandoned), State::Holding(_)) => self.abandon(out),
            (Message::Ask, _) if channel == Channel::Question => self.answer(channel, out),
            (Message::Pages(_), State::Ended(Report::Failure)) => {
                // Of an attempt that it has given up: told so as a closed socket tells it.
                out.push(Action::Disconnect { channel });
            }
            _ => {}
        }
    }

    /// All that came before on this connection is placed; what follows waits until that is so on every connection.
    fn flush(&mut self, channel: Channel, out: &mut Actions) {
        out.push(Action::Hold(channel));
        self.flushed.insert(channel);
        if self.connections().all(|connection| self.flushed.contains(&connection)) {
            for channel in std::mem::take(&mut self.flushed) {
                out.push(Action::ReadOn(channel));
            }
        }
    }

    /// That of the migration, and those for pages beside it.
    fn connections(&self) -> impl Iterator<Item = Channel> {
        let pages = self.settings.page_channels().into_iter();
        [Channel::Migration].into_iter().chain(pages.filter(|channel| *channel != Channel::Migration))
    }

    fn load(&mut self, state: StateId, out: &mut Actions) {
        self.state = State::Loading;
        out.push(Action::Load(state));
    }

    fn loaded(&mut self, now: LocalTime, out: &mut Actions) {
        if self.post_copy && !self.may_run(now) {
            // It runs when its lease is granted, and reads no page before.
            for channel in [Channel::Migration, Channel::Preempt] {
                out.push(Action::Hold(channel));
            }
            self.state = State::Unleased;
        } else if self.post_copy || self.autostarts() {
            self.run(out);
        } else {
            self.state = State::Holding(Waiting::Trusting);
            self.send(Channel::Migration, Message::Ready, out);
            if self.silent {
                self.detector.stop(out);
                self.silent_while_holding(out);
            }
        }
    }

    fn run(&mut self, out: &mut Actions) {
        out.cancel(Timer::Ask);
        out.push(Action::Resume);
        self.state = State::Starting;
    }

    fn resumed(&mut self, now: LocalTime, out: &mut Actions) {
        if self.post_copy {
            return self.began(now, out);
        }
        out.report(self.attempt, Report::Success);
        self.state = State::Running { source_suspect: self.silent };
        if std::mem::take(&mut self.asked) {
            self.send(Channel::Question, Message::Answer(Answer::Running), out);
        } else {
            self.send(Channel::Migration, Message::Started, out);
        }
        if !self.autostarts() {
            self.end(Report::Success, out);
        }
    }

    fn end(&mut self, report: Report, out: &mut Actions) {
        self.detector.stop(out);
        out.cancel(Timer::Ask);
        self.state = State::Ended(report);
    }

    /// Drops what it has; it will never run this attempt's copy.
    fn abandon(&mut self, out: &mut Actions) {
        for channel in self.connections() {
            out.push(Action::Disconnect { channel });
        }
        self.drop_copy(out);
    }

    fn drop_copy(&mut self, out: &mut Actions) {
        out.push(Action::DropWork);
        out.push(Action::Discard);
        out.report(self.attempt, Report::Failure);
        self.end(Report::Failure, out);
    }

    fn suspect(&mut self, why: Suspicion, out: &mut Actions) {
        if why == Suspicion::TransportError && matches!(self.state, State::Holding(_)) {
            // What is said next can only be said where a question is asked.
            self.asked = true;
        }
        match &mut self.state {
            State::Fetching(_) => self.suspect_while_fetching(why, out),
            State::Receiving => {
                out.push(Action::Suspect(why));
                self.abandon(out);
            }
            State::Holding(Waiting::Trusting) => {
                out.push(Action::Suspect(why));
                self.silent_while_holding(out);
            }
            State::Running { source_suspect } => {
                if !std::mem::replace(source_suspect, true) {
                    out.push(Action::Suspect(why));
                }
            }
            State::Loading | State::Starting | State::Unleased => {
                out.push(Action::Suspect(why));
                self.silent = true;
            }
            State::Standby => {
                out.push(Action::Suspect(why));
                self.restore(out);
            }
            State::Idle
            | State::Ended(_)
            | State::Restoring(..)
            | State::Holding(Waiting::Blocked | Waiting::Asking) => return,
        }
        self.detector.stop(out);
    }

    fn silent_while_holding(&mut self, out: &mut Actions) {
        match self.settings.policy.handover.destination_on_silence {
            OnSilence::Resume => self.run(out),
            OnSilence::Wait => self.state = State::Holding(Waiting::Blocked),
            OnSilence::Ask => {
                self.state = State::Holding(Waiting::Asking);
                self.ask(out);
            }
        }
    }

    fn ask(&mut self, out: &mut Actions) {
        out.push(Action::Connect { peer: Host::Source, channel: Channel::Question });
        self.send(Channel::Question, Message::Ask, out);
        out.set(Timer::Ask, self.settings.policy.handover.ask_period);
    }

    /// The source asks where this node stands. Whoever answers "abandoned" must mean it.
    fn answer(&mut self, channel: Channel, out: &mut Actions) {
        let answer = match self.state {
            State::Fetching(_) | State::Running { .. } | State::Ended(Report::Success) => Answer::Running,
            State::Holding(_) => Answer::Holding,
            State::Loading | State::Starting | State::Unleased => {
                self.asked = true;
                return;
            }
            State::Standby | State::Restoring(..) => return,
            State::Idle | State::Receiving => {
                self.abandon(out);
                Answer::Abandoned
            }
            State::Ended(Report::Failure) => Answer::Abandoned,
        };
        self.send(channel, Message::Answer(answer), out);
    }
}

impl Agent for Destination {
    fn step(&mut self, now: LocalTime, input: Input, out: &mut Actions) {
        if self.detector.step(&input, now, out) {
            self.suspect(Suspicion::Heartbeat, out);
            return;
        }
        if self.step_protection(now, &input, out) {
            return;
        }
        match input {
            Input::Message { channel, envelope, .. } => {
                match envelope.message {
                    Message::Pages(_) | Message::Flush | Message::State(_) | Message::Switch { .. } => {
                        self.open(envelope.attempt, out);
                    }
                    Message::Ask | Message::Resync | Message::Protect if self.state == State::Idle => {
                        self.attempt = envelope.attempt;
                    }
                    _ => {}
                }
                if envelope.attempt == self.attempt {
                    self.message(channel, &envelope.message, now, out);
                }
            }
            Input::Restarted { disk, vm } => self.restarted(disk.attempt, vm, out),
            Input::Pinged { number } => out.push(Action::Pong { number }),
            Input::Timer(Timer::Ask) if self.state == State::Holding(Waiting::Asking) => self.ask(out),
            Input::Broken { channel } if channel.is_migration() => self.suspect(Suspicion::TransportError, out),
            Input::Loaded => self.loaded(now, out),
            Input::Fault(fault) => self.fault(fault, out),
            Input::Satisfied(fault) => self.satisfied(fault),
            Input::Placed { missing, .. } => self.placed(missing, out),
            Input::Surveyed(list) => self.surveyed(list, out),
            Input::Resumed => self.resumed(now, out),
            _ => {}
        }
    }

    fn attempt(&self) -> Option<Attempt> {
        Some(self.attempt)
    }

    fn standing(&self) -> Standing {
        match self.state {
            State::Idle => Standing::Idle,
            State::Receiving => Standing::Working("receiving"),
            State::Loading => Standing::Working("loading"),
            State::Unleased => Standing::Working("awaiting its lease"),
            State::Standby => Standing::Working("standing by"),
            State::Restoring(ref recovery, _) => recovery.standing(),
            State::Holding(Waiting::Trusting) => Standing::Waiting(Awaited::Go),
            State::Holding(Waiting::Blocked) => Standing::BlockedOn(Awaited::Go),
            State::Holding(Waiting::Asking) => Standing::Asking(Awaited::Go),
            State::Starting => Standing::Working("starting"),
            State::Fetching(Fetching { paused: false, .. }) => Standing::Working("fetching"),
            State::Fetching(Fetching { paused: true, .. }) => Standing::BlockedOn(Awaited::Recovery),
            State::Running { source_suspect: false } => Standing::Waiting(Awaited::Released),
            State::Running { source_suspect: true } => Standing::BlockedOn(Awaited::Released),
            State::Ended(report) => Standing::Ended(report),
        }
    }
}
