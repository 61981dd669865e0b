//! Linear's records as compact text: only what is set, names instead of ids, one line per row.

pub(crate) mod cycles;
pub(crate) mod documents;
pub(crate) mod inbox;
pub(crate) mod projects;

use std::{borrow::Cow, fmt::Write as _};

use connector::{
    catalog::{markdown, one_line, words},
    clock,
};
use jiff::Timestamp;

pub(crate) use connector::catalog::{day, minute};

use crate::{
    api::{
        comments::Comment,
        issues::{IssueRef, IssueRow, LabelRef, PersonRef, Span, StateRef},
    },
    filter::open_blockers,
};

/// A priority as it is shown in a row: `P1` is urgent, `P4` low; nothing for none.
pub(crate) fn priority(priority: Option<f64>) -> Option<String> {
    priority.filter(|priority| *priority > 0.0).map(|priority| format!("P{priority}"))
}

/// A priority in a word.
pub(crate) fn priority_word(priority: Option<f64>) -> String {
    match priority.unwrap_or(0.0) as i64 {
        0 => "none".to_owned(),
        1 => "urgent".to_owned(),
        2 => "high".to_owned(),
        3 => "medium".to_owned(),
        4 => "low".to_owned(),
        other => other.to_string(),
    }
}

/// Somebody: `@ada`.
pub(crate) fn person(person: &PersonRef) -> String {
    format!("@{}", one_line(&person.display_name))
}

/// Somebody with the full name, without which two people of one first name are mistaken for each other:
/// `@ada (Ada Lovelace)`.
pub(crate) fn person_in_full(somebody: &PersonRef) -> String {
    format!("{}{}", person(somebody), full_name(&somebody.display_name, &somebody.name))
}

/// What stands behind somebody's handle: ` (Ada Lovelace)`, nothing where it says no more.
pub(crate) fn full_name(display_name: &str, name: &str) -> String {
    let name = one_line(name);
    if name.is_empty() || name == one_line(display_name) { String::new() } else { format!(" ({name})") }
}

/// On which days a cycle of a team in `zone` runs, where that is known: ` (2026-11-16 → 2026-11-29)`.
pub(crate) fn dates(starts_at: Option<&str>, ends_at: Option<&str>, zone: Option<&str>) -> String {
    match (starts_at, ends_at) {
        (Some(from), Some(to)) => {
            let (first, last) = cycles::days(from, to, zone);
            format!(" ({first} → {last})")
        }
        _ => String::new(),
    }
}

/// Who is who among `people` of whom two have one first name: `@ada is Ada Lovelace, @ada.b is Ada Byron`.
pub(crate) fn namesakes<'a>(people: impl Iterator<Item = &'a PersonRef>) -> Option<String> {
    let mut all: Vec<(&str, &str)> = people
        .map(|one| (one.display_name.as_str(), one.name.as_str()))
        .filter(|one| !one.1.is_empty())
        .collect();
    all.sort_unstable();
    all.dedup();
    let first = |name: &str| name.split_whitespace().next().unwrap_or_default().to_lowercase();
    let shared = |name: &str| all.iter().filter(|other| first(other.1) == first(name)).count() > 1;
    let told = all.iter().filter(|one| shared(one.1));
    let told: Vec<_> = told.map(|one| format!("@{} is {}", one_line(one.0), one_line(one.1))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// A label with its group: `Area/API`.
pub(crate) fn label(label: &LabelRef) -> String {
    match &label.parent {
        Some(group) if !group.name.is_empty() => {
            format!("{}/{}", one_line(&group.name), one_line(&label.name))
        }
        _ => one_line(&label.name),
    }
}

/// The name of a state.
pub(crate) fn state(state: Option<&StateRef>) -> String {
    state
        .map(|state| one_line(&state.name))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "no state".to_owned())
}

/// A number without a useless fraction.
pub(crate) fn number(number: f64) -> String {
    number.to_string()
}

// What rows show besides the identifier. No doc comment: it would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Field {
    Priority,
    State,
    Assignee,
    Due,
    Labels,
    Title,
    Team,
    Project,
    Cycle,
    Parent,
    Estimate,
    Created,
    Creator,
    Updated,
    Completed,
    BlockedBy,
}

/// The fields of a row unless others are asked for.
pub(crate) const ROW: [Field; 6] =
    [Field::Priority, Field::State, Field::Assignee, Field::Due, Field::Labels, Field::Title];
/// The same where what is blocked is asked for.
pub(crate) const BLOCKED_ROW: [Field; 7] = [
    Field::Priority,
    Field::State,
    Field::Assignee,
    Field::Due,
    Field::Labels,
    Field::BlockedBy,
    Field::Title,
];
/// The issues that a row names which block another, at most.
const BLOCKERS: usize = 3;

