//! Conversations looked after: joined, left, changed, archived. Opt-in.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{audience, nothing, settled};
use crate::{
    Slack,
    api::{
        Form,
        methods::{self, Method},
        types::{Channel, User},
    },
    scopes,
    workspace::Workspace,
};

const TOOLSET: &str = "channel_admin";
const ALIASES: &[(&str, &str)] = &[("channel_id", "channel"), ("user_ids", "users"), ("user_id", "user")];

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::write("join_channel", "Join a channel", "Joins a public channel.", |call, args| {
            membership(call, args, true)
        })
        .opt_in(TOOLSET)
        .scopes(&["channels:join", "channels:write"])
        .idempotent()
        .aliases(ALIASES)
        .output::<Written>(),
        Tool::write(
            "leave_channel",
            "Leave a channel",
            "Leaves a channel; into a private one only a member can bring you back.",
            |call, args| membership(call, args, false),
        )
        .opt_in(TOOLSET)
        .scopes(scopes::MANAGE)
        .confirmable()
        .idempotent()
        .aliases(ALIASES)
        .output::<Written>(),
        Tool::write(
            "update_channel",
            "Change a channel",
            "Sets topic, purpose or name of a channel; what is named in `clear` is emptied.",
            update,
        )
        .opt_in(TOOLSET)
        .scopes(scopes::MANAGE)
        .idempotent()
        .aliases(ALIASES)
        .output::<Written>(),
        Tool::write("invite_users", "Invite people", "Invites people to a channel.", invite)
            .opt_in(TOOLSET)
            .scopes(scopes::INVITE)
            .confirmable()
            .idempotent()
            .aliases(ALIASES)
            .output::<Written>(),
        Tool::destructive("remove_user", "Remove somebody", "Removes somebody from a channel.", remove)
            .opt_in(TOOLSET)
            .scopes(scopes::MANAGE)
            .idempotent()
            .aliases(ALIASES)
            .output::<Written>(),
        Tool::destructive(
            "archive_channel",
            "Archive a channel",
            "Archives a channel for everybody, or brings it back with archived=false.",
            archive,
        )
        .opt_in(TOOLSET)
        .scopes(scopes::MANAGE)
        .idempotent()
        .aliases(ALIASES)
        .output::<Written>(),
    ]
}

/// A channel that may be changed, as it is now, and what it is called.
async fn target(call: &Call<Slack>, workspace: &Workspace, wanted: &str) -> Result<(Channel, String)> {
    let channel = workspace.names().channel(wanted).await?;
    call.policy().writes(&channel)?;
    let channel = workspace.api().conversation_now(&channel.id).await?;
    let title = workspace.names().title(&channel).await;
    Ok((channel, title))
}

/// Changes a channel.
async fn write(workspace: &Workspace, method: Method, channel: &Channel, form: Form) -> Result<Value> {
    workspace
        .api()
        .write(
            method,
            form.set("channel", &channel.id),
            "Look at the channel with search_channels".to_owned(),
            &["channels"],
        )
        .await
}

