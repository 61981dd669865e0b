//! `create_issue`, `update_issue`.

use std::time::Duration;

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Plan, Reply, Tool, Written, one_line,
        reconcile::{self, Seen},
        words::counted,
    },
};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::{
    attach::{attach_link, link_to},
    bulk::in_names,
    edits::{self, Edit},
    issue_changes::{Changes, Emptied, Fields, Labels},
    issue_fields::difference,
    issue_rules::look_around,
};
use crate::{
    Linear,
    api::{
        issues::Issue,
        names::{Label, Template},
    },
    render,
    resolve::IssueKey,
};

/// Issues that one call creates, at most.
const MOST: usize = 50;
/// How old a reading may be that a write is based on; an older one is made anew before writing.
const STALE: Duration = Duration::from_secs(2);

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::write(
            "create_issue",
            "Create issues",
            "Creates one issue from title and fields, or up to 50 from `issues`, all or none.",
            create_issue,
        )
        .toolset("issues")
        .confirmable()
        .aliases(&[
            ("status", "state"),
            ("body", "description"),
            ("assigneeId", "assignee"),
            ("dueDate", "due"),
        ])
        .output::<Written>(),
        Tool::write(
            "update_issue",
            "Update an issue",
            "Changes the fields given of one issue. Prefer edits or append, which change the description, to \
             replacing it.",
            update_issue,
        )
        .toolset("issues")
        .idempotent()
        .confirmable()
        .aliases(&[
            ("issue", "id"),
            ("issueId", "id"),
            ("status", "state"),
            ("assigneeId", "assignee"),
            ("dueDate", "due"),
            ("body", "description"),
        ])
        .output::<Written>(),
    ]
}

#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct NewIssue {
    title: Option<String>,
    team: Option<String>,
    description: Option<String>,
    state: Option<String>,
    /// Name, e-mail or me
    assignee: Option<String>,
    labels: Vec<String>,
    /// urgent, high, medium, low
    priority: Option<String>,
    project: Option<String>,
    milestone: Option<String>,
    /// current, next or number
    cycle: Option<String>,
    due: Option<String>,
    estimate: Option<u32>,
    parent: Option<String>,
    links: Vec<String>,
    template: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct CreateIssue {
    #[serde(flatten)]
    one: NewIssue,
    #[serde(default)]
    #[schemars(schema_with = "issues_in_names")]
    issues: Vec<NewIssue>,
}

/// The schema of several issues: the fields of one stand beside it.
fn issues_in_names(generator: &mut SchemaGenerator) -> Schema {
    let one = in_names(NewIssue::json_schema(generator));
    json_schema!({"type": "array", "items": one})
}

/// An issue that is to be created.
struct Draft {
    id: String,
    team: String,
    title: String,
    changes: Changes,
    links: Vec<(Url, Option<String>)>,
    /// The template that it is made from, and what that brings.
    template: Option<String>,
    input: Value,
}

impl Draft {
    /// What it would have, a line for each field.
    fn preview(&self) -> Vec<String> {
        let links = self.links.iter().map(|(url, _)| format!("link {url}"));
        self.changes.preview_new().into_iter().chain(self.template.clone()).chain(links).collect()
    }

    /// Puts its links on the `issue` that was made of it; a line for each, because the issue is there even if
    /// a link is not.
    async fn attach(&self, call: &Call<Linear>, issue: &Issue) -> Vec<String> {
        let mut lines = Vec::new();
        for (url, title) in &self.links {
            lines.push(match attach_link(call.api(), &issue.id, url, title.as_deref()).await {
                Ok(line) => line,
                Err(error) => format!("NOT attached: {url}: {}", error.for_agent()),
            });
        }
        lines
    }
}

