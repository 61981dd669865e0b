//! Addresses below the vendor's base URL: made from a route as the vendor documents it, and guarded,
//! so that a value that comes from an argument can never lead to another route.
//!
//! A part of a path that is `.` or `..`, encoded or not, is taken away with the part before it when an
//! address is read, here, in a proxy or at the vendor: a file's path or a label's name would reach
//! another repository or another thing. What is refused here is refused whoever built the path.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{Error, Result};

/// What stays as it is in one part of a path: the unreserved characters of RFC 3986, 2.3.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// What stays as it is where a value may have several parts.
const PARTS: &AsciiSet = &PART.remove(b'/');
/// How many layers of percent-encoding are looked through. Whoever decodes more often is no web server.
const LAYERS: usize = 4;

/// The path of `template` (`/repos/{owner}/{repo}/labels/{name}`), its placeholders filled with `values`
/// in their order, encoded. A value is one part of the path, unless its placeholder is among `several`.
pub(super) fn fill(template: &str, values: &[&str], several: &[&str]) -> String {
    let mut path = String::with_capacity(template.len() + 16);
    let mut values = values.iter();
    let mut rest = template;
    while let Some((before, placeholder)) = rest.split_once('{') {
        path.push_str(before);
        let (name, after) = placeholder.split_once('}').unwrap_or((placeholder, ""));
        let kept = if several.contains(&name) { PARTS } else { PART };
        // A route and its values stand side by side in our own code.
        debug_assert!(values.len() > 0, "{template} has more placeholders than values");
        let value = values.next().copied().unwrap_or_default();
        match (value.is_empty(), kept == PARTS) {
            // No parts at all, so no slash before them: the root of a repository's files.
            (true, true) => _ = path.pop(),
            // A path that merely ends in a slash can be meant, a name without letters cannot. What the guard
            // refuses stands for it.
            (true, false) => path.push('.'),
            (false, _) => path.extend(utf8_percent_encode(value, kept)),
        }
        rest = after;
    }
    debug_assert!(values.len() == 0, "{template} has more values than placeholders");
    path.push_str(rest);
    path
}

/// Refuses a path (with or without a query) that would be read as another one: that does not begin with
/// `/`, or has `.`, `..`, nothing, a control character or a fragment as a part. It may be empty: the base
/// URL itself.
///
/// # Errors
/// `invalid_argument`: what stands in a path wrongly came from an argument.
pub(super) fn guard(path: &str) -> Result<()> {
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() {
        return Ok(());
    }
    // An empty part is merged with its neighbour by many servers. At the end it may be meant: the beginning
    // of a ref (`heads/`).
    let parts = path.strip_prefix('/').map(|path| path.strip_suffix('/').unwrap_or(path));
    let Some(parts) = parts else { return Err(leads_elsewhere(path)) };
    let empty = || parts.split('/').find(|part| part.is_empty() && !parts.is_empty());
    // A dot and its neighbour's slash may be encoded in two parts.
    let whole = || Some(path).filter(|path| leaves(path));
    match parts.split('/').find(|part| leaves(part)).or_else(empty).or_else(whole) {
        Some(part) => Err(leads_elsewhere(part)),
        None => Ok(()),
    }
}

/// Whether a part of a path, or a whole one, is read as something else than a name.
fn leaves(part: &str) -> bool {
    let plain = decoded(part);
    let dots = plain.split(['/', '\\']).any(|part| matches!(part, "." | ".."));
    dots || part.contains(['#', '\\']) || plain.chars().any(char::is_control)
}

fn leads_elsewhere(part: &str) -> Error {
    let part = percent_decode_str(part).decode_utf8_lossy();
    let part: String = part.chars().filter(|c| !c.is_control() || c.is_whitespace()).collect();
    let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
    let what = if part.is_empty() { "an empty part of a path".to_owned() } else { format!("`{part}`") };
    Error::invalid(format!("{what} would lead to another address"))
        .with_hint("Give names and ids as they are, and paths from their root without leading dots or control characters")
}

