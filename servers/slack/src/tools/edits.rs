//! Messages edited and deleted: only as they were shown, and told as done if they are.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Plan, Reply, Tool, Written, edited, one_line,
        reconcile::{self, Seen},
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    audience,
    compose::compose,
    messages::squeezed,
    named_in, nothing,
    read::{TS_ALIASES, find, permalink},
    settled, told,
};
use crate::{
    Slack,
    api::{
        Form, methods,
        types::{Channel, Identity, Message},
    },
    render::{blocks, message, mrkdwn},
    scopes,
    workspace::Workspace,
};

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::destructive(
            "update_message",
            "Edit a message",
            "Replaces the whole text of a message that the token's owner wrote.",
            update_message,
        )
        .toolset("messages")
        .scopes(scopes::POST)
        .idempotent()
        .aliases(&[
            ("channel_id", "channel"),
            ("message_ts", "ts"),
            ("timestamp", "ts"),
            ("permalink", "ts"),
            ("text", "message"),
        ])
        .verbatim(&["ts"])
        .output::<Written>(),
        Tool::destructive(
            "delete_message",
            "Delete a message",
            "Deletes a message for good.",
            delete_message,
        )
        .toolset("messages")
        .scopes(scopes::POST)
        .aliases(TS_ALIASES)
        .verbatim(&["ts"])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateMessage {
    channel: Option<String>,
    /// ts as text, or the message's address
    ts: String,
    message: String,
    /// Refuse unless its text is still this
    expected_text: Option<String>,
    workspace: Option<String>,
}

/// A message of the token's owner.
async fn own(
    workspace: &Workspace,
    channel: &Channel,
    ts: &str,
    me: &Identity,
    verb: &str,
) -> Result<Message> {
    let found = find(workspace, channel, ts).await?;
    if found.user.as_deref() != Some(me.user_id.as_str()) {
        return Err(Error::new(
            Kind::Permission,
            format!(
                "The message was not written by @{}, and only its author can {verb} it",
                one_line(&me.user)
            ),
        )
        .with_hint("Nothing was changed"));
    }
    Ok(found)
}

async fn update_message(call: Call<Slack>, args: UpdateMessage) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, ts) = workspace.names().message(args.channel.as_deref(), &args.ts).await?;
    call.policy().writes(&channel)?;
    let me = workspace.names().me().await?;
    let old = own(&workspace, &channel, &ts, &me, "edit").await?;
    let asks = audience::asks(&call, &workspace, &channel, &[]).await;
    call.policy().note_read(call.principal(), &channel);
    let people = workspace.names().people(message::all_in([&old])).await;
    let before = message::said(&old, &people);
    if let Some(expected) = args.expected_text.as_deref().filter(|text| !text.trim().is_empty())
        && squeezed(expected) != squeezed(&before)
        && squeezed(expected) != squeezed(&old.text)
    {
        return Err(Error::new(Kind::Conflict, "The message says something else now")
            .with_hint("Nothing was changed. Read it again: get_message"));
    }
    let composed = compose(&workspace, call.policy(), &args.message, Some(&old.text)).await?;
    if composed.posts.len() > 1 {
        return Err(Error::invalid("The text is too long for one message")
            .with_hint("Shorten it, or send the rest as a reply"));
    }
    let text = composed.posts.concat();
    call.policy().unfurls(&text, &old.text, "Leave the link out")?;
    if text == old.text {
        return Ok(nothing(&format!("message {ts} already says this")));
    }
    let title = workspace.names().title(&channel).await;
    let mut preview = Written::new(format!("Replace the text of message {ts} in {title}")).id(&ts);
    for line in composed.lines() {
        preview = preview.change(line);
    }
    for reason in asks.iter().chain(&composed.asks) {
        preview = preview.change(format!("asks, because {reason}"));
    }
    let after = mrkdwn::plain(&text, &named_in(&workspace, [text.as_str()]).await);
    let mut lines = composed.lines();
    lines.push(edited(&before, &after));
    if !old.files.is_empty() || blocks::are_built(&old.blocks) {
        preview = preview.change("blocks that the message has are lost");
        lines.push("blocks that the message had are lost".to_owned());
    }
    let preview =
        Reply::written(preview).outside("old text", Some(&me.user), before).outside("new text", None, after);
    let state = (old.text.clone(), old.edited.clone());
    let plan = Plan::new(preview, move || async move {
        let form = Form::new().set("channel", &channel.id).set("ts", &ts).set("markdown_text", &text);
        let check = format!("Read message {ts} for its text");
        let send = || async {
            let sent: Result<Value> =
                workspace.api().write(methods::UPDATE, form.clone(), check.clone(), &[]).await;
            sent.map(drop)
        };
        let look = || async {
            let now = find(&workspace, &channel, &ts).await?;
            Ok(if now.edited == old.edited && now.text == old.text {
                Seen::Untouched
            } else if squeezed(&now.text) == squeezed(&text) {
                Seen::Done(())
            } else {
                Seen::Changed
            })
        };
        let ((), lost) = reconcile::updated(send, look).await?;
        let done = told(lost, &format!("Edited message {ts} in {title}"));
        let link = permalink(&me.url, &channel.id, &ts, old.parent());
        let mut written = Written::new(done).id(&ts).url(link);
        for line in lines {
            written = written.change(line);
        }
        Ok(Reply::written(written))
    });
    let plan = plan.state(&state);
    Ok(if asks.is_empty() { plan } else { plan.ask() })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteMessage {
    channel: Option<String>,
    /// ts as text, or the message's address
    ts: String,
    workspace: Option<String>,
}

