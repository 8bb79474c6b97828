//! One measurement as it is written down, and which of them are repetitions of each other.

use serde::Deserialize;
use serde_json::{Map, Number, Value};

use crate::units::{Quantity, Span};

/// Parameters that follow from what is in a name anyway.
const IN_ID_OTHERWISE: [&str; 2] = ["xbzrle_cache_size", "max_postcopy_bandwidth"];

/// A time in milliseconds, as measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ms(pub Span);

impl<'de> Deserialize<'de> for Ms {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(from)?;
        Span::parse(&format!("{number} ms")).map(Self).map_err(|error| serde::de::Error::custom(error.to_string()))
    }
}

/// What of a measurement is used. Fields that are not there were not measured.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub exp: Option<String>,
    pub vm_mib: Option<u64>,
    pub region_mib: Option<u64>,
    pub pattern: Option<String>,
    pub ws_mib: Option<u64>,
    pub rate_req_pages_s: Option<u64>,
    pub guest: Option<Guest>,
    pub rate_before: Option<Rate>,
    pub bw_mib_s: Option<u64>,
    pub link_mib_s: Option<u64>,
    pub relay_mib_s: Option<u64>,
    pub downtime_limit_ms: Option<u64>,
    pub caps: Vec<String>,
    pub params: Map<String, Value>,
    pub postcopy_after_pass: Option<u64>,
    pub outcome: Option<String>,
    pub downtime_events_ms: Option<Ms>,
    pub t_src_status: Vec<(Ms, String)>,
    pub t_dst_status: Vec<(Ms, String)>,
    pub t_pass: Vec<(u64, Ms)>,
    pub t_src_stop: Vec<Ms>,
    pub t_cancel_cmd: Option<Ms>,
    pub failure: Option<String>,
    pub phase: Option<String>,
    pub at_fraction: Option<Number>,
    pub t_failure: Option<Ms>,
    pub detect_src_ms: Option<Ms>,
    pub detect_dst_ms: Option<Ms>,
    pub vm_survived: Option<bool>,
    /// Run states in the end; of a source that was migrated once more, those after that.
    pub src_status_end: Option<String>,
    pub dst_status_end: Option<String>,
    pub retry_status: Option<Value>,
    pub recovery: Vec<Recovery>,
    pub stall_s: Option<u64>,
    /// The VM was saved to a file, of so many bytes.
    pub file_bytes: Option<u64>,
    /// It ran on while its pages were written in rounds, or as a snapshot; else it stood.
    pub live: Option<bool>,
    pub background_snapshot: Option<bool>,
    pub save_ms: Option<Ms>,
    pub t_stop: Vec<Ms>,
    pub t_resume: Vec<Ms>,
    /// It was killed then, and loaded from the file.
    pub failover: Option<Failover>,
    /// What was seen from outside.
    pub ext: Option<Outside>,
    pub src_final: Option<Final>,
    pub dst_final: Option<Final>,
}

/// How the guest's program was told to work.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Guest {
    /// 1: as fast as it can.
    pub closed: Option<u64>,
    /// How long it idles between two touches, if it does so.
    pub spin: Option<u64>,
}

/// What a rate was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rate {
    pub touches_per_s: Option<Number>,
}

/// What heartbeats showed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Outside {
    /// From the last at the source to the first at the destination.
    pub hb_gap_switch_ms: Option<Ms>,
}

/// A VM that was killed and loaded from a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Failover {
    pub load_ms: Option<Ms>,
    pub kill_to_first_hb_ms: Option<Ms>,
}

/// A recovery of a post-copy.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Recovery {
    pub detect_src_ms: Option<Ms>,
    pub detect_dst_ms: Option<Ms>,
    /// Seconds that the driver waited.
    pub pause_s: Option<Number>,
    pub t_migrate_pause: Option<Ms>,
    pub stall_s: Option<u64>,
}

/// The answer to `query-migrate` after the end.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Final {
    pub status: Option<String>,
    pub total_time: Option<u64>,
    pub downtime: Option<u64>,
    pub postcopy_blocktime: Option<u64>,
    pub ram: Option<Ram>,
}

/// Its part about memory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Ram {
    pub total: Option<u64>,
    pub normal: Option<u64>,
    pub duplicate: Option<u64>,
    pub dirty_sync_count: Option<u64>,
    pub dirty_pages_rate: Option<u64>,
    pub postcopy_requests: Option<u64>,
    /// Throughput over the last window [10^6 bit/s].
    pub mbps: Option<Number>,
}

