//! `update_issue`: only what is given is changed, and labels and people are added and taken away one by one,
//! so that what others change meanwhile is not undone.
//!
//! It asks before it replaces a whole text that is there. What one call undoes goes without: closing, labels,
//! people, locking, edits of single passages.

use connector::{
    Effect, Error, Kind, Result,
    catalog::{
        Call, Changes, Clear, FieldValue, Plan, Reply, Tool, Written,
        edits::{self, Edit},
        one_line,
    },
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bulk, read::moved, rows, steps::Steps, write::absent};
use crate::{
    GitHub,
    api::rest_issues::RestIssue,
    repo::Repo,
    resolve::{mentions::notified, naming, reference, text},
    scopes,
};

/// The field that names the original of a duplicate.
const DUPLICATE_OF: &str = "duplicate of";

/// The tool of this file.
pub(super) fn tool() -> Tool<GitHub> {
    Tool::destructive(
        "update_issue",
        "Update issue",
        "Changes only the fields given, of one or several (numbers). labels replaces the set.",
        update_issue,
    )
    .toolset("issues")
    .scopes(scopes::REPO)
    .idempotent()
    .aliases(&[
        ("issue_number", "number"),
        ("issue_numbers", "numbers"),
        ("edits", "body_edits"),
        ("issue_type", "type"),
    ])
    .output::<Written>()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    repo: Option<String>,
    number: Option<u64>,
    #[serde(default)]
    pub(super) numbers: Vec<u64>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    body_edits: Vec<Edit>,
    state: Option<State>,
    duplicate_of: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    add_labels: Vec<String>,
    #[serde(default)]
    remove_labels: Vec<String>,
    #[serde(default)]
    add_assignees: Vec<String>,
    #[serde(default)]
    remove_assignees: Vec<String>,
    milestone: Option<String>,
    r#type: Option<String>,
    lock: Option<bool>,
    lock_reason: Option<LockReason>,
    #[serde(default)]
    clear: Vec<Emptied>,
    expected_updated_at: Option<String>,
}

impl Arguments {
    /// The first field given that is one issue's own.
    pub(super) fn own(&self) -> Option<&'static str> {
        [
            ("title", self.title.is_some()),
            ("body", self.new_body().is_some()),
            ("body_edits", !self.body_edits.is_empty()),
            ("duplicate_of", self.duplicate_of.is_some()),
            ("expected_updated_at", self.expected_updated_at.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }

    fn empties(&self, field: Emptied) -> bool {
        self.clear.contains(&field)
    }

    /// The text that replaces the body, if one does.
    fn new_body(&self) -> Option<String> {
        self.body.clone().or_else(|| self.empties(Emptied::Body).then(String::new))
    }

    /// Whether the labels become another set.
    fn replaces_labels(&self) -> bool {
        !self.labels.is_empty() || self.empties(Emptied::Labels)
    }
}

// Why a conversation is locked. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LockReason {
    OffTopic,
    TooHeated,
    Resolved,
    Spam,
}

impl LockReason {
    /// As GitHub takes it (docs.github.com, "Lock an issue").
    fn as_str(self) -> &'static str {
        match self {
            Self::OffTopic => "off-topic",
            Self::TooHeated => "too heated",
            Self::Resolved => "resolved",
            Self::Spam => "spam",
        }
    }
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Emptied {
    Body,
    Labels,
    Milestone,
    Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    #[serde(alias = "closed", alias = "Closed", alias = "CLOSED")]
    Completed,
    NotPlanned,
    Duplicate,
}

impl State {
    /// As GitHub takes it, with the reason.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("open", "reopened"),
            Self::Completed => ("closed", "completed"),
            Self::NotPlanned => ("closed", "not_planned"),
            Self::Duplicate => ("closed", "duplicate"),
        }
    }
}

