//! What a write asks for, field by field, and what came of it: so that a reply can say exactly what
//! changed, that nothing did, or what the vendor did not take although it reported success.

use std::collections::HashMap;

use super::{one_line, words};

/// Characters of a short value that a reply shows.
const SHOWN: usize = 120;
/// Lines of a text that were taken out or put in, and characters of each, that a reply shows.
const LINES: usize = 3;
const LINE: usize = 80;
/// Characters around what differs within a longer line, and how many a word may have that is shown whole for it.
const AROUND: usize = 30;
const WORD: usize = 20;

/// A field's value, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// A name, a date, a number; empty for none.
    Short(String),
    /// A text of some length, of which the lines that change are told. A vendor writes Markdown its own way,
    /// so white space does not count.
    Long(String),
    /// The same where the vendor keeps every character but the form of line ends.
    Exact(String),
}

impl FieldValue {
    /// A short value, if there is one.
    #[must_use]
    pub fn short(value: Option<impl Into<String>>) -> Self {
        Self::Short(value.map(Into::into).unwrap_or_default())
    }

    /// Names in any order.
    #[must_use]
    pub fn names(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        Self::Short(names.join(", "))
    }

    /// Whether both mean the same.
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Long(a), Self::Long(b)) => a.split_whitespace().eq(b.split_whitespace()),
            (Self::Exact(a), Self::Exact(b)) => a.lines().eq(b.lines()),
            (a, b) => a == b,
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Short(value) | Self::Long(value) | Self::Exact(value) if value.trim().is_empty() => {
                "none".to_owned()
            }
            Self::Short(value) => words::short(value, SHOWN),
            Self::Long(value) | Self::Exact(value) => format!("{} characters", value.chars().count()),
        }
    }
}

/// The fields that a write would change, and those that are as asked for already.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    changes: Vec<Change>,
    already: Vec<String>,
}

#[derive(Clone, Debug)]
struct Change {
    field: &'static str,
    old: FieldValue,
    wanted: FieldValue,
}

impl Changes {
    /// Notes that `field` should become `wanted`; false if it is so already.
    pub fn set(&mut self, field: &'static str, old: FieldValue, wanted: FieldValue) -> bool {
        let differs = !old.same(&wanted);
        if differs {
            self.changes.push(Change { field, old, wanted });
        } else if let Some(line) = unchanged(field, &wanted) {
            self.already.push(line);
        }
        differs
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What would change, `status Planned → Started`, and what would not: `lead @ada already`.
    #[must_use]
    pub fn wanted(&self) -> Vec<String> {
        let lines = self.changes.iter().map(|change| told(change.field, &change.old, &change.wanted));
        lines.chain(self.already.iter().cloned()).collect()
    }

    /// What came of it, by what each field is `now`.
    #[must_use]
    pub fn outcome(&self, now: impl Fn(&'static str) -> FieldValue) -> Outcome {
        let mut outcome = Outcome { already: self.already.clone(), ..Outcome::default() };
        for change in &self.changes {
            let got = now(change.field);
            if got.same(&change.wanted) {
                outcome.changed.push(told(change.field, &change.old, &change.wanted));
            } else if got.same(&change.old) {
                outcome.refused.push(format!("{} is still {}", change.field, got.word()));
            } else if matches!(got, FieldValue::Long(_)) {
                // The vendor has normalised the Markdown.
                outcome.changed.push(told(change.field, &change.old, &got));
            } else {
                outcome.refused.push(format!(
                    "{} became {} instead of {}",
                    change.field,
                    got.word(),
                    change.wanted.word()
                ));
            }
        }
        outcome
    }
}

/// What came of a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What changed.
    pub changed: Vec<String>,
    /// What did not, although the vendor reported success.
    pub refused: Vec<String>,
    /// What was asked for and was so before.
    pub already: Vec<String>,
}

impl Outcome {
    /// A sentence about `thing`, which `vendor` was to change.
    #[must_use]
    pub fn summary(&self, vendor: &str, thing: &str) -> String {
        match (self.changed.len(), self.refused.len()) {
            (0, _) => format!("{vendor} reported success, but did not change {thing}"),
            (_, 0) => format!("Changed {thing}"),
            (_, refused) => format!(
                "Changed {thing}, but {vendor} did not take {refused} of the fields although it reported success"
            ),
        }
    }

