//! What was set up, as changes of a scenario.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::record::{Record, Setting};
use crate::scenario::library::embedded;

/// When the operator asks for the migration, counted from the guest's start, as in the measured campaign [ms].
pub(super) const MIGRATE_AT_MS: u64 = 1000;
/// QEMU sends its ROM blocks behind the guest's memory [KiB].
const ROM_KIB: u64 = 512;
const PAGE_KIB: u64 = 4;

/// Paths of a scenario and what is there.
#[derive(Debug, Clone)]
pub(super) struct Experiment {
    /// How the VM is moved, or saved to a file.
    policy: Policy,
    /// What a scenario must have.
    whole: Vec<(&'static str, Value)>,
    /// What it may have besides.
    more: Vec<(String, Value)>,
}

/// A policy, of which only the migration differs from one measurement of a migration to the other.
#[derive(Debug, Clone, PartialEq)]
enum Policy {
    Migration(Value),
    Save(Value),
}

impl Policy {
    fn whole(&self) -> Value {
        match self {
            Self::Migration(migration) => json!({
                "migration": migration,
                "handover": { "autostart": { "on_silence": "resume" } },
                "detector": { "heartbeat": { "off": {} }, "transport_error": "at-next-write" },
            }),
            Self::Save(save) => json!({
                "base": "qemu-file",
                "checkpoint": { "direction": "forward", "save": save, "buffer": "none" },
            }),
        }
    }

    fn why(&self) -> &'static str {
        match self {
            Self::Migration(_) => {
                "What was measured, with QEMU's handover: it starts the VM by itself, knows no heartbeat, and notices a broken connection when it next writes."
            }
            Self::Save(_) => {
                "What was measured: the VM is saved to a file, its VMM is killed, and another loads it from the file."
            }
        }
    }
}

impl Experiment {
    /// # Errors
    /// Why it cannot be simulated.
    pub fn of(setting: &Setting<'_>) -> Result<Self, String> {
        let record = setting.set_up();
        if record.save_ms.is_some() && record.file_bytes.is_none() {
            return Err("it saves the VM into a disk image (`snapshot-save`), whose format is not modelled".into());
        }
        if record.src_final.is_none()
            && record.failure.is_none()
            && record.outcome.as_deref() != Some("cancelled-by-us")
        {
            return Err("is no migration between two hosts".into());
        }
        let mut more = Vec::new();
        let (memory, workload) = guest(record, &mut more)?;
        let policy =
            if record.file_bytes.is_some() { Policy::Save(save(record)) } else { Policy::Migration(migration(record)) };
        let whole = vec![("vms[0].memory", memory), ("vms[0].workload", workload), ("network", network(record)?)];
        Ok(Self { policy, whole, more })
    }

    /// The scenario that rows change.
    pub fn scenario(&self) -> Value {
        let part = |path: &str| self.whole.iter().find(|(other, _)| *other == path).map(|(_, value)| value.clone());
        json!({
            "schema": 1,
            "why": self.policy.why(),
            "policy": self.policy.whole(),
            "vms": [{
                "memory": part("vms[0].memory"),
                "workload": part("vms[0].workload"),
                "output": { "rate": "100 /s", "size": "100 B" },
            }],
            "network": part("network"),
            "platform": "qemu-10-tcg",
            "operator": { "migrate_at": format!("{MIGRATE_AT_MS} ms") },
        })
    }

    /// What a row must set where the scenario is that of `base`.
    pub fn set(&self, base: &Self) -> Map<String, Value> {
        let mut set = Map::new();
        match (&self.policy, &base.policy) {
            (here, there) if here == there => {}
            (Policy::Migration(migration), Policy::Migration(_)) => {
                set.insert("policy.migration".into(), migration.clone());
            }
            (here, _) => {
                set.insert("policy".into(), here.whole());
            }
        }
        for ((path, value), (_, other)) in self.whole.iter().zip(&base.whole) {
            if value != other {
                set.insert((*path).into(), value.clone());
            }
        }
        set.extend(self.more.iter().cloned());
        set
    }
}

