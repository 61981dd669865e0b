//! What GraphQL alone has: discussions and projects.

mod discussions;
mod projects;

use connector::sandbox::graphql::{Asked, Node, Resolved};

use crate::sandbox::{errors::Outcome, request::RequestContext};

/// Knows the types of `schema/social.graphql`.
pub(in crate::sandbox) fn resolve(
    cx: &RequestContext<'_>,
    node: &Node,
    asked: &Asked<'_>,
) -> Option<Outcome<Resolved>> {
    discussions::resolve(cx, node, asked).or_else(|| projects::resolve(cx, node, asked))
}
