//! Checkpoints and fencing, printed back.

use crate::scenario::policy::{Checkpoint, Fencing, Lease, Save, SaveRule, Stonith, Trigger};
use crate::scenario::schema::Empty;
use crate::scenario::schema::checkpoint as text;
use crate::scenario::schema::policy::QemuRule;
use crate::scenario::schema::quantity::{Text, Word};
use crate::units::Ratio;

pub(super) fn checkpoint(checkpoint: &Checkpoint) -> text::Checkpoint {
    text::Checkpoint {
        direction: Word(checkpoint.direction),
        store: Some(text::Store {
            on: Some(Word(checkpoint.store.host)),
            medium: Some(Word(checkpoint.store.medium)),
            capacity: checkpoint.store.capacity.map(Text),
        }),
        trigger: Some(match checkpoint.trigger {
            Trigger::Output => text::Trigger::Output(Empty {}),
            Trigger::Once => text::Trigger::Once(Empty {}),
            Trigger::Periodic { interval, period } => {
                text::Trigger::Periodic(text::Periodic { interval: Some(Text(interval)), period: Some(Word(period)) })
            }
        }),
        stages: checkpoint.save.is_none().then_some(Word(checkpoint.stages)),
        save: checkpoint.save.map(save),
        buffer: Some(Word(checkpoint.buffer)),
        on_store_loss: Some(Word(checkpoint.on_store_loss)),
        store_timeout: Some(Text(checkpoint.store_timeout)),
        restore_at: Some(Word(checkpoint.restore_at)),
        local_claim: Some(checkpoint.local_claim),
        restore_retry: Some(Text(checkpoint.restore_retry)),
    }
}

fn save(save: Save) -> text::Save {
    let rule = |SaveRule { downtime_limit, max_bandwidth }| QemuRule {
        downtime_limit: Some(Text(downtime_limit)),
        max_bandwidth: max_bandwidth.map(Text),
    };
    match save {
        Save::Stopped(limits) => text::Save::Stopped(rule(limits)),
        Save::Live(limits) => text::Save::Live(rule(limits)),
        Save::Background => text::Save::Background(Empty {}),
    }
}

pub(super) fn fencing(fencing: &Fencing) -> text::Fencing {
    match *fencing {
        Fencing::None => text::Fencing::None(Empty {}),
        Fencing::StoreClaim => text::Fencing::StoreClaim(Empty {}),
        Fencing::Lease(Lease { term, margin, drift_ppm }) => text::Fencing::Lease(text::Lease {
            term: Some(Text(term)),
            margin: Some(Text(margin)),
            drift: Some(Text(Ratio::new(drift_ppm.into(), 1_000_000))),
        }),
        Fencing::Stonith(Stonith { answer, takes, retry }) => text::Fencing::Stonith(text::Stonith {
            answer: Some(Word(answer)),
            takes: Some(Text(takes)),
            retry: Some(Text(retry)),
        }),
    }
}
