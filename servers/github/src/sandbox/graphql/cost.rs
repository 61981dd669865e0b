//! What a query costs (docs.github.com, "Rate limits and query limits for the GraphQL API"): for each
//! connection, the requests needed to fill it, which are the rows of all connections around it multiplied; their
//! sum divided by 100, at least 1. The nodes it may reach are counted along the way.

use apollo_compiler::{
    ExecutableDocument,
    ast::Value as Literal,
    executable::{DirectiveList, Field, Selection, SelectionSet},
    response::JsonMap,
};
use connector::sandbox::graphql::Prepared;

/// Points and nodes of a request.
pub(super) fn of(prepared: &Prepared<'_>) -> (u64, u64) {
    let mut walk =
        Walk { document: prepared.document, variables: &prepared.variables, requests: 0, nodes: 0 };
    walk.selections(&prepared.operation.selection_set, 1);
    ((walk.requests.saturating_add(50) / 100).max(1), walk.nodes)
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    variables: &'a JsonMap,
    requests: u64,
    nodes: u64,
}

impl Walk<'_> {
    /// Counts what is selected of each of `rows` objects.
    fn selections(&mut self, set: &SelectionSet, rows: u64) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) if self.included(&field.directives) => self.field(field, rows),
                Selection::InlineFragment(part) if self.included(&part.directives) => {
                    self.selections(&part.selection_set, rows);
                }
                Selection::FragmentSpread(spread) if self.included(&spread.directives) => {
                    let document = self.document;
                    if let Some(fragment) = document.fragments.get(&spread.fragment_name) {
                        self.selections(&fragment.selection_set, rows);
                    }
                }
                _ => {}
            }
        }
    }

    fn field(&mut self, field: &Field, rows: u64) {
        let mut within = rows;
        if field.ty().inner_named_type().ends_with("Connection") {
            self.requests = self.requests.saturating_add(rows);
            within = rows.saturating_mul(self.rows(field));
            self.nodes = self.nodes.saturating_add(within);
        }
        self.selections(&field.selection_set, within);
    }

    fn rows(&self, field: &Field) -> u64 {
        let bounds = ["first", "last"].into_iter();
        let mut given = bounds.filter_map(|name| self.integer(field.specified_argument_by_name(name)?));
        given.next().unwrap_or(1)
    }

    fn integer(&self, value: &Literal) -> Option<u64> {
        match value {
            Literal::Int(number) => number.try_to_i32().ok().and_then(|number| u64::try_from(number).ok()),
            Literal::Variable(name) => self.variables.get(name.as_str())?.as_u64(),
            _ => None,
        }
    }

    fn included(&self, directives: &DirectiveList) -> bool {
        let is = |name: &str| {
            let argument = directives.get(name)?.specified_argument_by_name("if")?;
            match &**argument {
                Literal::Boolean(value) => Some(*value),
                Literal::Variable(name) => self.variables.get(name.as_str())?.as_bool(),
                _ => None,
            }
        };
        is("skip") != Some(true) && is("include") != Some(false)
    }
}
