//! The source in post-copy: it has sent CPU and devices, and its pages follow the VM.
//!
//! Until it has heard that the VM runs at the destination, its own copy is the VM's as much as the other, and `on_silence`
//! says what a silent destination means. From then on the copy here only serves pages ([`Action::Serve`]): it never
//! runs, and when the connection is lost the source waits to be told to recover.

use std::collections::VecDeque;

use super::{
    Action, Actions, Channel, Limit, LocalTime, Message, Next, Pacer, PageCount, Report, Source, State, StateId, Timer,
};
use crate::protocol::{FaultId, Input, PageList};
use crate::scenario::policy::{OnSilence, PostCopy};
use crate::units::Bytes;

/// Pages follow the VM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pushing {
    pacer: Pacer,
    /// The limit's budget is used up in this window.
    held_back: bool,
    /// Pages still to be read; `None`: not known before the first are.
    pending: Option<PageCount>,
    /// Asked for and not read yet.
    requests: VecDeque<FaultId>,
    /// What is under way on the migration channel, and on the other.
    main: Errand,
    urgent: Errand,
    /// The VM is known to run at the destination.
    heard: bool,
    /// It has said that every page is written.
    sent_all: bool,
}

/// What is under way on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Errand {
    Nothing,
    /// A page that was asked for and goes beside the limit, or a message without pages.
    Asked,
    /// Pages within the limit, of so many bytes once they are known.
    Push(Bytes),
}

impl Pushing {
    fn new(pacer: Pacer, pending: Option<PageCount>, main: Errand, heard: bool) -> Self {
        let requests = VecDeque::new();
        Self { pacer, held_back: false, pending, requests, main, urgent: Errand::Nothing, heard, sent_all: false }
    }

    /// Whether no page is left to be read: it only waits for news.
    pub(super) fn is_done(&self) -> bool {
        self.pending == Some(PageCount::ZERO)
    }

    fn errand(&mut self, channel: Channel) -> &mut Errand {
        if channel == Channel::Preempt { &mut self.urgent } else { &mut self.main }
    }
}

impl Source {
    fn post_copy(&self) -> &PostCopy {
        self.settings.policy.migration.post_copy().expect("only a post-copy switches over")
    }

    /// The VM stands and is to be moved. After rounds it must be found out which of the pages sent are out of date.
    pub(super) fn stopped_to_switch(&mut self, state: StateId, now: LocalTime, out: &mut Actions) {
        if self.settings.policy.migration.pre_copy().is_some() {
            self.state = State::Switching { state };
            self.sync(out);
        } else {
            self.switch(state, None, now, out);
        }
    }

    /// Work has ended while it is being found out what has to follow.
    pub(super) fn switching(&mut self, state: StateId, now: LocalTime, input: &Input, out: &mut Actions) {
        match input {
            Input::Synced { pending: PageCount::ZERO } => {
                // Nothing is left to follow: it ends as a pre-copy.
                self.channels.synced();
                let pacer = Pacer::new(Limit::None, self.spans(), now);
                self.state = State::Draining { pacer, state, pending: PageCount::ZERO };
                self.drain(now, out);
            }
            Input::Synced { .. } => out.push(Action::Survey),
            Input::Surveyed(outdated) => self.switch(state, Some(*outdated), now, out),
            _ => {}
        }
    }

    /// Sends CPU and devices.
    pub(super) fn switch(&mut self, state: StateId, outdated: Option<PageList>, now: LocalTime, out: &mut Actions) {
        out.push(Action::SendWhole);
        self.base = Some(state);
        if self.write(Channel::Migration, Message::Switch { state, stale: outdated }, out) {
            self.state = State::Pushing(self.pushing(None, Errand::Asked, false, now));
            self.send_image(state, now, out);
        }
    }

    fn pushing(&self, pending: Option<PageCount>, main: Errand, heard: bool, now: LocalTime) -> Pushing {
        let limit = self.post_copy().max_bandwidth.map_or(Limit::None, Limit::Window);
        Pushing::new(Pacer::new(limit, self.spans(), now), pending, main, heard)
    }

