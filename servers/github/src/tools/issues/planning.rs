//! What issues are sorted by, kept in order: labels and milestones. get_repo lists them.
//!
//! Deleting asks: it takes the label or the milestone from everything that has it.

use connector::catalog::reconcile;
use connector::{
    Error, Kind, Result,
    catalog::{
        Calendar, Call, Changes, FieldValue, Plan, Reply, Tool, Written, one_line,
        words::{at_most, counted, short},
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    GitHub,
    api::planning::{Label, Milestone},
    render,
    repo::Repo,
    resolve::naming,
    scopes,
};

/// The colour of a label that is given none: GitHub's own grey.
const GREY: &str = "ededed";

/// Characters of a milestone's description that a reply shows.
const DESCRIPTION: usize = 120;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::destructive(
            "manage_label",
            "Manage labels",
            "Creates, changes or deletes a label of a repository. get_repo lists them.",
            manage_label,
        )
        .toolset("planning")
        .scopes(scopes::REPO)
        .idempotent()
        .output::<Written>(),
        Tool::destructive(
            "manage_milestone",
            "Manage milestones",
            "Creates, changes, closes, reopens or deletes a milestone, named by its title or number. get_repo lists \
             them.",
            manage_milestone,
        )
        .toolset("planning")
        .scopes(scopes::REPO)
        .idempotent()
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ManageLabel {
    repo: Option<String>,
    action: LabelAction,
    name: String,
    new_name: Option<String>,
    /// Six hexadecimal digits
    color: Option<String>,
    description: Option<String>,
    #[serde(default)]
    clear: Vec<LabelEmptied>,
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LabelEmptied {
    Description,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LabelAction {
    Create,
    Update,
    Delete,
}

async fn manage_label(call: Call<GitHub>, mut arguments: ManageLabel) -> Result<Plan> {
    if arguments.clear.contains(&LabelEmptied::Description) {
        arguments.description = Some(String::new());
    }
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    call.bounds().permits(&repo, connector::Effect::Write)?;
    let name = arguments.name.trim().to_owned();
    if name.is_empty() {
        return Err(Error::invalid("`name` is empty"));
    }
    let color = arguments.color.as_deref().map(color).transpose()?;
    for (argument, text, most) in [
        ("name", Some(&name).filter(|_| arguments.action == LabelAction::Create), 50),
        ("new_name", arguments.new_name.as_ref(), 50),
        ("description", arguments.description.as_ref(), 100),
    ] {
        // "name is too long (maximum is 50 characters)"
        at_most("GitHub", argument, text.map_or("", |text| text.trim()), most)?;
    }
    if arguments.new_name.is_some() && arguments.action != LabelAction::Update {
        return Err(Error::invalid("`new_name` goes with action update"));
    }
    if arguments.action == LabelAction::Delete && (color.is_some() || arguments.description.is_some()) {
        return Err(Error::invalid("Nothing else goes with action delete"));
    }
    match arguments.action {
        LabelAction::Create => create_label(call, repo, name, color, arguments.description).await,
        LabelAction::Update => {
            let label = named_label(&call, &repo, &name).await?;
            update_label(call, repo, label, arguments.new_name, color, arguments.description)
        }
        LabelAction::Delete => {
            let label = named_label(&call, &repo, &name).await?;
            let shown = one_line(&label.name);
            let preview = Written::new(format!("Delete the label [{shown}] of {repo}"))
                .change("it is taken from every issue and pull request that has it");
            let seen = (label.name.clone(), label.description.clone());
            Ok(Plan::new(Reply::written(preview), move || async move {
                call.api().delete_label(&repo, &label.name).await?;
                Ok(Reply::written(Written::new(format!("Deleted the label [{shown}] of {repo}."))))
            })
            .state(&seen)
            .ask())
        }
    }
}

/// The label of this name, in GitHub's own spelling.
async fn named_label(server: &GitHub, repo: &Repo, name: &str) -> Result<Label> {
    let spelled = naming::labels(server, repo, std::slice::from_ref(&name.to_owned())).await?;
    let spelled = spelled.first().map_or(name, String::as_str);
    server.api().label(repo, spelled).await?.ok_or_else(|| {
        Error::not_found(format!("{repo} has no label `{}`", one_line(name))).with_hint("get_repo lists them")
    })
}

/// A colour as GitHub takes it.
fn color(text: &str) -> Result<String> {
    let digits = text.trim().trim_start_matches('#').to_lowercase();
    if digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    Err(Error::invalid(format!("`color`: `{}` is not a colour", one_line(text)))
        .with_hint("Six hexadecimal digits, such as d73a4a"))
}

async fn create_label(
    call: Call<GitHub>,
    repo: Repo,
    name: String,
    color: Option<String>,
    description: Option<String>,
) -> Result<Plan> {
    if let Some(label) = call.api().label(&repo, &name).await? {
        return Err(Error::new(
            Kind::Conflict,
            format!("{repo} has the label [{}] already", one_line(&label.name)),
        )
        .with_hint("Action update changes it"));
    }
    let color = color.unwrap_or_else(|| GREY.to_owned());
    let description = description.unwrap_or_default();
    let mut preview = Written::new(format!("Create the label [{}] in {repo}", one_line(&name)))
        .change(format!("color {color}"));
    if !description.is_empty() {
        preview = preview.change(format!("description \"{}\"", one_line(&description)));
    }
    Ok(Plan::new(Reply::written(preview), move || async move {
        let fields = json!({"name": name, "color": color, "description": description});
        let sent = call.api().create_label(&repo, &fields).await;
        // There was none before, and names are single: what is there now was made by this.
        let look = async { call.api().label(&repo, &name).await.ok().flatten() };
        let (label, lost) = reconcile::created(sent, look).await?;
        let shown = one_line(&label.name);
        let summary = reconcile::summary("GitHub", lost, &format!("created the label [{shown}] in {repo}"));
        let mut written = Written::new(summary).change(format!("color {}", one_line(&label.color)));
        if !label.description.is_empty() {
            written = written.change(format!("description \"{}\"", one_line(&label.description)));
        } else if !description.is_empty() {
            written = written.change("NOT accepted by GitHub: the description");
        }
        Ok(Reply::written(written.id(label.name)))
    })
    .harmless())
}

fn update_label(
    call: Call<GitHub>,
    repo: Repo,
    label: Label,
    new_name: Option<String>,
    color: Option<String>,
    description: Option<String>,
) -> Result<Plan> {
    let mut changes = Changes::default();
    let mut fields = Map::new();
    let new_name = new_name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    for (field, key, wanted) in [
        ("name", "new_name", new_name),
        ("color", "color", color),
        ("description", "description", description),
    ] {
        if let Some(wanted) = wanted
            && changes.set(field, label_field(&label, field), FieldValue::Short(wanted.clone()))
        {
            fields.insert(key.to_owned(), json!(wanted));
        }
    }
    let shown = one_line(&label.name);
    if changes.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to change: the label [{shown}] is already like that."
        )))));
    }
    let mut preview = Written::new(format!("Change the label [{shown}] of {repo}"));
    for line in changes.wanted() {
        preview = preview.change(line);
    }
    let seen = (label.name.clone(), label.description.clone());
    let plan = Plan::new(Reply::written(preview), move || async move {
        let after = call.api().change_label(&repo, &label.name, &Value::Object(fields)).await?;
        let outcome = changes.outcome(|field| label_field(&after, field));
        let mut written = Written::new(outcome.summary("GitHub", &format!("the label [{shown}] of {repo}")));
        for line in outcome.lines() {
            written = written.change(line);
        }
        Ok(Reply::written(written.id(after.name)))
    });
    let plan = plan.state(&seen);
    Ok(plan.harmless())
}