/// A reply for a change, which was perhaps so before; `is_so` sees whether it was made where the answer was
/// lost.
async fn done(sent: Result<Value>, words: &str, is_so: impl Future<Output = Result<bool>>) -> Result<Reply> {
    match settled(sent, words, is_so).await {
        Err(error) if error.kind() == Kind::Conflict => {
            Ok(Reply::written(Written::new(format!("Nothing changed: that is already the case ({words})"))))
        }
        done => Ok(Reply::written(Written::new(done?))),
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfChannel {
    channel: String,
    workspace: Option<String>,
}

async fn membership(call: Call<Slack>, args: OfChannel, join: bool) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, title) = target(&call, &workspace, &args.channel).await?;
    if channel.is_member == Some(join) {
        let word = if join { "in" } else { "not in" };
        return Ok(nothing(&format!("you are {word} {title} already")));
    }
    let (verb, past, method) = if join {
        ("Join", "Joined", methods::CONVERSATIONS_JOIN)
    } else {
        ("Leave", "Left", methods::CONVERSATIONS_LEAVE)
    };
    let private = channel.is_private && !join;
    let mut preview = Written::new(format!("{verb} {title}"));
    if private {
        preview = preview.change("it is private: only a member can bring you back");
    }
    let state = (channel.id.clone(), channel.is_member);
    let plan = Plan::new(Reply::written(preview), move || async move {
        let sent = write(&workspace, method, &channel, Form::new()).await;
        let is_so = async {
            match workspace.api().conversation_now(&channel.id).await {
                Ok(now) => Ok(now.is_member == Some(join)),
                // Who has left a private channel does not see it.
                Err(error) if error.kind() == Kind::NotFound && private => Ok(true),
                Err(error) => Err(error),
            }
        };
        done(sent, &format!("{past} {title}"), is_so).await
    })
    .state(&state);
    Ok(if private { plan.ask() } else { plan })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    channel: String,
    topic: Option<String>,
    purpose: Option<String>,
    name: Option<String>,
    #[serde(default)]
    clear: Vec<Clearable>,
    workspace: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Clearable {
    Topic,
    Purpose,
}

async fn update(call: Call<Slack>, args: Update) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, title) = target(&call, &workspace, &args.channel).await?;
    let given = |text: &Option<String>, clear: Clearable| {
        let text = text.clone().filter(|text| !text.trim().is_empty());
        text.or_else(|| args.clear.contains(&clear).then(String::new))
    };
    let wanted = [
        (
            "topic",
            given(&args.topic, Clearable::Topic),
            channel.topic.value.clone(),
            methods::CONVERSATIONS_SET_TOPIC,
        ),
        (
            "purpose",
            given(&args.purpose, Clearable::Purpose),
            channel.purpose.value.clone(),
            methods::CONVERSATIONS_SET_PURPOSE,
        ),
        (
            "name",
            args.name
                .clone()
                .filter(|name| !name.trim().is_empty())
                .map(|name| name.trim().trim_start_matches('#').to_lowercase()),
            channel.name.clone(),
            methods::CONVERSATIONS_RENAME,
        ),
    ];
    let changes: Vec<(&'static str, String, Method, String)> = wanted
        .into_iter()
        .filter_map(|(field, wanted, old, method)| {
            let wanted = wanted.filter(|wanted| *wanted != old)?;
            let word = |text: &str| if text.is_empty() { "none".to_owned() } else { one_line(text) };
            let words = format!("{field} {} → {}", word(&old), word(&wanted));
            Some((field, wanted, method, words))
        })
        .collect();
    if changes.iter().any(|(field, wanted, ..)| *field != "name" && wanted.chars().count() > 250) {
        return Err(Error::invalid("Topic and purpose have at most 250 characters"));
    }
    if changes.is_empty() {
        return Ok(nothing(&format!("{title} is like that already")));
    }
    let mut preview = Written::new(format!("Change {title}"));
    preview.changed = changes.iter().map(|(.., words)| words.clone()).collect();
    let asks = audience::asks(&call, &workspace, &channel, &[]).await;
    preview.changed.extend(asks.iter().map(|reason| format!("asks, because {reason}")));
    let state = (channel.id.clone(), preview.changed.clone());
    let plan = Plan::new(Reply::written(preview), move || async move {
        let mut written = Written::new(format!("Changed {title}")).id(&channel.id);
        for (field, wanted, method, words) in changes {
            let sent = write(&workspace, method, &channel, Form::new().set(field, &wanted)).await;
            let is_so = async {
                let now = workspace.api().conversation_now(&channel.id).await?;
                Ok(wanted
                    == match field {
                        "topic" => now.topic.value,
                        "purpose" => now.purpose.value,
                        _ => now.name,
                    })
            };
            match settled(sent, &words, is_so).await {
                Ok(words) => written = written.change(words),
                Err(error) if written.changed.is_empty() => return Err(error),
                Err(error) => written = written.change(format!("failed: {field}: {}", error.for_agent())),
            }
        }
        Ok(Reply::written(written))
    })
    .state(&state);
    Ok(if asks.is_empty() { plan } else { plan.ask() })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Invite {
    channel: String,
    users: Vec<String>,
    workspace: Option<String>,
}

async fn invite(call: Call<Slack>, args: Invite) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, title) = target(&call, &workspace, &args.channel).await?;
    if args.users.is_empty() {
        return Err(Error::invalid("`users` is empty"));
    }
    let mut users: Vec<User> = Vec::new();
    for user in &args.users {
        users.push(workspace.names().present(user).await?);
    }
    let ids: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
    let there = are_members(&workspace, &channel, &ids).await.unwrap_or_else(|_| vec![false; ids.len()]);
    // Slack refuses all where one is there already.
    let mut here = Vec::new();
    let mut missing = Vec::new();
    for (user, is_there) in users.iter().zip(there) {
        if is_there { here.push(named(user)) } else { missing.push(user.clone()) }
    }
    if missing.is_empty() {
        return Ok(nothing(&format!("{} is in {title} already", here.join(", "))));
    }
    let count = missing.len();
    let words = missing.iter().map(named).collect::<Vec<_>>().join(", ");
    let ids: Vec<String> = missing.iter().map(|user| user.id.clone()).collect();
    let mut preview = Written::new(format!("Invite {words} to {title}, which notifies them"));
    let already = (!here.is_empty()).then(|| format!("there already: {}", here.join(", ")));
    preview.changed.extend(already.clone());
    let state = (channel.id.clone(), ids.clone());
    let plan = Plan::new(Reply::written(preview), move || async move {
        let form = Form::new().set("users", ids.join(","));
        let sent = write(&workspace, methods::CONVERSATIONS_INVITE, &channel, form).await;
        let is_so =
            async { Ok(are_members(&workspace, &channel, &ids).await?.into_iter().all(|there| there)) };
        let done = settled(sent, &format!("Invited {words} to {title}"), is_so).await?;
        let mut written = Written::new(done);
        written.changed.extend(already);
        Ok(Reply::written(written))
    })
    .state(&state);
    Ok(plan.ask_of_many(count))
}

