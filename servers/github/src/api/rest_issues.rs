//! Issues and pull requests over REST, which is how they are written: opened, changed, linked. What writes begin
//! from and are read back from is a [`RestIssue`].

use connector::{
    Result,
    upstream::{Replay, Request},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Listed, Target,
    issues::{Dependencies, Named, Person, Titled, whole},
    route,
    search::TextMatch,
};
use crate::repo::Repo;

/// An issue or pull request as REST tells of it: what writes begin from and what they are read back from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RestIssue {
    /// GitHub's own id of it, which links between issues take.
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) state: String,
    pub(crate) state_reason: String,
    pub(crate) draft: bool,
    pub(crate) locked: bool,
    /// `off-topic`, `too heated`, `resolved` or `spam`; empty for none.
    pub(crate) active_lock_reason: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) html_url: String,
    repository_url: String,
    pub(crate) parent_issue_url: String,
    comments: Option<f64>,
    pub(crate) user: Person,
    assignees: Vec<Person>,
    labels: Vec<LabelName>,
    pub(crate) milestone: Titled,
    #[serde(rename = "type")]
    pub(crate) kind: Named,
    pub(crate) issue_dependencies_summary: Dependencies,
    pull_request: Option<PullPart>,
    /// Where a search found what it looked for.
    pub(crate) text_matches: Vec<TextMatch>,
    /// The issue of which it is a duplicate, `owner/name#12`, where it was asked for; REST does not tell.
    #[serde(skip)]
    pub(crate) duplicate_of: String,
}

/// A label of an issue: GitHub documents both forms.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum LabelName {
    Plain(String),
    Named(Named),
}

/// What an issue that is a pull request has besides.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PullPart {
    merged_at: String,
}

impl RestIssue {
    /// Whether it is a pull request.
    pub(crate) fn is_pull(&self) -> bool {
        self.pull_request.is_some()
    }

    /// `open`, `closed` or, of a pull request, `merged`.
    pub(crate) fn state(&self) -> &str {
        if self.merged_at().is_some() { "merged" } else { &self.state }
    }

    /// When it was merged, if it was.
    pub(crate) fn merged_at(&self) -> Option<&str> {
        self.pull_request.as_ref().map(|part| part.merged_at.as_str()).filter(|at| !at.is_empty())
    }

    /// The names of its labels.
    pub(crate) fn labels(&self) -> Vec<String> {
        let name = |label: &LabelName| match label {
            LabelName::Plain(name) => name.clone(),
            LabelName::Named(label) => label.name.clone(),
        };
        self.labels.iter().map(name).collect()
    }

    /// The logins of who it is assigned to.
    pub(crate) fn assignees(&self) -> Vec<String> {
        self.assignees.iter().map(|person| person.login.clone()).collect()
    }

    /// How many comments it has.
    pub(crate) fn comments(&self) -> u64 {
        whole(self.comments)
    }

    /// The repository it lies in, as `owner/name`, by its address.
    pub(crate) fn repo(&self) -> Option<&str> {
        full_name(&self.repository_url)
    }

    /// The issue it is a part of, by its address: `owner/name` and its number.
    pub(crate) fn parent(&self) -> Option<(&str, &str)> {
        let (repository, number) = self.parent_issue_url.rsplit_once("/issues/")?;
        Some((full_name(repository)?, number))
    }
}

/// The end of a repository's address in the API: `owner/name`.
pub(crate) fn full_name(address: &str) -> Option<&str> {
    address.split_once("/repos/").map(|(_, name)| name).filter(|name| name.split('/').count() == 2)
}

/// One event in the life of an issue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    pub(crate) event: String,
    pub(crate) created_at: String,
    pub(crate) submitted_at: String,
    actor: Person,
    user: Person,
    pub(crate) label: Named,
    pub(crate) assignee: Person,
    pub(crate) requested_reviewer: Person,
    pub(crate) requested_team: Named,
    pub(crate) milestone: Titled,
    pub(crate) rename: Rename,
    pub(crate) state_reason: String,
    pub(crate) lock_reason: String,
    pub(crate) commit_id: String,
    pub(crate) sha: String,
    pub(crate) message: String,
    /// The state of a review.
    pub(crate) state: String,
    pub(crate) source: Source,
    pub(crate) sub_issue: Linked,
    pub(crate) parent_issue: Linked,
    pub(crate) blocked_by: Linked,
    pub(crate) blocking: Linked,
    pub(crate) issue_type: Named,
    pub(crate) prev_issue_type: Named,
}

impl Event {
    /// Who did it; none for what nobody did, such as a commit.
    pub(crate) fn who(&self) -> Option<&str> {
        [&self.actor.login, &self.user.login].into_iter().find(|login| !login.is_empty()).map(String::as_str)
    }

