//! Where a listing goes on, when the vendor pages and the reply's budget cuts.

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

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
