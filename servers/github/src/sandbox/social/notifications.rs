//! Notifications: threads in which something happened that somebody wants to know.

use connector::sandbox::rest::FakeRequest;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    auth::{Kind, not_accessible, permits},
    errors::{ApiError, Outcome},
    graphql::may,
    repos::repository_json,
    request::{FakeResponse, GitHubRequest as _, RequestContext},
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
fn opens(cx: &RequestContext<'_>) -> Outcome<()> {
    permits(cx.caller, read("notifications"))?;
    match &cx.caller.token {
        Some(token) if token.kind == Kind::Classic => Ok(()),
        Some(token) if token.kind != Kind::Installation && token.permissions.is_empty() => Ok(()),
        _ => Err(not_accessible(cx.caller)),
    }
}

/// The repositories of somebody's threads that the token may see.
fn visible(cx: &RequestContext<'_>) -> Vec<u64> {
    let mut repos: Vec<_> = cx.site.state().social.threads.iter().map(|thread| thread.repo).collect();
    repos.sort_unstable();
    repos.dedup();
    repos.retain(|repo| may(cx, *repo, read("metadata")).is_ok());
    repos
}

/// `GET /notifications` and `GET /repos/{owner}/{repo}/notifications`: `all`, `participating`, `since`,
/// `before`. Newest first.
pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    opens(cx)?;
    for name in ["since", "before"] {
        if cx.query(name).is_some_and(|time| time.parse::<jiff::Timestamp>().is_err()) {
            return Err(ApiError::validation("Notification", name, "invalid"));
        }
    }
    let visible = visible(cx);
    let state = cx.site.state();
    let is = |name: &str| cx.query(name) == Some("true");
    let mut threads: Vec<_> = state
        .social
        .threads
        .iter()
        .filter(|thread| {
            thread.login == cx.caller.login()
                && !thread.done
                && (cx.target == 0 || thread.repo == cx.target)
                && visible.contains(&thread.repo)
                && (is("all") || thread.unread)
                && (!is("participating") || PARTICIPATING.contains(&thread.reason.as_str()))
                && cx.query("since").is_none_or(|time| thread.updated.as_str() >= time)
                && cx.query("before").is_none_or(|time| thread.updated.as_str() < time)
        })
        .collect();
    threads.sort_by(|one, other| (&other.updated, other.id).cmp(&(&one.updated, one.id)));
    let per_page = cx.query("per_page").and_then(|rows| rows.parse().ok()).unwrap_or(MOST).clamp(1, MOST);
    let mut query: Vec<_> = cx.query.iter().filter(|(name, _)| name != "per_page").cloned().collect();
    query.push(("per_page".to_owned(), per_page.to_string()));
    let request = FakeRequest { query, ..cx.request.clone() };
    let cx = RequestContext { request: &request, ..*cx };
    let answer = cx.page(&threads, |thread| show(cx.site, &state, thread));
    Ok(answer.header("x-poll-interval", "60"))
}

/// `PUT /notifications` and `PUT /repos/{owner}/{repo}/notifications`: everything up to `last_read_at` is read.
pub(super) fn read_all(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    opens(cx)?;
    let body = cx.object()?;
    let now = cx.site.now();
    let until = body.get("last_read_at").and_then(Value::as_str).unwrap_or(&now).to_owned();
    let visible = visible(cx);
    let mut state = cx.site.state();
    for thread in &mut state.social.threads {
        let theirs = thread.login == cx.caller.login() && visible.contains(&thread.repo);
        if theirs && (cx.target == 0 || thread.repo == cx.target) && thread.unread && thread.updated <= until
        {
            thread.unread = false;
            thread.last_read = Some(now.clone());
        }
    }
    Ok(FakeResponse::none().with_status(StatusCode::RESET_CONTENT))
}

/// `GET /notifications/threads/{thread_id}`.
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    opens(cx)?;
    let state = cx.site.state();
    Ok(FakeResponse::json(show(cx.site, &state, find(cx, &state)?)))
}

/// `PATCH /notifications/threads/{thread_id}`: it is read.
pub(super) fn read_one(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.now();
    change(cx, |thread| {
        if thread.unread {
            thread.unread = false;
            thread.last_read = Some(now);
        }
    })?;
    Ok(FakeResponse::none().with_status(StatusCode::RESET_CONTENT))
}

/// `DELETE /notifications/threads/{thread_id}`: it is done with.
pub(super) fn done(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    change(cx, |thread| thread.done = true)?;
    Ok(FakeResponse::none())
}

/// `GET /notifications/threads/{thread_id}/subscription`: 404 if there is none.
pub(super) fn subscription(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    opens(cx)?;
    let state = cx.site.state();
    let thread = find(cx, &state)?;
    show_subscription(cx.site, thread).map(FakeResponse::json).ok_or_else(ApiError::not_found)
}

/// `PUT /notifications/threads/{thread_id}/subscription`.
pub(super) fn subscribe(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let ignored = cx.object()?.get("ignored") == Some(&Value::Bool(true));
    let created = cx.site.now();
    change(cx, |thread| thread.subscription = Some(Subscription { ignored, created }))?;
    subscription(cx)
}

/// `DELETE /notifications/threads/{thread_id}/subscription`.
pub(super) fn unsubscribe(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    change(cx, |thread| thread.subscription = None)?;
    Ok(FakeResponse::none())
}

fn find<'s>(cx: &RequestContext<'_>, state: &'s State) -> Outcome<&'s Thread> {
    let id = cx.number("thread_id")?;
    let mut threads = state.social.threads.iter();
    let found = threads.find(|thread| thread.id == id && thread.login == cx.caller.login() && !thread.done);
    found.ok_or_else(ApiError::not_found)
}

fn change(cx: &RequestContext<'_>, how: impl FnOnce(&mut Thread)) -> Outcome<()> {
    opens(cx)?;
    let mut state = cx.site.state();
    let id = find(cx, &state)?.id;
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