/// `path` without its percent-encoding, also where it was encoded more than once.
fn decoded(path: &str) -> Cow<'_, str> {
    let mut plain = Cow::Borrowed(path);
    for _ in 0..LAYERS {
        if !plain.contains('%') {
            break;
        }
        plain = Cow::Owned(percent_decode_str(&plain).decode_utf8_lossy().into_owned());
    }
    plain
}

#[cfg(test)]
mod tests {
    use http::Method;
    use url::Url;

    use super::*;
    use crate::{Kind, upstream::Request};

    const BASES: [&str; 2] = ["https://api.example/v3/", "https://api.example"];
    const ATTACKS: [&str; 16] = [
        "..",
        ".",
        "%2e%2e",
        "%2E.",
        "%252e%252e",
        "a/../../b",
        "a/%2e%2e/b",
        "a\\..\\b",
        "..\\b",
        "/..",
        "a/..",
        "\t..",
        ".\n.",
        "a\r\nHost: evil.example",
        "a\u{0}",
        "",
    ];

    fn address(request: &Request, base: &str) -> Result<String> {
        request.address(&Url::parse(base).unwrap()).map(String::from)
    }

    #[test]
    fn a_route_is_filled_with_encoded_values() {
        let filled = |route, values: &[&str]| {
            address(&Request::route(route, values), "https://api.example/v3/").unwrap()
        };
        assert_eq!(
            filled("GET /things/{id}/parts/{name}", &["7", "a/b c?#é"]),
            "https://api.example/v3/things/7/parts/a%2Fb%20c%3F%23%C3%A9"
        );
        assert_eq!(filled("GET /things", &[]), "https://api.example/v3/things");
        let delete = Request::route("DELETE /things/{id}", &["7"]);
        assert_eq!((delete.operation, &delete.method), ("DELETE /things/{id}", &Method::DELETE));
        assert!(delete.effect.writes());
        let file = Request::route_with("GET /files/{path}", &["docs/a b#1.md"], &["path"]);
        assert_eq!(address(&file, BASES[1]).unwrap(), "https://api.example/files/docs/a%20b%231.md");
        let root = Request::route_with("GET /files/{path}", &[""], &["path"]);
        assert_eq!(address(&root, BASES[1]).unwrap(), "https://api.example/files");
    }

    #[test]
    fn no_value_leads_to_another_route() {
        for base in BASES {
            for attack in ATTACKS {
                for several in [&[][..], &["name"]] {
                    for route in ["DELETE /things/{name}/parts", "DELETE /things/{name}"] {
                        if attack.is_empty() && !several.is_empty() {
                            continue;
                        }
                        let request = Request::route_with(route, &[attack], several);
                        let error = address(&request, base).expect_err(attack);
                        assert_eq!(error.kind(), Kind::InvalidArgument, "{attack:?}");
                    }
                }
                let by_hand = Request::get("Read", format!("/things/{attack}/parts"));
                assert_eq!(
                    address(&by_hand, base).expect_err(attack).kind(),
                    Kind::InvalidArgument,
                    "{attack:?}"
                );
            }
            for name in
                ["https://evil.example/x", "//evil.example", "@evil.example", "a?b=c", "a#b", "a:b", "..."]
            {
                let address = address(&Request::route("GET /things/{name}/parts", &[name]), base).unwrap();
                let path = address.strip_prefix(base.trim_end_matches('/')).expect(name);
                let parts: Vec<&str> = path.split(['/', '?', '#']).collect();
                assert!(matches!(parts[..], ["", "things", _, "parts"]), "{address}");
            }
        }
    }

    #[test]
    fn a_path_by_hand_cannot_leave_the_base_url() {
        for path in [
            "https://evil.example/",
            "@evil.example/",
            ".evil.example/",
            "//evil.example/",
            "\\evil",
            "/a#b",
            "/a\\b",
            "/a//",
            "x",
        ] {
            for base in BASES {
                let error = address(&Request::get("Read", path), base).expect_err(path);
                assert_eq!(error.kind(), Kind::InvalidArgument, "{path}");
            }
        }
        for path in ["", "/", "/things/", "/things/a..b", "/things?at=../x", "/things/%E2%80%A6"] {
            assert!(address(&Request::get("Read", path), BASES[0]).is_ok(), "{path}");
        }
    }
}
