//! The head branch of a pull request, deleted once that is merged, where it was asked for.

use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, one_line},
};

use crate::{GitHub, api::pulls::Pull, repo::Repo};

/// Refuses what would not be deleted: branches of forks, default and protected ones.
///
/// # Errors
/// `invalid_argument` or `policy`, before anything is merged.
pub(super) async fn check(call: &Call<GitHub>, repo: &Repo, pull: &Pull) -> Result<()> {
    call.bounds().permits(repo, Effect::Destructive)?;
    let name = one_line(&pull.head_ref_name);
    if pull.is_cross_repository {
        return Err(Error::invalid(format!("`delete_branch`: {name} is a branch of a fork"))
            .with_hint("Nothing was merged. Leave `delete_branch` out: the branch is its owner's"));
    }
    let (repository, branch) =
        futures::join!(call.api().repository(repo), call.api().branch(repo, &pull.head_ref_name));
    let what = if repository?.default_branch == pull.head_ref_name {
        "the default branch"
    } else if branch?.is_some_and(|branch| branch.protected) {
        "a protected branch"
    } else {
        return Ok(());
    };
    Err(Error::new(
        Kind::Policy,
        format!("`delete_branch`: {name} is {what} of {repo}, which is never deleted"),
    )
    .with_hint("Nothing was merged. Leave `delete_branch` out"))
}

/// What became of it after the merge. Where that is `asked` for it is deleted; else GitHub does so by its own setting,
/// and only says nothing of it.
pub(super) async fn after_merge(
    call: &Call<GitHub>,
    repo: &Repo,
    pull: &Pull,
    asked: bool,
) -> Option<String> {
    if asked {
        return Some(delete(call, repo, pull).await);
    }
    let (name, sha) = (one_line(&pull.head_ref_name), &pull.head_ref_oid);
    match call.api().git_ref(repo, &format!("heads/{}", pull.head_ref_name)).await {
        Ok(None) => {
            Some(format!("GitHub deleted the branch {name}; manage_ref can create it again from {sha}"))
        }
        _ => None,
    }
}

/// Deletes it if it is still where it was merged, and says what came of it: the merge stands either way.
async fn delete(call: &Call<GitHub>, repo: &Repo, pull: &Pull) -> String {
    let (name, sha) = (one_line(&pull.head_ref_name), &pull.head_ref_oid);
    let path = format!("heads/{}", pull.head_ref_name);
    let again = format!("manage_ref can create it again from {sha}");
    let error = match call.api().git_ref(repo, &path).await {
        Ok(None) => return format!("the branch {name} is gone, by GitHub's own setting; {again}"),
        Ok(Some(now)) if now.object.sha != *sha => {
            return format!("branch {name} NOT deleted: it has moved to {} since", one_line(&now.object.sha));
        }
        Ok(Some(_)) => match call.api().delete_ref(repo, &path).await {
            Ok(()) => return format!("deleted the branch {name}; {again}"),
            Err(error) => match call.api().git_ref(repo, &path).await {
                Ok(None) => return format!("deleted the branch {name}; {again}"),
                _ => error,
            },
        },
        Err(error) => error,
    };
    format!("branch {name} NOT deleted: {}", error.for_agent())
}
