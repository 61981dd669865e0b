//! `update_pr`: fields are set, and what becomes of a pull request is a transition by name.

use std::time::Duration;

use connector::{
    Effect, Error, Kind, Result,
    catalog::{
        Call, Changes, FieldValue, Plan, Reply, Tool, Written,
        edits::{self, Edit},
        one_line,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    revert::{self, Words},
    reviewers::Reviewers,
    words,
};
use crate::tools::issues::same_moment;
use crate::{
    GitHub,
    api::pulls::{Parts, Pull},
    repo::Repo,
    resolve::{mentions::notified, reference, text},
    scopes,
};

/// How old a reading may be that a write is based on; an older one is made anew before writing.
const STALE: Duration = Duration::from_secs(2);

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::destructive("update_pr", "Update PR", "Labels, assignees: update_issue.", update_pr)
            .toolset("pulls")
            .scopes(scopes::REPO)
            .idempotent()
            .aliases(&[
                ("repository", "repo"),
                ("pull_number", "number"),
                ("pullNumber", "number"),
                ("description", "body"),
                ("edits", "body_edits"),
                ("expected_updated", "expected_updated_at"),
                ("reviewers", "add_reviewers"),
            ])
            .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdatePr {
    repo: Option<String>,
    number: u64,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    body_edits: Vec<Edit>,
    base: Option<String>,
    set: Option<Set>,
    #[serde(default)]
    add_reviewers: Vec<String>,
    #[serde(default)]
    remove_reviewers: Vec<String>,
    #[serde(default)]
    clear: Vec<Emptied>,
    expected_updated_at: Option<String>,
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Emptied {
    Body,
}

// What becomes of it; no doc comments, because they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Set {
    Close,
    Reopen,
    Draft,
    Ready,
    UpdateBranch,
    AutoMergeOff,
    Revert,
}

/// What is to become of a pull request.
#[derive(Debug, Default)]
struct Update {
    changes: Changes,
    /// Fields that are simply set.
    fields: Map<String, Value>,
    draft: Option<bool>,
    add: Reviewers,
    remove: Reviewers,
    update_branch: bool,
    auto_merge_off: bool,
    /// Whether the whole body goes.
    asks: bool,
    /// Whom it tells, in words.
    told: Option<String>,
}

async fn update_pr(call: Call<GitHub>, mut arguments: UpdatePr) -> Result<Plan> {
    if arguments.clear.contains(&Emptied::Body) {
        arguments.body = Some(String::new());
    }
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    call.bounds().permits(&repo, Effect::Write)?;
    let number = arguments.number;
    let before = call.api().pull(&repo, number, &Parts::default()).await?.data;
    let read = Instant::now();
    if let Some(expected) = arguments.expected_updated_at.as_deref().map(str::trim)
        && !same_moment(expected, &before.updated_at)?
    {
        return Err(moved(number, &before.updated_at));
    }
    if arguments.set == Some(Set::Revert) {
        return revert(call, repo, before, arguments).await;
    }
    let update = Update::work_out(&call, &repo, &before, &arguments).await?;
    update.add.check(&call, &repo, &before.author.name()).await?;
    let guarded = arguments.expected_updated_at.is_some() || update.fields.contains_key("body");
    if update.is_nothing() {
        let how = match arguments.set {
            Some(Set::UpdateBranch) => "has all commits of its base",
            _ => "is already like that",
        };
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to change: {repo}#{number} {how}"
        )))));
    }
    let mut preview = Written::new(format!("Change {repo}#{number}"));
    preview.changed = update.preview(&before);
    let asks = update.asks;
    let seen = (before.title.clone(), before.body.clone(), before.head_ref_oid.clone());
    let plan = Plan::new(Reply::written(preview), move || async move {
        if guarded && read.elapsed() > STALE {
            let now = call.api().pull_pulse(&repo, number).await?.data;
            if now.updated_at != before.updated_at {
                return Err(moved(number, &now.updated_at));
            }
        }
        update.carry_out(&call, &repo, &before).await
    });
    let plan = plan.state(&seen);
    Ok(if asks { plan } else { plan.harmless() })
}

