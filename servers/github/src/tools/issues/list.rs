//! `list_issues`: one request a page, whatever is asked for.

use connector::{
    Error, Result,
    catalog::{
        Calendar, Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use futures::future::join_all;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::rows::Row;
use crate::{
    GitHub,
    api::{
        Partial,
        issues::{IssueRow, whole},
    },
    render::{minute, second},
    repo::Repo,
    resolve::{naming, reference},
    tools::FROM,
};

/// Issues of one page of REST whose blockers are asked for: each costs a request.
const BLOCKED: usize = 10;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "list_issues",
            "List issues",
            "A repository's issues without pull requests, by default open ones, newest first.",
            list_issues,
        )
        .toolset("issues")
        .aliases(&[
            ("label", "labels"),
            ("creator", "author"),
            ("direction", "order"),
            ("per_page", "limit"),
            ("after", "cursor"),
        ])
        .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    repo: Option<String>,
    state: Option<State>,
    #[serde(default)]
    labels: Vec<String>,
    /// login, @me or none
    assignee: Option<String>,
    author: Option<String>,
    milestone: Option<String>,
    r#type: Option<String>,
    since: Option<String>,
    sort: Option<Sort>,
    order: Option<Order>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    #[default]
    Open,
    Closed,
    All,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Created,
    Updated,
    Comments,
}

impl Sort {
    /// For GraphQL, and for REST.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Created => ("CREATED_AT", "created"),
            Self::Updated => ("UPDATED_AT", "updated"),
            Self::Comments => ("COMMENTS", "comments"),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    Asc,
    #[default]
    Desc,
}

impl Order {
    /// For GraphQL, and for REST.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Asc => ("ASC", "asc"),
            Self::Desc => ("DESC", "desc"),
        }
    }
}

/// What is listed, every name settled.
struct Wanted {
    state: State,
    labels: Vec<String>,
    /// `none` for nobody, `*` for anybody.
    assignee: Option<String>,
    author: Option<String>,
    /// The number of a milestone; `none` and `*` as above.
    milestone: Option<String>,
    since: Option<String>,
    sort: Sort,
    order: Order,
}

impl Wanted {
    /// As GraphQL's `IssueFilters`.
    fn filter(&self) -> Value {
        // There `null` means none.
        let or_none = |word: &String| if word == "none" { Value::Null } else { json!(word) };
        let mut filter = Map::new();
        if self.state != State::All {
            filter.insert("states".to_owned(), json!([self.state.as_str().to_uppercase()]));
        }
        if !self.labels.is_empty() {
            filter.insert("labels".to_owned(), json!(self.labels));
        }
        if let Some(assignee) = &self.assignee {
            filter.insert("assignee".to_owned(), or_none(assignee));
        }
        if let Some(author) = &self.author {
            filter.insert("createdBy".to_owned(), json!(author));
        }
        if let Some(milestone) = &self.milestone {
            filter.insert("milestoneNumber".to_owned(), or_none(milestone));
        }
        if let Some(since) = &self.since {
            filter.insert("since".to_owned(), json!(since));
        }
        Value::Object(filter)
    }

    /// As parameters of REST.
    fn parameters(&self, kind: &str) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("type", kind.to_owned()),
            ("state", self.state.as_str().to_owned()),
            ("sort", self.sort.words().1.to_owned()),
            ("direction", self.order.words().1.to_owned()),
        ];
        if !self.labels.is_empty() {
            parameters.push(("labels", self.labels.join(",")));
        }
        let given = [
            ("assignee", &self.assignee),
            ("creator", &self.author),
            ("milestone", &self.milestone),
            ("since", &self.since),
        ];
        parameters.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        parameters
    }
}

async fn list_issues(call: Call<GitHub>, arguments: Arguments) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let wanted = settle(&call, &repo, &arguments).await?;
    let count = position.first(limit(arguments.limit, 20, 100), 100);
    match &arguments.r#type {
        Some(kind) => by_type(&call, &repo, &wanted, kind, count, position).await,
        None => plain(&call, &repo, &wanted, count, position).await,
    }
}

