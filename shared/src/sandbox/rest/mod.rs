#![doc = include_str!("guide.md")]

mod multipart;
mod request;
mod resource;
mod response;
mod route;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Deref,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header};

pub use self::{
    multipart::FormPart,
    request::FakeRequest,
    resource::ResourceSite,
    response::FakeResponse,
    route::{Handler, Route, Routes, Variables, route},
};
use super::Harness;

/// A vendor's REST API as a fake has it: what [`router`] asks on the way of a request. See the module's page for
/// the order.
pub trait RestSite: Send + Sync + 'static + Sized {
    /// Who asks, as the credential says.
    type Caller;

    /// What a route needs of its caller: a scope, a permission, a tier. `()` if nothing.
    type Needs: Clone + Send + Sync + 'static;

    /// What the [guard](Self::guard) found that the request is about: a repository's id. `()` if nothing.
    type Target;

    /// A refusal in the vendor's words.
    type Error: Refusal;

    /// Whether a good answer to a GET has an `ETag` and is 304 where the caller has it already.
    const ETAGS: bool = false;

    /// The header that carries each answer's id.
    const REQUEST_ID: &'static str = "x-request-id";

    /// Named segments that stand for the whole rest of a path when they end a template, where the vendor's
    /// documentation does not mark them: `path`, `ref`. `{*name}` always does.
    const REST_OF_PATH: &'static [&'static str] = &[];

    /// Its routes.
    fn routes(&self) -> &Routes<Self>;

    /// The harness of the fake that this is part of.
    fn harness(&self) -> &Harness;

    /// The path as the table of routes has it: without the prefix of a base address or the version of an API.
    /// The path as it was asked for stays in [`FakeRequest::uri`].
    fn locate<'p>(&self, path: &'p str) -> Cow<'p, str> {
        Cow::Borrowed(path)
    }

    /// The method as the table of routes has it: for a vendor that lets it be overridden.
    fn method<'m>(&self, method: &'m Method) -> &'m Method {
        if *method == Method::HEAD { &Method::GET } else { method }
    }

    /// Who asks. `route` is none if there is no such route: most vendors refuse a bad credential first.
    ///
    /// # Errors
    /// If the credential is missing or not good.
    fn authenticate(
        &self,
        request: &FakeRequest,
        route: Option<&Route<Self>>,
    ) -> Result<Self::Caller, Self::Error>;

    /// Takes what the request costs of the caller's budgets, and checks what every request must have.
    ///
    /// # Errors
    /// If a budget is used up.
    fn limit(
        &self,
        _request: &FakeRequest,
        _caller: &Self::Caller,
        _route: Option<&Route<Self>>,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The vendor's refusal of a route that there is not.
    fn not_found(&self, request: &FakeRequest) -> Self::Error;

    /// Whether the caller may do what the route does, to what the path names.
    ///
    /// # Errors
    /// If not.
    fn guard(
        &self,
        request: &FakeRequest,
        caller: &Self::Caller,
        route: &Route<Self>,
    ) -> Result<Self::Target, Self::Error>;

    /// What every answer has: what is left of the budgets, the version. The caller is none if it could not be
    /// told, the route if there is none. An answer of 304 has its status already.
    fn finish(
        &self,
        _request: &FakeRequest,
        _caller: Option<&Self::Caller>,
        _route: Option<&Route<Self>>,
        response: FakeResponse,
    ) -> FakeResponse {
        response
    }
}

/// A vendor's refusal.
pub trait Refusal {
    /// As the vendor answers it. Some repeat the request's id in the body.
    fn response(&self, request: &FakeRequest) -> FakeResponse;
}

/// One request, as handlers see it. It derefs to the [`FakeRequest`]: `cx.query("limit")`, `cx.variable("id")`.
pub struct RequestContext<'a, S: RestSite> {
    /// The fake.
    pub site: &'a S,
    /// Who asks.
    pub caller: &'a S::Caller,
    /// What the guard found.
    pub target: S::Target,
    /// The route.
    pub route: &'a Route<S>,
    /// What was sent.
    pub request: &'a FakeRequest,
}

