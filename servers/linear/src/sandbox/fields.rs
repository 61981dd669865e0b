//! What a row does not store but shows: addresses, progress, flags that follow from the time, and
//! the lists that other rows make up.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    store::{Row, State, flag, text},
    time::Now,
};

/// The state as one user sees it at one moment.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) now: &'a Now,
    /// The id of the user who asks.
    pub(super) viewer: &'a str,
}

/// The type whose rows a search result shows.
pub(super) fn base(ty: &str) -> &str {
    ty.strip_suffix("SearchResult").filter(|base| *base != "Semantic").unwrap_or(ty)
}

impl View<'_> {
    /// The value of a field: worked out, or as stored. Null and absent are one.
    pub(super) fn value(&self, ty: &str, row: &Row, field: &str) -> Option<Value> {
        let value = self.computed(base(ty), row, field).or_else(|| row.get(field).cloned());
        value.filter(|value| !value.is_null())
    }

    /// The row a to-one relation leads to.
    pub(super) fn one(&self, ty: &str, row: &Row, field: &str, target: &str) -> Option<Arc<Row>> {
        let id = self.value(ty, row, &format!("{field}Id"))?;
        self.state.get(target, id.as_str()?).cloned()
    }

    fn computed(&self, ty: &str, row: &Row, field: &str) -> Option<Value> {
        match ty {
            "Issue" => self.issue(row, field),
            "User" => self.user(row, field),
            "Team" => self.team(row, field),
            "Cycle" => self.cycle(row, field),
            "Project" => self.project(row, field),
            "ProjectMilestone" => self.milestone(row, field),
            "Initiative" => self.initiative(row, field),
            "Document" | "Comment" | "ProjectUpdate" | "InitiativeUpdate" => self.text_entity(ty, row, field),
            "IssueLabel" => match field {
                "isGroup" if !flag(row, "isGroup") => Some(json!(
                    self.state.all("IssueLabel").any(|label| text(label, "parentId") == text(row, "id"))
                )),
                _ => None,
            },
            "Notification" => self.notification(row, field),
            "Attachment" if field == "sourceType" && !row.contains_key("sourceType") => {
                Some(json!(source_of(text(row, "url").unwrap_or_default())))
            }
            "Organization" => match field {
                "userCount" => Some(json!(self.state.all("User").count())),
                "createdIssueCount" => Some(json!(self.state.all("Issue").count())),
                _ => None,
            },
            _ => None,
        }
    }

    fn issue(&self, row: &Row, field: &str) -> Option<Value> {
        let id = text(row, "id").unwrap_or_default();
        let related = |key: &str, kind: &str| {
            let mut relations = self.state.all("IssueRelation");
            Some(json!(
                relations
                    .any(|relation| text(relation, key) == Some(id) && text(relation, "type") == Some(kind))
            ))
        };
        match field {
            "url" => {
                let slug = slug(text(row, "title")?);
                Some(json!(self.address("issue", &format!("{}/{slug}", text(row, "identifier")?))))
            }
            "branchName" => {
                let viewer = self.state.get("User", self.viewer);
                let user = viewer.and_then(|user| text(user, "displayName")).unwrap_or("user");
                let identifier = text(row, "identifier")?.to_lowercase();
                Some(json!(format!("{}/{identifier}-{}", slug(user), slug(text(row, "title")?))))
            }
            "priorityLabel" => Some(json!(priority_label(row))),
            "searchableContent" => {
                let comments =
                    self.state.all("Comment").filter(|comment| text(comment, "issueId") == Some(id));
                let bodies = comments.filter_map(|comment| text(comment, "body"));
                let own = [text(row, "title"), text(row, "description")].into_iter().flatten();
                Some(json!(own.chain(bodies).collect::<Vec<_>>().join("\n")))
            }
            "hasBlockingRelations" => related("issueId", "blocks"),
            "hasBlockedByRelations" => related("relatedIssueId", "blocks"),
            "hasRelatedRelations" => related("issueId", "related"),
            "hasDuplicateRelations" => related("issueId", "duplicate"),
            _ => None,
        }
    }

    fn user(&self, row: &Row, field: &str) -> Option<Value> {
        match field {
            "isMe" => Some(json!(text(row, "id") == Some(self.viewer))),
            "active" | "isAssignable" | "isMentionable" => {
                Some(json!(row.get("active").and_then(Value::as_bool).unwrap_or(true)))
            }
            "initials" => {
                let name = text(row, "name")?;
                Some(json!(
                    name.split_whitespace().filter_map(|word| word.chars().next()).collect::<String>()
                ))
            }
            "url" => Some(json!(self.address("profiles", text(row, "displayName")?))),
            "createdIssueCount" => Some(json!(
                self.state.all("Issue").filter(|issue| text(issue, "creatorId") == text(row, "id")).count()
            )),
            _ => None,
        }
    }

    fn team(&self, row: &Row, field: &str) -> Option<Value> {
        let id = text(row, "id")?;
        let first_state = |kind: &str| {
            let states = self.states_of(id);
            let state = states.iter().find(|state| text(state, "type") == Some(kind));
            state.and_then(|state| state.get("id").cloned())
        };
        match field {
            "displayName" => row.get("name").cloned(),
            "activeCycleId" => {
                let cycles = self.state.matching("Cycle", "teamId", id);
                cycles.iter().find(|cycle| self.is_active(cycle))?.get("id").cloned()
            }
            "issueCount" => {
                let issues = self.state.all("Issue").filter(|issue| text(issue, "teamId") == Some(id));
                Some(json!(issues.filter(|issue| text(issue, "archivedAt").is_none()).count()))
            }
            "defaultIssueStateId" if !row.contains_key(field) => {
                first_state("backlog").or_else(|| first_state("unstarted"))
            }
            "triageIssueStateId" if !row.contains_key(field) => first_state("triage"),
            "markedAsDuplicateWorkflowStateId" if !row.contains_key(field) => {
                first_state("duplicate").or_else(|| first_state("canceled"))
            }
            "startWorkflowStateId" if !row.contains_key(field) => first_state("started"),
            "issueEstimationType" if !row.contains_key(field) => Some(json!("notUsed")),
            "timezone" if !row.contains_key(field) => Some(json!("Etc/GMT")),
            "upcomingCycleCount" if !row.contains_key(field) => {
                let cycles = self.state.matching("Cycle", "teamId", id);
                let now = self.now.iso();
                Some(json!(cycles.iter().filter(|cycle| text(cycle, "startsAt") > Some(&now)).count()))
            }
            _ => None,
        }
    }

    /// A team's workflow states from left to right.
    pub(super) fn states_of(&self, team: &str) -> Vec<Arc<Row>> {
        let mut states = self.state.matching("WorkflowState", "teamId", team);
        states.sort_by(|a, b| number(a, "position").total_cmp(&number(b, "position")));
        states
    }

    fn is_active(&self, cycle: &Row) -> bool {
        let now = self.now.iso();
        text(cycle, "startsAt") <= Some(&now) && Some(now.as_str()) < text(cycle, "endsAt")
    }

    fn cycle(&self, row: &Row, field: &str) -> Option<Value> {
        let now = self.now.iso();
        let team = text(row, "teamId")?;
        let cycles = || self.state.all("Cycle").filter(move |cycle| text(cycle, "teamId") == Some(team));
        let future = text(row, "startsAt") > Some(&now);
        let past = text(row, "endsAt") <= Some(&now);
        match field {
            "isActive" => Some(json!(self.is_active(row))),
            "isFuture" => Some(json!(future)),
            "isPast" => Some(json!(past)),
            "isNext" => {
                let upcoming = cycles()
                    .filter_map(|cycle| text(cycle, "startsAt"))
                    .filter(|start| *start > now.as_str());
                Some(json!(future && upcoming.min() == text(row, "startsAt")))
            }
            "isPrevious" => {
                let ended =
                    cycles().filter_map(|cycle| text(cycle, "endsAt")).filter(|end| *end <= now.as_str());
                Some(json!(past && ended.max() == text(row, "endsAt")))
            }
            "isInCooldown" => Some(json!(false)),
            "completedAt" if past && !row.contains_key("completedAt") => row.get("endsAt").cloned(),
            "progress" => Some(json!(self.tally("cycleId", row).progress())),
            // Without a seeded history the last point is known: today.
            "scopeHistory"
            | "completedScopeHistory"
            | "issueCountHistory"
            | "completedIssueCountHistory"
            | "inProgressScopeHistory"
                if !row.contains_key(field) =>
            {
                Some(self.tally("cycleId", row).history(field))
            }
            _ => None,
        }
    }

    fn project(&self, row: &Row, field: &str) -> Option<Value> {
        let id = text(row, "id")?;
        match field {
            "url" => {
                let tail = format!("{}-{}", slug(text(row, "name")?), text(row, "slugId").unwrap_or(id));
                Some(json!(self.address("project", &tail)))
            }
            "slugId" if !row.contains_key(field) => Some(json!(short(id))),
            "state" => {
                let status = self.state.get("ProjectStatus", text(row, "statusId")?)?;
                status.get("type").cloned()
            }
            "priorityLabel" => Some(json!(priority_label(row))),
            "searchableContent" => {
                let own = [text(row, "name"), text(row, "description"), text(row, "content")];
                Some(json!(own.into_iter().flatten().collect::<Vec<_>>().join("\n")))
            }
            "progress" => Some(json!(self.tally("projectId", row).progress())),
            "scope" => Some(json!(self.tally("projectId", row).scope)),
            "scopeHistory"
            | "completedScopeHistory"
            | "issueCountHistory"
            | "completedIssueCountHistory"
            | "inProgressScopeHistory"
                if !row.contains_key(field) =>
            {
                Some(self.tally("projectId", row).history(field))
            }
            "lastUpdateId" => self.last_update("ProjectUpdate", "projectId", id, "id"),
            "health" => self.last_update("ProjectUpdate", "projectId", id, "health"),
            "healthUpdatedAt" => self.last_update("ProjectUpdate", "projectId", id, "createdAt"),
            "frequencyResolution" if !row.contains_key(field) => Some(json!("weekly")),
            _ => None,
        }
    }

    fn milestone(&self, row: &Row, field: &str) -> Option<Value> {
        let tally = || self.tally("projectMilestoneId", row);
        match field {
            "progress" => Some(json!(tally().progress())),
            "status" => {
                let tally = tally();
                let done = tally.issues > 0.0 && tally.completed_issues >= tally.issues;
                let overdue = text(row, "targetDate").is_some_and(|date| date < self.now.today().as_str());
                Some(json!(if done {
                    "done"
                } else if overdue {
                    "overdue"
                } else if tally.completed_issues > 0.0 {
                    "next"
                } else {
                    "unstarted"
                }))
            }
            _ => None,
        }
    }

    fn initiative(&self, row: &Row, field: &str) -> Option<Value> {
        let id = text(row, "id")?;
        match field {
            "url" => {
                let tail = format!("{}-{}", slug(text(row, "name")?), text(row, "slugId").unwrap_or(id));
                Some(json!(self.address("initiative", &tail)))
            }
            "slugId" if !row.contains_key(field) => Some(json!(short(id))),
            "lastUpdateId" => self.last_update("InitiativeUpdate", "initiativeId", id, "id"),
            "health" => self.last_update("InitiativeUpdate", "initiativeId", id, "health"),
            "healthUpdatedAt" => self.last_update("InitiativeUpdate", "initiativeId", id, "createdAt"),
            "frequencyResolution" if !row.contains_key(field) => Some(json!("weekly")),
            _ => None,
        }
    }

    fn last_update(&self, ty: &str, key: &str, id: &str, field: &str) -> Option<Value> {
        let updates = self.state.all(ty).filter(|update| text(update, key) == Some(id));
        let live = updates.filter(|update| text(update, "archivedAt").is_none());
        live.max_by_key(|update| text(update, "createdAt"))?.get(field).cloned()
    }

    fn text_entity(&self, ty: &str, row: &Row, field: &str) -> Option<Value> {
        let id = text(row, "id")?;
        match (ty, field) {
            (_, "slugId") if !row.contains_key(field) => Some(json!(short(id))),
            ("Document", "url") => {
                let tail =
                    format!("{}-{}", slug(text(row, "title")?), text(row, "slugId").unwrap_or(&short(id)));
                Some(json!(self.address("document", &tail)))
            }
            ("Comment", "url") => {
                let issue = text(row, "issueId").and_then(|id| self.state.get("Issue", id));
                let page = issue.and_then(|issue| self.issue(issue, "url")).or_else(|| {
                    let content = text(row, "documentContentId")?;
                    let documents = self.state.matching("Document", "documentContentId", content);
                    self.text_entity("Document", documents.first()?, "url")
                });
                let page = page
                    .as_ref()
                    .and_then(Value::as_str)
                    .map_or_else(|| self.address("comment", ""), str::to_owned);
                Some(json!(format!("{page}#comment-{}", short(id))))
            }
            ("ProjectUpdate", "url") => {
                let project = self.state.get("Project", text(row, "projectId")?)?;
                let page = self.project(project, "url")?;
                Some(json!(format!("{}/updates#project-update-{}", page.as_str()?, short(id))))
            }
            ("InitiativeUpdate", "url") => {
                let initiative = self.state.get("Initiative", text(row, "initiativeId")?)?;
                let page = self.initiative(initiative, "url")?;
                Some(json!(format!("{}/updates#initiative-update-{}", page.as_str()?, short(id))))
            }
            ("ProjectUpdate", "commentCount") => {
                Some(json!(self.state.matching("Comment", "projectUpdateId", id).len()))
            }
            ("InitiativeUpdate", "commentCount") => {
                Some(json!(self.state.matching("Comment", "initiativeUpdateId", id).len()))
            }
            _ => None,
        }
    }

    fn notification(&self, row: &Row, field: &str) -> Option<Value> {
        let issue = || text(row, "issueId").and_then(|id| self.state.get("Issue", id));
        let project = || text(row, "projectId").and_then(|id| self.state.get("Project", id));
        match field {
            "teamId" => issue()?.get("teamId").cloned(),
            "title" if !row.contains_key(field) => issue()
                .map(|issue| {
                    json!(format!(
                        "{} {}",
                        text(issue, "identifier").unwrap_or(""),
                        text(issue, "title").unwrap_or("")
                    ))
                })
                .or_else(|| project()?.get("name").cloned()),
            "url" | "inboxUrl" if !row.contains_key(field) => {
                issue().and_then(|issue| self.issue(issue, "url")).or_else(|| self.project(project()?, "url"))
            }
            "category" if !row.contains_key(field) => {
                Some(json!(match text(row, "type").unwrap_or_default() {
                    kind if kind.contains("Mention") => "mentions",
                    kind if kind.contains("Comment") => "commentsAndReplies",
                    kind if kind.contains("Assign") => "assignments",
                    kind if kind.contains("Status") => "statusChanges",
                    kind if kind.contains("Update") => "postsAndUpdates",
                    _ => "subscriptions",
                }))
            }
            _ => None,
        }
    }

    /// How far the issues are which point at `row` by `key`.
    fn tally(&self, key: &str, row: &Row) -> Tally {
        let id = text(row, "id");
        let mut tally = Tally::default();
        for issue in self.state.all("Issue").filter(|issue| text(issue, key) == id && !flag(issue, "trashed"))
        {
            let state = text(issue, "stateId").and_then(|state| self.state.get("WorkflowState", state));
            let points = issue.get("estimate").and_then(Value::as_f64).unwrap_or(1.0);
            match state.and_then(|state| text(state, "type")) {
                Some("canceled" | "duplicate") => continue,
                Some("completed") => {
                    tally.completed += points;
                    tally.completed_issues += 1.0;
                }
                Some("started") => tally.started += points,
                _ => {}
            }
            tally.scope += points;
            tally.issues += 1.0;
        }
        tally
    }

    fn address(&self, kind: &str, tail: &str) -> String {
        let organization = self.state.organization();
        let key = organization.and_then(|row| text(row, "urlKey")).unwrap_or("workspace");
        format!("https://linear.app/{key}/{kind}/{tail}")
    }
}

