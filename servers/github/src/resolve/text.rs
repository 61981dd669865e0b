//! Texts of issues, pull requests and comments.

use connector::{Error, Result, catalog::thousands};

/// The longest of them, in characters. GitHub refuses a longer one in these words: "body is too long (maximum is
/// 65536 characters)".
const LONGEST: usize = 65_536;

/// Refuses a text that GitHub would refuse, before anything is sent: a dry run must not promise it.
///
/// # Errors
/// `invalid_argument` with how long it is.
pub(crate) fn fits(argument: &str, text: &str) -> Result<()> {
    let length = text.chars().count();
    if length <= LONGEST {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "`{argument}` has {} characters; GitHub takes at most {}",
        thousands(length as u64),
        thousands(LONGEST as u64)
    )))
}
