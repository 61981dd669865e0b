//! A merge that is sent: what GitHub says of it, what became of it, and what can be done where it is refused.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Reply, Written},
};
use serde_json::json;

use super::{
    merge::{Method, Text, base, out_of_question},
    read::merged,
    words,
};
use crate::{GitHub, api::pulls::Pull, repo::Repo};

/// Merges it. Whatever the answer, whether it is merged can be learned.
pub(super) async fn now(
    call: &Call<GitHub>,
    repo: &Repo,
    pull: &Pull,
    method: Method,
    text: &Text,
) -> Result<Written> {
    let mut body = json!({"sha": pull.head_ref_oid, "merge_method": method.as_str()});
    if let Some(title) = &text.title {
        body["commit_title"] = json!(title);
    }
    if let Some(message) = &text.body {
        body["commit_message"] = json!(message);
    }
    let number = pull.number;
    let written = |sha: &str| {
        Written::new(format!("Merged {repo}#{number} into {} by {}", base(pull), method.as_str()))
            .change(format!("commit {sha}"))
            .id(number.to_string())
            .url(&pull.url)
    };
    let error = match call.api().pull_merge(repo, number, &body).await {
        Ok(done) if done.merged => return Ok(written(&done.sha)),
        Ok(_) => Error::new(Kind::Upstream, "GitHub reported success, but did not merge it"),
        Err(error) => error,
    };
    // What certainly was not executed is not asked about.
    if matches!(
        error.kind(),
        Kind::Auth | Kind::Permission | Kind::Policy | Kind::RateLimited | Kind::NotFound
    ) {
        return Err(error);
    }
    let Ok(answer) = call.api().pull_pulse(repo, number).await else { return Err(error) };
    let is = answer.data;
    if is.is_merged() && is.head_ref_oid == pull.head_ref_oid {
        let sha = is.merge_commit.as_ref().map(|commit| commit.oid.clone()).unwrap_or_default();
        return Ok(
            written(&sha).change(format!("GitHub's answer was lost or refused, but it is {}", merged(&is)))
        );
    }
    if is.head_ref_oid != pull.head_ref_oid {
        return Err(Error::new(
            Kind::Conflict,
            format!("The head of #{number} moved to {} meanwhile: {}", is.head_ref_oid, error.message()),
        )
        .with_hint("Nothing was merged. Look at what came since with get_pr, then repeat the call"));
    }
    match error.kind() {
        Kind::UnknownOutcome | Kind::Upstream | Kind::Unavailable => {
            let said = error.message().to_owned();
            Err(Error::new(Kind::Upstream, format!("#{number} is not merged: {said}"))
                .with_hint("It was looked at again just now, so merging it can be tried again"))
        }
        Kind::Conflict => {
            let next = next_step(&is, error.message());
            Err(Error::new(Kind::Conflict, format!("#{number} is not merged: {}", error.message()))
                .with_hint(format!("Nothing was merged. {next}")))
        }
        _ => Err(error),
    }
}

/// What can be done about a merge that GitHub refused with the words `said`, as the pull request `is` now.
fn next_step(is: &Pull, said: &str) -> String {
    if let Some(why) = out_of_question(is) {
        return format!("As of now {why}");
    }
    if is.merge_state_status == "BEHIND" {
        return "update_pr with set update_branch brings its branch up to date".to_owned();
    }
    // "Squash merges are not allowed on this repository."
    if said.contains("are not allowed on this repository") {
        return "Choose another `method`".to_owned();
    }
    "get_pr shows what stands in its way; with mode auto GitHub merges it as soon as all requirements are met"
        .to_owned()
}

/// Has GitHub merge it once nothing stands in its way.
pub(super) async fn auto(
    call: &Call<GitHub>,
    repo: &Repo,
    pull: &Pull,
    method: Method,
    text: &Text,
) -> Result<Reply> {
    let (title, body) = (text.title.as_deref(), text.body.as_deref());
    let done = call.api().pull_auto_merge_on(repo, pull, method.as_str(), title, body).await;
    let number = pull.number;
    read_back(call, repo, number, done, |is| {
        let auto = is.auto_merge_request.as_ref()?;
        let by = words::words(&auto.merge_method);
        Some(format!("Auto-merge of {repo}#{number} is on, by {by}, for the head {}", is.head_ref_oid))
    })
    .await
}

/// Puts it into the merge queue.
pub(super) async fn queue(call: &Call<GitHub>, repo: &Repo, pull: &Pull) -> Result<Reply> {
    let done = call.api().pull_enqueue(repo, pull).await;
    let number = pull.number;
    read_back(call, repo, number, done, |is| {
        let entry = is.merge_queue_entry.as_ref()?;
        Some(format!("{repo}#{number} is in the merge queue, at {}", entry.position))
    })
    .await
}

/// What became of a pull request that GitHub was to merge later: `summary` says it, if it waits now.
async fn read_back(
    call: &Call<GitHub>,
    repo: &Repo,
    number: u64,
    done: Result<()>,
    summary: impl Fn(&Pull) -> Option<String>,
) -> Result<Reply> {
    let lost = match done {
        Ok(()) => None,
        Err(error) if error.kind() == Kind::UnknownOutcome => Some(error),
        Err(error) if error.hint().is_none() => {
            return Err(error.with_hint("get_pr shows how it stands; where nothing blocks it, use mode now"));
        }
        Err(error) => return Err(error),
    };
    let is = match call.api().pull_pulse(repo, number).await {
        Ok(answer) => answer.data,
        Err(error) => return Err(lost.unwrap_or(error)),
    };
    let summary = match summary(&is) {
        Some(summary) => summary,
        None if is.is_merged() => format!("{repo}#{number} is {}: nothing was left to wait for", merged(&is)),
        None => {
            let refused = || {
                let what = format!("GitHub reported success, but #{number} does not wait to be merged");
                Error::new(Kind::Upstream, what).with_hint("Read it again with get_pr")
            };
            return Err(lost.unwrap_or_else(refused));
        }
    };
    Ok(Reply::written(Written::new(summary).id(number.to_string()).url(is.url)))
}
