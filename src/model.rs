//! Physics: passive things that are told what happens and answer what follows.

pub mod disk;
pub mod guest;
pub mod memory;
pub mod network;
