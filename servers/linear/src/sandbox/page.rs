//! Connections: what of a list is shown, in which order, and how far one answer goes.

use std::{cmp::Ordering, sync::Arc};

use apollo_compiler::Schema;
use serde_json::Value;

use super::{
    errors::{ApiError, Outcome},
    fields::{View, number},
    filter::{Filter, order},
    store::{Row, flag, text},
};

/// Rows of a page when the query does not say.
pub(super) const DEFAULT_FIRST: usize = 50;
/// Rows of a page at most.
const MAX_FIRST: usize = 250;

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: Vec<Arc<Row>>,
    pub(super) total: usize,
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
}

/// Where the order of a list comes from.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// `sort`, else `orderBy`, else newest first.
    Asked,
    /// As the rows come: a search's ranking, a history.
    AsStored,
}

/// Filters, orders and cuts `rows` of type `ty` as a connection's arguments say.
pub(super) fn page(
    view: View<'_>,
    schema: &Schema,
    ty: &str,
    mut rows: Vec<Arc<Row>>,
    args: &Row,
    kind: Order,
) -> Outcome<Page> {
    if !flag(args, "includeArchived") {
        rows.retain(|row| text(row, "archivedAt").is_none());
    }
    if ty == "User" && !flag(args, "includeDisabled") {
        rows.retain(|row| row.get("active").and_then(Value::as_bool) != Some(false));
    }
    if let Some(Value::Object(filter)) = args.get("filter") {
        let engine = Filter { view, schema };
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            if engine.passes(ty, &row, filter)? {
                kept.push(row);
            }
        }
        rows = kept;
    }
    if kind == Order::Asked {
        let by = if text(args, "orderBy") == Some("updatedAt") { "updatedAt" } else { "createdAt" };
        // Newest first; of two made at the same moment, the later one.
        rows.reverse();
        rows.sort_by(|a, b| text(b, by).cmp(&text(a, by)));
        for sort in args.get("sort").and_then(Value::as_array).into_iter().flatten().rev() {
            for (key, how) in sort.as_object().into_iter().flatten() {
                if let Value::Object(how) = how {
                    rows.sort_by(|a, b| compare(view, ty, a, b, key, how));
                }
            }
        }
    }
    cut(rows, args)
}

fn cut(rows: Vec<Arc<Row>>, args: &Row) -> Outcome<Page> {
    let total = rows.len();
    let position = |key: &str| match text(args, key) {
        None | Some("") => Ok(None),
        Some(cursor) => {
            let found = rows.iter().position(|row| text(row, "id") == Some(cursor));
            found
                .map(Some)
                .ok_or_else(|| ApiError::invalid(format!("{key} must be a cursor of this connection.")))
        }
    };
    let start = position("after")?.map_or(0, |index| index + 1);
    let end = position("before")?.unwrap_or(total).max(start);
    let (first, last) = (size(args, "first")?, size(args, "last")?);
    let (start, end) = match (first, last) {
        (None, Some(last)) => (end.saturating_sub(last).max(start), end),
        (first, _) => (start, end.min(start + first.unwrap_or(DEFAULT_FIRST))),
    };
    let rows = rows.into_iter().skip(start).take(end - start).collect();
    Ok(Page { rows, total, has_next: end < total, has_previous: start > 0 })
}

fn size(args: &Row, key: &str) -> Outcome<Option<usize>> {
    match args.get(key).and_then(Value::as_i64) {
        None => Ok(None),
        Some(n) => match usize::try_from(n) {
            Ok(n) if (1..=MAX_FIRST).contains(&n) => Ok(Some(n)),
            Ok(n) if n > 0 => Err(ApiError::invalid(format!("{key} must not be greater than {MAX_FIRST}."))),
            _ => Err(ApiError::invalid(format!("{key} must not be less than 1."))),
        },
    }
}

/// The order of two rows by one of the names a `sort` input has.
fn compare(view: View<'_>, ty: &str, a: &Row, b: &Row, key: &str, how: &Row) -> Ordering {
    let (a, b) = (sort_key(view, ty, a, key), sort_key(view, ty, b, key));
    let descending = text(how, "order") == Some("Descending");
    // "No priority" stands last unless asked for first, whichever way the others go.
    if key == "priority" {
        let none = |value: &Option<Value>| value.as_ref().and_then(Value::as_f64).unwrap_or_default() == 0.0;
        if none(&a) != none(&b) {
            let order = none(&a).cmp(&none(&b));
            return if flag(how, "noPriorityFirst") { order.reverse() } else { order };
        }
    }
    match (&a, &b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) | (Some(_), None) => {
            let order = a.is_none().cmp(&b.is_none());
            if text(how, "nulls") == Some("first") { order.reverse() } else { order }
        }
        (Some(_), Some(other)) => {
            let order = order(a.as_ref(), other).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        }
    }
}

fn sort_key(view: View<'_>, ty: &str, row: &Row, key: &str) -> Option<Value> {
    let named = |field: &str, target: &str, name: &str| {
        let other = view.one(ty, row, field, target)?;
        text(&other, name).map(|name| Value::String(name.to_lowercase()))
    };
    match key {
        "assignee" | "delegate" | "lead" | "owner" | "creator" => named(key, "User", "displayName"),
        "project" => named("project", "Project", "name"),
        "milestone" => named("projectMilestone", "ProjectMilestone", "name"),
        "team" => named("team", "Team", "name"),
        "status" => {
            let status = view.one(ty, row, "status", "ProjectStatus")?;
            Some(Value::from(number(&status, "position")))
        }
        "workflowState" => {
            let state = view.one(ty, row, "state", "WorkflowState")?;
            let kinds = ["triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate"];
            let kind =
                kinds.iter().position(|kind| text(&state, "type") == Some(kind)).unwrap_or(kinds.len());
            Some(Value::from(kind as f64 * 1e6 + number(&state, "position")))
        }
        "cycle" => view.one(ty, row, "cycle", "Cycle").map(|cycle| Value::from(number(&cycle, "number"))),
        "label" => {
            let labels = view.many(ty, row, "labels").unwrap_or_default();
            labels.iter().filter_map(|label| text(label, "name")).min().map(Value::from)
        }
        "manual" => Some(Value::from(number(row, "sortOrder"))),
        "title" | "name" | "displayName" => text(row, key).map(|name| Value::String(name.to_lowercase())),
        "priority" => Some(Value::from(number(row, "priority"))),
        other => view.value(ty, row, other),
    }
}