    /// Every line of it.
    #[must_use]
    pub fn lines(self) -> Vec<String> {
        let refused = self.refused.into_iter().map(|line| format!("not accepted: {line}"));
        self.changed.into_iter().chain(refused).chain(self.already).collect()
    }
}

/// How a text becomes another: the lines taken out and put in, cut short around what differs in them. Lengths
/// would say nothing: an edit may leave them as they are.
#[must_use]
pub fn edited(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let (out, put) = (only(old, new), only(new, old));
    // The same lines, in another order.
    let (out, put) =
        if out.is_empty() && put.is_empty() { (only(old, &[]), only(new, &[])) } else { (out, put) };
    let (mut before, mut after): (Vec<String>, Vec<String>) =
        out.iter().zip(&put).take(LINES).map(|(old, new)| apart(old, new)).unzip();
    let rest = |shown: &mut Vec<String>, lines: &[&str], sign: char| {
        let paired = shown.len();
        shown.extend(lines.iter().skip(paired).take(LINES - paired).map(|line| words::short(line, LINE)));
        let mut told: Vec<String> = shown.iter().map(|line| format!("{sign}\"{line}\"")).collect();
        if lines.len() > LINES {
            told.push(format!("{sign}{}", words::counted(lines.len() - LINES, ("more line", "more lines"))));
        }
        told
    };
    let mut sides = rest(&mut before, &out, '−');
    sides.extend(rest(&mut after, &put, '+'));
    if sides.is_empty() { "empty lines only".to_owned() } else { sides.join(" ") }
}

/// The lines of one side that the other side has not, without empty ones.
fn only<'a>(lines: &[&'a str], others: &[&str]) -> Vec<&'a str> {
    let mut there: HashMap<&str, usize> = HashMap::new();
    for line in others {
        *there.entry(line).or_default() += 1;
    }
    let mut left = lines.to_vec();
    left.retain(|line| {
        let known = there.get_mut(line).filter(|count| **count > 0);
        let is_there = known.is_some();
        if let Some(count) = known {
            *count -= 1;
        }
        !is_there && !line.trim().is_empty()
    });
    left
}

/// Two lines, one of which becomes the other, each cut short to what differs and a few words around it.
fn apart(old: &str, new: &str) -> (String, String) {
    let (old, new): (Vec<char>, Vec<char>) =
        (one_line(old).chars().collect(), one_line(new).chars().collect());
    if old.len().max(new.len()) <= LINE {
        return (old.iter().collect(), new.iter().collect());
    }
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let left = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(left).take_while(|(a, b)| a == b).count();
    // Whole words, unless they have no end.
    let head =
        (head.saturating_sub(WORD)..=head).rev().find(|at| *at == 0 || old[*at - 1] == ' ').unwrap_or(head);
    let tail = (tail.saturating_sub(WORD)..=tail)
        .rev()
        .find(|at| *at == 0 || old[old.len() - *at] == ' ')
        .unwrap_or(tail);
    let side = |line: &[char]| {
        let end = line.len() - tail;
        let from = if head > AROUND + WORD { head - AROUND } else { 0 };
        // What differs may be long itself.
        let to = if end - head > LINE {
            head + LINE
        } else if tail > AROUND + WORD {
            end + AROUND
        } else {
            line.len()
        };
        let mut shown: String = line[from..to].iter().collect();
        if from > 0 {
            shown.insert(0, '…');
        }
        if to < line.len() {
            shown.push('…');
        }
        shown
    };
    (side(&old), side(&new))
}

/// That `field` is `value` already; nothing of what is empty and stays so.
fn unchanged(field: &str, value: &FieldValue) -> Option<String> {
    match value {
        FieldValue::Short(text) | FieldValue::Long(text) | FieldValue::Exact(text)
            if text.trim().is_empty() =>
        {
            None
        }
        FieldValue::Short(_) => Some(format!("{field} {} already", value.word())),
        FieldValue::Long(_) | FieldValue::Exact(_) => Some(format!("{field}: this text already")),
    }
}

