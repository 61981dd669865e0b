//! Checks that a token may not read: what else tells of them, and how that is said. A fine-grained token cannot
//! be given Checks (docs.github.com, "Permissions required for fine-grained personal access tokens").

use connector::catalog::Call;

use crate::{
    GitHub,
    api::{
        actions::{Run, RunFilter},
        pulls::{Check, ChecksUnread, Pull},
    },
    repo::Repo,
};

/// Runs of a head that are looked at.
const RUNS: u32 = 100;

/// Puts the newest run of each workflow, and the commit statuses, in the place of the checks of `pull` that could
/// not be read, and says so; nothing where all could be read.
pub(super) async fn stand_in(call: &Call<GitHub>, repo: &Repo, pull: &mut Pull) -> Option<String> {
    let why = words(pull.checks_unread.as_ref()?);
    let filter = RunFilter { head_sha: Some(pull.head_ref_oid.clone()), ..RunFilter::default() };
    let runs = call.api().runs(repo, &filter, RUNS, None);
    let statuses = async {
        // Those that GraphQL gave need not be asked for.
        if pull.checks().nodes.iter().any(Check::is_status) {
            return Ok(Vec::new());
        }
        call.api().commit_statuses(repo, &pull.head_ref_oid).await
    };
    let (runs, statuses) = futures::join!(runs, statuses);
    let mut instead = Vec::new();
    let mut refused = Vec::new();
    match runs {
        Ok(listed) => instead.extend(newest(listed.items).into_iter().map(Check::of_run)),
        Err(_) => refused.push("workflow runs (Actions: read)"),
    }
    match statuses {
        Ok(statuses) => instead.extend(statuses),
        Err(_) => refused.push("commit statuses (Commit statuses: read)"),
    }
    pull.status_check_rollup.get_or_insert_default().learn(instead);
    Some(match refused.as_slice() {
        [] => format!(
            "{why} The workflow runs and commit statuses of the head stand for them; checks of other apps are not known."
        ),
        [one] => format!("{why} Nor can {one} be read; what else is known of the head stands for them."),
        all => format!("{why} Nor can {} be read.", all.join(" and ")),
    })
}

/// That checks could not be read, as a sentence.
pub(super) fn words(unread: &ChecksUnread) -> String {
    if unread.refused {
        "The token may not read check runs, which no fine-grained token may: a classic token or a GitHub App can."
            .to_owned()
    } else {
        format!("Check runs could not be read: {}", unread.why)
    }
}

/// Of each workflow and event the newest run; `runs` come newest first.
fn newest(runs: Vec<Run>) -> Vec<Run> {
    let mut kept: Vec<Run> = Vec::new();
    for run in runs {
        if !kept.iter().any(|other| (&other.name, &other.event) == (&run.name, &run.event)) {
            kept.push(run);
        }
    }
    kept
}
