//! Reactions.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{nothing, read::find, settled};
use crate::{
    Slack,
    api::{
        Form, methods,
        types::{Channel, Message},
    },
    render::message,
    resolve::emoji,
    workspace::Workspace,
};

const ALIASES: &[(&str, &str)] = &[
    ("message_ts", "ts"),
    ("thread_ts", "ts"),
    ("timestamp", "ts"),
    ("permalink", "ts"),
    ("channel_id", "channel"),
    ("name", "emoji"),
    ("reaction", "emoji"),
];

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::write(
            "add_reaction",
            "Add a reaction",
            "Reacts to a message with an emoji: a name, or the character itself.",
            |call, args| react(call, args, true),
        )
        .toolset("messages")
        .scopes(&["reactions:write"])
        .idempotent()
        .aliases(ALIASES)
        .verbatim(&["ts"])
        .output::<Written>(),
        Tool::write(
            "remove_reaction",
            "Remove a reaction",
            "Takes back a reaction of yours.",
            |call, args| react(call, args, false),
        )
        .toolset("messages")
        .scopes(&["reactions:write"])
        .idempotent()
        .aliases(ALIASES)
        .verbatim(&["ts"])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct React {
    channel: Option<String>,
    /// ts as text, or the message's address
    ts: String,
    emoji: String,
    workspace: Option<String>,
}

/// Puts everybody who reacted into a message that names some of them, if Slack tells.
pub(super) async fn everybody(workspace: &Workspace, channel: &Channel, message: &mut Message) {
    if message.reactions.iter().any(|reaction| !reaction.is_whole())
        && let Ok(reactions) = workspace.api().reactions(&channel.id, &message.ts).await
    {
        message.reactions = reactions;
    }
}

/// Whether `me` reacted to a message so; nothing where Slack names only others.
fn reacted(message: &Message, name: &str, me: &str) -> Option<bool> {
    let Some(reaction) = message.reactions.iter().find(|reaction| reaction.name == name) else {
        return Some(false);
    };
    let named = reaction.users.iter().any(|user| user == me);
    (named || reaction.is_whole()).then_some(named)
}

async fn react(call: Call<Slack>, args: React, add: bool) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, ts) = workspace.names().message(args.channel.as_deref(), &args.ts).await?;
    call.policy().writes(&channel)?;
    // Without the scope for the workspace's own emoji, standard ones still work.
    let own = workspace.api().emoji().await.unwrap_or_default().emoji;
    let name = emoji::name(&args.emoji, &own)?;
    let mut found = find(&workspace, &channel, &ts).await?;
    everybody(&workspace, &channel, &mut found).await;
    let people = workspace.names().people(message::all_in([&found])).await;
    let me = workspace.names().me().await?;
    let there = reacted(&found, &name, &me.user_id);
    let title = workspace.names().title(&channel).await;
    let author = message::author(&found, &people, &me);
    let of = format!("message {ts} by {author} in {title}");
    if there == Some(add) {
        let words = if add {
            format!(":{name}: is on {of} already")
        } else {
            format!("there is no :{name}: of yours on {of}")
        };
        return Ok(nothing(&words));
    }
    let (verb, done) = if add { ("React with", "Reacted with") } else { ("Take back", "Took back") };
    let preview = Reply::written(Written::new(format!("{verb} :{name}: on {of}")).id(&ts));
    Ok(Plan::new(preview, move || async move {
        let method = if add { methods::REACTIONS_ADD } else { methods::REACTIONS_REMOVE };
        let form = Form::new().set("channel", &channel.id).set("timestamp", &ts).set("name", &name);
        let sent: Result<Value> =
            workspace.api().write(method, form, format!("Read message {ts} for the reaction"), &[]).await;
        let is_so = async {
            let mut now = find(&workspace, &channel, &ts).await?;
            everybody(&workspace, &channel, &mut now).await;
            Ok(reacted(&now, &name, &me.user_id) == Some(add))
        };
        match settled(sent, &format!("{done} :{name}: on {of}"), is_so).await {
            Ok(words) => Ok(Reply::written(Written::new(words).id(&ts))),
            Err(error) if error.kind() == Kind::Conflict => Ok(Reply::written(Written::new(format!(
                "Nothing changed: that is already the case: :{name}: on {of}"
            )))),
            Err(error) if error.kind() == Kind::InvalidArgument && error.message().contains("no emoji") => {
                let near = emoji::nearest(&name, &own);
                Err(Error::invalid(format!("Slack knows no emoji {name}; nothing was changed"))
                    .with_hint(format!("Did you mean {}?", near.join(", "))))
            }
            Err(error) => Err(error),
        }
    }))
}
