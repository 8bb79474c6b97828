//! What was seen, as rows with the tolerances of the campaign's own aims.

use serde_json::{Map, Value, json};

use super::experiment::MIGRATE_AT_MS;
use super::record::{Record, Setting};
use crate::units::Span;

type Set = Map<String, Value>;

/// The rows of a setting.
pub(super) fn rows(setting: &Setting<'_>, set: &Set) -> Vec<Value> {
    let record = setting.set_up();
    if record.failure.is_some() {
        return failure(setting, set);
    }
    if record.outcome.as_deref() == Some("cancelled-by-us") {
        return cancelled(setting, set);
    }
    if record.file_bytes.is_some() {
        return saved(setting, set);
    }
    let mut rows = Vec::new();
    let mut row = |name: &str, metric: Value, seen: Vec<Option<Value>>, within: Value| {
        rows.extend(measured(&format!("{}-{name}", setting.id), set, &metric, seen, &within));
    };
    let each = |get: &dyn Fn(&Record) -> Option<Value>| setting.runs.iter().map(|run| get(run)).collect::<Vec<_>>();
    let total = each(&|run| Some(ms(Span::from_ms(run.src_final.as_ref()?.total_time?))));
    row("total", json!({ "from": "accepted", "to": "last-sent" }), total, json!({ "fraction": "5 %" }));
    let downtime = each(&|run| Some(ms(run.downtime_events_ms?.0)));
    row(
        "downtime",
        json!({ "from": "stopped", "to": "resumed" }),
        downtime,
        json!({ "fraction": "25 %", "absolute": "10 ms" }),
    );
    let normal = each(&|run| Some(json!(format!("{} pages", run.ram()?.normal?))));
    row("normal", json!("pages_whole"), normal, json!({ "fraction": "2 %" }));
    if record.has("postcopy-ram") {
        let requests = each(&|run| run.ram()?.postcopy_requests.filter(|count| *count > 0).map(|count| json!(count)));
        row("requests", json!("network_faults"), requests, json!({ "factor": "1.5" }));
        let blocked = each(&|run| {
            run.dst_final.as_ref()?.postcopy_blocktime.filter(|time| *time > 0).map(|time| ms(Span::from_ms(time)))
        });
        row("blocked", json!("all_blocked_s"), blocked, json!({ "fraction": "20 %" }));
        let gap = each(&|run| Some(ms(run.ext.as_ref()?.hb_gap_switch_ms?.0)));
        row("first-output", json!({ "from": "stopped", "to": "first-output" }), gap, json!({ "factor": "2" }));
    } else {
        // QEMU counts one more sync at setup and one after the stop.
        let rounds = each(&|run| Some(json!(run.ram()?.dirty_sync_count?.saturating_sub(2).max(1))));
        row("rounds", json!("precopy_rounds"), rounds, json!({ "absolute": 1 }));
    }
    rows
}

/// A VM that was saved to a file, and killed and loaded from it a while after the file was complete.
fn saved(setting: &Setting<'_>, set: &Set) -> Vec<Value> {
    let mut set = set.clone();
    let killed =
        json!({ "what": { "crash-vmm": "source" }, "when": { "phase": { "name": "commit", "after": "1 s" } } });
    set.insert("faults".into(), json!([killed]));
    set.insert("expect".into(), json!({ "outcome": ["recovered"] }));
    let mut rows = Vec::new();
    let mut row = |name: &str, metric: Value, get: &dyn Fn(&Record) -> Option<Value>, within: Value| {
        let seen = setting.runs.iter().map(|run| get(run)).collect();
        rows.extend(measured(&format!("{}-{name}", setting.id), &set, &metric, seen, &within));
    };
    let bytes = |run: &Record| Some(json!(format!("{} B", run.file_bytes?)));
    row("file", json!("file_bytes"), &bytes, json!({ "fraction": "1 %" }));
    let save = |run: &Record| Some(ms(run.save_ms?.0));
    row("save", json!({ "from": "accepted", "to": "committed" }), &save, json!({ "fraction": "10 %" }));
    // Of one that stood all the time only the save is known.
    let pause = |run: &Record| Some(ms(run.t_resume.first()?.0.saturating_sub(run.t_stop.first()?.0)));
    let within = json!({ "fraction": "25 %", "absolute": "10 ms" });
    row("pause", json!("checkpoint_pause_s"), &pause, within);
    let load = |run: &Record| Some(ms(run.failover.as_ref()?.load_ms?.0));
    row("load", json!({ "from": "launched", "to": "resumed" }), &load, json!({ "fraction": "10 %" }));
    let failover = |run: &Record| Some(ms(run.failover.as_ref()?.kill_to_first_hb_ms?.0));
    row("failover", json!({ "from": "fault", "to": "first-output" }), &failover, json!({ "fraction": "20 %" }));
    rows
}

