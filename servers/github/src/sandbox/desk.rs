//! The desk where every request arrives: who asks, what it costs, which repository it is about, whether they
//! may; then its handler; then what every answer has.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State as Shared},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts};
use serde_json::json;
use url::form_urlencoded;

use super::{
    Site, accounts, actions,
    answer::Answer,
    ask::Ask,
    auth,
    errors::{ApiError, Outcome},
    graphql, limits,
    profile::{self, Profile},
    repos,
    route::{Need, Route, fits, literal},
    social, tracker,
};

/// The tables of routes.
pub(super) fn tables() -> impl Iterator<Item = &'static Route> {
    let [apps, device, tokens] = auth::ROUTES;
    let tables = [
        accounts::ROUTES,
        apps,
        device,
        tokens,
        limits::ROUTES,
        profile::ROUTES,
        repos::ROUTES,
        tracker::ROUTES,
        actions::ROUTES,
        social::ROUTES,
    ];
    tables.into_iter().flatten()
}

/// The versions of the REST API (docs.github.com, "API Versions").
pub(super) const VERSIONS: [&str; 2] = ["2026-03-10", "2022-11-28"];

/// The largest body: a blob of 100 MB in base64 (docs.github.com, "Create a blob").
const BODY: usize = 140 * 1024 * 1024;

/// Everything goes to the desk.
pub(super) fn router(site: Arc<Site>) -> Router {
    Router::new().fallback(arrive).layer(DefaultBodyLimit::max(BODY)).with_state(site)
}

/// A path of the API, wherever its root is.
fn rooted(path: &str) -> &str {
    match path.strip_prefix("/api/v3").or_else(|| path.strip_prefix("/api")) {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// What is asked for: the route as GitHub documents it, or the GraphQL operation.
pub(super) fn operation(parts: &Parts, body: &[u8]) -> String {
    let path = rooted(parts.uri.path());
    if path == "/graphql" {
        return graphql::operation_name(body);
    }
    let path = as_documented(path);
    match find(parts.method.as_str(), &path) {
        Some((route, _)) => route.template.to_owned(),
        None => format!("{} {path}", parts.method),
    }
}

/// `/repositories/7/…` stands for `/repos/{owner}/{repo}/…`, whatever the repository's name.
fn as_documented(path: &str) -> String {
    match path.strip_prefix("/repositories/").and_then(|rest| rest.split_once('/').or(Some((rest, "")))) {
        Some((id, "")) => format!("/repos/-/{id}"),
        Some((id, rest)) => format!("/repos/-/{id}/{rest}"),
        None => path.to_owned(),
    }
}

/// The route that a path fits best.
fn find(method: &str, path: &str) -> Option<(&'static Route, Vec<(&'static str, String)>)> {
    let method = if method == "HEAD" { "GET" } else { method };
    let fitting =
        tables().filter_map(|route| fits(route.template, method, path).map(|params| (route, params)));
    fitting.max_by_key(|(route, _)| literal(route.template))
}

async fn arrive(
    Shared(site): Shared<Arc<Site>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut response = match site.limits.begin() {
        Ok(in_flight) => {
            if !in_flight.latency.is_zero() {
                tokio::time::sleep(in_flight.latency).await;
            }
            site.serve(&method, &uri, &headers, &body).into_response()
        }
        Err(error) => error.into_response(),
    };
    let more = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().simple().to_string().to_uppercase()) {
        more.insert("x-github-request-id", id);
    }
    more.insert("x-github-media-type", HeaderValue::from_static("github.v3; format=json"));
    more.insert(
        header::VARY,
        HeaderValue::from_static("Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept"),
    );
    if let Some(version) = headers.get("x-github-api-version") {
        more.insert("x-github-api-version-selected", version.clone());
    }
    if let Some(enterprise) =
        site.profile().enterprise.and_then(|version| HeaderValue::from_str(&version).ok())
    {
        more.insert("x-github-enterprise-version", enterprise);
    }
    if let Ok(date) = HeaderValue::from_str(&site.http_date()) {
        more.insert(header::DATE, date);
    }
    if method == Method::HEAD {
        *response.body_mut() = axum::body::Body::empty();
    }
    response
}

/// The right that a request needed, and whether what it was about is private: which scopes would do depends on
/// both.
type Needed = Option<(Need, bool)>;

