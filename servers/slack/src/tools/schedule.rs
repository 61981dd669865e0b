//! Messages for later. They never carry metadata: Slack does not post a scheduled message that has any
//! (docs.slack.dev/reference/methods/chat.scheduleMessage).

use connector::{
    Error, Result,
    catalog::{
        Calendar, Call, Page, Plan, Position, Reply, Tool, Written, excerpt, limit, one_line,
        paging::{self, VendorPage},
        reconcile,
    },
};
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FROM, messages::prepare};
use crate::{
    Slack,
    api::{
        Form, methods,
        types::{Channel, Page as ApiPage},
    },
    render::mrkdwn,
    resolve::{
        Destination,
        people::People,
        time::{minute, now, zone_name},
    },
    workspace::Workspace,
};

/// The least time ahead that a message can be scheduled and still cancelled, in seconds.
const SOON: i64 = 90;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "list_scheduled_messages",
            "List scheduled messages",
            "Messages that this token has scheduled and Slack has not posted yet.",
            list_scheduled,
        )
        .toolset("messages")
        .aliases(&[("channel_id", "channel")])
        .output_page::<Item>(),
        Tool::write(
            "schedule_message",
            "Schedule a message",
            "Posts a message at a later time, up to 120 days ahead; otherwise as send_message.",
            schedule,
        )
        .toolset("messages")
        .confirmable()
        .aliases(&[
            ("channel_id", "channel"),
            ("text", "message"),
            ("thread_ts", "ts"),
            ("at", "post_at"),
            ("time", "post_at"),
        ])
        .output::<Written>(),
        Tool::destructive(
            "cancel_scheduled_message",
            "Cancel a scheduled message",
            "Cancels a message that is not posted yet.",
            cancel,
        )
        .toolset("messages")
        .aliases(&[("scheduled_message_id", "id")])
        .output::<Written>(),
    ]
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Scheduled {
    id: String,
    channel_id: String,
    post_at: i64,
    text: String,
}

/// A scheduled message in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Item {
    id: String,
    channel: String,
    post_at: String,
    text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    channel: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

fn at(seconds: i64, zone: &TimeZone) -> String {
    Timestamp::from_second(seconds).map(|at| minute(at, zone)).unwrap_or_default()
}

async fn read(
    workspace: &Workspace,
    channel: Option<&str>,
    limit: u32,
    cursor: Option<&str>,
) -> Result<ApiPage<Scheduled>> {
    let form = Form::new().set("limit", limit).maybe("channel", channel).maybe("cursor", cursor);
    workspace.api().call(methods::SCHEDULED_LIST, form).await
}

async fn list_scheduled(call: Call<Slack>, args: List) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let channel = match args.channel.as_deref().filter(|channel| !channel.trim().is_empty()) {
        Some(channel) => Some(workspace.names().channel(channel).await?),
        None => None,
    };
    let first = position.first(limit(args.limit, 25, 100), 100);
    let found = read(
        &workspace,
        channel.as_ref().map(|channel| channel.id.as_str()),
        first,
        position.after.as_deref(),
    )
    .await?;
    let next = found.next().map(str::to_owned);
    let zone = workspace.names().zone().await;
    let rows: Vec<Scheduled> = found.rows.into_iter().skip(position.skip).collect();
    let mut page = Page::new(FROM, ("scheduled message", "scheduled messages"))
        .note(format!("times in {}", zone_name(&zone)));
    for row in &rows {
        let title = title_of(&workspace, &row.channel_id).await;
        let text = mrkdwn::plain(&row.text, &People::default());
        let (text, more) = excerpt(&text, 0, 300);
        let when = at(row.post_at, &zone);
        page.push(
            format!("{} {when} {title}: {}{}", row.id, text.trim(), if more.is_some() { "…" } else { "" }),
            &Item { id: row.id.clone(), channel: title, post_at: when, text },
        );
    }
    Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, rows.len(), next))))
}

