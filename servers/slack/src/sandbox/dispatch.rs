//! The one way of every call: find the method, read the arguments, know the caller, count the tier,
//! check the scopes, do it, and answer as Slack does: HTTP 200 with `ok`, whatever happened.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State as Shared},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use bytes::Bytes;
use connector::sandbox::{Harness, RateWindows};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    Site,
    auth::{self, Caller},
    canvases, chat, conversations, events, files, history, lists, search,
    state::State,
    usergroups, users,
};

/// Requests a minute of each tier, as docs.slack.dev/apis/web-api/rate-limits names them.
pub(super) const T1: u32 = 1;
pub(super) const T2: u32 = 20;
pub(super) const T3: u32 = 50;
pub(super) const T4: u32 = 100;
/// "Several hundred": posting, and what has no tier.
pub(super) const SPECIAL: u32 = 300;
/// What a minute brings of posts to one channel: about one a second.
const POSTS_TO_A_CHANNEL: u32 = 60;
/// Every number of requests a minute there is.
const RATES: [u32; 6] = [T1, T2, T3, POSTS_TO_A_CHANNEL, T4, SPECIAL];

/// One method of the Web API.
pub(super) struct Method {
    /// Its name.
    pub(super) name: &'static str,
    /// Requests a minute.
    pub(super) rate: u32,
    /// Scopes of which one must be there, for a bot and for a user; none needed if empty.
    pub(super) scopes: &'static str,
    /// Arguments that must be there, between spaces.
    pub(super) required: &'static str,
    /// The work.
    pub(super) run: fn(&mut Context<'_>) -> Outcome<Value>,
}

/// A row of a table of methods.
pub(super) const fn method(
    name: &'static str,
    rate: u32,
    scopes: &'static str,
    required: &'static str,
    run: fn(&mut Context<'_>) -> Outcome<Value>,
) -> Method {
    Method { name, rate, scopes, required, run }
}

/// Every method, by area.
const AREAS: &[&[Method]] = &[
    auth::METHODS,
    conversations::METHODS,
    history::METHODS,
    chat::METHODS,
    users::METHODS,
    usergroups::METHODS,
    search::METHODS,
    files::METHODS,
    canvases::METHODS,
    lists::METHODS,
];

/// The names of all methods.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    AREAS.iter().copied().flatten().map(|method| method.name)
}

fn find(name: &str) -> Option<&'static Method> {
    AREAS.iter().copied().flatten().find(|method| method.name == name)
}

/// What a method works with.
pub(super) struct Context<'a> {
    pub(super) site: &'a Arc<Site>,
    pub(super) state: &'a mut State,
    pub(super) caller: &'a Caller,
    pub(super) args: &'a Args,
    /// Now on the fake's clock, since the Unix epoch.
    pub(super) now: Duration,
}

/// A refusal in Slack's words.
#[derive(Debug)]
pub(super) struct Refusal {
    error: &'static str,
    more: Map<String, Value>,
    retry_after: Option<u64>,
}

