//! `policy.checkpoint`, `ending` and `fencing`: combinations that protect nothing, or cannot work, are refused.

use super::context::{Context, Layers, Place};
use super::policy::qemu_rule;
use crate::scenario::policy::{
    Buffer, Checkpoint, Ending, FenceAnswer, Fencing, Lease, Medium, Migration, OnStoreLoss, Period, Policy, Protects,
    Save, SaveRule, Stages, Stonith, Store, Trigger,
};
use crate::scenario::schema::Empty;
use crate::scenario::schema::checkpoint as text;
use crate::scenario::schema::model;
use crate::scenario::schema::quantity::Word;
use crate::scenario::{ArrivedPages, CheckpointCosts, Platform, Vm};
use crate::units::{Bytes, Ratio, Span};
use crate::vocabulary::Host;

/// The interval of PostCopyFT's experiments (Fernando et al., INFOCOM 2019, §V-A).
const DEFAULT_INTERVAL: Span = Span::from_us(100);
const DEFAULT_STORE_TIMEOUT: Span = Span::from_s(3);
const DEFAULT_RETRY: Span = Span::from_s(1);
const DEFAULT_TERM: Span = Span::from_s(1);
const DEFAULT_MARGIN: Span = Span::from_ms(100);
const DEFAULT_TAKES: Span = Span::from_s(1);
const DEFAULT_FENCE_RETRY: Span = Span::from_s(5);
/// As large as a clock's drift may be.
const MAX_DRIFT_PPM: u64 = 100_000;

pub(super) fn checkpoint(
    context: &mut Context<'_>,
    text: &text::Checkpoint,
    migration: &Migration,
    at: &Place,
) -> Checkpoint {
    let direction = text.direction.0;
    let reverse = direction == Protects::Reverse;
    let store = text.store.clone().unwrap_or_default();
    let save = save(context, text, at);
    let elsewhere = if save.is_some() { Host::Destination } else { Host::Staging };
    let host = store.on.map_or(if reverse { Host::Source } else { elsewhere }, |word| word.0);
    let medium = if save.is_some() { Medium::File } else { Medium::Memory };
    let restore_at = text.restore_at.map_or(if reverse { Host::Source } else { Host::Destination }, |word| word.0);
    let next =
        if save.is_some() { text::Trigger::Once(Empty {}) } else { text::Trigger::Periodic(text::Periodic::default()) };
    let trigger = match text.trigger.clone().unwrap_or(next) {
        text::Trigger::Output(_) => Trigger::Output,
        text::Trigger::Once(_) => Trigger::Once,
        text::Trigger::Periodic(periodic) => Trigger::Periodic {
            interval: periodic.interval.map_or(DEFAULT_INTERVAL, |interval| interval.0),
            period: periodic.period.map_or(Period::Gap, |word| word.0),
        },
    };
    let buffer = text.buffer.map_or(Buffer::Network, |word| word.0);
    if trigger == Trigger::Output && buffer == Buffer::None {
        let hint = "give a `buffer`, or a `periodic` trigger";
        context.problem(&at.key("trigger"), "no output ever waits, so no checkpoint is ever due", Some(hint));
    }
    let checkpoint = Checkpoint {
        direction,
        store: Store {
            host,
            medium: store.medium.map_or(medium, |word| word.0),
            capacity: store.capacity.map(|capacity| capacity.0),
        },
        trigger,
        stages: text.stages.map_or(if save.is_some() { Stages::One } else { Stages::Two }, |word| word.0),
        save,
        buffer,
        on_store_loss: text.on_store_loss.map_or(OnStoreLoss::Hold, |word| word.0),
        store_timeout: text.store_timeout.map_or(DEFAULT_STORE_TIMEOUT, |timeout| timeout.0),
        restore_at,
        local_claim: text.local_claim.unwrap_or(true),
        restore_retry: text.restore_retry.map_or(DEFAULT_RETRY, |retry| retry.0),
    };
    context.positive(checkpoint.store_timeout > Span::ZERO, &at.key("store_timeout"));
    context.positive(checkpoint.restore_retry > Span::ZERO, &at.key("restore_retry"));
    places(context, &checkpoint, migration, at);
    file(context, &checkpoint, at);
    checkpoint
}

