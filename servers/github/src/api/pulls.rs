//! Pull requests: read in one GraphQL query each, written by REST where REST can.

use connector::{
    Error, Kind, Result,
    upstream::{Connection, PageInfo, Replay},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Api, Listed, Operation, Partial, Target, document, incomplete, route};
pub(crate) use super::{checks::*, pull_records::*};
use crate::repo::Repo;

const LIST: Operation = Operation::read("PullList", document!("pull_list"));
const SEARCH: Operation = Operation::read("PullSearch", document!("pull_search"));
const GET: Operation = Operation::read("PullGet", document!("pull_get"));
const PULSE: Operation = Operation::read("PullPulse", document!("pull_pulse"));
const MERGE_TEXT: Operation = Operation::read("PullMergeText", document!("pull_merge_text"));
const PREPARE: Operation = Operation::read("PullPrepare", document!("pull_prepare"));
const TO_DRAFT: Operation = Operation::write("PullToDraft", document!("pull_to_draft")).idempotent();
const READY: Operation = Operation::write("PullReady", document!("pull_ready")).idempotent();
const AUTO_MERGE_ON: Operation =
    Operation::write("PullAutoMergeOn", document!("pull_auto_merge_on")).idempotent();
const AUTO_MERGE_OFF: Operation =
    Operation::write("PullAutoMergeOff", document!("pull_auto_merge_off")).idempotent();
const REVERT: Operation = Operation::write("PullRevert", document!("pull_revert"));
const ENQUEUE: Operation = Operation::write("PullEnqueue", document!("pull_enqueue"));

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[
    &LIST,
    &SEARCH,
    &GET,
    &PULSE,
    &MERGE_TEXT,
    &PREPARE,
    &TO_DRAFT,
    &READY,
    &AUTO_MERGE_ON,
    &AUTO_MERGE_OFF,
    &REVERT,
    &ENQUEUE,
];

/// The field with the checks, which a token may not be allowed to read.
const CHECKS: &str = "statusCheckRollup";

/// The parts of a pull request to read besides its head, each after a cursor of GitHub's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    /// The reviews.
    pub(crate) reviews: bool,
    /// The review threads.
    pub(crate) threads: bool,
    /// The comments.
    pub(crate) comments: bool,
    /// The commits.
    pub(crate) commits: bool,
    /// The name of a part (`checks`, `reviews` …), and where it goes on.
    pub(crate) after: Option<(&'static str, String)>,
}

/// Which pull requests are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct PullFilter {
    /// `OPEN`, `CLOSED`, `MERGED`.
    pub(crate) states: Vec<&'static str>,
    /// The branch that they go to.
    pub(crate) base: Option<String>,
    /// The branch that they come from.
    pub(crate) head: Option<String>,
    /// A label that they have.
    pub(crate) label: Option<String>,
}

/// A page of pull requests.
pub(crate) type Pulls = Partial<Connection<Pull>>;

