//! How single values are typed: [`Text`] is a quantity with its unit, [`Word`] a word of a closed list.
//!
//! Why wrappers: the units and the vocabulary know nothing of JSON; here their spellings become parser, printer and
//! JSON Schema at once, so that the three cannot disagree. What it does not do: judge values (see
//! `scenario::resolve`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::scenario::policy::{
    AnsweredBy, AtMax, Buffer, CapEnding, Ending, FenceAnswer, Medium, OnSilence, OnStoreLoss, Period, Protects,
    Stages, TransportError,
};
use crate::scenario::{
    ArrivedPages, Direction, DirtyLog, EventMoment, Layout, Moment, MonitorInStop, Nics, Origin, Relation, Stage,
};
use crate::units::Quantity;
use crate::vocabulary::{Defect, End, FaultClass, Host, Invariant, Mark, MessageKind, Outcome, Phase, RoundMeasure};

/// The marker in serde's "expected …" by which a bare number is told from other wrong types.
pub(in crate::scenario) const WITH_UNIT: &str = " with its unit, such as ";

/// A quantity typed with its unit, as `"300 ms"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<T>(pub T);

impl<T: Quantity> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: Quantity> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: Quantity> Visitor<'_> for TextVisitor<T> {
    type Value = Text<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}{WITH_UNIT}{}", T::KIND, T::EXAMPLE)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<T>, E> {
        T::parse(text).map(Text).map_err(E::custom)
    }
}

impl<T: Quantity> JsonSchema for Text<T> {
    fn schema_name() -> Cow<'static, str> {
        T::KIND.replace(' ', "_").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let examples: Vec<&str> = T::EXAMPLE.split(" or ").map(|example| example.trim_matches('"')).collect();
        json_schema!({
            "type": "string",
            "title": T::KIND,
            "pattern": T::pattern(),
            "examples": examples,
        })
    }
}

/// A closed list of words, each with its one spelling.
pub trait Spelled: Copy + Eq + fmt::Debug + 'static {
    /// What a word of the list is, as in "is not a host".
    const KIND: &'static str;
    /// Every word and its spelling.
    fn spellings() -> Vec<(Self, &'static str)>;
}

/// A word of a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<T>(pub T);

impl<T: Spelled> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let spellings = T::spellings();
        let (_, text) = spellings.iter().find(|(word, _)| *word == self.0).expect("every word has a spelling");
        serializer.serialize_str(text)
    }
}

impl<'de, T: Spelled> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WordVisitor(PhantomData))
    }
}

struct WordVisitor<T>(PhantomData<T>);

impl<T: Spelled> Visitor<'_> for WordVisitor<T> {
    type Value = Word<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}: {}", T::KIND, quoted::<T>())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Word<T>, E> {
        let word = T::spellings().into_iter().find(|(_, spelling)| *spelling == text);
        word.map(|(word, _)| Word(word))
            .ok_or_else(|| E::custom(format_args!("unknown variant `{text}`, expected one of {}", quoted::<T>())))
    }
}

fn quoted<T: Spelled>() -> String {
    T::spellings().iter().map(|(_, spelling)| format!("`{spelling}`")).collect::<Vec<_>>().join(", ")
}

