//! Issues opened and changed.

use connector::catalog::reconcile::{self, Attempt, same_text};
use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    read::moved,
    rows::{logins, names},
    update,
};
use crate::{
    GitHub,
    api::rest_issues::RestIssue,
    render,
    repo::Repo,
    resolve::{mentions::notified, naming, reference, text},
    scopes,
};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::write("create_issue", "Create issue", "Opens an issue.", create_issue)
            .toolset("issues")
            .scopes(scopes::REPO)
            .aliases(&[("description", "body"), ("issue_type", "type"), ("assignee", "assignees")])
            .output::<Written>(),
        update::tool(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    repo: Option<String>,
    title: String,
    body: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    /// @me, copilot
    #[serde(default)]
    assignees: Vec<String>,
    /// Title or number
    milestone: Option<String>,
    r#type: Option<String>,
    /// Number, owner/repo#number or URL
    parent: Option<String>,
}

/// A new issue, every name settled.
struct New {
    repo: Repo,
    title: String,
    body: String,
    labels: Vec<String>,
    assignees: Vec<String>,
    /// Title and number.
    milestone: Option<(String, String)>,
    kind: Option<String>,
    parent: Option<(Repo, u64)>,
}

impl New {
    async fn settle(call: &Call<GitHub>, arguments: Arguments) -> Result<Self> {
        let repo = call.bounds().repo(arguments.repo.as_deref())?;
        let title = arguments.title.trim().to_owned();
        if title.is_empty() {
            return Err(Error::invalid("`title` is empty"));
        }
        text::title_fits(&title)?;
        text::fits("body", arguments.body.as_deref().unwrap_or_default())?;
        let parent = match &arguments.parent {
            Some(parent) => {
                call.bounds().is_ours(parent)?;
                let (place, number) = reference::parse("parent", parent, &repo)?;
                call.bounds().permits(&place, connector::Effect::Write)?;
                let ticket = call
                    .api()
                    .rest_issue(&place, number)
                    .await
                    .map_err(|error| absent(error, &place, number))?;
                if let Some(error) = moved(call, &place, number, &ticket) {
                    return Err(error);
                }
                if ticket.is_pull() {
                    return Err(Error::invalid(format!(
                        "{place}#{number} is a pull request, which cannot have sub-issues"
                    )));
                }
                Some((place, number))
            }
            None => None,
        };
        let milestone = match arguments.milestone.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => {
                let found = naming::milestone(call, &repo, name).await?;
                Some((found.title, found.number))
            }
            None => None,
        };
        let kind = match arguments.r#type.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => Some(naming::issue_type(call, &repo, name).await?),
            None => None,
        };
        Ok(Self {
            labels: naming::labels_to_set(call, &repo, &arguments.labels).await?,
            assignees: naming::assignees(call, &repo, &arguments.assignees).await?,
            repo,
            title,
            body: arguments.body.unwrap_or_default(),
            milestone,
            kind,
            parent,
        })
    }

    /// What GitHub is asked to make.
    fn fields(&self) -> Value {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("title", json!(self.title));
        if !self.body.is_empty() {
            put("body", json!(self.body));
        }
        if !self.labels.is_empty() {
            put("labels", json!(self.labels));
        }
        if !self.assignees.is_empty() {
            put("assignees", json!(self.assignees));
        }
        if let Some((_, number)) = &self.milestone {
            put("milestone", json!(number.parse::<u64>().unwrap_or_default()));
        }
        if let Some(kind) = &self.kind {
            put("type", json!(kind));
        }
        Value::Object(fields)
    }

    fn preview(&self) -> Written {
        let mut written = Written::new(format!("Open an issue in {}", self.repo))
            .change(format!("title \"{}\"", one_line(&self.title)))
            .change(format!("body of {}", render::characters(&self.body)));
        if !self.labels.is_empty() {
            written = written.change(format!("labels {}", names(&self.labels)));
        }
        if !self.assignees.is_empty() {
            written = written.change(format!("assigned to {}", logins(&self.assignees)));
        }
        if let Some((title, _)) = &self.milestone {
            written = written.change(format!("milestone {}", one_line(title)));
        }
        if let Some(kind) = &self.kind {
            written = written.change(format!("type {}", one_line(kind)));
        }
        if let Some((repo, number)) = &self.parent {
            written = written.change(format!("part of {repo}#{number}"));
        }
        written
    }

    /// What was asked for and is not on `ticket`: GitHub drops without a word what the caller may not set.
    fn dropped(&self, ticket: &RestIssue) -> Vec<String> {
        let mut dropped = Vec::new();
        let lacks = |wanted: &[String], has: &[String]| -> Vec<String> {
            wanted
                .iter()
                .filter(|name| !has.iter().any(|other| other.to_lowercase() == name.to_lowercase()))
                .cloned()
                .collect()
        };
        let labels = lacks(&self.labels, &ticket.labels());
        if !labels.is_empty() {
            dropped.push(format!("labels {}", names(&labels)));
        }
        let assignees = lacks(&self.assignees, &ticket.assignees());
        if !assignees.is_empty() {
            dropped.push(format!("assigned to {}", logins(&assignees)));
        }
        if let Some((title, _)) =
            self.milestone.as_ref().filter(|(title, _)| *title != ticket.milestone.title)
        {
            dropped.push(format!("milestone {}", one_line(title)));
        }
        if let Some(kind) = self.kind.as_ref().filter(|kind| **kind != ticket.kind.name) {
            dropped.push(format!("type {}", one_line(kind)));
        }
        dropped
    }
}

