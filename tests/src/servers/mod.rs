//! One file for each server: calls that fit its sandbox's story.

mod github;
mod linear;
