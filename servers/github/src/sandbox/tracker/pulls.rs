//! Pull requests: list, get, create, change; their files and commits.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    super::{
        actions, auth,
        errors::{ApiError, Outcome},
        repos,
        request::{FakeResponse, GitHubRequest as _, RequestContext},
        route::read,
        state::State,
    },
    guard::TrackerGuard,
    issues,
    model::{Issue, Pull, What},
    pull_show::{changes, commits},
    rights::{self, Right},
    show::Show,
    transitions,
};

/// What a pull request's diff may have at most (docs.github.com, "Repository limits").
const MOST_FILES: usize = 300;
const MOST_LINES: usize = 20_000;
/// The most files and commits that are listed (docs.github.com, "List pull requests files", "List commits on a
/// pull request").
const MOST_LISTED_FILES: usize = 3_000;
const MOST_LISTED_COMMITS: usize = 250;

/// The pull request of the route's `{pull_number}`.
pub(super) fn asked<'r>(
    guard: &'r TrackerGuard<'_>,
    cx: &RequestContext<'_>,
) -> Outcome<(&'r Issue, &'r Pull)> {
    of_number(guard, cx.number("pull_number")?)
}

/// The pull request of a number.
pub(super) fn of_number<'r>(guard: &'r TrackerGuard<'_>, number: u64) -> Outcome<(&'r Issue, &'r Pull)> {
    let issue = guard.numbered(number)?;
    Ok((issue, issue.pull.as_ref().ok_or_else(ApiError::not_found)?))
}

/// The same, to be changed.
pub(super) fn pull_mut<'r>(guard: &'r mut TrackerGuard<'_>, number: u64) -> Outcome<&'r mut Pull> {
    guard.issue_mut(number)?.pull.as_mut().ok_or_else(ApiError::not_found)
}

/// `GET …/pulls`
pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let show = guard.show()?;
    let state = cx.query("state").unwrap_or("open");
    let fits = |issue: &Issue, pull: &Pull| {
        let owner = show.state.repos.get(pull.head_repo).map(|repo| repo.owner.as_str()).unwrap_or_default();
        let from = format!("{owner}:{}", pull.head);
        (state == "all" || issue.open == (state == "open"))
            && cx.query("base").is_none_or(|base| pull.base == base)
            // "Filter pulls by head user or head organization and branch name in the format of `user:ref-name`": a bare
            // name filters nothing.
            && cx.query("head").is_none_or(|head| !head.contains(':') || from == head)
    };
    let all = show.board.issues.values();
    let mut found: Vec<_> =
        all.filter(|issue| issue.pull.as_ref().is_some_and(|pull| fits(issue, pull))).collect();
    let sort = cx.query("sort").unwrap_or("created");
    match sort {
        "updated" => found.sort_by(|a, b| a.updated_at.cmp(&b.updated_at)),
        "popularity" => found.sort_by_key(|issue| issue.comments.len()),
        // "long-running" lists the oldest first.
        _ => found.sort_by(|a, b| a.created_at.cmp(&b.created_at).then(a.number.cmp(&b.number))),
    }
    // "Default: `desc` when sort is `created` or sort is not specified, otherwise `asc`."
    let default = if sort == "created" { "desc" } else { "asc" };
    if cx.query("direction").unwrap_or(default) == "desc" {
        found.reverse();
    }
    Ok(cx.page(&found, |issue| show.pull(issue)))
}

/// `GET …/pulls/{pull_number}`: JSON, or the diff or the patches.
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    let (_, pull) = of_number(&guard, number)?;
    if cx.accepts("diff") || cx.accepts("patch") {
        return as_text(guard.show()?, pull, cx.accepts("patch"));
    }
    let known = known(&mut guard.state, cx.target, number);
    Ok(FakeResponse::json(guard.show()?.whole_pull(guard.numbered(number)?, known)))
}

/// Whether it has been worked out whether a pull request can be merged. If not, it is for the next request.
pub(super) fn known(state: &mut State, repo: u64, number: u64) -> bool {
    let issue = state.tracker.board_mut(repo).issues.get_mut(&number);
    let Some(pull) = issue.and_then(|issue| issue.pull.as_mut()) else { return false };
    let known =
        pull.weighed.as_ref().is_some_and(|(head, base)| (head, base) == (&pull.head_sha, &pull.base_sha));
    pull.wanted = !known;
    known
}

