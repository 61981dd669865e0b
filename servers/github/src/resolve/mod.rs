//! What names, references and addresses stand for.

pub(crate) mod address;
pub(crate) mod closing;
pub(crate) mod line_ends;
pub(crate) mod mentions;
pub(crate) mod naming;
pub(crate) mod reference;
pub(crate) mod text;