async fn create_issue(call: Call<Linear>, arguments: CreateIssue) -> Result<Plan> {
    let CreateIssue { one, issues } = arguments;
    if issues.is_empty() {
        let draft = draft(&call, one, None).await?;
        return Ok(create_one(call, draft));
    }
    if one.title.is_some() {
        return Err(Error::invalid("Give `title` for one issue or `issues` for several, not both"));
    }
    // What stands beside them would reach none of them.
    if one != (NewIssue { team: one.team.clone(), ..NewIssue::default() }) {
        return Err(Error::invalid("Beside `issues` only `team` is taken")
            .with_hint("Give the other fields in each of `issues`"));
    }
    if issues.len() > MOST {
        return Err(Error::invalid(format!(
            "`issues` has {} issues; at most {MOST} go in one call",
            issues.len()
        )));
    }
    let mut drafts = Vec::new();
    for (place, issue) in issues.into_iter().enumerate() {
        let draft = draft(&call, issue, one.team.as_deref()).await;
        drafts.push(draft.map_err(|error| {
            let hint = error.hint().map(str::to_owned);
            let named = Error::new(error.kind(), format!("`issues[{place}]`: {}", error.message()));
            match hint {
                Some(hint) => named.with_hint(hint),
                None => named,
            }
        })?);
    }
    Ok(create_many(call, drafts))
}

/// Works out an issue that is to be created.
async fn draft(call: &Call<Linear>, issue: NewIssue, team: Option<&str>) -> Result<Draft> {
    // A sub-issue belongs to its parent's team, unless it is told otherwise.
    let of_parent = match issue.parent.as_deref().map(|parent| IssueKey::parse(parent, None)) {
        Some(Ok(IssueKey::Number(team, _))) => Some(team),
        _ => None,
    };
    let wanted = issue.team.as_deref().or(team).or(of_parent.as_deref());
    let team = call.names().team_or_default(wanted).await?;
    let template = match &issue.template {
        Some(template) => Some(call.names().template(template, "issue", &team).await?),
        None => None,
    };
    let of_template = || template.as_ref().and_then(|template| template.text("title")).map(str::to_owned);
    let Some(title) = issue.title.or_else(of_template) else {
        return Err(Error::invalid("`create_issue` needs `title`"));
    };
    let mut changes = Changes::default();
    changes.title(&title)?;
    if let Some(description) = issue.description.filter(|text| !text.trim().is_empty()) {
        changes.description(call.names(), &description, "").await?;
    }
    let fields = Fields {
        state: issue.state,
        assignee: issue.assignee,
        labels: (!issue.labels.is_empty()).then(|| Labels { add: issue.labels, ..Labels::default() }),
        priority: issue.priority,
        project: issue.project,
        milestone: issue.milestone,
        cycle: issue.cycle,
        due: issue.due,
        estimate: issue.estimate,
        parent: issue.parent,
        ..Fields::default()
    };
    changes.fields(call, &fields, &team, None).await?;
    let links = issue.links.iter().map(|link| link_to(link)).collect::<Result<Vec<_>>>()?;
    let id = Uuid::new_v4().to_string();
    let mut input = Value::Object(changes.input.clone());
    input["id"] = json!(id);
    input["teamId"] = json!(team.id);
    let template = match template {
        Some(template) => Some(from_template(call, &template, &mut input).await?),
        None => None,
    };
    Ok(Draft { id, team: team.key, title: one_line(&title), changes, links, template, input })
}

