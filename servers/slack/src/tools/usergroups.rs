//! User groups changed. Slack replaces a group's members as a whole, so adding and removing is worked
//! out here and shown before it is done. Opt-in.

use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, reconcile},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{audience, nothing, settled};
use crate::{
    Slack,
    api::{
        Form, methods,
        types::{Channel, Group},
    },
};

pub(super) const TOOLSET: &str = "usergroups";

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::write(
            "save_usergroup",
            "Save a user group",
            "Makes a user group, or changes name, handle or description of `group`.",
            save,
        )
        .opt_in(TOOLSET)
        .scopes(&["usergroups:write"])
        .output::<Written>(),
        Tool::destructive(
            "update_usergroup_members",
            "Change group members",
            "Adds people to a user group and removes others from it.",
            members,
        )
        .opt_in(TOOLSET)
        .scopes(&["usergroups:write"])
        .idempotent()
        .aliases(&[("usergroup", "group")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Save {
    /// @handle of one that is there
    group: Option<String>,
    name: Option<String>,
    handle: Option<String>,
    description: Option<String>,
    workspace: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    usergroup: Group,
}

async fn save(call: Call<Slack>, args: Save) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let given = |text: &Option<String>| {
        text.clone().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let (name, description) = (given(&args.name), given(&args.description));
    let handle = given(&args.handle).map(|handle| handle.trim_start_matches('@').to_lowercase());
    let old = match given(&args.group) {
        Some(group) => Some(workspace.names().group(&group).await?),
        None => None,
    };
    if old.is_none() && name.is_none() {
        return Err(Error::invalid("A new user group needs `name`"));
    }
    let mut changes = Vec::new();
    let mut form = Form::new();
    let wanted = [name.clone(), handle.clone(), description.clone()];
    let before = old.clone().unwrap_or_default();
    for (field, wanted, before) in [
        ("name", name, before.name),
        ("handle", handle, before.handle),
        ("description", description, before.description),
    ] {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != before) {
            let from = if before.is_empty() { String::new() } else { format!("{} → ", one_line(&before)) };
            changes.push(format!("{field} {from}{}", one_line(&wanted)));
            form = form.set(field, wanted);
        }
    }
    if changes.is_empty() {
        return Ok(nothing("the user group is like that already"));
    }
    // Everybody sees the user groups.
    call.policy().outside("a user group", Effect::Write)?;
    let asks = audience::asks(&call, &workspace, &Channel::default(), &[]).await;
    let words = old.as_ref().map_or_else(
        || "a user group".to_owned(),
        |group| format!("the user group @{}", one_line(&group.handle)),
    );
    let mut preview = Written::new(format!("{} {words}", if old.is_some() { "Change" } else { "Create" }));
    preview.changed.clone_from(&changes);
    preview.changed.extend(asks.iter().map(|reason| format!("asks, because {reason}")));
    let plan = Plan::new(Reply::written(preview), move || async move {
        let check = "Look at list_usergroups".to_owned();
        let known: Vec<String> = workspace.api().groups().await?.into_iter().map(|group| group.id).collect();
        let (method, form) = match &old {
            Some(group) => (methods::USERGROUPS_UPDATE, form.set("usergroup", &group.id)),
            None => (methods::USERGROUPS_CREATE, form),
        };
        let sent: Result<Answer> = workspace.api().write(method, form, check, &["groups"]).await;
        let is_it = |group: &Group| {
            let mine = old.as_ref().map_or_else(|| !known.contains(&group.id), |old| old.id == group.id);
            let fields = [&group.name, &group.handle, &group.description];
            mine && wanted
                .iter()
                .zip(fields)
                .all(|(wanted, is)| wanted.as_ref().is_none_or(|wanted| wanted == is))
        };
        let look = async { workspace.api().groups().await.ok()?.into_iter().find(is_it) };
        let (group, lost) = reconcile::created(sent.map(|answer| answer.usergroup), look).await?;
        let verb = if old.is_some() { "Changed" } else { "Created" };
        let mut written =
            Written::new(format!("{verb} the user group @{}: {}", one_line(&group.handle), group.id))
                .id(group.id);
        written.changed = changes;
        if lost {
            written = written.change("Slack's answer was lost; it was looked for, and is done");
        }
        Ok(Reply::written(written))
    });
    Ok(if asks.is_empty() { plan } else { plan.ask() })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Members {
    group: String,
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
    workspace: Option<String>,
}

async fn members(call: Call<Slack>, args: Members) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    call.policy().outside("a user group", Effect::Write)?;
    let named = workspace.names().group(&args.group).await?;
    // The whole list is replaced: it must be that of now.
    let group = workspace.api().group_now(&named.id).await?.unwrap_or(named);
    let mut wanted = group.users.clone();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for person in &args.add {
        let user = workspace.names().present(person).await?;
        if !wanted.contains(&user.id) {
            added.push(format!("@{} ({})", one_line(user.handle()), one_line(user.full_name())));
            wanted.push(user.id);
        }
    }
    for person in &args.remove {
        let user = workspace.names().person(person).await?;
        if wanted.contains(&user.id) {
            removed.push(format!("@{} ({})", one_line(user.handle()), one_line(user.full_name())));
            wanted.retain(|id| *id != user.id);
        }
    }
    if added.is_empty() && removed.is_empty() {
        return Ok(nothing(&format!("@{} has these members already", one_line(&group.handle))));
    }
    if wanted.is_empty() {
        return Err(Error::new(Kind::InvalidArgument, "A user group cannot be left without members")
            .with_hint("Add somebody in the same call"));
    }
    let mut preview = Written::new(format!(
        "Change the members of @{}: {} before, {} after",
        one_line(&group.handle),
        group.users.len(),
        wanted.len()
    ));
    for (word, people) in [("adds", &added), ("removes", &removed)] {
        if !people.is_empty() {
            preview = preview.change(format!("{word} {}", people.join(", ")));
        }
    }
    let lines = preview.changed.clone();
    let harmless = removed.is_empty();
    let state = (group.id.clone(), group.users.clone());
    let plan = Plan::new(Reply::written(preview), move || async move {
        let form = Form::new().set("usergroup", &group.id).set("users", wanted.join(","));
        let check = "Look at list_usergroups".to_owned();
        let sent: Result<Value> =
            workspace.api().write(methods::USERGROUPS_USERS_UPDATE, form, check, &["groups"]).await;
        let words = format!("Changed the members of @{}: {} now", one_line(&group.handle), wanted.len());
        let is_so = async {
            let now =
                workspace.api().group_now(&group.id).await?.map(|group| group.users).unwrap_or_default();
            Ok(now.len() == wanted.len() && now.iter().all(|user| wanted.contains(user)))
        };
        let done = settled(sent, &words, is_so).await?;
        let mut written = Written::new(done).id(&group.id);
        written.changed = lines;
        Ok(Reply::written(written))
    })
    .state(&state);
    Ok(if harmless { plan.harmless() } else { plan })
}
