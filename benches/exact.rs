//! Exact memory: a whole migration against its floor, the bare kernel that draws the same writes and sets the same bits.
//!
//! `cargo bench` prints both; the ratio is what the protocol, the network and the bookkeeping cost.

use std::path::Path;
use std::sync::Arc;

use divan::Bencher;
use midflight::model::guest::Guest;
use midflight::model::memory::BranchId;
use midflight::rng::RunSeed;
use midflight::run::simulate;
use midflight::scenario::{LoadOptions, Scenario, load_text};
use midflight::units::Span;

fn main() {
    divan::main();
}

/// 4 GiB, 100 000 writes/s over 256 MiB of it, ten-gigabit Ethernet.
fn scenario() -> Arc<Scenario> {
    let text = r#"{
      "schema": 1, "why": "bench",
      "policy": {"migration": {"pre-copy": {"stop_rule": {"qemu": {"downtime_limit": "300 ms"}}}}},
      "vms": [{"memory": "4 GiB", "workload": {"classes": [
        {"name": "hot", "size": "256 MiB", "write": "100000 /s", "pattern": {"uniform": {}}},
        {"name": "rest", "write": "0 /s", "pattern": {"uniform": {}}}]}}],
      "network": "ten-gige"
    }"#;
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let options = LoadOptions { models: Some(&models), ..LoadOptions::default() };
    Arc::new(load_text("bench", text, &options).unwrap_or_else(|error| panic!("{error}")))
}

#[divan::bench(sample_count = 20)]
fn migration(bencher: Bencher) {
    let scenario = scenario();
    bencher.bench(|| simulate(&scenario, 1, 0).record);
}

/// The guest's writes over the same guest time, and nothing else.
#[divan::bench(sample_count = 20)]
fn bare_kernel(bencher: Bencher) {
    let scenario = scenario();
    let end = simulate(&scenario, 1, 0).record.end_s.unwrap_or(Span::ZERO);
    let pages = scenario.vms[0].memory.pages(scenario.platform.page_size);
    let seed = RunSeed { seed: 1, replication: 0 };
    bencher.bench(|| Guest::relive(&scenario.vms[0], 0, seed, pages, &[(BranchId::new(0), end)]).hash());
}