/// Has an issue made from a template, and says what that brings. What is given goes before what the template says; its
/// labels are added to those given, where Linear would leave them out.
async fn from_template(call: &Call<Linear>, template: &Template, input: &mut Value) -> Result<String> {
    let mut facts = Vec::new();
    let brings = |key: &str, input: &Value| input.get(key).is_none_or(Value::is_null);
    if let Some(priority) = template.data.get("priority").and_then(Value::as_f64).filter(|p| *p > 0.0)
        && brings("priority", input)
    {
        facts.push(format!("priority {}", render::priority_word(Some(priority))));
    }
    let mut labels = template.labels();
    if !labels.is_empty() {
        let known: Vec<Label> = call.names().all().await?;
        let name =
            |id: &String| known.iter().find(|label| label.id == *id).map(|label| one_line(&label.path()));
        facts.push(format!("labels {}", labels.iter().filter_map(name).collect::<Vec<_>>().join(", ")));
        if let Some(given) = input.get("labelIds").and_then(Value::as_array) {
            labels.extend(given.iter().filter_map(Value::as_str).map(str::to_owned));
            labels.sort();
            labels.dedup();
            input["labelIds"] = json!(labels);
        }
    }
    let text = template.data.get("descriptionData").is_some_and(|data| !data.is_null());
    if brings("description", input) && (text || template.text("description").is_some()) {
        facts.push("its description".to_owned());
    }
    input["templateId"] = json!(template.id);
    let name = one_line(&template.name);
    Ok(if facts.is_empty() {
        format!("template {name}")
    } else {
        format!("template {name}: {}", facts.join(", "))
    })
}

fn create_one(call: Call<Linear>, draft: Draft) -> Plan {
    let mut preview = Written::new(format!("Create an issue in {}", draft.team));
    preview.changed = draft.preview();
    Plan::new(Reply::written(preview), move || async move {
        let check = format!("Check with get_issue whether the issue {} is there", draft.id);
        let sent = call.api().create_issue(&draft.input, check).await;
        let sent = sent.and_then(|payload| payload.issue.ok_or_else(not_accepted));
        // The id is ours: that it exists already means that an earlier attempt created it.
        let look = async { call.api().issue_state(&draft.id).await.ok() };
        let (issue, _) = reconcile::created(sent, look).await?;
        let mut written = Written::new(format!("Created {}: {}", issue.identifier, one_line(&issue.title)));
        let mentions = draft.changes.mentions().iter().cloned();
        written
            .changed
            .extend(shown(&issue).into_iter().chain(mentions).chain(draft.changes.refused(&issue)));
        written.changed.extend(draft.template.clone());
        written.changed.extend(draft.attach(&call, &issue).await);
        if !issue.branch_name.is_empty() {
            written = written.change(format!("branch {}", one_line(&issue.branch_name)));
        }
        Ok(Reply::written(written.id(issue.identifier).url(render::issue_url(&issue.url))))
    })
}

fn create_many(call: Call<Linear>, drafts: Vec<Draft>) -> Plan {
    let many = drafts.len();
    let all = counted(many, ("issue", "issues"));
    let mut preview = Written::new(format!("Create {all}"));
    for draft in &drafts {
        preview =
            preview.change(format!("{} \"{}\": {}", draft.team, draft.title, draft.preview().join("; ")));
    }
    let plan = Plan::new(Reply::written(preview), move || async move {
        let inputs: Vec<Value> = drafts.iter().map(|draft| draft.input.clone()).collect();
        let check = format!("Check with get_issue whether the issue {} is there", drafts[0].id);
        let sent = call.api().create_issues(&inputs, check).await.map(|payload| payload.issues);
        let look = async {
            let mut found = Vec::new();
            for draft in &drafts {
                found.push(call.api().issue_state(&draft.id).await.ok()?);
            }
            Some(found)
        };
        let (created, _) = reconcile::created(sent, look).await?;
        let mut written = Written::new(format!("Created {} of {all}.", created.len()));
        for draft in &drafts {
            written = written.change(match created.iter().find(|issue| issue.id == draft.id) {
                Some(issue) => {
                    let mut lines: Vec<String> = shown(issue).into_iter().collect();
                    lines.extend(draft.changes.mentions().iter().cloned());
                    lines.extend(draft.changes.refused(issue));
                    lines.extend(draft.template.clone());
                    lines.extend(draft.attach(&call, issue).await);
                    if !issue.branch_name.is_empty() {
                        lines.push(format!("branch {}", one_line(&issue.branch_name)));
                    }
                    format!("{} {}: {}", issue.identifier, one_line(&issue.title), lines.join("; "))
                }
                None => format!("NOT created: {}", draft.title),
            });
        }
        Ok(Reply::written(written))
    });
    plan.state(&()).once().ask_of_many(many)
}