fn save(context: &mut Context<'_>, text: &text::Checkpoint, at: &Place) -> Option<Save> {
    let given = text.save.as_ref()?;
    if text.stages.is_some() {
        let hint = Some("leave `stages` out");
        context.problem(&at.key("stages"), "a VM that is saved to a file is copied as `save` says", hint);
    }
    let at = at.key("save");
    let mut limits = |rule, key| {
        let (downtime_limit, max_bandwidth) = qemu_rule(context, rule, &at.key(key));
        SaveRule { downtime_limit, max_bandwidth }
    };
    Some(match given {
        text::Save::Stopped(rule) => Save::Stopped(limits(rule, "stopped")),
        text::Save::Live(rule) => Save::Live(limits(rule, "live")),
        text::Save::Background(_) => Save::Background,
    })
}

/// A file and `save` belong together, and with what a file cannot do.
fn file(context: &mut Context<'_>, checkpoint: &Checkpoint, at: &Place) {
    let medium = at.key("store").key("medium");
    match (checkpoint.save, checkpoint.to_file()) {
        (None, false) => return,
        (None, true) => {
            return context.problem(&medium, "nothing says how the VM is saved to the file", Some("give a `save`"));
        }
        (Some(_), false) => return context.problem(&medium, "a VM is saved to a `file`", Some("leave `medium` out")),
        (Some(_), true) => {}
    }
    if checkpoint.direction != Protects::Forward {
        context.problem(&at.key("direction"), "what is saved to a file stays at the source", Some("`forward`"));
    } else if checkpoint.store.host != Host::Destination {
        let hint = Some("leave `on` out");
        context.problem(&at.key("store").key("on"), "a file is where it is loaded, at the destination", hint);
    }
    if checkpoint.holds() {
        let message = "no output is held for a file that is written now and then";
        context.problem(&at.key("buffer"), message, Some("give `\"none\"`"));
    }
}

/// Who protects what from where.
fn places(context: &mut Context<'_>, checkpoint: &Checkpoint, migration: &Migration, at: &Place) {
    let (direction, host) = (at.key("direction"), checkpoint.store.host);
    let follows = migration.post_copy().is_some();
    if checkpoint.reverse() && !follows {
        let hint = "choose `post-copy` or `hybrid`, or `forward` checkpoints";
        context.problem(&direction, "no copy runs at the destination with pages missing", Some(hint));
    }
    if checkpoint.direction == Protects::Forward && *migration != Migration::None {
        let hint = "choose the migration `none`, or `both` with `post-copy` or `hybrid`";
        context.problem(
            &direction,
            "the VM does not stay at the source, so what protects it must follow it",
            Some(hint),
        );
    }
    let on = at.key("store").key("on");
    match (checkpoint.direction, host) {
        (_, Host::Management | Host::Client) => {
            let hint = Some("`source`, `destination` and `staging` can");
            context.problem(&on, format!("`{host}` keeps no checkpoints"), hint);
        }
        (Protects::Reverse | Protects::Both, Host::Destination)
        | (Protects::Forward | Protects::Both, Host::Source) => {
            context.problem(&on, "a store beside the copy that it protects is lost with it", None);
        }
        _ => {}
    }
    let restores = match checkpoint.direction {
        Protects::Reverse => Host::Source,
        Protects::Forward | Protects::Both => Host::Destination,
    };
    if checkpoint.restore_at != restores {
        let why = match checkpoint.direction {
            Protects::Reverse => "the base is at the source",
            Protects::Forward | Protects::Both => "the source may be lost",
        };
        context.problem(&at.key("restore_at"), format!("{why}, so the VM is restored at `{restores}`"), None);
    }
}

/// `given`: as typed, and where.
pub(super) fn ending(context: &mut Context<'_>, given: Option<(Word<Ending>, Place)>, store: Option<Host>) -> Ending {
    let Some((Word(ending), at)) = given else { return Ending::Handshake };
    if store.is_none() {
        context.problem(&at, "there are no checkpoints to end", Some("leave `ending` out"));
    }
    if ending == Ending::Arbiter && store.is_some_and(|host| host != Host::Staging) {
        let hint = "put the store on `staging`";
        context.problem(&at, "an arbiter is a store on a third host", Some(hint));
    }
    ending
}

/// `given`: as typed, and where.
pub(super) fn fencing(
    context: &mut Context<'_>,
    given: Option<(text::Fencing, Place)>,
    store: Option<Host>,
) -> Fencing {
    let Some((text, at)) = given else { return Fencing::None };
    if store.is_none() {
        context.problem(&at, "nothing is ever restored without checkpoints", Some("leave `fencing` out"));
    }
    match &text {
        text::Fencing::None(_) => Fencing::None,
        text::Fencing::StoreClaim(_) => Fencing::StoreClaim,
        text::Fencing::Lease(lease) => Fencing::Lease(self::lease(context, lease, &at.key("lease"))),
        text::Fencing::Stonith(stonith) => {
            let stonith = Stonith {
                answer: stonith.answer.map_or(FenceAnswer::Success, |word| word.0),
                takes: stonith.takes.map_or(DEFAULT_TAKES, |takes| takes.0),
                retry: stonith.retry.map_or(DEFAULT_FENCE_RETRY, |retry| retry.0),
            };
            context.positive(stonith.retry > Span::ZERO, &at.key("stonith").key("retry"));
            Fencing::Stonith(stonith)
        }
    }
}