/// What a method gives.
pub(super) type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    /// A refusal with this code.
    pub(super) fn new(error: &'static str) -> Self {
        Self { error, more: Map::new(), retry_after: None }
    }

    /// Adds a field.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Wrong arguments, with what is wrong.
    pub(super) fn arguments(message: &str) -> Self {
        Self::new("invalid_arguments").with("response_metadata", json!({ "messages": [message] }))
    }

    pub(super) fn into_response(self) -> Response {
        let mut body =
            Map::from_iter([("ok".to_owned(), json!(false)), ("error".to_owned(), json!(self.error))]);
        body.extend(self.more);
        let mut response = Json(body).into_response();
        if let Some(seconds) = self.retry_after {
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The refusal of a used-up tier.
pub(super) fn limited(seconds: u64) -> Refusal {
    Refusal { retry_after: Some(seconds.max(1)), ..Refusal::new("ratelimited") }
}

/// One set of windows for each rate.
pub(super) fn windows(harness: &Harness) -> Vec<(u32, RateWindows)> {
    let minute = Duration::from_secs(60);
    RATES.iter().map(|rate| (*rate, RateWindows::new(harness.clock(), *rate, minute))).collect()
}

/// Slack's routes.
pub(super) fn router(site: &Arc<Site>) -> Router {
    Router::new()
        .route("/api/{method}", any(api))
        .route("/oauth/v2/authorize", get(auth::authorize))
        .route("/oauth/v2_user/authorize", get(auth::authorize))
        .route("/upload/v1/{id}", post(files::upload))
        .route("/files-pri/{id}/{name}", get(files::download))
        .route("/_slack/events", post(events::register))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(Arc::clone(site))
}

/// The name of what is asked: the method, or the route.
pub(super) fn operation(parts: &Parts) -> String {
    let path = parts.uri.path();
    if let Some(method) = path.strip_prefix("/api/") {
        return method.to_owned();
    }
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    format!("{} /{first}", parts.method)
}

async fn api(
    Shared(site): Shared<Arc<Site>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    chat::post_due(&site);
    let args = match Args::read(&headers, &uri, &body) {
        Ok(args) => args,
        Err(refusal) => return refusal.into_response(),
    };
    let Some(method) = find(&name) else {
        return Refusal::new("unknown_method").with("req_method", name).into_response();
    };
    let caller = match site.caller(method, &headers, &args) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let mut response = match site.answer(method, &caller, &args) {
        Ok(Value::Object(mut body)) => {
            body.insert("ok".to_owned(), json!(true));
            if let Some(warning) = &args.warning {
                body.insert("warning".to_owned(), json!(warning));
                let metadata = body.entry("response_metadata").or_insert_with(|| json!({}));
                metadata["warnings"] = json!([warning]);
            }
            Json(body).into_response()
        }
        Ok(_) => Json(json!({ "ok": true })).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    let told = [("x-oauth-scopes", caller.scopes.join(",")), ("x-accepted-oauth-scopes", accepted(method))];
    for (name, value) in told {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn accepted(method: &Method) -> String {
    method.scopes.split(' ').filter(|scope| !scope.is_empty()).collect::<Vec<_>>().join(",")
}

impl Site {
    fn caller(&self, method: &Method, headers: &HeaderMap, args: &Args) -> Outcome<Caller> {
        if auth::is_open(method.name) {
            return Ok(Caller::nobody());
        }
        auth::authenticate(self, headers, args)
    }

    fn answer(self: &Arc<Self>, method: &Method, caller: &Caller, args: &Args) -> Outcome<Value> {
        self.count(method, caller, args)?;
        let accepted: Vec<&str> = method.scopes.split(' ').filter(|scope| !scope.is_empty()).collect();
        if !accepted.is_empty() && !accepted.iter().any(|scope| caller.has(scope)) {
            return Err(missing_scope(accepted[0], caller));
        }
        if caller.org && auth::BY_WORKSPACE.contains(&method.name) {
            self.workspace(args)?;
        }
        if let Some(missing) = method.required.split(' ').find(|name| !name.is_empty() && !args.has(name)) {
            return Err(Refusal::arguments(&format!("[ERROR] missing required field: {missing}")));
        }
        let now = self.now();
        let mut state = self.state();
        let mut context = Context { site: self, state: &mut state, caller, args, now };
        (method.run)(&mut context)
    }

    /// Whether a call by a token of the whole organization says which workspace is meant, and that is one of it.
    fn workspace(&self, args: &Args) -> Outcome<()> {
        if !args.has("team_id") {
            let told = json!({ "messages": ["[ERROR] missing required field: team_id"] });
            return Err(Refusal::new("missing_argument").with("response_metadata", told));
        }
        self.state().get("team", &args.text("team_id"), "team_access_not_granted").map(drop)
    }

    /// Counts a call against its tier, which is one method's in one workspace for one application.
    fn count(&self, method: &Method, caller: &Caller, args: &Args) -> Outcome<()> {
        let take = |rate: u32, key: String| {
            let windows = self.windows.iter().find(|(known, _)| *known == rate);
            let taken = windows.map(|(_, windows)| windows.of(&key).take(1));
            match taken {
                Some(Err(wait)) => Err(limited(wait.as_secs_f64().ceil() as u64)),
                _ => Ok(()),
            }
        };
        let slow =
            caller.unlisted && matches!(method.name, "conversations.history" | "conversations.replies");
        // There is one workspace, and all its tokens are of one application or the other.
        let app = if caller.unlisted { "unlisted" } else { "internal" };
        take(if slow { T1 } else { method.rate }, format!("{}/{app}", method.name))?;
        if method.name == "chat.postMessage" {
            take(POSTS_TO_A_CHANNEL, format!("{app}/{}", args.text("channel")))?;
        }
        Ok(())
    }
}

/// The refusal for a scope that the token does not have.
pub(super) fn missing_scope(needed: &str, caller: &Caller) -> Refusal {
    Refusal::new("missing_scope").with("needed", needed).with("provided", caller.scopes.join(","))
}

/// The arguments of a call, from the address, a form or a JSON body.
#[derive(Debug, Default)]
pub(super) struct Args {
    values: Map<String, Value>,
    warning: Option<&'static str>,
}

impl Args {
    fn read(headers: &HeaderMap, uri: &Uri, body: &[u8]) -> Outcome<Self> {
        let mut args = Self::default();
        let pairs = |text: &[u8]| -> Vec<(String, Value)> {
            form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), json!(value))).collect()
        };
        args.values.extend(pairs(uri.query().unwrap_or_default().as_bytes()));
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if body.is_empty() {
            return Ok(args);
        }
        if kind.starts_with("application/json") {
            if !kind.contains("charset") {
                args.warning = Some("missing_charset");
            }
            match serde_json::from_slice(body) {
                Ok(Value::Object(values)) => args.values.extend(values),
                _ => return Err(Refusal::new("invalid_json")),
            }
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            args.values.extend(pairs(body));
        } else {
            return Err(Refusal::new(if kind.is_empty() {
                "missing_post_type"
            } else {
                "invalid_post_type"
            }));
        }
        Ok(args)
    }

    /// Whether the argument is there and not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
    }

    /// A text; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> String {
        match self.values.get(name) {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        }
    }

    /// A text, or else what is meant without it.
    pub(super) fn text_or(&self, name: &str, otherwise: &str) -> String {
        if self.has(name) { self.text(name) } else { otherwise.to_owned() }
    }

    /// A switch: `true`, `"true"`, `1`.
    pub(super) fn switch(&self, name: &str) -> bool {
        matches!(self.text(name).as_str(), "true" | "1")
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        let text = self.text(name);
        text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|number| number as i64))
    }

    /// A list: JSON, or between commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let value = self.json(name);
        match value {
            Value::Array(items) => items
                .into_iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect(),
            _ => {
                let text = self.text(name);
                text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
            }
        }
    }

    /// A value that may come as JSON text.
    pub(super) fn json(&self, name: &str) -> Value {
        match self.values.get(name) {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            Some(other) => other.clone(),
            None => Value::Null,
        }
    }
}

impl Context<'_> {
    /// A page of `all` by `limit` and `cursor`, and what comes after it. Cursors are opaque.
    pub(super) fn page<T>(&self, all: Vec<T>, default: usize, most: usize) -> Outcome<(Vec<T>, Value)> {
        let limit = match self.args.number("limit") {
            Some(limit) if limit < 0 => return Err(Refusal::new("invalid_limit")),
            Some(0) | None => default,
            Some(limit) => usize::try_from(limit).unwrap_or(default).min(most),
        };
        let start = match self.args.text("cursor") {
            cursor if cursor.is_empty() => 0,
            cursor => open_cursor(&cursor).ok_or_else(|| Refusal::new("invalid_cursor"))?,
        };
        let more = all.len() > start + limit;
        let page = all.into_iter().skip(start).take(limit).collect();
        let next = if more { seal_cursor(start + limit) } else { String::new() };
        Ok((page, json!({ "next_cursor": next })))
    }
}

fn seal_cursor(place: usize) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(format!("next:{place:06}"))
}

fn open_cursor(cursor: &str) -> Option<usize> {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let bytes = BASE64_STANDARD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix("next:")?.parse().ok()
}
