//! Branches listed: `list_refs` with kind branches.

use connector::{
    Result,
    catalog::{
        Call, Page, Position, Reply, one_line,
        paging::{self, VendorPage},
    },
};

use super::refs::Row;
use crate::{
    GitHub,
    api::branches::Branch,
    render::{minute, short_sha},
    repo::Repo,
    tools::FROM,
};

/// A branch as one line, and as data.
fn told(branch: &Branch, default: &str) -> (String, Row) {
    let mut facts = Vec::new();
    let is_default = branch.name == default;
    for (is, word) in [(is_default, "default"), (branch.is_protected(), "protected")] {
        if is {
            facts.push(word.to_owned());
        }
    }
    let distance = branch.ahead_and_behind().filter(|_| !is_default);
    match distance {
        Some((0, 0)) => facts.push("same commit".to_owned()),
        Some((0, behind)) => facts.push(format!("{behind} behind, all merged")),
        Some((ahead, 0)) => facts.push(format!("{ahead} ahead")),
        Some((ahead, behind)) => facts.push(format!("{ahead} ahead, {behind} behind")),
        None => {}
    }
    for pull in branch.pulls() {
        facts.push(format!("{}#{}", if pull.is_draft { "draft " } else { "" }, pull.number));
    }
    if let Some(pull) = branch.merged_as() {
        facts.push(format!("merged as #{}", pull.number));
    }
    let (tip, author) = (&branch.target, one_line(&branch.target.author()));
    let mut text = format!(
        "{} {} {} {author}",
        one_line(&branch.name),
        short_sha(&tip.oid),
        minute(&tip.committed_date)
    );
    if !facts.is_empty() {
        text.push_str(": ");
        text.push_str(&facts.join(", "));
    }
    let row = Row {
        name: branch.name.clone(),
        sha: tip.oid.clone(),
        protected: branch.is_protected(),
        date: tip.committed_date.clone(),
        author,
        ahead: distance.map(|(ahead, _)| ahead),
        behind: distance.map(|(_, behind)| behind),
        pull_requests: branch.pulls().map(|pull| pull.number).collect(),
        merged_as: branch.merged_as().map(|pull| pull.number),
        ..Row::default()
    };
    (text, row)
}

/// A page of the branches of `repo` whose names begin with `prefix`.
///
/// # Errors
/// As [`crate::api::Api::branches`].
pub(super) async fn list(
    call: &Call<GitHub>,
    repo: &Repo,
    prefix: Option<&str>,
    shown: u32,
    position: Position,
) -> Result<Reply> {
    let default = call.api().repository(repo).await?.default_branch;
    let first = position.first(shown, 100);
    let answer = call.api().branches(repo, &default, prefix, first, position.after.as_deref()).await?;
    let failed = answer.notes();
    let found = answer.data;
    let mut page = Page::new(FROM, ("branch", "branches")).note(format!("of {repo}, by name"));
    match prefix {
        Some(prefix) => page = page.note(format!("beginning with {}", one_line(prefix))),
        None => page = page.total(found.total_count.unwrap_or_default() as usize),
    }
    page = page.note(format!("ahead and behind of {}", one_line(&default)));
    let mut places = Vec::new();
    for (place, branch) in found.nodes.iter().skip(position.skip).enumerate() {
        // GitHub looks for the words anywhere in the name.
        if prefix.is_none_or(|prefix| branch.name.starts_with(prefix)) {
            let (text, row) = told(branch, &default);
            page.push(text, &row);
            places.push(place);
        }
    }
    let next = found.next(position.after.as_deref()).map(str::to_owned);
    let read = found.nodes.len().saturating_sub(position.skip);
    let page = paging::close(call, page, VendorPage { position, read, places, next });
    Ok(failed.into_iter().fold(Reply::page(page), Reply::lead))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_branch_is_ahead_where_the_default_branch_is_behind_it() {
        let branch: Branch = connector::tolerant::from_value(json!({
            "name": "tomas/eng-31", "target": {"oid": "0123456789abcdef", "committedDate": "2026-11-28T16:50:00Z",
                "author": {"name": "Tomás", "user": {"login": "tomas"}}},
            "compare": {"aheadBy": 2, "behindBy": 3},
            "associatedPullRequests": {"nodes": [
                {"number": 480, "state": "MERGED", "headRefOid": "0123456789abcdef"},
                {"number": 481, "state": "MERGED", "headRefOid": "f00"},
                {"number": 485, "state": "OPEN"},
            ]},
        }))
        .unwrap();
        assert_eq!(
            told(&branch, "main").0,
            "tomas/eng-31 0123456789ab 2026-11-28 16:50Z @tomas: 3 ahead, 2 behind, #485, merged as #480"
        );
    }
}
