//! The routes, and what every request passes: version, credential, budget, size.

use std::sync::{Arc, MutexGuard};

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State as Shared},
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};

use super::{
    Settings, Site,
    auth::{self, Caller, Capability},
    check::Place,
    errors::{ApiError, Outcome},
    files::{self, Form},
    pages::PAYLOAD,
    rich_text::id_in,
    tree::{Kind, Node, State},
};

/// The versions that the fake speaks. What changed with the newer one: `after` became `position`, `archived`
/// `in_trash`, `transcription` `meeting_notes` (upgrade guide 2026-03-11).
const VERSIONS: [&str; 2] = ["2025-09-03", "2026-03-11"];

/// Every route by method and path under `/v1`; the name of what is asked is both.
pub(super) const ROUTES: &[(&str, &str)] = &[
    ("GET", "/users/me"),
    ("GET", "/users"),
    ("GET", "/users/{id}"),
    ("POST", "/search"),
    ("POST", "/pages"),
    ("GET", "/pages/{id}"),
    ("PATCH", "/pages/{id}"),
    ("POST", "/pages/{id}/move"),
    ("GET", "/pages/{id}/properties/{property}"),
    ("GET", "/pages/{id}/markdown"),
    ("PATCH", "/pages/{id}/markdown"),
    ("POST", "/blocks/meeting_notes/query"),
    ("GET", "/blocks/{id}"),
    ("PATCH", "/blocks/{id}"),
    ("DELETE", "/blocks/{id}"),
    ("GET", "/blocks/{id}/children"),
    ("PATCH", "/blocks/{id}/children"),
    ("POST", "/databases"),
    ("GET", "/databases/{id}"),
    ("PATCH", "/databases/{id}"),
    ("POST", "/data_sources"),
    ("GET", "/data_sources/{id}"),
    ("PATCH", "/data_sources/{id}"),
    ("POST", "/data_sources/{id}/query"),
    ("GET", "/data_sources/{id}/templates"),
    ("GET", "/views"),
    ("POST", "/views"),
    ("GET", "/views/{id}"),
    ("PATCH", "/views/{id}"),
    ("DELETE", "/views/{id}"),
    ("POST", "/views/{id}/queries"),
    ("GET", "/views/{id}/queries/{query}"),
    ("DELETE", "/views/{id}/queries/{query}"),
    ("GET", "/comments"),
    ("POST", "/comments"),
    ("GET", "/comments/{id}"),
    ("PATCH", "/comments/{id}"),
    ("DELETE", "/comments/{id}"),
    ("POST", "/file_uploads"),
    ("GET", "/file_uploads"),
    ("GET", "/file_uploads/{id}"),
    ("POST", "/file_uploads/{id}/send"),
    ("POST", "/file_uploads/{id}/complete"),
    ("GET", "/async_tasks/{id}"),
    ("GET", "/custom_emojis"),
];

/// All routes of the fake.
pub(super) fn router(site: &Arc<Site>) -> Router {
    Router::new()
        .route("/v1/{*rest}", any(answer))
        .route(&format!("/{}/{{*key}}", files::PREFIX), get(files::read))
        .route("/_notion/settings", post(settings))
        .with_state(Arc::clone(site))
}

/// What a request asks for: its route.
pub(super) fn operation(parts: &Parts) -> String {
    let path = parts.uri.path();
    match route(parts.method.as_str(), path) {
        Some((at, _)) => format!("{} {}", ROUTES[at].0, ROUTES[at].1),
        None if path.starts_with("/files/") => "GET /files".to_owned(),
        None => format!("{} {path}", parts.method),
    }
}

/// The route that `path` is, and the ids in it.
fn route(method: &str, path: &str) -> Option<(usize, Vec<String>)> {
    let given: Vec<&str> = path.strip_prefix("/v1")?.trim_end_matches('/').split('/').collect();
    ROUTES.iter().enumerate().find_map(|(at, (wanted, pattern))| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        let fits = *wanted == method
            && pattern.len() == given.len()
            && pattern
                .iter()
                .zip(&given)
                .all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()));
        fits.then(|| {
            let ids = pattern.iter().zip(&given).filter(|(part, _)| part.starts_with('{'));
            (at, ids.map(|(_, given)| (*given).to_owned()).collect())
        })
    })
}

