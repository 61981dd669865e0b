//! `update_project_items`: rows of a project added, set and taken out.

use std::collections::BTreeMap;

use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Written, nearest, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::owner;
use crate::{
    GitHub,
    api::projects::{Choice, Field, Project},
    repo::Repo,
    resolve::reference,
};

/// The most items of one call.
const MOST: usize = 20;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    owner: Option<String>,
    number: u64,
    action: Action,
    /// owner/name#12, addresses, or ids of list_project
    items: Vec<String>,
    /// Field name to value
    #[serde(default)]
    fields: BTreeMap<String, Option<String>>,
    /// Names of fields
    #[serde(default)]
    clear: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Add,
    Set,
    Remove,
}

/// A field that is set, and to what; to nothing, it is cleared.
struct Setting {
    field: String,
    value: Option<Value>,
    words: String,
}

/// A row that is meant.
struct Target {
    /// How it is called in the reply.
    name: String,
    /// The row's id, if the project has it.
    item: Option<String>,
    /// The node id of the issue or pull request.
    content: Option<String>,
}

pub(super) async fn update_project_items(call: Call<GitHub>, arguments: Arguments) -> Result<Plan> {
    let Arguments { owner: given, number, action, items, mut fields, clear } = arguments;
    let empty = |value: &Option<String>| value.as_deref().is_none_or(|value| value.trim().is_empty());
    if let Some((name, _)) = fields.iter().find(|(_, value)| empty(value)) {
        return Err(Error::invalid(format!("`fields.{}` is empty", one_line(name)))
            .with_hint(format!("clear: [\"{}\"] empties it", one_line(name))));
    }
    fields.extend(clear.into_iter().map(|name| (name, None)));
    let owner = owner(&call, given.as_deref()).await?;
    if items.is_empty() || items.len() > MOST {
        return Err(Error::invalid(format!("`items` takes 1 to {MOST} items")));
    }
    if action == Action::Set && fields.is_empty() {
        return Err(Error::invalid("`fields` is empty").with_hint("list_project shows the project's fields"));
    }
    if action == Action::Remove && !fields.is_empty() {
        return Err(Error::invalid("`fields` does not go with action remove"));
    }
    let project = call.api().project(&owner, number, 1, None).await?;
    let settings = fields
        .iter()
        .map(|(name, value)| setting(&project, name, value.as_deref().unwrap_or_default()))
        .collect::<Result<Vec<_>>>()?;
    let mut targets: Vec<Target> = Vec::new();
    for text in &items {
        let target = target(&call, &owner, &project, text).await?;
        if target.item.is_none() && action != Action::Add {
            return Err(Error::not_found(format!("{} is not in the project {owner}/{number}", target.name))
                .with_hint("Action add puts it there"));
        }
        if !targets.iter().any(|other| other.name == target.name) {
            targets.push(target);
        }
    }
    let settled = |target: &Target| action == Action::Add && target.item.is_some() && settings.is_empty();
    if targets.iter().all(settled) {
        let words = if targets.len() == 1 { "it is" } else { "they are" };
        let summary = format!("Nothing to change: {words} in the project {owner}/{number} already.");
        return Ok(Plan::nothing(Reply::written(Written::new(summary))));
    }
    let where_ = format!("the project {owner}/{number} \"{}\"", one_line(&project.title));
    let mut preview = Written::new(match action {
        Action::Add => format!("Add to {where_}"),
        Action::Set => format!("Set fields in {where_}"),
        Action::Remove => format!("Take out of {where_}; issues and pull requests themselves stay"),
    });
    preview.changed.extend(targets.iter().map(|target| target.name.clone()));
    preview.changed.extend(settings.iter().map(|setting| setting.words.clone()));
    let seen: Vec<_> = targets.iter().map(|target| (target.name.clone(), target.item.clone())).collect();
    let many = targets.len();
    let plan = Plan::new(Reply::written(preview), move || async move {
        let mut done = 0;
        let mut lines = Vec::new();
        let all = targets.len();
        for target in targets {
            match carry_out(&call, &owner, &project.id, action, &target, &settings).await {
                Ok(line) => {
                    done += 1;
                    lines.push(line);
                }
                // Nothing was done yet, so nothing needs to be told but why.
                Err(error) if done == 0 => return Err(error),
                Err(error) => lines.push(format!("failed: {}: {}", target.name, error.for_agent())),
            }
        }
        let (verb, preposition) = match action {
            Action::Add => ("Added", "to"),
            Action::Set => ("Set fields of", "in"),
            Action::Remove => ("Took", "out of"),
        };
        let many = if done == all { done.to_string() } else { format!("{done} of {all}") };
        let noun = if all == 1 { "item" } else { "items" };
        let mut written =
            Written::new(format!("{verb} {many} {noun} {preposition} {where_}.")).url(project.url);
        written.changed = lines;
        written.changed.extend(settings.iter().map(|setting| setting.words.clone()));
        Ok(Reply::written(written))
    });
    let plan = plan.state(&seen);
    Ok(if action == Action::Remove { plan } else { plan.harmless().ask_of_many(many) })
}