    /// When it was.
    pub(crate) fn at(&self) -> &str {
        if self.created_at.is_empty() { &self.submitted_at } else { &self.created_at }
    }
}

/// The issue at the other end of a link.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Linked {
    pub(crate) number: String,
    pub(crate) repository: Home,
}

/// A repository, by its full name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Home {
    pub(crate) full_name: String,
}

/// How a title was changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rename {
    pub(crate) from: String,
    pub(crate) to: String,
}

/// What mentioned an issue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Source {
    pub(crate) issue: Option<RestIssue>,
}

/// A field of an issue that its organization has defined, and its value.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FieldValue {
    pub(crate) issue_field_name: String,
    value: String,
    single_select_option: Named,
    multi_select_options: Vec<Named>,
}

impl FieldValue {
    /// The value in words.
    pub(crate) fn value(&self) -> String {
        if !self.single_select_option.name.is_empty() {
            return self.single_select_option.name.clone();
        }
        let many: Vec<_> = self.multi_select_options.iter().map(|option| option.name.as_str()).collect();
        if many.is_empty() { self.value.clone() } else { many.join(", ") }
    }
}

impl Api {
    /// A page of what REST calls the issues of `repo`, its pull requests among them, by `filter`.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn list_rest_issues(
        &self,
        repo: &Repo,
        filter: &[(&'static str, String)],
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<RestIssue>> {
        let mut request = route("GET /repos/{owner}/{repo}/issues", &[&repo.owner, &repo.name]);
        for (name, value) in filter {
            request = request.query(name, value.clone());
        }
        self.list(Target::Repo(repo), request, None, per_page, after).await
    }

    /// One issue or pull request as REST tells of it, fresh. GitHub leads on from where it was moved away.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn rest_issue(&self, repo: &Repo, number: u64) -> Result<RestIssue> {
        self.json(Target::Repo(repo), at("GET /repos/{owner}/{repo}/issues/{issue_number}", repo, number))
            .await
    }

    /// Opens an issue. It must not be repeated blindly.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn create_issue(&self, repo: &Repo, fields: &Value) -> Result<RestIssue> {
        let request = route("POST /repos/{owner}/{repo}/issues", &[&repo.owner, &repo.name])
            .check(format!("Check with list_issues whether {repo} has the new issue"))
            .json(fields)?;
        self.json(Target::Repo(repo), request).await
    }