/// One request, with what it may touch.
pub(super) struct Context<'a> {
    pub(super) site: &'a Site,
    pub(super) state: &'a mut State,
    pub(super) caller: Caller,
    /// Whether it speaks 2025-09-03.
    pub(super) old: bool,
    /// The minute: Notion's times have no seconds (measured live, see docs of guarded edits).
    pub(super) now: String,
}

impl Context<'_> {
    pub(super) fn need(&self, capability: Capability) -> Outcome<()> {
        if self.caller.may(capability) { Ok(()) } else { Err(ApiError::restricted()) }
    }

    /// Whether the connection was given it, or something above it.
    pub(super) fn sees(&self, id: &str) -> bool {
        self.caller.sees_all || self.state.ancestors(id).any(|node| self.state.shared.contains(&node.id))
    }

    /// What is behind `id`, if it is of these kinds and the connection sees it. A thing of another kind is not
    /// found, as one that is not there.
    pub(super) fn visible(&self, id: &str, kinds: &[Kind], word: &str) -> Outcome<&Node> {
        let id = Place::path().at(&format!("{word}_id")).id(&json!(id))?;
        let node = self.state.nodes.get(&id).filter(|node| kinds.contains(&node.kind) && self.sees(&id));
        node.ok_or_else(|| ApiError::not_found(word, &id, self.caller.name))
    }

    /// A new node, made now by whoever asks.
    pub(super) fn node(&self, id: &str, kind: Kind, parent: Option<&str>) -> Node {
        Node {
            id: id.to_owned(),
            kind,
            parent: parent.map(str::to_owned),
            children: Vec::new(),
            created_time: self.now.clone(),
            created_by: self.caller.user.clone(),
            last_edited_time: self.now.clone(),
            last_edited_by: self.caller.user.clone(),
            in_trash: false,
            data: Map::new(),
        }
    }

    fn dispatch(
        &mut self,
        route: (&str, &str),
        ids: &[String],
        query: &Query,
        given: &Value,
        form: Option<&Form>,
    ) -> Outcome<Value> {
        let id = ids.first().map_or("", String::as_str);
        let second = ids.get(1).map_or("", String::as_str);
        match route {
            ("GET", "/users/me") => self.me(),
            ("GET", "/users") => self.list_users(query),
            ("GET", "/users/{id}") => self.get_user(id),
            ("POST", "/search") => self.search(given),
            ("POST", "/pages") => self.create_page(given, query),
            ("GET", "/pages/{id}") => self.get_page(id, query),
            ("PATCH", "/pages/{id}") => self.update_page(id, given, query),
            ("POST", "/pages/{id}/move") => self.move_page(id, given),
            ("GET", "/pages/{id}/properties/{property}") => self.get_property(id, second, query),
            ("GET", "/pages/{id}/markdown") => self.get_markdown(id, query),
            ("PATCH", "/pages/{id}/markdown") => self.update_markdown(id, given),
            ("POST", "/blocks/meeting_notes/query") => self.meeting_notes(),
            ("GET", "/blocks/{id}") => self.get_block(id),
            ("PATCH", "/blocks/{id}") => self.update_block(id, given),
            ("DELETE", "/blocks/{id}") => self.delete_block(id),
            ("GET", "/blocks/{id}/children") => self.list_children(id, query),
            ("PATCH", "/blocks/{id}/children") => self.append_children(id, given),
            ("POST", "/databases") => self.create_database(given),
            ("GET", "/databases/{id}") => self.get_database(id),
            ("PATCH", "/databases/{id}") => self.update_database(id, given),
            ("POST", "/data_sources") => self.create_data_source(given),
            ("GET", "/data_sources/{id}") => self.get_data_source(id),
            ("PATCH", "/data_sources/{id}") => self.update_data_source(id, given),
            ("POST", "/data_sources/{id}/query") => self.query_data_source(id, given, query),
            ("GET", "/data_sources/{id}/templates") => self.list_templates(id, query),
            ("GET", "/views") => self.list_views(query),
            ("POST", "/views") => self.create_view(given),
            ("GET", "/views/{id}") => self.get_view(id),
            ("PATCH", "/views/{id}") => self.update_view(id, given),
            ("DELETE", "/views/{id}") => self.delete_view(id),
            ("POST", "/views/{id}/queries") => self.create_view_query(id, given),
            ("GET", "/views/{id}/queries/{query}") => self.get_view_query(id, second, query),
            ("DELETE", "/views/{id}/queries/{query}") => self.delete_view_query(id, second),
            ("GET", "/comments") => self.list_comments(query),
            ("POST", "/comments") => self.create_comment(given),
            ("GET", "/comments/{id}") => self.get_comment(id),
            ("PATCH", "/comments/{id}") => self.update_comment(id, given),
            ("DELETE", "/comments/{id}") => self.delete_comment(id),
            ("POST", "/file_uploads") => self.create_upload(given),
            ("GET", "/file_uploads") => self.list_uploads(query),
            ("GET", "/file_uploads/{id}") => self.get_upload(id),
            ("POST", "/file_uploads/{id}/send") => match form {
                Some(form) => self.send_upload(id, form),
                None => Err(Place::body().at("file").missing()),
            },
            ("POST", "/file_uploads/{id}/complete") => self.complete_upload(id),
            ("GET", "/async_tasks/{id}") => self.get_task(id),
            ("GET", "/custom_emojis") => self.list_emojis(query),
            _ => Err(ApiError::invalid_url()),
        }
    }
}

