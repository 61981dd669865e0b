//! The vendor, faked: notes kept in memory, behind three routes that a table describes. It shares no parsing or
//! rendering with the server that it tests.

use std::{
    borrow::Cow,
    cmp::Reverse,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    response::{IntoResponse as _, Response},
};
use connector::sandbox::{
    Fake, Harness, SeededSite,
    rest::{self, FakeRequest, FakeResponse, Refusal, RequestContext, ResourceSite, RestSite, Route, Routes},
    rows::{Field, FieldKind, Resource, Row, Rows, Table, Verb, Violation, text},
    seeded,
};
use http::{StatusCode, request::Parts};
use serde_json::{Value, json};

/// The token that the fake takes.
pub const TOKEN: &str = "template_sandbox";

/// The notes, part of the suite's story; times are offsets from today.
const SEED: &str = include_str!("seed/notes.json");

const NOTES: Resource = Resource {
    table: "notes",
    path: "/notes",
    verbs: &[Verb::List, Verb::Get, Verb::Create],
    within: &[],
    fields: &[
        Field::new("title", FieldKind::Text).required().max(200),
        Field::new("text", FieldKind::Text).max(20_000),
    ],
    strict: true,
};

/// The fake with the suite's story.
#[must_use]
pub fn fake() -> Arc<dyn Fake> {
    seeded::<Site>(SEED)
}

/// What every route works with.
struct Site {
    harness: Harness,
    rows: Mutex<Rows>,
    routes: Routes<Self>,
}

/// A refusal in the vendor's words.
struct ApiError(StatusCode, String);

impl Refusal for ApiError {
    fn response(&self, _: &FakeRequest) -> FakeResponse {
        FakeResponse::json(json!({"message": self.1})).with_status(self.0)
    }
}

impl RestSite for Site {
    type Caller = ();
    type Needs = ();
    type Target = ();
    type Error = ApiError;

    fn routes(&self) -> &Routes<Self> {
        &self.routes
    }

    fn harness(&self) -> &Harness {
        &self.harness
    }

    fn locate<'p>(&self, path: &'p str) -> Cow<'p, str> {
        path.strip_prefix("/v1").unwrap_or(path).into()
    }

    fn authenticate(&self, request: &FakeRequest, _: Option<&Route<Self>>) -> Result<(), ApiError> {
        let known = request.bearer() == Some(TOKEN);
        known.then_some(()).ok_or_else(|| ApiError(StatusCode::UNAUTHORIZED, "Bad token".to_owned()))
    }

    fn not_found(&self, _: &FakeRequest) -> ApiError {
        ApiError(StatusCode::NOT_FOUND, "There is no such route".to_owned())
    }

    fn guard(&self, _: &FakeRequest, (): &(), _: &Route<Self>) -> Result<(), ApiError> {
        Ok(())
    }
}

impl ResourceSite for Site {
    fn with_rows<T>(&self, work: impl FnOnce(&mut Rows) -> T) -> T {
        work(&mut self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn invalid(&self, _: &Resource, violations: Vec<Violation>) -> ApiError {
        let wrong: Vec<_> = violations.iter().map(ToString::to_string).collect();
        ApiError(StatusCode::UNPROCESSABLE_ENTITY, wrong.join("; "))
    }

    fn no_row(&self, _: &Resource, id: &str) -> ApiError {
        ApiError(StatusCode::NOT_FOUND, format!("There is no note {id}"))
    }

    fn input(cx: &RequestContext<'_, Self>, _: &Resource) -> Result<Row, ApiError> {
        cx.object().ok_or_else(|| ApiError(StatusCode::BAD_REQUEST, "The body is no object".to_owned()))
    }

    fn begin(cx: &RequestContext<'_, Self>, resource: &Resource, rows: &Rows, row: &mut Row) {
        row.insert("id".to_owned(), format!("note_{:03}", rows.count(resource.table) + 1).into());
        row.insert("author".to_owned(), "maya".into());
        row.insert("edited".to_owned(), cx.site.harness.clock().now_iso().into());
    }

    fn list(
        cx: &RequestContext<'_, Self>,
        resource: &Resource,
        rows: &Rows,
        found: &[Arc<Row>],
    ) -> Result<FakeResponse, ApiError> {
        let words = cx.query("query").unwrap_or_default().to_lowercase();
        let mut found: Vec<_> = found.iter().filter(|row| has_words(row, &words)).collect();
        found.sort_by_key(|row| Reverse((text(row, "edited"), text(row, "id"))));
        let start = match cx.query("after") {
            Some(after) => found.iter().position(|row| text(row, "id") == Some(after)).map_or(0, |at| at + 1),
            None => 0,
        };
        let limit = cx.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20_usize).min(100);
        let page: Vec<_> = found.iter().skip(start).take(limit).collect();
        let more = start + page.len() < found.len();
        let next = page.last().filter(|_| more).and_then(|row| text(row, "id"));
        let notes: Vec<Value> = page.iter().map(|row| Self::show(cx, resource, rows, row)).collect();
        Ok(FakeResponse::json(json!({"notes": notes, "next": next})))
    }
}

fn has_words(row: &Row, words: &str) -> bool {
    let all = ["title", "text"].map(|field| text(row, field).unwrap_or_default().to_lowercase()).join(" ");
    words.split_whitespace().all(|word| all.contains(word))
}

impl SeededSite for Site {
    const NAME: &'static str = "template";

    type State = Rows;

    fn read(seed: Value) -> Result<Rows, String> {
        Rows::from_seed(seed, &[Table::new("notes")])
    }

    fn start(harness: &Harness, rows: Rows) -> Self {
        let routes = Routes::new(&[]).with_resource(&NOTES, |_| ());
        Self { harness: harness.clone(), rows: Mutex::new(rows), routes }
    }

    fn reset(&self, state: Rows) {
        self.with_rows(|rows| *rows = state);
    }

    fn router(self: &Arc<Self>) -> Router {
        rest::router(Arc::clone(self))
    }

    fn operation(&self, parts: &Parts, _: &[u8]) -> String {
        rest::operation(self, &parts.method, parts.uri.path())
    }

    fn dump(&self) -> Value {
        self.with_rows(|rows| rows.dump())
    }

    fn rate_limited(retry_after: Option<&str>) -> Response {
        let answer = FakeResponse::json(json!({"message": "Too many requests"}))
            .with_status(StatusCode::TOO_MANY_REQUESTS);
        match retry_after {
            Some(value) => answer.header("retry-after", value),
            None => answer,
        }
        .into_response()
    }

    fn unauthorized() -> Response {
        FakeResponse::json(json!({"message": "Bad token"}))
            .with_status(StatusCode::UNAUTHORIZED)
            .into_response()
    }

    fn routes_asked(&self) -> Vec<(String, u64)> {
        self.routes.asked().map(|(route, asked)| (route.operation().to_owned(), asked)).collect()
    }
}
