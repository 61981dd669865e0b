//! Messages for later. They never carry metadata: Slack does not post a scheduled message that has any
//! (docs.slack.dev/reference/methods/chat.scheduleMessage).

use connector::{
    Effect, Error, Result,
    catalog::{
        Calendar, Call, Page, Plan, Position, Reply, Tool, Written, excerpt, limit, minute_in, one_line,
        paging::{self, VendorPage},
        reconcile,
    },
};
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FROM, messages::prepare, named_in};
use crate::{
    Slack,
    api::{
        Form, methods,
        types::{Channel, Page as ApiPage},
    },
    render::mrkdwn,
    resolve::{
        Destination,
        time::{now, zone_name},
    },
    scopes,
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
        .scopes(scopes::POST)
        .aliases(&[("channel_id", "channel")])
        .output_page::<Item>(),
        Tool::write(
            "schedule_message",
            "Schedule a message",
            "Posts a message at a later time, up to 120 days ahead; otherwise as send_message.",
            schedule,
        )
        .toolset("messages")
        .scopes(scopes::POST)
        .confirmable()
        .aliases(&[
            ("channel_id", "channel"),
            ("text", "message"),
            ("thread_ts", "ts"),
            ("at", "post_at"),
            ("time", "post_at"),
        ])
        .verbatim(&["ts"])
        .output::<Written>(),
        Tool::destructive(
            "cancel_scheduled_message",
            "Cancel a scheduled message",
            "Cancels a message that is not posted yet.",
            cancel,
        )
        .toolset("messages")
        .scopes(scopes::POST)
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
    Timestamp::from_second(seconds).map(|at| minute_in(at, zone)).unwrap_or_default()
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
    let people = named_in(&workspace, rows.iter().map(|row| row.text.as_str())).await;
    let mut page = Page::new(FROM, ("scheduled message", "scheduled messages"))
        .note(format!("times in {}", zone_name(&zone)));
    page = page.note(people.note());
    let mut places = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let Some(title) = place_of(&call, &workspace, &row.channel_id).await else { continue };
        places.push(place);
        let text = mrkdwn::plain(&row.text, &people);
        let (text, more) = excerpt(&text, 0, 300);
        let when = at(row.post_at, &zone);
        page.push(
            format!("{} {when} {title}: {}{}", row.id, text.trim(), if more.is_some() { "…" } else { "" }),
            &Item { id: row.id.clone(), channel: title, post_at: when, text },
        );
    }
    let (read, left_out) = (rows.len(), rows.len() - places.len());
    if left_out > 0 {
        page =
            page.note(format!("{left_out} left out: their conversations may not be read, or could not be"));
    }
    Ok(Reply::page(paging::close(&call, page, VendorPage { position, read, places, next })))
}

/// What a conversation is called; none if it may not be read.
async fn place_of(call: &Call<Slack>, workspace: &Workspace, id: &str) -> Option<String> {
    match workspace.api().conversation(id).await {
        Ok(channel) if call.policy().may_read(&channel) => {
            call.policy().note_read(call.principal(), &channel);
            Some(workspace.names().title(&channel).await)
        }
        Err(_) if !call.policy().narrows(Effect::Read) => Some(id.to_owned()),
        _ => None,
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
    /// Id of a scheduled message to cancel for it
    replaces: Option<String>,
    workspace: Option<String>,
}

/// A moment to come. A day alone says nothing of the hour, and is never taken for midnight.
fn later(word: &str, zone: &TimeZone) -> Result<Timestamp> {
    let calendar = Calendar::new(zone.iana_name());
    // A day as people say it, and an hour: `tomorrow 09:00`, `friday at 9:30 pm`.
    let said = match day_and_hour(word) {
        Some((day, hour)) => {
            calendar.day("post_at", day).map_or_else(|_| word.to_owned(), |day| format!("{day}T{hour}"))
        }
        None => word.to_owned(),
    };
    let when = calendar.ahead("post_at", &said)?;
    if when.start() == when.end() {
        return Ok(when.start());
    }
    Err(Error::invalid(format!("`post_at` {} is {}, a whole day", one_line(word), when.describe()))
        .with_hint("Give the time of day too: 2026-12-01 09:00, tomorrow 09:00, or in 2h"))
}

/// The day and the hour of `word`, the hour as `09:00`.
fn day_and_hour(word: &str) -> Option<(&str, String)> {
    let word = word.trim();
    let low = word.to_ascii_lowercase();
    let half = ["am", "pm"].into_iter().find(|half| low.ends_with(half));
    let bare = half.map_or(word, |half| word[..word.len() - half.len()].trim_end());
    let (day, hour) = bare.rsplit_once(' ')?;
    let (hours, minutes) = match hour.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None => (half.map(|_| hour)?, "00"),
    };
    let hours: u8 = hours.parse().ok()?;
    let hours = match half {
        Some(_) if !(1..=12).contains(&hours) => return None,
        Some("pm") => hours % 12 + 12,
        Some(_) => hours % 12,
        None => hours,
    };
    let day = day.trim_end();
    let day = day.strip_suffix(" at").unwrap_or(day);
    Some((day.trim_end_matches([',', ' ']), format!("{hours:02}:{minutes}")))
}