async fn answer(Shared(site): Shared<Arc<Site>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let id = site.request_id();
    let outcome = site.handle(&parts, &body);
    let mut response = match outcome {
        Ok(answer) => {
            let status =
                if answer["object"] == "async_task" && parts.method != Method::GET { 202 } else { 200 };
            let status = http::StatusCode::from_u16(status).unwrap_or_default();
            (status, Json(answer)).into_response()
        }
        Err(error) => error.respond(&id),
    };
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-notion-request-id", id);
    }
    response
}

impl Site {
    /// Passes a request through everything that may refuse it, and does it.
    fn handle(&self, parts: &Parts, body: &Bytes) -> Outcome<Value> {
        let Some((at, ids)) = route(parts.method.as_str(), parts.uri.path()) else {
            return Err(ApiError::invalid_url());
        };
        let caller = auth::authenticate(&parts.headers)?;
        let version = version(&parts.headers)?;
        self.take(&caller)?;
        let content_type =
            parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let form = if content_type.starts_with("multipart/form-data") {
            Form::read(content_type, body)
        } else {
            None
        };
        if form.is_none() && body.len() > PAYLOAD {
            return Err(ApiError::validation(format!(
                "body failed validation: the payload should be ≤ `{PAYLOAD}` bytes, instead was `{}`.",
                body.len()
            )));
        }
        let given = if body.is_empty() || form.is_some() {
            json!({})
        } else {
            serde_json::from_slice(body).map_err(|_| ApiError::invalid_json())?
        };
        let query = Query::read(parts.uri.query().unwrap_or_default());
        let mut state = self.state();
        let mut context = Context {
            site: self,
            state: &mut state,
            caller,
            old: version == VERSIONS[0],
            now: self.minute(),
        };
        let answer = context.dispatch(ROUTES[at], &ids, &query, &given, form.as_ref())?;
        let (method, path) = ROUTES[at];
        match self.settings().saved_with_503 {
            Some(route) if route == format!("{method} {path}") => Err(ApiError::saved(&ids, &answer)),
            _ => Ok(answer),
        }
    }
}

