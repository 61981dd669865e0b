//! One request, as handlers see it: who asks, for which repository, with what; and its answer.

use connector::sandbox::rest;
pub(super) use connector::sandbox::rest::FakeResponse;
use http::header;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{
    Site,
    errors::{ApiError, Outcome},
};

/// The most rows of a page; GitHub takes a larger wish for this.
const MOST: usize = 100;
/// Rows of a page, if nothing is said.
const DEFAULT: usize = 30;

/// The version of the REST API that who names none gets.
const OLDER: &str = "2022-11-28";

/// One request. Its target is the repository of the route's `{owner}/{repo}`, 0 if it has none: the caller may see it,
/// and has the right that the route needs.
pub(super) type RequestContext<'a> = rest::RequestContext<'a, Site>;

/// What GitHub's requests have beside those of any REST API.
pub(super) trait GitHubRequest {
    /// A named segment as a number.
    ///
    /// # Errors
    /// 404, as for any path that there is not.
    fn number(&self, name: &str) -> Outcome<u64>;

    /// The version of the REST API that is asked for; the older one if none is (docs.github.com, "API
    /// Versions").
    fn version(&self) -> &str;

    /// The body as a JSON object; an empty body is an empty one.
    ///
    /// # Errors
    /// 400 if it is none.
    fn object(&self) -> Outcome<Map<String, Value>>;

    /// Whether the `Accept` header asks for a form of the answer: `raw`, `diff`, `patch`, `object`, `text-match`.
    fn accepts(&self, form: &str) -> bool;

    /// Which page is asked for (from 1), and how many rows it has.
    fn paging(&self) -> (usize, usize);

    /// The page of `rows` that is asked for, each shown by `show`, as a bare array with a `Link` header.
    fn page<T>(&self, rows: &[T], show: impl FnMut(&T) -> Value) -> FakeResponse;

    /// The same as an object: `{total_count, KEY: [...]}`.
    fn counted<T>(&self, key: &str, rows: &[T], show: impl FnMut(&T) -> Value) -> FakeResponse;

    /// The rows of the page that is asked for.
    fn cut<'r, T>(&self, rows: &'r [T]) -> &'r [T];

    /// `answer` with the `Link` header of a listing of `total` rows; none if it has a single page. On
    /// github.com the addresses of a repository's listings have its id in them, and so they have here.
    fn link(&self, answer: FakeResponse, total: usize) -> FakeResponse;
}

impl GitHubRequest for RequestContext<'_> {
    fn number(&self, name: &str) -> Outcome<u64> {
        self.variable(name).parse().map_err(|_| ApiError::not_found())
    }

    fn version(&self) -> &str {
        self.header("x-github-api-version").unwrap_or(OLDER)
    }

    fn object(&self) -> Outcome<Map<String, Value>> {
        self.request.object().ok_or_else(ApiError::bad_json)
    }

    fn accepts(&self, form: &str) -> bool {
        let accepted = self.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut kinds = accepted.flat_map(|value| value.split(','));
        kinds.any(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            let kind = kind.strip_prefix("application/vnd.github.").unwrap_or(kind);
            let kind = kind.strip_prefix("v3.").unwrap_or(kind);
            kind.split('+').next() == Some(form)
        })
    }

    fn paging(&self) -> (usize, usize) {
        let number = |name| self.query(name).and_then(|text| text.parse::<usize>().ok());
        let rows = number("per_page").unwrap_or(DEFAULT).clamp(1, MOST);
        (number("page").unwrap_or(1).max(1), rows)
    }

    fn page<T>(&self, rows: &[T], show: impl FnMut(&T) -> Value) -> FakeResponse {
        let shown: Vec<_> = self.cut(rows).iter().map(show).collect();
        self.link(FakeResponse::json(shown), rows.len())
    }

    fn counted<T>(&self, key: &str, rows: &[T], show: impl FnMut(&T) -> Value) -> FakeResponse {
        let shown: Vec<_> = self.cut(rows).iter().map(show).collect();
        let mut body = Map::new();
        body.insert("total_count".to_owned(), rows.len().into());
        body.insert(key.to_owned(), shown.into());
        self.link(FakeResponse::json(body), rows.len())
    }

    fn cut<'r, T>(&self, rows: &'r [T]) -> &'r [T] {
        let (page, per_page) = self.paging();
        let start = (page - 1).saturating_mul(per_page).min(rows.len());
        &rows[start..(start + per_page).min(rows.len())]
    }

    fn link(&self, answer: FakeResponse, total: usize) -> FakeResponse {
        let (page, per_page) = self.paging();
        let last = total.div_ceil(per_page).max(1);
        if last == 1 && page == 1 {
            return answer;
        }
        let path = match (self.target, self.path.splitn(5, '/').nth(4)) {
            (0, _) | (_, None) => self.path.trim_start_matches('/').to_owned(),
            (repo, Some(rest)) => format!("repositories/{repo}/{rest}"),
        };
        let address = |page: usize, rel: &str| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (name, value) in self.query.iter().filter(|(name, _)| name != "page") {
                query.append_pair(name, value);
            }
            query.append_pair("page", &page.to_string());
            format!("<{}?{}>; rel=\"{rel}\"", self.site.url(&path), query.finish())
        };
        let mut links = Vec::new();
        if page > 1 {
            links.push(address(page - 1, "prev"));
        }
        if page < last {
            links.push(address(page + 1, "next"));
            links.push(address(last, "last"));
        }
        if page > 1 {
            links.push(address(1, "first"));
        }
        answer.header("link", &links.join(", "))
    }
}
