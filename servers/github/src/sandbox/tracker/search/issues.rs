//! Search for issues and pull requests.

use std::cmp::Reverse;

use serde_json::Value;

use super::{
    super::{
        super::{
            auth::Kind,
            errors::{ApiError, Outcome},
            repos,
            request::{FakeResponse, GitHubRequest as _, RequestContext},
            state::State,
        },
        guard::TrackerGuard,
        model::{Asked, Issue, Verdict},
        rules::{self, Decision},
        show::{Show, newer},
        transitions,
    },
    Query, is_meant, matches,
    query::{in_range, number_in},
    results, scope,
};

/// `GET /search/issues`
pub(in super::super) fn search(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let query = Query::parse(cx.query("q"))?;
    let sort = cx.query("sort").map(|sort| (sort, cx.query("order") != Some("asc")));
    let mut guard = TrackerGuard::enter(cx)?;
    let found = find(cx, &mut guard.state, &query, sort)?;
    let state = &*guard.state;
    results(cx, &found, |(repo, number)| {
        let Ok(show) = Show::at(cx.site, state, *repo, cx.caller.login()) else { return Value::Null };
        let show = Show { newer: newer(cx), ..show };
        let Some(issue) = show.board.issues.get(number) else { return Value::Null };
        let mut shown = show.issue(issue);
        if cx.accepts("text-match") {
            let url = shown["url"].as_str().unwrap_or_default().to_owned();
            let body = issue.body.as_deref().unwrap_or_default();
            let found = [
                matches(&query, &issue.title, &url, "Issue", "title"),
                matches(&query, body, &url, "Issue", "body"),
            ];
            let comments = issue.comments.iter().filter_map(|comment| {
                let url = show.api(&format!("issues/comments/{}", comment.id));
                matches(&query, &comment.body, &url, "IssueComment", "body")
            });
            shown["text_matches"] = found.into_iter().flatten().chain(comments).collect();
        }
        shown
    })
}

