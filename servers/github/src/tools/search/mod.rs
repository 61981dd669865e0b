//! `search`: GitHub's own search, kept within reach before it is sent and after it has answered.

mod query;
mod rows;

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use self::rows::Found;
use crate::{
    GitHub,
    api::{
        Listed,
        issues::Person,
        rest_issues::RestIssue,
        search::{FoundCommit, FoundFile, FoundRepo, Query},
    },
    bounds::WITHIN,
    render,
    repo::Repo,
    tools::FROM,
};

/// The results that GitHub gives of one search, however many there are (docs.github.com, search).
const CEILING: u64 = 1_000;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "search",
            "Search GitHub",
            "Takes GitHub's qualifiers in query (is:open author:@me). For what one repository has, list_* is better.",
            search,
        )
        .toolset("context")
        .aliases(&[("q", "query"), ("type", "kind"), ("per_page", "limit")])
        .output_page::<Found>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    kind: What,
    query: String,
    repo: Option<String>,
    sort: Option<String>,
    #[serde(default)]
    semantic: bool,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum What {
    Issues,
    Prs,
    Code,
    Repos,
    Commits,
    Users,
    Orgs,
}

impl What {
    /// The route of GitHub's that searches it.
    fn route(self) -> &'static str {
        match self {
            Self::Issues | Self::Prs => "GET /search/issues",
            Self::Code => "GET /search/code",
            Self::Repos => "GET /search/repositories",
            Self::Commits => "GET /search/commits",
            Self::Users | Self::Orgs => "GET /search/users",
        }
    }

    /// One, many.
    fn noun(self) -> (&'static str, &'static str) {
        match self {
            Self::Issues => ("issue", "issues"),
            Self::Prs => ("pull request", "pull requests"),
            Self::Code => ("file", "files"),
            Self::Repos => ("repository", "repositories"),
            Self::Commits => ("commit", "commits"),
            Self::Users => ("user", "users"),
            Self::Orgs => ("organization", "organizations"),
        }
    }

    /// What it may be sorted by, besides GitHub's best match (openapi, search).
    fn sorts(self) -> &'static [&'static str] {
        match self {
            Self::Issues | Self::Prs => &[
                "comments",
                "reactions",
                "reactions-+1",
                "reactions--1",
                "reactions-smile",
                "reactions-thinking_face",
                "reactions-heart",
                "reactions-tada",
                "interactions",
                "created",
                "updated",
            ],
            Self::Code => &["indexed"],
            Self::Repos => &["stars", "forks", "help-wanted-issues", "updated"],
            Self::Commits => &["author-date", "committer-date"],
            Self::Users | Self::Orgs => &["followers", "repositories", "joined"],
        }
    }

    /// Whether what is found lies in repositories.
    fn is_in_repositories(self) -> bool {
        !matches!(self, Self::Users | Self::Orgs)
    }
}

/// What to sort by, and which way: `updated`, or `updated-asc` as GitHub's own search writes it.
fn sorting(what: What, sort: Option<&str>) -> Result<(Option<&str>, Option<&'static str>)> {
    let Some(sort) = sort.map(str::trim).filter(|sort| !sort.is_empty() && *sort != "best-match") else {
        return Ok((None, None));
    };
    let (by, order) = match sort.rsplit_once('-') {
        Some((by, "asc")) => (by, "asc"),
        Some((by, "desc")) => (by, "desc"),
        _ => (sort, "desc"),
    };
    if what.sorts().contains(&by) {
        return Ok((Some(by), Some(order)));
    }
    Err(Error::invalid(format!("`sort`: {} cannot be sorted by `{}`", what.noun().1, one_line(sort)))
        .with_hint(format!(
            "Leave it out for the best match, or use {}; -asc after it turns the order round",
            what.sorts().join(", ")
        )))
}

/// A row of what was found, with the repository it lies in.
struct Hit {
    repo: Option<String>,
    text: String,
    data: Found,
}

