//! The inbox: notifications listed and marked.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Clear, Page, Plan, Reply, Tool, Written, one_line, words},
};
use futures::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{FROM, Position, dates, limit, paging};
use crate::{
    Linear,
    api::{Api, notifications::Notification},
    render,
};

/// The most notifications that one call marks.
const MOST: usize = 20;
/// Requests under way at once.
const AT_ONCE: usize = 4;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_notifications",
            "List notifications",
            "Your inbox, newest first: unread ones, unless unread_only is false.",
            list_notifications,
        )
        .toolset("inbox")
        .output_page::<render::inbox::NotificationItem>(),
        Tool::write(
            "mark_notification",
            "Mark notifications",
            "Marks notifications read or unread, or snoozes them until a time.",
            mark_notification,
        )
        .toolset("inbox")
        .idempotent()
        .confirmable()
        .aliases(&[("id", "ids"), ("snoozed_until", "snooze_until")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListNotifications {
    unread_only: Option<bool>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list_notifications(call: Call<Linear>, args: ListNotifications) -> Result<Reply> {
    let unread_only = args.unread_only.unwrap_or(true);
    let first = limit(args.limit, 25, 50);
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let inbox = call.api().list_notifications(position.first(first, 250), position.after.as_deref()).await?;
    let mut page = Page::new(FROM, ("notification", "notifications"));
    // Linear cannot filter by being read, so a page of unread ones may be shorter than asked for;
    // the cursor counts what was read from Linear.
    let mut places = Vec::new();
    let (mut snoozed, now) = (0_usize, dates::this_moment());
    for (place, notification) in inbox.notifications.nodes.iter().skip(position.skip).enumerate() {
        if unread_only && notification.read_at.is_some() {
            continue;
        }
        let (row, item) = render::inbox::notification_row(notification);
        page.push(row, &item);
        places.push(place);
        snoozed +=
            usize::from(notification.snoozed_until_at.as_deref().is_some_and(|until| until > now.as_str()));
    }
    let unread = inbox.unread.unwrap_or_default();
    let scope = if unread_only { "only unread ones" } else { "read ones too" };
    page = page.note(format!("{scope}; {unread} unread in all"));
    if snoozed > 0 {
        page = page.note(format!("{snoozed} of these snoozed"));
    }
    Ok(Reply::page(paging::close_sparse(&call, page, position, &inbox.notifications, places)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MarkNotification {
    ids: Vec<String>,
    read: Option<bool>,
    snooze_until: Option<String>,
    #[serde(default)]
    clear: Vec<Emptied>,
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Emptied {
    SnoozeUntil,
}

async fn mark_notification(call: Call<Linear>, args: MarkNotification) -> Result<Plan> {
    if args.ids.is_empty() || args.ids.len() > MOST {
        return Err(Error::invalid(format!("`ids` takes 1 to {MOST} ids of list_notifications")));
    }
    let snooze_until = Clear::of(args.snooze_until.as_deref(), args.clear.contains(&Emptied::SnoozeUntil));
    if args.read.is_none() && snooze_until.is_keep() {
        return Err(Error::invalid("Give `read` or `snooze_until`"));
    }
    let mut input = Map::new();
    let mut lines = Vec::new();
    if let Some(read) = args.read {
        input.insert("readAt".to_owned(), json!(read.then(dates::this_moment)));
        lines.push(if read { "read" } else { "unread" }.to_owned());
    }
    if let Some(until) = snooze_until.as_change() {
        let calendar = call.calendar().await?;
        let until = until.map(|until| calendar.ahead("snooze_until", until)).transpose()?;
        lines.push(match &until {
            Some(until) => format!("snoozed until {}", until.describe()),
            None => "no longer snoozed".to_owned(),
        });
        input.insert("snoozedUntilAt".to_owned(), json!(until.map(|until| dates::written(until.start()))));
    }
    // Reads each first, so that a preview names what would be marked and an unknown id stops it all.
    let api = call.api().clone();
    let found: Vec<Result<Notification>> = stream::iter(args.ids.clone())
        .map(|id| {
            let api = api.clone();
            async move { api.get_notification(&id).await }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let notifications = found.into_iter().collect::<Result<Vec<_>>>()?;
    let many = words::counted(notifications.len(), ("notification", "notifications"));
    let mut preview = Written::new(format!("Mark {many} as {}", lines.join(", ")));
    preview.changed = notifications.iter().map(told).collect();
    let input = Value::Object(input);
    let count = notifications.len();
    let seen: Vec<_> = notifications
        .iter()
        .map(|one| (one.id.clone(), one.read_at.clone(), one.snoozed_until_at.clone()))
        .collect();
    let plan = Plan::new(Reply::written(preview), move || async move {
        let outcomes: Vec<_> = stream::iter(notifications)
            .map(|notification| mark(api.clone(), notification, input.clone()))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let all = outcomes.len();
        let mut done = Vec::new();
        let mut failed = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok(title) => done.push(title),
                Err(failure) => failed.push(failure),
            }
        }
        if done.is_empty()
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        let how_many = if done.len() == all { many } else { format!("{} of {many}", done.len()) };
        let mut written = Written::new(format!("Marked {how_many} as {}", lines.join(", ")));
        written.changed = done;
        written
            .changed
            .extend(failed.iter().map(|(title, error)| format!("failed: {title}: {}", error.for_agent())));
        Ok(Reply::written(written))
    });
    Ok(plan.state(&seen).ask_of_many(count))
}

/// A notification, so that it can be told from others on the same thing: `ENG-7 Title (Daniel Novák replied)`.
fn told(notification: &Notification) -> String {
    let (title, subtitle) = (one_line(&notification.title), one_line(&notification.subtitle));
    if subtitle.is_empty() { title } else { format!("{title} ({subtitle})") }
}

async fn mark(api: Api, notification: Notification, input: Value) -> Result<String, (String, Error)> {
    let title = told(&notification);
    match api.mark_notification(&notification.id, input).await {
        Ok(payload) if payload.success => Ok(title),
        Ok(_) => Err((title, Error::new(Kind::Upstream, "Linear reported that it was not done"))),
        Err(error) => Err((title, error)),
    }
}
