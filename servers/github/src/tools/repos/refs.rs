//! Branches and tags: listed, created, deleted; and what a ref in an argument names.

use connector::catalog::reconcile;
use connector::{
    Effect, Error, Kind, Result,
    catalog::{
        Call, Page, Plan, Position, Reply, Tool, Written, limit, one_line,
        paging::{self, VendorPage},
        words::counted,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::branches;
use crate::{
    GitHub,
    api::{
        diffs::{Comparison, HeadedPull},
        git::{GitRef, Named, empty},
    },
    render::short_sha,
    repo::Repo,
    scopes,
    tools::FROM,
};

/// Commits named in the preview of a deletion.
const LOST_SHOWN: usize = 5;

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
            manage_ref,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Create,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RefKind {
    Branch,
    Tag,
}

impl RefKind {
    fn noun(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Branch => "heads",
            Self::Tag => "tags",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ManageRef {
    repo: Option<String>,
    action: Action,
    kind: RefKind,
    name: String,
    from: Option<String>,
    message: Option<String>,
}

async fn manage_ref(call: Call<GitHub>, arguments: ManageRef) -> Result<Plan> {
    let ManageRef { repo, action, kind, name, from, message } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    let effect = if action == Action::Delete { Effect::Destructive } else { Effect::Write };
    call.bounds().permits(&repo, effect)?;
    let name = ref_name("name", &name)?.to_owned();
    let message = message.filter(|message| !message.trim().is_empty());
    if message.is_some() && (kind == RefKind::Branch || action == Action::Delete) {
        return Err(Error::invalid("`message` annotates a new tag, and this is none"));
    }
    if from.is_some() && action == Action::Delete {
        return Err(Error::invalid("`from` is where a new ref begins: leave it out to delete"));
    }
    let there = match call.api().git_ref(&repo, &format!("{}/{name}", kind.folder())).await {
        Err(error) if error.kind() == Kind::Conflict => return Err(empty(&repo)),
        there => there?,
    };
    let target = Target { repo, kind, name };
    match action {
        Action::Create => create(call, target, from, message, there).await,
        Action::Delete => delete(call, target, there).await,
    }
}

/// The ref that is created or deleted.
struct Target {
    repo: Repo,
    kind: RefKind,
    name: String,
}

impl Target {
    /// `branch x of o/r`.
    fn words(&self) -> String {
        format!("{} {} of {}", self.kind.noun(), self.name, self.repo)
    }

    /// `heads/x`.
    fn path(&self) -> String {
        format!("{}/{}", self.kind.folder(), self.name)
    }
}

async fn create(
    call: Call<GitHub>,
    target: Target,
    from: Option<String>,
    message: Option<String>,
    there: Option<GitRef>,
) -> Result<Plan> {
    let at = resolve(&call, &target.repo, from.as_deref()).await?;
    if let Some(there) = there {
        let commit = commit_of(&call, &target.repo, &there).await?;
        if commit == at.sha && (message.is_none() || there.object.kind == "tag") {
            let done = Written::new(format!("The {} is there already, at {}.", target.words(), at.sha));
            return Ok(Plan::nothing(Reply::written(done.id(target.name))));
        }
        return Err(Error::new(
            Kind::Conflict,
            format!("The {} is there already, at {}", target.words(), short_sha(&commit)),
        )
        .with_hint("Take another name, or delete it first"));
    }
    no_clash(&call, &target.repo, target.kind.folder(), &target.name).await?;
    let how = if message.is_some() { "annotated " } else { "" };
    let preview = Written::new(format!("Create the {how}{} at {} ({})", target.words(), at.sha, at.name));
    let plan = Plan::new(Reply::written(preview), move || async move {
        let points_at = match &message {
            Some(message) => {
                let made = call.api().create_tag(&target.repo, &target.name, message, &at.sha).await;
                made.map_err(|error| match error.kind() {
                    // An object that no ref leads to is no tag.
                    Kind::UnknownOutcome => {
                        Error::new(Kind::Upstream, "GitHub failed before the tag was made")
                            .with_hint("Repeat the call as it was")
                            .with_source(error)
                    }
                    _ => error,
                })?
            }
            None => at.sha.clone(),
        };
        let sent = call.api().create_ref(&target.repo, &format!("refs/{}", target.path()), &points_at).await;
        let sent = sent.map_err(|error| protected(error, &target.name));
        // An attempt before this one, or nobody knows: what is there now tells.
        let look = async {
            let now = call.api().git_ref(&target.repo, &target.path()).await.ok().flatten();
            now.filter(|found| found.object.sha == points_at)
        };
        let (_, lost) = reconcile::created(sent, look).await?;
        let created = format!("created the {how}{} at {}", target.words(), at.sha);
        Ok(Reply::written(Written::new(reconcile::summary("GitHub", lost, &created)).id(target.name)))
    });
    Ok(plan.harmless())
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
    .with_hint("Nothing was created. Take a name that is no part of another up to a `/`"))
}

/// The commit that a ref leads to, through an annotated tag.
async fn commit_of(call: &Call<GitHub>, repo: &Repo, there: &GitRef) -> Result<String> {
    if there.object.kind != "tag" {
        return Ok(there.object.sha.clone());
    }
    Ok(call.api().tag_object(repo, &there.object.sha).await?.object.sha)
}

async fn delete(call: Call<GitHub>, target: Target, there: Option<GitRef>) -> Result<Plan> {
    let Some(there) = there else {
        let words = target.words();
        return Ok(Plan::nothing(Reply::written(Written::new(format!("There is no {words}.")))));
    };
    let sha = there.object.sha.clone();
    let mut preview = Written::new(format!("Delete the {}, which is at {sha}", target.words()));
    let mut unmerged = Comparison::default();
    // One call undoes it, and nothing else goes with it.
    let mut harmless = false;
    // What else becomes of it, for the reply.
    let mut beside = None;
    match target.kind {
        RefKind::Branch => {
            let repo = &target.repo;
            let default = call.api().repository(repo).await?.default_branch;
            let never = |what: &str| {
                Error::new(
                    Kind::Policy,
                    format!("{} is {what} of {repo}, which is never deleted", target.name),
                )
            };
            if target.name == default {
                return Err(never("the default branch"));
            }
            let api = call.api();
            let (branch, compared, pulls) = futures::join!(
                api.branch(repo, &target.name),
                api.compare(repo, &default, &sha),
                api.pulls_headed_by(repo, &target.name),
            );
            if branch?.is_some_and(|branch| branch.protected) {
                return Err(never("a protected branch"));
            }
            // A merge that squashes or rebases leaves commits behind whose changes are all merged.
            let merged = pulls.as_ref().ok().and_then(|pulls| {
                let here = |pull: &&HeadedPull| pull.is_merged() && pull.head.sha == sha;
                pulls
                    .iter()
                    .find(here)
                    .map(|pull| format!("merged as #{} into {}", pull.number, pull.base.name))
            });
            let pulls = pulls.map(|pulls| {
                let open = pulls.iter().filter(|pull| pull.is_open());
                open.map(|pull| format!("#{}", pull.number)).collect::<Vec<_>>()
            });
            harmless = (merged.is_some() || compared.as_ref().is_ok_and(|compared| compared.ahead_by == 0))
                && pulls.as_ref().is_ok_and(Vec::is_empty);
            preview = match (compared, merged) {
                (Ok(compared), _) if compared.ahead_by == 0 => {
                    preview.change(format!("nothing is lost: {default} has all its commits"))
                }
                (_, Some(merged)) => preview.change(format!("nothing is lost: {}", one_line(&merged))),
                (Ok(compared), None) => {
                    unmerged = compared;
                    preview.change(format!(
                        "{} that {default} does not have would be left without a branch",
                        counted(unmerged.ahead_by, ("commit", "commits"))
                    ))
                }
                (Err(_), None) => {
                    preview.change(format!("whether {default} has its commits could not be learned"))
                }
            };
            preview = match pulls {
                Ok(pulls) if pulls.is_empty() => preview,
                Ok(pulls) => {
                    let many = if pulls.len() == 1 { "" } else { "s" };
                    let pulls = pulls.join(", ");
                    beside = Some(format!("GitHub closes the pull request{many} {pulls}"));
                    preview.change(format!("would close the pull request{many} {pulls}"))
                }
                Err(_) => preview.change("whether it would close a pull request could not be learned"),
            };
        }
        RefKind::Tag => {
            if let Ok(Some(release)) = call.api().release(&target.repo, &target.name).await
                && !release.draft
            {
                let name = one_line(&release.name);
                beside = Some(format!("its release \"{name}\" is a draft now"));
                preview = preview.change(format!("its release \"{name}\" would become a draft"));
            }
        }
    }
    let mut shown = Reply::written(preview);
    if !unmerged.commits.is_empty() {
        let newest = unmerged.commits.iter().rev().take(LOST_SHOWN);
        let rows: Vec<_> = newest
            .map(|commit| {
                let subject = commit.commit.message.lines().next().unwrap_or_default();
                format!("{} {}", short_sha(&commit.sha), one_line(subject))
            })
            .collect();
        shown = shown.outside("the newest of those commits", None, rows.join("\n"));
    }
    let seen = sha.clone();
    let plan = Plan::new(shown, move || async move {
        // GitHub deletes a ref wherever it is: what was pushed since the preview must not be lost unseen.
        if let Some(now) = call.api().git_ref(&target.repo, &target.path()).await?
            && now.object.sha != sha
        {
            return Err(Error::new(
                Kind::Conflict,
                format!("The {} moved to {} meanwhile", target.words(), one_line(&now.object.sha)),
            )
            .with_hint("Nothing was deleted. Look at what came since, and decide anew"));
        }
        match call.api().delete_ref(&target.repo, &target.path()).await {
            Ok(()) => {}
            Err(error) => match call.api().git_ref(&target.repo, &target.path()).await {
                // An attempt before the one that failed has done it.
                Ok(None)
                    if matches!(
                        error.kind(),
                        Kind::InvalidArgument | Kind::NotFound | Kind::UnknownOutcome
                    ) => {}
                _ => return Err(protected(error, &target.name)),
            },
        }
        let mut done = Written::new(format!("Deleted the {}, which was at {sha}.", target.words()));
        done.changed.extend(beside);
        let done = done
            .change(format!("manage_ref can create it again from {sha}, as long as GitHub keeps the commit"));
        Ok(Reply::written(done.id(target.name)))
    })
    .state(&seen);
    Ok(if harmless { plan.harmless() } else { plan })
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
