//! Merging: whether it can be done, and doing it.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::{
        Site,
        errors::{ApiError, Outcome},
        repos::{
            self, Repository,
            git::{Commit, Method, Signature, Wording},
        },
        request::{FakeResponse, GitHubRequest as _, RequestContext},
        state::State,
    },
    guard::TrackerGuard,
    issues, mentions,
    model::{Issue, What},
    pull_show::commits,
    pulls::{asked, of_number},
    rights::{self, Right},
    rules,
    show::Show,
    transitions,
};

/// Whether a pull request can be merged, and how things stand besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weight {
    /// None while it is being worked out.
    pub(super) mergeable: Option<bool>,
    /// As the REST API says it: `clean`, `dirty`, `blocked`, `behind`, `unstable`, `draft`, `unknown`.
    pub(super) state: &'static str,
}

impl Weight {
    /// It is being worked out.
    pub(super) const UNKNOWN: Self = Self { mergeable: None, state: "unknown" };
}

/// Works out whether a pull request can be merged.
pub(super) fn weigh(show: Show<'_>, issue: &Issue) -> Weight {
    let Some(pull) = issue.pull.as_ref().filter(|_| issue.open) else { return Weight::UNKNOWN };
    if show.repo.git.joins(&pull.base_sha, &pull.head_sha).is_err() {
        return Weight { mergeable: Some(false), state: "dirty" };
    }
    let rules = show.repo.protection.get(&pull.base);
    let state = if pull.draft {
        "draft"
    } else if rules.is_some_and(|rules| rules.strict) && rules::behind(show, pull) {
        "behind"
    } else if !rules::obstacles(show, issue, "").is_empty() {
        "blocked"
    } else if rules::checks(show, pull).iter().any(|check| !rules::succeeded(check)) {
        "unstable"
    } else {
        "clean"
    };
    Weight { mergeable: Some(true), state }
}

/// `GET …/pulls/{pull_number}/merge`: 204 if it is merged, else 404.
pub(super) fn is_merged(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let (_, pull) = asked(&guard, cx)?;
    if pull.merged_at.is_some() { Ok(FakeResponse::none()) } else { Err(ApiError::not_found()) }
}

/// `PUT …/pulls/{pull_number}/merge`
pub(super) fn merge(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    of_number(&guard, number)?;
    if !rights::has(guard.repository()?, guard.viewer, Right::Push) {
        return Err(ApiError::forbidden("You must have write access to the repository to merge."));
    }
    let body = cx.object()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let how =
        How { method: text("merge_method"), title: text("commit_title"), message: text("commit_message") };
    let viewer = guard.viewer.to_owned();
    may(&guard, number, &viewer, &how, text("sha").as_deref())?;
    let now = guard.now.clone();
    let sha = bring(cx.site, &mut guard.state, cx.target, number, &viewer, &how, &now)?;
    Ok(FakeResponse::json(json!({"sha": sha, "merged": true, "message": "Pull Request successfully merged"})))
}

/// How a pull request shall be merged.
#[derive(Clone, Debug, Default)]
pub(super) struct How {
    /// `merge`, `squash`, `rebase`; none for a merge commit.
    pub(super) method: Option<String>,
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
}

impl How {
    fn method(&self) -> Outcome<Method> {
        match self.method.as_deref().unwrap_or("merge") {
            "merge" => Ok(Method::Merge),
            "squash" => Ok(Method::Squash),
            "rebase" => Ok(Method::Rebase),
            _ => Err(ApiError::validation("PullRequest", "merge_method", "invalid")),
        }
    }
}

/// 405 with GitHub's words for what is in the way.
fn not_allowed(words: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, words)
}

