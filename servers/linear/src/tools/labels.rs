//! Labels of issues: created, changed and deleted.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Changes, Clear, FieldValue, Plan, Reply, Tool, Written, one_line, reconcile, words},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::outcome;
use crate::{
    Linear,
    api::{
        issues::Listing,
        labels::LabelState,
        names::{Label, Team},
    },
    render::{self, Field},
    resolve::{Entry as _, Miss, elsewhere, find},
};

/// Issues that are counted before their label is deleted, at most, and how many of them are shown.
const COUNTED: u32 = 100;
const SHOWN: usize = 10;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::write(
            "save_label",
            "Save a label",
            "Creates an issue label in the workspace or a team; with id (its name), changes one. group puts it into one, is_group makes one.",
            save_label,
        )
        .toolset("admin")
        .aliases(&[("label", "id"), ("parent", "group"), ("colour", "color"), ("teamId", "team")])
        .output::<Written>(),
        Tool::destructive(
            "delete_label",
            "Delete a label",
            "Deletes an issue label for good.",
            delete_label,
        )
        .toolset("admin")
        .aliases(&[("label", "id"), ("name", "id")])
        .output::<Written>(),
    ]
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaveLabel {
    id: Option<String>,
    name: Option<String>,
    team: Option<String>,
    group: Option<String>,
    is_group: Option<bool>,
    /// Such as #5e6ad2
    color: Option<String>,
    description: Option<String>,
    #[serde(default)]
    clear: Vec<Emptied>,
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Emptied {
    Group,
    Description,
}

async fn save_label(call: Call<Linear>, mut args: SaveLabel) -> Result<Plan> {
    if args.name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(Error::invalid("`name` is empty"));
    }
    // "name must be shorter than or equal to 80 characters."
    words::at_most("Linear", "name", args.name.as_deref().unwrap_or_default().trim(), 80)?;
    if let Some(color) = &args.color {
        args.color = Some(hex(color)?);
    }
    let team = match &args.team {
        Some(team) => Some(call.names().team(team).await?),
        None => None,
    };
    let labels: Vec<Label> = call.names().all().await?;
    let group = Clear::of(args.group.as_deref(), args.clear.contains(&Emptied::Group))
        .try_map(|group| find_group(group, &labels, team.as_ref()))?;
    match args.id.clone() {
        Some(id) => change(&call, &id, args, team, group, labels).await,
        None => create(&call, args, team, group, &labels),
    }
}

fn create(
    call: &Call<Linear>,
    args: SaveLabel,
    team: Option<Team>,
    group: Clear<Label>,
    labels: &[Label],
) -> Result<Plan> {
    let Some(name) = args.name.as_deref().map(str::trim) else {
        return Err(
            Error::invalid("A new label needs `name`").with_hint("To change a label, give its name as `id`")
        );
    };
    // Linear takes a name once in the workspace and once in each team.
    let there = labels.iter().find(|label| {
        label.name.trim().to_lowercase() == name.to_lowercase()
            && label.team.as_ref().map(|owner| owner.id.as_str())
                == team.as_ref().map(|team| team.id.as_str())
    });
    if let Some(there) = there {
        let hint = if there.retired_at.is_some() {
            "It is retired; a person can restore it in Linear's settings"
        } else {
            "To change it, give its name as `id`"
        };
        return Err(Error::new(Kind::Conflict, format!("There is a label {} already", there.describe()))
            .with_hint(hint));
    }
    let namesakes = namesakes(name, labels);
    let id = Uuid::new_v4().to_string();
    let (changes, mut input) = compare(&LabelState::default(), &args, &group);
    input.insert("id".to_owned(), json!(id));
    let place = match &team {
        Some(team) => {
            input.insert("teamId".to_owned(), json!(team.id));
            format!("the team {}", team.key)
        }
        None => "the workspace".to_owned(),
    };
    let mut preview = Written::new(format!("Create the label {} in {place}", one_line(name)));
    preview.changed = changes.wanted();
    preview.changed.extend(namesakes.clone());
    let api = call.api().clone();
    Ok(Plan::new(Reply::written(preview), move || async move {
        let sent = api.create_label(Value::Object(input)).await;
        let sent = sent.map(|payload| payload.issue_label.filter(|_| payload.success));
        let label = outcome::created(sent, "create the label", api.get_label(&id)).await?;
        let outcome = changes.outcome(|field| field_value(&label, field));
        let thing = format!("the label {} in {place}", one_line(&label.name));
        let summary = if outcome.refused.is_empty() {
            format!("Created {thing}")
        } else {
            outcome.summary("Linear", &thing)
        };
        let mut written = Written::new(summary).id(label.id);
        written.changed = outcome.lines();
        written.changed.extend(namesakes);
        Ok(Reply::written(written))
    }))
}

