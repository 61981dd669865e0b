//! Routes: a template as the vendor documents it, what it needs, its handler.

use std::{
    borrow::Cow,
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use http::Method;
use percent_encoding::percent_decode_str;

use super::{FakeResponse, RequestContext, ResourceSite, RestSite, resource};
use crate::sandbox::rows::Resource;

/// The values of a route's named segments, decoded, in the template's order.
pub type Variables = Vec<(String, String)>;

/// What answers a route.
pub type Handler<S> = fn(&RequestContext<'_, S>) -> Result<FakeResponse, <S as RestSite>::Error>;

/// One route; made by [`route`], in tables that are constants.
pub struct Route<S: RestSite> {
    template: Cow<'static, str>,
    operation: Option<&'static str>,
    /// What it needs of its caller.
    pub needs: S::Needs,
    pub(super) handler: Handler<S>,
    resource: Option<&'static Resource>,
}

/// A route: method and path with named segments, what it needs, its handler.
///
/// `{name}` takes one segment, `{*name}` at the end the rest of the path. The method `*` takes GET and POST alike.
pub const fn route<S: RestSite>(template: &'static str, needs: S::Needs, handler: Handler<S>) -> Route<S> {
    Route { template: Cow::Borrowed(template), operation: None, needs, handler, resource: None }
}

impl<S: RestSite> Route<S> {
    /// The same under the name by which the vendor calls the method: `chat.postMessage`.
    #[must_use]
    pub const fn named(mut self, operation: &'static str) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Method and path, as the vendor documents them.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Its name in faults and in the journal: the vendor's, or the template.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.operation.unwrap_or(&self.template)
    }

    /// The table-described resource that it serves, if it does.
    #[must_use]
    pub fn resource(&self) -> Option<&'static Resource> {
        self.resource
    }
}

impl<S: RestSite> Clone for Route<S> {
    fn clone(&self) -> Self {
        let (template, needs) = (self.template.clone(), self.needs.clone());
        Self { template, needs, operation: self.operation, handler: self.handler, resource: self.resource }
    }
}

impl<S: RestSite> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({})", self.template)
    }
}

/// The routes of a fake, and how often each was asked for.
pub struct Routes<S: RestSite>(Vec<(Route<S>, AtomicU64)>);

impl<S: RestSite> Routes<S> {
    /// The routes of these tables.
    #[must_use]
    pub fn new(tables: &[&[Route<S>]]) -> Self {
        let routes = tables.iter().flat_map(|table| table.iter().cloned());
        Self(routes.map(|route| (route, AtomicU64::default())).collect())
    }

    /// Every route with the number of requests that its handler saw since the fake was made: for a test of routes
    /// that nobody asks for.
    pub fn asked(&self) -> impl Iterator<Item = (&Route<S>, u64)> {
        self.0.iter().map(|(route, asked)| (route, asked.load(Ordering::Relaxed)))
    }

    /// The route that a path, still encoded, fits best: of several the one that says most literally. With it the
    /// values of its named segments, decoded.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Option<(&Route<S>, Variables)> {
        let fitting = self.0.iter().filter_map(|(route, _)| {
            fits(&route.template, method.as_str(), path, S::REST_OF_PATH).map(|values| (route, values))
        });
        fitting.max_by_key(|(route, _)| literal(&route.template))
    }

    /// Counts that the handler of `asked` was reached.
    pub(super) fn note(&self, asked: &Route<S>) {
        if let Some((_, times)) = self.0.iter().find(|(route, _)| std::ptr::eq(route, asked)) {
            times.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<S: ResourceSite> Routes<S> {
    /// The same with the routes of a table-described resource: those that its [verbs](Resource::verbs) say. Which
    /// right each needs, `needs` says for its method.
    #[must_use]
    pub fn with_resource(mut self, resource: &'static Resource, needs: impl Fn(&Method) -> S::Needs) -> Self {
        for (verb, handler) in resource::handlers::<S>() {
            if resource.verbs.contains(&verb) {
                let (method, template) = verb.template(resource);
                let (template, needs) = (Cow::Owned(template), needs(&method));
                let route = Route { template, operation: None, needs, handler, resource: Some(resource) };
                self.0.push((route, AtomicU64::default()));
            }
        }
        self
    }
}

impl<S: RestSite> fmt::Debug for Routes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Routes({})", self.0.len())
    }
}

/// The values of the named segments of `template` in `path`; none if it does not fit.
fn fits(template: &str, method: &str, path: &str, rest_of_path: &[&str]) -> Option<Variables> {
    let (wanted, template) = template.split_once(' ')?;
    if wanted != method && !(wanted == "*" && matches!(method, "GET" | "POST")) {
        return None;
    }
    let mut values = Vec::new();
    let mut given = path.trim_start_matches('/').split('/');
    let mut parts = template.trim_start_matches('/').split('/').peekable();
    while let Some(part) = parts.next() {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            if given.next()? != part {
                return None;
            }
            continue;
        };
        let mut value = given.next()?.to_owned();
        let marked = name.strip_prefix('*');
        if parts.peek().is_none() && (marked.is_some() || rest_of_path.contains(&name)) {
            for more in given.by_ref() {
                value.push('/');
                value.push_str(more);
            }
        } else if value.is_empty() {
            return None;
        }
        let value = percent_decode_str(&value).decode_utf8().ok()?.into_owned();
        values.push((marked.unwrap_or(name).to_owned(), value));
    }
    given.next().is_none().then_some(values)
}

/// How many segments of a template are literal.
fn literal(template: &str) -> usize {
    template.split('/').filter(|part| !part.starts_with('{')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(template: &str, method: &str, path: &str) -> Option<Variables> {
        super::fits(template, method, path, &["path"])
    }

    #[test]
    fn named_segments_take_one_and_paths_the_rest() {
        for template in ["GET /repos/{owner}/contents/{path}", "GET /repos/{owner}/contents/{*path}"] {
            for path in ["/repos/o/contents/a%2Fb%20c.md", "/repos/o/contents/a/b%20c.md"] {
                let values = fits(template, "GET", path).unwrap();
                assert_eq!(values[1], ("path".to_owned(), "a/b c.md".to_owned()));
            }
            assert_eq!(fits(template, "PUT", "/repos/o/contents/a"), None);
        }
        assert_eq!(fits("GET /v1/pages/{id}", "GET", "/v1/pages/x/y"), None);
        assert_eq!(fits("GET /v1/pages/{id}", "GET", "/v1/pages/"), None);
        assert!(fits("GET /v1/branches/{branch}", "GET", "/v1/branches/a%2Fb").is_some());
        assert!(literal("GET /search/issues") > literal("GET /search/{x}"));
    }

    #[test]
    fn a_star_takes_get_and_post_and_nothing_else() {
        for method in ["GET", "POST"] {
            assert!(fits("* /api/users.list", method, "/api/users.list").is_some());
        }
        assert!(fits("* /api/users.list", "DELETE", "/api/users.list").is_none());
    }
}
