//! What GraphQL alone has: discussions and projects.

mod discussions;
mod projects;

use connector::sandbox::graphql::{Asked, Node, Resolved};

use crate::sandbox::{ask::Ask, errors::Outcome};

/// Knows the types of `schema/social.graphql`.
pub(in crate::sandbox) fn resolve(
    ask: &Ask<'_>,
    node: &Node,
    asked: &Asked<'_>,
) -> Option<Outcome<Resolved>> {
    discussions::resolve(ask, node, asked).or_else(|| projects::resolve(ask, node, asked))
}