/// Whether each of these people is in a channel.
async fn are_members(workspace: &Workspace, channel: &Channel, ids: &[String]) -> Result<Vec<bool>> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    workspace.api().has_members(&channel.id, &ids).await
}

fn named(user: &User) -> String {
    format!("@{} ({})", one_line(user.handle()), one_line(user.full_name()))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Remove {
    channel: String,
    user: String,
    workspace: Option<String>,
}

async fn remove(call: Call<Slack>, args: Remove) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, title) = target(&call, &workspace, &args.channel).await?;
    let user = workspace.names().person(&args.user).await?;
    let id = [user.id.clone()];
    if are_members(&workspace, &channel, &id).await? == [false] {
        return Ok(nothing(&format!("{} is not in {title}", named(&user))));
    }
    let words = format!("{} from {title}", named(&user));
    let state = (channel.id.clone(), user.id.clone());
    let plan = Plan::new(Reply::written(Written::new(format!("Remove {words}"))), move || async move {
        let form = Form::new().set("user", &user.id);
        let sent = write(&workspace, methods::CONVERSATIONS_KICK, &channel, form).await;
        let is_so = async { Ok(are_members(&workspace, &channel, &id).await? == [false]) };
        done(sent, &format!("Removed {words}"), is_so).await
    });
    Ok(plan.state(&state))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Archive {
    channel: String,
    archived: Option<bool>,
    workspace: Option<String>,
}

async fn archive(call: Call<Slack>, args: Archive) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, title) = target(&call, &workspace, &args.channel).await?;
    let archived = args.archived.unwrap_or(true);
    if channel.is_archived == archived {
        let word = if archived { "archived" } else { "open" };
        return Ok(nothing(&format!("{title} is {word} already")));
    }
    let members = channel.num_members.map(|count| format!(", which has {count} members")).unwrap_or_default();
    let (verb, past, method) = if archived {
        ("Archive", "Archived", methods::CONVERSATIONS_ARCHIVE)
    } else {
        ("Bring back", "Brought back", methods::CONVERSATIONS_UNARCHIVE)
    };
    let state = (channel.id.clone(), channel.name.clone(), channel.num_members);
    let preview = Written::new(format!("{verb} {title} ({}){members}", channel.id));
    let plan = Plan::new(Reply::written(preview), move || async move {
        let sent = write(&workspace, method, &channel, Form::new()).await;
        let is_so =
            async { Ok(workspace.api().conversation_now(&channel.id).await?.is_archived == archived) };
        done(sent, &format!("{past} {title}"), is_so).await
    })
    .state(&state);
    Ok(if archived { plan } else { plan.harmless() })
}
