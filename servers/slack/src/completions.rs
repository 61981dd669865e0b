//! Completions for the arguments of prompts and the variables of templates.

use std::{collections::BTreeSet, sync::Arc};

use connector::{
    Result,
    catalog::{Call, Completions},
};

use crate::{
    Slack,
    api::{DIRECTORY_PAGE, Window},
    workspace::Workspace,
};

/// Every source of completions. None reads more of a directory than one page.
pub(crate) fn all() -> Vec<Completions<Slack>> {
    vec![
        Completions::new("channel", |call: Call<Slack>, _, typed| async move {
            channels(&call, typed.get("team")).await
        }),
        Completions::new("channels", |call: Call<Slack>, _, typed| async move {
            channels(&call, typed.get("team")).await
        }),
        Completions::new("user", |call: Call<Slack>, _, typed| async move {
            let people = workspace(&call, typed.get("team"))?.api().users(None).await?;
            let here = people.rows.into_iter().filter(|user| !user.deleted);
            Ok(here.map(|user| format!("@{}", user.handle())).collect())
        }),
        Completions::new("group", |call: Call<Slack>, _, typed| async move {
            let groups = workspace(&call, typed.get("team"))?.api().groups().await?;
            Ok(groups.into_iter().map(|group| format!("@{}", group.handle)).collect())
        }),
        Completions::new("ts", |call: Call<Slack>, _, typed| async move {
            let Some(channel) =
                typed.get("channel").map(String::as_str).filter(|channel| !channel.is_empty())
            else {
                return Ok(Vec::new());
            };
            let workspace = workspace(&call, typed.get("team"))?;
            let channel = workspace.names().channel(channel).await?;
            call.policy().reads(&channel)?;
            let page =
                workspace.api().history(&channel.id, &Window { limit: 50, ..Window::default() }).await?;
            let threads = page.rows.into_iter().filter(|message| message.reply_count.is_some());
            Ok(threads.map(|message| message.ts).collect())
        }),
        Completions::new("team", |call: Call<Slack>, _, _| async move {
            Ok(call.workspaces().iter().map(|workspace| workspace.name.clone()).collect())
        }),
        Completions::new("since", |_: Call<Slack>, _, _| async move {
            Ok(["today", "yesterday", "24h", "3d", "7d", "14d"].map(str::to_owned).to_vec())
        }),
    ]
}

/// The workspace that was chosen before, or else the first.
fn workspace<'a>(call: &'a Call<Slack>, team: Option<&String>) -> Result<&'a Arc<Workspace>> {
    call.workspace(team.map(String::as_str))
}

async fn channels(call: &Call<Slack>, team: Option<&String>) -> Result<Vec<String>> {
    let api = workspace(call, team)?.api().clone();
    let page =
        api.own_conversations("public_channel,private_channel", None, DIRECTORY_PAGE, None, false).await?;
    let names: BTreeSet<String> = page
        .rows
        .iter()
        .filter(|channel| !channel.is_archived && call.policy().may_read(channel))
        .map(|channel| format!("#{}", channel.name))
        .collect();
    Ok(names.into_iter().collect())
}
