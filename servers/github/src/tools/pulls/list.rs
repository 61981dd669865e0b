//! `list_prs`: one request, by GraphQL's own filters or, where it has none, by search.

use connector::{
    Error, Result,
    catalog::{
        Calendar, Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{unread, words};
use crate::{
    GitHub,
    api::pulls::{Actor, Pull, PullFilter},
    render::{minute, second},
    repo::Repo,
    resolve::{naming, reference},
    tools::FROM,
};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read("list_prs", "List PRs", "With reviews, checks, threads.", list_prs)
            .toolset("pulls")
            .aliases(&[
                ("repository", "repo"),
                ("reviewer", "review_requested"),
                ("label", "labels"),
                ("first", "limit"),
                ("per_page", "limit"),
                ("after", "cursor"),
            ])
            .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListPrs {
    repo: Option<String>,
    state: Option<State>,
    base: Option<String>,
    // A branch, or `user:branch`.
    head: Option<String>,
    author: Option<String>,
    // A login, `me`, or `org/team`.
    review_requested: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    draft: Option<bool>,
    merged_since: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

// As for REST, closed ones are also those that were merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    #[default]
    Open,
    Closed,
    Merged,
    All,
}

/// A pull request in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    number: u64,
    title: String,
    /// open, draft, merged, closed
    state: String,
    author: String,
    head: String,
    base: String,
    /// With its base. Not said of one of which GitHub is still working it out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    conflicts: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threads_open: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_by: Option<String>,
    updated: String,
}

impl Row {
    fn new(pull: &Pull) -> Self {
        let review = words::words(&pull.review_decision);
        Self {
            number: pull.number,
            title: pull.title.clone(),
            state: words::state(pull),
            author: pull.author.name(),
            head: words::head(pull),
            base: pull.base_ref_name.clone(),
            conflicts: pull.conflicts(),
            review: (!review.is_empty()).then_some(review),
            checks: words::checks(pull),
            threads_open: words::unresolved(&pull.review_threads),
            labels: pull.labels.nodes.iter().map(|label| label.name.clone()).collect(),
            merged: pull.is_merged().then(|| pull.merged_at.clone()),
            merged_by: pull.merged_by.as_ref().map(Actor::name),
            updated: pull.updated_at.clone(),
        }
    }
}

async fn list_prs(call: Call<GitHub>, arguments: ListPrs) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let first = position.first(limit(arguments.limit, 20, 100), 100);
    let after = position.after.as_deref();
    let named = (arguments.author.clone(), arguments.review_requested.clone(), arguments.labels.clone());
    let wanted = Wanted::new(&repo, arguments)?;
    let answer = match &wanted.query {
        Some(query) => call.api().pull_search(&repo, query, first, after).await?,
        None => call.api().pull_list(&repo, &wanted.filter, first, after).await?,
    };
    let mut failed = answer.notes();
    let pulls = answer.data;
    if let Some(unread) = pulls.nodes.iter().find_map(|pull| pull.checks_unread.as_ref()) {
        failed.push(format!("{} get_pr shows the workflow runs of one.", unread::words(unread)));
    }
    let (author, reviewer, labels) = named;
    if pulls.nodes.is_empty() && position == Position::default() {
        // An empty list must not hide that something is not there.
        naming::labels(&call, &repo, &labels).await?;
        if let Some(base) = &wanted.base {
            naming::branch(&call, &repo, "base", base).await?;
        }
        for (argument, name) in [("author", &author), ("review_requested", &reviewer)] {
            if let Some(name) = name.as_deref().filter(|name| !naming::is_me(name) && !name.contains('/')) {
                naming::exists(&call, argument, name.trim().trim_start_matches('@')).await?;
            }
        }
    }
    let mut page = Page::new(FROM, ("pull request", "pull requests")).note(format!("{repo}, newest first"));
    for (words, name) in [("by", &author), ("review requested from", &reviewer)] {
        if let Some(name) = name {
            let login = if name.contains('/') { name.clone() } else { naming::login(&call, name).await? };
            page = page.note(format!("{words} @{}", one_line(login.trim_start_matches('@'))));
        }
    }
    let mut places = Vec::new();
    let mut shown = Vec::new();
    for (place, pull) in pulls.nodes.iter().skip(position.skip).enumerate() {
        if wanted.takes(pull) {
            page.push(words::row(pull), &Row::new(pull));
            places.push(place);
            shown.push(pull);
        }
    }
    if let Some(since) = &wanted.merged_since {
        page = page.note(format!("merged since {}", minute(since)));
    }
    if wanted.owner.is_none() {
        page = page.total(pulls.total_count.unwrap_or_default() as usize);
    }
    if wanted.query.is_some() {
        page = page.note("found by search, which lags a little behind");
    }
    let next = pulls.next(after).map(str::to_owned);
    if pulls.page_info.has_next_page && next.is_none() {
        page = page.note("GitHub says there are more, but not where they begin");
    }
    let read = pulls.nodes.len().saturating_sub(position.skip);
    let page = paging::close(&call, page, VendorPage { position, read, places, next });
    let reply = Reply::page(page);
    let reply = match words::being_weighed(shown) {
        Some(unknown) => reply.line(unknown),
        None => reply,
    };
    Ok(failed.into_iter().fold(reply, Reply::lead))
}

/// What is asked for, as GitHub takes it.
#[derive(Debug, Default)]
struct Wanted {
    filter: PullFilter,
    /// Whose branch it must be: GraphQL knows branches by their names only.
    owner: Option<String>,
    /// Only those merged since then.
    merged_since: Option<String>,
    /// The branch that they go to.
    base: Option<String>,
    /// The search, where GraphQL's own filters do not do.
    query: Option<String>,
}