    /// Work has ended while pages follow the VM.
    pub(super) fn pushed(&mut self, now: LocalTime, input: &Input, out: &mut Actions) {
        match (&mut self.state, input) {
            (State::Pushing(pushing), Input::Taken { channel, batch, pending }) => {
                pushing.pending = Some(*pending);
                let errand = pushing.errand(*channel);
                if let Errand::Push(bytes) = errand {
                    *bytes = batch.bytes;
                }
                if batch.pages == PageCount::ZERO {
                    *errand = Errand::Nothing;
                    self.go_on(out);
                } else {
                    self.write(*channel, Message::Pages(*batch), out);
                }
            }
            (State::Pushing(pushing), Input::Sent { channel }) => {
                let errand = std::mem::replace(pushing.errand(*channel), Errand::Nothing);
                if let Errand::Push(bytes) = errand
                    && let Next::AtWindow(wait) = pushing.pacer.sent(bytes, now, now)
                {
                    pushing.held_back = true;
                    out.set(Timer::Window, wait);
                }
                self.look_at_requests(out);
                self.go_on(out);
            }
            (State::Resyncing { requests, .. }, Input::Synced { pending }) => {
                let requests = std::mem::take(requests);
                let pushing = Pushing { requests, ..self.pushing(Some(*pending), Errand::Nothing, true, now) };
                self.state = State::Pushing(pushing);
                out.tell_operator(self.attempt, Message::Recovered);
                self.go_on(out);
            }
            _ => {}
        }
    }

    /// A window of the limit ends.
    pub(super) fn push_window(&mut self, now: LocalTime, out: &mut Actions) {
        if let State::Pushing(pushing) = &mut self.state {
            pushing.pacer.next_iteration(now);
            pushing.held_back = false;
            self.finish(out);
            self.go_on(out);
        }
    }

    /// Lets what little is left go without the limit.
    fn finish(&mut self, out: &mut Actions) {
        let (page_size, finish) = (self.settings.page_size, self.post_copy().finish);
        let State::Pushing(pushing) = &mut self.state else { return };
        let rates = finish.zip(pushing.pacer.measured());
        let few = |pages: PageCount| rates.is_some_and(|(span, rate)| pages.bytes(page_size) < rate.bytes_in(span));
        if pushing.pacer.limit() != Limit::None && pushing.pending.is_some_and(few) {
            pushing.pacer.set_limit(Limit::None);
            pushing.held_back = false;
            out.cancel(Timer::Window);
        }
    }

    /// Reads what is next, on each channel that is free: what was asked for comes first, and on a channel of its own ignores the limit.
    fn go_on(&mut self, out: &mut Actions) {
        let PostCopy { push, preempt, .. } = *self.post_copy();
        let budget = self.settings.chunk;
        let State::Pushing(pushing) = &mut self.state else { return };
        let asked = if preempt { Channel::Preempt } else { Channel::Migration };
        if *pushing.errand(asked) == Errand::Nothing
            && (preempt || !pushing.held_back)
            && let Some(fault) = pushing.requests.pop_front()
        {
            *pushing.errand(asked) = if preempt { Errand::Asked } else { Errand::Push(Bytes::ZERO) };
            out.push(Action::Fetch { channel: asked, fault, push });
        }
        if pushing.main == Errand::Nothing && !pushing.is_done() && !pushing.held_back {
            pushing.main = Errand::Push(Bytes::ZERO);
            out.push(Action::Take { channel: Channel::Migration, budget, push });
        }
        let idle = pushing.main == Errand::Nothing && pushing.urgent == Errand::Nothing;
        if idle && pushing.is_done() && !std::mem::replace(&mut pushing.sent_all, true) {
            out.push(Action::EndSending);
        }
    }