/// Where else there is a label of this name: which of them is meant will have to be said.
fn namesakes(name: &str, labels: &[Label]) -> Option<String> {
    let same = |label: &&Label| label.name.trim().to_lowercase() == name.to_lowercase();
    let there: Vec<String> = labels
        .iter()
        .filter(same)
        .map(|label| match &label.team {
            Some(team) => format!("the team {}", team.key),
            None => "the workspace".to_owned(),
        })
        .collect();
    (!there.is_empty()).then(|| {
        format!("there is a label of this name already in {}; this is another one", words::listed(&there, 5))
    })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteLabel {
    id: String,
    team: Option<String>,
}

async fn delete_label(call: Call<Linear>, args: DeleteLabel) -> Result<Plan> {
    let team = match &args.team {
        Some(team) => Some(call.names().team(team).await?),
        None => None,
    };
    let labels: Vec<Label> = call.names().all().await?;
    let label = of_team(&args.id, &labels, team.as_ref())?;
    let members: Vec<String> = labels
        .iter()
        .filter(|other| other.parent.as_ref().is_some_and(|parent| parent.id == label.id))
        .map(Label::describe)
        .collect();
    if !members.is_empty() {
        return Err(Error::invalid(format!("{} is a group that still has labels", label.describe()))
            .with_hint(format!("Delete them or take them out of it first: {}", words::listed(&members, 8))));
    }
    let thing = format!("the label {}", label.describe());
    let listing = Listing {
        view: None,
        filter: json!({"labels": {"some": {"id": {"eq": label.id}}}}),
        first: COUNTED,
        after: None,
        order_by: Some("updatedAt"),
        sort: None,
        archived: true,
        blockers: false,
    };
    let with_it = call.api().list_issues(&listing).await?.data;
    let count = with_it.nodes.len();
    let more = if with_it.page_info.has_next_page { " or more" } else { "" };
    let mut preview = Reply::new(match count {
        0 => format!("Delete {thing}, for good. No issue has it."),
        1 => format!("Delete {thing}, for good. 1 issue has it:"),
        _ => format!("Delete {thing}, for good. {count}{more} issues have it:"),
    });
    let shown: Vec<String> =
        with_it.nodes.iter().take(SHOWN).map(|issue| render::issue_row(issue, &[Field::Title])).collect();
    if !shown.is_empty() {
        let rest = if count > SHOWN { "\nand others" } else { "" };
        preview = preview.outside("issues", None, format!("{}{rest}", shown.join("\n")));
    }
    let mut seen: Vec<&str> = with_it.nodes.iter().map(|issue| issue.id.as_str()).collect();
    seen.sort_unstable();
    let seen = (label.id.clone(), seen.join(","));
    let (id, api) = (label.id.clone(), call.api().clone());
    Ok(Plan::new(preview, move || async move {
        let deleted = api.delete_label(&id).await;
        let deleted = deleted.and_then(|done| outcome::done(done.then_some(()), &format!("delete {thing}")));
        // It was there a moment ago: what is not there now is deleted.
        let look = async {
            let now = api.get_label(&id).await;
            now.is_err_and(|error| error.kind() == Kind::NotFound).then_some(())
        };
        reconcile::created(deleted, look).await?;
        Ok(Reply::written(Written::new(format!("Deleted {thing}."))))
    })
    .state(&seen))
}

/// The label `wanted`, of the `team` if one is given.
fn of_team<'a>(wanted: &str, labels: &'a [Label], team: Option<&Team>) -> Result<&'a Label> {
    let Some(team) = team else { return Ok(find(wanted, labels)?) };
    let is_own = |label: &&Label| label.team.as_ref().is_some_and(|owner| owner.id == team.id);
    let own: Vec<Label> = labels.iter().filter(is_own).cloned().collect();
    let found = find(wanted, &own)
        .map_err(|miss| elsewhere(miss.place(format!("in {}", team.key)), wanted, labels))?;
    labels.iter().find(|label| label.id == found.id).ok_or_else(|| Error::internal("a label is gone"))
}

