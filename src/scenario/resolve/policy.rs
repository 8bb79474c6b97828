//! `policy`: the defaults of QEMU where it has them, and limits that cannot work refused.

use super::context::{Context, Layers, Place};
use super::encoding::{channels, encoding};
use super::{checkpoint, verdict};
use crate::scenario::Waiver;
use crate::scenario::policy::{
    AnsweredBy, AtMax, AutoConverge, Cap, CapEnding, Caps, Detector, Handover, HandoverKind, Heartbeat, Hybrid,
    Migration, OnSilence, Phi, Policy, PostCopy, PreCopy, Push, Rule, StopRule, Switch, TransportError,
};
use crate::scenario::schema::Empty;
use crate::scenario::schema::model::ModelRef;
use crate::scenario::schema::policy as text;
use crate::scenario::schema::quantity::{Text, Word};
use crate::units::{ByteRate, Bytes, Ratio, Span};
use crate::vocabulary::FaultClass;

/// QEMU's `downtime-limit`.
const DEFAULT_DOWNTIME_LIMIT: Span = Span::from_ms(300);
const DEFAULT_ASK_PERIOD: Span = Span::from_s(1);
const DEFAULT_PING_PERIOD: Span = Span::from_s(1);
const DEFAULT_PING_TIMEOUT: Span = Span::from_s(1);
const DEFAULT_MISSES: u64 = 3;
/// Akka's `phi-accrual` defaults.
const DEFAULT_PHI: u64 = 8;
const DEFAULT_PHI_WINDOW: u64 = 200;
/// Beyond it no quantile is kept: a chance of 1 in 10^16.
const MAX_PHI: u64 = 16;
const MAX_PHI_WINDOW: u64 = 10_000;
/// Pivots beyond any that were published (Hines and Gopalan use up to 7).
const MAX_PIVOTS: u64 = 64;

/// A policy, where parts of it were typed, and what its files claim.
pub(super) struct Resolved {
    pub policy: Policy,
    pub migration: Place,
    pub checkpoint: Place,
    pub claims: Claims,
}

/// What a scenario claims that says nothing else.
#[derive(Default)]
pub(super) struct Claims {
    pub tolerates: Vec<FaultClass>,
    pub waives: Vec<Waiver>,
}

/// `None`, with a problem noted, if the policy or one of its bases is not to be had.
pub(super) fn policy(context: &mut Context<'_>, reference: &ModelRef<text::Policy>, at: &Place) -> Option<Resolved> {
    let layers = context.layers(reference, at)?;
    let stand_in = text::Migration::None(Empty {});
    let (text, at_migration) = context.required(&layers, "migration", |policy| policy.migration.clone(), stand_in);
    let migration = migration(context, &text, &at_migration);
    // Once a post-copy has switched over, QEMU's source refuses to go on; a pre-copy's does.
    let silent_source = if migration.post_copy().is_some() { OnSilence::Wait } else { OnSilence::Resume };
    let checkpoints = layers.pick("checkpoint", |policy| policy.checkpoint.clone());
    let at_checkpoint = checkpoints.as_ref().map_or_else(|| layers.at().key("checkpoint"), |(_, at)| at.clone());
    let checkpoint = checkpoints.map(|(text, at)| checkpoint::checkpoint(context, &text, &migration, &at));
    let store = checkpoint.as_ref().map(|checkpoint| checkpoint.store.host);
    let ending = layers.pick("ending", |policy| policy.ending);
    let fencing = layers.pick("fencing", |policy| policy.fencing.clone());
    let (handover_text, at_handover) = part(&layers, "handover", |policy| policy.handover.clone());
    let (detector_text, at_detector) = part(&layers, "detector", |policy| policy.detector.clone());
    let policy = Policy {
        ending: checkpoint::ending(context, ending, store),
        fencing: checkpoint::fencing(context, fencing, store),
        checkpoint,
        migration,
        handover: handover(context, handover_text.as_ref(), silent_source, &at_handover),
        detector: detector(context, detector_text.as_ref(), &at_detector),
    };
    let claims = claims(context, &layers);
    Some(Resolved { policy, migration: at_migration, checkpoint: at_checkpoint, claims })
}

