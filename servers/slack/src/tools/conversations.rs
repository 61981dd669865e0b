//! Conversations made, and read marks set.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::audience;
use crate::{
    Slack,
    api::{
        Form, Window, methods,
        types::{Channel, User},
    },
    resolve::reference,
    scopes,
    workspace::Workspace,
};

/// The most conversations that one call marks.
const MOST: usize = 20;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::write(
            "create_conversation",
            "Create a conversation",
            "Makes a channel by `name` and invites `users`; without a name opens the direct messages with them, which send_message does by itself.",
            create,
        )
        .toolset("conversations")
        .scopes(scopes::MANAGE)
        .confirmable()
        .aliases(&[("channel_name", "name"), ("user_ids", "users"), ("private", "is_private")])
        .output::<Written>(),
        Tool::write(
            "mark_read",
            "Mark as read",
            "Marks up to 20 conversations as read.",
            mark_read,
        )
        .toolset("conversations")
        .scopes(scopes::MANAGE)
        .idempotent()
        .aliases(&[("channel", "channels"), ("channel_id", "channels"), ("message_ts", "ts")])
        .verbatim(&["ts"])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    name: Option<String>,
    is_private: Option<bool>,
    #[serde(default)]
    users: Vec<String>,
    topic: Option<String>,
    workspace: Option<String>,
}

/// A name as Slack takes it.
fn good_name(name: &str) -> Result<String> {
    let name = name.trim().trim_start_matches('#').to_lowercase().replace(' ', "-");
    let fine = !name.is_empty()
        && name.chars().count() <= 80
        && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if fine {
        Ok(name)
    } else {
        Err(Error::invalid("`name` has up to 80 lower-case letters, digits, hyphens and underscores"))
    }
}

async fn create(call: Call<Slack>, args: Create) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let mut users: Vec<User> = Vec::new();
    for user in &args.users {
        users.push(workspace.names().present(user).await?);
    }
    let people: Vec<String> = users
        .iter()
        .map(|user| format!("@{} ({})", one_line(user.handle()), one_line(user.full_name())))
        .collect();
    let Some(name) = args.name.as_deref().filter(|name| !name.trim().is_empty()) else {
        if users.is_empty() || users.len() > 8 {
            return Err(Error::invalid("Give `name` for a channel, or 1 to 8 `users` for direct messages"));
        }
        call.policy().writes(&workspace.names().to_begin(&users).await?)?;
        let words = format!("the direct messages with {}", people.join(", "));
        return Ok(Plan::new(Reply::written(Written::new(format!("Open {words}"))), move || async move {
            let channel = workspace.names().open(&users).await?;
            Ok(Reply::written(Written::new(format!("Opened {words}: {}", channel.id)).id(channel.id)))
        }));
    };
    let name = good_name(name)?;
    let private = args.is_private.unwrap_or(false);
    let to_be = Channel { name: name.clone(), is_private: private, ..Channel::default() };
    call.policy().writes(&to_be)?;
    let topic = args.topic.clone().filter(|topic| !topic.trim().is_empty());
    let mut preview =
        Written::new(format!("Create the {} channel #{name}", if private { "private" } else { "public" }));
    if let Some(topic) = &topic {
        preview = preview.change(format!("topic {}", one_line(topic)));
    }
    if !people.is_empty() {
        preview = preview.change(format!("invites and notifies {}", people.join(", ")));
    }
    let mut asks = Vec::new();
    if Plan::is_many(users.len()) {
        asks.push(format!("it invites {} people", users.len()));
    }
    // A name is read by as many as a topic.
    asks.extend(audience::asks(&call, &workspace, &to_be, &users).await);
    preview.changed.extend(asks.iter().map(|reason| format!("asks, because {reason}")));
    let state: (String, Vec<String>) = (name.clone(), users.iter().map(|user| user.id.clone()).collect());
    let plan = Plan::new(Reply::written(preview), move || async move {
        #[derive(Deserialize)]
        struct Answer {
            channel: Channel,
        }
        let create = async || -> Result<Answer> {
            let form = Form::new().set("name", &name).set("is_private", private);
            let check = format!("Look whether there is a channel #{name}");
            workspace.api().write(methods::CONVERSATIONS_CREATE, form, check, &["channels"]).await
        };
        let channel = match create().await {
            Ok(answer) => answer.channel,
            Err(error) if error.kind() == Kind::UnknownOutcome => {
                // Only one channel can have the name: a second try makes it, or shows that the first did.
                let again = create().await.map(|answer| answer.channel);
                match (again, workspace.names().me().await, workspace.names().channel(&name).await) {
                    (Ok(channel), ..) => channel,
                    // Nobody else's of that name.
                    (Err(_), Ok(me), Ok(channel)) if channel.creator == me.user_id => channel,
                    _ => return Err(error),
                }
            }
            Err(error) if error.kind() == Kind::Conflict => {
                return Err(Error::new(Kind::Conflict, format!("There is a channel #{name} already"))
                    .with_hint("Choose another name; nothing was made"));
            }
            Err(error) => return Err(error),
        };
        let mut written = Written::new(format!(
            "Created the {} channel #{name}: {}",
            if private { "private" } else { "public" },
            channel.id
        ))
        .id(&channel.id);
        if let Some(topic) = &topic {
            let form = Form::new().set("channel", &channel.id).set("topic", topic);
            let done: Result<Value> = workspace
                .api()
                .write(methods::CONVERSATIONS_SET_TOPIC, form, "Look at the topic".to_owned(), &["channels"])
                .await;
            written = written.change(step("topic set", done));
        }
        if !users.is_empty() {
            let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
            let form = Form::new().set("channel", &channel.id).set("users", ids.join(","));
            let done: Result<Value> = workspace
                .api()
                .write(methods::CONVERSATIONS_INVITE, form, "Look at the members".to_owned(), &["channels"])
                .await;
            written = written.change(step(&format!("invited {}", people.join(", ")), done));
        }
        Ok(Reply::written(written))
    });
    let plan = plan.state(&state);
    Ok(if asks.is_empty() { plan } else { plan.ask() })
}