async fn delete_message(call: Call<Slack>, args: DeleteMessage) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, ts) = workspace.names().message(args.channel.as_deref(), &args.ts).await?;
    call.policy().writes(&channel)?;
    let me = workspace.names().me().await?;
    let old = find(&workspace, &channel, &ts).await?;
    call.policy().note_read(call.principal(), &channel);
    if is_tombstone(&old) {
        return Ok(nothing(&format!("message {ts} is deleted already")));
    }
    let people = workspace.names().people(message::all_in([&old])).await;
    let author = message::author(&old, &people, &me);
    let title = workspace.names().title(&channel).await;
    let mut preview = Written::new(format!("Delete message {ts} by {author} in {title}, for good")).id(&ts);
    if let Some(replies) = old.reply_count.filter(|count| *count > 0) {
        preview = preview.change(format!(
            "its {replies} {} stay, under a note that it was deleted",
            if replies == 1 { "reply" } else { "replies" }
        ));
    }
    let preview =
        Reply::written(preview).outside(format!("message {ts}"), Some(&author), message::said(&old, &people));
    let state = (old.text.clone(), old.edited.clone(), old.reply_count);
    let plan = Plan::new(preview, move || async move {
        let form = Form::new().set("channel", &channel.id).set("ts", &ts);
        let check = format!("Read {title} for message {ts}");
        let sent: Result<Value> = workspace.api().write(methods::DELETE, form, check, &[]).await;
        let is_so = async {
            match find(&workspace, &channel, &ts).await {
                Ok(left) => Ok(is_tombstone(&left)),
                Err(error) if error.kind() == Kind::NotFound => Ok(true),
                Err(error) => Err(error),
            }
        };
        // A repetition that does not find it any more follows an attempt that deleted it.
        let words = format!("Deleted message {ts} by {author} in {title}");
        let done = settled(reconcile::removed(sent), &words, is_so).await?;
        Ok(Reply::written(Written::new(done).id(&ts)))
    });
    Ok(plan.state(&state))
}

/// Whether this is what is left of a deleted message that has replies.
fn is_tombstone(message: &Message) -> bool {
    message.subtype.as_deref() == Some("tombstone")
}
