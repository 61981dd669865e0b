//! Edits made in the text of a file, and what they look like.

use std::ops::Range;

use connector::{
    Result,
    catalog::edits::{self, Edit, Passage},
};

/// Lines shown around an edit, of an edit, and characters of each.
const AROUND: usize = 2;
const SHOWN_LINES: usize = 30;
const SHOWN_CHARS: usize = 200;

/// A text after its edits.
#[derive(Debug)]
pub(super) struct Edited {
    pub(super) text: String,
    /// Lines added and removed.
    pub(super) added: usize,
    pub(super) removed: usize,
    /// The lines around its edits, as a diff.
    pub(super) context: String,
}

/// Makes `changes` in `text`, one after the other.
///
/// # Errors
/// As [`edits::apply`].
pub(super) fn edit(text: &str, changes: &[Edit]) -> Result<Edited> {
    edits::bounded(text, changes)?;
    let mut edited = Edited { text: text.to_owned(), added: 0, removed: 0, context: String::new() };
    for change in changes {
        let passage = edits::passage(&edited.text, change)?;
        let (added, removed, shown) = around(&edited.text, &passage);
        edited.added += added;
        edited.removed += removed;
        edited.context.push_str(&shown);
        edited.text.replace_range(passage.range, &passage.new);
    }
    edited.context.truncate(edited.context.trim_end().len());
    Ok(edited)
}

/// The lines that a change of `text` changes, counted and as a diff with those around.
fn around(text: &str, passage: &Passage) -> (usize, usize, String) {
    let Range { start: at, end } = passage.range;
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let stop = if end > start && text[..end].ends_with('\n') && passage.new.ends_with('\n') {
        end
    } else {
        text[end..].find('\n').map_or(text.len(), |more| end + more + 1)
    };
    let old_block = &text[start..stop];
    let new_block = format!("{}{}{}", &text[start..at], passage.new, &text[end..stop]);
    let old: Vec<&str> = old_block.lines().collect();
    let new: Vec<&str> = new_block.lines().collect();
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (removed, added) = differing(&old, &new);
    let first = text[..start].matches('\n').count() + head + 1;
    let before: Vec<&str> = text[..start].lines().chain(old.iter().take(head).copied()).collect();
    let tail = old.get(head + removed..).unwrap_or_default();
    let after = tail.iter().copied().chain(text[stop..].lines()).take(AROUND);
    let mut shown = format!("@@ line {first}\n");
    for line in before.iter().rev().take(AROUND).rev() {
        push_line(&mut shown, ' ', line);
    }
    for (sign, lines, count) in [('-', &old, removed), ('+', &new, added)] {
        for line in lines.iter().skip(head).take(count.min(SHOWN_LINES)) {
            push_line(&mut shown, sign, line);
        }
        if count > SHOWN_LINES {
            shown.push_str(&format!("{sign}[{} more lines]\n", count - SHOWN_LINES));
        }
    }
    for line in after {
        push_line(&mut shown, ' ', line);
    }
    (added, removed, shown)
}

fn push_line(shown: &mut String, sign: char, line: &str) {
    shown.push(sign);
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => shown.push_str(&format!("{} […]", &line[..at])),
        None => shown.push_str(line),
    }
    shown.push('\n');
}

/// How many lines of each are left without the same beginning and end.
pub(super) fn differing(old: &[&str], new: &[&str]) -> (usize, usize) {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    (old.len() - tail, new.len() - tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn e(old: &str, new: &str) -> Edit {
        Edit { old: old.to_owned(), new: new.to_owned() }
    }

    #[test]
    fn an_edit_changes_its_passage_and_nothing_else() {
        let text = "one\ntwo\nthree\nfour\nfive\n";
        let edited = edit(text, &[e("three", "drei"), e("five\n", "five\nsix\n")]).unwrap();
        assert_eq!(edited.text, "one\ntwo\ndrei\nfour\nfive\nsix\n");
        assert_eq!((edited.added, edited.removed), (2, 1));
        assert_eq!(
            edited.context,
            "@@ line 3\n one\n two\n-three\n+drei\n four\n five\n@@ line 6\n four\n five\n+six"
        );
    }

    #[test]
    fn an_edit_of_a_file_with_carriage_returns_keeps_them() {
        let edited = edit("a\r\nb\r\nc\r\n", &[e("a\nb", "a\nx\ny")]).unwrap();
        assert_eq!(edited.text, "a\r\nx\r\ny\r\nc\r\n");
        // In a file of both kinds an edit says what it means.
        assert_eq!(edit("a\r\nb\nc", &[e("b\nc", "d")]).unwrap().text, "a\r\nd");
    }

    #[test]
    fn whole_lines_are_counted_where_a_passage_joins_them() {
        let edited = edit("a\nb\nc", &[e("\nb", "")]).unwrap();
        assert_eq!((edited.text.as_str(), edited.added, edited.removed), ("a\nc", 0, 1));
        let edited = edit("let x = 1;", &[e("1", "2")]).unwrap();
        assert_eq!((edited.added, edited.removed), (1, 1));
        assert_eq!(differing(&["a", "b", "c"], &["a", "c"]), (1, 0));
    }
}
