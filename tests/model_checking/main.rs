//! Model checking: the shipped agents on a VM of two pages, in every order in which messages, work, timers and one fault can come.
//!
//! A simulation shows one order of events for each seed. Here Stateright (a model checker) visits all of them that its bounds
//! allow, breadth first: an invariant that holds holds in every state, and where one is broken the path to it is a shortest one. The
//! agents are those of `midflight::protocol`, unchanged; `world.rs` and its neighbours are a second, small world around them, without
//! time and without bytes, whose states coincide. The policy is `PostCopyFT`'s: post-copy with reverse checkpoints.
//!
//! # What is abstracted, and why a path found here is one of the protocol
//!
//! * *Time.* Every clock shows zero. What is pending may come next, however long it "should" take: work that has begun, a message
//!   on its way, a timer that runs. Speeds and time-outs can be chosen so that any of these orders is that of a run. No agent of these
//!   policies reads its clock to decide anything (no limit of bandwidth, no lease, no phi-accrual), so zero stands for any time.
//! * *Heartbeats.* Pings are not sent, and the deadline of the first stands for that of whichever goes unanswered: it fires where the
//!   peer is dead or cut off, or at any time where a plan loses heartbeats. A detector tells its owner nothing but its suspicion.
//! * *Streams.* What is on one connection is read in order, what is on different ones in any. Of what a dead host, a cut or an abort
//!   catches on its way any part may still arrive, late; the rest never does. After a cut the connection to the store may give up at any
//!   moment, which stands for an overdue answer, too. That of the migration does not: it would say what a missed heartbeat says.
//! * *Writes* end at once, and so does taking copied pages to be sent: a long one is like a read before it, or an arrival after it,
//!   that comes late. The operator hears at once: it answers nothing.
//! * *Memory.* Two pages, each with the step of the guest that wrote it last, so that a wrong page shows as well as a stale one.
//! * *The guest.* One vCPU. A step writes a page and answers a client, so that whoever forgets a step forgets something that a client
//!   may have seen; which page is open in each. It takes steps at the destination alone: before the stop they are in the base, and
//!   after a restore nothing takes them back. A step that comes to a missing page is taken again when the page is there.
//! * *A restore opens a branch*, which is the newest history from then on. (A copy that starts late from the same state is the older.)
//!
//! # Bounds
//! Steps of the guest, checkpoints that begin, and tries of a restore while another is under way are limited by each row; so every path
//! ends, and that it does is checked, with one step and one checkpoint. One fault strikes at most, until C.

#[path = "../common/mod.rs"]
mod common;

mod act;
mod batch;
mod check;
mod host;
mod plan;
mod tell;
mod vault;
mod vm;
mod wire;
mod world;

use midflight::vocabulary::{Defect, Host};
use stateright::{Checker as _, HasDiscoveries, Model as _};

use check::Check;
use host::Seat;
use plan::{Fault, Plan};

/// One policy, what may happen to it, and what is found.
struct Row {
    what: &'static str,
    /// A shipped policy, and what is changed of it.
    policy: &'static str,
    changes: &'static str,
    plan: Plan,
    finds: Finds,
}

