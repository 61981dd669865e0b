//! Where a listing goes on, when the vendor pages and the reply's budget cuts.

use serde::{Deserialize, Serialize};

use super::{Call, Page};

/// How many rows a listing gives: what was asked for, within what the vendor allows.
#[must_use]
pub fn limit(asked: Option<u32>, default: u32, most: u32) -> u32 {
    asked.unwrap_or(default).clamp(1, most)
}

/// Where a listing goes on: at a page of the vendor's, past rows of it that were shown already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The vendor's own word for the page: a cursor, a number. None for the first.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Rows of that page that were shown already.
    #[serde(rename = "s", default)]
    pub skip: usize,
}

impl Position {
    /// How many rows to ask the vendor for, to show `limit` of them; at most `most`.
    #[must_use]
    pub fn first(&self, limit: u32, most: u32) -> u32 {
        limit.saturating_add(u32::try_from(self.skip).unwrap_or(0)).min(most)
    }

    /// The position after the first `kept` of the `shown` rows of this page, whose end is `next`.
    #[must_use]
    pub fn advance(&self, kept: usize, shown: usize, next: Option<&str>) -> Self {
        match next {
            Some(next) if kept >= shown => Self { after: Some(next.to_owned()), skip: 0 },
            _ => Self { after: self.after.clone(), skip: self.skip + kept },
        }
    }
}

/// One page as the vendor gave it, of which rows are shown.
#[derive(Debug)]
pub struct VendorPage {
    /// Where this page began, and how many of its rows were shown before.
    pub position: Position,
    /// Rows of it, after those that were shown before.
    pub read: usize,
    /// Which of these are shown now: others may have been left out.
    pub places: Vec<usize>,
    /// The vendor's word for the page after it.
    pub next: Option<String>,
}

impl VendorPage {
    /// A page of which every row is shown.
    #[must_use]
    pub fn whole(position: Position, read: usize, next: Option<String>) -> Self {
        Self { position, read, places: (0..read).collect(), next }
    }
}

/// `page` with the cursor of `call` that goes on after it.
pub fn close<S: Send + Sync + 'static>(call: &Call<S>, page: Page, given: VendorPage) -> Page {
    let call = call.clone();
    page.cursor(given.next.is_some(), move |kept| {
        let read_on = given.places.get(kept).copied().unwrap_or(given.read);
        call.seal_cursor(&given.position.advance(read_on, given.read, given.next.as_deref()))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        access::Rights,
        catalog::{Reply, ReplyOptions},
    };

    #[test]
    fn rows_that_were_left_out_are_not_read_again() {
        let call = Call::plain(Arc::new(()), Arc::default(), Rights::unlimited());
        let goes_on = |next: Option<&str>, budget| {
            let mut page = Page::new("Acme", ("row", "rows"));
            for row in 0..2 {
                page.push(format!("{row} {}", "x".repeat(600)), &row);
            }
            let position = Position { after: Some("p1".to_owned()), skip: 3 };
            let given = VendorPage { position, read: 9, places: vec![2, 6], next: next.map(str::to_owned) };
            let options = ReplyOptions { budget, structured: false };
            let text = Reply::page(close(&call, page, given)).render(&options).text;
            let cursor = text.split('"').nth(1).filter(|_| text.contains("cursor")).map(str::to_owned);
            call.open_cursor::<Position>(cursor.as_deref()).unwrap()
        };
        let at = |after: &str, skip| Some(Position { after: Some(after.to_owned()), skip });
        assert_eq!(goes_on(Some("p2"), 9_000), at("p2", 0));
        // One row is shown, so the next to show is the seventh of the page.
        assert_eq!(goes_on(Some("p2"), 1_000), at("p1", 9));
        assert_eq!(goes_on(None, 9_000), None);
    }

    #[test]
    fn a_page_cut_short_goes_on_within_itself_and_a_whole_one_on_the_next() {
        let start = Position::default();
        let cut = start.advance(7, 20, Some("p2"));
        assert_eq!(cut, Position { after: None, skip: 7 });
        assert_eq!((cut.first(20, 100), cut.first(95, 100)), (27, 100));
        assert_eq!(cut.advance(13, 13, Some("p2")), Position { after: Some("p2".to_owned()), skip: 0 });
        assert_eq!(limit(None, 20, 100), 20);
        assert_eq!((limit(Some(0), 20, 100), limit(Some(500), 20, 100)), (1, 100));
    }
}
