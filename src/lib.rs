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
//!
//! A run is a function of a scenario, a seed and a replication:
//!
//! ```
//! use std::sync::Arc;
//!
//! use midflight::run::simulate;
//! use midflight::scenario::{LoadOptions, load_text};
//!
//! let text = r#"{
//!   "schema": 1, "why": "The smallest migration that can be asked for.",
//!   "policy": {"migration": {"stop-and-copy": {}}},
//!   "vms": [{"memory": "64 MiB", "workload": "idle"}]
//! }"#;
//! let scenario = load_text("smallest", text, &LoadOptions::default())?;
//! let result = simulate(&Arc::new(scenario), 1, 0);
//! assert_eq!(result.record.outcome, "completed");
//! # Ok::<(), midflight::scenario::ScenarioError>(())
//! ```

pub mod rng;
pub mod stats;
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

pub mod check;
pub mod validate;

pub mod calibrate;
pub mod sweep;

pub mod figure;
pub mod report;
pub mod trace;

pub mod cli;