/// What the arguments mean.
async fn settle(call: &Call<GitHub>, repo: &Repo, arguments: &Arguments) -> Result<Wanted> {
    let since = match &arguments.since {
        Some(since) => Some(second(Calendar::new(None).past("since", since)?.start())),
        None => None,
    };
    let assignee = match arguments.assignee.as_deref().map(str::trim) {
        Some(word) if word.is_empty() || word.eq_ignore_ascii_case("none") => Some("none".to_owned()),
        Some(login) => Some(naming::login(call, login).await?),
        None => None,
    };
    let author = match &arguments.author {
        Some(login) => Some(naming::login(call, login).await?),
        None => None,
    };
    let milestone = match arguments.milestone.as_deref().map(str::trim) {
        Some(word @ ("none" | "*")) => Some(word.to_owned()),
        Some(name) => Some(naming::milestone(call, repo, name).await?.number),
        None => None,
    };
    Ok(Wanted {
        state: arguments.state.unwrap_or_default(),
        labels: arguments.labels.iter().map(|label| label.trim().to_owned()).collect(),
        assignee,
        author,
        milestone,
        since,
        sort: arguments.sort.unwrap_or_default(),
        order: arguments.order.unwrap_or_default(),
    })
}

/// Over GraphQL, which knows issues from pull requests and how many there are.
async fn plain(
    call: &Call<GitHub>,
    repo: &Repo,
    wanted: &Wanted,
    count: u32,
    position: Position,
) -> Result<Reply> {
    let order = json!({"field": wanted.sort.words().0, "direction": wanted.order.words().0});
    let after = position.after.clone();
    let answer = call.api().list_issues(repo, &wanted.filter(), &order, count, after.as_deref()).await?;
    let notes = answer.notes();
    let Partial { data: list, .. } = answer;
    if list.is_off() {
        return Err(Error::not_found(format!("{repo} has no issues: they are turned off there")));
    }
    let issues = &list.issues;
    if issues.nodes.is_empty() && after.is_none() {
        known(call, repo, wanted).await?;
    }
    let rows: Vec<_> = issues.nodes.iter().skip(position.skip).collect();
    let places: Vec<usize> = (0..rows.len()).filter(|place| has(rows[*place], &wanted.labels)).collect();
    let mut page = Page::new(FROM, ("issue", "issues")).note(about(repo, wanted));
    for place in &places {
        let issue = rows[*place];
        let open = issue.blockers.nodes.iter().filter(|other| other.state() == "open");
        let seen = open.filter(|other| call.bounds().sees(&other.repository.name_with_owner));
        let names = seen.map(|other| reference::name(&other.repository.name_with_owner, &other.number, repo));
        let row = Row::of_issue(issue).blocked_by(names.collect());
        page.push(row.text(), &row);
    }
    if places.len() == rows.len() {
        page = page.total(usize::try_from(whole(issues.total_count)).unwrap_or(usize::MAX));
    }
    let next = issues.next(after.as_deref()).map(str::to_owned);
    let page = paging::close(call, page, VendorPage { position, read: rows.len(), places, next });
    Ok(notes.into_iter().fold(Reply::page(page), Reply::lead))
}

/// An empty list must not hide that a label or a person is not there.
async fn known(call: &Call<GitHub>, repo: &Repo, wanted: &Wanted) -> Result<()> {
    naming::labels(call, repo, &wanted.labels).await?;
    for (argument, login) in [("assignee", &wanted.assignee), ("author", &wanted.author)] {
        if let Some(login) = login.as_deref().filter(|login| !["none", "*"].contains(login)) {
            naming::exists(call, argument, login).await?;
        }
    }
    Ok(())
}

/// Whether an issue has all of `labels`. Some servers find those that have any.
fn has(issue: &IssueRow, labels: &[String]) -> bool {
    let shown = &issue.labels.nodes;
    let all = whole(issue.labels.total_count) <= shown.len() as u64;
    !all || labels
        .iter()
        .all(|wanted| shown.iter().any(|label| label.name.to_lowercase() == wanted.to_lowercase()))
}

