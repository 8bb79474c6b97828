//! Models as typed: networks, platforms, workloads and (see `schema::policy`) policies, inline in a scenario or in a file
//! of their own.
//!
//! A model is written once and used twice, so a macro makes both types from one list of fields: the inline object,
//! and the file with its header (`schema`, `about`, `source`). Every field may be left to the `base`. What it does not
//! do: look bases up (see [`crate::scenario::library`]) or demand completeness (see `scenario::resolve`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::quantity::{SchemaVersion, Text, Word};
pub use super::rate_trace::{RateStep, RateTrace};
pub use super::workload::{Class, Pace, Pattern, Schedule, Trace, WorkloadPhase, Zipf};
use crate::scenario::Nics;
use crate::units::{ByteRate, Bytes, Ratio, Span};

/// What a model describes; also the folder of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelKind {
    /// Links and protocols.
    Network,
    /// Hypervisor and host.
    Platform,
    /// Guest memory.
    Workload,
    /// How VMs are moved and protected.
    Policy,
    /// A rate over time, as CSV.
    Trace,
    /// Which pages a real program wrote, interval by interval.
    PageTrace,
    /// A sample of times, as CSV.
    Law,
    /// Published results.
    Reference,
}

impl ModelKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Network,
        Self::Platform,
        Self::Workload,
        Self::Policy,
        Self::Trace,
        Self::PageTrace,
        Self::Law,
        Self::Reference,
    ];

    /// The word for one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Platform => "platform",
            Self::Workload => "workload",
            Self::Policy => "policy",
            Self::Trace => "trace",
            Self::PageTrace => "page trace",
            Self::Law => "law",
            Self::Reference => "reference",
        }
    }
    /// Its folder under `models/`.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Network => "networks",
            Self::Platform => "platforms",
            Self::Workload => "workloads",
            Self::Policy => "policies",
            Self::Trace | Self::PageTrace => "traces",
            Self::Law => "laws",
            Self::Reference => "references",
        }
    }
    /// The ending of its files, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Trace | Self::Law => "csv",
            Self::PageTrace => "runs",
            _ => "json",
        }
    }
}

/// The text of a model file: its header, and the fields of the model.
pub(in crate::scenario) fn model_text(about: &str, source: &str, fields: &serde_json::Value) -> String {
    let mut file = serde_json::json!({ "schema": 1, "about": about, "source": source });
    for (key, value) in fields.as_object().into_iter().flatten() {
        file[key] = value.clone();
    }
    format!("{file:#}\n")
}

/// A kind of model.
pub trait Model: Clone + fmt::Debug + Serialize + DeserializeOwned + JsonSchema {
    /// Which.
    const KIND: ModelKind;
    /// The shape of its files.
    type File: DeserializeOwned + Into<Self> + Header;
    /// The model whose values fill the gaps.
    fn base(&self) -> Option<&str>;
}

/// What every model file says about itself.
pub trait Header {
    /// One sentence.
    fn about(&self) -> &str;
    /// Where the numbers come from.
    fn source(&self) -> &str;
}

/// A model by name, or its values in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelRef<M> {
    /// The stem of a file in the model's folder.
    Name(String),
    /// The values, over those of an optional base.
    Inline(Box<M>),
}

impl<M: Model> Serialize for ModelRef<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Inline(model) => model.serialize(serializer),
        }
    }
}

impl<'de, M: Model> Deserialize<'de> for ModelRef<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RefVisitor(PhantomData))
    }
}

struct RefVisitor<M>(PhantomData<M>);

