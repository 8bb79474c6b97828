//! What QEMU does and a plain model of pre-copy does not: against own measurements of QEMU 10.0.2.

mod common;

use midflight::metric::Record;
use midflight::run::simulate;
use midflight::units::Span;

fn record(scenario: &str, sets: &[&str]) -> Record {
    let scenario = common::read_with(&common::root().join("scenarios").join(scenario), sets);
    simulate(&scenario, scenario.seed, 0).record
}

const WRITE: &str = "vms[0].workload.classes[45].write";
const SIZE: &str = "vms[0].workload.classes[45].size";
const BANDWIDTH: &str = "policy.migration.pre-copy.stop_rule.qemu.max_bandwidth";

/// QEMU counts one more sync at setup and one in the stop phase.
fn syncs(settings: &[String]) -> u64 {
    let sets: Vec<&str> = settings.iter().map(String::as_str).collect();
    record("smoke/qemu-pre-copy.json", &sets).precopy_rounds.expect("it has rounds") + 2
}

#[test]
fn syncs_are_as_many_as_measured() {
    let cases = [
        (0, "160 MiB", "100 MiB/s", 3),
        (2000, "160 MiB", "100 MiB/s", 3),
        (4000, "160 MiB", "100 MiB/s", 4),
        (8000, "160 MiB", "100 MiB/s", 5),
        (12000, "160 MiB", "100 MiB/s", 6),
        (1000, "160 MiB", "32 MiB/s", 5),
        (4000, "160 MiB", "32 MiB/s", 9),
        // Pages that a pass has not reached go first after a sync; what is written meanwhile falls on pages that wait anyway.
        (8000, "8 MiB", "32 MiB/s", 4),
    ];
    for (rate, size, bandwidth, measured) in cases {
        let sets = [format!("{WRITE}={rate} /s"), format!("{SIZE}={size}"), format!("{BANDWIDTH}={bandwidth}")];
        assert_eq!(syncs(&sets), measured, "{rate}/s over {size} at {bandwidth}");
    }
}

#[test]
fn max_bandwidth_is_off_in_the_stop_phase_and_a_link_is_not() {
    let limited = record("smoke/qemu-pre-copy.json", &[]);
    let bandwidth = format!("{BANDWIDTH}=8 GiB/s");
    let shaped = record("smoke/qemu-pre-copy.json", &["network=qemu-veth-100", &bandwidth]);
    let downtime = |record: &Record| record.downtime_s.expect("it has a downtime");
    assert!(downtime(&limited) < Span::from_ms(45), "measured 24 to 30 ms: {:?}", limited.downtime_s);
    let near = Span::from_ms(290)..=Span::from_ms(350);
    assert!(near.contains(&downtime(&shaped)), "measured 292 to 330 ms: {:?}", shaped.downtime_s);
}

#[test]
fn a_monitor_that_answers_would_end_the_outage() {
    let blocked = record("recovery/qemu-stop-silence.json", &[]);
    assert!(blocked.outage_s >= Some(Span::from_s(4)), "as long as the silence: {:?}", blocked.outage_s);
    let silence = r#"faults=[{"what": {"silence": {}}, "when": {"phase": {"name": "stop", "after": "350 ms"}}}]"#;
    let answers = record("recovery/qemu-stop-silence.json", &["platform.monitor_in_stop=answers", silence]);
    let stood = answers.downtime_s.expect("it stopped");
    assert!(stood > Span::from_ms(350) && stood < Span::from_s(2), "obeyed at 11 s: {stood}");
}

#[test]
fn pages_never_held_cost_more_than_pages_sent_before() {
    let cold = ["policy.migration={\"stop-and-copy\": {}}"];
    let dear = record("smoke/qemu-pre-copy.json", &cold);
    let cheap = record("smoke/qemu-pre-copy.json", &[cold[0], "platform.first_touch=0 s"]);
    let (dear, cheap) = (dear.downtime_s.expect("stands"), cheap.downtime_s.expect("stands"));
    // 57539 pages with contents, 5.9 us each.
    let more = Span::from_ms(330)..=Span::from_ms(350);
    assert!(more.contains(&(dear - cheap)), "{dear} and {cheap}");
}

/// A process that is killed gives its memory back before its connections are closed.
#[test]
fn the_death_of_a_process_takes_its_time() {
    let scenario = "recovery/qemu-stop-destination-killed.json";
    let detected = |sets: &[&str]| record(scenario, sets).detection_time_s.expect("it is noticed");
    let measured = Span::from_ms(5)..=Span::from_ms(9);
    assert!(measured.contains(&detected(&[])), "measured 6 to 8 ms: {}", detected(&[]));
    assert!(detected(&["platform.exit_per_gib=0 s"]) < Span::from_ms(1));
}
