//! Notifications: threads in which something happened that somebody wants to know.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    answer::Answer,
    ask::Ask,
    auth::{Kind, not_accessible, permits},
    errors::{ApiError, Outcome},
    graphql::may,
    repos::repository_json,
    route::read,
    state::State,
};

use super::{moment, number, text};

/// The most threads of a page, and how many it has if nothing is said (docs.github.com, "List notifications").
const MOST: usize = 50;
/// Reasons for which a thread is somebody's own affair ("participating").
const PARTICIPATING: [&str; 7] =
    ["assign", "author", "comment", "mention", "review_requested", "state_change", "team_mention"];

/// A thread of somebody's notifications.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Thread {
    id: u64,
    login: String,
    repo: u64,
    title: String,
    /// `Issue`, `PullRequest`, `CheckSuite`, `Release`, `Discussion`.
    kind: String,
    /// Below the repository's address, of the subject and of its newest comment; empty for none.
    subject: String,
    comment: String,
    reason: String,
    unread: bool,
    updated: String,
    last_read: Option<String>,
    /// Whether somebody asked to be told, or not to be; none: neither.
    subscription: Option<Subscription>,
    /// Out of the inbox, and out of every listing.
    done: bool,
}

/// What somebody wants of a thread.
#[derive(Clone, Debug, Serialize)]
struct Subscription {
    ignored: bool,
    created: String,
}

impl Thread {
    pub(super) fn from_seed(row: &Value) -> Result<Self, String> {
        let updated = moment(row, "at").ok_or("a notification without time")?;
        let subscribed = Subscription { ignored: false, created: updated.clone() };
        Ok(Self {
            id: number(row, "id")?,
            login: text(row, "login"),
            repo: number(row, "repo")?,
            title: text(row, "title"),
            kind: text(row, "kind"),
            subject: text(row, "subject"),
            comment: text(row, "comment"),
            reason: text(row, "reason"),
            unread: row["unread"] == true,
            last_read: moment(row, "read_at"),
            subscription: (row["subscribed"] != false).then_some(subscribed),
            updated,
            done: false,
        })
    }
}

/// Only a user's own classic token opens the inbox: "This endpoint only works with personal access tokens
/// (classic)" (docs.github.com, "REST API endpoints for notifications"). The sandbox's token that may do
/// everything, which GitHub does not have, may do this too.
fn opens(ask: &Ask<'_>) -> Outcome<()> {
    permits(ask.caller, read("notifications"))?;
    match &ask.caller.token {
        Some(token) if token.kind == Kind::Classic => Ok(()),
        Some(token) if token.kind == Kind::FineGrained && token.permissions.is_empty() => Ok(()),
        _ => Err(not_accessible(ask.caller)),
    }
}

/// The repositories of somebody's threads that the token may see.
fn visible(ask: &Ask<'_>) -> Vec<u64> {
    let mut repos: Vec<_> = ask.site.state().social.threads.iter().map(|thread| thread.repo).collect();
    repos.sort_unstable();
    repos.dedup();
    repos.retain(|repo| may(ask, *repo, read("metadata")).is_ok());
    repos
}

/// `GET /notifications` and `GET /repos/{owner}/{repo}/notifications`: `all`, `participating`, `since`,
/// `before`. Newest first.
pub(super) fn list(ask: &Ask<'_>) -> Outcome<Answer> {
    opens(ask)?;
    for name in ["since", "before"] {
        if ask.query(name).is_some_and(|time| time.parse::<jiff::Timestamp>().is_err()) {
            return Err(ApiError::validation("Notification", name, "invalid"));
        }
    }
    let visible = visible(ask);
    let state = ask.site.state();
    let is = |name: &str| ask.query(name) == Some("true");
    let mut threads: Vec<_> = state
        .social
        .threads
        .iter()
        .filter(|thread| {
            thread.login == ask.caller.login()
                && !thread.done
                && (ask.repo == 0 || thread.repo == ask.repo)
                && visible.contains(&thread.repo)
                && (is("all") || thread.unread)
                && (!is("participating") || PARTICIPATING.contains(&thread.reason.as_str()))
                && ask.query("since").is_none_or(|time| thread.updated.as_str() >= time)
                && ask.query("before").is_none_or(|time| thread.updated.as_str() < time)
        })
        .collect();
    threads.sort_by(|one, other| (&other.updated, other.id).cmp(&(&one.updated, one.id)));
    let per_page = ask.query("per_page").and_then(|rows| rows.parse().ok()).unwrap_or(MOST).clamp(1, MOST);
    let mut query: Vec<_> = ask.query.iter().filter(|(name, _)| name != "per_page").cloned().collect();
    query.push(("per_page".to_owned(), per_page.to_string()));
    let ask = Ask { params: ask.params.clone(), query, ..*ask };
    let answer = ask.page(&threads, |thread| show(ask.site, &state, thread));
    Ok(answer.header("x-poll-interval", "60"))
}