impl Site {
    /// The fake's time as HTTP writes it.
    fn http_date(&self) -> String {
        let seconds = i64::try_from(self.harness.clock().now().as_secs()).unwrap_or_default();
        let moment = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    fn serve(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Answer {
        let path = rooted(uri.path()).to_owned();
        let caller = match auth::authenticate(self, headers, &path) {
            Ok(caller) => caller,
            Err(error) => return error.answer(),
        };
        let resource = limits::resource(&path);
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let ask = Ask {
            site: self,
            caller: &caller,
            repo: 0,
            path: &path,
            params: Vec::new(),
            query,
            headers,
            body,
        };
        let mut needed = None;
        let answer = self.answer(ask, method, uri, resource, &mut needed);
        let answer = answer.unwrap_or_else(|error| error.answer());
        let answer = condition(answer, method, headers);
        if answer.status == StatusCode::NOT_MODIFIED && caller.token.is_some() {
            self.limits.give_back(&caller, resource);
        }
        auth::tell(self.limits.tell(answer, &caller, resource), &caller, needed)
    }

    fn answer<'a>(
        &'a self,
        mut ask: Ask<'a>,
        method: &Method,
        uri: &Uri,
        resource: &'static str,
        needed: &mut Needed,
    ) -> Outcome<Answer> {
        if ask.headers.get(header::USER_AGENT).is_none() {
            // docs.github.com, "User agent required".
            return Err(ApiError::forbidden(
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
            ));
        }
        let profile = self.profile();
        version(ask.headers, &profile)?;
        self.limits.take(ask.caller, method, resource)?;
        if ask.path == "/graphql" {
            if method != Method::POST {
                return Err(ApiError::not_found());
            }
            return graphql::serve(&ask);
        }
        let named = self.by_name(ask.path)?;
        let found = find(method.as_str(), &named).filter(|(route, _)| !profile.lacks(route.template));
        let (route, params) = found.ok_or_else(ApiError::not_found)?;
        *needed = Some((route.need, true));
        let mut ask = Ask { path: &named, params: std::mem::take(&mut ask.params), ..ask };
        ask.params = params;
        if let [("owner", owner), ("repo", name), ..] = ask.params.as_slice() {
            let found = self.state().repos.find(owner, name).ok_or_else(ApiError::not_found)?;
            let private = self.state().repos.get(found.id).is_none_or(|repo| repo.private);
            *needed = Some((route.need, private));
            self.may(ask.caller, found.id, route.need)?;
            if found.moved {
                return Ok(self.moved(method, found.id, &named, uri));
            }
            ask.repo = found.id;
        } else {
            auth::permits(ask.caller, route.need)?;
            *needed = Some((route.need, false));
        }
        (route.handler)(&ask)
    }

    /// `/repositories/{id}/…` by the repository's name.
    fn by_name(&self, path: &str) -> Outcome<String> {
        let Some(rest) = path.strip_prefix("/repositories/") else { return Ok(path.to_owned()) };
        let (id, rest) =
            rest.split_once('/').map_or((rest, String::new()), |(id, rest)| (id, format!("/{rest}")));
        let state = self.state();
        let repo = id.parse().ok().and_then(|id| state.repos.get(id)).ok_or_else(ApiError::not_found)?;
        Ok(format!("/repos/{}/{}{rest}", repo.owner, repo.name))
    }

    /// Whether the caller may do to a repository what a route does.
    pub(super) fn may(&self, caller: &auth::Caller, repo: u64, need: Need) -> Outcome<()> {
        let state = self.state();
        let repo = state.repos.get(repo).ok_or_else(ApiError::not_found)?;
        auth::may(caller, repo, need)
    }

    /// The redirect of a repository that has another name now: a GET may become one, another method stays
    /// (docs.github.com, "Follow redirects").
    fn moved(&self, method: &Method, repo: u64, path: &str, uri: &Uri) -> Answer {
        let rest = path.splitn(5, '/').nth(4).map(|rest| format!("/{rest}")).unwrap_or_default();
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let location = self.url(&format!("repositories/{repo}{rest}{query}"));
        let status = if method == Method::GET {
            StatusCode::MOVED_PERMANENTLY
        } else {
            StatusCode::TEMPORARY_REDIRECT
        };
        let message = status.canonical_reason().unwrap_or_default();
        let docs =
            "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects";
        let body = json!({ "message": message, "url": location, "documentation_url": docs });
        Answer::json(body).status(status).header("location", &location)
    }
}

/// Refuses an API version that there is not.
fn version(headers: &HeaderMap, profile: &Profile) -> Outcome<()> {
    let Some(asked) = headers.get("x-github-api-version").and_then(|value| value.to_str().ok()) else {
        return Ok(());
    };
    if profile.speaks(asked) {
        return Ok(());
    }
    let known: Vec<_> = VERSIONS.into_iter().filter(|version| profile.speaks(version)).collect();
    let message = format!("\"{asked}\" is not a valid API version. Supported versions: {}", known.join(", "));
    Err(ApiError::new(StatusCode::BAD_REQUEST, message))
}

/// A good answer to a read has an ETag, and is 304 where the caller has it already. That costs nothing of the
/// primary limit (docs.github.com, "Use conditional requests").
fn condition(answer: Answer, method: &Method, headers: &HeaderMap) -> Answer {
    if method != Method::GET || answer.status != StatusCode::OK {
        return answer;
    }
    let mut hasher = DefaultHasher::new();
    answer.body.hash(&mut hasher);
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    let asked = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known =
        asked.split(',').any(|known| known.trim().trim_start_matches("W/") == tag.trim_start_matches("W/"));
    let mut answer = answer.header("etag", &tag).header("cache-control", "private, max-age=60, s-maxage=60");
    if known {
        answer.status = StatusCode::NOT_MODIFIED;
        answer.body = Bytes::new();
    }
    answer
}
