//! How a listing is closed whose rows are all known: the cursor counts within them.

use connector::catalog::{Call, Page, Position};

use crate::GitHub;

/// `page` with its cursor. Its rows are those from `position.skip` on of `total`; `pin` says what they are
/// rows of, so that a later call can tell.
pub(crate) fn close(
    call: &Call<GitHub>,
    page: Page,
    position: &Position,
    total: usize,
    pin: Option<String>,
) -> Page {
    let (call, skip, shown) = (call.clone(), position.skip, page.len());
    page.total(total).cursor(skip + shown < total, move |kept| {
        call.seal_cursor(&Position { after: pin.clone(), skip: skip + kept })
    })
}