fn version(headers: &HeaderMap) -> Outcome<&'static str> {
    let given = headers.get("notion-version").and_then(|version| version.to_str().ok());
    let given = given.ok_or_else(ApiError::missing_version)?;
    VERSIONS.into_iter().find(|version| *version == given).ok_or_else(|| {
        ApiError::validation(format!(
            "Notion-Version header failed validation: Notion-Version header should be `\"{}\"` or `\"{}\"`, instead was `\"{given}\"`.",
            VERSIONS[0], VERSIONS[1]
        ))
    })
}

/// How the fake is set for a test: smaller limits than Notion's, so that their ends can be met.
async fn settings(Shared(site): Shared<Arc<Site>>, Json(given): Json<Value>) -> Json<Value> {
    let mut settings: MutexGuard<'_, Settings> = site.settings_mut();
    let set = |name: &str, value: &mut usize| {
        if let Some(given) = given[name].as_u64().and_then(|given| usize::try_from(given).ok()) {
            *value = given;
        }
    };
    set("query_rows", &mut settings.query_rows);
    set("markdown_records", &mut settings.markdown_records);
    set("search_lag", &mut settings.search_lag);
    set("row_limit", &mut settings.row_limit);
    if let Some(looks) = given["template_looks"].as_u64() {
        settings.template_looks = u32::try_from(looks).unwrap_or(u32::MAX);
    }
    if let Some(limit) = given["requests_a_minute"].as_u64() {
        settings.requests_a_minute = u32::try_from(limit).unwrap_or(u32::MAX);
    }
    if let Some(route) = given["saved_with_503"].as_str() {
        settings.saved_with_503 = Some(route.to_owned()).filter(|route| !route.is_empty());
    }
    if let Some(unnumbered) = given["unnumbered"].as_bool() {
        settings.unnumbered = unnumbered;
    }
    if let Some(reason) = given["limit_reason"].as_str() {
        settings.limit_reason = Some(reason.to_owned());
    }
    Json(json!({"object": "settings"}))
}

/// Parameters of a query, or of a body that pages.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    fn read(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        Self(
            pairs.map(|(name, value)| (name.trim_end_matches("[]").to_owned(), value.into_owned())).collect(),
        )
    }

    /// The paging of a body.
    pub(super) fn of(body: &Value) -> Self {
        let field = |name: &str| {
            let value = &body[name];
            let text =
                value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()));
            text.map(|text| (name.to_owned(), text))
        };
        Self(["start_cursor", "page_size"].into_iter().filter_map(field).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn id(&self, name: &str) -> Outcome<Option<String>> {
        self.get(name).map(|id| Place::query().at(name).id(&json!(id))).transpose()
    }
}

/// A page of `items`. The cursor names the item that comes next, as an id.
pub(super) fn page_of_results<T>(
    query: &Query,
    items: &[T],
    kind: &str,
    show: impl Fn(&T) -> Value,
) -> Outcome<Value> {
    let size = match query.get("page_size") {
        None => 100,
        Some(size) => size
            .parse::<usize>()
            .ok()
            .filter(|size| (1..=100).contains(size))
            .ok_or_else(|| Place::body().at("page_size").should("between `1` and `100`", &json!(size)))?,
    };
    let start = match query.get("start_cursor") {
        None => 0,
        Some(cursor) => place_of(cursor)
            .ok_or_else(|| ApiError::validation(format!("The start_cursor provided is invalid: {cursor}")))?,
    };
    let end = (start + size).min(items.len());
    let results: Vec<Value> = items.get(start..end).unwrap_or_default().iter().map(show).collect();
    let more = end < items.len();
    Ok(json!({
        "object": "list", "results": results, "has_more": more,
        "next_cursor": more.then(|| format!("c0ffee00-0000-4000-8000-{end:012x}")), "type": kind, kind: {},
    }))
}

fn place_of(cursor: &str) -> Option<usize> {
    let cursor = id_in(cursor)?;
    let place = cursor.strip_prefix("c0ffee00-0000-4000-8000-")?;
    usize::from_str_radix(place, 16).ok()
}