fn as_text(show: Show<'_>, pull: &Pull, patches: bool) -> Outcome<FakeResponse> {
    let changes = changes(show, pull);
    let lines: usize = changes.iter().map(|change| change.additions + change.deletions).sum();
    let refuse = |what: &str, most: usize| {
        let mut error = ApiError::new(
            StatusCode::NOT_ACCEPTABLE,
            format!(
                "Sorry, the diff exceeded the maximum number of {what} ({most}). Consider using 'List pull requests files' API or locally cloning the repository instead."
            ),
        );
        error.errors.push(json!({"resource": "PullRequest", "field": "diff", "code": "too_large"}));
        Err(error)
    };
    if changes.len() > MOST_FILES {
        return refuse("files", MOST_FILES);
    }
    if lines > MOST_LINES {
        return refuse("lines", MOST_LINES);
    }
    if !patches {
        return Ok(FakeResponse::bytes(
            "application/vnd.github.diff; charset=utf-8",
            repos::unified(&changes),
        ));
    }
    let text: String = commits(show, pull).iter().map(|sha| repos::mail(show.repo, sha)).collect();
    Ok(FakeResponse::bytes("application/vnd.github.patch; charset=utf-8", text))
}

/// `GET …/pulls/{pull_number}/files`
pub(super) fn files(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let (_, pull) = asked(&guard, cx)?;
    let show = guard.show()?;
    let mut changes = changes(show, pull);
    changes.truncate(MOST_LISTED_FILES);
    Ok(cx.page(&changes, |change| repos::change_json(cx.site, show.repo, &pull.head_sha, change)))
}

/// `GET …/pulls/{pull_number}/commits`: oldest first.
pub(super) fn list_commits(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let (_, pull) = asked(&guard, cx)?;
    let show = guard.show()?;
    let mut commits = commits(show, pull);
    commits.truncate(MOST_LISTED_COMMITS);
    Ok(cx.page(&commits, |sha| repos::commit_json(cx.site, show.state, show.repo, sha)))
}

/// `GET …/commits/{commit_sha}/pulls`: those that brought a commit, or would.
pub(super) fn of_commit(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let show = guard.show()?;
    let given = cx.variable("commit_sha");
    let sha = show
        .repo
        .resolve(given)
        .ok_or_else(|| ApiError::unprocessable(format!("No commit found for SHA: {given}")))?;
    let brings = |pull: &Pull| pull.merge_commit.as_ref() == Some(&sha) || commits(show, pull).contains(&sha);
    let all = show.board.issues.values();
    let found: Vec<_> = all.filter(|issue| issue.pull.as_ref().is_some_and(brings)).collect();
    Ok(cx.page(&found, |issue| show.pull(issue)))
}

/// `POST …/pulls`
pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let body = cx.object()?;
    let (base, head) = (required(&body, "base")?, required(&body, "head")?);
    let from_issue = body.get("issue").and_then(Value::as_u64);
    let title = issues::title(&body)?;
    if title.is_none() && from_issue.is_none() {
        return Err(ApiError::validation("PullRequest", "title", "missing_field"));
    }
    let text = issues::text(&body, "PullRequest")?.flatten();
    let (head_repo, branch) = head_of(cx, &guard, &body, &head)?;
    let repo = guard.repository()?;
    let base_sha = repo.git.branch(&base).map(str::to_owned);
    let base_sha = base_sha.ok_or_else(|| ApiError::validation("PullRequest", "base", "invalid"))?;
    let there = guard.state.repos.get(head_repo).ok_or_else(ApiError::not_found)?;
    let head_sha = there.git.branch(&branch).map(str::to_owned);
    let head_sha = head_sha.ok_or_else(|| ApiError::validation("PullRequest", "head", "invalid"))?;
    let owner = there.owner.clone();
    if repo.id != head_repo {
        transitions::fetch(&mut guard.state, head_repo, cx.target, &head_sha);
    }
    let repo = guard.repository()?;
    if repo.git.between(&base_sha, &head_sha).is_empty() {
        let (from, to) = if repo.id == head_repo {
            (base.clone(), branch.clone())
        } else {
            (format!("{}:{base}", repo.owner), format!("{owner}:{branch}"))
        };
        return Err(refused(&format!("No commits between {from} and {to}")));
    }
    let exists = guard.board().issues.values().any(|issue| {
        issue.open
            && issue
                .pull
                .as_ref()
                .is_some_and(|pull| pull.head_repo == head_repo && pull.head == branch && pull.base == base)
    });
    if exists {
        return Err(refused(&format!("A pull request already exists for {owner}:{branch}.")));
    }
    let number = match from_issue {
        None => issues::open(&mut guard, title.unwrap_or_default(), text),
        Some(number) => {
            let issue = guard
                .numbered(number)
                .map_err(|_| ApiError::validation("PullRequest", "issue", "invalid"))?;
            rights::need_or_own(&guard, Right::Push, &issue.author)?;
            if issue.pull.is_some() || !issue.open {
                return Err(ApiError::validation("PullRequest", "issue", "invalid"));
            }
            number
        }
    };
    let flag = |name: &str| body.get(name).and_then(Value::as_bool);
    let mut pull = fresh(&mut guard, (base, base_sha), (branch.clone(), head_sha), head_repo);
    pull.draft = flag("draft").unwrap_or_default();
    pull.maintainer_can_modify = head_repo != cx.target && flag("maintainer_can_modify").unwrap_or(true);
    begin(cx, &mut guard, number, pull)?;
    let shown = guard.show()?.whole_pull(guard.numbered(number)?, false);
    let at = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok(FakeResponse::created(shown).header("location", &at))
}