async fn update_issue(call: Call<GitHub>, arguments: Arguments) -> Result<Plan> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    call.bounds().permits(&repo, Effect::Write)?;
    check(&arguments)?;
    let number = match (arguments.number, arguments.numbers.as_slice()) {
        (Some(number), []) | (None, &[number]) => number,
        (None, [_, ..]) => return bulk::update(call, repo, arguments).await,
        (Some(_), _) => return Err(Error::invalid("Give `number` or `numbers`, not both")),
        (None, []) => return Err(Error::invalid("Give the issue's `number`, or `numbers` of several")),
    };
    let before = call.api().rest_issue(&repo, number).await.map_err(|error| absent(error, &repo, number))?;
    if let Some(error) = moved(&call, &repo, number, &before) {
        return Err(error);
    }
    let expected = arguments.expected_updated_at.clone();
    guard(&before, expected.as_deref())?;
    let mut changes = Changes::default();
    let steps = work_out(&call, &repo, &before, &arguments, &mut changes).await?;
    let name = format!("{repo}#{number}");
    if changes.is_empty() {
        return Ok(Plan::nothing(Reply::written(
            Written::new(format!("Nothing to change: {name} is already like that."))
                .id(before.number.clone()),
        )));
    }
    let mut preview = Written::new(format!("Change {name}"));
    for line in changes.wanted() {
        preview = preview.change(line);
    }
    let text = steps.patch.get("body").and_then(Value::as_str).unwrap_or_default();
    let told = notified(&call, &repo, &steps.add_assignees, text, &before.body).await;
    preview.changed.extend(told.clone());
    let asks = steps.asks;
    let preview =
        Reply::written(preview).outside(name.as_str(), Some(before.user.login()), one_line(&before.title));
    let seen = (before.title.clone(), before.body.clone());
    let plan = Plan::new(preview, move || async move {
        if steps.patch.contains_key("body") || expected.is_some() {
            let fresh = call.api().rest_issue(&repo, number).await?;
            guard(&fresh, expected.as_deref())?;
            if steps.patch.contains_key("body") && fresh.body != before.body {
                return Err(changed(&name));
            }
        }
        let mut after = steps.carry_out(&call, &repo, number, &before).await?;
        if steps.patch.contains_key("duplicate_issue_id") {
            after.duplicate_of = call.api().duplicate_of(&repo, number).await.unwrap_or_default();
        }
        let outcome = changes.outcome(|field| told_of(&after, field));
        let mut written = Written::new(outcome.summary("GitHub", &name));
        for line in outcome.lines() {
            written = written.change(line);
        }
        written.changed.extend(told);
        Ok(Reply::written(written.id(after.number).url(after.html_url)))
    });
    let plan = plan.state(&seen);
    Ok(if asks { plan.ask() } else { plan.harmless() })
}

/// Whether the arguments fit together.
fn check(arguments: &Arguments) -> Result<()> {
    if arguments.new_body().is_some() && !arguments.body_edits.is_empty() {
        return Err(Error::invalid("Give either `body` or `body_edits`"));
    }
    if arguments.replaces_labels() && !(arguments.add_labels.is_empty() && arguments.remove_labels.is_empty())
    {
        return Err(Error::invalid(
            "`labels` replaces the set: give it, or `add_labels` and `remove_labels`",
        ));
    }
    if arguments.duplicate_of.is_some() && !matches!(arguments.state, None | Some(State::Duplicate)) {
        return Err(Error::invalid("`duplicate_of` goes with `state` duplicate"));
    }
    if arguments.title.as_ref().is_some_and(|title| title.trim().is_empty()) {
        return Err(Error::invalid("`title` is empty"));
    }
    if arguments.lock_reason.is_some() && arguments.lock == Some(false) {
        return Err(Error::invalid("`lock_reason` goes with `lock` true"));
    }
    let given = [
        arguments.title.is_some(),
        arguments.body.is_some(),
        !arguments.body_edits.is_empty(),
        arguments.state.is_some(),
        arguments.duplicate_of.is_some(),
        !arguments.labels.is_empty(),
        !arguments.add_labels.is_empty(),
        !arguments.remove_labels.is_empty(),
        !arguments.add_assignees.is_empty(),
        !arguments.remove_assignees.is_empty(),
        arguments.milestone.is_some(),
        arguments.r#type.is_some(),
        arguments.lock.is_some(),
        arguments.lock_reason.is_some(),
        !arguments.clear.is_empty(),
    ];
    if given.contains(&true) {
        return Ok(());
    }
    Err(Error::invalid("Give at least one field to change")
        .with_hint("null and \"\" count as not given; clear: [\"milestone\"] empties a field"))
}