/// How a VM is saved to a file. A background snapshot knows no limit: QEMU's thread for it switches `max-bandwidth` off.
fn save(record: &Record) -> Value {
    if record.background_snapshot == Some(true) || record.has("background-snapshot") {
        return json!({ "background": {} });
    }
    let mut rule = json!({ "downtime_limit": limit(record) });
    if let Some(mib) = record.bw_mib_s {
        rule["max_bandwidth"] = json!(format!("{mib} MiB/s"));
    }
    let way = if record.live == Some(true) { "live" } else { "stopped" };
    json!({ way: rule })
}

fn limit(record: &Record) -> String {
    format!("{} ms", record.downtime_limit_ms.unwrap_or(300))
}

fn migration(record: &Record) -> Value {
    let limit = limit(record);
    let bandwidth = match (record.bw_mib_s, record.vm_mib, record.ram().and_then(|ram| ram.mbps.as_ref())) {
        (Some(mib), ..) => format!("{mib} MiB/s"),
        // Nothing is known of what limited it but how fast it went.
        (None, None, Some(mbps)) => format!("{} Mbit/s", whole(mbps).filter(|rate| *rate > 0).unwrap_or(1)),
        (None, ..) => "8 GiB/s".into(),
    };
    let mut pre_copy = json!({ "stop_rule": { "qemu": { "downtime_limit": limit, "max_bandwidth": bandwidth } } });
    if record.has("xbzrle") {
        let cache = record.params.get("xbzrle_cache_size").and_then(Value::as_u64).unwrap_or(64 << 20);
        pre_copy["xbzrle"] = json!({ "cache": format!("{cache} B") });
    }
    if record.has("multifd") {
        pre_copy["channels"] = json!(record.params.get("multifd_channels").and_then(Value::as_u64).unwrap_or(2));
    }
    if record.has("auto-converge") {
        pre_copy["auto_converge"] = json!({});
    }
    if !record.has("postcopy-ram") {
        return json!({ "pre-copy": pre_copy });
    }
    let preempt = record.has("postcopy-preempt");
    // Where pages that are asked for have a connection of their own, the push goes on where it is (QEMU 10.0).
    let push = if preempt { json!({ "ascending": {} }) } else { json!({ "from-fault": {} }) };
    let mut post_copy = json!({ "push": push, "preempt": preempt });
    let most = record.params.get("max_postcopy_bandwidth").and_then(Value::as_u64).filter(|most| *most > 0);
    if let Some(most) = most {
        post_copy["max_bandwidth"] = json!(format!("{most} B/s"));
        post_copy["finish"] = json!(limit);
    }
    let switch = match record.postcopy_after_pass.unwrap_or(0) {
        // The command follows the first by 3 ms.
        0 => json!({ "time": "3 ms" }),
        passes => json!({ "rounds": passes }),
    };
    json!({ "hybrid": { "switch": switch, "pre_copy": pre_copy, "post_copy": post_copy } })
}

fn network(record: &Record) -> Result<Value, String> {
    match record.link_mib_s.or(record.relay_mib_s) {
        None => Ok(json!("qemu-loopback")),
        Some(32) => Ok(json!("qemu-veth-32")),
        Some(100) => Ok(json!("qemu-veth-100")),
        // Of 100 MiB/s on the wire 98.5 MB/s arrive, as was measured.
        Some(other) => {
            let kbit = other.checked_mul(7880).ok_or("the link's rate is too large")?;
            Ok(
                json!({ "base": "qemu-veth-100", "rate": format!("{kbit} kbit/s"), "application_rate": format!("{kbit} kbit/s") }),
            )
        }
    }
}

