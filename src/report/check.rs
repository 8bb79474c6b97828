//! Checks for machines: a JSON document, and `JUnit` for whoever builds.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::tree::Json;
use crate::check::{Cell, Checked, Finding, Replayed};
use crate::vocabulary::Phase;

/// Version of the document's shape.
const SCHEMA: u64 = 1;

/// All that one command has checked, each with the command that repeats it.
#[derive(Debug, Default)]
pub struct Checks {
    /// Scenarios.
    pub checked: Vec<(Checked, String)>,
    /// Capsules.
    pub replayed: Vec<(Replayed, String)>,
}

impl Checks {
    /// Whether nothing fell short.
    pub fn are_good(&self) -> bool {
        let same = self.replayed.iter().all(|(replayed, _)| replayed.difference.is_none());
        same && self.checked.iter().all(|(checked, _)| checked.is_good())
    }
}

/// The document.
pub fn json_checks(checks: &Checks) -> String {
    let scenarios = checks.checked.iter().map(|(checked, _)| one(checked)).collect();
    let capsules = checks.replayed.iter().map(|(replayed, _)| {
        Json::Object(vec![
            ("capsule", Json::text(&replayed.name)),
            ("shows", Json::text(&replayed.shows)),
            ("reproduced", Json::Bool(replayed.difference.is_none())),
            ("difference", replayed.difference.as_deref().map_or(Json::Null, Json::text)),
        ])
    });
    let capsules = Json::List(capsules.collect());
    Json::Object(vec![("schema", Json::whole(SCHEMA)), ("scenarios", Json::List(scenarios)), ("capsules", capsules)])
        .print(5)
}

fn one(checked: &Checked) -> Json {
    let claims = checked.claims.iter().map(|(class, runs, broken)| {
        Json::Object(vec![
            ("class", Json::text(class.as_str())),
            ("runs", Json::whole(*runs)),
            ("broken", Json::whole(*broken)),
        ])
    });
    let must = checked.must_violate.as_ref().map_or(Json::Null, |(invariant, probe)| {
        let by = probe.as_ref().map_or(Json::Null, |probe| Json::text(&probe.kind));
        Json::Object(vec![("invariant", Json::text(invariant.as_str())), ("caught_by", by)])
    });
    let told = checked.told.iter().map(|(invariant, runs)| {
        Json::Object(vec![("invariant", Json::text(invariant.as_str())), ("runs", Json::whole(*runs))])
    });
    let texts = |all: &mut dyn Iterator<Item = &str>| Json::List(all.map(Json::text).collect());
    Json::Object(vec![
        ("scenario", Json::text(&checked.scenario.name)),
        ("good", Json::Bool(checked.is_good())),
        ("runs", Json::whole(checked.runs.0)),
        ("planned", Json::whole(checked.runs.1)),
        ("places", Json::whole(checked.places as u64)),
        ("memory", Json::Text(checked.scenario.vms[0].memory.to_string())),
        ("every_place", Json::Bool(checked.every_place)),
        ("ending_window_s", checked.ending_window.map_or(Json::Null, Json::seconds)),
        ("claims", Json::List(claims.collect())),
        ("must_violate", must),
        ("findings", Json::List(checked.findings.iter().map(finding).collect())),
        ("never_fired", texts(&mut checked.never_fired.iter().map(String::as_str))),
        ("proves_little", texts(&mut checked.weak.iter().copied())),
        ("not_claimed", Json::List(told.collect())),
        ("coverage", Json::List(coverage(checked))),
    ])
}

fn finding(finding: &Finding) -> Json {
    Json::Object(vec![
        ("class", Json::text(&finding.broken.class)),
        ("what", Json::text(&finding.broken.what)),
        ("fault", Json::text(&finding.probe.kind)),
        ("seed", Json::whole(finding.probe.seed.seed)),
        ("runs", Json::whole(finding.times)),
    ])
}

fn coverage(checked: &Checked) -> Vec<Json> {
    let coverage = &checked.coverage;
    let rows = coverage.kinds().iter().enumerate();
    let cells =
        rows.flat_map(|(row, kind)| coverage.phases().map(move |phase| (kind, phase, coverage.cell(row, phase))));
    cells.map(|(kind, phase, known)| cell(kind, phase, known)).collect()
}

fn cell(kind: &str, phase: Phase, cell: Option<&Cell>) -> Json {
    let outcomes = cell.map_or(Vec::new(), |cell| {
        cell.outcomes.iter().map(|(outcome, n)| (outcome.as_str(), Json::whole(*n))).collect()
    });
    Json::Object(vec![
        ("fault", Json::text(kind)),
        ("phase", Json::text(phase.as_str())),
        ("started", Json::whole(cell.map_or(0, |cell| cell.injected))),
        ("struck", Json::whole(cell.map_or(0, |cell| cell.fired))),
        ("outcomes", Json::Object(outcomes)),
    ])
}

/// A suite for each scenario, a case for each claim; a suite for all capsules.
pub fn junit_checks(checks: &Checks) -> String {
    let mut report = Report::new("midflight check");
    for (checked, again) in &checks.checked {
        report.add_test_suite(suite(checked, again));
    }
    if !checks.replayed.is_empty() {
        let mut suite = TestSuite::new("capsules");
        let cases = checks.replayed.iter();
        suite
            .add_test_cases(cases.map(|(replayed, again)| case(&replayed.name, replayed.difference.as_deref(), again)));
        report.add_test_suite(suite);
    }
    report.to_string().expect("texts are XML once they are escaped")
}

fn suite(checked: &Checked, again: &str) -> TestSuite {
    let mut suite = TestSuite::new(checked.scenario.name.as_str());
    for (class, runs, broken) in &checked.claims {
        let failure = (*broken > 0).then(|| format!("broken in {broken} of {runs} runs"));
        suite.add_test_case(case(&format!("tolerates {class}"), failure.as_deref(), again));
    }
    if let Some((invariant, probe)) = &checked.must_violate {
        let failure = probe.is_none().then_some("not caught in any run");
        suite.add_test_case(case(&format!("must violate {invariant}"), failure, again));
    }
    for finding in &checked.findings {
        let what = format!("{} ({})", finding.broken.what, finding.probe.kind);
        suite.add_test_case(case(&finding.broken.class, Some(&what), again));
    }
    for fault in &checked.never_fired {
        suite.add_test_case(case(&format!("{fault} strikes"), Some("it never did"), again));
    }
    if suite.test_cases.is_empty() {
        suite.add_test_case(case("as written", None, again));
    }
    suite
}

fn case(name: &str, failure: Option<&str>, again: &str) -> TestCase {
    let Some(what) = failure else { return TestCase::new(name, TestCaseStatus::success()) };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(what).set_description(format!("{what}\nagain: {again}"));
    TestCase::new(name, status)
}
