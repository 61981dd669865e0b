//! Alerts of a repository: of code scanning, of Dependabot, of secret scanning.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

use super::{cursors, dated, number, text};

/// An alert.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Alert {
    /// `code`, `dependabot` or `secret`.
    kind: String,
    repo: u64,
    number: u64,
    /// As the API shows it, less its addresses; people by login.
    about: Value,
}

impl Alert {
    pub(super) fn from_seed(row: &Value) -> Result<Self, String> {
        Ok(Self {
            kind: text(row, "kind"),
            repo: number(row, "repo")?,
            number: number(row, "number")?,
            about: dated(row["about"].clone()),
        })
    }

    fn is(&self, pointer: &str, wanted: Option<&str>) -> bool {
        let has = self.about.pointer(pointer).and_then(Value::as_str);
        // Several are parted by commas.
        wanted.is_none_or(|wanted| wanted.split(',').any(|one| Some(one.trim()) == has))
    }
}

/// The alerts of a kind of the repository, the newest first.
fn of<'s>(state: &'s State, cx: &RequestContext<'_>, kind: &str) -> Vec<&'s Alert> {
    let mut alerts: Vec<_> =
        state.social.alerts.iter().filter(|alert| alert.kind == kind && alert.repo == cx.target).collect();
    alerts.sort_by_key(|alert| std::cmp::Reverse(alert.number));
    if cx.query("direction") == Some("asc") {
        alerts.reverse();
    }
    alerts
}

/// `GET …/code-scanning/alerts`: `state`, `severity`, `tool_name`.
pub(super) fn code(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let mut alerts = of(&state, cx, "code");
    if alerts.is_empty() {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "no analysis found"));
    }
    alerts.retain(|alert| {
        alert.is("/state", cx.query("state"))
            && alert.is("/tool/name", cx.query("tool_name"))
            && cx.query("severity").is_none_or(|wanted| {
                alert.is("/rule/security_severity_level", Some(wanted))
                    || alert.is("/rule/severity", Some(wanted))
            })
    });
    Ok(cx.page(&alerts, |alert| show(cx, &state, alert)))
}

/// `GET …/dependabot/alerts`: `state`, `severity`, `ecosystem`, `package`, `scope`; by cursor.
pub(super) fn dependabot(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let mut alerts = of(&state, cx, "dependabot");
    if alerts.is_empty() {
        return Err(ApiError::forbidden("Dependabot alerts are disabled for this repository."));
    }
    alerts.retain(|alert| {
        alert.is("/state", cx.query("state"))
            && alert.is("/security_advisory/severity", cx.query("severity"))
            && alert.is("/dependency/package/ecosystem", cx.query("ecosystem"))
            && alert.is("/dependency/package/name", cx.query("package"))
            && alert.is("/dependency/scope", cx.query("scope"))
    });
    cursors::page(cx, &alerts, |alert| show(cx, &state, alert))
}

/// `GET …/secret-scanning/alerts`: `state`, `secret_type`, `resolution`, `validity`.
pub(super) fn secret(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let mut alerts = of(&state, cx, "secret");
    if alerts.is_empty() {
        let message = "Secret scanning is disabled on this repository.";
        return Err(ApiError::new(StatusCode::NOT_FOUND, message));
    }
    alerts.retain(|alert| {
        alert.is("/state", cx.query("state"))
            && alert.is("/secret_type", cx.query("secret_type"))
            && alert.is("/resolution", cx.query("resolution"))
            && alert.is("/validity", cx.query("validity"))
    });
    Ok(cx.page(&alerts, |alert| show(cx, &state, alert)))
}

fn show(cx: &RequestContext<'_>, state: &State, alert: &Alert) -> Value {
    let site: &Site = cx.site;
    let Some(repo) = state.repos.get(alert.repo) else { return Value::Null };
    let mut shown = alert.about.clone();
    for (key, person) in [("dismissed_by", "/dismissed_by"), ("resolved_by", "/resolved_by")] {
        if let Some(login) = alert.about.pointer(person).and_then(Value::as_str) {
            shown[key] = state.accounts.simple(site, login);
        }
    }
    let (path, html) = match alert.kind.as_str() {
        "code" => ("code-scanning", "code-scanning"),
        "dependabot" => ("dependabot/alerts", "dependabot"),
        _ => ("secret-scanning", "secret-scanning"),
    };
    let path = if path.contains('/') { path.to_owned() } else { format!("{path}/alerts") };
    let url = repo.url(site, &format!("/{path}/{}", alert.number));
    shown["number"] = alert.number.into();
    shown["html_url"] = repo.html_url(&format!("/security/{html}/{}", alert.number)).into();
    match alert.kind.as_str() {
        "code" => {
            shown["instances_url"] = format!("{url}/instances").into();
            if let Some(sha) = repo.head() {
                shown["most_recent_instance"]["commit_sha"] = sha.into();
            }
        }
        "secret" => {
            shown["locations_url"] = format!("{url}/locations").into();
            if cx.query("hide_secret") == Some("true") {
                shown["secret"] = Value::Null;
            }
        }
        _ => {}
    }
    shown["url"] = json!(url);
    shown
}
