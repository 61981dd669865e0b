//! Changes that are made over GraphQL; some can be made only there.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::{Value, json};

use super::{
    super::{
        super::{
            ask::Ask,
            errors::{ApiError, Outcome},
            graphql::{actor, may},
            ids,
            route::write,
        },
        comments, issues, links,
        merge::{self, How},
        model::{AutoMerge, Queued, What},
        pulls::{of_number, pull_mut},
        rights::{self, Right},
        room::Room,
        rules,
    },
    Field,
    comments::classifier,
};

/// What makes a change of an input.
type Change = fn(&Ask<'_>, &Value) -> Outcome<Resolved>;

/// Fields of `Mutation`.
pub(super) fn run(ask: &Ask<'_>, asked: &Asked<'_>) -> Field {
    let change: Change = match asked.field {
        "resolveReviewThread" => |ask, input| resolve_thread(ask, input, true),
        "unresolveReviewThread" => |ask, input| resolve_thread(ask, input, false),
        "convertPullRequestToDraft" => |ask, input| set_draft(ask, input, true),
        "markPullRequestReadyForReview" => |ask, input| set_draft(ask, input, false),
        "enablePullRequestAutoMerge" => enable_auto_merge,
        "disablePullRequestAutoMerge" => disable_auto_merge,
        "enqueuePullRequest" => enqueue,
        "dequeuePullRequest" => dequeue,
        "minimizeComment" => |ask, input| minimize(ask, input, true),
        "unminimizeComment" => |ask, input| minimize(ask, input, false),
        "pinIssue" => |ask, input| pin(ask, input, true),
        "unpinIssue" => |ask, input| pin(ask, input, false),
        "closeIssue" => close_issue,
        "reopenIssue" => reopen_issue,
        "addComment" => add_comment,
        "createIssue" => create_issue,
        "transferIssue" => transfer,
        "replaceActorsForAssignable" => replace_actors,
        _ => return None,
    };
    Some(change(ask, asked.arg("input")))
}

/// What an id of an input names, and the right that changing it needs.
fn located(ask: &Ask<'_>, id: &Value, kinds: &[&str]) -> Outcome<(u64, u64, u64)> {
    let id = id.as_str().unwrap_or_default();
    let missing = || ApiError::missing(format!("Could not resolve to a node with the global id of '{id}'"));
    let (kind, number) = ids::parse(id).filter(|(kind, _)| kinds.contains(kind)).ok_or_else(missing)?;
    let found = {
        let state = ask.site.state();
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
    match may(ask, found.0, write(permission)) {
        Err(error) if error.kind == "NOT_FOUND" => Err(missing()),
        other => other.map(|()| found),
    }
}

/// 403 in the words of the GraphQL API.
fn need(ask: &Ask<'_>, room: &Room<'_>, right: Right, mutation: &str) -> Outcome<()> {
    if rights::has(room.repository()?, room.viewer, right) {
        return Ok(());
    }
    let login = ask.caller.login();
    Err(ApiError::forbidden(format!("{login} does not have the correct permissions to execute `{mutation}`")))
}

fn pull_node(room: &Room<'_>, number: u64) -> Resolved {
    Node::new("PullRequest", json!([room.repo, number])).into()
}

fn issue_node(room: &Room<'_>, number: u64) -> Resolved {
    Node::new("Issue", json!([room.repo, number])).into()
}

fn resolve_thread(ask: &Ask<'_>, input: &Value, resolved: bool) -> Outcome<Resolved> {
    let (repo, number, id) = located(ask, &input["threadId"], &["PRRT"])?;
    let mut room = Room::enter_at(ask, repo)?;
    let name = if resolved { "ResolveReviewThread" } else { "UnresolveReviewThread" };
    if room.numbered(number)?.author != room.viewer {
        need(ask, &room, Right::Push, name)?;
    }
    let viewer = room.viewer.to_owned();
    let threads = &mut pull_mut(&mut room, number)?.threads;
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

fn set_draft(ask: &Ask<'_>, input: &Value, draft: bool) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["pullRequestId"], &["PR"])?;
    let mut room = Room::enter_at(ask, repo)?;
    let name = if draft { "ConvertPullRequestToDraft" } else { "MarkPullRequestReadyForReview" };
    if room.numbered(number)?.author != room.viewer {
        need(ask, &room, Right::Push, name)?;
    }
    if !room.numbered(number)?.open {
        return Err(ApiError::unprocessable("Pull request is closed"));
    }
    let pull = pull_mut(&mut room, number)?;
    if pull.draft != draft {
        pull.draft = draft;
        // A draft is not merged by itself.
        let waited = draft && pull.auto_merge.take().is_some();
        room.note_here(number, if draft { What::ConvertedToDraft } else { What::ReadyForReview });
        if waited {
            room.note_here(number, What::AutoMergeDisabled);
        }
    }
    Ok(Resolved::fields([("pullRequest", pull_node(&room, number))]))
}

fn enable_auto_merge(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["pullRequestId"], &["PR"])?;
    let mut room = Room::enter_at(ask, repo)?;
    need(ask, &room, Right::Push, "EnablePullRequestAutoMerge")?;
    if !room.repository()?.merging.auto_merge {
        return Err(ApiError::unprocessable("Auto merge is not allowed for this repository"));
    }
    let (issue, pull) = of_number(&room, number)?;
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
    let show = room.show()?;
    let ready = merge::weigh(show, issue);
    if ready.mergeable == Some(true) && rules::obstacles(show, issue, "").is_empty() {
        return Err(ApiError::unprocessable("Pull request is in clean status"));
    }
    let text = |name: &str| input[name].as_str().map(str::to_owned);
    let auto = AutoMerge {
        by: room.viewer.to_owned(),
        method: text("mergeMethod").unwrap_or_else(|| "MERGE".to_owned()).to_lowercase(),
        title: text("commitHeadline"),
        message: text("commitBody"),
        at: room.now.clone(),
    };
    merge::allowed(room.repository()?, &How { method: Some(auto.method.clone()), ..How::default() })
        .map_err(|error| ApiError::unprocessable(error.message))?;
    let first = pull_mut(&mut room, number)?.auto_merge.replace(auto).is_none();
    if first {
        room.note_here(number, What::AutoMergeEnabled);
    }
    let by = actor(&room.state, room.viewer);
    Ok(Resolved::fields([("actor", by), ("pullRequest", pull_node(&room, number))]))
}

fn disable_auto_merge(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["pullRequestId"], &["PR"])?;
    let mut room = Room::enter_at(ask, repo)?;
    need(ask, &room, Right::Push, "DisablePullRequestAutoMerge")?;
    if pull_mut(&mut room, number)?.auto_merge.take().is_none() {
        return Err(ApiError::unprocessable("Can't disable auto-merge for this pull request."));
    }
    room.note_here(number, What::AutoMergeDisabled);
    let by = actor(&room.state, room.viewer);
    Ok(Resolved::fields([("actor", by), ("pullRequest", pull_node(&room, number))]))
}

fn enqueue(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["pullRequestId"], &["PR"])?;
    let mut room = Room::enter_at(ask, repo)?;
    need(ask, &room, Right::Push, "EnqueuePullRequest")?;
    let (issue, pull) = of_number(&room, number)?;
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
    let show = room.show()?;
    if merge::weigh(show, issue).mergeable == Some(false) {
        return Err(ApiError::unprocessable("Pull request has merge conflicts"));
    }
    if let Some(words) = rules::obstacles(show, issue, "").into_iter().next() {
        return Err(ApiError::unprocessable(words));
    }
    let (id, by, at) = (room.state.next_id(), room.viewer.to_owned(), room.now.clone());
    let jump = input["jump"].as_bool().unwrap_or_default();
    pull_mut(&mut room, number)?.queued = Some(Queued { id, by, at, jump });
    room.note_here(number, What::AddedToMergeQueue);
    let entry = Node::new("MergeQueueEntry", json!([repo, number, id]));
    Ok(Resolved::fields([("mergeQueueEntry", entry.into())]))
}

