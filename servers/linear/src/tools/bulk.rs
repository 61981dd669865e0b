//! `bulk_update_issues`: the same changes on many issues, with an account of each.

use std::collections::{BTreeMap, HashSet};

use connector::{
    Error, Kind, Result,
    catalog::{Calendar, Call, Plan, Reply, Tool, reconcile, words},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    issue_changes::{Changes, Emptied, Fields},
    issue_rules::look_around,
    issues_read,
};
use crate::{
    Linear,
    api::issues::{Issue, Sections},
    filter::{IssueQuery, is_blocked},
    render,
};

/// Issues in one call, at most: what Linear changes in one mutation.
const MOST: usize = 50;
/// Characters of a title that a preview shows, of a few issues and of many.
const TITLE: (usize, usize) = (256, 60);
/// So many issues are a few.
const FEW: usize = 10;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::write(
            "bulk_update_issues",
            "Update many issues",
            "Makes the same changes (fields of update_issue, no texts) on up to 50 issues: ids, or a filter of \
             list_issues arguments, which first shows what it would do.",
            bulk_update,
        )
        .toolset("issues")
        .idempotent()
        .confirmable()
        .aliases(&[
            ("issues", "ids"),
            ("set", "changes"),
            ("update", "changes"),
            ("status", "state"),
            ("states", "state"),
            ("teams", "team"),
            ("label", "labels"),
            ("assigneeId", "assignee"),
            ("created_by", "creator"),
            ("dueDate", "due"),
        ])
        .output::<Outcome>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    #[schemars(schema_with = "filter_in_names")]
    filter: Option<IssueQuery>,
    expected_count: Option<u32>,
    #[schemars(schema_with = "changes_in_names")]
    changes: Fields,
}

/// The schema of a filter: list_issues says what its arguments mean.
fn filter_in_names(generator: &mut SchemaGenerator) -> Schema {
    in_names(IssueQuery::json_schema(generator))
}

/// The schema of changes: update_issue says what the fields mean.
fn changes_in_names(generator: &mut SchemaGenerator) -> Schema {
    in_names(Fields::json_schema(generator))
}

/// The schema of an object by the names of its fields alone, where another place says what they mean.
pub(super) fn in_names(mut schema: Schema) -> Schema {
    schema.remove("description");
    if let Some(Value::Object(fields)) = schema.get_mut("properties") {
        for field in fields.values_mut().filter_map(Value::as_object_mut) {
            field.remove("description");
        }
    }
    schema
}

/// The answer of `bulk_update_issues`.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Outcome {
    summary: String,
    /// A line for each issue.
    issues: Vec<String>,
    failed: usize,
}

/// Issues that take the same input, because they are of the same team.
struct Group {
    issues: Vec<(Issue, Changes)>,
    input: Value,
}

async fn bulk_update(call: Call<Linear>, arguments: Arguments) -> Result<Plan> {
    let Arguments { ids, filter, expected_count, changes: fields } = arguments;
    if fields.empties(Emptied::Description) {
        return Err(Error::invalid("`changes.clear` takes no `description`: texts are changed one by one"));
    }
    if fields.milestone.is_some() && fields.project.is_none() {
        // The same name is another milestone in each project.
        return Err(Error::invalid(
            "`milestone` needs `project` as well: each project has its own milestones",
        ));
    }
    let mut gone = Vec::new();
    let by_filter = filter.is_some();
    let (issues, taken_for) = match (ids.is_empty(), filter) {
        (false, None) => (by_ids(&call, &ids, &mut gone).await?, Vec::new()),
        (true, Some(filter)) => filtered(&call, filter).await?,
        _ => return Err(Error::invalid("Give either `ids` or `filter`")),
    };
    if issues.is_empty() {
        let mut reply = Reply::new("No issue matches, so nothing was changed.");
        if !gone.is_empty() {
            reply = reply.line(format!("Not there, or not visible: {}", gone.join(", ")));
        }
        return Ok(Plan::nothing(
            reply.data(&Outcome { summary: "No issue matches.".to_owned(), ..Outcome::default() }),
        ));
    }
    let total = issues.len();
    if let Some(expected) = expected_count.filter(|expected| *expected as usize != total) {
        let found = words::counted(total, ("issue matches", "issues match"));
        return Err(Error::new(Kind::Conflict, format!("{found}, not {expected}")).with_hint(
            "Look at them with list_issues, or leave `expected_count` out to see what would be done",
        ));
    }
    let (groups, idle) = grouped(&call, issues, &fields).await?;
    let count: usize = groups.iter().map(|group| group.issues.len()).sum();
    let preview = preview(&groups, &idle, &gone, total, &taken_for);
    if count == 0 {
        return Ok(Plan::nothing(preview));
    }
    // More are asked about in any case, with what would be done.
    if by_filter && expected_count.is_none() && (!Plan::is_many(count) || call.rights().skips_confirmation())
    {
        let reply = preview.lead(format!(
            "Nothing was changed. To do this, repeat the call with \"expected_count\": {total} and without dry_run:"
        ));
        return Ok(Plan::nothing(reply));
    }
    let seen: Vec<_> =
        groups.iter().flat_map(|group| &group.issues).map(|(issue, _)| issue.id.clone()).collect();
    let plan = Plan::new(preview, move || carry_out(call, groups, idle, gone, count)).state(&seen);
    Ok(plan.ask_of_many(count))
}

