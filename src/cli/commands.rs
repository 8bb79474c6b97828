//! One file per command.

pub(super) mod calibrate;
pub(super) mod check;
pub(super) mod import;
pub(super) mod list;
pub(super) mod replay;
pub(super) mod run;
pub(super) mod schema;
pub(super) mod sweep;
pub(super) mod validate;