async fn title_of(workspace: &Workspace, id: &str) -> String {
    match workspace.api().conversation(id).await {
        Ok(channel) => workspace.names().title(&channel).await,
        Err(_) => id.to_owned(),
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Schedule {
    channel: String,
    message: String,
    /// in 2h, tomorrow 09:00, 2026-12-01 09:00 in your zone
    post_at: String,
    /// Reply in the thread of this message
    ts: Option<String>,
    workspace: Option<String>,
}

/// A moment to come. A day alone says nothing of the hour, and is never taken for midnight.
fn later(word: &str, zone: &TimeZone) -> Result<Timestamp> {
    let calendar = Calendar::new(zone.iana_name());
    // A day as people say it, and an hour: `tomorrow 09:00`.
    let said = match word.trim().rsplit_once(' ') {
        Some((day, hour)) if hour.contains(':') => {
            calendar.day("post_at", day).map_or_else(|_| word.to_owned(), |day| format!("{day}T{hour}"))
        }
        _ => word.to_owned(),
    };
    let when = calendar.ahead("post_at", &said)?;
    if when.start() == when.end() {
        return Ok(when.start());
    }
    Err(Error::invalid(format!("`post_at` {} is {}, a whole day", one_line(word), when.describe()))
        .with_hint("Give the time of day too: 2026-12-01 09:00, tomorrow 09:00, or in 2h"))
}

async fn schedule(call: Call<Slack>, args: Schedule) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let zone = workspace.names().zone().await;
    let when = later(&args.post_at, &zone)?;
    let seconds = when.as_second();
    if seconds < now().as_second() + SOON {
        return Err(Error::invalid(format!(
            "`post_at` {} {} is past or less than two minutes away",
            minute(when, &zone),
            zone_name(&zone)
        ))
        .with_hint("Give a later time, or use send_message"));
    }
    if seconds > now().as_second() + 120 * 86_400 {
        return Err(Error::invalid("Slack schedules at most 120 days ahead"));
    }
    let post =
        prepare(&call, &workspace, Some(&args.channel), &[], args.ts.as_deref(), &args.message).await?;
    let [text] = post.composed.posts.as_slice() else {
        return Err(Error::invalid("The text is too long for one message").with_hint("Schedule it in parts"));
    };
    let text = text.clone();
    let words = format!("{} {} to {}", minute(when, &zone), zone_name(&zone), post.title);
    let mut preview = Written::new(format!("Post on {words}"));
    for line in post.composed.lines() {
        preview = preview.change(line);
    }
    for reason in &post.asks {
        preview = preview.change(format!("asks, because {reason}"));
    }
    let preview = Reply::written(preview).outside("message", None, args.message.trim());
    let asks = !post.asks.is_empty();
    let plan = Plan::new(preview, move || async move {
        #[derive(Deserialize)]
        struct Answer {
            scheduled_message_id: String,
        }
        let channel = match &post.destination {
            Destination::Known(channel) => channel.clone(),
            Destination::New(users) => workspace.names().open(users).await?,
        };
        let before = ids(&workspace, &channel).await.unwrap_or_default();
        let form = Form::new()
            .set("channel", &channel.id)
            .set("post_at", seconds)
            .set("markdown_text", &text)
            .maybe("thread_ts", post.thread.as_deref());
        let sent: Result<Answer> = workspace
            .api()
            .write(methods::SCHEDULE, form, "Look at list_scheduled_messages for it".to_owned(), &[])
            .await;
        let (id, looked_for) = reconcile::created(sent.map(|answer| answer.scheduled_message_id), async {
            let found = read(&workspace, Some(&channel.id), 100, None).await.ok()?;
            let new: Vec<_> = found
                .rows
                .iter()
                .filter(|row| row.post_at == seconds && row.text == text && !before.contains(&row.id))
                .collect();
            match new.as_slice() {
                [only] => Some(only.id.clone()),
                _ => None,
            }
        })
        .await?;
        let mut written = Written::new(format!("Scheduled for {words}: id {id}")).id(&id);
        for line in post.composed.lines() {
            written = written.change(line);
        }
        if looked_for {
            written = written.change("Slack's answer was lost; it was looked for and is scheduled once");
        }
        written = written.change("cancel_scheduled_message takes it back until a minute before");
        Ok(Reply::written(written))
    });
    Ok(if asks { plan.ask() } else { plan })
}

async fn ids(workspace: &Workspace, channel: &Channel) -> Result<Vec<String>> {
    Ok(read(workspace, Some(&channel.id), 100, None).await?.rows.into_iter().map(|row| row.id).collect())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cancel {
    id: String,
    workspace: Option<String>,
}

async fn cancel(call: Call<Slack>, args: Cancel) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let found = read(&workspace, None, 100, None).await?;
    let row = found.rows.into_iter().find(|row| row.id == args.id.trim()).ok_or_else(|| {
        Error::not_found(format!("No message with the id {} is scheduled", one_line(&args.id)))
            .with_hint("list_scheduled_messages shows what is still to come")
    })?;
    let zone = workspace.names().zone().await;
    let title = title_of(&workspace, &row.channel_id).await;
    let words = format!("the message to {title} on {} {}", at(row.post_at, &zone), zone_name(&zone));
    let preview = Reply::written(Written::new(format!("Cancel {words}")).id(&row.id)).outside(
        "scheduled message",
        None,
        mrkdwn::plain(&row.text, &People::default()),
    );
    Ok(Plan::new(preview, move || async move {
        let form = Form::new().set("channel", &row.channel_id).set("scheduled_message_id", &row.id);
        let _: Value = workspace
            .api()
            .write(methods::SCHEDULED_DELETE, form, "Look at list_scheduled_messages for it".to_owned(), &[])
            .await?;
        Ok(Reply::written(Written::new(format!("Cancelled {words}")).id(&row.id)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_time_to_come_is_in_the_users_zone_and_a_day_alone_is_refused() {
        let zone = TimeZone::get("Europe/Stockholm").unwrap();
        let read = |word: &str| later(word, &zone).map(|at| at.to_string());
        assert_eq!(read("2031-12-01 09:00").unwrap(), "2031-12-01T08:00:00Z");
        assert_eq!(read("2031-07-01T09:00").unwrap(), "2031-07-01T07:00:00Z");
        assert_eq!(read("2031-12-01T09:00:00Z").unwrap(), "2031-12-01T09:00:00Z");
        assert_eq!(read("1930000000").unwrap(), "2031-02-27T23:06:40Z");
        let in_two_hours = later("in 2h", &zone).unwrap().as_second() - now().as_second();
        assert!((7_199..=7_201).contains(&in_two_hours));
        assert!(later("tomorrow 09:00", &zone).unwrap() > now());
        for wrong in ["tomorrow", "tomorrow 25:00", "2031-12-01", "soon", "in a while", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
