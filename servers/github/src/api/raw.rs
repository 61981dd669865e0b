//! Whatever can be read, by its path.

use connector::{Result, tolerant, upstream::Request};
use http::{HeaderValue, Method, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use super::{Api, SELDOM, Scope, rest::next_query, route};
use crate::{
    error::{CODE_SEARCH, CORE, POINTS, SEARCH},
    reach::Repo,
};

/// What must be encoded of a path that was given as it stands in an address. What is encoded there stays so.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');
/// The operation's name, whatever the path.
const ANY: &str = "GET /{path}";
/// No larger answer is read.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// An answer as it came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) body: Body,
    /// The query of the page after it.
    pub(crate) next: Option<String>,
}

/// What an answer consists of.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Json(Value),
    /// A text that is no JSON.
    Text(String),
    /// Bytes that are no text; how many.
    Binary(usize),
}

impl Api {
    /// The name that `repo` has now, kept for a while: GitHub answers under a former name too, for what may be
    /// another repository than the operator had in mind.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn name_now(&self, repo: &Repo) -> Result<String> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Named {
            #[serde(deserialize_with = "tolerant::text")]
            full_name: String,
        }
        let request = route("GET /repos/{owner}/{repo}", &[&repo.owner, &repo.name]);
        let request = request.cache(SELDOM, std::iter::empty::<String>());
        let named: Named = self.json(Scope::Repo(repo), request).await?;
        Ok(named.full_name)
    }

    /// What is at `path` (which begins with a slash and has no query), with an encoded query.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn read_any(&self, scope: Scope<'_>, path: &str, query: &str) -> Result<Got> {
        let encoded = utf8_percent_encode(path, PATH).to_string();
        let bucket = match path {
            "/search/code" => CODE_SEARCH,
            _ if path.starts_with("/search/") => SEARCH,
            _ => CORE,
        };
        let request = Request::new(ANY, Method::GET, encoded)
            .header(header::ACCEPT, HeaderValue::from_static("application/vnd.github+json"))
            .cost(bucket, 1)
            .cost(POINTS, 1)
            .any_body()
            .max_body(MOST_BYTES);
        let request = if query.is_empty() { request } else { request.with_query(query) };
        let response = self.send(scope, request).await?;
        let next = response.header("link").and_then(next_query).filter(|next| next != query);
        let body = match serde_json::from_slice(&response.body) {
            Ok(value) => Body::Json(value),
            Err(_) => match std::str::from_utf8(&response.body) {
                Ok(text) => Body::Text(text.to_owned()),
                Err(_) => Body::Binary(response.body.len()),
            },
        };
        Ok(Got { body, next })
    }
}