/// The issues below a project, cycle or milestone, in points and in number.
#[derive(Default)]
struct Tally {
    scope: f64,
    started: f64,
    completed: f64,
    issues: f64,
    completed_issues: f64,
}

impl Tally {
    /// Linear counts what is in progress as a quarter done.
    fn progress(&self) -> f64 {
        if self.scope > 0.0 { (self.completed + self.started * 0.25) / self.scope } else { 0.0 }
    }

    fn history(&self, field: &str) -> Value {
        json!([match field {
            "scopeHistory" => self.scope,
            "completedScopeHistory" => self.completed,
            "inProgressScopeHistory" => self.started,
            "issueCountHistory" => self.issues,
            _ => self.completed_issues,
        }])
    }
}

/// A row's number; zero where it has none.
pub(super) fn number(row: &Row, key: &str) -> f64 {
    row.get(key).and_then(Value::as_f64).unwrap_or_default()
}

/// The words for priorities 0 to 4.
pub(super) const PRIORITIES: [&str; 5] = ["No priority", "Urgent", "High", "Medium", "Low"];

fn priority_label(row: &Row) -> &'static str {
    PRIORITIES.get(number(row, "priority") as usize).copied().unwrap_or(PRIORITIES[0])
}

/// What kind of thing an attachment's address leads to.
pub(super) fn source_of(url: &str) -> &'static str {
    let host = url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or_default();
    [
        ("github.com", "github"),
        ("gitlab.com", "gitlab"),
        ("slack.com", "slack"),
        ("sentry.io", "sentry"),
        ("figma.com", "figma"),
        ("zendesk.com", "zendesk"),
        ("intercom.com", "intercom"),
    ]
    .into_iter()
    .find(|(domain, _)| host == *domain || host.ends_with(&format!(".{domain}")))
    .map_or("unknown", |(_, source)| source)
}

/// The first twelve hexadecimal digits of an id: Linear's short form in addresses.
pub(super) fn short(id: &str) -> String {
    id.chars().filter(char::is_ascii_hexdigit).take(12).collect()
}

/// Text as it stands in an address.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 60 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}
