//! Branches and tags: listed; what a ref in an argument names, and what a name of one may be.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, Written, limit, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{branches, ref_writes};
use crate::{
    GitHub,
    api::git::{GitRef, Named, empty},
    render::short_sha,
    repo::Repo,
    scopes,
    tools::FROM,
};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read("list_refs", "List branches or tags", "Branches or tags; match is a prefix.", list_refs)
            .toolset("repos")
            .aliases(&[("type", "kind"), ("prefix", "match"), ("query", "match")])
            .output_page::<Row>(),
        Tool::destructive(
            "manage_ref",
            "Create or delete refs",
            "Creates or deletes a branch or tag (annotated by message), but never default or protected \
             branches.",
            ref_writes::manage_ref,
        )
        .toolset("repos")
        .scopes(scopes::REPO)
        .idempotent()
        .aliases(&[("branch", "name"), ("tag", "name"), ("ref", "from"), ("sha", "from")])
        .output::<Written>(),
    ]
}

/// A ref of an argument, and the commit that it names now.
#[derive(Clone, Debug)]
pub(super) struct At {
    /// As it is shown: `main`, `pull/12`.
    pub(super) name: String,
    /// The whole id of the commit.
    pub(super) sha: String,
}

/// The commit that `reference` names: a branch, a tag, a sha that may be short, `pull/12`; the default branch
/// if there is none.
///
/// # Errors
/// `not_found` if it names none.
pub(super) async fn resolve(call: &Call<GitHub>, repo: &Repo, reference: Option<&str>) -> Result<At> {
    let api = call.api();
    let reference = reference.map(str::trim).filter(|text| !text.is_empty());
    let Some(reference) = reference else {
        let name = api.repository(repo).await?.default_branch;
        let sha = api.commit_sha(repo, &name).await?;
        return Ok(At { name, sha });
    };
    let name = one_line(reference);
    if let Some(number) = pull_number(reference) {
        let pull = api.pull_sides(repo, number).await.map_err(|error| no_pull(error, repo, number))?;
        return Ok(At { name: format!("pull/{number}"), sha: pull.head.sha });
    }
    // GitHub takes `heads/main`, not the whole ref (docs.github.com/rest/commits/commits, "Get a commit").
    let reference = reference.strip_prefix("refs/").unwrap_or(reference);
    Ok(At { sha: api.commit_sha(repo, reference).await?, name })
}

/// "Not found" in words that name the pull request.
pub(super) fn no_pull(error: Error, repo: &Repo, number: u64) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    Error::not_found(format!("{repo} has no pull request #{number} that the token may see"))
        .with_hint("list_prs gives the numbers")
}

/// The number in `pull/12`, `pull/12/head`, `refs/pull/12/head`, `#12`.
fn pull_number(reference: &str) -> Option<u64> {
    if let Some(number) = reference.strip_prefix('#') {
        return number.parse().ok();
    }
    let rest = reference.strip_prefix("refs/").unwrap_or(reference).strip_prefix("pull/")?;
    rest.strip_suffix("/head").unwrap_or(rest).parse().ok()
}

/// A name as git and GitHub take it for a branch or a tag, without what stands before it in a full ref.
///
/// # Errors
/// `invalid_argument` for what cannot be one (git-check-ref-format).
pub(super) fn ref_name<'a>(argument: &str, text: &'a str) -> Result<&'a str> {
    let text = text.trim();
    let name = text.strip_prefix("refs/heads/").or_else(|| text.strip_prefix("refs/tags/")).unwrap_or(text);
    let bad = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    let part_is_bad = |part: &str| {
        part.is_empty() || part.starts_with('.') || part.ends_with('.') || part.ends_with(".lock")
    };
    let wrong = name.contains(bad)
        || name.contains("..")
        || name.contains("@{")
        || name == "@"
        || name.starts_with('-')
        || name.split('/').any(part_is_bad);
    if wrong {
        return Err(Error::invalid(format!(
            "`{argument}`: `{}` is not a valid name of a ref",
            one_line(text)
        ))
        .with_hint("Use letters, digits, `-`, `_`, `.` and `/`"));
    }
    Ok(name)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kinds {
    Branches,
    Tags,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListRefs {
    repo: Option<String>,
    kind: Kinds,
    r#match: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A ref in a listing.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) sha: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) protected: bool,
    /// The sha is that of an annotated tag.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) annotated: bool,
    /// Of the last commit of a branch.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) date: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) author: String,
    /// Commits that the default branch lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ahead: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) behind: Option<u64>,
    /// Open ones from the branch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) pull_requests: Vec<u64>,
    /// The pull request by which all of the branch was merged, however.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) merged_as: Option<u64>,
}

impl Row {
    fn text(&self) -> String {
        let what = if self.annotated { "annotated, tag object " } else { "" };
        format!("{} {what}{}", one_line(&self.name), short_sha(&self.sha))
    }
}

async fn list_refs(call: Call<GitHub>, arguments: ListRefs) -> Result<Reply> {
    let ListRefs { repo, kind, r#match: prefix, limit: asked, cursor } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let prefix = prefix.as_deref().map(str::trim).filter(|prefix| !prefix.is_empty());
    let shown = limit(asked, 30, 100);
    if kind == Kinds::Branches {
        return branches::list(&call, &repo, prefix, shown, position).await;
    }
    let mut page = Page::new(FROM, ("tag", "tags")).note(format!("of {repo}"));
    let Some(prefix) = prefix else {
        let per_page = position.first(shown, 100);
        let listed = call.api().tags(&repo, per_page, position.after.as_deref()).await?;
        let rows: Vec<_> = listed.items.iter().skip(position.skip).collect();
        for Named { name, commit } in &rows {
            let (name, sha) = (name.clone(), commit.sha.clone());
            let row = Row { name, sha, ..Row::default() };
            page.push(row.text(), &row);
        }
        let read = rows.len();
        return Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, read, listed.next))));
    };
    let folder = "tags/";
    let listed = match call
        .api()
        .matching_refs(&repo, &format!("{folder}{prefix}"), position.after.as_deref())
        .await
    {
        Ok(listed) => listed,
        Err(error) if error.kind() == Kind::Conflict => return Err(empty(&repo)),
        Err(error) => return Err(error),
    };
    let page = page.note(format!("beginning with {}", one_line(prefix)));
    // GitHub gives all of them at once, or pages of its own size; the cursor counts within.
    let left: Vec<_> = listed.items.iter().skip(position.skip).collect();
    let mut page = page;
    for GitRef { name, object } in left.iter().take(shown as usize) {
        let name = name.strip_prefix("refs/").unwrap_or(name);
        let row = Row {
            name: name.strip_prefix(folder).unwrap_or(name).to_owned(),
            sha: object.sha.clone(),
            annotated: object.kind == "tag",
            ..Row::default()
        };
        page.push(row.text(), &row);
    }
    let (on_page, all) = (page.len(), left.len());
    if on_page == all {
        return Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, all, listed.next))));
    }
    let (sealer, after, skip) = (call.clone(), position.after, position.skip);
    Ok(Reply::page(
        page.cursor(true, move |kept| {
            sealer.seal_cursor(&Position { after: after.clone(), skip: skip + kept })
        }),
    ))
}

