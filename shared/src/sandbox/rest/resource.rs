//! The handlers of table-described resources: list, get, create, patch, delete.

use std::sync::Arc;

use serde_json::Value;

use super::{FakeResponse, Handler, RequestContext, RestSite};
use crate::sandbox::rows::{Resource, Row, Rows, Verb, Violation, text};

/// A vendor with resources that a table describes: what each verb asks of it. Everything that has a default is as a
/// plain REST API has it.
pub trait ResourceSite: RestSite {
    /// Works with the rows under their lock.
    fn with_rows<T>(&self, work: impl FnOnce(&mut Rows) -> T) -> T;

    /// The vendor's refusal of an input.
    fn invalid(&self, resource: &Resource, violations: Vec<Violation>) -> Self::Error;

    /// The vendor's refusal of a row that there is not.
    fn no_row(&self, resource: &Resource, id: &str) -> Self::Error;

    /// The fields of the body: where the vendor does not wrap them, the body itself.
    ///
    /// # Errors
    /// If the body cannot be read.
    fn input(cx: &RequestContext<'_, Self>, resource: &Resource) -> Result<Row, Self::Error>;

    /// Gives a new row what callers do not write: its key, its dates, who made it.
    fn begin(cx: &RequestContext<'_, Self>, resource: &Resource, rows: &Rows, row: &mut Row);

    /// Marks a row that was changed.
    fn stamp(_cx: &RequestContext<'_, Self>, _resource: &Resource, _row: &mut Row, _former: &Row) {}

    /// A rule of the vendor's that no table says: that a name is taken. `former` is none for a new row.
    ///
    /// # Errors
    /// If it is broken.
    fn check(
        _cx: &RequestContext<'_, Self>,
        _resource: &Resource,
        _rows: &Rows,
        _row: &Row,
        _former: Option<&Row>,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Whether a row is there for this caller: it is not in the bin, and theirs to see.
    fn visible(_cx: &RequestContext<'_, Self>, _resource: &Resource, _row: &Row) -> bool {
        true
    }

    /// A row as the API shows it, with what follows from other rows.
    fn show(_cx: &RequestContext<'_, Self>, _resource: &Resource, _rows: &Rows, row: &Row) -> Value {
        Value::Object(row.clone())
    }

    /// The page of `found` that is asked for, oldest first, in the vendor's form; each row by `show`.
    ///
    /// # Errors
    /// If the page cannot be given: a cursor that is none, too large a wish.
    fn list(
        cx: &RequestContext<'_, Self>,
        resource: &Resource,
        rows: &Rows,
        found: &[Arc<Row>],
    ) -> Result<FakeResponse, Self::Error>;

    /// Takes a row away, for good if nothing is said. Answered with 204.
    ///
    /// # Errors
    /// If a rule forbids it.
    fn delete(
        _cx: &RequestContext<'_, Self>,
        resource: &Resource,
        rows: &mut Rows,
        id: &str,
    ) -> Result<FakeResponse, Self::Error> {
        rows.remove(resource.table, id);
        Ok(FakeResponse::none())
    }
}

/// The handler of each verb.
pub(super) fn handlers<S: ResourceSite>() -> [(Verb, Handler<S>); 5] {
    [
        (Verb::List, list),
        (Verb::Get, get),
        (Verb::Create, create),
        (Verb::Patch, patch),
        (Verb::Delete, delete),
    ]
}

type Outcome<S> = Result<FakeResponse, <S as RestSite>::Error>;

fn list<S: ResourceSite>(cx: &RequestContext<'_, S>) -> Outcome<S> {
    let resource = resource(cx)?;
    cx.site.with_rows(|rows| {
        let found = rows.all(resource.table).filter(|row| here(cx, resource, row));
        let found: Vec<_> = found.cloned().collect();
        S::list(cx, resource, rows, &found)
    })
}

fn get<S: ResourceSite>(cx: &RequestContext<'_, S>) -> Outcome<S> {
    let resource = resource(cx)?;
    cx.site.with_rows(|rows| {
        let row = asked(cx, resource, rows)?;
        Ok(FakeResponse::json(S::show(cx, resource, rows, &row)))
    })
}

fn create<S: ResourceSite>(cx: &RequestContext<'_, S>) -> Outcome<S> {
    let resource = resource(cx)?;
    let input = S::input(cx, resource)?;
    cx.site.with_rows(|rows| {
        let taken = resource.check_new(&input, rows);
        let mut row = taken.map_err(|violations| cx.site.invalid(resource, violations))?;
        for (segment, field) in resource.within {
            row.insert((*field).to_owned(), cx.variable(segment).into());
        }
        S::begin(cx, resource, rows, &mut row);
        S::check(cx, resource, rows, &row, None)?;
        // A row that cannot be added has a key that is taken, which `begin` does not give.
        let row = rows.create(resource.table, row).map_err(|_| cx.site.no_row(resource, ""))?;
        Ok(FakeResponse::created(S::show(cx, resource, rows, &row)))
    })
}

fn patch<S: ResourceSite>(cx: &RequestContext<'_, S>) -> Outcome<S> {
    let resource = resource(cx)?;
    let input = S::input(cx, resource)?;
    cx.site.with_rows(|rows| {
        let former = asked(cx, resource, rows)?;
        let taken = resource.check_changes(&input, rows);
        let changes = taken.map_err(|violations| cx.site.invalid(resource, violations))?;
        let mut row = Row::clone(&former);
        row.extend(changes);
        S::check(cx, resource, rows, &row, Some(&former))?;
        let change = |place: &mut Row| *place = row;
        let stamp = |row: &mut Row, former: &Row| S::stamp(cx, resource, row, former);
        let row = rows.update_stamped(resource.table, cx.variable("id"), change, stamp).unwrap_or(former);
        Ok(FakeResponse::json(S::show(cx, resource, rows, &row)))
    })
}

fn delete<S: ResourceSite>(cx: &RequestContext<'_, S>) -> Outcome<S> {
    let resource = resource(cx)?;
    cx.site.with_rows(|rows| {
        asked(cx, resource, rows)?;
        S::delete(cx, resource, rows, cx.variable("id"))
    })
}

/// The resource of the route.
fn resource<S: ResourceSite>(cx: &RequestContext<'_, S>) -> Result<&'static Resource, S::Error> {
    cx.route.resource().ok_or_else(|| cx.site.not_found(cx.request))
}

/// The row that the path names.
fn asked<S: ResourceSite>(
    cx: &RequestContext<'_, S>,
    resource: &'static Resource,
    rows: &Rows,
) -> Result<Arc<Row>, S::Error> {
    let id = cx.variable("id");
    let row = rows.get(resource.table, id).filter(|row| here(cx, resource, row));
    row.cloned().ok_or_else(|| cx.site.no_row(resource, id))
}

/// Whether a row belongs to the path and is there for the caller.
fn here<S: ResourceSite>(cx: &RequestContext<'_, S>, resource: &'static Resource, row: &Row) -> bool {
    let within =
        resource.within.iter().all(|(segment, field)| text(row, field) == Some(cx.variable(segment)));
    within && S::visible(cx, resource, row)
}