impl Api {
    /// A page of a repository's pull requests.
    ///
    /// # Errors
    /// As [`Api::run`].
    pub(crate) async fn pull_list(
        &self,
        repo: &Repo,
        filter: &PullFilter,
        first: u32,
        after: Option<&str>,
    ) -> Result<Pulls> {
        #[derive(Deserialize)]
        struct Data {
            repository: Option<Repository>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Repository {
            #[serde(default)]
            pull_requests: Connection<Pull>,
        }
        let variables = json!({
            "owner": repo.owner,
            "name": repo.name,
            "states": filter.states,
            "base": filter.base,
            "head": filter.head,
            "labels": filter.label.as_ref().map(|label| [label]),
            "order": {"field": "CREATED_AT", "direction": "DESC"},
            "first": first,
            "after": after,
        });
        let answer = self.run::<Data>(Target::Repo(repo), &LIST, variables, None).await?;
        let data = answer.data.repository.ok_or_else(|| incomplete("repository"))?.pull_requests;
        Ok(checks_unread(Partial { data, failures: answer.failures }, |pulls| &mut pulls.nodes))
    }

    /// A page of what a search finds in `repo`. The query must keep within it.
    ///
    /// # Errors
    /// As [`Api::run`].
    pub(crate) async fn pull_search(
        &self,
        repo: &Repo,
        query: &str,
        first: u32,
        after: Option<&str>,
    ) -> Result<Pulls> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(default)]
            search: Found,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Found {
            issue_count: Option<f64>,
            nodes: Vec<Pull>,
            page_info: PageInfo,
        }
        let variables = json!({"query": query, "first": first, "after": after});
        let answer = self.run::<Data>(Target::Repo(repo), &SEARCH, variables, None).await?;
        let Found { issue_count, nodes, page_info } = answer.data.search;
        let pulls = Connection { nodes, page_info, total_count: issue_count };
        Ok(checks_unread(Partial { data: pulls, failures: answer.failures }, |pulls| &mut pulls.nodes))
    }

    /// One pull request, with the parts that are asked for.
    ///
    /// # Errors
    /// As [`Api::run`]; `not_found` if there is none of this number.
    pub(crate) async fn pull(&self, repo: &Repo, number: u64, parts: &Parts) -> Result<Partial<Pull>> {
        let mut variables = json!({
            "owner": repo.owner,
            "name": repo.name,
            "number": number,
            "reviews": parts.reviews,
            "threads": parts.threads,
            "comments": parts.comments,
            "commits": parts.commits,
        });
        if let Some((part, after)) = &parts.after {
            variables[format!("{part}After")] = json!(after);
        }
        self.one_pull(repo, &GET, variables, number).await
    }

    /// What changes of a pull request while it is watched: its head, its checks, whether it can be merged.
    ///
    /// # Errors
    /// As [`Api::pull`].
    pub(crate) async fn pull_pulse(&self, repo: &Repo, number: u64) -> Result<Partial<Pull>> {
        let variables = json!({"owner": repo.owner, "name": repo.name, "number": number});
        self.one_pull(repo, &PULSE, variables, number).await
    }

    /// The checks of its head after the cursor `after`, as [`Api::pull_pulse`].
    ///
    /// # Errors
    /// As [`Api::pull`].
    pub(crate) async fn pull_checks(&self, repo: &Repo, number: u64, after: &str) -> Result<Partial<Pull>> {
        let variables =
            json!({"owner": repo.owner, "name": repo.name, "number": number, "checksAfter": after});
        self.one_pull(repo, &PULSE, variables, number).await
    }

    /// What GitHub would write on the commit of a merge by `method`: its title and its message
    /// (docs.github.com/graphql/reference/objects#pullrequest).
    ///
    /// # Errors
    /// As [`Api::query`]; `upstream` if it does not tell.
    pub(crate) async fn pull_merge_text(
        &self,
        repo: &Repo,
        number: u64,
        method: &str,
    ) -> Result<(String, String)> {
        #[derive(Deserialize)]
        struct Data {
            repository: Option<Repository>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Repository {
            pull_request: Option<Texts>,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Texts {
            viewer_merge_headline_text: String,
            viewer_merge_body_text: String,
        }
        let variables = json!({
            "owner": repo.owner, "name": repo.name, "number": number, "method": method.to_uppercase(),
        });
        let data: Data = self.query(Target::Repo(repo), &MERGE_TEXT, variables).await?;
        let texts = data.repository.and_then(|repository| repository.pull_request);
        let texts = texts.ok_or_else(|| incomplete("pull request"))?;
        Ok((texts.viewer_merge_headline_text, texts.viewer_merge_body_text))
    }

    async fn one_pull(
        &self,
        repo: &Repo,
        operation: &Operation,
        variables: Value,
        number: u64,
    ) -> Result<Partial<Pull>> {
        #[derive(Deserialize)]
        struct Data {
            repository: Option<Repository>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Repository {
            #[serde(flatten)]
            rules: Rules,
            pull_request: Option<Pull>,
        }
        let answer = self.run::<Data>(Target::Repo(repo), operation, variables, None).await?;
        let repository = answer.data.repository.ok_or_else(|| incomplete("repository"))?;
        let Some(mut pull) = repository.pull_request else {
            return Err(absent(repo, number));
        };
        pull.rules = repository.rules;
        Ok(checks_unread(Partial { data: pull, failures: answer.failures }, std::slice::from_mut))
    }

    /// What there is of a pull request that is to be opened: its branches, and those open already from
    /// a branch of that name.
    ///
    /// # Errors
    /// As [`Api::run`].
    pub(crate) async fn pull_prepare(
        &self,
        repo: &Repo,
        branch: &str,
        base: Option<&str>,
    ) -> Result<Prepared> {
        #[derive(Deserialize)]
        struct Data {
            repository: Option<Prepared>,
        }
        let variables = json!({
            "owner": repo.owner,
            "name": repo.name,
            "branch": branch,
            "headRef": format!("refs/heads/{branch}"),
            "baseRef": format!("refs/heads/{}", base.unwrap_or_default()),
        });
        let data: Data = self.query(Target::Repo(repo), &PREPARE, variables).await?;
        data.repository.ok_or_else(|| incomplete("repository"))
    }

    /// Opens a pull request.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn pull_open(&self, repo: &Repo, body: &Value, check: String) -> Result<Posted> {
        self.permits_fork(repo, body["head"].as_str().unwrap_or_default())?;
        let request =
            route("POST /repos/{owner}/{repo}/pulls", &[&repo.owner, &repo.name]).json(body)?.check(check);
        self.json(Target::Repo(repo), request).await
    }

    /// The open pull requests from `head` (`owner:branch`), newest first.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn pulls_from(&self, repo: &Repo, head: &str) -> Result<Vec<Posted>> {
        let request = route("GET /repos/{owner}/{repo}/pulls", &[&repo.owner, &repo.name])
            .query("head", head)
            .query("state", "open");
        Ok(self.list(Target::Repo(repo), request, None, 10, None).await?.items)
    }

    /// Sets fields of a pull request.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn pull_set(&self, repo: &Repo, number: u64, fields: &Map<String, Value>) -> Result<()> {
        let request = pull_route("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", repo, number)
            .json(fields)?
            .check(look(number));
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Requests reviews of people and teams, or takes requests back.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn pull_reviewers(
        &self,
        repo: &Repo,
        number: u64,
        people: &[String],
        teams: &[String],
        add: bool,
    ) -> Result<()> {
        let route = if add {
            "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"
        } else {
            "DELETE /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"
        };
        let request = pull_route(route, repo, number)
            .json(&json!({"reviewers": people, "team_reviewers": teams}))?
            .replay(Replay::Idempotent)
            .check(look(number));
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Merges the base into the head, if that still is `head`. GitHub does it a little later.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn pull_update_branch(&self, repo: &Repo, number: u64, head: &str) -> Result<()> {
        let request = pull_route("PUT /repos/{owner}/{repo}/pulls/{pull_number}/update-branch", repo, number)
            .json(&json!({"expected_head_sha": head}))?
            .check(look(number));
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Makes it a draft, or ready for review.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn pull_draft(&self, repo: &Repo, pull: &Pull, draft: bool) -> Result<()> {
        let operation = if draft { &TO_DRAFT } else { &READY };
        let variables = json!({"id": pull.id});
        self.mutate::<Value>(Target::Repo(repo), operation, variables, &look(pull.number)).await.map(drop)
    }

    /// Has it merged as soon as it may be, if its head still is `head`.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn pull_auto_merge_on(
        &self,
        repo: &Repo,
        pull: &Pull,
        method: &str,
        title: Option<&str>,
        message: Option<&str>,
    ) -> Result<()> {
        let mut input = json!({
            "pullRequestId": pull.id,
            "mergeMethod": method.to_uppercase(),
            "expectedHeadOid": pull.head_ref_oid,
        });
        if let Some(title) = title {
            input["commitHeadline"] = json!(title);
        }
        if let Some(message) = message {
            input["commitBody"] = json!(message);
        }
        let variables = json!({"input": input});
        self.mutate::<Value>(Target::Repo(repo), &AUTO_MERGE_ON, variables, &look(pull.number))
            .await
            .map(drop)
    }

    /// Takes that back.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn pull_auto_merge_off(&self, repo: &Repo, pull: &Pull) -> Result<()> {
        let variables = json!({"id": pull.id});
        self.mutate::<Value>(Target::Repo(repo), &AUTO_MERGE_OFF, variables, &look(pull.number))
            .await
            .map(drop)
    }

    /// Puts it into the merge queue, if its head still is what `pull` says.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn pull_enqueue(&self, repo: &Repo, pull: &Pull) -> Result<()> {
        let input = json!({"pullRequestId": pull.id, "expectedHeadOid": pull.head_ref_oid});
        let variables = json!({"input": input});
        self.mutate::<Value>(Target::Repo(repo), &ENQUEUE, variables, &look(pull.number)).await.map(drop)
    }

    /// Opens a pull request that takes back what a merged one did.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn pull_revert(
        &self,
        repo: &Repo,
        pull: &Pull,
        title: Option<&str>,
        body: Option<&str>,
    ) -> Result<Pull> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Data {
            revert_pull_request: Option<Reverted>,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Reverted {
            revert_pull_request: Option<Pull>,
        }
        let variables = json!({"input": {"pullRequestId": pull.id, "title": title, "body": body}});
        let check = format!("Check with list_prs whether there is one that reverts #{}", pull.number);
        let data: Data = self.mutate(Target::Repo(repo), &REVERT, variables, &check).await?;
        let made = data.revert_pull_request.and_then(|made| made.revert_pull_request);
        made.ok_or_else(|| incomplete("revertPullRequest"))
    }

    /// Merges it; `body` has the head that it must have.
    ///
    /// # Errors
    /// As [`Api::json`]; `conflict` if the head moved or it cannot be merged.
    pub(crate) async fn pull_merge(&self, repo: &Repo, number: u64, body: &Value) -> Result<Merged> {
        let request = pull_route("PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge", repo, number)
            .json(body)?
            .replay(Replay::Idempotent)
            .check(look(number));
        self.json(Target::Repo(repo), request).await
    }

    /// A page of the files of a pull request, with what changed in them.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn pull_patches(
        &self,
        repo: &Repo,
        number: u64,
        after: Option<&str>,
    ) -> Result<Listed<ChangedFile>> {
        let request = pull_route("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", repo, number);
        self.list(Target::Repo(repo), request, None, 100, after).await
    }
}