/// One set-up and its repetitions.
#[derive(Debug, Clone)]
pub(super) struct Setting<'a> {
    /// What it is called.
    pub id: String,
    /// At least one.
    pub runs: Vec<&'a Record>,
}

impl Record {
    /// Reads a line: a measurement, or a bare answer to `query-migrate`.
    pub fn parse(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let value = value.get("return").cloned().unwrap_or(value);
        let bare = value.get("status").is_some() && value.get("ram").is_some();
        if !value.is_object() {
            return Err("is no JSON object".into());
        }
        if bare {
            let last = Final::deserialize(value).map_err(|error| error.to_string())?;
            return Ok(Self { outcome: last.status.clone(), src_final: Some(last), ..Self::default() });
        }
        let record = Self::deserialize(value).map_err(|error| error.to_string())?;
        if record.exp.is_none() && record.src_final.is_none() {
            return Err("has neither `exp` nor `src_final`, so it is no measurement of a migration".into());
        }
        Ok(record)
    }

    /// Whether a capability was on.
    pub fn has(&self, capability: &str) -> bool {
        self.caps.iter().any(|cap| cap == capability)
    }

    /// Whether the guest worked as fast as it could.
    pub fn is_closed(&self) -> bool {
        self.guest.as_ref().is_some_and(|guest| guest.closed == Some(1))
    }

    /// The last answer's part about memory.
    pub fn ram(&self) -> Option<&Ram> {
        self.src_final.as_ref()?.ram.as_ref()
    }

    /// The instant at which one of these states was entered, not before `from`.
    pub fn entered(status: &[(Ms, String)], names: &[&str], from: Span) -> Option<Span> {
        status.iter().find(|(at, name)| at.0 >= from && names.contains(&name.as_str())).map(|(at, _)| at.0)
    }

    /// What it is called: what was tried, with all that was set.
    fn id(&self) -> String {
        let mut id = self.exp.clone().unwrap_or_else(|| "measured".into());
        let mut part = |text: String| {
            id.push('-');
            id.push_str(&text);
        };
        if let Some(pattern) = &self.pattern {
            part(pattern.clone());
        }
        let numbers = [
            ("rate", self.rate_req_pages_s.filter(|rate| *rate > 0)),
            ("ws", self.ws_mib.filter(|_| self.pattern.as_deref() != Some("idle"))),
            ("vm", self.vm_mib.filter(|mib| *mib != 256)),
            ("spin", self.guest.as_ref().and_then(|guest| guest.spin)),
            ("bw", self.bw_mib_s),
            ("link", self.link_mib_s),
            ("relay", self.relay_mib_s),
            ("limit", self.downtime_limit_ms.filter(|limit| *limit != 300)),
            ("pass", self.postcopy_after_pass.filter(|pass| *pass > 0)),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                part(format!("{name}-{number}"));
            }
        }
        let implied = ["events", "postcopy-blocktime", "postcopy-ram"];
        let caps = self.caps.iter().filter(|cap| !implied.contains(&cap.as_str()));
        let params = self.params.iter().filter(|(name, _)| !IN_ID_OTHERWISE.contains(&name.as_str()));
        let fraction = self.at_fraction.as_ref().map(ToString::to_string);
        let words = caps.cloned().chain(params.map(|(name, value)| format!("{name}-{value}")));
        let words = words.chain(self.failure.clone()).chain(self.phase.clone()).chain(fraction);
        for word in words.map(|word| word.replace("postcopy-preempt", "preempt")) {
            if !id.contains(&word) {
                id.push('-');
                id.push_str(&word);
            }
        }
        id
    }
}

/// The settings, in the order in which they first occur.
pub(super) fn settings(records: &[Record]) -> Vec<Setting<'_>> {
    let mut all: Vec<Setting<'_>> = Vec::new();
    for record in records {
        let id = record.id();
        match all.iter_mut().find(|setting| setting.id == id) {
            Some(setting) => setting.runs.push(record),
            None => all.push(Setting { id, runs: vec![record] }),
        }
    }
    all
}

impl Setting<'_> {
    /// Its first run: what was set is the same in all.
    pub fn set_up(&self) -> &Record {
        self.runs[0]
    }

    /// The run whose `key` is the median, of those that have one.
    pub fn median_by(&self, key: impl Fn(&Record) -> Option<Span>) -> Option<&Record> {
        let mut runs: Vec<(Span, &Record)> = self.runs.iter().filter_map(|run| Some((key(run)?, *run))).collect();
        runs.sort_by_key(|(key, _)| *key);
        Some(runs.get(runs.len().checked_sub(1)? / 2)?.1)
    }
}
