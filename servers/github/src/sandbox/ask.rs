//! One request, as handlers see it: who asks, for which repository, with what.

use http::{HeaderMap, header};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{
    Site,
    answer::Answer,
    auth::Caller,
    errors::{ApiError, Outcome},
};

/// The most rows of a page; GitHub takes a larger wish for this.
const MOST: usize = 100;
/// Rows of a page, if nothing is said.
const DEFAULT: usize = 30;

/// The version of the REST API that who names none gets.
const OLDER: &str = "2022-11-28";

/// One request.
pub(super) struct Ask<'a> {
    pub(super) site: &'a Site,
    pub(super) caller: &'a Caller,
    /// The repository of the route's `{owner}/{repo}`; 0 if it has none. The caller may see it, and has the
    /// right that the route needs.
    pub(super) repo: u64,
    /// The path as it was asked for, without `/api/v3`.
    pub(super) path: &'a str,
    pub(super) params: Vec<(&'static str, String)>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Ask<'_> {
    /// A placeholder's value, decoded.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// A placeholder's value as a number.
    ///
    /// # Errors
    /// 404, as for any path that there is not.
    pub(super) fn number(&self, name: &str) -> Outcome<u64> {
        self.param(name).parse().map_err(|_| ApiError::not_found())
    }

    /// The version of the REST API that is asked for; the older one if none is (docs.github.com, "API
    /// Versions").
    pub(super) fn version(&self) -> &str {
        let asked = self.headers.get("x-github-api-version").and_then(|value| value.to_str().ok());
        asked.unwrap_or(OLDER)
    }

    /// A query parameter that is not empty.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The body as a JSON object; an empty body is an empty one.
    ///
    /// # Errors
    /// 400 if it is none.
    pub(super) fn object(&self) -> Outcome<Map<String, Value>> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(ApiError::bad_json()),
        }
    }

    /// Whether the `Accept` header asks for a form of the answer: `raw`, `diff`, `patch`, `object`, `text-match`.
    pub(super) fn accepts(&self, form: &str) -> bool {
        let accepted = self.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut kinds = accepted.flat_map(|value| value.split(','));
        kinds.any(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            let kind = kind.strip_prefix("application/vnd.github.").unwrap_or(kind);
            let kind = kind.strip_prefix("v3.").unwrap_or(kind);
            kind.split('+').next() == Some(form)
        })
    }

    /// Which page is asked for (from 1), and how many rows it has.
    pub(super) fn paging(&self) -> (usize, usize) {
        let number = |name| self.query(name).and_then(|text| text.parse::<usize>().ok());
        let rows = number("per_page").unwrap_or(DEFAULT).clamp(1, MOST);
        (number("page").unwrap_or(1).max(1), rows)
    }

    /// The page of `rows` that is asked for, each shown by `show`, as a bare array with a `Link` header.
    pub(super) fn page<T>(&self, rows: &[T], show: impl FnMut(&T) -> Value) -> Answer {
        let shown: Vec<_> = self.cut(rows).iter().map(show).collect();
        self.link(Answer::json(shown), rows.len())
    }

    /// The same as an object: `{total_count, KEY: [...]}`.
    pub(super) fn counted<T>(&self, key: &str, rows: &[T], show: impl FnMut(&T) -> Value) -> Answer {
        let shown: Vec<_> = self.cut(rows).iter().map(show).collect();
        let mut body = Map::new();
        body.insert("total_count".to_owned(), rows.len().into());
        body.insert(key.to_owned(), shown.into());
        self.link(Answer::json(body), rows.len())
    }

    /// The rows of the page that is asked for.
    pub(super) fn cut<'r, T>(&self, rows: &'r [T]) -> &'r [T] {
        let (page, per_page) = self.paging();
        let start = (page - 1).saturating_mul(per_page).min(rows.len());
        &rows[start..(start + per_page).min(rows.len())]
    }

    /// `answer` with the `Link` header of a listing of `total` rows; none if it has a single page. On
    /// github.com the addresses of a repository's listings have its id in them, and so they have here.
    pub(super) fn link(&self, answer: Answer, total: usize) -> Answer {
        let (page, per_page) = self.paging();
        let last = total.div_ceil(per_page).max(1);
        if last == 1 && page == 1 {
            return answer;
        }
        let path = match (self.repo, self.path.splitn(5, '/').nth(4)) {
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