/// A part that need not be there, and where it is or would be.
fn part<T>(layers: &Layers<text::Policy>, key: &str, get: impl Fn(&text::Policy) -> Option<T>) -> (Option<T>, Place) {
    layers.pick(key, get).map_or_else(|| (None, layers.at().key(key)), |(text, at)| (Some(text), at))
}

fn claims(context: &mut Context<'_>, layers: &Layers<text::Policy>) -> Claims {
    let tolerates = layers.pick("tolerates", |policy| policy.tolerates.clone()).map(|(words, _)| words);
    let waives = layers.pick("waives", |policy| policy.waives.clone());
    Claims {
        tolerates: tolerates.unwrap_or_default().into_iter().map(|word| word.0).collect(),
        waives: waives.map(|(waives, at)| verdict::waivers(context, &waives, &at)).unwrap_or_default(),
    }
}

fn migration(context: &mut Context<'_>, text: &text::Migration, at: &Place) -> Migration {
    match text {
        text::Migration::None(_) => Migration::None,
        text::Migration::StopAndCopy(_) => Migration::StopAndCopy,
        text::Migration::PreCopy(text) => Migration::PreCopy(pre_copy(context, text, &at.key("pre-copy"))),
        text::Migration::PostCopy(text) => Migration::PostCopy(post_copy(context, text, &at.key("post-copy"))),
        text::Migration::Hybrid(text) => Migration::Hybrid(hybrid(context, text, &at.key("hybrid"))),
    }
}

fn pre_copy(context: &mut Context<'_>, text: &text::PreCopy, at: &Place) -> PreCopy {
    let caps = text.caps.as_ref().map(|text| caps(context, text, &at.key("caps"))).unwrap_or_default();
    PreCopy {
        stop_rule: stop_rule(context, text.stop_rule.as_ref(), &at.key("stop_rule")),
        caps,
        auto_converge: text.auto_converge.as_ref().map(|text| auto_converge(context, text, &at.key("auto_converge"))),
        encoding: encoding(context, text, at),
        channels: channels(context, text, at),
    }
}

fn post_copy(context: &mut Context<'_>, text: &text::PostCopy, at: &Place) -> PostCopy {
    let push = match &text.push {
        None | Some(text::Push::FromFault(_)) => Push::FromFault,
        Some(text::Push::Ascending(_)) => Push::Ascending,
        Some(text::Push::Bubbling(bubbling)) => {
            let pivots = bubbling.pivots.unwrap_or(1);
            if pivots == 0 || pivots > MAX_PIVOTS {
                let message = format!("{pivots} is not 1 to {MAX_PIVOTS}");
                context.problem(&at.key("push").key("bubbling").key("pivots"), message, None);
            }
            Push::Bubbling { pivots }
        }
    };
    let max_bandwidth = text.max_bandwidth.map(|rate| rate.0);
    context.positive(max_bandwidth != Some(ByteRate::ZERO), &at.key("max_bandwidth"));
    let finish = text.finish.map(|finish| finish.0);
    context.positive(finish != Some(Span::ZERO), &at.key("finish"));
    PostCopy { push, preempt: text.preempt.unwrap_or(false), max_bandwidth, finish }
}

fn hybrid(context: &mut Context<'_>, text: &text::Hybrid, at: &Place) -> Hybrid {
    let switch = match text.switch {
        None => Switch::Rounds(1),
        Some(text::Switch::Rounds(rounds)) => {
            context.positive(rounds > 0, &at.key("switch").key("rounds"));
            Switch::Rounds(rounds)
        }
        Some(text::Switch::Time(time)) => Switch::Time(time.0),
    };
    let rounds = text.pre_copy.clone().unwrap_or_default();
    let after = text.post_copy.clone().unwrap_or_default();
    Hybrid {
        pre_copy: pre_copy(context, &rounds, &at.key("pre_copy")),
        switch,
        post_copy: post_copy(context, &after, &at.key("post_copy")),
    }
}

