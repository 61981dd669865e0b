//! Messages and people made short and readable.

pub(crate) mod blocks;
pub(crate) mod canvas;
pub(crate) mod message;
pub(crate) mod mrkdwn;
