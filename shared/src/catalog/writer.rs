//! Writes text within a budget, cut where a reader would cut it.

use super::{
    listing::Page,
    text::{Fence, clean, not_shown, unseen},
};

/// Writes within a budget of bytes.
pub(super) struct Writer {
    pub(super) text: String,
    pub(super) budget: usize,
}

impl Writer {
    /// Room kept for fences, cursors and words about what was cut.
    const RESERVE: usize = 400;
    /// The least room in which a page of a listing begins.
    const LEAST: usize = 400;

    fn left(&self) -> usize {
        self.budget.saturating_sub(self.text.len() + Self::RESERVE)
    }

    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn try_line(&mut self, line: &str) -> bool {
        let fits = line.len() < self.left();
        if fits {
            self.line(line);
        }
        fits
    }

    /// Whole, or cut at a paragraph or line; false if it was cut.
    pub(super) fn outside(&mut self, fence: &Fence, from: &str, by: Option<&str>, text: &str) -> bool {
        let room = self.left();
        let kept = if text.len() <= room { text.len() } else { cut_at(text, room) };
        if kept > 0 || text.is_empty() {
            let open = fence.open(from, by);
            self.line(&open);
            self.line(text[..kept].trim_end());
            self.line(&fence.close());
        }
        if kept < text.len() {
            let more = text[kept..].chars().count();
            self.line(&format!("[{more} more characters were cut here.]"));
        }
        kept == text.len()
    }

    /// Whole rows, as many as fit; the header and the cursor tell of the rest.
    pub(super) fn page(&mut self, fence: &Fence, page: Page) -> bool {
        let rows: Vec<_> = page.rows.iter().map(|row| clean(row)).collect();
        let mut size = 0;
        let room = self.left();
        let kept = rows
            .iter()
            .take_while(|row| {
                size += row.len() + 1;
                size <= room
            })
            .count();
        // What came before has used up the room: a cursor past a row that nobody saw would lose it.
        if room < Self::LEAST && !(rows.is_empty() && room > 0) && kept < rows.len().max(1) {
            return false;
        }
        // A single row larger than the budget is cut rather than never shown.
        let kept = kept.max(usize::from(!rows.is_empty()));
        let (header, _) = page.header(kept);
        self.line(&clean(&header));
        if kept > 0 {
            let open = fence.open(page.from, None);
            self.line(&open);
            for row in &rows[..kept] {
                let end = if row.len() > room { cut_at(row, room) } else { row.len() };
                self.line(&row[..end]);
            }
            self.line(&fence.close());
            let hidden: usize = page.rows[..kept].iter().map(|row| unseen(row)).sum();
            if let Some(note) = not_shown(hidden, "left out here") {
                self.line(&note);
            }
        }
        true
    }
}

/// The best place before `room` to cut `text`: after a paragraph, else a line, else a word.
fn cut_at(text: &str, room: usize) -> usize {
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let enough = end / 2;
    head.rfind("\n\n")
        .filter(|at| *at >= enough)
        .or_else(|| head.rfind('\n').filter(|at| *at >= enough))
        .or_else(|| head.rfind(' ').filter(|at| *at >= enough))
        .unwrap_or(end)
}

/// The part of `text` from character `offset`, at most `max_chars` characters and cut at a paragraph,
/// line or word; with a word about what is left and how to get it.
#[must_use]
pub fn excerpt(text: &str, offset: usize, max_chars: usize) -> (String, Option<String>) {
    let clean = clean(text);
    let start = clean.char_indices().nth(offset).map_or(clean.len(), |(at, _)| at);
    let rest = &clean[start..];
    let Some((limit, _)) = rest.char_indices().nth(max_chars) else { return (rest.to_owned(), None) };
    let end = cut_at(rest, limit);
    let shown = rest[..end].chars().count();
    let left = rest[end..].chars().count();
    let note = format!("[{left} more characters: ask with offset={}]", offset + shown);
    (rest[..end].to_owned(), Some(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_tells_where_to_go_on() {
        let (shown, note) = excerpt("one two three four", 4, 9);
        assert_eq!(
            (shown.as_str(), note.as_deref()),
            ("two three", Some("[5 more characters: ask with offset=13]"))
        );
        assert_eq!(excerpt("short", 0, 100), ("short".to_owned(), None));
        assert_eq!(excerpt("short", 50, 100), (String::new(), None));
    }
}
