//! Resources: what a person may attach to a conversation by its address. They read as the tools do.

use connector::{
    Result,
    access::Selection,
    catalog::{Call, Reply, Resource, ResourceTemplate, Variables},
};
use serde_json::{Value, json};

use crate::{Slack, manifest::manifest};

/// The resources with a fixed address.
pub(crate) fn all() -> Vec<Resource<Slack>> {
    vec![
        Resource::of_tool(
            "slack://me",
            "me",
            "Who I am here",
            "Whose token this is, its workspaces and scopes.",
            "whoami",
            json!({}),
        ),
        Resource::of_tool(
            "slack://channels",
            "my-channels",
            "My conversations",
            "The conversations that you are in, of the first workspace.",
            "list_user_channels",
            json!({"limit": 200}),
        )
        .lists(),
        Resource::of_tool(
            "slack://usergroups",
            "usergroups",
            "User groups",
            "The user groups of the first workspace and who is in them.",
            "list_usergroups",
            json!({}),
        ),
        Resource::new(
            "slack://manifest",
            "manifest",
            "Manifest of the app",
            "The manifest of a Slack app with every scope that the enabled tools use.",
            |call: Call<Slack>| async move { app(call.selection()) },
        ),
        Resource::new(
            "slack://formatting",
            "formatting",
            "How messages are written",
            "Which Markdown a message may have, and how it names people, groups and channels.",
            |_: Call<Slack>| async { Ok(Reply::new(FORMATTING)) },
        ),
    ]
}

fn app(selection: Option<&Selection>) -> Result<Reply> {
    let manifest = manifest(selection.unwrap_or(&Selection::default()))?;
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    Ok(Reply::new("At api.slack.com/apps choose Create New App, From a manifest, and paste:").line(text))
}

/// docs.slack.dev/reference/block-kit/blocks/markdown-block lists what Markdown it takes.
const FORMATTING: &str = "Messages are Markdown: **bold**, *italic*, ~~struck~~, `code`, fenced code, > quotes, \
- lists, 1. lists, - [ ] tasks, [links](https://…), # headings and tables.\n\
@handle, @group and #channel become mentions and links, everywhere but in code; the reply says whom they notify.\n\
@here, @channel and @everyone are refused unless the operator allows them.\n\
A message longer than 11,500 characters is posted in parts, the later ones in the thread of the first.";

/// The arguments of a tool for the workspace that an address names.
fn of_team(given: &Variables, mut arguments: Value) -> Result<Value> {
    arguments["workspace"] = json!(given.text("team"));
    Ok(arguments)
}

/// The families of resources, each of a workspace.
pub(crate) fn templates() -> Vec<ResourceTemplate<Slack>> {
    vec![
        ResourceTemplate::of_tool(
            "slack://{team}/channels",
            "channels",
            "My conversations in a workspace",
            "The conversations that you are in, of one of several workspaces.",
            "list_user_channels",
            |given| of_team(given, json!({"limit": 200})),
        )
        .lists(),
        ResourceTemplate::of_tool(
            "slack://{team}/usergroups",
            "usergroups",
            "User groups of a workspace",
            "The user groups of one of several workspaces.",
            "list_usergroups",
            |given| of_team(given, json!({})),
        ),
        ResourceTemplate::of_tool(
            "slack://{team}/channel/{channel}",
            "channel",
            "A channel",
            "The latest messages of one channel.",
            "read_channel",
            |given| of_team(given, json!({"channel": given.text("channel"), "limit": 100})),
        )
        .lists(),
        ResourceTemplate::of_tool(
            "slack://{team}/channel/{channel}/since/{since}",
            "channel-since",
            "A channel since a time",
            "The messages of one channel since a time, such as 24h or 2026-11-28.",
            "read_channel",
            |given| {
                of_team(
                    given,
                    json!({"channel": given.text("channel"), "since": given.text("since"), "limit": 200}),
                )
            },
        )
        .lists(),
        ResourceTemplate::of_tool(
            "slack://{team}/thread/{channel}/{ts}",
            "thread",
            "A thread",
            "A whole thread, by any of its messages.",
            "read_thread",
            |given| {
                of_team(
                    given,
                    json!({"channel": given.text("channel"), "ts": given.text("ts"), "limit": 200}),
                )
            },
        )
        .lists(),
        ResourceTemplate::of_tool(
            "slack://{team}/message/{channel}/{ts}",
            "message",
            "A message",
            "One message with who reacted.",
            "get_message",
            |given| of_team(given, json!({"channel": given.text("channel"), "ts": given.text("ts")})),
        ),
        ResourceTemplate::of_tool(
            "slack://{team}/user/{user}",
            "user",
            "A person",
            "One person's profile.",
            "read_user_profile",
            |given| of_team(given, json!({"user": given.text("user")})),
        ),
        ResourceTemplate::of_tool(
            "slack://{team}/usergroup/{group}",
            "usergroup",
            "A user group",
            "One user group with its members.",
            "list_usergroups",
            |given| of_team(given, json!({"group": given.text("group")})),
        ),
        ResourceTemplate::of_tool(
            "slack://{team}/file/{file}",
            "file",
            "A file",
            "A file or a canvas by its id.",
            "read_file",
            |given| of_team(given, json!({"file": given.text("file")})),
        ),
    ]
}