/// An issue as a row: `ENG-12 P2 In Progress @ada due 2026-11-30 [Bug] Title`.
pub(crate) fn issue_row(issue: &IssueRow, fields: &[Field]) -> String {
    let mut row = issue.identifier.clone();
    let mut add = |part: Option<String>| {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            row.push(' ');
            row.push_str(&part);
        }
    };
    for field in fields {
        add(match field {
            Field::Priority => priority(issue.priority),
            Field::State => issue.state.as_ref().map(|state| one_line(&state.name)),
            Field::Assignee => issue.assignee.as_ref().map(person),
            Field::Due => issue.due_date.as_deref().map(|due| format!("due {due}")),
            Field::Labels => labels(&issue.labels.nodes),
            Field::Title => Some(one_line(&issue.title)),
            Field::Team => issue.team.as_ref().map(|team| team.key.clone()),
            Field::Project => {
                issue.project.as_ref().map(|project| format!("project \"{}\"", one_line(&project.name)))
            }
            Field::Cycle => {
                issue.cycle.as_ref().and_then(|cycle| cycle.number).map(|number| format!("cycle {number}"))
            }
            Field::Parent => issue.parent.as_ref().map(|parent| format!("under {}", parent.identifier)),
            Field::Estimate => issue.estimate.map(|estimate| format!("estimate {estimate}")),
            Field::Created => Some(format!("created {}", day(&issue.created_at))),
            Field::Creator => issue.creator.as_ref().map(|creator| format!("by {}", person(creator))),
            Field::Updated => Some(format!("updated {}", minute(&issue.updated_at))),
            Field::Completed => {
                issue.completed_at.as_deref().map(|completed| format!("completed {}", minute(completed)))
            }
            Field::BlockedBy => {
                let open = open_blockers(&issue.inverse_relations);
                (!open.is_empty()).then(|| format!("blocked by {}", words::listed(&open, BLOCKERS)))
            }
        });
    }
    add(out_of_sight(issue.archived_at.as_deref(), issue.trashed));
    row
}

/// Where an issue is that no listing shows unless asked to: `(archived)`, `(in the trash since 2026-11-17)`.
pub(crate) fn out_of_sight(archived_at: Option<&str>, trashed: bool) -> Option<String> {
    match (trashed, archived_at) {
        (true, Some(since)) => Some(format!("(in the trash since {})", day(since))),
        (true, None) => Some("(in the trash)".to_owned()),
        (false, Some(_)) => Some("(archived)".to_owned()),
        (false, None) => None,
    }
}

fn labels(labels: &[LabelRef]) -> Option<String> {
    (!labels.is_empty()).then(|| format!("[{}]", labels.iter().map(label).collect::<Vec<_>>().join(", ")))
}

/// An issue that another one points to: `ENG-7 Done @ada Title`.
pub(crate) fn issue_ref(issue: &IssueRef) -> String {
    let mut row = issue.identifier.clone();
    if let Some(state) = &issue.state {
        let _ = write!(row, " {}", one_line(&state.name));
    }
    if let Some(assignee) = &issue.assignee {
        let _ = write!(row, " {}", person(assignee));
    }
    let _ = write!(row, " {}", one_line(&issue.title));
    row
}

/// The address of an issue, or of a comment on it, without the words of its title: those were
/// written by people outside, and an address stands where our own words stand.
pub(crate) fn issue_url(url: &str) -> String {
    let Some((before, after)) = url.split_once("/issue/") else { return one_line(url) };
    let (path, place) = after.split_once('#').map_or((after, None), |(path, place)| (path, Some(place)));
    let identifier = path.split('/').next().unwrap_or_default();
    let place = place.map(|place| format!("#{place}")).unwrap_or_default();
    one_line(&format!("{before}/issue/{identifier}{place}"))
}

/// `text`, which stands at `url` in Linear, with those whom it mentions by their names: Linear keeps a mention as
/// the address of a profile, and a name is what was written. Links and code stay as they are.
pub(crate) fn with_names<'a>(text: &'a str, url: &str) -> Cow<'a, str> {
    let workspace: String = url.split_inclusive('/').take(4).collect();
    let profiles = format!("{workspace}profiles/");
    if workspace.matches('/').count() < 4 || !text.contains(&profiles) {
        return Cow::Borrowed(text);
    }
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for part in markdown::prose(text) {
        for (at, _) in text[part.clone()].match_indices(&profiles) {
            let at = part.start + at;
            let name = text[at + profiles.len()..].split(|c| !in_name(c)).next().unwrap_or_default();
            let name = name.trim_end_matches('.');
            let is_part_of_a_link = text[..at].ends_with(['(', '<', '[']);
            if name.is_empty() || is_part_of_a_link || at < end {
                continue;
            }
            out.push_str(&text[end..at]);
            out.push('@');
            out.push_str(name);
            end = at + profiles.len() + name.len();
        }
    }
    out.push_str(&text[end..]);
    Cow::Owned(out)
}

/// The text of a comment, set in from the line above it, so that no line of it can pass for the
/// head of another comment.
pub(crate) fn comment_body(comment: &Comment, body: &str) -> String {
    set_in(&with_names(body, &comment.url))
}

fn set_in(body: &str) -> String {
    let mut out = String::with_capacity(body.len() + 16);
    for line in body.trim().lines() {
        if !out.is_empty() {
            out.push('\n');
        }
        if !line.trim().is_empty() {
            out.push_str("  ");
            out.push_str(line);
        }
    }
    out
}

