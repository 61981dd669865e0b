//! What a query costs, by Linear's published rule: a tenth of a point for each scalar, one for each
//! object, and what a connection holds times the rows asked for (50 where `first` is not given),
//! rounded up.
//!
//! A scalar's tenth is counted in whole tenths, so that the sum is exact. `@skip` and `@include` with
//! variables are obeyed.

use apollo_compiler::{
    ExecutableDocument,
    executable::{Field, Operation, SelectionSet},
    response::JsonMap,
};
use connector::sandbox::graphql::Selections;

use super::page::DEFAULT_FIRST;

/// The most that one query may cost.
pub(super) const MAX_COST: u32 = 10_000;

/// Points of `operation` with these (coerced) variables; `u32::MAX` stands for anything beyond.
pub(super) fn cost(document: &ExecutableDocument, operation: &Operation, variables: &JsonMap) -> u32 {
    let tenths = tenths(Selections::new(document, variables), &operation.selection_set, 1);
    u32::try_from(tenths.div_ceil(10)).unwrap_or(u32::MAX)
}

/// Tenths of a selection set whose lists hold `rows` rows.
fn tenths<'a>(selections: Selections<'a>, set: &'a SelectionSet, rows: u64) -> u64 {
    let fields = selections.fields(set).into_iter();
    fields.fold(0, |sum, field| sum.saturating_add(tenths_of_field(selections, field, rows)))
}

fn tenths_of_field<'a>(selections: Selections<'a>, field: &'a Field, rows: u64) -> u64 {
    let ty = field.ty().inner_named_type().as_str();
    if field.selection_set.selections.is_empty() {
        return 1;
    }
    if ty.ends_with("Connection") || ty.ends_with("SearchPayload") && ty != "SemanticSearchPayload" {
        let rows = selections.rows(field).unwrap_or(DEFAULT_FIRST as u64);
        return tenths(selections, &field.selection_set, rows);
    }
    let one = 10_u64.saturating_add(tenths(selections, &field.selection_set, 1));
    match field.name.as_str() {
        // These lists have no arguments of their own: their connection says how many.
        "nodes" | "edges" => one.saturating_mul(rows),
        _ => one,
    }
}
