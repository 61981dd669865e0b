//! The way of every request: who asks, what it costs, which repository it is about, whether they may; then its
//! handler; then what every answer has. The order is that of [`rest`].

use std::{borrow::Cow, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State as Shared},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use connector::sandbox::{
    Harness,
    rest::{self, FakeRequest, Refusal, RestSite, Routes},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts};
use serde_json::json;

use super::{
    Site, accounts, actions, auth,
    errors::{ApiError, Outcome},
    graphql, limits,
    profile::{self, Profile},
    repos,
    request::FakeResponse,
    route::{ANY, Need, Route, route},
    social, tracker,
};

const ROUTES: &[Route] = &[route("POST /graphql", ANY, graphql::serve)];

/// Every route.
pub(super) fn routes() -> Routes<Site> {
    let [apps, device, tokens] = auth::ROUTES;
    Routes::new(&[
        ROUTES,
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
    ])
}

/// The versions of the REST API (docs.github.com, "API Versions").
pub(super) const VERSIONS: [&str; 2] = ["2026-03-10", "2022-11-28"];

/// The largest body: a blob of 100 MB in base64 (docs.github.com, "Create a blob").
const BODY: usize = 140 * 1024 * 1024;

/// Every request arrives here, whatever its path.
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
pub(super) fn operation(site: &Site, parts: &Parts, body: &[u8]) -> String {
    if rooted(parts.uri.path()) == "/graphql" {
        return graphql::operation_name(body);
    }
    rest::operation(site, &parts.method, parts.uri.path())
}

/// Holds a request up, if a test wishes it, and refuses those that are too many at once.
async fn arrive(
    Shared(site): Shared<Arc<Site>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let version = headers.get("x-github-api-version").cloned();
    let mut response = match site.limits.begin() {
        Ok(in_flight) => {
            if !in_flight.latency.is_zero() {
                tokio::time::sleep(in_flight.latency).await;
            }
            rest::answer(&*site, method, uri, headers, body).into_response()
        }
        Err(error) => error.into_response(),
    };
    let more = response.headers_mut();
    more.insert("x-github-media-type", HeaderValue::from_static("github.v3; format=json"));
    more.insert(
        header::VARY,
        HeaderValue::from_static("Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept"),
    );
    if let Some(version) = version {
        more.insert("x-github-api-version-selected", version);
    }
    if let Some(enterprise) =
        site.profile().enterprise.and_then(|version| HeaderValue::from_str(&version).ok())
    {
        more.insert("x-github-enterprise-version", enterprise);
    }
    response
}

