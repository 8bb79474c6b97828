//! The source's side of the handover: messages of the destination, silence, questions.
//!
//! `autostart`: *Started* → R, *Released*. `three-phase`: *Ready* → R, *Go* → *Started*.

use super::{Action, Actions, Answer, Awaited, Channel, Handing, Host, Message, Report, Source, State, Timer};
use crate::scenario::policy::{HandoverKind, OnSilence};

impl Source {
    pub(super) fn awaited(&self) -> Awaited {
        match self.settings.policy.handover.kind {
            HandoverKind::Autostart => Awaited::Started,
            HandoverKind::ThreePhase => Awaited::Ready,
        }
    }

    /// The destination fell silent when it may have everything.
    pub(super) fn handover_silence(&mut self, out: &mut Actions) {
        match self.settings.policy.handover.on_silence {
            OnSilence::Resume => self.roll_back(out),
            OnSilence::Wait => self.state = State::HandingOver(Handing::Blocked),
            OnSilence::Ask => {
                self.state = State::HandingOver(Handing::Asking);
                self.ask(out);
            }
        }
    }

    /// The destination fell silent after "go": nothing is left to decide here, but memory to free if it runs.
    pub(super) fn silence_after_go(&mut self, out: &mut Actions) {
        if self.settings.policy.handover.on_silence == OnSilence::Ask {
            self.state = State::Relinquished(Handing::Asking);
            self.ask(out);
        } else {
            self.state = State::Relinquished(Handing::Blocked);
        }
    }

    pub(super) fn ask(&mut self, out: &mut Actions) {
        out.push(Action::Connect { peer: Host::Destination, channel: Channel::Question });
        self.send(Channel::Question, Message::Ask, out);
        out.set(Timer::Ask, self.settings.policy.handover.ask_period);
    }

    pub(super) fn message(&mut self, channel: Channel, message: &Message, out: &mut Actions) {
        match message {
            Message::Cancel => self.cancelled(out),
            Message::Ready | Message::Answer(Answer::Holding) => self.ready(channel, out),
            Message::Started | Message::Answer(Answer::Running) => self.started(channel, out),
            Message::Ask => self.asked(out),
            Message::Request(fault) => self.requested(*fault, out),
            Message::Complete => self.complete(channel, out),
            Message::Have(list) => self.has(*list, out),
            Message::Pause => self.told_to_pause(out),
            Message::Degrade => self.give_up_restoring(channel, out),
            Message::Abandon => self.abandoned_there(out),
            Message::Recover => self.recover(out),
            Message::Answer(Answer::Abandoned)
                if matches!(
                    self.state,
                    State::HandingOver(_) | State::Paused { heard: false, .. } | State::Resyncing { heard: false, .. }
                ) =>
            {
                self.roll_back(out);
            }
            _ => {}
        }
    }

    /// The destination holds everything and waits: R, and "go" on the connection it speaks on.
    fn ready(&mut self, channel: Channel, out: &mut Actions) {
        match self.state {
            State::HandingOver(_) if self.awaited() == Awaited::Ready => out.push(Action::Relinquish),
            State::Relinquished(_) => {}
            _ => return,
        }
        out.cancel(Timer::Ask);
        let go = if channel == Channel::Question { Message::Answer(Answer::Go) } else { Message::Go };
        self.send(channel, go, out);
        self.state = State::Relinquished(Handing::Waiting);
        self.detector.start(out);
    }

    /// The VM runs at the destination.
    fn started(&mut self, channel: Channel, out: &mut Actions) {
        match self.state {
            State::Pushing(_) | State::Paused { .. } | State::Resyncing { .. } => return self.runs_there(out),
            State::HandingOver(_) => {
                out.push(Action::Relinquish);
                self.send(channel, Message::Released, out);
            }
            State::Relinquished(_) => {}
            _ => return,
        }
        out.cancel(Timer::Ask);
        self.detector.stop(out);
        out.push(Action::Discard);
        out.report(self.attempt, Report::Success);
        self.state = State::Ended(Report::Success);
    }

    /// The destination asks, so it holds everything and has not been told to run.
    fn asked(&mut self, out: &mut Actions) {
        match self.state {
            State::HandingOver(_) => self.ready(Channel::Question, out),
            State::Relinquished(_) => self.send(Channel::Question, Message::Answer(Answer::Go), out),
            State::Ended(Report::Failure) => {
                self.send(Channel::Question, Message::Answer(Answer::Abandoned), out);
            }
            _ => {}
        }
    }
}