async fn schedule(call: Call<Slack>, args: Schedule) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let zone = workspace.names().zone().await;
    let when = later(&args.post_at, &zone)?;
    let seconds = when.as_second();
    if seconds < now().as_second() + SOON {
        return Err(Error::invalid(format!(
            "`post_at` {} {} is in the past, or less than two minutes away",
            minute_in(when, &zone),
            zone_name(&zone)
        ))
        .with_hint("Give a later time, or use send_message"));
    }
    if seconds > now().as_second() + 120 * 86_400 {
        return Err(Error::invalid("Slack schedules at most 120 days ahead"));
    }
    let old = match args.replaces.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) => Some(there(&call, &workspace, id).await?.0),
        None => None,
    };
    let post =
        prepare(&call, &workspace, Some(&args.channel), &[], args.ts.as_deref(), Some(&args.message)).await?;
    let [text] = post.composed.posts.as_slice() else {
        return Err(Error::invalid("The text is too long for one message").with_hint("Schedule it in parts"));
    };
    let text = text.clone();
    let words = format!("{} {} to {}", minute_in(when, &zone), zone_name(&zone), post.title);
    let mut preview = post.preview(format!("Post on {words}")).outside("message", None, args.message.trim());
    if let Some(old) = &old {
        let text = mrkdwn::plain(&old.text, &named_in(&workspace, [old.text.as_str()]).await);
        preview = preview
            .line(format!("In place of {}, of {}, which is cancelled:", old.id, at(old.post_at, &zone)))
            .outside("scheduled message", None, text);
    }
    let asks = !post.asks.is_empty() || old.is_some();
    let new = old.is_none();
    let state = (post.state(), old.as_ref().map(|old| (old.post_at, old.text.clone())));
    let plan = Plan::new(preview, move || async move {
        #[derive(Deserialize)]
        struct Answer {
            scheduled_message_id: String,
        }
        let channel = match &post.destination {
            Destination::Known(channel) => channel.clone(),
            Destination::New(users) => workspace.names().open(users).await?,
        };
        let before =
            read(&workspace, Some(&channel.id), 100, None).await.map(|page| page.rows).unwrap_or_default();
        let form = Form::new()
            .set("channel", &channel.id)
            .set("post_at", seconds)
            .set("markdown_text", &text)
            .set("unfurl_links", false)
            .set("unfurl_media", false)
            .maybe("thread_ts", post.thread());
        let sent: Result<Answer> = workspace
            .api()
            .write(methods::SCHEDULE, form, "Look at list_scheduled_messages for it".to_owned(), &[])
            .await;
        let (id, looked_for) = reconcile::created(sent.map(|answer| answer.scheduled_message_id), async {
            let found = read(&workspace, Some(&channel.id), 100, None).await.ok()?;
            let new: Vec<_> = found
                .rows
                .iter()
                .filter(|row| row.post_at == seconds && row.text == text)
                .filter(|row| before.iter().all(|old| old.id != row.id))
                .collect();
            match new.as_slice() {
                [only] => Some(only.id.clone()),
                _ => None,
            }
        })
        .await?;
        let mut written = post.done(format!("Scheduled for {words}: id {id}")).id(&id);
        if looked_for {
            written = written.change("Slack's answer was lost; it was looked for and is scheduled once");
        }
        // Slack changes no scheduled message: the new one stands before the old one goes, so that none is lost.
        if let Some(old) = &old {
            let gone = unschedule(&workspace, old, &old.id).await.map_err(|error| {
                let both = format!("{id} is scheduled, but {} is not cancelled: {}", old.id, error.message());
                Error::new(error.kind(), both)
                    .with_hint("Both stand: cancel_scheduled_message takes one back")
            })?;
            written = written.change(gone);
        } else if let [other, ..] = before.as_slice() {
            let count = before.len();
            written = written.change(format!(
                "{count} more {} scheduled there, {}{} {}: `replaces` puts a message in the place of one",
                if count == 1 { "is" } else { "are" },
                if count == 1 { "" } else { "such as " },
                other.id,
                at(other.post_at, &zone),
            ));
        }
        written = written.change("cancel_scheduled_message takes it back until a minute before");
        Ok(Reply::written(written))
    });
    let plan = plan.state(&state);
    // What it takes the place of can be replaced only once.
    let plan = if new { plan.once() } else { plan };
    Ok(if asks { plan.ask() } else { plan })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cancel {
    id: String,
    workspace: Option<String>,
}

