//! Lists of issues, with pull requests among them, as GitHub has it.

use std::cmp::Ordering;

use super::{
    super::{
        errors::Outcome,
        request::{FakeResponse, GitHubRequest as _, RequestContext},
    },
    guard::TrackerGuard,
    issues::{enabled, invalid},
    model::Issue,
    show::Show,
};

/// `GET /repos/{owner}/{repo}/issues`
pub(super) fn of_repository(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    enabled(&guard)?;
    let show = guard.show()?;
    let wish = Wish::read(cx)?;
    wish.check(cx, show)?;
    let mut found: Vec<_> = show.board.issues.values().filter(|issue| wish.fits(cx, show, issue)).collect();
    wish.sort(&mut found);
    Ok(cx.page(&found, |issue| show.issue(issue)))
}

/// How a list is filtered and sorted.
struct Wish {
    /// None for both.
    open: Option<bool>,
    sort: String,
    ascending: bool,
    labels: Vec<String>,
}

impl Wish {
    fn read(cx: &RequestContext<'_>) -> Outcome<Self> {
        let open = match cx.query("state").unwrap_or("open") {
            "open" => Some(true),
            "closed" => Some(false),
            "all" => None,
            other => return Err(invalid("state", other)),
        };
        let sort = cx.query("sort").unwrap_or("created");
        if !["created", "updated", "comments"].contains(&sort) {
            return Err(invalid("sort", sort));
        }
        let labels = cx.query("labels").unwrap_or_default().split(',').map(str::trim);
        Ok(Self {
            open,
            sort: sort.to_owned(),
            ascending: cx.query("direction") == Some("asc"),
            labels: labels.filter(|label| !label.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// 422 for a person or milestone that there is not.
    fn check(&self, cx: &RequestContext<'_>, show: Show<'_>) -> Outcome<()> {
        for field in ["assignee", "creator", "mentioned"] {
            let named = cx.query(field).filter(|name| !["*", "none"].contains(name));
            if let Some(name) = named.filter(|name| show.state.accounts.get(name).is_none()) {
                return Err(invalid(field, name));
            }
        }
        if let Some(milestone) = cx.query("milestone").filter(|name| !["*", "none"].contains(name)) {
            let known = milestone.parse().is_ok_and(|number| show.board.milestone(number).is_some());
            if !known {
                return Err(invalid("milestone", milestone));
            }
        }
        Ok(())
    }

    fn fits(&self, cx: &RequestContext<'_>, show: Show<'_>, issue: &Issue) -> bool {
        let assigned = match cx.query("assignee") {
            None => true,
            Some("none") => issue.assignees.is_empty(),
            Some("*") => !issue.assignees.is_empty(),
            Some(login) => issue.assignees.iter().any(|one| one.eq_ignore_ascii_case(login)),
        };
        let planned = match cx.query("milestone") {
            None => true,
            Some("none") => issue.milestone.is_none(),
            Some("*") => issue.milestone.is_some(),
            Some(number) => issue.milestone.is_some_and(|one| one.to_string() == number),
        };
        let typed = match cx.query("type") {
            None => true,
            Some("none") => issue.kind.is_none(),
            Some("*") => issue.kind.is_some(),
            Some(name) => issue.kind.as_ref().is_some_and(|kind| kind.eq_ignore_ascii_case(name)),
        };
        let labeled =
            |name: &String| show.labels_of(issue).any(|label| label.name.eq_ignore_ascii_case(name));
        self.open.is_none_or(|open| issue.open == open)
            && assigned
            && planned
            && typed
            && self.labels.iter().all(labeled)
            && cx.query("creator").is_none_or(|login| issue.author.eq_ignore_ascii_case(login))
            && cx.query("mentioned").is_none_or(|login| issue.mentions(login))
            && cx.query("since").is_none_or(|since| issue.updated_at.as_str() >= since)
    }

    fn order(&self, a: &Issue, b: &Issue) -> Ordering {
        let order = match self.sort.as_str() {
            "updated" => a.updated_at.cmp(&b.updated_at),
            "comments" => a.comments.len().cmp(&b.comments.len()),
            _ => a.created_at.cmp(&b.created_at),
        };
        let order = order.then(a.id.cmp(&b.id));
        if self.ascending { order } else { order.reverse() }
    }

    fn sort(&self, issues: &mut [&Issue]) {
        issues.sort_by(|a, b| self.order(a, b));
    }
}
