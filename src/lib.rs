//! Midflight: a deterministic discrete-event simulator of what happens to a virtual machine when a node or the network
//! fails while the VM is being live-migrated.
//!
//! Modules in the order of the data: see `docs/ARCHITECTURE.md` for the map and the invariants that hold between them.
//!
//! ```text
//! scenario text ─► scenario ─► run ─► engine ─► world ─► agents (protocol), guests and network (model)
//!                                       │ facts
//!                                       ▼
//!                              oracle · metric · log ─► record ─► report, trace, command line
//! ```

pub mod rng;
pub mod units;
pub mod vocabulary;

pub mod scenario;

pub mod model;

pub mod protocol;

pub mod world;

pub mod engine;

pub mod oracle;

pub mod metric;

pub mod run;

pub mod report;
pub mod trace;

pub mod cli;