/// What comes of a row.
enum Finds {
    /// Everything asked holds, in so many states; these are found somewhere.
    Holds { asked: &'static [&'static [&'static str]], states: usize },
    /// This is broken, on the shortest path to be found in a file below `paths`.
    Gap { breaks: &'static str, path: &'static str },
}

/// All that holds under every fault here.
const SAFE: &[&str] = &[
    "output-commit",
    "single-history",
    "consistent-recovery",
    "freshest",
    "no-stale-page",
    "accounting",
    "recoverable",
];

/// What a fault that is survived may come to.
const FATES: &[&str] =
    &["it is completed", "it is recovered from a version", "it is recovered from the base", "it is rolled back"];

/// The two generals' window: a fault there costs the VM, and none before or after it.
const WINDOW: &[&str] = &[
    "the VM survives, but for the ending's window",
    "a fault in [R, C) costs the VM",
    "a fault before R costs the VM",
];

const CALM: Plan =
    Plan { fault: None, lost_heartbeats: false, guest_steps: 2, rounds: 2, store: Host::Source, defect: None };
const CRASH: Plan = Plan { fault: Some(Fault::Crash(Host::Destination)), ..CALM };
const CUT: Plan = Plan { fault: Some(Fault::Cut), ..CALM };
const FALSE_SUSPICION: Plan = Plan { lost_heartbeats: true, ..CALM };

const NO_LOCAL_CLAIM: &str =
    r#""checkpoint": { "direction": "reverse", "trigger": { "periodic": {} }, "local_claim": false }"#;

const ROWS: &[Row] = &[
    Row {
        what: "nothing fails",
        policy: "postcopyft-periodic-source",
        changes: "",
        plan: CALM,
        finds: Finds::Holds {
            asked: &[&["single-execution", "the VM survives", "it is completed"], SAFE],
            states: 12_723,
        },
    },
    Row {
        what: "the destination's host dies",
        policy: "postcopyft-periodic-source",
        changes: "",
        plan: CRASH,
        finds: Finds::Holds { asked: &[&["single-execution"], SAFE, FATES, WINDOW], states: 19_894 },
    },
    Row {
        // Nobody claims that this is survived: what the source has not sent is nowhere else. What clients see is consistent all the same.
        what: "the source's host dies, and the store with it",
        policy: "postcopyft-periodic-source",
        changes: "",
        plan: Plan { fault: Some(Fault::Crash(Host::Source)), ..CALM },
        finds: Finds::Holds {
            asked: &[&["single-execution", "it is completed", "a fault before R costs the VM"], SAFE],
            states: 87_046,
        },
    },
    Row {
        what: "the hosts are cut off from each other for good",
        policy: "postcopyft-periodic-source",
        changes: "",
        plan: Plan { guest_steps: 1, ..CUT },
        finds: Finds::Holds { asked: &[&["two copies execute"], SAFE, FATES, WINDOW], states: 411_353 },
    },
    Row {
        what: "the same, with more steps of the guest and fewer checkpoints",
        policy: "postcopyft-periodic-source",
        changes: "",
        plan: Plan { rounds: 1, ..CUT },
        finds: Finds::Holds { asked: &[&["two copies execute"], SAFE, FATES, WINDOW], states: 138_546 },
    },
    Row {
        what: "heartbeats are lost",
        policy: "postcopyft-periodic-source",
        changes: "",
        plan: FALSE_SUSPICION,
        finds: Finds::Holds { asked: &[&["two copies execute", "the VM survives"], SAFE, FATES], states: 98_817 },
    },
    Row {
        what: "the hosts are cut off from each other, and the store elsewhere is claimed",
        policy: "postcopyft-periodic-staging",
        changes: r#""fencing": { "store-claim": {} }"#,
        plan: Plan { rounds: 1, guest_steps: 1, ..CUT },
        finds: Finds::Holds { asked: &[&["two copies execute"], SAFE, FATES, WINDOW], states: 131_118 },
    },
    Row {
        what: "the window opens with \"complete\", not with R",
        policy: "postcopyft-periodic-source",
        changes: "",
        plan: CRASH,
        finds: Finds::Gap { breaks: "only a fault in [R, C) costs the VM", path: "complete-on-its-way.txt" },
    },
    Row {
        what: "as published: the store is read and not claimed, and heartbeats are lost",
        policy: "postcopyft-periodic-source",
        changes: NO_LOCAL_CLAIM,
        plan: FALSE_SUSPICION,
        finds: Finds::Gap { breaks: "single-history", path: "no-local-claim.txt" },
    },
    Row {
        what: "a unilateral ending, and the destination's host dies",
        policy: "postcopyft-periodic-source",
        changes: r#""ending": "unilateral""#,
        plan: CRASH,
        finds: Finds::Gap { breaks: "output-commit", path: "unilateral.txt" },
    },
    Row {
        what: "the store is elsewhere and nobody claims it, and the hosts are cut off from each other",
        policy: "postcopyft-periodic-staging",
        changes: "",
        plan: CUT,
        finds: Finds::Gap { breaks: "single-history", path: "staging-unclaimed.txt" },
    },
];

#[test]
fn every_order_of_events() {
    let mut wrong = Vec::new();
    for row in ROWS {
        if let Err(what) = checked(row) {
            wrong.push(format!("{}: {what}", row.what));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A property that nothing breaks proves nothing: each is broken by a defect planted in one agent, under the shipped policy.
#[test]
fn every_property_bites() {
    let planted = [
        (Seat::Destination, Defect::ReleaseEarly, CRASH, "output-commit"),
        (Seat::Destination, Defect::ReleaseEarly, CALM, "recoverable"),
        (Seat::Store, Defect::AckEarly, CRASH, "output-commit"),
        (Seat::Store, Defect::AcceptLate, FALSE_SUSPICION, "single-history"),
        (Seat::Destination, Defect::SkipStageTwo, CRASH, "consistent-recovery"),
        (Seat::Source, Defect::MixedState, CRASH, "consistent-recovery"),
        (Seat::Store, Defect::CommitTorn, CRASH, "consistent-recovery"),
        (Seat::Store, Defect::StaleClaim, CRASH, "freshest"),
        (Seat::Source, Defect::FreeEarly, CRASH, "the VM survives, but for the ending's window"),
    ];
    for (seat, defect, plan, breaks) in planted {
        let plan = Plan { defect: Some((seat, defect)), ..plan };
        let check = Check::new("postcopyft-periodic-source", "", plan, vec![breaks]);
        let found = check.checker().spawn_bfs().join().discovery(breaks);
        assert!(found.is_some(), "{defect} of {} does not break {breaks}", seat.name());
    }
}

fn checked(row: &Row) -> Result<(), String> {
    match row.finds {
        Finds::Holds { asked, states } => {
            let check = Check::new(row.policy, row.changes, row.plan, asked.concat());
            // All of it, even if everything that is to be found has been.
            let checker = check.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
            checker.assert_properties();
            // Steps of the guest and checkpoints are counted in the state and so are in no cycle: one of each does.
            let fewer = Plan { guest_steps: 1, rounds: 1, ..row.plan };
            if Check::new(row.policy, row.changes, fewer, Vec::new()).has_cycle() {
                return Err("a path need not end".into());
            }
            let found = checker.unique_state_count();
            if found == states { Ok(()) } else { Err(format!("{found} states, and not {states}")) }
        }
        Finds::Gap { breaks, path } => {
            let checker = Check::new(row.policy, row.changes, row.plan, vec![breaks]).checker().spawn_bfs().join();
            let Some(found) = checker.discovery(breaks) else { return Err(format!("{breaks} is not broken")) };
            compared(path, &format!("{}\nbreaks: {breaks}\n\n{}", row.what, tell::path(found)))
        }
    }
}

/// Compares with the committed path. Write it anew with: `MIDFLIGHT_WRITE_DOCS=1 cargo test --test model_checking`.
#[expect(clippy::disallowed_methods, reason = "how a person asks for the files to be written anew")]
fn compared(name: &str, path: &str) -> Result<(), String> {
    let file = common::root().join("tests/model_checking/paths").join(name);
    if std::env::var_os("MIDFLIGHT_WRITE_DOCS").is_some() {
        std::fs::write(&file, path).map_err(|error| error.to_string())?;
    }
    let old = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    if old == path { Ok(()) } else { Err(format!("{name} has another path:\n{path}")) }
}