    /// Sets fields of an issue or pull request.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn update_issue(&self, repo: &Repo, number: u64, fields: &Value) -> Result<RestIssue> {
        // Not repeated without a look: somebody else may have written in between.
        let request = at("PATCH /repos/{owner}/{repo}/issues/{issue_number}", repo, number)
            .check(format!("Check with get_issue whether {repo}#{number} has changed"))
            .json(fields)?;
        self.json(Target::Repo(repo), request).await
    }

    /// Adds labels to those that it has. Adding one that is there already changes nothing.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn add_labels(&self, repo: &Repo, number: u64, labels: &[String]) -> Result<()> {
        let request = at("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", repo, number)
            .replay(Replay::Idempotent)
            .json(&json!({"labels": labels}))?;
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Takes a label away.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn remove_label(&self, repo: &Repo, number: u64, label: &str) -> Result<()> {
        let values = [repo.owner.as_str(), &repo.name, &number.to_string(), label];
        let request = route("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", &values)
            .replay(Replay::Idempotent);
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Adds to whom it is assigned, or takes away. GitHub leaves out without a word whom it does not accept.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn assign(&self, repo: &Repo, number: u64, logins: &[String], add: bool) -> Result<()> {
        let route = if add {
            "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees"
        } else {
            "DELETE /repos/{owner}/{repo}/issues/{issue_number}/assignees"
        };
        let request =
            at(route, repo, number).replay(Replay::Idempotent).json(&json!({"assignees": logins}))?;
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Locks its conversation, as it was said if that was, or unlocks it.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn lock(&self, repo: &Repo, number: u64, locked: bool, reason: &str) -> Result<()> {
        let route = if locked {
            "PUT /repos/{owner}/{repo}/issues/{issue_number}/lock"
        } else {
            "DELETE /repos/{owner}/{repo}/issues/{issue_number}/lock"
        };
        let mut request = at(route, repo, number).replay(Replay::Idempotent).any_body();
        if locked && !reason.is_empty() {
            request = request.json(&json!({"lock_reason": reason}))?;
        }
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// A page of what happened to it, oldest first.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn timeline(
        &self,
        repo: &Repo,
        number: u64,
        after: Option<&str>,
    ) -> Result<Listed<Event>> {
        let request = at("GET /repos/{owner}/{repo}/issues/{issue_number}/timeline", repo, number);
        self.list(Target::Repo(repo), request, None, 100, after).await
    }

    /// The parts of an issue, in their order.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn sub_issues(&self, repo: &Repo, number: u64) -> Result<Listed<RestIssue>> {
        let request = at("GET /repos/{owner}/{repo}/issues/{issue_number}/sub_issues", repo, number);
        self.list(Target::Repo(repo), request, None, 100, None).await
    }

    /// Makes the issue with `id` a part of another, whatever it was a part of before.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn add_sub_issue(&self, repo: &Repo, number: u64, id: u64, moved: bool) -> Result<()> {
        let mut body = json!({"sub_issue_id": id});
        if moved {
            body["replace_parent"] = json!(true);
        }
        // Again it is refused or does nothing: an issue has one parent.
        let request = at("POST /repos/{owner}/{repo}/issues/{issue_number}/sub_issues", repo, number)
            .check(format!("Check with get_issue whether {repo}#{number} has the new sub-issue"))
            .json(&body)?;
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Makes the issue with `id` no part of another.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn remove_sub_issue(&self, repo: &Repo, number: u64, id: u64) -> Result<()> {
        let request = at("DELETE /repos/{owner}/{repo}/issues/{issue_number}/sub_issue", repo, number)
            .replay(Replay::Idempotent)
            .json(&json!({"sub_issue_id": id}))?;
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Puts a part of an issue right after another.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn order_sub_issue(&self, repo: &Repo, number: u64, id: u64, after: u64) -> Result<()> {
        let request =
            at("PATCH /repos/{owner}/{repo}/issues/{issue_number}/sub_issues/priority", repo, number)
                .replay(Replay::Idempotent)
                .json(&json!({"sub_issue_id": id, "after_id": after}))?;
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// The issues that block one.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn blockers(&self, repo: &Repo, number: u64) -> Result<Listed<RestIssue>> {
        let request =
            at("GET /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by", repo, number);
        self.list(Target::Repo(repo), request, None, 100, None).await
    }

    /// Says that the issue with `id` blocks another.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn add_blocker(&self, repo: &Repo, number: u64, id: u64) -> Result<()> {
        let request =
            at("POST /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by", repo, number)
                .check(format!("Check with get_issue whether {repo}#{number} is blocked now"))
                .json(&json!({"issue_id": id}))?;
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Says that the issue with `id` blocks another no more.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn remove_blocker(&self, repo: &Repo, number: u64, id: u64) -> Result<()> {
        let values = [repo.owner.as_str(), &repo.name, &number.to_string(), &id.to_string()];
        let request = route(
            "DELETE /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by/{issue_id}",
            &values,
        )
        .replay(Replay::Idempotent);
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// The values of the fields that the organization has defined for issues; none where it has none.
    ///
    /// # Errors
    /// As [`Api::maybe`].
    pub(crate) async fn field_values(&self, repo: &Repo, number: u64) -> Result<Option<Vec<FieldValue>>> {
        let request = at("GET /repos/{owner}/{repo}/issues/{issue_number}/issue-field-values", repo, number)
            .query("per_page", "100");
        self.maybe(Target::Repo(repo), request).await
    }
}

/// A request of a route about one issue.
fn at(template: &'static str, repo: &Repo, number: u64) -> Request {
    route(template, &[&repo.owner, &repo.name, &number.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_read_however_its_parts_are_written() {
        let ticket: RestIssue = connector::tolerant::from_value(json!({
            "id": "991", "number": 12, "labels": ["plain", {"name": "named"}, null], "assignees": null,
            "pull_request": {"merged_at": "2026-11-22T10:00:00Z"}, "milestone": null, "state": "closed",
            "repository_url": "https://git.acme.example/api/v3/repos/octo/cat",
            "parent_issue_url": "https://git.acme.example/api/v3/repos/octo/dog/issues/7",
        }))
        .unwrap();
        assert_eq!((ticket.id.as_str(), ticket.number.as_str()), ("991", "12"));
        assert_eq!(ticket.labels(), ["plain", "named"]);
        assert_eq!((ticket.state(), ticket.is_pull()), ("merged", true));
        assert_eq!((ticket.repo(), ticket.parent()), (Some("octo/cat"), Some(("octo/dog", "7"))));
    }

    #[test]
    fn a_field_has_its_value_in_words() {
        let value = |json| connector::tolerant::from_value::<FieldValue>(json).unwrap().value();
        assert_eq!(value(json!({"value": 3.5})), "3.5");
        assert_eq!(value(json!({"value": "x", "single_select_option": {"name": "High"}})), "High");
        assert_eq!(value(json!({"multi_select_options": [{"name": "a"}, {"name": "b"}]})), "a, b");
    }
}