impl<S: RestSite> Deref for RequestContext<'_, S> {
    type Target = FakeRequest;

    fn deref(&self) -> &FakeRequest {
        self.request
    }
}

impl<S: RestSite> std::fmt::Debug for RequestContext<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestContext").field("request", &self.request).finish_non_exhaustive()
    }
}

/// Everything that is asked goes the way that the module's page describes. Merge it with the routers of
/// [`OAuth`](super::OAuth) and [`Blobs`](super::Blobs), whose routes come first.
pub fn router<S: RestSite>(site: Arc<S>) -> Router {
    Router::new().fallback(arrive::<S>).layer(DefaultBodyLimit::disable()).with_state(site)
}

async fn arrive<S: RestSite>(
    State(site): State<Arc<S>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&*site, method, uri, headers, body).into_response()
}

/// The name of what is asked, for [`Fake::operation`](super::Fake::operation): the route's own, or method and
/// path where there is no route.
pub fn operation<S: RestSite>(site: &S, method: &Method, path: &str) -> String {
    let path = site.locate(path);
    match site.routes().find(site.method(method), &path) {
        Some((route, _)) => route.operation().to_owned(),
        None => format!("{method} {path}"),
    }
}

/// Answers one request: for a fake that does something of its own around it. [`router`] is made of it.
pub fn answer<S: RestSite>(
    site: &S,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> FakeResponse {
    let path = site.locate(uri.path()).into_owned();
    let found = site.routes().find(site.method(&method), &path);
    let (route, variables) = found.map_or((None, Vec::new()), |(route, values)| (Some(route), values));
    let now = site.harness().clock().now();
    let request = FakeRequest::new(method, uri, path, variables, headers, body, now);
    let caller = site.authenticate(&request, route);
    let response = match &caller {
        Ok(caller) => handle(site, &request, caller, route),
        Err(refusal) => refusal.response(&request),
    };
    let response = if S::ETAGS { revalidated(response, &request) } else { response };
    let response = site.finish(&request, caller.as_ref().ok(), route, response);
    let response = response
        .header_unless_there(S::REQUEST_ID, &request.id)
        .header_unless_there("date", &http_date(request.now));
    if request.method == Method::HEAD { response.without_body() } else { response }
}

/// From the caller's limits to the handler.
fn handle<S: RestSite>(
    site: &S,
    request: &FakeRequest,
    caller: &S::Caller,
    route: Option<&Route<S>>,
) -> FakeResponse {
    let handled = || {
        site.limit(request, caller, route)?;
        let route = route.ok_or_else(|| site.not_found(request))?;
        let target = site.guard(request, caller, route)?;
        site.routes().note(route);
        (route.handler)(&RequestContext { site, caller, target, route, request })
    };
    handled().unwrap_or_else(|refusal: S::Error| refusal.response(request))
}

/// A good answer to a GET with an `ETag`; 304 without a body if the caller has it already.
fn revalidated(response: FakeResponse, request: &FakeRequest) -> FakeResponse {
    if request.method != Method::GET || response.status != StatusCode::OK {
        return response;
    }
    let mut hasher = DefaultHasher::new();
    response.body.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let held = request.header(header::IF_NONE_MATCH.as_str()).unwrap_or_default();
    // Weak comparison (RFC 9110, 13.1.2).
    let known = held.split(',').any(|held| held.trim().trim_start_matches("W/") == tag);
    let response = response.header("etag", &format!("W/{tag}"));
    if known { response.with_status(StatusCode::NOT_MODIFIED).without_body() } else { response }
}

/// A time since the epoch as HTTP writes it.
pub(super) fn http_date(now: Duration) -> String {
    let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
    let moment = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
