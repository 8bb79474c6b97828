//! Golden fingerprints: a change of bits is a decision, with a line under *Reproducibility-breaking changes*.

mod common;

use std::fmt::Write as _;

use midflight::run::simulate;
use rayon::prelude::*;

/// Rewrite the file with: `MIDFLIGHT_WRITE_DOCS=1 cargo test --test golden`.
#[test]
#[expect(clippy::disallowed_methods, reason = "how a person asks for the file to be written anew")]
fn fingerprints_are_golden() {
    let mut text = String::from("# scenario, outcome, events, fingerprint; see tests/golden.rs\n");
    let scenarios = common::scenarios().into_par_iter();
    let runs = scenarios.map(|(path, scenario)| (path, simulate(&scenario, scenario.seed, 0).record));
    for (path, record) in runs.collect::<Vec<_>>() {
        let name = path.strip_prefix(common::root().join("scenarios")).expect("below scenarios").display();
        let events = record.events.expect("a run has events");
        writeln!(text, "{name} {} {events} {}", record.outcome, record.fingerprint).expect("a string takes it");
    }
    let file = common::root().join("tests/golden/fingerprints.txt");
    if std::env::var_os("MIDFLIGHT_WRITE_DOCS").is_some() {
        std::fs::write(&file, &text).expect("writable");
    }
    let golden = std::fs::read_to_string(&file).expect("tests/golden/fingerprints.txt");
    for (new, old) in text.lines().zip(golden.lines()) {
        assert_eq!(new, old);
    }
    assert_eq!(text, golden);
}
