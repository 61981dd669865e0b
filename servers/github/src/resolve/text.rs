//! The lengths of what people write: GitHub's own limits, told before anything is sent.

use connector::{Result, catalog::words::at_most};

/// The longest text of an issue, a pull request, a review, a discussion or a comment, in characters: "body is too long
/// (maximum is 65536 characters)".
const LONGEST: usize = 65_536;
/// The longest title: "title is too long (maximum is 256 characters)".
const TITLE: usize = 256;

/// Refuses a text that GitHub would refuse.
///
/// # Errors
/// `invalid_argument` with how long it is.
pub(crate) fn fits(argument: &str, text: &str) -> Result<()> {
    at_most("GitHub", argument, text, LONGEST)
}

/// The same for the title of an issue, a pull request or a discussion.
///
/// # Errors
/// `invalid_argument` with how long it is.
pub(crate) fn title_fits(title: &str) -> Result<()> {
    at_most("GitHub", "title", title, TITLE)
}