/// Refuses what cannot be merged, or may not be.
fn may(guard: &TrackerGuard<'_>, number: u64, by: &str, how: &How, sha: Option<&str>) -> Outcome<()> {
    let show = guard.show()?;
    let (issue, pull) = of_number(guard, number)?;
    if !issue.open {
        return Err(not_allowed("Pull Request is not mergeable"));
    }
    if pull.draft {
        return Err(not_allowed("Pull Request is still a draft"));
    }
    if sha.is_some_and(|sha| sha != pull.head_sha) {
        return Err(ApiError::conflict("Head branch was modified. Review and try the merge again."));
    }
    allowed(show.repo, how)?;
    if weigh(show, issue).mergeable == Some(false) {
        return Err(not_allowed("Pull Request is not mergeable"));
    }
    match rules::obstacles(show, issue, by).first() {
        Some(words) => Err(not_allowed(words.clone())),
        None => Ok(()),
    }
}

/// Refuses a way of merging that a repository does not have.
pub(super) fn allowed(repo: &Repository, how: &How) -> Outcome<()> {
    let allowed = &repo.merging;
    match how.method()? {
        Method::Merge if !allowed.merge_commit => {
            Err(not_allowed("Merge commits are not allowed on this repository."))
        }
        Method::Squash if !allowed.squash => {
            Err(not_allowed("Squash merges are not allowed on this repository."))
        }
        Method::Rebase if !allowed.rebase => {
            Err(not_allowed("Rebase merges are not allowed on this repository."))
        }
        Method::Merge | Method::Squash | Method::Rebase => Ok(()),
    }
}

/// Merges a pull request that may be merged: moves the base, closes it and the issues it fixes. The commit's id.
pub(super) fn bring(
    site: &Site,
    state: &mut State,
    repo: u64,
    number: u64,
    by: &str,
    how: &How,
    now: &str,
) -> Outcome<String> {
    let show = Show::at(site, state, repo, by)?;
    let issue = show.board.issues.get(&number).ok_or_else(ApiError::not_found)?;
    let pull = issue.pull.as_ref().ok_or_else(ApiError::not_found)?;
    let method = how.method()?;
    let author = match method {
        Method::Squash => person(state, &issue.author, now),
        Method::Merge | Method::Rebase => person(state, by, now),
    };
    let committer = repos::github(author.at);
    let message = words(show, issue, method, how);
    let fixes = fixed(show, issue);
    let (base, base_sha, head_sha) = (pull.base.clone(), pull.base_sha.clone(), pull.head_sha.clone());
    let (head, head_repo) = (pull.head.clone(), pull.head_repo);
    let delete = show.repo.merging.delete_branch;
    let wording = Wording { message, author, committer, signature: Some(repos::SIGNED.to_owned()) };
    let there = state.repos.get_mut(repo).ok_or_else(ApiError::not_found)?;
    let merged = there.git.merge(&base_sha, &head_sha, method, wording);
    let sha = merged.map_err(|_| not_allowed("Pull Request is not mergeable"))?;
    there.push(&base, &sha, now);
    repos::pushed(site, state, repo, &base, &sha, by);
    transitions::closed(state, repo, number);
    let ids = [state.next_id(), state.next_id(), state.next_id()];
    if let Some(issue) = state.tracker.board_mut(repo).issues.get_mut(&number) {
        issue.open = false;
        issue.closed_at = Some(now.to_owned());
        issue.closed_by = Some(by.to_owned());
        if let Some(pull) = &mut issue.pull {
            pull.merged_at = Some(now.to_owned());
            pull.merged_by = Some(by.to_owned());
            pull.merge_commit = Some(sha.clone());
        }
        issue.happened(ids[0], by, now, What::Merged(sha.clone()));
        issue.happened(ids[1], by, now, What::Closed { reason: None, commit: None });
        if delete {
            issue.happened(ids[2], by, now, What::HeadDeleted(head.clone()));
        }
    }
    if let Some(source) = state.repos.get_mut(head_repo).filter(|_| delete) {
        source.git.drop_reference(&format!("refs/heads/{head}"));
    }
    for (repo, number) in fixes {
        let id = state.next_id();
        let Some(issue) = state.tracker.board_mut(repo).issues.get_mut(&number) else { continue };
        issue.open = false;
        issue.state_reason = Some("completed".to_owned());
        issue.closed_at = Some(now.to_owned());
        issue.closed_by = Some(by.to_owned());
        issue.happened(
            id,
            by,
            now,
            What::Closed { reason: Some("completed".to_owned()), commit: Some(sha.clone()) },
        );
    }
    Ok(sha)
}