/// The plan for a pull request that takes this one back; `title` and `body` are its own.
async fn revert(call: Call<GitHub>, repo: Repo, before: Pull, arguments: UpdatePr) -> Result<Plan> {
    let UpdatePr { title, body, body_edits, base, add_reviewers, remove_reviewers, .. } = arguments;
    let others = !body_edits.is_empty() || base.is_some();
    if others || !(add_reviewers.is_empty() && remove_reviewers.is_empty()) {
        return Err(Error::invalid(
            "With set revert give `title` and `body` only: those of the new pull request",
        ));
    }
    revert::plan(call, repo, before, Words { title, body }).await
}

/// It is not what the caller has read.
fn moved(number: u64, updated: &str) -> Error {
    Error::new(Kind::Conflict, format!("#{number} changed meanwhile: it was last updated {updated}"))
        .with_hint("Nothing was written. Read it again with get_pr and decide anew")
}

impl Update {
    async fn work_out(call: &Call<GitHub>, repo: &Repo, before: &Pull, arguments: &UpdatePr) -> Result<Self> {
        let mut update = Self::default();
        if let Some(title) = arguments.title.as_deref().map(str::trim) {
            if title.is_empty() {
                return Err(Error::invalid("`title` is empty"));
            }
            text::title_fits(title)?;
            update.field(
                "title",
                FieldValue::short(Some(&before.title)),
                FieldValue::short(Some(title)),
                json!(title),
            );
        }
        update.body(before, arguments)?;
        if let Some(base) = arguments.base.as_deref().map(reference::branch).filter(|base| !base.is_empty())
            && update.field(
                "base",
                FieldValue::short(Some(&before.base_ref_name)),
                FieldValue::short(Some(base)),
                json!(base),
            )
        {
            can_go_into(call, repo, before, base).await?;
        }
        if let Some(set) = arguments.set {
            update.set(before, set)?;
        }
        if update.update_branch {
            // "There are no new commits on the base branch."
            let compared = call.api().compare(repo, &before.base_ref_name, &before.head_ref_oid).await;
            update.update_branch = !compared.is_ok_and(|compared| compared.behind_by == 0);
        }
        let requested = before.requested();
        update.add = Reviewers::named(call, repo, &arguments.add_reviewers).await?;
        update.remove = Reviewers::named(call, repo, &arguments.remove_reviewers).await?;
        let removed = update.remove.names(repo);
        if let Some(both) = update.add.names(repo).iter().find(|name| removed.contains(name)) {
            return Err(Error::invalid(format!(
                "@{both} is both to be added and to be removed as a reviewer"
            )));
        }
        update.add.keep(repo, &requested, false);
        update.remove.keep(repo, &requested, true);
        let (add, removed) = (update.add.names(repo), update.remove.names(repo));
        let kept =
            requested.iter().filter(|name| !removed.iter().any(|gone| gone.eq_ignore_ascii_case(name)));
        let wanted: Vec<&String> = kept.chain(&add).collect();
        if !arguments.add_reviewers.is_empty() || !arguments.remove_reviewers.is_empty() {
            update.changes.set("reviewers", reviewers(&requested), reviewers(wanted));
        }
        let body = update.fields.get("body").and_then(Value::as_str).unwrap_or_default();
        update.told = notified(call, repo, &add, body, &before.body).await;
        Ok(update)
    }

    fn field(&mut self, name: &'static str, old: FieldValue, wanted: FieldValue, value: Value) -> bool {
        let differs = self.changes.set(name, old, wanted);
        if differs {
            self.fields.insert(name.to_owned(), value);
        }
        differs
    }