async fn search(call: Call<GitHub>, arguments: Arguments) -> Result<Reply> {
    let what = arguments.kind;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let home = match arguments.repo.as_deref().filter(|_| what.is_in_repositories()) {
        Some(repo) => Some(call.bounds().repo(Some(repo))?),
        None if arguments.repo.is_some() => {
            return Err(Error::invalid("`repo` does not go with a search for users or organizations"));
        }
        None => None,
    };
    let searched = home.is_none() && what.is_in_repositories();
    let known = match searched && !call.bounds().is_plain() {
        true => call.api().recent_repositories().await?,
        false => Vec::new(),
    };
    let text = query::build(call.bounds(), &known, what, &arguments.query, home.as_ref())?;
    let (sort, order) = sorting(what, arguments.sort.as_deref())?;
    if arguments.semantic && what != What::Issues {
        return Err(Error::invalid("`semantic` goes with kind issues only"));
    }
    let query = Query { text: &text, sort, order, semantic: arguments.semantic };
    let count = position.first(limit(arguments.limit, 20, 100), 100);
    let home = home.as_ref();
    let found = match what {
        What::Issues | What::Prs => {
            find::<RestIssue>(&call, what, &query, count, &position, |ticket| rows::issue(ticket, home)).await
        }
        What::Code => {
            find::<FoundFile>(&call, what, &query, count, &position, |file| rows::file(file, home)).await
        }
        What::Repos => find::<FoundRepo>(&call, what, &query, count, &position, rows::repository).await,
        What::Commits => {
            find::<FoundCommit>(&call, what, &query, count, &position, |commit| rows::commit(commit, home))
                .await
        }
        What::Users | What::Orgs => find::<Person>(&call, what, &query, count, &position, rows::person).await,
    };
    let found = found.map_err(|error| explain(error, home))?;
    Ok(Reply::page(page(&call, what, found, position)))
}

/// A page of what GitHub finds.
async fn find<T: DeserializeOwned>(
    call: &Call<GitHub>,
    what: What,
    query: &Query<'_>,
    count: u32,
    position: &Position,
    row: impl Fn(&T) -> Hit,
) -> Result<Listed<Hit>> {
    let listed = call.api().search::<T>(what.route(), query, count, position.after.as_deref()).await?;
    Ok(Listed {
        items: listed.items.iter().map(row).collect(),
        next: listed.next,
        total: listed.total,
        incomplete: listed.incomplete,
    })
}

/// The reply, without what is out of reach.
fn page(call: &Call<GitHub>, what: What, found: Listed<Hit>, position: Position) -> Page {
    let hits: Vec<_> = found.items.into_iter().skip(position.skip).collect();
    let sees = |hit: &Hit| hit.repo.as_ref().is_none_or(|repo| call.bounds().sees(repo));
    let places: Vec<usize> = (0..hits.len()).filter(|place| sees(&hits[*place])).collect();
    let mut page = Page::new(FROM, what.noun());
    for place in &places {
        page.push(hits[*place].text.as_str(), &hits[*place].data);
    }
    if what == What::Code {
        page = page.note("of default branches only; read_file numbers the lines");
    }
    let in_comments = |hit: &Hit| matches!(&hit.data, Found::Issue(row) if row.is_found_in_comments());
    if places.iter().any(|place| in_comments(&hits[*place])) {
        page = page.note("get_issue with comment reads a comment");
    }
    if what.is_in_repositories() && call.bounds().is_narrow() {
        page = page.note(WITHIN);
    }
    // A row that came all the same is nobody's business, and neither is how many of them there are.
    if let Some(total) = found.total.filter(|_| places.len() == hits.len()) {
        page = page.total(usize::try_from(total).unwrap_or(usize::MAX));
    }
    if found.total.is_some_and(|total| total > CEILING) {
        page = page.note(format!(
            "GitHub gives the first {} only: narrow the query for the rest",
            render::thousands(CEILING)
        ));
    }
    if found.incomplete {
        page = page.note("GitHub ran out of time and may have missed some: narrow the query");
    }
    let given = VendorPage { position, read: hits.len(), places, next: found.next };
    paging::close(call, page, given)
}

/// GitHub refuses to search what cannot be seen, in words that do not say which of them.
fn explain(error: Error, home: Option<&Repo>) -> Error {
    match home {
        Some(repo)
            if error.kind() == Kind::InvalidArgument && error.message().contains("cannot be searched") =>
        {
            Error::not_found(format!("{repo} does not exist, or the token may not see it"))
                .with_hint("list_repos lists those that it sees")
        }
        // "ERROR_TYPE_QUERY_PARSING_FATAL unable to parse query!" is all that GitHub says.
        _ if error.kind() == Kind::InvalidArgument && error.message().contains("unable to parse query") => {
            error.with_hint("Quote what has brackets, quotes or other signs in it: \"fn main(\"")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_stands_behind_what_is_sorted_by() {
        assert_eq!(sorting(What::Issues, Some("updated")).unwrap(), (Some("updated"), Some("desc")));
        assert_eq!(
            sorting(What::Commits, Some("author-date-asc")).unwrap(),
            (Some("author-date"), Some("asc"))
        );
        assert_eq!(sorting(What::Repos, Some("help-wanted-issues")).unwrap().0, Some("help-wanted-issues"));
        assert_eq!(sorting(What::Repos, Some(" ")).unwrap(), (None, None));
        let error = sorting(What::Users, Some("stars")).unwrap_err().for_agent();
        assert!(
            error.contains("users cannot be sorted by `stars`") && error.contains("followers"),
            "{error}"
        );
    }
}