/// The downtime that QEMU's rule aims at, and its limit.
pub(super) fn qemu_rule(context: &mut Context<'_>, rule: &text::QemuRule, at: &Place) -> (Span, Option<ByteRate>) {
    let max_bandwidth = rule.max_bandwidth.map(|rate| rate.0);
    context.positive(max_bandwidth != Some(ByteRate::ZERO), &at.key("max_bandwidth"));
    (rule.downtime_limit.map_or(DEFAULT_DOWNTIME_LIMIT, |limit| limit.0), max_bandwidth)
}

fn stop_rule(context: &mut Context<'_>, rule: Option<&text::StopRule>, at: &Place) -> StopRule {
    match rule {
        None => StopRule::Qemu { downtime_limit: DEFAULT_DOWNTIME_LIMIT, max_bandwidth: None },
        Some(text::StopRule::Qemu(rule)) => {
            let (downtime_limit, max_bandwidth) = qemu_rule(context, rule, &at.key("qemu"));
            StopRule::Qemu { downtime_limit, max_bandwidth }
        }
        Some(text::StopRule::Clark(rule)) => {
            let at = at.key("clark");
            context.positive(rule.min_rate.0 != ByteRate::ZERO, &at.key("min_rate"));
            if rule.min_rate.0 > rule.max_rate.0 {
                let message = format!("{} is below `min_rate`, {}", rule.max_rate.0, rule.min_rate.0);
                context.problem(&at.key("max_rate"), message, None);
            }
            StopRule::Clark {
                min_rate: rule.min_rate.0,
                increment: rule.increment.0,
                max_rate: rule.max_rate.0,
                min_remaining: rule.min_remaining.0,
                at_max: rule.at_max.map_or(AtMax::Stop, |word| word.0),
            }
        }
    }
}

fn caps(context: &mut Context<'_>, caps: &text::Caps, at: &Place) -> Caps {
    let then = |word: Option<Word<CapEnding>>| word.map_or(CapEnding::Stop, |word| word.0);
    let rounds = caps.rounds.as_ref().map(|cap| Cap { max: cap.max, then: then(cap.then) });
    let bytes = caps.bytes.as_ref().map(|cap| Cap { max: cap.max.0, then: then(cap.then) });
    let time = caps.time.as_ref().map(|cap| Cap { max: cap.max.0, then: then(cap.then) });
    context.positive(rounds.is_none_or(|cap| cap.max > 0), &at.key("rounds").key("max"));
    context.positive(bytes.is_none_or(|cap| cap.max > Bytes::ZERO), &at.key("bytes").key("max"));
    context.positive(time.is_none_or(|cap| cap.max > Span::ZERO), &at.key("time").key("max"));
    Caps { rounds, bytes, time }
}

fn auto_converge(context: &mut Context<'_>, text: &text::AutoConverge, at: &Place) -> AutoConverge {
    let ratio = |text: Option<Text<Ratio>>, percent| text.map_or_else(|| Ratio::percent(percent), |text| text.0);
    let throttle = AutoConverge {
        trigger: ratio(text.trigger, 50),
        initial: ratio(text.initial, 20),
        increment: ratio(text.increment, 10),
        max: ratio(text.max, 99),
    };
    context.positive(throttle.trigger > Ratio::ZERO, &at.key("trigger"));
    context.positive(throttle.initial > Ratio::ZERO, &at.key("initial"));
    if throttle.max >= Ratio::ONE {
        let message = format!("{} would stop the guest for good", throttle.max);
        context.problem(&at.key("max"), message, Some("stay below 100 %, as QEMU does with 99 %"));
    } else if throttle.initial > throttle.max {
        let message = format!("{} is above `max`, {}", throttle.initial, throttle.max);
        context.problem(&at.key("initial"), message, None);
    }
    throttle
}