/// Somebody as the author of a commit.
pub(super) fn person(state: &State, login: &str, now: &str) -> Signature {
    let known = state.accounts.get(login).and_then(|account| repos::signature_of(account, now));
    known.unwrap_or_else(|| repos::github(now.parse::<jiff::Timestamp>().unwrap_or_default().as_second()))
}

/// The title and the message that the website proposes for the commit of a merge by `method`.
pub(super) fn proposed(show: Show<'_>, issue: &Issue, method: Option<&str>) -> (String, String) {
    let how = How { method: method.map(str::to_lowercase), ..How::default() };
    let message = how.method().map(|method| words(show, issue, method, &how)).unwrap_or_default();
    let (title, body) = message.split_once('\n').unwrap_or((&message, ""));
    (title.trim().to_owned(), body.trim().to_owned())
}

/// The message of the new commit, as GitHub proposes it if nothing else is said.
fn words(show: Show<'_>, issue: &Issue, method: Method, how: &How) -> String {
    let Some(pull) = &issue.pull else { return String::new() };
    let number = issue.number;
    let owner = show.state.repos.get(pull.head_repo).map(|repo| repo.owner.as_str()).unwrap_or_default();
    let texts: Vec<String> = commits(show, pull)
        .iter()
        .filter_map(|sha| show.repo.git.commit(sha))
        .map(|commit| commit.text().to_owned())
        .collect();
    let (title, body) = match (method, texts.as_slice()) {
        (Method::Squash, [only]) => {
            let (subject, rest) = only.split_once('\n').unwrap_or((only, ""));
            (format!("{subject} (#{number})"), rest.trim().to_owned())
        }
        (Method::Squash, many) => {
            let list: Vec<_> = many.iter().map(|text| format!("* {text}")).collect();
            (format!("{} (#{number})", issue.title), list.join("\n\n"))
        }
        _ => (format!("Merge pull request #{number} from {owner}/{}", pull.head), issue.title.clone()),
    };
    let title = how.title.clone().filter(|title| !title.is_empty()).unwrap_or(title);
    let body = how.message.clone().unwrap_or(body);
    if body.is_empty() { format!("{title}\n") } else { format!("{title}\n\n{body}\n") }
}

/// The open issues that a pull request closes.
fn fixed(show: Show<'_>, issue: &Issue) -> Vec<(u64, u64)> {
    let open = |(repo, number): &(u64, u64)| {
        show.state.tracker.board(*repo).issues.get(number).is_some_and(|found| found.open)
    };
    linked(show, issue).into_iter().filter(open).collect()
}

/// The issues that a pull request closes by a keyword in its text or its commits, where it goes into the default branch
/// (docs.github.com, "Linking a pull request to an issue using a keyword").
pub(super) fn linked(show: Show<'_>, issue: &Issue) -> Vec<(u64, u64)> {
    let Some(pull) = issue.pull.as_ref().filter(|pull| pull.base == show.repo.default_branch) else {
        return Vec::new();
    };
    let mut text = issue.body.clone().unwrap_or_default();
    for sha in commits(show, pull) {
        text.push('\n');
        text.push_str(show.repo.git.commit(&sha).map(Commit::text).unwrap_or_default());
    }
    let mut found: Vec<(u64, u64)> = Vec::new();
    for named in mentions::closes(&text) {
        let Some(target) = issues::find(show.state, show.repo.id, &named) else { continue };
        let key = (target.repo, target.number);
        if target.pull.is_none() && !found.contains(&key) {
            found.push(key);
        }
    }
    found
}