/// Whether the issue is as the caller last saw it.
fn guard(ticket: &RestIssue, expected: Option<&str>) -> Result<()> {
    let Some(expected) = expected.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(()) };
    if same_moment(expected, &ticket.updated_at)? {
        return Ok(());
    }
    Err(Error::new(
        Kind::Conflict,
        format!(
            "#{} has changed meanwhile: it was updated at {}",
            ticket.number,
            one_line(&ticket.updated_at)
        ),
    )
    .with_hint("Nothing was written. Read it again and decide anew"))
}

/// Whether the moment that a caller `expected` is when something was last `updated`.
///
/// # Errors
/// `invalid_argument` for what is no moment.
pub(in crate::tools) fn same_moment(expected: &str, updated: &str) -> Result<bool> {
    let expected: Timestamp = expected.parse().map_err(|_| {
        Error::invalid(format!("`expected_updated_at`: `{}` is not a time", one_line(expected)))
            .with_hint("Take updated_at as it was shown")
    })?;
    Ok(updated.parse::<Timestamp>().is_ok_and(|at| at == expected))
}

fn changed(name: &str) -> Error {
    Error::new(Kind::Conflict, format!("The text of {name} has changed meanwhile"))
        .with_hint("Nothing was written. Read it again and decide anew")
}