    /// A vCPU at the destination waits for a page.
    pub(super) fn requested(&mut self, fault: FaultId, out: &mut Actions) {
        match &mut self.state {
            State::Pushing(pushing) => {
                pushing.requests.push_back(fault);
                self.look_at_requests(out);
                self.go_on(out);
            }
            State::Resyncing { requests, .. } => requests.push_back(fault),
            _ => {}
        }
    }

    /// A request on the one connection wakes a sender that has used up its budget. It sends nothing before the next window, but sees
    /// how much is left.
    fn look_at_requests(&mut self, out: &mut Actions) {
        let shared = !self.post_copy().preempt;
        if matches!(&self.state, State::Pushing(pushing) if shared && pushing.held_back && !pushing.requests.is_empty())
        {
            self.finish(out);
        }
    }

    /// Whether the VM is known to run at the destination.
    pub(super) fn has_heard(&self) -> bool {
        match &self.state {
            State::Pushing(Pushing { heard, .. }) | State::Resyncing { heard, .. } | State::Paused { heard, .. } => {
                *heard
            }
            _ => false,
        }
    }

    /// The VM runs at the destination: the copy here never will.
    pub(super) fn runs_there(&mut self, out: &mut Actions) {
        let heard = match &mut self.state {
            State::Pushing(Pushing { heard, .. }) | State::Resyncing { heard, .. } => heard,
            State::Paused { heard, asking } => {
                *asking = false;
                heard
            }
            _ => return,
        };
        if !std::mem::replace(heard, true) {
            out.cancel(Timer::Ask);
            out.push(Action::Serve);
        }
    }

    /// The destination fell silent while pages were to follow.
    pub(super) fn silence_in_post_copy(&mut self, out: &mut Actions) {
        let heard = match &self.state {
            State::Pushing(Pushing { heard, .. }) | State::Resyncing { heard, .. } => *heard,
            _ => return,
        };
        let on_silence = self.settings.policy.handover.on_silence;
        if !heard && on_silence == OnSilence::Resume {
            return self.roll_back(out);
        }
        self.pause(heard, out);
        if !heard && on_silence == OnSilence::Ask {
            self.state = State::Paused { heard, asking: true };
            self.ask(out);
        }
    }

    fn pause(&mut self, heard: bool, out: &mut Actions) {
        out.push(Action::DropWork);
        out.cancel(Timer::Window);
        self.detector.stop(out);
        out.push(Action::Pause);
        self.disconnect(out);
        self.state = State::Paused { heard, asking: false };
        out.tell_operator(self.attempt, Message::Paused);
    }

    pub(super) fn told_to_pause(&mut self, out: &mut Actions) {
        if let State::Pushing(Pushing { heard, .. }) | State::Resyncing { heard, .. } = self.state {
            self.pause(heard, out);
        }
    }

    /// The operator says: connect again. A source that has not paused does not, nor does QEMU's: a command that comes twice
    /// must not tear down what the first began.
    pub(super) fn recover(&mut self, out: &mut Actions) {
        let State::Paused { heard, .. } = self.state else { return };
        out.cancel(Timer::Ask);
        self.connect(out);
        self.detector.start(out);
        self.send(Channel::Migration, Message::Resync, out);
        self.state = State::Resyncing { heard, requests: VecDeque::new() };
    }

    /// The destination has these pages, so it runs the VM: the others are to be sent.
    pub(super) fn has(&mut self, list: PageList, out: &mut Actions) {
        if matches!(self.state, State::Resyncing { .. }) {
            self.runs_there(out);
            out.push(Action::Reconcile(list));
        }
    }

    /// Every page is at the destination: nothing of the VM is needed here any more.
    pub(super) fn complete(&mut self, channel: Channel, out: &mut Actions) {
        if !matches!(self.state, State::Pushing(_) | State::Paused { .. } | State::Resyncing { .. }) {
            return;
        }
        out.cancel(Timer::Ask);
        out.cancel(Timer::Window);
        self.detector.stop(out);
        out.push(Action::Relinquish);
        self.send(channel, Message::Released, out);
        out.push(Action::Discard);
        out.report(self.attempt, Report::Success);
        self.state = State::Ended(Report::Success);
    }
}
