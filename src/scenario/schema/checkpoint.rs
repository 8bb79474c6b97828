//! `policy.checkpoint` and `policy.fencing` as typed. It does not know defaults; see `scenario::resolve`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Empty;
use super::policy::QemuRule;
use super::quantity::{Text, Word};
use crate::scenario::policy::{Buffer, FenceAnswer, Medium, OnStoreLoss, Period, Protects, Stages};
use crate::units::{Bytes, Ratio, Span};
use crate::vocabulary::Host;

/// Checkpoints: what protects the VM, and what is held back until it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Which copy they protect: that at the destination while pages are missing there (`reverse`; the base is the source's
    /// frozen image), that at the source against the source's loss (`forward`; the base is a full copy in the store), or
    /// both.
    pub direction: Word<Protects>,
    /// Where they are kept. Default: in memory on the source for `reverse`, else on the staging host; with `save` in a file at
    /// the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Store>,
    /// When the next one is due. Default: `{"periodic": {}}`; with `save` `{"once": {}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// Whether dirty pages are copied once while the VM runs before it stands for the rest. Default: `"two"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Word<Stages>>,
    /// How the VM is saved to a file: each time all of its memory, as QEMU writes a migration to a file. Only, and always, where
    /// the store is a `file`, and instead of `stages`. Default: the store is no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save: Option<Save>,
    /// What of the guest's output is held until the checkpoint that covers it is complete. Default: `"network"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer: Option<Word<Buffer>>,
    /// What the protected side does when the store is lost: hold output until it is back, go on unprotected once the restoring
    /// side has said that it will never restore, or have the VM restored from what the store has. Default: `"hold"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_store_loss: Option<Word<OnStoreLoss>>,
    /// A version that is not acknowledged for so long shows that the store is lost. Default: `"3 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_timeout: Option<Text<Span>>,
    /// Where the VM is restored. Default: `"source"` for `reverse`, else `"destination"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_at: Option<Word<Host>>,
    /// Whether a store on the restoring node is claimed before it is read. `false` is the published behaviour, and unsafe.
    /// Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_claim: Option<bool>,
    /// From one try at a restore, or at reaching a lost store, to the next. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_retry: Option<Text<Span>>,
}

/// How a VM is saved to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Save {
    /// It stands until everything is written (QEMU: `stop`, `migrate` to a file, `cont`).
    Stopped(QemuRule),
    /// It runs on while its pages are written in rounds, as in a pre-copy, and stands for the rest.
    Live(QemuRule),
    /// It stands only while CPU and devices are saved; its memory is written as it was then (QEMU's `background-snapshot`). Needs
    /// the platform's `snapshot_page`.
    Background(Empty),
}

/// Where checkpoints are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// On which host: `source`, `destination` or `staging`. Default: `"source"` for `reverse`, else `"staging"`; with `save`
    /// `"destination"`, where the file is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Word<Host>>,
    /// In memory, on a disk (needs the platform's `disk_page`), or in a file (needs `file_page`, and `save` beside it), where a page
    /// takes what it takes in a migration. Default: `"memory"`; with `save` `"file"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<Word<Medium>>,
    /// How many bytes of pages it takes. Default: there is always room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Text<Bytes>>,
}

/// When the next checkpoint is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// After a time.
    Periodic(Periodic),
    /// As soon as output waits that no checkpoint covers.
    Output(Empty),
    /// Never: one is made, when the operator asks for it.
    Once(Empty),
}

/// Checkpoints at intervals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Periodic {
    /// The interval. Default: `"100 us"`, as in the experiments with `PostCopyFT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Text<Span>>,
    /// Whether it counts from the end of a round (`gap`), or from its beginning, the period being the longer of interval and
    /// round (`max`). Default: `"gap"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Word<Period>>,
}

/// What must be known before a node restores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fencing {
    /// Nothing.
    None(Empty),
    /// A store on another host refuses the other side's versions from now on.
    StoreClaim(Empty),
    /// The other side's right to run, granted by the store, has run out.
    Lease(Lease),
    /// The other side has been powered off by a switch on the management host.
    Stonith(Stonith),
}

/// The right to run, for a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// How long it holds, on the holder's clock, from when it was asked for; above zero. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Text<Span>>,
    /// How much longer than the term the restoring side waits, beside the drift. Default: `"100 ms"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Text<Span>>,
    /// By how much a clock may be wrong, as the restoring side assumes; a whole number of millionths, at most 10 %.
    /// Default: `"1/1000"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Text<Ratio>>,
}

/// A power switch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stonith {
    /// What it does and says: `success` and `unknown` power the host off, `failure` and `false-success` do not. Only what it
    /// calls a success entitles to restore. Default: `"success"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Word<FenceAnswer>>,
    /// How long it takes. Default: `"1 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<Text<Span>>,
    /// From one request that was not confirmed to the next; above zero. Default: `"5 s"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Text<Span>>,
}
