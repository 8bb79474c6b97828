//! Faults as text.

use crate::scenario::schema::Empty;
use crate::scenario::schema::fault as text;
use crate::scenario::schema::quantity::{Text, Word};
use crate::scenario::{Direction, EventMoment, EventPlace, Fault, FaultKind, Law, Part, Trigger};
use crate::units::Span;
use crate::vocabulary::Host;

pub(super) fn fault(fault: &Fault) -> text::Fault {
    text::Fault {
        what: what(&fault.what),
        when: when(&fault.when),
        lasts: fault.lasts.map(Text),
        restarts_after: fault.restarts_after.map(Text),
    }
}

fn what(what: &FaultKind) -> text::What {
    match what {
        FaultKind::Crash(host) => text::What::Crash(Word(*host)),
        FaultKind::CrashVmm(host) => text::What::CrashVmm(Word(*host)),
        FaultKind::CrashAgent(host) => text::What::CrashAgent(Word(*host)),
        FaultKind::CrashStore => text::What::CrashStore(Empty {}),
        FaultKind::HangStore => text::What::HangStore(Empty {}),
        FaultKind::SlowStore(factor) => text::What::SlowStore(text::SlowStore { factor: Text(*factor) }),
        FaultKind::FillStore => text::What::FillStore(Empty {}),
        FaultKind::LoseVersion => text::What::LoseVersion(Empty {}),
        FaultKind::TearVersion => text::What::TearVersion(Empty {}),
        FaultKind::Hang(Part::Host, host) => text::What::Hang(text::Hang::Host(Word(*host))),
        FaultKind::Hang(Part::Vmm, host) => text::What::Hang(text::Hang::Vmm(Word(*host))),
        FaultKind::Hang(Part::Agent, host) => text::What::Hang(text::Hang::Agent(Word(*host))),
        FaultKind::Slow { host, factor } => text::What::Slow(text::Slow { of: Word(*host), factor: Text(*factor) }),
        FaultKind::Cut { from, to, direction } => {
            let (from, to, direction) = between(*from, *to, *direction);
            text::What::Cut(text::Cut { from, to, direction })
        }
        FaultKind::Flap { from, to, direction, down, up, times } => {
            let (from, to, direction) = between(*from, *to, *direction);
            text::What::Flap(text::Flap { from, to, direction, down: Text(*down), up: Text(*up), times: *times })
        }
        FaultKind::Degrade { from, to, direction, rate, latency, loss } => {
            let (from, to, direction) = between(*from, *to, *direction);
            let (rate, latency, loss) = (Some(Text(*rate)), Some(Text(*latency)), Some(Text(*loss)));
            text::What::Degrade(text::Degrade { from, to, direction, rate, latency, loss })
        }
        FaultKind::DegradeCard { host, rate } => {
            text::What::DegradeCard(text::DegradeCard { of: Word(*host), rate: Text(*rate) })
        }
        FaultKind::Reset => text::What::Reset(Empty {}),
        FaultKind::Silence => text::What::Silence(Empty {}),
        FaultKind::LoseHeartbeats { sent_by } => {
            text::What::LoseHeartbeats(text::LoseHeartbeats { sent_by: sent_by.map(Word) })
        }
        FaultKind::Group(members) => text::What::Group(members.iter().map(self::what).collect()),
    }
}

type Between = (Option<Word<Host>>, Option<Word<Host>>, Option<Word<Direction>>);

fn between(from: Host, to: Host, direction: Direction) -> Between {
    (Some(Word(from)), Some(Word(to)), Some(Word(direction)))
}

fn when(when: &Trigger) -> text::When {
    match when {
        Trigger::At(time) => text::When::At(Text(*time)),
        Trigger::Phase { name, round, progress, after } => text::When::Phase(text::PhaseTrigger {
            name: Word(*name),
            round: *round,
            progress: Some(Text(*progress)),
            after: Some(Text(*after)),
        }),
        Trigger::Message { kind, n, moment } => {
            text::When::Message(text::MessageTrigger { kind: Word(*kind), n: Some(*n), moment: Some(Word(*moment)) })
        }
        Trigger::Outputs { n, stage } => text::When::Outputs(text::OutputTrigger { n: *n, stage: Some(Word(*stage)) }),
        Trigger::Event { n, place } => text::When::Event(match *place {
            EventPlace::Before => event(*n, EventMoment::Before, None, None),
            EventPlace::Within(actions) => event(*n, EventMoment::Within, Some(actions), None),
            EventPlace::After(after) => event(*n, EventMoment::After, None, Some(Text(after))),
        }),
        Trigger::Law { law: time, from, within } => {
            let within = within.map(Text);
            text::When::Law(text::LawTrigger { time: law(time), from: Some(Word(*from)), within })
        }
    }
}

fn event(n: u64, moment: EventMoment, actions: Option<u64>, after: Option<Text<Span>>) -> text::EventTrigger {
    text::EventTrigger { n, moment: Some(Word(moment)), actions, after }
}

fn law(law: &Law) -> text::Law {
    match law {
        Law::Exponential { mean } => text::Law::Exponential(text::Exponential { mean: Text(*mean) }),
        Law::Weibull { scale, shape } => text::Law::Weibull(text::Weibull { scale: Text(*scale), shape: Text(*shape) }),
        Law::LogNormal { median, sigma } => {
            text::Law::LogNormal(text::LogNormal { median: Text(*median), sigma: Text(*sigma) })
        }
        Law::Gamma { scale, shape } => {
            text::Law::Gamma(text::Gamma { mean: None, scale: Some(Text(*scale)), shape: Text(*shape) })
        }
        Law::Uniform { from, to } => text::Law::Uniform(text::Uniform { from: Text(*from), to: Text(*to) }),
        Law::Empirical(times) => {
            text::Law::Empirical(text::Empirical::Values(times.iter().copied().map(Text).collect()))
        }
    }
}
