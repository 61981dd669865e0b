//! Branches, what is demanded of them, and tags.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Protection, Repository,
    asked::repository,
    show::{commit_json, encoded, object_id},
};
use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

/// Numbers of the rulesets that say again what protects a branch.
const RULESET: u64 = 8_100;

pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let protected = cx.query("protected");
    let fits = |name: &str| match protected {
        Some("true") => repo.protection.contains_key(name),
        Some("false") => !repo.protection.contains_key(name),
        _ => true,
    };
    let rows: Vec<_> = repo.git.under("refs/heads/").filter(|(name, _)| fits(name)).collect();
    Ok(cx.page(&rows, |(name, sha)| {
        json!({
            "name": name,
            "commit": { "sha": sha, "url": repo.url(cx.site, &format!("/commits/{sha}")) },
            "protected": repo.protection.contains_key(*name),
            "protection": summary(repo.protection.get(*name)),
            "protection_url": repo.url(cx.site, &format!("/branches/{}/protection", encoded(name))),
        })
    }))
}

/// What protects a branch, as the branch shows it.
fn summary(rules: Option<&Protection>) -> Value {
    let checks = rules.map(|rules| rules.checks.as_slice()).unwrap_or_default();
    let level = match rules {
        Some(rules) if !checks.is_empty() && rules.admins => "everyone",
        Some(_) if !checks.is_empty() => "non_admins",
        _ => "off",
    };
    json!({
        "enabled": rules.is_some(),
        "required_status_checks": {
            "enforcement_level": level,
            "contexts": checks,
            "checks": contexts(checks),
        },
    })
}

fn contexts(checks: &[String]) -> Vec<Value> {
    checks.iter().map(|check| json!({ "context": check, "app_id": null })).collect()
}

/// The branch that is asked for, and its head.
fn branch<'a>(cx: &'a RequestContext<'_>, repo: &Repository) -> Outcome<(&'a str, String)> {
    let name = cx.variable("branch");
    let unknown = || ApiError::new(StatusCode::NOT_FOUND, "Branch not found");
    Ok((name, repo.git.branch(name).ok_or_else(unknown)?.to_owned()))
}

pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let (name, sha) = branch(cx, repo)?;
    Ok(FakeResponse::json(branch_json(cx.site, &state, repo, name, &sha)))
}

fn branch_json(site: &Site, state: &State, repo: &Repository, name: &str, sha: &str) -> Value {
    let place = encoded(name);
    json!({
        "name": name,
        "commit": commit_json(site, state, repo, sha),
        "_links": {
            "self": repo.url(site, &format!("/branches/{place}")),
            "html": repo.html_url(&format!("/tree/{place}")),
        },
        "protected": repo.protection.contains_key(name),
        "protection": summary(repo.protection.get(name)),
        "protection_url": repo.url(site, &format!("/branches/{place}/protection")),
    })
}

pub(super) fn protection(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let (name, _) = branch(cx, repo)?;
    let rules = repo.protection.get(name);
    let rules = rules.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "Branch not protected"))?;
    let url = repo.url(cx.site, &format!("/branches/{}/protection", encoded(name)));
    let at = |rest: &str| format!("{url}/{rest}");
    let mut shown = json!({
        "url": url,
        "required_signatures": { "url": at("required_signatures"), "enabled": false },
        "enforce_admins": { "url": at("enforce_admins"), "enabled": rules.admins },
        "required_linear_history": { "enabled": rules.linear_history },
        "allow_force_pushes": { "enabled": rules.force_pushes },
        "allow_deletions": { "enabled": rules.deletions },
        "block_creations": { "enabled": false },
        "required_conversation_resolution": { "enabled": rules.resolved_conversations },
        "lock_branch": { "enabled": false },
        "allow_fork_syncing": { "enabled": false },
    });
    if !rules.checks.is_empty() {
        shown["required_status_checks"] = json!({
            "url": at("required_status_checks"),
            "strict": rules.strict,
            "contexts": rules.checks,
            "contexts_url": at("required_status_checks/contexts"),
            "checks": contexts(&rules.checks),
        });
    }
    if let Some(reviews) = rules.reviews {
        shown["required_pull_request_reviews"] = json!({
            "url": at("required_pull_request_reviews"),
            "dismiss_stale_reviews": rules.dismiss_stale,
            "require_code_owner_reviews": rules.code_owners,
            "required_approving_review_count": reviews,
            "require_last_push_approval": false,
        });
    }
    Ok(FakeResponse::json(shown))
}

pub(super) fn rules(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let mut rows = Vec::new();
    if let Some(rules) = repo.protection.get(cx.variable("branch")) {
        if !rules.deletions {
            rows.push(json!({ "type": "deletion" }));
        }
        if !rules.force_pushes {
            rows.push(json!({ "type": "non_fast_forward" }));
        }
        if rules.linear_history {
            rows.push(json!({ "type": "required_linear_history" }));
        }
        if let Some(reviews) = rules.reviews {
            rows.push(json!({
                "type": "pull_request",
                "parameters": {
                    "dismiss_stale_reviews_on_push": rules.dismiss_stale,
                    "require_code_owner_review": rules.code_owners,
                    "require_last_push_approval": false,
                    "required_approving_review_count": reviews,
                    "required_review_thread_resolution": rules.resolved_conversations,
                },
            }));
        }
        if !rules.checks.is_empty() {
            let checks: Vec<_> = rules.checks.iter().map(|check| json!({ "context": check })).collect();
            rows.push(json!({
                "type": "required_status_checks",
                "parameters": {
                    "required_status_checks": checks,
                    "strict_required_status_checks_policy": rules.strict,
                },
            }));
        }
    }
    Ok(cx.page(&rows, |rule| {
        let mut rule = rule.clone();
        rule["ruleset_source_type"] = json!("Repository");
        rule["ruleset_source"] = json!(repo.full_name());
        rule["ruleset_id"] = json!(RULESET + repo.id);
        rule
    }))
}

pub(super) fn tags(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let mut rows: Vec<_> =
        repo.git.under("refs/tags/").filter_map(|(name, sha)| Some((name, repo.git.peel(sha)?))).collect();
    // The newest version first.
    rows.reverse();
    Ok(cx.page(&rows, |(name, sha)| {
        let place = encoded(name);
        json!({
            "name": name,
            "zipball_url": repo.url(cx.site, &format!("/zipball/refs/tags/{place}")),
            "tarball_url": repo.url(cx.site, &format!("/tarball/refs/tags/{place}")),
            "commit": { "sha": sha, "url": repo.url(cx.site, &format!("/commits/{sha}")) },
            "node_id": object_id("REF", repo.id, &format!("refs/tags/{name}")),
        })
    }))
}