/// What a new issue has besides its title, in one line.
fn shown(issue: &Issue) -> Option<String> {
    let mut facts = vec![format!("state {}", render::state(issue.state.as_ref()))];
    if let Some(assignee) = &issue.assignee {
        facts.push(format!("assignee {}", render::person_in_full(assignee)));
    }
    if issue.priority.is_some_and(|priority| priority > 0.0) {
        facts.push(format!("priority {}", render::priority_word(issue.priority)));
    }
    if !issue.labels.nodes.is_empty() {
        facts.push(format!(
            "labels {}",
            issue.labels.nodes.iter().map(render::label).collect::<Vec<_>>().join(", ")
        ));
    }
    if let Some(project) = &issue.project {
        facts.push(format!("project {}", one_line(&project.name)));
    }
    if let Some(milestone) = &issue.project_milestone {
        facts.push(format!("milestone {}", one_line(&milestone.name)));
    }
    if let Some(cycle) = &issue.cycle
        && let Some(number) = cycle.number
    {
        let zone = issue.team.timezone.as_deref();
        let dates = render::dates(cycle.starts_at.as_deref(), cycle.ends_at.as_deref(), zone);
        facts.push(format!("cycle {number}{dates}"));
    }
    if let Some(due) = &issue.due_date {
        facts.push(format!("due {due}"));
    }
    if let Some(estimate) = issue.estimate {
        facts.push(format!("estimate {estimate}"));
    }
    if let Some(parent) = &issue.parent {
        facts.push(format!("under {}", parent.identifier));
    }
    Some(facts.join(", "))
}

pub(super) fn not_accepted() -> Error {
    Error::new(Kind::Upstream, "Linear did not accept it and gave no reason")
}

#[derive(Debug, Deserialize, JsonSchema)]
struct UpdateIssue {
    id: String,
    title: Option<String>,
    /// Replaces all of it
    description: Option<String>,
    #[serde(default)]
    edits: Vec<Edit>,
    append: Option<String>,
    #[serde(flatten)]
    fields: Fields,
    expected_updated_at: Option<String>,
}