impl RestSite for Site {
    type Caller = auth::Caller;
    type Needs = Need;
    /// The repository's id; 0 if the route is about none.
    type Target = u64;
    type Error = ApiError;
    const ETAGS: bool = true;
    const REQUEST_ID: &'static str = "x-github-request-id";
    const REST_OF_PATH: &'static [&'static str] = &["path", "ref", "basehead"];

    fn routes(&self) -> &Routes<Self> {
        &self.routes
    }

    fn harness(&self) -> &Harness {
        &self.harness
    }

    /// `/repositories/{id}/…` is `/repos/{owner}/{repo}/…`, whatever the repository's name.
    fn locate<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let path = rooted(path);
        let Some(rest) = path.strip_prefix("/repositories/") else { return Cow::Borrowed(path) };
        let (id, rest) =
            rest.split_once('/').map_or((rest, String::new()), |(id, rest)| (id, format!("/{rest}")));
        let state = self.state();
        let repo = id.parse().ok().and_then(|id| state.repos.get(id));
        let (owner, name) = repo.map_or(("-", id), |repo| (repo.owner.as_str(), repo.name.as_str()));
        Cow::Owned(format!("/repos/{owner}/{name}{rest}"))
    }

    fn authenticate(&self, request: &FakeRequest, _: Option<&Route>) -> Outcome<auth::Caller> {
        auth::authenticate(self, &request.headers, &request.path)
    }

    fn limit(&self, request: &FakeRequest, caller: &auth::Caller, _: Option<&Route>) -> Outcome<()> {
        if request.header(header::USER_AGENT.as_str()).is_none() {
            // docs.github.com, "User agent required".
            return Err(ApiError::forbidden(
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
            ));
        }
        version(&request.headers, &self.profile())?;
        self.limits.take(caller, &request.method, limits::resource(&request.path))
    }

    fn not_found(&self, _: &FakeRequest) -> ApiError {
        ApiError::not_found()
    }

    fn guard(&self, request: &FakeRequest, caller: &auth::Caller, route: &Route) -> Outcome<u64> {
        if self.profile().lacks(route.template()) {
            return Err(ApiError::not_found());
        }
        let Some((owner, name)) = repository(request) else {
            auth::permits(caller, route.needs)?;
            return Ok(0);
        };
        let found = self.state().repos.find(owner, name).ok_or_else(ApiError::not_found)?;
        self.may(caller, found.id, route.needs)?;
        if found.moved { Err(self.moved(request, found.id)) } else { Ok(found.id) }
    }

    fn finish(
        &self,
        request: &FakeRequest,
        caller: Option<&auth::Caller>,
        route: Option<&Route>,
        response: FakeResponse,
    ) -> FakeResponse {
        // GitHub writes its ids in capitals.
        let response = response.header_unless_there(Self::REQUEST_ID, &request.id.to_uppercase());
        // A credential that is no good has no limits.
        let Some(caller) = caller else { return response };
        let resource = limits::resource(&request.path);
        let fresh = response.status == StatusCode::OK && request.method == Method::GET;
        let unchanged = response.status == StatusCode::NOT_MODIFIED;
        // An answer without news costs nothing (docs.github.com, "Use conditional requests").
        if unchanged && caller.token.is_some() {
            self.limits.give_back(caller, resource);
        }
        let response = if fresh || unchanged {
            response.header("cache-control", "private, max-age=60, s-maxage=60")
        } else {
            response
        };
        // Of GraphQL each field has needs of its own.
        let route = route.filter(|_| request.path != "/graphql");
        let route = route.filter(|route| !self.profile().lacks(route.template()));
        let needed = route.map(|route| (route.needs, self.about_private(request)));
        auth::tell(self.limits.tell(response, caller, resource), caller, needed)
    }
}

impl Refusal for ApiError {
    fn response(&self, _: &FakeRequest) -> FakeResponse {
        self.answer()
    }
}

/// Owner and name of the repository that a path is about; none if it is about none.
fn repository(request: &FakeRequest) -> Option<(&str, &str)> {
    match request.variables.as_slice() {
        [(owner, of), (repo, name), ..] if owner == "owner" && repo == "repo" => Some((of, name)),
        _ => None,
    }
}

impl Site {
    /// Whether what a request is about is private: which scopes would do depends on it. Of what is not there nobody
    /// can tell.
    fn about_private(&self, request: &FakeRequest) -> bool {
        let Some((owner, name)) = repository(request) else { return false };
        let state = self.state();
        let found = state.repos.find(owner, name).and_then(|found| state.repos.get(found.id));
        found.is_none_or(|repo| repo.private)
    }

    /// Whether the caller may do to a repository what a route does.
    pub(super) fn may(&self, caller: &auth::Caller, repo: u64, need: Need) -> Outcome<()> {
        let state = self.state();
        let repo = state.repos.get(repo).ok_or_else(ApiError::not_found)?;
        auth::may(caller, repo, need)
    }

    /// The redirect of a repository that has another name now: a GET may become one, another method stays
    /// (docs.github.com, "Follow redirects").
    fn moved(&self, request: &FakeRequest, repo: u64) -> ApiError {
        let rest = request.path.splitn(5, '/').nth(4).map(|rest| format!("/{rest}")).unwrap_or_default();
        let query = request.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let location = self.url(&format!("repositories/{repo}{rest}{query}"));
        let status = if request.method == Method::GET {
            StatusCode::MOVED_PERMANENTLY
        } else {
            StatusCode::TEMPORARY_REDIRECT
        };
        let message = status.canonical_reason().unwrap_or_default();
        let docs =
            "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects";
        let body = json!({ "message": message, "url": location, "documentation_url": docs });
        ApiError::redirect(FakeResponse::json(body).with_status(status).header("location", &location))
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
