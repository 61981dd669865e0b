//! User groups changed. Slack replaces a group's members as a whole, so adding and removing is worked
//! out here and shown before it is done. Opt-in.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Slack,
    api::{Form, methods, types::Group},
};

const TOOLSET: &str = "usergroups";

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::write(
            "save_usergroup",
            "Save a user group",
            "Makes a user group, or changes name, handle or description of `group`.",
            save,
        )
        .opt_in(TOOLSET)
        .output::<Written>(),
        Tool::destructive(
            "update_usergroup_members",
            "Change group members",
            "Adds people to a user group and removes others from it.",
            members,
        )
        .opt_in(TOOLSET)
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
        return Ok(Plan::nothing(Reply::written(Written::new(
            "The user group is so already; nothing changed",
        ))));
    }
    let words = old.as_ref().map_or_else(
        || "a user group".to_owned(),
        |group| format!("the user group @{}", one_line(&group.handle)),
    );
    let mut preview = Written::new(format!("{} {words}", if old.is_some() { "Change" } else { "Create" }));
    preview.changed.clone_from(&changes);
    Ok(Plan::new(Reply::written(preview), move || async move {
        let check = "Look at list_usergroups".to_owned();
        let answer: Answer = match &old {
            Some(group) => {
                workspace
                    .api()
                    .write(methods::USERGROUPS_UPDATE, form.set("usergroup", &group.id), check, &["groups"])
                    .await?
            }
            None => workspace.api().write(methods::USERGROUPS_CREATE, form, check, &["groups"]).await?,
        };
        let verb = if old.is_some() { "Changed" } else { "Created" };
        let mut written = Written::new(format!(
            "{verb} the user group @{}: {}",
            one_line(&answer.usergroup.handle),
            answer.usergroup.id
        ))
        .id(answer.usergroup.id);
        written.changed = changes;
        Ok(Reply::written(written))
    }))
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
    let group = workspace.names().group(&args.group).await?;
    let mut wanted = group.users.clone();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for person in &args.add {
        let user = workspace.names().person(person).await?;
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
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "@{} has these members already; nothing changed",
            one_line(&group.handle)
        )))));
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
    let plan = Plan::new(Reply::written(preview), move || async move {
        let form = Form::new().set("usergroup", &group.id).set("users", wanted.join(","));
        let _: Value = workspace
            .api()
            .write(methods::USERGROUPS_USERS_UPDATE, form, "Look at list_usergroups".to_owned(), &["groups"])
            .await?;
        let mut written = Written::new(format!(
            "Changed the members of @{}: {} now",
            one_line(&group.handle),
            wanted.len()
        ))
        .id(group.id);
        written.changed = lines;
        Ok(Reply::written(written))
    });
    Ok(if harmless { plan.harmless() } else { plan })
}
