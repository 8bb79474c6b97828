//! `faults`: each must be able to strike, only what can end may have an end, and only what dies can start again.

mod law;

use super::context::{Context, Place};
use crate::scenario::policy::Policy;
use crate::scenario::schema::fault as text;
use crate::scenario::schema::quantity::Word;
use crate::scenario::{Direction, EventMoment, EventPlace, Fault, FaultKind, Moment, Origin, Part, Stage, Trigger};
use crate::units::{Ratio, Span};
use crate::vocabulary::{Host, Phase};

pub(super) fn faults(
    context: &mut Context<'_>,
    faults: &[text::Fault],
    policy: &Policy,
    emits: bool,
    at: &Place,
) -> Vec<Fault> {
    let numbered = faults.iter().enumerate();
    numbered
        .map(|(i, text)| {
            let at = at.index(i);
            let fault = one(context, text, &at);
            if let Some(why) = fault.cannot_strike(policy, emits) {
                context.problem(&at, format!("can never strike: {why}"), None);
            }
            fault
        })
        .collect()
}

fn one(context: &mut Context<'_>, fault: &text::Fault, at: &Place) -> Fault {
    let lasts = fault.lasts.map(|lasts| lasts.0);
    let restarts_after = fault.restarts_after.map(|after| after.0);
    let what = kind(context, &fault.what, &at.key("what"));
    if lasts.is_some() && !what.can_end() {
        let hint = "leave `lasts` out; crashes have `restarts_after`";
        let message = "a crash or a `reset` is over at once and cannot end, and a lost version does not come back";
        context.problem(&at.key("lasts"), message, Some(hint));
    }
    if restarts_after.is_some() && !what.can_restart() {
        let message = "only what a crash killed can start again";
        context.problem(&at.key("restarts_after"), message, Some("leave it out; states have `lasts`"));
    }
    context.positive(lasts != Some(Span::ZERO), &at.key("lasts"));
    context.positive(restarts_after != Some(Span::ZERO), &at.key("restarts_after"));
    flapping(context, &what, lasts, at);
    Fault { what, when: trigger(context, &fault.when, &at.key("when")), lasts, restarts_after }
}

/// A flap goes on for a number of times or for as long as the fault lasts.
fn flapping(context: &mut Context<'_>, what: &FaultKind, lasts: Option<Span>, at: &Place) {
    let single = !matches!(what, FaultKind::Group(_));
    for part in what.parts() {
        match part {
            FaultKind::Flap { times: None, .. } if lasts.is_none() => {
                context.problem(at, "a flap without end would keep the run waiting", Some("give `times` or `lasts`"));
            }
            FaultKind::Flap { times: Some(_), .. } if single && lasts.is_some() => {
                let message = "a flap of so many times ends by itself";
                context.problem(&at.key("lasts"), message, Some("give `times` or `lasts`, not both"));
            }
            _ => {}
        }
    }
}

