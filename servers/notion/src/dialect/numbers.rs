//! The numbers of list items. Notion's page on its Markdown shows `1.` alone (enhanced-markdown, "Lists"), so a text may
//! have each item counted or all of them `1.`: what a number says is only that there is an item.

use super::{Code, Part};

/// `text` with `1.` in the place of the number of every item; code stays as it is.
pub(crate) fn unnumbered(text: &str) -> String {
    let mut code = Code::default();
    let line = |line: &str| match code.line(line) {
        Part::Prose => plain(line),
        _ => line.to_owned(),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A line with `1.` in the place of its number, if it is an item.
fn plain(line: &str) -> String {
    let tabs = line.len() - line.trim_start_matches('\t').len();
    let rest = line[tabs..].trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.starts_with(". ") && rest.len() < line.len() - tabs {
        format!("{}1{rest}", &line[..tabs])
    } else {
        line.to_owned()
    }
}

/// The passages of `text` that are `wanted` but for the numbers of its items, as they stand there.
pub(crate) fn renumbered<'a>(text: &'a str, wanted: &str) -> Vec<&'a str> {
    let wanted: Vec<&str> = wanted.split('\n').collect();
    let bare: Vec<String> = wanted.iter().map(|line| plain(line)).collect();
    if bare == wanted && !bare.iter().any(|line| line.trim_start_matches('\t').starts_with("1. ")) {
        return Vec::new();
    }
    let there = unnumbered(text);
    let there: Vec<&str> = there.split('\n').collect();
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split('\n') {
        starts.push((at, line));
        at += line.len() + 1;
    }
    let (Some(last), Some(first)) = (bare.last(), bare.first()) else { return Vec::new() };
    let mut found = Vec::new();
    for (place, some) in there.windows(bare.len()).enumerate() {
        // The first line may begin, and the last one end, within a line of the text.
        let begins = if bare.len() == 1 {
            some[0].starts_with(first.as_str())
        } else {
            some[0].ends_with(first.as_str())
        };
        let middle = some.iter().zip(&bare).skip(1).take(bare.len().saturating_sub(2)).all(|(a, b)| a == b);
        let ends = some[bare.len() - 1].starts_with(last.as_str());
        if !(begins && middle && ends) {
            continue;
        }
        let (start, whole) = starts[place];
        // What was cut from the front is the same in both forms, and so is what is left behind the last line.
        let from =
            if bare.len() == 1 { start } else { start + whole.len() - first_length(whole, some[0], first) };
        let (end, whole) = starts[place + bare.len() - 1];
        let left = some[bare.len() - 1].len() - last.len();
        found.push(&text[from..end + whole.len() - left]);
    }
    found
}

/// How much of the line `whole`, which is `plain` without its number, `first` is at its end.
fn first_length(whole: &str, plain: &str, first: &str) -> usize {
    if first.len() == plain.len() { whole.len() } else { first.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_by_their_words_and_not_in_code() {
        let text = "Steps:\n1. Stop\n2. Wait\n\t1. Tea\n10. Start again\n```plain text\n2. Wait\n```";
        for (wanted, there) in [
            ("1. Wait", vec!["2. Wait"]),
            ("7. Stop\n7. Wait", vec!["1. Stop\n2. Wait"]),
            ("ps:\n3. Sto", vec!["ps:\n1. Sto"]),
            ("2. Wait\n\t2. Tea\n3. Start", vec!["2. Wait\n\t1. Tea\n10. Start"]),
            ("1. Go", vec![]),
            ("Steps", vec![]),
        ] {
            assert_eq!(renumbered(text, wanted), there, "{wanted}");
        }
        assert_eq!(renumbered("1. a\n2. a", "3. a").len(), 2);
        assert_eq!(
            unnumbered("3. a\n\t12. b\n3.5 c\n4.\n```x\n2. y\n```"),
            "1. a\n\t1. b\n3.5 c\n4.\n```x\n2. y\n```"
        );
    }
}