fn dequeue(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["id"], &["PR"])?;
    let mut room = Room::enter_at(ask, repo)?;
    need(ask, &room, Right::Push, "DequeuePullRequest")?;
    if pull_mut(&mut room, number)?.queued.take().is_none() {
        return Err(ApiError::unprocessable("Pull request is not in the merge queue"));
    }
    Ok(Resolved::fields([("mergeQueueEntry", Resolved::NULL)]))
}

fn minimize(ask: &Ask<'_>, input: &Value, fold: bool) -> Outcome<Resolved> {
    let (repo, number, id) = located(ask, &input["subjectId"], &["IC", "PRRC"])?;
    let mut room = Room::enter_at(ask, repo)?;
    let reason = fold.then(|| classifier(input["classifier"].as_str().unwrap_or("OUTDATED")));
    let (viewer, pushes) =
        (room.viewer.to_owned(), rights::has(room.repository()?, room.viewer, Right::Push));
    let refuse =
        || ApiError::forbidden(format!("{viewer} does not have permission to minimize this comment"));
    let issue = room.issue_mut(number)?;
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

fn pin(ask: &Ask<'_>, input: &Value, pinned: bool) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["issueId"], &["I"])?;
    let mut room = Room::enter_at(ask, repo)?;
    need(ask, &room, Right::Push, if pinned { "PinIssue" } else { "UnpinIssue" })?;
    // "You can pin up to three important issues" (docs.github.com, "Pinning an issue to your repository").
    let others = room.board().issues.values().filter(|issue| issue.pinned && issue.number != number).count();
    if pinned && others >= 3 {
        return Err(ApiError::unprocessable("Maximum 3 pinned issues per repository"));
    }
    let issue = room.issue_mut(number)?;
    if issue.pinned != pinned {
        issue.pinned = pinned;
        room.note_here(number, if pinned { What::Pinned } else { What::Unpinned });
    }
    Ok(Resolved::fields([("issue", issue_node(&room, number))]))
}

fn close_issue(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["issueId"], &["I"])?;
    let mut room = Room::enter_at(ask, repo)?;
    if room.numbered(number)?.author != room.viewer {
        need(ask, &room, Right::Triage, "CloseIssue")?;
    }
    if room.numbered(number)?.open {
        let reason = input["stateReason"].as_str().unwrap_or("COMPLETED").to_lowercase();
        issues::close(&mut room, number, Some(reason), None)?;
    }
    Ok(Resolved::fields([("issue", issue_node(&room, number))]))
}