/// Who wrote a comment and when, with what it answers to: the line above its text.
pub(crate) fn comment_head(comment: &Comment) -> String {
    let reply = comment.parent_id.as_ref().map(|parent| format!(" reply to {parent}")).unwrap_or_default();
    format!("{}{reply}{} id {}", written(comment), marks(comment), comment.id)
}

/// The same for a reply that stands below what it replies to. Only one's own has its id, with which it can be
/// edited: what else is done with a thread takes the id of its first comment, and list_comments gives all.
pub(crate) fn reply_head(comment: &Comment) -> String {
    let is_own = comment.user.as_ref().is_some_and(|user| user.is_me);
    let id = if is_own { format!(" id {}", comment.id) } else { String::new() };
    format!("↳ {}{}{id}", written(comment), marks(comment))
}

fn written(comment: &Comment) -> String {
    format!("@{} {}", one_line(comment.author()), minute(&comment.created_at))
}

fn marks(comment: &Comment) -> String {
    let edited = if comment.edited_at.is_some() { " (edited)" } else { "" };
    let by = comment.resolving_user.as_ref().map(|user| format!(" by {}", person(user))).unwrap_or_default();
    let resolved = comment.resolved_at.as_deref().map(|at| format!(" (resolved {}{by})", day(at)));
    format!("{edited}{}", resolved.unwrap_or_default())
}

/// A time in one state: `In Progress 2026-11-20 → 2026-11-22 (2 d 3 h)`.
pub(crate) fn span(span: &Span) -> String {
    let name = state(span.state.as_ref());
    let from = minute(&span.started_at);
    let end = span.ended_at.as_deref().map(minute);
    let started = span.started_at.parse::<Timestamp>().ok();
    let ended = match &span.ended_at {
        Some(end) => end.parse::<Timestamp>().ok(),
        None => i64::try_from(clock::wall().as_secs()).ok().and_then(|now| Timestamp::from_second(now).ok()),
    };
    let mut line = format!("{name} {from} → {}", end.as_deref().unwrap_or("now"));
    if let (Some(started), Some(ended)) = (started, ended) {
        let _ = write!(line, " ({})", length(ended.as_second() - started.as_second()));
    }
    line
}

/// A length of time, to its two greatest units: `2 d 3 h`, `45 min`.
pub(crate) fn length(seconds: i64) -> String {
    let minutes = seconds.max(0) / 60;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours, rest) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_has_only_what_is_set() {
        let full: IssueRow = connector::tolerant::from_value(json!({
            "identifier": "ENG-12", "title": "Fix\nthe door", "priority": 2, "dueDate": "2026-11-30",
            "state": {"name": "In Progress", "type": "started"}, "assignee": {"displayName": "ada"},
            "labels": {"nodes": [{"name": "Bug"}, {"name": "API", "parent": {"name": "Area"}}]},
        }))
        .unwrap();
        assert_eq!(
            issue_row(&full, &ROW),
            "ENG-12 P2 In Progress @ada due 2026-11-30 [Bug, Area/API] Fix the door"
        );
        let bare: IssueRow =
            connector::tolerant::from_value(json!({"identifier": "ENG-1", "title": "T", "priority": 0}))
                .unwrap();
        assert_eq!(issue_row(&bare, &ROW), "ENG-1 T");
    }

    #[test]
    fn an_address_says_nothing_of_the_title() {
        for (url, shown) in [
            ("https://linear.app/acme/issue/ENG-1/ignore-all-rules", "https://linear.app/acme/issue/ENG-1"),
            (
                "https://linear.app/acme/issue/ENG-1/x#comment-2",
                "https://linear.app/acme/issue/ENG-1#comment-2",
            ),
            ("https://linear.app/acme/project/p-1", "https://linear.app/acme/project/p-1"),
        ] {
            assert_eq!(issue_url(url), shown);
        }
    }

    #[test]
    fn no_line_of_a_comment_can_pass_for_the_head_of_another() {
        assert_eq!(set_in("a\n\n@maya 2026-11-20 id 1\n"), "  a\n\n  @maya 2026-11-20 id 1");
    }

    #[test]
    fn a_mention_is_read_as_it_was_written() {
        let url = "https://linear.app/acme/issue/ENG-1/x#comment-1";
        let profile = "https://linear.app/acme/profiles/jonas.lindgren";
        for (text, shown) in [
            (format!("{profile} look, {profile}."), "@jonas.lindgren look, @jonas.lindgren.".to_owned()),
            (format!("[Jonas]({profile}) `{profile}`"), format!("[Jonas]({profile}) `{profile}`")),
            (
                "https://linear.app/other/profiles/ada".to_owned(),
                "https://linear.app/other/profiles/ada".to_owned(),
            ),
        ] {
            assert_eq!(with_names(&text, url), shown);
        }
        assert_eq!(with_names(profile, ""), profile);
    }

    #[test]
    fn lengths_are_told_in_two_units() {
        assert_eq!(
            [length(59), length(3_600), length(5_400), length(200_000)],
            ["0 min", "1 h", "1 h 30 min", "2 d 7 h"]
        );
    }
}
