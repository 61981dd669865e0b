//! `commit_files`: any number of changes as one commit on a branch, made on the very files that were read,
//! or not at all.

mod editing;
mod landing;
mod staging;

use connector::catalog::reconcile;
use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;

use self::{
    landing::{Base, Landed},
    staging::{Change, Staged},
};
use super::refs::{self, ref_name};
use crate::{
    GitHub,
    api::git::Head,
    render::{short_sha, thousands},
    repo::Repo,
    scopes,
};

/// Characters of what is around edits in a preview.
const CONTEXT: usize = 6_000;
/// The shortest beginning of a sha that is good enough to guard with.
const ABBREVIATED: usize = 7;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::destructive(
            "commit_files",
            "Commit files",
            "One atomic commit of file changes. from creates the branch. Refused if branch (or from) left \
             expected_head.",
            commit_files,
        )
        .toolset("repos")
        .scopes(scopes::REPO)
        .aliases(&[
            ("files", "changes"),
            ("commit_message", "message"),
            ("base", "from"),
            ("expected_head_oid", "expected_head"),
        ])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommitFiles {
    repo: Option<String>,
    branch: String,
    message: String,
    changes: Vec<Change>,
    expected_head: Option<String>,
    from: Option<String>,
}

async fn commit_files(call: Call<GitHub>, arguments: CommitFiles) -> Result<Plan> {
    let CommitFiles { repo, branch, message, changes, expected_head, from } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    call.bounds().permits(&repo, Effect::Write)?;
    let branch = ref_name("branch", &branch)?.to_owned();
    if message.trim().is_empty() {
        return Err(Error::invalid("`message` is empty"));
    }
    if changes.is_empty() {
        return Err(Error::invalid("`changes` is empty"));
    }
    let expected = expected_head.as_deref().map(expected_sha).transpose()?;
    let from = from.filter(|from| !from.trim().is_empty());
    let base = base(&call, &repo, &branch, from.as_deref()).await?;
    if let Some(expected) = &expected {
        guard(&call, &repo, &branch, &base, expected, &changes).await?;
    }
    let staged = staging::stage(&call, &repo, base.sha(), changes).await?;
    if staged.is_empty() {
        let at = base.sha().map(|sha| format!(" at {sha}")).unwrap_or_default();
        let done = Written::new(format!("Nothing to commit: {branch} of {repo}{at} is already like that."));
        return Ok(Plan::nothing(Reply::written(done)));
    }
    let preview = preview(&repo, &branch, &message, &base, &staged);
    // What a commit replaces stays in the history; what nobody has read may still be missed.
    let replaces = staged.iter().any(Staged::is_blind) && expected.is_none();
    let harmless = !replaces && !staged.iter().any(Staged::is_deletion);
    let seen = base.sha().map(str::to_owned);
    let begun = match &base {
        Base::New(sha) => Some(format!(
            "the branch is new, begun at {} ({})",
            short_sha(sha),
            from.as_deref().map(one_line).unwrap_or_default()
        )),
        Base::Branch(_) | Base::Nothing => None,
    };
    let plan = Plan::new(preview, move || async move {
        let message = message.trim().to_owned();
        let landed = landing::land(&call, &repo, &branch, base, &message, &staged).await?;
        let mut outcome = outcome(&repo, &branch, &landed, &staged);
        if let Some(begun) = begun {
            outcome.changed.insert(0, begun);
        }
        Ok(Reply::written(outcome))
    });
    let plan = plan.state(&seen);
    Ok(if harmless { plan.harmless() } else { plan })
}

/// Where the commit goes on top of.
async fn base(call: &Call<GitHub>, repo: &Repo, branch: &str, from: Option<&str>) -> Result<Base> {
    match (call.api().head(repo, branch).await?, from) {
        (Head::EmptyRepository, Some(_)) => {
            Err(Error::invalid(format!("{repo} has no commits, so there is nothing to begin `from`"))
                .with_hint("Leave `from` out: the commit will be the first"))
        }
        (Head::EmptyRepository, None) => Ok(Base::Nothing),
        (Head::At(sha), None) => Ok(Base::Branch(sha)),
        (Head::Missing, Some(from)) => {
            let at = refs::resolve(call, repo, Some(from)).await?;
            refs::no_clash(call, repo, "heads", branch).await?;
            Ok(Base::New(at.sha))
        }
        (Head::Missing, None) => Err(Error::not_found(format!("{repo} has no branch {branch}")).with_hint(
            "To create it, say in `from` which branch or commit it begins at; list_refs lists branches",
        )),
        (Head::At(sha), Some(from)) => {
            let from = refs::resolve(call, repo, Some(from)).await?;
            if from.sha == sha {
                return Ok(Base::Branch(sha));
            }
            Err(Error::new(
                Kind::Conflict,
                format!("The branch {branch} is there already, at {}", short_sha(&sha)),
            )
            .with_hint("Leave `from` out to commit on top of it, or take another name"))
        }
    }
}

