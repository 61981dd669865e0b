//! What goes to the vendor: a request that says of itself what it does, what it costs, whether it
//! may be repeated and how long its answer stays good.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Serialize;
use url::Url;

use super::{Response, route};
use crate::{Effect, Error, Kind, Result};

/// Names what a cached answer depends on (`"issues"`, `"issue:ENG-1"`), so that a write can say
/// which answers it makes old.
pub type Tag = Cow<'static, str>;

/// Whether the vendor makes a repeated request harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replay {
    /// It changes nothing: a read.
    Safe,
    /// The vendor makes a repeat harmless: an id made by the client, an idempotency key, a PUT.
    Idempotent,
    /// Never repeated once it may have been executed.
    Once,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Below the base URL; begins with `/`.
    Path(Cow<'static, str>),
    /// Anywhere. The credential goes along only to the base URL's own origin and to hosts that
    /// [`Vendor::trusts`](super::Vendor::trusts).
    Url(Box<Url>),
}

/// How long an answer may be served again, and what makes it old before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheRule {
    /// How long after its arrival the answer is good.
    pub ttl: Duration,
    /// What it depends on.
    pub tags: Vec<Tag>,
}

/// One request to the vendor. Made with [`Request::get`], [`Request::post`] or [`Request::new`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The vendor's name for the operation (`"ListIssues"`), for errors, logs and metrics.
    pub operation: &'static str,
    /// What it does to the vendor's data.
    pub effect: Effect,
    /// Whether it may be repeated.
    pub replay: Replay,
    /// The HTTP method.
    pub method: Method,
    /// Where it goes.
    pub target: Target,
    /// Query parameters, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// Headers besides the credential.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// What it takes from the vendor's budgets: bucket and amount.
    pub costs: Vec<(&'static str, u32)>,
    /// The budget of which each key has one of its own, and the key: messages in one channel.
    pub keyed: Option<(&'static str, String)>,
    /// Whether its answer may be kept. Only reads are.
    pub cache: Option<CacheRule>,
    /// What a successful (or uncertain) write makes old.
    pub invalidates: Vec<Tag>,
    /// What to look at if the outcome of this write is never learned, as the beginning of a
    /// sentence: `"Look whether ENG-1 has the new comment"`.
    pub check: Option<Cow<'static, str>>,
    /// The most bytes of answer to accept, decompressed; the options' limit otherwise.
    pub max_body: Option<usize>,
    /// How long one attempt may take, if not as the options say: an upload. The total deadline is
    /// then at least as long.
    pub attempt_timeout: Option<Duration>,
    /// Whether the credential goes along.
    pub authenticated: bool,
    /// Whether a good answer is a JSON document. Other answers are then refused as broken.
    pub expects_json: bool,
    /// Whether a redirect to another host is followed, without the credential.
    pub elsewhere: bool,
}

impl Request {
    /// A request of `method`, taken for a read if the method is GET or HEAD and for a write that
    /// must not be repeated otherwise.
    pub fn new(operation: &'static str, method: Method, path: impl Into<Cow<'static, str>>) -> Self {
        let reads = matches!(method, Method::GET | Method::HEAD);
        Self {
            operation,
            effect: if reads { Effect::Read } else { Effect::Write },
            replay: if reads { Replay::Safe } else { Replay::Once },
            method,
            target: Target::Path(path.into()),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            costs: Vec::new(),
            keyed: None,
            cache: None,
            invalidates: Vec::new(),
            check: None,
            max_body: None,
            attempt_timeout: None,
            authenticated: true,
            expects_json: true,
            elsewhere: false,
        }
    }

    /// A request of `route` as the vendor documents it (`GET /things/{id}/parts`), with its placeholders
    /// filled by `values` in their order, each as one part of the path. The route is also the operation's
    /// name, for errors, journals and metrics.
    #[must_use]
    pub fn route(route: &'static str, values: &[&str]) -> Self {
        Self::route_with(route, values, &[])
    }

    /// The same, where the values of the placeholders in `several` may have several parts: a file's path.
    #[must_use]
    pub fn route_with(route: &'static str, values: &[&str], several: &[&str]) -> Self {
        let (method, template) = route.split_once(' ').unwrap_or(("GET", route));
        let method = method.parse().unwrap_or(Method::GET);
        Self::new(route, method, route::fill(template, values, several))
    }

    /// A read of `path`, which begins with `/` and is below the base URL.
    pub fn get(operation: &'static str, path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(operation, Method::GET, path)
    }

    /// A POST to `path`: a write that must not be repeated, unless [`effect`](Self::effect) and
    /// [`replay`](Self::replay) say otherwise.
    pub fn post(operation: &'static str, path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(operation, Method::POST, path)
    }

    /// Says what it does. A read is also safe to repeat.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        if !effect.writes() {
            self.replay = Replay::Safe;
        } else if self.replay == Replay::Safe {
            self.replay = Replay::Once;
        }
        self
    }

    /// Says whether it may be repeated.
    #[must_use]
    pub fn replay(mut self, replay: Replay) -> Self {
        self.replay = replay;
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Takes `query`, encoded already, in place of its own parameters: a page as the vendor names it.
    #[must_use]
    pub fn with_query(mut self, query: &str) -> Self {
        self.query.clear();
        match &mut self.target {
            Target::Path(path) => {
                let bare = path.split('?').next().unwrap_or_default();
                *path = Cow::Owned(format!("{bare}?{query}"));
            }
            Target::Url(url) => url.set_query(Some(query)),
        }
        self
    }

    /// Sends `value` as the JSON body.
    ///
    /// # Errors
    /// `internal` if `value` cannot be written as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self> {
        let body = serde_json::to_vec(value).map_err(|error| {
            Error::internal("the request could not be written as JSON").with_source(error)
        })?;
        self.body = Bytes::from(body);
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self)
    }

    /// Sends `fields` as a form: `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body = Bytes::from(body);
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.headers.insert(header::CONTENT_TYPE, form);
        self
    }

    /// Sends `body` as it is; its media type goes into [`header`](Self::header).
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Says what it takes from the vendor's budget `bucket`.
    #[must_use]
    pub fn cost(mut self, bucket: &'static str, amount: u32) -> Self {
        self.costs.push((bucket, amount));
        self
    }

    /// Says that it also takes one from the budget `bucket` of `key` alone: of messages in one channel. A
    /// refusal for its pace then holds back this key and no other.
    #[must_use]
    pub fn cost_of(mut self, bucket: &'static str, key: impl Into<String>) -> Self {
        self.keyed = Some((bucket, key.into()));
        self
    }

    /// Lets the answer be served again for `ttl`, until something invalidates one of `tags`.
    #[must_use]
    pub fn cache(mut self, ttl: Duration, tags: impl IntoIterator<Item = impl Into<Tag>>) -> Self {
        self.cache = Some(CacheRule { ttl, tags: tags.into_iter().map(Into::into).collect() });
        self
    }

    /// Names what this write makes old.
    #[must_use]
    pub fn invalidates(mut self, tags: impl IntoIterator<Item = impl Into<Tag>>) -> Self {
        self.invalidates.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Says what to look at if the outcome of this write is never learned, as the beginning of a
    /// sentence: `"Look whether ENG-1 has the new comment"`.
    #[must_use]
    pub fn check(mut self, what: impl Into<Cow<'static, str>>) -> Self {
        self.check = Some(what.into());
        self
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sends no credential.
    #[must_use]
    pub fn no_auth(mut self) -> Self {
        self.authenticated = false;
        self
    }

    /// Goes to `url` instead of a path below the base URL.
    #[must_use]
    pub fn url(mut self, url: Url) -> Self {
        self.target = Target::Url(Box::new(url));
        self
    }

    /// Accepts any answer, not only JSON: a file, an empty body.
    #[must_use]
    pub fn any_body(mut self) -> Self {
        self.expects_json = false;
        self
    }

    /// Follows a redirect to another host too, as for a file that lies at a storage service. The
    /// credential stays behind.
    #[must_use]
    pub fn elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// Accepts at most `bytes` of answer, decompressed.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// Gives one attempt `timeout` instead of what the options say.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// The same request for an answer other than `old`, if `old` says how to tell.
    pub(super) fn unless_as(&self, old: &Response) -> Option<Self> {
        if !matches!(self.method, Method::GET | Method::HEAD) {
            return None;
        }
        let known = |name: HeaderName| old.headers.get(name).cloned();
        let mut request = self.clone();
        match (known(header::ETAG), known(header::LAST_MODIFIED)) {
            (Some(tag), _) => request.headers.insert(header::IF_NONE_MATCH, tag),
            (None, Some(time)) => request.headers.insert(header::IF_MODIFIED_SINCE, time),
            (None, None) => return None,
        };
        Some(request)
    }

    /// Whether "not modified" answers it.
    pub(super) fn is_conditional(&self) -> bool {
        self.headers.contains_key(header::IF_NONE_MATCH)
            || self.headers.contains_key(header::IF_MODIFIED_SINCE)
    }

    /// The address below `base`.
    ///
    /// # Errors
    /// `invalid_argument` for a path that would be read as another one; see [`route`].
    pub(super) fn address(&self, base: &Url) -> Result<Url> {
        let mut url = match &self.target {
            Target::Url(url) => url.as_ref().clone(),
            Target::Path(path) => {
                route::guard(path)?;
                let base = base.as_str().trim_end_matches('/');
                Url::parse(&format!("{base}{path}")).map_err(|error| {
                    Error::new(Kind::Internal, "the request's path makes no valid address").with_source(error)
                })?
            }
        };
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_joined_below_the_whole_base() {
        let base = Url::parse("https://ghe.example/api/v3/").unwrap();
        let request = Request::get("List", "/repos").query("q", "a b&c");
        assert_eq!(request.address(&base).unwrap().as_str(), "https://ghe.example/api/v3/repos?q=a+b%26c");
        let next = request.with_query("page=2&q=a+b");
        assert_eq!(next.address(&base).unwrap().as_str(), "https://ghe.example/api/v3/repos?page=2&q=a+b");
        let host = Request::get("List", "/repos").with_query("@evil.example/#");
        assert_eq!(host.address(&base).unwrap().host_str(), Some("ghe.example"));
    }

    #[test]
    fn a_post_is_a_write_sent_once_unless_told_otherwise() {
        let post = Request::post("Do", "/x");
        assert_eq!((post.effect, post.replay), (Effect::Write, Replay::Once));
        let query = Request::post("Query", "/graphql").effect(Effect::Read);
        assert_eq!((query.effect, query.replay), (Effect::Read, Replay::Safe));
        let again = query.effect(Effect::Destructive);
        assert_eq!((again.effect, again.replay), (Effect::Destructive, Replay::Once));
    }
}
