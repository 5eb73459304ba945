//! What one link needs: pure functions over ours, theirs and base.

pub mod mapping;
pub mod reconcile;
