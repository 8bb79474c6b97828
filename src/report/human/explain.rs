//! The story of a run event by event, with what each node knew and what was true at the turning points.

use std::collections::{BTreeMap, BTreeSet};

use super::page::{BAD, DIM, PLAIN, Page, STRONG, WARN};
use super::story::words;
use super::units;
use crate::protocol::Standing;
use crate::report::timeline::{Kind, timeline};
use crate::run::RunResult;
use crate::scenario::Scenario;
use crate::units::SimTime;
use crate::vocabulary::Host;
use crate::world::Fact;

/// The story, with colours if asked.
pub fn explain(result: &RunResult, scenario: &Scenario, colour: bool) -> String {
    let mut page = Page::new(colour);
    page.paragraph("", &format!("{}: {}", scenario.name, result.outcome), STRONG);
    page.paragraph("", &scenario.why, PLAIN);
    page.title("Event by event");
    let lines = timeline(result, scenario);
    let width = lines.last().map_or(0, |last| units::instant(last.at).len());
    for (index, line) in lines.iter().enumerate() {
        let head = format!("  {:>width$}  ", units::instant(line.at));
        let style = match line.kind {
            Kind::Violation => BAD.bold(),
            Kind::Fault | Kind::Suspicion => WARN,
            Kind::Guest | Kind::Restore | Kind::Milestone => STRONG,
            _ => PLAIN,
        };
        page.paragraph(&head, &words(line), style);
        let turns = matches!(line.kind, Kind::Fault | Kind::Suspicion | Kind::Restore | Kind::Violation | Kind::End);
        let goes_on = lines.get(index + 1).is_some_and(|next| next.at == line.at && next.kind == line.kind);
        if turns && !goes_on {
            knows(&mut page, &" ".repeat(width + 4), result, line.at);
        }
    }
    page.finish()
}

/// Where every node stands after all that happened until then, and where the VM really runs.
fn knows(page: &mut Page, indent: &str, result: &RunResult, until: SimTime) {
    let mut stands: BTreeMap<Host, Standing> = BTreeMap::new();
    let mut runs: BTreeSet<Host> = BTreeSet::new();
    let mut dead: BTreeSet<Host> = BTreeSet::new();
    for entry in result.log.entries().iter().take_while(|entry| entry.at <= until) {
        match &entry.fact {
            Fact::Standing { host, standing } => drop(stands.insert(*host, *standing)),
            Fact::Resumed(resumption) => drop(runs.insert(resumption.host)),
            Fact::Thawed { host } => drop(runs.insert(*host)),
            Fact::Paused { host, .. } | Fact::CopyGone { host, .. } => drop(runs.remove(host)),
            Fact::Restarted { host, .. } => drop(dead.remove(host)),
            Fact::PoweredOff { host } => drop(dead.insert(*host)),
            _ => {}
        }
    }
    let alive = stands.iter().filter(|(host, _)| !dead.contains(host));
    let believed: Vec<String> = alive.map(|(host, standing)| format!("{host}: {standing}")).collect();
    let truth: Vec<&str> = runs.iter().map(|host| host.as_str()).collect();
    let truth = if truth.is_empty() { "nowhere".to_owned() } else { format!("at {}", truth.join(" and at ")) };
    page.paragraph(&format!("{indent}| "), &format!("last said: {}", believed.join("; ")), DIM);
    page.paragraph(&format!("{indent}| "), &format!("true: the VM executes {truth}"), DIM);
}
