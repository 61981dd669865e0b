//! Listings that are paged by `before` and `after` instead of numbers (docs.github.com, "Using pagination").

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use url::form_urlencoded;

use crate::sandbox::{
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
};

/// The page of `rows` that is asked for.
///
/// # Errors
/// 400 for a cursor that is none of ours.
pub(super) fn page<T>(
    cx: &RequestContext<'_>,
    rows: &[T],
    show: impl FnMut(&T) -> Value,
) -> Outcome<FakeResponse> {
    let (_, per_page) = cx.paging();
    let place = |name: &str| match cx.query(name) {
        None => Ok(None),
        Some(cursor) => read(cursor).map(Some).ok_or_else(|| {
            ApiError::new(http::StatusCode::BAD_REQUEST, format!("Invalid value for parameter `{name}`"))
        }),
    };
    let (after, before) = (place("after")?, place("before")?);
    let end = before.unwrap_or(rows.len()).min(rows.len());
    let start = match (after, before) {
        (Some(after), _) => after.min(rows.len()),
        (None, Some(_)) => end.saturating_sub(per_page),
        (None, None) => 0,
    };
    let end = end.max(start).min(start + per_page);
    let shown: Vec<_> = rows[start..end].iter().map(show).collect();
    let mut links = Vec::new();
    if end < rows.len() {
        links.push(link(cx, "after", end, "next"));
    }
    if start > 0 {
        links.push(link(cx, "before", start, "prev"));
    }
    let answer = FakeResponse::json(shown);
    Ok(if links.is_empty() { answer } else { answer.header("link", &links.join(", ")) })
}

fn link(cx: &RequestContext<'_>, name: &str, place: usize, rel: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (key, value) in cx.query.iter().filter(|(key, _)| key != "after" && key != "before") {
        query.append_pair(key, value);
    }
    query.append_pair(name, &write(place));
    let path = match (cx.target, cx.path.splitn(5, '/').nth(4)) {
        (0, _) | (_, None) => cx.path.trim_start_matches('/').to_owned(),
        (repo, Some(rest)) => format!("repositories/{repo}/{rest}"),
    };
    format!("<{}?{}>; rel=\"{rel}\"", cx.site.url(&path), query.finish())
}

fn write(place: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("place:{place}"))
}

fn read(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("place:")?.parse().ok()
}