/// Over REST: GitHub's published GraphQL schema does not know the types of issues.
async fn by_type(
    call: &Call<GitHub>,
    repo: &Repo,
    wanted: &Wanted,
    kind: &str,
    count: u32,
    position: Position,
) -> Result<Reply> {
    let kind = match kind.trim() {
        word @ ("none" | "*") => word.to_owned(),
        name => naming::issue_type(call, repo, name).await?,
    };
    let after = position.after.clone();
    let listed =
        call.api().list_rest_issues(repo, &wanted.parameters(&kind), count, after.as_deref()).await?;
    if listed.items.is_empty() && after.is_none() {
        known(call, repo, wanted).await?;
    }
    let rows: Vec<_> = listed.items.iter().skip(position.skip).collect();
    // Pull requests have no type, and so come with `none`.
    let places: Vec<usize> = (0..rows.len()).filter(|place| !rows[*place].is_pull()).collect();
    let mut page = Page::new(FROM, ("issue", "issues")).note(about(repo, wanted));
    let shown = places.iter().map(|place| Row::of_rest_issue(rows[*place], Some(repo))).collect();
    for row in with_blockers(call, repo, shown).await {
        page.push(row.text(), &row);
    }
    let given = VendorPage { position, read: rows.len(), places, next: listed.next };
    Ok(Reply::page(paging::close(call, page, given)))
}

/// Rows with the names of what blocks them, which REST tells of one issue at a time.
async fn with_blockers(call: &Call<GitHub>, repo: &Repo, rows: Vec<Row>) -> Vec<Row> {
    let waiting: Vec<u64> =
        rows.iter().filter(|row| row.waits_for() > 0).map(Row::number).take(BLOCKED).collect();
    let asked = waiting.iter().map(|number| call.api().blockers(repo, *number));
    let answers = join_all(asked).await;
    let named = |row: Row| {
        let place = waiting.iter().position(|number| *number == row.number());
        let Some(Ok(listed)) = place.map(|place| &answers[place]) else { return row };
        let open = listed.items.iter().filter(|other| other.state() == "open");
        let seen = open.filter(|other| other.repo().is_none_or(|place| call.bounds().sees(place)));
        let names = seen.map(|other| reference::name(other.repo().unwrap_or_default(), &other.number, repo));
        row.blocked_by(names.collect())
    };
    rows.into_iter().map(named).collect()
}

/// What the header says of a listing.
fn about(repo: &Repo, wanted: &Wanted) -> String {
    let state = match wanted.state {
        State::All => "open and closed",
        state => state.as_str(),
    };
    let order = match (wanted.sort, wanted.order) {
        (Sort::Created, Order::Desc) => "newest first",
        (Sort::Created, Order::Asc) => "oldest first",
        (Sort::Updated, Order::Desc) => "last changed first",
        (Sort::Updated, Order::Asc) => "longest unchanged first",
        (Sort::Comments, Order::Desc) => "most comments first",
        (Sort::Comments, Order::Asc) => "fewest comments first",
    };
    let mut about = format!("{repo}, {state}, {order}, dates of last change");
    match wanted.assignee.as_deref() {
        Some("none") => about.push_str(", unassigned"),
        Some("*") => about.push_str(", assigned"),
        Some(login) => about.push_str(&format!(", assigned to @{}", one_line(login))),
        None => {}
    }
    if let Some(author) = &wanted.author {
        about.push_str(&format!(", opened by @{}", one_line(author)));
    }
    if let Some(since) = &wanted.since {
        about.push_str(&format!(", changed since {}", minute(since)));
    }
    about
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            state: State::All,
            labels: vec!["bug".to_owned(), "P1".to_owned()],
            assignee: Some("none".to_owned()),
            author: None,
            milestone: Some("3".to_owned()),
            since: None,
            sort: Sort::Updated,
            order: Order::Asc,
        }
    }

    #[test]
    fn nobody_is_null_for_graphql_and_a_word_for_rest() {
        assert_eq!(
            wanted().filter(),
            json!({"labels": ["bug", "P1"], "assignee": null, "milestoneNumber": "3"})
        );
        let parameters = wanted().parameters("Bug");
        for pair in [("assignee", "none"), ("labels", "bug,P1"), ("direction", "asc"), ("state", "all")] {
            assert!(parameters.contains(&(pair.0, pair.1.to_owned())), "{parameters:?}");
        }
    }

    #[test]
    fn an_issue_without_one_of_the_labels_is_told_apart() {
        let issue = |total: u32| -> IssueRow {
            connector::tolerant::from_value(
                json!({"labels": {"totalCount": total, "nodes": [{"name": "Bug"}]}}),
            )
            .unwrap()
        };
        assert!(has(&issue(1), &["bug".to_owned()]));
        assert!(!has(&issue(1), &["bug".to_owned(), "P1".to_owned()]));
        assert!(has(&issue(30), &["P1".to_owned()]), "what is not shown may be there");
    }
}
