//! Changes that are made over GraphQL; some can be made only there.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::{Value, json};

use super::{
    super::{
        super::{
            errors::{ApiError, Outcome},
            graphql::{actor, may},
            ids,
            request::RequestContext,
            route::write,
        },
        comments,
        guard::TrackerGuard,
        issues, links,
        merge::{self, How},
        model::{AutoMerge, Queued, What},
        pulls::{of_number, pull_mut},
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
        "dequeuePullRequest" => dequeue,
        "minimizeComment" => |cx, input| minimize(cx, input, true),
        "unminimizeComment" => |cx, input| minimize(cx, input, false),
        "pinIssue" => |cx, input| pin(cx, input, true),
        "unpinIssue" => |cx, input| pin(cx, input, false),
        "closeIssue" => close_issue,
        "reopenIssue" => reopen_issue,
        "addComment" => add_comment,
        "createIssue" => create_issue,
        "transferIssue" => transfer,
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

fn issue_node(guard: &TrackerGuard<'_>, number: u64) -> Resolved {
    Node::new("Issue", json!([guard.repo, number])).into()
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

fn dequeue(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["id"], &["PR"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    need(cx, &guard, Right::Push, "DequeuePullRequest")?;
    if pull_mut(&mut guard, number)?.queued.take().is_none() {
        return Err(ApiError::unprocessable("Pull request is not in the merge queue"));
    }
    Ok(Resolved::fields([("mergeQueueEntry", Resolved::NULL)]))
}

fn minimize(cx: &RequestContext<'_>, input: &Value, fold: bool) -> Outcome<Resolved> {
    let (repo, number, id) = located(cx, &input["subjectId"], &["IC", "PRRC"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    let reason = fold.then(|| classifier(input["classifier"].as_str().unwrap_or("OUTDATED")));
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
    *minimized = reason;
    let name = if fold { "minimizedComment" } else { "unminimizedComment" };
    Ok(Resolved::fields([(name, Node::new(ty, json!([repo, number, id])).into())]))
}

fn pin(cx: &RequestContext<'_>, input: &Value, pinned: bool) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["issueId"], &["I"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    need(cx, &guard, Right::Push, if pinned { "PinIssue" } else { "UnpinIssue" })?;
    // "You can pin up to three important issues" (docs.github.com, "Pinning an issue to your repository").
    let others = guard.board().issues.values().filter(|issue| issue.pinned && issue.number != number).count();
    if pinned && others >= 3 {
        return Err(ApiError::unprocessable("Maximum 3 pinned issues per repository"));
    }
    let issue = guard.issue_mut(number)?;
    if issue.pinned != pinned {
        issue.pinned = pinned;
        guard.note_here(number, if pinned { What::Pinned } else { What::Unpinned });
    }
    Ok(Resolved::fields([("issue", issue_node(&guard, number))]))
}

fn close_issue(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["issueId"], &["I"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    if guard.numbered(number)?.author != guard.viewer {
        need(cx, &guard, Right::Triage, "CloseIssue")?;
    }
    if guard.numbered(number)?.open {
        let reason = input["stateReason"].as_str().unwrap_or("COMPLETED").to_lowercase();
        issues::close(&mut guard, number, Some(reason), None)?;
    }
    Ok(Resolved::fields([("issue", issue_node(&guard, number))]))
}

fn reopen_issue(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["issueId"], &["I"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    if guard.numbered(number)?.author != guard.viewer {
        need(cx, &guard, Right::Triage, "ReopenIssue")?;
    }
    if !guard.numbered(number)?.open {
        issues::reopen(&mut guard, number)?;
    }
    Ok(Resolved::fields([("issue", issue_node(&guard, number))]))
}

fn add_comment(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["subjectId"], &["I", "PR"])?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    let body = input["body"].as_str().unwrap_or_default();
    if body.trim().is_empty() {
        return Err(ApiError::unprocessable("Body cannot be blank"));
    }
    let id = comments::add(&mut guard, number, body.to_owned())?;
    let subject = super::node_of(guard.numbered(number)?);
    let edge = Resolved::fields([
        ("cursor", ids::node_id("IC", id).into()),
        ("node", Node::new("IssueComment", json!([repo, number, id])).into()),
    ]);
    Ok(Resolved::fields([("subject", subject.into()), ("commentEdge", edge)]))
}

fn create_issue(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let repo = ids::parse(input["repositoryId"].as_str().unwrap_or_default());
    let repo = repo.filter(|(kind, _)| *kind == "R").map(|(_, repo)| repo);
    let repo = repo.ok_or_else(|| {
        ApiError::missing("Could not resolve to a node with the global id of the repository")
    })?;
    may(cx, repo, write("issues"))?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    issues::enabled(&guard)?;
    let ids_of = |name: &str, kind: &str| -> Vec<u64> {
        let list = input[name].as_array().into_iter().flatten();
        list.filter_map(|id| ids::parse(id.as_str()?).filter(|(one, _)| *one == kind).map(|(_, id)| id))
            .collect()
    };
    let one = |name: &str, kind: &str| {
        ids::parse(input[name].as_str()?).filter(|(one, _)| *one == kind).map(|(_, id)| id)
    };
    // The same as a body of the REST API, so that it is checked by the same rules.
    let board = guard.board();
    let labels = ids_of("labelIds", "LA");
    let labels: Vec<_> = board
        .labels
        .iter()
        .filter(|label| labels.contains(&label.id))
        .map(|label| label.name.clone())
        .collect();
    let people = ids_of("assigneeIds", "U");
    let people: Vec<_> = people
        .iter()
        .filter_map(|id| guard.state.accounts.by_id(*id))
        .map(|account| account.login.clone())
        .collect();
    let milestone = one("milestoneId", "MI").and_then(|id| board.milestones.iter().find(|one| one.id == id));
    let owner = &guard.repository()?.owner;
    let kind = one("issueTypeId", "IT")
        .and_then(|id| guard.state.tracker.types(owner).iter().find(|one| one.id == id));
    let mut body = serde_json::Map::new();
    for (name, value) in
        [("title", input["title"].clone()), ("labels", json!(labels)), ("assignees", json!(people))]
    {
        body.insert(name.to_owned(), value);
    }
    if let Some(milestone) = milestone {
        body.insert("milestone".to_owned(), milestone.number.into());
    }
    if let Some(kind) = kind {
        body.insert("type".to_owned(), kind.name.clone().into());
    }
    let title = issues::title(&body)?.ok_or_else(|| ApiError::unprocessable("Title can't be blank"))?;
    let wanted = issues::Wanted::read(&mut guard, &body)?;
    let number = issues::open(&mut guard, title, input["body"].as_str().map(str::to_owned));
    wanted.apply(&mut guard, number)?;
    issues::announce(&mut guard, number);
    if let Some(parent) = one("parentIssueId", "I") {
        let child = guard.numbered(number)?.id;
        links::add_below(&mut guard, parent, child, false)?;
    }
    Ok(Resolved::fields([("issue", issue_node(&guard, number))]))
}

/// Moves an issue to another repository of the same owner; it gets a number there.
fn transfer(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(cx, &input["issueId"], &["I"])?;
    let target = ids::parse(input["repositoryId"].as_str().unwrap_or_default());
    let target = target.filter(|(kind, _)| *kind == "R").map(|(_, repo)| repo).unwrap_or_default();
    may(cx, target, write("issues"))?;
    let mut guard = TrackerGuard::enter_at(cx, repo)?;
    need(cx, &guard, Right::Push, "TransferIssue")?;
    let there = guard.state.repos.get(target).ok_or_else(ApiError::not_found)?;
    let here = guard.repository()?;
    if !there.owner.eq_ignore_ascii_case(&here.owner) || here.id == there.id {
        return Err(ApiError::unprocessable(
            "Issues can only be transferred between repositories of the same owner",
        ));
    }
    if here.private && !there.private {
        return Err(ApiError::unprocessable(
            "Issues cannot be transferred from a private to a public repository",
        ));
    }
    let names: Vec<String> = {
        let show = guard.show()?;
        show.labels_of(guard.numbered(number)?).map(|label| label.name.clone()).collect()
    };
    let Some(mut issue) = guard.board_mut().issues.remove(&number) else { return Err(ApiError::not_found()) };
    let now = guard.now.clone();
    let board = guard.state.tracker.board_mut(target);
    let new = board.next_number();
    // Labels of the same name come along, milestones do not.
    issue.labels = names.iter().filter_map(|name| board.label(name)).map(|label| label.id).collect();
    issue.milestone = None;
    issue.repo = target;
    issue.number = new;
    issue.updated_at = now;
    board.issues.insert(new, issue);
    Ok(Resolved::fields([("issue", Node::new("Issue", json!([target, new])).into())]))
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