fn kind(context: &mut Context<'_>, what: &text::What, at: &Place) -> FaultKind {
    match what {
        text::What::Crash(host) => FaultKind::Crash(host.0),
        text::What::CrashVmm(host) => FaultKind::CrashVmm(has_vmm(context, *host, &at.key("crash-vmm"))),
        text::What::CrashAgent(host) => FaultKind::CrashAgent(has_agent(context, *host, &at.key("crash-agent"))),
        text::What::CrashStore(_) => FaultKind::CrashStore,
        text::What::HangStore(_) => FaultKind::HangStore,
        text::What::SlowStore(slow) => {
            FaultKind::SlowStore(slower(context, slow.factor.0, &at.key("slow-store").key("factor")))
        }
        text::What::FillStore(_) => FaultKind::FillStore,
        text::What::LoseVersion(_) => FaultKind::LoseVersion,
        text::What::TearVersion(_) => FaultKind::TearVersion,
        text::What::Hang(hang) => {
            let at = at.key("hang");
            match hang {
                text::Hang::Host(host) => FaultKind::Hang(Part::Host, has_agent(context, *host, &at.key("host"))),
                text::Hang::Vmm(host) => FaultKind::Hang(Part::Vmm, has_vmm(context, *host, &at.key("vmm"))),
                text::Hang::Agent(host) => FaultKind::Hang(Part::Agent, has_agent(context, *host, &at.key("agent"))),
            }
        }
        text::What::Slow(slow) => {
            let at = at.key("slow");
            let factor = slower(context, slow.factor.0, &at.key("factor"));
            FaultKind::Slow { host: works(context, slow.of, &at.key("of")), factor }
        }
        text::What::Cut(cut) => {
            let (from, to, direction) = between(context, cut.from, cut.to, cut.direction, &at.key("cut"));
            FaultKind::Cut { from, to, direction }
        }
        text::What::Flap(flap) => {
            let at = at.key("flap");
            let (from, to, direction) = between(context, flap.from, flap.to, flap.direction, &at);
            for (key, span) in [("down", flap.down.0), ("up", flap.up.0)] {
                context.positive(span != Span::ZERO, &at.key(key));
            }
            context.positive(flap.times != Some(0), &at.key("times"));
            FaultKind::Flap { from, to, direction, down: flap.down.0, up: flap.up.0, times: flap.times }
        }
        text::What::Degrade(text) => degrade(context, text, &at.key("degrade")),
        text::What::DegradeCard(card) => {
            let at = at.key("degrade-card").key("rate");
            rate_left(context, card.rate.0, &at);
            if card.rate.0 >= Ratio::ONE {
                context.problem(&at, format!("{} of the rate is no degradation", card.rate.0), None);
            }
            FaultKind::DegradeCard { host: card.of.0, rate: card.rate.0 }
        }
        text::What::Reset(_) => FaultKind::Reset,
        text::What::Silence(_) => FaultKind::Silence,
        text::What::LoseHeartbeats(text) => {
            let at = at.key("lose-heartbeats").key("sent_by");
            FaultKind::LoseHeartbeats { sent_by: text.sent_by.map(|host| has_vmm(context, host, &at)) }
        }
        text::What::Group(members) => group(context, members, &at.key("group")),
    }
}

fn slower(context: &mut Context<'_>, factor: Ratio, at: &Place) -> Ratio {
    if factor <= Ratio::ONE {
        let message = format!("{factor} is not above 100 %: nothing would be slow");
        context.problem(at, message, Some("\"300 %\" is three times as long"));
    }
    factor
}

fn group(context: &mut Context<'_>, members: &[text::What], at: &Place) -> FaultKind {
    if members.len() < 2 {
        context.problem(at, format!("{} is no group", members.len()), Some("write the fault itself"));
    }
    let mut parts = Vec::new();
    for (i, member) in members.iter().enumerate() {
        if matches!(member, text::What::Group(_)) {
            context.problem(&at.index(i), "a group has no groups in it", Some("put its members here"));
        } else {
            parts.push(kind(context, member, &at.index(i)));
        }
    }
    FaultKind::Group(parts)
}

fn degrade(context: &mut Context<'_>, text: &text::Degrade, at: &Place) -> FaultKind {
    let (from, to, direction) = between(context, text.from, text.to, text.direction, at);
    let rate = text.rate.map_or(Ratio::ONE, |rate| rate.0);
    let latency = text.latency.map_or(Span::ZERO, |latency| latency.0);
    let loss = text.loss.map_or(Ratio::ZERO, |loss| loss.0);
    rate_left(context, rate, &at.key("rate"));
    if !rate.is_share() {
        context.problem(&at.key("rate"), format!("{rate} of the rate is no degradation"), None);
    }
    if loss >= Ratio::ONE {
        let message = format!("{loss} is no probability below 100 %");
        context.problem(&at.key("loss"), message, Some("`cut` is a fault of its own"));
    }
    if (rate, latency, loss) == (Ratio::ONE, Span::ZERO, Ratio::ZERO) {
        context.problem(at, "degrades nothing", Some("give `rate`, `latency` or `loss`"));
    }
    FaultKind::Degrade { from, to, direction, rate, latency, loss }
}

fn rate_left(context: &mut Context<'_>, rate: Ratio, at: &Place) {
    if rate == Ratio::ZERO {
        context.problem(at, "nothing is left of the rate", Some("`cut` and `silence` are faults of their own"));
    }
}

fn has_vmm(context: &mut Context<'_>, host: Word<Host>, at: &Place) -> Host {
    if !matches!(host.0, Host::Source | Host::Destination) {
        let message = format!("there is no VMM on `{}`", host.0);
        context.problem(at, message, Some("`source` and `destination` have one"));
    }
    host.0
}

/// A host that reads, places, loads or stores pages.
fn works(context: &mut Context<'_>, host: Word<Host>, at: &Place) -> Host {
    if matches!(host.0, Host::Management | Host::Client) {
        let message = format!("`{}` does no work that could be slow", host.0);
        context.problem(at, message, Some("`source`, `destination` and `staging` do"));
    }
    host.0
}