/// The repositories and numbers of what a query finds, in the order that is asked for: by how well it fits and how new
/// it is, unless `sort` or the query's own `sort:` says otherwise.
pub(in super::super) fn find(
    cx: &RequestContext<'_>,
    state: &mut State,
    query: &Query,
    sort: Option<(&str, bool)>,
) -> Outcome<Vec<(u64, u64)>> {
    let kinds = query.values("is").into_iter().chain(query.values("type"));
    let says_kind = kinds.into_iter().any(|kind| matches!(kind, "issue" | "pr" | "pull-request"));
    let of_app = cx.caller.token.as_ref().is_some_and(|token| token.kind == Kind::Installation);
    if of_app && !says_kind {
        return Err(ApiError::custom("Search", "q", "Query must include 'is:issue' or 'is:pull-request'"));
    }
    let now = cx.site.now();
    let repos: Vec<u64> = scope(state, cx.caller, query)?.iter().map(|repo| repo.id).collect();
    for repo in &repos {
        transitions::settle(cx.site, state, *repo, &now);
    }
    let me = cx.caller.login();
    let mut found: Vec<(Show<'_>, &Issue)> = Vec::new();
    for repo in repos {
        let show = Show::at(cx.site, state, repo, me)?;
        if !repos::sees(cx.caller, show.repo) {
            continue;
        }
        let fitting =
            show.board.issues.values().filter(|issue| query.fits(&|leaf| fits(show, issue, query, leaf)));
        found.extend(fitting.map(|issue| (show, issue)));
    }
    let own = query.values("sort").into_iter().next().map(|sort| match sort.rsplit_once('-') {
        Some((sort, "asc")) => (sort, false),
        Some((sort, "desc")) => (sort, true),
        _ => (sort, true),
    });
    let (by, descending) = sort.or(own).unwrap_or(("best-match", true));
    found.sort_by_key(|(_, issue)| Reverse(issue.updated_at.clone()));
    match by {
        "created" => found.sort_by_key(|(_, issue)| Reverse((issue.created_at.clone(), issue.id))),
        "updated" => {}
        "comments" | "interactions" => found.sort_by_key(|(_, issue)| Reverse(issue.comments.len())),
        "reactions" => found.sort_by_key(|(_, issue)| Reverse(issue.reactions.len())),
        other => match other.strip_prefix("reactions-") {
            Some(content) => found.sort_by_key(|(_, issue)| {
                Reverse(issue.reactions.iter().filter(|one| one.content == content).count())
            }),
            None => found.sort_by_key(|(_, issue)| Reverse(weight(query, issue))),
        },
    }
    if !descending {
        found.reverse();
    }
    Ok(found.into_iter().map(|(show, issue)| (show.repo.id, issue.number)).collect())
}

/// How well an issue fits: words in the title count most.
fn weight(query: &Query, issue: &Issue) -> usize {
    let title = issue.title.to_lowercase();
    let body = issue.body.as_deref().unwrap_or_default().to_lowercase();
    query.texts().into_iter().map(|word| 10 * title.matches(word).count() + body.matches(word).count()).sum()
}

fn fits(show: Show<'_>, issue: &Issue, query: &Query, leaf: &Query) -> bool {
    match leaf {
        Query::Text(word) => says(issue, query, word),
        Query::Qualifier { name, value } => qualifies(show, issue, name, value),
        Query::And(_) | Query::Or(_) | Query::Not(_) => false,
    }
}

/// Whether a word is in the title, the text or a comment, or where `in:` says.
fn says(issue: &Issue, query: &Query, word: &str) -> bool {
    let places: Vec<&str> = query.values("in").into_iter().flat_map(|places| places.split(',')).collect();
    let looks = |place: &str| places.is_empty() || places.contains(&place);
    let body = issue.body.as_deref().unwrap_or_default();
    (looks("title") && issue.title.to_lowercase().contains(word))
        || (looks("body") && body.to_lowercase().contains(word))
        || (looks("comments") && issue.comments.iter().any(|one| one.body.to_lowercase().contains(word)))
}

fn qualifies(show: Show<'_>, issue: &Issue, name: &str, value: &str) -> bool {
    let person = |value: &str| {
        if value == "@me" { show.viewer.to_owned() } else { value.trim_start_matches('@').to_owned() }
    };
    let is = |login: &str| login.eq_ignore_ascii_case(&person(value));
    let pull = issue.pull.as_ref();
    match name {
        "repo" | "org" | "user" => is_meant(show.repo, show.state, show.viewer, name, value),
        "is" | "state" => is_so(show, issue, value),
        "type" => match value {
            "issue" | "pr" | "pull-request" => is_so(show, issue, value),
            kind => issue.kind.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(kind)),
        },
        "reason" => {
            let reason = value.replace(' ', "_");
            issue.state_reason.as_deref().is_some_and(|one| one.eq_ignore_ascii_case(&reason))
        }
        "author" => is(&issue.author) || format!("app/{}", issue.author.trim_end_matches("[bot]")) == value,
        "assignee" => {
            value == "*" && !issue.assignees.is_empty() || issue.assignees.iter().any(|one| is(one))
        }
        "mentions" => issue.mentions(&person(value)),
        "commenter" => issue.commented(&person(value)),
        "involves" => issue.involves(&person(value)),
        "label" => value.split(',').any(|wanted| {
            show.labels_of(issue).any(|label| label.name.eq_ignore_ascii_case(wanted.trim_matches('"')))
        }),
        "milestone" => {
            let mine = issue.milestone.and_then(|number| show.board.milestone(number));
            mine.is_some_and(|one| value == "*" || one.title.eq_ignore_ascii_case(value))
        }
        "no" => match value {
            "label" => issue.labels.is_empty(),
            "milestone" => issue.milestone.is_none(),
            "assignee" => issue.assignees.is_empty(),
            "type" => issue.kind.is_none(),
            "parent-issue" => issue.parent.is_none(),
            _ => true,
        },
        "created" => in_range(&issue.created_at, value),
        "updated" => in_range(&issue.updated_at, value),
        "closed" => issue.closed_at.as_ref().is_some_and(|at| in_range(at, value)),
        "merged" => pull.and_then(|pull| pull.merged_at.as_ref()).is_some_and(|at| in_range(at, value)),
        "comments" => number_in(issue.comments.len(), value),
        "reactions" => number_in(issue.reactions.len(), value),
        "draft" => pull.is_some_and(|pull| pull.draft == (value == "true")),
        "base" => pull.is_some_and(|pull| pull.base == value),
        "head" => pull.is_some_and(|pull| pull.head.starts_with(value)),
        "review" => {
            pull.is_some()
                && rules::decision(show, issue) == decision(value)
                && (value != "none" || pull.is_some_and(|pull| pull.reviews.is_empty()))
        }
        "reviewed-by" => pull.is_some_and(|pull| {
            pull.reviews.iter().any(|review| review.state != Verdict::Pending && is(&review.author))
        }),
        "review-requested" => pull.is_some_and(|pull| {
            let asked = person(value);
            pull.requested.iter().any(|one| match one {
                Asked::Person(login) => login.eq_ignore_ascii_case(&asked),
                Asked::Team(slug) => {
                    let team = show.state.accounts.team_named(&show.repo.owner, slug);
                    team.is_some_and(|team| team.role_of(&asked).is_some())
                }
            })
        }),
        "user-review-requested" => {
            pull.is_some_and(|pull| pull.requested.contains(&Asked::Person(person(value))))
        }
        "team-review-requested" => pull.is_some_and(|pull| {
            let slug = value.split_once('/').map_or(value, |(_, slug)| slug);
            pull.requested.contains(&Asked::Team(slug.to_owned()))
        }),
        "status" => pull.is_some_and(|pull| {
            let checks = rules::checks(show, pull);
            let failed = checks.iter().any(|check| check.conclusion.is_some() && !rules::succeeded(check));
            let word = if checks.is_empty() {
                ""
            } else if failed {
                "failure"
            } else if checks.iter().any(|check| check.conclusion.is_none()) {
                "pending"
            } else {
                "success"
            };
            word == value
        }),
        "sha" => pull.is_some_and(|pull| pull.head_sha.starts_with(value)),
        "archived" => show.repo.archived == (value == "true"),
        "parent-issue" => {
            let parent = issue.parent.and_then(|id| show.state.tracker.by_id(id));
            parent.is_some_and(|(repo, parent)| {
                let name = show.state.repos.get(repo).map(repos::Repository::full_name).unwrap_or_default();
                format!("{name}#{}", parent.number).eq_ignore_ascii_case(value)
            })
        }
        // What says where to look or how to sort filters nothing.
        "in" | "sort" => true,
        // A qualifier that there is not is a word.
        _ => issue
            .body
            .as_deref()
            .unwrap_or_default()
            .to_lowercase()
            .contains(&format!("{name}:{value}").to_lowercase()),
    }
}

fn decision(value: &str) -> Option<Decision> {
    match value {
        "approved" => Some(Decision::Approved),
        "changes_requested" => Some(Decision::ChangesRequested),
        "required" => Some(Decision::Required),
        _ => None,
    }
}

fn is_so(show: Show<'_>, issue: &Issue, value: &str) -> bool {
    let pull = issue.pull.as_ref();
    match value {
        "issue" => pull.is_none(),
        "pr" | "pull-request" => pull.is_some(),
        "open" => issue.open,
        "closed" => !issue.open,
        "merged" => pull.is_some_and(|pull| pull.merged_at.is_some()),
        "unmerged" => pull.is_some_and(|pull| pull.merged_at.is_none()),
        "draft" => pull.is_some_and(|pull| pull.draft),
        "queued" => pull.is_some_and(|pull| pull.queued.is_some()),
        "locked" => issue.locked,
        "unlocked" => !issue.locked,
        "public" => !show.repo.private,
        "private" => show.repo.private,
        "blocked" => {
            issue.blocked_by.iter().any(|id| show.state.tracker.by_id(*id).is_some_and(|(_, one)| one.open))
        }
        _ => true,
    }
}
