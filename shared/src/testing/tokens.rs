//! What a text costs.

use std::sync::LazyLock;

use tiktoken_rs::{CoreBPE, o200k_base};

/// The o200k tokens of `text`: what a model's context pays for it.
///
/// # Panics
/// If the tokenizer's tables, which are in its crate, cannot be loaded.
#[must_use]
pub fn tokens(text: &str) -> usize {
    static TOKENIZER: LazyLock<CoreBPE> =
        LazyLock::new(|| o200k_base().expect("the tables are in the crate"));
    TOKENIZER.encode_ordinary(text).len()
}
