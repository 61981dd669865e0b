//! What people write and are told beside the code: notifications, gists, discussions, projects; and alerts.

mod advisories;
mod alerts;
mod cursors;
mod discussions;
mod gists;
mod graphql;
mod notifications;
mod projects;

use serde::Serialize;
use serde_json::Value;

use super::{
    route::{ANY, Route, read, route, write},
    state::State,
};

use self::{alerts::Alert, discussions::Discussions, gists::Gist, notifications::Thread, projects::Project};

pub(super) use self::graphql::resolve;

pub(super) const ROUTES: &[Route] = &[
    route("GET /notifications", read("notifications"), notifications::list),
    route("PUT /notifications", read("notifications"), notifications::read_all),
    route("GET /repos/{owner}/{repo}/notifications", read("metadata"), notifications::list),
    route("PUT /repos/{owner}/{repo}/notifications", read("metadata"), notifications::read_all),
    route("GET /notifications/threads/{thread_id}", read("notifications"), notifications::get),
    route("PATCH /notifications/threads/{thread_id}", read("notifications"), notifications::read_one),
    route("DELETE /notifications/threads/{thread_id}", read("notifications"), notifications::done),
    route(
        "GET /notifications/threads/{thread_id}/subscription",
        read("notifications"),
        notifications::subscription,
    ),
    route(
        "PUT /notifications/threads/{thread_id}/subscription",
        read("notifications"),
        notifications::subscribe,
    ),
    route(
        "DELETE /notifications/threads/{thread_id}/subscription",
        read("notifications"),
        notifications::unsubscribe,
    ),
    route("GET /gists", ANY, gists::list),
    route("POST /gists", write("gists"), gists::create),
    route("GET /users/{username}/gists", ANY, gists::of_user),
    route("GET /gists/{gist_id}", ANY, gists::get),
    route("PATCH /gists/{gist_id}", write("gists"), gists::update),
    route("DELETE /gists/{gist_id}", write("gists"), gists::delete),
    route("GET /gists/{gist_id}/comments", ANY, gists::comments),
    route("POST /gists/{gist_id}/comments", write("gists"), gists::comment),
    route("GET /repos/{owner}/{repo}/code-scanning/alerts", read("security_events"), alerts::code),
    route("GET /repos/{owner}/{repo}/dependabot/alerts", read("vulnerability_alerts"), alerts::dependabot),
    route("GET /repos/{owner}/{repo}/secret-scanning/alerts", read("secret_scanning_alerts"), alerts::secret),
    route(
        "GET /repos/{owner}/{repo}/security-advisories",
        read("repository_advisories"),
        advisories::of_repo,
    ),
    route("GET /advisories", ANY, advisories::global),
];

/// Notifications, gists, discussions, projects, alerts.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Social {
    threads: Vec<Thread>,
    gists: Vec<Gist>,
    discussions: Discussions,
    projects: Vec<Project>,
    alerts: Vec<Alert>,
    /// Advisories of repositories, each with its `repo`, and those of everybody, which have none.
    advisories: Vec<Value>,
}

impl Social {
    pub(super) fn from_seed(seed: &Value, _state: &State) -> Result<Self, String> {
        let all = |key: &str| rows(&seed[key]);
        Ok(Self {
            threads: all("notifications").map(Thread::from_seed).collect::<Result<_, _>>()?,
            gists: all("gists").map(Gist::from_seed).collect::<Result<_, _>>()?,
            discussions: Discussions::from_seed(seed)?,
            projects: all("projects").map(Project::from_seed).collect::<Result<_, _>>()?,
            alerts: all("alerts").map(Alert::from_seed).collect::<Result<_, _>>()?,
            advisories: all("advisories").map(|row| dated(row.clone())).collect(),
        })
    }
}

/// The rows of a list of the seed.
fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A number of a row.
fn number(row: &Value, key: &str) -> Result<u64, String> {
    row[key].as_u64().ok_or_else(|| format!("{key} is missing in {row}"))
}

/// A text of a row; empty if there is none.
fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

/// A time of a row, as GitHub writes it.
fn moment(row: &Value, key: &str) -> Option<String> {
    super::time(&row[key])
}

/// The same with its times as GitHub writes them.
fn dated(value: Value) -> Value {
    match value {
        Value::String(text) => {
            text.strip_suffix(".000Z").map_or(Value::String(text.clone()), |time| format!("{time}Z").into())
        }
        Value::Array(list) => list.into_iter().map(dated).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, dated(value))).collect(),
        other => other,
    }
}
