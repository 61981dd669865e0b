//! What is common to vendors that speak GraphQL: answers of which a part may have failed, connections.

use std::collections::BTreeMap;

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{Response, call};
use crate::{Error, Kind, Result, tolerant};

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
    use http::{HeaderMap, StatusCode};
    use serde_json::{Value, json};

    use super::*;

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