fn handover(
    context: &mut Context<'_>,
    handover: Option<&text::Handover>,
    silent_source: OnSilence,
    at: &Place,
) -> Handover {
    let word = |word: Option<Word<OnSilence>>, default| word.map_or(default, |word| word.0);
    let (kind, on_silence, destination_on_silence, period, at) = match handover {
        None => (HandoverKind::Autostart, silent_source, OnSilence::Wait, None, at.clone()),
        Some(text::Handover::Autostart(text)) => {
            // The destination never waits while it holds everything: it runs.
            let source = word(text.on_silence, silent_source);
            (HandoverKind::Autostart, source, OnSilence::Wait, text.ask_period, at.key("autostart"))
        }
        Some(text::Handover::ThreePhase(text)) => {
            let source = word(text.on_silence, silent_source);
            let destination = word(text.destination_on_silence, OnSilence::Wait);
            (HandoverKind::ThreePhase, source, destination, text.ask_period, at.key("three-phase"))
        }
    };
    let ask_period = period.map_or(DEFAULT_ASK_PERIOD, |period| period.0);
    context.positive(ask_period != Span::ZERO, &at.key("ask_period"));
    Handover { kind, on_silence, destination_on_silence, ask_period }
}

fn detector(context: &mut Context<'_>, detector: Option<&text::Detector>, at: &Place) -> Detector {
    let heartbeat = match detector.and_then(|detector| detector.heartbeat.as_ref()) {
        Some(text::Heartbeat::Off(_)) => None,
        Some(text::Heartbeat::Pings(text)) => Some(pings(context, text, &at.key("heartbeat").key("pings"))),
        Some(text::Heartbeat::Phi(text)) => Some(phi(context, text, &at.key("heartbeat").key("phi"))),
        None => Some(pings(context, &text::Pings::default(), at)),
    };
    let transport_error =
        detector.and_then(|detector| detector.transport_error).map_or(TransportError::AtNextWrite, |word| word.0);
    Detector { heartbeat, transport_error }
}

fn pings(context: &mut Context<'_>, text: &text::Pings, at: &Place) -> Heartbeat {
    let period = text.period.map_or(DEFAULT_PING_PERIOD, |period| period.0);
    let timeout = text.timeout.map_or(DEFAULT_PING_TIMEOUT, |timeout| timeout.0);
    let misses = text.misses.unwrap_or(DEFAULT_MISSES);
    context.positive(period != Span::ZERO, &at.key("period"));
    context.positive(timeout != Span::ZERO, &at.key("timeout"));
    context.positive(misses > 0, &at.key("misses"));
    let answered_by = text.answered_by.map_or(AnsweredBy::Agent, |word| word.0);
    Heartbeat { period, answered_by, rule: Rule::Misses { timeout, misses } }
}

fn phi(context: &mut Context<'_>, text: &text::PhiPings, at: &Place) -> Heartbeat {
    let period = text.period.map_or(DEFAULT_PING_PERIOD, |period| period.0);
    let phi = Phi {
        threshold: text.threshold.unwrap_or(DEFAULT_PHI),
        window: text.window.unwrap_or(DEFAULT_PHI_WINDOW),
        min_deviation: text.min_deviation.map_or(Span::from_ns(period.ns() / 10), |deviation| deviation.0),
    };
    context.positive(period != Span::ZERO, &at.key("period"));
    if !(1..=MAX_PHI).contains(&phi.threshold) {
        let message = format!("{} is not 1 to {MAX_PHI}", phi.threshold);
        context.problem(&at.key("threshold"), message, None);
    }
    if !(2..=MAX_PHI_WINDOW).contains(&phi.window) {
        let message = format!("{} is not 2 to {MAX_PHI_WINDOW}", phi.window);
        context.problem(&at.key("window"), message, None);
    }
    let answered_by = text.answered_by.map_or(AnsweredBy::Agent, |word| word.0);
    Heartbeat { period, answered_by, rule: Rule::Phi(phi) }
}
