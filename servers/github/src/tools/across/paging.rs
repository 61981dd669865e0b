//! How a listing is closed: the cursor with which it goes on.

use connector::catalog::{Call, Page, Position};

use crate::GitHub;

/// One page as GitHub gave it, of which rows are shown.
pub(crate) struct Given {
    /// Where this page began, and how many of its rows were shown before.
    pub(crate) position: Position,
    /// Rows of it, after those that were shown before.
    pub(crate) read: usize,
    /// Which of these are shown now: others may have been left out.
    pub(crate) places: Vec<usize>,
    /// GitHub's word for the page after it.
    pub(crate) next: Option<String>,
}

impl Given {
    /// A page of which every row is shown.
    pub(crate) fn whole(position: Position, read: usize, next: Option<String>) -> Self {
        Self { position, read, places: (0..read).collect(), next }
    }
}

/// `page` with its cursor.
pub(crate) fn close(call: &Call<GitHub>, page: Page, given: Given) -> Page {
    let call = call.clone();
    page.cursor(given.next.is_some(), move |kept| {
        let read_on = given.places.get(kept).copied().unwrap_or(given.read);
        call.seal_cursor(&given.position.advance(read_on, given.read, given.next.as_deref()))
    })
}