async fn update_issue(call: Call<Linear>, arguments: UpdateIssue) -> Result<Plan> {
    let UpdateIssue { id, title, description, edits, append, fields, expected_updated_at } = arguments;
    let replaces = description.is_some() || fields.empties(Emptied::Description);
    let edited = !edits.is_empty() || append.is_some();
    if replaces && edited {
        return Err(Error::invalid(
            "Give either `description`, which replaces the text, or `edits` and `append`",
        ));
    }
    if title.is_none() && !replaces && !edited && fields == Fields::default() {
        return Err(Error::invalid("No change is given")
            .with_hint("null and \"\" count as not given; clear: [\"assignee\"] empties a field"));
    }
    let key = call.names().issue_key(&id).await?;
    let before = call.names().issue(&key).await?;
    let read_at = Instant::now();
    if let Some(expected) = &expected_updated_at {
        expect(&before, expected)?;
    }
    let mut changes = Changes::default();
    let mut home = before.team.clone();
    if let Some(team) = &fields.team {
        home = call.names().team(team).await?;
        changes.team(&home);
    } else {
        // The issue's own team comes with too little to tell whether it has cycles.
        home.cycles_enabled = true;
    }
    if let Some(title) = &title {
        changes.title(title)?;
    }
    let old = before.description.clone().unwrap_or_default();
    if replaces {
        changes.description(call.names(), &description.unwrap_or_default(), &old).await?;
    } else if edited {
        let mut text = edits::apply(&old, &edits)?;
        if let Some(append) = append {
            let separator = if text.trim().is_empty() { "" } else { "\n\n" };
            text = format!("{}{separator}{append}", text.trim_end());
        }
        changes.description(call.names(), &text, &old).await?;
    }
    changes.fields(&call, &fields, &home, Some(&before)).await?;
    changes.without_what_is(&before);
    if changes.is_empty() {
        let written = Written::new(format!("{} is already like that: nothing changed.", before.identifier));
        return Ok(Plan::nothing(Reply::written(
            written.id(before.identifier).url(render::issue_url(&before.url)),
        )));
    }
    if changes.along().closes() {
        look_around(&call, vec![(&before, changes.along())]).await;
    }
    let mut preview = Written::new(format!("Update {}", before.identifier)).id(before.identifier.clone());
    preview.changed = changes.preview(&before);
    // What edits leave is there to be read; a whole text that is replaced is gone.
    let asks = replaces && changes.has_description() && !old.trim().is_empty();
    let seen = before.updated_at.clone();
    let plan = Plan::new(Reply::written(preview), move || async move {
        // A text is replaced as a whole, so what somebody else wrote in between would be lost.
        if changes.has_description() || read_at.elapsed() > STALE {
            let now = call.api().issue_state(&before.id).await?;
            if now.updated_at != before.updated_at {
                return Err(changed_meanwhile(&before, &now));
            }
        }
        let check = format!("Read {} with get_issue", before.identifier);
        let input = Value::Object(changes.input.clone());
        let send = || async {
            let payload = call.api().update_issue(&before.id, &input, check.clone()).await?;
            payload.issue.ok_or_else(not_accepted)
        };
        let look = || async {
            let now = call.api().issue_state(&before.id).await?;
            let text = now.description.as_deref().unwrap_or_default();
            let written =
                input["description"].as_str().is_none_or(|wanted| reconcile::same_text(wanted, text));
            Ok(if written && changes.refused(&now).is_empty() {
                Seen::Done(now)
            } else if now.updated_at == before.updated_at {
                Seen::Untouched
            } else {
                Seen::Changed
            })
        };
        let (after, _) = reconcile::updated(send, look).await?;
        let lines = changes.outcome(&before, &after);
        let summary = if difference(&before, &after).is_empty() {
            format!("Nothing changed on {}.", after.identifier)
        } else {
            format!("Updated {}.", after.identifier)
        };
        let mut written = Written::new(summary).id(after.identifier).url(render::issue_url(&after.url));
        written.changed = lines;
        written.changed.extend(changes.seen_along(&call).await);
        written.changed.extend(changes.already().iter().cloned());
        Ok(Reply::written(written))
    });
    Ok(if asks { plan.state(&seen).ask() } else { plan })
}

/// Fails unless `issue` is as it was at the moment `expected`.
fn expect(issue: &Issue, expected: &str) -> Result<()> {
    let moment = |text: &str| text.trim().parse::<Timestamp>().ok();
    let same = match (moment(expected), moment(&issue.updated_at)) {
        (Some(expected), Some(updated)) => expected == updated,
        (None, _) => {
            return Err(Error::invalid("`expected_updated_at` is not a time")
                .with_hint("Take `updated` from get_issue"));
        }
        (_, None) => expected.trim() == issue.updated_at,
    };
    if same {
        return Ok(());
    }
    let state = render::state(issue.state.as_ref());
    let assignee = issue.assignee.as_ref().map_or_else(|| "unassigned".to_owned(), render::person);
    Err(Error::new(Kind::Conflict, format!("{} changed at {}", issue.identifier, issue.updated_at))
        .with_hint(format!(
            "It is now {state}, priority {}, {assignee}; read it with get_issue and decide anew",
            render::priority_word(issue.priority)
        )))
}

/// Somebody else changed the issue between our reading and our writing.
fn changed_meanwhile(before: &Issue, now: &Issue) -> Error {
    let what = difference(before, now);
    let what = if what.is_empty() { "something that is not shown here".to_owned() } else { what.join("; ") };
    Error::new(Kind::Conflict, format!("{} was changed by somebody else just now: {what}", now.identifier))
        .with_hint("Nothing was written. Read it again and decide anew")
}