async fn carry_out(
    call: &Call<GitHub>,
    owner: &str,
    project: &str,
    action: Action,
    target: &Target,
    settings: &[Setting],
) -> Result<String> {
    let api = call.api();
    let item = match (&target.item, &target.content) {
        (Some(item), _) => item.clone(),
        (None, Some(content)) => api.add_project_item(owner, project, content).await?,
        (None, None) => {
            return Err(Error::not_found(format!("{} is not an item of the project", target.name)));
        }
    };
    if action == Action::Remove {
        api.delete_project_item(owner, project, &item).await?;
        return Ok(target.name.clone());
    }
    for setting in settings {
        api.set_project_field(owner, project, &item, &setting.field, setting.value.as_ref()).await?;
    }
    Ok(format!("{} is {}", target.name, one_line(&item)))
}

/// The row that `text` names; it must be about something within reach.
async fn target(call: &Call<GitHub>, owner: &str, project: &Project, text: &str) -> Result<Target> {
    let text = text.trim();
    if text.starts_with("PVTI_") {
        let item = call.api().project_item(owner, text).await?;
        if item.project.id != project.id {
            return Err(Error::invalid(format!("`items`: {} is of another project", one_line(text))));
        }
        let repo = item.content.repo();
        if !repo.is_empty() {
            call.bounds().permits(&Repo::parse(repo)?, Effect::Write)?;
        } else if call.bounds().narrows(Effect::Write) {
            return Err(Error::new(
                Kind::Policy,
                "This server may write to some repositories only, and a draft lies in none",
            ));
        }
        let name = match repo {
            "" => format!("draft \"{}\"", one_line(&item.content.title)),
            repo => format!(
                "{}#{} \"{}\"",
                one_line(repo),
                one_line(&item.content.number),
                one_line(&item.content.title)
            ),
        };
        return Ok(Target { name, item: Some(item.id), content: None });
    }
    let home = match call.bounds().default_repo() {
        Some(repo) => repo.clone(),
        None if text.contains('/') => Repo { owner: owner.to_owned(), name: "-".to_owned() },
        None => {
            return Err(Error::invalid(format!("`items`: `{}` names no repository", one_line(text)))
                .with_hint("Write owner/name#12"));
        }
    };
    call.bounds().is_ours(text)?;
    let (repo, number) = reference::parse("items", text, &home)?;
    call.bounds().permits(&repo, Effect::Write)?;
    let found = call.api().project_content(&repo, number).await?;
    Ok(Target {
        name: format!("{repo}#{number} \"{}\"", one_line(&found.title)),
        item: found.item(&project.id).map(str::to_owned),
        content: Some(found.id),
    })
}