/// What the arguments come to on `before`.
///
/// # Errors
/// `invalid_argument` for what cannot be set so.
pub(super) async fn work_out(
    call: &Call<GitHub>,
    repo: &Repo,
    before: &RestIssue,
    arguments: &Arguments,
    changes: &mut Changes,
) -> Result<Steps> {
    let mut steps = Steps::default();
    if let Some(title) = &arguments.title {
        text::title_fits(title.trim())?;
    }
    if let Some(title) = arguments.title.as_deref().map(str::trim)
        && changes.set("title", told_of(before, "title"), FieldValue::Short(title.to_owned()))
    {
        steps.patch.insert("title".to_owned(), json!(title));
    }
    let body = match arguments.new_body() {
        Some(body) => Some((body, !before.body.trim().is_empty())),
        None if arguments.body_edits.is_empty() => None,
        None => Some((edits::apply(&before.body, &arguments.body_edits)?, false)),
    };
    if let Some((body, _)) = &body {
        text::fits("body", body)?;
    }
    if let Some((body, replaces)) = body
        && changes.set("body", told_of(before, "body"), FieldValue::Exact(body.clone()))
    {
        steps.asks |= replaces;
        steps.patch.insert("body".to_owned(), json!(body));
    }
    state(call, repo, before, arguments.state, arguments.duplicate_of.as_deref(), changes, &mut steps)
        .await?;
    // As in list_issues, `none` is no milestone.
    let none = arguments.milestone.as_deref().is_some_and(|name| name.trim().eq_ignore_ascii_case("none"));
    let named = arguments.milestone.as_deref().filter(|_| !none);
    let milestone = Clear::of(named, none || arguments.empties(Emptied::Milestone));
    if let Some(name) = milestone.as_change() {
        let (title, number) = match name {
            None => (String::new(), Value::Null),
            Some(name) => {
                let found = naming::milestone(call, repo, name.trim()).await?;
                (found.title, json!(found.number.parse::<u64>().unwrap_or_default()))
            }
        };
        if changes.set("milestone", told_of(before, "milestone"), FieldValue::Short(title)) {
            steps.patch.insert("milestone".to_owned(), number);
        }
    }
    let kind = Clear::of(arguments.r#type.as_deref(), arguments.empties(Emptied::Type));
    if let Some(name) = kind.as_change() {
        let kind = match name {
            None => String::new(),
            Some(name) => naming::issue_type(call, repo, name.trim()).await?,
        };
        if changes.set("type", told_of(before, "type"), FieldValue::Short(kind.clone())) {
            let value = if kind.is_empty() { Value::Null } else { json!(kind) };
            steps.patch.insert("type".to_owned(), value);
        }
    }
    let had = before.labels();
    if arguments.replaces_labels() {
        let labels = naming::labels_to_set(call, repo, &arguments.labels).await?;
        if changes.set("labels", FieldValue::names(&had), FieldValue::names(&labels)) {
            steps.patch.insert("labels".to_owned(), json!(labels));
        }
    } else if !(arguments.add_labels.is_empty() && arguments.remove_labels.is_empty()) {
        let add = naming::labels_to_set(call, repo, &arguments.add_labels).await?;
        let remove = naming::labels(call, repo, &arguments.remove_labels).await?;
        let labels = both("labels", &had, &add, &remove)?;
        if listed("labels", &had, labels, &add, changes) {
            steps.add_labels = add.into_iter().filter(|label| !had.contains(label)).collect();
            steps.remove_labels = remove.into_iter().filter(|label| had.contains(label)).collect();
        }
    }
    if !(arguments.add_assignees.is_empty() && arguments.remove_assignees.is_empty()) {
        let had = before.assignees();
        let add = naming::assignees(call, repo, &arguments.add_assignees).await?;
        let mut remove = Vec::new();
        for name in &arguments.remove_assignees {
            let login = naming::login(call, name).await?;
            // As GitHub spells it; who is not assigned need not be taken away.
            let spelled = had.iter().find(|other| other.eq_ignore_ascii_case(&login)).cloned();
            remove.push(spelled.unwrap_or(login));
        }
        let people = both("assignees", &had, &add, &remove)?;
        if listed("assignees", &had, people, &add, changes) {
            steps.add_assignees = add.into_iter().filter(|login| !had.contains(login)).collect();
            steps.remove_assignees = remove.into_iter().filter(|login| had.contains(login)).collect();
        }
    }
    if let Some(lock) = arguments.lock.or(arguments.lock_reason.map(|_| true)) {
        // Why it is locked already stays, if nothing else is said.
        let reason = match arguments.lock_reason {
            Some(reason) => reason.as_str(),
            None => before.active_lock_reason.as_str(),
        };
        let reason = if lock { reason } else { "" };
        if changes.set("locked", told_of(before, "locked"), FieldValue::Short(locked(lock, reason))) {
            steps.lock = Some((lock, reason.to_owned()));
        }
    }
    Ok(steps)
}

/// Opening and closing.
async fn state(
    call: &Call<GitHub>,
    repo: &Repo,
    before: &RestIssue,
    state: Option<State>,
    duplicate_of: Option<&str>,
    changes: &mut Changes,
    steps: &mut Steps,
) -> Result<()> {
    let Some(state) = state.or(duplicate_of.map(|_| State::Duplicate)) else { return Ok(()) };
    if before.is_pull() {
        return Err(Error::invalid(format!("#{} is a pull request", before.number))
            .with_hint("update_pr closes and reopens pull requests"));
    }
    let original = match (state, duplicate_of) {
        (State::Duplicate, Some(other)) => {
            call.bounds().is_ours(other)?;
            let (place, number) = reference::parse("duplicate_of", other, repo)?;
            if place.is(repo) && number.to_string() == before.number {
                return Err(Error::invalid("An issue cannot be its own duplicate"));
            }
            let other = call.api().rest_issue(&place, number).await;
            let other = other.map_err(|error| absent(error, &place, number))?;
            if let Some(error) = moved(call, &place, number, &other) {
                return Err(error);
            }
            let name =
                format!("{}#{}", other.repo().map_or_else(|| place.to_string(), str::to_owned), other.number);
            Some((other.id, name))
        }
        _ => None,
    };
    let (word, reason) = state.words();
    let wanted = closing(word, reason);
    if changes.set("state", told_of(before, "state"), FieldValue::Short(wanted)) {
        steps.patch.insert("state".to_owned(), json!(word));
        steps.patch.insert("state_reason".to_owned(), json!(reason));
    }
    let Some((id, name)) = original else { return Ok(()) };
    let old = match before.number.parse() {
        Ok(number) if before.state() == "closed" => call.api().duplicate_of(repo, number).await?,
        _ => String::new(),
    };
    if changes.set(DUPLICATE_OF, FieldValue::Short(old), FieldValue::Short(name)) {
        steps.patch.insert("state".to_owned(), json!(word));
        steps.patch.insert("state_reason".to_owned(), json!(reason));
        steps.patch.insert("duplicate_issue_id".to_owned(), json!(id.parse::<u64>().unwrap_or_default()));
    }
    Ok(())
}

/// A state, with the reason of every closed one: which it is said to be closed for is part of the change. One
/// without a reason is completed (docs.github.com, "Closing an issue").
fn closing(state: &str, reason: &str) -> String {
    let told = rows::state(state, reason);
    if told == "closed" { "closed (completed)".to_owned() } else { told }
}

/// Notes what becomes of a list of names; where nothing does, those that were to be added are there already.
fn listed(
    field: &'static str,
    had: &[String],
    wanted: Vec<String>,
    add: &[String],
    changes: &mut Changes,
) -> bool {
    let (had, wanted) = (FieldValue::names(had), FieldValue::names(wanted));
    if had == wanted && !add.is_empty() {
        return changes.set(field, FieldValue::names(add), FieldValue::names(add));
    }
    changes.set(field, had, wanted)
}

/// The names after some are added and some taken away.
fn both(field: &str, had: &[String], add: &[String], remove: &[String]) -> Result<Vec<String>> {
    if let Some(name) = add.iter().find(|name| remove.contains(name)) {
        return Err(Error::invalid(format!(
            "`{}` is to be added to and removed from the {field}",
            one_line(name)
        )));
    }
    Ok(had.iter().filter(|name| !remove.contains(name)).chain(add).cloned().collect())
}

/// A field of an issue, as a change is told.
pub(super) fn told_of(ticket: &RestIssue, field: &str) -> FieldValue {
    match field {
        "title" => FieldValue::Short(ticket.title.clone()),
        "body" => FieldValue::Exact(ticket.body.clone()),
        "state" => FieldValue::Short(closing(ticket.state(), &ticket.state_reason)),
        "labels" => FieldValue::names(ticket.labels()),
        "assignees" => FieldValue::names(ticket.assignees()),
        "milestone" => FieldValue::Short(ticket.milestone.title.clone()),
        "type" => FieldValue::Short(ticket.kind.name.clone()),
        DUPLICATE_OF => FieldValue::Short(ticket.duplicate_of.clone()),
        _ => FieldValue::Short(locked(ticket.locked, &ticket.active_lock_reason)),
    }
}

/// Whether a conversation is locked, and why.
fn locked(on: bool, reason: &str) -> String {
    match (on, reason) {
        (false, _) => "no".to_owned(),
        (true, "") => "yes".to_owned(),
        (true, reason) => format!("yes, as {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(json: Value) -> RestIssue {
        connector::tolerant::from_value(json).unwrap()
    }

    #[test]
    fn an_issue_that_changed_since_it_was_seen_is_a_conflict() {
        let now = ticket(json!({"number": 7, "updated_at": "2026-11-22T10:00:00Z"}));
        assert!(guard(&now, None).is_ok() && guard(&now, Some("2026-11-22T11:00:00+01:00")).is_ok());
        assert_eq!(guard(&now, Some("2026-11-22T09:59:59Z")).unwrap_err().kind(), Kind::Conflict);
        assert_eq!(guard(&now, Some("yesterday")).unwrap_err().kind(), Kind::InvalidArgument);
    }

    #[test]
    fn names_are_added_and_taken_away_from_what_is_there() {
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(both("labels", &list(&["a", "b"]), &list(&["c"]), &list(&["a"])).unwrap(), ["b", "c"]);
        assert!(both("labels", &[], &list(&["c"]), &list(&["c"])).is_err());
    }
}
