//! A small fake with both kinds of routes, and what the frame does for it.

use std::{borrow::Cow, sync::Mutex};

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::sandbox::{
    RateWindows,
    rows::{Field, FieldKind, Resource, Row, Rows, Table, Verb, Violation, text},
};

struct Notes {
    harness: Harness,
    rows: Mutex<Rows>,
    windows: RateWindows,
    routes: Routes<Notes>,
}

/// A refusal as this vendor writes it.
struct ApiError(u16, String);

impl Refusal for ApiError {
    fn response(&self, request: &FakeRequest) -> FakeResponse {
        let status = StatusCode::from_u16(self.0).unwrap();
        FakeResponse::json(json!({ "message": self.1, "request": request.id })).with_status(status)
    }
}

const ROUTES: &[Route<Notes>] = &[
    route("POST /v1/echo", false, echo),
    route("GET /v1/tasks/count", false, count),
    route("DELETE /v1/everything", true, count),
];

const TASKS: Resource = Resource {
    table: "tasks",
    path: "/v1/tasks",
    verbs: Verb::ALL,
    within: &[],
    fields: &[Field::new("title", FieldKind::Text).required(), Field::new("done", FieldKind::Flag)],
    strict: true,
};

const ITEMS: Resource = Resource {
    table: "items",
    path: "/v1/tasks/{task}/items",
    verbs: &[Verb::List, Verb::Create],
    within: &[("task", "task")],
    fields: &[Field::new("text", FieldKind::Text)],
    strict: false,
};

fn echo(cx: &RequestContext<'_, Notes>) -> Result<FakeResponse, ApiError> {
    let arguments = cx.arguments().ok_or_else(|| ApiError(400, "not readable".to_owned()))?;
    Ok(FakeResponse::json(json!({ "caller": cx.caller, "arguments": arguments })))
}

fn count(cx: &RequestContext<'_, Notes>) -> Result<FakeResponse, ApiError> {
    Ok(FakeResponse::json(cx.site.with_rows(|rows| rows.count("tasks"))))
}

impl RestSite for Notes {
    type Caller = String;
    type Needs = bool;
    type Target = ();
    type Error = ApiError;
    const ETAGS: bool = true;

    fn routes(&self) -> &Routes<Self> {
        &self.routes
    }

    fn harness(&self) -> &Harness {
        &self.harness
    }

    fn locate<'p>(&self, path: &'p str) -> Cow<'p, str> {
        Cow::Borrowed(path.strip_prefix("/api").unwrap_or(path))
    }

    fn authenticate(&self, request: &FakeRequest, _: Option<&Route<Self>>) -> Result<String, ApiError> {
        request.bearer().map(str::to_owned).ok_or_else(|| ApiError(401, "who are you?".to_owned()))
    }

    fn limit(&self, _: &FakeRequest, caller: &String, _: Option<&Route<Self>>) -> Result<(), ApiError> {
        let taken = self.windows.of(caller).take(1);
        taken.map(drop).map_err(|wait| ApiError(429, format!("wait {}", wait.as_secs())))
    }

    fn not_found(&self, _: &FakeRequest) -> ApiError {
        ApiError(404, "no such route".to_owned())
    }

    fn guard(&self, _: &FakeRequest, caller: &String, route: &Route<Self>) -> Result<(), ApiError> {
        if route.needs && caller != "admin" { Err(ApiError(403, "no".to_owned())) } else { Ok(()) }
    }

    fn finish(
        &self,
        _: &FakeRequest,
        caller: Option<&String>,
        _: Option<&Route<Self>>,
        response: FakeResponse,
    ) -> FakeResponse {
        match caller {
            Some(caller) => response.header("x-left", &self.windows.of(caller).remaining().to_string()),
            None => response,
        }
    }
}

impl ResourceSite for Notes {
    fn with_rows<T>(&self, work: impl FnOnce(&mut Rows) -> T) -> T {
        work(&mut self.rows.lock().unwrap())
    }