impl<T: Spelled> JsonSchema for Word<T> {
    fn schema_name() -> Cow<'static, str> {
        T::KIND.replace(' ', "_").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = T::spellings().into_iter().map(|(_, spelling)| spelling).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

macro_rules! from_vocabulary {
    ($($name:ident is $kind:literal,)+) => {$(
        impl Spelled for $name {
            const KIND: &'static str = $kind;
            fn spellings() -> Vec<(Self, &'static str)> {
                Self::ALL.iter().map(|word| (*word, word.as_str())).collect()
            }
        }
    )+};
}

from_vocabulary! {
    Host is "host",
    Phase is "phase",
    Outcome is "outcome",
    End is "end of a host",
    Invariant is "invariant",
    Defect is "defect",
    FaultClass is "fault class",
    MessageKind is "kind of message",
    Mark is "mark",
    RoundMeasure is "measure of a round",
}

macro_rules! spelled {
    ($($name:ident is $kind:literal { $($variant:ident = $text:literal,)+ })+) => {$(
        impl Spelled for $name {
            const KIND: &'static str = $kind;
            fn spellings() -> Vec<(Self, &'static str)> {
                vec![$((Self::$variant, $text),)+]
            }
        }
    )+};
}

spelled! {
    OnSilence is "reaction to silence" { Resume = "resume", Wait = "wait", Ask = "ask", }
    AtMax is "word for the maximum" { Stop = "stop", WhileShrinking = "while-shrinking", }
    CapEnding is "ending" { Stop = "stop", Abort = "abort", }
    AnsweredBy is "answerer" { Kernel = "kernel", Vmm = "vmm", Agent = "agent", }
    TransportError is "reaction to an error" {
        Ignored = "ignored", AtNextWrite = "at-next-write", AtOnce = "at-once",
    }
    Direction is "direction" { Both = "both", OneWay = "one-way", }
    Moment is "moment of a message" {
        Sent = "sent", BeforeDelivery = "before-delivery", AfterDelivery = "after-delivery",
    }
    EventMoment is "moment about an event" { Before = "before", Within = "within", After = "after", }
    Stage is "stage of a packet" { Emitted = "emitted", Released = "released", Delivered = "delivered", }
    Origin is "beginning" { Start = "start", Migrate = "migrate", }
    Nics is "number of cards" { Shared = "shared", Separate = "separate", }
    DirtyLog is "dirty log" {
        Snapshot = "snapshot", ClearOnSend = "clear-on-send", SkipRedirtied = "skip-redirtied",
    }
    MonitorInStop is "way of a monitor" { Answers = "answers", Blocked = "blocked", }
    Layout is "layout" { Contiguous = "contiguous", Mixed = "mixed", Shuffled = "shuffled", }
    ArrivedPages is "state of arrived pages" { Clean = "clean", Dirty = "dirty", UntilSent = "until-sent", }
    Protects is "direction of checkpoints" { Reverse = "reverse", Forward = "forward", Both = "both", }
    Medium is "medium of a store" { Memory = "memory", Disk = "disk", File = "file", }
    Period is "rule of the period" { Gap = "gap", Max = "max", }
    Stages is "number of stages" { One = "one", Two = "two", }
    Buffer is "buffer" { None = "none", Network = "network", NetworkAndDisk = "network+disk", }
    OnStoreLoss is "reaction to a lost store" { Hold = "hold", Degrade = "degrade", Abort = "abort", }
    Ending is "ending of a protection" {
        Unilateral = "unilateral", Handshake = "handshake", Arbiter = "arbiter",
    }
    FenceAnswer is "answer of a power switch" {
        Success = "success", Failure = "failure", Unknown = "unknown", FalseSuccess = "false-success",
    }
    Relation is "relation" {
        Below = "<", AtMost = "<=", Equal = "=", Unequal = "!=", AtLeast = ">=", Above = ">",
    }
    FidelityText is "fidelity" { Auto = "auto", Exact = "exact", }
}

/// How memory is modelled, or the choice left to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FidelityText {
    /// The program chooses.
    Auto,
    /// Every page and its version.
    Exact,
}

/// The version of the format: the number 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchemaVersion;

impl Serialize for SchemaVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(1)
    }
}

impl<'de> Deserialize<'de> for SchemaVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct VersionVisitor;
        impl Visitor<'_> for VersionVisitor {
            type Value = SchemaVersion;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number 1")
            }
            fn visit_u64<E: de::Error>(self, version: u64) -> Result<SchemaVersion, E> {
                if version == 1 {
                    return Ok(SchemaVersion);
                }
                Err(E::custom(format_args!("version {version} of the format is not known; this program reads 1")))
            }
        }
        deserializer.deserialize_u64(VersionVisitor)
    }
}

impl JsonSchema for SchemaVersion {
    fn schema_name() -> Cow<'static, str> {
        "SchemaVersion".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": 1 })
    }
}
