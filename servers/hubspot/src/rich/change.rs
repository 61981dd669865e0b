//! A rich text changed in the places that differ, and nowhere else.

use std::ops::Range;

use super::{
    read::{Line, Reader},
    write::{html, inline, is_html},
};

/// A text as it is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) html: String,
    /// What there was that Markdown does not show, and is there no more.
    pub(crate) lost: Vec<&'static str>,
}

/// The HTML `old` so that it says what `wanted`, Markdown, does. What both say alike stays as it is, byte for byte; what
/// cannot be kept is named.
pub(crate) fn rewrite(old: &str, wanted: &str) -> Rewritten {
    let before = Reader::read(old, true);
    let new = changed(old, &before, wanted);
    let after = Reader::read(&new, true).unshown;
    let gone = |name: &&str, count: usize| after.get(*name).copied().unwrap_or(0) < count;
    let lost = before.unshown.iter().filter(|(name, count)| gone(name, **count)).map(|(name, _)| *name);
    Rewritten { lost: lost.collect(), html: new }
}

fn changed(old: &str, before: &Reader, wanted: &str) -> String {
    let whole = html(wanted);
    if before.lines.is_empty() || is_html(wanted) {
        return whole;
    }
    let target = Reader::read(&whole, true);
    let says = |html: &str| Reader::read(html, true).text == target.text;
    if before.text == target.text || same(&before.text, wanted) {
        return old.to_owned();
    }
    for careful in [true, false] {
        if let Some(new) = patched(old, before, &target, careful).filter(|new| says(new)) {
            return new;
        }
    }
    whole
}

/// Whether two texts are the same lines.
fn same(one: &str, other: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let all = text.lines().map(|line| line.trim_end().to_owned());
        all.filter(|line| !line.is_empty()).collect()
    };
    lines(one) == lines(other)
}

