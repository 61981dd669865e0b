//! Linear, faked: its GraphQL API over a workspace kept in memory.
//!
//! The official SDK works against it unmodified. It checks credentials and scopes, counts complexity
//! and keeps Linear's budgets, pages, filters, validates and refuses in Linear's words, and follows
//! Linear's rules where one change entails others (a state's dates, a team's numbers, labels of one
//! group). Its knowledge of Linear is its own: it shares no parsing or rendering with the server
//! which it tests.

mod auth;
mod cost;
mod errors;
mod execute;
mod fields;
mod filter;
mod limits;
mod lists;
mod mutations;
mod page;
mod query;
mod search;
mod store;
mod time;

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::{
    Json, Router,
    extract::State as Shared,
    response::{IntoResponse as _, Response},
    routing::post,
};
use bytes::Bytes;
use connector::sandbox::{Fake, Harness};
use http::{HeaderMap, HeaderValue, header, request::Parts};
use serde::Deserialize;
use serde_json::Value;

use self::{
    errors::{ApiError, Outcome},
    execute::{Context, Documents, prepare},
    limits::{Limits, SEARCHES},
    store::State,
    time::Now,
};

/// The fake with the suite's story as its workspace.
#[must_use]
pub fn fake() -> Arc<dyn Fake> {
    Arc::new(Linear::new(fixtures::linear()))
}

/// The fake over another workspace: a JSON object of rows by table, as the fixtures have it.
#[must_use]
pub fn with_seed(seed: impl Into<Cow<'static, str>>) -> Arc<dyn Fake> {
    Arc::new(Linear::new(seed))
}

/// One workspace of Linear.
struct Linear(Arc<Workspace>);

struct Workspace {
    seed: Cow<'static, str>,
    state: Mutex<State>,
    documents: Documents,
    limits: OnceLock<Arc<Limits>>,
}

/// What a route has in hand.
#[derive(Clone)]
struct Site {
    workspace: Arc<Workspace>,
    limits: Arc<Limits>,
    harness: Harness,
}

impl Linear {
    fn new(seed: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Workspace {
            seed: seed.into(),
            state: Mutex::default(),
            documents: Documents::default(),
            limits: OnceLock::new(),
        }))
    }
}

impl Workspace {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fake for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn router(&self, harness: &Harness) -> Router {
        self.reset(harness);
        let site = Site {
            workspace: Arc::clone(&self.0),
            limits: Arc::clone(self.0.limits.get_or_init(|| Arc::new(Limits::new(harness)))),
            harness: harness.clone(),
        };
        Router::new().route("/graphql", post(graphql)).route("/_linear/budget", post(budget)).with_state(site)
    }

    fn operation(&self, parts: &Parts, body: &[u8]) -> String {
        if parts.uri.path() == "/graphql"
            && let Ok(request) = serde_json::from_slice::<GraphQlRequest>(body)
        {
            return request.name();
        }
        format!("{} {}", parts.method, parts.uri.path())
    }

    fn reset(&self, harness: &Harness) {
        match State::from_seed(&self.0.seed, &Now::new(harness.clock().now())) {
            Ok(state) => *self.0.state() = state,
            Err(error) => tracing::error!(%error, "the sandbox cannot read its seed"),
        }
        if let Some(limits) = self.0.limits.get() {
            limits.clear();
        }
    }

    fn dump(&self) -> Value {
        self.0.state().dump()
    }

    fn rate_limited(&self, retry_after: Option<&str>) -> Response {
        let error = ApiError::rate_limited("Rate limit exceeded. Only 2500 requests are allowed per 1 hour.");
        let mut response = error.into_response();
        if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }

    fn unauthorized(&self) -> Response {
        ApiError::unauthenticated().into_response()
    }
}

/// The body of a GraphQL request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphQlRequest {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Value,
}

impl GraphQlRequest {
    /// The operation's name, for the journal and for faults: as given, as written in the document,
    /// or the document's first field.
    fn name(&self) -> String {
        if let Some(name) = self.operation_name.as_ref().filter(|name| !name.is_empty()) {
            return name.clone();
        }
        let mut words = self
            .query
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty());
        match words.next() {
            Some("query" | "mutation") => words.next().unwrap_or("anonymous").to_owned(),
            Some(first) => first.to_owned(),
            None => "anonymous".to_owned(),
        }
    }
}

/// `POST /graphql`.
async fn graphql(Shared(site): Shared<Site>, headers: HeaderMap, body: Bytes) -> Response {
    let now = Now::new(site.harness.clock().now());
    let caller = match auth::authenticate(&headers, &site.workspace.state()) {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let mut told = Told::default();
    let answer = site.answer(&caller, &now, &body, &mut told);
    let mut response = answer.map_or_else(ApiError::into_response, |answer| Json(answer).into_response());
    response.headers_mut().extend(site.limits.headers(&caller, told.points, told.search));
    if let Ok(id) = HeaderValue::from_str(&store::new_id()) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// What the headers of an answer tell beside the budgets.
#[derive(Default)]
struct Told {
    points: Option<u32>,
    search: Option<&'static str>,
}

impl Site {
    /// Passes a request through everything that may refuse it, in Linear's order, and executes it.
    fn answer(
        &self,
        caller: &auth::Caller,
        now: &Now,
        body: &[u8],
        told: &mut Told,
    ) -> Outcome<execute::Answer> {
        self.limits.take_request(caller)?;
        let request: GraphQlRequest = serde_json::from_slice(body).map_err(|_| {
            ApiError::request("POST body missing, invalid Content-Type, or JSON object has no keys.")
        })?;
        let document = self.workspace.documents.get(&request.query)?;
        let prepared = prepare(&document, request.operation_name.as_deref(), &request.variables)?;
        told.points = Some(prepared.cost);
        if prepared.cost > cost::MAX_COST {
            return Err(ApiError::too_complex(prepared.cost, cost::MAX_COST));
        }
        self.limits.take_complexity(caller, prepared.cost)?;
        let fields = prepared.operation.root_fields(&document);
        let names: Vec<&str> = fields.map(|field| field.name.as_str()).collect();
        for search in SEARCHES.into_iter().filter(|search| names.contains(search)) {
            told.search = Some(search);
            self.limits.take_search(caller, search)?;
        }
        if prepared.operation.is_mutation() {
            let missing = names.iter().map(|name| auth::scope_of(name)).find(|scope| !caller.may(scope));
            if let Some(scope) = missing {
                return Err(ApiError::scope(scope));
            }
        }
        let base = self.harness.url();
        let cx = Context::new(&self.workspace.state, now, caller, &self.limits, base)?;
        cx.execute(&prepared)
    }
}

/// How much of the caller's budgets is to be left, for tests of what happens near their end.
#[derive(Deserialize)]
struct Budget {
    requests: Option<u32>,
    complexity: Option<u32>,
}

/// `POST /_linear/budget`, which Linear does not have.
async fn budget(Shared(site): Shared<Site>, headers: HeaderMap, Json(budget): Json<Budget>) -> Response {
    match auth::authenticate(&headers, &site.workspace.state()) {
        Ok(caller) => {
            Json(site.limits.set_remaining(&caller, budget.requests, budget.complexity)).into_response()
        }
        Err(error) => error.into_response(),
    }
}
