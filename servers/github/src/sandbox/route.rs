//! Routes: a template, the right it needs, its handler.

use percent_encoding::percent_decode_str;

use super::{answer::Answer, ask::Ask, errors::Outcome};

/// What answers a route.
pub(super) type Handler = fn(&Ask<'_>) -> Outcome<Answer>;

/// Placeholders that may stand for several segments of a path, at its end.
const LONG: [&str; 3] = ["path", "ref", "basehead"];

/// One route, as GitHub documents it: `GET /repos/{owner}/{repo}/labels`.
#[derive(Clone, Copy)]
pub(super) struct Route {
    pub(super) template: &'static str,
    pub(super) need: Need,
    pub(super) handler: Handler,
}

/// A route.
pub(super) const fn route(template: &'static str, need: Need, handler: Handler) -> Route {
    Route { template, need, handler }
}

/// The right that a route needs: a permission of fine-grained tokens and apps, which a classic token has by
/// a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// `issues`, `contents`; empty if any token will do.
    pub(super) permission: &'static str,
    pub(super) write: bool,
}

/// Any token will do.
pub(super) const ANY: Need = Need { permission: "", write: false };

/// Reading, with a permission: `issues`, `contents`, `pull_requests`, `actions`, `checks`, `metadata`.
pub(super) const fn read(permission: &'static str) -> Need {
    Need { permission, write: false }
}

/// Writing, with a permission.
pub(super) const fn write(permission: &'static str) -> Need {
    Need { permission, write: true }
}

/// The values of the placeholders of `template` (which begins with its method) in `path`; none if it does not
/// fit. `path` is still encoded.
pub(super) fn fits(template: &'static str, method: &str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (wanted, template) = template.split_once(' ')?;
    if wanted != method {
        return None;
    }
    let mut params = Vec::new();
    let mut given = path.trim_start_matches('/').split('/').peekable();
    let mut parts = template.trim_start_matches('/').split('/').peekable();
    while let Some(part) = parts.next() {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            if given.next()? != part {
                return None;
            }
            continue;
        };
        let first = given.next()?;
        let mut value = first.to_owned();
        if LONG.contains(&name) && parts.peek().is_none() {
            for more in given.by_ref() {
                value.push('/');
                value.push_str(more);
            }
        } else if first.is_empty() {
            return None;
        }
        params.push((name, percent_decode_str(&value).decode_utf8().ok()?.into_owned()));
    }
    given.next().is_none().then_some(params)
}

/// How much of a template is said literally: of several that fit, the most literal one is meant.
pub(super) fn literal(template: &str) -> usize {
    template.split('/').filter(|part| !part.starts_with('{')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_take_a_segment_and_paths_the_rest() {
        let contents = "GET /repos/{owner}/{repo}/contents/{path}";
        for path in ["/repos/o/r/contents/a%2Fb%20c.md", "/repos/o/r/contents/a/b%20c.md"] {
            assert_eq!(fits(contents, "GET", path).unwrap()[2], ("path", "a/b c.md".to_owned()));
        }
        assert_eq!(fits(contents, "PUT", "/repos/o/r/contents/a"), None);
        assert_eq!(fits("GET /repos/{owner}/{repo}", "GET", "/repos/o/r/x"), None);
        assert_eq!(fits("GET /repos/{owner}/{repo}", "GET", "/repos/o/"), None);
        assert!(
            fits("GET /repos/{owner}/{repo}/branches/{branch}", "GET", "/repos/o/r/branches/a%2Fb").is_some()
        );
        assert!(literal("GET /search/issues") > literal("GET /search/{x}"));
    }
}
