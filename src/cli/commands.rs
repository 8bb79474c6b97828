//! One file per command, and what several of them share (`files`, `long`, `run`).

pub(super) mod calibrate;
pub(super) mod check;
pub(super) mod figure;
mod files;
pub(super) mod import;
pub(super) mod list;
mod long;
pub(super) mod replay;
pub(super) mod run;
pub(super) mod schema;
pub(super) mod sweep;
pub(super) mod validate;