/// `answer`, where what failed of the checks is told of each of its pull requests whose checks are not all
/// there: they are unknown, which is not none.
fn checks_unread<T>(mut answer: Partial<T>, pulls: impl Fn(&mut T) -> &mut [Pull]) -> Partial<T> {
    let (of_checks, others): (Vec<_>, Vec<_>) =
        answer.failures.into_iter().partition(|(part, _)| part == CHECKS);
    answer.failures = others;
    let Some((_, error)) = of_checks.into_iter().next() else { return answer };
    let pulls = pulls(&mut answer.data);
    // Where none has an entry missing, the checks as a whole were not answered.
    let entries = pulls.iter().any(Pull::lacks_checks);
    for pull in pulls {
        let unread = if entries { pull.lacks_checks() } else { pull.status_check_rollup.is_none() };
        if unread {
            pull.checks_unread =
                Some(ChecksUnread { refused: error.kind() == Kind::Permission, why: error.for_agent() });
        }
    }
    answer
}

/// A request about one pull request.
pub(super) fn pull_route(template: &'static str, repo: &Repo, number: u64) -> connector::upstream::Request {
    route(template, &[&repo.owner, &repo.name, &number.to_string()])
}

/// What to look at when the outcome of a write is not known.
fn look(number: u64) -> String {
    format!("Check with get_pr what became of #{number}")
}

/// There is no pull request of this number.
pub(super) fn absent(repo: &Repo, number: u64) -> Error {
    Error::not_found(format!("{repo} has no pull request #{number} that the token may see"))
        .with_hint("It may be an issue, which get_issue shows; list_prs lists the pull requests")
}
