//! Who this server acts as, what it may see, and what is left.

use connector::{
    Result,
    catalog::{Call, Reply, Tool, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Notion,
    api::objects::User,
    vendor::{REQUESTS, WORKSPACE},
};

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "whoami",
            "Identity and limits",
            "Tells whose token is used, its workspace, and the budget of requests.",
            whoami,
        )
        .output::<Identity>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhoAmI {}

#[derive(Debug, Serialize, JsonSchema)]
struct Identity {
    id: String,
    name: String,
    kind: String,
    workspace: Option<String>,
    default_parent: Option<String>,
}

async fn whoami(call: Call<Notion>, _: WhoAmI) -> Result<Reply> {
    let me = call.api().me().await?;
    let workspace = me.bot["workspace_name"].as_str().map(one_line);
    let mut reply = Reply::new(identity(&me));
    if call.is_sandbox() {
        reply = reply.line("This is the built-in sandbox, not Notion itself.");
    }
    reply = reply.line(if me.kind == "bot" {
        "It sees only the pages and databases that were shared with the connection, and what is below them."
    } else {
        "It sees everything that the person sees."
    });
    let default_parent = default_parent(&call).await;
    if let Some(line) = &default_parent {
        reply = reply.line(line.clone());
    }
    let reply = reply.line(limits(&call));
    Ok(reply.data(&Identity { id: me.id, name: me.name, kind: me.kind, workspace, default_parent }))
}

/// Where new pages go whose parent nobody names, in words.
async fn default_parent(server: &Notion) -> Option<String> {
    let parent = server.default_parent()?;
    Some(match server.parent(parent).await {
        Ok(place) => {
            format!("New pages go {} unless `parent` says otherwise (NOTION_DEFAULT_PARENT).", place.words())
        }
        Err(error) => format!("NOTION_DEFAULT_PARENT cannot be used: {}", error.for_agent()),
    })
}

/// Who it is, in one line.
pub(crate) fn identity(me: &User) -> String {
    let name = one_line(&me.name);
    let workspace =
        me.bot["workspace_name"].as_str().map(|name| format!(" in the workspace {}", one_line(name)));
    let workspace = workspace.unwrap_or_default();
    match me.kind.as_str() {
        "person" => format!("{name} ({}), by a personal access token{workspace}.", me.email()),
        _ => format!("{name}, an internal connection{workspace}; id {}.", me.id),
    }
}

/// The budgets, in words. Notion tells nothing of what is left, but when a refusal ends.
pub(crate) fn limits(server: &Notion) -> String {
    let budgets = server.api().upstream().status().buckets;
    let own = budgets.iter().find(|budget| budget.bucket == REQUESTS);
    let limit = own.map_or(0, |budget| budget.limit);
    let mut words = format!("Budget: {limit} requests in 60 s; Notion does not say how many are left.");
    for budget in budgets {
        let Some(wait) = budget.paused_for else { continue };
        let whose = match budget.bucket {
            REQUESTS => "this connection's requests".to_owned(),
            WORKSPACE => "the whole workspace's requests".to_owned(),
            part => format!("requests for {part}"),
        };
        words.push_str(&format!(" Notion asked to wait {} s with {whose}.", wait.as_secs()));
    }
    words
}