fn told(field: &str, old: &FieldValue, new: &FieldValue) -> String {
    match (old, new) {
        (FieldValue::Short(old) | FieldValue::Long(old) | FieldValue::Exact(old), new) if old.is_empty() => {
            format!("{field}: {}", new.word())
        }
        (FieldValue::Long(old) | FieldValue::Exact(old), FieldValue::Long(new) | FieldValue::Exact(new))
            if !new.is_empty() =>
        {
            format!("{field}: {}", edited(old, new))
        }
        (old, new) => format!("{field} {} → {}", old.word(), new.word()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(value: &str) -> FieldValue {
        FieldValue::Short(value.to_owned())
    }

    #[test]
    fn what_is_so_already_is_no_change() {
        let mut changes = Changes::default();
        assert!(!changes.set("name", short("A"), short("A")));
        assert!(!changes.set(
            "content",
            FieldValue::Long("a\nb\n".to_owned()),
            FieldValue::Long("a b".to_owned())
        ));
        assert!(changes.is_empty());
        changes.set("lead", short(""), short(""));
        changes.set("status", short("Planned"), short("Started"));
        let lines = ["status Planned → Started", "name A already", "content: this text already"];
        assert_eq!(changes.wanted(), lines, "what was asked for is not passed over in silence");
        assert_eq!(changes.outcome(|_| short("Started")).lines(), lines);
        let exact = |text: &str| FieldValue::Exact(text.to_owned());
        assert!(!changes.set("body", exact("a\r\n  b"), exact("a\n  b")));
        assert!(changes.set("body", exact("a\n  b"), exact("a\nb")), "white space counts here");
    }

    #[test]
    fn an_edit_of_a_text_shows_its_lines() {
        let text = |text: &str| FieldValue::Long(text.to_owned());
        let mut changes = Changes::default();
        changes.set(
            "content",
            text("# Plan\n\nShip on Monday.\n\nEnd."),
            text("# Plan\n\nShip on Friday.\n\nEnd."),
        );
        assert_eq!(changes.wanted(), ["content: −\"Ship on Monday.\" +\"Ship on Friday.\""]);
        assert_eq!(edited("a\nb", "a\nx\nb"), "+\"x\"");
        assert_eq!(edited("a\n1\n2\n3\n4\n5\nb", "a\nb"), "−\"1\" −\"2\" −\"3\" −2 more lines");
        assert_eq!(edited("a\r\nb", "a\nb\n\n"), "empty lines only");
        let long = edited("", &"x".repeat(100));
        assert!(long.chars().count() < 90 && long.contains('…'), "{long}");
    }

    #[test]
    fn what_differs_in_a_long_line_is_shown() {
        let before = "The window of the import is long enough for every client that we know of today, and the queue \
                      of the others waits for thirty minutes at most before somebody of the team is told, by mail.";
        let told = edited(before, &before.replace("thirty minutes", "an hour"));
        assert_eq!(
            told,
            "−\"…queue of the others waits for thirty minutes at most before somebody of th…\" \
             +\"…queue of the others waits for an hour at most before somebody of th…\""
        );
        let told = edited(before, &before.replace("mail.", "telephone."));
        assert!(told.contains("by mail.\" +") && told.ends_with("by telephone.\""), "{told}");
        let told = edited(before, &before.replace("every client", "every single client"));
        assert!(told.starts_with("−\"The window") || told.starts_with("−\"…"), "{told}");
        assert!(told.contains("every single client") && told.contains("for every client"), "{told}");
        // Words without an end, and a change that is long itself.
        let word = "x".repeat(200);
        let told = edited(&word, &format!("{}y{}", &word[..100], &word[100..]));
        assert!(told.contains("xyx") && told.chars().count() < 180, "{told}");
        let told = edited(before, &word);
        assert!(told.chars().count() < 180, "{told}");
    }

    #[test]
    fn lines_that_stay_between_two_edits_are_not_shown() {
        assert_eq!(edited("a\n1\n2\n3\n4\nb", "x\n1\n2\n3\n4\ny"), "−\"a\" −\"b\" +\"x\" +\"y\"");
        assert_eq!(edited("a\nb", "b\na"), "−\"a\" −\"b\" +\"b\" +\"a\"", "another order");
    }

    #[test]
    fn what_the_vendor_did_not_take_is_told() {
        let mut changes = Changes::default();
        changes.set("status", short("Planned"), short("Started"));
        changes.set("lead", short("@ada"), short(""));
        changes.set("target_date", short(""), short("2026-12-01"));
        assert_eq!(
            changes.wanted(),
            ["status Planned → Started", "lead @ada → none", "target_date: 2026-12-01"]
        );
        let outcome = changes.outcome(|field| match field {
            "status" => short("Started"),
            "lead" => short("@ada"),
            _ => short("2026-12-31"),
        });
        assert_eq!(outcome.changed, ["status Planned → Started"]);
        assert_eq!(
            outcome.refused,
            ["lead is still @ada", "target_date became 2026-12-31 instead of 2026-12-01"]
        );
        assert!(outcome.summary("Linear", "project X").contains("did not take 2 of the fields"));
    }
}
