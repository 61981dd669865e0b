//! Security advisories: a repository's own, and those of everybody.

use serde_json::{Value, json};

use crate::sandbox::{
    errors::Outcome,
    request::{FakeResponse, RequestContext},
    state::State,
};

use super::cursors;

/// The advisories of a repository (0 for everybody's), the newest first.
fn of<'s>(state: &'s State, cx: &RequestContext<'_>, repo: u64) -> Vec<&'s Value> {
    let mut found: Vec<_> = state
        .social
        .advisories
        .iter()
        .filter(|row| row["repo"].as_u64().unwrap_or_default() == repo)
        .collect();
    found.sort_by_key(|row| row["published_at"].as_str().or(row["created_at"].as_str()));
    if cx.query("direction") != Some("asc") {
        found.reverse();
    }
    found
}

/// `GET …/security-advisories`: `state`.
pub(super) fn of_repo(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let mut rows = of(&state, cx, cx.target);
    rows.retain(|row| cx.query("state").is_none_or(|wanted| row["state"] == wanted));
    cursors::page(cx, &rows, |row| show_own(cx, &state, row))
}

/// `GET /advisories`: `ghsa_id`, `cve_id`, `ecosystem`, `severity`, `affects`.
pub(super) fn global(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let mut rows = of(&state, cx, 0);
    rows.retain(|row| {
        let is = |key: &str| cx.query(key).is_none_or(|wanted| row[key] == wanted);
        let packages = || row["vulnerabilities"].as_array().into_iter().flatten().map(|row| &row["package"]);
        is("ghsa_id")
            && is("cve_id")
            && is("severity")
            && cx
                .query("ecosystem")
                .is_none_or(|wanted| packages().any(|package| package["ecosystem"] == wanted))
            && cx.query("affects").is_none_or(|wanted| {
                let named = |name: &str| packages().any(|package| package["name"] == name);
                wanted.split(',').any(|one| named(one.split('@').next().unwrap_or_default()))
            })
    });
    cursors::page(cx, &rows, |row| show_global(cx, row))
}

fn show_own(cx: &RequestContext<'_>, state: &State, row: &Value) -> Value {
    let Some(repo) = state.repos.get(cx.target) else { return Value::Null };
    let id = row["ghsa_id"].as_str().unwrap_or_default();
    let mut shown = row.clone();
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("repo");
    }
    for person in ["author", "publisher"] {
        shown[person] =
            row[person].as_str().map_or(Value::Null, |login| state.accounts.simple(cx.site, login));
    }
    shown["url"] = repo.url(cx.site, &format!("/security-advisories/{id}")).into();
    shown["html_url"] = repo.html_url(&format!("/security/advisories/{id}")).into();
    shown["identifiers"] = json!([{"type": "GHSA", "value": id}]);
    shown
}

fn show_global(cx: &RequestContext<'_>, row: &Value) -> Value {
    let id = row["ghsa_id"].as_str().unwrap_or_default();
    let mut shown = row.clone();
    shown["url"] = cx.site.url(&format!("advisories/{id}")).into();
    shown["html_url"] = format!("https://github.com/advisories/{id}").into();
    shown["repository_advisory_url"] = Value::Null;
    shown["identifiers"] = json!([{"type": "GHSA", "value": id}, {"type": "CVE", "value": row["cve_id"]}]);
    shown
}