fn label_field(label: &Label, field: &str) -> FieldValue {
    FieldValue::Short(
        match field {
            "name" => &label.name,
            "color" => &label.color,
            _ => &label.description,
        }
        .clone(),
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ManageMilestone {
    repo: Option<String>,
    action: MilestoneAction,
    milestone: String,
    new_title: Option<String>,
    description: Option<String>,
    /// Date
    due: Option<String>,
    #[serde(default)]
    clear: Vec<MilestoneEmptied>,
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum MilestoneEmptied {
    Description,
    Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum MilestoneAction {
    Create,
    Update,
    Close,
    Reopen,
    Delete,
}

async fn manage_milestone(call: Call<GitHub>, mut arguments: ManageMilestone) -> Result<Plan> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    call.bounds().permits(&repo, connector::Effect::Write)?;
    let mut due = arguments.due.as_deref().map(due).transpose()?;
    for emptied in &arguments.clear {
        match emptied {
            MilestoneEmptied::Description => arguments.description = Some(String::new()),
            MilestoneEmptied::Due => due = Some(String::new()),
        }
    }
    let plain = matches!(arguments.action, MilestoneAction::Delete);
    if plain && (arguments.new_title.is_some() || arguments.description.is_some() || due.is_some()) {
        return Err(Error::invalid("Nothing else goes with action delete"));
    }
    if arguments.action == MilestoneAction::Create {
        if arguments.new_title.is_some() {
            return Err(Error::invalid("`new_title` goes with action update"));
        }
        return create_milestone(
            call,
            repo,
            arguments.milestone.trim().to_owned(),
            arguments.description,
            due,
        )
        .await;
    }
    let milestone = naming::milestone(&call, &repo, &arguments.milestone).await?;
    let title = one_line(&milestone.title);
    if plain {
        let preview = Written::new(format!("Delete the milestone \"{title}\" of {repo}")).change(format!(
            "{} then in no milestone",
            counted(milestone.size(), ("issue or pull request is", "issues and pull requests are"))
        ));
        let seen = (milestone.number.clone(), milestone.title.clone(), milestone.size());
        return Ok(Plan::new(Reply::written(preview), move || async move {
            call.api().delete_milestone(&repo, &milestone.number).await?;
            Ok(Reply::written(Written::new(format!("Deleted the milestone \"{title}\" of {repo}."))))
        })
        .state(&seen)
        .ask());
    }
    let state = match arguments.action {
        MilestoneAction::Close => Some("closed".to_owned()),
        MilestoneAction::Reopen => Some("open".to_owned()),
        _ => None,
    };
    let wanted = [
        (
            "title",
            "title",
            arguments.new_title.map(|title| title.trim().to_owned()).filter(|title| !title.is_empty()),
        ),
        ("state", "state", state),
        ("description", "description", arguments.description),
        ("due", "due_on", due),
    ];
    let mut changes = Changes::default();
    let mut fields = Map::new();
    for (field, key, wanted) in wanted {
        if let Some(wanted) = wanted
            && changes.set(field, milestone_field(&milestone, field), milestone_told(field, &wanted))
        {
            let value = if key == "due_on" { due_value(&wanted) } else { json!(wanted) };
            fields.insert(key.to_owned(), value);
        }
    }
    if changes.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to change: the milestone \"{title}\" is already like that."
        )))));
    }
    let mut preview = Written::new(format!("Change the milestone \"{title}\" of {repo}"));
    for line in changes.wanted() {
        preview = preview.change(line);
    }
    Ok(Plan::new(Reply::written(preview), move || async move {
        let after = call.api().change_milestone(&repo, &milestone.number, &Value::Object(fields)).await?;
        let outcome = changes.outcome(|field| milestone_field(&after, field));
        let mut written =
            Written::new(outcome.summary("GitHub", &format!("the milestone \"{title}\" of {repo}")));
        for line in outcome.lines() {
            written = written.change(line);
        }
        Ok(Reply::written(written.id(after.number).url(after.html_url)))
    })
    .harmless())
}

