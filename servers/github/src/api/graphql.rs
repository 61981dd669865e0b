//! Requests of the GraphQL API, and how an older GitHub is spoken to.
//!
//! Documents lie in `documents/`. A line of one that ends in `# optional` asks for something that older
//! servers do not have (with a `{` before it, all lines up to the matching `}` belong to it). When a
//! server does not know a field, the optional parts with that field are left out and the server is asked
//! again; what it does not know is remembered for the life of the process.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use connector::{
    Effect, Result,
    upstream::{Partial, Replay, Request, Tag},
};
use http::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::{Api, Target};
use crate::{
    error::{self, GraphqlError},
    vendor::{CONTENT, GRAPHQL, GRAPHQL_POINTS, WRITES},
};

/// The version of the REST API that this server is written for (docs.github.com, API versions).
const VERSION: HeaderValue = HeaderValue::from_static("2026-03-10");
/// What servers understand that do not know it.
const OLDER_VERSION: HeaderValue = HeaderValue::from_static("2022-11-28");
const VERSION_HEADER: HeaderName = HeaderName::from_static("x-github-api-version");

/// A GraphQL operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its name, also in the document.
    pub name: &'static str,
    /// The document, optional parts included.
    pub document: &'static str,
    /// What it does.
    pub effect: Effect,
    /// Whether it may be repeated.
    pub replay: Replay,
    /// How long its answer is kept; none for not at all.
    pub ttl: Option<Duration>,
}

impl Operation {
    /// An operation that reads; its answer is not kept.
    pub(crate) const fn read(name: &'static str, document: &'static str) -> Self {
        Self { name, document, effect: Effect::Read, replay: Replay::Safe, ttl: None }
    }

    /// An operation that writes and must not be repeated blindly.
    pub(crate) const fn write(name: &'static str, document: &'static str) -> Self {
        Self { name, document, effect: Effect::Write, replay: Replay::Once, ttl: None }
    }

