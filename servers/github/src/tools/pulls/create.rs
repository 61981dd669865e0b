//! `create_pr`: opens a pull request, then adds what opening does not take.

use connector::catalog::reconcile;
use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, words::people},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reviewers::Reviewers;
use crate::{
    GitHub,
    api::pulls::{Posted, Pull, Tip},
    render,
    repo::Repo,
    resolve::{closing, mentions::notified, naming, reference, text},
    scopes,
};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::write("create_pr", "Create PR", "Opens a PR.", create_pr)
            .toolset("pulls")
            .scopes(scopes::REPO)
            .aliases(&[("repository", "repo"), ("description", "body"), ("branch", "head")])
            .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreatePr {
    repo: Option<String>,
    title: String,
    // A branch, or `user:branch` of a fork.
    head: String,
    base: Option<String>,
    body: Option<String>,
    draft: Option<bool>,
    // Logins, `org/team`, `copilot`.
    #[serde(default)]
    reviewers: Vec<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    assignees: Vec<String>,
}

/// A pull request that is to be opened.
struct Draft {
    repo: Repo,
    /// The branch with its owner: what GitHub's list filters by.
    head: String,
    base: String,
    input: Value,
    reviewers: Reviewers,
    labels: Vec<String>,
    assignees: Vec<String>,
    /// What its text closes, a line for each issue.
    closes: Vec<String>,
}

async fn create_pr(call: Call<GitHub>, arguments: CreatePr) -> Result<Plan> {
    let CreatePr { repo, title, head, base, body, draft, reviewers, labels, assignees } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    let title = title.trim();
    if title.is_empty() {
        return Err(Error::invalid("`title` is empty"));
    }
    call.bounds().permits(&repo, Effect::Write)?;
    let reviewers = Reviewers::named(&call, &repo, &reviewers).await?;
    // GitHub makes labels that it does not know, and leaves out without a word whom it cannot assign.
    let labels = naming::labels_to_set(&call, &repo, &labels).await?;
    let assignees = naming::assignees(&call, &repo, &assignees).await?;
    if !reviewers.is_empty() {
        let author = call.api().viewer().await?.login;
        reviewers.check(&call, &repo, &author).await?;
    }
    let head = head.trim();
    let (owner, branch) = head.split_once(':').unwrap_or((repo.owner.as_str(), head));
    let branch = reference::branch(branch);
    let is_own = owner.eq_ignore_ascii_case(&repo.owner);
    let head = if is_own { branch.to_owned() } else { format!("{}:{branch}", owner.trim()) };
    let base = base.as_deref().map(reference::branch).filter(|base| !base.is_empty());
    let there = call.api().pull_prepare(&repo, branch, base).await?;
    if is_own && there.head.is_none() {
        return Err(Error::not_found(format!("{repo} has no branch {}", one_line(branch))).with_hint(
            "commit_files with `from` or manage_ref creates one; for a branch of a fork write user:branch",
        ));
    }
    let base = match (base, &there.default_branch_ref) {
        (Some(base), _) if there.base.is_some() => base.to_owned(),
        (Some(base), _) => {
            return Err(Error::not_found(format!("{repo} has no branch {} to merge into", one_line(base)))
                .with_hint("list_refs gives the branches; without `base` it is the default branch"));
        }
        (None, Some(default)) => default.name.clone(),
        (None, None) => {
            return Err(Error::invalid(format!("{repo} has no default branch")).with_hint("Give `base`"));
        }
    };
    if is_own && base == branch {
        return Err(Error::invalid(format!("`head` and `base` are both {}", one_line(branch))));
    }
    let from = |pull: &&Pull| {
        let of = pull.head_repository_owner.as_ref().is_some_and(|of| of.name().eq_ignore_ascii_case(owner));
        of && pull.base_ref_name == base
    };
    if let Some(open) = there.pull_requests.nodes.iter().find(from) {
        return Err(Error::new(
            Kind::Conflict,
            format!("#{} is open already from {} to {}", open.number, one_line(&head), one_line(&base)),
        )
        .with_hint("Change that one with update_pr"));
    }
    if is_own {
        let (from, to) = (there.head.as_ref(), there.base.as_ref());
        brings_something(&call, &repo, (branch, from), (&base, to)).await?;
    }
    let body = body.unwrap_or_default();
    text::title_fits(title)?;
    text::fits("body", &body)?;
    let mut input = json!({"title": title, "head": head, "base": base});
    if !body.trim().is_empty() {
        input["body"] = json!(body);
    }
    if draft == Some(true) {
        input["draft"] = json!(true);
    }
    let head = format!("{owner}:{branch}");
    let default = there.default_branch_ref.as_ref().map(|default| default.name.as_str());
    let closes = closing::told(&call, &repo, &body, &base, default).await;
    let draft = Draft { repo, head, base, input, reviewers, labels, assignees, closes };
    Ok(open(call, draft, body).await)
}