/// One that had not converged when it was given up: nor may it here, after as many rounds.
fn cancelled(setting: &Setting<'_>, set: &Set) -> Vec<Value> {
    let mut set = set.clone();
    let Some(at) = setting.median_by(|run| run.t_cancel_cmd.map(|at| at.0)).and_then(|run| run.t_cancel_cmd) else {
        return Vec::new();
    };
    set.insert("operator.cancel_after".into(), ms(at.0));
    set.insert("expect".into(), json!({ "outcome": ["rolled_back"] }));
    let rounds = setting.runs.iter().map(|run| Some(json!(run.t_pass.last()?.0))).collect();
    measured(&format!("{}-rounds", setting.id), &set, &json!("precopy_rounds"), rounds, &json!({ "absolute": 1 }))
        .into_iter()
        .collect()
}

/// The fate of the VM, and how long it took until somebody noticed.
fn failure(setting: &Setting<'_>, set: &Set) -> Vec<Value> {
    let Some(run) = setting.median_by(|run| run.t_failure.map(|at| at.0)) else { return Vec::new() };
    let Some((set, struck)) = struck(run, set.clone()) else { return Vec::new() };
    let Some(mut set) = fate(run, set, struck) else { return Vec::new() };
    let ends =
        [("source", end(setting, |run| &run.src_status_end)), ("destination", end(setting, |run| &run.dst_status_end))];
    let given = ends.into_iter().filter_map(|(host, end)| Some((host.to_string(), Value::from(end?))));
    let ends: Map<String, Value> = given.collect();
    if !ends.is_empty() {
        set["expect"]["ends"] = Value::Object(ends);
    }
    let detected = setting.runs.iter().map(|run| Some(ms(detected(run)?))).collect::<Vec<_>>();
    let to = match (run.failure.as_deref(), run.phase.as_deref()) {
        (_, Some("postcopy")) => "paused",
        (Some("kill-src"), _) => "suspected",
        _ => "gave-up",
    };
    let row = measured(
        &format!("{}-detected", setting.id),
        &set,
        &json!({ "from": "fault", "to": to }),
        detected,
        &json!({ "factor": "2" }),
    );
    row.into_iter().collect()
}