async fn change(
    call: &Call<Linear>,
    id: &str,
    args: SaveLabel,
    team: Option<Team>,
    group: Clear<Label>,
    labels: Vec<Label>,
) -> Result<Plan> {
    // For a label that exists, `team` only says which one of the same name is meant.
    let found = of_team(id, &labels, team.as_ref())?;
    let old = call.api().get_label(&found.id).await?;
    let (changes, input) = compare(&old, &args, &group);
    let thing = format!("the label {}", found.describe());
    if changes.is_empty() {
        let written = Written::new(format!("Nothing to change: {thing} is already like that"));
        return Ok(Plan::nothing(Reply::written(written.id(old.id))));
    }
    let mut preview = Written::new(format!("Change {thing} on every issue that has it"));
    preview.changed = changes.wanted();
    let api = call.api().clone();
    Ok(Plan::new(Reply::written(preview), move || async move {
        let payload = api.update_label(&old.id, Value::Object(input)).await?;
        let changed = payload.issue_label.filter(|_| payload.success);
        let label = outcome::done(changed, &format!("change {thing}"))?;
        let outcome = changes.outcome(|field| field_value(&label, field));
        let mut written = Written::new(outcome.summary("Linear", &thing)).id(label.id);
        written.changed = outcome.lines();
        Ok(Reply::written(written))
    }))
}

/// The group that `wanted` names, of the workspace or of the label's own team.
fn find_group(wanted: &str, labels: &[Label], team: Option<&Team>) -> Result<Label> {
    let fits = |label: &&Label| {
        label.is_group
            && label.retired_at.is_none()
            && label.team.as_ref().is_none_or(|owner| team.is_some_and(|team| team.id == owner.id))
    };
    let groups: Vec<Label> = labels.iter().filter(fits).cloned().collect();
    if groups.is_empty() {
        return Err(Error::not_found(format!("There is no group of labels `{}`", one_line(wanted)))
            .with_hint("Create it first: save_label with is_group"));
    }
    find(wanted, &groups).cloned().map_err(|miss: Miss| {
        miss.into_error().with_hint("`group` must be a group of labels; save_label with is_group creates one")
    })
}

fn compare(old: &LabelState, args: &SaveLabel, group: &Clear<Label>) -> (Changes, Map<String, Value>) {
    let mut changes = Changes::default();
    let mut input = Map::new();
    let mut ask = |field: &'static str, new: FieldValue, key: &str, value: Value| {
        if changes.set(field, field_value(old, field), new) {
            input.insert(key.to_owned(), value);
        }
    };
    if let Some(name) = args.name.as_deref().map(str::trim) {
        ask("name", FieldValue::Short(name.to_owned()), "name", json!(name));
    }
    if let Some(group) = group.as_change() {
        let name = group.map(|group| group.name.clone());
        ask("group", FieldValue::short(name), "parentId", json!(group.map(|group| &group.id)));
    }
    if let Some(is_group) = args.is_group {
        ask("is a group", yes(is_group), "isGroup", json!(is_group));
    }
    if let Some(color) = &args.color {
        ask("color", FieldValue::Short(color.clone()), "color", json!(color));
    }
    let description = Clear::of(args.description.as_deref(), args.clear.contains(&Emptied::Description));
    if let Some(description) = description.as_change() {
        let text = description.copied().unwrap_or_default();
        ask("description", FieldValue::Short(text.to_owned()), "description", json!(text));
    }
    (changes, input)
}

fn field_value(label: &LabelState, field: &str) -> FieldValue {
    match field {
        "name" => FieldValue::Short(label.name.clone()),
        "group" => FieldValue::short(label.parent.as_ref().map(|parent| parent.name.clone())),
        "is a group" => yes(label.is_group),
        "color" => FieldValue::Short(label.color.to_lowercase()),
        _ => FieldValue::short(label.description.clone()),
    }
}

fn yes(is: bool) -> FieldValue {
    FieldValue::Short(if is { "yes".to_owned() } else { String::new() })
}

/// A color as Linear writes it.
fn hex(color: &str) -> Result<String> {
    let digits = color.trim().trim_start_matches('#').to_lowercase();
    let long = match digits.len() {
        3 => digits.chars().flat_map(|c| [c, c]).collect(),
        _ => digits,
    };
    if long.len() == 6 && long.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(format!("#{long}"));
    }
    Err(Error::invalid(format!("`color` is not a color: {}", one_line(color)))
        .with_hint("Write it as #5e6ad2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_brought_into_linears_form() {
        assert_eq!(hex("5E6AD2").unwrap(), "#5e6ad2");
        assert_eq!(hex("#fa0").unwrap(), "#ffaa00");
        assert!(hex("blue").is_err());
    }
}