/// Refuses a head that brings its base nothing: "No commits between main and x" is what GitHub says of it.
async fn brings_something(
    call: &Call<GitHub>,
    repo: &Repo,
    head: (&str, Option<&Tip>),
    base: (&str, Option<&Tip>),
) -> Result<()> {
    let Some(tip) = head.1 else { return Ok(()) };
    let into = base.1.map_or(base.0, |base| base.target.oid.as_str());
    if !call.api().compare(repo, into, &tip.target.oid).await.is_ok_and(|compared| compared.ahead_by == 0) {
        return Ok(());
    }
    Err(Error::invalid(format!("There are no commits between {} and {}", one_line(base.0), one_line(head.0)))
        .with_hint("Nothing was opened. commit_files puts changes on the branch"))
}

async fn open(call: Call<GitHub>, draft: Draft, body: String) -> Plan {
    let kind = if draft.input["draft"] == true { "a draft pull request" } else { "a pull request" };
    let title = one_line(draft.input["title"].as_str().unwrap_or_default());
    let mut preview = Written::new(format!("Open {kind} in {}: {title}", draft.repo)).change(format!(
        "{} -> {}",
        one_line(&draft.head),
        one_line(&draft.base)
    ));
    if !body.trim().is_empty() {
        preview = preview.change(format!("body of {}", render::characters(&body)));
    }
    if !draft.labels.is_empty() {
        preview = preview.change(format!("labels [{}]", one_line(&draft.labels.join(", "))));
    }
    let mut asked = draft.reviewers.names(&draft.repo);
    asked.extend(draft.assignees.iter().cloned());
    if !draft.reviewers.is_empty() {
        preview = preview.change(format!("reviewers {}", people(&draft.reviewers.names(&draft.repo))));
    }
    if !draft.assignees.is_empty() {
        preview = preview.change(format!("assignees {}", people(&draft.assignees)));
    }
    asked.sort();
    asked.dedup();
    preview.changed.extend(draft.closes.iter().cloned());
    preview.changed.extend(notified(&call, &draft.repo, &asked, &body, "").await);
    Plan::new(Reply::written(preview), move || async move {
        let (posted, lost) = post(&call, &draft).await?;
        let word = if posted.draft { "draft " } else { "" };
        let opened = format!("opened {word}{}#{}: {}", draft.repo, posted.number, one_line(&posted.title));
        let mut written = Written::new(reconcile::summary("GitHub", lost, &opened))
            .change(format!("{} -> {}", one_line(&draft.head), one_line(&posted.base.branch)))
            .change(format!("head {}", posted.head.sha))
            .id(posted.number.to_string())
            .url(posted.html_url.clone());
        written.changed.extend(follow_up(&call, &draft, posted.number).await);
        written.changed.extend(draft.closes.iter().cloned());
        written.changed.extend(notified(&call, &draft.repo, &[], &body, "").await);
        Ok(Reply::written(written))
    })
}

/// Opens it, and says whether the answer was lost: the list of pull requests then tells, because there was
/// none before.
async fn post(call: &Call<GitHub>, draft: &Draft) -> Result<(Posted, bool)> {
    let check = format!("Check with list_prs whether there is one from {}", one_line(&draft.head));
    let error = match call.api().pull_open(&draft.repo, &draft.input, check).await {
        Ok(posted) => return Ok((posted, false)),
        Err(error) => error,
    };
    if !matches!(error.kind(), Kind::UnknownOutcome | Kind::Conflict) {
        return Err(error);
    }
    let Ok(open) = call.api().pulls_from(&draft.repo, &draft.head).await else { return Err(error) };
    let Some(found) = open.into_iter().find(|pull| pull.base.branch == draft.base) else { return Err(error) };
    if error.kind() == Kind::UnknownOutcome && draft.input["title"] == found.title {
        return Ok((found, true));
    }
    Err(Error::new(
        Kind::Conflict,
        format!("#{} is open already from {}", found.number, one_line(&draft.head)),
    )
    .with_hint("Change that one with update_pr"))
}

/// What opening does not take: labels, assignees, reviewers. The pull request stands whatever comes of it.
async fn follow_up(call: &Call<GitHub>, draft: &Draft, number: u64) -> Vec<String> {
    let Draft { repo, reviewers, labels, assignees, .. } = draft;
    let mut lines = Vec::new();
    let mut tell = |what: String, result: Result<()>| {
        lines.push(match result {
            Ok(()) => what,
            Err(error) => format!("NOT done, but the pull request stands: {what}: {}", error.for_agent()),
        });
    };
    if !labels.is_empty() {
        let result = call.api().add_labels(repo, number, labels).await;
        tell(format!("labels [{}]", one_line(&labels.join(", "))), result);
    }
    if !assignees.is_empty() {
        let result = call.api().assign(repo, number, assignees, true).await;
        tell(format!("assigned to {}", people(assignees)), result);
    }
    if !reviewers.is_empty() {
        let result = call.api().pull_reviewers(repo, number, &reviewers.people, &reviewers.teams, true).await;
        tell(format!("review requested from {}", people(&reviewers.names(repo))), result);
    }
    lines
}
