//! What is common to vendors that speak GraphQL: operations and their requests, answers of which a part may
//! have failed, connections.

use std::{collections::BTreeMap, time::Duration};

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Value, json};

use super::{Replay, Request, Response, call};
use crate::{Effect, Error, Kind, Result, tolerant};

/// An operation of a GraphQL API: its document, what it does and what it costs.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its name in the document, for errors, logs, journals and faults: `ListIssues`.
    pub name: &'static str,
    /// The whole document, fragments included.
    pub document: &'static str,
    /// What it does to the vendor's data.
    pub effect: Effect,
    /// Whether it may be repeated.
    pub replay: Replay,
    /// What it is expected to cost with these variables, in the vendor's own unit. 10 where nobody says.
    pub points: fn(&Value) -> u32,
    /// Budgets of which it takes one besides those that every operation takes from.
    pub budgets: &'static [&'static str],
    /// How long its answer may be served again.
    pub ttl: Option<Duration>,
    /// What its cached answer depends on.
    pub tags: &'static [&'static str],
    /// What it invalidates, as a write.
    pub invalidates: &'static [&'static str],
}

/// The cost of an operation that returns a thing or two.
const fn few(_variables: &Value) -> u32 {
    10
}

impl Operation {
    /// A query. Its answer is not cached.
    #[must_use]
    pub const fn read(name: &'static str, document: &'static str) -> Self {
        Self {
            name,
            document,
            effect: Effect::Read,
            replay: Replay::Safe,
            points: few,
            budgets: &[],
            ttl: None,
            tags: &[],
            invalidates: &[],
        }
    }

    /// A mutation that must not be repeated blindly.
    #[must_use]
    pub const fn write(name: &'static str, document: &'static str) -> Self {
        Self { effect: Effect::Write, replay: Replay::Once, ..Self::read(name, document) }
    }

    /// A mutation that removes things, and must not be repeated blindly.
    #[must_use]
    pub const fn destructive(name: &'static str, document: &'static str) -> Self {
        Self { effect: Effect::Destructive, ..Self::write(name, document) }
    }

    /// The same, harmless to repeat: its ids are ours, or it sets what may be set already.
    #[must_use]
    pub const fn idempotent(self) -> Self {
        Self { replay: Replay::Idempotent, ..self }
    }

    /// The same at a cost that depends on the variables.
    #[must_use]
    pub const fn costs(self, points: fn(&Value) -> u32) -> Self {
        Self { points, ..self }
    }

    /// The same, taking one of each of `budgets` too.
    #[must_use]
    pub const fn takes(self, budgets: &'static [&'static str]) -> Self {
        Self { budgets, ..self }
    }

    /// The same, its answer served again for so many seconds, until something invalidates one of `tags`.
    #[must_use]
    pub const fn cached(self, seconds: u64, tags: &'static [&'static str]) -> Self {
        Self { ttl: Some(Duration::from_secs(seconds)), tags, ..self }
    }

    /// The same, invalidating answers that depend on one of `tags`.
    #[must_use]
    pub const fn invalidates(self, tags: &'static [&'static str]) -> Self {
        Self { invalidates: tags, ..self }
    }

    /// The request for it, to the base URL itself. `document` is its own, or one made of it for the occasion;
    /// `check` says what to look at should the outcome of a write never be learned.
    ///
    /// # Errors
    /// `internal` if the variables cannot be written as JSON.
    pub fn request(&self, document: &str, variables: &Value, check: Option<&str>) -> Result<Request> {
        let body = json!({"query": document, "variables": variables, "operationName": self.name});
        let mut request = Request::post(self.name, "").effect(self.effect).replay(self.replay).json(&body)?;
        for budget in self.budgets {
            request = request.cost(budget, 1);
        }
        if let Some(ttl) = self.ttl {
            request = request.cache(ttl, self.tags.iter().copied());
        }
        if let Some(check) = check {
            request = request.check(check.to_owned());
        }
        Ok(request.invalidates(self.invalidates.iter().copied()))
    }
}

/// An answer of which a part may have failed.
#[derive(Debug)]
pub struct Partial<T> {
    /// What came.
    pub data: T,
    /// What did not come: the name of the part, and why.
    pub failures: Vec<(String, Error)>,
}

impl<T: DeserializeOwned> Partial<T> {
    /// Reads an answer to `operation` that the vendor's table let pass: there is data, and there may be errors
    /// beside it. `tell` gives for each of them the name of the part that failed, and what it means.
    ///
    /// # Errors
    /// `upstream` for an answer without data, or of another shape.
    pub fn read<F: DeserializeOwned>(
        response: &Response,
        operation: &'static str,
        tell: impl Fn(&F) -> (String, Error),
    ) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "T: DeserializeOwned, F: DeserializeOwned"))]
        struct Envelope<T, F> {
            data: Option<T>,
            #[serde(default = "Vec::new")]
            errors: Vec<F>,
        }
        let no_data = || response.unusable(Error::new(Kind::Upstream, "the vendor's answer has no data"));
        let read =
            response.json().and_then(|Envelope { data, errors }| Ok((data.ok_or_else(no_data)?, errors)));
        let (data, errors) = read.map_err(|error| error.with_operation(operation))?;
        let failures = errors.iter().map(|failure| {
            let (part, error) = tell(failure);
            (part, error.with_operation(operation))
        });
        Ok(Self { data, failures: failures.collect() })
    }
}

