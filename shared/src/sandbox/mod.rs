//! What every fake vendor shares.