/// The HTML with the lines that differ from `target` put in, taken out or changed; none where its elements do not
/// allow it. If `careful`, of a line only the words that differ are changed.
fn patched(old: &str, before: &Reader, target: &Reader, careful: bool) -> Option<String> {
    let own: Vec<(&str, &str)> = lines(before);
    let new: Vec<(&str, &str)> = lines(target);
    let start = own.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = own.len().min(new.len()) - start;
    let end = own.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (own, new) = (&own[start..own.len() - end], &new[start..new.len() - end]);
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    // Lines of one kind at one place are the same line with other words.
    let paired = own.len().min(new.len());
    for at in 0..paired {
        let line = &before.lines[start + at];
        if own[at].0 != new[at].0 {
            return None;
        }
        if own[at].1 != new[at].1 {
            edits.push(words(before, line, new[at].1, careful));
        }
    }
    for line in &before.lines[start + paired..start + own.len()] {
        edits.push((line.outer.clone()?, String::new()));
    }
    if new.len() > paired {
        // New lines follow the one before them, or precede the one after, of the same kind.
        let kind = new[paired].0;
        let fits = |line: &&Line| kind_of(&line.mark) == kind_of(kind) && line.outer.is_some();
        let previous = (start + paired).checked_sub(1).and_then(|at| before.lines.get(at)).filter(fits);
        let (beside, place) = match previous {
            Some(line) => (line, line.outer.clone()?.end),
            None => {
                let next = before.lines.get(start + paired).filter(fits)?;
                (next, next.outer.clone()?.start)
            }
        };
        let outer = &old[beside.outer.clone()?];
        let opening = &outer[..outer.find('>')? + 1];
        let closing = &outer[outer.rfind("</")?..];
        let made: Option<String> = new[paired..]
            .iter()
            .map(|(mark, said)| {
                (kind_of(mark) == kind_of(kind)).then(|| format!("{opening}{}{closing}", inline(said)))
            })
            .collect();
        edits.push((place..place, made?));
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut html = old.to_owned();
    for (range, new) in edits.into_iter().rev() {
        html.replace_range(range, &new);
    }
    Some(html)
}

/// The lines of a text: the mark of each and what it says.
fn lines(read: &Reader) -> Vec<(&str, &str)> {
    read.lines.iter().map(|line| (line.mark.as_str(), &read.text[line.shown.clone()])).collect()
}

/// The kind of line that a mark makes: the numbers of a list are one kind.
fn kind_of(mark: &str) -> String {
    mark.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The edit that has a line say something else.
fn words(before: &Reader, line: &Line, wanted: &str, careful: bool) -> (Range<usize>, String) {
    let said = &before.text[line.shown.clone()];
    let whole = || (line.source.clone(), inline(wanted));
    if !careful {
        return whole();
    }
    let start = common(said.chars(), wanted.chars());
    let (said_rest, wanted_rest) = (&said[start..], &wanted[start..]);
    let end = common(said_rest.chars().rev(), wanted_rest.chars().rev());
    let range = line.shown.start + start..line.shown.end - end;
    match source(before, &range) {
        Some(source) => (source, inline(&wanted_rest[..wanted_rest.len() - end])),
        None => whole(),
    }
}

/// How many bytes two texts have in common from where they begin.
fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum()
}

/// The HTML of a part of what is shown, if it is text and no more.
fn source(before: &Reader, range: &Range<usize>) -> Option<Range<usize>> {
    if range.is_empty() {
        let at = range.start;
        let mut touching =
            before.pieces.iter().filter(|piece| piece.shown.start <= at && at <= piece.shown.end);
        let piece = touching.next()?;
        let place = match piece.exact {
            true => piece.source.start + (at - piece.shown.start),
            false if at == piece.shown.end => piece.source.end,
            false if at == piece.shown.start => piece.source.start,
            false => return None,
        };
        return Some(place..place);
    }
    let mut source: Option<Range<usize>> = None;
    let mut at = range.start;
    for piece in
        before.pieces.iter().filter(|piece| piece.shown.end > range.start && piece.shown.start < range.end)
    {
        let (from, to) = (at.max(piece.shown.start), range.end.min(piece.shown.end));
        let whole = from == piece.shown.start && to == piece.shown.end;
        if from != at || !(whole || piece.exact) {
            return None;
        }
        let own = match whole {
            true => piece.source.clone(),
            false => {
                let start = piece.source.start + (from - piece.shown.start);
                start..start + (to - from)
            }
        };
        source = Some(match source {
            Some(known) if known.end == own.start => known.start..own.end,
            Some(_) => return None,
            None => own,
        });
        at = to;
    }
    source.filter(|_| at == range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = "<div dir=\"auto\"><p style=\"margin:0;\">Elena wants <strong>all eleven</strong> in <span style=\"color:#f00\">one</span> contract.</p>\
        <ul><li>Start in January</li><li>Net 30 &amp; more</li></ul></div>";
    const SHOWN: &str = "Elena wants **all eleven** in one contract.\n- Start in January\n- Net 30 & more";

    fn becomes(old: &str, new: &str, was: &str, is: &str) {
        let wanted = SHOWN.replace(old, new);
        assert_ne!(wanted, SHOWN, "{old}");
        let rewritten = rewrite(NOTE, &wanted);
        assert_eq!(rewritten.html, NOTE.replace(was, is), "{old} -> {new}");
        assert_eq!(rewritten.lost, Vec::<&str>::new());
        assert_eq!(super::super::markdown(&rewritten.html), wanted);
    }

    #[test]
    fn the_rest_of_the_text_stays_as_it_is() {
        assert_eq!(super::super::markdown(NOTE), SHOWN);
        assert_eq!(rewrite(NOTE, SHOWN).html, NOTE);
        assert_eq!(rewrite(NOTE, &SHOWN.replace('\n', "\n\n")).html, NOTE);
        becomes("30", "45", "30", "45");
        becomes("& more", "< more", "&amp; more", "&lt; more");
        becomes("eleven", "twelve", "eleven", "twelve");
        becomes("Start", "**Start**", "Start", "<strong>Start</strong>");
        becomes("in one", "in just one", "in <span", "in just <span");
        becomes("\n- Start in January", "", "<li>Start in January</li>", "");
        becomes("January", "January\n- Pay late", "January</li>", "January</li><li>Pay late</li>");
        becomes(
            "contract.",
            "contract.\nSo it is.",
            "contract.</p>",
            "contract.</p><p style=\"margin:0;\">So it is.</p>",
        );
        becomes("more", "more\n- End", "more</li>", "more</li><li>End</li>");
    }

    #[test]
    fn what_cannot_be_kept_is_named() {
        let rewritten = rewrite(NOTE, "Elena wants nothing.");
        assert_eq!(rewritten.lost, ["colour"]);
        assert_eq!(super::super::markdown(&rewritten.html), "Elena wants nothing.");
        assert_eq!(rewrite("<table><tr><td>a</td></tr></table>", "b\n- c").lost, ["table"]);
        assert_eq!(rewrite("", "**b**").html, "<p><strong>b</strong></p>");
        assert_eq!(rewrite(NOTE, "<p>so</p>").html, "<p>so</p>");
    }

    #[test]
    fn a_text_without_tags_is_edited_too() {
        assert_eq!(rewrite("one\ntwo 30", "one\ntwo 45").html, "one\ntwo 45");
        assert_eq!(rewrite("a<br>b<br>c", "a\nx\nc").html, "a<br>x<br>c");
    }
}