fn reopen_issue(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["issueId"], &["I"])?;
    let mut room = Room::enter_at(ask, repo)?;
    if room.numbered(number)?.author != room.viewer {
        need(ask, &room, Right::Triage, "ReopenIssue")?;
    }
    if !room.numbered(number)?.open {
        issues::reopen(&mut room, number)?;
    }
    Ok(Resolved::fields([("issue", issue_node(&room, number))]))
}

fn add_comment(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["subjectId"], &["I", "PR"])?;
    let mut room = Room::enter_at(ask, repo)?;
    let body = input["body"].as_str().unwrap_or_default();
    if body.trim().is_empty() {
        return Err(ApiError::unprocessable("Body cannot be blank"));
    }
    let id = comments::add(&mut room, number, body.to_owned())?;
    let subject = super::node_of(room.numbered(number)?);
    let edge = Resolved::fields([
        ("cursor", ids::node_id("IC", id).into()),
        ("node", Node::new("IssueComment", json!([repo, number, id])).into()),
    ]);
    Ok(Resolved::fields([("subject", subject.into()), ("commentEdge", edge)]))
}

fn create_issue(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let repo = ids::parse(input["repositoryId"].as_str().unwrap_or_default());
    let repo = repo.filter(|(kind, _)| *kind == "R").map(|(_, repo)| repo);
    let repo = repo.ok_or_else(|| {
        ApiError::missing("Could not resolve to a node with the global id of the repository")
    })?;
    may(ask, repo, write("issues"))?;
    let mut room = Room::enter_at(ask, repo)?;
    issues::enabled(&room)?;
    let ids_of = |name: &str, kind: &str| -> Vec<u64> {
        let list = input[name].as_array().into_iter().flatten();
        list.filter_map(|id| ids::parse(id.as_str()?).filter(|(one, _)| *one == kind).map(|(_, id)| id))
            .collect()
    };
    let one = |name: &str, kind: &str| {
        ids::parse(input[name].as_str()?).filter(|(one, _)| *one == kind).map(|(_, id)| id)
    };
    // The same as a body of the REST API, so that it is checked by the same rules.
    let board = room.board();
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
        .filter_map(|id| room.state.accounts.by_id(*id))
        .map(|account| account.login.clone())
        .collect();
    let milestone = one("milestoneId", "MI").and_then(|id| board.milestones.iter().find(|one| one.id == id));
    let owner = &room.repository()?.owner;
    let kind = one("issueTypeId", "IT")
        .and_then(|id| room.state.tracker.types(owner).iter().find(|one| one.id == id));
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
    let wanted = issues::Wanted::read(&mut room, &body)?;
    let number = issues::open(&mut room, title, input["body"].as_str().map(str::to_owned));
    wanted.apply(&mut room, number)?;
    issues::announce(&mut room, number);
    if let Some(parent) = one("parentIssueId", "I") {
        let child = room.numbered(number)?.id;
        links::add_below(&mut room, parent, child, false)?;
    }
    Ok(Resolved::fields([("issue", issue_node(&room, number))]))
}

