//! Text for terminals: a head in its column, words beside it, wrapped.

/// Help and reports are this wide; what is longer goes on below itself.
const WIDTH: usize = 100;

/// `head`, then `words` from `column` on; further lines begin at `column` too. Ends with a newline.
pub(super) fn beside(head: &str, column: usize, words: &str) -> String {
    let mut page = String::new();
    let mut line = format!("{head:<column$}");
    let mut empty = true;
    for word in words.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            page.push_str(line.trim_end());
            page.push('\n');
            line = " ".repeat(column);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    page.push_str(line.trim_end());
    page.push('\n');
    page
}
