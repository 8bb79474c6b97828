//! A path through the model in words: what happened, and what changed by it.

use std::fmt::Write as _;

use midflight::protocol::{Channel, Input, Timer};
use midflight::vocabulary::Host;
use stateright::Path;

use crate::host::Seat;
use crate::plan::{Broken, Fault};
use crate::wire::{Item, Line};
use crate::world::{Event, World};

/// Every event of a path, with what it changed.
pub fn path(path: Path<World, Event>) -> String {
    let steps = path.into_vec();
    let mut text = String::new();
    for (number, pair) in steps.windows(2).enumerate() {
        let [(before, Some(event)), (after, _)] = pair else { continue };
        writeln!(text, "{:2}. {}", number + 1, happens(before, *event)).expect("a string takes it");
        for change in changes(before, after) {
            writeln!(text, "      {change}").expect("a string takes it");
        }
    }
    text
}

fn happens(world: &World, event: Event) -> String {
    match event {
        Event::Arrives(line) => arrives(world, line),
        Event::Vanishes(line) => {
            format!(
                "what {} had sent to {} before it closed their connection is lost",
                line.from.name(),
                line.to.name()
            )
        }
        Event::Done(seat, channel) => format!("{} has {}", seat.name(), done(world, seat, channel)),
        Event::Fires(seat, timer) => format!("{}: {}", seat.name(), fires(timer)),
        Event::Step(page) if is_missing(world, page) => format!("the guest comes to page {page}, which is missing"),
        Event::Step(page) => format!("the guest writes page {page} and answers its client"),
        Event::GivesUp(line) => format!("{}: its connection to {} gives up", line.from.name(), line.to.name()),
        Event::Strikes => fault(world.plan.fault),
        Event::Ends => "nothing of what is still on its way arrives".into(),
    }
}

fn fault(fault: Option<Fault>) -> String {
    match fault {
        Some(Fault::Crash(host)) => format!("FAULT: the {host}'s host dies"),
        Some(Fault::Cut) | None => "FAULT: source and destination are cut off from each other for good".into(),
    }
}

fn is_missing(world: &World, page: usize) -> bool {
    world.vm.destination.as_ref().is_some_and(|copy| copy.pages[page].is_none())
}

fn arrives(world: &World, line: Line) -> String {
    let what = match world.lines.get(&line).and_then(|items| items.front()) {
        Some(Item::Says(envelope)) => format!("\"{}\"", envelope.message.name()),
        Some(Item::End) | None => format!("the end of the {} connection", line.channel),
    };
    format!("{} reads {what} of {}", line.to.name(), line.from.name())
}

fn fires(timer: Timer) -> &'static str {
    match timer {
        Timer::Command => "it is time to migrate",
        Timer::Setup => "set up",
        Timer::Pong(_) => "its heartbeat has not been answered",
        Timer::Checkpoint => "the next checkpoint is due",
        Timer::StoreRetry => "it tries the store again",
        Timer::RestoreRetry => "it tries the restore again",
        other => unreachable!("no policy of the model has {other:?}"),
    }
}

/// The work under way on a lane.
fn done(world: &World, seat: Seat, channel: Channel) -> String {
    let work = world.nodes.get(&seat).and_then(|node| node.lanes.get(&channel)?.under_way.as_ref());
    let Some(work) = work else { return "done nothing".into() };
    match &work.input {
        Input::Stopped { .. } => "stopped the VM".into(),
        Input::Taken { batch, .. } => format!("read {} of the pages to be sent", batch.pages.get()),
        Input::Placed { .. } => "placed what came".into(),
        Input::Loaded => "loaded CPU and devices".into(),
        Input::Resumed => "started the vCPUs".into(),
        Input::Staged { pages } => format!("copied what is dirty: {} pages are to be sent", pages.get()),
        Input::Suspended { .. } => "suspended the VM for a checkpoint".into(),
        Input::Unsuspended => "let the VM go on".into(),
        Input::Kept { version } => format!("kept pages of version {}", version.0),
        Input::SealedHere { version } => format!("sealed version {}", version.0),
        Input::Recalled { .. } => "read what was claimed".into(),
        Input::Merged => "merged the version over the base".into(),
        other => unreachable!("{other:?} is not the end of work"),
    }
}

fn changes(before: &World, after: &World) -> Vec<String> {
    let mut changes = Vec::new();
    for seat in [Seat::Source, Seat::Destination] {
        let standing = |world: &World| world.nodes.get(&seat).map(|node| node.program.standing().to_string());
        if let Some(stands) = standing(after).filter(|stands| Some(stands) != standing(before).as_ref()) {
            changes.push(format!("{} is {stands}", seat.name()));
        }
    }
    for host in [Host::Source, Host::Destination] {
        let runs = |world: &World| world.vm.copy(host).is_some_and(|copy| copy.runs);
        if runs(after) && !runs(before) {
            let known = after.vm.copy(host).and_then(|copy| copy.guest.as_ref()).map_or(0, |guest| guest.steps);
            changes.push(format!("the VM runs on {host}, and knows of {known} answers"));
        } else if runs(before) && !runs(after) {
            changes.push(format!("the VM does not run on {host} any more"));
        }
    }
    if after.vault.newest != before.vault.newest {
        let version = after.vault.newest.map_or(0, |stored| stored.version.0);
        changes.push(format!("version {version} is complete"));
    }
    changes.extend(left(before, after));
    let milestones = [
        (before.milestones.relinquished, after.milestones.relinquished, "R: the source has given the VM up"),
        (before.milestones.concluded, after.milestones.concluded, "C: the destination knows it"),
    ];
    changes.extend(milestones.into_iter().filter(|(was, is, _)| is > was).map(|(_, _, what)| what.to_owned()));
    if after.vm.copies().count() == 0 && before.vm.copies().count() > 0 {
        changes.push("no copy of the VM is left".into());
    }
    changes.extend(
        broken(after.broken)
            .into_iter()
            .filter(|name| !broken(before.broken).contains(name))
            .map(|name| format!("{name} is broken")),
    );
    changes
}

/// Answers that have left for the client.
fn left(before: &World, after: &World) -> Vec<String> {
    let earlier = |branch: usize| before.vm.released.get(branch).copied().unwrap_or(0);
    let latest = after.vm.released.iter().enumerate();
    let new = latest.flat_map(|(branch, &latest)| earlier(branch) + 1..=latest);
    new.map(|step| format!("answer {step} leaves for the client")).collect()
}

fn broken(broken: Broken) -> Vec<&'static str> {
    let names = [
        (broken.output_commit, "output-commit"),
        (broken.single_history, "single-history"),
        (broken.consistent_recovery, "consistent-recovery"),
        (broken.freshest, "freshest"),
        (broken.no_stale_page, "no-stale-page"),
        (broken.accounting, "accounting"),
    ];
    names.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect()
}