/// The beginning of a sha, at least, in lower case.
fn expected_sha(text: &str) -> Result<String> {
    let sha = text.trim().to_ascii_lowercase();
    if sha.len() < ABBREVIATED || !sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::invalid(format!(
            "`expected_head`: `{}` is not the sha of a commit",
            one_line(text)
        ))
        .with_hint("read_file gives the commit that it read at"));
    }
    Ok(sha)
}

/// Refuses if the branch is elsewhere than the caller has read, and says whether that matters.
async fn guard(
    call: &Call<GitHub>,
    repo: &Repo,
    branch: &str,
    base: &Base,
    expected: &str,
    changes: &[Change],
) -> Result<()> {
    let Some(sha) = base.sha() else {
        return Err(Error::new(
            Kind::Conflict,
            format!("{repo} has no commits, so nothing is at {expected}"),
        ));
    };
    if sha.starts_with(expected) {
        return Ok(());
    }
    let moved = Error::new(
        Kind::Conflict,
        format!("{branch} of {repo} is at {sha}, not at {}: nothing was written", short_sha(expected)),
    );
    let Ok(compared) = call.api().compare(repo, expected, sha).await else {
        return Err(moved.with_hint("Read the files again and make the changes anew"));
    };
    let touched: Vec<_> = compared
        .files
        .iter()
        .filter(|file| {
            changes.iter().any(|change| change.touches(&file.path) || change.touches(&file.previous))
        })
        .map(|file| one_line(&file.path))
        .collect();
    Err(if touched.is_empty() {
        moved.with_hint(format!(
            "None of these files changed between: if the other {} commits do not matter, repeat the call \
             with expected_head {sha}",
            compared.ahead_by
        ))
    } else {
        moved.with_hint(format!(
            "Changed meanwhile: {}. Read them again and make the changes anew",
            touched.join(", ")
        ))
    })
}

fn preview(repo: &Repo, branch: &str, message: &str, base: &Base, staged: &[Staged]) -> Reply {
    let headline = one_line(message.lines().next().unwrap_or_default());
    let on = match base {
        Base::Branch(sha) => format!("{branch} of {repo}, on top of {sha}"),
        Base::New(sha) => format!("the new branch {branch} of {repo}, begun at {sha}"),
        Base::Nothing => format!("{branch} of {repo}, its first"),
    };
    let (added, removed) = sums(staged);
    let mut written = Written::new(format!(
        "Commit to {on}: \"{headline}\" ({}, about +{} −{} lines)",
        count(staged.len()),
        thousands(added as u64),
        thousands(removed as u64)
    ));
    if *base == Base::Nothing && staged.len() > 1 {
        written = written.change("as two commits: GitHub lets an empty repository begin with one file");
    }
    for file in staged {
        written = written.change(file.words());
    }
    let mut reply = Reply::written(written);
    let mut left = CONTEXT;
    let mut unseen = 0;
    for file in staged {
        if file.context.is_empty() {
            continue;
        }
        if file.context.len() > left {
            unseen += 1;
            continue;
        }
        left -= file.context.len();
        reply = reply.outside(file.path.clone(), None, file.context.clone());
    }
    if unseen > 0 {
        reply = reply.line(format!("[The edits of {unseen} more files are not shown here.]"));
    }
    reply
}

fn outcome(repo: &Repo, branch: &str, landed: &Landed, staged: &[Staged]) -> Written {
    let committed = format!("committed {} to {branch} of {repo}", landed.sha);
    let mut written = Written::new(reconcile::summary("GitHub", landed.found, &committed));
    if let Some(first) = &landed.first {
        written = written.change(format!("the first file as commit {first}, the rest in the one after it"));
    }
    if let Some((files, added, removed)) = landed.counted {
        written = written.change(format!(
            "{} as GitHub counts, +{} −{} lines",
            count(files),
            thousands(added),
            thousands(removed)
        ));
    }
    for file in staged {
        written = written.change(file.words());
    }
    written.id(landed.sha.clone()).url(landed.url.clone())
}

fn count(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

fn sums(staged: &[Staged]) -> (usize, usize) {
    staged.iter().fold((0, 0), |(added, removed), file| (added + file.added, removed + file.removed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_a_sha_or_a_good_part_of_one() {
        assert_eq!(expected_sha(" 0123ABC ").unwrap(), "0123abc");
        for bad in ["main", "0123", "", "xyz01234"] {
            assert!(expected_sha(bad).is_err(), "{bad}");
        }
    }
}
