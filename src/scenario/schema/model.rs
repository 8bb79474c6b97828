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
use crate::scenario::{ArrivedPages, DirtyLog, MonitorInStop, Nics};
use crate::units::{ByteRate, Bytes, PageCount, Ratio, Span};

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
    /// Costs and constants of a hypervisor on a kind of host. What neither it nor its bases give must be given.
    Platform,
    /// A file in `models/platforms`.
    PlatformFile,
    {
        /// Bytes of one guest page; a power of two, 512 B at least.
        page_size: Text<Bytes>,
        /// Bytes that each page sent adds to its contents.
        page_header: Text<Bytes>,
        /// Bytes on the wire of a page that holds only zeros; above zero.
        zero_page: Text<Bytes>,
        /// CPU, devices and markers: bytes sent once, after the last page; above zero.
        device_state: Text<Bytes>,
        /// Bytes of a protocol message without payload; above zero.
        message: Text<Bytes>,
        /// Pages with contents that are read and sent at a time; at least 1. Pages of zeros between them go along, as long
        /// as they take no more than a quarter of a chunk's bytes.
        chunk: Text<PageCount>,
        /// Whether a write at any time since the last sync counts (`snapshot`: TCG, older KVM), only one after the page
        /// was sent (`clear-on-send`: KVM's manual protection), or any, and a page that is dirty again when it is scanned
        /// is left for the next round (`skip-redirtied`: Xen).
        dirty_log: Word<DirtyLog>,
        /// Command accepted to first page read.
        setup: Text<Span>,
        /// One sync of the dirty log, per GiB of guest memory.
        sync_per_gib: Text<Span>,
        /// Reading, testing and copying one page at the sender.
        read_page: Text<Span>,
        /// Writing one page at the receiver.
        place_page: Text<Span>,
        /// Comparing a page with the one sent last and encoding the difference, at the sender. Default: unknown, and then
        /// `xbzrle` is refused.
        xbzrle_page: Text<Span>,
        /// Compressing one page, at the sender. Default: unknown, and then `compression` is refused.
        compress_page: Text<Span>,
        /// Decompressing one page, at the receiver. Default: unknown, and then `compression` is refused.
        decompress_page: Text<Span>,
        /// What a page with contents costs more at a receiver that has never held it (page faults). Default: `"0 s"`.
        first_touch: Text<Span>,
        /// Placing a page with contents while the VM runs without it (in post-copy), instead of `place_page` and `first_touch`.
        /// Default: the two together.
        place_missing: Text<Span>,
        /// Placing one page that holds only zeros. Default: `place_page`.
        place_zero: Text<Span>,
        /// Stopping the vCPUs and saving CPU and device state.
        stop: Text<Span>,
        /// Loading CPU and device state at the receiver.
        load: Text<Span>,
        /// Starting the vCPUs.
        resume: Text<Span>,
        /// From an access to a page that is not there to the request for it: trap, and the way to the process that asks.
        fault: Text<Span>,
        /// From a VMM's death to its kernel's closing its connections, per GiB of guest memory, which is given back first.
        /// Default: `"0 s"`.
        exit_per_gib: Text<Span>,
        /// Window in which `max_bandwidth` is a budget and the least over which bandwidth is measured; above zero.
        window: Text<Span>,
        /// How long the sender sends on before it looks at how much is left, and tests QEMU's stop rule. Default: half of
        /// `window`.
        iteration: Text<Span>,
        /// Whether the VMM hears commands (`cancel`) while its VM stands for the last copy (`answers`), or only after it
        /// (`blocked`). Default: `"answers"`.
        monitor_in_stop: Word<MonitorInStop>,
        /// Whether a page that arrives counts as dirty for the next checkpoint even if the guest does not write it: none does
        /// (`clean`), each does (`dirty`), or each that is not of zeros does, unless all of a version is sent before it has
        /// been copied (`until-sent`). Default: `"clean"`.
        arrived_pages: Word<ArrivedPages>,
        /// What a stage of a checkpoint costs beside its pages and the sync of the dirty log. Default: `"0 s"`.
        stage: Text<Span>,
        /// Copying one page in a stage of a checkpoint. Default: `read_page`.
        stage_page: Text<Span>,
        /// Stopping the vCPUs for a checkpoint, quiescing devices and saving both. Default: `stop`.
        suspend: Text<Span>,
        /// Starting the vCPUs after it. Default: `resume`.
        unsuspend: Text<Span>,
        /// CPU and devices of a checkpoint: bytes sent with its pages. Default: `device_state`.
        checkpoint_state: Text<Bytes>,
        /// Storing one page in memory. Default: `place_page`.
        store_page: Text<Span>,
        /// Storing or reading one page on disk. Default: unknown, and then a store on disk is refused.
        disk_page: Text<Span>,
        /// Marking a version complete at the store. Default: `"0 s"`.
        commit: Text<Span>,
        /// What a restore costs beside its pages. Default: `"0 s"`.
        restore: Text<Span>,
        /// Restoring one page. Default: `place_page`.
        restore_page: Text<Span>,
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
