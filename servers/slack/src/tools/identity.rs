//! `whoami`: whose token it is, what it may do, and how much is left.

use connector::{
    Result,
    catalog::{Call, Reply, Tool, one_line},
    upstream::BucketStatus,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Slack, api::methods, resolve::time::zone_name, scopes, vendor::POSTS_IN_ONE, workspace::Workspace,
};

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "whoami",
            "Who am I",
            "Whose token this is, in which workspaces, scopes held and missing, how it searches, and what Slack holds back.",
            |call, NoArguments {}| whoami(call),
        )
        .toolset("people")
        .output::<Me>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// The answer of `whoami`.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    workspaces: Vec<WorkspaceInfo>,
    sandbox: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WorkspaceInfo {
    name: String,
    team: String,
    user: String,
    user_id: String,
    bot: bool,
    timezone: String,
    missing_scopes: Vec<String>,
}

/// Of which workspaces a token of a whole organization is, and which of them is meant.
async fn organization(workspace: &Workspace) -> String {
    let teams = match workspace.api().teams().await {
        Ok(teams) => teams.iter().map(|team| format!("{} ({})", one_line(&team.name), team.id)).collect(),
        Err(error) => vec![error.for_agent()],
    };
    let meant = match workspace.api().team() {
        Some(team) => format!("{team} is meant here"),
        None => {
            "none is named: SLACK_TEAM_ID, or `team-id` in SLACK_WORKSPACES, says which is meant".to_owned()
        }
    };
    format!("The token is for a whole organization, with these workspaces: {}; {meant}.", teams.join(", "))
}

async fn whoami(call: Call<Slack>) -> Result<Reply> {
    let mut reply = Reply::default();
    let mut infos = Vec::new();
    let all = call.workspaces().to_vec();
    let alone = all.len() == 1;
    for workspace in &all {
        let me = match workspace.names().me().await {
            Ok(me) => me,
            Err(error) if alone => return Err(error),
            Err(error) => {
                reply = reply.line(format!("Workspace {}: {}", workspace.name, error.for_agent()));
                continue;
            }
        };
        let zone = workspace.names().zone().await;
        let bot = !me.bot_id.is_empty();
        let name = if alone { String::new() } else { format!("Workspace {}: ", workspace.name) };
        reply = reply.line(format!(
            "{name}@{} ({}{}) in {} ({}), by {}. Time zone {}.",
            one_line(&me.user),
            me.user_id,
            if bot { ", a bot" } else { "" },
            one_line(&me.team),
            one_line(&me.url),
            workspace.credential,
            zone_name(&zone)
        ));
        if me.is_enterprise_install {
            reply = reply.line(organization(workspace).await);
        }
        let missing = scopes::missing(&me);
        if let Some(held) = &me.scopes {
            let held: Vec<String> = held.iter().map(|scope| one_line(scope)).collect();
            reply = reply.line(format!("Scopes held: {}.", held.join(", ")));
        }
        reply = reply.line(match &missing {
            None => {
                "Slack did not say which scopes the token has; a refused call names the one that is missing."
                    .to_owned()
            }
            Some(missing) if missing.is_empty() => {
                "It has every scope that the default tools use.".to_owned()
            }
            Some(missing) => {
                format!("Scopes missing: {}. Add them to the app and install it again.", missing.join(", "))
            }
        });
        let searcher = workspace.search_api().identity().await;
        reply = reply.line(match searcher {
            Ok(searcher) if searcher.bot_id.is_empty() && workspace.is_legacy_search() => {
                "Searching works with the user's token, by the legacy search: this workspace has no Real-time Search."
            }
            Ok(searcher) if searcher.bot_id.is_empty() => "Searching works with the user's token, by Real-time Search where the workspace has it.",
            _ => "Searching does not work: a bot may not search by itself. SLACK_USER_TOKEN makes it work.",
        });
        if workspace.is_limited() {
            reply = reply.line("Slack limits this app's history to 15 messages a minute: it is distributed outside the Marketplace. An internal app has no such limit.");
        }
        let buckets = workspace.api().upstream().status().buckets;
        let held: Vec<String> = buckets
            .iter()
            .filter_map(|bucket| Some(format!("{} for {} s", bucket.bucket, bucket.paused_for?.as_secs())))
            .collect();
        if !held.is_empty() {
            reply = reply.line(format!("Held back by Slack: {}.", held.join(", ")));
        }
        let searches = workspace.search_api().upstream().status().buckets;
        let rate = |buckets: &[BucketStatus], name: &str| {
            buckets.iter().find(|bucket| bucket.bucket == name).map_or(0, |bucket| bucket.limit)
        };
        reply = reply.line(format!(
            "Calls a minute: {} of history, {} of Real-time Search, {} messages in one conversation; each method has its own.",
            rate(&buckets, methods::CONVERSATIONS_HISTORY.name),
            rate(&searches, methods::SEARCH_CONTEXT.name),
            rate(&buckets, POSTS_IN_ONE)
        ));
        infos.push(WorkspaceInfo {
            name: workspace.name.clone(),
            team: me.team.clone(),
            user: me.user.clone(),
            user_id: me.user_id.clone(),
            bot,
            timezone: zone_name(&zone),
            missing_scopes: missing.unwrap_or_default().into_iter().map(str::to_owned).collect(),
        });
    }
    for line in call.policy().told() {
        reply = reply.line(line);
    }
    let off = super::toolsets_off(&call);
    if !off.is_empty() {
        reply = reply.line(format!(
            "Toolsets that are off: {}. The operator switches them on with --toolsets.",
            off.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    if call.is_sandbox() {
        reply = reply
            .line("This is the built-in sandbox: a fake of Slack with invented data. Nothing here is real.");
    }
    Ok(reply.data(&Me { workspaces: infos, sandbox: call.is_sandbox() }))
}