/// A field by its name, and its value as GitHub takes it.
fn setting(project: &Project, name: &str, value: &str) -> Result<Setting> {
    let wanted = name.trim().to_lowercase();
    let fields = &project.fields.nodes;
    let field =
        fields.iter().find(|field| field.name.to_lowercase() == wanted).ok_or_else(|| {
            let names: Vec<_> =
                fields.iter().map(|field| field.name.as_str()).filter(|name| !name.is_empty()).collect();
            let near = nearest(&wanted, names.iter().copied())
                .map(|near| format!("Did you mean {}? ", one_line(near)));
            Error::invalid(format!("`fields`: the project has no field `{}`", one_line(name)))
                .with_hint(format!("{}It has {}", near.unwrap_or_default(), one_line(&names.join(", "))))
        })?;
    let shown = one_line(&field.name);
    let value = value.trim();
    let made = made(field, value)?;
    let words = match &made {
        Some(_) => format!("{shown} = {}", one_line(value)),
        None => format!("{shown} is cleared"),
    };
    Ok(Setting { field: field.id.clone(), value: made, words })
}

/// A value as GitHub's `ProjectV2FieldValue`; none for none.
fn made(field: &Field, value: &str) -> Result<Option<Value>> {
    let name = one_line(&field.name);
    let wrong =
        |what: &str| Error::invalid(format!("`fields`: `{}` is not a {what} for {name}", one_line(value)));
    let settable = ["TEXT", "NUMBER", "DATE", "SINGLE_SELECT", "ITERATION"];
    if !settable.contains(&field.data_type.as_str()) {
        return Err(Error::invalid(format!("`fields`: {name} belongs to the issue itself"))
            .with_hint("update_issue and update_pr change titles, assignees, labels and milestones"));
    }
    if value.is_empty() {
        return Ok(None);
    }
    Ok(Some(match field.data_type.as_str() {
        "TEXT" => json!({"text": value}),
        "NUMBER" => {
            let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
            json!({"number": number.ok_or_else(|| wrong("number"))?})
        }
        "DATE" => {
            let date: jiff::civil::Date =
                value.parse().map_err(|_| wrong("date").with_hint("Use a date such as 2026-12-24"))?;
            json!({"date": date.to_string()})
        }
        "ITERATION" => json!({"iterationId": choice(field.iterations(), value, &name)?}),
        _ => json!({"singleSelectOptionId": choice(&field.options, value, &name)?}),
    }))
}

/// The id of the choice that a name or an id means.
fn choice(choices: &[Choice], value: &str, field: &str) -> Result<String> {
    let wanted = value.to_lowercase();
    let found = choices.iter().find(|choice| choice.name.to_lowercase() == wanted || choice.id == value);
    found.map(|choice| choice.id.clone()).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|choice| choice.name.as_str()).collect();
        Error::invalid(format!("`fields`: {field} cannot be `{}`", one_line(value)))
            .with_hint(format!("It can be {}", one_line(&names.join(", "))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str) -> Field {
        let options = json!([{"id": "a1", "name": "In Progress"}]);
        serde_json::from_value(json!({"name": "F", "dataType": kind, "options": options})).unwrap()
    }

    #[test]
    fn values_are_made_as_the_field_takes_them() {
        let of = |kind: &str, value: &str| made(&field(kind), value);
        assert_eq!(of("TEXT", "x").unwrap(), Some(json!({"text": "x"})));
        assert_eq!(of("NUMBER", "2.5").unwrap(), Some(json!({"number": 2.5})));
        assert_eq!(of("DATE", "2026-12-24").unwrap(), Some(json!({"date": "2026-12-24"})));
        assert_eq!(of("SINGLE_SELECT", "in progress").unwrap(), Some(json!({"singleSelectOptionId": "a1"})));
        assert_eq!(of("SINGLE_SELECT", "").unwrap(), None, "it is cleared");
        for (kind, value) in [
            ("NUMBER", "many"),
            ("NUMBER", "inf"),
            ("DATE", "soon"),
            ("SINGLE_SELECT", "Done"),
            ("TITLE", "x"),
        ] {
            assert!(of(kind, value).is_err(), "{kind} {value}");
        }
    }
}