fn lease(context: &mut Context<'_>, text: &text::Lease, at: &Place) -> Lease {
    let term = text.term.map_or(DEFAULT_TERM, |term| term.0);
    context.positive(term > Span::ZERO, &at.key("term"));
    let drift = text.drift.map_or(Ratio::new(1, 1000), |drift| drift.0);
    let ppm = drift.of(1_000_000);
    if ppm > MAX_DRIFT_PPM || u128::from(drift.num()) * 1_000_000 != u128::from(ppm) * u128::from(drift.den()) {
        let message = format!("{drift} is not a whole number of millionths up to ten per cent");
        context.problem(&at.key("drift"), message, None);
    }
    Lease {
        term,
        margin: text.margin.map_or(DEFAULT_MARGIN, |margin| margin.0),
        drift_ppm: u32::try_from(ppm.min(MAX_DRIFT_PPM)).expect("small"),
    }
}

/// What checkpoints cost, where the platform does not say: as much as the like in a migration.
pub(super) fn costs(layers: &Layers<model::Platform>, like: &Like) -> CheckpointCosts {
    macro_rules! optional {
        ($field:ident) => {
            layers.pick(stringify!($field), |model| model.$field.map(|text| text.0)).map(|(value, _)| value)
        };
    }
    CheckpointCosts {
        arrived_pages: optional!(arrived_pages).unwrap_or(ArrivedPages::Clean),
        stage: optional!(stage).unwrap_or(Span::ZERO),
        stage_page: optional!(stage_page).unwrap_or(like.read_page),
        suspend: optional!(suspend).unwrap_or(like.stop),
        unsuspend: optional!(unsuspend).unwrap_or(like.resume),
        state: optional!(checkpoint_state).unwrap_or(like.device_state),
        store_page: optional!(store_page).unwrap_or(like.place_page),
        disk_page: optional!(disk_page),
        file_page: optional!(file_page),
        snapshot_page: optional!(snapshot_page),
        launch: optional!(launch).unwrap_or(Span::ZERO),
        commit: optional!(commit).unwrap_or(Span::ZERO),
        restore: optional!(restore).unwrap_or(Span::ZERO),
        restore_page: optional!(restore_page).unwrap_or(like.place_page),
    }
}

/// The costs of a migration after which those of checkpoints are modelled.
pub(super) struct Like {
    pub read_page: Span,
    pub place_page: Span,
    pub stop: Span,
    pub resume: Span,
    pub device_state: Bytes,
}

/// A disk that is not there writes nothing that could be held. `at`: the checkpoints as typed.
pub(super) fn holds_what_there_is(context: &mut Context<'_>, policy: &Policy, vm: &Vm, at: &Place) {
    let holds_disk = policy.checkpoint.as_ref().is_some_and(Checkpoint::holds_disk);
    if holds_disk && vm.disk.is_none() {
        let at = at.key("buffer");
        let hint = "give `vms[0].disk`, or hold packets alone with `network`";
        context.problem(&at, "the VM has no disk whose writes could be held", Some(hint));
    }
}

/// A disk costs time, and the platform must say how much. `at`: the checkpoints as typed.
pub(super) fn affordable(context: &mut Context<'_>, policy: &Policy, platform: &Platform, at: &Place) {
    let on_disk = policy.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.store.medium == Medium::Disk);
    let medium = at.key("store").key("medium");
    let costs = &platform.checkpoint;
    if on_disk && costs.disk_page.is_none() {
        let hint = Some("give `platform.disk_page`");
        context.problem(&medium, "the platform does not say what a page on disk costs", hint);
    }
    let save = policy.checkpoint.as_ref().and_then(|checkpoint| checkpoint.save);
    if save.is_some() && costs.file_page.is_none() {
        let hint = Some("give `platform.file_page`");
        context.problem(&medium, "the platform does not say what a page in a file costs", hint);
    }
    if save == Some(Save::Background) && costs.snapshot_page.is_none() {
        let message = "the platform does not say what a page of a snapshot costs";
        context.problem(&at.key("save").key("background"), message, Some("give `platform.snapshot_page`"));
    }
}