    fn body(&mut self, before: &Pull, arguments: &UpdatePr) -> Result<()> {
        let new = match (&arguments.body, arguments.body_edits.as_slice()) {
            (None, []) => return Ok(()),
            (Some(_), [_, ..]) => {
                return Err(Error::invalid("Give `body` or `body_edits`, not both"));
            }
            (Some(body), []) => body.clone(),
            (None, edits) => edits::apply(&before.body, edits)?,
        };
        text::fits("body", &new)?;
        let differs = self.field(
            "body",
            FieldValue::Exact(before.body.clone()),
            FieldValue::Exact(new.clone()),
            json!(new),
        );
        if differs {
            self.asks |= arguments.body.is_some() && !before.body.trim().is_empty();
        }
        Ok(())
    }

    fn set(&mut self, before: &Pull, set: Set) -> Result<()> {
        let conflict = |what: String| Err(Error::new(Kind::Conflict, what));
        let number = before.number;
        if before.is_merged() {
            return conflict(format!("#{number} is merged already; set revert takes it back"));
        }
        let draft = |draft: bool| FieldValue::short(Some(if draft { "draft" } else { "ready for review" }));
        let state = |open: bool| FieldValue::short(Some(if open { "open" } else { "closed" }));
        match set {
            Set::Close => {
                self.field("state", state(before.is_open()), state(false), json!("closed"));
            }
            Set::Reopen => {
                self.field("state", state(before.is_open()), state(true), json!("open"));
            }
            Set::Draft | Set::Ready => {
                let wanted = set == Set::Draft;
                if self.changes.set("stage", draft(before.is_draft), draft(wanted)) {
                    self.draft = Some(wanted);
                }
            }
            Set::UpdateBranch if !before.is_open() => {
                return conflict(format!("#{number} is closed, so its branch is not updated"));
            }
            Set::UpdateBranch => self.update_branch = true,
            // It has a plan of its own.
            Set::Revert => {}
            Set::AutoMergeOff => {
                if let Some(auto) = &before.auto_merge_request {
                    let method = words::words(&auto.merge_method);
                    self.changes.set(
                        "auto-merge",
                        FieldValue::short(Some(method)),
                        FieldValue::short(None::<String>),
                    );
                    self.auto_merge_off = true;
                }
            }
        }
        Ok(())
    }

    fn is_nothing(&self) -> bool {
        self.changes.is_empty() && !self.update_branch
    }

    fn preview(&self, before: &Pull) -> Vec<String> {
        let mut lines = self.changes.wanted();
        if self.update_branch {
            lines.push(format!(
                "merge {} into {}, whose head is {}",
                one_line(&before.base_ref_name),
                one_line(&before.head_ref_name),
                before.head_ref_oid
            ));
        }
        lines.extend(self.told.clone());
        lines
    }