/// Moves an issue to another repository of the same owner; it gets a number there.
fn transfer(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["issueId"], &["I"])?;
    let target = ids::parse(input["repositoryId"].as_str().unwrap_or_default());
    let target = target.filter(|(kind, _)| *kind == "R").map(|(_, repo)| repo).unwrap_or_default();
    may(ask, target, write("issues"))?;
    let mut room = Room::enter_at(ask, repo)?;
    need(ask, &room, Right::Push, "TransferIssue")?;
    let there = room.state.repos.get(target).ok_or_else(ApiError::not_found)?;
    let here = room.repository()?;
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
        let show = room.show()?;
        show.labels_of(room.numbered(number)?).map(|label| label.name.clone()).collect()
    };
    let Some(mut issue) = room.board_mut().issues.remove(&number) else { return Err(ApiError::not_found()) };
    let now = room.now.clone();
    let board = room.state.tracker.board_mut(target);
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
fn replace_actors(ask: &Ask<'_>, input: &Value) -> Outcome<Resolved> {
    let (repo, number, _) = located(ask, &input["assignableId"], &["I", "PR"])?;
    let mut room = Room::enter_at(ask, repo)?;
    need(ask, &room, Right::Triage, "ReplaceActorsForAssignable")?;
    let mut logins = Vec::new();
    for id in input["actorIds"].as_array().into_iter().flatten() {
        let text = id.as_str().unwrap_or_default();
        let account = ids::parse(text).and_then(|(_, id)| room.state.accounts.by_id(id));
        let account = account.filter(|one| one.node_id() == text);
        let account = account.ok_or_else(|| {
            ApiError::missing(format!("Could not resolve to a node with the global id of '{text}'"))
        })?;
        if !rights::assignable(room.repository()?, &account.login) {
            return Err(ApiError::unprocessable(format!(
                "{} cannot be assigned to this issue",
                account.login
            )));
        }
        logins.push(account.login.clone());
    }
    issues::assign(&mut room, number, &logins)?;
    let node = super::node_of(room.numbered(number)?);
    Ok(Resolved::fields([("assignable", node.into())]))
}
