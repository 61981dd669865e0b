//! Several issues changed alike: worked out for each of them before the first is written, told one by one.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Changes, Plan, Reply, Written, one_line, words::counted},
    upstream,
};
use futures::future::join_all;

use super::{
    read::moved,
    steps::Steps,
    update::{Arguments, told_of, work_out},
    write::absent,
};
use crate::{GitHub, api::rest_issues::RestIssue, repo::Repo, resolve::mentions::notified, tools::FROM};

/// Issues of one call: with a pause of a second between writes it stays within what clients wait.
const MOST: usize = 30;

/// An issue and what is to become of it.
struct Item {
    before: RestIssue,
    changes: Changes,
    steps: Steps,
}

/// The plan to change all of `arguments.numbers`.
///
/// # Errors
/// `invalid_argument` for fields that are one issue's own, or that do not fit one of them; `not_found` naming those
/// that are not there. Nothing is written then.
pub(super) async fn update(call: Call<GitHub>, repo: Repo, arguments: Arguments) -> Result<Plan> {
    if let Some(field) = arguments.own() {
        return Err(Error::invalid(format!("`{field}` is for one issue at a time"))
            .with_hint("With `numbers` give labels, assignees, milestone, type, state or lock"));
    }
    let mut numbers = arguments.numbers.clone();
    let mut seen = std::collections::BTreeSet::new();
    numbers.retain(|number| seen.insert(*number));
    if numbers.len() > MOST {
        return Err(Error::invalid(format!("`numbers` has {}, and takes at most {MOST}", numbers.len()))
            .with_hint("Split them over several calls"));
    }
    let (mut items, mut same) = (Vec::new(), Vec::new());
    for before in read(&call, &repo, &numbers).await? {
        let mut changes = Changes::default();
        let steps = work_out(&call, &repo, &before, &arguments, &mut changes).await?;
        if changes.is_empty() {
            same.push(before.number);
        } else {
            items.push(Item { before, changes, steps });
        }
    }
    let same = (!same.is_empty()).then(|| format!("already like that: #{}", same.join(", #")));
    if items.is_empty() {
        let nothing = Written::new(format!("Nothing to change in {repo}")).change(same.unwrap_or_default());
        return Ok(Plan::nothing(Reply::written(nothing)));
    }
    let all = counted(items.len() as u64, ("issue", "issues"));
    let mut preview = Written::new(format!("Change {all} of {repo}"));
    for item in &items {
        preview = preview.change(format!("#{}: {}", item.before.number, item.changes.wanted().join("; ")));
    }
    preview.changed.extend(same.clone());
    let mut told: Vec<String> = items.iter().flat_map(|item| item.steps.add_assignees.clone()).collect();
    told.sort();
    told.dedup();
    let told = notified(&call, &repo, &told, "", "").await;
    preview.changed.extend(told.clone());
    let titles = items.iter().map(|item| format!("#{} {}", item.before.number, one_line(&item.before.title)));
    let shown = Reply::written(preview).outside(FROM, None, titles.collect::<Vec<_>>().join("\n"));
    let seen = |item: &Item| (item.before.number.clone(), item.before.updated_at.clone());
    let state: Vec<_> = items.iter().map(seen).collect();
    let many = items.len();
    let plan = Plan::new(shown, move || async move {
        let (mut lines, mut done) = (Vec::new(), 0);
        let mut stopped: Option<Error> = None;
        for (place, item) in items.iter().enumerate() {
            let number = &item.before.number;
            if stopped.is_some() {
                lines.push(format!("#{number}: NOT changed, not tried"));
                continue;
            }
            upstream::call::restart();
            let id = number.parse().unwrap_or_default();
            match item.steps.carry_out(&call, &repo, id, &item.before).await {
                Ok(after) => {
                    let outcome = item.changes.outcome(|field| told_of(&after, field));
                    done += 1;
                    lines.push(format!("#{number}: {}", outcome.lines().join("; ")));
                }
                // Nothing was done yet, and the others would fare alike.
                Err(error) if done == 0 && is_general(&error) => return Err(error),
                Err(error) => {
                    lines.push(format!("#{number}: NOT changed: {}", error.for_agent()));
                    stopped = is_general(&error).then_some(error);
                }
            }
            let so_far = u32::try_from(place + 1).unwrap_or(u32::MAX);
            let of = u32::try_from(items.len()).unwrap_or(u32::MAX);
            call.progress(so_far, Some(of), &format!("#{number}")).await;
        }
        let mut written = match done == items.len() {
            true => Written::new(format!("Changed {all} of {repo}")),
            false => Written::new(format!("Changed {done} of {all} of {repo}")),
        };
        written.changed = lines;
        written.changed.extend(same);
        written.changed.extend(told.filter(|_| done == items.len()));
        Ok(Reply::written(written))
    });
    Ok(plan.state(&state).harmless().ask_of_many(many))
}

/// All of them as they are now.
async fn read(call: &Call<GitHub>, repo: &Repo, numbers: &[u64]) -> Result<Vec<RestIssue>> {
    let asked = numbers.iter().map(|number| call.api().rest_issue(repo, *number));
    let mut found = Vec::new();
    let mut wrong: Vec<String> = Vec::new();
    for (number, answer) in numbers.iter().zip(join_all(asked).await) {
        match answer {
            Ok(issue) => match moved(call, repo, *number, &issue) {
                Some(error) => wrong.push(error.message().to_owned()),
                None => found.push(issue),
            },
            Err(error) if error.kind() == Kind::NotFound => {
                wrong.push(absent(error, repo, *number).message().to_owned());
            }
            Err(error) => return Err(error),
        }
    }
    if wrong.is_empty() {
        return Ok(found);
    }
    Err(Error::not_found(wrong.join("; ")).with_hint("Nothing was changed. Leave them out, or correct them"))
}

/// Whether an error is not about one issue.
fn is_general(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Auth
            | Kind::Permission
            | Kind::Policy
            | Kind::RateLimited
            | Kind::Unavailable
            | Kind::Cancelled
    )
}