/// Memory and workload; what of a shipped workload is to be changed goes to `more`.
fn guest(record: &Record, more: &mut Vec<(String, Value)>) -> Result<(Value, Value), String> {
    let Some(mib) = record.vm_mib else { return anonymous(record) };
    let name = format!("qemu-guest-{mib}");
    let path = format!("models/workloads/{name}.json");
    let text = embedded(Path::new(&path)).and_then(Result::ok);
    let text = text.ok_or_else(|| format!("the layout of a guest of {mib} MiB is not known"))?;
    let model: Value = serde_json::from_str(text.text()).map_err(|error| error.to_string())?;
    let index = |name: &str| model["classes"].as_array()?.iter().position(|class| class["name"] == name);
    let (data, rest) = index("data").zip(index("untouched")).ok_or("the model of its memory has no `data`")?;
    let region = record.region_mib.unwrap_or_default() << 10;
    let working_set = record.ws_mib.map_or(region, |mib| mib << 10);
    let rate = rate(record)?;
    if record.is_closed() {
        // It works as fast as it can.
        more.push(("vms[0].workload.pace".into(), json!({ "own": {} })));
    }
    let mut set =
        |class: usize, key: &str, value: Value| more.push((format!("vms[0].workload.classes[{class}].{key}"), value));
    let kib = |size: u64| json!(format!("{size} KiB"));
    let per_s = |rate: u64| json!(format!("{rate} /s"));
    match record.pattern.as_deref() {
        Some("idle") | None => set(data, "write", per_s(0)),
        Some("hotcold") => {
            if working_set != region {
                return Err(
                    "a `hotcold` pattern on a part of the region has no place in the model of its memory".into()
                );
            }
            // Nine of ten touches go to the first tenth.
            set(data, "size", kib(working_set / 10 / PAGE_KIB * PAGE_KIB));
            set(data, "write", per_s(rate - rate / 10));
            set(rest, "write", per_s(rate / 10));
            set(rest, "delta", json!("8 B"));
        }
        Some(pattern @ ("uniform" | "sequential" | "zipf")) => {
            set(data, "size", kib(working_set));
            set(data, "write", per_s(rate));
            match pattern {
                "sequential" => set(data, "pattern", json!({ "sequential": {} })),
                "zipf" => set(data, "pattern", json!({ "zipf": { "exponent": "99/100" } })),
                _ => {}
            }
        }
        Some(other) => return Err(format!("the pattern `{other}` is not known")),
    }
    Ok((json!(format!("{} KiB", (mib << 10) + ROM_KIB)), json!(name)))
}

/// Touches per second: as told, or, of a guest that works as fast as it can, as before the migration.
fn rate(record: &Record) -> Result<u64, String> {
    let told = record.rate_req_pages_s.unwrap_or(0);
    if told > 0 || record.pattern.as_deref() == Some("idle") {
        return Ok(told);
    }
    let seen = record.rate_before.as_ref().and_then(|rate| rate.touches_per_s.as_ref()).and_then(whole);
    seen.ok_or_else(|| "neither `rate_req_pages_s` nor `rate_before` says how fast the guest wrote".into())
}

/// What stands before the decimal point.
fn whole(number: &serde_json::Number) -> Option<u64> {
    number.to_string().split('.').next()?.parse().ok()
}

/// A guest of which only the last `query-migrate` is known: the share of its pages that are zero, and how fast it dirtied.
fn anonymous(record: &Record) -> Result<(Value, Value), String> {
    let ram = record.ram().ok_or("nothing is known of the guest")?;
    let total = ram.total.ok_or("`ram.total` is missing")?;
    let pages = total >> 12;
    let zero = ram.duplicate.unwrap_or(0).min(pages.saturating_sub(1));
    let rate = ram.dirty_pages_rate.unwrap_or(0);
    let class = json!({ "name": "data", "write": format!("{rate} /s"), "zero": format!("{zero}/{}", pages.max(1)) });
    Ok((json!(format!("{} KiB", pages * PAGE_KIB)), json!({ "classes": [class] })))
}