impl Wanted {
    fn new(repo: &Repo, arguments: ListPrs) -> Result<Self> {
        let ListPrs { state, base, head, author, review_requested, labels, draft, merged_since, .. } =
            arguments;
        let merged_since = match merged_since {
            Some(since) => Some(second(Calendar::new(None).past("merged_since", &since)?.start())),
            None => None,
        };
        let state = match (state, &merged_since) {
            (Some(State::Open), Some(_)) => {
                return Err(Error::invalid(
                    "`merged_since` finds merged ones, and `state` asks for open ones",
                )
                .with_hint("Leave one of them out"));
            }
            (_, Some(_)) => State::Merged,
            (state, None) => state.unwrap_or_default(),
        };
        let base = base.map(|base| reference::branch(&base).to_owned());
        let (owner, branch) = match head.as_deref() {
            None => (None, None),
            Some(head) => match head.split_once(':') {
                Some((owner, branch)) => {
                    (Some(owner.trim().to_owned()), Some(reference::branch(branch).to_owned()))
                }
                None => (None, Some(reference::branch(head).to_owned())),
            },
        };
        // GraphQL takes several labels for "any of them".
        let searches = author.is_some()
            || review_requested.is_some()
            || draft.is_some()
            || labels.len() > 1
            || merged_since.is_some();
        if !searches {
            let states = match state {
                State::Open => vec!["OPEN"],
                State::Closed => vec!["CLOSED", "MERGED"],
                State::Merged => vec!["MERGED"],
                State::All => vec!["OPEN", "CLOSED", "MERGED"],
            };
            let filter =
                PullFilter { states, base: base.clone(), head: branch, label: labels.into_iter().next() };
            return Ok(Self { filter, owner, base, ..Self::default() });
        }
        let mut query = format!("repo:{repo} is:pr");
        let mut add = |name: &str, value: &str| -> Result<()> {
            query.push_str(&format!(" {name}:{}", quoted(name, value)?));
            Ok(())
        };
        match state {
            State::Open => add("is", "open")?,
            State::Closed => add("is", "closed")?,
            State::Merged => add("is", "merged")?,
            State::All => {}
        }
        if let Some(base) = &base {
            add("base", base)?;
        }
        if let Some(branch) = &branch {
            add("head", branch)?;
        }
        if let Some(author) = &author {
            add("author", &login(author))?;
        }
        if let Some(reviewer) = &review_requested {
            let name = if reviewer.contains('/') { "team-review-requested" } else { "review-requested" };
            add(name, &login(reviewer))?;
        }
        for label in &labels {
            add("label", label)?;
        }
        if let Some(draft) = draft {
            add("draft", if draft { "true" } else { "false" })?;
        }
        if let Some(since) = &merged_since {
            query.push_str(&format!(" merged:>={since}"));
        }
        query.push_str(" sort:created-desc");
        Ok(Self { filter: PullFilter::default(), owner, merged_since, base, query: Some(query) })
    }

    /// Whether it comes from the right owner's branch.
    fn takes(&self, pull: &Pull) -> bool {
        let Some(owner) = &self.owner else { return true };
        pull.head_repository_owner.as_ref().is_some_and(|other| other.name().eq_ignore_ascii_case(owner))
    }
}

/// A login as search takes it: `@me`, `app/dependabot`.
fn login(name: &str) -> String {
    let name = name.trim().trim_start_matches('@');
    match name.strip_suffix("[bot]") {
        _ if name.eq_ignore_ascii_case("me") => "@me".to_owned(),
        Some(app) => format!("app/{app}"),
        None => name.to_owned(),
    }
}

/// A qualifier's value, in quotes where it needs them. There is no way to write a quote in one.
fn quoted(name: &str, value: &str) -> Result<String> {
    let value = one_line(value);
    if value.is_empty() || value.contains('"') {
        return Err(Error::invalid(format!("`{value}` cannot be searched for as {name}")));
    }
    let plain = value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@'));
    Ok(if plain { value } else { format!("\"{value}\"") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(arguments: serde_json::Value) -> Result<Wanted> {
        Wanted::new(&Repo::parse("acme/api").unwrap(), serde_json::from_value(arguments).unwrap())
    }

    #[test]
    fn graphql_s_own_filters_are_used_where_they_do() {
        let plain = wanted(json!({"head": "maya:fix", "labels": ["bug"], "state": "closed"})).unwrap();
        assert_eq!((plain.query, plain.owner.as_deref()), (None, Some("maya")));
        assert_eq!((plain.filter.head.as_deref(), plain.filter.label.as_deref()), (Some("fix"), Some("bug")));
        assert_eq!(plain.filter.states, ["CLOSED", "MERGED"]);
    }

    #[test]
    fn other_filters_become_qualifiers_that_cannot_be_broken_out_of() {
        let query = |arguments| wanted(arguments).unwrap().query.unwrap();
        assert_eq!(
            query(
                json!({"author": "dependabot[bot]", "labels": ["good first issue", "bug"], "draft": false})
            ),
            "repo:acme/api is:pr is:open author:app/dependabot label:\"good first issue\" label:bug draft:false \
             sort:created-desc"
        );
        assert_eq!(
            query(json!({"review_requested": "me", "author": "x repo:other/y", "state": "all"})),
            "repo:acme/api is:pr author:\"x repo:other/y\" review-requested:@me sort:created-desc"
        );
        assert_eq!(
            query(json!({"merged_since": "2026-11-22", "state": "all"})),
            "repo:acme/api is:pr is:merged merged:>=2026-11-22T00:00:00Z sort:created-desc"
        );
        assert!(wanted(json!({"author": "a\" repo:b/c \""})).is_err());
        assert!(wanted(json!({"merged_since": "7d", "state": "open"})).is_err());
    }
}
