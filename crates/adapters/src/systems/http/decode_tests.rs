//! Bodies as they are sent.
