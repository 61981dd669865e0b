//! Requests of the REST API: made from their route as GitHub documents it, paged by its `Link` header.

use connector::{Result, upstream::Request};
use http::{HeaderValue, Method, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Api, Target};
use crate::vendor::{CODE_SEARCH, CONTENT, CORE, POINTS, SEARCH, WRITES};

/// Placeholders whose values may have several segments: `contents/{path}`, `git/ref/{ref}`.
const LONG: [&str; 2] = ["path", "ref"];

/// GitHub's own media type.
const JSON: HeaderValue = HeaderValue::from_static("application/vnd.github+json");

/// A request of `route` as GitHub documents it (`GET /repos/{owner}/{repo}/labels`), with its placeholders
/// filled by `values`. The route is also the operation's name, for errors, journals and metrics. It costs
/// what GitHub counts for it.
pub(crate) fn route(route: &'static str, values: &[&str]) -> Request {
    let template = route.split_once(' ').map_or(route, |(_, template)| template);
    let request = Request::route_with(route, values, &LONG).header(header::ACCEPT, JSON);
    let reads = request.method == Method::GET;
    let request = match template {
        "/search/code" => request.cost(CODE_SEARCH, 1),
        _ if template.starts_with("/search/") => request.cost(SEARCH, 1),
        "/rate_limit" => request,
        _ => request.cost(CORE, 1),
    };
    // A write counts five points of the secondary limit, a read one (docs.github.com, rate limits for the
    // REST API).
    if reads { request.cost(POINTS, 1) } else { request.cost(POINTS, 5).cost(CONTENT, 1).cost(WRITES, 1) }
}

/// One page of a listing.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    /// What is on it.
    pub(crate) items: Vec<T>,
    /// The query of the page after it, as GitHub gave it, if there is one.
    pub(crate) next: Option<String>,
    /// How many there are in all, where GitHub tells.
    pub(crate) total: Option<u64>,
    /// Whether GitHub gave up before it had looked everywhere.
    pub(crate) incomplete: bool,
}

impl Api {
    /// A page of a listing: `request` for the first, with `per_page` rows a page; the page that `after`
    /// (a [`Listed::next`]) names for another. The rows are a bare array, or the array under `key`.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        target: Target<'_>,
        request: Request,
        key: Option<&str>,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<T>> {
        let operation = request.operation;
        let request = match after {
            // Only the query is GitHub's: the path is that of the listing, whatever a cursor says.
            Some(query) => request.with_query(query),
            None => request.query("per_page", per_page.to_string()),
        };
        let asked = after.map(str::to_owned);
        let response = self.send(target, request).await?;
        let next = response.header("link").and_then(next_query).filter(|next| asked.as_ref() != Some(next));
        let shaped = |error: connector::Error| error.with_operation(operation);
        let Some(key) = key else {
            #[derive(Deserialize)]
            #[serde(bound(deserialize = "T: Deserialize<'de>"))]
            struct Bare<T>(Vec<T>);
            let Bare(items) = response.json().map_err(shaped)?;
            return Ok(Listed { items, next, total: None, incomplete: false });
        };
        let mut body: Value = response.json().map_err(shaped)?;
        let rows = body.get_mut(key).map(Value::take).unwrap_or_default();
        let items = match rows {
            Value::Array(rows) => {
                rows.into_iter().filter_map(|row| connector::tolerant::from_value(row).ok()).collect()
            }
            _ => Vec::new(),
        };
        let total = body.get("total_count").and_then(Value::as_u64);
        let incomplete = body.get("incomplete_results") == Some(&Value::Bool(true));
        Ok(Listed { items, next, total, incomplete })
    }
}

/// The query of the address that a `Link` header calls the next.
pub(super) fn next_query(link: &str) -> Option<String> {
    link.split(',').find_map(|part| {
        let (address, parameters) = part.split_once(';')?;
        let is_next = parameters.split(';').any(|parameter| {
            let value = parameter.trim().strip_prefix("rel=").map(|value| value.trim_matches('"'));
            value.is_some_and(|value| value.split(' ').any(|word| word == "next"))
        });
        let address = address.trim().strip_prefix('<')?.strip_suffix('>')?;
        is_next.then(|| address.split_once('?').map(|(_, query)| query.to_owned())).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_costs_what_github_counts_for_it() {
        let contents = route("GET /repos/{owner}/{repo}/contents/{path}", &["o", "r", "docs/a.md"]);
        assert_eq!(contents.costs, [(CORE, 1), (POINTS, 1)]);
        let post = route("POST /repos/{owner}/{repo}/issues", &["o", "r"]);
        assert_eq!((post.method.as_str(), post.effect.writes()), ("POST", true));
        assert_eq!(post.costs, [(CORE, 1), (POINTS, 5), (CONTENT, 1), (WRITES, 1)]);
        assert_eq!(route("GET /search/code", &[]).costs, [(CODE_SEARCH, 1), (POINTS, 1)]);
    }

    #[test]
    fn the_next_page_is_the_one_that_the_link_names() {
        let link = "<https://api.github.com/repositories/1/issues?page=1>; rel=\"prev\", \
            <https://api.github.com/repositories/1/issues?state=all&page=3>; rel=\"next\"";
        assert_eq!(next_query(link).as_deref(), Some("state=all&page=3"));
        assert_eq!(next_query("<https://x/y?page=1>; rel=\"last\""), None);
        assert_eq!(next_query("nonsense"), None);
    }
}
