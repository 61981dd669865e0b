//! A pull request that takes back what a merged one did: `update_pr` with set revert.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Written, one_line},
};

use crate::{GitHub, api::pulls::Pull, repo::Repo, resolve::text};

/// What the new pull request says, where that is not to be GitHub's own.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
}

/// The plan to open it.
///
/// # Errors
/// `invalid_argument` for one that was not merged, `conflict` if one that reverts it is open.
pub(super) async fn plan(call: Call<GitHub>, repo: Repo, pull: Pull, words: Words) -> Result<Plan> {
    let number = pull.number;
    if !pull.is_merged() {
        return Err(Error::invalid(format!("#{number} is not merged: there is nothing to revert")));
    }
    text::title_fits(words.title.as_deref().unwrap_or_default())?;
    text::fits("body", words.body.as_deref().unwrap_or_default())?;
    // GitHub names the branch so.
    let branch = format!("revert-{number}-{}", pull.head_ref_name);
    let head = format!("{}:{branch}", repo.owner);
    if let Some(open) = call.api().pulls_from(&repo, &head).await?.first() {
        return Err(Error::new(
            Kind::Conflict,
            format!("#{} is open already and reverts #{number}", open.number),
        )
        .with_hint("Merge that one with merge_pr"));
    }
    let base = one_line(&pull.base_ref_name);
    let title = words.title.clone().unwrap_or_else(|| format!("Revert \"{}\"", pull.title));
    let preview = Written::new(format!("Open a pull request that reverts {repo}#{number}"))
        .change(format!("title \"{}\"", one_line(&title)))
        .change(format!("{} -> {base}", one_line(&branch)))
        .change("nothing is reverted before it is merged");
    let plan = Plan::new(Reply::written(preview), move || async move {
        let (title, body) = (words.title.as_deref(), words.body.as_deref());
        let made = match call.api().pull_revert(&repo, &pull, title, body).await {
            Ok(made) => made,
            Err(error) if error.kind() == Kind::UnknownOutcome => {
                // There was none before.
                let open =
                    call.api().pulls_from(&repo, &head).await.ok().and_then(|open| open.into_iter().next());
                let Some(open) = open else { return Err(error) };
                Pull { number: open.number, title: open.title, url: open.html_url, ..Pull::default() }
            }
            Err(error) => return Err(error),
        };
        let written = Written::new(format!("Opened {repo}#{}: {}", made.number, one_line(&made.title)))
            .change(format!("reverts #{number}, once merge_pr has merged it into {base}"))
            .id(made.number.to_string())
            .url(made.url);
        Ok(Reply::written(written))
    });
    Ok(plan.harmless())
}
