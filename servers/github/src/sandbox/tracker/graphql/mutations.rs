//! Changes that are made over GraphQL; some can be made only there.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::{Value, json};

use super::{
    super::{
        super::{
            errors::{ApiError, Outcome},
            graphql::{actor, may},
            ids,
            repos::{self, git::Wording},
            request::RequestContext,
            route::write,
        },
        guard::TrackerGuard,
        issues,
        merge::{self, How},
        model::{AutoMerge, Queued, What},
        pulls::{of_number, open, pull_mut},
        rights::{self, Right},
        rules,
    },
    Field,
    comments::classifier,
};

/// What makes a change of an input.
type Change = fn(&RequestContext<'_>, &Value) -> Outcome<Resolved>;

/// Fields of `Mutation`.
pub(super) fn run(cx: &RequestContext<'_>, asked: &Asked<'_>) -> Field {
    let change: Change = match asked.field {
        "resolveReviewThread" => |cx, input| resolve_thread(cx, input, true),
        "unresolveReviewThread" => |cx, input| resolve_thread(cx, input, false),
        "convertPullRequestToDraft" => |cx, input| set_draft(cx, input, true),
        "markPullRequestReadyForReview" => |cx, input| set_draft(cx, input, false),
        "enablePullRequestAutoMerge" => enable_auto_merge,
        "disablePullRequestAutoMerge" => disable_auto_merge,
        "enqueuePullRequest" => enqueue,
        "revertPullRequest" => revert,
        "minimizeComment" => minimize,
        "replaceActorsForAssignable" => replace_actors,
        _ => return None,
    };
    Some(change(cx, asked.arg("input")))
}

/// What an id of an input names, and the right that changing it needs.
fn located(cx: &RequestContext<'_>, id: &Value, kinds: &[&str]) -> Outcome<(u64, u64, u64)> {
    let id = id.as_str().unwrap_or_default();
    let missing = || ApiError::missing(format!("Could not resolve to a node with the global id of '{id}'"));
    let (kind, number) = ids::parse(id).filter(|(kind, _)| kinds.contains(kind)).ok_or_else(missing)?;
    let found = {
        let state = cx.site.state();
        let all = state.tracker.all().find_map(|(repo, issue)| {
            let pull = issue.pull.as_ref();
            let fits = match kind {
                "I" => pull.is_none() && issue.id == number,
                "PR" => pull.is_some_and(|pull| pull.id == number),
                "IC" => issue.comments.iter().any(|one| one.id == number),
                "PRRT" => pull.is_some_and(|pull| pull.threads.iter().any(|one| one.id == number)),
                "PRRC" => pull.is_some_and(|pull| {
                    pull.threads.iter().flat_map(|thread| &thread.remarks).any(|one| one.id == number)
                }),
                _ => false,
            };
            fits.then_some((repo, issue.number, number))
        });
        all.ok_or_else(missing)?
    };
    let permission = if kind.starts_with("PR") { "pull_requests" } else { "issues" };
    match may(cx, found.0, write(permission)) {
        Err(error) if error.kind == "NOT_FOUND" => Err(missing()),
        other => other.map(|()| found),
    }
}

/// 403 in the words of the GraphQL API.
fn need(cx: &RequestContext<'_>, guard: &TrackerGuard<'_>, right: Right, mutation: &str) -> Outcome<()> {
    if rights::has(guard.repository()?, guard.viewer, right) {
        return Ok(());
    }
    let login = cx.caller.login();
    Err(ApiError::forbidden(format!("{login} does not have the correct permissions to execute `{mutation}`")))
}

fn pull_node(guard: &TrackerGuard<'_>, number: u64) -> Resolved {
    Node::new("PullRequest", json!([guard.repo, number])).into()
}

fn resolve_thread(cx: &RequestContext<'_>, input: &Value, resolved: bool) -> Outcome<Resolved> {
    let (repo, number, id) = located(cx, &input["threadId"], &["PRRT"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    let name = if resolved { "ResolveReviewThread" } else { "UnresolveReviewThread" };
    if guard.numbered(number)?.author != guard.viewer {
        need(cx, &guard, Right::Push, name)?;
    }
    let viewer = guard.viewer.to_owned();
    let threads = &mut pull_mut(&mut guard, number)?.threads;
    if let Some(thread) = threads.iter_mut().find(|thread| thread.id == id) {
        if !resolved {
            thread.resolved_by = None;
        } else if thread.resolved_by.is_none() {
            thread.resolved_by = Some(viewer);
        }
    }
    let thread = Node::new("PullRequestReviewThread", json!([repo, number, id]));
    Ok(Resolved::fields([("thread", thread.into())]))
}

fn set_draft(cx: &RequestContext<'_>, input: &Value, draft: bool) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["pullRequestId"], &["PR"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    let name = if draft { "ConvertPullRequestToDraft" } else { "MarkPullRequestReadyForReview" };
    if guard.numbered(number)?.author != guard.viewer {
        need(cx, &guard, Right::Push, name)?;
    }
    if !guard.numbered(number)?.open {
        return Err(ApiError::unprocessable("Pull request is closed"));
    }
    let pull = pull_mut(&mut guard, number)?;
    if pull.draft != draft {
        pull.draft = draft;
        // A draft is not merged by itself.
        let waited = draft && pull.auto_merge.take().is_some();
        guard.note_here(number, if draft { What::ConvertedToDraft } else { What::ReadyForReview });
        if waited {
            guard.note_here(number, What::AutoMergeDisabled);
        }
    }
    Ok(Resolved::fields([("pullRequest", pull_node(&guard, number))]))
}

fn enable_auto_merge(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["pullRequestId"], &["PR"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    need(cx, &guard, Right::Push, "EnablePullRequestAutoMerge")?;
    if !guard.repository()?.merging.auto_merge {
        return Err(ApiError::unprocessable("Auto merge is not allowed for this repository"));
    }
    let (issue, pull) = of_number(&guard, number)?;
    if !issue.open {
        return Err(ApiError::unprocessable("Pull request is closed"));
    }
    if pull.draft {
        return Err(ApiError::unprocessable("Pull request is in draft state"));
    }
    if input["expectedHeadOid"].as_str().is_some_and(|oid| oid != pull.head_sha) {
        return Err(ApiError::unprocessable("Expected head oid does not match the current head oid")
            .kind("STALE_DATA"));
    }
    let show = guard.show()?;
    let ready = merge::weigh(show, issue);
    if ready.mergeable == Some(true) && rules::obstacles(show, issue, "").is_empty() {
        return Err(ApiError::unprocessable("Pull request is in clean status"));
    }
    let text = |name: &str| input[name].as_str().map(str::to_owned);
    let auto = AutoMerge {
        by: guard.viewer.to_owned(),
        method: text("mergeMethod").unwrap_or_else(|| "MERGE".to_owned()).to_lowercase(),
        title: text("commitHeadline"),
        message: text("commitBody"),
        at: guard.now.clone(),
    };
    merge::allowed(guard.repository()?, &How { method: Some(auto.method.clone()), ..How::default() })
        .map_err(|error| ApiError::unprocessable(error.message))?;
    let first = pull_mut(&mut guard, number)?.auto_merge.replace(auto).is_none();
    if first {
        guard.note_here(number, What::AutoMergeEnabled);
    }
    let by = actor(&guard.state, guard.viewer);
    Ok(Resolved::fields([("actor", by), ("pullRequest", pull_node(&guard, number))]))
}

fn disable_auto_merge(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["pullRequestId"], &["PR"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    need(cx, &guard, Right::Push, "DisablePullRequestAutoMerge")?;
    if pull_mut(&mut guard, number)?.auto_merge.take().is_none() {
        return Err(ApiError::unprocessable("Can't disable auto-merge for this pull request."));
    }
    guard.note_here(number, What::AutoMergeDisabled);
    let by = actor(&guard.state, guard.viewer);
    Ok(Resolved::fields([("actor", by), ("pullRequest", pull_node(&guard, number))]))
}

fn enqueue(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["pullRequestId"], &["PR"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    need(cx, &guard, Right::Push, "EnqueuePullRequest")?;
    let (issue, pull) = of_number(&guard, number)?;
    if !issue.open || pull.draft {
        return Err(ApiError::unprocessable("Pull request cannot be added to the merge queue"));
    }
    if pull.queued.is_some() {
        return Err(ApiError::unprocessable("Pull request is already in the merge queue"));
    }
    if input["expectedHeadOid"].as_str().is_some_and(|oid| oid != pull.head_sha) {
        return Err(ApiError::unprocessable("Expected head oid does not match the current head oid")
            .kind("STALE_DATA"));
    }
    let show = guard.show()?;
    if merge::weigh(show, issue).mergeable == Some(false) {
        return Err(ApiError::unprocessable("Pull request has merge conflicts"));
    }
    if let Some(words) = rules::obstacles(show, issue, "").into_iter().next() {
        return Err(ApiError::unprocessable(words));
    }
    let (id, by, at) = (guard.state.next_id(), guard.viewer.to_owned(), guard.now.clone());
    let jump = input["jump"].as_bool().unwrap_or_default();
    pull_mut(&mut guard, number)?.queued = Some(Queued { id, by, at, jump });
    guard.note_here(number, What::AddedToMergeQueue);
    let entry = Node::new("MergeQueueEntry", json!([repo, number, id]));
    Ok(Resolved::fields([("mergeQueueEntry", entry.into())]))
}

/// Opens a pull request that takes back what another did (docs.github.com, "Reverting a pull request").
fn revert(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["pullRequestId"], &["PR"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    need(cx, &guard, Right::Push, "RevertPullRequest")?;
    let (issue, pull) = of_number(&guard, number)?;
    let merged =
        pull.merge_commit.clone().ok_or_else(|| ApiError::unprocessable("Pull request is not merged"))?;
    let (base, branch) = (pull.base.clone(), format!("revert-{number}-{}", pull.head));
    let text = |name: &str| input[name].as_str().map(str::to_owned).filter(|text| !text.is_empty());
    let title = text("title").unwrap_or_else(|| format!("Revert \"{}\"", issue.title));
    let full_name = {
        let own = guard.repository()?;
        format!("{}/{}", own.owner, own.name)
    };
    let body = text("body").unwrap_or_else(|| format!("Reverts {full_name}#{number}"));
    let (now, viewer) = (guard.now.clone(), guard.viewer.to_owned());
    let author = merge::person(&guard.state, &viewer, &now);
    let message = format!("{title}\n\nThis reverts commit {merged}.\n");
    let wording = Wording {
        message,
        committer: repos::github(author.at),
        author,
        signature: Some(repos::SIGNED.to_owned()),
    };
    let cannot = || {
        ApiError::unprocessable(
            "Sorry, this pull request couldn’t be reverted automatically. It may have already been reverted, or the content may have changed since it was merged.",
        )
    };
    let there = guard.state.repos.get_mut(repo).ok_or_else(ApiError::not_found)?;
    let onto = there.git.branch(&base).map(str::to_owned).ok_or_else(cannot)?;
    if there.git.branch(&branch).is_some() {
        return Err(cannot());
    }
    let sha = there.git.revert(&onto, &merged, wording).ok().flatten().ok_or_else(cannot)?;
    there.push(&branch, &sha, &now);
    let made = open(cx, &mut guard, (title, body), (base, onto), (branch, sha))?;
    let draft = input["draft"].as_bool().unwrap_or_default();
    pull_mut(&mut guard, made)?.draft = draft;
    Ok(Resolved::fields([
        ("pullRequest", pull_node(&guard, number)),
        ("revertPullRequest", pull_node(&guard, made)),
    ]))
}

fn minimize(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, id) = located(cx, &input["subjectId"], &["IC", "PRRC"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    let reason = classifier(input["classifier"].as_str().unwrap_or("OUTDATED"));
    let (viewer, pushes) =
        (guard.viewer.to_owned(), rights::has(guard.repository()?, guard.viewer, Right::Push));
    let refuse =
        || ApiError::forbidden(format!("{viewer} does not have permission to minimize this comment"));
    let issue = guard.issue_mut(number)?;
    let remarks =
        issue.pull.iter_mut().flat_map(|pull| &mut pull.threads).flat_map(|thread| &mut thread.remarks);
    let remarks = remarks.map(|one| (one.id, "PullRequestReviewComment", &one.author, &mut one.minimized));
    let comments =
        issue.comments.iter_mut().map(|one| (one.id, "IssueComment", &one.author, &mut one.minimized));
    let found = comments.chain(remarks).find(|(one, ..)| *one == id);
    let (_, ty, author, minimized) = found.ok_or_else(ApiError::not_found)?;
    if !pushes && *author != viewer {
        return Err(refuse());
    }
    *minimized = Some(reason);
    Ok(Resolved::fields([("minimizedComment", Node::new(ty, json!([repo, number, id])).into())]))
}

/// Assigns to these people and bots, and nobody else. An issue is given to the coding agent this way (docs.github.com,
/// "Using the API to assign issues to Copilot").
fn replace_actors(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["assignableId"], &["I", "PR"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    need(cx, &guard, Right::Triage, "ReplaceActorsForAssignable")?;
    let mut logins = Vec::new();
    for id in input["actorIds"].as_array().into_iter().flatten() {
        let text = id.as_str().unwrap_or_default();
        let account = ids::parse(text).and_then(|(_, id)| guard.state.accounts.by_id(id));
        let account = account.filter(|one| one.node_id() == text);
        let account = account.ok_or_else(|| {
            ApiError::missing(format!("Could not resolve to a node with the global id of '{text}'"))
        })?;
        if !rights::assignable(guard.repository()?, &account.login) {
            return Err(ApiError::unprocessable(format!(
                "{} cannot be assigned to this issue",
                account.login
            )));
        }
        logins.push(account.login.clone());
    }
    issues::assign(&mut guard, number, &logins)?;
    let node = super::node_of(guard.numbered(number)?);
    Ok(Resolved::fields([("assignable", node.into())]))
}
