//! `keys`: keys for callers over HTTP.

use super::{Context, failure::Failure};
use crate::access::ApiKeys;

/// Prints a new key, and what the server needs to know it by. The key itself is kept nowhere.
pub(super) fn run(context: &mut Context<'_, '_>, name: &str) -> Result<(), Failure> {
    let fits = !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@'));
    if !fits {
        return Err(Failure::usage(format!("`{name}` cannot be a caller's name"))
            .hint("It takes up to 64 letters, digits, `_`, `-`, `.` and `@`"));
    }
    let (key, line) = ApiKeys::generate(name);
    context.io.answer(&format!(
        "\
The key of {name}, shown this once:
  {key}

The line for the file of --api-keys-file:
  {line}
"
    ))
}