impl<T> Partial<T> {
    /// A line for each part that failed, for the reply.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.failures
            .iter()
            .map(|(part, error)| format!("Not answered ({part}): {}", error.for_agent()))
            .collect()
    }

    /// What came of a write, which was carried out: what failed beside it is [noted](call::note) for the reply.
    pub fn or_noted(self) -> T {
        self.notes().into_iter().for_each(call::note);
        self.data
    }

    /// What came; what did not is logged for `operation`, and else taken as absent.
    pub fn or_absent(self, operation: &str) -> T {
        for (part, error) in &self.failures {
            let error = error.kind().as_str();
            tracing::warn!(operation, part, error, "a part of an answer failed");
        }
        self.data
    }
}

/// What the errors of an answer say, before its data is read.
#[derive(Debug)]
pub struct Failed<F> {
    /// The first of them.
    pub first: F,
    /// Whether data came beside them: any field of it that is not null.
    pub beside_data: bool,
}

impl<F: DeserializeOwned> Failed<F> {
    /// The errors of an answer; none if it has none.
    #[must_use]
    pub fn of(response: &Response) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "F: DeserializeOwned"))]
        struct Verdict<F> {
            data: Option<BTreeMap<String, Option<IgnoredAny>>>,
            #[serde(default = "Vec::new")]
            errors: Vec<F>,
        }
        // Looking for the word is cheaper than parsing every good answer twice.
        const WORD: &[u8] = b"\"errors\"";
        if !response.body.windows(WORD.len()).any(|window| window == WORD) {
            return None;
        }
        let verdict: Verdict<F> = tolerant::from_slice(&response.body).ok()?.value;
        let first = verdict.errors.into_iter().next()?;
        let beside_data = verdict.data.is_some_and(|data| data.values().any(Option::is_some));
        Some(Self { first, beside_data })
    }
}

/// One page of a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "T: Deserialize<'de>"))]
pub struct Connection<T> {
    /// What is on the page.
    pub nodes: Vec<T>,
    /// Whether there is more.
    pub page_info: PageInfo,
    /// How many there are in all, where the vendor tells.
    pub total_count: Option<f64>,
}

impl<T> Default for Connection<T> {
    fn default() -> Self {
        Self { nodes: Vec::new(), page_info: PageInfo::default(), total_count: None }
    }
}

impl<T> Connection<T> {
    /// Where the next page begins, if there is one. A cursor that does not move ends the listing: it
    /// would go round in a circle.
    pub fn next(&self, after: Option<&str>) -> Option<&str> {
        let end = self.page_info.end_cursor.as_deref()?;
        (self.page_info.has_next_page && Some(end) != after).then_some(end)
    }
}

/// Whether a connection goes on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PageInfo {
    /// Whether there is another page.
    pub has_next_page: bool,
    /// The cursor after the last node of this page.
    pub end_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, StatusCode};

    fn answer(body: &Value) -> Response {
        Response::new(StatusCode::OK, HeaderMap::new(), body.to_string())
    }

    #[test]
    fn a_cursor_that_stands_still_ends_the_listing() {
        let page = json!({"nodes": [], "pageInfo": {"hasNextPage": true, "endCursor": "x"}});
        let page: Connection<Value> = tolerant::from_value(page).unwrap();
        assert_eq!(page.next(None), Some("x"));
        assert_eq!(page.next(Some("x")), None);
    }

    #[test]
    fn a_part_that_failed_stands_beside_what_came() {
        let tell = |word: &String| (word.clone(), Error::not_found("gone"));
        let read = |body| Partial::<Value>::read(&answer(&body), "Read", tell);
        let partial = read(json!({"data": {"a": 1}, "errors": ["b", null]})).unwrap();
        assert_eq!(partial.data, json!({"a": 1}));
        assert_eq!(partial.notes(), ["Not answered (b): not_found: gone."]);
        assert_eq!(read(json!({"data": {}})).unwrap().failures.len(), 0);
        assert_eq!(read(json!({"errors": []})).unwrap_err().kind(), Kind::Upstream);
    }

    #[test]
    fn errors_are_told_with_whether_anything_came() {
        let failed = |body| {
            let failed = Failed::<String>::of(&answer(&body))?;
            Some((failed.first, failed.beside_data))
        };
        let of = |data: Value| failed(json!({"data": data, "errors": ["x", "y"]}));
        assert_eq!(of(json!({"a": null, "b": {}})), Some(("x".to_owned(), true)));
        for nothing in [json!({"a": null}), json!({}), json!(null)] {
            assert_eq!(of(nothing), Some(("x".to_owned(), false)));
        }
        assert_eq!(failed(json!({"errors": ["x"]})), Some(("x".to_owned(), false)));
        assert_eq!(failed(json!({"data": {"title": "the \"errors\" of others"}})), None);
        assert_eq!(failed(json!({"data": {}, "errors": []})), None);
    }
}
