//! `faults`: each must be able to strike, and only what heals may have an end.

use super::context::{Context, Place};
use crate::scenario::schema::fault as text;
use crate::scenario::{Direction, Fault, FaultKind, Trigger};
use crate::units::{Ratio, Span};
use crate::vocabulary::{Host, Phase};

pub(super) fn faults(context: &mut Context<'_>, faults: &[text::Fault], at: &Place) -> Vec<Fault> {
    faults.iter().enumerate().map(|(i, fault)| one(context, fault, &at.index(i))).collect()
}

fn one(context: &mut Context<'_>, fault: &text::Fault, at: &Place) -> Fault {
    let lasts = fault.lasts.map(|lasts| lasts.0);
    let heals = matches!(fault.what, text::What::Cut(_) | text::What::Silence(_));
    if lasts.is_some() && !heals {
        context.problem(&at.key("lasts"), "only a `cut` or a `silence` can end", Some("leave `lasts` out"));
    }
    context.positive(lasts != Some(Span::ZERO), &at.key("lasts"));
    Fault {
        what: kind(context, &fault.what, &at.key("what")),
        when: trigger(context, &fault.when, &at.key("when")),
        lasts,
    }
}

fn kind(context: &mut Context<'_>, what: &text::What, at: &Place) -> FaultKind {
    match what {
        text::What::Crash(host) => FaultKind::Crash(host.0),
        text::What::CrashVmm(host) => {
            if !matches!(host.0, Host::Source | Host::Destination) {
                let message = format!("there is no VMM on `{}`", host.0);
                context.problem(&at.key("crash-vmm"), message, Some("`source` and `destination` have one"));
            }
            FaultKind::CrashVmm(host.0)
        }
        text::What::Cut(cut) => {
            let from = cut.from.map_or(Host::Source, |host| host.0);
            let to = cut.to.map_or(Host::Destination, |host| host.0);
            if from == to {
                context.problem(&at.key("cut"), format!("`{from}` cannot be cut off from itself"), None);
            }
            FaultKind::Cut { from, to, direction: cut.direction.map_or(Direction::Both, |word| word.0) }
        }
        text::What::Reset(_) => FaultKind::Reset,
        text::What::Silence(_) => FaultKind::Silence,
    }
}

fn trigger(context: &mut Context<'_>, when: &text::When, at: &Place) -> Trigger {
    let phase = match when {
        text::When::At(time) => return Trigger::At(time.0),
        text::When::Phase(phase) => phase,
    };
    let at = at.key("phase");
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