async fn create_issue(call: Call<GitHub>, arguments: Arguments) -> Result<Plan> {
    let new = New::settle(&call, arguments).await?;
    call.bounds().permits(&new.repo, connector::Effect::Write)?;
    let mut preview = new.preview();
    preview.changed.extend(notified(&call, &new.repo, &new.assignees, &new.body, "").await);
    Ok(Plan::new(Reply::written(preview), move || async move {
        let attempt = Attempt::begin(call.api().upstream(), "issue");
        let sent = call.api().create_issue(&new.repo, &new.fields()).await;
        let (ticket, lost) =
            attempt.made(sent, |ticket| ticket.id.clone(), || made(&call, &new, &attempt)).await?;
        let name = format!("{}#{}", new.repo, ticket.number);
        let opened = format!("opened {name}: {}", one_line(&ticket.title));
        let mut written = Written::new(reconcile::summary("GitHub", lost, &opened));
        let dropped = new.dropped(&ticket);
        if !ticket.labels().is_empty() {
            written = written.change(format!("labels {}", names(&ticket.labels())));
        }
        if !ticket.assignees().is_empty() {
            written = written.change(format!("assigned to {}", logins(&ticket.assignees())));
        }
        if !ticket.milestone.title.is_empty() {
            written = written.change(format!("milestone {}", one_line(&ticket.milestone.title)));
        }
        if !ticket.kind.name.is_empty() {
            written = written.change(format!("type {}", one_line(&ticket.kind.name)));
        }
        for what in dropped {
            written =
                written.change(format!("NOT accepted by GitHub, which may want more rights for it: {what}"));
        }
        if let Some((place, number)) = &new.parent {
            written = written.change(linked(&call, place, *number, &ticket).await);
        }
        written.changed.extend(notified(&call, &new.repo, &ticket.assignees(), &new.body, "").await);
        Ok(Reply::written(written.id(ticket.number).url(ticket.html_url)))
    }))
}

/// Makes a new issue a part of another, and says what came of it: the issue is there either way.
async fn linked(server: &GitHub, place: &Repo, number: u64, ticket: &RestIssue) -> String {
    let answer = match ticket.id.parse() {
        Ok(id) => server.api().add_sub_issue(place, number, id, false).await,
        Err(_) => Err(Error::new(Kind::Upstream, "GitHub's answer has no id")),
    };
    match answer {
        Ok(()) => format!("part of {place}#{number}"),
        Err(error) => format!("NOT made a part of {place}#{number}: {}", error.for_agent()),
    }
}

/// The issue that a create made whose answer was lost, if that is certain.
async fn made(server: &GitHub, new: &New, attempt: &Attempt) -> Option<RestIssue> {
    let login = server.api().viewer().await.ok()?.login;
    let filter = [
        ("creator", login),
        ("state", "all".to_owned()),
        ("sort", "created".to_owned()),
        ("direction", "desc".to_owned()),
        ("since", attempt.since()),
    ];
    let listed = server.api().list_rest_issues(&new.repo, &filter, 20, None).await.ok()?;
    listed.items.into_iter().find(|ticket| {
        !ticket.is_pull()
            && ticket.title == new.title
            && same_text(&ticket.body, &new.body)
            && attempt.may_have_made(&ticket.id, &ticket.created_at)
    })
}

/// "Not found" in words that name the issue.
pub(super) fn absent(error: Error, repo: &Repo, number: u64) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    let gone = if error.message().contains("gone") {
        "was deleted"
    } else {
        "does not exist, or the token may not see it"
    };
    Error::not_found(format!("{repo}#{number} {gone}")).with_hint("list_issues and search find issues")
}
