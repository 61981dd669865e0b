//! What several families of tools share.

pub(super) mod listing;
pub(super) mod mentions;
pub(super) mod naming;
pub(super) mod reference;