    fn invalid(&self, _: &Resource, violations: Vec<Violation>) -> ApiError {
        ApiError(400, violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    fn no_row(&self, resource: &Resource, id: &str) -> ApiError {
        ApiError(404, format!("no {id} in {}", resource.table))
    }

    fn input(cx: &RequestContext<'_, Self>, _: &Resource) -> Result<Row, ApiError> {
        cx.object().ok_or_else(|| ApiError(400, "no object".to_owned()))
    }

    fn begin(_: &RequestContext<'_, Self>, resource: &Resource, rows: &Rows, row: &mut Row) {
        row.insert("id".to_owned(), format!("{}-{}", resource.table, rows.count(resource.table) + 1).into());
    }

    fn check(
        _: &RequestContext<'_, Self>,
        resource: &Resource,
        rows: &Rows,
        row: &Row,
        former: Option<&Row>,
    ) -> Result<(), ApiError> {
        let title = text(row, "title").unwrap_or_default();
        let mut same = rows.matching(resource.table, "title", title).into_iter();
        if same.any(|other| text(&other, "id") != former.and_then(|former| text(former, "id"))) {
            return Err(ApiError(409, "there is one of this title".to_owned()));
        }
        Ok(())
    }

    fn list(
        cx: &RequestContext<'_, Self>,
        resource: &Resource,
        rows: &Rows,
        found: &[Arc<Row>],
    ) -> Result<FakeResponse, ApiError> {
        let shown = found.iter().map(|row| Self::show(cx, resource, rows, row)).collect::<Vec<_>>();
        Ok(FakeResponse::json(shown))
    }
}

fn notes() -> Arc<Notes> {
    let harness = Harness::new("http://127.0.0.1:1/".parse().unwrap());
    let seed = json!({ "tasks": [{ "id": "tasks-1", "title": "seeded" }] });
    Arc::new(Notes {
        rows: Mutex::new(Rows::from_seed(seed, &[Table::new("tasks"), Table::new("items")]).unwrap()),
        windows: RateWindows::new(harness.clock(), 10, Duration::from_secs(60)),
        routes: Routes::new(&[ROUTES]).with_resource(&TASKS, |_| false).with_resource(&ITEMS, |_| false),
        harness,
    })
}

/// What is answered to `METHOD PATH` with a body that the media type says.
async fn ask(site: &Arc<Notes>, line: &str, kind: &str, body: &str) -> (u16, HeaderMap, String) {
    let (method, uri) = line.split_once(' ').unwrap();
    let request = http::Request::builder().method(method).uri(uri).header("content-type", kind);
    let request = request.header("authorization", "bearer ada").body(Body::from(body.to_owned())).unwrap();
    send(site, request).await
}

async fn send(site: &Arc<Notes>, request: http::Request<Body>) -> (u16, HeaderMap, String) {
    let response = router(Arc::clone(site)).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    (parts.status.as_u16(), parts.headers, body)
}

async fn json_of(site: &Arc<Notes>, line: &str, body: &str) -> (u16, Value) {
    let (status, _, body) = ask(site, line, "application/json", body).await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn a_request_is_refused_in_one_order() {
    let site = notes();
    let bare = |line: &str| {
        let (method, uri) = line.split_once(' ').unwrap();
        http::Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
    };
    let (status, headers, body) = send(&site, bare("GET /v1/nowhere")).await;
    assert_eq!(status, 401, "a credential comes before the route: {body}");
    assert!(headers.contains_key("date") && !headers.contains_key("x-left"));
    assert!(body.contains(headers["x-request-id"].to_str().unwrap()), "the body repeats the id: {body}");

    assert_eq!(json_of(&site, "GET /v1/nowhere", "").await.1["message"], "no such route");
    assert_eq!(json_of(&site, "DELETE /v1/everything", "").await.0, 403);
    let (_, headers, _) = ask(&site, "GET /api/v1/tasks/count", "", "").await;
    assert_eq!(headers["x-left"], "7", "every answer tells what is left");
    site.windows.of("ada").set_remaining(0);
    assert_eq!(json_of(&site, "GET /v1/nowhere", "").await.0, 429, "a budget comes before the route");
}

#[tokio::test(start_paused = true)]
async fn arguments_come_as_query_form_json_or_parts() {
    let site = notes();
    let wanted = json!({ "team": "T1", "text": "a b" });
    let multipart = "--x\r\ncontent-disposition: form-data; name=\"text\"\r\n\r\na b\r\n--x--\r\n".to_owned();
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "text=a%20b".to_owned()),
        ("application/json; charset=utf-8", json!({ "text": "a b" }).to_string()),
        ("multipart/form-data; boundary=x", multipart),
    ] {
        let (_, _, body) = ask(&site, "POST /v1/echo?team=T1", kind, &body).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["arguments"], wanted, "{kind}");
        assert_eq!(body["caller"], "ada");
    }
    assert_eq!(ask(&site, "POST /v1/echo", "application/json", "{").await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_known_answer_is_304_and_head_has_no_body() {
    let site = notes();
    let (_, headers, body) = ask(&site, "GET /v1/tasks", "", "").await;
    let request = http::Request::get("/v1/tasks").header("authorization", "Bearer ada");
    let again = request.header("if-none-match", &headers["etag"]).body(Body::empty()).unwrap();
    let (status, again, empty) = send(&site, again).await;
    assert_eq!((status, empty.as_str(), &again["etag"]), (304, "", &headers["etag"]));
    let (status, head, empty) = ask(&site, "HEAD /v1/tasks", "", "").await;
    assert_eq!((status, empty.as_str()), (200, ""));
    assert!(!body.is_empty() && !head.contains_key("etag"));
}

#[tokio::test(start_paused = true)]
async fn a_described_resource_is_listed_read_made_changed_and_removed() {
    let site = notes();
    let (status, made) = json_of(&site, "POST /v1/tasks", r#"{"title":"ship"}"#).await;
    assert_eq!((status, &made), (201, &json!({ "id": "tasks-2", "title": "ship" })));
    assert_eq!(json_of(&site, "POST /v1/tasks", r#"{"done":1}"#).await.0, 400);
    assert_eq!(json_of(&site, "POST /v1/tasks", r#"{"title":"ship"}"#).await.0, 409, "the vendor's own rule");
    let (_, changed) = json_of(&site, "PATCH /v1/tasks/tasks-2", r#"{"done":true}"#).await;
    assert_eq!(changed, json!({ "id": "tasks-2", "title": "ship", "done": true }));
    assert_eq!(json_of(&site, "GET /v1/tasks/tasks-2", "").await.1, changed);
    assert_eq!(ask(&site, "DELETE /v1/tasks/tasks-1", "", "").await.0, 204);
    assert_eq!(json_of(&site, "GET /v1/tasks/tasks-1", "").await.1["message"], "no tasks-1 in tasks");
    assert_eq!(json_of(&site, "GET /v1/tasks", "").await.1, json!([changed]));
    let events = site.with_rows(Rows::take_events);
    assert_eq!(events.len(), 3, "refusals change nothing");
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_nested_resource_belong_to_their_path() {
    let site = notes();
    json_of(&site, "POST /v1/tasks/tasks-1/items", r#"{"text":"a","colour":"red"}"#).await;
    let (_, mine) = json_of(&site, "GET /v1/tasks/tasks-1/items", "").await;
    assert_eq!(mine, json!([{ "id": "items-1", "text": "a", "task": "tasks-1" }]));
    assert_eq!(json_of(&site, "GET /v1/tasks/tasks-9/items", "").await.1, json!([]));
    assert_eq!(
        json_of(&site, "DELETE /v1/tasks/tasks-1/items/items-1", "").await.0,
        404,
        "not among its verbs"
    );
}

#[tokio::test(start_paused = true)]
async fn routes_that_nobody_asks_for_are_told() {
    let site = notes();
    assert_eq!(json_of(&site, "GET /v1/tasks/count", "").await, (200, json!(1)), "literal before named");
    let asked = site.routes.asked().filter(|(_, times)| *times > 0);
    assert_eq!(asked.map(|(route, _)| route.template()).collect::<Vec<_>>(), ["GET /v1/tasks/count"]);
    assert_eq!(operation(&*site, &Method::GET, "/api/v1/tasks/7"), "GET /v1/tasks/{id}");
    assert_eq!(operation(&*site, &Method::HEAD, "/v1/tasks"), "GET /v1/tasks");
    assert_eq!(operation(&*site, &Method::PUT, "/v1/x"), "PUT /v1/x");
}
