//! Midflight: a deterministic discrete-event simulator of live VM migration under failure.
pub mod rng;
pub mod scenario;
pub mod units;
pub mod vocabulary;