impl<'de, M: Model> Visitor<'de> for RefVisitor<M> {
    type Value = ModelRef<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a {0} or a {0} itself", M::KIND.as_str())
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<ModelRef<M>, E> {
        Ok(ModelRef::Name(name.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelRef<M>, A::Error> {
        M::deserialize(MapAccessDeserializer::new(map)).map(|model| ModelRef::Inline(Box::new(model)))
    }
}

impl<M: Model> JsonSchema for ModelRef<M> {
    fn schema_name() -> Cow<'static, str> {
        format!("{} or its name", M::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inline = generator.subschema_for::<M>();
        json_schema!({ "anyOf": [{ "type": "string" }, inline] })
    }
}

macro_rules! model {
    (
        $(#[$doc:meta])* $name:ident,
        $(#[$file_doc:meta])* $file:ident,
        { $($(#[$meta:meta])* $field:ident: $type:ty,)+ }
        // Fields of the file alone.
        $(, file { $($(#[$own_meta:meta])* $own:ident: $own_type:ty,)+ })?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The model whose values fill what is left out here. Default: none.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub base: Option<String>,
            $(
                $(#[$meta])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )+
            $($(
                #[serde(skip)]
                #[schemars(skip)]
                $(#[$own_meta])*
                pub $own: Option<$own_type>,
            )+)?
        }

        $(#[$file_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $file {
            /// Where editors find the JSON Schema; not read. Default: none.
            #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
            pub schema_location: Option<String>,
            /// Version of this format.
            pub schema: SchemaVersion,
            /// What the model is, in one sentence.
            pub about: String,
            /// Where each of its numbers comes from.
            pub source: String,
            /// The model whose values fill what is left out here. Default: none.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub base: Option<String>,
            $(
                $(#[$meta])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )+
            $($(
                $(#[$own_meta])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $own: Option<$own_type>,
            )+)?
        }

        impl From<$file> for $name {
            fn from(file: $file) -> Self {
                Self { base: file.base, $($field: file.$field,)+ $($($own: file.$own,)+)? }
            }
        }

        impl Header for $file {
            fn about(&self) -> &str {
                &self.about
            }
            fn source(&self) -> &str {
                &self.source
            }
        }

        impl Model for $name {
            const KIND: ModelKind = ModelKind::$name;
            type File = $file;
            fn base(&self) -> Option<&str> {
                self.base.as_deref()
            }
        }
    };
}
pub(super) use model;

mod platform;

pub use platform::{Platform, PlatformFile};

model! {
    /// Links and protocols between hosts. What neither it nor its bases give and has no default must be given.
    Network,
    /// A file in `models/networks`.
    NetworkFile,
    {
        /// Whether migration and application traffic share one card per host.
        nics: Word<Nics>,
        /// Rate of the card that carries the migration, each direction; above zero.
        rate: Text<ByteRate>,
        /// Rate of the card that carries application and management traffic; `rate` when shared. Default: `rate`.
        application_rate: Text<ByteRate>,
        /// Changes of `rate` over time. Default: none.
        rate_trace: RateTrace,
        /// Highest rate of one path, as a TCP window gives; above zero. Default: the card's.
        path_rate: Text<ByteRate>,
        /// One-way delay of every path.
        latency: Text<Span>,
        /// Added to the delay, uniform from 0 to this, drawn per message. Default: `"0 ns"`.
        jitter: Text<Span>,
        /// Probability that a packet is lost; below 100 %. Default: `"0 %"`.
        loss: Text<Ratio>,
        /// Probability that a datagram arrives twice. Default: `"0 %"`.
        duplicate: Text<Ratio>,
        /// Bytes that the queue of one path holds; at least one packet.
        queue: Text<Bytes>,
        /// Bytes that one direction of a stream buffers at the sender; at least one packet.
        send_buffer: Text<Bytes>,
        /// Payload of one packet; above zero.
        packet: Text<Bytes>,
        /// First retransmission time-out of a stream; it doubles; above zero.
        rto: Text<Span>,
        /// Longest retransmission time-out; not below `rto`.
        rto_max: Text<Span>,
        /// Silence after which a stream with unsent data gives up; not below `rto`.
        give_up: Text<Span>,
    }
}

model! {
    /// What a guest does to its memory, in guest time.
    Workload,
    /// A file in `models/workloads`.
    WorkloadFile,
    {
        /// Disjoint classes of pages that together cover the memory.
        classes: Vec<Class>,
        /// Changes of all rates, by rising guest time. Default: the factor is 100 % throughout.
        phases: Vec<WorkloadPhase>,
        /// What becomes of work that the guest is kept from. Default: `{"own": {}}`.
        pace: Pace,
    }
}