/// A new pull request, from a branch to another, each with its last commit.
fn fresh(
    guard: &mut TrackerGuard<'_>,
    base: (String, String),
    head: (String, String),
    head_repo: u64,
) -> Pull {
    Pull {
        id: guard.state.next_id(),
        base: base.0,
        head: head.0,
        head_repo,
        head_sha: head.1,
        base_sha: base.1,
        draft: false,
        merged_at: None,
        merged_by: None,
        merge_commit: None,
        requested: Vec::new(),
        auto_merge: None,
        queued: None,
        maintainer_can_modify: false,
        reviews: Vec::new(),
        threads: Vec::new(),
        weighed: None,
        wanted: false,
    }
}

/// Makes the issue of this number a pull request.
fn begin(cx: &RequestContext<'_>, guard: &mut TrackerGuard<'_>, number: u64, pull: Pull) -> Outcome<()> {
    guard.issue_mut(number)?.pull = Some(pull);
    let repo = guard.repo;
    transitions::opened(&mut guard.state, repo, number);
    start_checks(cx, guard, number);
    issues::announce(guard, number);
    Ok(())
}

/// Opens a pull request from a branch of the repository itself; its number.
pub(super) fn open(
    cx: &RequestContext<'_>,
    guard: &mut TrackerGuard<'_>,
    (title, body): (String, String),
    base: (String, String),
    head: (String, String),
) -> Outcome<u64> {
    let repo = guard.repo;
    let pull = fresh(guard, base, head, repo);
    let number = issues::open(guard, title, Some(body));
    begin(cx, guard, number, pull)?;
    Ok(number)
}

/// The workflows begin that wait for pull requests.
fn start_checks(cx: &RequestContext<'_>, guard: &mut TrackerGuard<'_>, number: u64) {
    let Ok((issue, pull)) = of_number(guard, number) else { return };
    let (title, branch, sha) = (issue.title.clone(), pull.head.clone(), pull.head_sha.clone());
    let viewer = guard.viewer;
    let repo = guard.repo;
    actions::happened(cx.site, &mut guard.state, repo, "pull_request", &branch, &sha, &title, viewer);
}

/// The repository and branch of `head`: `branch`, `owner:branch`, or `owner/name:branch` in effect, by
/// `head_repo`.
fn head_of(
    cx: &RequestContext<'_>,
    guard: &TrackerGuard<'_>,
    body: &Map<String, Value>,
    head: &str,
) -> Outcome<(u64, String)> {
    let invalid = || ApiError::validation("PullRequest", "head", "invalid");
    let here = guard.repository()?;
    let (owner, branch) = match head.split_once(':') {
        Some((owner, branch)) => (owner, branch),
        None => (here.owner.as_str(), head),
    };
    let named = body.get("head_repo").and_then(Value::as_str).and_then(|name| name.split_once('/'));
    let repo = match named {
        Some((owner, name)) => guard.state.repos.find(owner, name).map(|found| found.id),
        None if owner.eq_ignore_ascii_case(&here.owner) => Some(here.id),
        None => {
            let mut forks = guard.state.repos.all();
            forks
                .find(|repo| repo.owner.eq_ignore_ascii_case(owner) && repo.parent == Some(here.id))
                .map(|repo| repo.id)
        }
    };
    let repo = guard.state.repos.get(repo.ok_or_else(invalid)?).ok_or_else(invalid)?;
    auth::may(cx.caller, repo, read("contents")).map_err(|_| invalid())?;
    Ok((repo.id, branch.to_owned()))
}