/// What was there of the VM on a host in the end, in most of the repetitions that were left alone after the failure.
fn end(setting: &Setting<'_>, status: impl Fn(&Record) -> &Option<String>) -> Option<&'static str> {
    let alone = setting.runs.iter().filter(|run| run.retry_status.is_none());
    let seen: Vec<&str> = alone
        .filter_map(|run| status(run).as_deref())
        .map(|status| match status {
            "gone" => "gone",
            "running" => "runs",
            _ => "stands",
        })
        .collect();
    let times = |word: &str| seen.iter().filter(|seen| **seen == word).count();
    ["gone", "runs", "stands"].into_iter().filter(|word| times(word) > 0).max_by_key(|word| times(word))
}

/// Sets the fault, where and when it struck. Answers when that was, counted from the command.
fn struck(run: &Record, mut set: Set) -> Option<(Set, Span)> {
    let at = run.t_failure?.0;
    let what = match run.failure.as_deref()? {
        "kill-dst" => json!({ "crash-vmm": "destination" }),
        "kill-src" => json!({ "crash-vmm": "source" }),
        "net-cut" => json!({ "reset": {} }),
        "net-stall" => json!({ "silence": {} }),
        _ => return None,
    };
    let when = |after: Span| match (run.phase.as_deref(), run.t_src_stop.first()) {
        (Some("stop"), Some(stop)) => {
            json!({ "phase": { "name": "stop", "after": ms((at + after).saturating_sub(stop.0)) } })
        }
        _ => json!({ "at": ms(Span::from_ms(MIGRATE_AT_MS) + at + after) }),
    };
    let mut first = json!({ "what": what, "when": when(Span::ZERO) });
    if let (Some("net-stall"), Some("postcopy"), Some(length)) =
        (run.failure.as_deref(), run.phase.as_deref(), stall(run))
    {
        // The connection that replaced it was not silenced.
        first["lasts"] = ms(Span::from_s(length));
    }
    let mut faults = vec![first];
    if run.failure.as_deref() == Some("net-stall") && run.phase.as_deref() == Some("stop") {
        // The driver ended the silence with a reset.
        faults.push(json!({ "what": { "reset": {} }, "when": when(Span::from_s(stall(run)?)) }));
    }
    set.insert("faults".into(), json!(faults));
    Some((set, at))
}

/// How long a silence lasted [s].
fn stall(run: &Record) -> Option<u64> {
    run.stall_s.or_else(|| run.recovery.first()?.stall_s)
}

/// What became of the VM, and what the driver did about the failure.
fn fate(run: &Record, mut set: Set, struck: Span) -> Option<Set> {
    let survived = run.vm_survived?;
    let outcome = match (survived, run.phase.as_deref()) {
        (true, Some("postcopy")) => json!(["resumed"]),
        (true, _) => json!(["rolled_back"]),
        (false, _) => json!(["lost", "stalled"]),
    };
    set.insert("expect".into(), json!({ "outcome": outcome }));
    if let Some(recovery) = run.recovery.first() {
        let pause = recovery.pause_s.as_ref().map_or("0".into(), ToString::to_string);
        set.insert("operator.recover".into(), json!({ "after": format!("{pause} s") }));
        if let Some(paused) = recovery.t_migrate_pause {
            set.insert("operator.pause_after".into(), ms(paused.0));
        }
    }
    if let Some(cancelled) = Record::entered(&run.t_src_status, &["cancelling"], struck) {
        set.insert("operator.cancel_after".into(), ms(cancelled));
    }
    Some(set)
}

/// From the failure to the first node that noticed it and acted; for a silence, to what the driver did.
fn detected(run: &Record) -> Option<Span> {
    let at = run.t_failure?.0;
    let first = run.recovery.first();
    let known = [
        run.detect_src_ms,
        run.detect_dst_ms,
        first.and_then(|recovery| recovery.detect_src_ms),
        first.and_then(|recovery| recovery.detect_dst_ms),
    ];
    if let Some(soonest) = known.into_iter().flatten().min() {
        return Some(soonest.0);
    }
    let sides = if run.failure.as_deref() == Some("kill-src") { &run.t_dst_status } else { &run.t_src_status };
    let seen = Record::entered(sides, &["failed", "cancelled", "postcopy-paused"], at)?;
    Some(seen.saturating_sub(at))
}

/// A row, if at least half of the runs have a value.
fn measured(id: &str, set: &Set, metric: &Value, seen: Vec<Option<Value>>, within: &Value) -> Option<Value> {
    let of = seen.len();
    let seen: Vec<Value> = seen.into_iter().flatten().collect();
    if seen.is_empty() || seen.len() * 2 < of {
        return None;
    }
    Some(json!({ "id": id, "set": set, "metric": metric, "repetitions": seen, "within": within, "replications": 3 }))
}

fn ms(span: Span) -> Value {
    json!(span.to_string())
}