/// The issues `ids`; those that are not there go to `gone`.
async fn by_ids(call: &Call<Linear>, ids: &[String], gone: &mut Vec<String>) -> Result<Vec<Issue>> {
    let (found, missing) = issues_read::many(call, ids, MOST, Sections::default()).await?;
    gone.extend(missing);
    let mut issues: Vec<Issue> = found.into_iter().map(|found| found.data).collect();
    // Named twice, by its present and a former identifier.
    let mut seen = HashSet::new();
    issues.retain(|issue| seen.insert(issue.id.clone()));
    Ok(issues)
}

/// The issues that a filter finds, if they are not too many, and what its words were taken for.
async fn filtered(call: &Call<Linear>, mut query: IssueQuery) -> Result<(Vec<Issue>, Vec<String>)> {
    if query.is_everything() {
        return Err(Error::invalid("`filter` is empty, which would mean every issue"));
    }
    let calendar = query.prepare(call).await?;
    let mut found = matching(call, &query, &calendar).await?;
    if found.is_empty() && query.has_names() && query.settle(call.names()).await? {
        found = matching(call, &query, &calendar).await?;
    }
    if found.len() > MOST {
        return Err(Error::invalid(format!("The filter finds more than {MOST} issues"))
            .with_hint("Narrow it, or go through them in parts"));
    }
    Ok((found, query.taken_for(&calendar)?))
}