async fn cancel(call: Call<Slack>, args: Cancel) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (row, channel) = there(&call, &workspace, args.id.trim()).await?;
    let zone = workspace.names().zone().await;
    let title = workspace.names().title(&channel).await;
    let words = format!("the message to {title} on {} {}", at(row.post_at, &zone), zone_name(&zone));
    let preview = Reply::written(Written::new(format!("Cancel {words}")).id(&row.id)).outside(
        "scheduled message",
        None,
        mrkdwn::plain(&row.text, &named_in(&workspace, [row.text.as_str()]).await),
    );
    let state = (row.post_at, row.text.clone());
    let plan = Plan::new(preview, move || async move {
        let done = unschedule(&workspace, &row, &words).await?;
        Ok(Reply::written(Written::new(done).id(&row.id)))
    });
    Ok(plan.state(&state))
}

/// The scheduled message of this id, and where it will be posted, if that may be written to.
async fn there(call: &Call<Slack>, workspace: &Workspace, id: &str) -> Result<(Scheduled, Channel)> {
    let row = scheduled(workspace, id).await?.ok_or_else(|| {
        Error::not_found(format!("No message with the id {} is scheduled", one_line(id)))
            .with_hint("list_scheduled_messages shows what is still to come")
    })?;
    let channel = workspace.api().conversation(&row.channel_id).await?;
    call.policy().writes(&channel)?;
    call.policy().note_read(call.principal(), &channel);
    Ok((row, channel))
}

/// Cancels a scheduled message, which is called `words`; how it ended, in words.
async fn unschedule(workspace: &Workspace, row: &Scheduled, words: &str) -> Result<String> {
    let form = Form::new().set("channel", &row.channel_id).set("scheduled_message_id", &row.id);
    let check = "Look at list_scheduled_messages for it".to_owned();
    let sent: Result<Value> = workspace.api().write(methods::SCHEDULED_DELETE, form, check, &[]).await;
    // Gone from the list before its time, it will not be posted.
    let is_so = async {
        let gone = scheduled(workspace, &row.id).await?.is_none();
        Ok(gone && now().as_second() < row.post_at)
    };
    super::settled(sent, &format!("Cancelled {words}"), is_so).await
}

/// The most pages of scheduled messages that are looked through for one.
const PAGES: usize = 10;

/// The scheduled message of this id, if it is still to come.
async fn scheduled(workspace: &Workspace, id: &str) -> Result<Option<Scheduled>> {
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let page = read(workspace, None, 100, cursor.as_deref()).await?;
        cursor = page.next().map(str::to_owned);
        if let Some(row) = page.rows.into_iter().find(|row| row.id == id) {
            return Ok(Some(row));
        }
        if cursor.is_none() {
            break;
        }
    }
    Ok(None)
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
        for (said, hour) in [
            ("2031-12-01 9am", "T08:00:00Z"),
            ("2031-12-01 at 9:30 PM", "T20:30:00Z"),
            ("2031-12-01 12am", "1-30T23:00:00Z"),
            ("2031-12-01, 12:15 pm", "T11:15:00Z"),
        ] {
            assert!(read(said).unwrap().ends_with(hour), "{said}: {:?}", read(said));
        }
        assert_eq!(later("tomorrow 9am", &zone).unwrap(), later("tomorrow 09:00", &zone).unwrap());
        for wrong in [
            "2031-12-01 13pm",
            "2031-12-01 9",
            "tomorrow",
            "tomorrow 25:00",
            "2031-12-01",
            "soon",
            "in a while",
            "",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