fn has_agent(context: &mut Context<'_>, host: Word<Host>, at: &Place) -> Host {
    if host.0 == Host::Client {
        let hint = "`source`, `destination` and `management` have one; `cut` keeps a client from them";
        context.problem(at, format!("there is no agent on `{}`", host.0), Some(hint));
    }
    host.0
}

fn between(
    context: &mut Context<'_>,
    from: Option<Word<Host>>,
    to: Option<Word<Host>>,
    direction: Option<Word<Direction>>,
    at: &Place,
) -> (Host, Host, Direction) {
    let from = from.map_or(Host::Source, |host| host.0);
    let to = to.map_or(Host::Destination, |host| host.0);
    if from == to {
        context.problem(at, format!("`{from}` cannot be cut off from itself"), None);
    }
    (from, to, direction.map_or(Direction::Both, |word| word.0))
}

fn trigger(context: &mut Context<'_>, when: &text::When, at: &Place) -> Trigger {
    match when {
        text::When::At(time) => Trigger::At(time.0),
        text::When::Phase(phase) => in_phase(context, phase, &at.key("phase")),
        text::When::Message(message) => {
            let n = message.n.unwrap_or(1);
            context.positive(n > 0, &at.key("message").key("n"));
            let moment = message.moment.map_or(Moment::BeforeDelivery, |word| word.0);
            Trigger::Message { kind: message.kind.0, n, moment }
        }
        text::When::Outputs(outputs) => {
            context.positive(outputs.n > 0, &at.key("outputs").key("n"));
            Trigger::Outputs { n: outputs.n, stage: outputs.stage.map_or(Stage::Released, |word| word.0) }
        }
        text::When::Event(event) => at_event(context, event, &at.key("event")),
        text::When::Law(text) => {
            let at = at.key("law");
            let law = law::law(context, &text.time, &at.key("time"));
            let within = text.within.map(|within| within.0);
            if within.is_some_and(|bound| !law.reaches_below(bound)) {
                context.problem(&at.key("within"), "no time of the law is below it", None);
            }
            Trigger::Law { law, from: text.from.map_or(Origin::Start, |word| word.0), within }
        }
    }
}

fn at_event(context: &mut Context<'_>, event: &text::EventTrigger, at: &Place) -> Trigger {
    context.positive(event.n > 0, &at.key("n"));
    let moment = event.moment.map_or(EventMoment::After, |word| word.0);
    if event.actions.is_some() != (moment == EventMoment::Within) {
        let hint = "`\"moment\": \"within\"` and `actions` go together";
        context.problem(&at.key("actions"), "says how far within an event, and nothing else", Some(hint));
    }
    if event.after.is_some() && moment != EventMoment::After {
        context.problem(&at.key("after"), "only what comes after an event can come later", Some("leave it out"));
    }
    context.positive(event.actions != Some(0), &at.key("actions"));
    let place = match moment {
        EventMoment::Before => EventPlace::Before,
        EventMoment::Within => EventPlace::Within(event.actions.unwrap_or(1)),
        EventMoment::After => EventPlace::After(event.after.map_or(Span::ZERO, |after| after.0)),
    };
    Trigger::Event { n: event.n, place }
}

fn in_phase(context: &mut Context<'_>, phase: &text::PhaseTrigger, at: &Place) -> Trigger {
    let name = phase.name.0;
    if matches!(name, Phase::Idle | Phase::Done) {
        let hint = "write {\"at\": \"5 s\"} for a time outside the migration";
        context.problem(&at.key("name"), format!("`{name}` is no phase of a migration under way"), Some(hint));
    }
    let of_checkpoint = matches!(name, Phase::Stage1 | Phase::Stage2 | Phase::Transfer | Phase::Commit);
    if phase.round.is_some() && name != Phase::Copy && !of_checkpoint {
        context.problem(&at.key("round"), format!("`{name}` has no rounds; only `copy` and checkpoints have"), None);
    }
    if phase.round == Some(0) && !of_checkpoint {
        context.problem(&at.key("round"), "rounds count from 1", None);
    }
    let progress = phase.progress.map_or(Ratio::ZERO, |progress| progress.0);
    if !progress.is_share() {
        context.problem(&at.key("progress"), format!("{progress} is above 100 % and is never reached"), None);
    }
    Trigger::Phase { name, round: phase.round, progress, after: phase.after.map_or(Span::ZERO, |after| after.0) }
}