    async fn carry_out(self, call: &Call<GitHub>, repo: &Repo, before: &Pull) -> Result<Reply> {
        let (api, number) = (call.api(), before.number);
        let mut steps: Vec<(&str, Result<()>)> = Vec::new();
        if !self.fields.is_empty() {
            steps.push(("fields", api.pull_set(repo, number, &self.fields).await));
        }
        if let Some(draft) = self.draft {
            // REST takes `draft` here without an error and without doing anything.
            steps.push(("stage", api.pull_draft(repo, before, draft).await));
        }
        for (what, reviewers, add) in
            [("reviewers to add", &self.add, true), ("reviewers to remove", &self.remove, false)]
        {
            if !reviewers.is_empty() {
                let done = api.pull_reviewers(repo, number, &reviewers.people, &reviewers.teams, add).await;
                steps.push((what, done));
            }
        }
        if self.auto_merge_off {
            steps.push(("auto-merge", api.pull_auto_merge_off(repo, before).await));
        }
        let mut lines = Vec::new();
        if self.update_branch {
            let done = api.pull_update_branch(repo, number, &before.head_ref_oid).await;
            if done.is_ok() {
                lines.push(format!(
                    "GitHub accepted to merge {} into {} (head was {}); get_pr shows the new head shortly",
                    one_line(&before.base_ref_name),
                    one_line(&before.head_ref_name),
                    before.head_ref_oid
                ));
            }
            steps.push(("branch", done));
        }
        let none_done = steps.iter().all(|(_, done)| done.is_err());
        let mut failed: Vec<(&str, Error)> =
            steps.into_iter().filter_map(|(what, done)| Some((what, done.err()?))).collect();
        // What was surely not done needs no reading back.
        if none_done
            && failed.iter().all(|(_, error)| error.kind() != Kind::UnknownOutcome)
            && !failed.is_empty()
        {
            return Err(failed.swap_remove(0).1);
        }
        let mut written = match api.pull(repo, number, &Parts::default()).await {
            Ok(now) => {
                let now = now.data;
                let outcome = self.changes.outcome(|field| field_value(&now, field));
                // An unknown outcome is known now: the fields say it.
                if outcome.refused.is_empty() {
                    failed.retain(|(what, error)| *what == "branch" || error.kind() != Kind::UnknownOutcome);
                }
                let thing = format!("{repo}#{number}");
                let mut written = Written::new(match (failed.is_empty(), self.changes.is_empty()) {
                    (true, true) => format!("Changed {thing}"),
                    (true, false) => outcome.summary("GitHub", &thing),
                    (false, _) => format!("Changed {thing} in part"),
                });
                if none_done && !failed.is_empty() && outcome.changed.is_empty() {
                    return Err(failed.swap_remove(0).1);
                }
                // Of what failed the reason is told below.
                written.changed = if failed.is_empty() { outcome.lines() } else { outcome.changed };
                written.change(format!("updated {}", now.updated_at)).url(now.url)
            }
            Err(error) => {
                if none_done && !failed.is_empty() {
                    return Err(failed.swap_remove(0).1);
                }
                Written::new(format!("Changed {repo}#{number}"))
                    .change(format!("it could not be read back: {}", error.for_agent()))
            }
        };
        written.changed.extend(lines);
        written.changed.extend(self.told.filter(|_| failed.is_empty()));
        for (what, error) in failed {
            written = written.change(format!("NOT done ({what}): {}", error.for_agent()));
        }
        Ok(Reply::written(written.id(number.to_string())))
    }
}

/// Refuses a base that GitHub would not take: none that is there, of a closed pull request, or one that has all
/// commits of the head.
async fn can_go_into(call: &Call<GitHub>, repo: &Repo, before: &Pull, base: &str) -> Result<()> {
    let (number, shown) = (before.number, one_line(base));
    if !before.is_open() {
        return Err(Error::invalid(format!(
            "#{number} is closed: GitHub changes the base of open ones only"
        ))
        .with_hint("Nothing was sent. Reopen it first, with set reopen"));
    }
    if call.api().branch(repo, base).await?.is_none() {
        return Err(Error::not_found(format!("{repo} has no branch {shown}"))
            .with_hint("list_refs gives the branches"));
    }
    let compared = call.api().compare(repo, base, &before.head_ref_oid).await;
    if compared.is_ok_and(|compared| compared.ahead_by == 0) {
        return Err(Error::invalid(format!(
            "{shown} has all commits of {}: nothing would be left of #{number}",
            one_line(&before.head_ref_name)
        )));
    }
    Ok(())
}

/// A field as it is now.
fn field_value(pull: &Pull, field: &str) -> FieldValue {
    match field {
        "title" => FieldValue::short(Some(&pull.title)),
        "body" => FieldValue::Exact(pull.body.clone()),
        "base" => FieldValue::short(Some(&pull.base_ref_name)),
        "state" => FieldValue::short(Some(if pull.is_open() { "open" } else { "closed" })),
        "stage" => FieldValue::short(Some(if pull.is_draft { "draft" } else { "ready for review" })),
        "auto-merge" => {
            FieldValue::short(pull.auto_merge_request.as_ref().map(|auto| words::words(&auto.merge_method)))
        }
        _ => reviewers(&pull.requested()),
    }
}

/// Reviewers, whatever their order and case.
fn reviewers<'a>(names: impl IntoIterator<Item = &'a String>) -> FieldValue {
    FieldValue::names(names.into_iter().map(|name| format!("@{}", name.to_lowercase())))
}
