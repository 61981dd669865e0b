//! What a query costs, by Linear's published rule: a tenth of a point for each scalar, one for each
//! object, and what a connection holds times the rows asked for (50 where `first` is not given),
//! rounded up.
//!
//! A scalar's tenth is counted in whole tenths, so that the sum is exact. `@skip` and `@include` with
//! variables are obeyed.

use apollo_compiler::{
    ExecutableDocument,
    ast::Value as Literal,
    executable::{DirectiveList, Field, Operation, Selection, SelectionSet},
    response::JsonMap,
};

use super::page::DEFAULT_FIRST;

/// The most that one query may cost.
pub(super) const MAX_COST: u32 = 10_000;

/// Points of `operation` with these (coerced) variables; `u32::MAX` stands for anything beyond.
pub(super) fn cost(document: &ExecutableDocument, operation: &Operation, variables: &JsonMap) -> u32 {
    let walk = Walk { document, variables };
    let tenths = walk.selections(&operation.selection_set, 1);
    u32::try_from(tenths.div_ceil(10)).unwrap_or(u32::MAX)
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    variables: &'a JsonMap,
}

impl Walk<'_> {
    /// Tenths of a selection set whose lists hold `rows` rows.
    fn selections(&self, set: &SelectionSet, rows: u64) -> u64 {
        let mut tenths: u64 = 0;
        for selection in &set.selections {
            tenths = tenths.saturating_add(match selection {
                Selection::Field(field) if self.included(&field.directives) => self.field(field, rows),
                Selection::InlineFragment(part) if self.included(&part.directives) => {
                    self.selections(&part.selection_set, rows)
                }
                Selection::FragmentSpread(spread) if self.included(&spread.directives) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    fragment.map_or(0, |fragment| self.selections(&fragment.selection_set, rows))
                }
                _ => 0,
            });
        }
        tenths
    }

    fn field(&self, field: &Field, rows: u64) -> u64 {
        let ty = field.ty().inner_named_type().as_str();
        if field.selection_set.selections.is_empty() {
            return 1;
        }
        if ty.ends_with("Connection") || ty.ends_with("SearchPayload") && ty != "SemanticSearchPayload" {
            return self.selections(&field.selection_set, self.rows(field));
        }
        let one = 10_u64.saturating_add(self.selections(&field.selection_set, 1));
        match field.name.as_str() {
            // These lists have no arguments of their own: their connection says how many.
            "nodes" | "edges" => one.saturating_mul(rows),
            _ => one,
        }
    }

    fn rows(&self, field: &Field) -> u64 {
        let argument = ["first", "last"]
            .into_iter()
            .find_map(|name| self.integer(field.specified_argument_by_name(name)?));
        argument.unwrap_or(DEFAULT_FIRST as u64)
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
