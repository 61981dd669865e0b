//! What a query costs (docs.github.com, "Rate limits and query limits for the GraphQL API"): for each
//! connection, the requests needed to fill it, which are the rows of all connections around it multiplied; their
//! sum divided by 100, at least 1. The nodes it may reach are counted along the way.

use apollo_compiler::executable::SelectionSet;
use connector::sandbox::graphql::{Prepared, Selections};

/// Points and nodes of a request.
pub(super) fn of(prepared: &Prepared<'_>) -> (u64, u64) {
    let selections = Selections::new(prepared.document, &prepared.variables);
    let mut walk = Walk { selections, requests: 0, nodes: 0 };
    walk.count(&prepared.operation.selection_set, 1);
    ((walk.requests.saturating_add(50) / 100).max(1), walk.nodes)
}

struct Walk<'a> {
    selections: Selections<'a>,
    requests: u64,
    nodes: u64,
}

impl<'a> Walk<'a> {
    /// Counts what is selected of each of `rows` objects.
    fn count(&mut self, set: &'a SelectionSet, rows: u64) {
        for field in self.selections.fields(set) {
            let mut within = rows;
            if field.ty().inner_named_type().ends_with("Connection") {
                self.requests = self.requests.saturating_add(rows);
                within = rows.saturating_mul(self.selections.rows(field).unwrap_or(1));
                self.nodes = self.nodes.saturating_add(within);
            }
            self.count(&field.selection_set, within);
        }
    }
}
