//! How a listing is closed: the cursor with which it goes on.

use connector::{
    catalog::{
        Call, Page,
        paging::{self, VendorPage},
    },
    upstream::Connection,
};

use super::Position;
use crate::Linear;

/// The page with its cursor. Its rows are those of `connection` after `position.skip`.
pub(super) fn close<T>(
    call: &Call<Linear>,
    page: Page,
    position: Position,
    connection: &Connection<T>,
) -> Page {
    let places = (0..page.len()).collect();
    close_sparse(call, page, position, connection, places)
}

/// The page with its cursor, where some rows of `connection` were left out: `places` says which, after
/// `position.skip`, were taken.
pub(super) fn close_sparse<T>(
    call: &Call<Linear>,
    page: Page,
    position: Position,
    connection: &Connection<T>,
    places: Vec<usize>,
) -> Page {
    let read = connection.nodes.len().saturating_sub(position.skip);
    let next = connection.next(position.after.as_deref()).map(str::to_owned);
    let page = if connection.page_info.has_next_page && next.is_none() {
        page.note("Linear says there are more, but not where they begin")
    } else {
        page
    };
    paging::close(call, page, VendorPage { position, read, places, next })
}