    /// The same, its answer kept for `ttl`.
    pub(crate) const fn cached(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The same, harmless to repeat: it sets what may be set already.
    pub(crate) const fn idempotent(mut self) -> Self {
        self.replay = Replay::Idempotent;
        self
    }
}

/// The document of this name.
macro_rules! document {
    ($name:literal) => {
        include_str!(concat!("documents/", $name, ".graphql"))
    };
}
pub(crate) use document;

impl Api {
    /// Runs `operation` and tells which parts of its answer failed. `check` says what to look at should
    /// the outcome of a write never be learned, as the beginning of a sentence.
    ///
    /// # Errors
    /// As [`Api::send`], if nothing came at all.
    pub(crate) async fn run<T: DeserializeOwned>(
        &self,
        target: Target<'_>,
        operation: &Operation,
        variables: Value,
        check: Option<String>,
    ) -> Result<Partial<T>> {
        let dialect = &self.0.dialect;
        loop {
            let document = dialect.document(operation.document);
            let body = json!({"query": document, "variables": variables, "operationName": operation.name});
            let points = if operation.effect.writes() { 5 } else { 1 };
            let mut request = Request::post(operation.name, "")
                .url(dialect.graphql.clone())
                .effect(operation.effect)
                .replay(operation.replay)
                .json(&body)?
                .cost(GRAPHQL, 1)
                .cost(GRAPHQL_POINTS, points);
            if operation.effect.writes() {
                request = request.cost(CONTENT, 1).cost(WRITES, 1);
            }
            if let Some(ttl) = operation.ttl {
                request = request.cache(ttl, std::iter::empty::<Tag>());
            }
            if let Some(check) = &check {
                request = request.check(check.clone());
            }
            match self.send(target, request).await {
                Ok(response) => {
                    return Partial::read(&response, operation.name, |failure: &GraphqlError| {
                        (failure.part(), error::failure(operation.effect, failure))
                    });
                }
                // A document that is refused whole was not executed, so even a write may be sent again.
                Err(error) => match error::unknown_field(&error) {
                    Some(field) if dialect.leave_out(operation.document, field) => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// Runs a query. A part of the answer that failed beside good data is logged, and else taken as absent.
    ///
    /// # Errors
    /// As [`Api::run`].
    pub(crate) async fn query<T: DeserializeOwned>(
        &self,
        target: Target<'_>,
        operation: &Operation,
        variables: Value,
    ) -> Result<T> {
        Ok(self.run(target, operation, variables, None).await?.or_absent(operation.name))
    }

    /// Runs a mutation. `check` says what to look at should its outcome never be learned.
    ///
    /// # Errors
    /// As [`Api::run`]. What fails beside data is noted for the reply: the write was carried out.
    pub(crate) async fn mutate<T: DeserializeOwned>(
        &self,
        target: Target<'_>,
        operation: &Operation,
        variables: Value,
        check: &str,
    ) -> Result<T> {
        Ok(self.run(target, operation, variables, Some(check.to_owned())).await?.or_noted())
    }
}

/// How this GitHub is spoken to: where its parts are, and what it does not know.
pub(super) struct Dialect {
    graphql: Url,
    web: Url,
    older: AtomicBool,
    unknown: Mutex<BTreeSet<String>>,
}

impl Dialect {
    /// The dialect of the GitHub whose REST API is at `base`: `https://api.github.com`, or
    /// `https://HOST/api/v3` of an own server.
    pub(super) fn new(base: &Url) -> Self {
        let mut graphql = base.clone();
        let path = base.path().trim_end_matches('/');
        graphql.set_path(&match path.strip_suffix("/v3") {
            Some(own) => format!("{own}/graphql"),
            None => format!("{path}/graphql"),
        });
        let mut web = base.clone();
        web.set_path("");
        if let Some(host) = base.host_str().and_then(|host| host.strip_prefix("api."))
            && !path.ends_with("/v3")
        {
            // The host is a part of one that was good.
            let _ = web.set_host(Some(host));
        }
        Self { graphql, web, older: AtomicBool::new(false), unknown: Mutex::default() }
    }

    pub(super) fn web(&self) -> &Url {
        &self.web
    }

    /// `request` as this server understands it.
    pub(super) fn speak(&self, request: Request) -> Request {
        let version = if self.older.load(Ordering::Relaxed) { OLDER_VERSION } else { VERSION };
        request.header(VERSION_HEADER, version)
    }

    /// The server does not know our version: whether there is an older one to try.
    pub(super) fn fall_back(&self) -> bool {
        !self.older.swap(true, Ordering::Relaxed)
    }

    /// `document` without the optional parts that this server does not know.
    fn document<'a>(&self, document: &'a str) -> Cow<'a, str> {
        let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.is_empty() { Cow::Borrowed(document) } else { Cow::Owned(without(document, &unknown)) }
    }

    /// The server does not know `field`: whether `document` can do without it and did not yet.
    fn leave_out(&self, document: &str, field: &str) -> bool {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let before = without(document, &unknown);
        unknown.insert(field.to_owned());
        without(document, &unknown) != before
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialect").field("older", &self.older).finish_non_exhaustive()
    }
}

/// `document` without its optional parts that begin with one of `fields`.
fn without(document: &str, fields: &BTreeSet<String>) -> String {
    let mut kept = String::with_capacity(document.len());
    // How deep we are in a part that is left out.
    let mut depth = 0_usize;
    for line in document.lines() {
        let (opened, closed) = (line.matches('{').count(), line.matches('}').count());
        if depth > 0 {
            depth = (depth + opened).saturating_sub(closed);
            continue;
        }
        let optional = line.trim_end().ends_with("# optional");
        // An alias stands before the field's own name.
        let code = line.split('#').next().unwrap_or_default();
        let names = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
        if optional && names.take(2).any(|word| fields.contains(word)) {
            depth = opened.saturating_sub(closed);
            continue;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_github_are_found_from_its_rest_api() {
        for (base, graphql, web) in [
            ("https://api.github.com", "https://api.github.com/graphql", "https://github.com/"),
            ("https://api.acme.ghe.com/", "https://api.acme.ghe.com/graphql", "https://acme.ghe.com/"),
            (
                "https://git.acme.example/api/v3",
                "https://git.acme.example/api/graphql",
                "https://git.acme.example/",
            ),
            ("http://127.0.0.1:4010/", "http://127.0.0.1:4010/graphql", "http://127.0.0.1:4010/"),
        ] {
            let dialect = Dialect::new(&Url::parse(base).unwrap());
            assert_eq!((dialect.graphql.as_str(), dialect.web.as_str()), (graphql, web), "{base}");
        }
    }

    #[test]
    fn what_an_older_server_does_not_know_is_left_out_and_remembered() {
        let dialect = Dialect::new(&Url::parse("https://git.acme.example/api/v3").unwrap());
        let document = "query Q {\n  a\n  kind: issueType { # optional\n    name\n    more { x }\n  }\n  b # optional\n}\n";
        assert_eq!(dialect.document(document), document);
        assert!(dialect.leave_out(document, "issueType"));
        assert_eq!(dialect.document(document), "query Q {\n  a\n  b # optional\n}\n");
        assert!(!dialect.leave_out(document, "issueType"), "asking again would go on for ever");
        assert!(!dialect.leave_out(document, "a"), "what is not optional cannot be left out");
    }
}