/// The issues that `query` finds: one more than are changed, to tell that there are too many.
async fn matching(call: &Call<Linear>, query: &IssueQuery, calendar: &Calendar) -> Result<Vec<Issue>> {
    let filter = query.to_filter(call.names().default_team(), calendar)?;
    let mut after: Option<String> = None;
    let mut found = Vec::new();
    loop {
        let page = call
            .api()
            .issue_states(&filter, MOST + 1, after.as_deref(), query.archived(), query.blocked.is_some())
            .await?;
        let next = page.next(after.as_deref()).map(str::to_owned);
        let fits = |issue: &Issue| {
            query.blocked.is_none_or(|blocked| blocked == is_blocked(&issue.inverse_relations))
        };
        found.extend(page.nodes.into_iter().filter(fits));
        // What is left out is known only when it was read.
        match next.filter(|_| query.blocked.is_some() && found.len() <= MOST) {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

/// Works out the changes of each issue. Those of one team with the same input form a group; those
/// with nothing to change stay out.
async fn grouped(
    call: &Call<Linear>,
    issues: Vec<Issue>,
    fields: &Fields,
) -> Result<(Vec<Group>, Vec<Issue>)> {
    let target = match &fields.team {
        Some(team) => Some(call.names().team(team).await?),
        None => None,
    };
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut idle = Vec::new();
    for issue in issues {
        let mut changes = Changes::default();
        let mut home = issue.team.clone();
        home.cycles_enabled = true;
        if let Some(target) = &target {
            changes.team(target);
            home = target.clone();
        }
        changes.fields(call, fields, &home, Some(&issue)).await?;
        changes.without_what_is(&issue);
        if changes.is_empty() {
            idle.push(issue);
            continue;
        }
        let input = Value::Object(changes.input.clone());
        let group = groups.entry(input.to_string()).or_insert_with(|| Group { issues: Vec::new(), input });
        group.issues.push((issue, changes));
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    let mut closed = Vec::new();
    let mut around = Vec::new();
    for (issue, changes) in groups.iter_mut().flat_map(|group| &mut group.issues) {
        let along = changes.along();
        if along.closes() {
            closed.push(issue.identifier.clone());
            around.push((&*issue, along));
        }
    }
    look_around(call, around).await;
    groups.iter_mut().flat_map(|group| &mut group.issues).for_each(|(_, changes)| {
        changes.along().beside(&closed);
    });
    Ok((groups, idle))
}

fn preview(groups: &[Group], idle: &[Issue], gone: &[String], total: usize, taken_for: &[String]) -> Reply {
    let count = total - idle.len();
    let issues = words::counted(total, ("issue", "issues"));
    let mut summary = match count {
        0 => "Nothing to change".to_owned(),
        count if count == total => format!("Change {issues}"),
        count => format!("Change {count} of {issues}"),
    };
    if !taken_for.is_empty() {
        summary.push_str(&format!(" ({})", taken_for.join("; ")));
    }
    let mut lines: Vec<String> = Vec::new();
    for (issue, changes) in groups.iter().flat_map(|group| &group.issues) {
        let title = words::short(&issue.title, if count <= FEW { TITLE.0 } else { TITLE.1 });
        lines.push(format!("{} \"{title}\": {}", issue.identifier, changes.preview(issue).join("; ")));
    }
    reply(summary, lines, idle, gone, 0)
}

/// A reply with a line for each issue.
fn reply(summary: String, mut lines: Vec<String>, idle: &[Issue], gone: &[String], failed: usize) -> Reply {
    lines.sort();
    if !idle.is_empty() {
        let names: Vec<&str> = idle.iter().map(|issue| issue.identifier.as_str()).collect();
        lines.push(format!("Already like that: {}", names.join(", ")));
    }
    if !gone.is_empty() {
        lines.push(format!("Not there, or not visible: {}", gone.join(", ")));
    }
    let mut reply = Reply::new(summary.clone());
    for line in &lines {
        reply = reply.line(format!("- {line}"));
    }
    reply.data(&Outcome { summary, issues: lines, failed })
}

/// One mutation for each group. A group that fails does not keep the others from being changed.
async fn carry_out(
    call: Call<Linear>,
    groups: Vec<Group>,
    idle: Vec<Issue>,
    gone: Vec<String>,
    count: usize,
) -> Result<Reply> {
    let total = u32::try_from(groups.len()).unwrap_or(u32::MAX);
    let single = groups.len() == 1;
    let mut lines = Vec::new();
    let mut done = 0;
    let mut failed = 0;
    for (group, step) in groups.into_iter().zip(1..) {
        let ids: Vec<String> = group.issues.iter().map(|(issue, _)| issue.id.clone()).collect();
        let check = "Look at the issues with get_issue".to_owned();
        let sent = call.api().update_issues(&ids, &group.input, check).await.map(|payload| payload.issues);
        // Learn from the issues themselves whether it is done; what is not there yet may still arrive.
        let look = async {
            let filter = json!({"id": {"in": ids}});
            let now = call.api().issues(filter, ids.len(), Sections::default()).await.ok()?.data;
            let is_done = |(before, changes): &(Issue, Changes)| {
                let now = now.iter().find(|issue| issue.id == before.id);
                now.is_some_and(|now| changes.refused(now).is_empty())
            };
            group.issues.iter().all(is_done).then_some(now)
        };
        match reconcile::created(sent, look).await {
            Err(error) if single => return Err(error),
            Err(error) => {
                failed += group.issues.len();
                lines.extend(group.issues.iter().map(|(issue, _)| match error.kind() {
                    Kind::UnknownOutcome => format!("{}: {}", issue.identifier, error.for_agent()),
                    _ => format!("{}: NOT changed: {}", issue.identifier, error.for_agent()),
                }));
            }
            Ok((after, _)) => {
                for (before, changes) in &group.issues {
                    let Some(now) = after.iter().find(|issue| issue.id == before.id) else {
                        failed += 1;
                        lines.push(format!(
                            "{}: NOT changed: Linear's answer does not have it",
                            before.identifier
                        ));
                        continue;
                    };
                    let refused = changes.refused(now);
                    let mut all = changes.outcome(before, now);
                    if !all.is_empty() {
                        all.extend(changes.seen_along(&call).await);
                        all.extend(changes.already().iter().cloned());
                    }
                    if refused.is_empty() {
                        done += 1;
                    } else {
                        failed += 1;
                    }
                    lines.push(match all.is_empty() {
                        true => format!(
                            "{}: nothing changed, it is {}",
                            now.identifier,
                            render::state(now.state.as_ref())
                        ),
                        false => format!("{}: {}", now.identifier, all.join("; ")),
                    });
                }
            }
        }
        call.progress(step, Some(total), "issues are being changed").await;
    }
    let summary = if failed == 0 {
        format!("Changed {}.", words::counted(done, ("issue", "issues")))
    } else {
        let all = words::counted(count, ("issue", "issues"));
        format!("Changed {done} of {all}; {failed} failed, in whole or in part.")
    };
    Ok(reply(summary, lines, &idle, &gone, failed))
}
