//! Any protection that the migration beside it can have.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{amount, span};
use crate::scenario::policy::{
    Buffer, Checkpoint, Ending, FenceAnswer, Fencing, Lease, Medium, Migration, OnStoreLoss, Period, Protects, Save,
    SaveRule, Stages, Stonith, Store, Trigger,
};
use crate::units::{ByteRate, Bytes, Span};
use crate::vocabulary::Host;

/// What of a policy protects the VM.
pub(super) type Protection = (Option<Checkpoint>, Ending, Fencing);

pub(super) fn protection(migration: &Migration) -> BoxedStrategy<Protection> {
    let directions: &[Protects] = match migration {
        Migration::None => &[Protects::Forward],
        Migration::PostCopy(_) | Migration::Hybrid(_) => &[Protects::Reverse, Protects::Both],
        Migration::StopAndCopy | Migration::PreCopy(_) => &[],
    };
    let none = Just((None, Ending::Handshake, Fencing::None));
    if directions.is_empty() {
        return none.boxed();
    }
    let ending = select(&[Ending::Unilateral, Ending::Handshake, Ending::Arbiter][..]);
    let some = (checkpoint(directions), ending, fencing()).prop_map(|(checkpoint, ending, fencing)| {
        let third = checkpoint.store.host == Host::Staging;
        let ending = if ending == Ending::Arbiter && !third { Ending::Handshake } else { ending };
        (Some(checkpoint), ending, fencing)
    });
    prop_oneof![1 => none, 3 => some].boxed()
}

fn checkpoint(directions: &'static [Protects]) -> impl Strategy<Value = Checkpoint> {
    let medium = select(&[Medium::Memory, Medium::Disk][..]);
    let store = (any::<bool>(), medium, option::of(amount().prop_map(Bytes::new)));
    let period = select(&[Period::Gap, Period::Max][..]);
    let periodic =
        (amount(), period).prop_map(|(ns, period)| Trigger::Periodic { interval: Span::from_ns(ns), period });
    let trigger = prop_oneof![periodic, Just(Trigger::Output)];
    let stages = select(&[Stages::One, Stages::Two][..]);
    let buffer = select(&[Buffer::None, Buffer::Network, Buffer::NetworkAndDisk][..]);
    let on_store_loss = select(&[OnStoreLoss::Hold, OnStoreLoss::Degrade, OnStoreLoss::Abort][..]);
    let how = (trigger, stages, buffer, on_store_loss);
    let protection = (select(directions), store, how, (span(), span()), any::<bool>()).prop_map(
        |(direction, (beside, medium, capacity), (trigger, stages, buffer, on_store_loss), times, local_claim)| {
            let reverse = direction == Protects::Reverse;
            let restore_at = if reverse { Host::Source } else { Host::Destination };
            // A store may be where the VM is restored, unless that is where its last versions come from.
            let beside = beside && direction != Protects::Both;
            let waits = if trigger == Trigger::Output && buffer == Buffer::None { Buffer::Network } else { buffer };
            Checkpoint {
                direction,
                store: Store { host: if beside { restore_at } else { Host::Staging }, medium, capacity },
                trigger,
                stages,
                save: None,
                buffer: waits,
                on_store_loss,
                store_timeout: times.0,
                restore_at,
                local_claim,
                restore_retry: times.1,
            }
        },
    );
    (protection, option::of(save())).prop_map(|(checkpoint, save)| match save {
        Some(save) if checkpoint.direction == Protects::Forward => Checkpoint {
            store: Store { host: Host::Destination, medium: Medium::File, ..checkpoint.store },
            trigger: if checkpoint.trigger == Trigger::Output { Trigger::Once } else { checkpoint.trigger },
            stages: Stages::One,
            save: Some(save),
            buffer: Buffer::None,
            ..checkpoint
        },
        _ => checkpoint,
    })
}

fn save() -> impl Strategy<Value = Save> {
    let rule = (amount(), option::of((1u64..1 << 50).prop_map(ByteRate::new)));
    let rule = rule
        .prop_map(|(limit, max_bandwidth)| SaveRule { downtime_limit: Span::from_ns(limit), max_bandwidth })
        .boxed();
    prop_oneof![rule.clone().prop_map(Save::Stopped), rule.prop_map(Save::Live), Just(Save::Background)]
}

fn fencing() -> impl Strategy<Value = Fencing> {
    let lease = (span(), amount(), 0u32..=100_000)
        .prop_map(|(term, margin, drift_ppm)| Fencing::Lease(Lease { term, margin: Span::from_ns(margin), drift_ppm }));
    let answers = [FenceAnswer::Success, FenceAnswer::Failure, FenceAnswer::Unknown, FenceAnswer::FalseSuccess];
    let stonith = (select(answers.to_vec()), amount(), span())
        .prop_map(|(answer, takes, retry)| Fencing::Stonith(Stonith { answer, takes: Span::from_ns(takes), retry }));
    prop_oneof![Just(Fencing::None), Just(Fencing::StoreClaim), lease, stonith]
}