/// Merges what waits for nothing any longer: those with auto-merge, and the queue in its order.
pub(super) fn merge_what_waits(site: &Site, state: &mut State, repo: u64, now: &str) {
    for _ in 0..state.tracker.board(repo).issues.len() {
        let Some((number, by, how)) = ready(site, state, repo) else { return };
        if bring(site, state, repo, number, &by, &how, now).is_err() {
            return;
        }
    }
}

/// The next that waits for nothing.
fn ready(site: &Site, state: &State, repo: u64) -> Option<(u64, String, How)> {
    let show = Show::at(site, state, repo, "").ok()?;
    let waiting = |issue: &&Issue| {
        issue.open
            && issue.pull.as_ref().is_some_and(|pull| pull.auto_merge.is_some() || pull.queued.is_some())
    };
    let mut waiting: Vec<_> = show.board.issues.values().filter(waiting).collect();
    waiting.sort_by_key(|issue| {
        let queued = issue.pull.as_ref().and_then(|pull| pull.queued.as_ref());
        queued.map(|queued| (!queued.jump, queued.at.clone(), queued.id))
    });
    waiting.into_iter().find_map(|issue| {
        let pull = issue.pull.as_ref()?;
        let can = !pull.draft
            && weigh(show, issue).mergeable == Some(true)
            && rules::obstacles(show, issue, "").is_empty();
        if !can {
            return None;
        }
        Some(match (&pull.auto_merge, &pull.queued) {
            (Some(auto), _) => {
                let how = How {
                    method: Some(auto.method.clone()),
                    title: auto.title.clone(),
                    message: auto.message.clone(),
                };
                (issue.number, auto.by.clone(), how)
            }
            (None, queued) => {
                let by = queued.as_ref().map(|queued| queued.by.clone()).unwrap_or_default();
                (issue.number, by, How { method: Some("squash".to_owned()), ..How::default() })
            }
        })
    })
}

/// `PUT …/pulls/{pull_number}/update-branch`: merges the base into the head.
pub(super) fn update_branch(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    let (issue, pull) = of_number(&guard, number)?;
    let html = guard.show()?.html(&format!("pull/{number}"));
    let there = guard.state.repos.get(pull.head_repo).ok_or_else(ApiError::not_found)?;
    if !rights::has(there, guard.viewer, Right::Push) {
        return Err(ApiError::forbidden("You must have write access to the head repository."));
    }
    let body = cx.object()?;
    let expected = body.get("expected_head_sha").and_then(Value::as_str);
    if expected.is_some_and(|sha| sha != pull.head_sha) {
        return Err(ApiError::unprocessable("expected head sha didn’t match current head ref."));
    }
    if !issue.open || !rules::behind(guard.show()?, pull) {
        return Err(ApiError::unprocessable("There are no new commits on the base branch."));
    }
    let (head, head_repo, head_sha) = (pull.head.clone(), pull.head_repo, pull.head_sha.clone());
    let (base, base_sha, now) = (pull.base.clone(), pull.base_sha.clone(), guard.now.clone());
    let author = person(&guard.state, guard.viewer, &now);
    let wording = Wording {
        message: format!("Merge branch '{base}' into {head}\n"),
        committer: repos::github(author.at),
        author,
        signature: Some(repos::SIGNED.to_owned()),
    };
    transitions::fetch(&mut guard.state, cx.target, head_repo, &base_sha);
    let there = guard.state.repos.get_mut(head_repo).ok_or_else(ApiError::not_found)?;
    let merged = there.git.merge(&head_sha, &base_sha, Method::Merge, wording);
    let sha = merged.map_err(|_| ApiError::unprocessable("merge conflict between base and head"))?;
    there.push(&head, &sha, &now);
    let viewer = guard.viewer;
    repos::pushed(cx.site, &mut guard.state, head_repo, &head, &sha, viewer);
    let answer = json!({"message": "Updating pull request branch.", "url": html});
    Ok(FakeResponse::json(answer).with_status(StatusCode::ACCEPTED))
}