/// 422 with words and without a field.
pub(super) fn refused(message: &str) -> ApiError {
    let mut error = ApiError::unprocessable("Validation Failed");
    error.errors.push(json!({"resource": "PullRequest", "code": "custom", "message": message}));
    error
}

fn required(body: &Map<String, Value>, name: &str) -> Outcome<String> {
    let value = body.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
    value
        .map(str::to_owned)
        .ok_or_else(|| ApiError::unprocessable(format!("Invalid request.\n\n\"{name}\" wasn't supplied.")))
}

/// `PATCH …/pulls/{pull_number}`. It knows nothing of drafts: `draft` is taken and does nothing.
pub(super) fn update(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    let (issue, pull) = of_number(&guard, number)?;
    rights::need_or_own(&guard, Right::Triage, &issue.author)?;
    let body = cx.object()?;
    let new_title = issues::title(&body)?;
    let new_text = issues::text(&body, "PullRequest")?;
    let base = body.get("base").and_then(Value::as_str).filter(|base| *base != pull.base).map(str::to_owned);
    let reopening = match body.get("state").and_then(Value::as_str) {
        None => None,
        Some("open") => Some(true).filter(|_| !issue.open),
        Some("closed") => Some(false).filter(|_| issue.open),
        Some(_) => return Err(ApiError::validation("PullRequest", "state", "invalid")),
    };
    if let Some(base) = &base {
        rebase_check(&guard, issue, pull, base)?;
    }
    if reopening == Some(true) {
        let why = if pull.merged_at.is_some() {
            Some("state cannot be changed. The pull request cannot be reopened.".to_owned())
        } else if guard.state.repos.get(pull.head_repo).and_then(|repo| repo.git.branch(&pull.head)).is_none()
        {
            Some(format!("state cannot be changed. The {} branch has been deleted.", pull.head))
        } else {
            None
        };
        if let Some(why) = why {
            return Err(ApiError::custom("PullRequest", "state", &why));
        }
    }
    issues::retitle(&mut guard, number, new_title)?;
    issues::rewrite(&mut guard, number, new_text)?;
    if let Some(modify) = body.get("maintainer_can_modify").and_then(Value::as_bool) {
        let pull = pull_mut(&mut guard, number)?;
        pull.maintainer_can_modify = modify && pull.head_repo != cx.target;
    }
    if let Some(to) = base {
        let base_sha = guard.repository()?.git.branch(&to).map(str::to_owned).unwrap_or_default();
        let pull = pull_mut(&mut guard, number)?;
        let from = std::mem::replace(&mut pull.base, to.clone());
        pull.base_sha = base_sha;
        guard.note_here(number, What::BaseChanged { from, to });
    }
    match reopening {
        Some(false) => {
            issues::close(&mut guard, number, None, None)?;
            transitions::closed(&mut guard.state, cx.target, number);
        }
        Some(true) => {
            issues::reopen(&mut guard, number)?;
            transitions::opened(&mut guard.state, cx.target, number);
        }
        None => {}
    }
    issues::announce(&mut guard, number);
    let known = known(&mut guard.state, cx.target, number);
    Ok(FakeResponse::json(guard.show()?.whole_pull(guard.numbered(number)?, known)))
}

fn rebase_check(guard: &TrackerGuard<'_>, issue: &Issue, pull: &Pull, base: &str) -> Outcome<()> {
    let repo = guard.repository()?;
    let Some(sha) = repo.git.branch(base) else {
        return Err(ApiError::validation("PullRequest", "base", "invalid"));
    };
    if !issue.open {
        return Err(ApiError::custom(
            "PullRequest",
            "base",
            "Cannot change the base branch of a closed pull request.",
        ));
    }
    if repo.git.between(sha, &pull.head_sha).is_empty() {
        let words =
            format!("There are no new commits between base branch '{base}' and head branch '{}'", pull.head);
        return Err(ApiError::custom("PullRequest", "base", &words));
    }
    Ok(())
}
