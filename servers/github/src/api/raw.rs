//! Whatever can be read, by its path.

use connector::{Result, upstream::Request};
use http::{HeaderValue, Method, header};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::{Api, Target, rest::next_query};
use crate::{
    bounds::RepositoryBounds,
    vendor::{CODE_SEARCH, CORE, POINTS, SEARCH},
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
    /// What is at `path` (which begins with a slash and has no query), with an encoded query.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn read_any(&self, target: Target<'_>, path: &str, query: &str) -> Result<Got> {
        if let (Target::Repo(repo), Some((_, range))) = (target, path.split_once("/compare/")) {
            self.permits_fork(repo, &percent_decode_str(range).decode_utf8_lossy())?;
        }
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
        let response = self.send(target, request).await?;
        let next = response.header("link").and_then(next_query).filter(|next| next != query);
        let body = match serde_json::from_slice(&response.body) {
            Ok(mut value) => {
                if self.bounds().is_narrow() {
                    hide(&mut value, self.bounds());
                }
                Body::Json(value)
            }
            Err(_) => match std::str::from_utf8(&response.body) {
                Ok(text) => Body::Text(text.to_owned()),
                Err(_) => Body::Binary(response.body.len()),
            },
        };
        Ok(Got { body, next })
    }
}

/// Takes out of an answer what belongs to a repository out of bounds: forks and parents, issues that mention
/// this one or are parts of it, what was moved elsewhere.
fn hide(value: &mut Value, bounds: &RepositoryBounds) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !is_hidden(item, bounds));
            items.iter_mut().for_each(|item| hide(item, bounds));
        }
        Value::Object(_) if is_hidden(value, bounds) => *value = Value::Null,
        Value::Object(object) => object.values_mut().for_each(|inner| hide(inner, bounds)),
        _ => {}
    }
}

/// Whether something says of itself that it is, or lies in, a repository out of reach.
fn is_hidden(value: &Value, bounds: &RepositoryBounds) -> bool {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    // A user's `full_name` is no repository's.
    let own = text("full_name").filter(|name| name.contains('/'));
    let place = text("repository_url").and_then(|url| url.split_once("/repos/")).map(|(_, name)| name);
    let inner = value.pointer("/repository/full_name").and_then(Value::as_str);
    // An event is told with what it is about, in which it may be the only one that says where it lies.
    let source = value.pointer("/source/issue").is_some_and(|issue| is_hidden(issue, bounds));
    source || [own, place, inner].into_iter().flatten().any(|name| !bounds.sees(name))
}
