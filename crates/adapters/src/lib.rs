//! Touches the world: stores, systems and transports behind the engine's ports.

pub mod registry;
pub mod stores;
pub mod systems;
pub mod transport;