/// `PUT /notifications` and `PUT /repos/{owner}/{repo}/notifications`: everything up to `last_read_at` is read.
pub(super) fn read_all(ask: &Ask<'_>) -> Outcome<Answer> {
    opens(ask)?;
    let body = ask.object()?;
    let now = ask.site.now();
    let until = body.get("last_read_at").and_then(Value::as_str).unwrap_or(&now).to_owned();
    let visible = visible(ask);
    let mut state = ask.site.state();
    for thread in &mut state.social.threads {
        let theirs = thread.login == ask.caller.login() && visible.contains(&thread.repo);
        if theirs && (ask.repo == 0 || thread.repo == ask.repo) && thread.unread && thread.updated <= until {
            thread.unread = false;
            thread.last_read = Some(now.clone());
        }
    }
    Ok(Answer::none().status(StatusCode::RESET_CONTENT))
}

/// `GET /notifications/threads/{thread_id}`.
pub(super) fn get(ask: &Ask<'_>) -> Outcome<Answer> {
    opens(ask)?;
    let state = ask.site.state();
    Ok(Answer::json(show(ask.site, &state, find(ask, &state)?)))
}

/// `PATCH /notifications/threads/{thread_id}`: it is read.
pub(super) fn read_one(ask: &Ask<'_>) -> Outcome<Answer> {
    let now = ask.site.now();
    change(ask, |thread| {
        if thread.unread {
            thread.unread = false;
            thread.last_read = Some(now);
        }
    })?;
    Ok(Answer::none().status(StatusCode::RESET_CONTENT))
}

/// `DELETE /notifications/threads/{thread_id}`: it is done with.
pub(super) fn done(ask: &Ask<'_>) -> Outcome<Answer> {
    change(ask, |thread| thread.done = true)?;
    Ok(Answer::none())
}

/// `GET /notifications/threads/{thread_id}/subscription`: 404 if there is none.
pub(super) fn subscription(ask: &Ask<'_>) -> Outcome<Answer> {
    opens(ask)?;
    let state = ask.site.state();
    let thread = find(ask, &state)?;
    show_subscription(ask.site, thread).map(Answer::json).ok_or_else(ApiError::not_found)
}

/// `PUT /notifications/threads/{thread_id}/subscription`.
pub(super) fn subscribe(ask: &Ask<'_>) -> Outcome<Answer> {
    let ignored = ask.object()?.get("ignored") == Some(&Value::Bool(true));
    let created = ask.site.now();
    change(ask, |thread| thread.subscription = Some(Subscription { ignored, created }))?;
    subscription(ask)
}

/// `DELETE /notifications/threads/{thread_id}/subscription`.
pub(super) fn unsubscribe(ask: &Ask<'_>) -> Outcome<Answer> {
    change(ask, |thread| thread.subscription = None)?;
    Ok(Answer::none())
}

fn find<'s>(ask: &Ask<'_>, state: &'s State) -> Outcome<&'s Thread> {
    let id = ask.number("thread_id")?;
    let mut threads = state.social.threads.iter();
    let found = threads.find(|thread| thread.id == id && thread.login == ask.caller.login() && !thread.done);
    found.ok_or_else(ApiError::not_found)
}

fn change(ask: &Ask<'_>, how: impl FnOnce(&mut Thread)) -> Outcome<()> {
    opens(ask)?;
    let mut state = ask.site.state();
    let id = find(ask, &state)?.id;
    if let Some(thread) = state.social.threads.iter_mut().find(|thread| thread.id == id) {
        how(thread);
    }
    Ok(())
}

fn show_subscription(site: &Site, thread: &Thread) -> Option<Value> {
    let subscription = thread.subscription.as_ref()?;
    let url = site.url(&format!("notifications/threads/{}", thread.id));
    Some(json!({
        "subscribed": !subscription.ignored,
        "ignored": subscription.ignored,
        "reason": null,
        "created_at": subscription.created,
        "url": format!("{url}/subscription"),
        "thread_url": url,
    }))
}

fn show(site: &Site, state: &State, thread: &Thread) -> Value {
    let Some(repo) = state.repos.get(thread.repo) else { return Value::Null };
    let mut repository = repository_json(site, state, repo, &thread.login);
    repository.remove("permissions");
    let url = site.url(&format!("notifications/threads/{}", thread.id));
    let below = |rest: &str| (!rest.is_empty()).then(|| repo.url(site, rest));
    json!({
        "id": thread.id.to_string(),
        "unread": thread.unread,
        "reason": thread.reason,
        "updated_at": thread.updated,
        "last_read_at": thread.last_read,
        "subject": {
            "title": thread.title,
            "url": below(&thread.subject),
            "latest_comment_url": below(if thread.comment.is_empty() { &thread.subject } else { &thread.comment }),
            "type": thread.kind,
        },
        "repository": repository,
        "url": url,
        "subscription_url": format!("{url}/subscription"),
    })
}
