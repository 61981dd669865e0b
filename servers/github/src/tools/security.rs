//! Alerts and advisories of a repository. Opt-in, because they tell where it is weak.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FROM;
use crate::{
    GitHub,
    api::{
        Listed,
        security::{Advisory, AlertFilter, CodeAlert, DependencyAlert, SecretAlert, Vulnerability},
    },
    render::day,
    repo::Repo,
};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "list_alerts",
            "List security alerts",
            "A repository's alerts of code scanning, Dependabot or secret scanning (never the secrets), open ones \
             unless state says else; or its advisories.",
            list_alerts,
        )
        .opt_in("security")
        .scopes(&["security_events", "repo", "public_repo"])
        .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListAlerts {
    repo: Option<String>,
    kind: Alerts,
    /// all, open, dismissed, fixed, resolved, draft, published…
    state: Option<String>,
    severity: Option<Severity>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Alerts {
    Code,
    Dependabot,
    Secret,
    Advisory,
}

impl Alerts {
    /// The states that there are (docs.github.com, the page of each).
    fn states(self) -> &'static [&'static str] {
        match self {
            Self::Code => &["open", "dismissed", "fixed"],
            Self::Dependabot => &["open", "dismissed", "fixed", "auto_dismissed"],
            Self::Secret => &["open", "resolved"],
            Self::Advisory => &["triage", "draft", "published", "closed"],
        }
    }

    fn noun(self) -> (&'static str, &'static str) {
        match self {
            Self::Code => ("code scanning alert", "code scanning alerts"),
            Self::Dependabot => ("Dependabot alert", "Dependabot alerts"),
            Self::Secret => ("secret scanning alert", "secret scanning alerts"),
            Self::Advisory => ("advisory", "advisories"),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// An alert or an advisory in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Its number, or an advisory's GHSA id.
    id: String,
    state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    severity: String,
    /// The rule, the package with its versions, the kind of secret.
    subject: String,
    /// Where: a file and line, a manifest.
    #[serde(skip_serializing_if = "String::is_empty")]
    place: String,
    created: String,
    summary: String,
}

impl Row {
    fn text(&self) -> String {
        let sign = if self.id.starts_with(|c: char| c.is_ascii_digit()) { "#" } else { "" };
        let facts = [&self.state, &self.severity, &self.subject, &self.place, &self.created];
        let facts: Vec<_> = facts.into_iter().filter(|fact| !fact.is_empty()).map(String::as_str).collect();
        format!("{sign}{} {}: {}", self.id, facts.join(", "), self.summary)
    }

    fn of_code(alert: &CodeAlert) -> Self {
        let instance = &alert.most_recent_instance;
        let message =
            if instance.message.text.is_empty() { &alert.rule.description } else { &instance.message.text };
        let place = match instance.location.path.as_str() {
            "" => String::new(),
            path => format!("{}:{}", one_line(path), one_line(&instance.location.start_line)),
        };
        Self {
            id: one_line(&alert.number),
            state: state(&alert.state, &alert.dismissed_reason),
            severity: one_line(alert.rule.severity()),
            subject: format!("{} {}", one_line(&alert.tool.name), one_line(&alert.rule.id)).trim().to_owned(),
            place,
            created: day(&alert.created_at).to_owned(),
            summary: one_line(message),
        }
    }

    fn of_dependency(alert: &DependencyAlert) -> Self {
        let (dependency, advisory) = (&alert.dependency, &alert.security_advisory);
        let ids: Vec<_> = [&advisory.ghsa_id, &advisory.cve_id]
            .into_iter()
            .filter(|id| !id.is_empty())
            .map(|id| one_line(id))
            .collect();
        let scope = one_line(&dependency.scope);
        let mut place = one_line(&dependency.manifest_path);
        if !scope.is_empty() {
            place = format!("{place} ({scope})");
        }
        Self {
            id: one_line(&alert.number),
            state: state(&alert.state, &alert.dismissed_reason),
            severity: one_line(&advisory.severity),
            subject: affected(&alert.security_vulnerability),
            place,
            created: day(&alert.created_at).to_owned(),
            summary: format!("{} [{}]", one_line(&advisory.summary), ids.join(", ")),
        }
    }

    fn of_secret(alert: &SecretAlert) -> Self {
        let mut words = Vec::new();
        if !alert.validity.is_empty() {
            words.push(format!("validity {}", one_line(&alert.validity)));
        }
        if alert.publicly_leaked {
            words.push("leaked publicly".to_owned());
        }
        if alert.push_protection_bypassed {
            words.push("push protection was bypassed".to_owned());
        }
        if !alert.resolved_by.login.is_empty() {
            words.push(format!("resolved by @{}", one_line(&alert.resolved_by.login)));
        }
        if !alert.resolution_comment.is_empty() {
            words.push(format!("\"{}\"", one_line(&alert.resolution_comment)));
        }
        Self {
            id: one_line(&alert.number),
            state: state(&alert.state, &alert.resolution),
            severity: String::new(),
            subject: one_line(alert.what()),
            place: String::new(),
            created: day(&alert.created_at).to_owned(),
            summary: words.join(", "),
        }
    }

    fn of_advisory(advisory: &Advisory) -> Self {
        let published = &advisory.published_at;
        let affected: Vec<_> = advisory.vulnerabilities.iter().map(affected).collect();
        let cve = if advisory.cve_id.is_empty() {
            String::new()
        } else {
            format!(" [{}]", one_line(&advisory.cve_id))
        };
        Self {
            id: one_line(&advisory.ghsa_id),
            state: one_line(&advisory.state),
            severity: one_line(&advisory.severity),
            subject: affected.join("; "),
            place: String::new(),
            created: day(if published.is_empty() { &advisory.created_at } else { published }).to_owned(),
            summary: format!("{}{cve}", one_line(&advisory.summary)),
        }
    }
}

/// A state, and why it is so.
fn state(state: &str, reason: &str) -> String {
    if reason.is_empty() { one_line(state) } else { format!("{} ({})", one_line(state), one_line(reason)) }
}

/// The versions of a package that are affected, and the one that is not.
fn affected(vulnerability: &Vulnerability) -> String {
    let package = &vulnerability.package;
    let range = one_line(&vulnerability.vulnerable_version_range);
    let patched = match vulnerability.patched() {
        "" => "no patch".to_owned(),
        version => format!("patched in {}", one_line(version)),
    };
    format!("{} ({}) {range}, {patched}", one_line(&package.name), one_line(&package.ecosystem))
}

async fn list_alerts(call: Call<GitHub>, arguments: ListAlerts) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let kind = arguments.kind;
    let severity = arguments.severity.map(|severity| severity.as_str().to_owned());
    if severity.is_some() && matches!(kind, Alerts::Secret | Alerts::Advisory) {
        return Err(Error::invalid("`severity` goes with kind code and dependabot"));
    }
    let default = if kind == Alerts::Advisory { "all" } else { "open" };
    let wanted = arguments.state.as_deref().unwrap_or(default).trim().to_lowercase();
    if wanted != "all" && !kind.states().contains(&wanted.as_str()) {
        return Err(Error::invalid(format!("`state`: {} are never `{}`", kind.noun().1, one_line(&wanted)))
            .with_hint(format!("Use all, {}", kind.states().join(", "))));
    }
    let filter = AlertFilter { state: (wanted != "all").then(|| wanted.clone()), severity };
    let count = position.first(limit(arguments.limit, 20, 100), 100);
    let after = position.after.clone();
    let (api, after) = (call.api(), after.as_deref());
    let listed = match kind {
        Alerts::Code => rows(api.alerts(&repo, &filter, count, after).await, Row::of_code),
        Alerts::Dependabot => rows(api.alerts(&repo, &filter, count, after).await, Row::of_dependency),
        Alerts::Secret => rows(api.alerts(&repo, &filter, count, after).await, Row::of_secret),
        Alerts::Advisory => rows(api.alerts(&repo, &filter, count, after).await, Row::of_advisory),
    };
    let (all, next) = listed.map_err(|error| off(error, kind, &repo))?;
    let rows: Vec<_> = all.into_iter().skip(position.skip).collect();
    let mut page = Page::new(FROM, kind.noun()).note(format!("{repo}, {wanted}"));
    for row in &rows {
        page.push(row.text(), row);
    }
    let given = VendorPage::whole(position, rows.len(), next);
    Ok(Reply::page(paging::close(&call, page, given)))
}

/// The rows of a page, and the page after it.
fn rows<T>(listed: Result<Listed<T>>, row: impl FnMut(&T) -> Row) -> Result<(Vec<Row>, Option<String>)> {
    listed.map(|listed| (listed.items.iter().map(row).collect(), listed.next))
}

/// Where a feature is off GitHub answers as if there were no repository, or no right.
fn off(error: Error, kind: Alerts, repo: &Repo) -> Error {
    let message = error.message().to_lowercase();
    let off = match kind {
        Alerts::Code => {
            error.kind() == Kind::NotFound
                || message.contains("must be enabled")
                || message.contains("not enabled")
        }
        Alerts::Secret => error.kind() == Kind::NotFound || message.contains("disabled"),
        Alerts::Dependabot => message.contains("disabled"),
        Alerts::Advisory => false,
    };
    if !off {
        return error;
    }
    Error::not_found(format!(
        "{repo} has no {}: the feature is off or never ran, or the token may not see them",
        kind.noun().1
    ))
    .with_hint("Whoever administers the repository turns it on in its settings")
}
