//! The inbox: notifications listed and marked.

use std::borrow::Cow;

use connector::{
    Effect, Error, Result,
    catalog::{
        Calendar, Call, Page, Plan, Position, Reply, Tool, Written, limit, one_line,
        paging::{self, VendorPage},
        words::counted,
    },
    clock,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FROM;
use crate::{
    GitHub,
    api::notifications::{Inbox, MOST, Mark, Thread},
    bounds::WITHIN,
    render::minute,
    repo::Repo,
};

/// The most threads that one call marks.
const MOST_MARKED: usize = 20;
/// Requests under way at once.
const AT_ONCE: usize = 4;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "list_notifications",
            "List notifications",
            "Your inbox, last changed first: unread threads with their ids, or all.",
            list_notifications,
        )
        .toolset("inbox")
        .scopes(&["notifications", "repo"])
        .output_page::<Row>(),
        Tool::write(
            "update_notifications",
            "Update notifications",
            "Marks threads as read or done, ignores or follows them; or marks everything of a repository, or everywhere, as read.",
            update_notifications,
        )
        .toolset("inbox")
        .scopes(&["notifications", "repo"])
        .idempotent()
        .confirmable()
        .aliases(&[("id", "ids"), ("thread_id", "ids"), ("thread_ids", "ids")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListNotifications {
    repo: Option<String>,
    /// Read ones too
    #[serde(default)]
    all: bool,
    #[serde(default)]
    participating: bool,
    since: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A thread in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    unread: bool,
    reason: String,
    kind: String,
    repo: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    number: String,
    title: String,
    updated: String,
}

impl Row {
    fn of(thread: &Thread) -> Self {
        Self {
            id: one_line(&thread.id),
            unread: thread.unread,
            reason: one_line(&thread.reason),
            kind: one_line(&thread.subject.kind),
            repo: one_line(&thread.repository.full_name),
            number: thread.subject.number().to_owned(),
            title: one_line(&thread.subject.title),
            updated: minute(&thread.updated_at),
        }
    }

    fn text(&self) -> String {
        let unread = if self.unread { "unread" } else { "read" };
        let number = if self.number.is_empty() { String::new() } else { format!("#{}", self.number) };
        let Self { id, reason, kind, repo, title, updated, .. } = self;
        format!("{id} {unread}, {}, {kind} {repo}{number}, {updated}: {title}", why(reason))
    }
}

/// Why a thread is in the inbox, in words (docs.github.com/rest/activity/notifications, "About notification
/// reasons"). It is why its reader was ever subscribed, not what came last.
fn why(reason: &str) -> Cow<'_, str> {
    Cow::Borrowed(match reason {
        "approval_requested" => "your approval of a deployment was requested",
        "assign" => "assigned to you",
        "author" => "opened by you",
        "ci_activity" => "a workflow run that you triggered",
        "comment" => "you commented there",
        "invitation" => "you accepted an invitation to the repository",
        "manual" => "you subscribed to the thread",
        "mention" => "you were mentioned",
        "review_requested" => "your review was requested",
        "security_alert" => "a vulnerability in the repository",
        "state_change" => "you changed its state",
        "subscribed" => "you watch the repository",
        "team_mention" => "a team of yours was mentioned",
        other => return Cow::Owned(other.replace('_', " ")),
    })
}

async fn list_notifications(call: Call<GitHub>, arguments: ListNotifications) -> Result<Reply> {
    // The default repository is not meant here: an inbox is for everything.
    let repo = arguments.repo.as_deref().map(|repo| call.bounds().repo(Some(repo))).transpose()?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let window = Calendar::new(None).window(arguments.since.as_deref(), None)?;
    let inbox = Inbox {
        all: arguments.all,
        participating: arguments.participating,
        since: window.start().map(crate::render::second),
    };
    let per_page = position.first(limit(arguments.limit, 20, MOST), MOST);
    let after = position.after.clone();
    let listed = call.api().notifications(repo.as_ref(), &inbox, per_page, after.as_deref()).await?;
    let rows: Vec<_> = listed.items.iter().skip(position.skip).collect();
    let seen = |thread: &Thread| call.bounds().sees(&thread.repository.full_name);
    let places: Vec<usize> = (0..rows.len()).filter(|place| seen(rows[*place])).collect();
    let scope = if inbox.all { "read and unread" } else { "unread only" };
    let mut page = Page::new(FROM, ("thread", "threads")).note(scope).note(window.describe());
    if call.bounds().is_narrow() {
        page = page.note(WITHIN);
    }
    for place in &places {
        let row = Row::of(rows[*place]);
        page.push(row.text(), &row);
    }
    let given = VendorPage { position, read: rows.len(), places, next: listed.next };
    Ok(Reply::page(paging::close(&call, page, given)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateNotifications {
    action: Action,
    #[serde(default)]
    ids: Vec<String>,
    /// All of it; with read
    repo: Option<String>,
    /// The whole inbox; with read
    #[serde(default)]
    all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Read,
    Done,
    Ignore,
    Subscribe,
}

impl Action {
    fn mark(self) -> Mark {
        match self {
            Self::Read => Mark::Read,
            Self::Done => Mark::Done,
            Self::Ignore => Mark::Ignore,
            Self::Subscribe => Mark::Subscribe,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Read => "as read",
            Self::Done => "as done",
            Self::Ignore => "as ignored",
            Self::Subscribe => "as followed",
        }
    }
}

async fn update_notifications(call: Call<GitHub>, arguments: UpdateNotifications) -> Result<Plan> {
    let UpdateNotifications { action, ids, repo, all } = arguments;
    let given = usize::from(!ids.is_empty()) + usize::from(repo.is_some()) + usize::from(all);
    if given != 1 {
        return Err(Error::invalid("Give one of `ids`, `repo` and `all`"));
    }
    if !ids.is_empty() {
        return mark(call, action, ids).await;
    }
    if action != Action::Read {
        return Err(Error::invalid("A whole inbox can only be marked as read")
            .with_hint("Give `ids` for every other action"));
    }
    let repo = repo.as_deref().map(|repo| call.bounds().repo(Some(repo))).transpose()?;
    match &repo {
        Some(repo) => call.bounds().permits(repo, Effect::Write)?,
        None if call.bounds().narrows(Effect::Write) => {
            return Err(Error::new(
                connector::Kind::Policy,
                "This server may not touch every repository, so it does not mark the whole inbox",
            )
            .with_hint("Give `ids` or `repo`"));
        }
        None => {}
    }
    read_all(call, repo)
}

/// Everything up to now; what comes meanwhile stays unread.
fn read_all(call: Call<GitHub>, repo: Option<Repo>) -> Result<Plan> {
    let of = repo.as_ref().map_or_else(|| "of all repositories".to_owned(), |repo| format!("of {repo}"));
    let seconds = i64::try_from(clock::wall().as_secs()).unwrap_or(i64::MAX);
    let now = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string();
    let preview = Written::new(format!("Mark every notification {of} as read"));
    let plan = Plan::new(Reply::written(preview), move || async move {
        call.api().mark_all_read(repo.as_ref(), &now).await?;
        Ok(Reply::written(Written::new(format!("Marked every notification {of} as read."))))
    });
    // It is about whatever there is when it is done.
    Ok(plan.state(&()).ask())
}

async fn mark(call: Call<GitHub>, action: Action, mut ids: Vec<String>) -> Result<Plan> {
    ids.dedup();
    if ids.len() > MOST_MARKED {
        return Err(Error::invalid(format!("`ids` takes {MOST_MARKED} ids of list_notifications at once")));
    }
    if let Some(odd) = ids.iter().find(|id| id.is_empty() || !id.chars().all(|c| c.is_ascii_digit())) {
        return Err(Error::invalid(format!("`{}` is not the id of a thread", one_line(odd)))
            .with_hint("list_notifications gives the ids"));
    }
    // Each is read first: it must be of a repository within reach, and the preview names it.
    let api = call.api();
    let threads: Vec<Thread> = stream::iter(ids)
        .map(|id| async move { api.thread(&id).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    for thread in &threads {
        call.bounds().permits(&Repo::parse(&thread.repository.full_name)?, Effect::Write)?;
    }
    let (settled, open): (Vec<_>, Vec<_>) =
        threads.into_iter().partition(|thread| action == Action::Read && !thread.unread);
    if open.is_empty() {
        let many = settled.len();
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to change: {many} of {many} are read already."
        )))));
    }
    let words = action.words();
    let mut preview = Written::new(format!("Mark {} {words}", counted(open.len(), ("thread", "threads"))));
    preview.changed = open.iter().map(|thread| Row::of(thread).text()).collect();
    let all = open.len();
    let seen: Vec<_> = open.iter().map(|thread| (thread.id.clone(), thread.updated_at.clone())).collect();
    let plan = Plan::new(Reply::written(preview), move || async move {
        let outcomes: Vec<_> = stream::iter(open)
            .map(|thread| {
                let api = call.api().clone();
                async move {
                    let outcome = api.mark_thread(&thread.id, action.mark()).await;
                    (thread, outcome)
                }
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let done = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count();
        let summary = if done == all {
            format!("Marked {} {words}.", counted(done, ("thread", "threads")))
        } else {
            format!("Marked {done} of {} {words}.", counted(all, ("thread", "threads")))
        };
        let mut written = Written::new(summary);
        for (thread, outcome) in outcomes {
            let title = format!("{} {}", one_line(&thread.id), one_line(&thread.subject.title));
            match outcome {
                Ok(()) => written = written.change(title),
                Err(error) if done == 0 => return Err(error),
                Err(error) => written = written.change(format!("failed: {title}: {}", error.for_agent())),
            }
        }
        Ok(Reply::written(written))
    });
    Ok(plan.state(&seen).ask_of_many(all))
}
