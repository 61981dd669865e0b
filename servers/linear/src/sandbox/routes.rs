//! The routes: GraphQL, OAuth, files, and the one that Linear does not have.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State as Shared,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use bytes::Bytes;
use connector::sandbox::graphql::GraphqlRequest;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use serde::Deserialize;

use super::{
    Site,
    auth::{self, Caller},
    cost,
    errors::{ApiError, Outcome},
    execute::{Context, Executed, document, prepare},
    limits::SEARCHES,
    store, uploads, webhooks,
};

/// With this request header, in seconds, addresses of files in Markdown come signed.
const SIGN_FILES: &str = "public-file-urls-expire-in";

/// All routes of the fake.
pub(super) fn router(site: &Arc<Site>) -> Router {
    Router::new()
        .route("/graphql", post(graphql))
        .route(&format!("/{}/{{*key}}", uploads::READ), get(uploads::read))
        .route("/_linear/budget", post(budget))
        .with_state(Arc::clone(site))
        .merge(site.oauth.router())
        .merge(site.blobs.router(&format!("/{}", uploads::WRITE)))
}

/// What a request asks for: the GraphQL operation, or method and path.
pub(super) fn operation(parts: &Parts, body: &[u8]) -> String {
    if parts.uri.path() == "/graphql"
        && let Some(request) = GraphqlRequest::parse(body)
    {
        return request.name().to_owned();
    }
    let path = parts.uri.path();
    // A file's own name says nothing about what is done with it.
    let path = [uploads::READ, uploads::WRITE]
        .into_iter()
        .find(|prefix| path.trim_start_matches('/').starts_with(prefix))
        .map_or_else(|| path.to_owned(), |prefix| format!("/{prefix}"));
    format!("{} {path}", parts.method)
}

/// `POST /graphql`.
async fn graphql(Shared(site): Shared<Arc<Site>>, headers: HeaderMap, body: Bytes) -> Response {
    let caller = match auth::authenticate(&headers, &site.oauth, &site.state()) {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let sign =
        headers.get(SIGN_FILES).and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
    let mut told = FieldValue::default();
    let json = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // Apollo takes no simple form: a page of another site must not be able to send one.
    let body = if json.is_some_and(|kind| kind.starts_with("application/json")) { &body[..] } else { &[] };
    let answer = site.answer(&caller, sign, body, &mut told);
    let mut response = answer.map_or_else(ApiError::into_response, |answer| Json(answer).into_response());
    response.headers_mut().extend(site.limits.headers(&caller, told.points, told.search));
    if let Ok(id) = HeaderValue::from_str(&store::new_id()) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// What the headers of an answer tell beside the budgets.
#[derive(Default)]
struct FieldValue {
    points: Option<u32>,
    search: Option<&'static str>,
}

impl Site {
    /// Passes a request through everything that may refuse it, in Linear's order, and executes it.
    fn answer(
        &self,
        caller: &Caller,
        sign: Option<Duration>,
        body: &[u8],
        told: &mut FieldValue,
    ) -> Outcome<Executed> {
        self.limits.take_request(caller)?;
        let request = GraphqlRequest::parse(body).ok_or_else(|| {
            ApiError::request("POST body missing, invalid Content-Type, or JSON object has no keys.")
        })?;
        let document = document(&request.query)?;
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
        let now = self.now();
        let cx = Context::new(self, &now, caller, sign)?;
        if !prepared.operation.is_mutation() {
            return cx.execute(&prepared);
        }
        let missing = names.iter().map(|name| auth::scope_of(name)).find(|scope| !caller.may(scope));
        if let Some(scope) = missing {
            return Err(ApiError::scope(scope));
        }
        let answer = cx.execute(&prepared);
        webhooks::tell(self, &now, caller);
        answer
    }
}

/// How much of the caller's budgets is to be left, for tests of what happens near their end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    requests: Option<u32>,
    complexity: Option<u32>,
}

async fn budget(Shared(site): Shared<Arc<Site>>, headers: HeaderMap, Json(budget): Json<Budget>) -> Response {
    match auth::authenticate(&headers, &site.oauth, &site.state()) {
        Ok(caller) => {
            Json(site.limits.set_remaining(&caller, budget.requests, budget.complexity)).into_response()
        }
        Err(error) => error.into_response(),
    }
}