/// A due date: empty for none.
fn due(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text == "none" {
        return Ok(String::new());
    }
    Calendar::new(None).day("due", text).map(|day| day.to_string())
}

/// A due date as GitHub takes it: it keeps the day only, and reads it in a time zone of its own, so noon is
/// meant by every one of them.
fn due_value(date: &str) -> Value {
    if date.is_empty() { Value::Null } else { json!(format!("{date}T12:00:00Z")) }
}

fn milestone_told(field: &str, value: &str) -> FieldValue {
    if field == "description" {
        FieldValue::Exact(value.to_owned())
    } else {
        FieldValue::Short(value.to_owned())
    }
}

fn milestone_field(milestone: &Milestone, field: &str) -> FieldValue {
    let value = match field {
        "title" => &milestone.title,
        "state" => &milestone.state,
        "description" => &milestone.description,
        _ => return FieldValue::Short(render::day(&milestone.due_on).to_owned()),
    };
    milestone_told(field, value)
}

async fn create_milestone(
    call: Call<GitHub>,
    repo: Repo,
    title: String,
    description: Option<String>,
    due: Option<String>,
) -> Result<Plan> {
    if title.is_empty() {
        return Err(Error::invalid("`milestone` is empty").with_hint("Give the title of the new milestone"));
    }
    let is = |other: &&Milestone| other.title == title;
    let listed = call.api().milestones(&repo).await?;
    if let Some(found) = listed.items.iter().find(is) {
        return Err(Error::new(
            Kind::Conflict,
            format!("{repo} has the milestone \"{}\" already, as number {}", one_line(&title), found.number),
        )
        .with_hint("Action update changes it"));
    }
    let mut fields = json!({"title": title});
    let mut preview = Written::new(format!("Create the milestone \"{}\" in {repo}", one_line(&title)));
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        preview = preview.change(format!("description \"{}\"", short(&description, DESCRIPTION)));
        fields["description"] = json!(description);
    }
    if let Some(due) = due.filter(|due| !due.is_empty()) {
        preview = preview.change(format!("due {due}"));
        fields["due_on"] = due_value(&due);
    }
    Ok(Plan::new(Reply::written(preview), move || async move {
        let sent = call.api().create_milestone(&repo, &fields).await;
        // There was none before, and titles are single: what is there now was made by this.
        let look = async {
            call.api().invalidate(&repo);
            let listed = call.api().milestones(&repo).await.ok()?;
            listed.items.into_iter().find(|other| other.title == title)
        };
        let (milestone, lost) = reconcile::created(sent, look).await?;
        let shown = one_line(&milestone.title);
        let made = format!("created the milestone \"{shown}\" in {repo}, number {}", milestone.number);
        let summary = reconcile::summary("GitHub", lost, &made);
        let mut written = Written::new(summary);
        if !milestone.description.is_empty() {
            written =
                written.change(format!("description \"{}\"", short(&milestone.description, DESCRIPTION)));
        } else if fields["description"].is_string() {
            written = written.change("NOT accepted by GitHub: the description");
        }
        if !milestone.due_on.is_empty() {
            written = written.change(format!("due {}", render::day(&milestone.due_on)));
        }
        Ok(Reply::written(written.id(milestone.number).url(milestone.html_url)))
    })
    .harmless())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_dates_are_read_as_people_write_them() {
        assert_eq!(color("#D73A4A").unwrap(), "d73a4a");
        assert!(color("red").is_err() && color("12345").is_err());
        assert_eq!((due("2026-12-24").unwrap().as_str(), due("").unwrap().as_str()), ("2026-12-24", ""));
        assert!(due("christmas").is_err());
        assert_eq!(due_value(""), Value::Null);
    }
}