/// Refuses a name that git cannot keep beside those that are there: a name is no directory of other names, nor
/// within one that is a name.
///
/// # Errors
/// `conflict` naming the ref that is in the way.
pub(super) async fn no_clash(call: &Call<GitHub>, repo: &Repo, folder: &str, name: &str) -> Result<()> {
    let api = call.api();
    let inside = format!("{folder}/{name}/");
    let above: Vec<&str> = name.match_indices('/').map(|(at, _)| &name[..at]).collect();
    let outer =
        above.iter().map(|outer| async move { api.git_ref(repo, &format!("{folder}/{outer}")).await });
    let (within, outer) =
        futures::join!(api.matching_refs(repo, &inside, None), futures::future::join_all(outer));
    let taken = outer.into_iter().flatten().flatten().next();
    let taken = taken.or_else(|| within.ok().and_then(|listed| listed.items.into_iter().next()));
    let Some(taken) = taken else { return Ok(()) };
    let kind = if folder == "tags" { "tag" } else { "branch" };
    let other = taken.name.rsplit_once(&format!("{folder}/")).map_or(taken.name.as_str(), |(_, name)| name);
    Err(Error::new(
        Kind::Conflict,
        format!("{repo} has the {kind} {}, and git cannot keep {name} beside it", one_line(other)),
    )
    .with_hint("Nothing was created. Take a name that is not the beginning of another up to a `/`"))
}

/// What GitHub says where a rule of the repository forbids a write to a ref, as such.
pub(super) fn protected(error: Error, branch: &str) -> Error {
    let says = error.message().to_lowercase();
    let words = [
        "protected branch",
        "rule violation",
        "through a pull request",
        "status check",
        "not authorized to push",
        "cannot update this protected",
        "cannot delete this",
        "cannot force-push",
        "creations being restricted",
    ];
    let by_rule =
        matches!(error.kind(), Kind::InvalidArgument | Kind::Permission | Kind::Conflict | Kind::Upstream)
            && words.iter().any(|word| says.contains(word));
    if !by_rule {
        return error;
    }
    let why = error.message().split_once(": ").map_or("", |(_, why)| why).to_owned();
    Error::new(Kind::Permission, format!("{branch} is protected, and its rules forbid this: {why}"))
        .with_hint("Commit to a new `branch`, `from` this one, and open a pull request with create_pr")
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_is_a_ref() {
        for text in ["pull/12", "pull/12/head", "refs/pull/12/head", "#12"] {
            assert_eq!(pull_number(text), Some(12), "{text}");
        }
        for text in ["pull/x", "pulls/12", "12", "pull/12/merge"] {
            assert_eq!(pull_number(text), None, "{text}");
        }
    }

    #[test]
    fn names_that_git_does_not_take_are_refused() {
        for good in ["main", "feature/with-slash/and-more", "refs/heads/a.b", "v2.14.0", "ä"] {
            assert!(ref_name("name", good).is_ok(), "{good}");
        }
        for bad in [
            "", "a b", "a..b", "a/", "/a", "a//b", ".a", "a.lock", "-a", "a~1", "a^", "a:b", "@", "a@{1}",
            "a\\b",
        ] {
            assert!(ref_name("name", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_by_rule_says_what_to_do_instead() {
        let error = Error::invalid(
            "GitHub does not accept this: Repository rule violations found Changes must be made through a pull \
             request",
        );
        let error = protected(error, "main");
        assert_eq!(error.kind(), Kind::Permission);
        assert!(error.for_agent().contains("create_pr"), "{error}");
        assert_eq!(protected(Error::invalid("no such field"), "main").kind(), Kind::InvalidArgument);
    }
}