/// A step after the first: done, or why not.
fn step(what: &str, done: Result<Value>) -> String {
    match done {
        Ok(_) => what.to_owned(),
        Err(error) if error.kind() == Kind::Conflict => what.to_owned(),
        Err(error) => format!("not done: {what}: {}", error.for_agent()),
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MarkRead {
    /// As #channel@ts up to this message, else to the newest
    channels: Vec<String>,
    /// Only for one channel: up to this message
    ts: Option<String>,
    workspace: Option<String>,
}

/// The conversation that is meant, and up to which of its messages: `#general@1764400000.000100`, or a message's
/// address.
fn up_to(word: &str) -> (&str, Option<String>) {
    if let Some(message) = reference::address(word) {
        return (word, message.ts);
    }
    let apart = word.trim().rsplit_once('@').filter(|(place, _)| !place.is_empty());
    match apart.and_then(|(place, ts)| Some((place, reference::ts(ts).ok()?))) {
        Some((place, ts)) => (place, Some(ts)),
        None => (word, None),
    }
}

async fn mark_read(call: Call<Slack>, args: MarkRead) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    if args.channels.is_empty() || args.channels.len() > MOST {
        return Err(Error::invalid(format!("`channels` takes 1 to {MOST} conversations")));
    }
    let stamp = args.ts.as_deref().filter(|ts| !ts.trim().is_empty()).map(reference::ts).transpose()?;
    if stamp.is_some() && args.channels.len() > 1 {
        return Err(Error::invalid("`ts` marks one channel, and several are given"));
    }
    let mut marks: Vec<(Channel, String, String)> = Vec::new();
    let mut empty: Vec<String> = Vec::new();
    for wanted in &args.channels {
        let (place, own) = up_to(wanted);
        let channel = workspace.names().channel(place).await?;
        call.policy().reads(&channel)?;
        let title = workspace.names().title(&channel).await;
        let ts = match own.or_else(|| stamp.clone()) {
            Some(ts) => Some(ts),
            None => newest(&workspace, &channel).await?,
        };
        match ts {
            Some(ts) => marks.push((channel, ts, title)),
            None => empty.push(title),
        }
    }
    if marks.is_empty() {
        return Ok(super::nothing("there is nothing to read there"));
    }
    let words =
        if marks.len() == 1 { "1 conversation".to_owned() } else { format!("{} conversations", marks.len()) };
    let mut preview = Written::new(format!("Mark {words} as read"));
    for (_, ts, title) in &marks {
        preview = preview.change(format!("{title} up to {ts}"));
    }
    let empty: Vec<String> = empty.iter().map(|title| format!("nothing to read in {title}")).collect();
    preview.changed.extend(empty.iter().cloned());
    Ok(Plan::new(Reply::written(preview), move || async move {
        let mut written = Written::default();
        let (mut done, all) = (0, marks.len());
        let mut failure = None;
        for (channel, ts, title) in &marks {
            let form = Form::new().set("channel", &channel.id).set("ts", ts);
            let sent: Result<Value> = workspace
                .api()
                .write(methods::CONVERSATIONS_MARK, form, "Look whether it is read".to_owned(), &["channels"])
                .await;
            match sent {
                Ok(_) => {
                    done += 1;
                    written = written.change(format!("{title} up to {ts}"));
                }
                Err(error) => {
                    written = written.change(format!("failed: {title}: {}", error.for_agent()));
                    failure = Some(error);
                }
            }
        }
        if let (0, Some(error)) = (done, failure) {
            return Err(error);
        }
        written.changed.extend(empty);
        written.summary = format!("Marked {done} of {all} conversations as read");
        Ok(Reply::written(written))
    }))
}

/// The newest message of a conversation.
async fn newest(workspace: &Workspace, channel: &Channel) -> Result<Option<String>> {
    let page = workspace.api().history(&channel.id, &Window { limit: 1, ..Window::default() }).await?;
    Ok(page.rows.first().map(|message| message.ts.clone()))
}
