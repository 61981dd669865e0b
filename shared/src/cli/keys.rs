//! `keys`: keys for callers over HTTP.

use super::{Context, failure::Failure};
use crate::access::ApiKeys;

/// Makes a key. Its hash is the answer, so that `keys new ada >> keys` does what it looks like; the
/// key itself is shown beside it, for the person alone, and kept nowhere.
pub(super) fn run(context: &mut Context<'_, '_>, name: &str) -> Result<(), Failure> {
    let fits = !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@'));
    if !fits {
        return Err(Failure::usage(format!("`{name}` cannot be a caller's name"))
            .with_hint("It takes up to 64 letters, digits, `_`, `-`, `.` and `@`"));
    }
    let (key, line) = ApiKeys::generate(name);
    // A line for the file whose key nobody has seen would let nobody in.
    context.io.tell(format_args!("The key of {name}, shown this once: {key}"))?;
    context.io.say("The line for the file of --api-keys-file, on standard output:");
    context.io.answer(&format!("{line}\n"))
}
